/* binder_special_call.c: what is written as a call but is no function of the registry: COALESCE and its kin, and the
 * time of the statement, which is a constant. */
#include "columnar/calendar.h"
#include "kernels/time_zone.h"
#include "sql/binder_internal.h"

typedef arb_code (*bind_special)(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                                 const arb_expr **out);

arb_code arb_bind_coalesce(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                           const arb_expr **out)
{
    arb_type type;
    ARB_TRY(arb_bind_unify(b, arguments, count, "COALESCE", &type));
    *out = arguments[0];
    if (count == 1)
        return ARB_OK;
    arb_expr *expr = arb_expr_coalesce(b->arena, type, arguments, count);
    ARB_MADE(b, expr);
    expr->position = arb_bind_position(b, span);
    *out = expr;
    return ARB_OK;
}

static arb_code make_case(arb_binder *b, const arb_expr *when, const arb_expr *then, const arb_expr *otherwise,
                          arb_ast_span span, const arb_expr **out)
{
    const arb_expr *results[] = {then, otherwise};
    arb_type type;
    ARB_TRY(arb_bind_unify(b, results, 2, "CASE", &type));
    const arb_expr *children[] = {when, results[0], results[1]};
    arb_expr *expr = arb_expr_case(b->arena, type, children, 3);
    ARB_MADE(b, expr);
    expr->position = arb_bind_position(b, span);
    *out = expr;
    return ARB_OK;
}

/* The first value unless the two are equal. */
static arb_code bind_nullif(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                            const arb_expr **out)
{
    const arb_expr *equal, *null;
    (void)count;
    ARB_TRY(arb_bind_compare(b, ARB_EQUAL, arguments[0], arguments[1], span, &equal));
    ARB_TRY(arb_bind_constant(b, arb_value_null(ARB_TYPE(NULL)), span, &null));
    return make_case(b, equal, null, arguments[0], span, out);
}

static arb_code bind_if(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                        const arb_expr **out)
{
    const arb_expr *when, *otherwise = count == 3 ? arguments[2] : NULL;
    ARB_TRY(arb_bind_to_boolean(b, arguments[0], "IF", &when));
    if (otherwise == NULL)
        ARB_TRY(arb_bind_constant(b, arb_value_null(ARB_TYPE(NULL)), span, &otherwise));
    return make_case(b, when, arguments[1], otherwise, span, out);
}

static arb_code bind_typeof(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                            const arb_expr **out)
{
    (void)count;
    return arb_bind_text_constant(b, arb_bind_type_text(b, arguments[0]->type), span, out);
}

/* ---- the time of the statement ------------------------------------------------------------------------------------ */
static arb_code local_now(arb_binder *b, arb_ast_span span, int64_t *out_us)
{
    *out_us = b->query->now_us;
    if (b->query->time_zone.size == 0)
        return ARB_OK;
    arb_zone *zone;
    arb_code code = arb_zone_load(b->query->time_zone, &zone, b->error);
    if (code != ARB_OK)
        return arb_error_at(b->error, code, arb_bind_position(b, span));
    int64_t seconds = arb_floor_divide(b->query->now_us, ARB_MICROS_SECOND);
    *out_us += arb_zone_offset(zone, seconds) * ARB_MICROS_SECOND;
    arb_zone_destroy(zone);
    return ARB_OK;
}

static arb_code bind_now(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                         const arb_expr **out)
{
    (void)arguments, (void)count;
    return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(TIMESTAMPTZ), .integer = b->query->now_us}, span, out);
}

static arb_code bind_today(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                           const arb_expr **out)
{
    int64_t now;
    (void)arguments, (void)count;
    ARB_TRY(local_now(b, span, &now));
    return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(DATE), .integer = arb_floor_divide(now, ARB_MICROS_DAY)},
                             span, out);
}

static arb_code bind_local_time(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                                const arb_expr **out)
{
    int64_t now;
    (void)arguments, (void)count;
    ARB_TRY(local_now(b, span, &now));
    return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(TIME), .integer = arb_floor_modulo(now, ARB_MICROS_DAY)},
                             span, out);
}

static arb_code bind_local_timestamp(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                                     const arb_expr **out)
{
    int64_t now;
    (void)arguments, (void)count;
    ARB_TRY(local_now(b, span, &now));
    return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(TIMESTAMP), .integer = now}, span, out);
}

/* ---- what a session is called ------------------------------------------------------------------------------------- */
static arb_code bind_schema_name(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                                 const arb_expr **out)
{
    (void)arguments, (void)count;
    return arb_bind_text_constant(b, ARB_STR("main"), span, out);
}

static arb_code bind_catalog_name(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                                  const arb_expr **out)
{
    (void)arguments, (void)count;
    return arb_bind_text_constant(b, ARB_STR("arbalest"), span, out);
}

static const struct {
    const char *name;
    size_t least, most;
    bind_special bind;
} specials[] = {
    {"coalesce", 1, SIZE_MAX, arb_bind_coalesce},
    {"ifnull", 2, 2, arb_bind_coalesce},
    {"nvl", 2, 2, arb_bind_coalesce},
    {"nullif", 2, 2, bind_nullif},
    {"if", 2, 3, bind_if},
    {"iff", 2, 3, bind_if},
    {"typeof", 1, 1, bind_typeof},
    {"pg_typeof", 1, 1, bind_typeof},
    {"now", 0, 0, bind_now},
    {"current_timestamp", 0, 0, bind_now},
    {"transaction_timestamp", 0, 0, bind_now},
    {"statement_timestamp", 0, 0, bind_now},
    {"get_current_timestamp", 0, 0, bind_now},
    {"current_date", 0, 0, bind_today},
    {"today", 0, 0, bind_today},
    {"current_time", 0, 0, bind_local_time},
    {"localtime", 0, 0, bind_local_time},
    {"get_current_time", 0, 0, bind_local_time},
    {"localtimestamp", 0, 0, bind_local_timestamp},
    {"current_localtimestamp", 0, 0, bind_local_timestamp},
    {"current_schema", 0, 0, bind_schema_name},
    {"current_database", 0, 0, bind_catalog_name},
    {"current_catalog", 0, 0, bind_catalog_name},
};

arb_code arb_bind_special_call(arb_binder *b, arb_scope *scope, const arb_ast_call *call, const arb_expr **out)
{
    const arb_ast_name *name = &call->name.data[call->name.size - 1];
    size_t count = call->arguments.size;
    for (size_t i = 0; i < ARB_COUNT_OF(specials); i++) {
        if (!arb_str_equal_nocase(name->text, arb_str_of(specials[i].name)))
            continue;
        if (count < specials[i].least || count > specials[i].most)
            return arb_bind_fail(b, call->base.span, ARB_UNDEFINED_FUNCTION, "%s does not take %zu argument%s",
                                 specials[i].name, count, count == 1 ? "" : "s");
        const arb_expr **arguments = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count);
        ARB_MADE(b, arguments);
        for (size_t k = 0; k < count; k++)
            ARB_TRY(arb_bind_expr(b, scope, call->arguments.data[k].value, &arguments[k]));
        if (specials[i].bind == bind_nullif) /* which has its first argument in two places */
            ARB_TRY(arb_bind_once(b, scope, ARB_STR("value"), call->base.span, &arguments[0]));
        return specials[i].bind(b, arguments, count, call->base.span, out);
    }
    if (arb_str_equal_nocase(name->text, ARB_STR("grouping")) ||
        arb_str_equal_nocase(name->text, ARB_STR("grouping_id")))
        return arb_bind_grouping_call(b, scope, call, out);
    return ARB_OK;
}
