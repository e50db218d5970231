/* bind_tpch_test.c: every TPC-H query is bound to a valid plan, mutations of them to a valid plan or an error, and every
 * allocation on the way may fail. */
#include <glob.h>
#include <stdio.h>

#include "bind_catalog.h"

#include "base/hash.h"
#include "sql/lexer.h"

#define QUERIES ARB_SOURCE_DIR "/../shared/corpora/tpch/queries/*.sql"

static arb_text read_file(const char *path)
{
    arb_text text = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char block[4096];
    size_t size;
    while ((size = fread(block, 1, sizeof block, file)) != 0)
        arb_text_append(&text, block, size);
    fclose(file);
    return text;
}

static glob_t find_queries(void)
{
    glob_t found = {0};
    glob(QUERIES, 0, NULL, &found);
    if (found.gl_pathc == 0) {
        print_message("skipped: no ../shared\n");
        globfree(&found);
        skip();
    }
    return found;
}

/* The names of the results, where they matter to whoever compares them. */
static const char *const names[22] = {
    "l_returnflag l_linestatus sum_qty sum_base_price sum_disc_price sum_charge avg_qty avg_price avg_disc count_order",
    "s_acctbal s_name n_name p_partkey p_mfgr s_address s_phone s_comment",
    "l_orderkey revenue o_orderdate o_shippriority",
    "o_orderpriority order_count",
    "n_name revenue",
    "revenue",
    "supp_nation cust_nation l_year revenue",
    "o_year mkt_share",
    "nation o_year sum_profit",
    "c_custkey c_name revenue c_acctbal n_name c_address c_phone c_comment",
    "ps_partkey value",
    "l_shipmode high_line_count low_line_count",
    "c_count custdist",
    "promo_revenue",
    "s_suppkey s_name s_address s_phone total_revenue",
    "p_brand p_type p_size supplier_cnt",
    "avg_yearly",
    "c_name c_custkey o_orderkey o_orderdate o_totalprice sum",
    "revenue",
    "s_name s_address",
    "s_name numwait",
    "cntrycode numcust totacctbal",
};

static void binds_every_query(void **state)
{
    (void)state;
    glob_t found = find_queries();
    bind_test test = bind_test_create();
    assert_int_equal(found.gl_pathc, 22);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        arb_text sql = read_file(found.gl_pathv[i]), given = {0};
        arb_arena arena = {0};
        arb_query query;
        arb_bound_statement bound;
        arb_error error;
        if (bind_test_bind(&test, &arena, arb_text_view(&sql), &query, &bound, &error) != ARB_OK)
            fail_msg("%s: %s at %lld", found.gl_pathv[i], error.message, (long long)error.position);
        if (arb_logical_validate(&query, bound.plan.root, NULL, &error) != ARB_OK)
            fail_msg("%s: %s", found.gl_pathv[i], error.message);
        for (size_t k = 0; k < bound.plan.column_count; k++)
            arb_text_printf(&given, "%s%.*s", k == 0 ? "" : " ", ARB_STR_ARGS(bound.plan.names[k]));
        assert_string_equal(given.data, names[i]);
        arb_arena_reset(&arena);
        arb_text_reset(&given);
        arb_text_reset(&sql);
    }
    bind_test_destroy(&test);
    globfree(&found);
}

/* ---- mutations --------------------------------------------------------------------------------------------------- */
static uint64_t seed = 20240608;

static size_t random_below(size_t limit)
{
    seed = arb_hash_u64(seed);
    return (size_t)(seed % limit);
}

typedef ARB_VEC(arb_str) pieces;

static void cut(const arb_text *sql, pieces *out)
{
    out->size = 0;
    arb_lexer lexer = {.text = sql->data, .size = (uint32_t)sql->size};
    arb_token token;
    while (arb_lexer_next(&lexer, &token, NULL) == ARB_LEXER_SOUND && token.kind != ARB_TOKEN_END)
        assert_true(ARB_VEC_PUSH(out, (arb_str){sql->data + token.begin, token.end - token.begin}));
}

static const char *const snippets[] = {
    "NULL",
    "'x'",
    "1.5",
    "count(*)",
    "sum(l_quantity)",
    "(SELECT max(o_custkey) FROM orders)",
    "(SELECT l_suppkey FROM lineitem WHERE l_orderkey = o_orderkey)",
    "EXISTS (SELECT 1 FROM part WHERE p_partkey = l_partkey)",
    "o_orderkey",
    "l_shipdate",
    "INTERVAL '1' DAY",
    "CASE WHEN l_tax > 0 THEN 1 END",
    "(1, 2)",
    "*",
    "DISTINCT",
    "NOT",
};

/* One or two tokens are left out, doubled, exchanged, or replaced by a piece of SQL. */
static void mutate(const pieces *from, arb_text *out)
{
    size_t at = random_below(from->size), other = random_below(from->size), how = random_below(4);
    arb_text_clear(out);
    for (size_t i = 0; i < from->size; i++) {
        arb_str piece = from->data[i];
        if (i == at && how == 0)
            continue;
        if (how == 1 && (i == at || i == other))
            piece = from->data[i == at ? other : at];
        if (i == at && how == 2)
            piece = arb_str_of(snippets[random_below(ARB_COUNT_OF(snippets))]);
        arb_text_append_str(out, piece);
        arb_text_append_char(out, ' ');
        if (i == at && how == 3) {
            arb_text_append_str(out, piece);
            arb_text_append_char(out, ' ');
        }
    }
}

static void mutations_bind_or_fail(void **state)
{
    enum { rounds = 120 };
    (void)state;
    glob_t found = find_queries();
    bind_test test = bind_test_create();
    pieces tokens = {0};
    arb_text mutation = {0};
    size_t bound_count = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        arb_text sql = read_file(found.gl_pathv[i]);
        cut(&sql, &tokens);
        for (int round = 0; round < rounds; round++) {
            arb_arena arena = {0};
            arb_query query;
            arb_bound_statement bound;
            arb_error error;
            mutate(&tokens, &mutation);
            arb_code code = bind_test_bind(&test, &arena, arb_text_view(&mutation), &query, &bound, &error);
            if (code == ARB_INTERNAL || (code != ARB_OK && error.message[0] == '\0'))
                fail_msg("%s: %s", mutation.data, error.message);
            if (code == ARB_OK && arb_logical_validate(&query, bound.plan.root, NULL, &error) != ARB_OK)
                fail_msg("%s: %s", mutation.data, error.message);
            bound_count += code == ARB_OK;
            arb_arena_reset(&arena);
        }
        arb_text_reset(&sql);
    }
    assert_in_range(bound_count, 22, 22 * rounds); /* many do make sense */
    ARB_VEC_RESET(&tokens);
    arb_text_reset(&mutation);
    bind_test_destroy(&test);
    globfree(&found);
}

#ifdef ARB_FAILPOINTS
/* ---- no memory ---------------------------------------------------------------------------------------------------- */
static const char *const hungry[] = {
    ("with w as (select a, sum(c) s from t group by a) select p.a, q.s, (select max(x) from u where u.a = p.a) from w "
     "p "
     "join w q using (a) where p.a in (select k from v) and q.s > 1.5 order by 2 limit 3"),
    "select distinct b, d + interval '1' month from t where b like 'x%' union values ('x', null) order by all",
    "insert into t (b, a) select y, x from u natural join t",
    "select * from generate_series(1, 5000) g(i) left join t on t.a = i",
};

static void survives_want_of_memory(void **state)
{
    (void)state;
    bind_test test = bind_test_create();
    for (size_t i = 0; i < ARB_COUNT_OF(hungry); i++) {
        bool done = false;
        for (uint64_t n = 1; !done; n++) {
            arb_arena arena = {0};
            arb_query query;
            arb_bound_statement bound;
            arb_error error;
            arb_alloc_fail_at(n, true);
            arb_code code = bind_test_bind(&test, &arena, arb_str_of(hungry[i]), &query, &bound, &error);
            done = arb_alloc_count() < n;
            arb_alloc_fail_at(0, false);
            if (code != (done ? ARB_OK : ARB_OUT_OF_MEMORY))
                fail_msg("%s: %s with allocation %llu failing: %s", hungry[i], arb_code_name(code),
                         (unsigned long long)n, error.message);
            arb_arena_reset(&arena);
        }
    }
    bind_test_destroy(&test);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_every_query),
        cmocka_unit_test(mutations_bind_or_fail),
#ifdef ARB_FAILPOINTS
        cmocka_unit_test(survives_want_of_memory),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
