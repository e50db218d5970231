/* number_format.c: to_char(number, template). Known are 9 0 . D , G FM S MI PL SG PR and plain text.
 *
 * The number is rounded to the template's places and its digits are put where the template has them; the sign goes in
 * front of the first one unless the template places it. More digits than there are places show as '#'. */
#include <math.h>
#include <stdio.h>

#include "columnar/text_form.h"
#include "expr/cast_internal.h"

enum { places_most = 60, digits_most = 400 };

typedef enum sign_place { SIGN_FLOATING, SIGN_LEADING, SIGN_TRAILING, SIGN_PLACED, SIGN_BRACKETS } sign_place;

typedef struct number_template {
    arb_str text;             /* without FM */
    unsigned whole, fraction; /* places */
    unsigned first_zero;      /* the whole place from which zeros are shown; `whole` when none */
    unsigned last_zero;       /* fraction places that are always shown */
    bool point, bare;
    sign_place sign;
} number_template;

static arb_code fail_template(const arb_call *call, arb_str text, const char *what, arb_error *error)
{
    return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "%s in the number template \"%.*s\"", what,
                         ARB_STR_ARGS(text));
}

static bool starts(arb_str text, size_t at, const char *word)
{
    size_t size = strlen(word);
    return text.size - at >= size && arb_str_equal_nocase((arb_str){text.data + at, size}, (arb_str){word, size});
}

/* Bytes of the element at `at`; *out_kind is a letter for it, 0 for plain text. */
static size_t next_element(arb_str text, size_t at, char *out_kind)
{
    static const struct {
        const char *word;
        char kind;
    } elements[] = {{"9", '9'},  {"0", '0'},  {".", '.'},  {"D", '.'},  {",", ','},  {"G", ','},
                    {"FM", 'F'}, {"MI", 'M'}, {"PL", 'P'}, {"SG", 'B'}, {"PR", 'R'}, {"EEEE", 'E'},
                    {"RN", 'E'}, {"TH", 'E'}, {"V", 'E'},  {"S", 'S'},  {"L", 'E'}};
    for (size_t i = 0; i < ARB_COUNT_OF(elements); i++)
        if (starts(text, at, elements[i].word)) {
            *out_kind = elements[i].kind;
            return strlen(elements[i].word);
        }
    *out_kind = 0;
    const char *quote = text.data[at] == '"' ? memchr(text.data + at + 1, '"', text.size - at - 1) : NULL;
    return quote != NULL ? (size_t)(quote - text.data) - at + 1 : 1;
}

static arb_code read_template(const arb_call *call, arb_str text, number_template *out, arb_error *error)
{
    char kind;
    *out = (number_template){.text = text, .sign = SIGN_FLOATING};
    bool zero = false;
    for (size_t at = 0; at < text.size; at += next_element(text, at, &kind)) {
        next_element(text, at, &kind);
        bool begun = out->whole != 0 || out->point;
        switch (kind) {
        case '0':
        case '9':
            if (out->whole + out->fraction == places_most)
                return fail_template(call, text, "too many places", error);
            if (!out->point && kind == '0' && !zero) {
                zero = true;
                out->first_zero = out->whole;
            }
            if (out->point)
                out->fraction++;
            else
                out->whole++;
            if (out->point && kind == '0')
                out->last_zero = out->fraction;
            break;
        case '.':
            if (out->point)
                return fail_template(call, text, "several points", error);
            out->point = true;
            break;
        case 'F':
            out->bare = true;
            break;
        case 'S':
            out->sign = begun ? SIGN_TRAILING : SIGN_LEADING;
            break;
        case 'M':
        case 'B':
            out->sign = SIGN_PLACED;
            break;
        case 'R':
            out->sign = SIGN_BRACKETS;
            break;
        case 'E':
            return fail_template(call, text, "something that is not supported (EEEE, RN, TH, V, L)", error);
        default:
            break;
        }
    }
    if (!zero)
        out->first_zero = out->whole;
    return ARB_OK;
}

/* ---- digits ----------------------------------------------------------------------------------------------------------- */

typedef struct number_digits {
    char bytes[digits_most]; /* whole digits without zeros in front, then `fraction` ones */
    unsigned whole;
    bool negative, too_large;
} number_digits;

/* `text` is [-]digits[.digits] with `fraction` digits behind the point, or Infinity or NaN. */
static void split_digits(const char *text, size_t size, number_digits *out)
{
    *out = (number_digits){0};
    size_t at = 0, filled = 0;
    bool behind = false;
    out->negative = size != 0 && text[0] == '-';
    at += out->negative;
    for (; at < size; at++) {
        behind |= text[at] == '.';
        if (text[at] == '.')
            continue;
        if (text[at] < '0' || text[at] > '9') {
            out->too_large = true;
            return;
        }
        if (!behind && filled == 0 && text[at] == '0')
            continue;
        out->bytes[filled++] = text[at];
        out->whole += !behind;
    }
    bool zero = true;
    for (size_t i = 0; i < filled; i++)
        zero &= out->bytes[i] == '0';
    out->negative &= !zero;
}

static arb_code take_digits(arb_call *call, size_t row, unsigned fraction, number_digits *out, arb_error *error)
{
    arb_type type = call->expr->children[0]->type;
    const arb_vector *from = call->arguments[0];
    size_t slot = arb_call_slot(from, row);
    char form[digits_most];
    if (type.id == ARB_TYPE_DOUBLE) {
        double value = from->values.f64[slot];
        int size = snprintf(form, sizeof form, "%.*f", (int)fraction, value);
        split_digits(form, (size_t)size < sizeof form ? (size_t)size : 0, out);
        out->too_large |= (size_t)size >= sizeof form || !isfinite(value);
        return ARB_OK;
    }
    arb_int128 value = arb_vector_get_integer(from, slot);
    unsigned scale = type.id == ARB_TYPE_DECIMAL ? type.scale : 0;
    if (scale > fraction) { /* half away from zero */
        arb_int128 divisor = arb_power_of_ten(scale - fraction), rest = value % divisor;
        value = value / divisor + (rest >= divisor - rest) - (-rest >= divisor + rest);
        scale = fraction;
    }
    (void)error;
    size_t size = arb_form_decimal(form, value, scale);
    for (unsigned i = scale; i < fraction; i++) {
        if (i == 0)
            form[size++] = '.';
        form[size++] = '0';
    }
    split_digits(form, size, out);
    return ARB_OK;
}

/* ---- putting together --------------------------------------------------------------------------------------------------- */

typedef struct number_writer {
    const number_template *how;
    const number_digits *digits;
    arb_text *out;
    unsigned place; /* of the template, whole and fraction */
    bool begun;     /* a digit was shown */
} number_writer;

/* In front of the first digit. */
static void begin_number(number_writer *w)
{
    if (w->begun)
        return;
    w->begun = true;
    bool negative = w->digits->negative;
    if (w->how->sign == SIGN_FLOATING && (negative || !w->how->bare))
        arb_text_append_char(w->out, negative ? '-' : ' ');
    else if (w->how->sign == SIGN_LEADING)
        arb_text_append_char(w->out, negative ? '-' : '+');
    else if (w->how->sign == SIGN_BRACKETS && (negative || !w->how->bare))
        arb_text_append_char(w->out, negative ? '<' : ' ');
}

static unsigned shown_fraction(const number_template *how, const number_digits *digits)
{
    unsigned shown = how->fraction;
    if (how->bare)
        while (shown > how->last_zero && !digits->too_large && digits->bytes[digits->whole + shown - 1] == '0')
            shown--;
    return shown;
}

static void put_place(number_writer *w)
{
    const number_template *how = w->how;
    const number_digits *digits = w->digits;
    unsigned place = w->place++;
    bool over = digits->too_large || digits->whole > how->whole;
    if (place >= how->whole) { /* behind the point */
        if (place - how->whole < shown_fraction(how, digits)) {
            begin_number(w);
            arb_text_append_char(w->out, over ? '#' : digits->bytes[digits->whole + place - how->whole]);
        }
        return;
    }
    unsigned first = how->whole - ARB_MIN(digits->whole, how->whole);
    bool last = place + 1 == how->whole && shown_fraction(how, digits) == 0; /* a lone zero */
    if (over || place >= first) {
        begin_number(w);
        arb_text_append_char(w->out, over ? '#' : digits->bytes[place - first]);
    } else if (place >= how->first_zero || last) {
        begin_number(w);
        arb_text_append_char(w->out, '0');
    } else if (!how->bare) {
        arb_text_append_char(w->out, ' ');
    }
}

static void put_sign(number_writer *w, char kind)
{
    bool negative = w->digits->negative;
    if (kind == 'B')
        arb_text_append_char(w->out, negative ? '-' : '+');
    else if (negative == (kind == 'M'))
        arb_text_append_char(w->out, kind == 'M' ? '-' : '+');
    else if (!w->how->bare)
        arb_text_append_char(w->out, ' ');
}

static void put_number(const number_template *how, const number_digits *digits, arb_text *out)
{
    number_writer w = {.how = how, .digits = digits, .out = out};
    char kind;
    for (size_t at = 0, size; at < how->text.size; at += size) {
        size = next_element(how->text, at, &kind);
        switch (kind) {
        case '9':
        case '0':
            put_place(&w);
            break;
        case '.':
            begin_number(&w);
            arb_text_append_char(out, '.');
            break;
        case ',':
            if (w.begun)
                arb_text_append_char(out, ',');
            else if (!how->bare)
                arb_text_append_char(out, ' ');
            break;
        case 'S':
            if (how->sign == SIGN_TRAILING)
                arb_text_append_char(out, digits->negative ? '-' : '+');
            break;
        case 'M':
        case 'P':
        case 'B':
            put_sign(&w, kind);
            break;
        case 'R':
            if (digits->negative || !how->bare)
                arb_text_append_char(out, digits->negative ? '>' : ' ');
            break;
        case 0:
            if (size > 1)
                arb_text_append(out, how->text.data + at + 1, size - 2);
            else if (how->text.data[at] != '"')
                arb_text_append(out, how->text.data + at, 1);
            break;
        default:
            break;
        }
    }
}

static arb_code run_to_char(arb_call *call, arb_error *error)
{
    arb_text built = {0};
    arb_code code = ARB_OK;
    ARB_CALL_EACH(call, row)
    {
        number_template how;
        number_digits digits;
        char *room = NULL;
        if (code != ARB_OK)
            break;
        arb_text_clear(&built);
        code = read_template(call, arb_call_text(call, 1, row), &how, error);
        if (code == ARB_OK)
            code = take_digits(call, row, how.fraction, &digits, error);
        if (code == ARB_OK) {
            put_number(&how, &digits, &built);
            code = arb_text_check(&built, error);
        }
        if (code == ARB_OK)
            code = arb_call_make_text(call, built.size, &room, error);
        if (code == ARB_OK) {
            if (built.size != 0)
                memcpy(room, built.data, built.size);
            arb_call_put_text(call, row, room, built.size);
        }
    }
    arb_text_reset(&built);
    return code;
}

static arb_code resolve_to_char(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (!arb_type_is_numeric(arguments[0].type) || !arb_type_implicit(arguments[1].type, ARB_TYPE(VARCHAR)))
        return ARB_NO_FIT;
    if (arguments[0].type.id == ARB_TYPE_REAL)
        arguments[0].type = ARB_TYPE(DOUBLE);
    *out_result = arguments[1].type = ARB_TYPE(VARCHAR);
    return ARB_OK;
}

static const arb_scalar_implementation to_char_run = {.run = run_to_char};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW_BY("to_char", 2, 2, resolve_to_char, &to_char_run),
};
ARB_FUNCTION_TABLE(arb_functions_number_format, rows);
