/* parser_cases.h: tables of SQL texts and the trees that they must give. */
#ifndef ARB_TEST_PARSER_CASES_H
#define ARB_TEST_PARSER_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sql/ast_dump.h"
#include "sql/parser.h"

typedef struct parser_case {
    const char *sql;
    const char *tree;
} parser_case;

/* Parse `prefix` and the text of each case, and compare the dump between `head` and `tail`. */
static inline void check_parser_cases(const parser_case *cases, size_t count, const char *prefix, const char *head,
                                      const char *tail)
{
    arb_text sql = {0}, expected = {0}, dump = {0};
    for (size_t i = 0; i < count; i++) {
        arb_arena arena = {0};
        arb_error error = {0};
        const arb_ast_statement *statement;
        arb_text_clear(&sql);
        arb_text_printf(&sql, "%s%s", prefix, cases[i].sql);
        arb_code code = arb_sql_parse_one(&arena, arb_text_view(&sql), &statement, &error);
        if (code != ARB_OK)
            fail_msg("%s: %s at %lld", sql.data, error.message, (long long)error.position);
        arb_text_clear(&dump);
        arb_ast_dump_statement(statement, &dump);
        arb_text_clear(&expected);
        arb_text_printf(&expected, "%s%s%s", head, cases[i].tree, tail);
        if (!arb_str_equal(arb_text_view(&dump), arb_text_view(&expected)))
            fail_msg("%s\n  gives   %s\n  but not %s", sql.data, dump.data, expected.data);
        assert_int_equal(statement->span.end, sql.size);
        arb_arena_reset(&arena);
    }
    arb_text_reset(&sql);
    arb_text_reset(&expected);
    arb_text_reset(&dump);
}

#endif
