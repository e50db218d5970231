#include "flight_sql/arrow_rows.h"

#include "base/alloc.h"

/* A column, or the elements of one of lists. */
typedef struct rows_column {
    const arb_arrow_field *field;
    arb_arrow_growing validity, values, bytes; /* values: offsets where there are bytes or elements */
    int64_t rows, nulls;
} rows_column;

struct arb_rows {
    arb_arrow_schema *schema;
    uint32_t count, at;              /* columns, and the next cell's */
    rows_column *columns, *elements; /* of LIST columns */
    arb_code code;
    arb_error error;
};

/* ---- schemas ------------------------------------------------------------------------------------------------------------- */

arb_code arb_rows_field(arb_arrow_schema *schema, const char *name, arb_arrow_kind kind, bool nullable,
                        arb_arrow_kind element, arb_arrow_field *out_field, arb_error *error)
{
    *out_field = (arb_arrow_field){.name = arb_str_of(name), .kind = (uint8_t)kind, .nullable = nullable};
    if (kind != ARB_ARROW_LIST)
        return ARB_OK;
    out_field->child_count = 1;
    out_field->children = ARB_ARENA_NEW(&schema->arena, arb_arrow_field);
    if (out_field->children == NULL)
        return arb_fail_memory(error, "a schema", sizeof *out_field);
    out_field->children[0] = (arb_arrow_field){.name = ARB_STR("item"), .kind = (uint8_t)element};
    return ARB_OK;
}

arb_code arb_rows_schema(const arb_rows_column *columns, uint32_t count, arb_arrow_schema **out_schema,
                         arb_error *error)
{
    arb_arrow_schema *schema;
    *out_schema = NULL;
    ARB_TRY(arb_arrow_schema_create_columns(count, &schema, error));
    arb_code code = ARB_OK;
    for (uint32_t i = 0; i < count && code == ARB_OK; i++)
        code = arb_rows_field(schema, columns[i].name, columns[i].kind, columns[i].nullable, ARB_ARROW_UTF8,
                              &schema->root.children[i], error);
    return arb_arrow_schema_finish(schema, code, out_schema, error);
}

/* ---- cells --------------------------------------------------------------------------------------------------------------- */

static arb_code put_bit(arb_arrow_growing *bits, int64_t row, bool set, arb_error *error)
{
    if (row % 8 == 0)
        ARB_TRY(arb_arrow_growing_append(bits, &(uint8_t){0}, 1, error));
    if (set)
        bits->data[row / 8] |= (uint8_t)(1 << row % 8);
    return ARB_OK;
}

static arb_code put_offset(rows_column *column, size_t end, arb_error *error)
{
    int32_t offset = (int32_t)end;
    if (end > INT32_MAX)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a listing has more than 2 GiB of text");
    if (column->rows == 0)
        ARB_TRY(arb_arrow_growing_append(&column->values, &(int32_t){0}, sizeof(int32_t), error));
    return arb_arrow_growing_append(&column->values, &offset, sizeof offset, error);
}

static arb_code put_validity(rows_column *column, bool valid, arb_error *error)
{
    ARB_TRY(put_bit(&column->validity, column->rows, valid, error));
    column->nulls += !valid;
    return ARB_OK;
}

static arb_code put_text(rows_column *column, arb_str text, arb_error *error)
{
    ARB_TRY(put_validity(column, text.data != NULL, error));
    if (text.size != 0)
        ARB_TRY(arb_arrow_growing_append(&column->bytes, text.data, text.size, error));
    ARB_TRY(put_offset(column, column->bytes.size, error));
    column->rows++;
    return ARB_OK;
}

static arb_code put_number(rows_column *column, bool valid, int64_t number, arb_error *error)
{
    ARB_TRY(put_validity(column, valid, error));
    if (column->field->kind == ARB_ARROW_BOOL)
        ARB_TRY(put_bit(&column->values, column->rows, number != 0, error));
    else /* the low bytes come first */
        ARB_TRY(arb_arrow_growing_append(&column->values, &number, arb_arrow_field_width(column->field), error));
    column->rows++;
    return ARB_OK;
}

static arb_code put_null(rows_column *column, const rows_column *elements, arb_error *error)
{
    switch (arb_arrow_layout_of((arb_arrow_kind)column->field->kind)) {
    case ARB_LAYOUT_BINARY:
        return put_text(column, (arb_str){0}, error);
    case ARB_LAYOUT_LIST:
        ARB_TRY(put_validity(column, false, error));
        ARB_TRY(put_offset(column, (size_t)elements->rows, error));
        column->rows++;
        return ARB_OK;
    default:
        return put_number(column, false, 0, error);
    }
}

static arb_code put_list(rows_column *column, rows_column *elements, const arb_str *texts, size_t count,
                         arb_error *error)
{
    ARB_TRY(put_validity(column, true, error));
    for (size_t i = 0; i < count; i++)
        ARB_TRY(put_text(elements, texts[i], error));
    ARB_TRY(put_offset(column, (size_t)elements->rows, error));
    column->rows++;
    return ARB_OK;
}

/* The column of the next cell, or NULL after a failure. */
static rows_column *next_column(arb_rows *rows)
{
    uint32_t at = rows->at;
    rows->at = at + 1 == rows->count ? 0 : at + 1;
    return rows->code == ARB_OK ? &rows->columns[at] : NULL;
}

void arb_rows_text(arb_rows *rows, arb_str text)
{
    rows_column *column = next_column(rows);
    if (column != NULL)
        rows->code = put_text(column, text, &rows->error);
}

void arb_rows_number(arb_rows *rows, int64_t number)
{
    rows_column *column = next_column(rows);
    if (column != NULL)
        rows->code = put_number(column, true, number, &rows->error);
}

void arb_rows_null(arb_rows *rows)
{
    rows_column *column = next_column(rows);
    if (column != NULL)
        rows->code = put_null(column, &rows->elements[column - rows->columns], &rows->error);
}

void arb_rows_list(arb_rows *rows, const arb_str *texts, size_t count)
{
    rows_column *column = next_column(rows);
    if (column != NULL)
        rows->code = put_list(column, &rows->elements[column - rows->columns], texts, count, &rows->error);
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------- */

arb_code arb_rows_create(arb_arrow_schema *schema, arb_rows **out_rows, arb_error *error)
{
    uint32_t count = schema->root.child_count;
    *out_rows = NULL;
    arb_rows *rows = arb_alloc_zeroed(sizeof *rows);
    rows_column *columns = arb_alloc_zeroed(2 * count * sizeof *columns);
    if (rows == NULL || columns == NULL) {
        arb_free(rows);
        arb_free(columns);
        return arb_fail_memory(error, "a listing", count * sizeof *columns);
    }
    rows->schema = arb_arrow_schema_ref(schema);
    rows->count = count;
    rows->columns = columns;
    rows->elements = columns + count;
    for (uint32_t i = 0; i < count; i++) {
        columns[i].field = &schema->root.children[i];
        if (columns[i].field->kind == ARB_ARROW_LIST)
            rows->elements[i].field = &columns[i].field->children[0];
    }
    *out_rows = rows;
    return ARB_OK;
}

void arb_rows_destroy(arb_rows *rows)
{
    if (rows == NULL)
        return;
    for (uint32_t i = 0; i < 2 * rows->count; i++) {
        arb_arrow_growing_reset(&rows->columns[i].validity);
        arb_arrow_growing_reset(&rows->columns[i].values);
        arb_arrow_growing_reset(&rows->columns[i].bytes);
    }
    arb_arrow_schema_unref(rows->schema);
    arb_free(rows->columns);
    arb_free(rows);
}

static arb_code finish_column(rows_column *column, arb_arrow_node *node, arb_error *error)
{
    node->length = column->rows;
    node->null_count = column->nulls;
    if (column->nulls != 0)
        ARB_TRY(arb_arrow_growing_finish(&column->validity, &node->buffers[0], error));
    ARB_TRY(arb_arrow_growing_finish(&column->values, &node->buffers[1], error));
    return node->buffer_count > 2 ? arb_arrow_growing_finish(&column->bytes, &node->buffers[2], error) : ARB_OK;
}

arb_code arb_rows_finish(arb_rows *rows, arb_arrow_array **out_array, arb_error *error)
{
    arb_arrow_draft draft;
    *out_array = NULL;
    assert(rows->at == 0);
    if (rows->code != ARB_OK) {
        if (error != NULL)
            *error = rows->error;
        return rows->code;
    }
    ARB_TRY(arb_arrow_draft_init(&draft, rows->schema, NULL, error));
    draft.root.length = rows->count != 0 ? rows->columns[0].rows : 0;
    draft.root.null_count = 0;
    arb_code code = ARB_OK;
    for (uint32_t i = 0; i < rows->count && code == ARB_OK; i++) {
        arb_arrow_node *node = &draft.root.children[i];
        code = finish_column(&rows->columns[i], node, error);
        if (code == ARB_OK && node->child_count != 0)
            code = finish_column(&rows->elements[i], &node->children[0], error);
    }
    if (code == ARB_OK)
        return arb_arrow_array_create(&draft, out_array, error);
    arb_arrow_draft_reset(&draft);
    return code;
}
