/* arrow_array.h: columns in Arrow's own layout, of every Arrow type.
 *
 *     arb_arrow_schema *schema = …;                         the tree of types
 *     arb_arrow_draft draft = {0};
 *     arb_arrow_draft_init(&draft, schema, NULL, error)     the tree of nodes, all empty
 *       … set lengths and buffers of draft.root …
 *     arb_arrow_array_create(&draft, &array, error)         checks everything
 *
 * A draft is what a reader filled in from bytes that nobody has looked at: it can be checked or thrown away, no more. An
 * arb_arrow_array is proof that the check was passed: every function that reads values takes arrays, and reads without
 * looking again. It is immutable and counted. A batch of columns is an array of a STRUCT without NULLs.
 *
 * A node is one level: rows [offset, offset + length) of its buffers (Arrow's slices: a STRUCT's or a union's offset
 * also applies to its children). Buffers, by layout (see arrow_schema.h):
 *
 *     BITS, FIXED, DICTIONARY   validity | values          LIST         validity | offsets
 *     BINARY     validity | offsets | bytes                LIST_VIEW    validity | offsets | sizes
 *     VIEW       validity | views | bytes …                STRUCT, FIXED_LIST   validity
 *     unions     type ids | offsets (dense)                NULL, RUNS   none
 *
 * An empty validity buffer means no NULLs. Values may be unaligned: read them with arb_load_…. */
#ifndef ARB_COLUMNAR_ARROW_ARRAY_H
#define ARB_COLUMNAR_ARROW_ARRAY_H

#include "columnar/arrow_buffer.h"
#include "columnar/arrow_schema.h"

typedef struct arb_arrow_array arb_arrow_array;

/* Rows of a whole array; and of any node in it. */
#define ARB_ARROW_ROWS_MAX ((int64_t)INT32_MAX)
#define ARB_ARROW_LENGTH_MAX ((int64_t)1 << 40)

typedef struct arb_arrow_node arb_arrow_node;
struct arb_arrow_node {
    const arb_arrow_field *field; /* of the draft's schema */
    int64_t length, offset;
    int64_t null_count; /* -1 = not known (drafts only) */
    uint32_t buffer_count, child_count;
    arb_arrow_buffer *buffers;
    arb_arrow_node *children;
    arb_arrow_array *dictionary; /* DICTIONARY: one count of the entries; else NULL */
};

typedef struct arb_arrow_draft {
    arb_arrow_schema *schema; /* one count */
    arb_arena arena;          /* nodes */
    arb_arrow_node root;
    arb_arrow_metadata metadata; /* that came with these values, not with their type; in the arena */
} arb_arrow_draft;

struct arb_arrow_array {
    _Atomic uint32_t references;
    arb_arrow_draft checked; /* immutable now */
};

/* Nodes for `field` (NULL = the schema's root) and all its children, with empty buffers. Takes a count of the schema.
 * On failure the draft is empty. */
ARB_NODISCARD arb_code arb_arrow_draft_init(arb_arrow_draft *draft, const arb_arrow_schema *schema,
                                            const arb_arrow_field *field, arb_error *error);
/* Give a node of a VIEW layout `count` buffers (at least 2) in place of its empty ones. */
ARB_NODISCARD arb_code arb_arrow_node_set_buffer_count(arb_arrow_draft *draft, arb_arrow_node *node, uint32_t count,
                                                       arb_error *error);
void arb_arrow_draft_reset(arb_arrow_draft *draft); /* a zeroed one is a no-op */

/* Check everything and share it. The draft is empty afterwards, also on failure. Wrong data is ARB_CORRUPT_DATA, data
 * beyond our limits ARB_LIMIT_EXCEEDED. NULLs are counted; a count that was claimed must be right. */
ARB_NODISCARD arb_code arb_arrow_array_create(arb_arrow_draft *draft, arb_arrow_array **out_array, arb_error *error);
arb_arrow_array *arb_arrow_array_ref(const arb_arrow_array *array);
void arb_arrow_array_unref(arb_arrow_array *array); /* NULL is a no-op */

ARB_INLINE const arb_arrow_node *arb_arrow_array_root(const arb_arrow_array *array)
{
    return &array->checked.root;
}
ARB_INLINE int64_t arb_arrow_array_length(const arb_arrow_array *array)
{
    return array->checked.root.length;
}

/* Only the check: used by arb_arrow_array_create. Sets null counts. */
ARB_NODISCARD arb_code arb_arrow_node_validate(arb_arrow_node *node, arb_error *error);

/* What follows is for nodes of checked arrays; `row` counts from 0 within the node's length. */

/* By the node's own validity; runs and unions have none and are never NULL themselves. */
ARB_INLINE bool arb_arrow_node_is_valid(const arb_arrow_node *node, int64_t row)
{
    if (node->null_count == 0)
        return true;
    if (node->field->kind == ARB_ARROW_NULL)
        return false;
    uint64_t bit = (uint64_t)(node->offset + row);
    return (node->buffers[0].data[bit / 8] >> (bit % 8)) & 1;
}

/* Integer `index` of a buffer of integers that have `width` bytes (1, 2, 4 or 8), `is_signed` or not. */
ARB_INLINE int64_t arb_arrow_load_integer(const uint8_t *data, size_t width, bool is_signed, int64_t index)
{
    const uint8_t *at = data + (size_t)index * width;
    switch (width) {
    case 1:
        return is_signed ? (int64_t)(int8_t)*at : *at;
    case 2:
        return is_signed ? (int64_t)arb_load_i16(at) : arb_load_u16(at);
    case 4:
        return is_signed ? (int64_t)arb_load_i32(at) : (int64_t)arb_load_u32(at);
    default:
        return arb_load_i64(at);
    }
}

/* Offset `row` of BINARY and LIST layouts (row may be length), offset or size (`buffer` 1 or 2) of LIST_VIEW. */
ARB_INLINE int64_t arb_arrow_node_offset(const arb_arrow_node *node, uint32_t buffer, int64_t row)
{
    if (node->buffers[buffer].size == 0) /* no rows: the one offset may be missing */
        return 0;
    return arb_arrow_load_integer(node->buffers[buffer].data, arb_arrow_field_width(node->field), true,
                                  node->offset + row);
}

/* Where a DICTIONARY row looks up; only for rows that are not NULL. */
ARB_INLINE int64_t arb_arrow_node_index(const arb_arrow_node *node, int64_t row)
{
    return arb_arrow_load_integer(node->buffers[1].data, arb_arrow_field_width(node->field),
                                  node->field->index_kind <= ARB_ARROW_INT64, node->offset + row);
}

/* The bytes of a row of BINARY, VIEW or FIXED layout; only for rows that are not NULL. Valid as long as the array. */
arb_str arb_arrow_node_bytes(const arb_arrow_node *node, int64_t row);
/* The child of a union's row, and which row of that child (not counting the child's own offset). */
void arb_arrow_node_union_slot(const arb_arrow_node *node, int64_t row, uint32_t *out_child, int64_t *out_row);
/* Which run holds row `row` of a RUNS node. */
int64_t arb_arrow_node_run(const arb_arrow_node *node, int64_t row);

#endif
