/* regex_functions.c: regular expressions: ~ and its kin, regexp_*, substring(text from pattern), SIMILAR TO, GLOB.
 *
 * A thread keeps the pattern that it compiled last and compiles again when a row has another one, so a constant pattern
 * is compiled once. That happens at the first row that counts: a wrong pattern fails only when it is used. */
#include "base/alloc.h"
#include "expr/function_row.h"
#include "kernels/regex.h"
#include "kernels/utf8_step.h"

typedef enum pattern_form { REGULAR, SIMILAR, GLOB } pattern_form;

typedef struct regex_state {
    arb_regex *regex;    /* NULL: nothing compiled yet */
    arb_text pattern;    /* as given; what `regex` was made from, with `flags` or the escape */
    arb_text flags;      /* likewise */
    arb_text translated; /* SIMILAR, GLOB: the regular expression */
    arb_text built;      /* a result of regexp_replace */
    bool global;         /* flag g */
} regex_state;

static void release_regex(void *state)
{
    regex_state *own = state;
    arb_regex_destroy(own->regex);
    arb_text_reset(&own->pattern);
    arb_text_reset(&own->flags);
    arb_text_reset(&own->translated);
    arb_text_reset(&own->built);
    arb_free(own);
}

static arb_code prepare_regex(const arb_expr *expr, void **out_state, arb_error *error)
{
    (void)expr;
    regex_state *own = arb_alloc_zeroed(sizeof *own);
    if (own == NULL)
        return arb_fail_memory(error, "a regular expression", sizeof *own);
    *out_state = own;
    return ARB_OK;
}

/* PostgreSQL's letters, and DuckDB's 'l' for a plain text. */
static arb_code read_flags(arb_str flags, arb_regex_options *options, bool *out_global, arb_error *error)
{
    for (size_t i = 0; i < flags.size; i++) {
        switch (flags.data[i]) {
        case 'i':
        case 'c':
            options->ignore_case = flags.data[i] == 'i';
            break;
        case 'g':
            *out_global = true;
            break;
        case 'n':
        case 'm':
            options->dot_excludes_newline = options->multiline = true;
            break;
        case 'p':
            options->dot_excludes_newline = true;
            break;
        case 'w':
            options->multiline = true;
            break;
        case 's':
            options->dot_excludes_newline = options->multiline = false;
            break;
        case 'x':
            options->extended = true;
            break;
        case 'q':
        case 'l':
            options->literal = true;
            break;
        case 't':
            options->extended = false;
            break;
        default:
            return arb_fail(error, ARB_INVALID_PARAMETER, "invalid regular expression option: \"%.*s\"",
                            ARB_STR_ARGS(flags));
        }
    }
    return ARB_OK;
}

/* One character, none for the empty text; without a third argument the backslash. */
static arb_code read_escape(const arb_call *call, arb_str escape, uint32_t *out_escape, arb_error *error)
{
    const char *end = escape.data + escape.size;
    *out_escape = call->expr->child_count == 3 ? 0 : '\\';
    if (escape.size == 0)
        return ARB_OK;
    if (arb_utf8_next(escape.data, end) != end)
        return arb_fail(error, ARB_INVALID_ESCAPE, "the escape of SIMILAR TO must be one character");
    *out_escape = arb_utf8_get(escape.data, end);
    return ARB_OK;
}

static arb_code compile_pattern(const arb_call *call, pattern_form form, arb_regex_options options, arb_str pattern,
                                arb_str flags, arb_error *error)
{
    regex_state *own = call->state;
    arb_regex_destroy(own->regex);
    own->regex = NULL;
    own->global = false;
    arb_text_clear(&own->pattern);
    arb_text_clear(&own->flags);
    arb_text_append_str(&own->pattern, pattern);
    arb_text_append_str(&own->flags, flags);
    ARB_TRY(arb_text_check(&own->pattern, error));
    ARB_TRY(arb_text_check(&own->flags, error));
    uint32_t escape;
    switch (form) {
    case REGULAR:
        ARB_TRY(read_flags(flags, &options, &own->global, error));
        return arb_regex_compile(pattern, options, &own->regex, error);
    case SIMILAR:
        ARB_TRY(read_escape(call, flags, &escape, error));
        ARB_TRY(arb_regex_of_similar(pattern, escape, &own->translated, error));
        break;
    case GLOB:
        ARB_TRY(arb_regex_of_glob(pattern, &own->translated, error));
        break;
    }
    return arb_regex_compile(arb_text_view(&own->translated), (arb_regex_options){.whole = true}, &own->regex, error);
}

/* Have the row's pattern ready. `flags_at`: the argument with flags or the escape, if the call has as many. */
static arb_code take_pattern(const arb_call *call, size_t row, pattern_form form, arb_regex_options options,
                             size_t flags_at, arb_error *error)
{
    regex_state *own = call->state;
    arb_str pattern = arb_call_text(call, 1, row);
    arb_str flags = flags_at < call->expr->child_count ? arb_call_text(call, flags_at, row) : ARB_STR("");
    if (own->regex != NULL && arb_str_equal(arb_text_view(&own->pattern), pattern) &&
        arb_str_equal(arb_text_view(&own->flags), flags))
        return ARB_OK;
    arb_code code = compile_pattern(call, form, options, pattern, flags, error);
    return code == ARB_OK ? ARB_OK : arb_error_at(error, code, call->expr->position);
}

static arb_code match(const arb_call *call, arb_str text, size_t from, bool *out_found, arb_error *error)
{
    const regex_state *own = call->state;
    ARB_TRY(arb_check_stop(call->stop, error)); /* one match may take some tens of milliseconds */
    arb_code code = arb_regex_match(own->regex, text, from, out_found, error);
    return code == ARB_OK ? ARB_OK : arb_error_at(error, code, call->expr->position);
}

/* ---- does it match? --------------------------------------------------------------------------------------------------- */

static arb_code match_rows(arb_call *call, pattern_form form, arb_regex_options options, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        bool found;
        ARB_TRY(take_pattern(call, row, form, options, 2, error));
        ARB_TRY(match(call, arb_call_text(call, 0, row), 0, &found, error));
        arb_bitmap_put(call->result->values.bits, row, found);
    }
    return ARB_OK;
}

static arb_code run_match(arb_call *call, arb_error *error)
{
    return match_rows(call, REGULAR, (arb_regex_options){0}, error);
}

static arb_code run_match_nocase(arb_call *call, arb_error *error)
{
    return match_rows(call, REGULAR, (arb_regex_options){.ignore_case = true}, error);
}

static arb_code run_match_whole(arb_call *call, arb_error *error)
{
    return match_rows(call, REGULAR, (arb_regex_options){.whole = true}, error);
}

static arb_code run_similar(arb_call *call, arb_error *error)
{
    return match_rows(call, SIMILAR, (arb_regex_options){0}, error);
}

static arb_code run_glob(arb_call *call, arb_error *error)
{
    return match_rows(call, GLOB, (arb_regex_options){0}, error);
}

static arb_code match_not(arb_call *call, bool ignore_case, arb_error *error)
{
    ARB_TRY(match_rows(call, REGULAR, (arb_regex_options){.ignore_case = ignore_case}, error));
    ARB_CALL_EACH(call, row)
    arb_bitmap_put(call->result->values.bits, row, !arb_bitmap_get(call->result->values.bits, row));
    return ARB_OK;
}

static arb_code run_not_match(arb_call *call, arb_error *error)
{
    return match_not(call, false, error);
}

static arb_code run_not_match_nocase(arb_call *call, arb_error *error)
{
    return match_not(call, true, error);
}

/* ---- the next match --------------------------------------------------------------------------------------------------- */

/* Where to look on behind a match: an empty one must not be found again. */
static size_t behind_match(arb_str text, size_t begin, size_t end)
{
    if (end > begin)
        return end;
    return end < text.size ? (size_t)(arb_utf8_next(text.data + end, text.data + text.size) - text.data)
                           : text.size + 1;
}

/* The `number`th match (from 1) that starts at `from` or behind. */
static arb_code find_match(const arb_call *call, arb_str text, size_t from, int64_t number, bool *out_found,
                           arb_error *error)
{
    const regex_state *own = call->state;
    for (*out_found = false; from <= text.size; number--) {
        size_t begin, end;
        ARB_TRY(match(call, text, from, out_found, error));
        if (!*out_found || number <= 1)
            return ARB_OK;
        *out_found = arb_regex_group(own->regex, 0, &begin, &end);
        if (!*out_found)
            return ARB_OK;
        from = behind_match(text, begin, end);
        *out_found = false;
    }
    return ARB_OK;
}

/* Bytes in front of the character with the number; text.size + 1 when there is none. */
static arb_code offset_of(const arb_call *call, arb_str text, int64_t start, size_t *out_offset, arb_error *error)
{
    if (start < 1)
        return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "invalid value for parameter \"start\": %lld",
                             (long long)start);
    *out_offset = text.size + 1;
    if (start - 1 > (int64_t)arb_utf8_length(text))
        return ARB_OK;
    *out_offset = (size_t)(arb_utf8_skip(text.data, text.data + text.size, start - 1) - text.data);
    return ARB_OK;
}

static arb_code run_count(arb_call *call, arb_error *error)
{
    const regex_state *own = call->state;
    bool given = call->expr->child_count >= 3;
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        size_t from = 0, begin, end;
        int32_t count = 0;
        ARB_TRY(take_pattern(call, row, REGULAR, (arb_regex_options){0}, 3, error));
        if (given)
            ARB_TRY(offset_of(call, text, ARB_CALL_GET(call, 2, i64, row), &from, error));
        while (from <= text.size) {
            bool found;
            ARB_TRY(match(call, text, from, &found, error));
            if (!found || !arb_regex_group(own->regex, 0, &begin, &end))
                break;
            count++;
            from = behind_match(text, begin, end);
        }
        call->result->values.i32[row] = count;
    }
    return ARB_OK;
}

/* regexp_substr(text, pattern[, start[, number[, flags[, group]]]]): NULL when there is no such match. */
static arb_code run_substr(arb_call *call, arb_error *error)
{
    const regex_state *own = call->state;
    size_t count = call->expr->child_count;
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        int64_t number = count > 3 ? ARB_CALL_GET(call, 3, i64, row) : 1;
        int64_t group = count > 5 ? ARB_CALL_GET(call, 5, i64, row) : 0;
        size_t from = 0, begin, end;
        bool found;
        ARB_TRY(take_pattern(call, row, REGULAR, (arb_regex_options){0}, 4, error));
        if (count > 2)
            ARB_TRY(offset_of(call, text, ARB_CALL_GET(call, 2, i64, row), &from, error));
        if (number < 1 || group < 0)
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "invalid value for parameter \"%s\": %lld",
                                 number < 1 ? "n" : "subexpr", (long long)(number < 1 ? number : group));
        ARB_TRY(find_match(call, text, from, number, &found, error));
        if (found && group <= UINT32_MAX && arb_regex_group(own->regex, (uint32_t)group, &begin, &end))
            arb_call_put_text(call, row, text.data + begin, end - begin);
        else
            arb_call_set_null(call, row);
    }
    return ARB_OK;
}

/* substring(text from pattern): the first group when there is one, else the whole match. */
static arb_code run_substring_matching(arb_call *call, arb_error *error)
{
    const regex_state *own = call->state;
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        size_t begin, end;
        bool found;
        ARB_TRY(take_pattern(call, row, REGULAR, (arb_regex_options){0}, 2, error));
        ARB_TRY(match(call, text, 0, &found, error));
        if (found && arb_regex_group(own->regex, arb_regex_group_count(own->regex) != 0, &begin, &end))
            arb_call_put_text(call, row, text.data + begin, end - begin);
        else
            arb_call_set_null(call, row);
    }
    return ARB_OK;
}

/* regexp_extract(text, pattern[, group[, flags]]): empty when there is no match. */
static arb_code run_extract(arb_call *call, arb_error *error)
{
    const regex_state *own = call->state;
    bool given = call->expr->child_count >= 3;
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        int64_t group = given ? ARB_CALL_GET(call, 2, i64, row) : 0;
        size_t begin = 0, end = 0;
        bool found;
        ARB_TRY(take_pattern(call, row, REGULAR, (arb_regex_options){0}, 3, error));
        if (group < 0 || group > (int64_t)arb_regex_group_count(own->regex))
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER,
                                 "the pattern has %u groups, there is no group %lld", arb_regex_group_count(own->regex),
                                 (long long)group);
        ARB_TRY(match(call, text, 0, &found, error));
        if (!found || !arb_regex_group(own->regex, (uint32_t)group, &begin, &end))
            begin = end = 0;
        arb_call_put_text(call, row, text.data + begin, end - begin);
    }
    return ARB_OK;
}

/* ---- replacing -------------------------------------------------------------------------------------------------------- */

/* \1 to \9 are groups, \& and \0 the whole match, \\ a backslash. */
static void append_replacement(const regex_state *own, arb_str text, arb_str with, arb_text *out)
{
    for (size_t at = 0; at < with.size; at++) {
        char next = at + 1 < with.size ? with.data[at + 1] : '\0';
        size_t begin, end;
        if (with.data[at] != '\\' || (next != '\\' && next != '&' && (next < '0' || next > '9'))) {
            arb_text_append_char(out, with.data[at]);
            continue;
        }
        at++;
        uint32_t group = next == '&' ? 0 : (uint32_t)(next - '0');
        if (next == '\\')
            arb_text_append_char(out, '\\');
        else if (arb_regex_group(own->regex, group, &begin, &end))
            arb_text_append(out, text.data + begin, end - begin);
    }
}

static arb_code replace_matches(arb_call *call, size_t row, arb_error *error)
{
    regex_state *own = call->state;
    arb_str text = arb_call_text(call, 0, row), with = arb_call_text(call, 2, row);
    size_t from = 0, copied = 0, begin, end;
    bool found, some = false;
    arb_text_clear(&own->built);
    do {
        ARB_TRY(match(call, text, from, &found, error));
        if (!found || !arb_regex_group(own->regex, 0, &begin, &end) || begin < copied)
            break;
        some = true;
        arb_text_append(&own->built, text.data + copied, begin - copied);
        append_replacement(own, text, with, &own->built);
        if (own->built.size > ARB_TEXT_MOST)
            return arb_call_fail(call, error, ARB_STRING_TOO_LONG, "the text with replacements is too long");
        copied = end;
        from = behind_match(text, begin, end);
    } while (own->global && from <= text.size);
    if (!some) {
        arb_call_put_text(call, row, text.data, text.size);
        return ARB_OK;
    }
    arb_text_append(&own->built, text.data + copied, text.size - copied);
    char *room;
    ARB_TRY(arb_text_check(&own->built, error));
    ARB_TRY(arb_call_make_text(call, own->built.size, &room, error));
    if (own->built.size != 0)
        memcpy(room, own->built.data, own->built.size);
    arb_call_put_text(call, row, room, own->built.size);
    return ARB_OK;
}

static arb_code run_replace_matches(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        ARB_TRY(take_pattern(call, row, REGULAR, (arb_regex_options){0}, 3, error));
        ARB_TRY(replace_matches(call, row, error));
    }
    return ARB_OK;
}

#define REGEX(name, run_) \
    static const arb_scalar_implementation name = {.prepare = prepare_regex, .release = release_regex, .run = (run_)}
REGEX(match_run, run_match);
REGEX(match_nocase_run, run_match_nocase);
REGEX(match_whole_run, run_match_whole);
REGEX(not_match_run, run_not_match);
REGEX(not_match_nocase_run, run_not_match_nocase);
REGEX(similar_run, run_similar);
REGEX(glob_run, run_glob);
REGEX(count_run, run_count);
REGEX(substr_run, run_substr);
REGEX(substring_matching_run, run_substring_matching);
REGEX(extract_run, run_extract);
REGEX(replace_matches_run, run_replace_matches);

ARB_DEFINE_RANGE(count_range, 0, INT32_MAX)

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("~", 2, 2, "tt>b", &match_run),
    ARB_SCALAR_ROW("~*", 2, 2, "tt>b", &match_nocase_run),
    ARB_SCALAR_ROW("!~", 2, 2, "tt>b", &not_match_run),
    ARB_SCALAR_ROW("!~*", 2, 2, "tt>b", &not_match_nocase_run),
    ARB_SCALAR_ROW("regexp_like", 2, 3, "ttt>b", &match_run),
    ARB_SCALAR_ROW("regexp_full_match", 2, 3, "ttt>b", &match_whole_run),
    ARB_SCALAR_ROW("similar_to", 2, 3, "ttt>b", &similar_run),
    ARB_SCALAR_ROW("glob", 2, 2, "tt>b", &glob_run),
    ARB_SCALAR_ROW("regexp_count", 2, 4, "ttlt>i", &count_run, .range = count_range),
    ARB_SCALAR_ROW("regexp_substr", 2, 6, "ttlltl>t", &substr_run),
    ARB_SCALAR_ROW("substring", 2, 2, "tt>t", &substring_matching_run),
    ARB_SCALAR_ROW("regexp_extract", 2, 4, "ttlt>t", &extract_run),
    ARB_SCALAR_ROW("regexp_replace", 3, 4, "tttt>t", &replace_matches_run),
};
ARB_FUNCTION_TABLE(arb_functions_regex, rows);
