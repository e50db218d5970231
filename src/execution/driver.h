/* driver.h: one task that pushes batches through a pipeline.
 *
 * A driver is a state machine without a stack of its own. Every transform that has more output for the batch it was last
 * given is asked before anything above it, so a batch stays valid until all that came of it has gone down. When the source
 * is dry the transforms are flushed from the source downwards, and the sink combines the driver's local state. */
#ifndef ARB_EXECUTION_DRIVER_H
#define ARB_EXECUTION_DRIVER_H

#include "execution/pipeline.h"

typedef struct arb_driver_state arb_driver_state;

/* Called once when the driver is over, from its own thread and as its last act; the driver may be destroyed in it.
 * `code` is ARB_OK, the driver's error, or ARB_CANCELLED. */
typedef void (*arb_driver_ended)(void *owner, arb_driver_state *driver, arb_code code, const arb_error *error);

/* Makes local states in every operator. The caller submits arb_driver_task. */
ARB_NODISCARD arb_code arb_driver_create(arb_pipeline *pipeline, arb_query_context *context, uint32_t number,
                                         void *owner, arb_driver_ended ended, arb_driver_state **out_driver,
                                         arb_error *error);
arb_task *arb_driver_task(arb_driver_state *driver);
arb_pipeline *arb_driver_pipeline(const arb_driver_state *driver);
/* What operators see of it. */
const arb_driver *arb_driver_of(const arb_driver_state *driver);
/* Local states first, then the driver. NULL is a no-op. */
void arb_driver_destroy(arb_driver_state *driver);

#endif
