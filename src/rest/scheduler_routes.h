/* scheduler_routes.h: what a scheduler shows to its operators: README.md has the routes. */
#ifndef ARB_REST_SCHEDULER_ROUTES_H
#define ARB_REST_SCHEDULER_ROUTES_H

#include "http/http_route.h"
#include "rest/process_metrics.h"
#include "scheduler_process/scheduler_process.h"

/* The context of the routes, which must outlive the server that has them; the scheduler is destroyed after the server. */
typedef struct arb_rest_scheduler {
    arb_rest_process process;
    arb_scheduler_process *scheduler;
} arb_rest_scheduler;

/* Constant. */
arb_http_routes arb_rest_scheduler_routes(void);

/* The figures of /metrics, appended; in scheduler_metrics.c. */
ARB_NODISCARD arb_code arb_rest_scheduler_metrics(const arb_rest_scheduler *rest, arb_text *out, arb_error *error);

#endif
