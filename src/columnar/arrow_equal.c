#include "columnar/arrow_equal.h"

static bool row_equal(const arb_arrow_node *a, int64_t i, const arb_arrow_node *b, int64_t j);

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

static bool lists_equal(const arb_arrow_node *a, int64_t i, const arb_arrow_node *b, int64_t j)
{
    int64_t a_start, a_size, b_start, b_size;
    list_range(a, i, &a_start, &a_size);
    list_range(b, j, &b_start, &b_size);
    return a_size == b_size && arb_arrow_rows_equal(&a->children[0], a_start, &b->children[0], b_start, a_size);
}

static bool unions_equal(const arb_arrow_node *a, int64_t i, const arb_arrow_node *b, int64_t j)
{
    uint32_t a_child, b_child;
    int64_t a_row, b_row;
    arb_arrow_node_union_slot(a, i, &a_child, &a_row);
    arb_arrow_node_union_slot(b, j, &b_child, &b_row);
    return a_child == b_child && row_equal(&a->children[a_child], a_row, &b->children[b_child], b_row);
}

static bool bit_of(const arb_arrow_node *node, int64_t row)
{
    int64_t at = node->offset + row;
    return (node->buffers[1].data[at / 8] >> (at % 8)) & 1;
}

/* The value that an encoded row stands for. */
static void resolve(const arb_arrow_node **node, int64_t *row)
{
    for (;;) {
        const arb_arrow_node *from = *node;
        if (from->field->kind == ARB_ARROW_RUN_END_ENCODED) {
            *row = arb_arrow_node_run(from, *row);
            *node = &from->children[1];
        } else if (from->field->kind == ARB_ARROW_DICTIONARY && arb_arrow_node_is_valid(from, *row)) {
            *row = arb_arrow_node_index(from, *row);
            *node = arb_arrow_array_root(from->dictionary);
        } else {
            return;
        }
    }
}

static bool row_equal(const arb_arrow_node *a, int64_t i, const arb_arrow_node *b, int64_t j)
{
    resolve(&a, &i);
    resolve(&b, &j);
    bool valid = arb_arrow_node_is_valid(a, i);
    if (valid != arb_arrow_node_is_valid(b, j))
        return false;
    if (!valid)
        return true;
    switch (arb_arrow_layout_of((arb_arrow_kind)a->field->kind)) {
    case ARB_LAYOUT_NULL:
        return true;
    case ARB_LAYOUT_BITS:
        return bit_of(a, i) == bit_of(b, j);
    case ARB_LAYOUT_FIXED:
    case ARB_LAYOUT_BINARY:
    case ARB_LAYOUT_VIEW:
        return arb_str_equal(arb_arrow_node_bytes(a, i), arb_arrow_node_bytes(b, j));
    case ARB_LAYOUT_LIST:
    case ARB_LAYOUT_LIST_VIEW:
    case ARB_LAYOUT_FIXED_LIST:
        return lists_equal(a, i, b, j);
    case ARB_LAYOUT_STRUCT:
        for (uint32_t child = 0; child < a->child_count; child++)
            if (!row_equal(&a->children[child], a->offset + i, &b->children[child], b->offset + j))
                return false;
        return true;
    case ARB_LAYOUT_SPARSE_UNION:
    case ARB_LAYOUT_DENSE_UNION:
        return unions_equal(a, i, b, j);
    default: /* encodings are resolved, or NULL */
        return true;
    }
}

bool arb_arrow_rows_equal(const arb_arrow_node *a, int64_t a_start, const arb_arrow_node *b, int64_t b_start,
                          int64_t rows)
{
    for (int64_t row = 0; row < rows; row++)
        if (!row_equal(a, a_start + row, b, b_start + row))
            return false;
    return true;
}

bool arb_arrow_array_equal(const arb_arrow_array *a, const arb_arrow_array *b)
{
    const arb_arrow_node *left = arb_arrow_array_root(a), *right = arb_arrow_array_root(b);
    return left->length == right->length && arb_arrow_field_equal(left->field, right->field, true) &&
           arb_arrow_rows_equal(left, 0, right, 0, left->length);
}
