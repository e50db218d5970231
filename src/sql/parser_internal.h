/* parser_internal.h: what the parser's files share.
 *
 * Every arb_parse_x function begins at the current token, takes what belongs to an x, and leaves the parser at the
 * token behind it. On failure the error is filled and the parse is over: nothing is put back.
 *
 * Two limits keep everything that recurses within its stack. `depth` counts the calls that are under way; `height` the
 * levels of the tree built so far, since `x[1][1][1]…` grows upwards without recursion. Whoever recurses does it
 * between arb_parser_enter and arb_parser_leave, and whoever wraps a node in a loop calls arb_parser_grow. */
#ifndef ARB_SQL_PARSER_INTERNAL_H
#define ARB_SQL_PARSER_INTERNAL_H

#include "sql/ast_statement.h"
#include "sql/lexer.h"

typedef struct arb_parser {
    arb_arena *arena;
    arb_str source;          /* the whole text, in the arena */
    const arb_token *tokens; /* of one statement; the last one is END */
    size_t count, at;
    bool percent_ends;   /* in LIMIT: a % that nothing follows means percent */
    size_t bare_alias;   /* the token last taken as an alias without AS, for better hints */
    uint32_t depth;      /* of the calls */
    uint32_t height;     /* of the highest tree built since the last arb_parser_enter */
    uint32_t questions;  /* ? seen */
    uint32_t parameters; /* the highest parameter number */
    arb_error *error;
} arb_parser;

/* ---- tokens ------------------------------------------------------------------------------------------------------ */
ARB_INLINE const arb_token *arb_parser_peek(const arb_parser *p, size_t ahead)
{
    size_t at = p->at + ahead;
    return &p->tokens[at < p->count ? at : p->count - 1];
}

ARB_INLINE void arb_parser_advance(arb_parser *p)
{
    if (p->at + 1 < p->count)
        p->at++;
}

/* Is the token `ahead` of the current one that symbol (or other kind), that keyword? */
ARB_INLINE bool arb_parser_sees(const arb_parser *p, size_t ahead, arb_token_kind kind)
{
    return arb_parser_peek(p, ahead)->kind == kind;
}

ARB_INLINE bool arb_parser_sees_word(const arb_parser *p, size_t ahead, arb_keyword keyword)
{
    return arb_parser_peek(p, ahead)->keyword == keyword;
}

#define AT(kind_) arb_parser_sees(p, 0, ARB_TOKEN_##kind_)
#define AT_WORD(keyword_) arb_parser_sees_word(p, 0, ARB_KW_##keyword_)
#define NEXT_IS(kind_) arb_parser_sees(p, 1, ARB_TOKEN_##kind_)
#define NEXT_IS_WORD(keyword_) arb_parser_sees_word(p, 1, ARB_KW_##keyword_)
#define AT_WORDS(first_, second_) (AT_WORD(first_) && NEXT_IS_WORD(second_))

/* Take it if it is there. */
bool arb_parser_accept(arb_parser *p, arb_token_kind kind);
bool arb_parser_accept_word(arb_parser *p, arb_keyword keyword);
bool arb_parser_accept_words(arb_parser *p, arb_keyword first, arb_keyword second);
/* Take it, or fail. */
ARB_NODISCARD arb_code arb_parser_expect(arb_parser *p, arb_token_kind kind);
ARB_NODISCARD arb_code arb_parser_expect_word(arb_parser *p, arb_keyword keyword);

#define ACCEPT(kind_) arb_parser_accept(p, ARB_TOKEN_##kind_)
#define ACCEPT_WORD(keyword_) arb_parser_accept_word(p, ARB_KW_##keyword_)
#define ACCEPT_WORDS(first_, second_) arb_parser_accept_words(p, ARB_KW_##first_, ARB_KW_##second_)
#define EXPECT(kind_) ARB_TRY(arb_parser_expect(p, ARB_TOKEN_##kind_))
#define EXPECT_WORD(keyword_) ARB_TRY(arb_parser_expect_word(p, ARB_KW_##keyword_))

ARB_INLINE uint32_t arb_parser_begin(const arb_parser *p)
{
    return p->tokens[p->at].begin;
}

/* From `begin` to the end of the token taken last. */
arb_ast_span arb_parser_span(const arb_parser *p, uint32_t begin);

/* The token behind the bracket that closes the current one, counted from the current one; 0 when it is not closed. */
size_t arb_parser_behind_bracket(const arb_parser *p, size_t ahead);

/* ---- failures ---------------------------------------------------------------------------------------------------- */
/* `syntax error at or near "…"` at the current token, with a hint when it looks like a misspelt keyword. */
ARB_COLD arb_code arb_parser_syntax_error(arb_parser *p);
ARB_COLD arb_code arb_parser_fail_at(arb_parser *p, uint32_t begin, arb_code code, const char *format, ...)
    ARB_PRINTF(4, 5);
ARB_COLD arb_code arb_parser_out_of_memory(arb_parser *p);

/* ---- limits ------------------------------------------------------------------------------------------------------ */
typedef struct arb_parser_level {
    uint32_t height;
} arb_parser_level;

ARB_NODISCARD arb_code arb_parser_enter(arb_parser *p, arb_parser_level *level);
ARB_NODISCARD arb_code arb_parser_leave(arb_parser *p, arb_parser_level level);
/* Without counting a level of the tree: whoever made nodes has called arb_parser_grow for each. */
void arb_parser_leave_flat(arb_parser *p, arb_parser_level level);
ARB_NODISCARD arb_code arb_parser_grow(arb_parser *p);

/* ---- allocation -------------------------------------------------------------------------------------------------- */
/* A zeroed node of an expression; its span reaches to the token taken last and is set by arb_parser_close. */
ARB_NODISCARD void *arb_parser_node(arb_parser *p, size_t size, arb_ast_kind kind, uint32_t begin);

/* type *node = a new zeroed arb_ast_<name>, or leave with out of memory. */
#define NEW_EXPR(name_, kind_, variable_, begin_)                                                        \
    arb_ast_##name_ *variable_ = arb_parser_node(p, sizeof(arb_ast_##name_), ARB_AST_##kind_, (begin_)); \
    if (variable_ == NULL)                                                                               \
    return arb_parser_out_of_memory(p)
#define NEW_OBJECT(type_, variable_)                   \
    type_ *variable_ = ARB_ARENA_NEW(p->arena, type_); \
    if (variable_ == NULL)                             \
    return arb_parser_out_of_memory(p)
#define PUSH(list_, ...)                                     \
    do {                                                     \
        if (!ARB_ARENA_PUSH(p->arena, (list_), __VA_ARGS__)) \
            return arb_parser_out_of_memory(p);              \
    } while (0)
/* The node is complete: its text ends with the token taken last. */
#define CLOSE(node_) ((node_)->base.span.end = arb_parser_span(p, 0).end)

/* ---- names (parser_name.c) --------------------------------------------------------------------------------------- */
/* May the token be a name where a clause may follow it (an alias without AS), where none can, where any word may? */
bool arb_parser_sees_alias(const arb_parser *p, size_t ahead);
bool arb_parser_sees_name(const arb_parser *p, size_t ahead);
bool arb_parser_sees_label(const arb_parser *p, size_t ahead);

/* The current token as a name, whatever it is; of a string its text. */
ARB_NODISCARD arb_code arb_parse_token_as_name(arb_parser *p, arb_ast_name *out);
ARB_NODISCARD arb_code arb_parse_name(arb_parser *p, arb_ast_name *out);
ARB_NODISCARD arb_code arb_parse_label(arb_parser *p, arb_ast_name *out);
/* a, a.b, a.b.c */
ARB_NODISCARD arb_code arb_parse_qualified_name(arb_parser *p, arb_ast_names *out);
/* a.b.c as one text, "a.b.c"; strings are taken too. */
ARB_NODISCARD arb_code arb_parse_dotted_name(arb_parser *p, arb_ast_name *out);
/* (a, b, c) */
ARB_NODISCARD arb_code arb_parse_name_list(arb_parser *p, arb_ast_names *out);
ARB_NODISCARD arb_code arb_parse_string(arb_parser *p, arb_ast_name *out);

/* ---- expressions ------------------------------------------------------------------------------------------------- */
/* How tightly operators bind, loosest first, as PostgreSQL has it. */
typedef enum arb_precedence {
    ARB_PREC_ANY,
    ARB_PREC_OR,
    ARB_PREC_AND,
    ARB_PREC_NOT,
    ARB_PREC_IS,
    ARB_PREC_COMPARE,
    ARB_PREC_RANGE, /* BETWEEN, IN, LIKE */
    ARB_PREC_OTHER, /* ||, ->, &, … */
    ARB_PREC_ADD,
    ARB_PREC_MULTIPLY,
    ARB_PREC_POWER,
    ARB_PREC_AT_TIME_ZONE,
    ARB_PREC_COLLATE,
    ARB_PREC_SIGN,
} arb_precedence;

ARB_NODISCARD arb_code arb_parse_expr(arb_parser *p, const arb_ast_expr **out);
/* Only operators that bind at least as tightly. */
ARB_NODISCARD arb_code arb_parse_expr_within(arb_parser *p, arb_precedence least, const arb_ast_expr **out);
/* a, b, c; a comma may trail before `close`, which is not taken. */
ARB_NODISCARD arb_code arb_parse_expr_list(arb_parser *p, arb_token_kind close, arb_ast_exprs *out);
/* An operand with its casts, subscripts and fields (parser_operand.c). */
ARB_NODISCARD arb_code arb_parse_operand(arb_parser *p, const arb_ast_expr **out);
/* Forms that a word begins (parser_operand.c, parser_form.c, parser_literal.c, parser_nested.c). */
ARB_NODISCARD arb_code arb_parse_number(arb_parser *p, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_string_literal(arb_parser *p, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_keyword_literal(arb_parser *p, arb_ast_literal_type type, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_parameter(arb_parser *p, const arb_ast_expr **out);
bool arb_parser_sees_typed_literal(const arb_parser *p);
ARB_NODISCARD arb_code arb_parse_typed_literal(arb_parser *p, const arb_ast_expr **out);
bool arb_parser_sees_interval(const arb_parser *p);
ARB_NODISCARD arb_code arb_parse_interval(arb_parser *p, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_case(arb_parser *p, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_cast(arb_parser *p, bool try, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_star(arb_parser *p, const arb_ast_names *qualifier, const arb_ast_expr *of,
                                      uint32_t begin, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_list_literal(arb_parser *p, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_struct_literal(arb_parser *p, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_map_literal(arb_parser *p, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_subscript(arb_parser *p, const arb_ast_expr *operand, uint32_t begin,
                                           const arb_ast_expr **out);
bool arb_parser_sees_lambda(const arb_parser *p);
ARB_NODISCARD arb_code arb_parse_lambda(arb_parser *p, const arb_ast_expr **out);
/* The call of `name`, at its parenthesis; `first` is the operand of x.name(…), or NULL. `in_from` reads name = value
 * as a named argument (parser_call.c). */
ARB_NODISCARD arb_code arb_parse_call(arb_parser *p, const arb_ast_names *name, const arb_ast_expr *first,
                                      uint32_t begin, bool in_from, const arb_ast_call **out);
/* EXTRACT(…), TRIM(…) and their kin, if the current word begins one; *out is NULL if not (parser_form.c). */
ARB_NODISCARD arb_code arb_parse_special_call(arb_parser *p, const arb_ast_expr **out);
ARB_NODISCARD arb_code arb_parse_arguments(arb_parser *p, bool in_from, arb_ast_arguments *out);
/* What may follow a call's arguments: WITHIN GROUP, FILTER, IGNORE NULLS, OVER (parser_window.c). */
ARB_NODISCARD arb_code arb_parse_call_suffix(arb_parser *p, arb_ast_call *call);
ARB_NODISCARD arb_code arb_parse_window(arb_parser *p, const arb_ast_window **out);

/* ---- types (parser_type.c) --------------------------------------------------------------------------------------- */
ARB_NODISCARD arb_code arb_parse_type(arb_parser *p, const arb_ast_type **out);

/* ---- queries ----------------------------------------------------------------------------------------------------- */
/* Does a query begin `ahead` tokens from here, perhaps in parentheses? */
bool arb_parser_sees_query(const arb_parser *p, size_t ahead);
ARB_NODISCARD arb_code arb_parse_query(arb_parser *p, const arb_ast_query **out);
/* (query) */
ARB_NODISCARD arb_code arb_parse_query_in_parens(arb_parser *p, const arb_ast_query **out);
/* VALUES (…), (…) */
ARB_NODISCARD arb_code arb_parse_values(arb_parser *p, arb_ast_query **out);
/* One SELECT, FROM-first or not, or TABLE x, without ORDER BY and LIMIT (parser_select.c). */
ARB_NODISCARD arb_code arb_parse_select(arb_parser *p, const arb_ast_select **out);
/* SELECT * FROM table. */
ARB_NODISCARD arb_code arb_parse_select_all(arb_parser *p, const arb_ast_from *from, uint32_t begin,
                                            const arb_ast_query **out);
ARB_NODISCARD arb_code arb_parse_group_by(arb_parser *p, arb_ast_select *select);
/* a DESC, b NULLS FIRST; behind ORDER BY. */
ARB_NODISCARD arb_code arb_parse_sort_keys(arb_parser *p, arb_ast_sort_keys *out);
/* [ASC | DESC] [NULLS FIRST | LAST] */
ARB_NODISCARD arb_code arb_parse_sort_direction(arb_parser *p, arb_ast_sort_key *key);
/* One FROM item with the joins behind it (parser_from.c). */
ARB_NODISCARD arb_code arb_parse_from(arb_parser *p, const arb_ast_from **out);
/* A table by name or path, without alias. */
ARB_NODISCARD arb_code arb_parse_table(arb_parser *p, arb_ast_from **out);
ARB_NODISCARD arb_code arb_parse_sample(arb_parser *p, arb_ast_sample *out);
/* Does a word behind a comma end a list, so that the comma trails? */
bool arb_parser_sees_list_end(const arb_parser *p);

/* ---- statements -------------------------------------------------------------------------------------------------- */
ARB_NODISCARD arb_code arb_parse_statement(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD void *arb_parser_statement(arb_parser *p, size_t size, arb_ast_statement_kind kind, uint32_t begin);
#define NEW_STATEMENT(name_, kind_, variable_, begin_)                                         \
    arb_ast_##name_ *variable_ =                                                               \
        arb_parser_statement(p, sizeof(arb_ast_##name_), ARB_AST_STATEMENT_##kind_, (begin_)); \
    if (variable_ == NULL)                                                                     \
    return arb_parser_out_of_memory(p)

ARB_NODISCARD arb_code arb_parse_create(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_drop(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_insert(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_copy(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_describe(arb_parser *p, bool summarize, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_show(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_set(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_reset(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_use(arb_parser *p, const arb_ast_statement **out);
ARB_NODISCARD arb_code arb_parse_external_table(arb_parser *p, arb_ast_create_external *table);
ARB_NODISCARD arb_code arb_parse_column_definitions(arb_parser *p, arb_ast_column_definitions *out,
                                                    arb_ast_create_table *table);
/* (name value, name = value, name) */
ARB_NODISCARD arb_code arb_parse_options(arb_parser *p, arb_ast_options *out);
ARB_NODISCARD arb_code arb_parse_option_value(arb_parser *p, const arb_ast_expr **out);

#endif
