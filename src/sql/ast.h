/* ast.h: the syntax tree of expressions and types, as written, before any name is looked up.
 *
 * Everything lives in the arena that was given to the parser, texts included, and is read-only once parsed. Every node
 * begins with a base that tells its kind and which bytes of the SQL text it covers, so that an error can point at it
 * and an unnamed column can be called by its own text. A node is looked at through a checked downcast:
 *
 *     switch (expr->kind) {
 *     case ARB_AST_LITERAL: return bind_literal(arb_ast_as_literal(expr));
 *
 * Trees are never deep where texts are merely long: `a AND b AND c …` is one node with n operands, `a + b - c …` one
 * node with n - 1 steps, and the parser refuses what is nested deeper than ARB_AST_HEIGHT_MAX, so that every walk may
 * recurse. See ast_query.h for queries and ast_statement.h for statements. */
#ifndef ARB_SQL_AST_H
#define ARB_SQL_AST_H

#include "base/text.h"
#include "base/vec.h"

/* No path from a statement to a leaf of its tree is longer. */
enum { ARB_AST_HEIGHT_MAX = 1000 };

typedef struct arb_ast_query arb_ast_query;   /* ast_query.h */
typedef struct arb_ast_window arb_ast_window; /* ast_query.h */
typedef struct arb_ast_type arb_ast_type;

/* X(KIND, struct name without arb_ast_) */
#define ARB_AST_EXPRS(X)            \
    X(LITERAL, literal)             \
    X(TYPED_LITERAL, typed_literal) \
    X(INTERVAL, interval)           \
    X(COLUMN, column)               \
    X(STAR, star)                   \
    X(COLUMNS, columns)             \
    X(ORDINAL, ordinal)             \
    X(PARAMETER, parameter)         \
    X(DEFAULT, default)             \
    X(UNARY, unary)                 \
    X(OPERATION, operation)         \
    X(LOGICAL, logical)             \
    X(IS, is)                       \
    X(BETWEEN, between)             \
    X(IN, in)                       \
    X(LIKE, like)                   \
    X(QUANTIFIED, quantified)       \
    X(SUBQUERY, subquery)           \
    X(CALL, call)                   \
    X(CASE, case)                   \
    X(CAST, cast)                   \
    X(COLLATE, collate)             \
    X(ROW, row)                     \
    X(LIST, list)                   \
    X(STRUCT, struct)               \
    X(MAP, map)                     \
    X(LAMBDA, lambda)               \
    X(SUBSCRIPT, subscript)         \
    X(FIELD, field)

typedef enum arb_ast_kind {
#define X(kind, name) ARB_AST_##kind,
    ARB_AST_EXPRS(X)
#undef X
} arb_ast_kind;

/* The bytes [begin, end) of the SQL text, counted from 0; an error's position is begin + 1. */
typedef struct arb_ast_span {
    uint32_t begin, end;
} arb_ast_span;

typedef struct arb_ast_expr {
    arb_ast_kind kind;
    arb_ast_span span;
} arb_ast_expr;

typedef ARB_VEC(arb_ast_expr *) arb_ast_exprs;

/* One identifier. Compared without regard to case unless quoted. */
typedef struct arb_ast_name {
    arb_str text; /* without quotes; empty when there is no name */
    arb_ast_span span;
    bool quoted;
} arb_ast_name;

typedef ARB_VEC(arb_ast_name) arb_ast_names;

/* ---- leaves ------------------------------------------------------------------------------------------------------ */
typedef enum arb_ast_literal_type {
    ARB_AST_NULL,
    ARB_AST_TRUE,
    ARB_AST_FALSE,
    ARB_AST_INTEGER, /* decimal digits, perhaps with a leading minus, of any length; hexadecimal is converted */
    ARB_AST_DECIMAL, /* digits with a point */
    ARB_AST_DOUBLE,  /* with an exponent */
    ARB_AST_STRING,
    ARB_AST_BLOB, /* the bytes of x'…' */
} arb_ast_literal_type;

typedef struct arb_ast_literal {
    arb_ast_expr base;
    arb_ast_literal_type type;
    arb_str text; /* numbers without underscores; strings and blobs decoded */
} arb_ast_literal;

typedef struct arb_ast_typed_literal { /* DATE '2000-01-01' and any other type 'text' */
    arb_ast_expr base;
    const arb_ast_type *type;
    arb_str text;
} arb_ast_typed_literal;

typedef enum arb_ast_unit {
    ARB_AST_NO_UNIT,
    ARB_AST_MICROSECOND,
    ARB_AST_MILLISECOND,
    ARB_AST_SECOND,
    ARB_AST_MINUTE,
    ARB_AST_HOUR,
    ARB_AST_DAY,
    ARB_AST_WEEK,
    ARB_AST_MONTH,
    ARB_AST_QUARTER,
    ARB_AST_YEAR,
    ARB_AST_DECADE,
    ARB_AST_CENTURY,
    ARB_AST_MILLENNIUM,
} arb_ast_unit;

/* INTERVAL '1 day', INTERVAL '3' MONTH, INTERVAL 3 MONTH, INTERVAL (n) DAY, INTERVAL '1-2' YEAR TO MONTH. */
typedef struct arb_ast_interval {
    arb_ast_expr base;
    const arb_ast_expr *value; /* a string literal, or any expression when there is a unit */
    arb_ast_unit unit, to;     /* `to` only in the standard's ranges */
    int precision;             /* of the seconds; -1 when not given */
} arb_ast_interval;

typedef struct arb_ast_column { /* a, t.a, s.t.a; trailing parts may turn out to be fields of a struct */
    arb_ast_expr base;
    arb_ast_names parts; /* at least one */
} arb_ast_column;

typedef struct arb_ast_replacement { /* of * REPLACE (expr AS name), and of * RENAME (a AS b) with a column as expr */
    const arb_ast_expr *expr;
    arb_ast_name name;
} arb_ast_replacement;

typedef ARB_VEC(arb_ast_replacement) arb_ast_replacements;

typedef struct arb_ast_star { /* *, t.*, (expr).*, count(*) */
    arb_ast_expr base;
    arb_ast_names qualifier;
    const arb_ast_expr *of; /* the struct whose fields are meant, or NULL */
    arb_ast_exprs exclude;  /* columns */
    arb_ast_replacements replace, rename;
} arb_ast_star;

typedef struct arb_ast_columns { /* COLUMNS(*), COLUMNS('regex'), COLUMNS(c -> …) */
    arb_ast_expr base;
    const arb_ast_expr *chosen;
} arb_ast_columns;

typedef struct arb_ast_ordinal { /* #2: the second column of the FROM clause */
    arb_ast_expr base;
    uint32_t number;
} arb_ast_ordinal;

typedef struct arb_ast_parameter { /* ? (numbered in order), $1, $name, :name */
    arb_ast_expr base;
    uint32_t number; /* from 1; 0 when named */
    arb_str name;
} arb_ast_parameter;

typedef struct arb_ast_default { /* DEFAULT in the VALUES of an INSERT */
    arb_ast_expr base;
} arb_ast_default;

/* ---- operators --------------------------------------------------------------------------------------------------- */
/* X(NAME, as written) */
#define ARB_AST_OPERATORS(X)                       \
    X(ADD, "+")                                    \
    X(SUBTRACT, "-")                               \
    X(MULTIPLY, "*")                               \
    X(DIVIDE, "/")                                 \
    X(INTEGER_DIVIDE, "//")                        \
    X(MODULO, "%")                                 \
    X(POWER, "^")                                  \
    X(EQUAL, "=")                                  \
    X(NOT_EQUAL, "<>")                             \
    X(LESS, "<")                                   \
    X(LESS_EQUAL, "<=")                            \
    X(GREATER, ">")                                \
    X(GREATER_EQUAL, ">=")                         \
    X(DISTINCT, "is distinct from")                \
    X(NOT_DISTINCT, "is not distinct from")        \
    X(CONCAT, "||")                                \
    X(BIT_AND, "&")                                \
    X(BIT_OR, "|")                                 \
    X(BIT_XOR, "#")                                \
    X(SHIFT_LEFT, "<<")                            \
    X(SHIFT_RIGHT, ">>")                           \
    X(REGEX, "~")                                  \
    X(REGEX_NOCASE, "~*")                          \
    X(NOT_REGEX, "!~")                             \
    X(NOT_REGEX_NOCASE, "!~*")                     \
    X(ARROW, "->")                                 \
    X(ARROW_TEXT, "->>")                           \
    X(CONTAINS, "@>")                              \
    X(CONTAINED, "<@")                             \
    X(OVERLAP, "&&")                               \
    X(STARTS_WITH, "^@")                           \
    /* only with ANY and ALL; else ARB_AST_LIKE */ \
    X(LIKE_OP, "like")                             \
    X(NOT_LIKE_OP, "not like")                     \
    X(ILIKE_OP, "ilike")                           \
    X(NOT_ILIKE_OP, "not ilike")

typedef enum arb_ast_operator {
#define X(name, text) ARB_AST_OP_##name,
    ARB_AST_OPERATORS(X)
#undef X
} arb_ast_operator;

/* "+" for ARB_AST_OP_ADD. */
const char *arb_ast_operator_text(arb_ast_operator op);

typedef enum arb_ast_unary_operator {
    ARB_AST_NEGATE,
    ARB_AST_PLUS,
    ARB_AST_NOT,
    ARB_AST_BIT_NOT,
    ARB_AST_ABSOLUTE, /* @ x */
} arb_ast_unary_operator;

typedef struct arb_ast_unary {
    arb_ast_expr base;
    arb_ast_unary_operator op;
    const arb_ast_expr *operand;
} arb_ast_unary;

typedef struct arb_ast_step {
    arb_ast_operator op;
    arb_ast_span span; /* of the operator */
    const arb_ast_expr *operand;
} arb_ast_step;

/* first op operand op operand …: operators of one precedence, applied from left to right. Comparisons have one step. */
typedef struct arb_ast_operation {
    arb_ast_expr base;
    const arb_ast_expr *first;
    ARB_VEC(arb_ast_step) steps; /* at least one */
} arb_ast_operation;

typedef struct arb_ast_logical { /* AND or OR of two and more operands */
    arb_ast_expr base;
    bool is_or;
    arb_ast_exprs operands;
} arb_ast_logical;

typedef struct arb_ast_is { /* x IS [NOT] NULL, TRUE, FALSE, UNKNOWN (as NULL) */
    arb_ast_expr base;
    const arb_ast_expr *operand;
    arb_ast_literal_type test; /* ARB_AST_NULL, ARB_AST_TRUE or ARB_AST_FALSE */
    bool negated;
} arb_ast_is;

typedef struct arb_ast_between {
    arb_ast_expr base;
    const arb_ast_expr *operand, *low, *high;
    bool negated, symmetric;
} arb_ast_between;

typedef struct arb_ast_in { /* exactly one of list, query and collection is meant */
    arb_ast_expr base;
    const arb_ast_expr *operand;
    arb_ast_exprs list;             /* x IN (a, b); may be empty */
    const arb_ast_query *query;     /* x IN (SELECT …) */
    const arb_ast_expr *collection; /* x IN a_list */
    bool negated;
} arb_ast_in;

typedef enum arb_ast_pattern {
    ARB_AST_PATTERN_LIKE,
    ARB_AST_PATTERN_ILIKE,
    ARB_AST_PATTERN_SIMILAR,
    ARB_AST_PATTERN_GLOB
} arb_ast_pattern;

typedef struct arb_ast_like {
    arb_ast_expr base;
    const arb_ast_expr *operand, *pattern;
    const arb_ast_expr *escape; /* or NULL */
    arb_ast_pattern type;
    bool negated;
} arb_ast_like;

typedef struct arb_ast_quantified { /* x op ANY (SELECT …), x op ALL (list) */
    arb_ast_expr base;
    const arb_ast_expr *operand;
    arb_ast_operator op;
    bool all;
    const arb_ast_query *query;     /* or NULL */
    const arb_ast_expr *collection; /* or NULL */
} arb_ast_quantified;

typedef enum arb_ast_subquery_type { ARB_AST_SCALAR, ARB_AST_EXISTS, ARB_AST_ARRAY_OF } arb_ast_subquery_type;

typedef struct arb_ast_subquery {
    arb_ast_expr base;
    arb_ast_subquery_type type;
    const arb_ast_query *query;
} arb_ast_subquery;

/* ---- functions and special forms --------------------------------------------------------------------------------- */
typedef struct arb_ast_argument {
    arb_ast_name name; /* of name => value, name := value and value AS name; else empty */
    const arb_ast_expr *value;
} arb_ast_argument;

typedef ARB_VEC(arb_ast_argument) arb_ast_arguments;

typedef enum arb_ast_nulls { ARB_AST_NULLS_DEFAULT, ARB_AST_NULLS_FIRST, ARB_AST_NULLS_LAST } arb_ast_nulls;

typedef struct arb_ast_sort_key {
    const arb_ast_expr *expr;
    bool descending;
    arb_ast_nulls nulls;
} arb_ast_sort_key;

typedef ARB_VEC(arb_ast_sort_key) arb_ast_sort_keys;

/* How a call was written, where that is not name(arguments). */
typedef enum arb_ast_call_form {
    ARB_AST_CALL_PLAIN,
    ARB_AST_CALL_KEYWORD,      /* current_date, current_timestamp(3): no parentheses needed */
    ARB_AST_CALL_EXTRACT,      /* extract(year FROM x): arguments 'year', x */
    ARB_AST_CALL_SUBSTRING,    /* substring(x FROM a FOR n): arguments x, a [, n] */
    ARB_AST_CALL_POSITION,     /* position(needle IN x): arguments needle, x */
    ARB_AST_CALL_TRIM,         /* trim(BOTH y FROM x): name trim, ltrim or rtrim, arguments x [, y] */
    ARB_AST_CALL_OVERLAY,      /* overlay(x PLACING y FROM a FOR n): arguments x, y, a [, n] */
    ARB_AST_CALL_AT_TIME_ZONE, /* x AT TIME ZONE z: name timezone, arguments z, x */
    ARB_AST_CALL_METHOD,       /* x.name(…): x is the first argument */
} arb_ast_call_form;

typedef struct arb_ast_call {
    arb_ast_expr base;
    arb_ast_call_form form;
    arb_ast_names name; /* one to three parts */
    arb_ast_arguments arguments;
    bool distinct;
    bool ignore_nulls;              /* IGNORE NULLS; RESPECT NULLS is the default */
    arb_ast_sort_keys order_by;     /* f(x ORDER BY y) */
    arb_ast_sort_keys within_group; /* f(x) WITHIN GROUP (ORDER BY y) */
    const arb_ast_expr *filter;     /* FILTER (WHERE …), or NULL */
    const arb_ast_window *over;     /* or NULL */
} arb_ast_call;

typedef struct arb_ast_when {
    const arb_ast_expr *when, *then;
} arb_ast_when;

typedef struct arb_ast_case {
    arb_ast_expr base;
    const arb_ast_expr *operand; /* CASE operand WHEN …, or NULL */
    ARB_VEC(arb_ast_when) whens;
    const arb_ast_expr *otherwise; /* or NULL */
} arb_ast_case;

typedef struct arb_ast_cast { /* CAST(x AS t), TRY_CAST(x AS t), x::t */
    arb_ast_expr base;
    const arb_ast_expr *operand;
    const arb_ast_type *type;
    bool try;
} arb_ast_cast;

typedef struct arb_ast_collate {
    arb_ast_expr base;
    const arb_ast_expr *operand;
    arb_ast_names collation;
} arb_ast_collate;

/* ---- nested values ----------------------------------------------------------------------------------------------- */
typedef struct arb_ast_row { /* ROW(a, b), (a, b) */
    arb_ast_expr base;
    arb_ast_exprs elements;
} arb_ast_row;

typedef struct arb_ast_list { /* [a, b], ARRAY[a, b] */
    arb_ast_expr base;
    arb_ast_exprs elements;
} arb_ast_list;

typedef struct arb_ast_struct { /* {a: 1, 'b': 2} */
    arb_ast_expr base;
    arb_ast_arguments fields;
} arb_ast_struct;

typedef struct arb_ast_map { /* MAP {k: v, …} */
    arb_ast_expr base;
    arb_ast_exprs keys, values;
} arb_ast_map;

/* x -> body, (x, y) -> body, LAMBDA x, y: body. `f(x -> 'text')` stays an operation, which may mean either. */
typedef struct arb_ast_lambda {
    arb_ast_expr base;
    arb_ast_names parameters;
    const arb_ast_expr *body;
} arb_ast_lambda;

typedef struct arb_ast_subscript { /* x[i], x[a:b], x[a:b:step] */
    arb_ast_expr base;
    const arb_ast_expr *operand;
    bool slice;
    const arb_ast_expr *low; /* the index when it is no slice; each of a slice's may be NULL */
    const arb_ast_expr *high, *step;
} arb_ast_subscript;

typedef struct arb_ast_field { /* (x).name */
    arb_ast_expr base;
    const arb_ast_expr *operand;
    arb_ast_name name;
} arb_ast_field;

/* const arb_ast_column *arb_ast_as_column(const arb_ast_expr *), and so on: the node of that kind. */
#define X(kind_, name_)                                                            \
    ARB_INLINE const arb_ast_##name_ *arb_ast_as_##name_(const arb_ast_expr *expr) \
    {                                                                              \
        assert(expr->kind == ARB_AST_##kind_);                                     \
        return (const arb_ast_##name_ *)expr;                                      \
    }
ARB_AST_EXPRS(X)
#undef X

/* ---- types ------------------------------------------------------------------------------------------------------- */
typedef enum arb_ast_type_kind {
    ARB_AST_TYPE_NAMED,  /* name(modifiers) */
    ARB_AST_TYPE_LIST,   /* element[], element ARRAY */
    ARB_AST_TYPE_ARRAY,  /* element[size] */
    ARB_AST_TYPE_STRUCT, /* STRUCT(a INT, b TEXT), ROW(a INT) */
    ARB_AST_TYPE_MAP,    /* MAP(key, element) */
} arb_ast_type_kind;

typedef struct arb_ast_type_field {
    arb_ast_name name;
    const arb_ast_type *type;
} arb_ast_type_field;

struct arb_ast_type {
    arb_ast_type_kind kind;
    arb_ast_span span;
    /* The last part of the name as written; of several words one: double, varchar, char, bit, timestamp, timestamptz,
     * time, timetz. */
    arb_ast_name name;
    arb_ast_names qualifier;     /* parts before it; mostly none */
    arb_ast_exprs modifiers;     /* literals */
    const arb_ast_type *element; /* of a list and an array; the value of a map */
    const arb_ast_type *key;
    uint32_t size; /* of an array */
    ARB_VEC(arb_ast_type_field) fields;
};

#endif
