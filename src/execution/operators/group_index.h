/* group_index.h: a shortcut to groups whose keys can have few values: an array instead of hashing and comparing.
 *
 * Each key becomes a small number: an integer of a narrow range its distance from the lowest, a truth value 1 or 2, a text
 * that comes as a code the number that its text was given when first met, and NULL 0. The numbers, as digits of a mixed
 * radix, are the place of the group's row. The array is a cache in front of the group table, which still makes the rows:
 * a batch that it cannot serve takes the long way, and nothing is lost. One object a driver. */
#ifndef ARB_EXECUTION_OPERATORS_GROUP_INDEX_H
#define ARB_EXECUTION_OPERATORS_GROUP_INDEX_H

#include "execution/operators/key_columns.h"
#include "expr/layout.h"

typedef struct arb_group_digit {
    uint8_t kind;
    int64_t low;
    uint32_t values; /* NULL included */
    uint32_t stride;
    uint64_t dictionary_id; /* TEXT: whose codes `numbers` is about */
    uint32_t *numbers;      /* by code; UINT32_MAX = not met yet */
    uint32_t capacity;
    arb_string *texts; /* by number, from 1 */
    uint32_t *buckets; /* open addressing: numbers of texts by hash */
    uint32_t bucket_count, count;
} arb_group_digit;

typedef struct arb_group_index {
    bool on;
    size_t key_count;
    arb_group_digit *digits;
    char **slots;
    uint32_t slot_count;
    arb_arena arena; /* texts */
    uint32_t places[ARB_VECTOR_ROWS];
} arb_group_index;

/* `on` stays false when the keys are not such. Caller's memory; reset on a zeroed one is a no-op. */
ARB_NODISCARD arb_code arb_group_index_init(arb_group_index *index, const arb_layout *child, const uint32_t *groups,
                                            size_t count, arb_error *error);
void arb_group_index_reset(arb_group_index *index);
/* The groups' rows are gone; numbers of texts stay. */
void arb_group_index_forget(arb_group_index *index);
/* The groups of the given rows: out_rows[row]. Rows whose group is not known yet go to `out_missing`. False when this
 * batch must take the long way as a whole. */
bool arb_group_index_find(arb_group_index *index, const arb_key_columns *keys, const uint16_t *rows, size_t count,
                          char **out_rows, uint16_t *out_missing, size_t *out_missing_count);
/* Remember the groups of the missing rows, found meanwhile. `rows` and `count` as given to find. */
void arb_group_index_learn(arb_group_index *index, const uint16_t *rows, size_t count, char *const *found);

#endif
