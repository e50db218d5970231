/* catalog_change.c: what changes a catalog: each change makes the next version and publishes it, or nothing.
 *
 * Changes of what all sessions share come one after the other; a session's own temporary tables are changed by its thread
 * alone. A change that touches both publishes the shared part first, since only that can fail. */
#include "base/alloc.h"
#include "catalog/catalog_internal.h"
#include "catalog/data_folder.h"
#include "catalog/memory_table.h"
#include "runtime/short_wait.h"

typedef struct change {
    arb_catalog *catalog;
    arb_catalog_scope *scope;       /* or NULL */
    arb_catalog_version *shared;    /* the next versions; those that are published are NULL here */
    arb_catalog_version *temporary; /* NULL without a scope */
    bool own;                       /* only that changes: others need not wait, `shared` is to look into */
    bool has_turn;                  /* others wait until `end` */
} change;

/* A change may take long: keys are looked for, rows are encoded and written to the disk. Who waits for its turn can be stopped. */
static arb_code take_turn(change *c, arb_stop_flag *stop, arb_error *error)
{
    arb_catalog *catalog = c->catalog;
    pthread_mutex_lock(&catalog->lock);
    catalog->waiting++;
    while (catalog->is_changing && !arb_is_stopped(stop))
        arb_short_wait(&catalog->may_turn, &catalog->lock);
    catalog->waiting--;
    c->has_turn = !catalog->is_changing;
    catalog->is_changing = true;
    pthread_mutex_unlock(&catalog->lock);
    return c->has_turn ? ARB_OK : arb_check_stop(stop, error);
}

static void give_turn(change *c)
{
    pthread_mutex_lock(&c->catalog->lock);
    c->catalog->is_changing = false;
    pthread_cond_signal(&c->catalog->may_turn);
    pthread_mutex_unlock(&c->catalog->lock);
}

/* Others' changes wait from now on, until `end`. What was found among what is shared is to be found again. */
static arb_code share(change *c, arb_stop_flag *stop, arb_error *error)
{
    ARB_TRY(take_turn(c, stop, error));
    arb_catalog_version_unref(c->shared);
    c->shared = arb_catalog_version_create(c->catalog->newest); /* nobody else changes `newest` now */
    c->own = false;
    return c->shared != NULL ? ARB_OK : arb_catalog_no_memory(error);
}

/* A change of what is shared, and maybe of the session's own. `end` comes in any case. */
static arb_code begin(change *c, arb_catalog *catalog, arb_catalog_scope *scope, arb_stop_flag *stop, arb_error *error)
{
    *c = (change){.catalog = catalog, .scope = scope};
    ARB_TRY(share(c, stop, error));
    if (scope == NULL)
        return ARB_OK;
    assert(scope->held == NULL);
    c->temporary = arb_catalog_version_create(scope->temporary);
    return c->temporary != NULL ? ARB_OK : arb_catalog_no_memory(error);
}

/* A change of the session's own tables alone, which waits for nobody. Likewise. */
static arb_code begin_own(change *c, arb_catalog_scope *scope, arb_error *error)
{
    assert(scope->held == NULL);
    *c = (change){.catalog = scope->catalog, .scope = scope, .own = true};
    c->shared = arb_catalog_newest(scope->catalog);
    c->temporary = arb_catalog_version_create(scope->temporary);
    return c->temporary != NULL ? ARB_OK : arb_catalog_no_memory(error);
}

/* The entry to be changed, which is the session's own or makes the change one of what is shared. */
static arb_code find_changed(change *c, arb_catalog_name name, bool must, arb_catalog_entry **out_entry,
                             bool *out_temporary, arb_error *error)
{
    bool own = c->own && arb_catalog_name_is_temporary(name);
    ARB_TRY(arb_catalog_find_entry(c->scope, c->shared, c->temporary, name, must && (own || !c->own), out_entry,
                                   out_temporary, error));
    if (!c->own || own || *out_temporary)
        return ARB_OK;
    ARB_TRY(share(c, c->scope->stop, error));
    return arb_catalog_find_entry(c->scope, c->shared, c->temporary, name, must, out_entry, out_temporary, error);
}

static void publish_own(change *c)
{
    arb_catalog_version *before = c->scope->temporary;
    c->scope->temporary = c->temporary;
    c->temporary = before;
}

/* Others see the change from now on. What was before is left in its place. */
static void publish(change *c)
{
    arb_catalog_version *before = c->catalog->newest;
    pthread_mutex_lock(&c->catalog->lock);
    c->catalog->newest = c->shared;
    pthread_mutex_unlock(&c->catalog->lock);
    c->shared = before;
    if (c->scope != NULL)
        publish_own(c);
}

static bool others_wait(change *c)
{
    pthread_mutex_lock(&c->catalog->lock);
    bool wait = c->catalog->waiting != 0;
    pthread_mutex_unlock(&c->catalog->lock);
    return wait;
}

/* Whether the change was made or not. Who waits for the turn goes on with it. */
static void collect(change *c)
{
    arb_catalog_keeping *keeping = c->catalog->keeping;
    while (keeping != NULL && arb_catalog_keeping_collect(keeping, c->catalog->newest) && !others_wait(c))
        ;
}

/* With ARB_OK the change is kept, if need be, and published; what comes out is the code. */
static arb_code end(change *c, arb_code code, arb_error *error)
{
    arb_catalog_keeping *keeping = c->own ? NULL : c->catalog->keeping;
    if (code == ARB_OK && keeping != NULL)
        code = arb_catalog_keeping_write(keeping, c->catalog->newest, c->shared, error);
    if (code == ARB_OK && c->own) {
        publish_own(c);
    } else if (code == ARB_OK) {
        publish(c);
        if (keeping != NULL)
            arb_catalog_keeping_forget(keeping, c->shared, c->catalog->newest);
    }
    arb_catalog_version_unref(c->shared);
    arb_catalog_version_unref(c->temporary);
    if (c->has_turn) {
        collect(c);
        give_turn(c);
    }
    return code;
}

static arb_code wrong_kind(const arb_catalog_entry *found, arb_error *error)
{
    return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "\"%.*s\" is a %s", ARB_STR_ARGS(found->name),
                    found->is_view ? "view" : "table");
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */
/* Completes an entry that is to be added. */
typedef bool (*fill_fn)(const arb_catalog_scope *scope, arb_catalog_entry *entry, const void *what);

typedef struct addition {
    const arb_catalog_target *target;
    bool is_view;
    fill_fn fill;
    const void *what;
} addition;

static arb_code add_to(change *c, const addition *a, bool *out_created, arb_error *error)
{
    const arb_catalog_target *target = a->target;
    arb_catalog_entry *found;
    arb_str schema;
    ARB_TRY(arb_catalog_schema_for(c->scope, c->shared, target, &schema, error));
    bool own = arb_catalog_target_is_temporary(target);
    arb_catalog_version *to = own ? c->temporary : c->shared;
    /* A name that differs by case only would be ambiguous ever after, so it counts as there. */
    arb_catalog_part part = {target->name.parts[target->name.count - 1].text, false};
    ARB_TRY(arb_catalog_version_find(to, schema, &part, &found, error));
    if (found != NULL && target->existing == ARB_EXISTING_KEEP)
        return ARB_OK;
    if (found != NULL && target->existing == ARB_EXISTING_FAIL)
        return arb_fail(error, ARB_DUPLICATE_TABLE, "%s \"%.*s\" exists already", found->is_view ? "view" : "table",
                        ARB_STR_ARGS(found->name));
    if (found != NULL && found->is_view != a->is_view)
        return wrong_kind(found, error);
    arb_catalog_entry *made = arb_catalog_entry_create(schema, part.text);
    if (made == NULL || !a->fill(c->scope, made, a->what) || (found == NULL && !arb_catalog_version_add(to, made))) {
        arb_catalog_entry_unref(made);
        return arb_catalog_no_memory(error);
    }
    if (found != NULL)
        arb_catalog_version_replace(to, found, made);
    *out_created = true;
    return ARB_OK;
}

static arb_code add(arb_catalog_scope *scope, const addition *a, bool *out_created, arb_error *error)
{
    change c;
    bool created = false;
    arb_code code = arb_catalog_target_is_temporary(a->target) ? begin_own(&c, scope, error)
                                                               : begin(&c, scope->catalog, scope, scope->stop, error);
    if (code == ARB_OK)
        code = add_to(&c, a, &created, error);
    code = end(&c, code, error);
    if (out_created != NULL)
        *out_created = created && code == ARB_OK;
    return code;
}

static bool fill_table(const arb_catalog_scope *scope, arb_catalog_entry *entry, const void *what)
{
    (void)scope;
    arb_catalog_entry_set_table(entry, (arb_table *)what);
    return true;
}

static bool fill_view(const arb_catalog_scope *scope, arb_catalog_entry *entry, const void *what)
{
    arb_view view = *(const arb_view *)what;
    view.schema = entry->schema;
    view.name = entry->name;
    view.searched = arb_catalog_scope_schema(scope);
    view.temporary = arb_str_equal(entry->schema, ARB_STR(ARB_CATALOG_TEMPORARY));
    return arb_catalog_entry_set_view(entry, &view);
}

static bool fill_files(const arb_catalog_scope *scope, arb_catalog_entry *entry, const void *what)
{
    (void)scope;
    return arb_catalog_entry_set_files(entry, what);
}

arb_code arb_catalog_add_table(arb_catalog_scope *scope, const arb_catalog_target *target, arb_table *table,
                               bool *out_created, arb_error *error)
{
    return add(scope, &(addition){target, false, fill_table, table}, out_created, error);
}

arb_code arb_catalog_add_view(arb_catalog_scope *scope, const arb_catalog_target *target, const arb_view *view,
                              bool *out_created, arb_error *error)
{
    return add(scope, &(addition){target, true, fill_view, view}, out_created, error);
}

arb_code arb_catalog_add_files(arb_catalog_scope *scope, const arb_catalog_target *target, const arb_file_set *files,
                               bool *out_created, arb_error *error)
{
    ARB_TRY(arb_file_set_check(files, error));
    ARB_TRY(arb_file_set_check_access(files, scope->catalog->cache, error));
    return add(scope, &(addition){target, false, fill_files, files}, out_created, error);
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */
/* The entry of that very name among the first `count` ones. */
static arb_catalog_entry *find_twin(const arb_catalog_version *version, size_t count, arb_str name)
{
    uint64_t hash = arb_str_hash_nocase(name);
    for (size_t i = 0; i < count; i++) {
        arb_catalog_entry *at = version->entries.data[i];
        if (at->hash == hash && arb_str_equal(at->name, name) && arb_str_equal(at->schema, ARB_STR("main")))
            return at;
    }
    return NULL;
}

/* A name that is there already stays, but cannot be used. */
static bool add_item(arb_catalog_version *version, const arb_folder_item *item, arb_catalog_entry *twin)
{
    arb_file_set files = {.paths = &item->path, .path_count = 1, .format = item->format};
    arb_catalog_entry *made = arb_catalog_entry_create(ARB_STR("main"), item->name);
    bool fine = made != NULL;
    if (fine)
        made->is_given = true;
    if (fine && twin != NULL)
        fine = (made->other_path = arb_str_copy(&made->arena, item->path)).data != NULL;
    if (!fine ||
        !arb_catalog_entry_set_files(made, twin != NULL && twin->files.path_count != 0 ? &twin->files : &files) ||
        (twin == NULL && !arb_catalog_version_add(version, made))) {
        arb_catalog_entry_unref(made);
        return false;
    }
    if (twin != NULL)
        arb_catalog_version_replace(version, twin, made);
    return true;
}

static bool add_items(arb_catalog_version *version, const arb_folder_items *items)
{
    size_t listed = version->entries.size; /* of other folders */
    for (size_t i = 0; i < items->size; i++) {
        const arb_folder_item *item = &items->data[i];
        bool again = i > 0 && arb_str_equal(items->data[i - 1].name, item->name);
        arb_catalog_entry *twin = find_twin(version, again ? version->entries.size : listed, item->name);
        if (!add_item(version, item, twin))
            return false;
    }
    return true;
}

arb_code arb_catalog_add_folder(arb_catalog *catalog, arb_str folder, arb_stop_flag *stop, arb_error *error)
{
    arb_arena scratch = {0};
    arb_folder_items items;
    change c;
    arb_code code = arb_data_folder_list(&scratch, folder, catalog->formats, &items, stop, error);
    if (code == ARB_OK) {
        code = begin(&c, catalog, NULL, stop, error);
        if (code == ARB_OK && !add_items(c.shared, &items))
            code = arb_catalog_no_memory(error);
        code = end(&c, code, error);
    }
    arb_arena_reset(&scratch);
    return code;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */
static arb_code append_to(change *c, arb_catalog_name name, const arb_table *bound, const arb_table *rows,
                          arb_memory *account, arb_error *error)
{
    arb_catalog_entry *found;
    arb_memory_builder *builder;
    arb_table *table = NULL;
    bool temporary;
    ARB_TRY(find_changed(c, name, false, &found, &temporary, error));
    /* a table of files may have another one opened meanwhile */
    bool in_memory = found != NULL && !found->is_view && found->files.path_count == 0 && found->table != NULL;
    if (!in_memory || !arb_memory_table_same(found->table, bound))
        return arb_fail(error, ARB_CONFLICT, "table \"%.*s\" was dropped or replaced by another statement meanwhile",
                        ARB_STR_ARGS(bound->name));
    ARB_TRY(arb_memory_builder_create_from(found->table, account, &builder, error));
    arb_code code = arb_memory_builder_append_table(builder, rows, error);
    if (code == ARB_OK)
        code = arb_memory_builder_finish(builder, &table, error);
    arb_memory_builder_destroy(builder);
    ARB_TRY(code);
    arb_catalog_entry *made = arb_catalog_entry_create(found->schema, found->name);
    if (made != NULL) {
        arb_catalog_entry_set_table(made, table);
        arb_catalog_version_replace(temporary ? c->temporary : c->shared, found, made);
    }
    arb_table_unref(table);
    return made != NULL ? ARB_OK : arb_catalog_no_memory(error);
}

arb_code arb_catalog_append(arb_catalog_scope *scope, arb_catalog_name name, const arb_table *bound,
                            const arb_table *rows, arb_memory *account, arb_error *error)
{
    change c;
    arb_code code = begin_own(&c, scope, error);
    if (code == ARB_OK)
        code = append_to(&c, name, bound, rows, account, error);
    return end(&c, code, error);
}

/* ---- dropping ---------------------------------------------------------------------------------------------------- */
static arb_code drop_from(change *c, arb_catalog_name name, arb_catalog_kind kind, bool if_exists, arb_error *error)
{
    arb_catalog_entry *found;
    bool temporary;
    ARB_TRY(find_changed(c, name, !if_exists, &found, &temporary, error));
    if (found == NULL)
        return ARB_OK;
    if (found->is_view != (kind == ARB_CATALOG_VIEW)) {
        arb_code code = wrong_kind(found, error);
        arb_error_hint(error, "Use DROP %s.", found->is_view ? "VIEW" : "TABLE");
        return code;
    }
    arb_catalog_version_replace(temporary ? c->temporary : c->shared, found, NULL);
    return ARB_OK;
}

arb_code arb_catalog_drop(arb_catalog_scope *scope, const arb_catalog_name *names, size_t count, arb_catalog_kind kind,
                          bool if_exists, arb_error *error)
{
    change c;
    arb_code code = begin_own(&c, scope, error);
    for (size_t i = 0; i < count && code == ARB_OK; i++)
        code = drop_from(&c, names[i], kind, if_exists, error);
    return end(&c, code, error);
}

/* ---- schemas ----------------------------------------------------------------------------------------------------- */
arb_code arb_catalog_add_schema(arb_catalog_scope *scope, arb_str name, bool if_not_exists, arb_error *error)
{
    change c;
    arb_catalog_part part = {name, false};
    arb_code code = begin(&c, scope->catalog, scope, scope->stop, error);
    if (code != ARB_OK)
        return end(&c, code, error);
    if (arb_catalog_same_part(ARB_STR(ARB_CATALOG_TEMPORARY), &part) ||
        arb_catalog_version_schema(c.shared, &part) >= 0)
        code = if_not_exists
                   ? ARB_OK
                   : arb_fail(error, ARB_DUPLICATE_TABLE, "schema \"%.*s\" exists already", ARB_STR_ARGS(name));
    else if (!arb_catalog_version_add_schema(c.shared, name))
        code = arb_fail_memory(error, "a schema", name.size);
    return end(&c, code, error);
}

static arb_code drop_schema(change *c, arb_str name, bool if_exists, bool cascade, arb_error *error)
{
    arb_catalog_part part = {name, false};
    ptrdiff_t at = arb_catalog_version_schema(c->shared, &part);
    if (at == 0 || arb_catalog_same_part(ARB_STR(ARB_CATALOG_TEMPORARY), &part))
        return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "schema \"%s\" cannot be dropped",
                        at == 0 ? "main" : ARB_CATALOG_TEMPORARY);
    if (at < 0)
        return if_exists ? ARB_OK : arb_catalog_undefined_schema(name, error);
    arb_str schema = c->shared->schemas.data[at];
    for (size_t i = 0; i < c->shared->entries.size && !cascade; i++)
        if (arb_str_equal(c->shared->entries.data[i]->schema, schema)) {
            arb_code code =
                arb_fail(error, ARB_WRONG_OBJECT_TYPE, "schema \"%.*s\" is not empty", ARB_STR_ARGS(schema));
            arb_error_hint(error, "DROP SCHEMA … CASCADE drops what is in it.");
            return code;
        }
    arb_catalog_version_remove_schema(c->shared, (size_t)at);
    return ARB_OK;
}

/* Whoever drops the current schema is back in "main"; other sessions keep its name, and find nothing in it. */
static void leave_schema(arb_catalog_scope *scope)
{
    arb_catalog_version *shared = arb_catalog_newest(scope->catalog);
    arb_catalog_part part = {arb_catalog_scope_schema(scope), true};
    if (arb_catalog_version_schema(shared, &part) < 0) {
        arb_free(scope->schema);
        scope->schema = NULL;
    }
    arb_catalog_version_unref(shared);
}

arb_code arb_catalog_drop_schemas(arb_catalog_scope *scope, const arb_catalog_name *names, size_t count, bool if_exists,
                                  bool cascade, arb_error *error)
{
    change c;
    arb_code code = begin(&c, scope->catalog, scope, scope->stop, error);
    for (size_t i = 0; i < count && code == ARB_OK; i++)
        code = drop_schema(&c, names[i].parts[names[i].count - 1].text, if_exists, cascade, error);
    code = end(&c, code, error);
    leave_schema(scope);
    return code;
}

arb_code arb_catalog_use_schema(arb_catalog_scope *scope, arb_str name, arb_error *error)
{
    arb_catalog_part part = {name, false};
    if (arb_catalog_same_part(ARB_STR(ARB_CATALOG_TEMPORARY), &part))
        return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "schema \"%s\" cannot be the current one; it is searched always",
                        ARB_CATALOG_TEMPORARY);
    arb_catalog_version *shared = arb_catalog_newest(scope->catalog);
    ptrdiff_t at = arb_catalog_version_schema(shared, &part);
    arb_code code = at < 0 ? arb_catalog_undefined_schema(name, error) : ARB_OK;
    if (code == ARB_OK) {
        arb_str found = shared->schemas.data[at];
        char *copy = arb_strndup(found.data, found.size);
        if (copy != NULL) {
            arb_free(scope->schema);
            scope->schema = copy;
        } else {
            code = arb_catalog_no_memory(error);
        }
    }
    arb_catalog_version_unref(shared);
    return code;
}
