#include "columnar/arrow_array.h"

#include <stdatomic.h>

#include "base/alloc.h"

/* Children are made for a child's field in turn; a dictionary is an array of its own and comes later. */
static arb_code init_node(arb_arena *arena, arb_arrow_node *node, const arb_arrow_field *field, arb_error *error)
{
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)field->kind);
    *node = (arb_arrow_node){.field = field, .null_count = -1};
    uint32_t buffers = arb_arrow_layout_buffers(layout);
    node->buffers = ARB_ARENA_ARRAY(arena, arb_arrow_buffer, buffers);
    if (node->buffers == NULL)
        return arb_fail_memory(error, "an array", buffers * sizeof *node->buffers);
    node->buffer_count = buffers;
    if (layout == ARB_LAYOUT_DICTIONARY || field->child_count == 0)
        return ARB_OK;
    node->children = ARB_ARENA_ARRAY(arena, arb_arrow_node, field->child_count);
    if (node->children == NULL)
        return arb_fail_memory(error, "an array", field->child_count * sizeof *node);
    for (uint32_t i = 0; i < field->child_count; i++) {
        node->child_count = i + 1;
        ARB_TRY(init_node(arena, &node->children[i], &field->children[i], error));
    }
    return ARB_OK;
}

arb_code arb_arrow_draft_init(arb_arrow_draft *draft, const arb_arrow_schema *schema, const arb_arrow_field *field,
                              arb_error *error)
{
    *draft = (arb_arrow_draft){.schema = arb_arrow_schema_ref(schema)};
    arb_code code = init_node(&draft->arena, &draft->root, field != NULL ? field : &schema->root, error);
    if (code != ARB_OK)
        arb_arrow_draft_reset(draft);
    return code;
}

arb_code arb_arrow_node_set_buffer_count(arb_arrow_draft *draft, arb_arrow_node *node, uint32_t count, arb_error *error)
{
    assert(count >= 2 && arb_arrow_layout_of((arb_arrow_kind)node->field->kind) == ARB_LAYOUT_VIEW);
    node->buffer_count = 0;
    node->buffers = ARB_ARENA_ARRAY(&draft->arena, arb_arrow_buffer, count);
    if (node->buffers == NULL)
        return arb_fail_memory(error, "an array", count * sizeof *node->buffers);
    node->buffer_count = count;
    return ARB_OK;
}

static void reset_node(arb_arrow_node *node)
{
    for (uint32_t i = 0; i < node->buffer_count; i++)
        arb_arrow_buffer_reset(&node->buffers[i]);
    for (uint32_t i = 0; i < node->child_count; i++)
        reset_node(&node->children[i]);
    arb_arrow_array_unref(node->dictionary);
}

void arb_arrow_draft_reset(arb_arrow_draft *draft)
{
    reset_node(&draft->root);
    arb_arena_reset(&draft->arena);
    arb_arrow_schema_unref(draft->schema);
    *draft = (arb_arrow_draft){0};
}

arb_code arb_arrow_array_create(arb_arrow_draft *draft, arb_arrow_array **out_array, arb_error *error)
{
    *out_array = NULL;
    arb_code code = ARB_OK;
    if (draft->root.length > ARB_ARROW_ROWS_MAX)
        code = arb_fail(error, ARB_LIMIT_EXCEEDED, "an array has %lld rows; at most %lld are supported",
                        (long long)draft->root.length, (long long)ARB_ARROW_ROWS_MAX);
    if (code == ARB_OK)
        code = arb_arrow_node_validate(&draft->root, error);
    arb_arrow_array *array = NULL;
    if (code == ARB_OK && (array = arb_alloc_zeroed(sizeof *array)) == NULL)
        code = arb_fail_memory(error, "an array", sizeof *array);
    if (code != ARB_OK) {
        arb_arrow_draft_reset(draft);
        return code;
    }
    atomic_init(&array->references, 1);
    array->checked = *draft;
    *draft = (arb_arrow_draft){0};
    *out_array = array;
    return ARB_OK;
}

arb_arrow_array *arb_arrow_array_ref(const arb_arrow_array *array)
{
    arb_arrow_array *counted = (arb_arrow_array *)array; /* only the count changes */
    atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
    return counted;
}

void arb_arrow_array_unref(arb_arrow_array *array)
{
    if (array == NULL || atomic_fetch_sub_explicit(&array->references, 1, memory_order_acq_rel) != 1)
        return;
    arb_arrow_draft_reset(&array->checked);
    arb_free(array);
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

arb_str arb_arrow_node_bytes(const arb_arrow_node *node, int64_t row)
{
    switch (arb_arrow_layout_of((arb_arrow_kind)node->field->kind)) {
    case ARB_LAYOUT_BINARY: {
        int64_t start = arb_arrow_node_offset(node, 1, row), end = arb_arrow_node_offset(node, 1, row + 1);
        return (arb_str){start == end ? "" : (const char *)node->buffers[2].data + start, (size_t)(end - start)};
    }
    case ARB_LAYOUT_VIEW: {
        const uint8_t *view = node->buffers[1].data + (size_t)(node->offset + row) * 16;
        size_t size = arb_load_u32(view);
        if (size <= 12)
            return (arb_str){(const char *)view + 4, size};
        const arb_arrow_buffer *bytes = &node->buffers[2 + arb_load_u32(view + 8)];
        return (arb_str){(const char *)bytes->data + arb_load_u32(view + 12), size};
    }
    default: {
        size_t width = arb_arrow_field_width(node->field);
        return (arb_str){width == 0 ? "" : (const char *)node->buffers[1].data + (size_t)(node->offset + row) * width,
                         width};
    }
    }
}

void arb_arrow_node_union_slot(const arb_arrow_node *node, int64_t row, uint32_t *out_child, int64_t *out_row)
{
    int64_t at = node->offset + row;
    int8_t id = (int8_t)node->buffers[0].data[at];
    uint32_t child = 0;
    while (node->field->type_ids[child] != id)
        child++;
    *out_child = child;
    *out_row = node->field->kind == ARB_ARROW_DENSE_UNION ? arb_load_i32(node->buffers[1].data + at * 4) : at;
}

int64_t arb_arrow_node_run(const arb_arrow_node *node, int64_t row)
{
    const arb_arrow_node *ends = &node->children[0];
    size_t width = arb_arrow_field_width(ends->field);
    int64_t wanted = node->offset + row, low = 0, high = ends->length - 1;
    while (low < high) { /* the first run that ends behind the row */
        int64_t middle = low + (high - low) / 2;
        if (arb_arrow_load_integer(ends->buffers[1].data, width, true, ends->offset + middle) > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
