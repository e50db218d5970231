/* catalog_version.h: what stands in a catalog at one time: schemas, and the entries in them.
 *
 * A version is made by copying another one, changing the copy, and publishing it; from then on it never changes. Entries are
 * shared by the versions that hold them and do not change either, but for what a table of files was opened as last. So a
 * statement that holds a version sees one state of all tables, whatever others do, and looks into it without a lock. */
#ifndef ARB_CATALOG_CATALOG_VERSION_H
#define ARB_CATALOG_CATALOG_VERSION_H

#include <pthread.h>

#include "catalog/catalog.h"
#include "catalog/memory_chunk.h"

/* What a name stands for: a view (`view.sql`), files (`files`), or a table that is handed in. */
typedef struct arb_catalog_entry {
    _Atomic uint32_t references;
    arb_arena arena; /* the texts */
    arb_str schema, name;
    uint64_t hash; /* of the name, case aside */
    bool is_view;
    bool is_given;   /* of a folder of data: comes anew at each start */
    uint64_t number; /* of its record; 0: it has none */
    arb_view view;
    arb_file_set files;                    /* without paths: none */
    arb_str other_path;                    /* the name was given twice: an error when used */
    arb_str lost;                          /* why there are no rows: likewise */
    arb_code lost_code;                    /* then: ARB_RESOURCES_EXHAUSTED when they are there, but too many */
    const arb_segment_name *lost_segments; /* which its record names all the same */
    size_t lost_count;
    pthread_mutex_t lock; /* with files: of `table` */
    arb_table *table;     /* a reference; for files the version that was opened last, or NULL */
} arb_catalog_entry;

typedef struct arb_catalog_version {
    _Atomic uint32_t references;
    arb_arena arena; /* schemas' names */
    ARB_VEC(arb_str) schemas;
    ARB_VEC(arb_catalog_entry *) entries; /* references; some dozens, so a plain list */
} arb_catalog_version;

/* One reference each; NULL when memory is short. */
arb_catalog_entry *arb_catalog_entry_create(arb_str schema, arb_str name);
/* False when memory is short. What is given is copied, of the table a reference is taken. */
ARB_NODISCARD bool arb_catalog_entry_set_files(arb_catalog_entry *entry, const arb_file_set *files);
ARB_NODISCARD bool arb_catalog_entry_set_view(arb_catalog_entry *entry, const arb_view *view);
void arb_catalog_entry_set_table(arb_catalog_entry *entry, arb_table *table);
void arb_catalog_entry_unref(arb_catalog_entry *entry); /* NULL is a no-op */
bool arb_catalog_copy_view(arb_arena *arena, const arb_view *from, arb_view *to);

/* A new version, with the schemas and entries of `from`, which may be NULL. */
arb_catalog_version *arb_catalog_version_create(const arb_catalog_version *from);
arb_catalog_version *arb_catalog_version_ref(arb_catalog_version *version);
void arb_catalog_version_unref(arb_catalog_version *version); /* NULL is a no-op */

/* Of one that is being made. The caller's reference to the entry is handed over, unless memory is short: then false. */
ARB_NODISCARD bool arb_catalog_version_add(arb_catalog_version *version, arb_catalog_entry *entry);
/* `by` comes in the place of `entry`; NULL: nothing does. */
void arb_catalog_version_replace(arb_catalog_version *version, const arb_catalog_entry *entry, arb_catalog_entry *by);
ARB_NODISCARD bool arb_catalog_version_add_schema(arb_catalog_version *version, arb_str name);
/* With all that is in it. */
void arb_catalog_version_remove_schema(arb_catalog_version *version, size_t at);

bool arb_catalog_same_part(arb_str name, const arb_catalog_part *part);
/* Place of the schema, or -1. */
ptrdiff_t arb_catalog_version_schema(const arb_catalog_version *version, const arb_catalog_part *part);
/* The entry of that name in one schema, borrowed; NULL when there is none. ARB_AMBIGUOUS_TABLE. */
ARB_NODISCARD arb_code arb_catalog_version_find(const arb_catalog_version *version, arb_str schema,
                                                const arb_catalog_part *part, arb_catalog_entry **out_entry,
                                                arb_error *error);

#endif
