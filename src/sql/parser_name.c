/* parser_name.c: identifiers, and which words may be one where. */
#include "sql/parser_internal.h"

enum { longest_dotted_name = 1024 };

static bool sees_word_of(const arb_parser *p, size_t ahead, arb_keyword_class most)
{
    const arb_token *token = arb_parser_peek(p, ahead);
    return token->kind == ARB_TOKEN_QUOTED ||
           (token->kind == ARB_TOKEN_WORD && arb_keyword_class_of((arb_keyword)token->keyword) <= most);
}

bool arb_parser_sees_alias(const arb_parser *p, size_t ahead)
{
    return sees_word_of(p, ahead, ARB_KEYWORD_FREE);
}

bool arb_parser_sees_name(const arb_parser *p, size_t ahead)
{
    return sees_word_of(p, ahead, ARB_KEYWORD_CLAUSE);
}

bool arb_parser_sees_label(const arb_parser *p, size_t ahead)
{
    return sees_word_of(p, ahead, ARB_KEYWORD_RESERVED);
}

arb_code arb_parse_token_as_name(arb_parser *p, arb_ast_name *out)
{
    const arb_token *token = arb_parser_peek(p, 0);
    if (token->kind == ARB_TOKEN_END)
        return arb_parser_syntax_error(p);
    out->span = (arb_ast_span){token->begin, token->end};
    out->quoted = token->kind != ARB_TOKEN_WORD;
    arb_parser_advance(p);
    return arb_token_decode(p->arena, p->source.data, token, &out->text, p->error);
}

arb_code arb_parse_name(arb_parser *p, arb_ast_name *out)
{
    return arb_parser_sees_name(p, 0) ? arb_parse_token_as_name(p, out) : arb_parser_syntax_error(p);
}

arb_code arb_parse_label(arb_parser *p, arb_ast_name *out)
{
    return arb_parser_sees_label(p, 0) ? arb_parse_token_as_name(p, out) : arb_parser_syntax_error(p);
}

arb_code arb_parse_qualified_name(arb_parser *p, arb_ast_names *out)
{
    arb_ast_name name;
    ARB_TRY(arb_parse_name(p, &name));
    PUSH(out, name);
    while (ACCEPT(DOT)) {
        ARB_TRY(arb_parse_label(p, &name));
        PUSH(out, name);
    }
    return ARB_OK;
}

arb_code arb_parse_dotted_name(arb_parser *p, arb_ast_name *out)
{
    const arb_token *first = arb_parser_peek(p, 0);
    if (arb_token_is_string(first))
        return arb_parse_token_as_name(p, out);
    ARB_TRY(arb_parse_label(p, out));
    while (AT(DOT)) {
        arb_parser_advance(p);
        arb_ast_name part;
        ARB_TRY(arb_parse_label(p, &part));
        size_t size = out->text.size + 1 + part.text.size;
        if (size > longest_dotted_name)
            return arb_parser_fail_at(p, out->span.begin, ARB_LIMIT_EXCEEDED, "the name is too long");
        char *joined = arb_arena_alloc(p->arena, size);
        if (joined == NULL)
            return arb_parser_out_of_memory(p);
        memcpy(joined, out->text.data, out->text.size);
        joined[out->text.size] = '.';
        memcpy(joined + out->text.size + 1, part.text.data, part.text.size);
        out->text = (arb_str){joined, size};
        out->span.end = part.span.end;
    }
    return ARB_OK;
}

arb_code arb_parse_name_list(arb_parser *p, arb_ast_names *out)
{
    EXPECT(LEFT_PAREN);
    do {
        if (out->size != 0 && AT(RIGHT_PAREN))
            break;
        arb_ast_name name;
        ARB_TRY(arb_parse_name(p, &name));
        PUSH(out, name);
    } while (ACCEPT(COMMA));
    EXPECT(RIGHT_PAREN);
    return ARB_OK;
}

arb_code arb_parse_string(arb_parser *p, arb_ast_name *out)
{
    return arb_token_is_string(arb_parser_peek(p, 0)) ? arb_parse_token_as_name(p, out) : arb_parser_syntax_error(p);
}
