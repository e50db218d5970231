/* Values written on a machine of the other byte order. Whole buffers are turned round, whatever the lengths claim: the
 * check of the array comes later, and bytes behind the last value do not matter. */
#include "columnar/ipc/ipc_body.h"

static void swap_copy(uint8_t *to, const uint8_t *from, size_t width)
{
    for (size_t i = 0; i < width; i++)
        to[i] = from[width - 1 - i];
}

/* Every `stride` bytes, values of the widths that `parts` lists. */
static arb_code swap_parts(arb_arrow_buffer *buffer, size_t stride, const uint8_t *parts, arb_error *error)
{
    if (buffer->size < stride || stride <= 1)
        return ARB_OK;
    arb_arrow_buffer swapped;
    uint8_t *to;
    ARB_TRY(arb_arrow_buffer_create(buffer->size / stride * stride, &swapped, &to, error));
    const uint8_t *from = buffer->data;
    for (size_t at = 0; at < swapped.size;)
        for (const uint8_t *part = parts; *part != 0; at += *part++)
            swap_copy(to + at, from + at, *part);
    arb_arrow_buffer_reset(buffer);
    *buffer = swapped;
    return ARB_OK;
}

static arb_code swap_values(arb_arrow_buffer *buffer, size_t width, arb_error *error)
{
    uint8_t parts[] = {(uint8_t)width, 0};
    return swap_parts(buffer, width, parts, error);
}

/* A size; then, unless the bytes are inline, four bytes that stay, and two numbers. */
static arb_code swap_views(arb_arrow_buffer *buffer, arb_error *error)
{
    if (buffer->size < 16)
        return ARB_OK;
    arb_arrow_buffer swapped;
    uint8_t *to;
    ARB_TRY(arb_arrow_buffer_create(buffer->size / 16 * 16, &swapped, &to, error));
    memcpy(to, buffer->data, swapped.size);
    for (size_t at = 0; at < swapped.size; at += 16) {
        const uint8_t *from = buffer->data + at;
        swap_copy(to + at, from, 4);
        if (arb_load_i32(to + at) > 12) {
            swap_copy(to + at + 8, from + 8, 4);
            swap_copy(to + at + 12, from + 12, 4);
        }
    }
    arb_arrow_buffer_reset(buffer);
    *buffer = swapped;
    return ARB_OK;
}

static arb_code swap_fixed(arb_arrow_node *node, arb_error *error)
{
    static const uint8_t day_time[] = {4, 4, 0}, month_day_nano[] = {4, 4, 8, 0};
    switch (node->field->kind) {
    case ARB_ARROW_FIXED_SIZE_BINARY:
        return ARB_OK;
    case ARB_ARROW_INTERVAL_DAY_TIME:
        return swap_parts(&node->buffers[1], 8, day_time, error);
    case ARB_ARROW_INTERVAL_MDN:
        return swap_parts(&node->buffers[1], 16, month_day_nano, error);
    default:
        return swap_values(&node->buffers[1], arb_arrow_field_width(node->field), error);
    }
}

arb_code arb_ipc_swap(arb_arrow_node *node, arb_error *error)
{
    size_t width = arb_arrow_field_width(node->field);
    switch (arb_arrow_layout_of((arb_arrow_kind)node->field->kind)) {
    case ARB_LAYOUT_FIXED:
        ARB_TRY(swap_fixed(node, error));
        break;
    case ARB_LAYOUT_BINARY:
    case ARB_LAYOUT_LIST:
    case ARB_LAYOUT_DICTIONARY:
        ARB_TRY(swap_values(&node->buffers[1], width, error));
        break;
    case ARB_LAYOUT_LIST_VIEW:
        ARB_TRY(swap_values(&node->buffers[1], width, error));
        ARB_TRY(swap_values(&node->buffers[2], width, error));
        break;
    case ARB_LAYOUT_VIEW:
        ARB_TRY(swap_views(&node->buffers[1], error));
        break;
    case ARB_LAYOUT_DENSE_UNION:
        ARB_TRY(swap_values(&node->buffers[1], 4, error));
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(arb_ipc_swap(&node->children[i], error));
    return ARB_OK;
}
