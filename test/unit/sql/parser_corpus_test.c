/* Queries that others wrote, and mutations of them: every TPC-H and TPC-DS query parses, and no order of their tokens
 * does worse than an error. */
#include "unit/sql/parser_cases.h"

#include <glob.h>
#include <stdio.h>

#include "base/hash.h"
#include "sql/lexer.h"

#define CORPORA ARB_SOURCE_DIR "/../shared/corpora"

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
    glob(CORPORA "/tpch/queries/*.sql", 0, NULL, &found);
    glob(CORPORA "/tpcds/queries/*.sql", GLOB_APPEND, NULL, &found);
    if (found.gl_pathc == 0) {
        print_message("skipped: no ../shared\n");
        globfree(&found);
        skip();
    }
    return found;
}

static void parses_tpc_queries(void **state)
{
    (void)state;
    glob_t found = find_queries();
    assert_int_equal(found.gl_pathc, 22 + 99);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        arb_text sql = read_file(found.gl_pathv[i]), dump = {0};
        arb_arena arena = {0};
        arb_error error = {0};
        arb_ast_statements statements;
        if (arb_sql_parse(&arena, arb_text_view(&sql), &statements, &error) != ARB_OK)
            fail_msg("%s: %s at %lld", found.gl_pathv[i], error.message, (long long)error.position);
        assert_true(statements.size >= 1);
        for (size_t at = 0; at < statements.size; at++)
            arb_ast_dump_statement(statements.data[at], &dump);
        assert_int_equal(arb_text_check(&dump, NULL), ARB_OK);
        arb_arena_reset(&arena);
        arb_text_reset(&dump);
        arb_text_reset(&sql);
    }
    globfree(&found);
}

/* ---- mutations --------------------------------------------------------------------------------------------------- */
static uint64_t seed = 20240607;

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

/* Delete, duplicate or swap a few tokens, or put in one of these. */
static void mutate(pieces *tokens)
{
    static const char *const strangers[] = {
        "(",   ")",     "[",      "]",    "{",     "}",    ",",    ";",        ":",        "::",    ".",     "*",
        "-",   "'x'",   "1",      "$1",   "?",     "#",    "->",   "SELECT",   "FROM",     "ORDER", "BY",    "NOT",
        "IN",  "CASE",  "END",    "CAST", "OVER",  "JOIN", "ASOF", "INTERVAL", "VALUES",   "WITH",  "AS",    "ALL",
        "ANY", "TABLE", "EXCEPT", "TRIM", "ARRAY", "MAP",  "ROW",  "LIMIT",    "GROUPING", "SETS",  "USING", "EXTRACT",
    };
    size_t changes = 1 + random_below(4);
    for (size_t i = 0; i < changes && tokens->size > 1; i++) {
        size_t a = random_below(tokens->size), b = random_below(tokens->size);
        arb_str held = tokens->data[a];
        switch (random_below(4)) {
        case 0:
            memmove(&tokens->data[a], &tokens->data[a + 1], (tokens->size - a - 1) * sizeof held);
            tokens->size--;
            break;
        case 1:
            tokens->data[a] = tokens->data[b];
            tokens->data[b] = held;
            break;
        case 2:
            tokens->data[a] = tokens->data[b];
            break;
        default:
            tokens->data[a] = arb_str_of(strangers[random_below(ARB_COUNT_OF(strangers))]);
            break;
        }
    }
}

static void parse_mutant(const pieces *tokens, arb_text *sql, arb_text *dump)
{
    arb_text_clear(sql);
    for (size_t i = 0; i < tokens->size; i++) {
        arb_text_append_str(sql, tokens->data[i]);
        arb_text_append_char(sql, ' ');
    }
    arb_arena arena = {0};
    arb_error error = {0};
    arb_ast_statements statements;
    arb_code code = arb_sql_parse(&arena, arb_text_view(sql), &statements, &error);
    arb_text_clear(dump);
    for (size_t i = 0; code == ARB_OK && i < statements.size; i++)
        arb_ast_dump_statement(statements.data[i], dump);
    assert_true(code == ARB_OK || error.message[0] != '\0');
    assert_true(code == ARB_OK || (error.position >= 1 && (size_t)error.position <= sql->size + 1));
    arb_arena_reset(&arena);
}

static void survives_mutations(void **state)
{
    (void)state;
    enum { mutants_of_each = 60 };
    glob_t found = find_queries();
    pieces tokens = {0};
    arb_text mutant = {0}, dump = {0};
    for (size_t i = 0; i < found.gl_pathc; i++) {
        arb_text sql = read_file(found.gl_pathv[i]);
        for (size_t round = 0; round < mutants_of_each; round++) {
            cut(&sql, &tokens);
            mutate(&tokens);
            parse_mutant(&tokens, &mutant, &dump);
        }
        arb_text_reset(&sql);
    }
    ARB_VEC_RESET(&tokens);
    arb_text_reset(&mutant);
    arb_text_reset(&dump);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parses_tpc_queries), cmocka_unit_test(survives_mutations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
