#include "engine/size_text.h"

static const struct {
    char name[4];
    uint64_t bytes;
} units[] = {
    {"TiB", UINT64_C(1) << 40}, {"TB", UINT64_C(1000000000000)},
    {"GiB", UINT64_C(1) << 30}, {"GB", 1000000000},
    {"MiB", 1 << 20},           {"MB", 1000000},
    {"KiB", 1 << 10},           {"kB", 1000},
};

static arb_code no_size(arb_str text, arb_error *error)
{
    arb_code code = arb_fail(error, ARB_INVALID_PARAMETER, "\"%.*s\" is no size", ARB_STR_ARGS(text));
    arb_error_hint(error, "A size is a number of bytes, or a number with kB, MB, GB (powers of 1000), KiB, MiB or GiB "
                          "(powers of 1024).");
    return code;
}

arb_code arb_size_parse(arb_str text, uint64_t *out_bytes, arb_error *error)
{
    uint64_t unit = 1;
    arb_str digits = text;
    for (size_t i = 0; i < ARB_COUNT_OF(units); i++) {
        arb_str name = arb_str_of(units[i].name);
        if (!arb_str_ends_with(text, name))
            continue;
        unit = units[i].bytes;
        digits.size -= name.size;
        break;
    }
    while (digits.size > 0 && digits.data[digits.size - 1] == ' ')
        digits.size--;
    arb_uint128 value = 0; /* digits, then divided by `scale` */
    uint64_t scale = 1;
    bool point = false;
    size_t seen = 0;
    for (size_t i = 0; i < digits.size; i++) {
        char c = digits.data[i];
        if (c == '.' && !point && unit > 1) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++seen > 19)
            return no_size(text, error);
        value = value * 10 + (unsigned)(c - '0');
        if (point)
            scale *= 10;
    }
    value = value * unit / scale;
    if (seen == 0 || value > INT64_MAX)
        return no_size(text, error);
    *out_bytes = (uint64_t)value;
    return ARB_OK;
}

void arb_size_print(arb_text *out, uint64_t bytes)
{
    for (size_t i = 0; i < ARB_COUNT_OF(units); i++) {
        if (bytes == 0 || bytes % units[i].bytes != 0)
            continue;
        arb_text_printf(out, "%llu%s", (unsigned long long)(bytes / units[i].bytes), units[i].name);
        return;
    }
    arb_text_printf(out, "%llu", (unsigned long long)bytes);
}
