/* Tables in memory as segments: what comes back has the same rows, ranges, splits and bytes, and what is damaged, or is not
 * what the table says, does not come back. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "catalog/memory_table_internal.h"
#include "catalog/table_wire.h"
#include "engine/session.h"

/* clang-format off */
static const char *const set_up_statements[] = {
    "CREATE TABLE wide AS SELECT CAST(range AS INTEGER) AS i, CASE WHEN range % 7 <> 0 THEN range % 5 < 2 END AS b,"
    " CAST(range % 200 - 100 AS TINYINT) AS y, CAST(range % 999 AS SMALLINT) AS h, range * 1000003 AS l,"
    " CASE WHEN range % 3 <> 0 THEN CAST(range AS DECIMAL(38, 4)) * 1234567890123 END AS m, CAST(range AS DECIMAL(9, 2)) AS c,"
    " CAST(range AS DOUBLE) / 3 AS d, CAST(range AS REAL) AS r,"
    " CASE range % 4 WHEN 0 THEN '' WHEN 1 THEN 'short' WHEN 2 THEN 'a text of more than twelve bytes ' || range END AS t,"
    " CAST('bytes ' || range AS BLOB) AS x, DATE '2000-01-01' + CAST(range AS INTEGER) AS a,"
    " INTERVAL '1' MONTH * (range % 50) + INTERVAL '5' SECOND * range AS v, TIMESTAMP '2020-01-01 00:00:00' AS p"
    " FROM range(150000)",
    "CREATE TABLE nested AS SELECT * FROM '" ARB_SOURCE_DIR "/test/sql/data/nested.parquet'",
    "CREATE TABLE keyed (a INTEGER PRIMARY KEY, b VARCHAR NOT NULL, UNIQUE (b, a))",
    "INSERT INTO keyed VALUES (1, 'one'), (2, 'two')",
    "CREATE TABLE nothing (a INTEGER, b VARCHAR)",
    "CREATE TABLE many AS SELECT n.* FROM nested n, range(700)",
};
/* clang-format on */
static const char *const tables[] = {"wide", "nested", "keyed", "nothing", "many"};

enum { KEPT_MOST = 64 };

/* Chunks by name; the hash need not be a good one here. */
/* Reads of a query that failed may still be looking for one: the lock. */
typedef struct keeper {
    pthread_mutex_t lock;
    _Atomic int holders;
    size_t count;
    arb_segment_name names[KEPT_MOST];
    arb_text bytes[KEPT_MOST];
} keeper;

typedef struct fixture {
    arb_runtime *runtime;
    arb_session *session;
    arb_arena arena;
    keeper kept;
    arb_segment_namer namer;
    arb_segment_finder finder;
    arb_table_finder tables;
    arb_error error;
} fixture;

static arb_code name_chunk(void *context, arb_memory_chunk *chunk, arb_segment_name *out_name, arb_error *error)
{
    keeper *k = context;
    arb_text *bytes = &k->bytes[k->count];
    assert_true(k->count < KEPT_MOST);
    ARB_TRY(arb_segment_encode(chunk, bytes, error));
    *out_name = (arb_segment_name){.bytes = bytes->size};
    uint64_t hash = arb_hash_bytes(bytes->data, bytes->size);
    memcpy(out_name->hash, &hash, sizeof hash);
    k->names[k->count++] = *out_name;
    return ARB_OK;
}

static arb_code find_chunk(void *context, const arb_segment_wanted *wanted, arb_stop_flag *stop,
                           arb_memory_chunk **out_chunk, arb_error *error)
{
    (void)stop;
    keeper *k = context;
    size_t i = 0;
    pthread_mutex_lock(&k->lock);
    while (i < k->count && memcmp(&k->names[i], &wanted->name, sizeof wanted->name) != 0)
        i++;
    arb_code code = i < k->count ? arb_segment_decode(arb_text_view(&k->bytes[i]), wanted, NULL, out_chunk, error)
                                 : arb_fail(error, ARB_UNDEFINED_TABLE, "no such segment");
    pthread_mutex_unlock(&k->lock);
    return code;
}

/* Of a finder that is asked when rows are read. */
static arb_memory_chunk *peek_in_vain(void *context, const arb_segment_wanted *wanted)
{
    (void)context, (void)wanted;
    return NULL;
}

static arb_memory_chunk *peek_chunk(void *context, const arb_segment_wanted *wanted)
{
    arb_memory_chunk *chunk;
    return find_chunk(context, wanted, NULL, &chunk, NULL) == ARB_OK ? chunk : NULL;
}

static void hold(void *context)
{
    atomic_fetch_add(&((keeper *)context)->holders, 1);
}

static void let_go(void *context)
{
    atomic_fetch_sub(&((keeper *)context)->holders, 1);
}

static void forget(keeper *k)
{
    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->count; i++)
        arb_text_reset(&k->bytes[i]);
    k->count = 0;
    pthread_mutex_unlock(&k->lock);
}

static void run(fixture *f, const char *sql)
{
    arb_result *result;
    const arb_batch *batch = NULL;
    arb_code code = arb_session_execute(f->session, arb_str_of(sql), &result, &f->error);
    if (code == ARB_OK) {
        while ((code = arb_result_next(result, &batch, &f->error)) == ARB_OK && batch != NULL)
            if (batch->selected != 0)
                fail_msg("%s: there are rows", sql);
        arb_result_destroy(result);
    }
    if (code != ARB_OK)
        fail_msg("%s: %s", sql, f->error.message);
}

static int set_up(void **state)
{
    static fixture f;
    arb_runtime_options options = {.threads = 2};
    memset(&f, 0, sizeof f);
    pthread_mutex_init(&f.kept.lock, NULL);
    assert_int_equal(arb_runtime_create(&options, &f.runtime, &f.error), ARB_OK);
    assert_int_equal(arb_session_create(f.runtime, &f.session, &f.error), ARB_OK);
    for (size_t i = 0; i < ARB_COUNT_OF(set_up_statements); i++)
        run(&f, set_up_statements[i]);
    f.namer = (arb_segment_namer){&f.kept, name_chunk};
    f.finder = (arb_segment_finder){.context = &f.kept, .find = find_chunk};
    f.tables = (arb_table_finder){.segments = &f.finder};
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    arb_arena_reset(&f->arena);
    arb_session_destroy(f->session);
    arb_runtime_destroy(f->runtime);
    forget(&f->kept);
    pthread_mutex_destroy(&f->kept.lock);
    return 0;
}

static arb_table *table_of(fixture *f, const char *name)
{
    arb_catalog_part part = {arb_str_of(name), false};
    arb_relation relation;
    assert_int_equal(
        arb_catalog_find(arb_session_scope(f->session), &f->arena, (arb_catalog_name){&part, 1}, &relation, &f->error),
        ARB_OK);
    return relation.table;
}

static void same_description(const arb_table *a, const arb_table *b, bool read)
{
    assert_int_equal(a->column_count, b->column_count);
    assert_int_equal(a->rows, b->rows);
    for (size_t i = 0; i < a->column_count; i++) {
        const arb_table_column *x = &a->columns[i], *y = &b->columns[i];
        assert_true(arb_str_equal(x->name, y->name) && arb_type_equal(x->type, y->type) && x->nullable == y->nullable);
        if (!read)
            continue;
        assert_int_equal(x->statistics.has_range, y->statistics.has_range);
        assert_true(x->statistics.low == y->statistics.low && x->statistics.high == y->statistics.high);
        assert_int_equal(x->statistics.null_count, y->statistics.null_count);
        assert_int_equal(x->statistics.bytes, y->statistics.bytes);
    }
    assert_int_equal(a->files[0]->split_count, b->files[0]->split_count);
    for (size_t i = 0; i < a->files[0]->split_count; i++)
        assert_memory_equal(&a->files[0]->splits[i], &b->files[0]->splits[i], sizeof(arb_split));
    assert_int_equal(a->key_count, b->key_count);
    for (size_t i = 0; i < a->key_count; i++) {
        assert_int_equal(a->keys[i].column_count, b->keys[i].column_count);
        assert_memory_equal(a->keys[i].columns, b->keys[i].columns, a->keys[i].column_count * sizeof(uint32_t));
    }
}

static void come_back(fixture *f, bool read)
{
    for (size_t i = 0; i < ARB_COUNT_OF(tables); i++) {
        arb_text bytes = {0}, again = {0};
        arb_table *found, *table = table_of(f, tables[i]);
        forget(&f->kept);
        assert_int_equal(arb_table_encode(table, NULL, &f->namer, &bytes, &f->error), ARB_OK);
        if (arb_table_decode(table->name, arb_text_view(&bytes), &f->tables, &found, &f->error) != ARB_OK)
            fail_msg("%s: %s", tables[i], f->error.message);
        same_description(table, found, read);
        /* the same bytes, and so the same names, again */
        assert_int_equal(arb_table_encode(found, NULL, &f->namer, &again, &f->error), ARB_OK);
        assert_int_equal(bytes.size, again.size);
        assert_memory_equal(bytes.data, again.data, bytes.size);
        arb_catalog_part part = {ARB_STR("found"), false};
        arb_catalog_target target = {.name = {&part, 1}, .existing = ARB_EXISTING_REPLACE};
        assert_int_equal(arb_catalog_add_table(arb_session_scope(f->session), &target, found, NULL, &f->error), ARB_OK);
        arb_table_unref(found);
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT * FROM %s EXCEPT ALL SELECT * FROM found", tables[i]);
        run(f, sql);
        snprintf(sql, sizeof sql, "SELECT * FROM found EXCEPT ALL SELECT * FROM %s", tables[i]);
        run(f, sql);
        arb_text_reset(&bytes);
        arb_text_reset(&again);
    }
}

static void tables_come_back(void **state)
{
    come_back(*state, true);
}

/* Rows are asked for when they are read, and may have to be waited for. */
static void rows_come_when_they_are_read(void **state)
{
    fixture *f = *state;
    for (int waits = 0; waits < 3; waits++) {
        f->finder.peek = waits != 0 ? peek_in_vain : peek_chunk;
        f->finder.hold = hold;
        f->finder.let_go = let_go;
        run(f, waits == 2 ? "SET force_async_io = true" : "SET force_async_io = false");
        come_back(f, false);
    }
    run(f, "CREATE OR REPLACE TABLE found (x INTEGER)");
    arb_arena_reset(&f->arena);
    assert_int_equal(f->kept.holders, 0);
}

/* What comes is not what the table says; or does not come. */
static void other_rows_come(void **state)
{
    fixture *f = *state;
    arb_text bytes = {0};
    arb_table *found;
    arb_result *result;
    const arb_batch *batch;
    f->finder.peek = peek_in_vain;
    f->finder.hold = hold;
    f->finder.let_go = let_go;
    assert_int_equal(arb_table_encode(table_of(f, "wide"), NULL, &f->namer, &bytes, &f->error), ARB_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(arb_table_decode(ARB_STR("k"), arb_text_view(&bytes), &f->tables, &found, &f->error), ARB_OK);
        arb_catalog_part part = {ARB_STR("k"), false};
        arb_catalog_target target = {.name = {&part, 1}, .existing = ARB_EXISTING_REPLACE};
        assert_int_equal(arb_catalog_add_table(arb_session_scope(f->session), &target, found, NULL, &f->error), ARB_OK);
        arb_table_unref(found);
        assert_int_equal(arb_session_execute(f->session, ARB_STR("INSERT INTO k SELECT * FROM k"), &result, &f->error),
                         ARB_WRONG_OBJECT_TYPE);
        if (round == 0)
            f->kept.bytes[1].size -= 100;
        else
            forget(&f->kept);
        assert_int_equal(arb_session_execute(f->session, ARB_STR("SELECT sum(l), max(t) FROM k"), &result, &f->error),
                         ARB_OK);
        assert_int_equal(arb_result_next(result, &batch, &f->error),
                         round == 0 ? ARB_CORRUPT_DATA : ARB_UNDEFINED_TABLE);
        arb_result_destroy(result);
    }
    arb_text_reset(&bytes);
}

/* Keys that came with a table are watched when rows are added to it. */
static void keys_are_kept(void **state)
{
    fixture *f = *state;
    arb_text bytes = {0};
    arb_table *found;
    arb_result *result;
    assert_int_equal(arb_table_encode(table_of(f, "keyed"), NULL, &f->namer, &bytes, &f->error), ARB_OK);
    assert_int_equal(arb_table_decode(ARB_STR("k"), arb_text_view(&bytes), &f->tables, &found, &f->error), ARB_OK);
    arb_catalog_part part = {ARB_STR("k"), false};
    arb_catalog_target target = {.name = {&part, 1}};
    assert_int_equal(arb_catalog_add_table(arb_session_scope(f->session), &target, found, NULL, &f->error), ARB_OK);
    arb_table_unref(found);
    arb_text_reset(&bytes);
    assert_int_equal(arb_session_execute(f->session, ARB_STR("INSERT INTO k VALUES (2, 'x')"), &result, &f->error),
                     ARB_UNIQUE_VIOLATION);
    run(f, "INSERT INTO k VALUES (3, 'x')");
}

static arb_code decode_first(fixture *f, const arb_table *table, const char *bytes, size_t size, size_t rows)
{
    arb_type types[32];
    arb_memory_chunk *chunk;
    for (size_t i = 0; i < table->column_count; i++)
        types[i] = table->columns[i].type;
    arb_segment_wanted wanted = {.rows = rows, .types = types, .column_count = table->column_count};
    f->error = (arb_error){0};
    arb_code code = arb_segment_decode((arb_str){bytes, size}, &wanted, NULL, &chunk, &f->error);
    arb_memory_chunk_unref(chunk);
    return code;
}

static void what_does_not_fit(void **state)
{
    fixture *f = *state;
    arb_text bytes = {0};
    const arb_table *nested = table_of(f, "nested"), *keyed = table_of(f, "keyed");
    const arb_memory_table *table = arb_memory_table_of(nested);
    size_t rows = table->chunks[0]->rows;
    assert_int_equal(arb_segment_encode(table->chunks[0], &bytes, &f->error), ARB_OK);
    assert_int_equal(decode_first(f, nested, bytes.data, bytes.size, rows), ARB_OK);
    assert_int_equal(decode_first(f, nested, bytes.data, bytes.size, rows + 1), ARB_CORRUPT_DATA);
    assert_int_equal(decode_first(f, keyed, bytes.data, bytes.size, rows), ARB_CORRUPT_DATA);
    for (size_t size = 0; size < bytes.size; size += size < 4096 ? 8 : 997)
        assert_int_not_equal(decode_first(f, nested, bytes.data, size, rows), ARB_INTERNAL);
    /* whatever a byte says, it is an error or a table */
    for (size_t at = 0; at < bytes.size; at += 1 + bytes.size / 3000) {
        char before = bytes.data[at];
        for (int change = 1; change < 256; change *= 4) {
            bytes.data[at] = (char)(before ^ change);
            assert_int_not_equal(decode_first(f, nested, bytes.data, bytes.size, rows), ARB_INTERNAL);
        }
        bytes.data[at] = before;
    }
    arb_text_reset(&bytes);
}

static void damaged_messages(void **state)
{
    fixture *f = *state;
    arb_text bytes = {0};
    arb_table *found;
    assert_int_equal(arb_table_encode(table_of(f, "keyed"), NULL, &f->namer, &bytes, &f->error), ARB_OK);
    for (size_t at = 0; at < bytes.size; at++) {
        char before = bytes.data[at];
        for (int change = 1; change < 256; change *= 2) {
            bytes.data[at] = (char)(before ^ change);
            arb_code code = arb_table_decode(ARB_STR("t"), arb_text_view(&bytes), &f->tables, &found, &f->error);
            assert_int_not_equal(code, ARB_INTERNAL);
            arb_table_unref(found);
        }
        bytes.data[at] = before;
    }
    arb_text_reset(&bytes);
}

static void without_memory(void **state)
{
    fixture *f = *state;
    for (uint64_t n = 1;; n++) {
        arb_text bytes = {0};
        arb_table *found = NULL, *table = table_of(f, "nested");
        forget(&f->kept);
        arb_alloc_fail_at(n, false);
        arb_code code = arb_table_encode(table, NULL, &f->namer, &bytes, &f->error);
        if (code == ARB_OK)
            code = arb_table_decode(table->name, arb_text_view(&bytes), &f->tables, &found, &f->error);
        arb_alloc_fail_at(0, false);
        arb_text_reset(&bytes);
        arb_table_unref(found);
        f->kept.count++; /* one that was begun */
        forget(&f->kept);
        if (code == ARB_OK)
            return;
        assert_int_equal(code, ARB_OUT_OF_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests_here[] = {
        cmocka_unit_test_setup_teardown(tables_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_come_when_they_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_rows_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests_here, NULL, NULL);
}
