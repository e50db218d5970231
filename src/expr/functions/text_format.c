/* text_format.c: format('%s of %I', …), quote_literal, quote_ident, quote_nullable. */
#include "base/alloc.h"
#include "expr/function_row.h"
#include "kernels/utf8_step.h"

/* As a literal that reads back: quotes doubled; with backslashes the E'…' form. */
static void append_literal(arb_text *out, arb_str text)
{
    bool escapes = memchr(text.data, '\\', text.size) != NULL;
    arb_text_append_str(out, escapes ? ARB_STR("E'") : ARB_STR("'"));
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\')
            arb_text_append_char(out, text.data[i]);
        arb_text_append_char(out, text.data[i]);
    }
    arb_text_append_char(out, '\'');
}

static bool is_plain_name(arb_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || c == '_', digit = c >= '0' && c <= '9';
        if (!letter && (i == 0 || !digit))
            return false;
    }
    return name.size != 0;
}

/* In quotes unless it is a word of lower-case letters, digits and '_'. */
static void append_name(arb_text *out, arb_str name)
{
    if (is_plain_name(name)) {
        arb_text_append_str(out, name);
        return;
    }
    arb_text_append_char(out, '"');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '"')
            arb_text_append_char(out, '"');
        arb_text_append_char(out, name.data[i]);
    }
    arb_text_append_char(out, '"');
}

/* Copy what was put together in `scratch` to the row; the caller frees the scratch. */
static arb_code put_scratch(arb_call *call, size_t row, const arb_text *scratch, arb_error *error)
{
    char *room;
    ARB_TRY(arb_text_check(scratch, error));
    ARB_TRY(arb_call_make_text(call, scratch->size, &room, error));
    if (scratch->size != 0)
        memcpy(room, scratch->data, scratch->size);
    arb_call_put_text(call, row, room, scratch->size);
    return ARB_OK;
}

static arb_code quote_rows(arb_call *call, void (*append)(arb_text *, arb_str), arb_error *error)
{
    arb_text scratch = {0};
    arb_code code = ARB_OK;
    ARB_CALL_EACH(call, row)
    {
        if (code != ARB_OK)
            break;
        arb_text_clear(&scratch);
        if (arb_call_is_null(call, 0, row)) /* quote_nullable only: others do not see NULLs */
            arb_text_append_str(&scratch, ARB_STR("NULL"));
        else
            append(&scratch, arb_call_text(call, 0, row));
        code = put_scratch(call, row, &scratch, error);
    }
    arb_text_reset(&scratch);
    return code;
}

static arb_code run_quote_literal(arb_call *call, arb_error *error)
{
    return quote_rows(call, append_literal, error);
}

static arb_code run_quote_name(arb_call *call, arb_error *error)
{
    return quote_rows(call, append_name, error);
}

/* ---- format ----------------------------------------------------------------------------------------------------------- */

/* %[position$][-][width]type */
typedef struct directive {
    uint32_t position; /* 0: the next argument */
    bool left;
    uint32_t width;
    char type;
} directive;

enum { width_most = 1 << 20 };

/* Digits, as many as there are; false when the number is larger than any that makes sense. */
static bool read_number(const char **at, const char *end, uint32_t *out_number)
{
    uint32_t number = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        number = number * 10 + (uint32_t)(**at - '0');
        if (number > width_most)
            return false;
    }
    *out_number = number;
    return true;
}

/* `at` is behind the '%'; false when it is malformed. */
static bool read_directive(const char **at, const char *end, directive *out)
{
    *out = (directive){0};
    const char *begin = *at;
    if (!read_number(at, end, &out->width))
        return false;
    if (*at > begin && *at < end && **at == '$') {
        if (out->width == 0)
            return false;
        out->position = out->width;
        out->width = 0;
        (*at)++;
        begin = *at;
    }
    if (*at == begin) {
        for (; *at < end && **at == '-'; (*at)++)
            out->left = true;
        if (!read_number(at, end, &out->width))
            return false;
    }
    if (*at == end)
        return false;
    out->type = *(*at)++;
    return true;
}

static arb_code append_argument(arb_call *call, size_t row, const directive *how, size_t argument, arb_text *out,
                                arb_error *error)
{
    bool null = arb_call_is_null(call, argument, row);
    arb_str value = null ? ARB_STR("") : arb_call_text(call, argument, row);
    size_t before = out->size;
    if (how->type == 'I' && null)
        return arb_call_fail(call, error, ARB_NULL_NOT_ALLOWED, "null values cannot be formatted as an SQL identifier");
    arb_text piece = {0};
    if (how->type == 's')
        arb_text_append_str(&piece, value);
    else if (how->type == 'I')
        append_name(&piece, value);
    else if (null)
        arb_text_append_str(&piece, ARB_STR("NULL"));
    else
        append_literal(&piece, value);
    size_t length = arb_utf8_length(arb_text_view(&piece)), fill = how->width > length ? how->width - length : 0;
    if (!how->left)
        arb_text_append_repeated(out, ' ', fill);
    arb_text_append_str(out, arb_text_view(&piece));
    if (how->left)
        arb_text_append_repeated(out, ' ', fill);
    arb_code code = arb_text_check(&piece, error);
    arb_text_reset(&piece);
    if (out->size - before > ARB_TEXT_MOST || out->size > ARB_TEXT_MOST)
        return arb_call_fail(call, error, ARB_STRING_TOO_LONG, "the formatted text is too long");
    return code;
}

static arb_code format_row(arb_call *call, size_t row, arb_text *out, arb_error *error)
{
    arb_str format = arb_call_text(call, 0, row);
    const char *at = format.data, *end = format.data + format.size;
    size_t next = 1;
    while (at < end) {
        const char *percent = memchr(at, '%', (size_t)(end - at));
        arb_text_append(out, at, (size_t)((percent != NULL ? percent : end) - at));
        if (percent == NULL)
            break;
        at = percent + 1;
        directive how;
        if (!read_directive(&at, end, &how) || strchr("sIL%", how.type) == NULL || how.type == '\0') {
            arb_call_fail(call, error, ARB_INVALID_PARAMETER, "malformed directive in the format \"%.*s\"",
                          ARB_STR_ARGS(format));
            arb_error_hint(error, "use %%s, %%I or %%L, and %%%% for a single %%");
            return ARB_INVALID_PARAMETER;
        }
        if (how.type == '%') {
            arb_text_append_char(out, '%');
            continue;
        }
        size_t argument = how.position != 0 ? how.position : next;
        next = argument + 1;
        if (argument >= call->expr->child_count)
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "too few arguments for format()");
        ARB_TRY(append_argument(call, row, &how, argument, out, error));
    }
    return ARB_OK;
}

static arb_code run_format(arb_call *call, arb_error *error)
{
    arb_text scratch = {0};
    arb_code code = ARB_OK;
    ARB_CALL_EACH(call, row)
    {
        if (code != ARB_OK)
            break;
        if (arb_call_is_null(call, 0, row)) {
            arb_call_set_null(call, row);
            continue;
        }
        arb_text_clear(&scratch);
        code = format_row(call, row, &scratch, error);
        if (code == ARB_OK)
            code = put_scratch(call, row, &scratch, error);
    }
    arb_text_reset(&scratch);
    return code;
}

/* Anything goes in as its text. */
static arb_code resolve_texts(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                              arb_error *error)
{
    (void)function, (void)error;
    for (size_t i = 0; i < count; i++)
        arguments[i].type = ARB_TYPE(VARCHAR);
    *out_result = ARB_TYPE(VARCHAR);
    return ARB_OK;
}

static const arb_scalar_implementation quote_literal_run = {.run = run_quote_literal};
static const arb_scalar_implementation quote_name_run = {.run = run_quote_name};
static const arb_scalar_implementation format_run = {.run = run_format};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW_BY("format", 1, ARB_ANY_ARITY, resolve_texts, &format_run, .handles_null = true),
    ARB_SCALAR_ROW_BY("quote_literal", 1, 1, resolve_texts, &quote_literal_run),
    ARB_SCALAR_ROW_BY("quote_nullable", 1, 1, resolve_texts, &quote_literal_run, .handles_null = true),
    ARB_SCALAR_ROW("quote_ident", 1, 1, "t>t", &quote_name_run),
};
ARB_FUNCTION_TABLE(arb_functions_text_format, rows);
