/* text_trim.c: taking characters off the ends of texts, and filling texts up to a length. */
#include "expr/function_row.h"
#include "kernels/utf8_step.h"

enum { LEFT = 1, RIGHT = 2 };

/* Is the character [at, next) one of those in `set`? */
static bool is_one_of(const char *at, const char *next, arb_str set)
{
    size_t size = (size_t)(next - at);
    const char *end = set.data + set.size;
    for (const char *member = set.data; member < end; member = arb_utf8_next(member, end))
        if ((size_t)(end - member) >= size && arb_utf8_next(member, end) == member + size &&
            memcmp(member, at, size) == 0)
            return true;
    return false;
}

static arb_str trim(arb_str text, arb_str set, int sides)
{
    const char *at = text.data, *end = text.data + text.size;
    while ((sides & LEFT) != 0 && at < end && is_one_of(at, arb_utf8_next(at, end), set))
        at = arb_utf8_next(at, end);
    while ((sides & RIGHT) != 0 && at < end) {
        const char *last = arb_utf8_back(at, end, 1);
        if (!is_one_of(last, end, set))
            break;
        end = last;
    }
    return (arb_str){at, (size_t)(end - at)};
}

static arb_code trim_rows(arb_call *call, int sides)
{
    bool given = call->expr->child_count == 2;
    ARB_CALL_EACH(call, row)
    {
        arb_str set = given ? arb_call_text(call, 1, row) : ARB_STR(" ");
        arb_str rest = trim(arb_call_text(call, 0, row), set, sides);
        arb_call_put_text(call, row, rest.data, rest.size);
    }
    return ARB_OK;
}

static arb_code run_trim(arb_call *call, arb_error *error)
{
    (void)error;
    return trim_rows(call, LEFT | RIGHT);
}

static arb_code run_trim_left(arb_call *call, arb_error *error)
{
    (void)error;
    return trim_rows(call, LEFT);
}

static arb_code run_trim_right(arb_call *call, arb_error *error)
{
    (void)error;
    return trim_rows(call, RIGHT);
}

/* ---- filling ---------------------------------------------------------------------------------------------------------- */

/* `count` characters of `fill` over and over. */
static size_t fill_bytes(arb_str fill, size_t count)
{
    size_t characters = arb_utf8_length(fill);
    const char *part = arb_utf8_skip(fill.data, fill.data + fill.size, (int64_t)(count % characters));
    return count / characters * fill.size + (size_t)(part - fill.data);
}

static void write_fill(char *to, arb_str fill, size_t size)
{
    for (size_t at = 0; at < size; at += fill.size)
        memcpy(to + at, fill.data, ARB_MIN(fill.size, size - at));
}

static arb_code pad_row(arb_call *call, size_t row, bool left, arb_error *error)
{
    arb_str text = arb_call_text(call, 0, row);
    arb_str fill = call->expr->child_count == 3 ? arb_call_text(call, 2, row) : ARB_STR(" ");
    int64_t wanted = ARB_CALL_GET(call, 1, i64, row);
    int64_t length = (int64_t)arb_utf8_length(text);
    if (wanted <= length || fill.size == 0) {
        const char *stop = arb_utf8_skip(text.data, text.data + text.size, wanted);
        arb_call_put_text(call, row, text.data, (size_t)(stop - text.data));
        return ARB_OK;
    }
    if (wanted - length > ARB_TEXT_MOST)
        return arb_call_fail(call, error, ARB_STRING_TOO_LONG, "a text of %lld characters is too long",
                             (long long)wanted);
    size_t size = fill_bytes(fill, (size_t)(wanted - length));
    char *room;
    ARB_TRY(arb_call_make_text(call, size + text.size, &room, error));
    write_fill(left ? room : room + text.size, fill, size);
    if (text.size != 0)
        memcpy(left ? room + size : room, text.data, text.size);
    arb_call_put_text(call, row, room, size + text.size);
    return ARB_OK;
}

static arb_code run_pad_left(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(pad_row(call, row, true, error));
    return ARB_OK;
}

static arb_code run_pad_right(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(pad_row(call, row, false, error));
    return ARB_OK;
}

static const arb_scalar_implementation trim_run = {.run = run_trim};
static const arb_scalar_implementation trim_left_run = {.run = run_trim_left};
static const arb_scalar_implementation trim_right_run = {.run = run_trim_right};
static const arb_scalar_implementation pad_left_run = {.run = run_pad_left};
static const arb_scalar_implementation pad_right_run = {.run = run_pad_right};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("trim", 1, 2, "tt>t", &trim_run, .infallible = true),
    ARB_SCALAR_ROW("ltrim", 1, 2, "tt>t", &trim_left_run, .infallible = true),
    ARB_SCALAR_ROW("rtrim", 1, 2, "tt>t", &trim_right_run, .infallible = true),
    ARB_SCALAR_ROW("lpad", 2, 3, "tlt>t", &pad_left_run),
    ARB_SCALAR_ROW("rpad", 2, 3, "tlt>t", &pad_right_run),
};
ARB_FUNCTION_TABLE(arb_functions_text_trim, rows);
