#include "rest/metrics_text.h"

#include <inttypes.h>

void arb_metrics_begin(arb_text *out, const arb_metric *metric)
{
    arb_text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                    metric->kind == ARB_METRIC_COUNTER ? "counter" : "gauge");
}

static void put_escaped(arb_text *out, arb_str value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] == '\n')
            arb_text_append_str(out, ARB_STR("\\n"));
        else if (value.data[i] == '"' || value.data[i] == '\\')
            arb_text_printf(out, "\\%c", value.data[i]);
        else
            arb_text_append_char(out, value.data[i]);
}

void arb_metrics_sample(arb_text *out, const arb_metric *metric, const char *label, arb_str value, uint64_t number)
{
    arb_text_append_str(out, arb_str_of(metric->name));
    if (label != NULL) {
        arb_text_printf(out, "{%s=\"", label);
        put_escaped(out, value);
        arb_text_append_str(out, ARB_STR("\"}"));
    }
    arb_text_printf(out, " %" PRIu64 "\n", number);
}

void arb_metrics_seconds(arb_text *out, const arb_metric *metric, int64_t ns)
{
    const int64_t second = INT64_C(1000000000);
    arb_text_printf(out, "%s %" PRIi64 ".%09" PRIi64 "\n", metric->name, ns / second, ns % second);
}

void arb_metrics_one(arb_text *out, const arb_metric *metric, uint64_t number)
{
    arb_metrics_begin(out, metric);
    arb_metrics_sample(out, metric, NULL, (arb_str){0}, number);
}

void arb_metrics_from(arb_text *out, const arb_metric *metrics, size_t count, const void *from)
{
    for (size_t i = 0; i < count; i++)
        arb_metrics_one(out, &metrics[i], *(const uint64_t *)((const char *)from + metrics[i].offset));
}
