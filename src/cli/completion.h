/* completion.h: what a half-written word may become. */
#ifndef ARB_CLI_COMPLETION_H
#define ARB_CLI_COMPLETION_H

#include "catalog/catalog.h"

typedef struct arb_completion {
    ARB_VEC(arb_str) words; /* sorted; arena */
    arb_str common;         /* how all of them begin; as long as the word at least */
} arb_completion;

/* Keywords, names of tables and views, and the columns of those tables that `statement` names already. False when nothing
 * fits. Opens no table that the statement does not name. A catalog that is NULL is empty. */
bool arb_complete(arb_catalog_scope *catalog, arb_arena *arena, arb_str statement, arb_str word,
                  arb_completion *out_completion);

#endif
