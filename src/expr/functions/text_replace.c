/* text_replace.c: texts made of other texts: replace, translate, overlay, repeat, reverse, split_part. */
#include "expr/function_row.h"
#include "kernels/text_find.h"
#include "kernels/utf8_step.h"

static size_t count_needles(const arb_find_kernels *kernels, arb_str text, arb_str needle)
{
    const char *at = text.data, *end = text.data + text.size;
    size_t count = 0;
    for (; (at = (kernels->find)(at, (size_t)(end - at), needle.data, needle.size)) != NULL; at += needle.size)
        count++;
    return count;
}

static char *append(char *to, const char *from, size_t size)
{
    if (size != 0)
        memcpy(to, from, size);
    return to + size;
}

static arb_code replace_row(arb_call *call, const arb_find_kernels *kernels, size_t row, arb_error *error)
{
    arb_str text = arb_call_text(call, 0, row), from = arb_call_text(call, 1, row), to = arb_call_text(call, 2, row);
    size_t count = from.size == 0 ? 0 : count_needles(kernels, text, from), grown;
    if (count == 0) {
        arb_call_put_text(call, row, text.data, text.size);
        return ARB_OK;
    }
    if (__builtin_mul_overflow(count, to.size, &grown) || __builtin_add_overflow(grown, text.size, &grown))
        grown = SIZE_MAX;
    else
        grown -= count * from.size;
    char *room;
    ARB_TRY(arb_call_make_text(call, grown, &room, error));
    const char *at = text.data, *end = text.data + text.size, *found;
    char *out = room;
    while ((found = (kernels->find)(at, (size_t)(end - at), from.data, from.size)) != NULL) {
        out = append(out, at, (size_t)(found - at));
        out = append(out, to.data, to.size);
        at = found + from.size;
    }
    append(out, at, (size_t)(end - at));
    arb_call_put_text(call, row, room, grown);
    return ARB_OK;
}

static arb_code run_replace(arb_call *call, arb_error *error)
{
    const arb_find_kernels *kernels = arb_find_kernels_get();
    ARB_CALL_EACH(call, row)
    ARB_TRY(replace_row(call, kernels, row, error));
    return ARB_OK;
}

/* Each character of `from` becomes the one at the same place of `to`, or goes away when there is none. */
static arb_code translate_row(arb_call *call, size_t row, arb_error *error)
{
    arb_str text = arb_call_text(call, 0, row), from = arb_call_text(call, 1, row), to = arb_call_text(call, 2, row);
    const char *from_end = from.data + from.size, *to_end = to.data + to.size, *end = text.data + text.size;
    char *room, *out;
    ARB_TRY(arb_call_make_text(call, text.size * 4, &room, error));
    out = room;
    for (const char *at = text.data; at < end;) {
        const char *next = arb_utf8_next(at, end), *replaced = to.data, *member = from.data;
        size_t size = (size_t)(next - at);
        while (member < from_end && ((size_t)(from_end - member) < size || memcmp(member, at, size) != 0)) {
            member = arb_utf8_next(member, from_end);
            if (replaced < to_end)
                replaced = arb_utf8_next(replaced, to_end);
        }
        if (member == from_end)
            out = append(out, at, size);
        else if (replaced < to_end)
            out = append(out, replaced, (size_t)(arb_utf8_next(replaced, to_end) - replaced));
        at = next;
    }
    arb_call_put_text(call, row, room, (size_t)(out - room));
    return ARB_OK;
}

static arb_code run_translate(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(translate_row(call, row, error));
    return ARB_OK;
}

/* overlay(text, new, from[, count]): `count` characters from `from` on give way to `new` (as many as it has). */
static arb_code overlay_row(arb_call *call, size_t row, arb_error *error)
{
    arb_str text = arb_call_text(call, 0, row), placed = arb_call_text(call, 1, row);
    int64_t from = ARB_CALL_GET(call, 2, i64, row);
    int64_t count = call->expr->child_count == 4 ? ARB_CALL_GET(call, 3, i64, row) : (int64_t)arb_utf8_length(placed);
    if (from <= 0)
        return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "negative substring length not allowed");
    int64_t behind;
    if (__builtin_add_overflow(from, count, &behind))
        return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "integer out of range");
    const char *end = text.data + text.size;
    const char *head = arb_utf8_skip(text.data, end, from - 1);
    const char *tail = arb_utf8_skip(text.data, end, behind - 1);
    size_t head_size = (size_t)(head - text.data), tail_size = (size_t)(end - tail);
    char *room;
    ARB_TRY(arb_call_make_text(call, head_size + placed.size + tail_size, &room, error));
    append(append(append(room, text.data, head_size), placed.data, placed.size), tail, tail_size);
    arb_call_put_text(call, row, room, head_size + placed.size + tail_size);
    return ARB_OK;
}

static arb_code run_overlay(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(overlay_row(call, row, error));
    return ARB_OK;
}

static arb_code run_repeat(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        int64_t count = ARB_MAX(ARB_CALL_GET(call, 1, i64, row), 0);
        size_t size;
        char *room;
        if (__builtin_mul_overflow(text.size, (size_t)count, &size))
            size = SIZE_MAX;
        ARB_TRY(arb_call_make_text(call, size, &room, error));
        if (size != 0)
            memcpy(room, text.data, text.size);
        for (size_t filled = text.size; filled < size; filled *= 2)
            memcpy(room + filled, room, ARB_MIN(filled, size - filled));
        arb_call_put_text(call, row, room, size);
    }
    return ARB_OK;
}

static arb_code run_reverse(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        const char *end = text.data + text.size;
        char *room;
        ARB_TRY(arb_call_make_text(call, text.size, &room, error));
        char *out = room + text.size;
        for (const char *at = text.data, *next; at < end; at = next) {
            next = arb_utf8_next(at, end);
            out -= next - at;
            memcpy(out, at, (size_t)(next - at));
        }
        arb_call_put_text(call, row, room, text.size);
    }
    return ARB_OK;
}

/* The field with the number, from 1; from the end when negative, the last one being -1; empty when there is none. */
static arb_str split(const arb_find_kernels *kernels, arb_str text, arb_str delimiter, int64_t number)
{
    const char *at = text.data, *end = text.data + text.size;
    if (delimiter.size == 0 || text.size == 0)
        return number == 1 || number == -1 ? text : (arb_str){end, 0};
    if (number < 0) {
        number += (int64_t)count_needles(kernels, text, delimiter) + 2;
        if (number <= 0)
            return (arb_str){end, 0};
    }
    for (;; number--) {
        const char *found = (kernels->find)(at, (size_t)(end - at), delimiter.data, delimiter.size);
        if (number == 1)
            return (arb_str){at, (size_t)((found != NULL ? found : end) - at)};
        if (found == NULL)
            return (arb_str){end, 0};
        at = found + delimiter.size;
    }
}

static arb_code run_split_part(arb_call *call, arb_error *error)
{
    const arb_find_kernels *kernels = arb_find_kernels_get();
    ARB_CALL_EACH(call, row)
    {
        int64_t number = ARB_CALL_GET(call, 2, i64, row);
        if (number == 0)
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "field position must not be zero");
        number = ARB_MAX(number, -INT64_MAX);
        arb_str field = split(kernels, arb_call_text(call, 0, row), arb_call_text(call, 1, row), number);
        arb_call_put_text(call, row, field.data, field.size);
    }
    return ARB_OK;
}

static const arb_scalar_implementation replace_run = {.run = run_replace};
static const arb_scalar_implementation translate_run = {.run = run_translate};
static const arb_scalar_implementation overlay_run = {.run = run_overlay};
static const arb_scalar_implementation repeat_run = {.run = run_repeat};
static const arb_scalar_implementation reverse_run = {.run = run_reverse};
static const arb_scalar_implementation split_part_run = {.run = run_split_part};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("replace", 3, 3, "ttt>t", &replace_run),
    ARB_SCALAR_ROW("translate", 3, 3, "ttt>t", &translate_run),
    ARB_SCALAR_ROW("overlay", 3, 4, "ttll>t", &overlay_run),
    ARB_SCALAR_ROW("repeat", 2, 2, "tl>t", &repeat_run),
    ARB_SCALAR_ROW("reverse", 1, 1, "t>t", &reverse_run, .infallible = true),
    ARB_SCALAR_ROW("split_part", 3, 3, "ttl>t", &split_part_run),
};
ARB_FUNCTION_TABLE(arb_functions_text_replace, rows);
