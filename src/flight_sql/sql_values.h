/* sql_values.h: the values bound to a prepared statement, a row at a time.
 *
 * They came as Arrow batches of any size; what they become is held for one row alone. */
#ifndef ARB_FLIGHT_SQL_SQL_VALUES_H
#define ARB_FLIGHT_SQL_SQL_VALUES_H

#include "columnar/value.h"

struct Arbalest__Sql__PreparedStatement;

typedef struct arb_sql_values arb_sql_values;

/* The statement outlives it; NULL: there are no values. ARB_INVALID_PARAMETER for bytes that are none. */
ARB_NODISCARD arb_code arb_sql_values_open(const struct Arbalest__Sql__PreparedStatement *prepared,
                                           arb_sql_values **out_values, arb_error *error);
void arb_sql_values_close(arb_sql_values *values); /* NULL is a no-op */
/* Of a row; 0 when there are no values. */
size_t arb_sql_values_count(const arb_sql_values *values);
/* The next row, lent until the next call; NULL at the end. Not when a row has no values. */
ARB_NODISCARD arb_code arb_sql_values_next(arb_sql_values *values, const arb_value **out_row, arb_error *error);

#endif
