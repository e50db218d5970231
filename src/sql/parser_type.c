/* parser_type.c: types: names of one word or several, modifiers, and what is built from other types. */
#include "sql/parser_internal.h"

static void name_it(arb_ast_type *type, const char *name)
{
    type->name.text = arb_str_of(name);
}

/* (10, 2), ('a', 'b'), (utc) */
static arb_code parse_modifiers(arb_parser *p, arb_ast_type *type)
{
    if (!ACCEPT(LEFT_PAREN))
        return ARB_OK;
    do {
        const arb_ast_expr *modifier;
        if (arb_parser_sees_name(p, 0) && !AT(QUOTED)) {
            ARB_TRY(arb_parse_keyword_literal(p, ARB_AST_STRING, &modifier));
        } else if (arb_token_is_string(arb_parser_peek(p, 0))) {
            ARB_TRY(arb_parse_string_literal(p, &modifier));
        } else if (AT(MINUS)) {
            ARB_TRY(arb_parse_expr_within(p, ARB_PREC_SIGN, &modifier));
        } else {
            ARB_TRY(arb_parse_number(p, &modifier));
        }
        PUSH(&type->modifiers, (arb_ast_expr *)modifier);
    } while (ACCEPT(COMMA));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

/* TIMESTAMP [(p)] [WITH | WITHOUT TIME ZONE] */
static arb_code parse_time_type(arb_parser *p, arb_ast_type *type, bool date)
{
    arb_parser_advance(p);
    ARB_TRY(parse_modifiers(p, type));
    bool with = AT_WORDS(WITH, TIME), without = AT_WORDS(WITHOUT, TIME);
    if (with || without) {
        p->at += 2;
        EXPECT_WORD(ZONE);
    }
    if (with)
        name_it(type, date ? "timestamptz" : "timetz");
    return ARB_OK;
}

/* [NATIONAL] CHARACTER [VARYING] [(n)], BIT [VARYING] [(n)] */
static arb_code parse_character_type(arb_parser *p, arb_ast_type *type)
{
    bool bit = AT_WORD(BIT);
    if (AT_WORD(NATIONAL))
        arb_parser_advance(p);
    arb_parser_advance(p);
    bool varying = ACCEPT_WORD(VARYING);
    name_it(type, bit ? (varying ? "varbit" : "bit") : varying ? "varchar" : "char");
    return parse_modifiers(p, type);
}

static arb_code parse_struct_type(arb_parser *p, arb_ast_type *type)
{
    type->kind = ARB_AST_TYPE_STRUCT;
    p->at += 2;
    do {
        if (type->fields.size != 0 && AT(RIGHT_PAREN))
            break;
        arb_ast_type_field field;
        ARB_TRY(arb_parse_label(p, &field.name));
        ARB_TRY(arb_parse_type(p, &field.type));
        PUSH(&type->fields, field);
    } while (ACCEPT(COMMA));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

static arb_code parse_map_type(arb_parser *p, arb_ast_type *type)
{
    type->kind = ARB_AST_TYPE_MAP;
    p->at += 2;
    ARB_TRY(arb_parse_type(p, &type->key));
    EXPECT(COMMA);
    ARB_TRY(arb_parse_type(p, &type->element));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

static arb_code parse_named_type(arb_parser *p, arb_ast_type *type)
{
    ARB_TRY(arb_parse_name(p, &type->name));
    while (ACCEPT(DOT)) {
        PUSH(&type->qualifier, type->name);
        ARB_TRY(arb_parse_label(p, &type->name));
    }
    return parse_modifiers(p, type);
}

static arb_code parse_base_type(arb_parser *p, arb_ast_type *type)
{
    const arb_token *token = arb_parser_peek(p, 0);
    type->name = (arb_ast_name){
        .text = {p->source.data + token->begin, token->end - token->begin},
        .span = {token->begin, token->end},
    };
    switch ((arb_keyword)token->keyword) {
    case ARB_KW_DOUBLE:
        arb_parser_advance(p);
        ACCEPT_WORD(PRECISION);
        return ARB_OK;
    case ARB_KW_TIMESTAMP:
        return parse_time_type(p, type, true);
    case ARB_KW_TIME:
        return parse_time_type(p, type, false);
    case ARB_KW_BIT:
    case ARB_KW_CHAR:
    case ARB_KW_CHARACTER:
        return parse_character_type(p, type);
    case ARB_KW_NATIONAL:
        return NEXT_IS_WORD(CHAR) || NEXT_IS_WORD(CHARACTER) ? parse_character_type(p, type)
                                                             : parse_named_type(p, type);
    case ARB_KW_STRUCT:
    case ARB_KW_ROW:
        return NEXT_IS(LEFT_PAREN) ? parse_struct_type(p, type) : parse_named_type(p, type);
    case ARB_KW_MAP:
        return NEXT_IS(LEFT_PAREN) ? parse_map_type(p, type) : parse_named_type(p, type);
    default:
        return parse_named_type(p, type);
    }
}

/* [] or [n]; *size is 0 for the former. */
static arb_code parse_dimension(arb_parser *p, uint32_t *size)
{
    enum { digits_most = 6 };
    EXPECT(LEFT_BRACKET);
    *size = 0;
    const arb_token *token = arb_parser_peek(p, 0);
    if (token->kind == ARB_TOKEN_INTEGER && token->end - token->begin <= digits_most) {
        for (uint32_t at = token->begin; at < token->end; at++) {
            if (p->source.data[at] < '0' || p->source.data[at] > '9')
                return arb_parser_syntax_error(p);
            *size = *size * 10 + (uint32_t)(p->source.data[at] - '0');
        }
        if (*size == 0)
            return arb_parser_fail_at(p, token->begin, ARB_SYNTAX, "an array type needs at least one element");
        arb_parser_advance(p);
    }
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_BRACKET);
}

static arb_code parse_list_suffix(arb_parser *p, uint32_t begin, const arb_ast_type **type)
{
    NEW_OBJECT(arb_ast_type, list);
    bool word = ACCEPT_WORD(ARRAY);
    if (!word || AT(LEFT_BRACKET))
        ARB_TRY(parse_dimension(p, &list->size));
    list->kind = list->size != 0 ? ARB_AST_TYPE_ARRAY : ARB_AST_TYPE_LIST;
    list->element = *type;
    list->span = arb_parser_span(p, begin);
    *type = list;
    return arb_parser_grow(p);
}

arb_code arb_parse_type(arb_parser *p, const arb_ast_type **out)
{
    arb_parser_level level;
    ARB_TRY(arb_parser_enter(p, &level));
    uint32_t begin = arb_parser_begin(p);
    NEW_OBJECT(arb_ast_type, type);
    ARB_TRY(parse_base_type(p, type));
    type->span = arb_parser_span(p, begin);
    *out = type;
    while (AT(LEFT_BRACKET) || AT_WORD(ARRAY))
        ARB_TRY(parse_list_suffix(p, begin, out));
    return arb_parser_leave(p, level);
}
