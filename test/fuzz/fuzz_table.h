/* fuzz_table.h: read an open table file as a query would: all columns that can be read, with or without conditions. */
#ifndef ARB_TEST_FUZZ_TABLE_H
#define ARB_TEST_FUZZ_TABLE_H

#include "base/alloc.h"
#include "fuzz_batch.h"
#include "tools/scan_condition.h"

enum { FUZZ_COLUMNS_MOST = 24, FUZZ_CONDITIONS_MOST = 2, FUZZ_ROWS_MOST = 10000 };

typedef struct fuzz_reading {
    bool narrow; /* whole numbers as wide as statistics claim, and checked */
    bool codes;  /* dictionaries stay */
    bool late;   /* conditions come with the first batch */
    uint32_t condition_count;
    uint32_t sources[FUZZ_CONDITIONS_MOST]; /* columns of the file */
    scan_condition conditions[FUZZ_CONDITIONS_MOST];
} fuzz_reading;

typedef struct fuzz_request {
    arb_scan_column columns[FUZZ_COLUMNS_MOST + FUZZ_CONDITIONS_MOST];
    arb_type types[FUZZ_COLUMNS_MOST + FUZZ_CONDITIONS_MOST];
    arb_scan_filter *filters[FUZZ_CONDITIONS_MOST];
    arb_scan_request request;
} fuzz_request;

static inline bool fuzz_readable(const arb_table_file *file, const arb_scan_column *column)
{
    arb_split_reader *reader = NULL;
    arb_error error = {0};
    arb_scan_request request = {.column_count = 1, .columns = column};
    if (file->vtable->reader_create(file, &request, &reader, &error) != ARB_OK)
        return false;
    reader->vtable->destroy(reader);
    return true;
}

static inline void fuzz_choose_columns(const arb_table_file *file, fuzz_reading *how, fuzz_request *out)
{
    *out = (fuzz_request){0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < file->column_count && count < FUZZ_COLUMNS_MOST; i++) {
        const arb_table_column *column = &file->columns[i];
        arb_scan_column wanted = {.source = i, .physical = arb_type_physical(column->type)};
        if (how->narrow && arb_physical_is_integer(wanted.physical) && column->statistics.has_range) {
            arb_physical narrow = arb_physical_for_range(column->statistics.low, column->statistics.high);
            wanted.physical = ARB_MIN(wanted.physical, narrow);
            wanted.check_range = true;
            wanted.low = column->statistics.low;
            wanted.high = column->statistics.high;
        }
        if (!fuzz_readable(file, &wanted))
            continue;
        out->types[count] = column->type;
        out->columns[count++] = wanted;
    }
    for (uint32_t i = 0; i < how->condition_count; i++) {
        arb_type type = file->columns[how->sources[i]].type;
        scan_condition_init(&how->conditions[i], count, type, how->late);
        out->filters[i] = &how->conditions[i].base;
        out->types[count] = type;
        out->columns[count++] =
            (arb_scan_column){.source = how->sources[i], .physical = arb_type_physical(type), .filter_only = true};
    }
    out->request = (arb_scan_request){.column_count = count,
                                      .columns = out->columns,
                                      .filters = out->filters,
                                      .filter_count = how->condition_count,
                                      .keep_dictionaries = how->codes};
}

/* At most about FUZZ_ROWS_MOST rows, since a few bytes can be millions of NULLs. *out_whole: these were all. */
static inline arb_code fuzz_read_table(const arb_table_file *file, fuzz_reading *how, fuzz_rows *rows, bool *out_whole,
                                       arb_error *error)
{
    fuzz_request wanted;
    arb_split_reader *reader;
    *rows = (fuzz_rows){0};
    *out_whole = false;
    fuzz_choose_columns(file, how, &wanted);
    arb_code code = file->vtable->reader_create(file, &wanted.request, &reader, error);
    if (code != ARB_OK)
        return code;
    for (size_t i = 0; i < file->split_count && rows->count < FUZZ_ROWS_MOST; i++) {
        ARB_TRY_GOTO(code, reader->vtable->begin(reader, &file->splits[i], error), done);
        for (;;) {
            const arb_batch *batch;
            ARB_TRY_GOTO(code, reader->vtable->next(reader, &batch, error), done);
            if (batch == NULL)
                break;
            arb_batch given = *batch; /* what is for filters alone is unspecified */
            given.column_count = ARB_MIN(given.column_count, wanted.request.column_count - how->condition_count);
            FUZZ_REQUIRE(given.selected != 0);
            fuzz_check_batch(&given, wanted.types, rows);
            for (uint32_t j = 0; j < how->condition_count; j++)
                atomic_store_explicit(&how->conditions[j].base.ready, 1, memory_order_release);
            if (rows->count >= FUZZ_ROWS_MOST)
                goto done;
        }
    }
    *out_whole = true;
done:
    reader->vtable->destroy(reader);
    return code;
}

#endif
