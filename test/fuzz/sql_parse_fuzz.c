/* SQL text to a syntax tree: an error points into the text, and a tree can be printed.
 *
 * Input: a script. */
#include "fuzz_input.h"
#include "sql/ast_dump.h"
#include "sql/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arb_arena arena = {0};
    arb_error error = {0};
    arb_ast_statements statements = {0};
    arb_code code = arb_sql_parse(&arena, (arb_str){(const char *)data, size}, &statements, &error);
    FUZZ_REQUIRE(code == error.code);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_SYNTAX || code == ARB_NOT_SUPPORTED || code == ARB_LIMIT_EXCEEDED ||
                 code == ARB_STATEMENT_TOO_COMPLEX || code == ARB_OUT_OF_RANGE || code == ARB_INVALID_PARAMETER ||
                 code == ARB_INVALID_TEXT || code == ARB_UNDEFINED_PARAMETER || code == ARB_INVALID_ESCAPE ||
                 code == ARB_INVALID_ENCODING);
    FUZZ_REQUIRE(error.position >= 0 && (uint64_t)error.position <= size + 1);
    arb_text dump = {0};
    for (size_t i = 0; code == ARB_OK && i < statements.size; i++) {
        arb_ast_dump_statement(statements.data[i], &dump);
        FUZZ_REQUIRE(arb_text_check(&dump, &error) == ARB_OK && dump.size != 0);
        arb_text_clear(&dump);
    }
    arb_text_reset(&dump);
    arb_arena_reset(&arena);
    return 0;
}
