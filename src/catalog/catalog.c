#include "catalog/catalog.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "catalog/catalog_internal.h"
#include "runtime/short_wait.h"

arb_code arb_catalog_no_memory(arb_error *error)
{
    return arb_fail_memory(error, "the catalog", sizeof(arb_catalog_version));
}

arb_code arb_catalog_create(const arb_file_formats *formats, arb_file_cache *cache, arb_catalog **out_catalog,
                            arb_error *error)
{
    *out_catalog = NULL;
    arb_catalog *catalog = arb_alloc_zeroed(sizeof *catalog);
    arb_catalog_version *first = arb_catalog_version_create(NULL);
    if (catalog == NULL || first == NULL || !arb_catalog_version_add_schema(first, ARB_STR("main"))) {
        arb_catalog_version_unref(first);
        arb_free(catalog);
        return arb_fail_memory(error, "a catalog", sizeof *catalog);
    }
    catalog->formats = formats;
    catalog->cache = cache;
    catalog->newest = first;
    pthread_mutex_init(&catalog->lock, NULL);
    arb_short_wait_init(&catalog->may_turn);
    *out_catalog = catalog;
    return ARB_OK;
}

void arb_catalog_destroy(arb_catalog *catalog)
{
    if (catalog == NULL)
        return;
    arb_catalog_version_unref(catalog->newest);
    arb_catalog_keeping_destroy(catalog->keeping);
    pthread_cond_destroy(&catalog->may_turn);
    pthread_mutex_destroy(&catalog->lock);
    arb_free(catalog);
}

arb_catalog_version *arb_catalog_newest(arb_catalog *catalog)
{
    pthread_mutex_lock(&catalog->lock);
    arb_catalog_version *newest = arb_catalog_version_ref(catalog->newest);
    pthread_mutex_unlock(&catalog->lock);
    return newest;
}

/* ---- scopes ------------------------------------------------------------------------------------------------------ */
arb_code arb_catalog_scope_create(arb_catalog *catalog, arb_stop_flag *stop, arb_catalog_scope **out_scope,
                                  arb_error *error)
{
    *out_scope = NULL;
    arb_catalog_scope *scope = arb_alloc_zeroed(sizeof *scope);
    if (scope == NULL)
        return arb_catalog_no_memory(error);
    scope->catalog = catalog;
    scope->stop = stop;
    scope->temporary = arb_catalog_version_create(NULL);
    if (scope->temporary == NULL || !arb_catalog_version_add_schema(scope->temporary, ARB_STR(ARB_CATALOG_TEMPORARY))) {
        arb_catalog_scope_destroy(scope);
        return arb_catalog_no_memory(error);
    }
    *out_scope = scope;
    return ARB_OK;
}

void arb_catalog_scope_destroy(arb_catalog_scope *scope)
{
    if (scope == NULL)
        return;
    arb_catalog_scope_release(scope);
    arb_catalog_version_unref(scope->temporary);
    arb_free(scope->schema);
    arb_free(scope);
}

arb_catalog *arb_catalog_scope_catalog(arb_catalog_scope *scope)
{
    return scope->catalog;
}

void arb_catalog_scope_hold(arb_catalog_scope *scope)
{
    assert(scope->held == NULL);
    scope->held = arb_catalog_newest(scope->catalog);
}

void arb_catalog_scope_release(arb_catalog_scope *scope)
{
    arb_catalog_version_unref(scope->held);
    scope->held = NULL;
}

const arb_view *arb_catalog_scope_enter(arb_catalog_scope *scope, const arb_view *view)
{
    const arb_view *before = scope->view;
    scope->view = view;
    return before;
}

arb_str arb_catalog_scope_schema(const arb_catalog_scope *scope)
{
    return scope->schema != NULL ? arb_str_of(scope->schema) : ARB_STR("main");
}

const arb_file_formats *arb_catalog_formats(const arb_catalog_scope *scope)
{
    return scope->catalog->formats;
}

/* A new reference to the version in which names are looked for. */
static arb_catalog_version *version_of(const arb_catalog_scope *scope)
{
    return scope->held != NULL ? arb_catalog_version_ref(scope->held) : arb_catalog_newest(scope->catalog);
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */
arb_code arb_catalog_undefined_schema(arb_str name, arb_error *error)
{
    return arb_fail(error, ARB_UNDEFINED_OBJECT, "schema \"%.*s\" does not exist", ARB_STR_ARGS(name));
}

bool arb_catalog_name_is_temporary(arb_catalog_name name)
{
    return name.count >= 2 && arb_catalog_same_part(ARB_STR(ARB_CATALOG_TEMPORARY), &name.parts[name.count - 2]);
}

bool arb_catalog_target_is_temporary(const arb_catalog_target *target)
{
    return target->temporary || arb_catalog_name_is_temporary(target->name);
}

/* The shared schema that a name says, or -1 when it says none or that of temporary ones. */
static arb_code schema_of(const arb_catalog_version *shared, arb_catalog_name name, ptrdiff_t *out_schema,
                          arb_error *error)
{
    *out_schema = -1;
    if (name.count == 0 || name.count > 3)
        return arb_fail(error, ARB_SYNTAX, "a table's name has one to three parts");
    if (name.count == 3 && !arb_catalog_same_part(ARB_STR("arbalest"), &name.parts[0]))
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "catalog \"%.*s\" does not exist",
                        ARB_STR_ARGS(name.parts[0].text));
    if (name.count == 1 || arb_catalog_name_is_temporary(name))
        return ARB_OK;
    const arb_catalog_part *part = &name.parts[name.count - 2];
    if ((*out_schema = arb_catalog_version_schema(shared, part)) < 0)
        return arb_catalog_undefined_schema(part->text, error);
    return ARB_OK;
}

arb_code arb_catalog_schema_for(const arb_catalog_scope *scope, const arb_catalog_version *shared,
                                const arb_catalog_target *target, arb_str *out_schema, arb_error *error)
{
    ptrdiff_t schema;
    *out_schema = ARB_STR(ARB_CATALOG_TEMPORARY);
    ARB_TRY(schema_of(shared, target->name, &schema, error));
    if (target->temporary && schema >= 0)
        return arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "what is temporary has no schema but \"%s\"",
                        ARB_CATALOG_TEMPORARY);
    if (arb_catalog_target_is_temporary(target))
        return ARB_OK;
    arb_catalog_part current = {arb_catalog_scope_schema(scope), true};
    if (schema < 0 && (schema = arb_catalog_version_schema(shared, &current)) < 0)
        return arb_catalog_undefined_schema(current.text, error);
    *out_schema = shared->schemas.data[schema];
    return ARB_OK;
}

static void find_nearest(const arb_catalog_version *version, arb_str wanted, unsigned *best,
                         const arb_catalog_entry **nearest)
{
    for (size_t i = 0; i < version->entries.size; i++) {
        unsigned distance = arb_str_distance(version->entries.data[i]->name, wanted, *best);
        if (distance <= *best && (*nearest == NULL || distance < *best)) {
            *best = distance;
            *nearest = version->entries.data[i];
        }
    }
}

/* A temporary table that a lasting view cannot see is said, else the nearest name becomes a hint. */
static arb_code undefined_table(const arb_catalog_scope *scope, const arb_catalog_version *shared,
                                const arb_catalog_version *temporary, arb_catalog_name name, arb_error *error)
{
    const arb_catalog_part *part = &name.parts[name.count - 1];
    arb_code code = arb_fail(error, ARB_UNDEFINED_TABLE, "table \"%.*s\" does not exist", ARB_STR_ARGS(part->text));
    unsigned best = part->text.size < 3 ? 1 : part->text.size < 6 ? 2 : 3;
    const arb_catalog_entry *nearest = NULL;
    arb_catalog_entry *hidden = NULL;
    if (scope->view != NULL && !scope->view->temporary &&
        arb_catalog_version_find(temporary, ARB_STR(ARB_CATALOG_TEMPORARY), part, &hidden, NULL) == ARB_OK &&
        hidden != NULL) {
        arb_error_hint(error, "There is a temporary one, which only a temporary view can read.");
        return code;
    }
    find_nearest(shared, part->text, &best, &nearest);
    find_nearest(temporary, part->text, &best, &nearest);
    if (nearest != NULL)
        arb_error_hint(error, "Did you mean \"%.*s\"?", ARB_STR_ARGS(nearest->name));
    else if (shared->entries.size == 0 && temporary->entries.size == 0)
        arb_error_hint(error, "There are no tables; give a folder of files with --data, or CREATE one.");
    return code;
}

arb_code arb_catalog_find_entry(const arb_catalog_scope *scope, const arb_catalog_version *shared,
                                const arb_catalog_version *temporary, arb_catalog_name name, bool must,
                                arb_catalog_entry **out_entry, bool *out_temporary, arb_error *error)
{
    ptrdiff_t schema;
    arb_catalog_entry *found = NULL;
    *out_entry = NULL;
    ARB_TRY(schema_of(shared, name, &schema, error));
    const arb_catalog_part *part = &name.parts[name.count - 1];
    bool see_temporary = schema < 0 && (scope->view == NULL || scope->view->temporary);
    if (see_temporary)
        ARB_TRY(arb_catalog_version_find(temporary, ARB_STR(ARB_CATALOG_TEMPORARY), part, &found, error));
    *out_temporary = found != NULL;
    if (found == NULL && !arb_catalog_name_is_temporary(name)) {
        arb_str first = schema >= 0           ? shared->schemas.data[schema]
                        : scope->view != NULL ? scope->view->searched
                                              : arb_catalog_scope_schema(scope);
        ARB_TRY(arb_catalog_version_find(shared, first, part, &found, error));
        if (found == NULL && schema < 0)
            ARB_TRY(arb_catalog_version_find(shared, ARB_STR("main"), part, &found, error));
    }
    *out_entry = found;
    return found == NULL && must ? undefined_table(scope, shared, temporary, name, error) : ARB_OK;
}

bool arb_catalog_has(arb_catalog_scope *scope, const arb_catalog_target *target)
{
    arb_catalog_version *shared = version_of(scope);
    arb_catalog_entry *found = NULL;
    arb_str schema;
    if (arb_catalog_schema_for(scope, shared, target, &schema, NULL) == ARB_OK) {
        arb_catalog_part part = {target->name.parts[target->name.count - 1].text, false};
        bool own = arb_catalog_target_is_temporary(target);
        (void)!arb_catalog_version_find(own ? scope->temporary : shared, schema, &part, &found, NULL);
    }
    arb_catalog_version_unref(shared);
    return found != NULL;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */
static arb_table *opened_last(arb_catalog_entry *entry)
{
    pthread_mutex_lock(&entry->lock);
    arb_table *table = entry->table != NULL ? arb_table_ref(entry->table) : NULL;
    pthread_mutex_unlock(&entry->lock);
    return table;
}

/* A new reference to the table of the entry's files as they are now. Nobody waits for that: several may open them at once. */
static arb_code open_files(const arb_catalog_scope *scope, arb_catalog_entry *entry, arb_table **out_table,
                           arb_error *error)
{
    const arb_catalog *catalog = scope->catalog;
    arb_table *last = opened_last(entry);
    arb_code code = arb_file_set_open(&entry->files, entry->name, catalog->formats, catalog->cache, scope->stop, last,
                                      out_table, error);
    if (code == ARB_OK && *out_table != last) {
        arb_table *opened = arb_table_ref(*out_table);
        pthread_mutex_lock(&entry->lock);
        arb_table *before = entry->table;
        entry->table = opened;
        pthread_mutex_unlock(&entry->lock);
        arb_table_unref(before);
    }
    arb_table_unref(last);
    return code;
}

static arb_code say_lost(const arb_catalog_entry *entry, arb_error *error)
{
    if (entry->lost_code != ARB_RESOURCES_EXHAUSTED)
        return arb_fail(error, ARB_CORRUPT_DATA, "the rows of table \"%.*s\" are lost: %.*s", ARB_STR_ARGS(entry->name),
                        ARB_STR_ARGS(entry->lost));
    arb_fail(error, ARB_OUT_OF_MEMORY, "the rows of table \"%.*s\" did not fit into memory at the start: %.*s",
             ARB_STR_ARGS(entry->name), ARB_STR_ARGS(entry->lost));
    arb_error_hint(error, "they are still on the disk: start again with a larger --memory-limit");
    return ARB_OUT_OF_MEMORY;
}

static arb_code open_entry(const arb_catalog_scope *scope, arb_catalog_entry *entry, arb_table **out_table,
                           arb_error *error)
{
    if (entry->other_path.size != 0) {
        arb_code code =
            arb_fail(error, ARB_AMBIGUOUS_TABLE, "table \"%.*s\" is there twice", ARB_STR_ARGS(entry->name));
        arb_error_detail(error, "%.*s and %.*s", ARB_STR_ARGS(entry->files.paths[0]), ARB_STR_ARGS(entry->other_path));
        return code;
    }
    if (entry->lost.size != 0)
        return say_lost(entry, error);
    if (entry->files.path_count != 0)
        return open_files(scope, entry, out_table, error);
    ARB_TRY(arb_table_load(entry->table, error));
    *out_table = arb_table_ref(entry->table);
    return ARB_OK;
}

/* Hand a reference over to the arena. */
static arb_code give_table(arb_arena *arena, arb_table *table, arb_relation *out_relation, arb_error *error)
{
    arb_code code = arb_table_give(table, arena, error);
    if (code == ARB_OK)
        out_relation->table = table;
    return code;
}

static arb_code find(arb_catalog_scope *scope, const arb_catalog_version *shared, arb_arena *arena,
                     arb_catalog_name name, arb_relation *out_relation, arb_error *error)
{
    arb_catalog_entry *found;
    arb_table *table;
    bool temporary;
    ARB_TRY(arb_catalog_find_entry(scope, shared, scope->temporary, name, true, &found, &temporary, error));
    if (found->is_view) {
        arb_view *view = ARB_ARENA_NEW(arena, arb_view);
        if (view == NULL || !arb_catalog_copy_view(arena, &found->view, view))
            return arb_fail_memory(error, "a view", sizeof *view);
        out_relation->view = view;
        return ARB_OK;
    }
    ARB_TRY(open_entry(scope, found, &table, error));
    return give_table(arena, table, out_relation, error);
}

arb_code arb_catalog_find(arb_catalog_scope *scope, arb_arena *arena, arb_catalog_name name, arb_relation *out_relation,
                          arb_error *error)
{
    *out_relation = (arb_relation){0};
    arb_catalog_version *shared = version_of(scope);
    arb_code code = find(scope, shared, arena, name, out_relation, error);
    arb_catalog_version_unref(shared);
    return code;
}

arb_code arb_catalog_find_files(arb_catalog_scope *scope, arb_arena *arena, const arb_file_set *files,
                                arb_relation *out_relation, arb_error *error)
{
    *out_relation = (arb_relation){0};
    arb_table *table = NULL;
    arb_file_set copy; /* whose paths end with NUL */
    ARB_TRY(arb_file_set_check(files, error));
    if (!arb_file_set_copy(arena, files, &copy))
        return arb_fail_memory(error, "paths of files", files->path_count * sizeof *files->paths);
    /* The cache keeps the files; the table itself is cheap to make again. */
    ARB_TRY(arb_file_set_open(&copy, copy.paths[0], scope->catalog->formats, scope->catalog->cache, scope->stop, NULL,
                              &table, error));
    return give_table(arena, table, out_relation, error);
}

/* ---- listing ----------------------------------------------------------------------------------------------------- */
static int compare_listed(const void *a, const void *b)
{
    const arb_catalog_listed *x = a, *y = b;
    int order = arb_str_compare(x->schema, y->schema);
    return order != 0 ? order : arb_str_compare(x->name, y->name);
}

static bool list(const arb_catalog_version *version, arb_arena *arena, arb_catalog_listing *listing)
{
    bool fine = true;
    for (size_t i = 0; fine && i < version->entries.size; i++) {
        const arb_catalog_entry *at = version->entries.data[i];
        arb_catalog_listed item = {arb_str_copy(arena, at->schema), arb_str_copy(arena, at->name),
                                   at->is_view ? "view" : "table"};
        fine = item.schema.data != NULL && item.name.data != NULL && ARB_ARENA_PUSH(arena, listing, item);
    }
    return fine;
}

arb_code arb_catalog_list(arb_catalog_scope *scope, arb_arena *arena, arb_catalog_listing *out_listing,
                          arb_error *error)
{
    *out_listing = (arb_catalog_listing){0};
    arb_catalog_version *shared = version_of(scope);
    bool fine = list(shared, arena, out_listing) && list(scope->temporary, arena, out_listing);
    arb_catalog_version_unref(shared);
    if (!fine)
        return arb_fail_memory(error, "the list of tables", 0);
    if (out_listing->size > 1)
        qsort(out_listing->data, out_listing->size, sizeof *out_listing->data, compare_listed);
    return ARB_OK;
}

arb_code arb_catalog_list_schemas(arb_catalog_scope *scope, arb_arena *arena, arb_schema_names *out_names,
                                  arb_error *error)
{
    *out_names = (arb_schema_names){0};
    arb_catalog_version *shared = version_of(scope);
    bool fine = true;
    for (size_t i = 0; fine && i < shared->schemas.size; i++) {
        arb_str name = arb_str_copy(arena, shared->schemas.data[i]);
        fine = name.data != NULL && ARB_ARENA_PUSH(arena, out_names, name);
    }
    if (fine && scope->temporary->entries.size != 0)
        fine = ARB_ARENA_PUSH(arena, out_names, ARB_STR(ARB_CATALOG_TEMPORARY));
    arb_catalog_version_unref(shared);
    return fine ? ARB_OK : arb_fail_memory(error, "the list of schemas", 0);
}
