/* Regular expressions, and the patterns of SIMILAR TO and GLOB, which become such.
 *
 * Input: the options; the pattern, a zero byte, the text. */
#include "base/utf8.h"
#include "fuzz_input.h"
#include "kernels/regex.h"
#include "kernels/utf8_step.h"

/* All matches in order, as regexp_replace and its kin look for them. */
static void find_all(arb_regex *regex, arb_str text)
{
    arb_error error = {0};
    size_t from = 0;
    for (int matches = 0; matches < 50; matches++) {
        bool found;
        size_t begin = 0, end = 0, group_begin, group_end;
        arb_code code = arb_regex_match(regex, text, from, &found, &error);
        FUZZ_REQUIRE(code == ARB_OK || code == ARB_LIMIT_EXCEEDED || code == ARB_INVALID_REGULAR_EXPRESSION);
        if (code != ARB_OK || !found)
            return;
        FUZZ_REQUIRE(arb_regex_group(regex, 0, &begin, &end));
        FUZZ_REQUIRE(begin <= text.size && end <= text.size);
        FUZZ_REQUIRE(begin == text.size || !arb_utf8_continues(text.data[begin]));
        for (uint32_t i = 1; i <= arb_regex_group_count(regex); i++)
            if (arb_regex_group(regex, i, &group_begin, &group_end))
                FUZZ_REQUIRE(group_begin <= text.size && group_end <= text.size);
        size_t next = ARB_MAX(begin, end);
        if (next <= from)
            next = from + (from < text.size ? arb_utf8_size(text.data[from]) : 1);
        if (next > text.size)
            return;
        from = next;
    }
}

static void match_with(arb_str pattern, arb_regex_options options, arb_str text)
{
    arb_regex *regex;
    arb_error error = {0};
    arb_code code = arb_regex_compile(pattern, options, &regex, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_INVALID_REGULAR_EXPRESSION || code == ARB_LIMIT_EXCEEDED);
    if (code == ARB_OK)
        find_all(regex, text);
    if (code == ARB_OK && options.literal && !options.ignore_case && !options.whole && !options.extended) {
        bool found;
        FUZZ_REQUIRE(arb_regex_match(regex, text, 0, &found, &error) == ARB_OK);
        FUZZ_REQUIRE(found == (pattern.size == 0 || memmem(text.data, text.size, pattern.data, pattern.size) != NULL));
    }
    arb_regex_destroy(regex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    uint8_t how = fuzz_byte(&in);
    arb_str pattern = fuzz_until(&in, '\0'), text = fuzz_take(&in, SIZE_MAX);
    if (!arb_utf8_is_valid(pattern.data, pattern.size) || !arb_utf8_is_valid(text.data, text.size))
        return 0;
    match_with(pattern, (arb_regex_options){how & 1, how & 2, how & 4, how & 8, how & 16, how & 32}, text);
    arb_text made = {0};
    arb_error error = {0};
    arb_regex_options whole = {.whole = true};
    if (arb_regex_of_similar(pattern, how & 64 ? 0 : '\\', &made, &error) == ARB_OK)
        match_with(arb_text_view(&made), whole, text);
    arb_text_clear(&made);
    if (arb_regex_of_glob(pattern, &made, &error) == ARB_OK)
        match_with(arb_text_view(&made), whole, text);
    arb_text_reset(&made);
    return 0;
}
