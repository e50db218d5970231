#include "formats/csv/csv_cell.h"

#include "kernels/text_read.h"

/* The quote that closes, behind the opening one at 0; raw.size when there is none. */
static size_t closing_quote(const arb_csv_dialect *dialect, arb_str raw, bool *out_escapes)
{
    char quote = (char)dialect->quote, escape = (char)dialect->escape;
    for (size_t i = 1; i < raw.size; i++) {
        if (escape != quote && escape != '\0' && raw.data[i] == escape && i + 1 < raw.size) {
            *out_escapes = true;
            i++;
        } else if (raw.data[i] == quote) {
            if (escape != quote || i + 1 == raw.size || raw.data[i + 1] != quote)
                return i;
            *out_escapes = true;
            i++;
        }
    }
    return raw.size;
}

arb_csv_cell arb_csv_cell_open(const arb_csv_dialect *dialect, arb_str raw, arb_str *out_text)
{
    *out_text = raw;
    size_t spaces = 0;
    while (spaces < raw.size && raw.data[spaces] == ' ')
        spaces++;
    if (dialect->quote == 0 || spaces == raw.size || raw.data[spaces] != (char)dialect->quote)
        return ARB_CSV_CELL_PLAIN;
    raw = (arb_str){raw.data + spaces, raw.size - spaces};
    /* Nearly always the last byte is the next quote. */
    const char *next = memchr(raw.data + 1, dialect->quote, raw.size - 1);
    if (dialect->escape == dialect->quote && next == raw.data + raw.size - 1) {
        *out_text = (arb_str){raw.data + 1, raw.size - 2};
        return ARB_CSV_CELL_QUOTED;
    }
    bool escapes = false;
    size_t end = closing_quote(dialect, raw, &escapes);
    for (size_t i = end + 1; i < raw.size; i++)
        if (raw.data[i] != ' ')
            return ARB_CSV_CELL_BROKEN;
    if (end == raw.size)
        return ARB_CSV_CELL_BROKEN;
    *out_text = (arb_str){raw.data + 1, end - 1};
    return escapes ? ARB_CSV_CELL_ESCAPED : ARB_CSV_CELL_QUOTED;
}

size_t arb_csv_cell_unescape(const arb_csv_dialect *dialect, arb_str text, char *to)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == (char)dialect->escape && i + 1 < text.size)
            i++;
        to[size++] = text.data[i];
    }
    return size;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The readers of text understand more than what a sample should be taken for: a type is only guessed from forms that
 * nothing else looks like. */
static arb_type_id guess_time(arb_str text)
{
    size_t digits = 0;
    while (digits < text.size && is_digit(text.data[digits]))
        digits++;
    if (digits == 0 || digits == text.size)
        return ARB_TYPE_VARCHAR;
    char separator = text.data[digits];
    int32_t days;
    int64_t value;
    if (separator == ':' && digits <= 2 && text.size - digits >= 3)
        return arb_read_time(text, &value) == ARB_READ_OK ? ARB_TYPE_TIME : ARB_TYPE_VARCHAR;
    if (digits != 4 || (separator != '-' && separator != '/'))
        return ARB_TYPE_VARCHAR;
    if (text.size <= 10)
        return arb_read_date(text, &days) == ARB_READ_OK ? ARB_TYPE_DATE : ARB_TYPE_VARCHAR;
    arb_zone_text zone;
    if (arb_read_timestamp(text, false, &value, &zone) != ARB_READ_OK || zone.name.size != 0)
        return ARB_TYPE_VARCHAR;
    return zone.given ? ARB_TYPE_TIMESTAMPTZ : ARB_TYPE_TIMESTAMP;
}

static bool fits(const arb_time_pattern *pattern, arb_str text)
{
    int64_t micros;
    return pattern->items.size != 0 && arb_time_pattern_read(pattern, text, &micros) == ARB_READ_OK;
}

static arb_type_id guess_usual(arb_str text)
{
    while (text.size != 0 && text.data[0] == ' ')
        text.data++, text.size--;
    while (text.size != 0 && text.data[text.size - 1] == ' ')
        text.size--;
    if (text.size == 0)
        return ARB_TYPE_NULL;
    /* Codes and telephone numbers, which lose something as numbers. */
    size_t sign = text.data[0] == '-';
    if (text.data[0] == '+' || (text.size > sign + 1 && text.data[sign] == '0' && is_digit(text.data[sign + 1])))
        return guess_time(text);
    arb_int128 whole;
    arb_read_result outcome = arb_read_integer(text, INT64_MIN, INT64_MAX, &whole);
    if (outcome == ARB_READ_OK)
        return ARB_TYPE_BIGINT;
    double real;
    if (outcome == ARB_READ_OUT_OF_RANGE || arb_read_double(text, &real) == ARB_READ_OK)
        return ARB_TYPE_DOUBLE;
    if (arb_str_equal_nocase(text, ARB_STR("true")) || arb_str_equal_nocase(text, ARB_STR("false")))
        return ARB_TYPE_BOOLEAN;
    return guess_time(text);
}

arb_type_id arb_csv_guess(const arb_csv_patterns *patterns, arb_str text)
{
    if (fits(&patterns->timestamp, text))
        return ARB_TYPE_TIMESTAMP;
    if (fits(&patterns->date, text))
        return ARB_TYPE_DATE;
    arb_type_id type = guess_usual(text);
    bool said = (type == ARB_TYPE_DATE && patterns->date.items.size != 0) ||
                ((type == ARB_TYPE_TIMESTAMP || type == ARB_TYPE_TIMESTAMPTZ) && patterns->timestamp.items.size != 0);
    return said ? ARB_TYPE_VARCHAR : type;
}

arb_type_id arb_csv_guess_merge(bool patterns, arb_type_id a, arb_type_id b)
{
    static const arb_type_id wider[][2] = {{ARB_TYPE_BIGINT, ARB_TYPE_DOUBLE},
                                           {ARB_TYPE_DATE, ARB_TYPE_TIMESTAMP},
                                           {ARB_TYPE_DATE, ARB_TYPE_TIMESTAMPTZ},
                                           {ARB_TYPE_TIMESTAMP, ARB_TYPE_TIMESTAMPTZ}};
    if (a == b || b == ARB_TYPE_NULL)
        return a;
    if (a == ARB_TYPE_NULL)
        return b;
    for (size_t i = 0; i < (patterns ? 1 : ARB_COUNT_OF(wider)); i++)
        if ((a == wider[i][0] && b == wider[i][1]) || (b == wider[i][0] && a == wider[i][1]))
            return wider[i][1];
    return ARB_TYPE_VARCHAR;
}
