#include "exchange/block.h"

#include <xxhash.h>

#include "base/alloc.h"
#include "columnar/arrow_buffer.h"

arb_code arb_block_room(arb_block *block, arb_error *error)
{
    block->body_at = arb_round_up(block->metadata_size, ARB_ARROW_ALIGNMENT);
    block->data = arb_alloc_aligned(block->body_at + block->body_size + ARB_VECTOR_PADDING, ARB_ARROW_ALIGNMENT);
    if (block->data == NULL)
        return arb_fail_memory(error, "an exchange", block->body_size);
    memset(block->data + block->metadata_size, 0, block->body_at - block->metadata_size);
    memset(block->data + block->body_at + block->body_size, 0, ARB_VECTOR_PADDING);
    return ARB_OK;
}

void arb_block_reset(arb_block *block)
{
    arb_free(block->data);
    *block = (arb_block){0};
}

uint64_t arb_block_checksum(const arb_block *block, const arb_block_origin *origin)
{
    uint64_t parts[] = {origin->job_term,
                        origin->job,
                        origin->attempt_term,
                        origin->attempt,
                        (uint64_t)origin->stage << 32 | origin->task,
                        origin->partition,
                        (uint64_t)block->rows << 32 | block->metadata_size,
                        XXH3_64bits(block->data, block->metadata_size),
                        XXH3_64bits(block->data + block->body_at, block->body_size)};
    return XXH3_64bits(parts, sizeof parts);
}

/* ---- schema -------------------------------------------------------------------------------------------------------------- */

static arb_arrow_kind kind_of(const arb_slot *slot)
{
    switch (slot->physical) {
    case ARB_PHYS_BOOL:
        return ARB_ARROW_BOOL;
    case ARB_PHYS_INT8:
        return ARB_ARROW_INT8;
    case ARB_PHYS_INT16:
        return ARB_ARROW_INT16;
    case ARB_PHYS_INT32:
        return ARB_ARROW_INT32;
    case ARB_PHYS_INT64:
        return ARB_ARROW_INT64;
    case ARB_PHYS_INT128:
        return ARB_ARROW_DECIMAL128;
    case ARB_PHYS_FLOAT32:
        return ARB_ARROW_FLOAT32;
    case ARB_PHYS_FLOAT64:
        return ARB_ARROW_FLOAT64;
    case ARB_PHYS_STRING:
        return slot->type.id == ARB_TYPE_VARCHAR ? ARB_ARROW_UTF8 : ARB_ARROW_BINARY;
    default:
        return ARB_ARROW_FIXED_SIZE_BINARY;
    }
}

static arb_code describe(arb_arena *arena, const arb_slot *slot, size_t number, arb_arrow_field *field,
                         arb_error *error)
{
    arb_text text = {0};
    arb_str *pair = ARB_ARENA_ARRAY(arena, arb_str, 2);
    arb_text_printf(&text, "c%zu", number);
    field->name = arb_str_copy(arena, arb_text_view(&text));
    arb_text_clear(&text);
    arb_type_print(&text, slot->type);
    arb_str type = arb_str_copy(arena, arb_text_view(&text));
    arb_code code = arb_text_check(&text, error);
    arb_text_reset(&text);
    if (code == ARB_OK && (pair == NULL || field->name.data == NULL || type.data == NULL))
        code = arb_fail_memory(error, "a schema", sizeof *field);
    if (code != ARB_OK)
        return code;
    pair[0] = ARB_STR("arbalest.type");
    pair[1] = type;
    field->metadata = (arb_arrow_metadata){1, &pair[0], &pair[1]};
    field->kind = (uint8_t)kind_of(slot);
    field->nullable = slot->nullable;
    if (field->kind == ARB_ARROW_DECIMAL128) {
        field->precision = 38;
        field->scale = slot->type.scale;
    } else if (field->kind == ARB_ARROW_FIXED_SIZE_BINARY) {
        field->size = (int32_t)sizeof(arb_interval);
    }
    return ARB_OK;
}

arb_code arb_block_schema(const arb_layout *layout, arb_arrow_schema **out_schema, arb_error *error)
{
    arb_arrow_schema *schema;
    *out_schema = NULL;
    ARB_TRY(arb_arrow_schema_create_columns(layout->count, &schema, error));
    arb_code code = ARB_OK;
    for (size_t i = 0; code == ARB_OK && i < layout->count; i++)
        code = describe(&schema->arena, &layout->slots[i], i, &schema->root.children[i], error);
    return arb_arrow_schema_finish(schema, code, out_schema, error);
}
