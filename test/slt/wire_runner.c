#include "wire_runner.h"

#include "base/alloc.h"

typedef struct wire_run {
    arb_query_run base;
    arb_arena arena; /* the decoded plan */
    arb_query_run *inner;
} wire_run;

static arb_code next(arb_query_run *run, const arb_batch **out_batch, arb_error *error)
{
    arb_query_run *inner = ((wire_run *)run)->inner;
    return inner->vtable->next(inner, out_batch, error);
}

static void cancel(arb_query_run *run)
{
    arb_query_run *inner = ((wire_run *)run)->inner;
    inner->vtable->cancel(inner);
}

static double progress(const arb_query_run *run)
{
    const arb_query_run *inner = ((const wire_run *)run)->inner;
    return inner->vtable->progress(inner);
}

static uint64_t peak_memory(const arb_query_run *run)
{
    const arb_query_run *inner = ((const wire_run *)run)->inner;
    return inner->vtable->peak_memory(inner);
}

static void explain(const arb_query_run *run, const arb_query *query, arb_text *out)
{
    const arb_query_run *inner = ((const wire_run *)run)->inner;
    inner->vtable->explain(inner, query, out);
}

static void destroy(arb_query_run *run)
{
    wire_run *self = (wire_run *)run;
    if (self->inner != NULL)
        self->inner->vtable->destroy(self->inner);
    arb_arena_reset(&self->arena);
    arb_free(self);
}

static arb_code through_the_wire(wire_run *run, slt_wire_tables *names, const arb_physical_plan *plan,
                                 const arb_physical_plan **out_plan, arb_error *error)
{
    const arb_plan_tables tables = slt_wire_tables_names(names);
    arb_text sent = {0}, again = {0};
    arb_code code = arb_plan_encode(plan, &tables, &sent, error);
    if (code == ARB_OK)
        code = arb_plan_decode(&run->arena, arb_text_view(&sent), &tables, out_plan, error);
    if (code == ARB_OK)
        code = arb_plan_encode(*out_plan, &tables, &again, error);
    if (code == ARB_OK && !arb_str_equal(arb_text_view(&sent), arb_text_view(&again)))
        code = arb_fail(error, ARB_INTERNAL, "the plan that was decoded is encoded otherwise");
    arb_text_reset(&sent);
    arb_text_reset(&again);
    return code;
}

static arb_code start(void *context, const arb_run_request *request, arb_query_run **out_run, arb_error *error)
{
    static const arb_query_run_vtable vtable = {next, cancel, progress, peak_memory, explain, destroy, NULL, NULL};
    *out_run = NULL;
    wire_run *run = arb_alloc_zeroed(sizeof *run);
    if (run == NULL)
        return arb_fail_memory(error, "a query", sizeof *run);
    run->base.vtable = &vtable;
    arb_run_request decoded = *request;
    arb_code code = through_the_wire(run, context, request->plan, &decoded.plan, error);
    if (code == ARB_OK)
        code = arb_local_runner.start(arb_local_runner.context, &decoded, &run->inner, error);
    if (code != ARB_OK) {
        destroy(&run->base);
        return code;
    }
    *out_run = &run->base;
    return ARB_OK;
}

arb_query_runner slt_wire_runner(slt_wire_tables *tables)
{
    return (arb_query_runner){.context = tables, .start = start};
}
