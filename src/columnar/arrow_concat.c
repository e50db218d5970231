#include "columnar/arrow_concat.h"

#include "base/vec.h"

/* Rows [start, start + rows) of a node, counted from its own offset. */
typedef struct piece {
    const arb_arrow_node *node;
    int64_t start, rows;
} piece;

typedef struct concat_job {
    arb_arrow_draft *draft;
    arb_error *error;
} concat_job;

static arb_code build(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count);

static int64_t total_rows(const piece *pieces, size_t count)
{
    int64_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += pieces[i].rows;
    return rows;
}

static arb_code too_large(concat_job *job, const arb_arrow_node *node)
{
    return arb_fail(job->error, ARB_LIMIT_EXCEEDED, "column \"%.*s\" of type %s becomes too large for its type",
                    ARB_STR_ARGS(node->field->name), arb_arrow_kind_name((arb_arrow_kind)node->field->kind));
}

static piece *new_pieces(concat_job *job, size_t count)
{
    piece *made = ARB_ARENA_ARRAY(&job->draft->arena, piece, count);
    if (made == NULL)
        (void)arb_fail_memory(job->error, "joining arrays", count * sizeof *made);
    return made;
}

/* A fresh buffer of `count` values; zeroed. */
static arb_code new_buffer(concat_job *job, arb_arrow_buffer *buffer, int64_t count, size_t width, uint8_t **out_data)
{
    size_t size;
    if (__builtin_mul_overflow((size_t)count, width, &size))
        return arb_fail_memory(job->error, "joining arrays", SIZE_MAX);
    *out_data = NULL;
    if (size == 0)
        return ARB_OK;
    ARB_TRY(arb_arrow_buffer_create(size, buffer, out_data, job->error));
    memset(*out_data, 0, size);
    return ARB_OK;
}

/* ---- bits ----------------------------------------------------------------------------------------------------- */

static void copy_bits(uint8_t *to, int64_t to_bit, const uint8_t *from, int64_t from_bit, int64_t count)
{
    for (; count > 0 && to_bit % 8 != 0; count--, to_bit++, from_bit++)
        to[to_bit / 8] |= (uint8_t)((from[from_bit / 8] >> (from_bit % 8) & 1) << (to_bit % 8));
    unsigned shift = (unsigned)(from_bit % 8);
    for (; count >= 8; count -= 8, to_bit += 8, from_bit += 8) {
        uint8_t low = (uint8_t)(from[from_bit / 8] >> shift);
        to[to_bit / 8] = shift == 0 ? low : (uint8_t)(low | from[from_bit / 8 + 1] << (8 - shift));
    }
    for (; count > 0; count--, to_bit++, from_bit++)
        to[to_bit / 8] |= (uint8_t)((from[from_bit / 8] >> (from_bit % 8) & 1) << (to_bit % 8));
}

static void set_bits(uint8_t *to, int64_t to_bit, int64_t count)
{
    for (int64_t bit = to_bit; bit < to_bit + count; bit++)
        to[bit / 8] |= (uint8_t)(1 << (bit % 8));
}

static arb_code build_validity(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= pieces[i].node->null_count != 0;
    if (!any)
        return ARB_OK;
    uint8_t *bits;
    ARB_TRY(new_buffer(job, &to->buffers[0], (to->length + 7) / 8, 1, &bits));
    int64_t row = 0;
    for (size_t i = 0; i < count; i++) {
        const arb_arrow_node *from = pieces[i].node;
        if (from->null_count == 0)
            set_bits(bits, row, pieces[i].rows);
        else if (pieces[i].rows != 0)
            copy_bits(bits, row, from->buffers[0].data, from->offset + pieces[i].start, pieces[i].rows);
        row += pieces[i].rows;
    }
    return ARB_OK;
}

static arb_code build_bits(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    uint8_t *bits;
    ARB_TRY(new_buffer(job, &to->buffers[1], (to->length + 7) / 8, 1, &bits));
    int64_t row = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].rows != 0)
            copy_bits(bits, row, pieces[i].node->buffers[1].data, pieces[i].node->offset + pieces[i].start,
                      pieces[i].rows);
        row += pieces[i].rows;
    }
    return ARB_OK;
}

/* ---- values --------------------------------------------------------------------------------------------------- */

/* Values of `width` bytes of one buffer, unchanged. */
static arb_code build_values(concat_job *job, arb_arrow_node *to, uint32_t buffer, size_t width, const piece *pieces,
                             size_t count)
{
    uint8_t *values;
    ARB_TRY(new_buffer(job, &to->buffers[buffer], to->length, width, &values));
    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)pieces[i].rows * width;
        if (size == 0)
            continue;
        const arb_arrow_node *from = pieces[i].node;
        memcpy(values, from->buffers[buffer].data + (size_t)(from->offset + pieces[i].start) * width, size);
        values += size;
    }
    return ARB_OK;
}

static bool store_integer(uint8_t *at, size_t width, bool is_signed, int64_t value)
{
    int64_t most = width == 8 ? INT64_MAX : ((int64_t)1 << (width * 8 - (is_signed ? 1 : 0))) - 1;
    if (value > most)
        return false;
    memcpy(at, &value, width); /* little-endian */
    return true;
}

/* Offsets of BINARY and LIST: those of each piece, moved to continue the ones before. */
static arb_code build_offsets(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    size_t width = arb_arrow_field_width(to->field);
    uint8_t *offsets;
    ARB_TRY(new_buffer(job, &to->buffers[1], to->length + 1, width, &offsets));
    int64_t row = 1, base = 0;
    for (size_t i = 0; i < count; i++) {
        const arb_arrow_node *from = pieces[i].node;
        int64_t first = arb_arrow_node_offset(from, 1, pieces[i].start), offset = first;
        for (int64_t j = 1; j <= pieces[i].rows; j++, row++) {
            offset = arb_arrow_node_offset(from, 1, pieces[i].start + j);
            if (!store_integer(offsets + (size_t)row * width, width, true, base + offset - first))
                return too_large(job, to);
        }
        base += offset - first;
    }
    return ARB_OK;
}

static arb_code build_binary(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    ARB_TRY(build_offsets(job, to, pieces, count));
    uint8_t *bytes;
    ARB_TRY(new_buffer(job, &to->buffers[2], arb_arrow_node_offset(to, 1, to->length), 1, &bytes));
    for (size_t i = 0; i < count; i++) {
        int64_t start = arb_arrow_node_offset(pieces[i].node, 1, pieces[i].start);
        int64_t end = arb_arrow_node_offset(pieces[i].node, 1, pieces[i].start + pieces[i].rows);
        if (start == end)
            continue;
        memcpy(bytes, pieces[i].node->buffers[2].data + start, (size_t)(end - start));
        bytes += end - start;
    }
    return ARB_OK;
}

static arb_code build_views(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    arb_arrow_buffer validity = to->buffers[0]; /* moves into the longer list */
    uint64_t buffers = 2;
    for (size_t i = 0; i < count; i++)
        buffers += pieces[i].node->buffer_count - 2;
    if (buffers > INT32_MAX)
        return too_large(job, to);
    to->buffers[0] = (arb_arrow_buffer){0};
    arb_code code = arb_arrow_node_set_buffer_count(job->draft, to, (uint32_t)buffers, job->error);
    if (code != ARB_OK) {
        arb_arrow_buffer_reset(&validity);
        return code;
    }
    to->buffers[0] = validity;
    uint8_t *views;
    ARB_TRY(new_buffer(job, &to->buffers[1], to->length, 16, &views));
    uint32_t next = 2;
    for (size_t i = 0; i < count; i++) {
        const arb_arrow_node *from = pieces[i].node;
        for (int64_t row = pieces[i].start; row < pieces[i].start + pieces[i].rows; row++, views += 16) {
            if (!arb_arrow_node_is_valid(from, row))
                continue; /* stays zero: what a NULL row refers to was never checked */
            memcpy(views, from->buffers[1].data + (size_t)(from->offset + row) * 16, 16);
            if (arb_load_u32(views) > 12)
                arb_store_u32(views + 8, arb_load_u32(views + 8) + next - 2);
        }
        for (uint32_t buffer = 2; buffer < from->buffer_count; buffer++)
            to->buffers[next++] = arb_arrow_buffer_ref(&from->buffers[buffer]);
    }
    return ARB_OK;
}

/* ---- nested --------------------------------------------------------------------------------------------------- */

static arb_code build_list(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    ARB_TRY(build_offsets(job, to, pieces, count));
    piece *elements = new_pieces(job, count);
    if (elements == NULL)
        return ARB_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        int64_t start = arb_arrow_node_offset(pieces[i].node, 1, pieces[i].start);
        int64_t end = arb_arrow_node_offset(pieces[i].node, 1, pieces[i].start + pieces[i].rows);
        elements[i] = (piece){&pieces[i].node->children[0], start, end - start};
    }
    return build(job, &to->children[0], elements, count);
}

/* One child of all pieces, as a whole; and where each piece's rows of it begin in the result. */
static arb_code build_whole_child(concat_job *job, arb_arrow_node *to, uint32_t child, const piece *pieces,
                                  size_t count)
{
    piece *whole = new_pieces(job, count);
    if (whole == NULL)
        return ARB_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        whole[i] = (piece){&pieces[i].node->children[child], 0, pieces[i].node->children[child].length};
    return build(job, &to->children[child], whole, count);
}

static arb_code build_list_view(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    size_t width = arb_arrow_field_width(to->field);
    ARB_TRY(build_values(job, to, 2, width, pieces, count));
    uint8_t *offsets;
    ARB_TRY(new_buffer(job, &to->buffers[1], to->length, width, &offsets));
    int64_t base = 0;
    for (size_t i = 0; i < count; i++) {
        const arb_arrow_node *from = pieces[i].node;
        for (int64_t row = pieces[i].start; row < pieces[i].start + pieces[i].rows; row++, offsets += width)
            if (!store_integer(offsets, width, true, base + arb_arrow_node_offset(from, 1, row)))
                return too_large(job, to);
        base += from->children[0].length;
    }
    return build_whole_child(job, to, 0, pieces, count);
}

/* Children with `each` rows for each row of the parent: STRUCT, sparse unions, FIXED_LIST. */
static arb_code build_parallel(concat_job *job, arb_arrow_node *to, int64_t each, const piece *pieces, size_t count)
{
    for (uint32_t child = 0; child < to->child_count; child++) {
        piece *rows = new_pieces(job, count);
        if (rows == NULL)
            return ARB_OUT_OF_MEMORY;
        for (size_t i = 0; i < count; i++) {
            const arb_arrow_node *from = pieces[i].node;
            rows[i] = (piece){&from->children[child], (from->offset + pieces[i].start) * each, pieces[i].rows * each};
        }
        ARB_TRY(build(job, &to->children[child], rows, count));
    }
    return ARB_OK;
}

static arb_code build_type_ids(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    return build_values(job, to, 0, 1, pieces, count);
}

static arb_code build_dense_union(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    ARB_TRY(build_type_ids(job, to, pieces, count));
    uint8_t *offsets;
    ARB_TRY(new_buffer(job, &to->buffers[1], to->length, 4, &offsets));
    int64_t bases[ARB_ARROW_UNION_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        const arb_arrow_node *from = pieces[i].node;
        for (int64_t row = pieces[i].start; row < pieces[i].start + pieces[i].rows; row++, offsets += 4) {
            uint32_t child;
            int64_t at;
            arb_arrow_node_union_slot(from, row, &child, &at);
            if (!store_integer(offsets, 4, true, bases[child] + at))
                return too_large(job, to);
        }
        for (uint32_t child = 0; child < from->child_count; child++)
            bases[child] += from->children[child].length;
    }
    for (uint32_t child = 0; child < to->child_count; child++)
        ARB_TRY(build_whole_child(job, to, child, pieces, count));
    return ARB_OK;
}

/* Pieces that share one dictionary keep it; else the dictionaries are joined too, and indices moved. */
static arb_code build_dictionary(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    size_t width = arb_arrow_field_width(to->field);
    bool is_signed = to->field->index_kind <= ARB_ARROW_INT64, same = true;
    const arb_arrow_array **entries = ARB_ARENA_ARRAY(&job->draft->arena, const arb_arrow_array *, count);
    if (entries == NULL)
        return arb_fail_memory(job->error, "joining arrays", count * sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        entries[i] = pieces[i].node->dictionary;
        same &= entries[i] == entries[0];
    }
    if (same) {
        to->dictionary = arb_arrow_array_ref(entries[0]);
        return build_values(job, to, 1, width, pieces, count);
    }
    ARB_TRY(arb_arrow_concat(entries, count, &to->dictionary, job->error));
    uint8_t *indices;
    ARB_TRY(new_buffer(job, &to->buffers[1], to->length, width, &indices));
    int64_t base = 0;
    for (size_t i = 0; i < count; i++) {
        for (int64_t row = pieces[i].start; row < pieces[i].start + pieces[i].rows; row++, indices += width)
            if (arb_arrow_node_is_valid(pieces[i].node, row) &&
                !store_integer(indices, width, is_signed, base + arb_arrow_node_index(pieces[i].node, row)))
                return too_large(job, to);
        base += arb_arrow_array_length(entries[i]);
    }
    return ARB_OK;
}

static arb_code build_runs(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    arb_arrow_node *ends = &to->children[0];
    size_t width = arb_arrow_field_width(ends->field);
    piece *values = new_pieces(job, count);
    if (values == NULL)
        return ARB_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const arb_arrow_node *from = pieces[i].node;
        values[i] = (piece){.node = &from->children[1]};
        if (pieces[i].rows == 0)
            continue;
        values[i].start = arb_arrow_node_run(from, pieces[i].start);
        values[i].rows = arb_arrow_node_run(from, pieces[i].start + pieces[i].rows - 1) - values[i].start + 1;
    }
    ends->length = total_rows(values, count);
    uint8_t *at;
    ARB_TRY(new_buffer(job, &ends->buffers[1], ends->length, width, &at));
    int64_t base = 0;
    for (size_t i = 0; i < count; i++) {
        const arb_arrow_node *from = pieces[i].node, *from_ends = &from->children[0];
        for (int64_t run = values[i].start; run < values[i].start + values[i].rows; run++, at += width) {
            int64_t end = arb_arrow_load_integer(from_ends->buffers[1].data, width, true, from_ends->offset + run);
            end = ARB_MIN(end - from->offset - pieces[i].start, pieces[i].rows);
            if (!store_integer(at, width, true, base + end))
                return too_large(job, to);
        }
        base += pieces[i].rows;
    }
    return build(job, &to->children[1], values, count);
}

static arb_code build(concat_job *job, arb_arrow_node *to, const piece *pieces, size_t count)
{
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)to->field->kind);
    to->length = total_rows(pieces, count);
    if (to->length > ARB_ARROW_LENGTH_MAX)
        return too_large(job, to);
    if (arb_arrow_layout_has_validity(layout))
        ARB_TRY(build_validity(job, to, pieces, count));
    switch (layout) {
    case ARB_LAYOUT_NULL:
        return ARB_OK;
    case ARB_LAYOUT_BITS:
        return build_bits(job, to, pieces, count);
    case ARB_LAYOUT_FIXED:
        return build_values(job, to, 1, arb_arrow_field_width(to->field), pieces, count);
    case ARB_LAYOUT_BINARY:
        return build_binary(job, to, pieces, count);
    case ARB_LAYOUT_VIEW:
        return build_views(job, to, pieces, count);
    case ARB_LAYOUT_LIST:
        return build_list(job, to, pieces, count);
    case ARB_LAYOUT_LIST_VIEW:
        return build_list_view(job, to, pieces, count);
    case ARB_LAYOUT_FIXED_LIST:
        return build_parallel(job, to, to->field->size, pieces, count);
    case ARB_LAYOUT_STRUCT:
        return build_parallel(job, to, 1, pieces, count);
    case ARB_LAYOUT_SPARSE_UNION:
        ARB_TRY(build_type_ids(job, to, pieces, count));
        return build_parallel(job, to, 1, pieces, count);
    case ARB_LAYOUT_DENSE_UNION:
        return build_dense_union(job, to, pieces, count);
    case ARB_LAYOUT_DICTIONARY:
        return build_dictionary(job, to, pieces, count);
    default:
        return build_runs(job, to, pieces, count);
    }
}

/* ---- entry ---------------------------------------------------------------------------------------------------- */

static arb_code join(const arb_arrow_array *first, const piece *pieces, size_t count, arb_arrow_array **out_array,
                     arb_error *error)
{
    *out_array = NULL;
    arb_arrow_draft draft;
    ARB_TRY(arb_arrow_draft_init(&draft, first->checked.schema, first->checked.root.field, error));
    concat_job job = {&draft, error};
    arb_code code = build(&job, &draft.root, pieces, count);
    if (code == ARB_OK)
        code = arb_arrow_metadata_copy(&draft.arena, first->checked.metadata, &draft.metadata, error);
    if (code == ARB_OK)
        return arb_arrow_array_create(&draft, out_array, error);
    arb_arrow_draft_reset(&draft);
    return code;
}

arb_code arb_arrow_concat(const arb_arrow_array *const *parts, size_t count, arb_arrow_array **out_array,
                          arb_error *error)
{
    assert(count != 0);
    *out_array = NULL;
    ARB_VEC(piece) pieces = {0};
    for (size_t i = 0; i < count; i++) {
        const arb_arrow_node *root = arb_arrow_array_root(parts[i]);
        if (!arb_arrow_field_equal(root->field, arb_arrow_array_root(parts[0])->field, false)) {
            ARB_VEC_RESET(&pieces);
            return arb_fail(error, ARB_DATATYPE_MISMATCH, "arrays of different types cannot be joined");
        }
        if (!ARB_VEC_PUSH(&pieces, (piece){root, 0, root->length})) {
            ARB_VEC_RESET(&pieces);
            return arb_fail_memory(error, "joining arrays", count * sizeof(piece));
        }
    }
    arb_code code = join(parts[0], pieces.data, count, out_array, error);
    ARB_VEC_RESET(&pieces);
    return code;
}

arb_code arb_arrow_copy_rows(const arb_arrow_array *array, int64_t start, int64_t rows, arb_arrow_array **out_array,
                             arb_error *error)
{
    assert(start >= 0 && rows >= 0 && start <= arb_arrow_array_length(array) - rows);
    piece one = {arb_arrow_array_root(array), start, rows};
    return join(array, &one, 1, out_array, error);
}

/* Whether a node's `length` rows are all that its buffers and children are about. */
static bool is_compact(const arb_arrow_node *node)
{
    if (node->offset != 0)
        return false;
    int64_t child_rows = -1; /* any number */
    switch (arb_arrow_layout_of((arb_arrow_kind)node->field->kind)) {
    case ARB_LAYOUT_BINARY:
        return arb_arrow_node_offset(node, 1, 0) == 0;
    case ARB_LAYOUT_LIST:
        if (arb_arrow_node_offset(node, 1, 0) != 0)
            return false;
        child_rows = arb_arrow_node_offset(node, 1, node->length);
        break;
    case ARB_LAYOUT_FIXED_LIST:
        child_rows = node->length * node->field->size;
        break;
    case ARB_LAYOUT_STRUCT:
    case ARB_LAYOUT_SPARSE_UNION:
        child_rows = node->length;
        break;
    case ARB_LAYOUT_RUNS:
        if (node->children[0].length != node->children[1].length)
            return false;
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        if ((child_rows >= 0 && node->children[i].length != child_rows) || !is_compact(&node->children[i]))
            return false;
    return true;
}

arb_code arb_arrow_compact(const arb_arrow_array *array, arb_arrow_array **out_array, arb_error *error)
{
    const arb_arrow_node *root = arb_arrow_array_root(array);
    if (is_compact(root)) {
        *out_array = arb_arrow_array_ref(array);
        return ARB_OK;
    }
    return arb_arrow_copy_rows(array, 0, root->length, out_array, error);
}
