/* substring.c: parts of texts by characters. Results refer to the argument's bytes; nothing is copied. */
#include "expr/function_row.h"
#include "kernels/utf8_step.h"

/* Characters [from, from + count), where the first one is 1; what lies before it counts but is not there. */
static arb_str cut(arb_str text, int64_t from, int64_t count)
{
    int64_t end;
    if (__builtin_add_overflow(from, count, &end))
        end = INT64_MAX;
    if (end <= 1)
        return (arb_str){text.data, 0};
    int64_t skip = from > 1 ? from - 1 : 0, length = from > 1 ? count : end - 1;
    const char *at = text.data, *stop = text.data + text.size;
    if ((size_t)skip >= text.size && skip != 0)
        return (arb_str){stop, 0};
    at = arb_utf8_skip(at, stop, skip);
    const char *behind = (uint64_t)length >= (size_t)(stop - at) ? stop : arb_utf8_skip(at, stop, length);
    return (arb_str){at, (size_t)(behind - at)};
}

static arb_code run_substring(arb_call *call, arb_error *error)
{
    bool bounded = call->expr->child_count == 3;
    ARB_CALL_EACH(call, row)
    {
        int64_t from = ARB_CALL_GET(call, 1, i64, row);
        int64_t count = bounded ? ARB_CALL_GET(call, 2, i64, row) : INT64_MAX;
        if (count < 0)
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "negative substring length not allowed");
        arb_str part = cut(arb_call_text(call, 0, row), from, count);
        arb_call_put_text(call, row, part.data, part.size);
    }
    return ARB_OK;
}

static arb_code run_left(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        int64_t count = ARB_CALL_GET(call, 1, i64, row);
        const char *end = text.data + text.size;
        const char *stop = count >= 0           ? arb_utf8_skip(text.data, end, count)
                           : count == INT64_MIN ? text.data
                                                : arb_utf8_back(text.data, end, -count);
        arb_call_put_text(call, row, text.data, (size_t)(stop - text.data));
    }
    return ARB_OK;
}

static arb_code run_right(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        int64_t count = ARB_CALL_GET(call, 1, i64, row);
        const char *end = text.data + text.size;
        const char *start = count >= 0           ? arb_utf8_back(text.data, end, count)
                            : count == INT64_MIN ? end
                                                 : arb_utf8_skip(text.data, end, -count);
        arb_call_put_text(call, row, start, (size_t)(end - start));
    }
    return ARB_OK;
}

static const arb_scalar_implementation substring_run = {.run = run_substring};
static const arb_scalar_implementation left_run = {.run = run_left};
static const arb_scalar_implementation right_run = {.run = run_right};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("substring", 2, 2, "tl>t", &substring_run, .infallible = true),
    ARB_SCALAR_ROW("substring", 3, 3, "tll>t", &substring_run),
    ARB_SCALAR_ROW("left", 2, 2, "tl>t", &left_run, .infallible = true),
    ARB_SCALAR_ROW("right", 2, 2, "tl>t", &right_run, .infallible = true),
};
ARB_FUNCTION_TABLE(arb_functions_substring, rows);
