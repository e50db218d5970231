/* task_payload.h: what a LAUNCH says of a task's part of its stage, as the planner packed it.
 *
 * Today that is how many tasks the stage has, as a decimal number: the part follows from it (arb_stage_deal). */
#ifndef ARB_EXECUTOR_TASK_PAYLOAD_H
#define ARB_EXECUTOR_TASK_PAYLOAD_H

#include "base/error.h"
#include "base/text.h"

typedef struct arb_task_payload {
    uint32_t task_count;
} arb_task_payload;

/* `task` is one of them, else, and for what is no such payload, ARB_CORRUPT_DATA. */
ARB_NODISCARD arb_code arb_task_payload_read(arb_str bytes, uint32_t task, arb_task_payload *out_payload,
                                             arb_error *error);

#endif
