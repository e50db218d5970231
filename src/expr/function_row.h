/* function_row.h: the tables that the registry is made of. For src/expr only.
 *
 * Each topic (functions/text.c, aggregates/sum.c, …) gives one table. Most functions have fixed types and say them as a
 * signature, "tii>t": a letter for each argument and the result. The last argument's letter repeats for those behind
 * it. Others bring a resolve function of their own. */
#ifndef ARB_EXPR_FUNCTION_ROW_H
#define ARB_EXPR_FUNCTION_ROW_H

#include "expr/aggregate.h"
#include "expr/scalar.h"

/* X(letter, type) */
#define ARB_SIGNATURE_TYPES(X)                                                    \
    X('b', BOOLEAN)                                                               \
    X('s', SMALLINT)                                                              \
    X('i', INTEGER)                                                               \
    X('l', BIGINT)                                                                \
    X('r', REAL)                                                                  \
    X('d', DOUBLE)                                                                \
    X('t', VARCHAR)                                                               \
    X('x', BLOB)                                                                  \
    X('D', DATE)                                                                  \
    X('m', TIME)                                                                  \
    X('T', TIMESTAMP)   /* micro- or nanoseconds as given; all of them and the */ \
    X('Z', TIMESTAMPTZ) /* result in nanoseconds when one argument is in them */  \
    X('v', INTERVAL)

typedef struct arb_function_row {
    arb_function function;
    const char *signature; /* of arb_resolve_signature */
} arb_function_row;

typedef struct arb_function_table {
    const arb_function_row *rows;
    size_t count;
} arb_function_table;

arb_code arb_resolve_signature(const arb_function *function, arb_argument *arguments, size_t count,
                               arb_type *out_result, arb_error *error);

/* A scalar function by signature; further members of arb_function may follow. */
#define ARB_SCALAR_ROW(name_, least, most, signature_, implementation, ...) \
    {                                                                       \
        .function = {.name = (name_),                                       \
                     .kind = ARB_FUNCTION_SCALAR,                           \
                     .arity_least = (least),                                \
                     .arity_most = (most),                                  \
                     .resolve = arb_resolve_signature,                      \
                     .scalar = (implementation),                            \
                     __VA_ARGS__},                                          \
        .signature = (signature_)                                           \
    }
/* One that resolves its types itself. */
#define ARB_SCALAR_ROW_BY(name_, least, most, resolve_, implementation, ...) \
    {                                                                        \
        .function = {                                                        \
            .name = (name_),                                                 \
            .kind = ARB_FUNCTION_SCALAR,                                     \
            .arity_least = (least),                                          \
            .arity_most = (most),                                            \
            .resolve = (resolve_),                                           \
            .scalar = (implementation),                                      \
            __VA_ARGS__                                                      \
        }                                                                    \
    }
#define ARB_AGGREGATE_ROW(name_, least, most, resolve_, implementation) \
    {                                                                   \
        .function = {                                                   \
            .name = (name_),                                            \
            .kind = ARB_FUNCTION_AGGREGATE,                             \
            .arity_least = (least),                                     \
            .arity_most = (most),                                       \
            .handles_null = true,                                       \
            .resolve = (resolve_),                                      \
            .aggregate = (implementation),                              \
        }                                                               \
    }
#define ARB_FUNCTION_TABLE(name, rows) const arb_function_table name = {rows, ARB_COUNT_OF(rows)}

/* "The types do not fit this overload": bind tries the next one and words the message itself. */
#define ARB_NO_FIT ARB_DATATYPE_MISMATCH

/* A range known from the start. */
#define ARB_DEFINE_RANGE(name, least, most)                                 \
    static arb_range name(const arb_expr *call, const arb_range *arguments) \
    {                                                                       \
        (void)call, (void)arguments;                                        \
        return (arb_range){true, (least), (most)};                          \
    }

/* The value of an argument that is a constant and not NULL, else NULL. */
ARB_INLINE const arb_value *arb_constant_argument(const arb_expr *call, size_t at)
{
    if (at >= call->child_count || call->children[at]->kind != ARB_EXPR_CONSTANT || call->children[at]->value.is_null)
        return NULL;
    return &call->children[at]->value;
}

/* The value of a row in argument `at`: ARB_CALL_GET(call, 0, i64, row). */
#define ARB_CALL_GET(call, at, member, row) \
    ((call)->arguments[at]->values.member[arb_call_slot((call)->arguments[at], (row))])

enum { ARB_TEXT_MOST = 1 << 30 }; /* bytes of a text that a function makes */

/* Room for a text result; NULL with the error filled when it is too long or there is no memory. */
char *arb_call_text_room(arb_call *call, size_t size, arb_error *error);
/* The same for ARB_TRY: `error` may be NULL, so it cannot be asked what went wrong. */
ARB_NODISCARD ARB_INLINE arb_code arb_call_make_text(arb_call *call, size_t size, char **out_room, arb_error *error)
{
    *out_room = arb_call_text_room(call, size, error);
    if (ARB_LIKELY(*out_room != NULL))
        return ARB_OK;
    return size > ARB_TEXT_MOST ? ARB_STRING_TOO_LONG : ARB_OUT_OF_MEMORY;
}

ARB_INLINE bool arb_call_is_null(const arb_call *call, size_t argument, size_t row)
{
    const arb_vector *vector = call->arguments[argument];
    return vector->validity != NULL && !arb_bitmap_get(vector->validity, arb_call_slot(vector, row));
}

extern const arb_function_table arb_functions_arithmetic;
extern const arb_function_table arb_functions_interval;
extern const arb_function_table arb_functions_concat;
extern const arb_function_table arb_functions_like;
extern const arb_function_table arb_functions_text_measure;
extern const arb_function_table arb_functions_text_case;
extern const arb_function_table arb_functions_text_trim;
extern const arb_function_table arb_functions_text_replace;
extern const arb_function_table arb_functions_text_code;
extern const arb_function_table arb_functions_text_format;
extern const arb_function_table arb_functions_regex;
extern const arb_function_table arb_functions_substring;
extern const arb_function_table arb_functions_date_part;
extern const arb_function_table arb_functions_date_trunc;
extern const arb_function_table arb_functions_number_round;
extern const arb_function_table arb_functions_number_real;
extern const arb_function_table arb_functions_number_whole;
extern const arb_function_table arb_functions_greatest_least;
extern const arb_function_table arb_functions_random;
extern const arb_function_table arb_functions_time_make;
extern const arb_function_table arb_functions_time_between;
extern const arb_function_table arb_functions_time_at_zone;
extern const arb_function_table arb_functions_time_format;
extern const arb_function_table arb_functions_number_format;
extern const arb_function_table arb_aggregates_count;
extern const arb_function_table arb_aggregates_sum;
extern const arb_function_table arb_aggregates_extreme;
extern const arb_function_table arb_aggregates_pick;
extern const arb_function_table arb_aggregates_moments;
extern const arb_function_table arb_aggregates_text_join;
extern const arb_function_table arb_aggregates_quantile;
extern const arb_function_table arb_aggregates_bits;
extern const arb_function_table arb_aggregates_value_at_extreme;
extern const arb_function_table arb_aggregates_distinct_estimate;
extern const arb_function_table arb_aggregates_interval_sum;

#endif
