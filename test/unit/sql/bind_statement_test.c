/* bind_statement_test.c: statements other than queries, and the limits of what is bound. */
#include <stdio.h>

#include "bind_catalog.h"

typedef struct fixture {
    bind_test test;
    arb_arena arena;
    arb_query query;
    arb_bound_statement bound;
    arb_error error;
} fixture;

static arb_code bind_text(fixture *f, const char *sql)
{
    arb_arena_reset(&f->arena);
    return bind_test_bind(&f->test, &f->arena, arb_str_of(sql), &f->query, &f->bound, &f->error);
}

static void bind_as(fixture *f, const char *sql, arb_bound_kind kind)
{
    if (bind_text(f, sql) != ARB_OK)
        fail_msg("%s: %s", sql, f->error.message);
    assert_int_equal(f->bound.kind, kind);
    if (f->bound.plan.root != NULL && arb_logical_validate(&f->query, f->bound.plan.root, NULL, &f->error) != ARB_OK)
        fail_msg("%s: %s", sql, f->error.message);
}

static void expect(arb_str given, const char *expected)
{
    assert_int_equal(given.size, strlen(expected));
    assert_memory_equal(given.data, expected, given.size);
}

static void expect_plan(fixture *f, const char *expected)
{
    arb_text text = {0};
    arb_logical_print(&text, &f->query, f->bound.plan.root);
    assert_string_equal(text.data, expected);
    arb_text_reset(&text);
}

static int set_up(void **state)
{
    fixture *f = arb_alloc_zeroed(sizeof *f);
    assert_non_null(f);
    f->test = bind_test_create();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    arb_arena_reset(&f->arena);
    bind_test_destroy(&f->test);
    arb_free(f);
    return 0;
}

static void creates_tables(void **state)
{
    fixture *f = *state;
    bind_as(f, "create or replace table s.n (a int not null, b decimal(10, 2), c varchar(5), d timestamp)",
            ARB_BOUND_CREATE_TABLE);
    assert_int_equal(f->bound.create_table.target.name.count, 2);
    expect(f->bound.create_table.target.name.parts[1].text, "n");
    assert_int_equal(f->bound.create_table.target.existing, ARB_EXISTING_REPLACE);
    assert_int_equal(f->bound.create_table.column_count, 4);
    assert_false(f->bound.create_table.columns[0].nullable);
    assert_true(f->bound.create_table.columns[1].nullable);
    assert_true(arb_type_equal(f->bound.create_table.columns[1].type, arb_type_decimal(10, 2)));
    assert_null(f->bound.plan.root);

    bind_as(f, "create temp table if not exists n (x, y) as select a, sum(c) from t group by a",
            ARB_BOUND_CREATE_TABLE);
    assert_int_equal(f->bound.create_table.target.existing, ARB_EXISTING_KEEP);
    assert_true(f->bound.create_table.target.temporary);
    expect(f->bound.create_table.columns[1].name, "y");
    assert_true(arb_type_equal(f->bound.create_table.columns[1].type, arb_type_decimal(38, 2)));
    expect_plan(f, "AGGREGATE sum(c) AS sum GROUP BY a\n"
                   "  SCAN t (a, b, c, d, e)\n");
}

static void creates_external_tables_views_schemas(void **state)
{
    fixture *f = *state;
    const arb_file_set *files = &f->bound.create_external.files;
    bind_as(f,
            "create external table x stored as parquet location '/data/x' partitioned by (a, b integer) "
            "options (filename, 'format.union_by_name' 'true')",
            ARB_BOUND_CREATE_EXTERNAL);
    assert_string_equal(files->format->name, "parquet");
    assert_int_equal(files->path_count, 1);
    expect(files->paths[0], "/data/x");
    expect(files->options->file_name_column, "filename");
    assert_true(files->options->union_by_name);
    assert_int_equal(files->options->hive, ARB_HIVE_YES);
    assert_int_equal(files->options->hive_type_count, 2);
    assert_int_equal(files->options->hive_types[0].type.id, ARB_TYPE_NULL);
    expect(files->options->hive_types[1].name, "b");
    assert_int_equal(files->options->hive_types[1].type.id, ARB_TYPE_INTEGER);
    bind_as(f, "create external table x location 'y.parquet'", ARB_BOUND_CREATE_EXTERNAL);
    assert_null(files->format);
    assert_null(files->options);
    bind_as(f,
            "create external table x (a integer, b text not null) stored as csv with header row delimiter '|' "
            "location '/data/x' options (null_value ('NA', '-'))",
            ARB_BOUND_CREATE_EXTERNAL);
    const arb_csv_options *csv = &files->options->csv;
    assert_int_equal(csv->header, ARB_CSV_YES);
    assert_int_equal(csv->delimiter, '|');
    assert_int_equal(csv->column_count, 2);
    expect(csv->names[1], "b");
    assert_int_equal(csv->types[0].id, ARB_TYPE_INTEGER);
    assert_int_equal(csv->null_text_count, 2);
    expect(csv->null_texts[1], "-");

    bind_as(f, "create view w (p) as select a, b from t where a > 1", ARB_BOUND_CREATE_VIEW);
    expect(f->bound.create_view.view.sql, "select a, b from t where a > 1");
    assert_int_equal(f->bound.create_view.view.column_count, 1);
    expect(f->bound.create_view.view.columns[0], "p");

    bind_as(f, "create schema if not exists s", ARB_BOUND_CREATE_SCHEMA);
    expect(f->bound.create_schema.name, "s");
    assert_true(f->bound.create_schema.if_not_exists);

    bind_as(f, "drop table if exists t, s.u cascade", ARB_BOUND_DROP);
    assert_int_equal(f->bound.drop.name_count, 2);
    assert_int_equal(f->bound.drop.names[1].count, 2);
    assert_true(f->bound.drop.if_exists && f->bound.drop.cascade);
}

static void inserts_what_the_table_has(void **state)
{
    fixture *f = *state;
    bind_as(f, "insert into u (y, a) values ('x', 1), (null, 2.6), (3, '4')", ARB_BOUND_INSERT);
    expect(f->bound.insert.table->name, "u");
    assert_int_equal(f->bound.plan.column_count, 3);
    expect_plan(f, "PROJECT column2, NULL AS x, column1\n"
                   "  VALUES (column1, column2), 3 rows\n");

    bind_as(f, "insert into u select k, '7', ts from v", ARB_BOUND_INSERT);
    expect_plan(f, "PROJECT CAST(k AS integer) AS a, '7', CAST(ts AS varchar) AS y\n"
                   "  PROJECT k, 7 AS '7', ts\n"
                   "    SCAN v (k, ts, flag)\n");
}

static void inserts_by_name_and_default(void **state)
{
    fixture *f = *state;
    bind_as(f, "insert into u by name select 'q' as y, a from t", ARB_BOUND_INSERT);
    expect_plan(f, "PROJECT a, NULL AS x, 'q' AS y\n"
                   "  SCAN t (a, b, c, d, e)\n");
    bind_as(f, "insert into u default values", ARB_BOUND_INSERT);
    expect_plan(f, "PROJECT NULL AS a, NULL AS x, NULL AS y\n"
                   "  ONE ROW\n");
    bind_as(f, "insert into u values (default, 1)", ARB_BOUND_INSERT);
    assert_int_equal(f->bound.plan.column_count, 3);
}

static void copies(void **state)
{
    fixture *f = *state;
    bind_as(f, "copy (select a, b from t) to 'out.csv' (format csv, header, delimiter '|')", ARB_BOUND_COPY_TO);
    expect(f->bound.copy.path, "out.csv");
    expect(f->bound.copy.format, "csv");
    assert_int_equal(f->bound.copy.csv.delimiter, '|');
    assert_false(f->bound.copy.csv.no_header);
    bind_as(f, "copy t to 'out' with (format csv, header false, quote '''', escape '\\', null 'NA', force_quote (b))",
            ARB_BOUND_COPY_TO);
    assert_true(f->bound.copy.csv.no_header);
    assert_int_equal(f->bound.copy.csv.quote, '\'');
    assert_int_equal(f->bound.copy.csv.escape, '\\');
    expect(f->bound.copy.csv.null_text, "NA");
    assert_false(f->bound.copy.csv.force_quote[0]);
    assert_true(f->bound.copy.csv.force_quote[1]);
    bind_as(f, "copy t to 'x.parquet' (compression snappy, row_group_size 1000)", ARB_BOUND_COPY_TO);
    expect(f->bound.copy.format, "parquet");
    assert_int_equal(f->bound.copy.parquet.codec, ARB_WRITE_SNAPPY);
    assert_int_equal(f->bound.copy.parquet.row_group_rows, 1000);
    bind_as(f, "copy t (b, a) to 'x.parquet' partitioned by (a)", ARB_BOUND_COPY_TO);
    assert_int_equal(f->bound.plan.column_count, 2);
    expect(f->bound.plan.names[0], "b");
    assert_int_equal(f->bound.copy.partition_count, 1);
    expect(f->bound.copy.partitions[0], "a");
}

static void the_small_statements(void **state)
{
    fixture *f = *state;
    bind_as(f, "describe select a, c * 2 as z from t", ARB_BOUND_DESCRIBE);
    expect(f->bound.plan.names[1], "z");
    bind_as(f, "describe t", ARB_BOUND_DESCRIBE);
    assert_int_equal(f->bound.plan.column_count, 5);
    bind_as(f, "show tables", ARB_BOUND_SHOW);
    assert_int_equal(f->bound.show.what, ARB_AST_SHOW_TABLES);
    bind_as(f, "set a.b = 'x'", ARB_BOUND_SET);
    expect(f->bound.set.name, "a.b");
    assert_int_equal(f->bound.set.value_count, 1);
    expect(f->bound.set.values[0].text, "x");
    bind_as(f, "set threads = 4", ARB_BOUND_SET);
    assert_int_equal((int)f->bound.set.values[0].integer, 4);
    bind_as(f, "reset threads", ARB_BOUND_SET);
    assert_int_equal(f->bound.set.value_count, 0);
    bind_as(f, "explain analyze select a from t", ARB_BOUND_EXPLAIN);
    assert_true(f->bound.explain.analyze);
    assert_int_equal(f->bound.explain.statement->kind, ARB_BOUND_QUERY);
    assert_non_null(f->bound.explain.statement->plan.root);
    bind_as(f, "begin", ARB_BOUND_TRANSACTION);
    assert_int_equal(f->bound.transaction, ARB_AST_BEGIN);
}

static void a_select_alone(void **state)
{
    fixture *f = *state;
    arb_query query = {.arena = &f->arena};
    const arb_ast_statement *statement;
    arb_logical_plan plan;
    assert_int_equal(arb_sql_parse_one(&f->arena, ARB_STR("select a from t"), &statement, &f->error), ARB_OK);
    assert_int_equal(arb_sql_bind_select(&query, f->test.catalog, statement, &plan, NULL), ARB_OK);
    assert_int_equal(plan.column_count, 1);
    assert_int_equal(arb_sql_parse_one(&f->arena, ARB_STR("begin"), &statement, &f->error), ARB_OK);
    assert_int_equal(arb_sql_bind_select(&query, f->test.catalog, statement, &plan, NULL), ARB_WRONG_OBJECT_TYPE);
    assert_int_equal(arb_sql_parse_one(&f->arena, ARB_STR("select zz"), &statement, &f->error), ARB_OK);
    assert_int_equal(arb_sql_bind_select(&query, f->test.catalog, statement, &plan, NULL), ARB_UNDEFINED_COLUMN);
}

/* ---- limits ------------------------------------------------------------------------------------------------------- */
static arb_code bind_repeated(fixture *f, const char *head, const char *piece, size_t count, const char *tail)
{
    arb_text sql = {0};
    arb_text_append_str(&sql, arb_str_of(head));
    for (size_t i = 0; i < count; i++)
        arb_text_append_str(&sql, arb_str_of(piece));
    arb_text_append_str(&sql, arb_str_of(tail));
    assert_false(sql.failed);
    arb_code code = bind_text(f, sql.data);
    arb_text_reset(&sql);
    return code;
}

static void long_and_deep_texts(void **state)
{
    fixture *f = *state;
    assert_int_equal(bind_repeated(f, "select 1", " + 1", 1000, ""), ARB_OK);
    assert_int_equal(bind_repeated(f, "select 1", " + 1", 20000, ""), ARB_STATEMENT_TOO_COMPLEX);
    assert_int_equal(bind_repeated(f, "select a from t where a > 0", " or a = 1", 20000, ""), ARB_OK);
    assert_int_equal(bind_repeated(f, "select 1", " union all select 1", 2000, ""), ARB_OK);
    assert_int_equal(bind_repeated(f, "select 1", " union select 1 except select 2", 2000, ""),
                     ARB_STATEMENT_TOO_COMPLEX);
    assert_int_equal(bind_repeated(f, "select a from t where a in (1", ", 2", 50000, ")"), ARB_OK);
}

/* Each alias uses the one before it twice; each view, too. */
static void doubling_is_bounded(void **state)
{
    fixture *f = *state;
    arb_text sql = {0};
    arb_text_printf(&sql, "select a as a0");
    for (int i = 1; i < 60; i++)
        arb_text_printf(&sql, ", a%d + a%d as a%d", i - 1, i - 1, i);
    arb_text_printf(&sql, " from t where a59 > 1");
    assert_int_equal(bind_text(f, sql.data), ARB_STATEMENT_TOO_COMPLEX);
    for (int i = 0; i < 40; i++) {
        char name[16], text[96];
        snprintf(name, sizeof name, "double%d", i);
        if (i == 0)
            snprintf(text, sizeof text, "select 1 as x");
        else
            snprintf(text, sizeof text, "select p.x from double%d p, double%d q", i - 1, i - 1);
        bind_test_add_view(f->test.catalog, arb_arena_copy(&f->arena, name, strlen(name)), text);
    }
    assert_int_equal(bind_text(f, "select * from double8"), ARB_OK);
    assert_int_equal(bind_text(f, "select * from double39"), ARB_STATEMENT_TOO_COMPLEX);
    arb_text_reset(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(creates_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(creates_external_tables_views_schemas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(inserts_what_the_table_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(inserts_by_name_and_default, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_small_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_select_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_and_deep_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(doubling_is_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
