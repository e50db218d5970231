/* function.h: the functions of SQL, as the binder and the optimizer see them.
 *
 * One registry for scalar functions, operators (named by their symbol: "+", "||") and aggregates. A function resolves
 * its argument types itself: given what the arguments are, it says what they must be cast to and what comes out. What
 * runs is named by the implementation structs in scalar.h and aggregate.h. */
#ifndef ARB_EXPR_FUNCTION_H
#define ARB_EXPR_FUNCTION_H

#include "expr/expr.h"

typedef enum arb_function_kind { ARB_FUNCTION_SCALAR, ARB_FUNCTION_AGGREGATE } arb_function_kind;

/* The values that an expression can have: integers, decimals, dates, times. */
typedef struct arb_range {
    bool known;
    arb_int128 low, high;
} arb_range;

/* What is known of an argument while types are resolved. An untyped literal ('…' or NULL without a cast) has type
 * ARB_TYPE_NULL here, so that it takes the type that the function picks; one still ARB_TYPE_NULL afterwards becomes
 * VARCHAR. */
typedef struct arb_argument {
    arb_type type;             /* in: what it is; out: what it shall be cast to */
    const arb_value *constant; /* its value when it is a literal, else NULL */
} arb_argument;

enum { ARB_ANY_ARITY = 255 };

typedef struct arb_scalar_implementation arb_scalar_implementation;       /* scalar.h */
typedef struct arb_aggregate_implementation arb_aggregate_implementation; /* aggregate.h */

/* Functions that the compiler of programs turns into arithmetic loops by itself, choosing widths from ranges: their
 * arguments and result are whole numbers, decimals, dates or floats. */
typedef enum arb_arithmetic {
    ARB_ARITHMETIC_NONE,
    ARB_ARITHMETIC_ADD,
    ARB_ARITHMETIC_SUBTRACT,
    ARB_ARITHMETIC_MULTIPLY,
    ARB_ARITHMETIC_DIVIDE, /* integers truncate; both arguments of one type */
    ARB_ARITHMETIC_MODULO,
    ARB_ARITHMETIC_NEGATE,
} arb_arithmetic;

/* Constant, lives as long as the process. A name may have several rows: overloads, tried in order. */
struct arb_function {
    const char *name;                /* lower case */
    uint8_t kind;                    /* arb_function_kind */
    uint8_t arity_least, arity_most; /* ARB_ANY_ARITY = no limit */
    uint8_t arithmetic;              /* arb_arithmetic */
    bool infallible;                 /* never fails once types are resolved; overflow counts as failing */
    bool is_volatile;                /* another result at each call: random() */
    bool handles_null;               /* sees NULLs; else any NULL argument gives NULL */
    /* ARB_UNDEFINED_FUNCTION or ARB_DATATYPE_MISMATCH when the types do not fit. */
    arb_code (*resolve)(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                        arb_error *error);
    /* The result's range from the arguments' ranges; NULL or known = false when nothing can be said. */
    arb_range (*range)(const arb_expr *call, const arb_range *arguments);
    const arb_scalar_implementation *scalar;       /* SCALAR */
    const arb_aggregate_implementation *aggregate; /* AGGREGATE */
};

/* Case-insensitive; NULL when there is none. Aliases ("mean" for "avg") find the same function. */
const arb_function *arb_function_find(arb_function_kind kind, arb_str name);
/* Choose the overload for the arguments and resolve it: fills arguments[].type with what each must be cast to, and the
 * function and the result's type. ARB_UNDEFINED_FUNCTION with a hint when the name or the types fit none. */
ARB_NODISCARD arb_code arb_function_bind(arb_function_kind kind, arb_str name, arb_argument *arguments, size_t count,
                                         const arb_function **out_function, arb_type *out_result, arb_error *error);
/* Every function by number, each overload of a name for itself; NULL behind the last. */
const arb_function *arb_function_at(size_t index);
/* Every second name by number; false behind the last. */
bool arb_function_alias_at(size_t index, arb_function_kind *out_kind, const char **out_alias, const char **out_name);
/* The name nearest to an unknown one, for a hint; empty when none is near. */
arb_str arb_function_nearest(arb_str name);

/* The type that two sides of a comparison, of UNION, of CASE branches … share; false when there is none. Untyped
 * (ARB_TYPE_NULL) takes the other's. Integers widen; integer with decimal: decimal; with float: double; date with
 * timestamp: timestamp. Text never becomes a number by itself. */
bool arb_type_common(arb_type a, arb_type b, arb_type *out_type);
/* May a value be converted without being asked (assignment, function arguments)? */
bool arb_type_implicit(arb_type from, arb_type to);
/* May it be converted by CAST at all? */
bool arb_type_castable(arb_type from, arb_type to);
/* decimal(its digits, 0) for integer types; for decimals itself. */
arb_type arb_type_as_decimal(arb_type type);

/* Convert one value: literals, parameters, SET. Fails as CAST fails, at `position` 0. Text goes to the arena. */
ARB_NODISCARD arb_code arb_value_cast(arb_arena *arena, const arb_value *value, arb_type type, arb_value *out_value,
                                      arb_error *error);
/* Evaluate an expression without columns. */
ARB_NODISCARD arb_code arb_expr_evaluate_constant(arb_arena *arena, const arb_expr *expr, arb_value *out_value,
                                                  arb_error *error);

#endif
