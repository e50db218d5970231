/* like_functions.c: LIKE, ILIKE and their kin over whole texts: like(text, pattern[, escape]), starts_with, ends_with, contains. */
#include "base/alloc.h"
#include "expr/function_row.h"
#include "kernels/like.h"
#include "kernels/text_find.h"
#include "kernels/utf8_step.h"

/* A pattern that is constant is compiled once; others when they differ from the row before. */
typedef struct like_state {
    arb_arena arena;
    arb_like like;
    arb_text pattern; /* of `like`, when it was compiled for a row */
    arb_text folded;
    bool constant, compiled;
} like_state;

static void release_like(void *state)
{
    like_state *own = state;
    arb_arena_reset(&own->arena);
    arb_text_reset(&own->pattern);
    arb_text_reset(&own->folded);
    arb_free(own);
}

/* One character, or none for the empty text. */
static arb_code read_escape(arb_str text, uint32_t *out_escape, arb_error *error)
{
    *out_escape = 0;
    if (text.size == 0)
        return ARB_OK;
    const char *end = text.data + text.size;
    if (arb_utf8_next(text.data, end) != end) {
        arb_fail(error, ARB_INVALID_ESCAPE, "the escape of LIKE must be one character");
        return ARB_INVALID_ESCAPE;
    }
    *out_escape = arb_utf8_get(text.data, end);
    return ARB_OK;
}

static arb_code compile_constant(like_state *own, const arb_expr *expr, bool ignore_case, arb_error *error)
{
    const arb_value *pattern = arb_constant_argument(expr, 1), *escape = arb_constant_argument(expr, 2);
    if (pattern == NULL || (expr->child_count == 3 && escape == NULL))
        return ARB_OK;
    uint32_t character = '\\';
    if (escape != NULL)
        ARB_TRY(read_escape(escape->text, &character, error));
    ARB_TRY(arb_like_compile(&own->arena, pattern->text, character, ignore_case, &own->like, error));
    own->constant = own->compiled = true;
    return ARB_OK;
}

static arb_code prepare(const arb_expr *expr, bool ignore_case, void **out_state, arb_error *error)
{
    like_state *own = arb_alloc_zeroed(sizeof *own);
    if (own == NULL)
        return arb_fail_memory(error, "a pattern", sizeof *own);
    own->like.ignore_case = ignore_case;
    arb_code code = compile_constant(own, expr, ignore_case, error);
    if (code != ARB_OK) {
        release_like(own);
        return arb_error_at(error, code, expr->position);
    }
    *out_state = own;
    return ARB_OK;
}

static arb_code prepare_like(const arb_expr *expr, void **out_state, arb_error *error)
{
    return prepare(expr, false, out_state, error);
}

static arb_code prepare_ilike(const arb_expr *expr, void **out_state, arb_error *error)
{
    return prepare(expr, true, out_state, error);
}

static arb_code compile_row(arb_call *call, like_state *own, size_t row, arb_error *error)
{
    arb_str pattern = arb_call_text(call, 1, row);
    uint32_t escape = '\\';
    bool own_escape = call->expr->child_count == 3;
    if (own_escape)
        ARB_TRY(arb_error_at(error, read_escape(arb_call_text(call, 2, row), &escape, error), call->expr->position));
    if (own->compiled && !own_escape && arb_str_equal(arb_text_view(&own->pattern), pattern))
        return ARB_OK;
    own->compiled = false;
    arb_arena_rewind(&own->arena);
    arb_text_clear(&own->pattern);
    arb_text_append_str(&own->pattern, pattern);
    ARB_TRY(arb_text_check(&own->pattern, error));
    ARB_TRY(arb_like_compile(&own->arena, pattern, escape, own->like.ignore_case, &own->like, error));
    own->compiled = true;
    return ARB_OK;
}

static arb_code match_row(arb_call *call, like_state *own, size_t row, arb_error *error)
{
    if (!own->constant)
        ARB_TRY(compile_row(call, own, row, error));
    arb_str text = arb_call_text(call, 0, row);
    if (own->like.ignore_case) {
        arb_text_clear(&own->folded);
        char *room = arb_text_room(&own->folded, text.size * 4 + 1);
        if (room == NULL)
            return arb_fail_memory(error, "a text", text.size);
        text = (arb_str){room, arb_text_lower(text, room)};
    }
    arb_bitmap_put(call->result->values.bits, row, arb_like_matches(&own->like, text));
    return ARB_OK;
}

static arb_code run_like(arb_call *call, arb_error *error)
{
    like_state *own = call->state;
    if (own->constant && !own->like.ignore_case && call->arguments[0]->encoding == ARB_FLAT) {
        arb_like_match_rows(&own->like, call->arguments[0]->values.string, call->rows, call->selection,
                            call->result->values.bits);
        return ARB_OK;
    }
    ARB_CALL_EACH(call, row)
    ARB_TRY(match_row(call, own, row, error));
    return ARB_OK;
}

static arb_code run_starts_with(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    arb_bitmap_put(call->result->values.bits, row,
                   arb_str_starts_with(arb_call_text(call, 0, row), arb_call_text(call, 1, row)));
    return ARB_OK;
}

static arb_code run_ends_with(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    arb_bitmap_put(call->result->values.bits, row,
                   arb_str_ends_with(arb_call_text(call, 0, row), arb_call_text(call, 1, row)));
    return ARB_OK;
}

static arb_code run_contains(arb_call *call, arb_error *error)
{
    (void)error;
    const arb_find_kernels *kernels = arb_find_kernels_get();
    if (call->arguments[0]->encoding == ARB_FLAT && call->arguments[1]->encoding == ARB_CONSTANT) {
        arb_str needle = arb_string_view(call->arguments[1]->values.string);
        kernels->contains(call->arguments[0]->values.string, call->rows, call->selection, needle.data, needle.size,
                          call->result->values.bits);
        return ARB_OK;
    }
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row), needle = arb_call_text(call, 1, row);
        arb_bitmap_put(call->result->values.bits, row,
                       kernels->find(text.data, text.size, needle.data, needle.size) != NULL);
    }
    return ARB_OK;
}

static const arb_scalar_implementation like_run = {.prepare = prepare_like, .release = release_like, .run = run_like};
static const arb_scalar_implementation ilike_run = {.prepare = prepare_ilike, .release = release_like, .run = run_like};
static const arb_scalar_implementation starts_with_run = {.run = run_starts_with};
static const arb_scalar_implementation ends_with_run = {.run = run_ends_with};
static const arb_scalar_implementation contains_run = {.run = run_contains};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("like", 2, 2, "tt>b", &like_run, .infallible = true),
    ARB_SCALAR_ROW("like", 3, 3, "ttt>b", &like_run),
    ARB_SCALAR_ROW("ilike", 2, 2, "tt>b", &ilike_run, .infallible = true),
    ARB_SCALAR_ROW("ilike", 3, 3, "ttt>b", &ilike_run),
    ARB_SCALAR_ROW("starts_with", 2, 2, "tt>b", &starts_with_run, .infallible = true),
    ARB_SCALAR_ROW("ends_with", 2, 2, "tt>b", &ends_with_run, .infallible = true),
    ARB_SCALAR_ROW("contains", 2, 2, "tt>b", &contains_run, .infallible = true),
};
ARB_FUNCTION_TABLE(arb_functions_like, rows);
