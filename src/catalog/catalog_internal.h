/* catalog_internal.h: the catalog as its files see it. */
#ifndef ARB_CATALOG_CATALOG_INTERNAL_H
#define ARB_CATALOG_CATALOG_INTERNAL_H

#include "catalog/catalog_version.h"

typedef struct arb_catalog_keeping arb_catalog_keeping;

struct arb_catalog {
    const arb_file_formats *formats;
    arb_file_cache *cache;
    pthread_mutex_t lock;    /* of the rest; never held for long */
    bool is_changing;        /* somebody makes the next version */
    size_t waiting;          /* others, for that */
    pthread_cond_t may_turn; /* that is over */
    arb_catalog_version *newest;
    arb_catalog_keeping *keeping; /* NULL: it ends with the process */
};

struct arb_catalog_scope {
    arb_catalog *catalog;
    arb_stop_flag *stop;
    char *schema;                   /* the current one, which may be gone meanwhile; NULL: "main" */
    arb_catalog_version *temporary; /* the session's own; of one schema */
    arb_catalog_version *held;      /* or NULL */
    const arb_view *view;           /* names are those in its query; NULL: the session's */
};

arb_code arb_catalog_no_memory(arb_error *error);
arb_code arb_catalog_undefined_schema(arb_str name, arb_error *error);
/* A new reference. */
arb_catalog_version *arb_catalog_newest(arb_catalog *catalog);

/* Does the name say so? Then nothing that is shared has it. */
bool arb_catalog_name_is_temporary(arb_catalog_name name);
/* The entry of that name, borrowed, and which of the two versions it is in. NULL when there is none and it need not be. Search
 * order: the schema that is named, else the temporary ones, the current schema, "main". */
arb_code arb_catalog_find_entry(const arb_catalog_scope *scope, const arb_catalog_version *shared,
                                const arb_catalog_version *temporary, arb_catalog_name name, bool must,
                                arb_catalog_entry **out_entry, bool *out_temporary, arb_error *error);
/* The schema that a name is made in. */
arb_code arb_catalog_schema_for(const arb_catalog_scope *scope, const arb_catalog_version *shared,
                                const arb_catalog_target *target, arb_str *out_schema, arb_error *error);

/* ---- catalog_keeping.c, for who makes a change -------------------------------------------------------------------- */

/* What differs is on the disk when this returns, or nothing of it counts. */
arb_code arb_catalog_keeping_write(arb_catalog_keeping *keeping, const arb_catalog_version *before,
                                   const arb_catalog_version *after, arb_error *error);
/* Once others see the change, and `before` is still there: what is no longer in it is not named any more. */
void arb_catalog_keeping_forget(arb_catalog_keeping *keeping, const arb_catalog_version *before,
                                const arb_catalog_version *after);
/* Delete some of what no record names. True: there is more. */
bool arb_catalog_keeping_collect(arb_catalog_keeping *keeping, const arb_catalog_version *newest);
void arb_catalog_keeping_destroy(arb_catalog_keeping *keeping); /* NULL is a no-op */

#endif
