/* parquet_scan: how fast the Parquet reader decodes, on one thread.
 *
 *     parquet_scan FILE COLUMN[,COLUMN…] [FILTER_COLUMN LOW HIGH]
 *
 * Reads the columns of all rows, or of those where LOW <= FILTER_COLUMN <= HIGH, five times; prints rows, a sum (of numbers,
 * or of sizes of texts) for each column, and the best time. Whole numbers are read in the width that the file claims. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "formats/parquet.h"

typedef struct range_filter {
    arb_scan_filter base;
    uint32_t column;
    arb_int128 low, high;
} range_filter;

static arb_code range_apply(const arb_scan_filter *base, void *local, const arb_vector *const *inputs, uint32_t rows,
                            uint64_t *selection, arb_error *error)
{
    (void)local, (void)error;
    const range_filter *filter = (const range_filter *)base;
    for (uint32_t i = 0; i < rows; i++)
        if (arb_bitmap_get(selection, i)) {
            bool passes = arb_vector_is_valid(inputs[0], i);
            if (passes) {
                arb_int128 value = arb_vector_get_integer(inputs[0], i);
                passes = value >= filter->low && value <= filter->high;
            }
            if (!passes)
                arb_bitmap_clear(selection, i);
        }
    return ARB_OK;
}

static arb_filter_verdict range_judge(const arb_scan_filter *base, const arb_value_range *range)
{
    const range_filter *filter = (const range_filter *)base;
    if (range->all_null || (range->known && (range->high < filter->low || range->low > filter->high)))
        return ARB_FILTER_NONE_PASS;
    bool all = range->known && !range->may_have_nulls && range->low >= filter->low && range->high <= filter->high;
    return all ? ARB_FILTER_ALL_PASS : ARB_FILTER_SOME_PASS;
}

static double sum_vector(const arb_vector *vector, const arb_batch *batch)
{
    double sum = 0;
    if (vector->encoding == ARB_FLAT && vector->validity == NULL && batch->selection == NULL) {
        int64_t whole = 0;
        if (vector->physical == ARB_PHYS_INT32) {
            for (uint32_t i = 0; i < batch->rows; i++)
                whole += vector->values.i32[i];
            return (double)whole;
        }
        if (vector->physical == ARB_PHYS_INT64) {
            for (uint32_t i = 0; i < batch->rows; i++)
                whole += vector->values.i64[i];
            return (double)whole;
        }
    }
    for (uint32_t i = 0; i < batch->rows; i++) {
        if ((batch->selection != NULL && !arb_bitmap_get(batch->selection, i)) || !arb_vector_is_valid(vector, i))
            continue;
        if (vector->physical == ARB_PHYS_STRING)
            sum += (double)arb_vector_get_text(vector, i).size;
        else if (arb_physical_is_integer((arb_physical)vector->physical))
            sum += (double)arb_vector_get_integer(vector, i);
        else if (vector->physical == ARB_PHYS_BOOL)
            sum += arb_vector_get_bool(vector, i);
        else
            sum += arb_vector_get_double(vector, i);
    }
    return sum;
}

static void check(arb_code code, const arb_error *error)
{
    if (code == ARB_OK)
        return;
    fprintf(stderr, "%s: %s\n", arb_code_name(code), error->message);
    exit(1);
}

static uint32_t column_number(const arb_table_file *file, const char *name)
{
    for (uint32_t i = 0; i < file->column_count; i++)
        if (arb_str_equal(file->columns[i].name, arb_str_of(name)))
            return i;
    fprintf(stderr, "no column %s\n", name);
    exit(1);
}

static void add_column(const arb_table_file *file, const char *name, bool filter_only, arb_scan_column *out)
{
    uint32_t source = column_number(file, name);
    const arb_table_column *column = &file->columns[source];
    const arb_column_statistics *statistics = &column->statistics;
    *out = (arb_scan_column){.source = source, .physical = arb_type_physical(column->type), .filter_only = filter_only};
    if (arb_physical_is_integer(out->physical) && statistics->has_range) {
        out->check_range = true;
        out->low = statistics->low;
        out->high = statistics->high;
        out->physical = ARB_MIN(out->physical, arb_physical_for_range(out->low, out->high));
    }
}

int main(int argc, char **argv)
{
    enum { MAX_COLUMNS = 64, ROUNDS = 5 };
    arb_error error = {0};
    arb_byte_source *source;
    arb_table_file *file;
    arb_scan_column columns[MAX_COLUMNS];
    char *names[MAX_COLUMNS];
    uint32_t count = 0;
    if (argc != 3 && argc != 6)
        return 2;
    if (getenv("ARBALEST_CPU") != NULL)
        check(arb_cpu_choose(getenv("ARBALEST_CPU"), &error), &error);
    check(arb_byte_source_open_local(argv[1], &source, &error), &error);
    check(arb_parquet_open(source, &file, &error), &error);
    for (char *name = strtok(argv[2], ","); name != NULL && count < MAX_COLUMNS - 1; name = strtok(NULL, ",")) {
        names[count] = name;
        add_column(file, name, false, &columns[count++]);
    }
    static const arb_scan_filter_vtable vtable = {.name = "range", .apply = range_apply, .judge = range_judge};
    range_filter filter = {
        .base = {.vtable = &vtable, .column_count = 1, .columns = &filter.column, .per_entry = true}};
    atomic_init(&filter.base.ready, 1);
    arb_scan_filter *filters[] = {&filter.base};
    arb_scan_request request = {
        .column_count = count, .columns = columns, .filters = filters, .keep_dictionaries = getenv("KEEP") != NULL};
    if (argc == 6) {
        filter.column = count;
        filter.low = atoll(argv[4]);
        filter.high = atoll(argv[5]);
        add_column(file, argv[3], true, &columns[count]);
        request.column_count = count + 1;
        request.filter_count = 1;
    }
    double best = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int64_t begin = arb_clock_monotonic_ns();
        arb_split_reader *reader;
        double sums[MAX_COLUMNS] = {0};
        uint64_t rows = 0, batches = 0;
        check(file->vtable->reader_create(file, &request, &reader, &error), &error);
        for (size_t i = 0; i < file->split_count; i++) {
            check(reader->vtable->begin(reader, &file->splits[i], &error), &error);
            for (;;) {
                const arb_batch *batch;
                check(arb_split_reader_next(reader, &batch, &error), &error);
                if (batch == NULL)
                    break;
                rows += batch->selected;
                batches++;
                for (uint32_t j = 0; j < count && getenv("NOSUM") == NULL; j++)
                    sums[j] += sum_vector(&batch->columns[j], batch);
            }
        }
        double ms = (double)(arb_clock_monotonic_ns() - begin) / 1e6;
        best = round == 0 ? ms : ARB_MIN(best, ms);
        if (round == ROUNDS - 1) {
            printf("%llu rows, %llu batches, %llu skipped, %llu MB read, %.1f ms, %.0f Mrows/s\n",
                   (unsigned long long)rows, (unsigned long long)batches, (unsigned long long)reader->rows_skipped,
                   (unsigned long long)(reader->bytes_read >> 20), best, (double)file->rows / best / 1e3);
            for (uint32_t j = 0; j < count; j++)
                printf("  %s (%s) sum %.0f\n", names[j], arb_physical_name(columns[j].physical), sums[j]);
        }
        reader->vtable->destroy(reader);
    }
    file->vtable->destroy(file);
    return 0;
}
