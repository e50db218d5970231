#include "catalog/segment_columns.h"

static arb_arrow_kind kind_of(const arb_chunk_column *column)
{
    static const uint8_t kinds[ARB_PHYS_COUNT] = {
        [ARB_PHYS_BOOL] = ARB_ARROW_BOOL,           [ARB_PHYS_INT8] = ARB_ARROW_INT8,
        [ARB_PHYS_INT16] = ARB_ARROW_INT16,         [ARB_PHYS_INT32] = ARB_ARROW_INT32,
        [ARB_PHYS_INT64] = ARB_ARROW_INT64,         [ARB_PHYS_INT128] = ARB_ARROW_DECIMAL128,
        [ARB_PHYS_FLOAT32] = ARB_ARROW_FLOAT32,     [ARB_PHYS_FLOAT64] = ARB_ARROW_FLOAT64,
        [ARB_PHYS_STRING] = ARB_ARROW_LARGE_BINARY, [ARB_PHYS_INTERVAL] = ARB_ARROW_FIXED_SIZE_BINARY,
        [ARB_PHYS_LIST] = ARB_ARROW_LARGE_LIST,     [ARB_PHYS_STRUCT] = ARB_ARROW_STRUCT,
    };
    return column->is_utf8 ? ARB_ARROW_LARGE_UTF8 : (arb_arrow_kind)kinds[column->physical];
}

static arb_code describe(arb_arena *arena, const arb_chunk_column *column, size_t number, arb_arrow_field *field,
                         arb_error *error)
{
    arb_text name = {0};
    arb_text_printf(&name, "c%zu", number);
    *field = (arb_arrow_field){.name = arb_str_copy(arena, arb_text_view(&name)),
                               .kind = (uint8_t)kind_of(column),
                               .nullable = true,
                               .zone = ARB_STR(""),
                               .child_count = (uint32_t)column->child_count,
                               .children = ARB_ARENA_ARRAY(arena, arb_arrow_field, column->child_count + 1)};
    bool fine = !name.failed && field->name.data != NULL && field->children != NULL;
    arb_text_reset(&name);
    if (!fine)
        return arb_fail_memory(error, "a segment's schema", sizeof *field);
    if (field->kind == ARB_ARROW_DECIMAL128)
        field->precision = 38;
    else if (field->kind == ARB_ARROW_FIXED_SIZE_BINARY)
        field->size = (int32_t)sizeof(arb_interval);
    for (size_t i = 0; i < column->child_count; i++)
        ARB_TRY(describe(arena, &column->children[i], i, &field->children[i], error));
    return ARB_OK;
}

arb_code arb_segment_schema(const arb_memory_chunk *chunk, arb_arrow_schema **out_schema, arb_error *error)
{
    arb_arrow_schema *schema;
    *out_schema = NULL;
    ARB_TRY(arb_arrow_schema_create_columns(chunk->column_count, &schema, error));
    arb_code code = ARB_OK;
    for (size_t i = 0; code == ARB_OK && i < chunk->column_count; i++)
        code = describe(&schema->arena, &chunk->columns[i], i, &schema->root.children[i], error);
    return arb_arrow_schema_finish(schema, code, out_schema, error);
}
