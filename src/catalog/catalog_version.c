#include "catalog/catalog_version.h"

#include "base/alloc.h"

/* ---- entries ----------------------------------------------------------------------------------------------------- */
arb_catalog_entry *arb_catalog_entry_create(arb_str schema, arb_str name)
{
    arb_catalog_entry *entry = arb_alloc_zeroed(sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->references = 1;
    pthread_mutex_init(&entry->lock, NULL);
    entry->schema = arb_str_copy(&entry->arena, schema);
    entry->name = arb_str_copy(&entry->arena, name);
    entry->hash = arb_str_hash_nocase(name);
    if (entry->schema.data == NULL || entry->name.data == NULL) {
        arb_catalog_entry_unref(entry);
        return NULL;
    }
    return entry;
}

bool arb_catalog_entry_set_files(arb_catalog_entry *entry, const arb_file_set *files)
{
    return arb_file_set_copy(&entry->arena, files, &entry->files);
}

bool arb_catalog_copy_view(arb_arena *arena, const arb_view *from, arb_view *to)
{
    arb_str *columns = ARB_ARENA_ARRAY(arena, arb_str, ARB_MAX(from->column_count, 1));
    *to = (arb_view){.schema = arb_str_copy(arena, from->schema),
                     .name = arb_str_copy(arena, from->name),
                     .searched = arb_str_copy(arena, from->searched),
                     .temporary = from->temporary,
                     .sql = arb_str_copy(arena, from->sql),
                     .column_count = from->column_count,
                     .columns = columns};
    bool complete = columns != NULL && to->schema.data != NULL && to->name.data != NULL && to->searched.data != NULL &&
                    to->sql.data != NULL;
    for (size_t i = 0; complete && i < from->column_count; i++)
        complete = (columns[i] = arb_str_copy(arena, from->columns[i])).data != NULL;
    return complete;
}

bool arb_catalog_entry_set_view(arb_catalog_entry *entry, const arb_view *view)
{
    entry->is_view = true;
    return arb_catalog_copy_view(&entry->arena, view, &entry->view);
}

void arb_catalog_entry_set_table(arb_catalog_entry *entry, arb_table *table)
{
    entry->table = arb_table_ref(table);
}

void arb_catalog_entry_unref(arb_catalog_entry *entry)
{
    if (entry == NULL || atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) != 1)
        return;
    arb_table_unref(entry->table);
    pthread_mutex_destroy(&entry->lock);
    arb_arena_reset(&entry->arena);
    arb_free(entry);
}

/* ---- versions ---------------------------------------------------------------------------------------------------- */
arb_catalog_version *arb_catalog_version_create(const arb_catalog_version *from)
{
    arb_catalog_version *version = arb_alloc_zeroed(sizeof *version);
    if (version == NULL)
        return NULL;
    version->references = 1;
    bool fine = from == NULL || ARB_VEC_RESERVE(&version->entries, from->entries.size);
    for (size_t i = 0; fine && from != NULL && i < from->schemas.size; i++)
        fine = arb_catalog_version_add_schema(version, from->schemas.data[i]);
    if (!fine) {
        arb_catalog_version_unref(version);
        return NULL;
    }
    for (size_t i = 0; from != NULL && i < from->entries.size; i++) {
        arb_catalog_entry *entry = from->entries.data[i];
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        version->entries.data[version->entries.size++] = entry;
    }
    return version;
}

arb_catalog_version *arb_catalog_version_ref(arb_catalog_version *version)
{
    atomic_fetch_add_explicit(&version->references, 1, memory_order_relaxed);
    return version;
}

void arb_catalog_version_unref(arb_catalog_version *version)
{
    if (version == NULL || atomic_fetch_sub_explicit(&version->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < version->entries.size; i++)
        arb_catalog_entry_unref(version->entries.data[i]);
    ARB_VEC_RESET(&version->entries);
    ARB_VEC_RESET(&version->schemas);
    arb_arena_reset(&version->arena);
    arb_free(version);
}

/* ---- making ------------------------------------------------------------------------------------------------------ */
bool arb_catalog_version_add(arb_catalog_version *version, arb_catalog_entry *entry)
{
    assert(version->references == 1);
    return ARB_VEC_PUSH(&version->entries, entry);
}

void arb_catalog_version_replace(arb_catalog_version *version, const arb_catalog_entry *entry, arb_catalog_entry *by)
{
    size_t at = 0;
    assert(version->references == 1);
    while (version->entries.data[at] != entry)
        at++;
    arb_catalog_entry_unref(version->entries.data[at]);
    version->entries.data[at] = by != NULL ? by : version->entries.data[--version->entries.size];
}

bool arb_catalog_version_add_schema(arb_catalog_version *version, arb_str name)
{
    arb_str copy = arb_str_copy(&version->arena, name);
    assert(version->references == 1);
    return copy.data != NULL && ARB_VEC_PUSH(&version->schemas, copy);
}

void arb_catalog_version_remove_schema(arb_catalog_version *version, size_t at)
{
    arb_str schema = version->schemas.data[at];
    size_t kept = 0;
    assert(version->references == 1);
    for (size_t i = 0; i < version->entries.size; i++) {
        if (arb_str_equal(version->entries.data[i]->schema, schema))
            arb_catalog_entry_unref(version->entries.data[i]);
        else
            version->entries.data[kept++] = version->entries.data[i];
    }
    version->entries.size = kept;
    version->schemas.size--;
    memmove(&version->schemas.data[at], &version->schemas.data[at + 1],
            (version->schemas.size - at) * sizeof *version->schemas.data);
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */
bool arb_catalog_same_part(arb_str name, const arb_catalog_part *part)
{
    return part->quoted ? arb_str_equal(name, part->text) : arb_str_equal_nocase(name, part->text);
}

ptrdiff_t arb_catalog_version_schema(const arb_catalog_version *version, const arb_catalog_part *part)
{
    for (size_t i = 0; i < version->schemas.size; i++)
        if (arb_catalog_same_part(version->schemas.data[i], part))
            return (ptrdiff_t)i;
    return -1;
}

arb_code arb_catalog_version_find(const arb_catalog_version *version, arb_str schema, const arb_catalog_part *part,
                                  arb_catalog_entry **out_entry, arb_error *error)
{
    uint64_t hash = arb_str_hash_nocase(part->text);
    bool ambiguous = false;
    *out_entry = NULL;
    for (size_t i = 0; i < version->entries.size; i++) {
        arb_catalog_entry *at = version->entries.data[i];
        if (at->hash != hash || !arb_str_equal(at->schema, schema) || !arb_catalog_same_part(at->name, part))
            continue;
        if (arb_str_equal(at->name, part->text)) {
            *out_entry = at;
            return ARB_OK;
        }
        ambiguous = *out_entry != NULL;
        *out_entry = at;
    }
    if (!ambiguous)
        return ARB_OK;
    arb_code code = arb_fail(error, ARB_AMBIGUOUS_TABLE, "several tables are named \"%.*s\", in different case",
                             ARB_STR_ARGS(part->text));
    arb_error_hint(error, "Write the name in double quotes, exactly as it is.");
    return code;
}
