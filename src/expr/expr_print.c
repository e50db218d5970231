/* expr_print.c: expressions as SQL writes them, with as few parentheses as their meaning allows. */
#include "expr/function.h"

/* How tightly a node's text binds; a child that binds looser than its place wants gets parentheses. */
enum { bind_or = 1, bind_and, bind_not, bind_compare, bind_operator, bind_sum, bind_product, bind_unary, bind_atom };

typedef struct printer {
    arb_text *out;
    arb_print_column print_column;
    void *context;
} printer;

static bool is_operator(const arb_expr *expr)
{
    char first = expr->function->name[0];
    bool word = (first >= 'a' && first <= 'z') || first == '_';
    return !word && (expr->child_count == 1 || expr->child_count == 2);
}

static int binding(const arb_expr *expr)
{
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_OR:
        return bind_or;
    case ARB_EXPR_AND:
        return bind_and;
    case ARB_EXPR_NOT:
        return expr->children[0]->kind == ARB_EXPR_IS_NULL ? bind_compare : bind_not;
    case ARB_EXPR_COMPARE:
    case ARB_EXPR_IN:
    case ARB_EXPR_IS_NULL:
        return bind_compare;
    case ARB_EXPR_CALL:
        if (!is_operator(expr))
            return bind_atom;
        if (expr->child_count == 1)
            return bind_unary;
        if (expr->function->name[1] == '\0' && strchr("+-", expr->function->name[0]) != NULL)
            return bind_sum;
        if (expr->function->name[1] == '\0' && strchr("*/%", expr->function->name[0]) != NULL)
            return bind_product;
        return bind_operator;
    default:
        return bind_atom;
    }
}

static void print(const printer *p, const arb_expr *expr);

static void print_at(const printer *p, const arb_expr *expr, int wanted)
{
    bool parentheses = binding(expr) < wanted;
    if (parentheses)
        arb_text_append_char(p->out, '(');
    print(p, expr);
    if (parentheses)
        arb_text_append_char(p->out, ')');
}

static void print_list(const printer *p, const arb_expr *const *exprs, size_t count, const char *separator, int wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            arb_text_append_str(p->out, arb_str_of(separator));
        print_at(p, exprs[i], wanted);
    }
}

static void print_constant(arb_text *out, const arb_value *value)
{
    if (value->is_null) {
        arb_text_append_str(out, ARB_STR("NULL"));
        return;
    }
    if (value->type.id == ARB_TYPE_BOOLEAN || arb_type_is_numeric(value->type)) {
        arb_value_print(out, value);
        return;
    }
    if (value->type.id != ARB_TYPE_VARCHAR) {
        arb_type_print(out, value->type);
        arb_text_append_char(out, ' ');
    }
    arb_text text = {0};
    arb_value_print(&text, value);
    out->failed |= text.failed;
    arb_text_append_char(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'')
            arb_text_append_char(out, '\'');
        arb_text_append_char(out, text.data[i]);
    }
    arb_text_append_char(out, '\'');
    arb_text_reset(&text);
}

static void print_call(const printer *p, const arb_expr *expr)
{
    if (!is_operator(expr)) {
        arb_text_printf(p->out, "%s(", expr->function->name);
        print_list(p, expr->children, expr->child_count, ", ", 0);
        arb_text_append_char(p->out, ')');
    } else if (expr->child_count == 1) {
        arb_text_printf(p->out, "%s", expr->function->name);
        print_at(p, expr->children[0], bind_atom);
    } else {
        int own = binding(expr);
        print_at(p, expr->children[0], own);
        arb_text_printf(p->out, " %s ", expr->function->name);
        print_at(p, expr->children[1], own + 1);
    }
}

static void print_case(const printer *p, const arb_expr *expr)
{
    arb_text_append_str(p->out, ARB_STR("CASE"));
    for (size_t i = 0; i + 1 < expr->child_count; i += 2) {
        arb_text_append_str(p->out, ARB_STR(" WHEN "));
        print(p, expr->children[i]);
        arb_text_append_str(p->out, ARB_STR(" THEN "));
        print(p, expr->children[i + 1]);
    }
    arb_text_append_str(p->out, ARB_STR(" ELSE "));
    print(p, expr->children[expr->child_count - 1]);
    arb_text_append_str(p->out, ARB_STR(" END"));
}

static void print_not(const printer *p, const arb_expr *child)
{
    if (child->kind == ARB_EXPR_IS_NULL) {
        print_at(p, child->children[0], bind_operator);
        arb_text_append_str(p->out, ARB_STR(" IS NOT NULL"));
    } else {
        arb_text_append_str(p->out, ARB_STR("NOT "));
        print_at(p, child, bind_not);
    }
}

static void print(const printer *p, const arb_expr *expr)
{
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        print_constant(p->out, &expr->value);
        break;
    case ARB_EXPR_COLUMN:
        if (p->print_column != NULL)
            p->print_column(p->context, p->out, expr->column);
        else
            arb_text_printf(p->out, "#%u", (unsigned)expr->column);
        break;
    case ARB_EXPR_CALL:
        print_call(p, expr);
        break;
    case ARB_EXPR_COMPARE:
        print_at(p, expr->children[0], bind_operator);
        arb_text_printf(p->out, " %s ", arb_compare_symbol((arb_compare)expr->compare));
        print_at(p, expr->children[1], bind_operator);
        break;
    case ARB_EXPR_AND:
        print_list(p, expr->children, expr->child_count, " AND ", bind_not);
        break;
    case ARB_EXPR_OR:
        print_list(p, expr->children, expr->child_count, " OR ", bind_and);
        break;
    case ARB_EXPR_NOT:
        print_not(p, expr->children[0]);
        break;
    case ARB_EXPR_IS_NULL:
        print_at(p, expr->children[0], bind_operator);
        arb_text_append_str(p->out, ARB_STR(" IS NULL"));
        break;
    case ARB_EXPR_CASE:
        print_case(p, expr);
        break;
    case ARB_EXPR_COALESCE:
        arb_text_append_str(p->out, ARB_STR("coalesce("));
        print_list(p, expr->children, expr->child_count, ", ", 0);
        arb_text_append_char(p->out, ')');
        break;
    case ARB_EXPR_CAST:
        arb_text_append_str(p->out, expr->try_cast ? ARB_STR("TRY_CAST(") : ARB_STR("CAST("));
        print(p, expr->children[0]);
        arb_text_append_str(p->out, ARB_STR(" AS "));
        arb_type_print(p->out, expr->type);
        arb_text_append_char(p->out, ')');
        break;
    case ARB_EXPR_IN:
        print_at(p, expr->children[0], bind_operator);
        arb_text_append_str(p->out, ARB_STR(" IN ("));
        print_list(p, expr->children + 1, expr->child_count - 1, ", ", 0);
        arb_text_append_char(p->out, ')');
        break;
    case ARB_EXPR_KIND_COUNT:
        break;
    }
}

void arb_expr_print(arb_text *out, const arb_expr *expr, arb_print_column print_column, void *context)
{
    const printer p = {.out = out, .print_column = print_column, .context = context};
    print(&p, expr);
}
