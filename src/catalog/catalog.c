#include "catalog/catalog.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "catalog/data_folder.h"

/* What a name stands for: a view (`view.sql`), files (`files`), or a table that is handed in. A session has some dozens of
 * them, so they are a plain list. */
typedef struct entry {
    arb_arena arena; /* the texts */
    arb_str schema, name;
    uint64_t hash; /* of the name, case aside */
    bool is_view;
    arb_view view;
    arb_file_set files; /* without paths: none */
    arb_str other_path; /* the name was given twice: an error when used */
    arb_table *table;   /* a reference; for files the version that was opened last, or NULL */
} entry;

struct arb_catalog {
    pthread_mutex_t lock;
    const arb_file_formats *formats;
    arb_file_cache *cache;
    arb_stop_flag *stop;
    ARB_VEC(entry *) entries;
    ARB_VEC(char *) schemas; /* the first is "main" */
    size_t current;          /* of the schemas */
};

static arb_str schema_name(const arb_catalog *catalog, size_t at)
{
    return arb_str_of(catalog->schemas.data[at]);
}

static void entry_destroy(entry *self)
{
    if (self == NULL)
        return;
    arb_table_unref(self->table);
    arb_arena_reset(&self->arena);
    arb_free(self);
}

arb_code arb_catalog_create(const arb_file_formats *formats, arb_file_cache *cache, arb_catalog **out_catalog,
                            arb_error *error)
{
    *out_catalog = NULL;
    arb_catalog *catalog = arb_alloc_zeroed(sizeof *catalog);
    char *main_schema = arb_strndup("main", 4);
    if (catalog == NULL || main_schema == NULL || !ARB_VEC_PUSH(&catalog->schemas, main_schema)) {
        arb_free(main_schema);
        arb_free(catalog);
        return arb_fail_memory(error, "a catalog", sizeof *catalog);
    }
    catalog->formats = formats;
    catalog->cache = cache;
    pthread_mutex_init(&catalog->lock, NULL);
    *out_catalog = catalog;
    return ARB_OK;
}

void arb_catalog_set_stop(arb_catalog *catalog, arb_stop_flag *stop)
{
    catalog->stop = stop;
}

void arb_catalog_destroy(arb_catalog *catalog)
{
    if (catalog == NULL)
        return;
    for (size_t i = 0; i < catalog->entries.size; i++)
        entry_destroy(catalog->entries.data[i]);
    for (size_t i = 0; i < catalog->schemas.size; i++)
        arb_free(catalog->schemas.data[i]);
    ARB_VEC_RESET(&catalog->entries);
    ARB_VEC_RESET(&catalog->schemas);
    pthread_mutex_destroy(&catalog->lock);
    arb_free(catalog);
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */
static bool same_part(arb_str name, const arb_catalog_part *part)
{
    return part->quoted ? arb_str_equal(name, part->text) : arb_str_equal_nocase(name, part->text);
}

static arb_code undefined_schema(arb_str name, arb_error *error)
{
    return arb_fail(error, ARB_UNDEFINED_OBJECT, "schema \"%.*s\" does not exist", ARB_STR_ARGS(name));
}

/* Index of the schema, or -1. */
static ptrdiff_t schema_index(const arb_catalog *catalog, const arb_catalog_part *part)
{
    for (size_t i = 0; i < catalog->schemas.size; i++)
        if (same_part(schema_name(catalog, i), part))
            return (ptrdiff_t)i;
    return -1;
}

/* The schema that a name says, or -1 when it says none. */
static arb_code schema_of(const arb_catalog *catalog, arb_catalog_name name, ptrdiff_t *out_schema, arb_error *error)
{
    *out_schema = -1;
    if (name.count == 0 || name.count > 3)
        return arb_fail(error, ARB_SYNTAX, "a table's name has one to three parts");
    if (name.count == 3 && !same_part(ARB_STR("arbalest"), &name.parts[0]))
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "catalog \"%.*s\" does not exist",
                        ARB_STR_ARGS(name.parts[0].text));
    if (name.count == 1)
        return ARB_OK;
    const arb_catalog_part *part = &name.parts[name.count - 2];
    if ((*out_schema = schema_index(catalog, part)) < 0)
        return undefined_schema(part->text, error);
    return ARB_OK;
}

/* The entry of that name in one schema; NULL in *out when there is none. */
static arb_code find_in(const arb_catalog *catalog, arb_str schema, const arb_catalog_part *part, entry **out,
                        arb_error *error)
{
    uint64_t hash = arb_str_hash_nocase(part->text);
    bool ambiguous = false;
    *out = NULL;
    for (size_t i = 0; i < catalog->entries.size; i++) {
        entry *at = catalog->entries.data[i];
        if (at->hash != hash || !arb_str_equal(at->schema, schema) || !same_part(at->name, part))
            continue;
        if (arb_str_equal(at->name, part->text)) {
            *out = at;
            return ARB_OK;
        }
        ambiguous = *out != NULL;
        *out = at;
    }
    if (!ambiguous)
        return ARB_OK;
    arb_code code = arb_fail(error, ARB_AMBIGUOUS_TABLE, "several tables are named \"%.*s\", in different case",
                             ARB_STR_ARGS(part->text));
    arb_error_hint(error, "Write the name in double quotes, exactly as it is.");
    return code;
}

/* The nearest name becomes a hint. */
static arb_code undefined_table(const arb_catalog *catalog, arb_catalog_name name, arb_error *error)
{
    arb_str wanted = name.parts[name.count - 1].text;
    arb_code code = arb_fail(error, ARB_UNDEFINED_TABLE, "table \"%.*s\" does not exist", ARB_STR_ARGS(wanted));
    unsigned best = wanted.size < 3 ? 1 : wanted.size < 6 ? 2 : 3;
    const entry *nearest = NULL;
    for (size_t i = 0; i < catalog->entries.size; i++) {
        unsigned distance = arb_str_distance(catalog->entries.data[i]->name, wanted, best);
        if (distance <= best && (nearest == NULL || distance < best)) {
            best = distance;
            nearest = catalog->entries.data[i];
        }
    }
    if (nearest != NULL)
        arb_error_hint(error, "Did you mean \"%.*s\"?", ARB_STR_ARGS(nearest->name));
    else if (catalog->entries.size == 0)
        arb_error_hint(error, "There are no tables; give a folder of files with --data, or CREATE one.");
    return code;
}

/* Search order: the schema that is named, else the current one, then "main". */
static arb_code find_entry(const arb_catalog *catalog, arb_catalog_name name, bool must, entry **out, arb_error *error)
{
    ptrdiff_t schema;
    *out = NULL;
    ARB_TRY(schema_of(catalog, name, &schema, error));
    const arb_catalog_part *part = &name.parts[name.count - 1];
    ARB_TRY(find_in(catalog, schema_name(catalog, schema < 0 ? catalog->current : (size_t)schema), part, out, error));
    if (*out == NULL && schema < 0 && catalog->current != 0)
        ARB_TRY(find_in(catalog, schema_name(catalog, 0), part, out, error));
    return *out == NULL && must ? undefined_table(catalog, name, error) : ARB_OK;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */
/* A new reference to the entry's table as it is now. */
static arb_code open_entry(arb_catalog *catalog, entry *self, arb_table **out_table, arb_error *error)
{
    if (self->other_path.size != 0) {
        arb_code code = arb_fail(error, ARB_AMBIGUOUS_TABLE, "table \"%.*s\" is there twice", ARB_STR_ARGS(self->name));
        arb_error_detail(error, "%.*s and %.*s", ARB_STR_ARGS(self->files.paths[0]), ARB_STR_ARGS(self->other_path));
        return code;
    }
    if (self->files.path_count == 0) {
        ARB_TRY(arb_table_load(self->table, error));
        *out_table = arb_table_ref(self->table);
        return ARB_OK;
    }
    ARB_TRY(arb_file_set_open(&self->files, self->name, catalog->formats, catalog->cache, catalog->stop, self->table,
                              out_table, error));
    if (*out_table != self->table) {
        arb_table_unref(self->table);
        self->table = arb_table_ref(*out_table);
    }
    return ARB_OK;
}

static bool copy_view(arb_arena *arena, const arb_view *from, arb_view *to)
{
    arb_str *columns = ARB_ARENA_ARRAY(arena, arb_str, ARB_MAX(from->column_count, 1));
    *to = (arb_view){.schema = arb_str_copy(arena, from->schema),
                     .name = arb_str_copy(arena, from->name),
                     .sql = arb_str_copy(arena, from->sql),
                     .column_count = from->column_count,
                     .columns = columns};
    bool complete = columns != NULL && to->schema.data != NULL && to->name.data != NULL && to->sql.data != NULL;
    for (size_t i = 0; complete && i < from->column_count; i++)
        complete = (columns[i] = arb_str_copy(arena, from->columns[i])).data != NULL;
    return complete;
}

/* Hand a reference over to the arena. */
static arb_code give_table(arb_arena *arena, arb_table *table, arb_relation *out_relation, arb_error *error)
{
    arb_code code = arb_table_give(table, arena, error);
    if (code == ARB_OK)
        out_relation->table = table;
    return code;
}

arb_code arb_catalog_find(arb_catalog *catalog, arb_arena *arena, arb_catalog_name name, arb_relation *out_relation,
                          arb_error *error)
{
    *out_relation = (arb_relation){0};
    arb_table *table = NULL;
    entry *found;
    pthread_mutex_lock(&catalog->lock);
    arb_code code = find_entry(catalog, name, true, &found, error);
    if (code == ARB_OK && found->is_view) {
        arb_view *view = ARB_ARENA_NEW(arena, arb_view);
        if (view == NULL || !copy_view(arena, &found->view, view))
            code = arb_fail_memory(error, "a view", sizeof *view);
        else
            out_relation->view = view;
    } else if (code == ARB_OK) {
        code = open_entry(catalog, found, &table, error);
    }
    pthread_mutex_unlock(&catalog->lock);
    return code == ARB_OK && table != NULL ? give_table(arena, table, out_relation, error) : code;
}

static arb_code check_paths(const arb_file_set *files, arb_error *error)
{
    for (size_t i = 0; i < files->path_count; i++)
        if (files->paths[i].size == 0 || memchr(files->paths[i].data, '\0', files->paths[i].size) != NULL)
            return arb_fail(error, ARB_INVALID_PARAMETER, "a path is empty or holds a zero byte");
    return files->path_count != 0 ? ARB_OK : arb_fail(error, ARB_INVALID_PARAMETER, "a list of paths is empty");
}

arb_code arb_catalog_find_files(arb_catalog *catalog, arb_arena *arena, const arb_file_set *files,
                                arb_relation *out_relation, arb_error *error)
{
    *out_relation = (arb_relation){0};
    arb_table *table = NULL;
    arb_file_set copy; /* whose paths end with NUL */
    ARB_TRY(check_paths(files, error));
    if (!arb_file_set_copy(arena, files, &copy))
        return arb_fail_memory(error, "paths of files", files->path_count * sizeof *files->paths);
    /* The cache keeps the files; the table itself is cheap to make again. */
    ARB_TRY(
        arb_file_set_open(&copy, copy.paths[0], catalog->formats, catalog->cache, catalog->stop, NULL, &table, error));
    return give_table(arena, table, out_relation, error);
}

const arb_file_formats *arb_catalog_formats(const arb_catalog *catalog)
{
    return catalog->formats;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */
/* A new entry that is not in the list yet. */
static entry *entry_create(arb_str schema, arb_str name)
{
    entry *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return NULL;
    self->schema = arb_str_copy(&self->arena, schema);
    self->name = arb_str_copy(&self->arena, name);
    self->hash = arb_str_hash_nocase(name);
    if (self->schema.data == NULL || self->name.data == NULL) {
        entry_destroy(self);
        return NULL;
    }
    return self;
}

bool arb_catalog_has(arb_catalog *catalog, arb_catalog_name name)
{
    entry *found = NULL;
    ptrdiff_t schema;
    pthread_mutex_lock(&catalog->lock);
    if (schema_of(catalog, name, &schema, NULL) == ARB_OK) {
        arb_catalog_part part = {name.parts[name.count - 1].text, false};
        arb_str in = schema_name(catalog, schema < 0 ? catalog->current : (size_t)schema);
        (void)!find_in(catalog, in, &part, &found, NULL);
    }
    pthread_mutex_unlock(&catalog->lock);
    return found != NULL;
}

static arb_code wrong_kind(const entry *found, arb_error *error)
{
    return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "\"%.*s\" is a %s", ARB_STR_ARGS(found->name),
                    found->is_view ? "view" : "table");
}

/* Add an entry under `name`: `fill` completes it. The lock is taken here. */
typedef bool (*fill_fn)(entry *self, const void *what);

static arb_code add(arb_catalog *catalog, arb_catalog_name name, bool is_view, fill_fn fill, const void *what,
                    arb_catalog_existing existing, bool *out_created, arb_error *error)
{
    entry *made = NULL, *found = NULL;
    ptrdiff_t schema;
    if (out_created != NULL)
        *out_created = false;
    pthread_mutex_lock(&catalog->lock);
    arb_code code;
    ARB_TRY_GOTO(code, schema_of(catalog, name, &schema, error), done);
    arb_str in = schema_name(catalog, schema < 0 ? catalog->current : (size_t)schema);
    /* A name that differs by case only would be ambiguous ever after, so it counts as there. */
    arb_catalog_part part = {name.parts[name.count - 1].text, false};
    ARB_TRY_GOTO(code, find_in(catalog, in, &part, &found, error), done);
    if (found != NULL && existing == ARB_EXISTING_KEEP)
        goto done;
    if (found != NULL && existing == ARB_EXISTING_FAIL) {
        code = arb_fail(error, ARB_DUPLICATE_TABLE, "%s \"%.*s\" exists already", found->is_view ? "view" : "table",
                        ARB_STR_ARGS(found->name));
        goto done;
    }
    if (found != NULL && found->is_view != is_view) {
        code = wrong_kind(found, error);
        goto done;
    }
    made = entry_create(in, part.text);
    if (made == NULL || !fill(made, what) || !ARB_VEC_RESERVE(&catalog->entries, catalog->entries.size + 1)) {
        entry_destroy(made);
        code = arb_fail_memory(error, "the catalog", sizeof *made);
        goto done;
    }
    made->is_view = is_view;
    if (out_created != NULL)
        *out_created = true;
    if (found == NULL) {
        catalog->entries.data[catalog->entries.size++] = made;
        goto done;
    }
    for (size_t i = 0; i < catalog->entries.size; i++)
        if (catalog->entries.data[i] == found)
            catalog->entries.data[i] = made;
    entry_destroy(found);

done:
    pthread_mutex_unlock(&catalog->lock);
    return code;
}

static bool fill_table(entry *self, const void *what)
{
    self->table = arb_table_ref((arb_table *)what);
    return true;
}

static bool fill_view(entry *self, const void *what)
{
    arb_view view = *(const arb_view *)what;
    view.schema = self->schema;
    view.name = self->name;
    return copy_view(&self->arena, &view, &self->view);
}

static bool fill_files(entry *self, const void *what)
{
    return arb_file_set_copy(&self->arena, what, &self->files);
}

arb_code arb_catalog_add_table(arb_catalog *catalog, arb_catalog_name name, arb_table *table,
                               arb_catalog_existing existing, bool *out_created, arb_error *error)
{
    return add(catalog, name, false, fill_table, table, existing, out_created, error);
}

arb_code arb_catalog_add_view(arb_catalog *catalog, arb_catalog_name name, const arb_view *view,
                              arb_catalog_existing existing, bool *out_created, arb_error *error)
{
    return add(catalog, name, true, fill_view, view, existing, out_created, error);
}

arb_code arb_catalog_add_files(arb_catalog *catalog, arb_catalog_name name, const arb_file_set *files,
                               arb_catalog_existing existing, bool *out_created, arb_error *error)
{
    ARB_TRY(check_paths(files, error));
    return add(catalog, name, false, fill_files, files, existing, out_created, error);
}

arb_code arb_catalog_add_folder(arb_catalog *catalog, arb_str folder, arb_error *error)
{
    arb_arena scratch = {0};
    arb_folder_items items;
    arb_code code = arb_data_folder_list(&scratch, folder, catalog->formats, &items, catalog->stop, error);
    pthread_mutex_lock(&catalog->lock);
    size_t listed = catalog->entries.size; /* of other folders */
    for (size_t i = 0; code == ARB_OK && i < items.size; i++) {
        const arb_folder_item *item = &items.data[i];
        entry *twin = NULL;
        if (i > 0 && arb_str_equal(items.data[i - 1].name, item->name))
            twin = catalog->entries.data[catalog->entries.size - 1];
        uint64_t hash = arb_str_hash_nocase(item->name);
        for (size_t at = 0; twin == NULL && at < listed; at++)
            if (catalog->entries.data[at]->hash == hash && arb_str_equal(catalog->entries.data[at]->name, item->name))
                twin = catalog->entries.data[at];
        entry *made = twin != NULL ? NULL : entry_create(schema_name(catalog, 0), item->name);
        arb_file_set what = {.paths = &item->path, .path_count = 1, .format = item->format};
        bool fine = twin != NULL ? (twin->other_path = arb_str_copy(&twin->arena, item->path)).data != NULL
                                 : made != NULL && fill_files(made, &what) && ARB_VEC_PUSH(&catalog->entries, made);
        if (!fine) {
            entry_destroy(made);
            code = arb_fail_memory(error, "the catalog", sizeof *made);
        }
    }
    pthread_mutex_unlock(&catalog->lock);
    arb_arena_reset(&scratch);
    return code;
}

arb_code arb_catalog_replace_table(arb_catalog *catalog, arb_catalog_name name, const arb_table *expected,
                                   arb_table *table, arb_error *error)
{
    entry *found;
    pthread_mutex_lock(&catalog->lock);
    arb_code code = find_entry(catalog, name, true, &found, error);
    if (code == ARB_OK && found->table != expected)
        code = arb_fail(error, ARB_UNDEFINED_TABLE, "table \"%.*s\" was changed by another statement meanwhile",
                        ARB_STR_ARGS(found->name));
    if (code == ARB_OK) {
        arb_table_unref(found->table);
        found->table = arb_table_ref(table);
    }
    pthread_mutex_unlock(&catalog->lock);
    return code;
}

arb_code arb_catalog_drop(arb_catalog *catalog, arb_catalog_name name, arb_catalog_kind kind, bool if_exists,
                          arb_error *error)
{
    entry *found = NULL;
    pthread_mutex_lock(&catalog->lock);
    arb_code code = find_entry(catalog, name, !if_exists, &found, error);
    if (code == ARB_OK && found != NULL && found->is_view != (kind == ARB_CATALOG_VIEW)) {
        code = wrong_kind(found, error);
        arb_error_hint(error, "Use DROP %s.", found->is_view ? "VIEW" : "TABLE");
    } else if (code == ARB_OK && found != NULL) {
        size_t at = 0;
        while (catalog->entries.data[at] != found)
            at++;
        catalog->entries.data[at] = catalog->entries.data[--catalog->entries.size];
        entry_destroy(found);
    }
    pthread_mutex_unlock(&catalog->lock);
    return code;
}

/* ---- schemas and listings ---------------------------------------------------------------------------------------- */
arb_code arb_catalog_add_schema(arb_catalog *catalog, arb_str name, bool if_not_exists, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&catalog->lock);
    if (schema_index(catalog, &(arb_catalog_part){name, false}) >= 0) {
        if (!if_not_exists)
            code = arb_fail(error, ARB_DUPLICATE_TABLE, "schema \"%.*s\" exists already", ARB_STR_ARGS(name));
    } else {
        char *copy = arb_strndup(name.data, name.size);
        if (copy == NULL || !ARB_VEC_PUSH(&catalog->schemas, copy)) {
            arb_free(copy);
            code = arb_fail_memory(error, "a schema", name.size);
        }
    }
    pthread_mutex_unlock(&catalog->lock);
    return code;
}

arb_code arb_catalog_drop_schema(arb_catalog *catalog, arb_str name, bool if_exists, bool cascade, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&catalog->lock);
    ptrdiff_t at = schema_index(catalog, &(arb_catalog_part){name, false});
    if (at < 0) {
        code = if_exists ? ARB_OK : undefined_schema(name, error);
        goto done;
    }
    if (at == 0) {
        code = arb_fail(error, ARB_WRONG_OBJECT_TYPE, "schema \"main\" cannot be dropped");
        goto done;
    }
    arb_str schema = schema_name(catalog, (size_t)at);
    size_t kept = 0;
    for (size_t i = 0; i < catalog->entries.size && !cascade; i++)
        if (arb_str_equal(catalog->entries.data[i]->schema, schema)) {
            code = arb_fail(error, ARB_WRONG_OBJECT_TYPE, "schema \"%.*s\" is not empty", ARB_STR_ARGS(schema));
            arb_error_hint(error, "DROP SCHEMA … CASCADE drops what is in it.");
            goto done;
        }
    for (size_t i = 0; i < catalog->entries.size; i++) {
        if (arb_str_equal(catalog->entries.data[i]->schema, schema))
            entry_destroy(catalog->entries.data[i]);
        else
            catalog->entries.data[kept++] = catalog->entries.data[i];
    }
    catalog->entries.size = kept;
    arb_free(catalog->schemas.data[at]);
    catalog->schemas.size--;
    memmove(&catalog->schemas.data[at], &catalog->schemas.data[at + 1],
            (catalog->schemas.size - (size_t)at) * sizeof *catalog->schemas.data);
    if (catalog->current == (size_t)at)
        catalog->current = 0;
    else if (catalog->current > (size_t)at)
        catalog->current--;

done:
    pthread_mutex_unlock(&catalog->lock);
    return code;
}

arb_code arb_catalog_use_schema(arb_catalog *catalog, arb_str name, arb_error *error)
{
    pthread_mutex_lock(&catalog->lock);
    ptrdiff_t at = schema_index(catalog, &(arb_catalog_part){name, false});
    if (at >= 0)
        catalog->current = (size_t)at;
    pthread_mutex_unlock(&catalog->lock);
    return at >= 0 ? ARB_OK : undefined_schema(name, error);
}

static int compare_listed(const void *a, const void *b)
{
    const arb_catalog_listed *x = a, *y = b;
    int order = arb_str_compare(x->schema, y->schema);
    return order != 0 ? order : arb_str_compare(x->name, y->name);
}

arb_code arb_catalog_list(arb_catalog *catalog, arb_arena *arena, arb_catalog_listing *out_listing, arb_error *error)
{
    *out_listing = (arb_catalog_listing){0};
    bool fine = true;
    pthread_mutex_lock(&catalog->lock);
    for (size_t i = 0; fine && i < catalog->entries.size; i++) {
        const entry *at = catalog->entries.data[i];
        arb_catalog_listed item = {arb_str_copy(arena, at->schema), arb_str_copy(arena, at->name),
                                   at->is_view ? "view" : "table"};
        fine = item.schema.data != NULL && item.name.data != NULL && ARB_ARENA_PUSH(arena, out_listing, item);
    }
    pthread_mutex_unlock(&catalog->lock);
    if (!fine)
        return arb_fail_memory(error, "the list of tables", 0);
    if (out_listing->size > 1)
        qsort(out_listing->data, out_listing->size, sizeof *out_listing->data, compare_listed);
    return ARB_OK;
}

arb_code arb_catalog_list_schemas(arb_catalog *catalog, arb_arena *arena, arb_schema_names *out_names, arb_error *error)
{
    *out_names = (arb_schema_names){0};
    bool fine = true;
    pthread_mutex_lock(&catalog->lock);
    for (size_t i = 0; fine && i < catalog->schemas.size; i++) {
        arb_str name = arb_str_copy(arena, schema_name(catalog, i));
        fine = name.data != NULL && ARB_ARENA_PUSH(arena, out_names, name);
    }
    pthread_mutex_unlock(&catalog->lock);
    return fine ? ARB_OK : arb_fail_memory(error, "the list of schemas", 0);
}
