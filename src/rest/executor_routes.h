/* executor_routes.h: what an executor shows to its operators: README.md has the routes. */
#ifndef ARB_REST_EXECUTOR_ROUTES_H
#define ARB_REST_EXECUTOR_ROUTES_H

#include "executor/executor.h"
#include "http/http_route.h"
#include "rest/process_metrics.h"

/* The context of the routes, which must outlive the server that has them; the executor is destroyed after the server. */
typedef struct arb_rest_executor {
    arb_rest_process process;
    arb_executor *executor;
} arb_rest_executor;

/* Constant. */
arb_http_routes arb_rest_executor_routes(void);

#endif
