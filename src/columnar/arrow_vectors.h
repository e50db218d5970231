/* arrow_vectors.h: between Arrow arrays and the engine's vectors.
 *
 *     scan     Arrow array → batches of at most ARB_VECTOR_ROWS rows. What has no type inside is converted (uint32 to
 *              BIGINT, uint64 to DECIMAL(20,0), float16 to REAL, seconds and milliseconds to microseconds, durations to
 *              INTERVAL, list views and fixed-size lists to LIST, runs are written out) or refused by name (decimal256,
 *              unions, negative scales). Strings are not copied: they refer to the array.
 *     build    batches → Arrow arrays: the direct counterpart of each SQL type; decimals become decimal128.
 *
 * Values that SQL types cannot hold (a time of 25 hours, a decimal with more digits than its type) are errors here. */
#ifndef ARB_COLUMNAR_ARROW_VECTORS_H
#define ARB_COLUMNAR_ARROW_VECTORS_H

#include "columnar/arrow_array.h"
#include "columnar/vector.h"

/* The SQL type that a field is read as; nested types are made in the arena. ARB_NOT_SUPPORTED names the field. */
ARB_NODISCARD arb_code arb_arrow_field_to_type(const arb_arrow_field *field, arb_arena *arena, arb_type *out_type,
                                               arb_error *error);

typedef enum arb_arrow_text_form { ARB_ARROW_TEXT_OFFSETS, ARB_ARROW_TEXT_VIEWS } arb_arrow_text_form;

/* The schema that columns of these types are written with: utf8 and binary, or utf8_view and binary_view. Fields are
 * nullable. One reference for the caller. */
ARB_NODISCARD arb_code arb_arrow_schema_from_types(const arb_str *names, const arb_type *types, size_t count,
                                                   arb_arrow_text_form text, arb_arrow_schema **out_schema,
                                                   arb_error *error);

/* ---- scan ---- */

typedef struct arb_arrow_scan arb_arrow_scan;

/* Reads `count` of the schema's columns (positions in `columns`; NULL = the first `count`). With `keep_dictionaries`
 * encoded columns of scalar types come as DICTIONARY vectors, else FLAT. Takes a count of the schema. One thread at a
 * time. */
ARB_NODISCARD arb_code arb_arrow_scan_create(const arb_arrow_schema *schema, const uint32_t *columns, uint32_t count,
                                             bool keep_dictionaries, arb_arrow_scan **out_scan, arb_error *error);
void arb_arrow_scan_destroy(arb_arrow_scan *scan); /* NULL is a no-op */
/* Start on an array of the schema's type; the one before is let go. */
ARB_NODISCARD arb_code arb_arrow_scan_begin(arb_arrow_scan *scan, const arb_arrow_array *array, arb_error *error);
/* The next rows, all selected, lent until the next call; *out_batch is NULL at the array's end. */
ARB_NODISCARD arb_code arb_arrow_scan_next(arb_arrow_scan *scan, const arb_batch **out_batch, arb_error *error);
/* The type of a column of the batches; lent. */
arb_type arb_arrow_scan_type(const arb_arrow_scan *scan, uint32_t column);

/* ---- build ---- */

typedef struct arb_arrow_builder arb_arrow_builder;

/* Columns of `types` into arrays of a schema that arb_arrow_schema_from_types made of them. Takes a count of the
 * schema; nested types are copied. */
ARB_NODISCARD arb_code arb_arrow_builder_create(const arb_arrow_schema *schema, const arb_type *types, uint32_t count,
                                                arb_arrow_builder **out_builder, arb_error *error);
void arb_arrow_builder_destroy(arb_arrow_builder *builder); /* NULL is a no-op */
/* Copy the selected rows of a batch, whose vectors may be narrower than their types. ARB_LIMIT_EXCEEDED when a column
 * would have more than 2 GiB of text: finish arrays before that (see arb_arrow_builder_bytes). After a failure only
 * destroy. */
ARB_NODISCARD arb_code arb_arrow_builder_append(arb_arrow_builder *builder, const arb_batch *batch, arb_error *error);
int64_t arb_arrow_builder_rows(const arb_arrow_builder *builder);
/* Of the largest column. */
uint64_t arb_arrow_builder_bytes(const arb_arrow_builder *builder);
/* The rows so far as an array (one count for the caller); the builder is empty and usable. */
ARB_NODISCARD arb_code arb_arrow_builder_finish(arb_arrow_builder *builder, arb_arrow_array **out_array,
                                                arb_error *error);

#endif
