/* flight_host.h: executors in one process whose tasks read each other's outputs over Arrow Flight. */
#ifndef ARB_SLT_FLIGHT_HOST_H
#define ARB_SLT_FLIGHT_HOST_H

#include "task_host.h"

typedef struct slt_executors slt_executors;

/* `memory_most`: bytes of outputs that each holds in memory. Over gRPC on loopback, or over the memory transport. */
ARB_NODISCARD arb_code slt_executors_create(unsigned count, uint64_t memory_most, bool over_grpc,
                                            slt_executors **out_executors, arb_error *error);
void slt_executors_destroy(slt_executors *executors); /* NULL is a no-op */
/* Tasks go to the executors in turns; who takes the result reads all of it over Flight. */
slt_task_hosts slt_flight_hosts(slt_executors *executors);

#endif
