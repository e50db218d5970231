/* text_case.c: upper, lower and initcap, character by character as Unicode's simple mappings say: ß stays ß. */
#include <utf8proc.h>

#include "base/utf8.h"
#include "expr/function_row.h"
#include "kernels/like.h"
#include "kernels/utf8_step.h"

typedef size_t (*map_text)(arb_str text, char *to);

static arb_code map_rows(arb_call *call, map_text map, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        char *room;
        ARB_TRY(arb_call_make_text(call, arb_utf8_is_ascii(text.data, text.size) ? text.size : text.size * 4, &room,
                                   error));
        arb_call_put_text(call, row, room, map(text, room));
    }
    return ARB_OK;
}

static arb_code run_lower(arb_call *call, arb_error *error)
{
    return map_rows(call, arb_text_lower, error);
}

static arb_code run_upper(arb_call *call, arb_error *error)
{
    return map_rows(call, arb_text_upper, error);
}

static bool in_word(uint32_t point)
{
    if (point < 0x80)
        return (point >= '0' && point <= '9') || (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/* The first character of each word in upper case, the others in lower case. */
static size_t capitalize(arb_str text, char *to)
{
    const char *at = text.data, *end = text.data + text.size;
    char *out = to;
    bool inside = false;
    while (at < end) {
        const char *next = arb_utf8_next(at, end);
        arb_str character = {at, (size_t)(next - at)};
        out += inside ? arb_text_lower(character, out) : arb_text_upper(character, out);
        inside = in_word(arb_utf8_get(at, end));
        at = next;
    }
    return (size_t)(out - to);
}

static arb_code run_capitalize(arb_call *call, arb_error *error)
{
    return map_rows(call, capitalize, error);
}

static const arb_scalar_implementation lower_run = {.run = run_lower};
static const arb_scalar_implementation upper_run = {.run = run_upper};
static const arb_scalar_implementation capitalize_run = {.run = run_capitalize};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("lower", 1, 1, "t>t", &lower_run, .infallible = true),
    ARB_SCALAR_ROW("upper", 1, 1, "t>t", &upper_run, .infallible = true),
    ARB_SCALAR_ROW("initcap", 1, 1, "t>t", &capitalize_run, .infallible = true),
};
ARB_FUNCTION_TABLE(arb_functions_text_case, rows);
