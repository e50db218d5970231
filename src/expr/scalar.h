/* scalar.h: how a scalar function or a cast runs on vectors.
 *
 * `run` fills the result for the rows that count: those in `selection` whose arguments are not NULL (all selected ones
 * when the function handles NULL). It may fill others too. ARB_CALL_EACH walks exactly those rows. Arguments are FLAT
 * or CONSTANT, of their types' full physical width. */
#ifndef ARB_EXPR_SCALAR_H
#define ARB_EXPR_SCALAR_H

#include "base/stop.h"
#include "expr/function.h"

typedef struct arb_call {
    const arb_expr *expr; /* the CALL or CAST: types of arguments and result, constants, position */
    void *state;          /* what `prepare` made for this thread, or NULL */
    arb_arena *arena;     /* bytes of results that live as long as the batch */
    const arb_vector *const *arguments;
    uint32_t rows;
    const uint64_t
        *selection;     /* rows to compute; never NULL, no bits behind `rows`; NULL arguments taken out already */
    arb_vector *result; /* FLAT with room; BOOL: bits to be written one by one or by word */
    uint64_t *result_validity; /* room for the result's validity: all ones; see arb_call_set_null */
    bool has_null;             /* set by arb_call_set_null */
    bool try_cast;             /* a CAST that gives NULL instead of failing */
    arb_stop_flag *stop;       /* looked at by functions that may take long for a row */
} arb_call;

struct arb_scalar_implementation {
    /* Work to do once: compile a regular expression that is constant, load a zone. NULL: none. Called for each thread. */
    arb_code (*prepare)(const arb_expr *expr, void **out_state, arb_error *error);
    void (*release)(void *state);
    arb_code (*run)(arb_call *call, arb_error *error);
};

/* The result of this row is NULL. */
ARB_INLINE void arb_call_set_null(arb_call *call, size_t row)
{
    arb_bitmap_clear(call->result_validity, row);
    call->has_null = true;
}

/* The slot of an argument's values that belongs to the row. */
ARB_INLINE size_t arb_call_slot(const arb_vector *argument, size_t row)
{
    return argument->encoding == ARB_CONSTANT ? 0 : row;
}

/* Walk the rows to compute: for (size_t row ...). */
#define ARB_CALL_EACH(call, row)                                                                                      \
    for (size_t row##_word = 0; row##_word < arb_bitmap_words((call)->rows); row##_word++)                            \
        for (uint64_t row##_left = (call)->selection[row##_word]; row##_left != 0; row##_left &= row##_left - 1)      \
            for (size_t row = row##_word * 64 + (size_t)__builtin_ctzll(row##_left), row##_once = 1; row##_once != 0; \
                 row##_once = 0)

ARB_INLINE arb_str arb_call_text(const arb_call *call, size_t argument, size_t row)
{
    const arb_vector *vector = call->arguments[argument];
    return arb_string_view(&vector->values.string[arb_call_slot(vector, row)]);
}

/* Store a text result; `bytes` must live as long as the batch (an argument's do, the call's arena does). */
ARB_INLINE void arb_call_put_text(arb_call *call, size_t row, const char *bytes, size_t size)
{
    call->result->values.string[row] = arb_string_of(bytes, size);
}

/* Fail at the place of the call in the SQL text. Usage: return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "…"). */
#define arb_call_fail(call, error, code, ...) \
    arb_error_at((error), arb_fail((error), (code), __VA_ARGS__), (call)->expr->position)

/* How `from` is cast to `to` where that is more than a change of width: to and from text, times, booleans, nested
 * types. NULL when program_compile.c does it by arithmetic, or when there is no such cast. */
const arb_scalar_implementation *arb_cast_implementation(arb_type from, arb_type to);

/* Between a nested type's vectors and packed values (columnar/nested_value.h). The expression need only have the type. */
extern const arb_scalar_implementation arb_pack_nested, arb_unpack_nested;

#endif
