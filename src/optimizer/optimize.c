/* optimize.c: the rules in their order.
 *
 *   inline_shared    first, so that everything below sees whole trees
 *   simplify         conditions in order, before anybody looks at their shape
 *   push_filters     so that the left sides of dependent joins are small when they have to be read twice
 *   unnest
 *   simplify, unique_rows, push_filters   again: unnesting made filters and outer joins that now can be moved and
 *                    strengthened, the more when they are proved to find one row at most
 *   filter_shared    once filters stand right above the readers of shared plans
 *   simplify         and again, since filters that met may have shown that nothing passes
 *   common_subplans  when filters are where they belong, so that what looks the same is the same
 *   determined_groups   when conditions are where they belong, and before pruning, which drops what is then not asked for
 *   prune_columns    before joins are ordered, since projects that only pass columns on stand in the way
 *   push_limits      before estimates, which it changes
 *   order_joins      last: it also notes the estimated rows of every node */
#include "optimizer/rule.h"

typedef struct pass {
    arb_rule_context context;
    const arb_column_set *needed;
    const arb_logical *root;
} pass;

typedef const arb_logical *(*plain_rule)(arb_rule_context *rule, const arb_logical *root);

static bool enabled(const pass *p, arb_optimizer_rule rule)
{
    return ((p->context.options->disabled >> rule) & 1) == 0;
}

static arb_code failure(pass *p)
{
    return p->context.code != ARB_OK ? p->context.code : arb_fail_memory(p->context.error, "the optimizer", 0);
}

/* What is read of a shared plan: all that it gives, for rules that only ask for a superset. */
static arb_code run_on_shared(pass *p, plain_rule rule)
{
    arb_query *query = p->context.query;
    /* A rule may add shared plans while it runs; those come out of it done. */
    for (size_t i = 0, count = query->shared.size; i < count; i++) {
        arb_shared *shared = query->shared.data[i];
        arb_column_set given = {0};
        const arb_logical *plan;
        if (shared->uses == 0)
            continue;
        if (rule != NULL)
            plan = rule(&p->context, shared->plan);
        else
            plan = arb_logical_output(query, shared->plan, &given)
                       ? arb_rule_push_filters(&p->context, shared->plan, &given)
                       : NULL;
        if (plan == NULL)
            return failure(p);
        shared->plan = plan;
    }
    return ARB_OK;
}

static arb_code check(pass *p, arb_optimizer_rule rule)
{
    static const char *const names[] = {
#define X(name, text) text,
        ARB_OPTIMIZER_RULES(X)
#undef X
    };
    if (p->root == NULL)
        return failure(p);
    ARB_TRY(arb_check_stop(p->context.query->stop, p->context.error));
    if (!p->context.options->validate)
        return ARB_OK;
    arb_code code = arb_logical_validate(p->context.query, p->root, NULL, p->context.error);
    if (code != ARB_OK)
        arb_error_context(p->context.error, "after %s", names[rule]);
    return code;
}

static arb_code run(pass *p, arb_optimizer_rule number, plain_rule rule)
{
    if (!enabled(p, number))
        return ARB_OK;
    ARB_TRY(run_on_shared(p, rule));
    p->root = rule(&p->context, p->root);
    return check(p, number);
}

static arb_code inline_shared(pass *p)
{
    bool may_inline = enabled(p, ARB_RULE_INLINE_SHARED);
    p->root = arb_rule_inline_shared(&p->context, p->root, may_inline);
    return check(p, ARB_RULE_INLINE_SHARED);
}

static arb_code push_filters(pass *p)
{
    if (!enabled(p, ARB_RULE_PUSH_FILTERS))
        return ARB_OK;
    ARB_TRY(run_on_shared(p, NULL));
    p->root = arb_rule_push_filters(&p->context, p->root, p->needed);
    return check(p, ARB_RULE_PUSH_FILTERS);
}

static arb_code filter_shared(pass *p)
{
    if (!enabled(p, ARB_RULE_FILTER_SHARED))
        return ARB_OK;
    p->root = arb_rule_filter_shared(&p->context, p->root);
    return check(p, ARB_RULE_FILTER_SHARED);
}

static arb_code common_subplans(pass *p)
{
    if (!enabled(p, ARB_RULE_COMMON_SUBPLANS))
        return ARB_OK;
    p->root = arb_rule_common_subplans(&p->context, p->root, p->needed);
    return check(p, ARB_RULE_COMMON_SUBPLANS);
}

static arb_code prune_columns(pass *p)
{
    if (!enabled(p, ARB_RULE_PRUNE_COLUMNS))
        return ARB_OK;
    p->root = arb_rule_prune_columns(&p->context, p->root, p->needed);
    return check(p, ARB_RULE_PRUNE_COLUMNS);
}

arb_code arb_optimize_with(arb_query *query, const arb_logical *root, const arb_column_set *needed,
                           const arb_optimizer_options *options, const arb_logical **out, arb_error *error)
{
    pass p = {.context = {.query = query, .options = options, .error = error}, .needed = needed, .root = root};
    *out = NULL;
    ARB_TRY(inline_shared(&p));
    ARB_TRY(run(&p, ARB_RULE_SIMPLIFY, arb_rule_simplify));
    ARB_TRY(push_filters(&p));
    ARB_TRY(run(&p, ARB_RULE_UNNEST, arb_rule_unnest));
    if (!arb_rule_number_shared(query, p.root)) /* it shares what earlier ones read */
        return failure(&p);
    ARB_TRY(run(&p, ARB_RULE_SIMPLIFY, arb_rule_simplify));
    ARB_TRY(run(&p, ARB_RULE_UNIQUE_ROWS, arb_rule_unique_rows));
    ARB_TRY(push_filters(&p));
    ARB_TRY(filter_shared(&p));
    ARB_TRY(run(&p, ARB_RULE_SIMPLIFY, arb_rule_simplify));
    if (!arb_sample_budget(&p.context, p.root, needed))
        return failure(&p);
    ARB_TRY(common_subplans(&p));
    ARB_TRY(run(&p, ARB_RULE_DETERMINED_GROUPS, arb_rule_determined_groups));
    ARB_TRY(prune_columns(&p));
    ARB_TRY(run(&p, ARB_RULE_PUSH_LIMITS, arb_rule_push_limits));
    ARB_TRY(run(&p, ARB_RULE_ORDER_JOINS, arb_rule_order_joins));
    *out = p.root;
    return ARB_OK;
}

arb_optimizer_rule arb_optimizer_rule_find(arb_str name)
{
#define X(rule, text)                              \
    if (arb_str_equal_nocase(name, ARB_STR(text))) \
        return ARB_RULE_##rule;
    ARB_OPTIMIZER_RULES(X)
#undef X
    return ARB_RULE_COUNT;
}
