#include "base/alloc.h"
#include "columnar/arrow_column.h"
#include "columnar/arrow_vectors.h"

typedef struct scan_column {
    uint32_t source;
    bool encoded; /* comes as DICTIONARY; `rows` then has the entries */
    arb_arrow_column rows;
    /* Only when encoded: */
    arb_arrow_growing codes, validity;
    arb_arrow_array *entries; /* one count: whose values `rows` has */
    arb_vector dictionary;    /* over `rows` */
    uint64_t dictionary_id;
    const uint64_t *entry_validity; /* NULL: no entry is NULL */
} scan_column;

struct arb_arrow_scan {
    arb_arrow_schema *schema;
    arb_arena arena;
    arb_arrow_array *array; /* one count; NULL before begin */
    int64_t next;           /* row */
    uint32_t column_count;
    scan_column *columns;
    arb_batch batch;
};

static arb_code init_column(arb_arrow_scan *scan, scan_column *column, bool keep_dictionaries, arb_error *error)
{
    const arb_arrow_field *field = &scan->schema->root.children[column->source];
    arb_type type;
    ARB_TRY(arb_arrow_field_to_type(field, &scan->arena, &type, error));
    column->encoded = keep_dictionaries && field->kind == ARB_ARROW_DICTIONARY && !arb_type_is_nested(type) &&
                      arb_type_physical(type) != ARB_PHYS_BOOL;
    return arb_arrow_column_init(&column->rows, type, &scan->arena, error);
}

arb_code arb_arrow_scan_create(const arb_arrow_schema *schema, const uint32_t *columns, uint32_t count,
                               bool keep_dictionaries, arb_arrow_scan **out_scan, arb_error *error)
{
    *out_scan = NULL;
    if (schema->root.kind != ARB_ARROW_STRUCT)
        return arb_fail(error, ARB_DATATYPE_MISMATCH, "only batches of columns can be read as a table");
    arb_arrow_scan *scan = arb_alloc_zeroed(sizeof *scan);
    if (scan == NULL)
        return arb_fail_memory(error, "reading Arrow", sizeof *scan);
    scan->schema = arb_arrow_schema_ref(schema);
    scan->columns = ARB_ARENA_ARRAY(&scan->arena, scan_column, count);
    scan->batch.columns = ARB_ARENA_ARRAY(&scan->arena, arb_vector, count);
    arb_code code = ARB_OK;
    if (scan->columns == NULL || scan->batch.columns == NULL)
        code = arb_fail_memory(error, "reading Arrow", count * sizeof *scan->columns);
    for (uint32_t i = 0; i < count && code == ARB_OK; i++) {
        scan->columns[i].source = columns != NULL ? columns[i] : i;
        assert(scan->columns[i].source < schema->root.child_count);
        scan->column_count = i + 1;
        code = init_column(scan, &scan->columns[i], keep_dictionaries, error);
    }
    if (code != ARB_OK) {
        arb_arrow_scan_destroy(scan);
        return code;
    }
    scan->batch.column_count = count;
    *out_scan = scan;
    return ARB_OK;
}

void arb_arrow_scan_destroy(arb_arrow_scan *scan)
{
    if (scan == NULL)
        return;
    for (uint32_t i = 0; i < scan->column_count; i++) {
        scan_column *column = &scan->columns[i];
        arb_arrow_column_reset(&column->rows);
        arb_arrow_growing_reset(&column->codes);
        arb_arrow_growing_reset(&column->validity);
        arb_arrow_array_unref(column->entries);
    }
    arb_arrow_array_unref(scan->array);
    arb_arrow_schema_unref(scan->schema);
    arb_arena_reset(&scan->arena);
    arb_free(scan);
}

arb_type arb_arrow_scan_type(const arb_arrow_scan *scan, uint32_t column)
{
    assert(column < scan->column_count);
    return scan->columns[column].rows.type;
}

arb_code arb_arrow_scan_begin(arb_arrow_scan *scan, const arb_arrow_array *array, arb_error *error)
{
    const arb_arrow_node *root = arb_arrow_array_root(array);
    if (!arb_arrow_field_equal(root->field, &scan->schema->root, false))
        return arb_fail(error, ARB_DATATYPE_MISMATCH, "a batch has other columns than its schema");
    if (root->null_count != 0)
        return arb_fail(error, ARB_NULL_NOT_ALLOWED, "a batch of columns cannot have rows that are NULL as a whole");
    arb_arrow_array *taken = arb_arrow_array_ref(array);
    arb_arrow_array_unref(scan->array);
    scan->array = taken;
    scan->next = 0;
    return ARB_OK;
}

/* ---- dictionaries --------------------------------------------------------------------------------------------- */

/* Convert the entries when they are others than last time. NULL entries are kept aside: a vector's dictionary has none. */
static arb_code take_entries(scan_column *column, const arb_arrow_array *entries, arb_error *error)
{
    if (column->entries == entries)
        return ARB_OK;
    int64_t count = arb_arrow_array_length(entries);
    arb_arrow_array_unref(column->entries);
    column->entries = NULL;
    arb_arrow_column_clear(&column->rows);
    ARB_TRY(arb_arrow_column_append(&column->rows, arb_arrow_array_root(entries), 0, count, error));
    if (count == 0) /* there must be something to look up */
        ARB_TRY(arb_arrow_column_append_zero(&column->rows, error));
    column->entries = arb_arrow_array_ref(entries);
    column->dictionary = arb_arrow_column_vector(&column->rows);
    column->entry_validity = column->dictionary.validity;
    column->dictionary.validity = NULL;
    column->dictionary_id = arb_dictionary_id_next();
    return ARB_OK;
}

static arb_code read_codes(scan_column *column, const arb_arrow_node *node, int64_t start, size_t rows,
                           arb_vector *vector, arb_error *error)
{
    ARB_TRY(take_entries(column, node->dictionary, error));
    column->codes.size = column->validity.size = 0;
    ARB_TRY(arb_arrow_growing_reserve(&column->codes, ARB_VECTOR_ROWS * sizeof(uint32_t), error));
    ARB_TRY(arb_arrow_growing_reserve(&column->validity, ARB_VECTOR_WORDS * 8, error));
    uint32_t *codes = (uint32_t *)(void *)column->codes.data;
    uint64_t *validity = (uint64_t *)(void *)column->validity.data;
    memset(validity, 0, ARB_VECTOR_WORDS * 8);
    bool any_null = false;
    for (size_t row = 0; row < rows; row++) {
        bool valid = arb_arrow_node_is_valid(node, start + (int64_t)row);
        codes[row] = valid ? (uint32_t)arb_arrow_node_index(node, start + (int64_t)row) : 0;
        valid = valid && (column->entry_validity == NULL || arb_bitmap_get(column->entry_validity, codes[row]));
        arb_bitmap_put(validity, row, valid);
        any_null |= !valid;
    }
    *vector = (arb_vector){.physical = column->dictionary.physical,
                           .encoding = ARB_DICTIONARY,
                           .values = {.codes = codes},
                           .validity = any_null ? validity : NULL,
                           .dictionary = &column->dictionary,
                           .dictionary_size = (uint32_t)column->rows.rows,
                           .dictionary_id = column->dictionary_id};
    return ARB_OK;
}

/* ---- batches -------------------------------------------------------------------------------------------------- */

arb_code arb_arrow_scan_next(arb_arrow_scan *scan, const arb_batch **out_batch, arb_error *error)
{
    *out_batch = NULL;
    if (scan->array == NULL)
        return ARB_OK;
    const arb_arrow_node *root = arb_arrow_array_root(scan->array);
    int64_t rows = ARB_MIN(root->length - scan->next, (int64_t)ARB_VECTOR_ROWS);
    if (rows == 0)
        return ARB_OK;
    int64_t start = root->offset + scan->next;
    for (uint32_t i = 0; i < scan->column_count; i++) {
        scan_column *column = &scan->columns[i];
        const arb_arrow_node *node = &root->children[column->source];
        if (column->encoded) {
            ARB_TRY(read_codes(column, node, start, (size_t)rows, &scan->batch.columns[i], error));
            continue;
        }
        arb_arrow_column_clear(&column->rows);
        ARB_TRY(arb_arrow_column_append(&column->rows, node, start, rows, error));
        scan->batch.columns[i] = arb_arrow_column_vector(&column->rows);
    }
    scan->batch.rows = scan->batch.selected = (uint32_t)rows;
    scan->batch.sequence = (uint64_t)scan->next / ARB_VECTOR_ROWS;
    scan->next += rows;
    *out_batch = &scan->batch;
    return ARB_OK;
}
