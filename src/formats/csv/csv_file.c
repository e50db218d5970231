#include "formats/csv/csv_file.h"

#include "base/alloc.h"
#include "formats/parquet/parquet_kernels.h"
#include "io/decoded_source.h"

enum {
    SAMPLE_BYTES = 1 << 20,
    SAMPLE_MOST = 256 << 20,
    SAMPLE_PIECE = 4 << 20, /* read at once */
    RANGE_BYTES = 2 << 20,
    RANGE_LEAST = 16,
};

static void file_destroy(arb_table_file *base)
{
    arb_csv_file *file = (arb_csv_file *)base;
    arb_byte_source_destroy(file->source);
    arb_time_pattern_reset(&file->patterns.date);
    arb_time_pattern_reset(&file->patterns.timestamp);
    arb_arena_reset(&file->arena);
    arb_free(file);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static arb_code check_type(arb_type type, arb_str name, arb_error *error)
{
    return !arb_type_is_nested(type)
               ? ARB_OK
               : arb_fail(error, ARB_NOT_SUPPORTED, "column \"%.*s\": a CSV file cannot hold nested values",
                          ARB_STR_ARGS(name));
}

static arb_code read_pattern(arb_csv_file *file, arb_str format, arb_time_pattern *out, arb_error *error)
{
    if (format.size == 0)
        return ARB_OK;
    if ((format = arb_str_copy(&file->arena, format)).data == NULL)
        return arb_fail_memory(error, "a CSV file", file->arena.total);
    return arb_time_pattern_of_format(format, out, error);
}

static arb_code copy_options(arb_csv_file *file, const arb_csv_options *options, arb_error *error)
{
    if (options != NULL)
        file->options = *options;
    arb_csv_options *o = &file->options;
    o->sample_bytes = o->sample_bytes == 0 ? SAMPLE_BYTES : ARB_MIN(o->sample_bytes, SAMPLE_MOST);
    o->range_bytes = o->range_bytes == 0 ? RANGE_BYTES : ARB_MIN(ARB_MAX(o->range_bytes, RANGE_LEAST), 1 << 30);
    arb_str *texts = ARB_ARENA_ARRAY(&file->arena, arb_str, o->null_text_count + 1);
    if (texts == NULL)
        return arb_fail_memory(error, "a CSV file", file->arena.total);
    for (size_t i = 0; i < o->null_text_count; i++)
        if ((texts[i] = arb_str_copy(&file->arena, o->null_texts[i])).data == NULL)
            return arb_fail_memory(error, "a CSV file", file->arena.total);
    o->null_texts = texts;
    for (size_t i = 0; i < o->column_count; i++)
        ARB_TRY(check_type(o->types[i], o->names[i], error));
    for (size_t i = 0; i < o->some_type_count; i++)
        ARB_TRY(check_type(o->some_types[i].type, o->some_types[i].name, error));
    ARB_TRY(read_pattern(file, o->date_format, &file->patterns.date, error));
    ARB_TRY(read_pattern(file, o->timestamp_format, &file->patterns.timestamp, error));
    if (o->delimiter != '\0' && (o->delimiter == o->quote || o->delimiter == '\n' || o->delimiter == '\r'))
        return arb_fail(error, ARB_INVALID_PARAMETER, "this delimiter of a CSV file cannot be told from other bytes");
    return ARB_OK;
}

/* Where the table could begin: behind a byte order mark and the lines to be skipped. */
static arb_code skip_top(const arb_csv_file *file, const uint8_t *sample, size_t size, size_t *out_start,
                         arb_error *error)
{
    size_t start = size >= 3 && memcmp(sample, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    if (size >= 2 && (memcmp(sample, "\xFF\xFE", 2) == 0 || memcmp(sample, "\xFE\xFF", 2) == 0))
        return arb_fail(error, ARB_INVALID_ENCODING, "the text is UTF-16, only UTF-8 can be read");
    uint8_t newline = memchr(sample, '\n', size) != NULL ? '\n' : '\r';
    for (uint64_t i = 0; i < file->options.skip_lines && start < size; i++) {
        const uint8_t *end = memchr(sample + start, newline, size - start);
        start = end == NULL ? size : (size_t)(end - sample) + 1;
    }
    *out_start = start;
    return ARB_OK;
}

static arb_code look(arb_csv_file *file, uint8_t *sample, size_t size, arb_error *error)
{
    for (size_t at = 0; at < size; at += SAMPLE_PIECE) {
        ARB_TRY(arb_check_stop(file->options.stop, error));
        ARB_TRY(arb_byte_source_read(file->source, at, sample + at, ARB_MIN(size - at, (size_t)SAMPLE_PIECE), error));
    }
    size_t start;
    ARB_TRY(skip_top(file, sample, size, &start, error));
    bool is_all = size == file->source->identity.size;
    ARB_TRY(arb_csv_sniff(sample + start, size - start, is_all, &file->options, &file->patterns, &file->arena,
                          &file->layout, error));
    for (size_t i = 0; i < file->layout.column_count; i++) {
        arb_str name = file->layout.names[i];
        if (!arb_utf8_valid((const uint8_t *)name.data, name.size))
            return arb_fail(error, ARB_INVALID_ENCODING, "the name of column %zu is not valid UTF-8", i + 1);
    }
    file->ranges = ARB_ARENA_NEW(&file->arena, arb_csv_ranges);
    if (file->ranges == NULL)
        return arb_fail_memory(error, "a CSV file", sizeof *file->ranges);
    return arb_csv_ranges_init(file->ranges, file->source, &file->layout.dialect, start + file->layout.data_start,
                               file->options.range_bytes, &file->arena, error);
}

static arb_code mark_never_null(arb_csv_file *file, arb_error *error)
{
    const arb_csv_options *o = &file->options;
    if (o->never_null_count == 0)
        return ARB_OK;
    file->never_null = ARB_ARENA_ARRAY(&file->arena, bool, file->layout.column_count);
    if (file->never_null == NULL)
        return arb_fail_memory(error, "a CSV file", file->arena.total);
    for (size_t i = 0; i < o->never_null_count; i++) {
        size_t at = 0;
        if (arb_str_equal(o->never_null[i], ARB_STR("*"))) {
            memset(file->never_null, true, file->layout.column_count);
            continue;
        }
        while (at < file->layout.column_count && !arb_str_equal_nocase(file->layout.names[at], o->never_null[i]))
            at++;
        if (at < file->layout.column_count)
            file->never_null[at] = true;
        else if (!o->may_lack_columns)
            return arb_fail(error, ARB_UNDEFINED_COLUMN, "there is no column \"%.*s\" to be without NULLs",
                            ARB_STR_ARGS(o->never_null[i]));
    }
    return ARB_OK;
}

static arb_code make_table(arb_csv_file *file, arb_error *error)
{
    size_t count = file->layout.column_count;
    arb_table_column *columns = ARB_ARENA_ARRAY(&file->arena, arb_table_column, count);
    arb_split *splits = ARB_ARENA_ARRAY(&file->arena, arb_split, file->ranges->count + 1);
    if (columns == NULL || splits == NULL)
        return arb_fail_memory(error, "a CSV file", file->arena.total);
    uint64_t size = file->source->identity.size, bytes = size - ARB_MIN(size, file->ranges->data_start);
    for (size_t i = 0; i < count; i++)
        columns[i] = (arb_table_column){.name = file->layout.names[i],
                                        .type = file->layout.types[i],
                                        .nullable = true,
                                        .statistics.bytes = bytes / count};
    file->base.columns = columns;
    file->base.column_count = count;
    file->base.splits = splits;
    for (size_t i = file->ranges->first; i < file->ranges->count; i++) {
        uint64_t from = ARB_MAX(i * file->options.range_bytes, file->ranges->data_start);
        uint64_t to = ARB_MIN((i + 1) * file->options.range_bytes, size);
        if (from >= to)
            continue;
        splits[file->base.split_count] =
            (arb_split){.number = (uint32_t)file->base.split_count,
                        .part = (uint32_t)i,
                        .first_row = (uint64_t)((double)(from - file->ranges->data_start) / file->layout.row_bytes),
                        .rows = (uint64_t)((double)(to - from) / file->layout.row_bytes) + 1,
                        .bytes = to - from};
        file->base.split_count++;
    }
    file->base.rows = (uint64_t)((double)bytes / file->layout.row_bytes);
    return ARB_OK;
}

/* How many bytes as many lines take as shall be looked at, going by the file's first ones. */
static arb_code size_sample(arb_csv_file *file, arb_error *error)
{
    uint64_t lines = file->options.sample_rows, count = 1;
    uint8_t top[16 << 10];
    size_t size = (size_t)ARB_MIN(file->source->identity.size, sizeof top);
    if (lines == 0)
        return ARB_OK;
    ARB_TRY(arb_byte_source_read(file->source, 0, top, size, error));
    for (size_t i = 0; i < size; i++)
        count += top[i] == '\n';
    double bytes = ((double)lines + 1) * (double)size / (double)count;
    file->options.sample_bytes = (uint64_t)ARB_MIN(ARB_MAX(bytes, sizeof top), (double)SAMPLE_MOST);
    return ARB_OK;
}

static arb_code open_file(arb_csv_file *file, const arb_csv_options *options, arb_error *error)
{
    file->base.path = file->source->path;
    ARB_TRY(copy_options(file, options, error));
    ARB_TRY(arb_byte_source_decode(&file->source, file->options.stop, error));
    file->base.path = file->source->path;
    ARB_TRY(size_sample(file, error));
    size_t size = (size_t)ARB_MIN(file->source->identity.size, file->options.sample_bytes);
    uint64_t held = size + arb_csv_sniff_bytes(size);
    ARB_TRY(arb_held_take(&file->source->held, held, error));
    uint8_t *sample = arb_alloc(size + 1);
    arb_code code = sample != NULL ? look(file, sample, size, error) : arb_fail_memory(error, "a CSV sample", size);
    arb_free(sample);
    arb_held_give(&file->source->held, held);
    file->options.stop = NULL; /* it is the one's who opens */
    if (code == ARB_OK)
        code = mark_never_null(file, error);
    if (code == ARB_OK)
        code = make_table(file, error);
    if (code == ARB_OK)
        code = arb_held_take(&file->source->held, file->arena.total, error);
    file->base.bytes = file->source->held.bytes;
    return code;
}

arb_code arb_csv_open(arb_byte_source *source, const arb_csv_options *options, arb_table_file **out_file,
                      arb_error *error)
{
    static const arb_table_file_vtable vtable = {
        .format = "csv", .destroy = file_destroy, .reader_create = arb_csv_reader_create};
    *out_file = NULL;
    arb_csv_file *file = arb_alloc_zeroed(sizeof *file);
    if (file == NULL) {
        arb_byte_source_destroy(source);
        return arb_fail_memory(error, "a CSV file", sizeof *file);
    }
    file->base.vtable = &vtable;
    file->source = source;
    arb_code code = open_file(file, options, error);
    if (code != ARB_OK) {
        arb_error_context(error, "%.*s", ARB_STR_ARGS(file->source->path));
        file_destroy(&file->base);
        return code;
    }
    *out_file = &file->base;
    return ARB_OK;
}

arb_type arb_csv_common_type(const arb_csv_options *options, arb_type a, arb_type b)
{
    bool patterns = options != NULL && options->date_format.size + options->timestamp_format.size != 0;
    return (arb_type){.id = (uint8_t)arb_csv_guess_merge(patterns, (arb_type_id)a.id, (arb_type_id)b.id)};
}
