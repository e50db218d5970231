/* query_columns.c: the registry of a query's columns, and sets of them as bitmaps over it. */
#include "plan/logical.h"

arb_column_id arb_query_add_column(arb_query *query, arb_str name, arb_type type, bool nullable)
{
    arb_column_info info = {.name = name, .type = type, .nullable = nullable};
    if (query->columns.size >= ARB_NO_COLUMN || !ARB_ARENA_PUSH(query->arena, &query->columns, info))
        return ARB_NO_COLUMN;
    return (arb_column_id)(query->columns.size - 1);
}

arb_expr *arb_query_column_expr(arb_query *query, arb_column_id id)
{
    return arb_expr_column(query->arena, id, arb_query_column(query, id)->type);
}

static bool reserve(arb_query *query, arb_column_set *set, size_t words)
{
    if (words <= set->word_count)
        return true;
    /* Room for every column that there is now, so that most sets grow once. */
    words = ARB_MAX(words, query->columns.size / 64 + 1);
    uint64_t *grown = ARB_ARENA_ARRAY(query->arena, uint64_t, words);
    if (grown == NULL)
        return false;
    if (set->word_count != 0)
        memcpy(grown, set->words, set->word_count * sizeof *grown);
    *set = (arb_column_set){.words = grown, .word_count = words};
    return true;
}

bool arb_column_set_add(arb_query *query, arb_column_set *set, arb_column_id id)
{
    assert(id != ARB_NO_COLUMN);
    if (!reserve(query, set, id / 64 + 1))
        return false;
    set->words[id / 64] |= (uint64_t)1 << (id % 64);
    return true;
}

bool arb_column_set_add_all(arb_query *query, arb_column_set *set, const arb_column_set *other)
{
    if (!reserve(query, set, other->word_count))
        return false;
    for (size_t i = 0; i < other->word_count; i++)
        set->words[i] |= other->words[i];
    return true;
}

bool arb_column_set_copy(arb_query *query, arb_column_set *set, const arb_column_set *other)
{
    *set = (arb_column_set){0};
    return arb_column_set_add_all(query, set, other);
}

void arb_column_set_remove_all(arb_column_set *set, const arb_column_set *other)
{
    for (size_t i = 0; i < ARB_MIN(set->word_count, other->word_count); i++)
        set->words[i] &= ~other->words[i];
}

void arb_column_set_retain_all(arb_column_set *set, const arb_column_set *other)
{
    for (size_t i = 0; i < set->word_count; i++)
        set->words[i] &= i < other->word_count ? other->words[i] : 0;
}

bool arb_column_set_has(const arb_column_set *set, arb_column_id id)
{
    return id / 64 < set->word_count && ((set->words[id / 64] >> (id % 64)) & 1) != 0;
}

bool arb_column_set_contains(const arb_column_set *set, const arb_column_set *part)
{
    for (size_t i = 0; i < part->word_count; i++) {
        if ((part->words[i] & ~(i < set->word_count ? set->words[i] : 0)) != 0)
            return false;
    }
    return true;
}

bool arb_column_set_intersects(const arb_column_set *a, const arb_column_set *b)
{
    for (size_t i = 0; i < ARB_MIN(a->word_count, b->word_count); i++) {
        if ((a->words[i] & b->words[i]) != 0)
            return true;
    }
    return false;
}

bool arb_column_set_is_empty(const arb_column_set *set)
{
    for (size_t i = 0; i < set->word_count; i++) {
        if (set->words[i] != 0)
            return false;
    }
    return true;
}

arb_column_id arb_column_set_next(const arb_column_set *set, arb_column_id from)
{
    size_t word = from / 64;
    if (word >= set->word_count)
        return ARB_NO_COLUMN;
    uint64_t bits = set->words[word] & (~(uint64_t)0 << (from % 64));
    while (bits == 0) {
        if (++word == set->word_count)
            return ARB_NO_COLUMN;
        bits = set->words[word];
    }
    return (arb_column_id)(word * 64 + (size_t)__builtin_ctzll(bits));
}

typedef struct column_collector {
    arb_query *query;
    arb_column_set *set;
    bool failed;
} column_collector;

static bool collect_column(void *context, const arb_expr *expr)
{
    column_collector *collector = context;
    if (expr->kind == ARB_EXPR_COLUMN && !arb_column_set_add(collector->query, collector->set, expr->column))
        collector->failed = true;
    return !collector->failed;
}

bool arb_expr_columns(arb_query *query, const arb_expr *expr, arb_column_set *set)
{
    column_collector collector = {.query = query, .set = set};
    arb_expr_walk(expr, collect_column, &collector);
    return !collector.failed;
}

bool arb_logical_used_columns(arb_query *query, const arb_logical *node, arb_column_set *set)
{
    column_collector collector = {.query = query, .set = set};
    arb_logical_walk_exprs(node, collect_column, &collector);
    return !collector.failed;
}
