/* Tokens, keywords, and the cutting of scripts into statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sql/lexer.h"
#include "sql/script.h"

static void keywords_are_sorted_and_found(void **state)
{
    (void)state;
    for (arb_keyword keyword = ARB_KW_NONE + 1; keyword < ARB_KW_COUNT; keyword++) {
        arb_str text = arb_keyword_text(keyword);
        if (keyword > ARB_KW_NONE + 1 && arb_str_compare(arb_keyword_text(keyword - 1), text) >= 0)
            fail_msg("%.*s is out of place", ARB_STR_ARGS(text));
        assert_int_equal(arb_keyword_find(text), keyword);
    }
    assert_int_equal(arb_keyword_find(ARB_STR("sElEcT")), ARB_KW_SELECT);
    assert_int_equal(arb_keyword_find(ARB_STR("selects")), ARB_KW_NONE);
    assert_int_equal(arb_keyword_find(ARB_STR("")), ARB_KW_NONE);
    assert_int_equal(arb_keyword_nearest(ARB_STR("form")), ARB_KW_FROM);
    assert_int_equal(arb_keyword_nearest(ARB_STR("hwere")), ARB_KW_WHERE);
    assert_int_equal(arb_keyword_nearest(ARB_STR("customer")), ARB_KW_NONE);
}

/* The tokens of a text, as "kind:text" for symbols and words alike. */
static void check_tokens(const char *sql, const char *const *expected, size_t count)
{
    arb_lexer lexer = {.text = sql, .size = (uint32_t)strlen(sql)};
    arb_token token;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(arb_lexer_next(&lexer, &token, NULL), ARB_LEXER_SOUND);
        arb_str text = {sql + token.begin, token.end - token.begin};
        if (!arb_str_equal(text, arb_str_of(expected[i])))
            fail_msg("token %zu of %s is %.*s", i, sql, ARB_STR_ARGS(text));
    }
    assert_int_equal(arb_lexer_next(&lexer, &token, NULL), ARB_LEXER_SOUND);
    assert_int_equal(token.kind, ARB_TOKEN_END);
    assert_int_equal(arb_lexer_next(&lexer, &token, NULL), ARB_LEXER_SOUND);
    assert_int_equal(token.kind, ARB_TOKEN_END);
}

#define CHECK_TOKENS(sql, ...)                                 \
    do {                                                       \
        static const char *const expected[] = {__VA_ARGS__};   \
        check_tokens((sql), expected, ARB_COUNT_OF(expected)); \
    } while (0)

static void cuts_tokens(void **state)
{
    (void)state;
    CHECK_TOKENS("a.b->>'c'", "a", ".", "b", "->>", "'c'");
    CHECK_TOKENS("a<-1", "a", "<", "-", "1");
    CHECK_TOKENS("a::int:=b", "a", "::", "int", ":=", "b");
    CHECK_TOKENS("x!~~*y<=>z", "x", "!~~*", "y", "<=>", "z");
    CHECK_TOKENS("1.5e3 1.e2 1..2", "1.5e3", "1.e2", "1.", ".2");
    CHECK_TOKENS("1_000 0x1_f", "1_000", "0x1_f");
    CHECK_TOKENS("é_1$ \"a\"\"b\"", "é_1$", "\"a\"\"b\"");
    CHECK_TOKENS("a--b\nc/*d/*e*/f*/g", "a", "c", "g");
    CHECK_TOKENS("E'\\'' 'a''b' n'c' X'00'", "E'\\''", "'a''b'", "n'c'", "X'00'");
    CHECK_TOKENS("$$a;b$$ $x$ $$ $x$ $1 $x", "$$a;b$$", "$x$ $$ $x$", "$1", "$x");
    CHECK_TOKENS("a\xc2\xa0=\xe3\x80\x80\xef\xbb\xbfz", "a", "=", "z");
    CHECK_TOKENS("date'x'", "date", "'x'");
}

static void check_flaw(const char *sql, arb_lexer_flaw expected, int64_t position)
{
    arb_lexer lexer = {.text = sql, .size = (uint32_t)strlen(sql)};
    arb_token token;
    arb_error error = {0};
    arb_lexer_flaw flaw;
    do
        flaw = arb_lexer_next(&lexer, &token, &error);
    while (flaw == ARB_LEXER_SOUND && token.kind != ARB_TOKEN_END);
    assert_int_equal(flaw, expected);
    assert_int_equal(error.position, position);
}

static void finds_flaws(void **state)
{
    (void)state;
    check_flaw("a 'b", ARB_LEXER_UNTERMINATED, 3);
    check_flaw("a e'b\\'", ARB_LEXER_UNTERMINATED, 3);
    check_flaw("a e'b\\", ARB_LEXER_UNTERMINATED, 3);
    check_flaw("a \"b", ARB_LEXER_UNTERMINATED, 3);
    check_flaw("a /* /* */", ARB_LEXER_UNTERMINATED, 3);
    check_flaw("a $x$ $x", ARB_LEXER_UNTERMINATED, 3);
    check_flaw("a \"\"", ARB_LEXER_MALFORMED, 3);
    check_flaw("a 1_", ARB_LEXER_MALFORMED, 3);
    check_flaw("a 1x", ARB_LEXER_MALFORMED, 3);
    check_flaw("a $1x", ARB_LEXER_MALFORMED, 3);
    check_flaw("a $", ARB_LEXER_MALFORMED, 3);
    check_flaw("a `b`", ARB_LEXER_MALFORMED, 3);
}

/* ---- scripts ----------------------------------------------------------------------------------------------------- */
static void check_statement(arb_str script, size_t *at, const char *text, bool terminated, bool complete)
{
    arb_sql_extent extent;
    assert_true(arb_sql_statement_next(script, *at, &extent));
    arb_str found = {script.data + extent.begin, extent.end - extent.begin};
    if (!arb_str_equal(found, arb_str_of(text)))
        fail_msg("found %.*s, not %s", ARB_STR_ARGS(found), text);
    assert_int_equal(extent.terminated, terminated);
    assert_int_equal(extent.complete, complete);
    assert_true(extent.next > *at);
    *at = extent.next;
}

static void cuts_scripts(void **state)
{
    (void)state;
    arb_str script = ARB_STR(" ;; SELECT ';' /* ; */ ; -- a;b\n SELECT \";\" , $$;$$, e'\\';';SELECT 3 -- end");
    size_t at = 0;
    arb_sql_extent extent;
    check_statement(script, &at, "SELECT ';'", true, true);
    check_statement(script, &at, "SELECT \";\" , $$;$$, e'\\';'", true, true);
    check_statement(script, &at, "SELECT 3", false, true);
    assert_false(arb_sql_statement_next(script, at, &extent));
    assert_false(arb_sql_statement_next(ARB_STR(" ; -- nothing\n;"), 0, &extent));
    at = 0;
    check_statement(ARB_STR("SELECT 'a;"), &at, "SELECT 'a;", false, false);
    at = 0;
    check_statement(ARB_STR(" /* a;"), &at, "/* a;", false, false);
    at = 0;
    check_statement(ARB_STR("a \xff 1x ` ; b"), &at, "a \xff 1x `", true, true);
}

static void tells_whether_input_is_complete(void **state)
{
    (void)state;
    assert_true(arb_sql_is_complete(ARB_STR("")));
    assert_true(arb_sql_is_complete(ARB_STR(" -- x")));
    assert_true(arb_sql_is_complete(ARB_STR("SELECT 1;")));
    assert_true(arb_sql_is_complete(ARB_STR("SELECT 1; -- x\n")));
    assert_false(arb_sql_is_complete(ARB_STR("SELECT 1")));
    assert_false(arb_sql_is_complete(ARB_STR("SELECT 1; SELECT 2")));
    assert_false(arb_sql_is_complete(ARB_STR("SELECT ';")));
    assert_false(arb_sql_is_complete(ARB_STR("SELECT 1; /*")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords_are_sorted_and_found),
        cmocka_unit_test(cuts_tokens),
        cmocka_unit_test(finds_flaws),
        cmocka_unit_test(cuts_scripts),
        cmocka_unit_test(tells_whether_input_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
