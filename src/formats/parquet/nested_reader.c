#include "formats/parquet/nested_reader.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "formats/parquet/column_reader.h"

enum { WINDOW_ENTRIES = 1 << 17 };

/* A node of the tree with its arrays. */
typedef struct nested_node nested_node;
struct nested_node {
    const arb_parquet_node *shape;
    arb_padded_buffer validity;
    arb_padded_buffer values; /* LIST: arb_list; LEAF: values with gaps where NULLs are */
    arb_vector *vectors;      /* of the children */
    nested_node *children;
};

struct arb_parquet_nested {
    arb_arena arena; /* the tree */
    nested_node root;
    uint32_t first_leaf, leaf_count;
    arb_parquet_leaf_stream *streams;
    bool *is_read; /* by stream: in a read that waits for others */
};

/* ---- life -------------------------------------------------------------------------------------------------------- */

static arb_code make_tree(arb_arena *arena, const arb_parquet_node *shape, arb_reservation *held, nested_node *node,
                          arb_error *error)
{
    *node = (nested_node){.shape = shape, .validity.held = held, .values.held = held};
    node->children = ARB_ARENA_ARRAY(arena, nested_node, shape->child_count);
    node->vectors = ARB_ARENA_ARRAY(arena, arb_vector, shape->child_count);
    if (node->children == NULL || node->vectors == NULL)
        return arb_fail_memory(error, "a nested Parquet column", sizeof *node * shape->child_count);
    for (uint32_t i = 0; i < shape->child_count; i++)
        ARB_TRY(make_tree(arena, &shape->children[i], held, &node->children[i], error));
    return ARB_OK;
}

static void reset_tree(nested_node *node)
{
    arb_padded_buffer_reset(&node->validity);
    arb_padded_buffer_reset(&node->values);
    for (uint32_t i = 0; node->children != NULL && i < node->shape->child_count; i++)
        if (node->children[i].shape != NULL)
            reset_tree(&node->children[i]);
}

void arb_parquet_nested_destroy(arb_parquet_nested *nested)
{
    if (nested == NULL)
        return;
    reset_tree(&nested->root);
    for (uint32_t i = 0; nested->streams != NULL && i < nested->leaf_count; i++)
        arb_parquet_leaf_stream_reset(&nested->streams[i]);
    arb_free(nested->streams);
    arb_arena_reset(&nested->arena);
    arb_free(nested);
}

arb_code arb_parquet_nested_create(const arb_byte_source *source, const arb_parquet_schema *schema,
                                   const arb_parquet_node *node, arb_read_queue *queue, arb_reservation *held,
                                   arb_parquet_nested **out_nested, arb_error *error)
{
    *out_nested = NULL;
    arb_parquet_nested *nested = arb_alloc_zeroed(sizeof *nested);
    if (nested == NULL)
        return arb_fail_memory(error, "a nested Parquet column", sizeof *nested);
    nested->first_leaf = node->first_leaf;
    nested->leaf_count = node->leaf_count;
    arb_code code = make_tree(&nested->arena, node, held, &nested->root, error);
    if (code == ARB_OK) {
        nested->streams = arb_alloc_zeroed(sizeof *nested->streams * node->leaf_count);
        nested->is_read = ARB_ARENA_ARRAY(&nested->arena, bool, node->leaf_count);
        if (nested->streams == NULL || nested->is_read == NULL)
            code = arb_fail_memory(error, "a nested Parquet column", sizeof *nested->streams * node->leaf_count);
    }
    if (code != ARB_OK) {
        arb_parquet_nested_destroy(nested);
        return code;
    }
    for (uint32_t i = 0; i < node->leaf_count; i++)
        arb_parquet_leaf_stream_init(&nested->streams[i], source, &schema->leaves[node->first_leaf + i], queue, held);
    *out_nested = nested;
    return ARB_OK;
}

arb_code arb_parquet_nested_begin(arb_parquet_nested *nested, const arb_parquet_row_group *group, uint64_t end_row,
                                  arb_error *error)
{
    for (uint32_t i = 0; i < nested->leaf_count; i++) {
        nested->is_read[i] = false;
        ARB_TRY(arb_parquet_leaf_stream_begin(&nested->streams[i], &group->chunks[nested->first_leaf + i],
                                              (uint64_t)group->rows, end_row, error));
    }
    return ARB_OK;
}

uint32_t arb_parquet_nested_window(const arb_parquet_nested *nested, const arb_parquet_row_group *group)
{
    uint64_t window = ARB_VECTOR_ROWS;
    for (uint32_t i = 0; i < nested->leaf_count; i++) {
        int64_t entries = group->chunks[nested->first_leaf + i].value_count;
        if (entries > group->rows && group->rows > 0)
            window = ARB_MIN(window, WINDOW_ENTRIES / ((uint64_t)entries / (uint64_t)group->rows));
    }
    return (uint32_t)ARB_MAX(window, 1);
}

void arb_parquet_nested_release(arb_parquet_nested *nested, uint64_t before)
{
    for (uint32_t i = 0; i < nested->leaf_count; i++)
        arb_parquet_chunk_release(&nested->streams[i].chunk, before);
}

uint64_t arb_parquet_nested_bytes_read(const arb_parquet_nested *nested)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < nested->leaf_count; i++)
        bytes += nested->streams[i].chunk.input.bytes_read;
    return bytes;
}

/* ---- putting together -------------------------------------------------------------------------------------------- */

/* The innermost list around a node. */
typedef struct context {
    unsigned repetition, definition;
} context;

/* How many values the node has; sets its validity bits and counts the ones. */
static arb_code find_values(nested_node *node, const arb_parquet_leaf_stream *stream, context in, size_t *out_count,
                            size_t *out_ones, arb_error *error)
{
    const uint8_t *repetitions = stream->repetitions.data, *definitions = stream->definitions.data;
    ARB_TRY(arb_padded_buffer_reserve(&node->validity, arb_bitmap_words(stream->entry_count) * 8, error));
    uint64_t *bits = (uint64_t *)node->validity.data;
    size_t count = 0, ones = 0;
    for (size_t i = 0; i < stream->entry_count; i++) {
        if (repetitions[i] > in.repetition || definitions[i] < in.definition)
            continue;
        bool valid = definitions[i] >= node->shape->definition;
        arb_bitmap_put(bits, count++, valid);
        ones += valid;
    }
    *out_count = count;
    *out_ones = ones;
    return ARB_OK;
}

static arb_code build_leaf(nested_node *node, const arb_parquet_leaf_stream *stream, size_t count, size_t ones,
                           arb_vector *out, arb_error *error)
{
    size_t size = arb_physical_size((arb_physical)out->physical);
    assert(ones == stream->value_count);
    if (ones == count) {
        out->values.data = stream->values.data;
        return ARB_OK;
    }
    size_t bytes = size == 0 ? arb_bitmap_words(count) * 8 : count * size;
    ARB_TRY(arb_padded_buffer_reserve(&node->values, bytes, error));
    if (size == 0) /* NULLs behind the last value get one more, which must be there */
        arb_bitmap_clear((uint64_t *)stream->values.data, ones);
    else
        memset(stream->values.data + ones * size, 0, size);
    arb_parquet_spread(node->values.data, stream->values.data, size, (const uint64_t *)node->validity.data, count);
    out->values.data = node->values.data;
    return ARB_OK;
}

/* Offsets and sizes; returns the number of elements, or SIZE_MAX when entries belong to no list. */
static size_t build_lists(const nested_node *node, const arb_parquet_leaf_stream *stream, context in, arb_list *lists)
{
    const uint8_t *repetitions = stream->repetitions.data, *definitions = stream->definitions.data;
    const unsigned repetition = node->shape->repetition, definition = node->shape->element_definition;
    size_t count = 0;
    uint32_t elements = 0;
    bool is_open = false;
    for (size_t i = 0; i < stream->entry_count; i++) {
        if (repetitions[i] <= in.repetition) {
            is_open = definitions[i] >= in.definition;
            if (is_open)
                lists[count++] = (arb_list){.offset = elements};
        }
        if (repetitions[i] > repetition || definitions[i] < definition)
            continue;
        if (!is_open)
            return SIZE_MAX;
        lists[count - 1].size++;
        elements++;
    }
    return elements;
}

static arb_code disagree(arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "the parts of a nested value disagree about how many there are");
}

static arb_code build(const arb_parquet_nested *nested, nested_node *node, context in, arb_vector *out,
                      size_t *out_count, arb_error *error)
{
    const arb_parquet_node *shape = node->shape;
    const arb_parquet_leaf_stream *stream = &nested->streams[shape->first_leaf - nested->first_leaf];
    size_t count, ones, expected, found;
    ARB_TRY(find_values(node, stream, in, &count, &ones, error));
    *out_count = count;
    *out = (arb_vector){.physical = (uint8_t)arb_type_physical(shape->type), .encoding = ARB_FLAT};
    if (ones != count)
        out->validity = (uint64_t *)node->validity.data;
    if (shape->shape == ARB_PARQUET_SHAPE_LEAF)
        return build_leaf(node, stream, count, ones, out, error);
    out->children = node->vectors;
    if (shape->shape == ARB_PARQUET_SHAPE_LIST) {
        ARB_TRY(arb_padded_buffer_reserve(&node->values, count * sizeof(arb_list), error));
        out->values.data = node->values.data;
        expected = build_lists(node, stream, in, out->values.list);
        if (expected == SIZE_MAX)
            return disagree(error);
        out->child_rows = (uint32_t)expected;
        in = (context){shape->repetition, shape->element_definition};
    } else {
        out->child_rows = shape->child_count;
        expected = count;
    }
    for (uint32_t i = 0; i < shape->child_count; i++) {
        ARB_TRY(build(nested, &node->children[i], in, &node->vectors[i], &found, error));
        if (found != expected)
            return disagree(error);
    }
    return ARB_OK;
}

arb_code arb_parquet_nested_read(arb_parquet_nested *nested, uint64_t first, uint32_t rows, uint64_t clock,
                                 arb_vector *out_vector, arb_error *error)
{
    size_t count;
    bool waits = false;
    for (uint32_t i = 0; i < nested->leaf_count; i++) {
        if (nested->is_read[i])
            continue;
        nested->streams[i].chunk.clock = clock;
        arb_code code = arb_parquet_leaf_stream_read(&nested->streams[i], first, rows, error);
        if (code != ARB_OK && code != ARB_WOULD_WAIT)
            return code;
        nested->is_read[i] = code == ARB_OK;
        waits = waits || code != ARB_OK; /* all leaves' bytes shall be on their way before the first is waited for */
    }
    if (waits)
        return ARB_WOULD_WAIT;
    memset(nested->is_read, 0, nested->leaf_count * sizeof *nested->is_read);
    ARB_TRY(build(nested, &nested->root, (context){0, 0}, out_vector, &count, error));
    return count == rows ? ARB_OK : disagree(error);
}
