/* The check that turns a draft into an array: see arrow_array.h. Nothing in a draft is believed: sizes of buffers are
 * compared with lengths by checked arithmetic before a byte is read. Rows that lie before a node's offset are never
 * looked at, nor are values of NULL rows, since Arrow leaves them unspecified; but list views point into range there too.
 * What a value means is left to those who give it a meaning: decimals may have more digits than their type, times more
 * hours than a day. Writers have produced both, and no reader of bytes comes to harm. */
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "columnar/arrow_array.h"

static arb_code corrupt(arb_error *error, const arb_arrow_node *node, const char *format, ...) ARB_PRINTF(3, 4);

static arb_code corrupt(arb_error *error, const arb_arrow_node *node, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return arb_fail(error, ARB_CORRUPT_DATA, "column \"%.*s\" of type %s: %s", ARB_STR_ARGS(node->field->name),
                    arb_arrow_kind_name((arb_arrow_kind)node->field->kind), what);
}

/* Buffer `buffer` holds `count` values of `width` bytes. */
static arb_code needs(const arb_arrow_node *node, uint32_t buffer, int64_t count, size_t width, arb_error *error)
{
    size_t bytes;
    if (__builtin_mul_overflow((size_t)count, width, &bytes) || node->buffers[buffer].size < bytes)
        return corrupt(error, node, "buffer %u has %zu bytes, too few for %lld values", buffer,
                       node->buffers[buffer].size, (long long)count);
    return ARB_OK;
}

static int64_t count_nulls(const arb_arrow_node *node)
{
    const uint8_t *bits = node->buffers[0].data;
    int64_t at = node->offset, end = node->offset + node->length, ones = 0;
    for (; at < end && at % 8 != 0; at++)
        ones += bits[at / 8] >> (at % 8) & 1;
    for (; at + 64 <= end; at += 64)
        ones += __builtin_popcountll(arb_load_u64(bits + at / 8));
    for (; at < end; at++)
        ones += bits[at / 8] >> (at % 8) & 1;
    return node->length - ones;
}

static arb_code check_validity(arb_arrow_node *node, arb_arrow_layout layout, arb_error *error)
{
    int64_t nulls = 0;
    if (layout == ARB_LAYOUT_NULL) {
        nulls = node->length;
        if (node->null_count == 0) /* some writers do not count here */
            node->null_count = nulls;
    } else if (arb_arrow_layout_has_validity(layout) && node->buffers[0].size != 0) {
        ARB_TRY(needs(node, 0, (node->offset + node->length + 7) / 8, 1, error));
        nulls = count_nulls(node);
    }
    if (node->null_count >= 0 && node->null_count != nulls)
        return corrupt(error, node, "claims %lld NULLs but has %lld", (long long)node->null_count, (long long)nulls);
    node->null_count = nulls;
    return ARB_OK;
}

/* ---- values --------------------------------------------------------------------------------------------------- */

static arb_code check_fixed(const arb_arrow_node *node, arb_error *error)
{
    return needs(node, 1, node->offset + node->length, arb_arrow_field_width(node->field), error);
}

/* Offsets of the rows in use start at 0 or later, never go back, and end within `most`. */
static arb_code check_offsets(const arb_arrow_node *node, int64_t most, arb_error *error)
{
    if (node->offset + node->length == 0 && node->buffers[1].size == 0)
        return ARB_OK;
    size_t width = arb_arrow_field_width(node->field);
    ARB_TRY(needs(node, 1, node->offset + node->length + 1, width, error));
    const uint8_t *offsets = node->buffers[1].data + (size_t)node->offset * width;
    int64_t previous = 0;
    for (int64_t row = 0; row <= node->length; row++) {
        int64_t offset = width == 4 ? arb_load_i32(offsets + row * 4) : arb_load_i64(offsets + row * 8);
        if (ARB_UNLIKELY(offset < previous))
            return corrupt(error, node, "offset %lld is less than the one before it", (long long)row);
        previous = offset;
    }
    if (previous > most)
        return corrupt(error, node, "offsets reach %lld, but there are %lld elements", (long long)previous,
                       (long long)most);
    return ARB_OK;
}

static bool continues_character(const uint8_t *bytes, int64_t at, int64_t end)
{
    return at < end && (bytes[at] & 0xC0) == 0x80;
}

/* All at once when the bytes are text as a whole and no row starts inside a character; else row by row, since bytes of
 * NULL rows may be anything. */
static arb_code check_text(const arb_arrow_node *node, arb_error *error)
{
    int64_t start = arb_arrow_node_offset(node, 1, 0), end = arb_arrow_node_offset(node, 1, node->length);
    const uint8_t *bytes = node->buffers[2].data;
    if (start == end || arb_utf8_is_ascii(bytes + start, (size_t)(end - start)))
        return ARB_OK;
    bool good = arb_utf8_is_valid(bytes + start, (size_t)(end - start));
    for (int64_t row = 0; good && row < node->length; row++)
        good = !continues_character(bytes, arb_arrow_node_offset(node, 1, row), end);
    for (int64_t row = 0; !good && row < node->length; row++) {
        arb_str text = arb_arrow_node_bytes(node, row);
        if (!arb_utf8_is_valid(text.data, text.size) && arb_arrow_node_is_valid(node, row))
            return corrupt(error, node, "row %lld is not UTF-8", (long long)row);
    }
    return ARB_OK;
}

static arb_code check_view(const arb_arrow_node *node, int64_t row, const uint8_t *view, arb_error *error)
{
    int32_t size = arb_load_i32(view);
    if (size < 0)
        return corrupt(error, node, "row %lld has a negative size", (long long)row);
    if (size <= 12) {
        for (int32_t i = size; i < 12; i++)
            if (view[4 + i] != 0)
                return corrupt(error, node, "row %lld has bytes behind its end", (long long)row);
    } else {
        int32_t buffer = arb_load_i32(view + 8), offset = arb_load_i32(view + 12);
        if (buffer < 0 || (uint32_t)buffer >= node->buffer_count - 2)
            return corrupt(error, node, "row %lld refers to buffer %d of %u", (long long)row, buffer,
                           node->buffer_count - 2);
        const arb_arrow_buffer *bytes = &node->buffers[2 + buffer];
        if (offset < 0 || (size_t)offset + (size_t)size > bytes->size)
            return corrupt(error, node, "row %lld refers to bytes behind the end of buffer %d", (long long)row, buffer);
        if (memcmp(view + 4, bytes->data + offset, 4) != 0)
            return corrupt(error, node, "row %lld has a prefix that differs from its bytes", (long long)row);
    }
    arb_str text = arb_arrow_node_bytes(node, row);
    if (arb_arrow_kind_is_utf8((arb_arrow_kind)node->field->kind) && !arb_utf8_is_valid(text.data, text.size))
        return corrupt(error, node, "row %lld is not UTF-8", (long long)row);
    return ARB_OK;
}

static arb_code check_views(const arb_arrow_node *node, arb_error *error)
{
    ARB_TRY(needs(node, 1, node->offset + node->length, 16, error));
    for (int64_t row = 0; row < node->length; row++)
        if (arb_arrow_node_is_valid(node, row))
            ARB_TRY(check_view(node, row, node->buffers[1].data + (size_t)(node->offset + row) * 16, error));
    return ARB_OK;
}

/* ---- nested --------------------------------------------------------------------------------------------------- */

static arb_code child_reaches(const arb_arrow_node *node, uint32_t child, int64_t rows, arb_error *error)
{
    if (node->children[child].length < rows)
        return corrupt(error, node, "child %u has %lld rows where %lld are needed", child,
                       (long long)node->children[child].length, (long long)rows);
    return ARB_OK;
}

static arb_code check_list_views(const arb_arrow_node *node, arb_error *error)
{
    size_t width = arb_arrow_field_width(node->field);
    ARB_TRY(needs(node, 1, node->offset + node->length, width, error));
    ARB_TRY(needs(node, 2, node->offset + node->length, width, error));
    int64_t most = node->children[0].length;
    for (int64_t row = 0; row < node->length; row++) {
        int64_t offset = arb_arrow_node_offset(node, 1, row), size = arb_arrow_node_offset(node, 2, row);
        if (offset < 0 || size < 0 || offset > most || size > most - offset)
            return corrupt(error, node, "row %lld refers to elements that are not there", (long long)row);
    }
    return ARB_OK;
}

static arb_code check_map(const arb_arrow_node *node, arb_error *error)
{
    const arb_arrow_node *entries = &node->children[0];
    if (entries->null_count != 0 || entries->children[0].null_count != 0)
        return corrupt(error, node, "an entry or its key is NULL");
    return ARB_OK;
}

static arb_code check_union(const arb_arrow_node *node, bool dense, arb_error *error)
{
    int8_t child_of[128];
    memset(child_of, -1, sizeof child_of);
    for (uint32_t i = 0; i < node->child_count; i++)
        child_of[node->field->type_ids[i]] = (int8_t)i;
    int64_t end = node->offset + node->length;
    ARB_TRY(needs(node, 0, end, 1, error));
    if (dense)
        ARB_TRY(needs(node, 1, end, 4, error));
    for (uint32_t i = 0; !dense && i < node->child_count; i++)
        ARB_TRY(child_reaches(node, i, end, error));
    for (int64_t at = node->offset; at < end; at++) {
        uint8_t id = node->buffers[0].data[at];
        if (id > 127 || child_of[id] < 0)
            return corrupt(error, node, "row %lld has the unknown type id %d", (long long)(at - node->offset),
                           (int)(int8_t)id);
        if (!dense)
            continue;
        int32_t row = arb_load_i32(node->buffers[1].data + at * 4);
        if (row < 0 || row >= node->children[child_of[id]].length)
            return corrupt(error, node, "row %lld refers to a value that is not there", (long long)(at - node->offset));
    }
    return ARB_OK;
}

static arb_code check_dictionary(const arb_arrow_node *node, arb_error *error)
{
    if (node->dictionary == NULL)
        return corrupt(error, node, "has no dictionary");
    const arb_arrow_node *entries = arb_arrow_array_root(node->dictionary);
    if (!arb_arrow_field_equal(entries->field, &node->field->children[0], false))
        return corrupt(error, node, "has a dictionary of another type");
    size_t width = arb_arrow_field_width(node->field);
    ARB_TRY(needs(node, 1, node->offset + node->length, width, error));
    for (int64_t row = 0; row < node->length; row++) {
        int64_t index = arb_arrow_node_index(node, row); /* a uint64 beyond the signed range is negative here */
        if (ARB_UNLIKELY(index < 0 || index >= entries->length) && arb_arrow_node_is_valid(node, row))
            return corrupt(error, node, "row %lld refers to entry %lld of %lld", (long long)row, (long long)index,
                           (long long)entries->length);
    }
    return ARB_OK;
}

static arb_code check_runs(const arb_arrow_node *node, arb_error *error)
{
    const arb_arrow_node *ends = &node->children[0];
    if (ends->null_count != 0)
        return corrupt(error, node, "the end of a run is NULL");
    ARB_TRY(child_reaches(node, 1, ends->length, error));
    size_t width = arb_arrow_field_width(ends->field);
    int64_t previous = 0;
    for (int64_t run = 0; run < ends->length; run++) {
        int64_t end = arb_arrow_load_integer(ends->buffers[1].data, width, true, ends->offset + run);
        if (end <= previous)
            return corrupt(error, node, "run %lld ends at or before its start", (long long)run);
        previous = end;
    }
    if (previous < node->offset + node->length)
        return corrupt(error, node, "the runs end at row %lld of %lld", (long long)previous,
                       (long long)(node->offset + node->length));
    return ARB_OK;
}

static arb_code check_struct(const arb_arrow_node *node, arb_error *error)
{
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(child_reaches(node, i, node->offset + node->length, error));
    return ARB_OK;
}

/* ---- all ------------------------------------------------------------------------------------------------------ */

static arb_code check_layout(const arb_arrow_node *node, arb_arrow_layout layout, arb_error *error)
{
    int64_t end = node->offset + node->length, product;
    switch (layout) {
    case ARB_LAYOUT_NULL:
        return ARB_OK;
    case ARB_LAYOUT_BITS:
        return needs(node, 1, (end + 7) / 8, 1, error);
    case ARB_LAYOUT_FIXED:
        return check_fixed(node, error);
    case ARB_LAYOUT_BINARY:
        ARB_TRY(check_offsets(node, (int64_t)ARB_MIN(node->buffers[2].size, (size_t)INT64_MAX), error));
        return arb_arrow_kind_is_utf8((arb_arrow_kind)node->field->kind) ? check_text(node, error) : ARB_OK;
    case ARB_LAYOUT_VIEW:
        return check_views(node, error);
    case ARB_LAYOUT_LIST:
        ARB_TRY(check_offsets(node, node->children[0].length, error));
        return node->field->kind == ARB_ARROW_MAP ? check_map(node, error) : ARB_OK;
    case ARB_LAYOUT_LIST_VIEW:
        return check_list_views(node, error);
    case ARB_LAYOUT_FIXED_LIST:
        if (__builtin_mul_overflow(end, (int64_t)node->field->size, &product))
            return corrupt(error, node, "has too many elements");
        return child_reaches(node, 0, product, error);
    case ARB_LAYOUT_STRUCT:
        return check_struct(node, error);
    case ARB_LAYOUT_SPARSE_UNION:
    case ARB_LAYOUT_DENSE_UNION:
        return check_union(node, layout == ARB_LAYOUT_DENSE_UNION, error);
    case ARB_LAYOUT_DICTIONARY:
        return check_dictionary(node, error);
    default:
        assert(layout == ARB_LAYOUT_RUNS);
        return check_runs(node, error);
    }
}

arb_code arb_arrow_node_validate(arb_arrow_node *node, arb_error *error)
{
    if (node->length < 0 || node->offset < 0 || node->length > ARB_ARROW_LENGTH_MAX ||
        node->offset > ARB_ARROW_LENGTH_MAX - node->length)
        return corrupt(error, node, "has an impossible length of %lld at offset %lld", (long long)node->length,
                       (long long)node->offset);
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)node->field->kind);
    ARB_TRY(check_validity(node, layout, error));
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(arb_arrow_node_validate(&node->children[i], error));
    return check_layout(node, layout, error);
}
