/* parser_literal.c: constants: numbers, strings, typed literals, intervals, parameters. */
#include "sql/parser_internal.h"

static arb_code finish_literal(arb_parser *p, const arb_token *token, arb_ast_literal_type type,
                               const arb_ast_expr **out)
{
    NEW_EXPR(literal, LITERAL, node, token->begin);
    node->base.span.end = token->end;
    node->type = type;
    ARB_TRY(arb_token_decode(p->arena, p->source.data, token, &node->text, p->error));
    arb_parser_advance(p);
    *out = &node->base;
    return ARB_OK;
}

arb_code arb_parse_number(arb_parser *p, const arb_ast_expr **out)
{
    const arb_token *token = arb_parser_peek(p, 0);
    switch ((arb_token_kind)token->kind) {
    case ARB_TOKEN_INTEGER:
        return finish_literal(p, token, ARB_AST_INTEGER, out);
    case ARB_TOKEN_DECIMAL:
        return finish_literal(p, token, ARB_AST_DECIMAL, out);
    case ARB_TOKEN_DOUBLE:
        return finish_literal(p, token, ARB_AST_DOUBLE, out);
    default:
        return arb_parser_syntax_error(p);
    }
}

arb_code arb_parse_string_literal(arb_parser *p, const arb_ast_expr **out)
{
    const arb_token *token = arb_parser_peek(p, 0);
    if (token->kind == ARB_TOKEN_BLOB)
        return finish_literal(p, token, ARB_AST_BLOB, out);
    return arb_token_is_string(token) ? finish_literal(p, token, ARB_AST_STRING, out) : arb_parser_syntax_error(p);
}

arb_code arb_parse_keyword_literal(arb_parser *p, arb_ast_literal_type type, const arb_ast_expr **out)
{
    return finish_literal(p, arb_parser_peek(p, 0), type, out);
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */
enum { parameter_number_max = 65535 };

static arb_code number_parameter(arb_parser *p, arb_str digits, arb_ast_parameter *node)
{
    uint32_t number = 0;
    for (size_t i = 0; i < digits.size && number <= parameter_number_max; i++)
        number = number * 10 + (uint32_t)(digits.data[i] - '0');
    if (number == 0 || number > parameter_number_max)
        return arb_parser_fail_at(p, node->base.span.begin, ARB_UNDEFINED_PARAMETER,
                                  "parameters are numbered from $1 to $%d", parameter_number_max);
    node->number = number;
    return ARB_OK;
}

arb_code arb_parse_parameter(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(parameter, PARAMETER, node, arb_parser_begin(p));
    if (ACCEPT(QUESTION)) {
        node->number = ++p->questions;
        if (node->number > parameter_number_max)
            return arb_parser_fail_at(p, node->base.span.begin, ARB_LIMIT_EXCEEDED, "more than %d parameters",
                                      parameter_number_max);
    } else {
        /* :name is two tokens with nothing between them; $name is one. */
        const arb_token *token = arb_parser_peek(p, 0);
        if (ACCEPT(COLON)) {
            const arb_token *word = arb_parser_peek(p, 0);
            if (word->kind != ARB_TOKEN_WORD || word->begin != token->end)
                return arb_parser_syntax_error(p);
            token = word;
        }
        arb_parser_advance(p);
        ARB_TRY(arb_token_decode(p->arena, p->source.data, token, &node->name, p->error));
        if (node->name.data[0] >= '0' && node->name.data[0] <= '9') {
            ARB_TRY(number_parameter(p, node->name, node));
            node->name = (arb_str){0};
        }
    }
    p->parameters = ARB_MAX(p->parameters, node->number);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* ---- type 'text' ------------------------------------------------------------------------------------------------- */
static bool sees_string(const arb_parser *p, size_t ahead)
{
    return arb_token_is_string(arb_parser_peek(p, ahead));
}

bool arb_parser_sees_typed_literal(const arb_parser *p)
{
    const arb_token *word = arb_parser_peek(p, 0);
    if (word->kind != ARB_TOKEN_WORD || arb_keyword_class_of((arb_keyword)word->keyword) != ARB_KEYWORD_FREE)
        return false;
    if (sees_string(p, 1))
        return true;
    size_t at = 1;
    /* DECIMAL(10, 2) '1.5': a call never has a string behind it. */
    if (NEXT_IS(LEFT_PAREN) && arb_parser_sees(p, 2, ARB_TOKEN_INTEGER)) {
        at = arb_parser_behind_bracket(p, 1);
        if (at != 0 && sees_string(p, at))
            return true;
    }
    switch ((arb_keyword)word->keyword) {
    case ARB_KW_TIME:
    case ARB_KW_TIMESTAMP:
        return at != 0 && (arb_parser_sees_word(p, at, ARB_KW_WITH) || arb_parser_sees_word(p, at, ARB_KW_WITHOUT)) &&
               arb_parser_sees_word(p, at + 1, ARB_KW_TIME) && sees_string(p, at + 3);
    case ARB_KW_DOUBLE:
        return NEXT_IS_WORD(PRECISION) && sees_string(p, 2);
    case ARB_KW_CHAR:
    case ARB_KW_CHARACTER:
        return NEXT_IS_WORD(VARYING) && sees_string(p, 2);
    default:
        return false;
    }
}

arb_code arb_parse_typed_literal(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(typed_literal, TYPED_LITERAL, node, arb_parser_begin(p));
    ARB_TRY(arb_parse_type(p, &node->type));
    arb_ast_name text;
    ARB_TRY(arb_parse_string(p, &text));
    node->text = text.text;
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */
static arb_ast_unit unit_of(const arb_token *token)
{
    switch ((arb_keyword)token->keyword) {
    case ARB_KW_MICROSECOND:
    case ARB_KW_MICROSECONDS:
        return ARB_AST_MICROSECOND;
    case ARB_KW_MILLISECOND:
    case ARB_KW_MILLISECONDS:
        return ARB_AST_MILLISECOND;
    case ARB_KW_SECOND:
    case ARB_KW_SECONDS:
        return ARB_AST_SECOND;
    case ARB_KW_MINUTE:
    case ARB_KW_MINUTES:
        return ARB_AST_MINUTE;
    case ARB_KW_HOUR:
    case ARB_KW_HOURS:
        return ARB_AST_HOUR;
    case ARB_KW_DAY:
    case ARB_KW_DAYS:
        return ARB_AST_DAY;
    case ARB_KW_WEEK:
    case ARB_KW_WEEKS:
        return ARB_AST_WEEK;
    case ARB_KW_MONTH:
    case ARB_KW_MONTHS:
        return ARB_AST_MONTH;
    case ARB_KW_QUARTER:
    case ARB_KW_QUARTERS:
        return ARB_AST_QUARTER;
    case ARB_KW_YEAR:
    case ARB_KW_YEARS:
        return ARB_AST_YEAR;
    case ARB_KW_DECADE:
    case ARB_KW_DECADES:
        return ARB_AST_DECADE;
    case ARB_KW_CENTURY:
    case ARB_KW_CENTURIES:
        return ARB_AST_CENTURY;
    case ARB_KW_MILLENNIUM:
    case ARB_KW_MILLENNIUMS:
    case ARB_KW_MILLENNIA:
        return ARB_AST_MILLENNIUM;
    default:
        return ARB_AST_NO_UNIT;
    }
}

static bool sees_unit(const arb_parser *p, size_t ahead)
{
    return unit_of(arb_parser_peek(p, ahead)) != ARB_AST_NO_UNIT;
}

static bool sees_number(const arb_parser *p, size_t ahead)
{
    uint8_t kind = arb_parser_peek(p, ahead)->kind;
    return kind == ARB_TOKEN_INTEGER || kind == ARB_TOKEN_DECIMAL || kind == ARB_TOKEN_DOUBLE;
}

/* `interval` is a name too; a value or `column unit` must follow. */
bool arb_parser_sees_interval(const arb_parser *p)
{
    if (!AT_WORD(INTERVAL))
        return false;
    if (sees_string(p, 1) || sees_number(p, 1) || NEXT_IS(PARAMETER) || NEXT_IS(QUESTION))
        return true;
    if (NEXT_IS(MINUS))
        return (sees_number(p, 2) || sees_string(p, 2)) && sees_unit(p, 3);
    if (NEXT_IS(LEFT_PAREN)) {
        size_t behind = arb_parser_behind_bracket(p, 1);
        return behind != 0 && (sees_unit(p, behind) || sees_string(p, behind));
    }
    if (!arb_parser_sees_name(p, 1))
        return false;
    size_t at = 2;
    while (arb_parser_sees(p, at, ARB_TOKEN_DOT) && arb_parser_sees_label(p, at + 1))
        at += 2;
    return sees_unit(p, at);
}

/* (3), of the seconds. */
static arb_code parse_precision(arb_parser *p, int *out)
{
    arb_parser_advance(p);
    const arb_token *token = arb_parser_peek(p, 0);
    bool digit = token->kind == ARB_TOKEN_INTEGER && token->end - token->begin == 1;
    if (!digit)
        return arb_parser_syntax_error(p);
    *out = p->source.data[token->begin] - '0';
    arb_parser_advance(p);
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

static arb_code parse_interval_units(arb_parser *p, arb_ast_interval *node)
{
    node->unit = unit_of(arb_parser_peek(p, 0));
    if (node->unit == ARB_AST_NO_UNIT)
        return ARB_OK;
    arb_parser_advance(p);
    if (AT_WORD(TO) && sees_unit(p, 1)) {
        node->to = unit_of(arb_parser_peek(p, 1));
        p->at += 2;
    }
    arb_ast_unit last = node->to != ARB_AST_NO_UNIT ? node->to : node->unit;
    if (last == ARB_AST_SECOND && AT(LEFT_PAREN))
        ARB_TRY(parse_precision(p, &node->precision));
    return ARB_OK;
}

arb_code arb_parse_interval(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(interval, INTERVAL, node, arb_parser_begin(p));
    node->precision = -1;
    arb_parser_advance(p);
    if (AT(LEFT_PAREN) && NEXT_IS(INTEGER) && arb_parser_sees(p, 2, ARB_TOKEN_RIGHT_PAREN) && sees_string(p, 3))
        ARB_TRY(parse_precision(p, &node->precision));
    bool text = sees_string(p, 0);
    if (text)
        ARB_TRY(arb_parse_string_literal(p, &node->value));
    else if (sees_number(p, 0))
        ARB_TRY(arb_parse_number(p, &node->value));
    else
        ARB_TRY(arb_parse_expr_within(p, ARB_PREC_SIGN, &node->value));
    ARB_TRY(parse_interval_units(p, node));
    if (node->unit == ARB_AST_NO_UNIT && !text)
        return arb_parser_syntax_error(p);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}
