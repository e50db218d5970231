/* Functions that make texts of texts, and regular expressions: by PostgreSQL's manual, and beyond it DuckDB's. */
#include "unit/expr/program_fixture.h"

static const arb_expr *text(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(VARCHAR), value);
}

static const arb_expr *whole(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(BIGINT), value);
}

static void measures(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s =
        add_column(&f, ARB_TYPE(VARCHAR), "jose|NULL||käse äöü straße|a text of more than twelve bytes");
    const arb_expr *b = add_column(&f, ARB_TYPE(BLOB), "\\x00ff|NULL|||\\x0102030405060708090a0b0c0d");
    expect(&f, CALL(&f, "length", s), "4|NULL|0|15|32");
    expect(&f, CALL(&f, "char_length", s), "4|NULL|0|15|32");
    expect(&f, CALL(&f, "octet_length", s), "4|NULL|0|20|32");
    expect(&f, CALL(&f, "bit_length", s), "32|NULL|0|160|256");
    expect(&f, CALL(&f, "length", b), "2|NULL|0|0|13");
    expect(&f, CALL(&f, "strpos", s, text(&f, "e")), "4|NULL|0|4|4");
    expect(&f, CALL(&f, "instr", s, text(&f, "ö")), "0|NULL|0|7|0");
    expect(&f, CALL(&f, "position", s, text(&f, "")), "1|NULL|1|1|1");
    expect(&f, CALL(&f, "strpos", s, s), "1|NULL|1|1|1");
    expect(&f, CALL(&f, "ascii", s), "106|NULL|0|107|97");
    fixture_reset(&f);
}

static void cases(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s =
        add_column(&f, ARB_TYPE(VARCHAR), "hi THOMAS|NULL||käse-ÄPFEL straße 2nd|o'neill of the LONG names, ı");
    expect(&f, CALL(&f, "upper", s), "HI THOMAS|NULL||KÄSE-ÄPFEL STRAßE 2ND|O'NEILL OF THE LONG NAMES, I");
    expect(&f, CALL(&f, "lower", s), "hi thomas|NULL||käse-äpfel straße 2nd|o'neill of the long names, ı");
    expect(&f, CALL(&f, "initcap", s), "Hi Thomas|NULL||Käse-Äpfel Straße 2nd|O'Neill Of The Long Names, I");
    fixture_reset(&f);
}

static void ends(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "  both  |NULL||xxäyx|   |a rather long text   ");
    const arb_expr *n = add_column(&f, ARB_TYPE(INTEGER), "3|5|2|7|-1|NULL");
    expect(&f, CALL(&f, "trim", s), "both|NULL||xxäyx||a rather long text");
    expect(&f, CALL(&f, "ltrim", s), "both  |NULL||xxäyx||a rather long text   ");
    expect(&f, CALL(&f, "rtrim", s), "  both|NULL||xxäyx||a rather long text");
    expect(&f, CALL(&f, "btrim", s, text(&f, "xy")), "  both  |NULL||ä|   |a rather long text   ");
    expect(&f, CALL(&f, "rtrim", s, text(&f, "yäx ")), "  both|NULL||||a rather long text");
    expect(&f, CALL(&f, "trim", s, text(&f, "")), "  both  |NULL||xxäyx|   |a rather long text   ");
    expect(&f, CALL(&f, "lpad", s, n, text(&f, "äb")), "  b|NULL|äb|äbxxäyx||NULL");
    expect(&f, CALL(&f, "rpad", s, n, text(&f, "äbc")), "  b|NULL|äb|xxäyxäb||NULL");
    expect(&f, CALL(&f, "rpad", s, whole(&f, "9")), "  both   |NULL|         |xxäyx    |         |a rather ");
    expect(&f, CALL(&f, "lpad", s, n, text(&f, "")), "  b|NULL||xxäyx||NULL");
    expect(&f, CALL(&f, "lpad", s, whole(&f, "99999999999")), "!|NULL|!|!|!|!");
    fixture_reset(&f);
}

static void replacing(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "abcdefabcdef|NULL||käse, käse und käse|12345");
    const arb_expr *n = add_column(&f, ARB_TYPE(INTEGER), "2|1|3|-1|0");
    expect(&f, CALL(&f, "replace", s, text(&f, "cd"), text(&f, "XXX")),
           "abXXXefabXXXef|NULL||käse, käse und käse|12345");
    expect(&f, CALL(&f, "replace", s, text(&f, "käse"), text(&f, "")), "abcdefabcdef|NULL||,  und |12345");
    expect(&f, CALL(&f, "replace", s, text(&f, ""), text(&f, "x")), "abcdefabcdef|NULL||käse, käse und käse|12345");
    expect(&f, CALL(&f, "translate", s, text(&f, "143äa"), text(&f, "ax")), "bcdefbcdef|NULL||kse, kse und kse|a2x5");
    expect(&f, CALL(&f, "translate", s, text(&f, "ka"), text(&f, "ßö")),
           "öbcdeföbcdef|NULL||ßäse, ßäse und ßäse|12345");
    expect(&f, CALL(&f, "overlay", s, text(&f, "Ö"), whole(&f, "2"), whole(&f, "3")),
           "aÖefabcdef|NULL|Ö|kÖ, käse und käse|1Ö5");
    expect(&f, CALL(&f, "overlay", s, text(&f, "hom"), whole(&f, "2")),
           "ahomefabcdef|NULL|hom|khom, käse und käse|1hom5");
    expect(&f, CALL(&f, "overlay", s, text(&f, "hom"), n), "ahomefabcdef|NULL|hom|!|!");
    expect(&f, CALL(&f, "repeat", s, n), "abcdefabcdefabcdefabcdef|NULL|||");
    expect(&f, CALL(&f, "repeat", text(&f, "abc"), n), "abcabc|abc|abcabcabc||");
    expect(&f, CALL(&f, "repeat", text(&f, "abc"), whole(&f, "9223372036854775807")), "!|!|!|!|!");
    expect(&f, CALL(&f, "reverse", s), "fedcbafedcba|NULL||esäk dnu esäk ,esäk|54321");
    fixture_reset(&f);
    s = add_column(&f, ARB_TYPE(VARCHAR), "abc~@~def~@~ghi|NULL||~@~|no delimiter here");
    n = add_column(&f, ARB_TYPE(INTEGER), "2|2|1|-1|0");
    expect(&f, CALL(&f, "split_part", s, text(&f, "~@~"), n), "def|NULL|||!");
    expect(&f, CALL(&f, "split_part", s, text(&f, "~@~"), whole(&f, "-3")), "abc|NULL|||");
    expect(&f, CALL(&f, "split_part", s, text(&f, "~@~"), whole(&f, "1")), "abc|NULL|||no delimiter here");
    expect(&f, CALL(&f, "split_part", s, text(&f, ""), whole(&f, "1")), "abc~@~def~@~ghi|NULL||~@~|no delimiter here");
    expect(&f, CALL(&f, "split_part", s, text(&f, "~@~"), whole(&f, "-9223372036854775808")), "|NULL|||");
    fixture_reset(&f);
}

static void codes(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *n = add_column(&f, ARB_TYPE(INTEGER), "65|228|-1|NULL|55296|0|128512");
    expect(&f, CALL(&f, "chr", n), "A|ä|!|NULL|!|!|😀");
    expect(&f, CALL(&f, "to_hex", n), "41|e4|ffffffff|NULL|d800|0|1f600");
    expect(&f, CALL(&f, "hex", n), "41|E4|FFFFFFFFFFFFFFFF|NULL|D800|0|1F600");
    expect(&f, CALL(&f, "to_hex", whole(&f, "-1")),
           "ffffffffffffffff|ffffffffffffffff|ffffffffffffffff|ffffffffffffffff|ffffffffffffffff|ffffffffffffffff|"
           "ffffffffffffffff");
    fixture_reset(&f);
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "MTIz|YQ==|Y|NULL||YW Jj|=YQ=|YQ=a|!!!!");
    expect(&f, CALL(&f, "decode", s, text(&f, "base64")), "\\x313233|\\x61|!|NULL|\\x|\\x616263|!|!|!");
    fixture_reset(&f);
    const arb_expr *b = add_column(&f, ARB_TYPE(BLOB), "\\x313233|\\x61|\\xffee||NULL");
    expect(&f, CALL(&f, "encode", b, text(&f, "base64")), "MTIz|YQ==|/+4=||NULL");
    expect(&f, CALL(&f, "encode", b, text(&f, "HEX")), "313233|61|ffee||NULL");
    expect(&f, CALL(&f, "encode", b, text(&f, "rot13")), "!|!|!|!|NULL");
    expect(&f, CALL(&f, "hex", b), "313233|61|FFEE||NULL");
    fixture_reset(&f);
    s = add_column(&f, ARB_TYPE(VARCHAR), "00fF|0|0g||NULL");
    expect(&f, CALL(&f, "unhex", s), "\\x00ff|!|!|\\x|NULL");
    fixture_reset(&f);
}

static void formats(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "O'Reilly|NULL||a\\b|plain_1");
    const arb_expr *n = add_column(&f, ARB_TYPE(INTEGER), "1|2|NULL|4|5");
    expect(&f, CALL(&f, "quote_literal", s), "'O''Reilly'|NULL|''|E'a\\\\b'|'plain_1'");
    expect(&f, CALL(&f, "quote_nullable", s), "'O''Reilly'|NULL|''|E'a\\\\b'|'plain_1'");
    expect(&f, CALL(&f, "quote_ident", s), "\"O'Reilly\"|NULL|\"\"|\"a\\b\"|plain_1");
    expect(&f, CALL(&f, "format", text(&f, "<%s %s>%%"), s, n), "<O'Reilly 1>%|< 2>%|< >%|<a\\b 4>%|<plain_1 5>%");
    expect(&f, CALL(&f, "format", text(&f, "%2$s%1$-10s%s;"), s, n),
           "1O'Reilly  1;|2          2;|          ;|4a\\b       4;|5plain_1   5;");
    expect(&f, CALL(&f, "format", text(&f, "%L %10s"), s, n),
           "'O''Reilly'          1|NULL          2|''           |E'a\\\\b'          4|'plain_1'          5");
    expect(&f, CALL(&f, "format", text(&f, "%I"), s), "\"O'Reilly\"|!|\"\"|\"a\\b\"|plain_1");
    expect(&f, CALL(&f, "format", text(&f, "%s %s"), n), "!|!|!|!|!");
    expect(&f, CALL(&f, "format", text(&f, "100%"), n), "!|!|!|!|!");
    expect(&f, CALL(&f, "format", text(&f, "%d"), n), "!|!|!|!|!");
    expect(&f, CALL(&f, "format", s, n), "O'Reilly|NULL||a\\b|plain_1");
    fixture_reset(&f);
}

static void expressions(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "foobarbaz|NULL||Käsekuchen 42|http://a.b/c?d=1");
    const arb_expr *p = add_column(&f, ARB_TYPE(VARCHAR), "b..|x|^$|[|(");
    expect(&f, CALL(&f, "~", s, text(&f, "o{2}b")), "true|NULL|false|false|false");
    expect(&f, CALL(&f, "!~", s, text(&f, "o{2}b")), "false|NULL|true|true|true");
    expect(&f, CALL(&f, "~*", s, text(&f, "käSE")), "false|NULL|false|true|false");
    expect(&f, CALL(&f, "!~*", s, text(&f, "KÄSE")), "true|NULL|true|false|true");
    expect(&f, CALL(&f, "~", s, text(&f, "^\\w+ \\d+$")), "false|NULL|false|true|false");
    expect(&f, CALL(&f, "~", s, p), "true|NULL|true|!|!");
    expect(&f, CALL(&f, "regexp_like", s, text(&f, "KÄ"), text(&f, "i")), "false|NULL|false|true|false");
    expect(&f, CALL(&f, "regexp_matches", s, text(&f, "a.b"), text(&f, "q")), "false|NULL|false|false|true");
    expect(&f, CALL(&f, "regexp_like", s, text(&f, "a"), text(&f, "@")), "!|NULL|!|!|!");
    expect(&f, CALL(&f, "regexp_full_match", s, text(&f, "[a-z]*")), "true|NULL|true|false|false");
    expect(&f, CALL(&f, "regexp_replace", s, text(&f, "b.."), text(&f, "X")),
           "fooXbaz|NULL||Käsekuchen 42|http://a.X?d=1");
    expect(&f, CALL(&f, "regexp_replace", s, text(&f, "b(.)(.)"), text(&f, "<\\2\\&\\1\\\\>"), text(&f, "g")),
           "foo<rbara\\><zbaza\\>|NULL||Käsekuchen 42|http://a.<cb/c/\\>?d=1");
    expect(&f, CALL(&f, "regexp_replace", s, text(&f, "x*"), text(&f, "-"), text(&f, "g")),
           "-f-o-o-b-a-r-b-a-z-|NULL|-|-K-ä-s-e-k-u-c-h-e-n- -4-2-|-h-t-t-p-:-/-/-a-.-b-/-c-?-d-=-1-");
    expect(&f, CALL(&f, "regexp_count", s, text(&f, "[aeä]")), "2|NULL|0|3|1");
    expect(&f, CALL(&f, "regexp_count", s, text(&f, "a"), whole(&f, "6")), "1|NULL|0|0|1");
    expect(&f, CALL(&f, "regexp_substr", s, text(&f, "b..")), "bar|NULL|NULL|NULL|b/c");
    expect(
        &f,
        CALL(&f, "regexp_substr", s, text(&f, "b(.)."), whole(&f, "1"), whole(&f, "2"), text(&f, ""), whole(&f, "1")),
        "a|NULL|NULL|NULL|NULL");
    expect(&f, CALL(&f, "regexp_extract", s, text(&f, "([a-z]+)://([^/]+)"), whole(&f, "2")), "|NULL|||a.b");
    expect(&f, CALL(&f, "regexp_extract", s, text(&f, "b.."), whole(&f, "1")), "!|NULL|!|!|!");
    expect(&f, CALL(&f, "regexp_extract", s, text(&f, "b..")), "bar|NULL|||b/c");
    expect(&f, CALL(&f, "substring", s, text(&f, "o(.)b")), "o|NULL|NULL|NULL|NULL");
    expect(&f, CALL(&f, "substring", s, text(&f, "[0-9]+")), "NULL|NULL|NULL|42|1");
    fixture_reset(&f);
}

static void other_patterns(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "abc|NULL|a.c|aXXc|b[c]%");
    expect(&f, CALL(&f, "similar_to", s, text(&f, "a")), "false|NULL|false|false|false");
    expect(&f, CALL(&f, "similar_to", s, text(&f, "%(b|d)%")), "true|NULL|false|false|true");
    expect(&f, CALL(&f, "similar_to", s, text(&f, "a.c")), "false|NULL|true|false|false");
    expect(&f, CALL(&f, "similar_to", s, text(&f, "a[[:upper:]]{2}c|_[a-c]_")), "true|NULL|false|true|false");
    expect(&f, CALL(&f, "similar_to", s, text(&f, "%\\%")), "false|NULL|false|false|true");
    expect(&f, CALL(&f, "similar_to", s, text(&f, "%#%"), text(&f, "#")), "false|NULL|false|false|true");
    expect(&f, CALL(&f, "similar_to", s, text(&f, "%#"), text(&f, "#")), "!|NULL|!|!|!");
    expect(&f, CALL(&f, "glob", s, text(&f, "a?c")), "true|NULL|true|false|false");
    expect(&f, CALL(&f, "glob", s, text(&f, "[!b]*c")), "true|NULL|true|true|false");
    expect(&f, CALL(&f, "glob", s, text(&f, "*[[]c]%")), "false|NULL|false|false|true");
    fixture_reset(&f);
}

/* What would take forever is an error. */
static void patterns_without_end(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    expect(&f, CALL(&f, "~", s, text(&f, "^(a+)+$")), "!");
    expect(&f, CALL(&f, "~", s, text(&f, "(*LIMIT_MATCH=4000000000)^(a|aa)+$")), "!");
    expect(&f, CALL(&f, "~", s, text(&f, "((a{1,1000}){1,1000}){1,1000}")), "!");
    expect(&f, CALL(&f, "~", s, text(&f, "a\\C")), "!");
    fixture_reset(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures),    cmocka_unit_test(cases),          cmocka_unit_test(ends),
        cmocka_unit_test(replacing),   cmocka_unit_test(codes),          cmocka_unit_test(formats),
        cmocka_unit_test(expressions), cmocka_unit_test(other_patterns), cmocka_unit_test(patterns_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
