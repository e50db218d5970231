/* value.h: one value of any type, outside of vectors: literals, parameters, settings, bounds. */
#ifndef ARB_COLUMNAR_VALUE_H
#define ARB_COLUMNAR_VALUE_H

#include "columnar/vector.h"

typedef struct arb_value arb_value;
/* By value; text and children are borrowed from the arena that the value was made in. */
struct arb_value {
    arb_type type;
    bool is_null;
    union {
        bool boolean;
        arb_int128 integer; /* whole numbers, decimals (times 10^scale), dates, times, timestamps in the type's units */
        double real;        /* REAL, DOUBLE */
        arb_str text;       /* VARCHAR, BLOB */
        arb_interval interval;
        struct {
            const arb_value *items; /* LIST: elements, STRUCT: fields, MAP: key, value, key, value, … */
            size_t count;
        } nested;
    };
};

ARB_INLINE arb_value arb_value_null(arb_type type)
{
    return (arb_value){.type = type, .is_null = true};
}

/* Equal type and value; NULLs are equal, NaN equals itself, -0 equals 0. */
bool arb_value_equal(const arb_value *a, const arb_value *b);
/* Not to be told apart by any function: also the sign of a zero and the parts of an interval agree. */
bool arb_value_same(const arb_value *a, const arb_value *b);
/* <0, 0, >0 for two values of one type that are not NULL and not nested; NaN is largest. */
int arb_value_compare(const arb_value *a, const arb_value *b);
/* The value of a row; text refers to the vector's memory. Nested values are made in the arena. */
ARB_NODISCARD arb_code arb_vector_get_value(const arb_vector *vector, arb_type type, size_t row, arb_arena *arena,
                                            arb_value *out_value, arb_error *error);
/* A CONSTANT vector over the storage, which has the vector's physical type; strings refer to the value's text. The
 * value must not be nested. */
arb_vector arb_vector_constant(const arb_vector_storage *storage, const arb_value *value);
/* As results show it and as a cast to VARCHAR gives it: "true", "1.50", "1998-12-01", "1 day 02:00:00", JSON for nested
 * values. NULL prints nothing. */
void arb_value_print(arb_text *out, const arb_value *value);

#endif
