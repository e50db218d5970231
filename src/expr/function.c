/* function.c: the registry and the choice of overloads.
 *
 * All overloads of a name that take the number of arguments are tried in the tables' order. The one that converts the
 * fewest arguments wins, the first one among equals; literals without a type convert for free. */
#include "expr/function.h"

#include "expr/function_row.h"

static const arb_function_table *const tables[] = {
    &arb_functions_arithmetic,
    &arb_functions_interval,
    &arb_functions_concat,
    &arb_functions_like,
    &arb_functions_text_measure,
    &arb_functions_text_case,
    &arb_functions_text_trim,
    &arb_functions_text_replace,
    &arb_functions_text_code,
    &arb_functions_text_format,
    &arb_functions_regex,
    &arb_functions_substring,
    &arb_functions_date_part,
    &arb_functions_date_trunc,
    &arb_functions_number_round,
    &arb_functions_number_real,
    &arb_functions_number_whole,
    &arb_functions_greatest_least,
    &arb_functions_random,
    &arb_functions_time_make,
    &arb_functions_time_between,
    &arb_functions_time_at_zone,
    &arb_functions_time_format,
    &arb_functions_number_format,
    &arb_aggregates_count,
    &arb_aggregates_sum,
    &arb_aggregates_extreme,
    &arb_aggregates_moments,
    &arb_aggregates_text_join,
    &arb_aggregates_quantile,
    &arb_aggregates_bits,
    &arb_aggregates_value_at_extreme,
    &arb_aggregates_distinct_estimate,
    &arb_aggregates_interval_sum,
    &arb_aggregates_pick,
};

static const struct {
    arb_function_kind kind;
    const char *alias, *name;
} aliases[] = {
    {ARB_FUNCTION_SCALAR, "extract", "date_part"},
    {ARB_FUNCTION_SCALAR, "datepart", "date_part"},
    {ARB_FUNCTION_SCALAR, "datetrunc", "date_trunc"},
    {ARB_FUNCTION_SCALAR, "substr", "substring"},
    {ARB_FUNCTION_SCALAR, "dow", "dayofweek"},
    {ARB_FUNCTION_SCALAR, "doy", "dayofyear"},
    {ARB_FUNCTION_SCALAR, "dayofmonth", "day"},
    {ARB_FUNCTION_SCALAR, "weekofyear", "week"},
    {ARB_FUNCTION_SCALAR, "~~", "like"},
    {ARB_FUNCTION_SCALAR, "~~*", "ilike"},
    {ARB_FUNCTION_SCALAR, "prefix", "starts_with"},
    {ARB_FUNCTION_SCALAR, "suffix", "ends_with"},
    {ARB_FUNCTION_SCALAR, "char_length", "length"},
    {ARB_FUNCTION_SCALAR, "character_length", "length"},
    {ARB_FUNCTION_SCALAR, "len", "length"},
    {ARB_FUNCTION_SCALAR, "strlen", "octet_length"},
    {ARB_FUNCTION_SCALAR, "lcase", "lower"},
    {ARB_FUNCTION_SCALAR, "ucase", "upper"},
    {ARB_FUNCTION_SCALAR, "btrim", "trim"},
    {ARB_FUNCTION_SCALAR, "position", "strpos"},
    {ARB_FUNCTION_SCALAR, "instr", "strpos"},
    {ARB_FUNCTION_SCALAR, "unicode", "ascii"},
    {ARB_FUNCTION_SCALAR, "ord", "ascii"},
    {ARB_FUNCTION_SCALAR, "from_hex", "unhex"},
    {ARB_FUNCTION_SCALAR, "regexp_matches", "regexp_like"},
    {ARB_FUNCTION_SCALAR, "ceiling", "ceil"},
    {ARB_FUNCTION_SCALAR, "truncate", "trunc"},
    {ARB_FUNCTION_SCALAR, "pow", "power"},
    {ARB_FUNCTION_SCALAR, "^", "power"},
    {ARB_FUNCTION_SCALAR, "@", "abs"},
    {ARB_FUNCTION_SCALAR, "xor", "#"},
    {ARB_FUNCTION_SCALAR, "signum", "sign"},
    {ARB_FUNCTION_SCALAR, "is_nan", "isnan"},
    {ARB_FUNCTION_SCALAR, "is_inf", "isinf"},
    {ARB_FUNCTION_SCALAR, "is_finite", "isfinite"},
    {ARB_FUNCTION_SCALAR, "rand", "random"},
    {ARB_FUNCTION_SCALAR, "uuid", "gen_random_uuid"},
    {ARB_FUNCTION_SCALAR, "datediff", "date_diff"},
    {ARB_FUNCTION_SCALAR, "date_add", "+"},
    {ARB_FUNCTION_SCALAR, "date_sub", "-"},
    {ARB_FUNCTION_SCALAR, "to_timezone", "timezone"},
    {ARB_FUNCTION_AGGREGATE, "stddev", "stddev_samp"},
    {ARB_FUNCTION_AGGREGATE, "variance", "var_samp"},
    {ARB_FUNCTION_AGGREGATE, "group_concat", "string_agg"},
    {ARB_FUNCTION_AGGREGATE, "listagg", "string_agg"},
    {ARB_FUNCTION_AGGREGATE, "percentile_cont", "quantile_cont"},
    {ARB_FUNCTION_AGGREGATE, "percentile_disc", "quantile_disc"},
    {ARB_FUNCTION_AGGREGATE, "quantile", "quantile_disc"},
    {ARB_FUNCTION_AGGREGATE, "min_by", "arg_min"},
    {ARB_FUNCTION_AGGREGATE, "max_by", "arg_max"},
    {ARB_FUNCTION_AGGREGATE, "argmin", "arg_min"},
    {ARB_FUNCTION_AGGREGATE, "argmax", "arg_max"},
    {ARB_FUNCTION_AGGREGATE, "approx_distinct", "approx_count_distinct"},
    {ARB_FUNCTION_AGGREGATE, "mean", "avg"},
    {ARB_FUNCTION_AGGREGATE, "every", "bool_and"},
    {ARB_FUNCTION_AGGREGATE, "arbitrary", "any_value"},
    {ARB_FUNCTION_AGGREGATE, "first_value", "first"},
    {ARB_FUNCTION_AGGREGATE, "last_value", "last"},
};

enum { arguments_most = ARB_ANY_ARITY };

static arb_str canonical_name(arb_function_kind kind, arb_str name)
{
    for (size_t i = 0; i < ARB_COUNT_OF(aliases); i++)
        if (aliases[i].kind == kind && arb_str_equal_nocase(name, arb_str_of(aliases[i].alias)))
            return arb_str_of(aliases[i].name);
    return name;
}

static const arb_function *next_named(arb_function_kind kind, arb_str name, size_t *table, size_t *row)
{
    for (; *table < ARB_COUNT_OF(tables); (*table)++, *row = 0)
        while (*row < tables[*table]->count) {
            const arb_function *function = &tables[*table]->rows[(*row)++].function;
            if (function->kind == kind && arb_str_equal_nocase(name, arb_str_of(function->name)))
                return function;
        }
    return NULL;
}

const arb_function *arb_function_find(arb_function_kind kind, arb_str name)
{
    size_t table = 0, row = 0;
    return next_named(kind, canonical_name(kind, name), &table, &row);
}

const arb_function *arb_function_at(size_t index)
{
    for (size_t table = 0; table < ARB_COUNT_OF(tables); table++) {
        if (index < tables[table]->count)
            return &tables[table]->rows[index].function;
        index -= tables[table]->count;
    }
    return NULL;
}

bool arb_function_alias_at(size_t index, arb_function_kind *out_kind, const char **out_alias, const char **out_name)
{
    if (index >= ARB_COUNT_OF(aliases))
        return false;
    *out_kind = aliases[index].kind;
    *out_alias = aliases[index].alias;
    *out_name = aliases[index].name;
    return true;
}

arb_str arb_function_nearest(arb_str name)
{
    arb_str best = {0};
    unsigned limit = name.size <= 3 ? 1 : 2;
    for (size_t table = 0; table < ARB_COUNT_OF(tables); table++)
        for (size_t row = 0; row < tables[table]->count; row++) {
            arb_str candidate = arb_str_of(tables[table]->rows[row].function.name);
            bool word = candidate.data[0] >= 'a' && candidate.data[0] <= 'z';
            unsigned distance = word ? arb_str_distance(name, candidate, limit) : limit + 1;
            if (distance <= limit) {
                best = candidate;
                limit = distance - (distance != 0);
                if (distance <= 1)
                    return best;
            }
        }
    return best;
}

/* ---- overloads -------------------------------------------------------------------------------------------------------- */

static arb_type signature_type(char letter)
{
    switch (letter) {
#define X(letter_, name) \
    case letter_:        \
        return ARB_TYPE(name);
        ARB_SIGNATURE_TYPES(X)
#undef X
    default:
        assert(false);
        return ARB_TYPE(NULL);
    }
}

arb_code arb_resolve_signature(const arb_function *function, arb_argument *arguments, size_t count,
                               arb_type *out_result, arb_error *error)
{
    const char *signature = ARB_CONTAINER_OF(function, arb_function_row, function)->signature;
    const char *arrow = strchr(signature, '>');
    size_t letters = (size_t)(arrow - signature);
    bool nanoseconds = false;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        arb_type wanted = signature_type(signature[ARB_MIN(i, letters - 1)]);
        if (!arb_type_implicit(arguments[i].type, wanted))
            return ARB_NO_FIT;
        nanoseconds |= arguments[i].type.nanoseconds;
        arguments[i].type = wanted;
    }
    *out_result = signature_type(arrow[1]);
    for (size_t i = 0; i <= count && nanoseconds; i++) {
        arb_type *type = i < count ? &arguments[i].type : out_result;
        type->nanoseconds = type->id == ARB_TYPE_TIMESTAMP || type->id == ARB_TYPE_TIMESTAMPTZ;
    }
    return ARB_OK;
}

static bool is_operator(arb_str name)
{
    return name.size != 0 && strchr("+-*/%|&#~<>!^@", name.data[0]) != NULL;
}

static void print_call(arb_text *out, arb_str name, const arb_argument *arguments, size_t count)
{
    bool infix = is_operator(name) && count == 2;
    if (!infix)
        arb_text_append_str(out, name);
    arb_text_append_str(out, infix ? ARB_STR("") : ARB_STR("("));
    for (size_t i = 0; i < count; i++) {
        if (i != 0 && infix)
            arb_text_printf(out, " %.*s ", ARB_STR_ARGS(name));
        else if (i != 0)
            arb_text_append_str(out, ARB_STR(", "));
        if (arguments[i].type.id == ARB_TYPE_NULL)
            arb_text_append_str(out, ARB_STR("unknown"));
        else
            arb_type_print(out, arguments[i].type);
    }
    arb_text_append_str(out, infix ? ARB_STR("") : ARB_STR(")"));
}

static arb_code fail_unknown(arb_function_kind kind, arb_str name, arb_error *error)
{
    bool other = arb_function_find(kind == ARB_FUNCTION_SCALAR ? ARB_FUNCTION_AGGREGATE : ARB_FUNCTION_SCALAR, name);
    if (other && kind == ARB_FUNCTION_AGGREGATE)
        return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "%.*s is not an aggregate function", ARB_STR_ARGS(name));
    arb_fail(error, ARB_UNDEFINED_FUNCTION, "function %.*s does not exist", ARB_STR_ARGS(name));
    arb_str nearest = arb_function_nearest(name);
    if (nearest.size != 0)
        arb_error_hint(error, "did you mean %.*s?", ARB_STR_ARGS(nearest));
    return ARB_UNDEFINED_FUNCTION;
}

static arb_code fail_types(arb_str name, const arb_argument *arguments, size_t count, unsigned least, unsigned most,
                           arb_error *error)
{
    arb_text text = {0};
    print_call(&text, name, arguments, count);
    arb_fail(error, ARB_UNDEFINED_FUNCTION, "%s %.*s does not exist", is_operator(name) ? "operator" : "function",
             ARB_STR_ARGS(arb_text_view(&text)));
    arb_text_reset(&text);
    if (count < least)
        arb_error_hint(error, "it takes %s%u argument%s", least == most ? "" : "at least ", least,
                       least == 1 ? "" : "s");
    else if (count > most)
        arb_error_hint(error, "it takes %s%u argument%s", least == most ? "" : "at most ", most, most == 1 ? "" : "s");
    else
        arb_error_hint(error, "no %s of this name takes these types; a CAST may help",
                       is_operator(name) ? "operator" : "function");
    return ARB_UNDEFINED_FUNCTION;
}

static unsigned conversions(const arb_argument *before, const arb_argument *after, size_t count)
{
    unsigned converted = 0;
    for (size_t i = 0; i < count; i++)
        converted += before[i].type.id != ARB_TYPE_NULL && !arb_type_equal(before[i].type, after[i].type);
    return converted;
}

arb_code arb_function_bind(arb_function_kind kind, arb_str name, arb_argument *arguments, size_t count,
                           const arb_function **out_function, arb_type *out_result, arb_error *error)
{
    arb_str canonical = canonical_name(kind, name);
    arb_argument trial[arguments_most], best[arguments_most];
    const arb_function *function, *chosen = NULL;
    unsigned least = UINT32_MAX, most = 0, chosen_cost = UINT32_MAX;
    size_t table = 0, row = 0;
    if (count > arguments_most)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a function takes at most %d arguments", arguments_most);
    while ((function = next_named(kind, canonical, &table, &row)) != NULL) {
        unsigned function_most = function->arity_most == ARB_ANY_ARITY ? arguments_most : function->arity_most;
        least = ARB_MIN(least, function->arity_least);
        most = ARB_MAX(most, function_most);
        if (count < function->arity_least || count > function_most)
            continue;
        if (count != 0)
            memcpy(trial, arguments, count * sizeof *trial);
        arb_type result = {0};
        arb_code code = function->resolve(function, trial, count, &result, error);
        if (code == ARB_DATATYPE_MISMATCH || code == ARB_UNDEFINED_FUNCTION)
            continue;
        if (code != ARB_OK)
            return code;
        unsigned cost = conversions(arguments, trial, count);
        if (cost >= chosen_cost)
            continue;
        chosen = function;
        chosen_cost = cost;
        *out_result = result;
        if (count != 0)
            memcpy(best, trial, count * sizeof *best);
    }
    if (chosen == NULL && most == 0 && least == UINT32_MAX)
        return fail_unknown(kind, name, error);
    if (chosen == NULL)
        return fail_types(name, arguments, count, least, most, error);
    arb_error_clear(error);
    for (size_t i = 0; i < count; i++)
        arguments[i].type = best[i].type.id == ARB_TYPE_NULL ? ARB_TYPE(VARCHAR) : best[i].type;
    *out_function = chosen;
    return ARB_OK;
}

char *arb_call_text_room(arb_call *call, size_t size, arb_error *error)
{
    char *room = NULL;
    if (size > ARB_TEXT_MOST) {
        arb_call_fail(call, error, ARB_STRING_TOO_LONG, "a text of %zu bytes is too long", size);
    } else {
        room = arb_arena_alloc(call->arena, ARB_MAX(size, (size_t)1));
        if (room == NULL)
            arb_fail_memory(error, "a text", size);
    }
    return room;
}
