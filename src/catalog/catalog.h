/* catalog.h: which names stand for which tables and views.
 *
 * Names live in schemas; "main" is there from the start and is where a name without a schema is looked for. They are found
 * without regard to case and shown as written; "quoted" ones exactly. When several names differ by case only, the one that
 * is written the same wins, and without one the name is ambiguous.
 *
 * What a name gives is frozen for the statement that asked: tables and views are counted, a file that changed since gives
 * a new table, and CREATE, DROP and INSERT change the catalog, not what running statements hold. Thread-safe. */
#ifndef ARB_CATALOG_CATALOG_H
#define ARB_CATALOG_CATALOG_H

#include "base/stop.h"
#include "base/vec.h"
#include "catalog/file_set.h"
#include "catalog/table.h"

typedef struct arb_catalog arb_catalog;

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
    arb_str sql;         /* the query's text */
    size_t column_count; /* names given in CREATE VIEW v(a, b); 0 = the query's own */
    const arb_str *columns;
} arb_view;

/* Exactly one of the two is set. */
typedef struct arb_relation {
    arb_table *table; /* loaded */
    const arb_view *view;
} arb_relation;

/* Formats and cache are borrowed and must outlive the catalog. */
ARB_NODISCARD arb_code arb_catalog_create(const arb_file_formats *formats, arb_file_cache *cache,
                                          arb_catalog **out_catalog, arb_error *error);
void arb_catalog_destroy(arb_catalog *catalog); /* NULL is a no-op */
/* Opening files then ends with ARB_CANCELLED soon after the flag is set. Before others use the catalog. */
void arb_catalog_set_stop(arb_catalog *catalog, arb_stop_flag *stop);

/* What the name stands for, borrowed from the arena: it stays as it is until the arena is reset. Opens files that were
 * not used before. ARB_UNDEFINED_TABLE with the nearest name as a hint; ARB_AMBIGUOUS_TABLE; whatever opening gives. */
ARB_NODISCARD arb_code arb_catalog_find(arb_catalog *catalog, arb_arena *arena, arb_catalog_name name,
                                        arb_relation *out_relation, arb_error *error);
/* The table of some files: FROM 'file.parquet', FROM read_csv('*.csv'). Borrowed from the arena, loaded. Its name is the
 * first path. */
ARB_NODISCARD arb_code arb_catalog_find_files(arb_catalog *catalog, arb_arena *arena, const arb_file_set *files,
                                              arb_relation *out_relation, arb_error *error);
/* The formats that are known. */
const arb_file_formats *arb_catalog_formats(const arb_catalog *catalog);

/* Is there something of that name in the schema that it would be made in? Opens nothing. */
bool arb_catalog_has(arb_catalog *catalog, arb_catalog_name name);

/* What happens when a name that is to be made is there already. */
typedef enum arb_catalog_existing { ARB_EXISTING_FAIL, ARB_EXISTING_REPLACE, ARB_EXISTING_KEEP } arb_catalog_existing;

/* Each sets `*out_created` (unless NULL): false when the name was there and kept. ARB_DUPLICATE_TABLE;
 * ARB_WRONG_OBJECT_TYPE when a table would replace a view or the other way round; ARB_UNDEFINED_OBJECT for the schema.
 * A new reference to the table is taken. */
ARB_NODISCARD arb_code arb_catalog_add_table(arb_catalog *catalog, arb_catalog_name name, arb_table *table,
                                             arb_catalog_existing existing, bool *out_created, arb_error *error);
/* View and texts are copied; its schema and name are taken from `name`. */
ARB_NODISCARD arb_code arb_catalog_add_view(arb_catalog *catalog, arb_catalog_name name, const arb_view *view,
                                            arb_catalog_existing existing, bool *out_created, arb_error *error);
/* A table of files, opened on first use. What the set points to is copied. */
ARB_NODISCARD arb_code arb_catalog_add_files(arb_catalog *catalog, arb_catalog_name name, const arb_file_set *files,
                                             arb_catalog_existing existing, bool *out_created, arb_error *error);
/* All tables of a --data folder go to "main", see data_folder.h. A name that comes twice is an error when it is used. */
ARB_NODISCARD arb_code arb_catalog_add_folder(arb_catalog *catalog, arb_str folder, arb_error *error);
/* Put a newer version in an entry's place, for INSERT: ARB_UNDEFINED_TABLE when the entry no longer holds `expected`. */
ARB_NODISCARD arb_code arb_catalog_replace_table(arb_catalog *catalog, arb_catalog_name name, const arb_table *expected,
                                                 arb_table *table, arb_error *error);

typedef enum arb_catalog_kind { ARB_CATALOG_TABLE, ARB_CATALOG_VIEW } arb_catalog_kind;

/* ARB_UNDEFINED_TABLE unless `if_exists`; ARB_WRONG_OBJECT_TYPE when it is of the other kind. */
ARB_NODISCARD arb_code arb_catalog_drop(arb_catalog *catalog, arb_catalog_name name, arb_catalog_kind kind,
                                        bool if_exists, arb_error *error);

ARB_NODISCARD arb_code arb_catalog_add_schema(arb_catalog *catalog, arb_str name, bool if_not_exists, arb_error *error);
/* `cascade` drops what is in it, else that is ARB_WRONG_OBJECT_TYPE. "main" stays. */
ARB_NODISCARD arb_code arb_catalog_drop_schema(arb_catalog *catalog, arb_str name, bool if_exists, bool cascade,
                                               arb_error *error);
/* Where names without a schema are looked for first, then in "main"; and where they are made. */
ARB_NODISCARD arb_code arb_catalog_use_schema(arb_catalog *catalog, arb_str name, arb_error *error);

typedef struct arb_catalog_listed {
    arb_str schema, name;
    const char *kind; /* "table", "view" */
} arb_catalog_listed;
typedef ARB_VEC(arb_catalog_listed) arb_catalog_listing; /* arena */

/* All names, sorted by schema and name; texts are copied to the arena. */
ARB_NODISCARD arb_code arb_catalog_list(arb_catalog *catalog, arb_arena *arena, arb_catalog_listing *out_listing,
                                        arb_error *error);
typedef ARB_VEC(arb_str) arb_schema_names; /* arena */
ARB_NODISCARD arb_code arb_catalog_list_schemas(arb_catalog *catalog, arb_arena *arena, arb_schema_names *out_names,
                                                arb_error *error);

#endif
