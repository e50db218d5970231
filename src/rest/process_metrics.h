/* process_metrics.h: figures that every process has: its version, memory, files and time, under the names that Prometheus
 * gives them everywhere. */
#ifndef ARB_REST_PROCESS_METRICS_H
#define ARB_REST_PROCESS_METRICS_H

#include "rest/metrics_text.h"
#include "runtime/memory.h"

/* What the processes of a cluster have in common. All is borrowed while the routes are served. */
typedef struct arb_rest_process {
    const char *version;
    int64_t started_us;           /* since 1970: when it began */
    const arb_governor *governor; /* of its queries; NULL: none */
} arb_rest_process;

/* What the system does not say is left out. */
void arb_process_metrics(arb_text *out, const arb_rest_process *process);

#endif
