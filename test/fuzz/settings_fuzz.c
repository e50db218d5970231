/* Settings and sizes from text. What is set is shown in a form that sets the same.
 *
 * Input: NAME=VALUE. The value is also read as a size. */
#include "engine/session.h"
#include "engine/size_text.h"
#include "fuzz_input.h"

static void sizes(arb_str text)
{
    uint64_t bytes, again;
    arb_text printed = {0};
    arb_error error = {0};
    arb_code code = arb_size_parse(text, &bytes, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_INVALID_PARAMETER);
    if (code == ARB_OK) {
        arb_size_print(&printed, bytes);
        FUZZ_REQUIRE(arb_size_parse(arb_text_view(&printed), &again, &error) == ARB_OK && again == bytes);
    }
    arb_text_reset(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arb_runtime *runtime;
    arb_error error = {0};
    if (runtime == NULL)
        FUZZ_REQUIRE(arb_runtime_create(&(arb_runtime_options){.threads = 1}, &runtime, &error) == ARB_OK);
    fuzz_input in = fuzz_input_over(data, size);
    arb_str name = fuzz_until(&in, '='), value = fuzz_take(&in, SIZE_MAX);
    sizes(value);
    arb_setting setting;
    arb_code code = arb_setting_find(name, &setting, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_UNDEFINED_OBJECT);
    if (code != ARB_OK)
        return 0;
    arb_settings settings;
    arb_text before = {0}, shown = {0}, again = {0};
    arb_settings_init(&settings, runtime);
    arb_settings_print(&settings, setting, &before);
    code = arb_settings_set(&settings, setting, value, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_INVALID_PARAMETER || code == ARB_CONFIGURATION);
    arb_settings_print(&settings, setting, &shown);
    if (code != ARB_OK) {
        FUZZ_REQUIRE(arb_str_equal(arb_text_view(&before), arb_text_view(&shown)));
    } else {
        FUZZ_REQUIRE(arb_settings_set(&settings, setting, arb_text_view(&shown), &error) == ARB_OK);
        arb_settings_print(&settings, setting, &again);
        FUZZ_REQUIRE(arb_str_equal(arb_text_view(&shown), arb_text_view(&again)));
    }
    FUZZ_REQUIRE(arb_settings_reset(&settings, setting, &error) == ARB_OK);
    arb_text_reset(&before);
    arb_text_reset(&shown);
    arb_text_reset(&again);
    return 0;
}
