#include "cli/error_report.h"

#include <utf8proc.h>

/* Longer lines are shown in part, with the place in sight. */
enum { LINE_BYTES = 160, BEFORE_BYTES = 100 };

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Columns that the text takes on a terminal; what is no UTF-8 counts one a byte. */
static size_t width_of(arb_str text)
{
    size_t width = 0;
    for (size_t at = 0; at < text.size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t size =
            utf8proc_iterate((const utf8proc_uint8_t *)text.data + at, (utf8proc_ssize_t)(text.size - at), &point);
        int columns = size > 0 ? utf8proc_charwidth(point) : 1;
        width += columns > 0 ? (size_t)columns : 0;
        at += size > 0 ? (size_t)size : 1;
    }
    return width;
}

static void append_plain(arb_text *out, arb_str text)
{
    for (size_t i = 0; i < text.size; i++)
        arb_text_append_char(out, (unsigned char)text.data[i] < 0x20 ? ' ' : text.data[i]);
}

static void report_line(arb_text *out, arb_str source, size_t place)
{
    size_t first = place, end = place, number = 1;
    while (first > 0 && source.data[first - 1] != '\n')
        first--;
    while (end < source.size && source.data[end] != '\n')
        end++;
    for (size_t i = 0; i < first; i++)
        number += source.data[i] == '\n';
    while (end > first && source.data[end - 1] == '\r')
        end--;
    place = ARB_MIN(place, end);
    const char *before = "", *behind = "";
    if (end - first > LINE_BYTES && place - first > BEFORE_BYTES) {
        first = place - BEFORE_BYTES;
        before = "...";
    }
    if (end - first > LINE_BYTES) {
        end = first + LINE_BYTES;
        behind = "...";
    }
    while (first < place && is_continuation(source.data[first]))
        first++;
    while (end > place && end < source.size && is_continuation(source.data[end]))
        end--;
    size_t start = out->size;
    arb_text_printf(out, "LINE %zu: %s", number, before);
    size_t indent = out->size - start;
    append_plain(out, (arb_str){source.data + first, end - first});
    arb_text_printf(out, "%s\n", behind);
    arb_text_append_repeated(out, ' ', indent + width_of((arb_str){source.data + first, place - first}));
    arb_text_append_str(out, ARB_STR("^\n"));
}

void arb_error_report(arb_text *out, const arb_error *error, arb_str source, size_t begin)
{
    arb_text_printf(out, "error: %s: %s\n", arb_code_sqlstate(error->code), error->message);
    if (error->position > 0 && begin + (uint64_t)error->position - 1 <= source.size)
        report_line(out, source, begin + (size_t)error->position - 1);
    if (error->detail[0] != '\0')
        arb_text_printf(out, "DETAIL: %s\n", error->detail);
    if (error->hint[0] != '\0')
        arb_text_printf(out, "HINT: %s\n", error->hint);
    if (error->origin[0] != '\0')
        arb_text_printf(out, "WHERE: %s\n", error->origin);
}
