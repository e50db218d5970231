#include "catalog/catalog_keeping.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "catalog/catalog_internal.h"
#include "catalog/catalog_record.h"
#include "catalog/memory_table_internal.h"

#define KEYS "catalog/"
#define SCHEMAS_KEY KEYS "schemas"
#define ENTRY_KEYS KEYS "entry/"
enum { ENTRY_KEY_SIZE = sizeof ENTRY_KEYS + 16 };

struct arb_catalog_keeping {
    arb_store *store;
    uint64_t term, last_number;
    arb_segment_shelf shelf;
    bool in_doubt; /* the last transaction failed, and may be there after a crash */
};

/* ---- changes ----------------------------------------------------------------------------------------------------- */
static bool has(const arb_catalog_version *version, const arb_catalog_entry *entry)
{
    for (size_t i = 0; i < version->entries.size; i++)
        if (version->entries.data[i] == entry)
            return true;
    return false;
}

static bool same_schemas(const arb_catalog_version *a, const arb_catalog_version *b)
{
    bool same = a->schemas.size == b->schemas.size;
    for (size_t i = 0; same && i < a->schemas.size; i++)
        same = arb_str_equal(a->schemas.data[i], b->schemas.data[i]);
    return same;
}

/* How many segments the record of an entry names. */
static size_t segment_count(const arb_catalog_entry *entry)
{
    bool in_memory = !entry->is_view && entry->files.path_count == 0 && entry->table != NULL;
    return in_memory ? arb_memory_table_of(entry->table)->chunk_count : entry->lost_count;
}

static const arb_segment_name *segment_of(const arb_catalog_entry *entry, size_t at)
{
    return entry->lost_count == 0 ? &arb_memory_table_of(entry->table)->chunks[at]->name : &entry->lost_segments[at];
}

static void release_some(arb_catalog_keeping *keeping, const arb_catalog_entry *entry, size_t count)
{
    for (size_t i = 0; i < count; i++)
        keeping->shelf.release(keeping->shelf.context, segment_of(entry, i));
}

static void release(arb_catalog_keeping *keeping, const arb_catalog_entry *entry)
{
    if (entry->number != 0)
        release_some(keeping, entry, segment_count(entry));
}

/* The transaction of one change. */
typedef struct keeping_change {
    arb_catalog_keeping *keeping;
    arb_arena arena; /* keys */
    ARB_VEC(arb_store_operation) operations;
    ARB_VEC(arb_text) values; /* heap: theirs can be large */
    arb_error *error;
} keeping_change;

static arb_code no_memory(const keeping_change *c)
{
    return arb_fail_memory(c->error, "a change of the catalog", sizeof(arb_store_operation));
}

static arb_str entry_key(arb_arena *arena, uint64_t number)
{
    char key[ENTRY_KEY_SIZE];
    int size = snprintf(key, sizeof key, ENTRY_KEYS "%016" PRIx64, number);
    return arb_str_copy(arena, (arb_str){key, (size_t)size});
}

/* Takes the text over, also on failure. */
static arb_code put(keeping_change *c, arb_str key, arb_text *value)
{
    arb_store_operation operation = {ARB_STORE_PUT, key, arb_text_view(value)};
    if (key.data != NULL && ARB_VEC_PUSH(&c->values, *value)) {
        *value = (arb_text){0};
        return ARB_VEC_PUSH(&c->operations, operation) ? ARB_OK : no_memory(c);
    }
    arb_text_reset(value);
    return no_memory(c);
}

typedef struct keeping_namer {
    arb_catalog_keeping *keeping;
    size_t kept; /* chunks of the entry so far */
} keeping_namer;

static arb_code keep_chunk(void *context, arb_memory_chunk *chunk, arb_segment_name *out_name, arb_error *error)
{
    keeping_namer *namer = context;
    ARB_TRY(namer->keeping->shelf.keep(namer->keeping->shelf.context, chunk, out_name, error));
    namer->kept++;
    return ARB_OK;
}

static arb_code put_entry(keeping_change *c, arb_catalog_entry *entry)
{
    keeping_namer context = {.keeping = c->keeping};
    arb_segment_namer namer = {&context, keep_chunk};
    arb_text value = {0};
    arb_code code = arb_catalog_record_write(entry, &namer, &value, c->error);
    if (code == ARB_OK)
        code = put(c, entry_key(&c->arena, c->keeping->last_number + 1), &value);
    arb_text_reset(&value);
    if (code != ARB_OK) {
        release_some(c->keeping, entry, context.kept);
        return code;
    }
    entry->number = ++c->keeping->last_number; /* nobody else sees the entry yet */
    return ARB_OK;
}

static arb_code delete_entry(keeping_change *c, uint64_t number)
{
    arb_store_operation operation = {.kind = ARB_STORE_DELETE, .key = entry_key(&c->arena, number)};
    return operation.key.data != NULL && ARB_VEC_PUSH(&c->operations, operation) ? ARB_OK : no_memory(c);
}

static arb_code put_schemas(keeping_change *c, const arb_catalog_version *version)
{
    arb_text value = {0};
    arb_code code = arb_catalog_schemas_write(version, &value, c->error);
    if (code == ARB_OK)
        code = put(c, ARB_STR(SCHEMAS_KEY), &value);
    arb_text_reset(&value);
    return code;
}

static arb_code collect_operations(keeping_change *c, const arb_catalog_version *before,
                                   const arb_catalog_version *after)
{
    if (!same_schemas(before, after))
        ARB_TRY(put_schemas(c, after));
    for (size_t i = 0; i < before->entries.size; i++) {
        const arb_catalog_entry *entry = before->entries.data[i];
        if (entry->number != 0 && !has(after, entry))
            ARB_TRY(delete_entry(c, entry->number));
    }
    for (size_t i = 0; i < after->entries.size; i++) {
        arb_catalog_entry *entry = after->entries.data[i];
        if (entry->number == 0 && !entry->is_given && !has(before, entry))
            ARB_TRY(put_entry(c, entry));
    }
    return ARB_OK;
}

/* ARB_CONFLICT: the term is another's. */
static arb_code commit(keeping_change *c)
{
    arb_store_outcome outcome;
    arb_catalog_keeping *keeping = c->keeping;
    arb_code code = arb_store_txn_wait(keeping->store, keeping->term, c->operations.data, c->operations.size, &outcome,
                                       NULL, c->error);
    if (code == ARB_OK && outcome != ARB_STORE_COMMITTED)
        return arb_fail(c->error, ARB_CONFLICT, "a newer scheduler has taken over from this one: connect again");
    keeping->in_doubt = code != ARB_OK;
    return code;
}

static arb_code write(keeping_change *c)
{
    return c->operations.size != 0 ? commit(c) : ARB_OK;
}

static void reset(keeping_change *c)
{
    for (size_t i = 0; i < c->values.size; i++)
        arb_text_reset(&c->values.data[i]);
    ARB_VEC_RESET(&c->values);
    ARB_VEC_RESET(&c->operations);
    arb_arena_reset(&c->arena);
}

arb_code arb_catalog_keeping_write(arb_catalog_keeping *keeping, const arb_catalog_version *before,
                                   const arb_catalog_version *after, arb_error *error)
{
    keeping_change c = {.keeping = keeping, .error = error};
    arb_code code = collect_operations(&c, before, after);
    if (code == ARB_OK)
        code = write(&c);
    for (size_t i = 0; code != ARB_OK && i < after->entries.size; i++)
        if (!has(before, after->entries.data[i]))
            release(keeping, after->entries.data[i]);
    reset(&c);
    return code;
}

void arb_catalog_keeping_forget(arb_catalog_keeping *keeping, const arb_catalog_version *before,
                                const arb_catalog_version *after)
{
    for (size_t i = 0; i < before->entries.size; i++)
        if (!has(after, before->entries.data[i]))
            release(keeping, before->entries.data[i]);
}

/* That what the store has is known again: something is written that changes nothing. */
static arb_code settle_doubt(arb_catalog_keeping *keeping, const arb_catalog_version *newest)
{
    keeping_change c = {.keeping = keeping};
    arb_code code = put_schemas(&c, newest);
    if (code == ARB_OK)
        code = commit(&c);
    reset(&c);
    return code;
}

bool arb_catalog_keeping_collect(arb_catalog_keeping *keeping, const arb_catalog_version *newest)
{
    const arb_segment_shelf *shelf = &keeping->shelf;
    arb_store_outcome outcome;
    if (!shelf->has_unneeded(shelf->context) || (keeping->in_doubt && settle_doubt(keeping, newest) != ARB_OK))
        return false;
    arb_code code = arb_store_act_wait(keeping->store, keeping->term, shelf->collect, shelf->context, &outcome, NULL);
    return code == ARB_OK && outcome == ARB_STORE_COMMITTED && shelf->has_unneeded(shelf->context);
}

/* ---- the start --------------------------------------------------------------------------------------------------- */
typedef struct recovery {
    arb_catalog *catalog;
    arb_catalog_version *version; /* being made */
    keeping_change change;        /* records that are not needed any more */
} recovery;

/* A record that a later one has the name of is what a crash left of a change that its maker was told had failed. */
static arb_code take_entry(recovery *r, arb_catalog_entry *entry)
{
    arb_catalog_entry *there;
    arb_catalog_part schema = {entry->schema, true}, name = {entry->name, true};
    const arb_segment_shelf *shelf = &r->change.keeping->shelf;
    if (arb_catalog_version_schema(r->version, &schema) < 0 &&
        !arb_catalog_version_add_schema(r->version, entry->schema))
        return no_memory(&r->change);
    ARB_TRY(arb_catalog_version_find(r->version, entry->schema, &name, &there, r->change.error));
    for (size_t i = 0; i < segment_count(entry); i++)
        ARB_TRY(shelf->hold(shelf->context, segment_of(entry, i), entry->lost_count == 0, r->change.error));
    if (there != NULL && there->number != 0) {
        ARB_TRY(delete_entry(&r->change, there->number));
        release(r->change.keeping, there);
    }
    if (there == NULL && !arb_catalog_version_add(r->version, entry))
        return no_memory(&r->change);
    if (there != NULL)
        arb_catalog_version_replace(r->version, there, entry);
    return ARB_OK;
}

static arb_code visit(void *context, arb_str key, arb_str value, arb_error *error)
{
    recovery *r = context;
    arb_catalog_keeping *keeping = r->change.keeping;
    arb_segment_finder finder = {.context = keeping->shelf.context, .find = keeping->shelf.find};
    arb_catalog_entry *entry;
    char digits[17] = "", *end;
    if (arb_str_equal(key, ARB_STR(SCHEMAS_KEY)))
        return arb_catalog_schemas_read(value, r->version, error);
    if (key.size != ENTRY_KEY_SIZE - 1 || !arb_str_starts_with(key, ARB_STR(ENTRY_KEYS)))
        return arb_fail(error, ARB_CORRUPT_DATA, "the catalog has a record \"%.*s\"", ARB_STR_ARGS(key));
    memcpy(digits, key.data + sizeof ENTRY_KEYS - 1, 16);
    uint64_t number = strtoull(digits, &end, 16);
    if (*end != '\0' || number == 0)
        return arb_fail(error, ARB_CORRUPT_DATA, "the catalog has a record \"%.*s\"", ARB_STR_ARGS(key));
    ARB_TRY(arb_catalog_record_read(value, r->catalog->formats, &finder, &entry, error));
    entry->number = number;
    keeping->last_number = ARB_MAX(keeping->last_number, number);
    arb_code code = take_entry(r, entry);
    if (code != ARB_OK)
        arb_catalog_entry_unref(entry);
    return code;
}

static arb_code recover(recovery *r, arb_error *error)
{
    ARB_TRY(arb_store_range(r->change.keeping->store, ARB_STR(KEYS), visit, r, error));
    ARB_TRY(write(&r->change));
    const arb_segment_shelf *shelf = &r->change.keeping->shelf;
    ARB_TRY(shelf->look(shelf->context, error));
    while (arb_catalog_keeping_collect(r->change.keeping, r->version))
        continue;
    return ARB_OK;
}

arb_code arb_catalog_keep(arb_catalog *catalog, arb_store *store, uint64_t term, const arb_segment_shelf *shelf,
                          arb_error *error)
{
    assert(catalog->keeping == NULL);
    arb_catalog_keeping *keeping = arb_alloc_zeroed(sizeof *keeping);
    recovery r = {.catalog = catalog,
                  .version = arb_catalog_version_create(catalog->newest),
                  .change = {.keeping = keeping, .error = error}};
    if (keeping == NULL || r.version == NULL) {
        arb_catalog_version_unref(r.version);
        arb_free(keeping);
        return arb_catalog_no_memory(error);
    }
    *keeping = (arb_catalog_keeping){.store = store, .term = term, .shelf = *shelf};
    arb_code code = recover(&r, error);
    reset(&r.change);
    if (code == ARB_OK) {
        arb_catalog_version *before = catalog->newest;
        catalog->newest = r.version;
        catalog->keeping = keeping;
        arb_catalog_version_unref(before);
        return ARB_OK;
    }
    arb_catalog_version_unref(r.version);
    arb_free(keeping);
    return code;
}

void arb_catalog_keeping_destroy(arb_catalog_keeping *keeping)
{
    arb_free(keeping);
}
