/* Rows to blocks and back, and blocks that are not what they should be. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "columnar/arrow_array.h"
#include "columnar/ipc/ipc_body.h"
#include "columnar/ipc/ipc_decoder.h"
#include "exchange/block_builder.h"
#include "exchange/block_reader.h"

enum { column_count = 6, input_rows = 2000, batches = 5 };

static const arb_block_origin origin = {
    .job_term = 3, .job = 4, .attempt_term = 2, .attempt = 7, .stage = 5, .task = 6, .partition = 8};

static const arb_slot slots[column_count] = {
    {.id = 1, .type = {.id = ARB_TYPE_BOOLEAN}, .physical = ARB_PHYS_BOOL, .nullable = true},
    {.id = 2, .type = {.id = ARB_TYPE_INTEGER}, .physical = ARB_PHYS_INT32, .nullable = true},
    {.id = 3, .type = {.id = ARB_TYPE_DECIMAL, .precision = 30, .scale = 2}, .physical = ARB_PHYS_INT128},
    {.id = 4, .type = {.id = ARB_TYPE_VARCHAR}, .physical = ARB_PHYS_STRING, .nullable = true},
    {.id = 5, .type = {.id = ARB_TYPE_INTERVAL}, .physical = ARB_PHYS_INTERVAL, .nullable = true},
    {.id = 6, .type = {.id = ARB_TYPE_DOUBLE}, .physical = ARB_PHYS_FLOAT64},
};
static const arb_layout layout = {column_count, slots};
static const uint8_t produced[column_count] = {ARB_PHYS_BOOL,   ARB_PHYS_INT32,    ARB_PHYS_INT128,
                                               ARB_PHYS_STRING, ARB_PHYS_INTERVAL, ARB_PHYS_FLOAT64};
static const uint32_t all_columns[column_count] = {0, 1, 2, 3, 4, 5};

/* A batch's columns: row i of batch b has values made of n = b * input_rows + i. */
typedef struct input {
    arb_vector_storage storages[column_count];
    arb_vector vectors[column_count];
    const arb_vector *columns[column_count];
    char texts[input_rows][40];
} input;

static bool is_null(size_t column, size_t n)
{
    return slots[column].nullable && (n * 7 + column) % 11 == 0;
}

static size_t text_of(size_t n, char *out)
{
    return n % 3 == 0 ? 0 : (size_t)snprintf(out, 40, "%s%zu", n % 2 == 0 ? "t" : "a text that is longer, of ", n);
}

static void fill(input *in, size_t batch)
{
    arb_error error = {0};
    for (size_t c = 0; c < column_count; c++) {
        if (in->storages[c].values == NULL)
            assert_int_equal(arb_vector_storage_init(&in->storages[c], slots[c].physical, ARB_VECTOR_ROWS, &error),
                             ARB_OK);
        in->vectors[c] = arb_vector_over(&in->storages[c]);
        in->columns[c] = &in->vectors[c];
        if (slots[c].nullable) {
            in->vectors[c].validity = in->storages[c].validity;
            memset(in->storages[c].validity, 0, ARB_VECTOR_WORDS * 8);
        }
    }
    memset(in->storages[0].values, 0, ARB_VECTOR_ROWS / 8);
    for (size_t i = 0; i < input_rows; i++) {
        size_t n = batch * input_rows + i;
        for (size_t c = 0; c < column_count; c++)
            if (slots[c].nullable && !is_null(c, n))
                arb_bitmap_set(in->storages[c].validity, i);
        if (n % 2 == 0)
            arb_bitmap_set(in->vectors[0].values.bits, i);
        in->vectors[1].values.i32[i] = (int32_t)n;
        in->vectors[2].values.i128[i] = (arb_int128)n << 70;
        in->vectors[3].values.string[i] = arb_string_of(in->texts[i], text_of(n, in->texts[i]));
        in->vectors[4].values.interval[i] = (arb_interval){(int32_t)n, -(int32_t)n, (int64_t)n << 33};
        in->vectors[5].values.f64[i] = (double)n / 3;
    }
}

static void expect_row(const arb_batch *batch, size_t row, size_t n)
{
    char text[40];
    size_t size = text_of(n, text);
    for (size_t c = 0; c < column_count; c++)
        assert_int_equal(arb_vector_is_valid(&batch->columns[c], row), !is_null(c, n));
    if (!is_null(0, n))
        assert_int_equal(arb_bitmap_get(batch->columns[0].values.bits, row), n % 2 == 0);
    assert_int_equal(batch->columns[1].values.i32[row], (int32_t)n);
    assert_true(batch->columns[2].values.i128[row] == (arb_int128)n << 70);
    if (!is_null(3, n)) {
        arb_str got = arb_string_view(&batch->columns[3].values.string[row]);
        assert_int_equal(got.size, size);
        assert_memory_equal(got.data, text, size);
    }
    assert_int_equal(batch->columns[4].values.interval[row].days, -(int32_t)n);
    assert_true(batch->columns[5].values.f64[row] == (double)n / 3);
}

/* Every third row of some batches. */
static size_t make_block(arb_block *out)
{
    static input in;
    arb_error error = {0};
    arb_block_builder builder;
    uint16_t rows[input_rows];
    size_t count = 0, total = 0;
    for (size_t i = 0; i < input_rows; i += 3)
        rows[count++] = (uint16_t)i;
    assert_int_equal(arb_block_builder_init(&builder, &layout, &error), ARB_OK);
    for (size_t b = 0; b < batches; b++) {
        size_t taken;
        fill(&in, b);
        assert_int_equal(arb_block_builder_append(&builder, in.columns, rows, count, &taken, &error), ARB_OK);
        assert_int_equal(taken, count);
        total += taken;
    }
    assert_int_equal(arb_block_builder_seal(&builder, &origin, out, &error), ARB_OK);
    assert_int_equal(builder.rows, 0);
    arb_block_builder_reset(&builder);
    for (size_t c = 0; c < column_count; c++)
        arb_vector_storage_reset(&in.storages[c]);
    memset(&in, 0, sizeof in);
    return total;
}

static void rows_come_back(void **state)
{
    (void)state;
    static const uint32_t batch_rows[] = {1, 7, 64, ARB_VECTOR_ROWS};
    arb_error error = {0};
    arb_block block;
    size_t total = make_block(&block);
    assert_int_equal(block.rows, total);
    assert_true(block.checksum == arb_block_checksum(&block, &origin));
    for (size_t k = 0; k < ARB_COUNT_OF(batch_rows); k++) {
        arb_block_reader *reader;
        const arb_batch *batch;
        size_t seen = 0, each = (input_rows + 2) / 3;
        assert_int_equal(
            arb_block_reader_create(produced, column_count, all_columns, column_count, batch_rows[k], &reader, &error),
            ARB_OK);
        assert_int_equal(arb_block_reader_begin(reader, &block, &error), ARB_OK);
        while ((batch = arb_block_reader_next(reader)) != NULL)
            for (uint32_t i = 0; i < batch->rows; i++, seen++)
                expect_row(batch, i, seen / each * input_rows + seen % each * 3);
        assert_int_equal(seen, total);
        arb_block_reader_destroy(reader);
    }
    arb_block_reset(&block);
}

/* The general reader of Arrow's format takes a block for a record batch of the schema. */
static void blocks_are_arrow(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_block block;
    arb_arrow_schema *schema;
    size_t total = make_block(&block);
    assert_int_equal(arb_block_schema(&layout, &schema, &error), ARB_OK);
    assert_int_equal(schema->root.children[3].kind, ARB_ARROW_UTF8);
    assert_true(arb_str_equal(schema->root.children[2].metadata.values[0], ARB_STR("decimal(30,2)")));
    arb_ipc_message message;
    assert_int_equal(arb_ipc_message_read(block.data, block.metadata_size, &message, &error), ARB_OK);
    arb_arrow_buffer body = {.data = block.data + block.body_at, .size = block.body_size};
    arb_ipc_batch_source source = {.schema = schema, .version = message.version, .memory_limit = 1 << 30};
    arb_arrow_draft draft = {0};
    arb_arrow_array *array;
    assert_int_equal(arb_ipc_batch_read(&source, &message.header, &body, NULL, &draft, &error), ARB_OK);
    assert_int_equal(arb_arrow_array_create(&draft, &array, &error), ARB_OK);
    assert_int_equal(arb_arrow_array_length(array), (int64_t)total);
    arb_arrow_array_unref(array);
    arb_arrow_schema_unref(schema);
    arb_block_reset(&block);
}

/* Whatever bytes have changed, a reader refuses the block or reads within it. */
static void changed_blocks_do_no_harm(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_block block;
    uint64_t random = 88172645463325252u;
    size_t refused = 0, read = 0;
    (void)make_block(&block);
    arb_block_reader *reader;
    assert_int_equal(
        arb_block_reader_create(produced, column_count, all_columns, column_count, ARB_VECTOR_ROWS, &reader, &error),
        ARB_OK);
    for (size_t round = 0; round < 3000; round++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t size = round % 2 == 0 ? block.metadata_size : block.body_at + block.body_size;
        size_t at = (size_t)(random >> 8) % size;
        uint8_t before = block.data[at];
        block.data[at] ^= (uint8_t)(1 + random % 255);
        assert_true(block.checksum != arb_block_checksum(&block, &origin) ||
                    (at >= block.metadata_size && at < block.body_at));
        arb_error_clear(&error);
        arb_code code = arb_block_reader_begin(reader, &block, &error);
        refused += code == ARB_CORRUPT_DATA;
        assert_true(code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_NOT_SUPPORTED);
        const arb_batch *batch;
        while (code == ARB_OK && (batch = arb_block_reader_next(reader)) != NULL)
            for (uint32_t i = 0; i < batch->rows; i++)
                read += arb_string_view(&batch->columns[3].values.string[i]).size;
        block.data[at] = before;
    }
    assert_true(refused > 100 && read > 0);
    assert_int_equal(arb_block_reader_begin(reader, &block, &error), ARB_OK);
    arb_block_reader_destroy(reader);
    arb_block_reset(&block);
}

static void a_block_is_of_one_place(void **state)
{
    (void)state;
    arb_block block;
    (void)make_block(&block);
    arb_block_origin others[] = {origin, origin, origin, origin, origin, origin, origin};
    others[0].job_term++, others[1].job++, others[2].stage++, others[3].task++, others[4].attempt++;
    others[5].partition++, others[6].attempt_term++;
    for (size_t i = 0; i < ARB_COUNT_OF(others); i++)
        assert_true(arb_block_checksum(&block, &others[i]) != block.checksum);
    arb_block_reset(&block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(blocks_are_arrow),
        cmocka_unit_test(changed_blocks_do_no_harm),
        cmocka_unit_test(a_block_is_of_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
