/* stage_print.c: stages as EXPLAIN shows them. */
#include "plan/stage.h"

static void print_output(arb_text *out, const arb_query *query, const arb_stage *stage)
{
    const arb_stage_output *output = &stage->output;
    if (output->kind == ARB_OUTPUT_ONE) {
        arb_text_append_str(out, ARB_STR("one partition"));
        return;
    }
    arb_text_printf(out, "%u partitions %s", output->partitions, output->kind == ARB_OUTPUT_HASH ? "by" : "in turns");
    for (size_t k = 0; k < output->key_count; k++) {
        arb_column_id id = stage->plan.root->layout.slots[stage->plan.columns[output->keys[k]]].id;
        arb_text_append_str(out, k == 0 ? ARB_STR(" ") : ARB_STR(", "));
        if (query != NULL && id < query->columns.size && arb_query_column(query, id)->name.size != 0)
            arb_text_append_str(out, arb_query_column(query, id)->name);
        else
            arb_text_printf(out, "#%u", id);
    }
}

void arb_stage_graph_print(arb_text *out, const arb_query *query, const arb_stage_graph *graph, arb_physical_note note,
                           void *context)
{
    for (size_t i = 0; i < graph->stage_count; i++) {
        const arb_stage *stage = &graph->stages[i];
        arb_text_printf(out, "Stage %u: %u task%s, ", stage->number, stage->tasks, stage->tasks == 1 ? "" : "s");
        print_output(out, query, stage);
        if (stage->row_limit >= 0)
            arb_text_printf(out, ", %lld rows are enough", (long long)stage->row_limit);
        if (stage->determinism == ARB_MAY_DIFFER)
            arb_text_append_str(out, ARB_STR(", may differ when run again"));
        arb_text_append_char(out, '\n');
        arb_physical_print(out, query, &stage->plan, note, context);
    }
}
