/* set_statement.c: SET, RESET, USE. */
#include "engine/session_internal.h"

/* Values as one text, with commas between several. */
static arb_code join_values(const arb_bound_statement *statement, arb_text *out, arb_error *error)
{
    for (size_t i = 0; i < statement->set.value_count; i++) {
        arb_text_append(out, ",", i > 0 ? 1 : 0);
        arb_value_print(out, &statement->set.values[i]);
    }
    return arb_text_check(out, error);
}

static arb_code apply(arb_session *session, arb_str name, bool reset, arb_str value, arb_error *error)
{
    arb_setting setting;
    if (name.size == 0) {
        for (int i = 0; i < ARB_SETTING_COUNT; i++)
            if (arb_settings_may_set(&session->settings, (arb_setting)i))
                ARB_TRY(arb_settings_reset(&session->settings, (arb_setting)i, error));
        return ARB_OK;
    }
    if (arb_str_equal_nocase(name, ARB_STR("schema")) || arb_str_equal_nocase(name, ARB_STR("search_path")))
        return arb_catalog_use_schema(session->catalog, reset ? ARB_STR("main") : value, error);
    ARB_TRY(arb_setting_find(name, &setting, error));
    return reset ? arb_settings_reset(&session->settings, setting, error)
                 : arb_settings_set(&session->settings, setting, value, error);
}

arb_code arb_statement_set(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    arb_text value = {0};
    arb_code code = join_values(statement, &value, error);
    if (code == ARB_OK)
        code =
            apply(result->session, statement->set.name, statement->set.value_count == 0, arb_text_view(&value), error);
    arb_text_reset(&value);
    return code;
}
