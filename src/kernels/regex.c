#include "kernels/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"
#include "kernels/utf8_step.h"

enum {
    pattern_most = 1 << 16,      /* bytes */
    steps_most = 2000000,        /* of one match: some tens of milliseconds */
    heap_most_kib = 16 << 10,    /* of one match without machine code */
    jit_stack_least = 32 << 10,  /* bytes */
    jit_stack_most = 1024 << 10, /* bytes */
    message_most = 160
};

struct arb_regex {
    pcre2_general_context *general;
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static void *allocate(PCRE2_SIZE size, void *context)
{
    (void)context;
    return arb_alloc(size);
}

static void release(void *block, void *context)
{
    (void)context;
    arb_free(block);
}

static uint32_t flags_of(arb_regex_options options)
{
    if (options.literal) /* most other options do not go together with it */
        return PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_LITERAL | (options.ignore_case ? PCRE2_CASELESS : 0);
    uint32_t flags = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    flags |= options.ignore_case ? PCRE2_CASELESS : 0;
    flags |= options.dot_excludes_newline ? 0 : PCRE2_DOTALL;
    flags |= options.multiline ? PCRE2_MULTILINE : 0;
    flags |= options.extended ? PCRE2_EXTENDED : 0;
    flags |= options.whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0;
    return flags;
}

static arb_code compile_code(arb_regex *regex, arb_str pattern, arb_regex_options options, arb_error *error)
{
    int number;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(regex->general);
    if (context == NULL)
        return arb_fail_memory(error, "a regular expression", pattern.size);
    pcre2_set_max_pattern_length(context, pattern_most);
    regex->code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.size, flags_of(options), &number, &at, context);
    pcre2_compile_context_free(context);
    if (regex->code != NULL)
        return ARB_OK;
    if (number == PCRE2_ERROR_NOMEMORY || number == 121) /* 121: the compiler found no memory */
        return arb_fail_memory(error, "a regular expression", pattern.size);
    char message[message_most];
    if (pcre2_get_error_message(number, (PCRE2_UCHAR *)message, sizeof message) < 0)
        message[0] = '\0';
    arb_fail(error, ARB_INVALID_REGULAR_EXPRESSION, "invalid regular expression: %s", message);
    arb_error_detail(error, "at byte %zu of the pattern", (size_t)at + 1);
    return ARB_INVALID_REGULAR_EXPRESSION;
}

arb_code arb_regex_compile(arb_str pattern, arb_regex_options options, arb_regex **out_regex, arb_error *error)
{
    *out_regex = NULL;
    arb_regex *regex = arb_alloc_zeroed(sizeof *regex);
    if (regex == NULL)
        return arb_fail_memory(error, "a regular expression", sizeof *regex);
    regex->general = pcre2_general_context_create(allocate, release, NULL);
    arb_code code = regex->general == NULL ? arb_fail_memory(error, "a regular expression", pattern.size)
                                           : compile_code(regex, pattern, options, error);
    if (code == ARB_OK) {
        regex->match = pcre2_match_data_create_from_pattern(regex->code, regex->general);
        regex->context = pcre2_match_context_create(regex->general);
        if (regex->match == NULL || regex->context == NULL)
            code = arb_fail_memory(error, "a regular expression", pattern.size);
    }
    if (code != ARB_OK) {
        arb_regex_destroy(regex);
        return code;
    }
    pcre2_set_match_limit(regex->context, steps_most);
    pcre2_set_heap_limit(regex->context, heap_most_kib);
    /* Without machine code, or without a stack for it, the interpreter does the same more slowly. */
    if (pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0)
        regex->stack = pcre2_jit_stack_create(jit_stack_least, jit_stack_most, regex->general);
    if (regex->stack != NULL)
        pcre2_jit_stack_assign(regex->context, NULL, regex->stack);
    *out_regex = regex;
    return ARB_OK;
}

void arb_regex_destroy(arb_regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_jit_stack_free(regex->stack);
    pcre2_match_context_free(regex->context);
    pcre2_match_data_free(regex->match);
    pcre2_code_free(regex->code);
    pcre2_general_context_free(regex->general);
    arb_free(regex);
}

uint32_t arb_regex_group_count(const arb_regex *regex)
{
    return pcre2_get_ovector_count(regex->match) - 1;
}

arb_code arb_regex_match(arb_regex *regex, arb_str text, size_t from, bool *out_found, arb_error *error)
{
    assert(from <= text.size);
    int outcome = pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.size, from, PCRE2_NO_UTF_CHECK, regex->match,
                              regex->context);
    *out_found = outcome >= 0;
    if (outcome >= 0 || outcome == PCRE2_ERROR_NOMATCH)
        return ARB_OK;
    if (outcome == PCRE2_ERROR_NOMEMORY)
        return arb_fail_memory(error, "matching a regular expression", text.size);
    if (outcome == PCRE2_ERROR_MATCHLIMIT || outcome == PCRE2_ERROR_DEPTHLIMIT || outcome == PCRE2_ERROR_HEAPLIMIT ||
        outcome == PCRE2_ERROR_JIT_STACKLIMIT || outcome == PCRE2_ERROR_RECURSELOOP) {
        arb_fail(error, ARB_LIMIT_EXCEEDED, "a regular expression takes too long on a text of %zu bytes", text.size);
        arb_error_hint(error, "avoid nested repetitions such as (a+)+");
        return ARB_LIMIT_EXCEEDED;
    }
    char message[message_most];
    if (pcre2_get_error_message(outcome, (PCRE2_UCHAR *)message, sizeof message) < 0)
        message[0] = '\0';
    return arb_fail(error, ARB_INVALID_REGULAR_EXPRESSION, "regular expression failed: %s", message);
}

bool arb_regex_group(const arb_regex *regex, uint32_t group, size_t *out_begin, size_t *out_end)
{
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(regex->match);
    if (group > arb_regex_group_count(regex) || places[2 * group] == PCRE2_UNSET ||
        places[2 * group] > places[2 * group + 1]) /* \K in a lookahead */
        return false;
    *out_begin = places[2 * group];
    *out_end = places[2 * group + 1];
    return true;
}

/* ---- other patterns --------------------------------------------------------------------------------------------------- */

static void append_plain(arb_text *out, const char *at, size_t size)
{
    if (size == 1 && strchr("\\^$.|?*+()[]{}-#&~/", *at) != NULL && *at != '\0')
        arb_text_append_char(out, '\\');
    arb_text_append(out, at, size);
}

/* A [...] of either pattern; `at` is behind the '['. Its inside means the same, but for backslashes. Returns where it
 * ends. */
static const char *append_class(arb_text *out, const char *at, const char *end, bool glob)
{
    arb_text_append_char(out, '[');
    if (at < end && (*at == '^' || (glob && *at == '!'))) {
        arb_text_append_char(out, '^');
        at++;
    }
    for (bool first = true; at < end && (first || *at != ']'); first = false) {
        const char *next = arb_utf8_next(at, end);
        if (*at == '[' && !glob && next < end && *next == ':') { /* [:alpha:] */
            while (next < end && *next != ']')
                next++;
            next += next < end;
            arb_text_append(out, at, (size_t)(next - at));
        } else {
            if (*at == '\\' || *at == '[' || *at == ']')
                arb_text_append_char(out, '\\');
            arb_text_append(out, at, (size_t)(next - at));
        }
        at = next;
    }
    arb_text_append_char(out, ']');
    return at < end ? at + 1 : end;
}

arb_code arb_regex_of_similar(arb_str pattern, uint32_t escape, arb_text *out, arb_error *error)
{
    const char *at = pattern.data, *end = pattern.data + pattern.size;
    arb_text_clear(out);
    while (at < end) {
        const char *next = arb_utf8_next(at, end);
        size_t size = (size_t)(next - at);
        if (escape != 0 && arb_utf8_get(at, end) == escape) {
            if (next == end)
                return arb_fail(error, ARB_INVALID_ESCAPE, "a pattern of SIMILAR TO must not end with its escape");
            at = next;
            next = arb_utf8_next(at, end);
            append_plain(out, at, (size_t)(next - at));
        } else if (*at == '[') {
            next = append_class(out, next, end, false);
        } else if (*at == '%') {
            arb_text_append_str(out, ARB_STR(".*"));
        } else if (*at == '_') {
            arb_text_append_char(out, '.');
        } else if (*at == '(') {
            arb_text_append_str(out, ARB_STR("(?:"));
        } else if (size == 1 && strchr("|*+?{})", *at) != NULL && *at != '\0') {
            arb_text_append_char(out, *at);
        } else {
            append_plain(out, at, size);
        }
        at = next;
    }
    return arb_text_check(out, error);
}

arb_code arb_regex_of_glob(arb_str pattern, arb_text *out, arb_error *error)
{
    const char *at = pattern.data, *end = pattern.data + pattern.size;
    arb_text_clear(out);
    while (at < end) {
        const char *next = arb_utf8_next(at, end);
        if (*at == '\\' && next < end) {
            at = next;
            next = arb_utf8_next(at, end);
            append_plain(out, at, (size_t)(next - at));
        } else if (*at == '[') {
            next = append_class(out, next, end, true);
        } else if (*at == '*') {
            arb_text_append_str(out, ARB_STR(".*"));
        } else if (*at == '?') {
            arb_text_append_char(out, '.');
        } else {
            append_plain(out, at, (size_t)(next - at));
        }
        at = next;
    }
    return arb_text_check(out, error);
}
