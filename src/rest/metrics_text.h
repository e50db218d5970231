/* metrics_text.h: figures in the text format of Prometheus (0.0.4).
 *
 *     # HELP arbalest_executor_slots Tasks that may run at once.
 *     # TYPE arbalest_executor_slots gauge
 *     arbalest_executor_slots 4
 *
 * A family is begun once, its samples follow. Names and help are constants of ours; values of labels may be anything. The
 * text is checked once at its end, as arb_text does it. */
#ifndef ARB_REST_METRICS_TEXT_H
#define ARB_REST_METRICS_TEXT_H

#include "base/text.h"

#define ARB_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef enum arb_metric_kind {
    ARB_METRIC_GAUGE,
    ARB_METRIC_COUNTER, /* only grows while the process lives; its name ends in _total */
} arb_metric_kind;

typedef struct arb_metric {
    const char *name, *help;
    arb_metric_kind kind;
    size_t offset; /* of an uint64_t in a struct that the family is read from; see arb_metrics_from */
} arb_metric;

void arb_metrics_begin(arb_text *out, const arb_metric *metric);
/* A sample without a label (`label` NULL), or with one. */
void arb_metrics_sample(arb_text *out, const arb_metric *metric, const char *label, arb_str value, uint64_t number);
/* The same in seconds, with a fraction. */
void arb_metrics_seconds(arb_text *out, const arb_metric *metric, int64_t ns);
/* A family of one sample. */
void arb_metrics_one(arb_text *out, const arb_metric *metric, uint64_t number);
/* One family for each, their numbers taken from `from`. */
void arb_metrics_from(arb_text *out, const arb_metric *metrics, size_t count, const void *from);

#endif
