/* fuzz_arrow.h: everything that can be done with an Arrow array that passed the check: its values are read, it goes
 * through the C interface and through IPC and comes back equal, and it becomes vectors and an array again. */
#ifndef ARB_TEST_FUZZ_ARROW_H
#define ARB_TEST_FUZZ_ARROW_H

#include "columnar/arrow_c_interface.h"
#include "columnar/arrow_concat.h"
#include "columnar/arrow_equal.h"
#include "columnar/arrow_vectors.h"
#include "columnar/ipc/ipc_stream_reader.h"
#include "columnar/ipc/ipc_writer.h"
#include "fuzz_batch.h"

enum { FUZZ_ARROW_ROWS_MOST = 20000, FUZZ_ARROW_COLUMNS_MOST = 64 };

/* Rows of all nodes, since a few bytes can claim a million million NULLs. */
static inline int64_t fuzz_arrow_rows(const arb_arrow_node *node)
{
    int64_t rows = node->length;
    for (uint32_t i = 0; i < node->child_count && rows <= FUZZ_ARROW_ROWS_MOST; i++)
        rows += fuzz_arrow_rows(&node->children[i]);
    if (node->dictionary != NULL && rows <= FUZZ_ARROW_ROWS_MOST)
        rows += fuzz_arrow_rows(arb_arrow_array_root(node->dictionary));
    return rows;
}

/* Lists of a few bytes may overlap, so that reading every one of them takes for ever; `*left` ends that. */
static inline void fuzz_arrow_read(const arb_arrow_node *node, int64_t row, int64_t *left)
{
    if (--*left < 0 || !arb_arrow_node_is_valid(node, row))
        return;
    int64_t at = node->offset + row, start = 0, count = 0, child_row;
    uint32_t child;
    switch (arb_arrow_layout_of((arb_arrow_kind)node->field->kind)) {
    case ARB_LAYOUT_BITS:
    case ARB_LAYOUT_NULL:
        return;
    case ARB_LAYOUT_LIST:
        start = arb_arrow_node_offset(node, 1, row);
        count = arb_arrow_node_offset(node, 1, row + 1) - start;
        break;
    case ARB_LAYOUT_LIST_VIEW:
        start = arb_arrow_node_offset(node, 1, row);
        count = arb_arrow_node_offset(node, 2, row);
        break;
    case ARB_LAYOUT_FIXED_LIST:
        start = at * node->field->size;
        count = node->field->size;
        break;
    case ARB_LAYOUT_STRUCT:
        for (uint32_t i = 0; i < node->child_count; i++)
            fuzz_arrow_read(&node->children[i], at, left);
        return;
    case ARB_LAYOUT_SPARSE_UNION:
    case ARB_LAYOUT_DENSE_UNION:
        arb_arrow_node_union_slot(node, row, &child, &child_row);
        fuzz_arrow_read(&node->children[child], child_row, left);
        return;
    case ARB_LAYOUT_DICTIONARY:
        fuzz_arrow_read(arb_arrow_array_root(node->dictionary), arb_arrow_node_index(node, row), left);
        return;
    case ARB_LAYOUT_RUNS:
        fuzz_arrow_read(&node->children[1], arb_arrow_node_run(node, row), left);
        return;
    default: {
        arb_str bytes = arb_arrow_node_bytes(node, row);
        if (arb_arrow_kind_is_utf8((arb_arrow_kind)node->field->kind))
            FUZZ_REQUIRE(arb_utf8_is_valid(bytes.data, bytes.size));
        (void)*(volatile uint64_t *)&(uint64_t){arb_hash_bytes(bytes.data, bytes.size)};
        return;
    }
    }
    for (int64_t i = start; i < start + count && *left >= 0; i++)
        fuzz_arrow_read(&node->children[0], i, left);
}

static inline void fuzz_arrow_through_c(const arb_arrow_array *array)
{
    struct ArrowSchema c_schema;
    struct ArrowArray c_array;
    arb_arrow_schema *schema;
    arb_arrow_array *again;
    arb_error error = {0};
    FUZZ_REQUIRE(arb_arrow_schema_export(array->checked.schema, &c_schema, &error) == ARB_OK);
    FUZZ_REQUIRE(arb_arrow_schema_import(&c_schema, &schema, &error) == ARB_OK);
    FUZZ_REQUIRE(arb_arrow_array_export(array, &c_array, &error) == ARB_OK);
    FUZZ_REQUIRE(arb_arrow_array_import(&c_array, schema, &again, &error) == ARB_OK);
    FUZZ_REQUIRE(arb_arrow_array_equal(array, again));
    arb_arrow_array_unref(again);
    arb_arrow_schema_unref(schema);
}

static inline void fuzz_arrow_through_ipc(const arb_arrow_array *array)
{
    arb_text bytes = {0};
    arb_byte_sink *sink;
    arb_ipc_writer *writer = NULL;
    arb_error error = {0};
    FUZZ_REQUIRE(arb_byte_sink_create_memory(&bytes, &sink, &error) == ARB_OK);
    arb_code code = arb_ipc_writer_create(sink, ARB_IPC_STREAM, array->checked.schema, NULL, &writer, &error);
    if (code == ARB_OK)
        code = arb_ipc_writer_write(writer, array, &error);
    if (code == ARB_OK)
        code = arb_ipc_writer_finish(writer, (arb_arrow_metadata){0}, &error);
    arb_ipc_writer_destroy(writer);
    arb_byte_sink_destroy(sink);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_LIMIT_EXCEEDED || code == ARB_NOT_SUPPORTED);
    if (code == ARB_OK) {
        arb_byte_source *source;
        arb_arrow_stream *stream;
        arb_arrow_array *again;
        FUZZ_REQUIRE(arb_byte_source_open_memory(ARB_STR("bytes"), bytes.data, bytes.size, &source, &error) == ARB_OK);
        FUZZ_REQUIRE(arb_ipc_stream_open_source(source, NULL, &stream, &error) == ARB_OK);
        FUZZ_REQUIRE(arb_arrow_stream_next(stream, &again, &error) == ARB_OK && again != NULL);
        FUZZ_REQUIRE(arb_arrow_array_equal(array, again));
        arb_arrow_array_unref(again);
        arb_arrow_stream_destroy(stream);
        arb_byte_source_destroy(source);
    }
    arb_text_reset(&bytes);
}

/* Column by column, since one that has no home here is refused. Back into an array, and from there once more. */
static inline void fuzz_arrow_through_vectors(const arb_arrow_array *array, uint32_t column, bool codes)
{
    arb_arrow_scan *scan;
    arb_error error = {0};
    arb_code code = arb_arrow_scan_create(array->checked.schema, &column, 1, codes, &scan, &error);
    if (code != ARB_OK) {
        FUZZ_REQUIRE(code == ARB_NOT_SUPPORTED || code == ARB_LIMIT_EXCEEDED);
        return;
    }
    arb_type type = arb_arrow_scan_type(scan, 0);
    arb_str name = ARB_STR("c");
    arb_arrow_schema *schema;
    arb_arrow_builder *builder;
    fuzz_rows rows = {0};
    FUZZ_REQUIRE(arb_arrow_schema_from_types(&name, &type, 1, ARB_ARROW_TEXT_OFFSETS, &schema, &error) == ARB_OK);
    FUZZ_REQUIRE(arb_arrow_builder_create(schema, &type, 1, &builder, &error) == ARB_OK);
    code = arb_arrow_scan_begin(scan, array, &error);
    while (code == ARB_OK) {
        const arb_batch *batch;
        code = arb_arrow_scan_next(scan, &batch, &error);
        if (code != ARB_OK || batch == NULL)
            break;
        fuzz_check_batch(batch, &type, &rows);
        code = arb_arrow_builder_append(builder, batch, &error);
    }
    if (code == ARB_OK) {
        arb_arrow_array *built;
        FUZZ_REQUIRE(rows.count == (uint64_t)arb_arrow_array_length(array));
        FUZZ_REQUIRE(arb_arrow_builder_finish(builder, &built, &error) == ARB_OK);
        FUZZ_REQUIRE(arb_arrow_array_length(built) == arb_arrow_array_length(array));
        arb_arrow_array_unref(built);
    }
    arb_arrow_builder_destroy(builder);
    arb_arrow_schema_unref(schema);
    arb_arrow_scan_destroy(scan);
}

static inline void fuzz_use_arrow_array(const arb_arrow_array *array)
{
    const arb_arrow_node *root = arb_arrow_array_root(array);
    int64_t left = FUZZ_ARROW_ROWS_MOST;
    for (int64_t row = 0; row < root->length && left >= 0; row++)
        fuzz_arrow_read(root, row, &left);
    if (left < 0 || fuzz_arrow_rows(root) > FUZZ_ARROW_ROWS_MOST)
        return;
    arb_arrow_array *compact;
    arb_error error = {0};
    arb_code code = arb_arrow_compact(array, &compact, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_LIMIT_EXCEEDED);
    if (code == ARB_OK)
        FUZZ_REQUIRE(arb_arrow_array_equal(array, compact));
    arb_arrow_array_unref(compact);
    fuzz_arrow_through_c(array);
    if (root->field->kind != ARB_ARROW_STRUCT || root->null_count != 0 || root->child_count > FUZZ_ARROW_COLUMNS_MOST)
        return;
    fuzz_arrow_through_ipc(array);
    for (uint32_t i = 0; i < root->child_count; i++)
        fuzz_arrow_through_vectors(array, i, i % 2 == 1);
}

#endif
