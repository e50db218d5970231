#include "sql/ast_dump.h"

/* ---- names and lists --------------------------------------------------------------------------------------------- */
static void put(arb_text *out, const char *text)
{
    arb_text_append_str(out, arb_str_of(text));
}

void arb_ast_dump_name(const arb_ast_name *name, arb_text *out)
{
    arb_text_printf(out, name->quoted ? "\"%.*s\"" : "%.*s", ARB_STR_ARGS(name->text));
}

void arb_ast_dump_names(const arb_ast_names *names, const char *separator, arb_text *out)
{
    for (size_t i = 0; i < names->size; i++) {
        if (i != 0)
            put(out, separator);
        arb_ast_dump_name(&names->data[i], out);
    }
}

static void put_expr(const arb_ast_expr *expr, arb_text *out)
{
    put(out, " ");
    arb_ast_dump_expr(expr, out);
}

void arb_ast_dump_exprs(const arb_ast_exprs *exprs, arb_text *out)
{
    for (size_t i = 0; i < exprs->size; i++)
        put_expr(exprs->data[i], out);
}

/* " head=expr" */
static void put_option(const char *head, const arb_ast_expr *expr, arb_text *out)
{
    if (expr == NULL)
        return;
    put(out, head);
    arb_ast_dump_expr(expr, out);
}

void arb_ast_dump_sort_keys(const char *head, const arb_ast_sort_keys *keys, arb_text *out)
{
    static const char *const nulls[] = {"", " nulls-first", " nulls-last"};
    if (keys->size == 0)
        return;
    arb_text_printf(out, " (%s", head);
    for (size_t i = 0; i < keys->size; i++) {
        const arb_ast_sort_key *key = &keys->data[i];
        bool plain = !key->descending && key->nulls == ARB_AST_NULLS_DEFAULT;
        put(out, plain ? " " : " (");
        if (key->expr != NULL)
            arb_ast_dump_expr(key->expr, out);
        else
            put(out, "all");
        if (!plain)
            arb_text_printf(out, "%s%s)", key->descending ? " desc" : "", nulls[key->nulls]);
    }
    put(out, ")");
}

/* ---- leaves ------------------------------------------------------------------------------------------------------ */
static void dump_string(arb_str text, arb_text *out)
{
    put(out, "'");
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\n')
            put(out, "\\n");
        else
            arb_text_append_char(out, text.data[i]);
    }
    put(out, "'");
}

static void dump_literal(const arb_ast_literal *literal, arb_text *out)
{
    switch (literal->type) {
    case ARB_AST_NULL:
        put(out, "null");
        break;
    case ARB_AST_TRUE:
        put(out, "true");
        break;
    case ARB_AST_FALSE:
        put(out, "false");
        break;
    case ARB_AST_INTEGER:
    case ARB_AST_DECIMAL:
        arb_text_append_str(out, literal->text);
        break;
    case ARB_AST_DOUBLE:
        arb_text_printf(out, "%.*s:double", ARB_STR_ARGS(literal->text));
        break;
    case ARB_AST_STRING:
        dump_string(literal->text, out);
        break;
    case ARB_AST_BLOB:
        put(out, "x'");
        for (size_t i = 0; i < literal->text.size; i++)
            arb_text_printf(out, "%02x", (unsigned char)literal->text.data[i]);
        put(out, "'");
        break;
    }
}

static const char *unit_text(arb_ast_unit unit)
{
    static const char *const texts[] = {"",     "microsecond", "millisecond", "second",    "minute",
                                        "hour", "day",         "week",        "month",     "quarter",
                                        "year", "decade",      "century",     "millennium"};
    return texts[unit];
}

static void dump_interval(const arb_ast_interval *interval, arb_text *out)
{
    put(out, "(interval");
    put_expr(interval->value, out);
    if (interval->unit != ARB_AST_NO_UNIT)
        arb_text_printf(out, " %s", unit_text(interval->unit));
    if (interval->to != ARB_AST_NO_UNIT)
        arb_text_printf(out, " to %s", unit_text(interval->to));
    if (interval->precision >= 0)
        arb_text_printf(out, " precision=%d", interval->precision);
    put(out, ")");
}

static void dump_replacements(const char *head, const arb_ast_replacements *items, arb_text *out)
{
    if (items->size == 0)
        return;
    arb_text_printf(out, " (%s", head);
    for (size_t i = 0; i < items->size; i++) {
        put(out, " ");
        arb_ast_dump_name(&items->data[i].name, out);
        put(out, "=");
        arb_ast_dump_expr(items->data[i].expr, out);
    }
    put(out, ")");
}

static void dump_star(const arb_ast_star *star, arb_text *out)
{
    bool plain = star->exclude.size == 0 && star->replace.size == 0 && star->rename.size == 0;
    put(out, plain ? "" : "(");
    if (star->of != NULL) {
        put(out, "(.* ");
        arb_ast_dump_expr(star->of, out);
        put(out, ")");
    } else {
        arb_ast_dump_names(&star->qualifier, ".", out);
        put(out, star->qualifier.size != 0 ? ".*" : "*");
    }
    if (plain)
        return;
    if (star->exclude.size != 0) {
        put(out, " (exclude");
        arb_ast_dump_exprs(&star->exclude, out);
        put(out, ")");
    }
    dump_replacements("replace", &star->replace, out);
    dump_replacements("rename", &star->rename, out);
    put(out, ")");
}

static void dump_parameter(const arb_ast_parameter *parameter, arb_text *out)
{
    if (parameter->number != 0)
        arb_text_printf(out, "$%u", parameter->number);
    else
        arb_text_printf(out, "$%.*s", ARB_STR_ARGS(parameter->name));
}

/* ---- operators --------------------------------------------------------------------------------------------------- */
static void dump_unary(const arb_ast_unary *unary, arb_text *out)
{
    static const char *const texts[] = {"-", "+", "not", "~", "@"};
    arb_text_printf(out, "(%s", texts[unary->op]);
    put_expr(unary->operand, out);
    put(out, ")");
}

/* (a + b - c) as (- (+ a b) c). */
static void dump_operation(const arb_ast_operation *operation, arb_text *out)
{
    for (size_t i = operation->steps.size; i > 0; i--)
        arb_text_printf(out, "(%s ", arb_ast_operator_text(operation->steps.data[i - 1].op));
    arb_ast_dump_expr(operation->first, out);
    for (size_t i = 0; i < operation->steps.size; i++) {
        put_expr(operation->steps.data[i].operand, out);
        put(out, ")");
    }
}

static void dump_in(const arb_ast_in *in, arb_text *out)
{
    put(out, in->negated ? "(not-in" : "(in");
    put_expr(in->operand, out);
    if (in->query != NULL) {
        put(out, " ");
        arb_ast_dump_query(in->query, out);
    } else if (in->collection != NULL) {
        put_expr(in->collection, out);
    } else {
        put(out, " (");
        for (size_t i = 0; i < in->list.size; i++) {
            put(out, i == 0 ? "" : " ");
            arb_ast_dump_expr(in->list.data[i], out);
        }
        put(out, ")");
    }
    put(out, ")");
}

static void dump_like(const arb_ast_like *like, arb_text *out)
{
    static const char *const texts[] = {"like", "ilike", "similar", "glob"};
    arb_text_printf(out, "(%s%s", like->negated ? "not-" : "", texts[like->type]);
    put_expr(like->operand, out);
    put_expr(like->pattern, out);
    put_option(" escape=", like->escape, out);
    put(out, ")");
}

static void dump_is(const arb_ast_is *is, arb_text *out)
{
    static const char *const texts[] = {"null", "true", "false"};
    arb_text_printf(out, "(is%s-%s", is->negated ? "-not" : "", texts[is->test]);
    put_expr(is->operand, out);
    put(out, ")");
}

static void dump_between(const arb_ast_between *between, arb_text *out)
{
    arb_text_printf(out, "(%sbetween%s", between->negated ? "not-" : "", between->symmetric ? "-symmetric" : "");
    put_expr(between->operand, out);
    put_expr(between->low, out);
    put_expr(between->high, out);
    put(out, ")");
}

static void dump_quantified(const arb_ast_quantified *node, arb_text *out)
{
    arb_text_printf(out, "(%s-%s", arb_ast_operator_text(node->op), node->all ? "all" : "any");
    put_expr(node->operand, out);
    put(out, " ");
    if (node->query != NULL)
        arb_ast_dump_query(node->query, out);
    else
        arb_ast_dump_expr(node->collection, out);
    put(out, ")");
}

static void dump_subquery(const arb_ast_subquery *node, arb_text *out)
{
    static const char *const texts[] = {"(scalar ", "(exists ", "(array "};
    put(out, texts[node->type]);
    arb_ast_dump_query(node->query, out);
    put(out, ")");
}

/* ---- calls and special forms ------------------------------------------------------------------------------------- */
static void dump_arguments(const arb_ast_arguments *arguments, arb_text *out)
{
    for (size_t i = 0; i < arguments->size; i++) {
        put(out, " ");
        if (arguments->data[i].name.text.size != 0) {
            arb_ast_dump_name(&arguments->data[i].name, out);
            put(out, ":=");
        }
        arb_ast_dump_expr(arguments->data[i].value, out);
    }
}

static void dump_call(const arb_ast_call *call, arb_text *out)
{
    put(out, "(");
    arb_ast_dump_names(&call->name, ".", out);
    put(out, call->distinct ? " distinct" : "");
    dump_arguments(&call->arguments, out);
    arb_ast_dump_sort_keys("order", &call->order_by, out);
    arb_ast_dump_sort_keys("within-group", &call->within_group, out);
    put(out, call->ignore_nulls ? " ignore-nulls" : "");
    put_option(" filter=", call->filter, out);
    if (call->over != NULL) {
        put(out, " ");
        arb_ast_dump_window(call->over, out);
    }
    put(out, ")");
}

static void dump_case(const arb_ast_case *node, arb_text *out)
{
    put(out, "(case");
    put_option(" ", node->operand, out);
    for (size_t i = 0; i < node->whens.size; i++) {
        put(out, " (when");
        put_expr(node->whens.data[i].when, out);
        put_expr(node->whens.data[i].then, out);
        put(out, ")");
    }
    put_option(" else=", node->otherwise, out);
    put(out, ")");
}

static void dump_cast(const arb_ast_cast *cast, arb_text *out)
{
    put(out, cast->try ? "(try-cast" : "(cast");
    put_expr(cast->operand, out);
    put(out, " ");
    arb_ast_dump_type(cast->type, out);
    put(out, ")");
}

static void dump_subscript(const arb_ast_subscript *node, arb_text *out)
{
    put(out, node->slice ? "(slice" : "(at");
    put_expr(node->operand, out);
    put_option(node->slice ? " low=" : " ", node->low, out);
    put_option(" high=", node->high, out);
    put_option(" step=", node->step, out);
    put(out, ")");
}

static void dump_lambda(const arb_ast_lambda *node, arb_text *out)
{
    put(out, "(lambda (");
    arb_ast_dump_names(&node->parameters, " ", out);
    put(out, ")");
    put_expr(node->body, out);
    put(out, ")");
}

static void dump_map(const arb_ast_map *node, arb_text *out)
{
    put(out, "(map");
    for (size_t i = 0; i < node->keys.size; i++) {
        put(out, " (");
        arb_ast_dump_expr(node->keys.data[i], out);
        put_expr(node->values.data[i], out);
        put(out, ")");
    }
    put(out, ")");
}

static void dump_list(const char *head, const arb_ast_exprs *exprs, arb_text *out)
{
    arb_text_printf(out, "(%s", head);
    arb_ast_dump_exprs(exprs, out);
    put(out, ")");
}

void arb_ast_dump_expr(const arb_ast_expr *expr, arb_text *out)
{
    switch (expr->kind) {
    case ARB_AST_LITERAL:
        dump_literal(arb_ast_as_literal(expr), out);
        break;
    case ARB_AST_TYPED_LITERAL:
        put(out, "(");
        arb_ast_dump_type(arb_ast_as_typed_literal(expr)->type, out);
        put(out, " ");
        dump_string(arb_ast_as_typed_literal(expr)->text, out);
        put(out, ")");
        break;
    case ARB_AST_INTERVAL:
        dump_interval(arb_ast_as_interval(expr), out);
        break;
    case ARB_AST_COLUMN:
        arb_ast_dump_names(&arb_ast_as_column(expr)->parts, ".", out);
        break;
    case ARB_AST_STAR:
        dump_star(arb_ast_as_star(expr), out);
        break;
    case ARB_AST_COLUMNS:
        put(out, "(columns");
        put_expr(arb_ast_as_columns(expr)->chosen, out);
        put(out, ")");
        break;
    case ARB_AST_ORDINAL:
        arb_text_printf(out, "#%u", arb_ast_as_ordinal(expr)->number);
        break;
    case ARB_AST_PARAMETER:
        dump_parameter(arb_ast_as_parameter(expr), out);
        break;
    case ARB_AST_DEFAULT:
        put(out, "default");
        break;
    case ARB_AST_UNARY:
        dump_unary(arb_ast_as_unary(expr), out);
        break;
    case ARB_AST_OPERATION:
        dump_operation(arb_ast_as_operation(expr), out);
        break;
    case ARB_AST_LOGICAL:
        dump_list(arb_ast_as_logical(expr)->is_or ? "or" : "and", &arb_ast_as_logical(expr)->operands, out);
        break;
    case ARB_AST_IS:
        dump_is(arb_ast_as_is(expr), out);
        break;
    case ARB_AST_BETWEEN:
        dump_between(arb_ast_as_between(expr), out);
        break;
    case ARB_AST_IN:
        dump_in(arb_ast_as_in(expr), out);
        break;
    case ARB_AST_LIKE:
        dump_like(arb_ast_as_like(expr), out);
        break;
    case ARB_AST_QUANTIFIED:
        dump_quantified(arb_ast_as_quantified(expr), out);
        break;
    case ARB_AST_SUBQUERY:
        dump_subquery(arb_ast_as_subquery(expr), out);
        break;
    case ARB_AST_CALL:
        dump_call(arb_ast_as_call(expr), out);
        break;
    case ARB_AST_CASE:
        dump_case(arb_ast_as_case(expr), out);
        break;
    case ARB_AST_CAST:
        dump_cast(arb_ast_as_cast(expr), out);
        break;
    case ARB_AST_COLLATE:
        put(out, "(collate");
        put_expr(arb_ast_as_collate(expr)->operand, out);
        put(out, " ");
        arb_ast_dump_names(&arb_ast_as_collate(expr)->collation, ".", out);
        put(out, ")");
        break;
    case ARB_AST_ROW:
        dump_list("row", &arb_ast_as_row(expr)->elements, out);
        break;
    case ARB_AST_LIST:
        dump_list("list", &arb_ast_as_list(expr)->elements, out);
        break;
    case ARB_AST_STRUCT:
        put(out, "(struct");
        dump_arguments(&arb_ast_as_struct(expr)->fields, out);
        put(out, ")");
        break;
    case ARB_AST_MAP:
        dump_map(arb_ast_as_map(expr), out);
        break;
    case ARB_AST_LAMBDA:
        dump_lambda(arb_ast_as_lambda(expr), out);
        break;
    case ARB_AST_SUBSCRIPT:
        dump_subscript(arb_ast_as_subscript(expr), out);
        break;
    case ARB_AST_FIELD:
        put(out, "(field");
        put_expr(arb_ast_as_field(expr)->operand, out);
        put(out, " ");
        arb_ast_dump_name(&arb_ast_as_field(expr)->name, out);
        put(out, ")");
        break;
    }
}

/* ---- types ------------------------------------------------------------------------------------------------------- */
void arb_ast_dump_type(const arb_ast_type *type, arb_text *out)
{
    switch (type->kind) {
    case ARB_AST_TYPE_NAMED:
        arb_ast_dump_names(&type->qualifier, ".", out);
        put(out, type->qualifier.size != 0 ? "." : "");
        arb_ast_dump_name(&type->name, out);
        for (size_t i = 0; i < type->modifiers.size; i++) {
            put(out, i == 0 ? "(" : ",");
            arb_ast_dump_expr(type->modifiers.data[i], out);
        }
        put(out, type->modifiers.size != 0 ? ")" : "");
        break;
    case ARB_AST_TYPE_LIST:
        arb_ast_dump_type(type->element, out);
        put(out, "[]");
        break;
    case ARB_AST_TYPE_ARRAY:
        arb_ast_dump_type(type->element, out);
        arb_text_printf(out, "[%u]", type->size);
        break;
    case ARB_AST_TYPE_STRUCT:
        put(out, "struct(");
        for (size_t i = 0; i < type->fields.size; i++) {
            put(out, i == 0 ? "" : ",");
            arb_ast_dump_name(&type->fields.data[i].name, out);
            put(out, " ");
            arb_ast_dump_type(type->fields.data[i].type, out);
        }
        put(out, ")");
        break;
    case ARB_AST_TYPE_MAP:
        put(out, "map(");
        arb_ast_dump_type(type->key, out);
        put(out, ",");
        arb_ast_dump_type(type->element, out);
        put(out, ")");
        break;
    }
}
