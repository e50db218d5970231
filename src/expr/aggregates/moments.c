/* moments.c: variance and its kin, of one and of two variables.
 *
 * A state keeps the count, the means, and the sums of squared and mixed differences from the means, taken in by
 * Welford's steps and merged by Chan's formula, so that large means do not eat the digits. All arguments are doubles.
 * A pair counts when neither side is NULL; y comes first, as in SQL. */
#include <math.h>

#include "expr/aggregates/aggregate_rows.h"

typedef struct moments {
    double count;
    double mean_y, mean_x;
    double yy, xx, yx; /* sums of products of differences from the means */
} moments;

typedef enum moment_kind {
    VARIANCE_SAMPLE,
    VARIANCE_POPULATION,
    DEVIATION_SAMPLE,
    DEVIATION_POPULATION,
    COVARIANCE_SAMPLE,
    COVARIANCE_POPULATION,
    CORRELATION,
    SLOPE,
    INTERCEPT,
    DETERMINATION,
    PAIRS,
    MEAN_X,
    MEAN_Y,
    SQUARES_X,
    SQUARES_Y,
    PRODUCTS
} moment_kind;

static const struct {
    const char *name;
    moment_kind kind;
} kinds[] = {
    {"var_samp", VARIANCE_SAMPLE},
    {"var_pop", VARIANCE_POPULATION},
    {"stddev_samp", DEVIATION_SAMPLE},
    {"stddev_pop", DEVIATION_POPULATION},
    {"covar_samp", COVARIANCE_SAMPLE},
    {"covar_pop", COVARIANCE_POPULATION},
    {"corr", CORRELATION},
    {"regr_slope", SLOPE},
    {"regr_intercept", INTERCEPT},
    {"regr_r2", DETERMINATION},
    {"regr_count", PAIRS},
    {"regr_avgx", MEAN_X},
    {"regr_avgy", MEAN_Y},
    {"regr_sxx", SQUARES_X},
    {"regr_syy", SQUARES_Y},
    {"regr_sxy", PRODUCTS},
};

static arb_code plan_moments(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    for (size_t i = 0; i < ARB_COUNT_OF(kinds); i++)
        if (strcmp(kinds[i].name, plan->function->name) == 0)
            plan->variant = kinds[i].kind;
    *out_state_size = sizeof(moments);
    *out_result = (arb_slot){.id = ARB_NO_COLUMN,
                             .type = plan->result,
                             .physical = arb_type_physical(plan->result),
                             .nullable = plan->variant != PAIRS};
    if (plan->variant == PAIRS)
        out_result->range = (arb_range){true, 0, (arb_int128)arb_aggregate_rows_most(plan)};
    return ARB_OK;
}

static void init_moments(const arb_aggregate_plan *plan, void *state)
{
    (void)plan;
    *(moments *)state = (moments){0};
}

static void take(moments *state, double y, double x)
{
    state->count++;
    double apart_y = y - state->mean_y, apart_x = x - state->mean_x;
    state->mean_y += apart_y / state->count;
    state->mean_x += apart_x / state->count;
    state->yy += apart_y * (y - state->mean_y);
    state->xx += apart_x * (x - state->mean_x);
    state->yx += apart_y * (x - state->mean_x);
}

static void take_row(const arb_aggregate_plan *plan, const arb_vector *const *arguments, size_t row, moments *state)
{
    double y = arguments[0]->values.f64[arb_argument_slot(arguments[0], row)];
    double x = plan->argument_count == 2 ? arguments[1]->values.f64[arb_argument_slot(arguments[1], row)] : 0;
    take(state, y, x);
}

static bool is_counted(const arb_aggregate_plan *plan, const arb_vector *const *arguments, size_t row)
{
    return plan->argument_count == 1 || arguments[1]->validity == NULL ||
           arb_bitmap_get(arguments[1]->validity, arb_argument_slot(arguments[1], row));
}

static arb_code update_moments(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                               uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    (void)arena, (void)error;
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    {
        if (is_counted(plan, arguments, row))
            take_row(plan, arguments, row, states[row]);
    }
    return ARB_OK;
}

static arb_code update_one_moments(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                   uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    (void)arena, (void)error;
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    {
        if (is_counted(plan, arguments, row))
            take_row(plan, arguments, row, state);
    }
    return ARB_OK;
}

static arb_code combine_moments(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                                arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    moments *a = into;
    const moments *b = from;
    if (b->count == 0)
        return ARB_OK;
    if (a->count == 0) {
        *a = *b;
        return ARB_OK;
    }
    double count = a->count + b->count, weight = a->count * b->count / count;
    double apart_y = b->mean_y - a->mean_y, apart_x = b->mean_x - a->mean_x;
    a->yy += b->yy + apart_y * apart_y * weight;
    a->xx += b->xx + apart_x * apart_x * weight;
    a->yx += b->yx + apart_y * apart_x * weight;
    a->mean_y += apart_y * (b->count / count);
    a->mean_x += apart_x * (b->count / count);
    a->count = count;
    return ARB_OK;
}

static double correlation(const moments *of)
{
    double product = of->yy * of->xx; /* one root is exact where two are not, unless the product has no room */
    double value = of->yx / (isnormal(product) ? sqrt(product) : sqrt(of->yy) * sqrt(of->xx));
    return value > 1 ? 1 : value < -1 ? -1 : value;
}

/* False: NULL. */
static bool result_of(moment_kind kind, const moments *of, double *out)
{
    double least = kind == VARIANCE_SAMPLE || kind == DEVIATION_SAMPLE || kind == COVARIANCE_SAMPLE ? 2 : 1;
    if (of->count < least)
        return false;
    switch (kind) {
    case VARIANCE_SAMPLE:
        *out = of->yy / (of->count - 1);
        return true;
    case VARIANCE_POPULATION:
        *out = of->yy / of->count;
        return true;
    case DEVIATION_SAMPLE:
        *out = sqrt(of->yy / (of->count - 1));
        return true;
    case DEVIATION_POPULATION:
        *out = sqrt(of->yy / of->count);
        return true;
    case COVARIANCE_SAMPLE:
        *out = of->yx / (of->count - 1);
        return true;
    case COVARIANCE_POPULATION:
        *out = of->yx / of->count;
        return true;
    case CORRELATION:
        *out = correlation(of);
        return of->xx != 0 && of->yy != 0;
    case SLOPE:
        *out = of->yx / of->xx;
        return of->xx != 0;
    case INTERCEPT:
        *out = of->mean_y - of->mean_x * (of->yx / of->xx);
        return of->xx != 0;
    case DETERMINATION:
        *out = of->yy == 0 ? 1 : correlation(of) * correlation(of);
        return of->xx != 0;
    case MEAN_X:
        *out = of->mean_x;
        return true;
    case MEAN_Y:
        *out = of->mean_y;
        return true;
    case SQUARES_X:
        *out = of->xx;
        return true;
    case SQUARES_Y:
        *out = of->yy;
        return true;
    default:
        *out = of->yx;
        return true;
    }
}

static arb_code finalize_moments(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                                 arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)arena, (void)error;
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        const moments *state = states[i];
        if (plan->variant == PAIRS) {
            out->values.i64[i] = (int64_t)state->count;
            continue;
        }
        double result = 0;
        bool valid = result_of((moment_kind)plan->variant, state, &result);
        out->values.f64[i] = valid ? result : 0;
        if (!valid) {
            arb_bitmap_clear(validity, i);
            *out_has_null = true;
        }
    }
    return ARB_OK;
}

static arb_code resolve_moments(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    (void)error;
    for (size_t i = 0; i < count; i++) {
        if (!arb_type_implicit(arguments[i].type, ARB_TYPE(DOUBLE)))
            return ARB_NO_FIT;
        arguments[i].type = ARB_TYPE(DOUBLE);
    }
    *out_result = strcmp(function->name, "regr_count") == 0 ? ARB_TYPE(BIGINT) : ARB_TYPE(DOUBLE);
    return ARB_OK;
}

static const arb_aggregate_implementation moments_run = {
    .plan = plan_moments,
    .init = init_moments,
    .update = update_moments,
    .update_one = update_one_moments,
    .combine = combine_moments,
    .finalize = finalize_moments,
};

#define OF_ONE(name) ARB_AGGREGATE_ROW(name, 1, 1, resolve_moments, &moments_run)
#define OF_TWO(name) ARB_AGGREGATE_ROW(name, 2, 2, resolve_moments, &moments_run)

static const arb_function_row rows[] = {
    OF_ONE("var_samp"),       OF_ONE("var_pop"),   OF_ONE("stddev_samp"), OF_ONE("stddev_pop"),
    OF_TWO("covar_samp"),     OF_TWO("covar_pop"), OF_TWO("corr"),        OF_TWO("regr_slope"),
    OF_TWO("regr_intercept"), OF_TWO("regr_r2"),   OF_TWO("regr_count"),  OF_TWO("regr_avgx"),
    OF_TWO("regr_avgy"),      OF_TWO("regr_sxx"),  OF_TWO("regr_syy"),    OF_TWO("regr_sxy"),
};
ARB_FUNCTION_TABLE(arb_aggregates_moments, rows);
