/* expr.h: typed expressions, as the binder makes them and the optimizer rewrites them.
 *
 * A tree of immutable nodes in the query's arena; sharing subtrees is fine. Columns are named by an id that is unique
 * in the query (plan/logical.h), not by position, so that rules can move expressions between nodes as they are. Types
 * are exact: every implicit conversion is an ARB_EXPR_CAST. Execution does not walk trees: program.h compiles them into
 * a flat list of typed loops. */
#ifndef ARB_EXPR_EXPR_H
#define ARB_EXPR_EXPR_H

#include "columnar/value.h"

typedef uint32_t arb_column_id;
#define ARB_NO_COLUMN UINT32_MAX

typedef enum arb_expr_kind {
    ARB_EXPR_CONSTANT, /* value */
    ARB_EXPR_COLUMN,   /* column */
    ARB_EXPR_CALL,     /* function(children…); operators such as + and || are functions too */
    ARB_EXPR_COMPARE,  /* children[0] op children[1], both of one type */
    ARB_EXPR_AND,      /* two or more BOOLEAN children, three-valued; none of them is an AND */
    ARB_EXPR_OR,       /* likewise */
    ARB_EXPR_NOT,
    ARB_EXPR_IS_NULL, /* never NULL itself */
    ARB_EXPR_CASE,    /* when, then, when, then, …, else; whens are BOOLEAN; a simple CASE is bound to comparisons */
    ARB_EXPR_COALESCE,
    ARB_EXPR_CAST, /* to `type`; `try_cast`: NULL instead of an error */
    ARB_EXPR_IN,   /* children[0] IN (children[1…]), CONSTANTs of the same type, not NULL, three or more */
    ARB_EXPR_KIND_COUNT
} arb_expr_kind;

typedef enum arb_compare {
    ARB_EQUAL,
    ARB_NOT_EQUAL,
    ARB_LESS,
    ARB_LESS_EQUAL,
    ARB_GREATER,
    ARB_GREATER_EQUAL,
    ARB_DISTINCT,     /* IS DISTINCT FROM: never NULL */
    ARB_NOT_DISTINCT, /* IS NOT DISTINCT FROM: never NULL */
} arb_compare;

typedef struct arb_function arb_function; /* function.h */

typedef struct arb_expr arb_expr;
struct arb_expr {
    uint8_t kind;     /* arb_expr_kind */
    uint8_t compare;  /* COMPARE: arb_compare */
    bool try_cast;    /* CAST */
    arb_type type;    /* of the result */
    int64_t position; /* 1-based byte in the SQL text, 0 when made by the optimizer; for error messages */
    uint32_t child_count;
    const arb_expr *const *children;
    union {
        arb_value value;              /* CONSTANT */
        arb_column_id column;         /* COLUMN */
        const arb_function *function; /* CALL */
    };
};

/* Constructors: NULL when there is no memory. Children are borrowed, their array is copied. */
arb_expr *arb_expr_constant(arb_arena *arena, arb_value value);
arb_expr *arb_expr_boolean(arb_arena *arena, bool value);
arb_expr *arb_expr_column(arb_arena *arena, arb_column_id column, arb_type type);
arb_expr *arb_expr_call(arb_arena *arena, const arb_function *function, arb_type result,
                        const arb_expr *const *children, size_t count);
arb_expr *arb_expr_compare(arb_arena *arena, arb_compare compare, const arb_expr *left, const arb_expr *right);
/* A conjunction or disjunction, flattened; of one child that child itself, of none TRUE or FALSE. */
const arb_expr *arb_expr_and(arb_arena *arena, const arb_expr *const *children, size_t count);
const arb_expr *arb_expr_or(arb_arena *arena, const arb_expr *const *children, size_t count);
arb_expr *arb_expr_not(arb_arena *arena, const arb_expr *child);
arb_expr *arb_expr_is_null(arb_arena *arena, const arb_expr *child);
arb_expr *arb_expr_case(arb_arena *arena, arb_type result, const arb_expr *const *children, size_t count);
arb_expr *arb_expr_coalesce(arb_arena *arena, arb_type result, const arb_expr *const *children, size_t count);
/* `child` itself when it has the type already. */
const arb_expr *arb_expr_cast(arb_arena *arena, const arb_expr *child, arb_type type, bool try_cast);
arb_expr *arb_expr_in(arb_arena *arena, const arb_expr *const *children, size_t count);
/* The same kind of node with other children (as many as the old one has). */
const arb_expr *arb_expr_with_children(arb_arena *arena, const arb_expr *expr, const arb_expr *const *children);

/* Structural equality, positions aside. */
bool arb_expr_equal(const arb_expr *a, const arb_expr *b);
uint64_t arb_expr_hash(const arb_expr *expr);

/* Rewrite bottom-up: `rewrite` gets each node with its children rewritten already and returns it or another one; NULL
 * means no memory, and so does the result. */
typedef const arb_expr *(*arb_expr_rewrite)(void *context, arb_arena *arena, const arb_expr *expr);
const arb_expr *arb_expr_transform(arb_arena *arena, const arb_expr *expr, arb_expr_rewrite rewrite, void *context);
/* Call `visit` for every node, parents first; it returns false to leave out a node's children. */
typedef bool (*arb_expr_visit)(void *context, const arb_expr *expr);
void arb_expr_walk(const arb_expr *expr, arb_expr_visit visit, void *context);

/* The conjuncts of a condition: its children when it is an AND, else itself. */
ARB_INLINE size_t arb_expr_conjunct_count(const arb_expr *condition)
{
    return condition->kind == ARB_EXPR_AND ? condition->child_count : 1;
}
ARB_INLINE const arb_expr *arb_expr_conjunct(const arb_expr *condition, size_t at)
{
    return condition->kind == ARB_EXPR_AND ? condition->children[at] : condition;
}

/* True when evaluating it can never fail, whatever the values: such an expression may be hoisted, reordered, or
 * evaluated on rows or dictionary entries that do not count. */
bool arb_expr_infallible(const arb_expr *expr);
/* False when it holds a volatile function (random()): then it must not be duplicated, moved or folded. */
bool arb_expr_deterministic(const arb_expr *expr);
/* Holds no column (and so can be folded when deterministic). */
bool arb_expr_is_constant(const arb_expr *expr);
ARB_INLINE bool arb_expr_is_true(const arb_expr *expr)
{
    return expr->kind == ARB_EXPR_CONSTANT && expr->type.id == ARB_TYPE_BOOLEAN && !expr->value.is_null &&
           expr->value.boolean;
}
/* The comparison with its sides changed over: a < b becomes b > a. */
arb_compare arb_compare_flip(arb_compare compare);
/* Its negation on values that are not NULL: < becomes >=. */
arb_compare arb_compare_negate(arb_compare compare);
const char *arb_compare_symbol(arb_compare compare);

/* As SQL would write it; a column prints as `print_column` says (NULL: "#7"). For EXPLAIN and messages. */
typedef void (*arb_print_column)(void *context, arb_text *out, arb_column_id column);
void arb_expr_print(arb_text *out, const arb_expr *expr, arb_print_column print_column, void *context);

#endif
