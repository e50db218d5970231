/* ast_dump_query.c: queries, FROM items and windows as s-expressions. */
#include "sql/ast_dump.h"

static void put(arb_text *out, const char *text)
{
    arb_text_append_str(out, arb_str_of(text));
}

/* " (head expr)" */
static void put_clause(const char *head, const arb_ast_expr *expr, arb_text *out)
{
    if (expr == NULL)
        return;
    arb_text_printf(out, " (%s ", head);
    arb_ast_dump_expr(expr, out);
    put(out, ")");
}

static void put_list(const char *head, const arb_ast_exprs *exprs, arb_text *out)
{
    if (exprs->size == 0)
        return;
    arb_text_printf(out, " (%s", head);
    arb_ast_dump_exprs(exprs, out);
    put(out, ")");
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */
static void put_bound(const arb_ast_bound *bound, arb_text *out)
{
    static const char *const texts[] = {"unbounded-preceding", "preceding", "current-row", "following",
                                        "unbounded-following"};
    if (bound->offset == NULL) {
        arb_text_printf(out, " %s", texts[bound->type]);
        return;
    }
    arb_text_printf(out, " (%s ", texts[bound->type]);
    arb_ast_dump_expr(bound->offset, out);
    put(out, ")");
}

void arb_ast_dump_window(const arb_ast_window *window, arb_text *out)
{
    static const char *const modes[] = {"range", "rows", "groups"};
    static const char *const excludes[] = {"", " exclude-current-row", " exclude-group", " exclude-ties"};
    put(out, "(over");
    if (window->reference.text.size != 0) {
        put(out, " ");
        arb_ast_dump_name(&window->reference, out);
    }
    put_list("partition", &window->partition_by, out);
    arb_ast_dump_sort_keys("order", &window->order_by, out);
    if (window->has_frame) {
        arb_text_printf(out, " (%s", modes[window->mode]);
        put_bound(&window->start, out);
        put_bound(&window->end, out);
        arb_text_printf(out, "%s)", excludes[window->exclude]);
    }
    put(out, ")");
}

/* ---- FROM -------------------------------------------------------------------------------------------------------- */
static void dump_from(const arb_ast_from *from, arb_text *out);

static void dump_sample(const arb_ast_sample *sample, arb_text *out)
{
    if (sample->size == NULL)
        return;
    arb_text_printf(out, " (sample %.*s%s", ARB_STR_ARGS(sample->method), sample->method.size != 0 ? " " : "");
    arb_ast_dump_expr(sample->size, out);
    put(out, sample->percent ? "%" : "");
    put_clause("seed", sample->seed, out);
    put(out, ")");
}

static void dump_join(const arb_ast_join *join, arb_text *out)
{
    static const char *const texts[] = {
        "join",      "left-join", "right-join",      "full-join",       "cross-join",
        "semi-join", "anti-join", "right-semi-join", "right-anti-join", "positional-join"};
    arb_text_printf(out, " (%s%s%s ", join->natural ? "natural-" : "", join->asof ? "asof-" : "", texts[join->type]);
    dump_from(join->right, out);
    put_clause("on", join->on, out);
    if (join->using.size != 0) {
        put(out, " (using ");
        arb_ast_dump_names(&join->using, " ", out);
        put(out, ")");
    }
    put(out, ")");
}

static void dump_from_body(const arb_ast_from *from, arb_text *out)
{
    switch (from->kind) {
    case ARB_AST_FROM_TABLE:
        if (from->path)
            arb_text_printf(out, "'%.*s'", ARB_STR_ARGS(from->table.data[0].text));
        else
            arb_ast_dump_names(&from->table, ".", out);
        break;
    case ARB_AST_FROM_SUBQUERY:
        arb_ast_dump_query(from->query, out);
        break;
    case ARB_AST_FROM_FUNCTION:
        arb_ast_dump_expr(&from->call->base, out);
        break;
    case ARB_AST_FROM_JOIN:
        put(out, "(joins ");
        dump_from(from->first, out);
        for (size_t i = 0; i < from->joins.size; i++)
            dump_join(&from->joins.data[i], out);
        put(out, ")");
        break;
    }
}

static void dump_from(const arb_ast_from *from, arb_text *out)
{
    bool plain = from->alias.text.size == 0 && !from->lateral && !from->ordinality && from->sample.size == NULL;
    if (plain) {
        dump_from_body(from, out);
        return;
    }
    put(out, from->lateral ? "(lateral " : "(as ");
    dump_from_body(from, out);
    put(out, from->ordinality ? " with-ordinality" : "");
    put(out, from->alias.text.size != 0 ? " " : "");
    arb_ast_dump_name(&from->alias, out);
    for (size_t i = 0; i < from->column_aliases.size; i++) {
        put(out, i == 0 ? " (" : " ");
        arb_ast_dump_name(&from->column_aliases.data[i].name, out);
        if (from->column_aliases.data[i].type != NULL) {
            put(out, ":");
            arb_ast_dump_type(from->column_aliases.data[i].type, out);
        }
    }
    put(out, from->column_aliases.size != 0 ? ")" : "");
    dump_sample(&from->sample, out);
    put(out, ")");
}

/* ---- SELECT ------------------------------------------------------------------------------------------------------ */
static void dump_group(const arb_ast_group *group, bool set, arb_text *out)
{
    static const char *const texts[] = {"", "rollup", "cube", "sets"};
    if (group->kind == ARB_AST_GROUP_EXPRS && group->exprs.size == 1 && !set) {
        arb_ast_dump_expr(group->exprs.data[0], out);
        return;
    }
    arb_text_printf(out, "(%s", texts[group->kind]);
    for (size_t i = 0; i < group->exprs.size; i++) {
        put(out, i == 0 && group->kind == ARB_AST_GROUP_EXPRS ? "" : " ");
        arb_ast_dump_expr(group->exprs.data[i], out);
    }
    for (size_t i = 0; i < group->sets.size; i++) {
        put(out, " ");
        dump_group(&group->sets.data[i], true, out);
    }
    put(out, ")");
}

static void dump_items(const arb_ast_select *select, arb_text *out)
{
    put(out, " (");
    for (size_t i = 0; i < select->items.size; i++) {
        const arb_ast_item *item = &select->items.data[i];
        put(out, i == 0 ? "" : " ");
        if (item->alias.text.size != 0) {
            put(out, "(as ");
            arb_ast_dump_expr(item->expr, out);
            put(out, " ");
            arb_ast_dump_name(&item->alias, out);
            put(out, ")");
        } else {
            arb_ast_dump_expr(item->expr, out);
        }
    }
    put(out, ")");
}

static void dump_grouping(const arb_ast_select *select, arb_text *out)
{
    put(out, select->group_all ? " (group all)" : "");
    if (select->group_by.size == 0)
        return;
    put(out, " (group");
    for (size_t i = 0; i < select->group_by.size; i++) {
        put(out, " ");
        dump_group(&select->group_by.data[i], false, out);
    }
    put(out, ")");
}

static void dump_select(const arb_ast_select *select, arb_text *out)
{
    put(out, "(select");
    put(out, select->distinct ? " distinct" : "");
    put_list("on", &select->distinct_on, out);
    dump_items(select, out);
    for (size_t i = 0; i < select->from.size; i++) {
        put(out, i == 0 ? " (from " : " ");
        dump_from(select->from.data[i], out);
    }
    put(out, select->from.size != 0 ? ")" : "");
    put_clause("where", select->where, out);
    dump_grouping(select, out);
    put_clause("having", select->having, out);
    for (size_t i = 0; i < select->windows.size; i++) {
        put(out, " (window ");
        arb_ast_dump_name(&select->windows.data[i].name, out);
        put(out, " ");
        arb_ast_dump_window(select->windows.data[i].window, out);
        put(out, ")");
    }
    put_clause("qualify", select->qualify, out);
    dump_sample(&select->sample, out);
    put(out, ")");
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */
static void dump_body(const arb_ast_query *query, arb_text *out)
{
    static const char *const operators[] = {"union", "intersect", "except"};
    switch (query->kind) {
    case ARB_AST_QUERY_SELECT:
        dump_select(query->select, out);
        break;
    case ARB_AST_QUERY_VALUES:
        put(out, "(values");
        for (size_t i = 0; i < query->values.size; i++)
            put_list("row", &query->values.data[i], out);
        put(out, ")");
        break;
    case ARB_AST_QUERY_SET:
        for (size_t i = query->steps.size; i > 0; i--) {
            const arb_ast_set_step *step = &query->steps.data[i - 1];
            arb_text_printf(out, "(%s%s%s ", operators[step->op], step->all ? "-all" : "",
                            step->by_name ? "-by-name" : "");
        }
        arb_ast_dump_query(query->first, out);
        for (size_t i = 0; i < query->steps.size; i++) {
            put(out, " ");
            arb_ast_dump_query(query->steps.data[i].query, out);
            put(out, ")");
        }
        break;
    }
}

static void dump_ctes(const arb_ast_query *query, arb_text *out)
{
    if (query->ctes.size == 0)
        return;
    put(out, query->recursive ? " (with-recursive" : " (with");
    for (size_t i = 0; i < query->ctes.size; i++) {
        const arb_ast_cte *cte = &query->ctes.data[i];
        put(out, " (");
        arb_ast_dump_name(&cte->name, out);
        if (cte->columns.size != 0) {
            put(out, " (");
            arb_ast_dump_names(&cte->columns, " ", out);
            put(out, ")");
        }
        put(out, cte->materialized == 1 ? " materialized " : cte->materialized == 0 ? " not-materialized " : " ");
        arb_ast_dump_query(cte->query, out);
        put(out, ")");
    }
    put(out, ")");
}

void arb_ast_dump_query(const arb_ast_query *query, arb_text *out)
{
    bool plain = query->ctes.size == 0 && query->order_by.size == 0 && query->limit == NULL && query->offset == NULL;
    if (plain) {
        dump_body(query, out);
        return;
    }
    put(out, "(query");
    dump_ctes(query, out);
    put(out, " ");
    dump_body(query, out);
    arb_ast_dump_sort_keys("order", &query->order_by, out);
    put_clause(query->limit_percent ? "limit-percent"
               : query->with_ties   ? "limit-with-ties"
                                    : "limit",
               query->limit, out);
    put_clause("offset", query->offset, out);
    put(out, ")");
}
