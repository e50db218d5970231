/* Tables on their way to an executor: what is found there is the same table, or nothing. `here` is the folder of who plans,
 * `there` its copy of who executes, times included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bitmap.h"
#include "catalog/file_set.h"
#include "catalog/file_table.h"
#include "catalog/footer_hash.h"
#include "catalog/memory_table.h"
#include "catalog/series_table.h"
#include "catalog/table_wire.h"
#include "columnar/value.h"
#include "formats/parquet.h"
#include "formats/writer.h"
#include "proto/table.pb-c.h"
#include "wire/wire.h"

static unsigned files_opened;

static arb_code open_csv(arb_byte_source *source, const arb_file_options *options, arb_stop_flag *stop,
                         arb_table_file **out_file, arb_error *error)
{
    arb_csv_options csv = options != NULL ? options->csv : (arb_csv_options){0};
    csv.stop = stop;
    files_opened++;
    return arb_csv_open(source, &csv, out_file, error);
}

static arb_code open_parquet(arb_byte_source *source, const arb_file_options *options, arb_stop_flag *stop,
                             arb_table_file **out_file, arb_error *error)
{
    (void)options, (void)stop;
    files_opened++;
    return arb_parquet_open(source, out_file, error);
}

static arb_type common_type(const arb_file_options *options, arb_type a, arb_type b)
{
    return arb_csv_common_type(options != NULL ? &options->csv : NULL, a, b);
}

static const arb_file_format formats[] = {{"parquet", ".parquet", open_parquet, NULL},
                                          {"csv", ".csv", open_csv, common_type}};
static const arb_file_formats known = {formats, ARB_COUNT_OF(formats)};

/* ---- fixture ------------------------------------------------------------------------------------------------------- */

typedef struct fixture {
    char folder[64], here[96], there[96];
    arb_governor governor;
    arb_memory memory;
    arb_file_cache *cache, *other_cache;
    arb_roots roots, other_roots;
    arb_table_finder finder;
    arb_arena arena;
    arb_error error;
} fixture;

static void run(const char *format, ...) ARB_PRINTF(1, 2);
static void run(const char *format, ...)
{
    char command[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    assert_int_equal(system(command), 0);
}

static const char *path_in(fixture *f, const char *folder, const char *name)
{
    arb_text text = {0};
    arb_text_printf(&text, "%s/%s", folder, name);
    const char *path = arb_str_copy(&f->arena, arb_text_view(&text)).data;
    arb_text_reset(&text);
    return path;
}

static void put(fixture *f, const char *folder, const char *name, const char *content)
{
    FILE *file = fopen(path_in(f, folder, name), "we");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void set_roots(fixture *f, const char *here, const char *there)
{
    arb_root ours = {ARB_STR("data"), arb_str_of(here)}, theirs = {ARB_STR("data"), arb_str_of(there)};
    assert_int_equal(arb_roots_resolve(&f->arena, &ours, 1, &f->roots, &f->error), ARB_OK);
    assert_int_equal(arb_roots_resolve(&f->arena, &theirs, 1, &f->other_roots, &f->error), ARB_OK);
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/arb_table_wire_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->here, sizeof f->here, "%s/here", f->folder);
    snprintf(f->there, sizeof f->there, "%s/there", f->folder);
    assert_int_equal(mkdir(f->here, 0700), 0);
    assert_int_equal(mkdir(f->there, 0700), 0);
    arb_governor_init(&f->governor, 256 << 20);
    arb_memory_init(&f->memory, &f->governor);
    assert_int_equal(arb_file_cache_create(16 << 20, &f->memory, &f->cache, &f->error), ARB_OK);
    assert_int_equal(arb_file_cache_create(16 << 20, &f->memory, &f->other_cache, &f->error), ARB_OK);
    set_roots(f, f->here, f->there);
    f->finder = (arb_table_finder){.roots = &f->other_roots, .formats = &known, .cache = f->other_cache};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    arb_file_cache_destroy(f->cache);
    arb_file_cache_destroy(f->other_cache);
    assert_int_equal(atomic_load(&f->governor.used), 0);
    run("rm -rf '%s'", f->folder);
    arb_arena_reset(&f->arena);
    free(f);
    return 0;
}

/* ---- tables as texts: columns, what is known of them, splits, rows ------------------------------------------------- */

typedef void (*take_batch)(void *context, const arb_table_file *file, const arb_batch *batch);

static arb_code scan(const arb_table_file *file, take_batch take, void *context, arb_error *error)
{
    arb_arena arena = {0};
    arb_scan_column *columns = ARB_ARENA_ARRAY(&arena, arb_scan_column, file->column_count + 1);
    for (size_t i = 0; i < file->column_count; i++)
        columns[i] = (arb_scan_column){.source = (uint32_t)i, .physical = arb_type_physical(file->columns[i].type)};
    arb_scan_request request = {.column_count = (uint32_t)file->column_count, .columns = columns};
    arb_split_reader *reader;
    const arb_batch *batch;
    arb_code code = file->vtable->reader_create(file, &request, &reader, error);
    if (code == ARB_OK) {
        for (size_t i = 0; code == ARB_OK && i < file->split_count; i++) {
            code = reader->vtable->begin(reader, &file->splits[i], error);
            while (code == ARB_OK && (code = arb_split_reader_next(reader, &batch, error)) == ARB_OK && batch != NULL)
                if (take != NULL)
                    take(context, file, batch);
        }
        reader->vtable->destroy(reader);
    }
    arb_arena_reset(&arena);
    return code;
}

static void print_batch(void *context, const arb_table_file *file, const arb_batch *batch)
{
    arb_text *out = context;
    arb_arena arena = {0};
    arb_error error = {0};
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        for (size_t i = 0; i < file->column_count; i++) {
            arb_value value;
            assert_int_equal(
                arb_vector_get_value(&batch->columns[i], file->columns[i].type, row, &arena, &value, &error), ARB_OK);
            arb_text_append_char(out, value.is_null ? '-' : '|');
            arb_value_print(out, &value);
        }
        arb_text_append_char(out, '\n');
    }
    arb_arena_reset(&arena);
}

static void print_columns(arb_text *out, size_t count, const arb_table_column *columns)
{
    for (size_t i = 0; i < count; i++) {
        const arb_column_statistics *s = &columns[i].statistics;
        arb_text_printf(out, "%.*s ", ARB_STR_ARGS(columns[i].name));
        arb_type_print(out, columns[i].type);
        arb_text_printf(out, " %d range %d %lld %lld nulls %d %llu distinct %d %llu bytes %llu\n", columns[i].nullable,
                        s->has_range, (long long)s->low, (long long)s->high, s->has_null_count,
                        (unsigned long long)s->null_count, s->has_distinct, (unsigned long long)s->distinct,
                        (unsigned long long)s->bytes);
    }
}

static arb_text print_table(const arb_table *table)
{
    arb_text out = {0};
    arb_error error = {0};
    arb_text_printf(&out, "%.*s: %llu %d\n", ARB_STR_ARGS(table->name), (unsigned long long)table->rows,
                    table->rows_exact);
    print_columns(&out, table->column_count, table->columns);
    for (size_t i = 0; i < table->file_count; i++) {
        const arb_table_file *file = table->files[i];
        arb_text_printf(&out, "file of %llu %d\n", (unsigned long long)file->rows, file->rows_exact);
        print_columns(&out, file->column_count, file->columns);
        for (size_t k = 0; k < file->split_count; k++)
            arb_text_printf(&out, "split %u %u %llu %llu %llu\n", file->splits[k].number, file->splits[k].part,
                            (unsigned long long)file->splits[k].first_row, (unsigned long long)file->splits[k].rows,
                            (unsigned long long)file->splits[k].bytes);
        assert_int_equal(scan(file, print_batch, &out, &error), ARB_OK);
    }
    return out;
}

/* ---- going there and being the same -------------------------------------------------------------------------------- */

/* The table of files here; `paths` separated by spaces. */
static arb_table *open_here(fixture *f, const char *paths, const arb_file_options *options)
{
    ARB_VEC(arb_str) list = {0};
    arb_table *table = NULL;
    while (*paths != '\0') {
        size_t size = strcspn(paths, " ");
        arb_str one = arb_str_copy(&f->arena, (arb_str){paths, size});
        assert_true(ARB_ARENA_PUSH(&f->arena, &list, arb_str_of(path_in(f, f->here, one.data))));
        paths += size + (paths[size] == ' ');
    }
    arb_file_set set = {.paths = list.data, .path_count = list.size, .options = options};
    arb_error_clear(&f->error);
    if (arb_file_set_open(&set, ARB_STR("t"), &known, f->cache, NULL, NULL, &table, &f->error) != ARB_OK)
        fail_msg("%s", f->error.message);
    return table;
}

static arb_text encode(fixture *f, const arb_table *table)
{
    arb_text bytes = {0};
    arb_error_clear(&f->error);
    if (arb_table_encode(table, &f->roots, NULL, &bytes, &f->error) != ARB_OK)
        fail_msg("%s (%s)", f->error.message, f->error.detail);
    return bytes;
}

static arb_code find(fixture *f, const arb_text *bytes, arb_table **out_table)
{
    arb_error_clear(&f->error);
    return arb_table_decode(ARB_STR("t"), arb_text_view(bytes), &f->finder, out_table, &f->error);
}

static void copy_there(const fixture *f)
{
    run("rm -rf '%s' && cp -a '%s' '%s'", f->there, f->here, f->there);
}

static void check_alike(fixture *f, const arb_table *table)
{
    arb_text bytes = encode(f, table), again = {0};
    arb_table *found;
    if (find(f, &bytes, &found) != ARB_OK)
        fail_msg("%s (%s)", f->error.message, f->error.detail);
    arb_text was = print_table(table), is = print_table(found);
    assert_string_equal(was.data, is.data);
    assert_int_equal(arb_table_encode(found, &f->other_roots, NULL, &again, &f->error), ARB_OK);
    assert_true(arb_str_equal(arb_text_view(&bytes), arb_text_view(&again)));
    arb_table_unref(found);
    arb_text_reset(&was);
    arb_text_reset(&is);
    arb_text_reset(&bytes);
    arb_text_reset(&again);
}

/* The files as they are here are the same there. */
static void goes_there(fixture *f, const char *paths, const arb_file_options *options)
{
    arb_table *table = open_here(f, paths, options);
    copy_there(f);
    check_alike(f, table);
    arb_table_unref(table);
}

static void append_batch(void *context, const arb_table_file *file, const arb_batch *batch)
{
    arb_error error = {0};
    (void)file;
    assert_int_equal(arb_table_writer_append(context, batch, &error), ARB_OK);
}

/* A Parquet file of what a CSV file holds; several row groups. */
static void convert(fixture *f, const char *csv, const char *parquet)
{
    arb_byte_source *source;
    arb_byte_sink *sink;
    arb_table_file *file;
    arb_table_writer *writer;
    arb_str names[8];
    arb_type types[8];
    arb_parquet_write_options options = {.row_group_rows = 3};
    assert_int_equal(arb_byte_source_open_local(path_in(f, f->here, csv), &source, &f->error), ARB_OK);
    assert_int_equal(arb_csv_open(source, NULL, &file, &f->error), ARB_OK);
    assert_true(file->column_count <= ARB_COUNT_OF(names));
    for (size_t i = 0; i < file->column_count; i++) {
        names[i] = file->columns[i].name;
        types[i] = file->columns[i].type;
    }
    arb_table_schema schema = {file->column_count, names, types, NULL};
    assert_int_equal(arb_byte_sink_create_local(path_in(f, f->here, parquet), true, &sink, &f->error), ARB_OK);
    assert_int_equal(arb_parquet_writer_create(sink, &schema, &options, &writer, &f->error), ARB_OK);
    assert_int_equal(scan(file, append_batch, writer, &f->error), ARB_OK);
    assert_int_equal(arb_table_writer_finish(writer, &f->error), ARB_OK);
    arb_table_writer_destroy(writer);
    file->vtable->destroy(file);
}

static const char numbers_csv[] = "n,s,d\n1,one,2001-01-01\n2,two,\n,three,1999-12-31\n70000,\"f,our\",2020-02-29\n";

static void parquet_files(void **state)
{
    fixture *f = *state;
    put(f, f->here, "a.csv", numbers_csv);
    convert(f, "a.csv", "a.parquet");
    put(f, f->here, "b.csv", "n,s,d\n-5,x,1990-01-01\n");
    convert(f, "b.csv", "b.parquet");
    goes_there(f, "a.parquet", NULL);
    goes_there(f, "b.parquet a.parquet b.parquet", NULL);
    goes_there(f, "*.parquet", &(arb_file_options){.file_name_column = ARB_STR("file")});
}

static void csv_files(void **state)
{
    fixture *f = *state;
    put(f, f->here, "a.csv", numbers_csv);
    put(f, f->here, "wide.csv", "n,s,d\n1.5,2,yesterday\n");
    goes_there(f, "a.csv", NULL);
    goes_there(f, "a.csv wide.csv", NULL); /* types are guessed, and guessed again */
    arb_csv_column_type some[] = {{ARB_STR("n"), arb_type_decimal(12, 3)}, {ARB_STR("s"), ARB_TYPE(BLOB)}};
    goes_there(f, "a.csv",
               &(arb_file_options){.csv = {.some_types = some, .some_type_count = 2, .sample_rows = 3, .header = 1}});
    goes_there(f, "*.csv", &(arb_file_options){.csv = {.all_text = true}, .file_name_column = ARB_STR("from")});
}

static void csv_options(void **state)
{
    fixture *f = *state;
    static const arb_str nulls[] = {{"none", 4}, {"", 0}}, firsts[] = {{"first", 5}}, never[] = {{"b", 1}};
    static const arb_str names[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"t", 1}};
    static const arb_type types[] = {
        {.id = ARB_TYPE_INTEGER}, {.id = ARB_TYPE_VARCHAR}, {.id = ARB_TYPE_DATE}, {.id = ARB_TYPE_TIMESTAMP}};
    put(f, f->here, "odd.csv", "a line\n# more\n1;'x\\'y';31.12.2020;20200102 030405\nnone;'';01.02.2021\n2;b;3;4;5\n");
    arb_file_options options = {.csv = {.delimiter = ';',
                                        .quote = '\'',
                                        .escape = '\\',
                                        .comment = '#',
                                        .header = ARB_CSV_NO,
                                        .skip_lines = 1,
                                        .null_padding = true,
                                        .on_error = ARB_CSV_SKIP_ROW,
                                        .null_texts = nulls,
                                        .null_text_count = 2,
                                        .quoted_nulls = true,
                                        .never_null = never,
                                        .never_null_count = 1,
                                        .date_format = ARB_STR("%d.%m.%Y"),
                                        .timestamp_format = ARB_STR("%Y%m%d %H%M%S"),
                                        .column_count = 4,
                                        .names = names,
                                        .types = types,
                                        .may_lack_columns = true,
                                        .sample_bytes = 100,
                                        .range_bytes = 1 << 20}};
    goes_there(f, "odd.csv", &options);
    put(f, f->here, "plain.csv", "x,y\n1,\"2\n3,4\n");
    goes_there(f, "plain.csv",
               &(arb_file_options){.csv = {.no_quotes = true,
                                           .no_comments = true,
                                           .first_names = firsts,
                                           .first_name_count = 1,
                                           .on_error = ARB_CSV_NULL_CELL}});
}

static void folders_that_are_columns(void **state)
{
    fixture *f = *state;
    run("cd '%s' && mkdir -p 'h/year=2024/m=%%31' h/year=__HIVE_DEFAULT_PARTITION__/m=2 h/year=7/m=3", f->here);
    put(f, f->here, "h/year=2024/m=%31/a.csv", "v\n1\n2\n");
    put(f, f->here, "h/year=2024/m=%31/b.csv", "v\n3\n");
    put(f, f->here, "h/year=__HIVE_DEFAULT_PARTITION__/m=2/a.csv", "v\n4\n");
    put(f, f->here, "h/year=7/m=3/a.csv", "v\n5\n");
    goes_there(f, "h", NULL);
    goes_there(f, "h/*/*/*.csv", &(arb_file_options){.file_name_column = ARB_STR("file"), .hive = ARB_HIVE_YES});
    goes_there(f, "h", &(arb_file_options){.hive = ARB_HIVE_NO});
    arb_csv_column_type types[] = {{ARB_STR("M"), ARB_TYPE(VARCHAR)}, {ARB_STR("year"), ARB_TYPE(SMALLINT)}};
    goes_there(f, "h", &(arb_file_options){.hive_types = types, .hive_type_count = 2});
    types[1].type = ARB_TYPE(NULL); /* no more is said than that there is such a folder */
    goes_there(f, "h", &(arb_file_options){.hive_types = types, .hive_type_count = 2});

    /* keys that lie above the root are values like any other */
    arb_table *table = open_here(f, "h/year=7/*/*.csv", &(arb_file_options){.hive = ARB_HIVE_YES});
    arb_text text = print_table(table);
    assert_non_null(strstr(text.data, "year bigint"));
    arb_text_reset(&text);
    copy_there(f);
    set_roots(f, path_in(f, f->here, "h/year=7"), path_in(f, f->there, "h/year=7"));
    check_alike(f, table);
    arb_table_unref(table);
}

static void columns_by_name(void **state)
{
    fixture *f = *state;
    put(f, f->here, "a.csv", "x,y\n1,one\n");
    put(f, f->here, "b.csv", "z,x\ntrue,2.5\nfalse,3\n");
    goes_there(f, "a.csv b.csv", &(arb_file_options){.union_by_name = true});
    goes_there(f, "b.csv a.csv", &(arb_file_options){.union_by_name = true, .file_name_column = ARB_STR("f")});
    convert(f, "a.csv", "a.parquet");
    put(f, f->here, "c.csv", "y\nonly\n");
    convert(f, "c.csv", "c.parquet");
    goes_there(f, "a.parquet c.parquet", &(arb_file_options){.union_by_name = true});
}

static void series_go_as_numbers(void **state)
{
    fixture *f = *state;
    static const arb_series all[] = {
        {0, 1, 0}, {5, -3, 7}, {INT64_MIN, INT64_MAX, 3}, {1, 1, 1000000}, {INT64_MAX, 1, 1}};
    for (size_t i = 0; i < ARB_COUNT_OF(all); i++) {
        char name[] = "t";
        arb_table *table;
        assert_int_equal(arb_series_table_create(arb_str_of(name), all[i], &table, &f->error), ARB_OK);
        memset(name, '?', sizeof name); /* it was copied */
        check_alike(f, table);
        arb_root_names roots = {0};
        assert_int_equal(arb_table_add_roots(&f->arena, table, &f->roots, &roots, &f->error), ARB_OK);
        assert_int_equal(roots.size, 0);
        arb_table_unref(table);
    }
    assert_false(arb_series_fits((arb_series){INT64_MAX, 1, 2}));
    assert_false(arb_series_fits((arb_series){0, 0, UINT64_MAX}));
    assert_false(arb_series_fits((arb_series){-1, INT64_MIN, UINT64_MAX}));
}

static void tables_in_memory_stay(void **state)
{
    fixture *f = *state;
    static const arb_table_column columns[] = {{.name = {"a", 1}, .type = {.id = ARB_TYPE_INTEGER}}};
    arb_memory_builder *builder;
    arb_table *table;
    arb_text bytes = {0};
    assert_int_equal(arb_memory_builder_create(ARB_STR("mine"), columns, 1, NULL, &builder, &f->error), ARB_OK);
    assert_int_equal(arb_memory_builder_finish(builder, &table, &f->error), ARB_OK);
    arb_memory_builder_destroy(builder);
    assert_int_equal(arb_table_encode(table, &f->roots, NULL, &bytes, &f->error), ARB_NOT_SUPPORTED);
    assert_non_null(strstr(f->error.message, "\"mine\" lies in this process's memory"));
    arb_table_unref(table);
}

/* ---- roots --------------------------------------------------------------------------------------------------------- */

static arb_code resolve(fixture *f, const char *name, const char *folder)
{
    arb_root root = {arb_str_of(name), arb_str_of(folder)};
    arb_roots roots;
    arb_error_clear(&f->error);
    return arb_roots_resolve(&f->arena, &root, 1, &roots, &f->error);
}

static void roots_have_names(void **state)
{
    fixture *f = *state;
    char long_name[ARB_ROOT_NAME_MOST + 2];
    memset(long_name, 'a', sizeof long_name);
    long_name[ARB_ROOT_NAME_MOST] = '\0';
    assert_int_equal(resolve(f, long_name, f->here), ARB_OK);
    assert_int_equal(resolve(f, "aZ09_-", f->here), ARB_OK);
    long_name[ARB_ROOT_NAME_MOST] = 'a';
    long_name[ARB_ROOT_NAME_MOST + 1] = '\0';
    static const char *const none[] = {"", "a.b", "a/b", "a b", "ä", "a=", "@", "[", "`", "{"};
    assert_int_equal(resolve(f, long_name, f->here), ARB_INVALID_PARAMETER);
    for (size_t i = 0; i < ARB_COUNT_OF(none); i++)
        assert_int_equal(resolve(f, none[i], f->here), ARB_INVALID_PARAMETER);
    assert_int_equal(resolve(f, "a", path_in(f, f->here, "nothing")), ARB_FILE_NOT_FOUND);
    put(f, f->here, "file", "");
    assert_int_equal(resolve(f, "a", path_in(f, f->here, "file")), ARB_WRONG_OBJECT_TYPE);
    arb_root twice[] = {{ARB_STR("a"), arb_str_of(f->here)}, {ARB_STR("a"), arb_str_of(f->there)}};
    arb_roots roots;
    assert_int_equal(arb_roots_resolve(&f->arena, twice, 2, &roots, &f->error), ARB_DUPLICATE_OBJECT);
}

static const char *holding(const arb_roots *roots, const char *folder)
{
    static char found[256];
    arb_str inside;
    const arb_root *root = arb_roots_holding(roots, arb_str_of(folder), &inside);
    if (root == NULL)
        return "none";
    snprintf(found, sizeof found, "%.*s:%.*s", ARB_STR_ARGS(root->name), ARB_STR_ARGS(inside));
    return found;
}

static void the_longest_folder_wins(void **state)
{
    (void)state;
    arb_root items[] = {{ARB_STR("a"), ARB_STR("/data")},
                        {ARB_STR("b"), ARB_STR("/data/deep/er")},
                        {ARB_STR("c"), ARB_STR("/data/deep")},
                        {ARB_STR("all"), ARB_STR("/")}};
    arb_roots some = {3, items}, all = {4, items};
    assert_string_equal(holding(&some, "/data"), "a:");
    assert_string_equal(holding(&some, "/data/x/y"), "a:x/y");
    assert_string_equal(holding(&some, "/data/deep"), "c:");
    assert_string_equal(holding(&some, "/data/deeper"), "a:deeper");
    assert_string_equal(holding(&some, "/data/deep/er/x"), "b:x");
    assert_string_equal(holding(&some, "/database"), "none");
    assert_string_equal(holding(&some, "/"), "none");
    assert_string_equal(holding(&all, "/"), "all:");
    assert_string_equal(holding(&all, "/other/x"), "all:other/x");
    assert_string_equal(holding(&all, "/data/x"), "a:x");
}

static void paths_that_leave_are_seen(void **state)
{
    (void)state;
    static const char *const sound[] = {"a", "a/b", "..a/b..", ".hidden", "a b/%2e%2e/ä"};
    static const char *const not_sound[] = {"",     "/",      "/a",      "a/",   "a//b", ".",  "..",
                                            "../a", "a/../b", "a/./b/c", "a/..", "./a",  "//a"};
    for (size_t i = 0; i < ARB_COUNT_OF(sound); i++)
        assert_true(arb_root_path_is_sound(arb_str_of(sound[i])));
    for (size_t i = 0; i < ARB_COUNT_OF(not_sound); i++)
        assert_false(arb_root_path_is_sound(arb_str_of(not_sound[i])));
    assert_false(arb_root_path_is_sound(ARB_STR("a\0b")));
}

static void a_table_tells_its_roots(void **state)
{
    fixture *f = *state;
    run("mkdir '%s/x' '%s/y' '%s/x/z'", f->here, f->here, f->here);
    put(f, f->here, "x/1.csv", "a\n1\n");
    put(f, f->here, "x/z/2.csv", "a\n2\n");
    put(f, f->here, "y/3.csv", "a\n3\n");
    arb_root given[] = {{ARB_STR("all"), arb_str_of(f->here)},
                        {ARB_STR("y"), arb_str_of(path_in(f, f->here, "y"))},
                        {ARB_STR("z"), arb_str_of(path_in(f, f->here, "x/../x/z"))}};
    assert_int_equal(arb_roots_resolve(&f->arena, given, 3, &f->roots, &f->error), ARB_OK);
    arb_table *table = open_here(f, "x y/3.csv y/../x/1.csv", NULL);
    arb_root_names names = {0};
    for (int round = 0; round < 2; round++)
        assert_int_equal(arb_table_add_roots(&f->arena, table, &f->roots, &names, &f->error), ARB_OK);
    assert_int_equal(names.size, 3);
    assert_true(arb_str_equal(names.data[0], ARB_STR("all")));
    assert_true(arb_str_equal(names.data[1], ARB_STR("z")));
    assert_true(arb_str_equal(names.data[2], ARB_STR("y")));
    f->other_roots = f->roots;
    check_alike(f, table);
    arb_table_unref(table);
}

static void files_outside_are_named(void **state)
{
    fixture *f = *state;
    arb_text bytes = {0};
    put(f, f->folder, "out.csv", "a\n1\n");
    run("ln -s .. '%s/up'", f->here);
    static const char *const ways[] = {"../out.csv", "up/out.csv"};
    for (size_t i = 0; i < ARB_COUNT_OF(ways); i++) {
        arb_table *table = open_here(f, ways[i], NULL);
        arb_root_names names = {0};
        assert_int_equal(arb_table_encode(table, &f->roots, NULL, &bytes, &f->error), ARB_ACCESS_DENIED);
        assert_non_null(strstr(f->error.message, ways[i]));
        assert_non_null(strstr(f->error.detail, "roots: data ("));
        assert_non_null(strstr(f->error.detail, f->here));
        assert_int_equal(arb_table_add_roots(&f->arena, table, &f->roots, &names, &f->error), ARB_ACCESS_DENIED);
        assert_int_equal(arb_table_encode(table, &(arb_roots){0}, NULL, &bytes, &f->error), ARB_ACCESS_DENIED);
        arb_table_unref(table);
    }
    arb_text_reset(&bytes);
}

/* A link to a folder is followed by who plans: the plan has the place where the files are. */
static void folders_behind_links_are_found(void **state)
{
    fixture *f = *state;
    run("cd '%s' && mkdir v1 v2 && ln -s \"$PWD/v2\" now", f->here);
    put(f, f->here, "v2/a.csv", "a\n1\n");
    arb_table *table = open_here(f, "now/a.csv", NULL);
    copy_there(f);
    run("rm '%s/now'", f->there);
    check_alike(f, table);
    arb_table_unref(table);
}

static void unknown_roots_are_named(void **state)
{
    fixture *f = *state;
    arb_table *table, *found;
    put(f, f->here, "a.csv", numbers_csv);
    table = open_here(f, "a.csv", NULL);
    arb_text bytes = encode(f, table);
    arb_root other = {ARB_STR("other"), arb_str_of(f->there)};
    assert_int_equal(arb_roots_resolve(&f->arena, &other, 1, &f->other_roots, &f->error), ARB_OK);
    assert_int_equal(find(f, &bytes, &found), ARB_UNDEFINED_OBJECT);
    assert_non_null(strstr(f->error.message, "no root \"data\""));
    assert_string_equal(f->error.detail, "roots: other");
    set_roots(f, f->here, f->there);
    run("rmdir '%s'", f->there);
    assert_int_equal(find(f, &bytes, &found), ARB_FILE_NOT_FOUND);
    assert_null(found);
    arb_text_reset(&bytes);
    arb_table_unref(table);
}

/* ---- other files than planned ---------------------------------------------------------------------------------------- */

static void keep_times(const fixture *f, const char *name)
{
    run("touch -r '%s/%s' '%s/%s'", f->here, name, f->there, name);
}

static void is_changed(fixture *f, const arb_text *bytes, const char *what_is_there)
{
    arb_table *found;
    unsigned opened = files_opened;
    assert_int_equal(find(f, bytes, &found), ARB_FILE_CHANGED);
    assert_null(found);
    assert_int_equal(files_opened, opened); /* the format has not seen it */
    assert_non_null(strstr(f->error.message, "d/a.csv in root \"data\" ("));
    assert_non_null(strstr(f->error.message, f->there));
    assert_non_null(strstr(f->error.detail, "planned: "));
    if (strstr(f->error.detail, what_is_there) == NULL)
        fail_msg("%s", f->error.detail);
}

static void other_files_are_refused(void **state)
{
    fixture *f = *state;
    arb_table *found;
    run("mkdir '%s/d'", f->here);
    put(f, f->here, "d/a.csv", numbers_csv);
    arb_table *table = open_here(f, "d/a.csv", NULL);
    arb_text bytes = encode(f, table);
    for (int warm = 0; warm < 2; warm++) {
        copy_there(f);
        if (warm) {
            assert_int_equal(find(f, &bytes, &found), ARB_OK);
            arb_table_unref(found);
        }
        put(f, f->there, "d/a.csv", "n,s,d\n");
        keep_times(f, "d/a.csv");
        is_changed(f, &bytes, "there is 6 bytes of "); /* cut short */
        put(f, f->there, "d/a.csv", numbers_csv);
        run("touch -d '2001-02-03 04:05:06.789 UTC' '%s/d/a.csv'", f->there);
        is_changed(f, &bytes, "bytes of 2001-02-03 04:05:06.789"); /* replaced by the same */
        run("sed -i s/three/THREE/ '%s/d/a.csv'", f->there);
        keep_times(f, "d/a.csv");
        is_changed(f, &bytes, "there is the footer hash "); /* in place, its time set back */
        run("rm '%s/d/a.csv'", f->there);
        is_changed(f, &bytes, "there is none");
        run("rmdir '%s/d'", f->there);
        is_changed(f, &bytes, "there is none");
        run("mkdir -p '%s/d/a.csv'", f->there);
        assert_int_equal(find(f, &bytes, &found), ARB_WRONG_OBJECT_TYPE);
        run("cd '%s/d' && rmdir a.csv && mkfifo a.csv", f->there);
        assert_int_equal(find(f, &bytes, &found), ARB_WRONG_OBJECT_TYPE);
    }
    copy_there(f);
    assert_int_equal(find(f, &bytes, &found), ARB_OK);
    arb_table_unref(found);
    arb_text_reset(&bytes);
    arb_table_unref(table);
}

/* Who plans notices it, too, unless the hash is known already. */
static void versions_are_of_what_was_opened(void **state)
{
    fixture *f = *state;
    arb_text bytes = {0};
    put(f, f->here, "a.csv", numbers_csv);
    arb_table *table = open_here(f, "a.csv", NULL);
    put(f, f->here, "a.csv", "n,s,d\n9,nine,\n");
    assert_int_equal(arb_table_encode(table, &f->roots, NULL, &bytes, &f->error), ARB_FILE_CHANGED);
    arb_table_unref(table);
    table = open_here(f, "a.csv", NULL);
    bytes = encode(f, table);
    put(f, f->here, "a.csv", "gone\n");
    arb_text again = encode(f, table);
    assert_true(arb_str_equal(arb_text_view(&bytes), arb_text_view(&again)));
    arb_text_reset(&again);
    arb_text_reset(&bytes);
    arb_table_unref(table);
}

static uint64_t hash_of(const void *data, size_t size)
{
    arb_error error = {0};
    arb_byte_source *source;
    uint64_t hash;
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("m"), data, size, &source, &error), ARB_OK);
    assert_int_equal(arb_footer_hash(source, &hash, &error), ARB_OK);
    arb_byte_source_destroy(source);
    return hash;
}

static void footer_hashes_never_change(void **state)
{
    (void)state;
    size_t size = ARB_FOOTER_HASH_BYTES + 5;
    char *bytes = calloc(1, size);
    assert_true(hash_of("", 0) == 0x2D06800538D394C2u);
    uint64_t hash = hash_of(bytes, size);
    assert_true(hash == hash_of(bytes, ARB_FOOTER_HASH_BYTES));
    bytes[4] = 1; /* before the end */
    assert_true(hash_of(bytes, size) == hash);
    bytes[5] = 1;
    assert_true(hash_of(bytes, size) != hash);
    free(bytes);
}

static void links_that_lead_out_are_refused(void **state)
{
    fixture *f = *state;
    arb_table *found;
    run("mkdir '%s/d'", f->here);
    put(f, f->here, "d/a.csv", numbers_csv);
    arb_table *table = open_here(f, "d/a.csv", NULL);
    arb_text bytes = encode(f, table);
    static const char *const refused[] = {
        "ln -s '%s/d/a.csv' a.csv",               /* absolute, out */
        "ln -s ../../here/d/a.csv a.csv",         /* relative, out */
        "ln -s ../../there/x.csv a.csv",          /* out and in again */
        "ln -s /proc/self/root/etc/passwd a.csv", /* by a magic link */
        "cd .. && rmdir d && ln -s ../here/d d",  /* a folder */
    };
    for (size_t i = 0; i < ARB_COUNT_OF(refused); i++) {
        char command[256];
        arb_text line = {0};
        arb_text_append_str(&line, arb_str_of(refused[i]));
        char *at = strstr(line.data, "%s");
        if (at != NULL)
            snprintf(command, sizeof command, "%.*s%s%s", (int)(at - line.data), line.data, f->here, at + 2);
        else
            snprintf(command, sizeof command, "%s", line.data);
        arb_text_reset(&line);
        run("rm -rf '%s' && mkdir -p '%s/d' && cp -a '%s/d/a.csv' '%s/x.csv' && cd '%s/d' && %s", f->there, f->there,
            f->here, f->there, f->there, command);
        if (find(f, &bytes, &found) != ARB_ACCESS_DENIED)
            fail_msg("%s: %s", refused[i], f->error.message);
        assert_non_null(strstr(f->error.message, "root \"data\""));
    }
    /* a link that stays inside */
    run("cd '%s' && rm d && mkdir d && ln -s ../x.csv d/a.csv", f->there);
    assert_int_equal(find(f, &bytes, &found), ARB_OK);
    arb_table_unref(found);
    arb_text_reset(&bytes);
    arb_table_unref(table);
}

/* ---- bytes from enemies ---------------------------------------------------------------------------------------------- */

typedef struct forged {
    Arbalest__Table__Table table;
    Arbalest__Table__Files files;
    Arbalest__Table__Folder folder, *folders[1];
    Arbalest__Table__File file, *listed[1];
    Arbalest__Table__FileOptions options;
    Arbalest__Table__Csv csv;
    Arbalest__Table__Series series;
    Arbalest__Table__Column column, *columns[1];
    Arbalest__Plan__Type type;
    Arbalest__Table__FolderValue value, *values[1];
    ProtobufCBinaryData roots[2], keys[1];
} forged;

static ProtobufCBinaryData bytes_of(const char *text)
{
    return arb_wire_bytes(arb_str_of(text));
}

/* A message that is as it should be, of there/a.csv. */
static void forge(fixture *f, forged *m)
{
    struct stat status;
    arb_byte_source *source;
    const char *path = path_in(f, f->there, "a.csv");
    put(f, f->there, "a.csv", numbers_csv);
    *m = (forged){.table = ARBALEST__TABLE__TABLE__INIT,
                  .files = ARBALEST__TABLE__FILES__INIT,
                  .folder = ARBALEST__TABLE__FOLDER__INIT,
                  .file = ARBALEST__TABLE__FILE__INIT,
                  .options = ARBALEST__TABLE__FILE_OPTIONS__INIT,
                  .csv = ARBALEST__TABLE__CSV__INIT,
                  .series = ARBALEST__TABLE__SERIES__INIT,
                  .column = ARBALEST__TABLE__COLUMN__INIT,
                  .type = ARBALEST__PLAN__TYPE__INIT,
                  .value = ARBALEST__TABLE__FOLDER_VALUE__INIT};
    assert_int_equal(stat(path, &status), 0);
    m->file.name = bytes_of("a.csv");
    m->file.size = (uint64_t)status.st_size;
    m->file.modified_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec;
    assert_int_equal(arb_byte_source_open_local(path, &source, &f->error), ARB_OK);
    assert_int_equal(arb_footer_hash(source, &m->file.footer_hash, &f->error), ARB_OK);
    arb_byte_source_destroy(source);
    m->listed[0] = &m->file;
    m->folder.n_files = 1;
    m->folder.files = m->listed;
    m->folders[0] = &m->folder;
    m->files.n_folders = 1;
    m->files.folders = m->folders;
    m->files.format = bytes_of("csv");
    m->roots[0] = m->roots[1] = bytes_of("data");
    m->files.n_roots = 1;
    m->files.roots = m->roots;
    m->files.keys = m->keys;
    m->keys[0] = bytes_of("k");
    m->values[0] = &m->value;
    m->folder.values = m->values;
    m->type.id = ARB_TYPE_INTEGER;
    m->column.type = &m->type;
    m->columns[0] = &m->column;
    m->csv.columns = m->csv.some_types = m->columns;
    m->options.hive_types = m->columns;
    m->options.csv = &m->csv;
    m->table.version = ARB_TABLE_WIRE_VERSION;
    m->table.kind_case = ARBALEST__TABLE__TABLE__KIND_FILES;
    m->table.files = &m->files;
}

static void gives(fixture *f, const forged *m, arb_code expected)
{
    arb_text bytes = {0};
    arb_table *found;
    assert_int_equal(arb_wire_pack(&m->table.base, &bytes, &f->error), ARB_OK);
    arb_code code = find(f, &bytes, &found);
    if (code != expected)
        fail_msg("%s instead of %s: %s", arb_code_name(code), arb_code_name(expected), f->error.message);
    assert_true((found != NULL) == (code == ARB_OK));
    arb_table_unref(found);
    arb_text_reset(&bytes);
}

/* Forge, change, see what it gives. */
#define FORGED(expected, ...)         \
    do {                              \
        forged m;                     \
        forge(f, &m);                 \
        __VA_ARGS__;                  \
        gives(f, &m, ARB_##expected); \
    } while (0)

static void forged_places_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"", ".", "..", "../here/a.csv", "/etc/passwd", "x/a.csv", "a.csv/"};
    static const char *const folders[] = {"..", "../here", "/", "/etc", "x/../..", "x//y", "./", "x/"};
    put(f, f->here, "a.csv", numbers_csv);
    FORGED(OK, );
    for (size_t i = 0; i < ARB_COUNT_OF(names); i++)
        FORGED(CORRUPT_DATA, m.file.name = bytes_of(names[i]));
    for (size_t i = 0; i < ARB_COUNT_OF(folders); i++)
        FORGED(CORRUPT_DATA, m.folder.path = bytes_of(folders[i]));
    FORGED(CORRUPT_DATA, m.file.name = arb_wire_bytes(ARB_STR("a.csv\0x")));
    FORGED(CORRUPT_DATA, m.folder.path = arb_wire_bytes(ARB_STR("x\0")));
    FORGED(FILE_CHANGED, m.folder.path = bytes_of("%2e%2e/here"));
    FORGED(CORRUPT_DATA, m.folder.root = 1);
    FORGED(CORRUPT_DATA, m.folder.root = UINT32_MAX);
    FORGED(CORRUPT_DATA, m.files.n_roots = 2);
    FORGED(CORRUPT_DATA, m.files.n_roots = 0);
    FORGED(UNDEFINED_OBJECT, m.roots[0] = bytes_of("DATA"));
    FORGED(UNDEFINED_OBJECT, m.roots[0] = bytes_of("../here"));
    FORGED(CORRUPT_DATA, m.files.n_folders = 0);
    FORGED(CORRUPT_DATA, m.folder.n_files = 0);
    FORGED(CORRUPT_DATA, m.files.n_keys = 1);
    FORGED(CORRUPT_DATA, m.folder.n_values = 1);
    FORGED(OK, m.files.n_keys = m.folder.n_values = 1);
    FORGED(INVALID_ENCODING, m.files.n_keys = m.folder.n_values = 1; m.value.text = bytes_of("\xFF"));
    FORGED(INVALID_ENCODING, m.files.n_keys = m.folder.n_values = 1; m.keys[0] = bytes_of("\xC3"));
    FORGED(FILE_CHANGED, m.file.size++);
    FORGED(FILE_CHANGED, m.file.modified_ns--);
    FORGED(FILE_CHANGED, m.file.footer_hash ^= 1);
}

static void forged_kinds_are_refused(void **state)
{
    fixture *f = *state;
    FORGED(NOT_SUPPORTED, m.table.version = 0);
    FORGED(NOT_SUPPORTED, m.table.version = ARB_TABLE_WIRE_VERSION + 1);
    FORGED(CORRUPT_DATA, m.table.kind_case = ARBALEST__TABLE__TABLE__KIND__NOT_SET);
    FORGED(NOT_SUPPORTED, m.files.format = bytes_of("exe"));
    FORGED(NOT_SUPPORTED, m.files.format = bytes_of("CSV"));
    FORGED(NOT_SUPPORTED, m.files.format = bytes_of(""));
    FORGED(CORRUPT_DATA, m.files.format = bytes_of("parquet")); /* which the file is not */
    FORGED(CORRUPT_DATA, m.table.kind_case = ARBALEST__TABLE__TABLE__KIND_SERIES; m.table.series = &m.series;
           m.series.count = UINT64_MAX);
    FORGED(CORRUPT_DATA, m.table.kind_case = ARBALEST__TABLE__TABLE__KIND_SERIES; m.table.series = &m.series;
           m.series.count = 3; m.series.start = INT64_MAX - 1; m.series.step = 1);
    FORGED(OK, m.table.kind_case = ARBALEST__TABLE__TABLE__KIND_SERIES; m.table.series = &m.series; m.series.count = 2;
           m.series.start = INT64_MAX - 1; m.series.step = 1);
}

static void forged_options_are_refused(void **state)
{
    fixture *f = *state;
    FORGED(OK, m.files.options = &m.options);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.options.csv = NULL);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.options.hive = ARB_HIVE_NO + 1);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.header = ARB_CSV_NO + 1);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.on_error = ARB_CSV_NULL_CELL + 1);
    static const uint32_t bytes[] = {'\n', '\r', 0x80, 0xFF, 0x10A, UINT32_MAX};
    for (size_t i = 0; i < ARB_COUNT_OF(bytes); i++) {
        FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.delimiter = bytes[i]);
        FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.quote = bytes[i]);
        FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.escape = bytes[i]);
        FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.comment = bytes[i]);
    }
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.options.file_name_column = bytes_of("\xFF"));
    FORGED(OK, m.files.options = &m.options; m.options.file_name_column = bytes_of("f"));
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.n_some_types = 1; m.column.type = NULL);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.n_some_types = 1; m.type.id = ARB_TYPE_NULL);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.n_some_types = 1; m.type.id = ARB_TYPE_LIST);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.n_some_types = 1; m.type.id = ARB_TYPE_COUNT);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.csv.n_some_types = 1; m.type.precision = 1);
    FORGED(CORRUPT_DATA, m.files.options = &m.options; m.options.n_hive_types = 1; m.type.id = ARB_TYPE_DECIMAL);
    FORGED(UNDEFINED_COLUMN, m.files.options = &m.options; m.options.n_hive_types = 1; m.column.name = bytes_of("k"));
    FORGED(DUPLICATE_COLUMN, m.files.options = &m.options; m.files.n_keys = m.folder.n_values = 1;
           m.options.file_name_column = bytes_of("k"));
    FORGED(OK, m.files.options = &m.options; m.csv.skip_lines = UINT64_MAX; m.csv.sample_rows = UINT64_MAX;
           m.csv.sample_bytes = UINT64_MAX; m.csv.range_bytes = 1; m.csv.header = ARB_CSV_NO);
}

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return *random >> 11;
}

/* One to three bytes become others, or the end is cut off. */
static size_t change(char *bytes, size_t size, uint64_t *random)
{
    uint64_t kind = next_random(random);
    if (kind % 16 == 0)
        return (size_t)(next_random(random) % size);
    for (uint64_t i = 0; i <= kind % 3; i++) {
        size_t at = (size_t)(next_random(random) % size);
        bytes[at] = (char)(next_random(random) % 4 == 0 ? next_random(random)
                                                        : (uint8_t)bytes[at] + 1 - next_random(random) % 3);
    }
    return size;
}

/* A table with much that can be said of files. */
static arb_text rich_table(fixture *f)
{
    static const arb_str nulls[] = {{"none", 4}}, firsts[] = {{"first", 5}};
    arb_csv_column_type some[] = {{ARB_STR("b"), arb_type_decimal(10, 2)}}, hive[] = {{ARB_STR("k"), ARB_TYPE(DATE)}};
    arb_file_options options = {.csv = {.delimiter = ',',
                                        .quote = '"',
                                        .header = ARB_CSV_YES,
                                        .null_texts = nulls,
                                        .null_text_count = 1,
                                        .first_names = firsts,
                                        .first_name_count = 1,
                                        .some_types = some,
                                        .some_type_count = 1,
                                        .may_lack_columns = true,
                                        .date_format = ARB_STR("%Y-%m-%d")},
                                .union_by_name = true,
                                .hive_types = hive,
                                .hive_type_count = 1,
                                .file_name_column = ARB_STR("file")};
    run("mkdir -p '%s/k=2020-01-01' '%s/k=2021-01-01'", f->here, f->here);
    put(f, f->here, "k=2020-01-01/1.csv", "a,b,c\n1,2.5,x\nnone,1,\n");
    put(f, f->here, "k=2020-01-01/2.csv", "a,b\n2020-01-01,1\n");
    put(f, f->here, "k=2021-01-01/1.csv", "b,a\n3,\"4\"\n");
    arb_table *table = open_here(f, ".", &options);
    arb_text bytes = encode(f, table);
    arb_table_unref(table);
    copy_there(f);
    return bytes;
}

static void changed_bytes_do_no_harm(void **state)
{
    fixture *f = *state;
    uint64_t random = 0x9E3779B97F4A7C15u;
    size_t refused = 0, accepted = 0;
    arb_text from = rich_table(f);
    for (size_t round = 0; round < 20000; round++) {
        arb_table *found;
        char *bytes = malloc(from.size);
        memcpy(bytes, from.data, from.size);
        arb_text changed = {.data = bytes, .size = change(bytes, from.size, &random)};
        arb_code code = find(f, &changed, &found);
        free(bytes); /* the table does not refer to it */
        refused += code != ARB_OK;
        accepted += code == ARB_OK;
        assert_true(code != ARB_INTERNAL && (code == ARB_OK || f->error.message[0] != '\0'));
        for (size_t i = 0; code == ARB_OK && i < found->file_count; i++)
            (void)!scan(found->files[i], NULL, NULL, &f->error);
        arb_table_unref(found);
    }
    arb_text_reset(&from);
    assert_true(refused > 5000 && accepted > 1000);
}

/* Nothing is open yet, and each allocation fails once: of finding, then of writing what was found. */
static void each_allocation_fails(fixture *f, const arb_text *bytes)
{
    uint64_t failures = 0, count = 1;
    for (uint64_t n = 0; n <= count; n++) {
        arb_table *found;
        arb_text again = {0};
        arb_root_names names = {0};
        arb_arena arena = {0};
        arb_file_cache_destroy(f->other_cache);
        assert_int_equal(arb_file_cache_create(16 << 20, &f->memory, &f->other_cache, &f->error), ARB_OK);
        f->finder.cache = f->other_cache;
        arb_alloc_fail_at(n, false);
        arb_code code = find(f, bytes, &found);
        if (code == ARB_OK)
            code = arb_table_encode(found, &f->other_roots, NULL, &again, &f->error);
        if (code == ARB_OK)
            code = arb_table_add_roots(&arena, found, &f->other_roots, &names, &f->error);
        count = n == 0 ? arb_alloc_count() : count;
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        failures += code != ARB_OK;
        arb_table_unref(found);
        arb_text_reset(&again);
        arb_arena_reset(&arena);
    }
#ifdef ARB_FAILPOINTS
    assert_true(count > 10 && failures > count / 2);
#else
    assert_int_equal(failures, 0);
#endif
}

static void allocations_fail(void **state)
{
    fixture *f = *state;
    arb_text bytes = rich_table(f);
    each_allocation_fails(f, &bytes);
    arb_text_reset(&bytes);
    put(f, f->here, "a.csv", numbers_csv);
    convert(f, "a.csv", "a.parquet");
    arb_table *table = open_here(f, "a.parquet", NULL);
    copy_there(f);
    bytes = encode(f, table);
    each_allocation_fails(f, &bytes);
    arb_text_reset(&bytes);
    arb_table_unref(table);
}

static void finding_can_be_stopped(void **state)
{
    fixture *f = *state;
    _Atomic bool flag = true;
    arb_table *found;
    arb_text bytes = rich_table(f);
    f->finder.stop = &flag;
    assert_int_equal(find(f, &bytes, &found), ARB_CANCELLED);
    arb_text_reset(&bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(parquet_files),
        TEST(csv_files),
        TEST(csv_options),
        TEST(folders_that_are_columns),
        TEST(columns_by_name),
        TEST(series_go_as_numbers),
        TEST(tables_in_memory_stay),
        TEST(roots_have_names),
        TEST(the_longest_folder_wins),
        TEST(paths_that_leave_are_seen),
        TEST(a_table_tells_its_roots),
        TEST(files_outside_are_named),
        TEST(folders_behind_links_are_found),
        TEST(unknown_roots_are_named),
        TEST(other_files_are_refused),
        TEST(versions_are_of_what_was_opened),
        TEST(footer_hashes_never_change),
        TEST(links_that_lead_out_are_refused),
        TEST(forged_places_are_refused),
        TEST(forged_kinds_are_refused),
        TEST(forged_options_are_refused),
        TEST(changed_bytes_do_no_harm),
        TEST(allocations_fail),
        TEST(finding_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
