#include "cli/number_option.h"

#include <stdio.h>

#include "engine/size_text.h"

int arb_number_option(const arb_options *options, const char *name, unsigned least, unsigned most, unsigned *out_number)
{
    arb_str text = arb_option_value(options, name);
    uint64_t number = 0;
    bool fine = text.size > 0 && text.size < 10;
    if (text.data == NULL)
        return 0;
    for (size_t i = 0; fine && i < text.size; i++) {
        fine = text.data[i] >= '0' && text.data[i] <= '9';
        number = number * 10 + (unsigned)(text.data[i] - '0');
    }
    if (!fine || number < least || number > most) {
        fprintf(stderr, "arbalest: %s must be %u to %u, not \"%.*s\"\n", name, least, most, ARB_STR_ARGS(text));
        return arb_option_exit_status(options, name);
    }
    *out_number = (unsigned)number;
    return 0;
}

int arb_truth_option(const arb_options *options, const char *name, bool *out_truth)
{
    arb_str value = arb_option_value(options, name);
    *out_truth = arb_str_equal_nocase(value, ARB_STR("true")) || arb_str_equal(value, ARB_STR("1"));
    if (*out_truth || value.data == NULL || arb_str_equal_nocase(value, ARB_STR("false")) ||
        arb_str_equal(value, ARB_STR("0")))
        return 0;
    fprintf(stderr, "arbalest: %s is true or false, not \"%.*s\"\n", name, ARB_STR_ARGS(value));
    return arb_option_exit_status(options, name);
}

int arb_threads_option(const arb_options *options, unsigned *out_threads)
{
    enum { THREADS_MOST = 1024 };
    return arb_number_option(options, "threads", 1, THREADS_MOST, out_threads);
}

int arb_memory_option(const arb_options *options, uint64_t *out_bytes)
{
    arb_error error = {0};
    arb_str text = arb_option_value(options, "memory-limit");
    if (text.data == NULL)
        return 0;
    if (arb_size_parse(text, out_bytes, &error) == ARB_OK && *out_bytes == 0)
        arb_fail(&error, ARB_INVALID_PARAMETER, "the memory limit must not be 0");
    if (error.code == ARB_OK)
        return 0;
    fprintf(stderr, "arbalest: %s\n%s%s", error.message, error.hint, error.hint[0] != '\0' ? "\n" : "");
    return arb_option_exit_status(options, "memory-limit");
}
