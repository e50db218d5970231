#include "kernels/time_pattern.h"

#include "kernels/time_pattern_internal.h"
#include "kernels/utf8_step.h"

/* Longer words first, so that the first one that fits is meant. */
static const struct {
    const char *word;
    uint8_t field, width, modifier;
} words[] = {
    {"Y,YYY", TIME_YEAR_COMMA, 4, 0},
    {"YYYY", TIME_YEAR, 4, 0},
    {"YYY", TIME_YEAR, 3, 0},
    {"YY", TIME_YEAR, 2, 0},
    {"Y", TIME_YEAR, 1, 0},
    {"IYYY", TIME_ISO_YEAR, 4, 0},
    {"IYY", TIME_ISO_YEAR, 3, 0},
    {"IY", TIME_ISO_YEAR, 2, 0},
    {"IDDD", TIME_DAY_OF_YEAR, 3, 1},
    {"ID", TIME_ISO_DAY_OF_WEEK, 1, 0},
    {"IW", TIME_ISO_WEEK, 2, 0},
    {"I", TIME_ISO_YEAR, 1, 0},
    {"CC", TIME_CENTURY, 2, 0},
    {"B.C.", TIME_ERA, 0, NAME_UPPER | NAME_DOTTED},
    {"A.D.", TIME_ERA, 0, NAME_UPPER | NAME_DOTTED},
    {"b.c.", TIME_ERA, 0, NAME_LOWER | NAME_DOTTED},
    {"a.d.", TIME_ERA, 0, NAME_LOWER | NAME_DOTTED},
    {"BC", TIME_ERA, 0, NAME_UPPER},
    {"AD", TIME_ERA, 0, NAME_UPPER},
    {"bc", TIME_ERA, 0, NAME_LOWER},
    {"ad", TIME_ERA, 0, NAME_LOWER},
    {"A.M.", TIME_MERIDIEM, 0, NAME_UPPER | NAME_DOTTED},
    {"P.M.", TIME_MERIDIEM, 0, NAME_UPPER | NAME_DOTTED},
    {"a.m.", TIME_MERIDIEM, 0, NAME_LOWER | NAME_DOTTED},
    {"p.m.", TIME_MERIDIEM, 0, NAME_LOWER | NAME_DOTTED},
    {"AM", TIME_MERIDIEM, 0, NAME_UPPER},
    {"PM", TIME_MERIDIEM, 0, NAME_UPPER},
    {"am", TIME_MERIDIEM, 0, NAME_LOWER},
    {"pm", TIME_MERIDIEM, 0, NAME_LOWER},
    {"MONTH", TIME_MONTH_NAME, 9, NAME_UPPER},
    {"Month", TIME_MONTH_NAME, 9, NAME_CAPITAL},
    {"month", TIME_MONTH_NAME, 9, NAME_LOWER},
    {"MON", TIME_MONTH_SHORT, 3, NAME_UPPER},
    {"Mon", TIME_MONTH_SHORT, 3, NAME_CAPITAL},
    {"mon", TIME_MONTH_SHORT, 3, NAME_LOWER},
    {"MM", TIME_MONTH, 2, 0},
    {"MI", TIME_MINUTE, 2, 0},
    {"MS", TIME_FRACTION, 3, 0},
    {"US", TIME_FRACTION, 6, 0},
    {"FF1", TIME_FRACTION, 1, 0},
    {"FF2", TIME_FRACTION, 2, 0},
    {"FF3", TIME_FRACTION, 3, 0},
    {"FF4", TIME_FRACTION, 4, 0},
    {"FF5", TIME_FRACTION, 5, 0},
    {"FF6", TIME_FRACTION, 6, 0},
    {"DAY", TIME_DAY_NAME, 9, NAME_UPPER},
    {"Day", TIME_DAY_NAME, 9, NAME_CAPITAL},
    {"day", TIME_DAY_NAME, 9, NAME_LOWER},
    {"DY", TIME_DAY_SHORT, 3, NAME_UPPER},
    {"Dy", TIME_DAY_SHORT, 3, NAME_CAPITAL},
    {"dy", TIME_DAY_SHORT, 3, NAME_LOWER},
    {"DDD", TIME_DAY_OF_YEAR, 3, 0},
    {"DD", TIME_DAY, 2, 0},
    {"D", TIME_DAY_OF_WEEK, 1, 0},
    {"WW", TIME_WEEK_OF_YEAR, 2, 0},
    {"W", TIME_WEEK_OF_MONTH, 1, 0},
    {"J", TIME_JULIAN, 1, 0},
    {"Q", TIME_QUARTER, 1, 0},
    {"RM", TIME_MONTH_ROMAN, 4, NAME_UPPER},
    {"rm", TIME_MONTH_ROMAN, 4, NAME_LOWER},
    {"HH24", TIME_HOUR, 2, 0},
    {"HH12", TIME_HOUR_12, 2, 0},
    {"HH", TIME_HOUR_12, 2, 0},
    {"SSSSS", TIME_SECOND_OF_DAY, 1, 0},
    {"SSSS", TIME_SECOND_OF_DAY, 1, 0},
    {"SS", TIME_SECOND, 2, 0},
    {"TZH", TIME_OFFSET, 2, 0},
    {"TZM", TIME_OFFSET_MINUTE, 2, 0},
    {"TZ", TIME_ZONE, 0, NAME_UPPER},
    {"tz", TIME_ZONE, 0, NAME_LOWER},
    {"OF", TIME_OFFSET, 2, 0},
};

static arb_code push(arb_time_pattern *pattern, arb_time_item item, arb_error *error)
{
    return ARB_VEC_PUSH(&pattern->items, item) ? ARB_OK : arb_fail_memory(error, "a time pattern", sizeof item);
}

static arb_code push_literal(arb_time_pattern *pattern, const char *at, size_t size, arb_error *error)
{
    return push(pattern, (arb_time_item){.field = TIME_LITERAL, .literal = {at, size}}, error);
}

static bool is_case_sensitive(uint8_t field)
{
    return field == TIME_ERA || field == TIME_MERIDIEM || field == TIME_MONTH_NAME || field == TIME_MONTH_SHORT ||
           field == TIME_DAY_NAME || field == TIME_DAY_SHORT || field == TIME_MONTH_ROMAN || field == TIME_ZONE;
}

/* The word that the text begins with: numbers' in any case, names' as they stand. */
static bool read_word(arb_str text, arb_time_item *out, size_t *out_size)
{
    for (size_t i = 0; i < ARB_COUNT_OF(words); i++) {
        arb_str word = arb_str_of(words[i].word);
        arb_str head = {text.data, ARB_MIN(word.size, text.size)};
        bool same = is_case_sensitive(words[i].field) ? arb_str_equal(word, head) : arb_str_equal_nocase(word, head);
        if (!same)
            continue;
        *out = (arb_time_item){.field = words[i].field, .width = words[i].width, .modifier = words[i].modifier};
        *out_size = word.size;
        return true;
    }
    return false;
}

arb_code arb_time_pattern_of_template(arb_str text, arb_time_pattern *out, arb_error *error)
{
    *out = (arb_time_pattern){0};
    bool bare = false;
    for (size_t at = 0, size; at < text.size; at += size) {
        arb_str rest = {text.data + at, text.size - at};
        arb_time_item item;
        size = 2;
        if (arb_str_starts_with(rest, ARB_STR("FM")) || arb_str_starts_with(rest, ARB_STR("fm"))) {
            bare = true;
            continue;
        }
        if (arb_str_starts_with(rest, ARB_STR("FX")) || arb_str_starts_with(rest, ARB_STR("TM")))
            continue;
        if (rest.data[0] == '"') {
            const char *close = memchr(rest.data + 1, '"', rest.size - 1);
            size_t inside = close != NULL ? (size_t)(close - rest.data) - 1 : rest.size - 1;
            size = inside + 1 + (close != NULL);
            ARB_TRY(push_literal(out, rest.data + 1, inside, error));
            continue;
        }
        if (read_word(rest, &item, &size)) {
            item.bare = bare;
            rest = (arb_str){rest.data + size, rest.size - size};
            item.ordinal = arb_str_starts_with(rest, ARB_STR("TH")) || arb_str_starts_with(rest, ARB_STR("th"));
            if (item.ordinal) {
                item.modifier = rest.data[0] == 'T' ? NAME_UPPER : NAME_LOWER;
                size += 2;
            }
            bare = false;
            ARB_TRY(push(out, item, error));
            continue;
        }
        size = (size_t)(arb_utf8_next(rest.data, rest.data + rest.size) - rest.data);
        ARB_TRY(push_literal(out, rest.data, size, error));
    }
    return ARB_OK;
}

static const struct {
    char letter;
    uint8_t field, width, modifier;
    bool bare;
} letters[] = {
    {'Y', TIME_YEAR, 4, 0, true},
    {'y', TIME_YEAR, 2, 0, false},
    {'C', TIME_CENTURY, 2, 0, false},
    {'G', TIME_ISO_YEAR, 4, 0, false},
    {'m', TIME_MONTH, 2, 0, false},
    {'B', TIME_MONTH_NAME, 9, NAME_CAPITAL, true},
    {'b', TIME_MONTH_SHORT, 3, NAME_CAPITAL, true},
    {'h', TIME_MONTH_SHORT, 3, NAME_CAPITAL, true},
    {'d', TIME_DAY, 2, 0, false},
    {'e', TIME_DAY, 2, 0, true},
    {'j', TIME_DAY_OF_YEAR, 3, 0, false},
    {'A', TIME_DAY_NAME, 9, NAME_CAPITAL, true},
    {'a', TIME_DAY_SHORT, 3, NAME_CAPITAL, true},
    {'w', TIME_DAY_OF_WEEK_0, 1, 0, false},
    {'u', TIME_ISO_DAY_OF_WEEK, 1, 0, false},
    {'U', TIME_SUNDAY_WEEK, 2, 0, false},
    {'W', TIME_MONDAY_WEEK, 2, 0, false},
    {'V', TIME_ISO_WEEK, 2, 0, false},
    {'H', TIME_HOUR, 2, 0, false},
    {'I', TIME_HOUR_12, 2, 0, false},
    {'M', TIME_MINUTE, 2, 0, false},
    {'S', TIME_SECOND, 2, 0, false},
    {'f', TIME_FRACTION, 6, 0, false},
    {'g', TIME_FRACTION, 3, 0, false},
    {'n', TIME_FRACTION, 9, 0, false},
    {'s', TIME_EPOCH, 1, 0, true},
    {'p', TIME_MERIDIEM, 0, NAME_UPPER, false},
    {'Z', TIME_ZONE, 0, NAME_UPPER, false},
    {'z', TIME_OFFSET, 2, 0, false},
};

static arb_code push_letter(arb_time_pattern *pattern, char letter, bool bare, arb_error *error)
{
    static const char *const composed[128] = {
        ['F'] = "%Y-%m-%d",          ['T'] = "%H:%M:%S", ['D'] = "%m/%d/%y", ['R'] = "%H:%M",
        ['c'] = "%Y-%m-%d %H:%M:%S", ['x'] = "%Y-%m-%d", ['X'] = "%H:%M:%S"};
    if (letter == '%')
        return push_literal(pattern, "%", 1, error);
    for (size_t i = 0; i < ARB_COUNT_OF(letters); i++)
        if (letters[i].letter == letter)
            return push(pattern,
                        (arb_time_item){.field = letters[i].field,
                                        .width = letters[i].width,
                                        .modifier = letters[i].modifier,
                                        .bare = bare || letters[i].bare},
                        error);
    const char *parts = letter > 0 ? composed[(unsigned char)letter] : NULL;
    if (parts == NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "unknown specifier %%%c in a time format", letter);
    for (const char *at = parts; *at != '\0'; at++) {
        arb_code code = *at == '%' ? push_letter(pattern, *++at, false, error) : push_literal(pattern, at, 1, error);
        ARB_TRY(code);
    }
    return ARB_OK;
}

arb_code arb_time_pattern_of_format(arb_str text, arb_time_pattern *out, arb_error *error)
{
    *out = (arb_time_pattern){.exact = true};
    for (size_t at = 0, size; at < text.size; at += size) {
        const char *next = text.data + at;
        size_t left = text.size - at;
        const char *percent = memchr(next, '%', left);
        if (percent != next) {
            size = percent != NULL ? (size_t)(percent - next) : left;
            ARB_TRY(push_literal(out, next, size, error));
            continue;
        }
        bool bare = left > 2 && next[1] == '-';
        size = bare ? 3 : 2;
        if (left < size)
            return arb_fail(error, ARB_INVALID_PARAMETER, "a time format must not end with %%");
        ARB_TRY(push_letter(out, next[size - 1], bare, error));
    }
    return ARB_OK;
}

void arb_time_pattern_reset(arb_time_pattern *pattern)
{
    ARB_VEC_RESET(&pattern->items);
}
