/* parser_expr.c: operators, by precedence climbing.
 *
 * arb_parse_expr_within(least) reads an operand and then every operator behind it that binds at least as tightly as
 * `least`, each with its right side read one step tighter. Precedences are PostgreSQL's, loosest first:
 *
 *     OR · AND · NOT · IS · = < > · BETWEEN IN LIKE · || -> & and others · + - · * / % · ^ · AT TIME ZONE · COLLATE · sign
 *
 * A run of left-associative operators of one precedence becomes one node: `open` remembers which kind of run the node
 * at hand still is. Anything that stood in parentheses was read by another call and is closed. */
#include "sql/parser_internal.h"

typedef struct infix {
    arb_precedence precedence; /* ARB_PREC_ANY = no infix operator */
    arb_ast_operator op;
} infix;

static const infix infixes[ARB_TOKEN_KIND_COUNT] = {
    [ARB_TOKEN_EQUAL] = {ARB_PREC_COMPARE, ARB_AST_OP_EQUAL},
    [ARB_TOKEN_DOUBLE_EQUAL] = {ARB_PREC_COMPARE, ARB_AST_OP_EQUAL},
    [ARB_TOKEN_NULL_SAFE_EQUAL] = {ARB_PREC_COMPARE, ARB_AST_OP_NOT_DISTINCT},
    [ARB_TOKEN_LESS_GREATER] = {ARB_PREC_COMPARE, ARB_AST_OP_NOT_EQUAL},
    [ARB_TOKEN_BANG_EQUAL] = {ARB_PREC_COMPARE, ARB_AST_OP_NOT_EQUAL},
    [ARB_TOKEN_LESS] = {ARB_PREC_COMPARE, ARB_AST_OP_LESS},
    [ARB_TOKEN_LESS_EQUAL] = {ARB_PREC_COMPARE, ARB_AST_OP_LESS_EQUAL},
    [ARB_TOKEN_GREATER] = {ARB_PREC_COMPARE, ARB_AST_OP_GREATER},
    [ARB_TOKEN_GREATER_EQUAL] = {ARB_PREC_COMPARE, ARB_AST_OP_GREATER_EQUAL},
    [ARB_TOKEN_DOUBLE_BAR] = {ARB_PREC_OTHER, ARB_AST_OP_CONCAT},
    [ARB_TOKEN_BAR] = {ARB_PREC_OTHER, ARB_AST_OP_BIT_OR},
    [ARB_TOKEN_AMPERSAND] = {ARB_PREC_OTHER, ARB_AST_OP_BIT_AND},
    [ARB_TOKEN_HASH] = {ARB_PREC_OTHER, ARB_AST_OP_BIT_XOR},
    [ARB_TOKEN_SHIFT_LEFT] = {ARB_PREC_OTHER, ARB_AST_OP_SHIFT_LEFT},
    [ARB_TOKEN_SHIFT_RIGHT] = {ARB_PREC_OTHER, ARB_AST_OP_SHIFT_RIGHT},
    [ARB_TOKEN_TILDE] = {ARB_PREC_OTHER, ARB_AST_OP_REGEX},
    [ARB_TOKEN_TILDE_NOCASE] = {ARB_PREC_OTHER, ARB_AST_OP_REGEX_NOCASE},
    [ARB_TOKEN_NOT_REGEX] = {ARB_PREC_OTHER, ARB_AST_OP_NOT_REGEX},
    [ARB_TOKEN_NOT_REGEX_NOCASE] = {ARB_PREC_OTHER, ARB_AST_OP_NOT_REGEX_NOCASE},
    [ARB_TOKEN_ARROW] = {ARB_PREC_OTHER, ARB_AST_OP_ARROW},
    [ARB_TOKEN_ARROW_TEXT] = {ARB_PREC_OTHER, ARB_AST_OP_ARROW_TEXT},
    [ARB_TOKEN_CONTAINS] = {ARB_PREC_OTHER, ARB_AST_OP_CONTAINS},
    [ARB_TOKEN_CONTAINED] = {ARB_PREC_OTHER, ARB_AST_OP_CONTAINED},
    [ARB_TOKEN_DOUBLE_AMPERSAND] = {ARB_PREC_OTHER, ARB_AST_OP_OVERLAP},
    [ARB_TOKEN_STARTS_WITH] = {ARB_PREC_OTHER, ARB_AST_OP_STARTS_WITH},
    [ARB_TOKEN_PLUS] = {ARB_PREC_ADD, ARB_AST_OP_ADD},
    [ARB_TOKEN_MINUS] = {ARB_PREC_ADD, ARB_AST_OP_SUBTRACT},
    [ARB_TOKEN_STAR] = {ARB_PREC_MULTIPLY, ARB_AST_OP_MULTIPLY},
    [ARB_TOKEN_SLASH] = {ARB_PREC_MULTIPLY, ARB_AST_OP_DIVIDE},
    [ARB_TOKEN_DOUBLE_SLASH] = {ARB_PREC_MULTIPLY, ARB_AST_OP_INTEGER_DIVIDE},
    [ARB_TOKEN_PERCENT] = {ARB_PREC_MULTIPLY, ARB_AST_OP_MODULO},
    [ARB_TOKEN_CARET] = {ARB_PREC_POWER, ARB_AST_OP_POWER},
    [ARB_TOKEN_DOUBLE_STAR] = {ARB_PREC_POWER, ARB_AST_OP_POWER},
};

/* What has been read so far on one level. */
typedef struct climb {
    uint32_t begin;
    const arb_ast_expr *left;
    /* While the left side is a run that may go on: its precedence and the node, of which one is set. */
    arb_precedence open;
    arb_ast_operation *operation;
    arb_ast_logical *logical;
    bool compared; /* the left side is a comparison: a < b < c is an error */
} climb;

static void set_left(climb *c, const arb_ast_expr *left)
{
    *c = (climb){.begin = c->begin, .left = left};
}

/* ---- ANY and ALL ------------------------------------------------------------------------------------------------- */
static bool sees_quantifier(const arb_parser *p)
{
    return (AT_WORD(ANY) || AT_WORD(SOME) || AT_WORD(ALL)) && NEXT_IS(LEFT_PAREN);
}

static arb_code parse_quantified(arb_parser *p, climb *c, arb_ast_operator op)
{
    NEW_EXPR(quantified, QUANTIFIED, node, c->begin);
    node->operand = c->left;
    node->op = op;
    node->all = AT_WORD(ALL);
    arb_parser_advance(p);
    if (arb_parser_sees_query(p, 1)) {
        ARB_TRY(arb_parse_query_in_parens(p, &node->query));
    } else {
        EXPECT(LEFT_PAREN);
        ARB_TRY(arb_parse_expr(p, &node->collection));
        EXPECT(RIGHT_PAREN);
    }
    CLOSE(node);
    set_left(c, &node->base);
    return arb_parser_grow(p);
}

/* ---- runs of operators ------------------------------------------------------------------------------------------- */
/* Append to the run at hand, or begin one. */
static arb_code add_step(arb_parser *p, climb *c, arb_precedence precedence, arb_ast_step step)
{
    arb_ast_operation *operation = c->open == precedence ? c->operation : NULL;
    if (operation == NULL) {
        NEW_EXPR(operation, OPERATION, node, c->begin);
        node->first = c->left;
        operation = node;
        set_left(c, &node->base);
        ARB_TRY(arb_parser_grow(p));
    }
    PUSH(&operation->steps, step);
    CLOSE(operation);
    c->open = precedence;
    c->operation = operation;
    return ARB_OK;
}

static arb_code parse_operation(arb_parser *p, climb *c, infix at)
{
    const arb_token *token = arb_parser_peek(p, 0);
    if (at.precedence == ARB_PREC_COMPARE && c->compared)
        return arb_parser_syntax_error(p);
    arb_ast_step step = {.op = at.op, .span = {token->begin, token->end}};
    arb_parser_advance(p);
    if (sees_quantifier(p))
        return parse_quantified(p, c, at.op);
    ARB_TRY(arb_parse_expr_within(p, at.precedence + 1, &step.operand));
    ARB_TRY(add_step(p, c, at.precedence, step));
    c->compared = at.precedence == ARB_PREC_COMPARE;
    return ARB_OK;
}

static arb_code parse_logical(arb_parser *p, climb *c, arb_precedence precedence)
{
    arb_parser_advance(p);
    const arb_ast_expr *operand;
    ARB_TRY(arb_parse_expr_within(p, precedence + 1, &operand));
    arb_ast_logical *logical = c->open == precedence ? c->logical : NULL;
    if (logical == NULL) {
        NEW_EXPR(logical, LOGICAL, node, c->begin);
        node->is_or = precedence == ARB_PREC_OR;
        PUSH(&node->operands, (arb_ast_expr *)c->left);
        logical = node;
        ARB_TRY(arb_parser_grow(p));
    }
    PUSH(&logical->operands, (arb_ast_expr *)operand);
    CLOSE(logical);
    set_left(c, &logical->base);
    c->open = precedence;
    c->logical = logical;
    return ARB_OK;
}

/* ---- IS ---------------------------------------------------------------------------------------------------------- */
static arb_code finish_is(arb_parser *p, climb *c, arb_ast_literal_type test, bool negated)
{
    NEW_EXPR(is, IS, node, c->begin);
    node->operand = c->left;
    node->test = test;
    node->negated = negated;
    set_left(c, &node->base);
    return arb_parser_grow(p);
}

static arb_code parse_is(arb_parser *p, climb *c)
{
    const arb_token *token = arb_parser_peek(p, 0);
    arb_parser_advance(p);
    bool negated = ACCEPT_WORD(NOT);
    if (ACCEPT_WORD(DISTINCT)) {
        arb_ast_step step = {.op = negated ? ARB_AST_OP_NOT_DISTINCT : ARB_AST_OP_DISTINCT};
        EXPECT_WORD(FROM);
        step.span = arb_parser_span(p, token->begin);
        ARB_TRY(arb_parse_expr_within(p, ARB_PREC_IS + 1, &step.operand));
        ARB_TRY(add_step(p, c, ARB_PREC_IS, step));
        c->open = ARB_PREC_ANY;
        return ARB_OK;
    }
    if (ACCEPT_WORD(NULL) || ACCEPT_WORD(UNKNOWN))
        return finish_is(p, c, ARB_AST_NULL, negated);
    if (ACCEPT_WORD(TRUE))
        return finish_is(p, c, ARB_AST_TRUE, negated);
    if (ACCEPT_WORD(FALSE))
        return finish_is(p, c, ARB_AST_FALSE, negated);
    return arb_parser_syntax_error(p);
}

/* ---- BETWEEN, IN, LIKE ------------------------------------------------------------------------------------------- */
static arb_code parse_between(arb_parser *p, climb *c, bool negated)
{
    NEW_EXPR(between, BETWEEN, node, c->begin);
    node->operand = c->left;
    node->negated = negated;
    node->symmetric = ACCEPT_WORD(SYMMETRIC);
    ARB_TRY(arb_parse_expr_within(p, ARB_PREC_RANGE + 1, &node->low));
    EXPECT_WORD(AND);
    ARB_TRY(arb_parse_expr_within(p, ARB_PREC_RANGE + 1, &node->high));
    CLOSE(node);
    set_left(c, &node->base);
    return arb_parser_grow(p);
}

static arb_code parse_in(arb_parser *p, climb *c, bool negated)
{
    NEW_EXPR(in, IN, node, c->begin);
    node->operand = c->left;
    node->negated = negated;
    if (AT(LEFT_PAREN) && arb_parser_sees_query(p, 1)) {
        ARB_TRY(arb_parse_query_in_parens(p, &node->query));
    } else if (ACCEPT(LEFT_PAREN)) {
        ARB_TRY(arb_parse_expr_list(p, ARB_TOKEN_RIGHT_PAREN, &node->list));
        EXPECT(RIGHT_PAREN);
    } else {
        ARB_TRY(arb_parse_expr_within(p, ARB_PREC_OTHER, &node->collection));
    }
    CLOSE(node);
    set_left(c, &node->base);
    return arb_parser_grow(p);
}

static arb_code parse_like(arb_parser *p, climb *c, arb_ast_pattern type, bool negated)
{
    if (sees_quantifier(p) && (type == ARB_AST_PATTERN_LIKE || type == ARB_AST_PATTERN_ILIKE)) {
        arb_ast_operator plain = type == ARB_AST_PATTERN_LIKE ? ARB_AST_OP_LIKE_OP : ARB_AST_OP_ILIKE_OP;
        arb_ast_operator not = type == ARB_AST_PATTERN_LIKE ? ARB_AST_OP_NOT_LIKE_OP : ARB_AST_OP_NOT_ILIKE_OP;
        return parse_quantified(p, c, negated ? not : plain);
    }
    NEW_EXPR(like, LIKE, node, c->begin);
    node->operand = c->left;
    node->type = type;
    node->negated = negated;
    ARB_TRY(arb_parse_expr_within(p, ARB_PREC_RANGE + 1, &node->pattern));
    if (ACCEPT_WORD(ESCAPE))
        ARB_TRY(arb_parse_expr_within(p, ARB_PREC_RANGE + 1, &node->escape));
    CLOSE(node);
    set_left(c, &node->base);
    return arb_parser_grow(p);
}

/* The words that may stand behind NOT as an infix, or without it. */
static bool sees_range_word(const arb_parser *p, size_t ahead)
{
    switch ((arb_keyword)arb_parser_peek(p, ahead)->keyword) {
    case ARB_KW_BETWEEN:
    case ARB_KW_IN:
    case ARB_KW_LIKE:
    case ARB_KW_ILIKE:
    case ARB_KW_GLOB:
        return true;
    case ARB_KW_SIMILAR:
        return arb_parser_sees_word(p, ahead + 1, ARB_KW_TO);
    default:
        return false;
    }
}

static arb_code parse_range(arb_parser *p, climb *c)
{
    bool negated = ACCEPT_WORD(NOT);
    arb_keyword word = (arb_keyword)arb_parser_peek(p, 0)->keyword;
    arb_parser_advance(p);
    switch (word) {
    case ARB_KW_BETWEEN:
        return parse_between(p, c, negated);
    case ARB_KW_IN:
        return parse_in(p, c, negated);
    case ARB_KW_LIKE:
        return parse_like(p, c, ARB_AST_PATTERN_LIKE, negated);
    case ARB_KW_ILIKE:
        return parse_like(p, c, ARB_AST_PATTERN_ILIKE, negated);
    case ARB_KW_GLOB:
        return parse_like(p, c, ARB_AST_PATTERN_GLOB, negated);
    default:
        assert(word == ARB_KW_SIMILAR);
        arb_parser_advance(p);
        return parse_like(p, c, ARB_AST_PATTERN_SIMILAR, negated);
    }
}

/* ~~ and its kin are LIKE spelt as operators. */
static arb_code parse_tilde(arb_parser *p, climb *c)
{
    arb_token_kind kind = (arb_token_kind)arb_parser_peek(p, 0)->kind;
    arb_parser_advance(p);
    bool negated = kind == ARB_TOKEN_NOT_LIKE || kind == ARB_TOKEN_NOT_LIKE_NOCASE;
    bool nocase = kind == ARB_TOKEN_LIKE_NOCASE || kind == ARB_TOKEN_NOT_LIKE_NOCASE;
    if (kind == ARB_TOKEN_TILDE_GLOB)
        return parse_like(p, c, ARB_AST_PATTERN_GLOB, false);
    return parse_like(p, c, nocase ? ARB_AST_PATTERN_ILIKE : ARB_AST_PATTERN_LIKE, negated);
}

static bool sees_tilde(const arb_parser *p)
{
    return AT(TILDE_LIKE) || AT(LIKE_NOCASE) || AT(NOT_LIKE) || AT(NOT_LIKE_NOCASE) || AT(TILDE_GLOB);
}

/* ---- COLLATE, AT TIME ZONE --------------------------------------------------------------------------------------- */
static arb_code parse_collate(arb_parser *p, climb *c)
{
    arb_parser_advance(p);
    NEW_EXPR(collate, COLLATE, node, c->begin);
    node->operand = c->left;
    ARB_TRY(arb_parse_qualified_name(p, &node->collation));
    CLOSE(node);
    set_left(c, &node->base);
    return arb_parser_grow(p);
}

static arb_code parse_at_time_zone(arb_parser *p, climb *c)
{
    arb_ast_name name = {.text = ARB_STR("timezone"), .span = arb_parser_span(p, arb_parser_begin(p))};
    p->at += 3;
    NEW_EXPR(call, CALL, node, c->begin);
    node->form = ARB_AST_CALL_AT_TIME_ZONE;
    PUSH(&node->name, name);
    const arb_ast_expr *zone;
    ARB_TRY(arb_parse_expr_within(p, ARB_PREC_AT_TIME_ZONE + 1, &zone));
    PUSH(&node->arguments, (arb_ast_argument){.value = zone});
    PUSH(&node->arguments, (arb_ast_argument){.value = c->left});
    CLOSE(node);
    set_left(c, &node->base);
    return arb_parser_grow(p);
}

static bool sees_at_time_zone(const arb_parser *p)
{
    return AT_WORDS(AT, TIME) && arb_parser_sees_word(p, 2, ARB_KW_ZONE);
}

/* ---- the climb --------------------------------------------------------------------------------------------------- */
/* Behind LIMIT 10%. */
static bool sees_limit_end(const arb_parser *p)
{
    return NEXT_IS(END) || NEXT_IS(RIGHT_PAREN) || NEXT_IS_WORD(OFFSET);
}

/* The precedence of the infix that the current token begins, or ARB_PREC_ANY. */
static arb_precedence precedence_here(const arb_parser *p)
{
    const arb_token *token = arb_parser_peek(p, 0);
    if (token->kind == ARB_TOKEN_PERCENT && p->percent_ends && sees_limit_end(p))
        return ARB_PREC_ANY;
    if (token->kind != ARB_TOKEN_WORD)
        return sees_tilde(p) ? ARB_PREC_RANGE : infixes[token->kind].precedence;
    switch ((arb_keyword)token->keyword) {
    case ARB_KW_OR:
        return ARB_PREC_OR;
    case ARB_KW_AND:
        return ARB_PREC_AND;
    case ARB_KW_IS:
    case ARB_KW_ISNULL:
    case ARB_KW_NOTNULL:
        return ARB_PREC_IS;
    case ARB_KW_NOT:
        return sees_range_word(p, 1) ? ARB_PREC_RANGE : NEXT_IS_WORD(NULL) ? ARB_PREC_IS : ARB_PREC_ANY;
    case ARB_KW_DIV:
        return ARB_PREC_MULTIPLY;
    case ARB_KW_COLLATE:
        return ARB_PREC_COLLATE;
    case ARB_KW_AT:
        return sees_at_time_zone(p) ? ARB_PREC_AT_TIME_ZONE : ARB_PREC_ANY;
    default:
        return sees_range_word(p, 0) ? ARB_PREC_RANGE : ARB_PREC_ANY;
    }
}

static arb_code parse_infix(arb_parser *p, climb *c, arb_precedence precedence)
{
    infix at = infixes[arb_parser_peek(p, 0)->kind];
    if (at.precedence != ARB_PREC_ANY)
        return parse_operation(p, c, at);
    if (AT_WORD(DIV))
        return parse_operation(p, c, (infix){ARB_PREC_MULTIPLY, ARB_AST_OP_INTEGER_DIVIDE});
    if (sees_tilde(p))
        return parse_tilde(p, c);
    if (ACCEPT_WORD(ISNULL))
        return finish_is(p, c, ARB_AST_NULL, false);
    if (ACCEPT_WORD(NOTNULL) || ACCEPT_WORDS(NOT, NULL))
        return finish_is(p, c, ARB_AST_NULL, true);
    switch (precedence) {
    case ARB_PREC_OR:
    case ARB_PREC_AND:
        return parse_logical(p, c, precedence);
    case ARB_PREC_IS:
        return parse_is(p, c);
    case ARB_PREC_AT_TIME_ZONE:
        return parse_at_time_zone(p, c);
    case ARB_PREC_COLLATE:
        return parse_collate(p, c);
    default:
        return parse_range(p, c);
    }
}

/* A sign in front of a number belongs to it, so that the least integer can be written. */
static bool negate_literal(arb_parser *p, const arb_ast_expr *operand, uint32_t begin, const arb_ast_expr **out)
{
    if (operand->kind != ARB_AST_LITERAL)
        return false;
    arb_ast_literal *literal = (arb_ast_literal *)operand;
    bool number =
        literal->type == ARB_AST_INTEGER || literal->type == ARB_AST_DECIMAL || literal->type == ARB_AST_DOUBLE;
    bool in_parens = operand->span.end != arb_parser_span(p, 0).end;
    if (!number || literal->text.data[0] == '-' || in_parens)
        return false;
    char *text = arb_arena_alloc(p->arena, literal->text.size + 1);
    if (text == NULL)
        return false;
    text[0] = '-';
    memcpy(text + 1, literal->text.data, literal->text.size);
    literal->text = (arb_str){text, literal->text.size + 1};
    literal->base.span.begin = begin;
    *out = &literal->base;
    return true;
}

static arb_code parse_unary(arb_parser *p, arb_ast_unary_operator op, arb_precedence least, const arb_ast_expr **out)
{
    uint32_t begin = arb_parser_begin(p);
    arb_parser_advance(p);
    const arb_ast_expr *operand;
    ARB_TRY(arb_parse_expr_within(p, least, &operand));
    if (op == ARB_AST_NEGATE && negate_literal(p, operand, begin, out))
        return ARB_OK;
    NEW_EXPR(unary, UNARY, node, begin);
    node->op = op;
    node->operand = operand;
    *out = &node->base;
    return arb_parser_grow(p);
}

static arb_code parse_prefix(arb_parser *p, const arb_ast_expr **out)
{
    switch ((arb_token_kind)arb_parser_peek(p, 0)->kind) {
    case ARB_TOKEN_MINUS:
        return parse_unary(p, ARB_AST_NEGATE, ARB_PREC_SIGN, out);
    case ARB_TOKEN_PLUS:
        return parse_unary(p, ARB_AST_PLUS, ARB_PREC_SIGN, out);
    case ARB_TOKEN_TILDE:
        return parse_unary(p, ARB_AST_BIT_NOT, ARB_PREC_OTHER + 1, out);
    case ARB_TOKEN_AT:
        return parse_unary(p, ARB_AST_ABSOLUTE, ARB_PREC_OTHER + 1, out);
    default:
        if (AT_WORD(NOT))
            return parse_unary(p, ARB_AST_NOT, ARB_PREC_NOT, out);
        return arb_parse_operand(p, out);
    }
}

arb_code arb_parse_expr_within(arb_parser *p, arb_precedence least, const arb_ast_expr **out)
{
    arb_parser_level level;
    ARB_TRY(arb_parser_enter(p, &level));
    climb c = {.begin = arb_parser_begin(p)};
    ARB_TRY(parse_prefix(p, &c.left));
    for (;;) {
        arb_precedence precedence = precedence_here(p);
        if (precedence == ARB_PREC_ANY || precedence < least)
            break;
        ARB_TRY(parse_infix(p, &c, precedence));
    }
    *out = c.left;
    if (least == ARB_PREC_ANY)
        return arb_parser_leave(p, level);
    arb_parser_leave_flat(p, level);
    return ARB_OK;
}

arb_code arb_parse_expr(arb_parser *p, const arb_ast_expr **out)
{
    return arb_parse_expr_within(p, ARB_PREC_ANY, out);
}

arb_code arb_parse_expr_list(arb_parser *p, arb_token_kind close, arb_ast_exprs *out)
{
    do {
        if (arb_parser_sees(p, 0, close))
            break;
        const arb_ast_expr *expr;
        ARB_TRY(arb_parse_expr(p, &expr));
        PUSH(out, (arb_ast_expr *)expr);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}
