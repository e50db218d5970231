/* parquet_write_dictionary.h: the distinct values of a column in a row group, if they are few enough. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_WRITE_DICTIONARY_H
#define ARB_FORMATS_PARQUET_PARQUET_WRITE_DICTIONARY_H

#include "formats/parquet/parquet_write_column.h"

/* Reused from column to column. */
typedef struct arb_parquet_write_dictionary {
    arb_text codes;  /* uint32_t, one a value */
    arb_text firsts; /* uint32_t, one an entry: the first value that has it */
    arb_text table;
    uint32_t count; /* entries */
    uint64_t bytes; /* of the entries as a page would hold them */
} arb_parquet_write_dictionary;

/* False when a dictionary would not pay (or is impossible, as for booleans); it is given up early where that shows.
 * `bytes_most` limits the entries' bytes. */
ARB_NODISCARD arb_code arb_parquet_write_dictionary_build(arb_parquet_write_dictionary *dictionary,
                                                          const arb_parquet_write_column *column, uint64_t bytes_most,
                                                          bool *out_pays, arb_error *error);
void arb_parquet_write_dictionary_reset(arb_parquet_write_dictionary *dictionary);

ARB_INLINE uint32_t *arb_parquet_write_codes(const arb_parquet_write_dictionary *dictionary)
{
    return (uint32_t *)(void *)dictionary->codes.data;
}
ARB_INLINE const uint32_t *arb_parquet_write_firsts(const arb_parquet_write_dictionary *dictionary)
{
    return (const uint32_t *)(const void *)dictionary->firsts.data;
}

#endif
