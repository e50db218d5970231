/* vector.h: up to ARB_VECTOR_ROWS values of one column, and batches of such columns.
 *
 * This is what flows inside a pipeline. A batch is lent, never given: what a source or an operator hands downstream is
 * valid until it is asked for the next batch, and it may then refill the same memory. Whoever keeps values (a hash
 * table, a sort, a result) copies them, strings' bytes included. So nothing is counted or allocated per batch, and
 * buffers stay in the processor's cache.
 *
 * Encodings (what `values` holds):
 *   FLAT        one value a row
 *   CONSTANT    one value for all rows; validity, if any, has one bit
 *   DICTIONARY  a uint32_t code a row into `dictionary`, a FLAT vector that lives longer than this batch. Equal
 *               `dictionary_id`s mean the same entries, so results worked out per entry may be kept from batch to batch.
 *               A code of a NULL row is valid to look up (0 if nothing else). A dictionary may repeat values.
 *
 * Every value of a row that is not selected, or is NULL, is still safe to read: numbers hold anything, strings are
 * empty or valid. So kernels may work on all rows without looking at the selection, and look only at errors' rows. */
#ifndef ARB_COLUMNAR_VECTOR_H
#define ARB_COLUMNAR_VECTOR_H

#include "base/bitmap.h"
#include "columnar/type.h"

enum {
    ARB_VECTOR_ROWS = 2048,                  /* most rows of a batch inside a pipeline */
    ARB_VECTOR_WORDS = ARB_VECTOR_ROWS / 64, /* of a bitmap over them */
    ARB_VECTOR_PADDING = 64                  /* bytes that may be read (not used) behind a vector's values */
};

typedef enum arb_encoding { ARB_FLAT, ARB_CONSTANT, ARB_DICTIONARY } arb_encoding;

typedef struct arb_vector arb_vector;
struct arb_vector {
    uint8_t physical; /* arb_physical */
    uint8_t encoding; /* arb_encoding */
    union {           /* lent; by `physical` when FLAT or CONSTANT, codes when DICTIONARY */
        void *data;
        uint64_t *bits;
        int8_t *i8;
        int16_t *i16;
        int32_t *i32;
        int64_t *i64;
        arb_int128 *i128;
        float *f32;
        double *f64;
        arb_string *string;
        arb_interval *interval;
        arb_list *list;
        uint32_t *codes;
    } values;
    uint64_t *validity; /* 1 = not NULL; NULL = no NULLs. One bit when CONSTANT. Of the rows, not of the entries. */
    const arb_vector *dictionary; /* DICTIONARY: the entries (FLAT, without NULLs), else NULL */
    uint32_t dictionary_size;     /* entries */
    uint64_t dictionary_id;       /* not 0; unique in the process */
    arb_vector *children;         /* LIST: 1 (elements), STRUCT: one a field, each as long as this; else NULL */
    uint32_t child_rows; /* LIST: elements that the child holds; STRUCT: how many children (fields) there are */
};

typedef struct arb_batch {
    uint32_t rows;             /* that the vectors hold, selected or not */
    uint32_t selected;         /* that count */
    const uint64_t *selection; /* 1 = counts; NULL = all count (then selected == rows). No bits behind `rows`. */
    uint32_t column_count;
    arb_vector *columns; /* lent, as is all that they point to */
    uint64_t sequence;   /* place in the source's order: (split << 32) + number within it */
} arb_batch;

/* A new process-wide dictionary id. */
uint64_t arb_dictionary_id_next(void);

ARB_INLINE bool arb_vector_is_valid(const arb_vector *vector, size_t row)
{
    if (vector->validity == NULL)
        return true;
    return arb_bitmap_get(vector->validity, vector->encoding == ARB_CONSTANT ? 0 : row);
}

/* The index into the FLAT values (the vector's, or its dictionary's) that holds the row's value. */
ARB_INLINE size_t arb_vector_slot(const arb_vector *vector, size_t row)
{
    return vector->encoding == ARB_FLAT ? row : vector->encoding == ARB_CONSTANT ? 0 : vector->values.codes[row];
}

ARB_INLINE const arb_vector *arb_vector_entries(const arb_vector *vector)
{
    return vector->encoding == ARB_DICTIONARY ? vector->dictionary : vector;
}

/* One value that can be read without regard to encoding; for places that are not hot. The row must be valid (not NULL). */
bool arb_vector_get_bool(const arb_vector *vector, size_t row);
arb_int128 arb_vector_get_integer(const arb_vector *vector, size_t row); /* INT8 to INT128 */
double arb_vector_get_double(const arb_vector *vector, size_t row);      /* FLOAT32, FLOAT64 */
arb_str arb_vector_get_text(const arb_vector *vector, size_t row);       /* valid as long as the vector */

/* Memory for one vector of ARB_VECTOR_ROWS flat values with validity, reused batch after batch. */
typedef struct arb_vector_storage {
    arb_physical physical;
    void *values;       /* ARB_VECTOR_ROWS values, 64-byte aligned and padded */
    uint64_t *validity; /* ARB_VECTOR_WORDS words */
} arb_vector_storage;

/* Caller's memory; reset on a zeroed one is a no-op. `rows` is at least the most rows ever stored. */
ARB_NODISCARD arb_code arb_vector_storage_init(arb_vector_storage *storage, arb_physical physical, size_t rows,
                                               arb_error *error);
void arb_vector_storage_reset(arb_vector_storage *storage);
/* Bytes that a storage for so many rows takes. */
size_t arb_vector_storage_bytes(arb_physical physical, size_t rows);
/* A FLAT vector over the storage, without validity; valid until the storage is reset. */
ARB_INLINE arb_vector arb_vector_over(const arb_vector_storage *storage)
{
    return (arb_vector){.physical = (uint8_t)storage->physical, .encoding = ARB_FLAT, .values = {storage->values}};
}

#endif
