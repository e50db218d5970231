/* sql_index.h: finding by its key one of the many things that a service has: users, sessions, statements.
 *
 * An entry lies in what it stands for. Keys are random or hashes, so that chains stay short; several things may have the same
 * one. The owner's lock guards it. */
#ifndef ARB_FLIGHT_SQL_SQL_INDEX_H
#define ARB_FLIGHT_SQL_SQL_INDEX_H

#include "base/compiler.h"

enum { ARB_SQL_INDEX_CHAINS = 1024 };

typedef struct arb_sql_entry {
    struct arb_sql_entry *next;
    uint64_t key;
    void *item;
} arb_sql_entry;

/* Zeroed: empty. */
typedef struct arb_sql_index {
    arb_sql_entry *chains[ARB_SQL_INDEX_CHAINS];
} arb_sql_index;

ARB_INLINE void arb_sql_index_put(arb_sql_index *index, arb_sql_entry *entry, uint64_t key, void *item)
{
    arb_sql_entry **chain = &index->chains[key % ARB_SQL_INDEX_CHAINS];
    *entry = (arb_sql_entry){*chain, key, item};
    *chain = entry;
}

ARB_INLINE void arb_sql_index_remove(arb_sql_index *index, const arb_sql_entry *entry)
{
    arb_sql_entry **at = &index->chains[entry->key % ARB_SQL_INDEX_CHAINS];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
}

/* The next one with the key, behind `after`, or the first one; NULL when there is none. */
ARB_INLINE const arb_sql_entry *arb_sql_index_next(const arb_sql_index *index, uint64_t key, const arb_sql_entry *after)
{
    const arb_sql_entry *entry = after != NULL ? after->next : index->chains[key % ARB_SQL_INDEX_CHAINS];
    while (entry != NULL && entry->key != key)
        entry = entry->next;
    return entry;
}

#endif
