#include "sql/ast.h"

const char *arb_ast_operator_text(arb_ast_operator op)
{
    static const char *const texts[] = {
#define X(name, text) text,
        ARB_AST_OPERATORS(X)
#undef X
    };
    assert(op < ARB_COUNT_OF(texts));
    return texts[op];
}
