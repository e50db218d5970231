/* bind_catalog.h: a catalog of empty tables for the binder's tests: those of TPC-H, and t, u and v for small cases. */
#ifndef ARB_TEST_BIND_CATALOG_H
#define ARB_TEST_BIND_CATALOG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "catalog/memory_table.h"
#include "sql/binder.h"
#include "sql/parser.h"

/* name, then "column type" with i = integer, l = bigint, t = text, D = date, T = timestamp, d = double, m =
 * decimal(15,2), b = boolean; an upper-case N behind it: may be NULL. */
static const char *const bind_test_tables[][2] = {
    {"t", "a i, b t, c m, d D, e dN"},
    {"u", "a i, x iN, y t"},
    {"v", "k l, ts T, flag b"},
    {"region", "r_regionkey l, r_name t, r_comment t"},
    {"nation", "n_nationkey l, n_name t, n_regionkey l, n_comment t"},
    {"supplier", "s_suppkey l, s_name t, s_address t, s_nationkey l, s_phone t, s_acctbal m, s_comment t"},
    {"customer", "c_custkey l, c_name t, c_address t, c_nationkey l, c_phone t, c_acctbal m, c_mktsegment t, "
                 "c_comment t"},
    {"part", "p_partkey l, p_name t, p_mfgr t, p_brand t, p_type t, p_size i, p_container t, p_retailprice m, "
             "p_comment t"},
    {"partsupp", "ps_partkey l, ps_suppkey l, ps_availqty i, ps_supplycost m, ps_comment t"},
    {"orders", "o_orderkey l, o_custkey l, o_orderstatus t, o_totalprice m, o_orderdate D, o_orderpriority t, "
               "o_clerk t, o_shippriority i, o_comment t"},
    {"lineitem", "l_orderkey l, l_partkey l, l_suppkey l, l_linenumber i, l_quantity m, l_extendedprice m, "
                 "l_discount m, l_tax m, l_returnflag t, l_linestatus t, l_shipdate D, l_commitdate D, "
                 "l_receiptdate D, l_shipinstruct t, l_shipmode t, l_comment t"},
};

static inline arb_type bind_test_type(char letter)
{
    switch (letter) {
    case 'i':
        return ARB_TYPE(INTEGER);
    case 'l':
        return ARB_TYPE(BIGINT);
    case 'D':
        return ARB_TYPE(DATE);
    case 'T':
        return ARB_TYPE(TIMESTAMP);
    case 'd':
        return ARB_TYPE(DOUBLE);
    case 'm':
        return arb_type_decimal(15, 2);
    case 'b':
        return ARB_TYPE(BOOLEAN);
    default:
        return ARB_TYPE(VARCHAR);
    }
}

static inline void bind_test_add_table(arb_catalog_scope *catalog, const char *name, const char *columns)
{
    arb_table_column list[32];
    size_t count = 0;
    while (*columns != '\0') {
        size_t size = strcspn(columns, " ");
        list[count] = (arb_table_column){.name = {columns, size}, .type = bind_test_type(columns[size + 1])};
        list[count].nullable = columns[size + 2] == 'N';
        count++;
        columns += size + 2 + strspn(columns + size + 2, "N");
        columns += strspn(columns, ", ");
    }
    arb_error error = {0};
    arb_memory_builder *builder;
    arb_table *table;
    arb_catalog_part part = {.text = arb_str_of(name)};
    assert_int_equal(arb_memory_builder_create(part.text, list, count, NULL, &builder, &error), ARB_OK);
    assert_int_equal(arb_memory_builder_finish(builder, &table, &error), ARB_OK);
    arb_memory_builder_destroy(builder);
    assert_int_equal(arb_catalog_add_table(catalog, &(arb_catalog_target){.name = {&part, 1}}, table, NULL, &error),
                     ARB_OK);
    arb_table_unref(table);
}

static inline void bind_test_add_view(arb_catalog_scope *catalog, const char *name, const char *sql)
{
    arb_error error = {0};
    arb_catalog_part part = {.text = arb_str_of(name)};
    arb_view view = {.sql = arb_str_of(sql)};
    assert_int_equal(arb_catalog_add_view(catalog, &(arb_catalog_target){.name = {&part, 1}}, &view, NULL, &error),
                     ARB_OK);
}

typedef struct bind_test {
    arb_file_cache *cache;
    arb_catalog *shared;
    arb_catalog_scope *catalog;
} bind_test;

static inline bind_test bind_test_create(void)
{
    static const arb_file_format format_list[] = {{"parquet", ".parquet", NULL, NULL}, {"csv", ".csv", NULL, NULL}};
    static const arb_file_formats formats = {format_list, ARB_COUNT_OF(format_list)}; /* known, not to be read */
    static arb_governor governor;
    static arb_memory memory;
    bind_test test;
    arb_error error = {0};
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    assert_int_equal(arb_file_cache_create(1 << 20, &memory, &test.cache, &error), ARB_OK);
    assert_int_equal(arb_catalog_create(&formats, test.cache, &test.shared, &error), ARB_OK);
    assert_int_equal(arb_catalog_scope_create(test.shared, NULL, &test.catalog, &error), ARB_OK);
    for (size_t i = 0; i < ARB_COUNT_OF(bind_test_tables); i++)
        bind_test_add_table(test.catalog, bind_test_tables[i][0], bind_test_tables[i][1]);
    return test;
}

static inline void bind_test_destroy(bind_test *test)
{
    arb_catalog_scope_destroy(test->catalog);
    arb_catalog_destroy(test->shared);
    arb_file_cache_destroy(test->cache);
}

/* 2024-03-15 12:30:00 UTC */
#define BIND_TEST_NOW INT64_C(1710505800000000)

/* Parse and bind one statement. Everything lives in the arena. */
static inline arb_code bind_test_bind(bind_test *test, arb_arena *arena, arb_str sql, arb_query *query,
                                      arb_bound_statement *out, arb_error *error)
{
    const arb_ast_statement *statement;
    *query = (arb_query){.arena = arena, .now_us = BIND_TEST_NOW};
    *error = (arb_error){0};
    arb_code code = arb_sql_parse_one(arena, sql, &statement, error);
    return code != ARB_OK ? code : arb_sql_bind(query, test->catalog, statement, out, error);
}

#endif
