/* arrow_rows.h: small tables made cell by cell, with the Arrow types that the protocol asks for. */
#ifndef ARB_FLIGHT_SQL_ARROW_ROWS_H
#define ARB_FLIGHT_SQL_ARROW_ROWS_H

#include "columnar/arrow_array.h"

typedef struct arb_rows_column {
    const char *name;    /* static, as the whole column */
    arb_arrow_kind kind; /* UTF8, BINARY, BOOL, an integer's, or LIST: of texts */
    bool nullable;
} arb_rows_column;

/* Make a field in the schema's arena. A LIST's element has the kind `element`, and is not NULL. */
ARB_NODISCARD arb_code arb_rows_field(arb_arrow_schema *schema, const char *name, arb_arrow_kind kind, bool nullable,
                                      arb_arrow_kind element, arb_arrow_field *out_field, arb_error *error);
/* Columns as a schema; one reference for the caller. */
ARB_NODISCARD arb_code arb_rows_schema(const arb_rows_column *columns, uint32_t count, arb_arrow_schema **out_schema,
                                       arb_error *error);

typedef struct arb_rows arb_rows;

/* Takes a count of the schema. */
ARB_NODISCARD arb_code arb_rows_create(arb_arrow_schema *schema, arb_rows **out_rows, arb_error *error);
void arb_rows_destroy(arb_rows *rows); /* NULL is a no-op */
/* The next cell of the row; a row is over with its last column. Data NULL is NULL. A failure is kept until the end. */
void arb_rows_text(arb_rows *rows, arb_str text);
void arb_rows_number(arb_rows *rows, int64_t number); /* integers and BOOL */
void arb_rows_null(arb_rows *rows);
void arb_rows_list(arb_rows *rows, const arb_str *texts, size_t count);
ARB_INLINE void arb_rows_name(arb_rows *rows, const char *nul_terminated)
{
    arb_rows_text(rows, nul_terminated != NULL ? (arb_str){nul_terminated, strlen(nul_terminated)} : (arb_str){0});
}
/* All rows as an array; the first failure so far. */
ARB_NODISCARD arb_code arb_rows_finish(arb_rows *rows, arb_arrow_array **out_array, arb_error *error);

#endif
