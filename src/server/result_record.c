#include "server/result_record.h"

#include "plan/plan_wire.h"
#include "scheduler/record.h"

enum { RECORD_VERSION = 1 };

/* A result plan reads a stage, no table. */
static arb_code no_table(void *context, arb_str name, arb_str reference, arb_stop_flag *stop, arb_table **out_table,
                         arb_error *error)
{
    (void)context, (void)reference, (void)stop;
    *out_table = NULL;
    return arb_fail(error, ARB_CORRUPT_DATA, "the record of a result names table %.*s", ARB_STR_ARGS(name));
}

arb_code arb_result_record_write(const arb_physical_plan *plan, const arb_str *names, arb_text *out, arb_error *error)
{
    arb_text bytes = {0};
    arb_code code = arb_plan_encode(plan, &(arb_plan_tables){0}, &bytes, error);
    if (code == ARB_OK) {
        arb_record_put_number(out, RECORD_VERSION);
        arb_record_put_text(out, arb_text_view(&bytes));
        for (size_t i = 0; i < plan->column_count; i++)
            arb_record_put_text(out, names[i]);
        code = arb_text_check(out, error);
    }
    arb_text_reset(&bytes);
    return code;
}

arb_code arb_result_record_read(arb_str record, arb_arena *arena, arb_result_record *out, arb_error *error)
{
    arb_record_reader reader = {.left = record};
    if (arb_record_number(&reader) != RECORD_VERSION)
        return arb_fail(error, ARB_CORRUPT_DATA, "the record of a result has an unknown version");
    ARB_TRY(arb_plan_decode(arena, arb_record_text(&reader), &(arb_plan_tables){.find = no_table}, &out->plan, error));
    size_t count = out->plan->column_count;
    arb_str *names = ARB_ARENA_ARRAY(arena, arb_str, count + 1);
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, count + 1);
    if (names == NULL || types == NULL)
        return arb_fail_memory(error, "a result", count * sizeof *types);
    for (size_t i = 0; i < count; i++) {
        names[i] = arb_str_copy(arena, arb_record_text(&reader));
        types[i] = out->plan->root->layout.slots[out->plan->columns[i]].type;
        if (names[i].data == NULL)
            return arb_fail_memory(error, "a result", count * sizeof *names);
    }
    out->names = names;
    out->types = types;
    return arb_record_end(&reader, "a result", error);
}
