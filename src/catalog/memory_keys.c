#include "catalog/memory_keys.h"

#include "base/alloc.h"
#include "base/hash.h"

typedef struct key_hash {
    uint64_t low, high; /* both 0: an empty place */
} key_hash;

/* One key: its columns, and an open-addressing table of hashes that is at most half full. */
typedef struct key_set {
    arb_table_key key;
    key_hash *places;
    uint64_t place_count, used;
} key_set;

struct arb_memory_keys {
    arb_arena arena;
    const arb_table_column *columns; /* names and types, copied */
    size_t set_count;
    key_set *sets;
    arb_table_key *declared; /* the sets' keys */
    uint64_t rows;
    arb_text scratch; /* one row's key as bytes */
};

static arb_code no_memory(arb_error *error)
{
    return arb_fail_memory(error, "a table's keys", sizeof(key_hash));
}

static bool copy_columns(arb_memory_keys *keys, const arb_table_column *columns, size_t count)
{
    arb_table_column *copies = ARB_ARENA_ARRAY(&keys->arena, arb_table_column, count + 1);
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = (arb_table_column){.name = arb_str_copy(&keys->arena, columns[i].name), .type = columns[i].type};
        if (copies[i].name.data == NULL)
            return false;
    }
    keys->columns = copies;
    return copies != NULL;
}

static size_t columns_needed(const arb_table_key *keys, size_t count)
{
    size_t needed = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < keys[i].column_count; c++)
            needed = ARB_MAX(needed, (size_t)keys[i].columns[c] + 1);
    return needed;
}

arb_code arb_memory_keys_create(const arb_table_key *from, size_t count, const arb_table_column *columns,
                                arb_memory_keys **out_keys, arb_error *error)
{
    *out_keys = NULL;
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < from[i].column_count; c++)
            if (arb_type_is_nested(columns[from[i].columns[c]].type))
                return arb_fail(error, ARB_NOT_SUPPORTED, "column \"%.*s\" has a nested type and cannot be a key",
                                ARB_STR_ARGS(columns[from[i].columns[c]].name));
    arb_memory_keys *keys = arb_alloc_zeroed(sizeof *keys);
    if (keys == NULL)
        return no_memory(error);
    keys->sets = ARB_ARENA_ARRAY(&keys->arena, key_set, count + 1);
    keys->declared = ARB_ARENA_ARRAY(&keys->arena, arb_table_key, count + 1);
    bool fine =
        keys->sets != NULL && keys->declared != NULL && copy_columns(keys, columns, columns_needed(from, count));
    for (size_t i = 0; fine && i < count; i++) {
        uint32_t *copies = ARB_ARENA_ARRAY(&keys->arena, uint32_t, from[i].column_count + 1);
        if (copies != NULL)
            memcpy(copies, from[i].columns, from[i].column_count * sizeof *copies);
        keys->declared[i] = keys->sets[i].key = (arb_table_key){from[i].column_count, copies};
        keys->set_count++;
        fine = copies != NULL;
    }
    if (!fine) {
        arb_memory_keys_destroy(keys);
        return no_memory(error);
    }
    *out_keys = keys;
    return ARB_OK;
}

size_t arb_memory_keys_declared(const arb_memory_keys *keys, const arb_table_key **out_keys)
{
    *out_keys = keys->declared;
    return keys->set_count;
}

static void clear(arb_memory_keys *keys)
{
    for (size_t i = 0; i < keys->set_count; i++) {
        arb_free(keys->sets[i].places);
        keys->sets[i].places = NULL;
        keys->sets[i].place_count = keys->sets[i].used = 0;
    }
    keys->rows = 0;
}

void arb_memory_keys_destroy(arb_memory_keys *keys)
{
    if (keys == NULL)
        return;
    clear(keys);
    arb_text_reset(&keys->scratch);
    arb_arena_reset(&keys->arena);
    arb_free(keys);
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */
/* Equal values give equal bytes, and different values different ones. */
static void append_value(arb_text *out, const arb_vector *vector, size_t row)
{
    if (arb_physical_is_integer((arb_physical)vector->physical)) {
        arb_int128 value = arb_vector_get_integer(vector, row);
        arb_text_append(out, (const char *)&value, sizeof value);
    } else if (vector->physical == ARB_PHYS_STRING) {
        arb_str text = arb_vector_get_text(vector, row);
        arb_text_append(out, (const char *)&text.size, sizeof text.size);
        arb_text_append_str(out, text);
    } else if (vector->physical == ARB_PHYS_BOOL) {
        arb_text_append_char(out, arb_vector_get_bool(vector, row) ? 1 : 0);
    } else if (vector->physical == ARB_PHYS_INTERVAL) {
        const arb_vector *entries = arb_vector_entries(vector);
        arb_text_append(out, (const char *)&entries->values.interval[arb_vector_slot(vector, row)],
                        sizeof(arb_interval));
    } else {
        double value = arb_vector_get_double(vector, row);
        value = value != value ? (double)__builtin_nan("") : value == 0 ? 0 : value;
        arb_text_append(out, (const char *)&value, sizeof value);
    }
}

/* False when a value is NULL. */
static bool hash_row(arb_memory_keys *keys, const key_set *set, const arb_vector *columns, size_t row, key_hash *out)
{
    arb_text_clear(&keys->scratch);
    for (size_t i = 0; i < set->key.column_count; i++) {
        const arb_vector *vector = &columns[set->key.columns[i]];
        if (!arb_vector_is_valid(vector, row))
            return false;
        append_value(&keys->scratch, vector, row);
    }
    out->low = arb_hash_bytes(keys->scratch.data, keys->scratch.size);
    arb_text_append_char(&keys->scratch, 'k'); /* another hash of the same bytes */
    out->high = arb_hash_bytes(keys->scratch.data, keys->scratch.size);
    if (out->low == 0 && out->high == 0)
        out->low = 1;
    return true;
}

/* The place where the hash is or belongs. */
static key_hash *find_place(const key_set *set, key_hash hash)
{
    uint64_t at = hash.low & (set->place_count - 1);
    while ((set->places[at].low != 0 || set->places[at].high != 0) &&
           (set->places[at].low != hash.low || set->places[at].high != hash.high))
        at = (at + 1) & (set->place_count - 1);
    return &set->places[at];
}

static bool grow(key_set *set)
{
    if (set->place_count >= (set->used + 1) * 2)
        return true;
    key_set grown = {.place_count = ARB_MAX(set->place_count * 2, (uint64_t)64)};
    grown.places = arb_alloc_zeroed(grown.place_count * sizeof *grown.places);
    if (grown.places == NULL)
        return false;
    for (uint64_t i = 0; i < set->place_count; i++)
        if (set->places[i].low != 0 || set->places[i].high != 0)
            *find_place(&grown, set->places[i]) = set->places[i];
    arb_free(set->places);
    set->places = grown.places;
    set->place_count = grown.place_count;
    return true;
}

static arb_code violation(const arb_memory_keys *keys, const key_set *set, arb_error *error)
{
    arb_text names = {0};
    for (size_t i = 0; i < set->key.column_count; i++)
        arb_text_printf(&names, "%s\"%.*s\"", i == 0 ? "" : ", ",
                        ARB_STR_ARGS(keys->columns[set->key.columns[i]].name));
    arb_code code = arb_fail(error, ARB_UNIQUE_VIOLATION, "a key is there twice: column%s %.*s",
                             set->key.column_count == 1 ? "" : "s", ARB_STR_ARGS(arb_text_view(&names)));
    arb_text_reset(&names);
    return code;
}

arb_code arb_memory_keys_add(arb_memory_keys *keys, const arb_vector *columns, size_t first, size_t count,
                             arb_error *error)
{
    keys->rows += count;
    for (size_t i = 0; i < keys->set_count; i++) {
        key_set *set = &keys->sets[i];
        for (size_t row = first; row < first + count; row++) {
            key_hash hash;
            bool counts = hash_row(keys, set, columns, row, &hash);
            ARB_TRY(arb_text_check(&keys->scratch, error));
            if (!counts)
                continue;
            if (!grow(set))
                return no_memory(error);
            key_hash *place = find_place(set, hash);
            if (place->low != 0 || place->high != 0)
                return violation(keys, set, error);
            *place = hash;
            set->used++;
        }
    }
    return ARB_OK;
}

arb_code arb_memory_keys_fit(arb_memory_keys *keys, arb_memory_chunk *const *chunks, size_t chunk_count, uint64_t rows,
                             arb_error *error)
{
    if (keys->rows == rows)
        return ARB_OK;
    clear(keys);
    size_t needed = 0;
    for (size_t i = 0; i < keys->set_count; i++)
        needed = ARB_MAX(needed, columns_needed(&keys->sets[i].key, 1));
    arb_vector *views = arb_alloc_zeroed((needed + 1) * sizeof *views);
    if (views == NULL)
        return no_memory(error);
    arb_code code = ARB_OK;
    for (size_t i = 0; i < chunk_count && code == ARB_OK; i++) {
        for (size_t c = 0; c < needed; c++)
            views[c] = arb_chunk_column_view(&chunks[i]->columns[c], 0, NULL);
        code = arb_memory_keys_add(keys, views, 0, chunks[i]->rows, error);
    }
    arb_free(views);
    if (code != ARB_OK) /* a part must not pass for all of them */
        clear(keys);
    return code;
}
