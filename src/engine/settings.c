#include "engine/settings.h"

#include "columnar/vector.h"
#include "engine/size_text.h"
#include "kernels/time_zone.h"
#include "optimizer/optimize.h"

static const struct {
    const char *name, *about;
} known[] = {
#define X(name, text, about) [ARB_SETTING_##name] = {text, about},
    ARB_SETTINGS(X)
#undef X
};

static const char *const rule_names[] = {
#define X(name, text) [ARB_RULE_##name] = text,
    ARB_OPTIMIZER_RULES(X)
#undef X
};

static const char *const distribution_names[] = {
    [ARB_DISTRIBUTE_AUTO] = "auto",
    [ARB_DISTRIBUTE_ALWAYS] = "always",
    [ARB_DISTRIBUTE_NEVER] = "never",
};

enum { USUAL_TASK_BYTES = 64 << 20, USUAL_BROADCAST_BYTES = 16 << 20 };

void arb_settings_init(arb_settings *settings, arb_runtime *runtime)
{
    *settings = (arb_settings){.runtime = runtime,
                               .time_zone = "UTC",
                               .distribution = {.when = ARB_DISTRIBUTE_AUTO,
                                                .task_bytes = USUAL_TASK_BYTES,
                                                .broadcast_bytes = USUAL_BROADCAST_BYTES}};
}

const char *arb_setting_name(arb_setting setting)
{
    return known[setting].name;
}

const char *arb_setting_about(arb_setting setting)
{
    return known[setting].about;
}

arb_code arb_setting_find(arb_str name, arb_setting *out_setting, arb_error *error)
{
    if (arb_str_equal_nocase(name, ARB_STR("timezone")))
        name = ARB_STR("time_zone");
    unsigned best = 3;
    const char *nearest = NULL;
    for (size_t i = 0; i < ARB_SETTING_COUNT; i++) {
        arb_str other = arb_str_of(known[i].name);
        if (arb_str_equal_nocase(other, name)) {
            *out_setting = (arb_setting)i;
            return ARB_OK;
        }
        unsigned distance = arb_str_distance(other, name, best);
        if (distance <= best && (nearest == NULL || distance < best)) {
            best = distance;
            nearest = known[i].name;
        }
    }
    arb_code code = arb_fail(error, ARB_UNDEFINED_OBJECT, "there is no setting \"%.*s\"", ARB_STR_ARGS(name));
    if (nearest != NULL)
        arb_error_hint(error, "Did you mean \"%s\"?", nearest);
    else
        arb_error_hint(error, "SHOW ALL lists the settings.");
    return code;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */
static arb_code parse_number(arb_str value, uint32_t most, uint32_t *out, arb_error *error)
{
    uint64_t number = 0;
    bool fine = value.size > 0 && value.size < 10;
    for (size_t i = 0; fine && i < value.size; i++) {
        fine = value.data[i] >= '0' && value.data[i] <= '9';
        number = number * 10 + (unsigned)(value.data[i] - '0');
    }
    if (!fine || number == 0 || number > most)
        return arb_fail(error, ARB_INVALID_PARAMETER, "\"%.*s\" is no number from 1 to %u", ARB_STR_ARGS(value), most);
    *out = (uint32_t)number;
    return ARB_OK;
}

static arb_code parse_flag(arb_str value, bool *out, arb_error *error)
{
    static const char *const yes[] = {"true", "on", "yes", "1"}, *const no[] = {"false", "off", "no", "0"};
    for (size_t i = 0; i < ARB_COUNT_OF(yes); i++) {
        if (arb_str_equal_nocase(value, arb_str_of(yes[i]))) {
            *out = true;
            return ARB_OK;
        }
        if (arb_str_equal_nocase(value, arb_str_of(no[i]))) {
            *out = false;
            return ARB_OK;
        }
    }
    return arb_fail(error, ARB_INVALID_PARAMETER, "\"%.*s\" is neither true nor false", ARB_STR_ARGS(value));
}

static arb_code parse_rules(arb_str value, uint32_t *out, arb_error *error)
{
    uint32_t rules = 0;
    while (value.size > 0) {
        const char *comma = memchr(value.data, ',', value.size);
        arb_str name = {value.data, comma == NULL ? value.size : (size_t)(comma - value.data)};
        size_t step = name.size + (comma != NULL);
        value = (arb_str){value.data + step, value.size - step};
        while (name.size > 0 && name.data[0] == ' ')
            name = (arb_str){name.data + 1, name.size - 1};
        while (name.size > 0 && name.data[name.size - 1] == ' ')
            name.size--;
        size_t rule = 0;
        while (rule < ARB_RULE_COUNT && !arb_str_equal_nocase(name, arb_str_of(rule_names[rule])))
            rule++;
        if (rule == ARB_RULE_COUNT)
            return arb_fail(error, ARB_INVALID_PARAMETER, "there is no optimizer rule \"%.*s\"", ARB_STR_ARGS(name));
        rules |= UINT32_C(1) << rule;
    }
    *out = rules;
    return ARB_OK;
}

static arb_code parse_distribution(arb_str value, arb_distribution *out, arb_error *error)
{
    for (size_t i = 0; i < ARB_COUNT_OF(distribution_names); i++)
        if (arb_str_equal_nocase(value, arb_str_of(distribution_names[i]))) {
            out->when = (int)i;
            return ARB_OK;
        }
    return arb_fail(error, ARB_INVALID_PARAMETER, "distribution is auto, always or never, not \"%.*s\"",
                    ARB_STR_ARGS(value));
}

static arb_code parse_exchange(arb_str value, arb_distribution *out, arb_error *error)
{
    bool in_files = arb_str_equal(value, ARB_STR("0"));
    if (!in_files && !arb_str_equal_nocase(value, ARB_STR("auto")))
        return arb_fail(error, ARB_INVALID_PARAMETER, "exchange_memory is auto or 0, not \"%.*s\"",
                        ARB_STR_ARGS(value));
    out->outputs_in_files = in_files;
    return ARB_OK;
}

static arb_code set_time_zone(arb_settings *settings, arb_str value, arb_error *error)
{
    bool is_name = value.size > 0 && value.size < sizeof settings->time_zone && strchr("+-", value.data[0]) == NULL;
    arb_zone *zone = NULL;
    arb_code code = is_name ? arb_zone_load(value, &zone, error) : ARB_INVALID_PARAMETER;
    arb_zone_destroy(zone);
    if (code == ARB_INVALID_PARAMETER)
        return arb_fail(error, code, "there is no time zone \"%.*s\"", ARB_STR_ARGS(value));
    if (code != ARB_OK)
        return code;
    memcpy(settings->time_zone, value.data, value.size);
    settings->time_zone[value.size] = '\0';
    return ARB_OK;
}

/* What a client may set: it changes how his own statements are carried out, and nothing else. Any other setting, also one that
 * is to come, belongs to the server. */
static const bool of_clients[ARB_SETTING_COUNT] = {
    [ARB_SETTING_BATCH_ROWS] = true,        [ARB_SETTING_BROADCAST_LIMIT] = true, [ARB_SETTING_DISABLED_RULES] = true,
    [ARB_SETTING_DISTRIBUTION] = true,      [ARB_SETTING_EXCHANGE_MEMORY] = true, [ARB_SETTING_FORCE_ASYNC_IO] = true,
    [ARB_SETTING_FORCE_SPILL] = true,       [ARB_SETTING_TIME_ZONE] = true,       [ARB_SETTING_VERIFY_PLANS] = true,
    [ARB_SETTING_TARGET_TASK_BYTES] = true,
};

bool arb_settings_may_set(const arb_settings *settings, arb_setting setting)
{
    return !settings->of_client || of_clients[setting];
}

static arb_code check_may_set(const arb_settings *settings, arb_setting setting, arb_error *error)
{
    return arb_settings_may_set(settings, setting)
               ? ARB_OK
               : arb_fail(error, ARB_ACCESS_DENIED, "\"%s\" is the server's own setting", arb_setting_name(setting));
}

static arb_code apply(arb_settings *settings, arb_setting setting, arb_str value, arb_error *error)
{
    uint32_t number;
    uint64_t bytes;
    switch (setting) {
    case ARB_SETTING_BATCH_ROWS:
        return parse_number(value, ARB_VECTOR_ROWS, &settings->batch_rows, error);
    case ARB_SETTING_DISABLED_RULES:
        return parse_rules(value, &settings->disabled_rules, error);
    case ARB_SETTING_BROADCAST_LIMIT:
        return arb_size_parse(value, &settings->distribution.broadcast_bytes, error);
    case ARB_SETTING_DISTRIBUTION:
        return parse_distribution(value, &settings->distribution, error);
    case ARB_SETTING_TARGET_TASK_BYTES:
        ARB_TRY(arb_size_parse(value, &bytes, error));
        settings->distribution.task_bytes = ARB_MAX(bytes, 1);
        return ARB_OK;
    case ARB_SETTING_EXCHANGE_MEMORY:
        return parse_exchange(value, &settings->distribution, error);
    case ARB_SETTING_FORCE_ASYNC_IO:
        return parse_flag(value, &settings->force_async_io, error);
    case ARB_SETTING_FORCE_SPILL:
        return parse_flag(value, &settings->force_spill, error);
    case ARB_SETTING_VERIFY_PLANS:
        return parse_flag(value, &settings->verify_plans, error);
    case ARB_SETTING_MEMORY_LIMIT:
        ARB_TRY(arb_size_parse(value, &bytes, error));
        ARB_TRY(check_may_set(settings, setting, error));
        arb_runtime_set_memory_limit(settings->runtime, ARB_MAX(bytes, 1));
        return ARB_OK;
    case ARB_SETTING_SPILL_DIR: {
        char folder[4096];
        if (value.size == 0 || value.size >= sizeof folder || memchr(value.data, '\0', value.size) != NULL)
            return arb_fail(error, ARB_INVALID_PARAMETER, "that is no folder's name");
        memcpy(folder, value.data, value.size);
        folder[value.size] = '\0';
        ARB_TRY(check_may_set(settings, setting, error));
        return arb_runtime_set_spill_folder(settings->runtime, folder, error);
    }
    case ARB_SETTING_THREADS:
        ARB_TRY(parse_number(value, 1024, &number, error));
        ARB_TRY(check_may_set(settings, setting, error));
        return arb_runtime_set_threads(settings->runtime, number, error);
    case ARB_SETTING_TIME_ZONE:
        return set_time_zone(settings, value, error);
    case ARB_SETTING_COUNT:
        break;
    }
    return arb_fail(error, ARB_INTERNAL, "setting %d", (int)setting);
}

/* A value that is none is said to be so first, whoever sets it. */
arb_code arb_settings_set(arb_settings *settings, arb_setting setting, arb_str value, arb_error *error)
{
    arb_settings changed = *settings;
    ARB_TRY(apply(&changed, setting, value, error));
    ARB_TRY(check_may_set(settings, setting, error));
    *settings = changed;
    return ARB_OK;
}

arb_code arb_settings_reset(arb_settings *settings, arb_setting setting, arb_error *error)
{
    arb_settings initial;
    arb_settings_init(&initial, settings->runtime);
    ARB_TRY(check_may_set(settings, setting, error));
    switch (setting) {
    case ARB_SETTING_BATCH_ROWS:
        settings->batch_rows = initial.batch_rows;
        return ARB_OK;
    case ARB_SETTING_DISABLED_RULES:
        settings->disabled_rules = initial.disabled_rules;
        return ARB_OK;
    case ARB_SETTING_BROADCAST_LIMIT:
        settings->distribution.broadcast_bytes = initial.distribution.broadcast_bytes;
        return ARB_OK;
    case ARB_SETTING_DISTRIBUTION:
        settings->distribution.when = initial.distribution.when;
        return ARB_OK;
    case ARB_SETTING_TARGET_TASK_BYTES:
        settings->distribution.task_bytes = initial.distribution.task_bytes;
        return ARB_OK;
    case ARB_SETTING_EXCHANGE_MEMORY:
        settings->distribution.outputs_in_files = initial.distribution.outputs_in_files;
        return ARB_OK;
    case ARB_SETTING_FORCE_ASYNC_IO:
        settings->force_async_io = initial.force_async_io;
        return ARB_OK;
    case ARB_SETTING_FORCE_SPILL:
        settings->force_spill = initial.force_spill;
        return ARB_OK;
    case ARB_SETTING_VERIFY_PLANS:
        settings->verify_plans = initial.verify_plans;
        return ARB_OK;
    case ARB_SETTING_MEMORY_LIMIT:
        arb_runtime_set_memory_limit(settings->runtime, 0);
        return ARB_OK;
    case ARB_SETTING_SPILL_DIR:
        return arb_runtime_set_spill_folder(settings->runtime, NULL, error);
    case ARB_SETTING_THREADS:
        return arb_runtime_set_threads(settings->runtime, 0, error);
    case ARB_SETTING_TIME_ZONE:
        memcpy(settings->time_zone, initial.time_zone, sizeof initial.time_zone);
        return ARB_OK;
    case ARB_SETTING_COUNT:
        break;
    }
    return arb_fail(error, ARB_INTERNAL, "setting %d", (int)setting);
}

void arb_settings_print(const arb_settings *settings, arb_setting setting, arb_text *out)
{
    switch (setting) {
    case ARB_SETTING_BATCH_ROWS:
        arb_text_printf(out, "%u", settings->batch_rows != 0 ? settings->batch_rows : ARB_VECTOR_ROWS);
        break;
    case ARB_SETTING_DISABLED_RULES:
        for (size_t rule = 0; rule < ARB_RULE_COUNT; rule++)
            if (settings->disabled_rules >> rule & 1)
                arb_text_printf(out, "%s%s", out->size == 0 ? "" : ",", rule_names[rule]);
        break;
    case ARB_SETTING_BROADCAST_LIMIT:
        arb_size_print(out, settings->distribution.broadcast_bytes);
        break;
    case ARB_SETTING_DISTRIBUTION:
        arb_text_printf(out, "%s", distribution_names[settings->distribution.when]);
        break;
    case ARB_SETTING_TARGET_TASK_BYTES:
        arb_size_print(out, settings->distribution.task_bytes);
        break;
    case ARB_SETTING_EXCHANGE_MEMORY:
        arb_text_printf(out, "%s", settings->distribution.outputs_in_files ? "0" : "auto");
        break;
    case ARB_SETTING_FORCE_ASYNC_IO:
        arb_text_printf(out, "%s", settings->force_async_io ? "true" : "false");
        break;
    case ARB_SETTING_FORCE_SPILL:
        arb_text_printf(out, "%s", settings->force_spill ? "true" : "false");
        break;
    case ARB_SETTING_VERIFY_PLANS:
        arb_text_printf(out, "%s", settings->verify_plans ? "true" : "false");
        break;
    case ARB_SETTING_MEMORY_LIMIT:
        arb_size_print(out, arb_runtime_memory_limit(settings->runtime));
        break;
    case ARB_SETTING_SPILL_DIR:
        arb_text_printf(out, "%s", arb_runtime_spill_folder(settings->runtime));
        break;
    case ARB_SETTING_THREADS:
        arb_text_printf(out, "%u", arb_runtime_threads(settings->runtime));
        break;
    case ARB_SETTING_TIME_ZONE:
        arb_text_printf(out, "%s", settings->time_zone);
        break;
    case ARB_SETTING_COUNT:
        break;
    }
}
