/* slt_values.h: the values of a result as sqllogictest sees them, and the comparison with those that a file expects. */
#ifndef ARB_TEST_SLT_VALUES_H
#define ARB_TEST_SLT_VALUES_H

#include "base/vec.h"
#include "engine/statement_host.h"

typedef enum slt_sort { SLT_NOSORT, SLT_ROWSORT, SLT_VALUESORT } slt_sort;

/* Row after row; texts live in the arena. NULL is "NULL", the empty text "(empty)". */
typedef struct slt_values {
    size_t columns;
    const arb_type *types; /* of the result; gone with it */
    ARB_VEC(arb_str) items;
} slt_values;

/* Read a result to its end. */
ARB_NODISCARD arb_code slt_values_read(arb_arena *arena, arb_hosted_result *result, slt_values *out, arb_error *error);
void slt_values_sort(slt_values *values, slt_sort sort);
/* Compare with the lines behind `----`: "N values hashing to …", one value a line, or one row a line with tabs. On a
 * difference, says so in `out`. */
bool slt_values_match(arb_arena *arena, slt_values *values, arb_str letters, slt_sort sort, const arb_str *lines,
                      size_t line_count, arb_text *out);
/* The digest of all values. */
void slt_values_hash(const slt_values *values, char out_hex[33]);

#endif
