/* plan_decode_expr.c: values and expressions from the entries of flat lists, each checked before it is believed. */
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "expr/layout.h"
#include "plan/plan_codec.h"
#include "proto/plan.pb-c.h"

/* Numbers that travel: who puts a new member anywhere but behind the others fails here. */
static_assert(ARB_EXPR_CONSTANT == 0 && ARB_EXPR_CALL == 2 && ARB_EXPR_NOT == 6 && ARB_EXPR_IN == 11 &&
                  ARB_NOT_DISTINCT == 7,
              "expressions have the numbers that they travel under");

arb_code arb_plan_damaged(const plan_reader *r, const char *list, size_t at, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return arb_fail(r->error, ARB_CORRUPT_DATA, "the plan's %s %zu %s", list, at, what);
}

static arb_code no_memory(const plan_reader *r, size_t size)
{
    return arb_fail_memory(r->error, "a plan", size);
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

static arb_code read_nested(plan_reader *r, size_t at, arb_value *value)
{
    const Arbalest__Plan__Value *from = r->plan->values[at];
    const arb_type_children *children = value->type.children;
    bool is_struct = value->type.id == ARB_TYPE_STRUCT;
    arb_value *items = ARB_ARENA_ARRAY(r->arena, arb_value, from->n_items + 1);
    if (items == NULL)
        return no_memory(r, from->n_items * sizeof *items);
    if (from->n_items % children->count != 0 || (is_struct && from->n_items != children->count))
        return arb_plan_damaged(r, "value", at, "has %zu parts", from->n_items);
    for (size_t i = 0; i < from->n_items; i++) {
        if (from->items[i] >= at ||
            !arb_type_equal(r->values[from->items[i]].type, children->types[i % children->count]))
            return arb_plan_damaged(r, "value", at, "has a part that cannot be one");
        items[i] = r->values[from->items[i]];
        if (value->type.id == ARB_TYPE_MAP && i % 2 == 0 && items[i].is_null)
            return arb_plan_damaged(r, "value", at, "has a key that is NULL");
    }
    value->nested.items = items;
    value->nested.count = from->n_items;
    return ARB_OK;
}

static arb_code read_value(plan_reader *r, size_t at)
{
    const Arbalest__Plan__Value *from = r->plan->values[at];
    arb_value *value = &r->values[at];
    if (from->type >= r->plan->n_types)
        return arb_plan_damaged(r, "value", at, "has no type");
    *value = (arb_value){.type = r->types[from->type], .is_null = from->is_null};
    if (value->is_null)
        return ARB_OK;
    arb_int128 integer = arb_plan_read_integer(from->integer, from->integer_high);
    switch ((arb_type_id)value->type.id) {
    case ARB_TYPE_NULL:
        return arb_plan_damaged(r, "value", at, "is of no type and yet not NULL");
    case ARB_TYPE_BOOLEAN:
        if (integer != 0 && integer != 1)
            return arb_plan_damaged(r, "value", at, "is no boolean");
        value->boolean = integer == 1;
        return ARB_OK;
    case ARB_TYPE_REAL:
    case ARB_TYPE_DOUBLE:
        memcpy(&value->real, &from->real, sizeof value->real);
        return ARB_OK;
    case ARB_TYPE_VARCHAR:
    case ARB_TYPE_BLOB:
        value->text = arb_plan_read_text(from->text);
        if (value->type.id == ARB_TYPE_VARCHAR && !arb_utf8_is_valid(value->text.data, value->text.size))
            return arb_plan_damaged(r, "value", at, "is no text in UTF-8");
        return ARB_OK;
    case ARB_TYPE_INTERVAL:
        value->interval = (arb_interval){from->months, from->days, from->micros};
        return ARB_OK;
    case ARB_TYPE_LIST:
    case ARB_TYPE_STRUCT:
    case ARB_TYPE_MAP:
        return read_nested(r, at, value);
    default: {
        arb_range range = arb_range_of_type(value->type);
        if (!range.known || integer < range.low || integer > range.high)
            return arb_plan_damaged(r, "value", at, "is outside of its type's range");
        value->integer = integer;
        return ARB_OK;
    }
    }
}

arb_code arb_plan_read_values(plan_reader *r)
{
    size_t count = r->plan->n_values;
    r->values = ARB_ARENA_ARRAY(r->arena, arb_value, count + 1);
    if (r->values == NULL)
        return no_memory(r, count * sizeof *r->values);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(read_value(r, i));
    return ARB_OK;
}

/* ---- expressions ------------------------------------------------------------------------------------------------------- */

/* What went before a check of children: all BOOLEAN, or all of one type. */
static bool all_of(const arb_expr *expr, uint32_t from, uint32_t step, arb_type type)
{
    for (uint32_t i = from; i < expr->child_count; i += step)
        if (!arb_type_equal(expr->children[i]->type, type))
            return false;
    return true;
}

static bool case_fits(const arb_expr *expr)
{
    uint32_t pairs = expr->child_count / 2;
    if (expr->child_count < 3 || expr->child_count % 2 == 0)
        return false;
    for (uint32_t i = 0; i < pairs; i++)
        if (expr->children[2 * i]->type.id != ARB_TYPE_BOOLEAN ||
            !arb_type_equal(expr->children[2 * i + 1]->type, expr->type))
            return false;
    return arb_type_equal(expr->children[expr->child_count - 1]->type, expr->type);
}

static bool in_fits(const arb_expr *expr)
{
    if (expr->child_count < 2 || arb_type_is_nested(expr->children[0]->type) ||
        !all_of(expr, 1, 1, expr->children[0]->type))
        return false;
    for (uint32_t i = 1; i < expr->child_count; i++)
        if (expr->children[i]->kind != ARB_EXPR_CONSTANT || expr->children[i]->value.is_null)
            return false;
    return true;
}

/* Do the children fit the kind, and the type? Of calls and columns that is seen elsewhere. */
static bool fits(const arb_expr *expr)
{
    uint32_t count = expr->child_count;
    bool is_boolean = expr->type.id == ARB_TYPE_BOOLEAN;
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        return count == 0 && arb_type_equal(expr->type, expr->value.type);
    case ARB_EXPR_COLUMN:
        return count == 0 && expr->column != ARB_NO_COLUMN;
    case ARB_EXPR_CALL:
        return true;
    case ARB_EXPR_COMPARE:
        return count == 2 && is_boolean && arb_type_equal(expr->children[0]->type, expr->children[1]->type);
    case ARB_EXPR_AND:
    case ARB_EXPR_OR:
        for (uint32_t i = 0; i < count; i++)
            if (expr->children[i]->kind == expr->kind)
                return false;
        return count >= 2 && is_boolean && all_of(expr, 0, 1, expr->type);
    case ARB_EXPR_NOT:
        return count == 1 && is_boolean && all_of(expr, 0, 1, expr->type);
    case ARB_EXPR_IS_NULL:
        return count == 1 && is_boolean;
    case ARB_EXPR_CASE:
        return case_fits(expr);
    case ARB_EXPR_COALESCE:
        return count >= 1 && all_of(expr, 0, 1, expr->type);
    case ARB_EXPR_CAST:
        return count == 1 && arb_type_castable(expr->children[0]->type, expr->type);
    case ARB_EXPR_IN:
        return is_boolean && in_fits(expr);
    case ARB_EXPR_KIND_COUNT:
        break;
    }
    return false;
}

/* The overload that takes just these types. A constant that was made while optimizing was none when the call got its type:
 * so the call is tried with and without. */
const arb_function *arb_plan_find_function(arb_function_kind kind, arb_str name, const arb_type *types,
                                           const arb_value *const *constants, size_t count, arb_type result)
{
    arb_argument arguments[ARB_ANY_ARITY + 1];
    if (count > ARB_COUNT_OF(arguments))
        return NULL;
    for (int with_constants = 1; with_constants >= 0; with_constants--) {
        const arb_function *function;
        arb_type bound;
        for (size_t i = 0; i < count; i++)
            arguments[i] = (arb_argument){types[i], with_constants ? constants[i] : NULL};
        if (arb_function_bind(kind, name, arguments, count, &function, &bound, NULL) != ARB_OK ||
            !arb_type_equal(bound, result))
            continue;
        bool same = true;
        for (size_t i = 0; i < count; i++)
            same &= arb_type_equal(arguments[i].type, types[i]);
        if (same)
            return function;
    }
    return NULL;
}

static arb_code find_function(plan_reader *r, size_t at, arb_expr *expr)
{
    const arb_function *function;
    arb_str name = arb_plan_read_text(r->plan->exprs[at]->function);
    arb_type *types = ARB_ARENA_ARRAY(r->arena, arb_type, expr->child_count + 1);
    const arb_value **constants = ARB_ARENA_ARRAY(r->arena, const arb_value *, expr->child_count + 1);
    if (types == NULL || constants == NULL)
        return no_memory(r, expr->child_count * sizeof *types);
    for (uint32_t i = 0; i < expr->child_count; i++) {
        types[i] = expr->children[i]->type;
        constants[i] = expr->children[i]->kind == ARB_EXPR_CONSTANT ? &expr->children[i]->value : NULL;
    }
    function = arb_plan_find_function(ARB_FUNCTION_SCALAR, name, types, constants, expr->child_count, expr->type);
    if (function == NULL)
        return arb_fail(r->error, ARB_NOT_SUPPORTED,
                        "the plan's expression %zu calls a function %.*s that is not known here", at,
                        (int)ARB_MIN(name.size, (size_t)64), name.data);
    expr->function = function;
    return ARB_OK;
}

static arb_code read_children(plan_reader *r, size_t at, arb_expr *expr)
{
    const Arbalest__Plan__Expr *from = r->plan->exprs[at];
    const arb_expr **children = ARB_ARENA_ARRAY(r->arena, const arb_expr *, from->n_children + 1);
    if (children == NULL)
        return no_memory(r, from->n_children * sizeof *children);
    for (size_t i = 0; i < from->n_children; i++) {
        if (from->children[i] >= at)
            return arb_plan_damaged(r, "expression", at, "has a child that does not come before it");
        children[i] = r->exprs[from->children[i]];
        r->expr_depths[at] = ARB_MAX(r->expr_depths[at], (uint16_t)(r->expr_depths[from->children[i]] + 1));
    }
    if (r->expr_depths[at] > ARB_PLAN_DEPTH_MOST)
        return arb_plan_damaged(r, "expression", at, "is nested too deeply");
    expr->child_count = (uint32_t)from->n_children;
    expr->children = children;
    return ARB_OK;
}

static arb_code read_expr(plan_reader *r, size_t at)
{
    const Arbalest__Plan__Expr *from = r->plan->exprs[at];
    arb_expr *expr = ARB_ARENA_NEW(r->arena, arb_expr);
    if (expr == NULL)
        return no_memory(r, sizeof *expr);
    if (from->kind >= ARB_EXPR_KIND_COUNT || from->type >= r->plan->n_types || from->compare > ARB_NOT_DISTINCT)
        return arb_plan_damaged(r, "expression", at, "is of no known kind or type");
    expr->kind = (uint8_t)from->kind;
    expr->type = r->types[from->type];
    expr->position = from->position;
    expr->compare = (uint8_t)from->compare;
    expr->try_cast = from->try_cast;
    ARB_TRY(read_children(r, at, expr));
    if (expr->kind == ARB_EXPR_CONSTANT) {
        if (from->value >= r->plan->n_values)
            return arb_plan_damaged(r, "expression", at, "has no value");
        expr->value = r->values[from->value];
    } else if (expr->kind == ARB_EXPR_COLUMN) {
        expr->column = from->column;
    }
    if (!fits(expr))
        return arb_plan_damaged(r, "expression", at, "has children that do not fit it");
    if (expr->kind == ARB_EXPR_CALL)
        ARB_TRY(find_function(r, at, expr));
    r->exprs[at] = expr;
    return ARB_OK;
}

arb_code arb_plan_read_exprs(plan_reader *r)
{
    size_t count = r->plan->n_exprs;
    r->exprs = ARB_ARENA_ARRAY(r->arena, const arb_expr *, count + 1);
    r->expr_depths = ARB_ARENA_ARRAY(r->arena, uint16_t, count + 1);
    if (r->exprs == NULL || r->expr_depths == NULL)
        return no_memory(r, count * sizeof *r->exprs);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(read_expr(r, i));
    return ARB_OK;
}
