/* catalog.h: which names stand for which tables and views.
 *
 * Names live in schemas; "main" is there from the start and is where a name without a schema is looked for. They are found
 * without regard to case and shown as written; "quoted" ones exactly. When several names differ by case only, the one that
 * is written the same wins, and without one the name is ambiguous.
 *
 * A catalog (arb_catalog) is shared by sessions on any threads. Each has a scope (arb_catalog_scope): its current schema, its
 * temporary tables and views, which are found before all others and gone with it, and through it the catalog. A scope is
 * used by one thread at a time.
 *
 * What a name gives is frozen for the statement that asked: tables and views are counted, a file that changed since gives
 * a new table, and CREATE, DROP and INSERT make a new version of the catalog (catalog_version.h), which they publish as one
 * step or, when they fail, not at all. Changes come one after the other. A statement holds one version while it is bound. */
#ifndef ARB_CATALOG_CATALOG_H
#define ARB_CATALOG_CATALOG_H

#include "base/stop.h"
#include "base/vec.h"
#include "catalog/file_set.h"
#include "catalog/table.h"
#include "runtime/memory.h"

typedef struct arb_catalog arb_catalog;
typedef struct arb_catalog_scope arb_catalog_scope;

/* One part of a name as the parser gives it. */
typedef struct arb_catalog_part {
    arb_str text;
    bool quoted;
} arb_catalog_part;

/* name, schema.name or arbalest.schema.name */
typedef struct arb_catalog_name {
    const arb_catalog_part *parts;
    size_t count;
} arb_catalog_name;

typedef struct arb_view {
    arb_str schema, name;
    arb_str searched;    /* the schema that its query's names are looked for in, before "main" */
    bool temporary;      /* a session's own: its query sees the session's temporary tables */
    arb_str sql;         /* the query's text */
    size_t column_count; /* names given in CREATE VIEW v(a, b); 0 = the query's own */
    const arb_str *columns;
} arb_view;

/* Exactly one of the two is set. */
typedef struct arb_relation {
    arb_table *table; /* loaded */
    const arb_view *view;
} arb_relation;

/* ---- the catalog -------------------------------------------------------------------------------------------------- */

/* Formats and cache are borrowed and must outlive the catalog. */
ARB_NODISCARD arb_code arb_catalog_create(const arb_file_formats *formats, arb_file_cache *cache,
                                          arb_catalog **out_catalog, arb_error *error);
/* All scopes must be gone. NULL is a no-op. */
void arb_catalog_destroy(arb_catalog *catalog);
/* All tables of a --data folder go to "main", see data_folder.h. A name that comes twice is an error when it is used.
 * ARB_CANCELLED soon after the flag is set, which may be NULL. */
ARB_NODISCARD arb_code arb_catalog_add_folder(arb_catalog *catalog, arb_str folder, arb_stop_flag *stop,
                                              arb_error *error);

/* ---- scopes: what a session sees ---------------------------------------------------------------------------------- */

/* Where temporary tables and views are; in each session its own. */
#define ARB_CATALOG_TEMPORARY "temp"

/* Opening files ends with ARB_CANCELLED soon after the flag is set, which may be NULL. Both outlive the scope. */
ARB_NODISCARD arb_code arb_catalog_scope_create(arb_catalog *catalog, arb_stop_flag *stop,
                                                arb_catalog_scope **out_scope, arb_error *error);
void arb_catalog_scope_destroy(arb_catalog_scope *scope); /* NULL is a no-op */
arb_catalog *arb_catalog_scope_catalog(arb_catalog_scope *scope);

/* Until it is released, names are looked for in the catalog as it is now. Not twice at once. */
void arb_catalog_scope_hold(arb_catalog_scope *scope);
void arb_catalog_scope_release(arb_catalog_scope *scope);
/* From now on names are those in the query of this view, or, with NULL, those of the session itself. Gives what was before.
 * The view is borrowed until then. */
const arb_view *arb_catalog_scope_enter(arb_catalog_scope *scope, const arb_view *view);
/* The current schema: where names without a schema are looked for, then in "main"; and where they are made. Lives until it is
 * changed. */
arb_str arb_catalog_scope_schema(const arb_catalog_scope *scope);
ARB_NODISCARD arb_code arb_catalog_use_schema(arb_catalog_scope *scope, arb_str name, arb_error *error);

/* What the name stands for, borrowed from the arena: it stays as it is until the arena is reset. Opens files that were
 * not used before. ARB_UNDEFINED_TABLE with the nearest name as a hint; ARB_AMBIGUOUS_TABLE; whatever opening gives. */
ARB_NODISCARD arb_code arb_catalog_find(arb_catalog_scope *scope, arb_arena *arena, arb_catalog_name name,
                                        arb_relation *out_relation, arb_error *error);
/* The table of some files: FROM 'file.parquet', FROM read_csv('*.csv'). Borrowed from the arena, loaded. Its name is the
 * first path. */
ARB_NODISCARD arb_code arb_catalog_find_files(arb_catalog_scope *scope, arb_arena *arena, const arb_file_set *files,
                                              arb_relation *out_relation, arb_error *error);
/* The formats that are known. */
const arb_file_formats *arb_catalog_formats(const arb_catalog_scope *scope);

typedef struct arb_catalog_listed {
    arb_str schema, name;
    const char *kind; /* "table", "view" */
} arb_catalog_listed;
typedef ARB_VEC(arb_catalog_listed) arb_catalog_listing; /* arena */

/* All names, sorted by schema and name; texts are copied to the arena. */
ARB_NODISCARD arb_code arb_catalog_list(arb_catalog_scope *scope, arb_arena *arena, arb_catalog_listing *out_listing,
                                        arb_error *error);
typedef ARB_VEC(arb_str) arb_schema_names; /* arena */
/* That of temporary tables is among them while there are any. */
ARB_NODISCARD arb_code arb_catalog_list_schemas(arb_catalog_scope *scope, arb_arena *arena, arb_schema_names *out_names,
                                                arb_error *error);

/* ---- changes: catalog_change.c ------------------------------------------------------------------------------------ */

/* What happens when a name that is to be made is there already. */
typedef enum arb_catalog_existing { ARB_EXISTING_FAIL, ARB_EXISTING_REPLACE, ARB_EXISTING_KEEP } arb_catalog_existing;

/* What is to be made. A name in the schema of temporary ones is as good as `temporary`. */
typedef struct arb_catalog_target {
    arb_catalog_name name;
    arb_catalog_existing existing;
    bool temporary;
} arb_catalog_target;

bool arb_catalog_target_is_temporary(const arb_catalog_target *target);
/* Is there something of that name where it would be made? Opens nothing. */
bool arb_catalog_has(arb_catalog_scope *scope, const arb_catalog_target *target);

/* Each sets `*out_created` (unless NULL): false when the name was there and kept. ARB_DUPLICATE_TABLE;
 * ARB_WRONG_OBJECT_TYPE when a table would replace a view or the other way round; ARB_UNDEFINED_OBJECT for the schema;
 * ARB_INVALID_TABLE_DEFINITION: temporary, but with another schema's name. A new reference to the table is taken. */
ARB_NODISCARD arb_code arb_catalog_add_table(arb_catalog_scope *scope, const arb_catalog_target *target,
                                             arb_table *table, bool *out_created, arb_error *error);
/* View and texts are copied; its schemas, name and `temporary` are taken from target and scope. */
ARB_NODISCARD arb_code arb_catalog_add_view(arb_catalog_scope *scope, const arb_catalog_target *target,
                                            const arb_view *view, bool *out_created, arb_error *error);
/* A table of files, opened on first use. What the set points to is copied. */
ARB_NODISCARD arb_code arb_catalog_add_files(arb_catalog_scope *scope, const arb_catalog_target *target,
                                             const arb_file_set *files, bool *out_created, arb_error *error);
/* Rows are added to a table in memory, behind all that others added since it was bound: `bound` is the version that the
 * statement found under the name, `rows` a table in memory with the same columns. The account pays (memory_table.h).
 * ARB_CONFLICT: the name stands for another table now, or for none; ARB_UNIQUE_VIOLATION. */
ARB_NODISCARD arb_code arb_catalog_append(arb_catalog_scope *scope, arb_catalog_name name, const arb_table *bound,
                                          const arb_table *rows, arb_memory *account, arb_error *error);

typedef enum arb_catalog_kind { ARB_CATALOG_TABLE, ARB_CATALOG_VIEW } arb_catalog_kind;

/* All of the names or none. ARB_UNDEFINED_TABLE unless `if_exists`; ARB_WRONG_OBJECT_TYPE when one is of the other kind. */
ARB_NODISCARD arb_code arb_catalog_drop(arb_catalog_scope *scope, const arb_catalog_name *names, size_t count,
                                        arb_catalog_kind kind, bool if_exists, arb_error *error);

ARB_NODISCARD arb_code arb_catalog_add_schema(arb_catalog_scope *scope, arb_str name, bool if_not_exists,
                                              arb_error *error);
/* Schemas have names of one part. `cascade` drops what is in one, else that is ARB_WRONG_OBJECT_TYPE. "main" stays. */
ARB_NODISCARD arb_code arb_catalog_drop_schemas(arb_catalog_scope *scope, const arb_catalog_name *names, size_t count,
                                                bool if_exists, bool cascade, arb_error *error);

#endif
