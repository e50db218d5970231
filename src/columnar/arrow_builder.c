#include "base/alloc.h"
#include "base/vec.h"
#include "columnar/arrow_vectors.h"

/* A column that grows in Arrow's layout. */
typedef struct out_column out_column;
struct out_column {
    const arb_arrow_field *field;
    int64_t rows, nulls;
    arb_arrow_growing validity; /* bytes; kept from the start, left out when there are no NULLs */
    arb_arrow_growing values;   /* values, bits, offsets or views */
    arb_arrow_growing bytes;    /* of text */
    out_column *children;
};

struct arb_arrow_builder {
    arb_arrow_schema *schema;
    arb_arena arena;
    int64_t rows;
    uint32_t column_count;
    out_column *columns;
    ARB_VEC(uint32_t) picked; /* rows of the batch that is appended */
};

/* Rows of a vector, in order. */
typedef struct rows {
    const arb_vector *vector;
    const uint32_t *at;
    size_t count;
    arb_error *error;
} rows;

static arb_code init_column(arb_arena *arena, const arb_arrow_field *field, out_column *column, arb_error *error)
{
    *column = (out_column){.field = field};
    if (field->child_count == 0)
        return ARB_OK;
    column->children = ARB_ARENA_ARRAY(arena, out_column, field->child_count);
    if (column->children == NULL)
        return arb_fail_memory(error, "a column", field->child_count * sizeof *column);
    for (uint32_t i = 0; i < field->child_count; i++)
        ARB_TRY(init_column(arena, &field->children[i], &column->children[i], error));
    return ARB_OK;
}

static void reset_column(out_column *column)
{
    arb_arrow_growing_reset(&column->validity);
    arb_arrow_growing_reset(&column->values);
    arb_arrow_growing_reset(&column->bytes);
    for (uint32_t i = 0; column->children != NULL && i < column->field->child_count; i++)
        reset_column(&column->children[i]);
}

/* Whether values of the type go into columns of the field. */
static bool fits(arb_type type, const arb_arrow_field *field)
{
    const arb_arrow_field *children = field->children;
    switch (type.id) {
    case ARB_TYPE_LIST:
        return field->kind == ARB_ARROW_LIST && fits(type.children->types[0], &children[0]);
    case ARB_TYPE_MAP:
        return field->kind == ARB_ARROW_MAP && fits(type.children->types[0], &children[0].children[0]) &&
               fits(type.children->types[1], &children[0].children[1]);
    case ARB_TYPE_STRUCT:
        if (field->kind != ARB_ARROW_STRUCT || field->child_count != type.children->count)
            return false;
        for (uint32_t i = 0; i < field->child_count; i++)
            if (!fits(type.children->types[i], &children[i]))
                return false;
        return true;
    case ARB_TYPE_DECIMAL:
        return field->kind == ARB_ARROW_DECIMAL128;
    case ARB_TYPE_VARCHAR:
        return field->kind == ARB_ARROW_UTF8 || field->kind == ARB_ARROW_UTF8_VIEW;
    case ARB_TYPE_BLOB:
        return field->kind == ARB_ARROW_BINARY || field->kind == ARB_ARROW_BINARY_VIEW;
    case ARB_TYPE_TIME:
        return field->kind == ARB_ARROW_TIME64 && field->unit == ARB_ARROW_MICROSECOND;
    case ARB_TYPE_INTERVAL:
        return field->kind == ARB_ARROW_INTERVAL_MDN;
    case ARB_TYPE_TIMESTAMP:
    case ARB_TYPE_TIMESTAMPTZ:
        return field->kind == ARB_ARROW_TIMESTAMP &&
               field->unit == (type.nanoseconds ? ARB_ARROW_NANOSECOND : ARB_ARROW_MICROSECOND);
    default: {
        arb_type back;
        return field->child_count == 0 && arb_arrow_field_to_type(field, NULL, &back, NULL) == ARB_OK &&
               back.id == type.id && field->kind != ARB_ARROW_FLOAT16 && field->kind != ARB_ARROW_DATE64 &&
               !(field->kind >= ARB_ARROW_UINT8 && field->kind <= ARB_ARROW_UINT64);
    }
    }
}

arb_code arb_arrow_builder_create(const arb_arrow_schema *schema, const arb_type *types, uint32_t count,
                                  arb_arrow_builder **out_builder, arb_error *error)
{
    *out_builder = NULL;
    if (schema->root.kind != ARB_ARROW_STRUCT || schema->root.child_count != count)
        return arb_fail(error, ARB_DATATYPE_MISMATCH, "the schema does not have %u columns", count);
    for (uint32_t i = 0; i < count; i++)
        if (!fits(types[i], &schema->root.children[i]))
            return arb_fail(error, ARB_DATATYPE_MISMATCH, "column \"%.*s\" cannot be built as Arrow type %s",
                            ARB_STR_ARGS(schema->root.children[i].name),
                            arb_arrow_kind_name((arb_arrow_kind)schema->root.children[i].kind));
    arb_arrow_builder *builder = arb_alloc_zeroed(sizeof *builder);
    if (builder == NULL)
        return arb_fail_memory(error, "building Arrow", sizeof *builder);
    builder->schema = arb_arrow_schema_ref(schema);
    builder->columns = ARB_ARENA_ARRAY(&builder->arena, out_column, count);
    arb_code code = builder->columns != NULL ? ARB_OK : arb_fail_memory(error, "building Arrow", sizeof(out_column));
    for (uint32_t i = 0; i < count && code == ARB_OK; i++) {
        code = init_column(&builder->arena, &schema->root.children[i], &builder->columns[i], error);
        builder->column_count = i + 1;
    }
    if (code != ARB_OK) {
        arb_arrow_builder_destroy(builder);
        return code;
    }
    *out_builder = builder;
    return ARB_OK;
}

void arb_arrow_builder_destroy(arb_arrow_builder *builder)
{
    if (builder == NULL)
        return;
    for (uint32_t i = 0; i < builder->column_count; i++)
        reset_column(&builder->columns[i]);
    ARB_VEC_RESET(&builder->picked);
    arb_arena_reset(&builder->arena);
    arb_arrow_schema_unref(builder->schema);
    arb_free(builder);
}

/* ---- appending ------------------------------------------------------------------------------------------------ */

static arb_code append(out_column *column, const rows *rows);

/* Room for `count` more bits behind `have`; the fresh ones are 0. */
static arb_code grow_bits(arb_arrow_growing *bits, int64_t have, size_t count, arb_error *error)
{
    size_t size = ((size_t)have + count + 7) / 8;
    if (size <= bits->size)
        return ARB_OK;
    ARB_TRY(arb_arrow_growing_reserve(bits, size - bits->size, error));
    memset(bits->data + bits->size, 0, size - bits->size);
    bits->size = size;
    return ARB_OK;
}

static void set_bit(arb_arrow_growing *bits, size_t at)
{
    bits->data[at / 8] |= (uint8_t)(1 << (at % 8));
}

static arb_code append_validity(out_column *column, const rows *rows)
{
    ARB_TRY(grow_bits(&column->validity, column->rows, rows->count, rows->error));
    for (size_t i = 0; i < rows->count; i++) {
        if (arb_vector_is_valid(rows->vector, rows->at[i]))
            set_bit(&column->validity, (size_t)column->rows + i);
        else
            column->nulls++;
    }
    return ARB_OK;
}

static arb_code append_bools(out_column *column, const rows *rows)
{
    ARB_TRY(grow_bits(&column->values, column->rows, rows->count, rows->error));
    for (size_t i = 0; i < rows->count; i++)
        if (arb_vector_is_valid(rows->vector, rows->at[i]) && arb_vector_get_bool(rows->vector, rows->at[i]))
            set_bit(&column->values, (size_t)column->rows + i);
    return ARB_OK;
}

static void store_integer(uint8_t *to, size_t width, arb_int128 value)
{
    memcpy(to, &value, width); /* little-endian */
}

/* Whole numbers of any width that the vector has, to the width of the column. */
static void copy_integers(uint8_t *to, size_t width, const rows *rows)
{
    const arb_vector *entries = arb_vector_entries(rows->vector);
    size_t has = arb_physical_size((arb_physical)entries->physical);
    const uint8_t *from = entries->values.data;
    for (size_t i = 0; i < rows->count; i++, to += width) {
        if (!arb_vector_is_valid(rows->vector, rows->at[i]))
            memset(to, 0, width);
        else if (has == width)
            memcpy(to, from + arb_vector_slot(rows->vector, rows->at[i]) * width, width);
        else
            store_integer(to, width, arb_vector_get_integer(rows->vector, rows->at[i]));
    }
}

static arb_code copy_intervals(out_column *column, uint8_t *to, const rows *rows)
{
    const arb_vector *entries = arb_vector_entries(rows->vector);
    memset(to, 0, rows->count * 16);
    for (size_t i = 0; i < rows->count; i++, to += 16) {
        if (!arb_vector_is_valid(rows->vector, rows->at[i]))
            continue;
        const arb_interval *interval = &entries->values.interval[arb_vector_slot(rows->vector, rows->at[i])];
        int64_t nanos;
        if (__builtin_mul_overflow(interval->micros, 1000, &nanos))
            return arb_fail(rows->error, ARB_DATETIME_OVERFLOW,
                            "column \"%.*s\": an interval is too long for Arrow's nanoseconds",
                            ARB_STR_ARGS(column->field->name));
        memcpy(to, &interval->months, 4);
        memcpy(to + 4, &interval->days, 4);
        memcpy(to + 8, &nanos, 8);
    }
    return ARB_OK;
}

static arb_code append_fixed(out_column *column, const rows *rows)
{
    size_t width = arb_arrow_field_width(column->field), size = rows->count * width;
    ARB_TRY(arb_arrow_growing_reserve(&column->values, size, rows->error));
    uint8_t *to = column->values.data + column->values.size;
    column->values.size += size;
    if (column->field->kind == ARB_ARROW_INTERVAL_MDN)
        return copy_intervals(column, to, rows);
    copy_integers(to, width, rows);
    return ARB_OK;
}

static arb_code too_long(const out_column *column, arb_error *error)
{
    return arb_fail(error, ARB_LIMIT_EXCEEDED, "column \"%.*s\" has more than 2 GiB in one batch",
                    ARB_STR_ARGS(column->field->name));
}

/* An offset behind those that are there; the very first one is 0. */
static arb_code append_offset(out_column *column, uint64_t offset, arb_error *error)
{
    if (offset > INT32_MAX)
        return too_long(column, error);
    int32_t value = (int32_t)offset;
    return arb_arrow_growing_append(&column->values, &value, sizeof value, error);
}

static arb_code append_texts(out_column *column, const rows *rows)
{
    if (column->values.size == 0)
        ARB_TRY(append_offset(column, 0, rows->error));
    for (size_t i = 0; i < rows->count; i++) {
        if (arb_vector_is_valid(rows->vector, rows->at[i])) {
            arb_str text = arb_vector_get_text(rows->vector, rows->at[i]);
            if (text.size > INT32_MAX)
                return too_long(column, rows->error);
            ARB_TRY(arb_arrow_growing_append(&column->bytes, text.data, text.size, rows->error));
        }
        ARB_TRY(append_offset(column, column->bytes.size, rows->error));
    }
    return ARB_OK;
}

static arb_code append_views(out_column *column, const rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        uint8_t view[16] = {0};
        if (arb_vector_is_valid(rows->vector, rows->at[i])) {
            arb_str text = arb_vector_get_text(rows->vector, rows->at[i]);
            if (text.size > INT32_MAX - column->bytes.size)
                return too_long(column, rows->error);
            arb_store_u32(view, (uint32_t)text.size);
            if (text.size <= 12) {
                memcpy(view + 4, text.data, text.size);
            } else {
                memcpy(view + 4, text.data, 4);
                arb_store_u32(view + 12, (uint32_t)column->bytes.size);
                ARB_TRY(arb_arrow_growing_append(&column->bytes, text.data, text.size, rows->error));
            }
        }
        ARB_TRY(arb_arrow_growing_append(&column->values, view, sizeof view, rows->error));
    }
    return ARB_OK;
}

/* The elements of all rows' lists, as rows of the child. */
static arb_code append_lists(out_column *column, const rows *rows)
{
    out_column *elements = &column->children[0];
    const arb_vector *entries = arb_vector_entries(rows->vector);
    if (column->values.size == 0)
        ARB_TRY(append_offset(column, 0, rows->error));
    uint64_t end = (uint64_t)elements->rows, total = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (arb_vector_is_valid(rows->vector, rows->at[i]))
            total += entries->values.list[arb_vector_slot(rows->vector, rows->at[i])].size;
        ARB_TRY(append_offset(column, end + total, rows->error));
    }
    uint32_t *picked = arb_alloc(total * sizeof *picked);
    if (picked == NULL)
        return arb_fail_memory(rows->error, "a column", total * sizeof *picked);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (!arb_vector_is_valid(rows->vector, rows->at[i]))
            continue;
        arb_list list = entries->values.list[arb_vector_slot(rows->vector, rows->at[i])];
        for (uint32_t element = 0; element < list.size; element++)
            picked[count++] = list.offset + element;
    }
    arb_code code = append(elements, &(struct rows){&entries->children[0], picked, count, rows->error});
    arb_free(picked);
    return code;
}

/* Fields are as long as the vector's entries; a NULL struct's fields count for nothing but must be there. */
static arb_code append_structs(out_column *column, const rows *rows)
{
    const arb_vector *entries = arb_vector_entries(rows->vector);
    uint32_t *slots = arb_alloc(rows->count * sizeof *slots);
    if (slots == NULL)
        return arb_fail_memory(rows->error, "a column", rows->count * sizeof *slots);
    for (size_t i = 0; i < rows->count; i++)
        slots[i] = (uint32_t)arb_vector_slot(rows->vector, rows->at[i]);
    arb_code code = ARB_OK;
    for (uint32_t child = 0; child < column->field->child_count && code == ARB_OK; child++)
        code = append(&column->children[child],
                      &(struct rows){&entries->children[child], slots, rows->count, rows->error});
    arb_free(slots);
    return code;
}

static arb_code append_values(out_column *column, const rows *rows)
{
    switch (arb_arrow_layout_of((arb_arrow_kind)column->field->kind)) {
    case ARB_LAYOUT_NULL:
        return ARB_OK;
    case ARB_LAYOUT_BITS:
        return append_bools(column, rows);
    case ARB_LAYOUT_BINARY:
        return append_texts(column, rows);
    case ARB_LAYOUT_VIEW:
        return append_views(column, rows);
    case ARB_LAYOUT_LIST:
        return append_lists(column, rows);
    case ARB_LAYOUT_STRUCT:
        return append_structs(column, rows);
    default:
        return append_fixed(column, rows);
    }
}

static arb_code append(out_column *column, const rows *rows)
{
    if (rows->count == 0)
        return ARB_OK;
    if (column->field->kind != ARB_ARROW_NULL)
        ARB_TRY(append_validity(column, rows));
    ARB_TRY(append_values(column, rows));
    column->rows += (int64_t)rows->count;
    return ARB_OK;
}

arb_code arb_arrow_builder_append(arb_arrow_builder *builder, const arb_batch *batch, arb_error *error)
{
    assert(batch->column_count >= builder->column_count);
    if (builder->rows > ARB_ARROW_ROWS_MAX - (int64_t)batch->rows)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "an array cannot have more than 2^31 - 1 rows");
    if (!ARB_VEC_RESERVE(&builder->picked, batch->rows))
        return arb_fail_memory(error, "building Arrow", batch->rows * sizeof(uint32_t));
    builder->picked.size = 0;
    for (uint32_t row = 0; row < batch->rows; row++)
        if (batch->selection == NULL || arb_bitmap_get(batch->selection, row))
            builder->picked.data[builder->picked.size++] = row;
    for (uint32_t i = 0; i < builder->column_count; i++)
        ARB_TRY(append(&builder->columns[i],
                       &(rows){&batch->columns[i], builder->picked.data, builder->picked.size, error}));
    builder->rows += (int64_t)builder->picked.size;
    return ARB_OK;
}

int64_t arb_arrow_builder_rows(const arb_arrow_builder *builder)
{
    return builder->rows;
}

static uint64_t column_bytes(const out_column *column)
{
    uint64_t bytes = column->values.size + column->bytes.size;
    for (uint32_t i = 0; column->children != NULL && i < column->field->child_count; i++)
        bytes = ARB_MAX(bytes, column_bytes(&column->children[i]));
    return bytes;
}

uint64_t arb_arrow_builder_bytes(const arb_arrow_builder *builder)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < builder->column_count; i++)
        bytes = ARB_MAX(bytes, column_bytes(&builder->columns[i]));
    return bytes;
}

/* ---- finishing ------------------------------------------------------------------------------------------------ */

static arb_code finish_column(arb_arrow_draft *draft, out_column *column, arb_arrow_node *node, arb_error *error)
{
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)column->field->kind);
    node->length = column->rows;
    node->null_count = layout == ARB_LAYOUT_NULL ? column->rows : column->nulls;
    bool has_bytes = layout == ARB_LAYOUT_BINARY || (layout == ARB_LAYOUT_VIEW && column->bytes.size != 0);
    if (layout == ARB_LAYOUT_VIEW)
        ARB_TRY(arb_arrow_node_set_buffer_count(draft, node, has_bytes ? 3 : 2, error));
    if (column->nulls != 0)
        ARB_TRY(arb_arrow_growing_finish(&column->validity, &node->buffers[0], error));
    if (node->buffer_count > 1)
        ARB_TRY(arb_arrow_growing_finish(&column->values, &node->buffers[1], error));
    if (has_bytes)
        ARB_TRY(arb_arrow_growing_finish(&column->bytes, &node->buffers[2], error));
    column->validity.size = 0;
    column->rows = column->nulls = 0;
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(finish_column(draft, &column->children[i], &node->children[i], error));
    return ARB_OK;
}

arb_code arb_arrow_builder_finish(arb_arrow_builder *builder, arb_arrow_array **out_array, arb_error *error)
{
    *out_array = NULL;
    arb_arrow_draft draft;
    ARB_TRY(arb_arrow_draft_init(&draft, builder->schema, NULL, error));
    draft.root.length = builder->rows;
    draft.root.null_count = 0;
    builder->rows = 0;
    arb_code code = ARB_OK;
    for (uint32_t i = 0; i < builder->column_count && code == ARB_OK; i++)
        code = finish_column(&draft, &builder->columns[i], &draft.root.children[i], error);
    if (code == ARB_OK)
        return arb_arrow_array_create(&draft, out_array, error);
    arb_arrow_draft_reset(&draft);
    return code;
}
