/* cast_value.c: the choice of a cast, and single values and expressions worked out at planning. */
#include "expr/cast_internal.h"
#include "expr/program.h"

const arb_scalar_implementation *arb_cast_implementation(arb_type from, arb_type to)
{
    const arb_scalar_implementation *found = arb_cast_to_text(from, to);
    if (found == NULL)
        found = arb_cast_from_text(from, to);
    if (found == NULL)
        found = arb_cast_numbers(from, to);
    return found != NULL ? found : arb_cast_times(from, to);
}

/* A copy whose text and items are the arena's. */
static arb_code copy_value(arb_arena *arena, const arb_value *value, arb_value *out_value, arb_error *error)
{
    *out_value = *value;
    if (value->is_null)
        return ARB_OK;
    if (arb_type_is_text(value->type)) {
        out_value->text = arb_str_copy(arena, value->text);
        return out_value->text.data != NULL ? ARB_OK : arb_fail_memory(error, "a value", value->text.size);
    }
    if (!arb_type_is_nested(value->type))
        return ARB_OK;
    arb_value *items = ARB_ARENA_ARRAY(arena, arb_value, value->nested.count + 1);
    if (items == NULL)
        return arb_fail_memory(error, "a value", value->nested.count * sizeof *items);
    out_value->nested.items = items;
    for (size_t i = 0; i < value->nested.count; i++)
        ARB_TRY(copy_value(arena, &value->nested.items[i], &items[i], error));
    return ARB_OK;
}

arb_code arb_expr_evaluate_constant(arb_arena *arena, const arb_expr *expr, arb_value *out_value, arb_error *error)
{
    if (expr->kind == ARB_EXPR_CONSTANT)
        return copy_value(arena, &expr->value, out_value, error);
    static const arb_layout no_columns = {0};
    arb_arena scratch = {0};
    const arb_program *program;
    arb_program_state *state = NULL;
    const arb_vector *result;
    arb_value value;
    arb_code code;
    ARB_TRY_GOTO(code, arb_program_compile(&scratch, &no_columns, &expr, 1, &program, error), done);
    ARB_TRY_GOTO(code, arb_program_state_create(program, &state, error), done);
    ARB_TRY_GOTO(code, arb_program_run(state, NULL, 1, NULL, &result, error), done);
    ARB_TRY_GOTO(code, arb_vector_get_value(result, expr->type, 0, &scratch, &value, error), done);
    code = copy_value(arena, &value, out_value, error);
done:
    arb_program_state_destroy(state);
    arb_arena_reset(&scratch);
    return code;
}

arb_code arb_value_cast(arb_arena *arena, const arb_value *value, arb_type type, arb_value *out_value, arb_error *error)
{
    if (value->is_null) {
        *out_value = arb_value_null(type);
        return ARB_OK;
    }
    if (arb_type_equal(value->type, type))
        return copy_value(arena, value, out_value, error);
    if (!arb_type_castable(value->type, type)) {
        arb_text text = {0};
        arb_type_print(&text, value->type);
        arb_text_append_str(&text, ARB_STR(" to "));
        arb_type_print(&text, type);
        arb_fail(error, ARB_CANNOT_COERCE, "cannot cast %.*s", ARB_STR_ARGS(arb_text_view(&text)));
        arb_text_reset(&text);
        return ARB_CANNOT_COERCE;
    }
    if (arb_type_is_nested(value->type)) { /* to text: there are no vectors of one nested value */
        arb_text text = {0};
        arb_value_print(&text, value);
        arb_code code = arb_text_check(&text, error);
        arb_value printed = {.type = ARB_TYPE(VARCHAR), .text = arb_text_view(&text)};
        if (code == ARB_OK)
            code = copy_value(arena, &printed, out_value, error);
        arb_text_reset(&text);
        return code;
    }
    arb_expr constant = {.kind = ARB_EXPR_CONSTANT, .type = value->type, .value = *value};
    const arb_expr *child = &constant;
    arb_expr cast = {.kind = ARB_EXPR_CAST, .type = type, .child_count = 1, .children = &child};
    return arb_expr_evaluate_constant(arena, &cast, out_value, error);
}
