#include "columnar/arrow_column.h"

#include "columnar/arrow_values.h"

enum { ELEMENTS_MOST = 1 << 26 }; /* of one batch's lists; a few bytes may stand for any number of them */

arb_code arb_arrow_column_init(arb_arrow_column *column, arb_type type, arb_arena *arena, arb_error *error)
{
    *column = (arb_arrow_column){.type = type, .physical = arb_type_physical(type)};
    if (!arb_type_is_nested(type))
        return ARB_OK;
    size_t count = type.id == ARB_TYPE_STRUCT ? type.children->count : 1;
    column->children = ARB_ARENA_ARRAY(arena, arb_arrow_column, count);
    column->vectors = ARB_ARENA_ARRAY(arena, arb_vector, count);
    if (column->children == NULL || column->vectors == NULL)
        return arb_fail_memory(error, "a column", count * sizeof *column);
    column->child_count = count;
    if (type.id == ARB_TYPE_MAP) {
        arb_str names[] = {ARB_STR("key"), ARB_STR("value")};
        arb_type entry = arb_type_struct(arena, names, type.children->types, 2);
        if (entry.id == ARB_TYPE_NULL)
            return arb_fail_memory(error, "a column", sizeof entry);
        return arb_arrow_column_init(&column->children[0], entry, arena, error);
    }
    for (size_t i = 0; i < count; i++)
        ARB_TRY(arb_arrow_column_init(&column->children[i], type.children->types[i], arena, error));
    return ARB_OK;
}

void arb_arrow_column_reset(arb_arrow_column *column)
{
    arb_arrow_growing_reset(&column->values);
    arb_arrow_growing_reset(&column->validity);
    for (size_t i = 0; i < column->child_count; i++)
        arb_arrow_column_reset(&column->children[i]);
}

void arb_arrow_column_clear(arb_arrow_column *column)
{
    column->values.size = column->validity.size = column->rows = 0;
    column->has_nulls = false;
    for (size_t i = 0; i < column->child_count; i++)
        arb_arrow_column_clear(&column->children[i]);
}

arb_vector arb_arrow_column_vector(arb_arrow_column *column)
{
    arb_vector vector = {.physical = (uint8_t)column->physical, .encoding = ARB_FLAT};
    vector.values.data = column->values.data;
    if (column->has_nulls)
        vector.validity = (uint64_t *)(void *)column->validity.data;
    for (size_t i = 0; i < column->child_count; i++)
        column->vectors[i] = arb_arrow_column_vector(&column->children[i]);
    vector.children = column->vectors;
    if (column->child_count != 0)
        vector.child_rows =
            (uint32_t)(column->physical == ARB_PHYS_LIST ? column->children[0].rows : column->child_count);
    return vector;
}

/* ---- bits ----------------------------------------------------------------------------------------------------- */

/* Words for `rows` more rows behind the column's. */
static arb_code reserve_bits(arb_arrow_column *column, arb_arrow_growing *bits, size_t rows, arb_error *error)
{
    size_t size = arb_bitmap_words(column->rows + rows) * 8;
    if (size > bits->size) {
        ARB_TRY(arb_arrow_growing_reserve(bits, size - bits->size, error));
        memset(bits->data + bits->size, 0, size - bits->size);
        bits->size = size;
    }
    return ARB_OK;
}

/* Bits of a buffer into the column's rows; `from` NULL writes ones. */
static void write_bits(arb_arrow_column *column, arb_arrow_growing *bits, const uint8_t *from, size_t start,
                       size_t rows)
{
    uint64_t *to = (uint64_t *)(void *)bits->data;
    uint64_t piece[ARB_VECTOR_WORDS];
    if (from == NULL) {
        arb_bitmap_write(to, column->rows, NULL, rows);
        return;
    }
    for (size_t done = 0; done < rows; done += ARB_VECTOR_ROWS) {
        size_t count = ARB_MIN(rows - done, (size_t)ARB_VECTOR_ROWS);
        arb_bitmap_copy(piece, from, start + done, count);
        arb_bitmap_write(to, column->rows + done, piece, count);
    }
}

/* Set the validity of the rows that come next: of a node, or (NULL) all valid or all not. */
static arb_code append_validity(arb_arrow_column *column, const arb_arrow_node *node, int64_t start, size_t rows,
                                bool valid, arb_error *error)
{
    bool nulls = node != NULL ? node->null_count != 0 : !valid;
    ARB_TRY(reserve_bits(column, &column->validity, rows, error));
    if (!nulls) {
        write_bits(column, &column->validity, NULL, 0, rows);
        return ARB_OK;
    }
    column->has_nulls = true;
    if (node != NULL && node->field->kind != ARB_ARROW_NULL)
        write_bits(column, &column->validity, node->buffers[0].data, (size_t)(node->offset + start), rows);
    else
        for (size_t row = 0; row < rows; row++)
            arb_bitmap_clear((uint64_t *)(void *)column->validity.data, column->rows + row);
    return ARB_OK;
}

/* ---- rows without a node -------------------------------------------------------------------------------------- */

static arb_code append_blank(arb_arrow_column *column, bool valid, arb_error *error)
{
    ARB_TRY(append_validity(column, NULL, 0, 1, valid, error));
    if (column->physical == ARB_PHYS_BOOL) {
        ARB_TRY(reserve_bits(column, &column->values, 1, error));
        arb_bitmap_clear((uint64_t *)(void *)column->values.data, column->rows);
    } else if (column->physical == ARB_PHYS_STRUCT) {
        for (size_t i = 0; i < column->child_count; i++)
            ARB_TRY(append_blank(&column->children[i], valid, error));
    } else {
        static const uint8_t zeros[16];
        ARB_TRY(arb_arrow_growing_append(&column->values, zeros, arb_physical_size(column->physical), error));
    }
    column->rows++;
    return ARB_OK;
}

arb_code arb_arrow_column_append_zero(arb_arrow_column *column, arb_error *error)
{
    return append_blank(column, true, error);
}

/* The last row once more. Elements of a list are shared, not copied. */
static arb_code append_again(arb_arrow_column *column, arb_error *error)
{
    size_t last = column->rows - 1;
    bool valid = !column->has_nulls || arb_bitmap_get((const uint64_t *)(const void *)column->validity.data, last);
    ARB_TRY(append_validity(column, NULL, 0, 1, valid, error));
    if (column->physical == ARB_PHYS_BOOL) {
        ARB_TRY(reserve_bits(column, &column->values, 1, error));
        uint64_t *bits = (uint64_t *)(void *)column->values.data;
        arb_bitmap_put(bits, column->rows, arb_bitmap_get(bits, last));
    } else if (column->physical == ARB_PHYS_STRUCT) {
        for (size_t i = 0; i < column->child_count; i++)
            ARB_TRY(append_again(&column->children[i], error));
    } else {
        size_t width = arb_physical_size(column->physical);
        ARB_TRY(arb_arrow_growing_reserve(&column->values, width, error));
        memcpy(column->values.data + column->values.size, column->values.data + last * width, width);
        column->values.size += width;
    }
    column->rows++;
    return ARB_OK;
}

/* ---- nested --------------------------------------------------------------------------------------------------- */

static arb_code too_many(const arb_arrow_node *node, arb_error *error)
{
    return arb_fail(error, ARB_LIMIT_EXCEEDED, "column \"%.*s\" has more than %d elements in %d rows",
                    ARB_STR_ARGS(node->field->name), ELEMENTS_MOST, ARB_VECTOR_ROWS);
}

static void list_range(const arb_arrow_node *node, int64_t row, int64_t *out_start, int64_t *out_size)
{
    switch (arb_arrow_layout_of((arb_arrow_kind)node->field->kind)) {
    case ARB_LAYOUT_LIST:
        *out_start = arb_arrow_node_offset(node, 1, row);
        *out_size = arb_arrow_node_offset(node, 1, row + 1) - *out_start;
        return;
    case ARB_LAYOUT_LIST_VIEW:
        *out_start = arb_arrow_node_offset(node, 1, row);
        *out_size = arb_arrow_node_offset(node, 2, row);
        return;
    default:
        *out_start = (node->offset + row) * node->field->size;
        *out_size = node->field->size;
    }
}

/* Elements of neighbouring rows that follow each other are appended at once. NULL rows become empty. */
static arb_code append_lists(arb_arrow_column *column, const arb_arrow_node *node, int64_t start, int64_t rows,
                             arb_error *error)
{
    arb_arrow_column *elements = &column->children[0];
    ARB_TRY(arb_arrow_growing_reserve(&column->values, (size_t)rows * sizeof(arb_list), error));
    arb_list *lists = (arb_list *)(void *)(column->values.data + column->values.size);
    int64_t pending_start = 0, pending = 0;
    for (int64_t i = 0; i < rows; i++) {
        int64_t from = 0, size = 0;
        if (arb_arrow_node_is_valid(node, start + i))
            list_range(node, start + i, &from, &size);
        if ((uint64_t)size > ELEMENTS_MOST || elements->rows + (size_t)pending + (size_t)size > ELEMENTS_MOST)
            return too_many(node, error);
        if (size != 0 && pending != 0 && from != pending_start + pending) {
            ARB_TRY(arb_arrow_column_append(elements, &node->children[0], pending_start, pending, error));
            pending = 0;
        }
        lists[i] = (arb_list){(uint32_t)(elements->rows + (size_t)pending), (uint32_t)size};
        if (size != 0) {
            pending_start = pending == 0 ? from : pending_start;
            pending += size;
        }
    }
    column->values.size += (size_t)rows * sizeof(arb_list);
    return pending != 0 ? arb_arrow_column_append(elements, &node->children[0], pending_start, pending, error) : ARB_OK;
}

/* One row at a time, since rows may point anywhere. */
static arb_code append_dictionary(arb_arrow_column *column, const arb_arrow_node *node, int64_t start, int64_t rows,
                                  arb_error *error)
{
    const arb_arrow_node *entries = arb_arrow_array_root(node->dictionary);
    for (int64_t row = start; row < start + rows; row++) {
        if (!arb_arrow_node_is_valid(node, row))
            ARB_TRY(append_blank(column, false, error));
        else
            ARB_TRY(arb_arrow_column_append(column, entries, arb_arrow_node_index(node, row), 1, error));
    }
    return ARB_OK;
}

static arb_code append_runs(arb_arrow_column *column, const arb_arrow_node *node, int64_t start, int64_t rows,
                            arb_error *error)
{
    int64_t last = -1;
    for (int64_t row = start; row < start + rows; row++) {
        int64_t run = arb_arrow_node_run(node, row);
        if (run == last)
            ARB_TRY(append_again(column, error));
        else
            ARB_TRY(arb_arrow_column_append(column, &node->children[1], run, 1, error));
        last = run;
    }
    return ARB_OK;
}

static arb_code append_structs(arb_arrow_column *column, const arb_arrow_node *node, int64_t start, int64_t rows,
                               arb_error *error)
{
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(arb_arrow_column_append(&column->children[i], &node->children[i], node->offset + start, rows, error));
    return ARB_OK;
}

arb_code arb_arrow_column_append(arb_arrow_column *column, const arb_arrow_node *node, int64_t start, int64_t rows,
                                 arb_error *error)
{
    assert(start >= 0 && rows >= 0 && start + rows <= node->length);
    if (rows == 0)
        return ARB_OK;
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)node->field->kind);
    if (layout == ARB_LAYOUT_DICTIONARY)
        return append_dictionary(column, node, start, rows, error);
    if (layout == ARB_LAYOUT_RUNS)
        return append_runs(column, node, start, rows, error);
    ARB_TRY(append_validity(column, node, start, (size_t)rows, true, error));
    switch (layout) {
    case ARB_LAYOUT_NULL:
        ARB_TRY(reserve_bits(column, &column->values, (size_t)rows, error));
        break;
    case ARB_LAYOUT_BITS:
        ARB_TRY(reserve_bits(column, &column->values, (size_t)rows, error));
        write_bits(column, &column->values, node->buffers[1].data, (size_t)(node->offset + start), (size_t)rows);
        break;
    case ARB_LAYOUT_LIST:
    case ARB_LAYOUT_LIST_VIEW:
    case ARB_LAYOUT_FIXED_LIST:
        ARB_TRY(append_lists(column, node, start, rows, error));
        break;
    case ARB_LAYOUT_STRUCT:
        ARB_TRY(append_structs(column, node, start, rows, error));
        break;
    default: {
        size_t size = (size_t)rows * arb_physical_size(column->physical);
        ARB_TRY(arb_arrow_growing_reserve(&column->values, size, error));
        ARB_TRY(arb_arrow_values_convert(node, start, (size_t)rows, column->type,
                                         column->values.data + column->values.size, error));
        column->values.size += size;
    }
    }
    column->rows += (size_t)rows;
    return ARB_OK;
}
