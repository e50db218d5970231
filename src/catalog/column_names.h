/* column_names.h: a table's columns by name, which is compared as identifiers are, found in the same time however many. */
#ifndef ARB_CATALOG_COLUMN_NAMES_H
#define ARB_CATALOG_COLUMN_NAMES_H

#include "base/text.h"
#include "base/vec.h"

/* Zeroed: no columns. All in one arena. */
typedef struct arb_column_names {
    ARB_VEC(arb_str) list;
    uint32_t *slots; /* a column and 1, at or behind its hash; 0: free */
    size_t capacity; /* of the slots: a power of two, at least twice the columns, or 0 */
} arb_column_names;

/* The first column of this name, or SIZE_MAX. */
size_t arb_column_names_find(const arb_column_names *names, arb_str name);
/* The next column is called so; the name is borrowed. False without memory: nothing was added. */
ARB_NODISCARD bool arb_column_names_add(arb_column_names *names, arb_arena *arena, arb_str name);

#endif
