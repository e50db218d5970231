/* parquet_write_column.c: from vectors to values and levels.
 *
 * Nested vectors are taken apart by going down the tree with a list of entries: for each, which row of the node's vector
 * it stands for (or that something above it is NULL or empty) and the levels so far. A struct changes nothing but the
 * levels of its NULLs; a list replaces each of its entries by one for each element. What arrives at a leaf are its
 * levels. A flat column is the case where all rows arrive as they are, and has a faster way. */
#include "formats/parquet/parquet_write_column.h"

typedef struct entry {
    uint32_t row;  /* of the node's vector */
    bool is_there; /* nothing above it is NULL or empty */
    uint8_t definition, repetition;
} entry;

typedef struct appender {
    arb_parquet_write_column *columns;
    arb_str name;
    arb_arena *scratch;
    arb_error *error;
} appender;

static arb_parquet_kept kept_of(const arb_parquet_leaf *leaf)
{
    switch ((arb_parquet_physical)leaf->physical) {
    case ARB_PARQUET_BOOLEAN:
        return ARB_PARQUET_KEPT_BOOL;
    case ARB_PARQUET_INT32:
        return ARB_PARQUET_KEPT_I32;
    case ARB_PARQUET_INT64:
        return ARB_PARQUET_KEPT_I64;
    case ARB_PARQUET_FLOAT:
        return ARB_PARQUET_KEPT_F32;
    case ARB_PARQUET_DOUBLE:
        return ARB_PARQUET_KEPT_F64;
    case ARB_PARQUET_FIXED:
        return ARB_PARQUET_KEPT_I128;
    default:
        return ARB_PARQUET_KEPT_TEXT;
    }
}

size_t arb_parquet_kept_size(arb_parquet_kept kept)
{
    static const uint8_t sizes[] = {1, 4, 8, 16, 4, 8, sizeof(arb_string)};
    return sizes[kept];
}

void arb_parquet_write_column_init(arb_parquet_write_column *column, const arb_parquet_leaf *leaf)
{
    column->leaf = leaf;
    column->kept = kept_of(leaf);
}

void arb_parquet_write_column_reset(arb_parquet_write_column *column)
{
    arb_text_reset(&column->definitions);
    arb_text_reset(&column->repetitions);
    arb_text_reset(&column->data);
    arb_arena_reset(&column->text);
}

void arb_parquet_write_column_clear(arb_parquet_write_column *column)
{
    arb_text_clear(&column->definitions);
    arb_text_clear(&column->repetitions);
    arb_text_clear(&column->data);
    arb_arena_rewind(&column->text);
    column->entries = column->values = 0;
    column->text_bytes = 0;
}

uint64_t arb_parquet_write_column_bytes(const arb_parquet_write_column *column)
{
    return column->definitions.size + column->repetitions.size + column->data.size + column->text.total;
}

static arb_code no_memory(const appender *a)
{
    return arb_fail_memory(a->error, "a Parquet row group", a->scratch->total);
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

/* Gather `count` whole numbers; true when one of them does not fit. Slots NULL: the first `count` values. */
#define DEFINE_GATHER(name, from_type, to_type)                                                                 \
    static ARB_NOINLINE bool name(const from_type *restrict from, const uint32_t *restrict slots, size_t count, \
                                  to_type *restrict to)                                                         \
    {                                                                                                           \
        bool lost = false;                                                                                      \
        if (slots == NULL) {                                                                                    \
            for (size_t i = 0; i < count; i++) {                                                                \
                to[i] = (to_type)from[i];                                                                       \
                lost |= to[i] != from[i];                                                                       \
            }                                                                                                   \
        } else {                                                                                                \
            for (size_t i = 0; i < count; i++) {                                                                \
                from_type value = from[slots[i]];                                                               \
                to[i] = (to_type)value;                                                                         \
                lost |= to[i] != value;                                                                         \
            }                                                                                                   \
        }                                                                                                       \
        return lost;                                                                                            \
    }
#define DEFINE_GATHERS(to, to_type)              \
    DEFINE_GATHER(i8_to_##to, int8_t, to_type)   \
    DEFINE_GATHER(i16_to_##to, int16_t, to_type) \
    DEFINE_GATHER(i32_to_##to, int32_t, to_type) \
    DEFINE_GATHER(i64_to_##to, int64_t, to_type) \
    DEFINE_GATHER(i128_to_##to, arb_int128, to_type)
DEFINE_GATHERS(i32, int32_t)
DEFINE_GATHERS(i64, int64_t)
DEFINE_GATHERS(i128, arb_int128)
#undef DEFINE_GATHERS
#undef DEFINE_GATHER

#define GATHER_CASES(to)                                           \
    switch (from->physical) {                                      \
    case ARB_PHYS_INT8:                                            \
        return i8_to_##to(from->values.i8, slots, count, out);     \
    case ARB_PHYS_INT16:                                           \
        return i16_to_##to(from->values.i16, slots, count, out);   \
    case ARB_PHYS_INT32:                                           \
        return i32_to_##to(from->values.i32, slots, count, out);   \
    case ARB_PHYS_INT64:                                           \
        return i64_to_##to(from->values.i64, slots, count, out);   \
    default:                                                       \
        return i128_to_##to(from->values.i128, slots, count, out); \
    }

static bool gather_i32(const arb_vector *from, const uint32_t *slots, size_t count, int32_t *out)
{
    GATHER_CASES(i32)
}

static bool gather_i64(const arb_vector *from, const uint32_t *slots, size_t count, int64_t *out)
{
    GATHER_CASES(i64)
}

static bool gather_i128(const arb_vector *from, const uint32_t *slots, size_t count, arb_int128 *out)
{
    GATHER_CASES(i128)
}
#undef GATHER_CASES

static void gather_f32(const arb_vector *from, const uint32_t *slots, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t slot = slots == NULL ? i : slots[i];
        out[i] = from->physical == ARB_PHYS_FLOAT32 ? from->values.f32[slot] : (float)from->values.f64[slot];
    }
}

static void gather_f64(const arb_vector *from, const uint32_t *slots, size_t count, double *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t slot = slots == NULL ? i : slots[i];
        out[i] = from->physical == ARB_PHYS_FLOAT32 ? (double)from->values.f32[slot] : from->values.f64[slot];
    }
}

static bool gather_text(arb_parquet_write_column *column, const arb_vector *from, const uint32_t *slots, size_t count,
                        arb_string *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from->values.string[slots == NULL ? i : slots[i]];
        column->text_bytes += out[i].size;
        if (out[i].size <= ARB_STRING_INLINE)
            continue;
        char *copy = arb_arena_alloc(&column->text, out[i].size);
        if (copy == NULL)
            return false;
        memcpy(copy, out[i].far.data, out[i].size);
        out[i].far.data = copy;
    }
    return true;
}

/* Values that a FIXED leaf of fewer than 16 bytes cannot hold. */
static bool exceeds(const arb_int128 *values, size_t count, uint32_t fixed_size)
{
    arb_int128 most = fixed_size >= 16 ? ARB_INT128_MAX : ((arb_int128)1 << (8 * fixed_size - 1)) - 1;
    for (size_t i = 0; i < count; i++)
        if (values[i] > most || values[i] < -most - 1)
            return true;
    return false;
}

/* Append `count` values that are not NULL, at `slots` of FLAT (or CONSTANT) values. */
static arb_code append_values(appender *a, arb_parquet_write_column *column, const arb_vector *from,
                              const uint32_t *slots, size_t count)
{
    void *to = arb_text_room(&column->data, count * arb_parquet_kept_size(column->kept));
    if (to == NULL)
        return no_memory(a);
    bool lost = false;
    switch (column->kept) {
    case ARB_PARQUET_KEPT_BOOL:
        for (size_t i = 0; i < count; i++)
            ((uint8_t *)to)[i] = arb_bitmap_get(from->values.bits, slots == NULL ? i : slots[i]);
        break;
    case ARB_PARQUET_KEPT_I32:
        lost = gather_i32(from, slots, count, to);
        break;
    case ARB_PARQUET_KEPT_I64:
        lost = gather_i64(from, slots, count, to);
        break;
    case ARB_PARQUET_KEPT_I128:
        lost = gather_i128(from, slots, count, to) || exceeds(to, count, column->leaf->fixed_size);
        break;
    case ARB_PARQUET_KEPT_F32:
        gather_f32(from, slots, count, to);
        break;
    case ARB_PARQUET_KEPT_F64:
        gather_f64(from, slots, count, to);
        break;
    case ARB_PARQUET_KEPT_TEXT:
        if (!gather_text(column, from, slots, count, to))
            return no_memory(a);
        break;
    }
    if (lost)
        return arb_fail(a->error, ARB_OUT_OF_RANGE, "column \"%.*s\" has a value that does not fit its type",
                        ARB_STR_ARGS(a->name));
    arb_text_added(&column->data, count * arb_parquet_kept_size(column->kept));
    column->values += count;
    return ARB_OK;
}

/* ---- flat columns ------------------------------------------------------------------------------------------------ */

static arb_code append_flat(appender *a, const arb_parquet_node *node, const arb_vector *vector, const arb_batch *batch)
{
    arb_parquet_write_column *column = &a->columns[node->leaf];
    const arb_vector *entries = arb_vector_entries(vector);
    column->entries += batch->selected;
    if (column->leaf->type.id == ARB_TYPE_NULL) {
        arb_text_append_repeated(&column->definitions, 0, batch->selected);
        return column->definitions.failed ? no_memory(a) : ARB_OK;
    }
    if (batch->selection == NULL && vector->validity == NULL && vector->encoding == ARB_FLAT) {
        if (node->nullable)
            arb_text_append_repeated(&column->definitions, 1, batch->rows);
        if (column->definitions.failed)
            return no_memory(a);
        return append_values(a, column, vector, NULL, batch->rows);
    }
    uint32_t *slots = arb_arena_alloc(a->scratch, batch->selected * sizeof *slots + 1);
    char *definitions = node->nullable ? arb_text_room(&column->definitions, batch->selected) : NULL;
    if (slots == NULL || (node->nullable && definitions == NULL))
        return no_memory(a);
    size_t seen = 0, count = 0;
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        bool valid = arb_vector_is_valid(vector, row);
        if (valid)
            slots[count++] = (uint32_t)arb_vector_slot(vector, row);
        if (definitions != NULL)
            definitions[seen] = valid;
        seen++;
    }
    assert(seen == batch->selected);
    if (definitions != NULL)
        arb_text_added(&column->definitions, seen);
    else if (count != seen)
        return arb_fail(a->error, ARB_NULL_NOT_ALLOWED, "column \"%.*s\" must not be NULL", ARB_STR_ARGS(a->name));
    return append_values(a, column, entries, slots, count);
}

/* ---- nested columns ---------------------------------------------------------------------------------------------- */

static arb_code append_node(appender *a, const arb_parquet_node *node, const arb_vector *vector, entry *entries,
                            size_t count);

/* Make the entries of NULLs known as such; of the others, `row` becomes the slot. */
static arb_code mark_nulls(appender *a, const arb_parquet_node *node, const arb_vector *vector, entry *entries,
                           size_t count)
{
    bool never = node->shape == ARB_PARQUET_SHAPE_LEAF && a->columns[node->leaf].leaf->type.id == ARB_TYPE_NULL;
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].is_there)
            continue;
        bool valid = !never && arb_vector_is_valid(vector, entries[i].row);
        if (!valid && !node->nullable)
            return arb_fail(a->error, ARB_NULL_NOT_ALLOWED, "column \"%.*s\" has a NULL where there must be none",
                            ARB_STR_ARGS(a->name));
        entries[i].is_there = valid;
        entries[i].definition = (uint8_t)(valid ? node->definition : node->definition - 1);
        if (valid)
            entries[i].row = (uint32_t)arb_vector_slot(vector, entries[i].row);
    }
    return ARB_OK;
}

static arb_code append_leaf(appender *a, const arb_parquet_node *node, const arb_vector *vector, const entry *entries,
                            size_t count)
{
    arb_parquet_write_column *column = &a->columns[node->leaf];
    uint32_t *slots = arb_arena_alloc(a->scratch, count * sizeof *slots + 1);
    char *definitions = arb_text_room(&column->definitions, count);
    char *repetitions = arb_text_room(&column->repetitions, count);
    if (slots == NULL || definitions == NULL || repetitions == NULL)
        return no_memory(a);
    size_t there = 0;
    for (size_t i = 0; i < count; i++) {
        definitions[i] = (char)entries[i].definition;
        repetitions[i] = (char)entries[i].repetition;
        if (entries[i].is_there)
            slots[there++] = entries[i].row;
    }
    if (column->leaf->max_definition != 0)
        arb_text_added(&column->definitions, count);
    if (column->leaf->max_repetition != 0)
        arb_text_added(&column->repetitions, count);
    column->entries += count;
    return append_values(a, column, arb_vector_entries(vector), slots, there);
}

/* A nested vector of nothing but NULLs may lack its children: they are not looked at then. */
static const arb_vector *child_of(const arb_vector *nested, uint32_t at)
{
    static const arb_vector none = {0};
    bool is_list = nested->physical == ARB_PHYS_LIST;
    return nested->children != NULL && (is_list || at < nested->child_rows) ? &nested->children[at] : &none;
}

static arb_code append_list(appender *a, const arb_parquet_node *node, const arb_vector *vector, const entry *entries,
                            size_t count)
{
    const arb_vector *lists = arb_vector_entries(vector);
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = entries[i].is_there ? lists->values.list[entries[i].row].size : 0;
        total += ARB_MAX(size, (size_t)1);
    }
    entry *below = arb_arena_alloc(a->scratch, total * sizeof *below + 1);
    if (below == NULL)
        return no_memory(a);
    entry *next = below;
    for (size_t i = 0; i < count; i++) {
        arb_list list = entries[i].is_there ? lists->values.list[entries[i].row] : (arb_list){0};
        if (list.size == 0) {
            *next = entries[i];
            next++->is_there = false;
        }
        for (uint32_t k = 0; k < list.size; k++)
            *next++ = (entry){.row = list.offset + k,
                              .is_there = true,
                              .definition = (uint8_t)node->element_definition,
                              .repetition = k == 0 ? entries[i].repetition : (uint8_t)node->repetition};
    }
    return append_node(a, &node->children[0], child_of(lists, 0), below, total);
}

static arb_code append_node(appender *a, const arb_parquet_node *node, const arb_vector *vector, entry *entries,
                            size_t count)
{
    ARB_TRY(mark_nulls(a, node, vector, entries, count));
    if (node->shape == ARB_PARQUET_SHAPE_LEAF)
        return append_leaf(a, node, vector, entries, count);
    if (node->shape == ARB_PARQUET_SHAPE_LIST)
        return append_list(a, node, vector, entries, count);
    const arb_vector *fields = arb_vector_entries(vector);
    entry *copy = arb_arena_alloc(a->scratch, count * sizeof *copy + 1);
    if (copy == NULL)
        return no_memory(a);
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (count != 0)
            memcpy(copy, entries, count * sizeof *copy); /* each child marks its own NULLs */
        ARB_TRY(append_node(a, &node->children[i], child_of(fields, i), copy, count));
    }
    return ARB_OK;
}

arb_code arb_parquet_write_column_append(arb_parquet_write_column *columns, const arb_parquet_node *node, arb_str name,
                                         const arb_vector *vector, const arb_batch *batch, arb_arena *scratch,
                                         arb_error *error)
{
    appender a = {.columns = columns, .name = name, .scratch = scratch, .error = error};
    if (node->shape == ARB_PARQUET_SHAPE_LEAF)
        return append_flat(&a, node, vector, batch);
    entry *entries = arb_arena_alloc(scratch, batch->selected * sizeof *entries + 1);
    if (entries == NULL)
        return no_memory(&a);
    size_t count = 0;
    for (uint32_t row = 0; row < batch->rows; row++)
        if (batch->selection == NULL || arb_bitmap_get(batch->selection, row))
            entries[count++] = (entry){.row = row, .is_there = true};
    return append_node(&a, node, vector, entries, count);
}
