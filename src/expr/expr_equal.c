/* expr_equal.c: when two expressions are the same, and a hash that agrees with it. Positions in the text do not count. */
#include "base/hash.h"
#include "expr/function.h"

bool arb_expr_equal(const arb_expr *a, const arb_expr *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->child_count != b->child_count || !arb_type_equal(a->type, b->type))
        return false;
    switch ((arb_expr_kind)a->kind) {
    case ARB_EXPR_CONSTANT:
        return arb_value_same(&a->value, &b->value);
    case ARB_EXPR_COLUMN:
        return a->column == b->column;
    case ARB_EXPR_CALL:
        /* Two calls of random() are not the same, even of the same node: sharing nodes is not sharing results. */
        if (a->function != b->function || a->function->is_volatile)
            return false;
        break;
    case ARB_EXPR_COMPARE:
        if (a->compare != b->compare)
            return false;
        break;
    case ARB_EXPR_CAST:
        if (a->try_cast != b->try_cast)
            return false;
        break;
    default:
        break;
    }
    for (size_t i = 0; i < a->child_count; i++) {
        if (!arb_expr_equal(a->children[i], b->children[i]))
            return false;
    }
    return true;
}

static uint64_t hash_value(const arb_value *value)
{
    if (value->is_null)
        return 1;
    switch (arb_type_physical(value->type)) {
    case ARB_PHYS_BOOL:
        return arb_hash_u64(value->boolean);
    case ARB_PHYS_FLOAT32:
    case ARB_PHYS_FLOAT64: {
        /* NaN equals itself and -0 equals 0. */
        double real = value->real != value->real ? 1e300 : value->real == 0 ? 0.0 : value->real;
        return arb_hash_u64(arb_load_u64(&real));
    }
    case ARB_PHYS_STRING:
        return arb_str_hash(value->text);
    case ARB_PHYS_INTERVAL:
        return arb_hash_u64((uint64_t)value->interval.micros ^ (uint64_t)value->interval.days << 20 ^
                            (uint64_t)value->interval.months << 40);
    case ARB_PHYS_LIST:
    case ARB_PHYS_STRUCT: {
        uint64_t hash = value->nested.count;
        for (size_t i = 0; i < value->nested.count; i++)
            hash = arb_hash_combine(hash, hash_value(&value->nested.items[i]));
        return hash;
    }
    default:
        return arb_hash_u64((uint64_t)value->integer ^ (uint64_t)(value->integer >> 64));
    }
}

uint64_t arb_expr_hash(const arb_expr *expr)
{
    uint64_t hash = arb_hash_u64(expr->kind + ((uint64_t)expr->type.id << 8) + ((uint64_t)expr->child_count << 16));
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        return arb_hash_combine(hash, hash_value(&expr->value));
    case ARB_EXPR_COLUMN:
        return arb_hash_combine(hash, expr->column);
    case ARB_EXPR_CALL:
        hash = arb_hash_combine(hash, (uint64_t)(uintptr_t)expr->function);
        break;
    case ARB_EXPR_COMPARE:
        hash = arb_hash_combine(hash, expr->compare);
        break;
    default:
        break;
    }
    for (size_t i = 0; i < expr->child_count; i++)
        hash = arb_hash_combine(hash, arb_expr_hash(expr->children[i]));
    return hash;
}
