/* parquet_copy: read a Parquet file and write its rows into a new one.
 *
 *     parquet_copy FROM TO [CODEC [ROW_GROUP_ROWS [PAGE_ROWS]]]
 *
 * CODEC is zstd, none, snappy, lz4_raw or gzip. So that whatever the reader understands can be held against what other
 * programs find in the file that was written; test/parquet_rewrite.py does that. */
#include <stdio.h>
#include <stdlib.h>

#include "formats/parquet.h"
#include "formats/writer.h"

static arb_code copy_rows(const arb_table_file *file, arb_table_writer *writer, arb_error *error)
{
    arb_scan_column *columns = calloc(file->column_count, sizeof *columns);
    for (size_t i = 0; i < file->column_count; i++)
        columns[i] = (arb_scan_column){.source = (uint32_t)i, .physical = arb_type_physical(file->columns[i].type)};
    arb_scan_request request = {
        .column_count = (uint32_t)file->column_count, .columns = columns, .keep_dictionaries = true};
    arb_split_reader *reader = NULL;
    arb_code code = file->vtable->reader_create(file, &request, &reader, error);
    for (size_t i = 0; code == ARB_OK && i < file->split_count; i++) {
        const arb_batch *batch = NULL;
        code = reader->vtable->begin(reader, &file->splits[i], error);
        while (code == ARB_OK && (code = arb_split_reader_next(reader, &batch, error)) == ARB_OK && batch != NULL)
            code = arb_table_writer_append(writer, batch, error);
    }
    if (reader != NULL)
        reader->vtable->destroy(reader);
    free(columns);
    return code;
}

static arb_write_codec codec_of(const char *name)
{
    static const char *const names[] = {"zstd", "none", "snappy", "lz4_raw", "gzip"};
    for (unsigned i = 0; i < ARB_COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return (arb_write_codec)i;
    fprintf(stderr, "there is no codec %s\n", name);
    exit(2);
}

static arb_code copy(char **arguments, const arb_parquet_write_options *options, arb_error *error)
{
    arb_byte_source *source;
    arb_table_file *file;
    ARB_TRY(arb_byte_source_open_local(arguments[1], &source, error));
    ARB_TRY(arb_parquet_open(source, &file, error));
    arb_str *names = calloc(file->column_count, sizeof *names);
    arb_type *types = calloc(file->column_count, sizeof *types);
    bool *required = calloc(file->column_count, sizeof *required);
    for (size_t i = 0; i < file->column_count; i++) {
        names[i] = file->columns[i].name;
        types[i] = file->columns[i].type;
        required[i] = !file->columns[i].nullable;
    }
    arb_table_schema schema = {file->column_count, names, types, required};
    arb_byte_sink *sink;
    arb_table_writer *writer = NULL;
    arb_code code = arb_byte_sink_create_local(arguments[2], true, &sink, error);
    if (code == ARB_OK)
        code = arb_parquet_writer_create(sink, &schema, options, &writer, error);
    if (code == ARB_OK)
        code = copy_rows(file, writer, error);
    if (code == ARB_OK)
        code = arb_table_writer_finish(writer, error);
    arb_table_writer_destroy(writer);
    file->vtable->destroy(file);
    free(names);
    free(types);
    free(required);
    return code;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: parquet_copy FROM TO [CODEC [ROW_GROUP_ROWS [PAGE_ROWS]]]\n");
        return 2;
    }
    arb_parquet_write_options options = {.bloom_filters = true};
    if (count > 3)
        options.codec = codec_of(arguments[3]);
    if (count > 4)
        options.row_group_rows = strtoull(arguments[4], NULL, 10);
    if (count > 5)
        options.page_rows = (uint32_t)strtoul(arguments[5], NULL, 10);
    arb_error error = {0};
    arb_code code = copy(arguments, &options, &error);
    if (code != ARB_OK)
        fprintf(stderr, "%s: %s\n", arb_code_name(code), error.message);
    return code != ARB_OK;
}
