#include "catalog/generators/tpch_generator.h"

#include "base/alloc.h"
#include "catalog/generators/tpch_internal.h"

#define BATCH_ROWS_MAX 65536
#define SCALE_MIN 0.0001
/* Above, keys of parts outgrow the 31 bits of a draw. */
#define SCALE_MAX 10000.0

static const arb_tpch_maker *const makers[ARB_TPCH_TABLE_COUNT] = {
    [ARB_TPCH_REGION] = &arb_tpch_region_maker,     [ARB_TPCH_NATION] = &arb_tpch_nation_maker,
    [ARB_TPCH_SUPPLIER] = &arb_tpch_supplier_maker, [ARB_TPCH_CUSTOMER] = &arb_tpch_customer_maker,
    [ARB_TPCH_PART] = &arb_tpch_part_maker,         [ARB_TPCH_PARTSUPP] = &arb_tpch_partsupp_maker,
    [ARB_TPCH_ORDERS] = &arb_tpch_orders_maker,     [ARB_TPCH_LINEITEM] = &arb_tpch_lineitem_maker,
};

/* ---- how many -------------------------------------------------------------------------------------------------- */

arb_code arb_tpch_scale_check(double scale, arb_error *error)
{
    if (scale >= SCALE_MIN && scale <= SCALE_MAX)
        return ARB_OK;
    return arb_fail(error, ARB_INVALID_PARAMETER, "a TPC-H scale must be between 0.0001 and 10000, not %g", scale);
}

arb_tpch_counts arb_tpch_counts_at(double scale)
{
    return (arb_tpch_counts){
        .suppliers = (int64_t)(10000 * scale),
        .customers = (int64_t)(150000 * scale),
        .parts = (int64_t)(200000 * scale),
        .orders = (int64_t)(1500000 * scale),
        .clerks = (int64_t)(scale < 1 ? 1000 : 1000 * scale),
    };
}

int64_t arb_tpch_unit_count(arb_tpch_table_id table, double scale)
{
    arb_tpch_counts counts = arb_tpch_counts_at(scale);
    switch (table) {
    case ARB_TPCH_REGION:
        return arb_tpch_regions.size;
    case ARB_TPCH_NATION:
        return arb_tpch_nations.size;
    case ARB_TPCH_SUPPLIER:
        return counts.suppliers;
    case ARB_TPCH_CUSTOMER:
        return counts.customers;
    case ARB_TPCH_PART:
    case ARB_TPCH_PARTSUPP:
        return counts.parts;
    case ARB_TPCH_ORDERS:
    case ARB_TPCH_LINEITEM:
        return counts.orders;
    case ARB_TPCH_TABLE_COUNT:
        break;
    }
    return 0;
}

int64_t arb_tpch_row_count(arb_tpch_table_id table, double scale)
{
    int64_t units = arb_tpch_unit_count(table, scale);
    if (table != ARB_TPCH_LINEITEM)
        return units * arb_tpch_tables[table].unit_rows_max;
    arb_tpch_seed seed = arb_tpch_lineitem_maker.seeds[0];
    arb_tpch_stream lines = arb_tpch_stream_at(seed.seed, seed.draws, 0);
    int64_t rows = units;
    for (int64_t i = 0; i < units; i++) {
        uint32_t cursor = arb_tpch_stream_take(&lines);
        rows += arb_tpch_pick(&cursor, ARB_TPCH_LINES_MAX);
    }
    return rows;
}

/* ---- a generator's life ---------------------------------------------------------------------------------------- */

static bool allocate_column(arb_arena *memory, const arb_tpch_column *column, size_t rows, arb_tpch_vector *out)
{
    switch (column->type) {
    case ARB_TPCH_INT64:
    case ARB_TPCH_DECIMAL:
        return (out->int64 = ARB_ARENA_ARRAY(memory, int64_t, rows)) != NULL;
    case ARB_TPCH_INT32:
    case ARB_TPCH_DATE:
        return (out->int32 = ARB_ARENA_ARRAY(memory, int32_t, rows)) != NULL;
    case ARB_TPCH_WORD:
        return (out->word = ARB_ARENA_ARRAY(memory, uint8_t, rows)) != NULL;
    case ARB_TPCH_TEXT:
        break;
    }
    /* Left as they are: not every byte will be used, and those that are not need no memory. */
    out->text.offsets = ARB_ARENA_ARRAY(memory, int32_t, rows + 1);
    out->text.bytes = arb_arena_alloc(memory, rows * column->text_bytes_max + ARB_TPCH_TEXT_SLACK);
    return out->text.offsets != NULL && out->text.bytes != NULL;
}

static arb_code allocate(arb_tpch_generator *generator, arb_error *error)
{
    const arb_tpch_table *table = generator->batch.table;
    arb_arena *memory = &generator->memory;
    size_t rows = generator->batch_rows;
    bool done = true;
    for (uint32_t i = 0; i < table->column_count && done; i++)
        done = allocate_column(memory, &table->columns[i], rows, &generator->batch.columns[i]);
    for (size_t i = 0; i < ARB_COUNT_OF(generator->scratch) && done; i++)
        done = (generator->scratch[i] = ARB_ARENA_ARRAY(memory, int32_t, rows)) != NULL;
    done = done && (generator->excerpts = ARB_ARENA_ARRAY(memory, arb_tpch_excerpt, rows)) != NULL;
    done = done && (generator->line_counts = ARB_ARENA_ARRAY(memory, uint8_t, rows)) != NULL;
    return done ? ARB_OK : arb_fail_memory(error, "TPC-H rows", memory->total);
}

arb_code arb_tpch_generator_create(arb_tpch_table_id table, double scale, arb_tpch_text *text, int64_t first_unit,
                                   int64_t unit_count, size_t batch_rows, arb_tpch_generator **out, arb_error *error)
{
    assert(table < ARB_TPCH_TABLE_COUNT);
    *out = NULL;
    ARB_TRY(arb_tpch_scale_check(scale, error));
    int64_t units = arb_tpch_unit_count(table, scale);
    if (first_unit < 0 || unit_count < 0)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a range of TPC-H rows cannot begin at %lld with %lld",
                        (long long)first_unit, (long long)unit_count);
    if (batch_rows < arb_tpch_tables[table].unit_rows_max || batch_rows > BATCH_ROWS_MAX)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a batch of TPC-H rows cannot have %zu rows", batch_rows);
    arb_tpch_generator *made = arb_alloc_zeroed(sizeof *made);
    if (made == NULL)
        return arb_fail_memory(error, "TPC-H rows", sizeof *made);
    made->maker = makers[table];
    made->text = text;
    made->counts = arb_tpch_counts_at(scale);
    made->next_unit = ARB_MIN(first_unit, units);
    made->end_unit = made->next_unit + ARB_MIN(unit_count, units - made->next_unit);
    made->batch_rows = batch_rows;
    made->batch.table = &arb_tpch_tables[table];
    assert(made->maker->seed_count <= ARB_TPCH_STREAMS_MAX);
    for (size_t i = 0; i < made->maker->seed_count; i++) {
        arb_tpch_seed seed = made->maker->seeds[i];
        made->streams[i] = arb_tpch_stream_at(seed.seed, seed.draws, made->next_unit);
    }
    arb_code code = allocate(made, error);
    if (code != ARB_OK) {
        arb_tpch_generator_destroy(made);
        return code;
    }
    *out = made;
    return ARB_OK;
}

void arb_tpch_generator_destroy(arb_tpch_generator *generator)
{
    if (generator == NULL)
        return;
    arb_arena_reset(&generator->memory);
    arb_free(generator);
}

/* ---- making rows ----------------------------------------------------------------------------------------------- */

/* How many lines each of the next orders has, as many orders as surely fit. Lineitem alone has units of several sizes;
 * its first stream decides them. */
static size_t draw_line_counts(arb_tpch_generator *generator, size_t units_max)
{
    size_t units = 0;
    for (size_t rows = 0; units < units_max && rows + ARB_TPCH_LINES_MAX <= generator->batch_rows; units++) {
        uint32_t cursor = arb_tpch_stream_take(&generator->streams[0]);
        generator->line_counts[units] = (uint8_t)(1 + arb_tpch_pick(&cursor, ARB_TPCH_LINES_MAX));
        rows += generator->line_counts[units];
    }
    return units;
}

arb_code arb_tpch_generator_next(arb_tpch_generator *generator, const arb_tpch_batch **out, arb_error *error)
{
    arb_tpch_batch *batch = &generator->batch;
    size_t left = (size_t)(generator->end_unit - generator->next_unit);
    size_t units = ARB_MIN(left, generator->batch_rows / batch->table->unit_rows_max);
    if (generator->maker == &arb_tpch_lineitem_maker)
        units = draw_line_counts(generator, left);
    batch->row_count = units * batch->table->unit_rows_max;
    *out = batch;
    if (units == 0)
        return ARB_OK;
    for (uint32_t i = 0; i < batch->table->column_count; i++) {
        if (batch->table->columns[i].type == ARB_TPCH_TEXT)
            batch->columns[i].text.offsets[0] = 0;
    }
    ARB_TRY(generator->maker->make(generator, units, error));
    generator->next_unit += (int64_t)units;
    return ARB_OK;
}

arb_code arb_tpch_excerpts_cut(arb_tpch_generator *generator, unsigned column, size_t count, arb_error *error)
{
    arb_tpch_vector *to = &generator->batch.columns[column];
    return arb_tpch_text_cut(generator->text, generator->excerpts, count, to->text.bytes, to->text.offsets, error);
}

arb_code arb_tpch_comments_make(arb_tpch_generator *generator, unsigned stream, unsigned column, size_t units,
                                unsigned rows_per_unit, uint32_t average, arb_error *error)
{
    assert(generator->batch.table->columns[column].text_bytes_max == ARB_TPCH_SIZE_MAX(average));
    arb_tpch_excerpt *excerpt = generator->excerpts;
    for (size_t i = 0; i < units; i++) {
        uint32_t cursor = arb_tpch_stream_take(&generator->streams[stream]);
        for (unsigned k = 0; k < rows_per_unit; k++)
            *excerpt++ = arb_tpch_excerpt_draw(&cursor, average);
    }
    return arb_tpch_excerpts_cut(generator, column, units * rows_per_unit, error);
}

arb_str arb_tpch_batch_text(const arb_tpch_batch *batch, uint32_t column, size_t row)
{
    assert(column < batch->table->column_count && row < batch->row_count);
    const arb_tpch_column *described = &batch->table->columns[column];
    const arb_tpch_vector *values = &batch->columns[column];
    if (described->type == ARB_TPCH_WORD)
        return described->words->data[values->word[row]];
    assert(described->type == ARB_TPCH_TEXT);
    const int32_t *offsets = values->text.offsets;
    return (arb_str){values->text.bytes + offsets[row], (size_t)(offsets[row + 1] - offsets[row])};
}
