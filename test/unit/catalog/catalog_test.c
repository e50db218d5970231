/* Names: case, quotes, schemas, proposals; folders of files, with a format that reads nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "catalog/catalog.h"
#include "catalog/data_folder.h"
#include "catalog/file_glob.h"
#include "catalog/memory_table.h"

/* ---- a format: a file's rows are its bytes, its one column is of the type that the first byte says --------------- */
enum { file_bytes = 10000 }; /* that each says to take */
static unsigned files_open, files_opened;

typedef struct byte_file {
    arb_table_file base;
    arb_byte_source *source;
    arb_table_column column;
    arb_split split;
} byte_file;

static void byte_file_destroy(arb_table_file *file)
{
    byte_file *self = (byte_file *)file;
    arb_byte_source_destroy(self->source);
    files_open--;
    arb_free(self);
}

static arb_code byte_reader_create(const arb_table_file *file, const arb_scan_request *request,
                                   arb_split_reader **out_reader, arb_error *error)
{
    (void)file, (void)request;
    *out_reader = NULL;
    return arb_fail(error, ARB_NOT_SUPPORTED, "for tests");
}

static const arb_table_file_vtable byte_vtable = {"bytes", byte_file_destroy, byte_reader_create};

static arb_code byte_open(arb_byte_source *source, const arb_file_options *options, arb_stop_flag *stop,
                          arb_table_file **out_file, arb_error *error)
{
    (void)options, (void)stop;
    char first = 0;
    if (source->identity.size == 0) {
        arb_code code = arb_fail(error, ARB_CORRUPT_DATA, "%.*s is empty", ARB_STR_ARGS(source->path));
        arb_byte_source_destroy(source);
        return code;
    }
    assert_int_equal(arb_byte_source_read(source, 0, &first, 1, error), ARB_OK);
    byte_file *self = arb_alloc_zeroed(sizeof *self);
    assert_non_null(self);
    self->source = source;
    arb_reservation_force(&source->held, file_bytes);
    self->column = (arb_table_column){.name = ARB_STR("byte"),
                                      .type = first == 't' ? ARB_TYPE(VARCHAR) : ARB_TYPE(INTEGER),
                                      .statistics = {.has_range = true,
                                                     .low = (arb_int128)source->identity.size,
                                                     .high = (arb_int128)source->identity.size}};
    self->base = (arb_table_file){.vtable = &byte_vtable,
                                  .path = source->path,
                                  .bytes = file_bytes,
                                  .rows = source->identity.size,
                                  .rows_exact = true,
                                  .column_count = 1,
                                  .columns = &self->column,
                                  .split_count = 1,
                                  .splits = &self->split};
    *out_file = &self->base;
    files_open++;
    files_opened++;
    return ARB_OK;
}

static const arb_file_format formats[] = {{"bytes", ".bytes .byt", byte_open, NULL}, {"other", ".other", NULL, NULL}};
static const arb_file_formats known = {formats, ARB_COUNT_OF(formats)};

/* ---- fixture ----------------------------------------------------------------------------------------------------- */
typedef struct fixture {
    char folder[64];
    arb_governor governor;
    arb_memory memory;
    arb_file_cache *cache;
    arb_catalog *catalog;
    arb_catalog_scope *scope;
    arb_arena arena;
    arb_error error;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/arb_catalog_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    arb_governor_init(&f->governor, 1 << 20);
    arb_memory_init(&f->memory, &f->governor);
    assert_int_equal(arb_file_cache_create(1 << 20, &f->memory, &f->cache, &f->error), ARB_OK);
    assert_int_equal(arb_catalog_create(&known, f->cache, &f->catalog, &f->error), ARB_OK);
    assert_int_equal(arb_catalog_scope_create(f->catalog, NULL, &f->scope, &f->error), ARB_OK);
    files_opened = 0;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    char command[128];
    arb_arena_reset(&f->arena);
    arb_catalog_scope_destroy(f->scope);
    arb_catalog_destroy(f->catalog);
    arb_file_cache_destroy(f->cache);
    assert_int_equal(files_open, 0);
    assert_int_equal(atomic_load(&f->governor.used), 0);
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void put_file(const fixture *f, const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void put_folder(const fixture *f, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* "a", "main.a", "\"A\"": one part or two, each perhaps in quotes. */
static arb_catalog_name name_of(fixture *f, const char *text)
{
    arb_catalog_part *parts = ARB_ARENA_ARRAY(&f->arena, arb_catalog_part, 3);
    size_t count = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, ".");
        bool quoted = text[0] == '"';
        parts[count++] = (arb_catalog_part){{text + quoted, size - 2 * quoted}, quoted};
        text += size + (text[size] == '.');
    }
    return (arb_catalog_name){parts, count};
}

static const arb_catalog_name *names_of(fixture *f, const char *text)
{
    arb_catalog_name *name = ARB_ARENA_NEW(&f->arena, arb_catalog_name);
    *name = name_of(f, text);
    return name;
}

static const arb_catalog_target *target_of(fixture *f, const char *text, arb_catalog_existing existing)
{
    arb_catalog_target *target = ARB_ARENA_NEW(&f->arena, arb_catalog_target);
    *target = (arb_catalog_target){.name = name_of(f, text), .existing = existing};
    return target;
}

static arb_code find(fixture *f, const char *name, arb_relation *out)
{
    arb_error_clear(&f->error);
    return arb_catalog_find(f->scope, &f->arena, name_of(f, name), out, &f->error);
}

static void add_table(fixture *f, const char *name, uint64_t column_count)
{
    static const arb_table_column columns[] = {{.name = {"a", 1}, .type = {.id = ARB_TYPE_INTEGER}},
                                               {.name = {"b", 1}, .type = {.id = ARB_TYPE_INTEGER}}};
    arb_memory_builder *builder;
    arb_table *table;
    assert_int_equal(arb_memory_builder_create(ARB_STR("t"), columns, column_count, NULL, &builder, &f->error), ARB_OK);
    assert_int_equal(arb_memory_builder_finish(builder, &table, &f->error), ARB_OK);
    arb_memory_builder_destroy(builder);
    assert_int_equal(arb_catalog_add_table(f->scope, target_of(f, name, ARB_EXISTING_REPLACE), table, NULL, &f->error),
                     ARB_OK);
    arb_table_unref(table);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */
static void names_are_found(void **state)
{
    fixture *f = *state;
    arb_relation relation;
    add_table(f, "LineItem", 1);
    assert_int_equal(find(f, "lineitem", &relation), ARB_OK);
    assert_int_equal(relation.table->column_count, 1);
    assert_int_equal(find(f, "MAIN.LINEITEM", &relation), ARB_OK);
    assert_int_equal(find(f, "arbalest.main.lineitem", &relation), ARB_OK);
    assert_int_equal(find(f, "\"LineItem\"", &relation), ARB_OK);
    assert_int_equal(find(f, "\"lineitem\"", &relation), ARB_UNDEFINED_TABLE);
    assert_int_equal(find(f, "linitem", &relation), ARB_UNDEFINED_TABLE);
    assert_string_equal(f->error.hint, "Did you mean \"LineItem\"?");
    assert_int_equal(find(f, "nothing_like_it", &relation), ARB_UNDEFINED_TABLE);
    assert_string_equal(f->error.hint, "");
    assert_int_equal(find(f, "elsewhere.lineitem", &relation), ARB_UNDEFINED_OBJECT);
    assert_int_equal(find(f, "x.main.lineitem", &relation), ARB_UNDEFINED_OBJECT);
}

static void what_was_found_stays(void **state)
{
    fixture *f = *state;
    arb_relation before, after;
    add_table(f, "t", 1);
    assert_int_equal(find(f, "t", &before), ARB_OK);
    add_table(f, "T", 2); /* replaces: names that differ by case only would be ambiguous */
    assert_int_equal(find(f, "t", &after), ARB_OK);
    assert_int_equal(before.table->column_count, 1);
    assert_int_equal(after.table->column_count, 2);
    assert_int_equal(arb_catalog_drop(f->scope, names_of(f, "t"), 1, ARB_CATALOG_VIEW, false, &f->error),
                     ARB_WRONG_OBJECT_TYPE);
    assert_int_equal(arb_catalog_drop(f->scope, names_of(f, "t"), 1, ARB_CATALOG_TABLE, false, &f->error), ARB_OK);
    assert_int_equal(find(f, "t", &after), ARB_UNDEFINED_TABLE);
    assert_int_equal(arb_catalog_drop(f->scope, names_of(f, "t"), 1, ARB_CATALOG_TABLE, true, &f->error), ARB_OK);
    assert_int_equal(before.table->column_count, 1);
}

static void views_and_schemas(void **state)
{
    fixture *f = *state;
    arb_relation relation;
    bool created;
    arb_str columns[] = {ARB_STR("x")};
    arb_view view = {.sql = ARB_STR("SELECT 1"), .column_count = 1, .columns = columns};
    assert_int_equal(arb_catalog_add_view(f->scope, target_of(f, "s.v", ARB_EXISTING_FAIL), &view, &created, &f->error),
                     ARB_UNDEFINED_OBJECT);
    assert_int_equal(arb_catalog_add_schema(f->scope, ARB_STR("s"), false, &f->error), ARB_OK);
    assert_int_equal(arb_catalog_add_schema(f->scope, ARB_STR("S"), false, &f->error), ARB_DUPLICATE_TABLE);
    assert_int_equal(arb_catalog_add_schema(f->scope, ARB_STR("S"), true, &f->error), ARB_OK);
    assert_int_equal(arb_catalog_add_view(f->scope, target_of(f, "s.v", ARB_EXISTING_FAIL), &view, &created, &f->error),
                     ARB_OK);
    assert_true(created);
    assert_int_equal(arb_catalog_add_view(f->scope, target_of(f, "s.v", ARB_EXISTING_FAIL), &view, NULL, &f->error),
                     ARB_DUPLICATE_TABLE);
    assert_int_equal(arb_catalog_add_view(f->scope, target_of(f, "s.v", ARB_EXISTING_KEEP), &view, &created, &f->error),
                     ARB_OK);
    assert_false(created);
    assert_int_equal(find(f, "v", &relation), ARB_UNDEFINED_TABLE);
    assert_int_equal(arb_catalog_use_schema(f->scope, ARB_STR("s"), &f->error), ARB_OK);
    assert_int_equal(find(f, "v", &relation), ARB_OK);
    assert_null(relation.table);
    assert_string_equal(relation.view->sql.data, "SELECT 1");
    assert_string_equal(relation.view->columns[0].data, "x");
    assert_int_equal(arb_catalog_drop_schemas(f->scope, names_of(f, "s"), 1, false, false, &f->error),
                     ARB_WRONG_OBJECT_TYPE);
    assert_int_equal(arb_catalog_drop_schemas(f->scope, names_of(f, "s"), 1, false, true, &f->error), ARB_OK);
    assert_int_equal(find(f, "v", &relation), ARB_UNDEFINED_TABLE);
    assert_int_equal(arb_catalog_drop_schemas(f->scope, names_of(f, "main"), 1, false, true, &f->error),
                     ARB_WRONG_OBJECT_TYPE);
}

static void folders_are_tables(void **state)
{
    fixture *f = *state;
    arb_relation relation;
    arb_catalog_listing listing;
    put_file(f, "a.bytes", "nn");
    put_file(f, "Upper.BYT", "nnn");
    put_file(f, "bad.bytes", "");
    put_file(f, "unreadable.other", "x");
    put_file(f, "notes.txt", "x");
    put_file(f, "_skipped.bytes", "n");
    put_file(f, ".hidden.bytes", "n");
    put_folder(f, "many");
    put_folder(f, "many/deeper");
    put_folder(f, "many/_temporary");
    put_file(f, "many/1.bytes", "n");
    put_file(f, "many/deeper/2.bytes", "nnnn");
    put_file(f, "many/_temporary/3.bytes", "nnnn");
    put_folder(f, "mixed");
    put_file(f, "mixed/1.bytes", "n");
    put_file(f, "mixed/2.other", "n");
    put_folder(f, "empty");
    put_folder(f, "differing");
    put_file(f, "differing/1.bytes", "n");
    put_file(f, "differing/2.bytes", "t");
    put_folder(f, "twice");
    put_file(f, "twice/1.bytes", "n");
    put_file(f, "twice.bytes", "n");
    assert_int_equal(arb_catalog_add_folder(f->catalog, arb_str_of(f->folder), NULL, &f->error), ARB_OK);
    assert_int_equal(arb_catalog_list(f->scope, &f->arena, &listing, &f->error), ARB_OK);
    assert_int_equal(listing.size, 9);
    assert_int_equal(files_opened, 0);

    assert_int_equal(find(f, "a", &relation), ARB_OK);
    assert_int_equal(relation.table->rows, 2);
    assert_int_equal(find(f, "upper", &relation), ARB_OK);
    assert_int_equal(find(f, "many", &relation), ARB_OK);
    assert_int_equal(relation.table->rows, 5);
    assert_int_equal(relation.table->file_count, 2);
    assert_true(relation.table->columns[0].statistics.low == 1 && relation.table->columns[0].statistics.high == 4);
    assert_int_equal(find(f, "bad", &relation), ARB_CORRUPT_DATA);
    assert_int_equal(find(f, "unreadable", &relation), ARB_NOT_SUPPORTED);
    assert_int_equal(find(f, "mixed", &relation), ARB_INVALID_TABLE_DEFINITION);
    assert_int_equal(find(f, "empty", &relation), ARB_INVALID_TABLE_DEFINITION);
    assert_int_equal(find(f, "differing", &relation), ARB_DATATYPE_MISMATCH);
    assert_non_null(strstr(f->error.message, "2.bytes"));
    assert_non_null(strstr(f->error.message, "\"byte\""));
    assert_int_equal(find(f, "twice", &relation), ARB_AMBIGUOUS_TABLE);
    assert_non_null(strstr(f->error.detail, "twice.bytes"));
    assert_int_equal(arb_catalog_add_folder(f->catalog, ARB_STR("/nowhere/at/all"), NULL, &f->error),
                     ARB_FILE_NOT_FOUND);
}

static void folders_are_columns(void **state)
{
    fixture *f = *state;
    arb_relation relation;
    put_folder(f, "keys");
    put_folder(f, "keys/k=1");
    put_folder(f, "keys/k=1/d=2001-02-03");
    put_file(f, "keys/k=1/d=2001-02-03/1.bytes", "n");
    put_folder(f, "keys/k=-20");
    put_folder(f, "keys/k=-20/d=__HIVE_DEFAULT_PARTITION__");
    put_file(f, "keys/k=-20/d=__HIVE_DEFAULT_PARTITION__/1.bytes", "nnn");
    put_folder(f, "others");
    put_folder(f, "others/k=1");
    put_file(f, "others/k=1/1.bytes", "n");
    put_file(f, "others/2.bytes", "n");
    put_folder(f, "again");
    put_folder(f, "again/Byte=1");
    put_file(f, "again/Byte=1/1.bytes", "n");
    put_folder(f, "escaped");
    put_folder(f, "escaped/%61b%c3%a4=1%2");
    put_file(f, "escaped/%61b%c3%a4=1%2/1.bytes", "n");
    put_folder(f, "bad");
    put_folder(f, "bad/k=%ff");
    put_file(f, "bad/k=%ff/1.bytes", "n");
    assert_int_equal(arb_catalog_add_folder(f->catalog, arb_str_of(f->folder), NULL, &f->error), ARB_OK);

    assert_int_equal(find(f, "keys", &relation), ARB_OK);
    const arb_table_column *columns = relation.table->columns;
    assert_int_equal(relation.table->column_count, 3);
    assert_int_equal(columns[1].type.id, ARB_TYPE_BIGINT);
    assert_true(columns[1].statistics.has_range && !columns[1].nullable);
    assert_true(columns[1].statistics.low == -20 && columns[1].statistics.high == 1);
    assert_int_equal(columns[2].type.id, ARB_TYPE_DATE);
    assert_true(columns[2].nullable && columns[2].statistics.has_null_count && !columns[2].statistics.has_range);
    assert_int_equal(columns[2].statistics.null_count, 3);

    assert_int_equal(find(f, "others", &relation), ARB_OK); /* not all files have the key */
    assert_int_equal(relation.table->column_count, 1);
    assert_int_equal(find(f, "again", &relation), ARB_OK);
    assert_int_equal(relation.table->column_count, 1);
    assert_int_equal(relation.table->columns[0].type.id, ARB_TYPE_BIGINT);
    assert_int_equal(find(f, "bad", &relation), ARB_INVALID_ENCODING);
    assert_int_equal(find(f, "escaped", &relation), ARB_OK);
    assert_true(arb_str_equal(relation.table->columns[1].name, ARB_STR("ab\xc3\xa4")));
    assert_int_equal(relation.table->columns[1].type.id, ARB_TYPE_VARCHAR);
}

static void files_are_kept_while_they_stay(void **state)
{
    fixture *f = *state;
    arb_relation first, again, changed;
    put_file(f, "a.bytes", "nn");
    assert_int_equal(arb_catalog_add_folder(f->catalog, arb_str_of(f->folder), NULL, &f->error), ARB_OK);
    assert_int_equal(find(f, "a", &first), ARB_OK);
    assert_int_equal(find(f, "a", &again), ARB_OK);
    assert_ptr_equal(first.table, again.table);
    assert_int_equal(files_opened, 1);
    put_file(f, "a.bytes", "nnnnn");
    assert_int_equal(find(f, "a", &changed), ARB_OK);
    assert_int_equal(files_opened, 2);
    assert_int_equal(changed.table->rows, 5);
    assert_int_equal(first.table->rows, 2);
    arb_arena_reset(&f->arena); /* the old version is closed once nobody holds it */
    assert_int_equal(files_open, 1);
    assert_in_range(atomic_load(&f->governor.used), file_bytes, 2 * file_bytes); /* one, with its entry */
}

/* What open files take is counted while they are open, and those that nobody uses are closed when there are too many for
 * the cache or for the budget. */
static void open_files_are_counted_and_few(void **state)
{
    fixture *f = *state;
    static const arb_file_format *format = &formats[0];
    for (int round = 0; round < 2; round++) {
        arb_cached_file *used = NULL, *file;
        for (int i = 0; i < 100; i++) {
            char name[16], path[128];
            snprintf(name, sizeof name, "%d-%03d.bytes", round, i); /* all as long */
            snprintf(path, sizeof path, "%s/%s", f->folder, name);
            put_file(f, name, "n");
            assert_int_equal(arb_file_cache_get(f->cache, arb_str_of(path), format, NULL, NULL, &file, &f->error),
                             ARB_OK);
            assert_true(file->bytes >= file_bytes);
            if (i == 0)
                used = file;
            else
                arb_file_cache_release(file);
            assert_int_equal(atomic_load(&f->governor.used),
                             files_open * used->bytes); /* with the entries themselves */
        }
        /* the eighth of a MiB, and then no more than the cache's own limit */
        assert_true(files_open > (round == 0 ? 5 : 50) && files_open <= (round == 0 ? 13 : 104));
        assert_ptr_equal(used->file->vtable, &byte_vtable);
        arb_file_cache_release(used);
        f->governor.limit = 1 << 30;
    }
}

static void looking_for_files_can_be_stopped(void **state)
{
    fixture *f = *state;
    arb_paths paths = {0};
    const arb_file_format *format;
    char pattern[128];
    put_file(f, "a.bytes", "1");
    snprintf(pattern, sizeof pattern, "%s/**/*.bytes", f->folder);
    for (int i = 0; i < 2; i++) {
        _Atomic bool stop = i != 0;
        arb_code wanted = stop ? ARB_CANCELLED : ARB_OK;
        assert_int_equal(arb_file_glob(&f->arena, arb_str_of(pattern), &paths, &stop, &f->error), wanted);
        assert_int_equal(
            arb_data_folder_files(&f->arena, arb_str_of(f->folder), &known, &paths, &format, &stop, &f->error), wanted);
        arb_error_clear(&f->error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_found_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(views_and_schemas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_kept_while_they_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(open_files_are_counted_and_few, set_up, tear_down),
        cmocka_unit_test_setup_teardown(looking_for_files_can_be_stopped, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
