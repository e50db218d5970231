/* concat.c: joining texts: ||, concat, concat_ws. Whatever is joined becomes text first. */
#include "expr/function_row.h"

static arb_code join(arb_call *call, size_t row, const arb_str *pieces, size_t count, arb_error *error)
{
    size_t size = 0, filled = 0;
    arb_str only = {"", 0};
    for (size_t i = 0; i < count; i++) {
        size += pieces[i].size;
        if (pieces[i].size == 0)
            continue;
        only = pieces[i];
        filled++;
    }
    if (filled <= 1) { /* nothing to copy */
        arb_call_put_text(call, row, only.data, only.size);
        return ARB_OK;
    }
    char inlined[ARB_STRING_INLINE], *room = inlined;
    if (size > sizeof inlined && (room = arb_call_text_room(call, size, error)) == NULL)
        return size > ARB_TEXT_MOST ? ARB_STRING_TOO_LONG : ARB_OUT_OF_MEMORY;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size != 0)
            memcpy(room + at, pieces[i].data, pieces[i].size);
        at += pieces[i].size;
    }
    arb_call_put_text(call, row, room, size);
    return ARB_OK;
}

static arb_code run_join_two(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str pieces[] = {arb_call_text(call, 0, row), arb_call_text(call, 1, row)};
        ARB_TRY(join(call, row, pieces, 2, error));
    }
    return ARB_OK;
}

static bool argument_is_null(const arb_call *call, size_t at, size_t row)
{
    const arb_vector *argument = call->arguments[at];
    return argument->validity != NULL && !arb_bitmap_get(argument->validity, arb_call_slot(argument, row));
}

/* NULLs count as nothing. */
static arb_code run_concat(arb_call *call, arb_error *error)
{
    size_t count = call->expr->child_count;
    arb_str pieces[ARB_ANY_ARITY];
    ARB_CALL_EACH(call, row)
    {
        for (size_t i = 0; i < count; i++)
            pieces[i] = argument_is_null(call, i, row) ? (arb_str){"", 0} : arb_call_text(call, i, row);
        ARB_TRY(join(call, row, pieces, count, error));
    }
    return ARB_OK;
}

/* A separator of NULL gives NULL; other NULLs are left out with their separator. */
static arb_code run_concat_separated(arb_call *call, arb_error *error)
{
    size_t count = call->expr->child_count;
    arb_str pieces[2 * ARB_ANY_ARITY];
    ARB_CALL_EACH(call, row)
    {
        size_t used = 0;
        if (argument_is_null(call, 0, row)) {
            arb_call_set_null(call, row);
            continue;
        }
        for (size_t i = 1; i < count; i++) {
            if (argument_is_null(call, i, row))
                continue;
            if (used != 0)
                pieces[used++] = arb_call_text(call, 0, row);
            pieces[used++] = arb_call_text(call, i, row);
        }
        ARB_TRY(join(call, row, pieces, used, error));
    }
    return ARB_OK;
}

static arb_code resolve_text(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                             arb_error *error)
{
    (void)function, (void)error;
    for (size_t i = 0; i < count; i++)
        arguments[i].type = ARB_TYPE(VARCHAR);
    *out_result = ARB_TYPE(VARCHAR);
    return ARB_OK;
}

/* One side must be text (or a literal without a type), so that 1 || 2 is not taken for a number. */
static arb_code resolve_join(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                             arb_error *error)
{
    arb_type a = arguments[0].type, b = arguments[1].type;
    bool text = a.id == ARB_TYPE_VARCHAR || b.id == ARB_TYPE_VARCHAR;
    if (!text && (a.id == ARB_TYPE_BLOB || b.id == ARB_TYPE_BLOB)) {
        *out_result = arguments[0].type = arguments[1].type = ARB_TYPE(BLOB);
        return arb_type_implicit(a, ARB_TYPE(BLOB)) && arb_type_implicit(b, ARB_TYPE(BLOB)) ? ARB_OK : ARB_NO_FIT;
    }
    if (!text && a.id != ARB_TYPE_NULL && b.id != ARB_TYPE_NULL)
        return ARB_NO_FIT;
    return resolve_text(function, arguments, count, out_result, error);
}

static const arb_scalar_implementation join_run = {.run = run_join_two};
static const arb_scalar_implementation concat_run = {.run = run_concat};
static const arb_scalar_implementation concat_separated_run = {.run = run_concat_separated};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW_BY("||", 2, 2, resolve_join, &join_run),
    ARB_SCALAR_ROW_BY("concat", 1, ARB_ANY_ARITY, resolve_text, &concat_run, .handles_null = true),
    ARB_SCALAR_ROW_BY("concat_ws", 2, ARB_ANY_ARITY, resolve_text, &concat_separated_run, .handles_null = true),
};
ARB_FUNCTION_TABLE(arb_functions_concat, rows);
