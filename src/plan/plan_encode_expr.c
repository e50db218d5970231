/* plan_encode_expr.c: types, values and expressions become entries of flat lists. */
#include "plan/plan_codec.h"
#include "proto/plan.pb-c.h"

void arb_plan_write_failed(plan_writer *w, arb_code code)
{
    if (w->code == ARB_OK)
        w->code = code;
}

static void *or_fail(plan_writer *w, void *made, size_t size)
{
    if (made == NULL)
        arb_plan_write_failed(w, arb_fail_memory(w->error, "a plan's message", size));
    return made;
}

void *arb_plan_write_room(plan_writer *w, size_t count, size_t size)
{
    return w->code == ARB_OK ? or_fail(w, arb_arena_alloc_zeroed(w->arena, (count + 1) * size), count * size) : NULL;
}

void *arb_plan_write_message(plan_writer *w, const ProtobufCMessageDescriptor *kind)
{
    return w->code == ARB_OK ? or_fail(w, arb_wire_message(w->arena, kind), kind->sizeof_message) : NULL;
}

void *arb_plan_write_messages(plan_writer *w, const ProtobufCMessageDescriptor *kind, size_t count)
{
    return w->code == ARB_OK ? or_fail(w, arb_wire_messages(w->arena, kind, count), count * kind->sizeof_message)
                             : NULL;
}

ProtobufCBinaryData arb_plan_write_text(plan_writer *w, arb_str text)
{
    (void)w; /* it is borrowed: packing copies */
    return arb_wire_bytes(text);
}

/* Add to a list; its place. */
#define APPEND(w, list, entry) \
    (ARB_ARENA_PUSH((w)->arena, &(w)->list, (entry)) ? (uint32_t)(w)->list.size - 1 : no_room((w), sizeof *(entry)))

static uint32_t no_room(plan_writer *w, size_t size)
{
    arb_plan_write_failed(w, arb_fail_memory(w->error, "a plan's message", size));
    return 0;
}

uint32_t arb_plan_write_type(plan_writer *w, arb_type type)
{
    uint32_t place;
    return arb_type_write(&w->types, type, &place) ? place : no_room(w, sizeof type);
}

static bool write_payload(plan_writer *w, const arb_value *value, Arbalest__Plan__Value *made)
{
    switch ((arb_type_id)value->type.id) {
    case ARB_TYPE_BOOLEAN:
        made->integer = value->boolean;
        return true;
    case ARB_TYPE_REAL:
    case ARB_TYPE_DOUBLE:
        memcpy(&made->real, &value->real, sizeof made->real);
        return true;
    case ARB_TYPE_VARCHAR:
    case ARB_TYPE_BLOB:
        made->text = arb_plan_write_text(w, value->text);
        return true;
    case ARB_TYPE_INTERVAL:
        made->months = value->interval.months;
        made->days = value->interval.days;
        made->micros = value->interval.micros;
        return true;
    case ARB_TYPE_LIST:
    case ARB_TYPE_STRUCT:
    case ARB_TYPE_MAP: {
        uint32_t *items = arb_plan_write_room(w, value->nested.count, sizeof *items);
        for (size_t i = 0; items != NULL && i < value->nested.count; i++)
            items[i] = arb_plan_write_value(w, &value->nested.items[i]);
        made->n_items = value->nested.count;
        made->items = items;
        return w->code == ARB_OK;
    }
    default:
        made->integer = (uint64_t)value->integer;
        made->integer_high = (int64_t)(value->integer >> 64);
        return true;
    }
}

uint32_t arb_plan_write_value(plan_writer *w, const arb_value *value)
{
    Arbalest__Plan__Value *made = arb_plan_write_message(w, &arbalest__plan__value__descriptor);
    if (made == NULL)
        return 0;
    made->type = arb_plan_write_type(w, value->type);
    made->is_null = value->is_null;
    if (!value->is_null && value->type.id != ARB_TYPE_NULL && !write_payload(w, value, made))
        return 0;
    return APPEND(w, values, made);
}

/* A function is found again by its name and types; one that would be mistaken for another must not leave. */
static ProtobufCBinaryData write_function(plan_writer *w, const arb_expr *expr)
{
    arb_str name = arb_str_of(expr->function->name);
    arb_type *types = arb_plan_write_room(w, expr->child_count, sizeof *types);
    const arb_value **constants = arb_plan_write_room(w, expr->child_count, sizeof *constants);
    if (constants == NULL)
        return (ProtobufCBinaryData){0};
    for (uint32_t i = 0; i < expr->child_count; i++) {
        types[i] = expr->children[i]->type;
        constants[i] = expr->children[i]->kind == ARB_EXPR_CONSTANT ? &expr->children[i]->value : NULL;
    }
    if (arb_plan_find_function(ARB_FUNCTION_SCALAR, name, types, constants, expr->child_count, expr->type) !=
        expr->function)
        arb_plan_write_failed(w,
                              arb_fail(w->error, ARB_INTERNAL, "the call of %s cannot be named in a plan", name.data));
    return arb_plan_write_text(w, name);
}

uint32_t arb_plan_write_expr(plan_writer *w, const arb_expr *expr)
{
    Arbalest__Plan__Expr *made = arb_plan_write_message(w, &arbalest__plan__expr__descriptor);
    uint32_t *children = arb_plan_write_room(w, expr->child_count, sizeof *children);
    if (children == NULL)
        return 0;
    for (uint32_t i = 0; i < expr->child_count; i++)
        children[i] = arb_plan_write_expr(w, expr->children[i]);
    made->kind = expr->kind;
    made->type = arb_plan_write_type(w, expr->type);
    made->position = expr->position;
    made->n_children = expr->child_count;
    made->children = children;
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        made->value = arb_plan_write_value(w, &expr->value);
        break;
    case ARB_EXPR_COLUMN:
        made->column = expr->column;
        break;
    case ARB_EXPR_CALL:
        made->function = write_function(w, expr);
        break;
    case ARB_EXPR_COMPARE:
        made->compare = expr->compare;
        break;
    case ARB_EXPR_CAST:
        made->try_cast = expr->try_cast;
        break;
    default:
        break;
    }
    return APPEND(w, exprs, made);
}
