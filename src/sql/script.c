#include "sql/script.h"

#include "sql/lexer.h"

bool arb_sql_statement_next(arb_str script, size_t from, arb_sql_extent *out)
{
    *out = (arb_sql_extent){.begin = script.size, .end = script.size, .next = script.size};
    if (from >= script.size)
        return false;
    /* A larger text cannot be lexed in one piece: it is handed out whole, and the parser refuses it. */
    if (script.size > ARB_SQL_TEXT_MAX) {
        out->begin = from;
        return true;
    }
    arb_lexer lexer = {.text = script.data, .size = (uint32_t)script.size, .at = (uint32_t)from};
    bool empty = true;
    size_t last_end = from;
    for (;;) {
        arb_token token;
        arb_lexer_flaw flaw = arb_lexer_next(&lexer, &token, NULL);
        if (empty && (token.kind != ARB_TOKEN_END || flaw != ARB_LEXER_SOUND)) {
            out->begin = token.begin;
            empty = token.kind == ARB_TOKEN_SEMICOLON && flaw == ARB_LEXER_SOUND;
            if (empty)
                continue;
        }
        if (flaw == ARB_LEXER_UNTERMINATED)
            return true;
        if (token.kind == ARB_TOKEN_END && flaw == ARB_LEXER_SOUND) {
            out->end = last_end;
            out->complete = true;
            return !empty;
        }
        if (token.kind == ARB_TOKEN_SEMICOLON) {
            out->end = last_end;
            out->next = token.end;
            out->terminated = out->complete = true;
            return true;
        }
        last_end = token.end;
    }
}

bool arb_sql_is_complete(arb_str text)
{
    arb_sql_extent extent;
    for (size_t at = 0; arb_sql_statement_next(text, at, &extent); at = extent.next)
        if (!extent.terminated)
            return false;
    return true;
}
