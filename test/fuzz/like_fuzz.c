/* LIKE and ILIKE beside a matcher that tries everything.
 *
 * Input: what counts as escape and whether case counts; the pattern, a zero byte, the text. */
#include "base/alloc.h"
#include "base/utf8.h"
#include "fuzz_input.h"
#include "kernels/like.h"
#include "kernels/utf8_step.h"

enum { CHARACTERS_MOST = 300, MANY = -1, ONE = -2 };

static size_t split(arb_str text, int32_t *to)
{
    const char *at = text.data, *end = text.data + text.size;
    size_t count = 0;
    for (; at < end; at = arb_utf8_next(at, end))
        to[count++] = (int32_t)arb_utf8_get(at, end);
    return count;
}

/* The pattern's characters with MANY and ONE for its wildcards. */
static size_t unescape(int32_t *pattern, size_t count, uint32_t escape)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool escaped = escape != 0 && pattern[i] == (int32_t)escape && i + 1 < count;
        i += escaped;
        pattern[kept++] = escaped ? pattern[i] : pattern[i] == '%' ? MANY : pattern[i] == '_' ? ONE : pattern[i];
    }
    return kept;
}

static bool matches(const int32_t *pattern, size_t pattern_size, const int32_t *text, size_t size)
{
    bool row[CHARACTERS_MOST + 1] = {true}; /* the pattern so far matches this much of the text */
    for (size_t p = 0; p < pattern_size; p++) {
        bool next[CHARACTERS_MOST + 1] = {pattern[p] == MANY && row[0]};
        for (size_t i = 1; i <= size; i++)
            next[i] = pattern[p] == MANY ? row[i] || next[i - 1]
                                         : row[i - 1] && (pattern[p] == ONE || pattern[p] == text[i - 1]);
        memcpy(row, next, sizeof row);
    }
    return row[size];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t escapes[] = {'\\', 0, '%', '_', 'a', 0xE4, '!', 'A'};
    fuzz_input in = fuzz_input_over(data, size);
    uint8_t how = fuzz_byte(&in);
    arb_str pattern = fuzz_until(&in, '\0'), text = fuzz_take(&in, SIZE_MAX);
    if (pattern.size > CHARACTERS_MOST || text.size > CHARACTERS_MOST ||
        !arb_utf8_is_valid(pattern.data, pattern.size) || !arb_utf8_is_valid(text.data, text.size))
        return 0;
    uint32_t escape = escapes[how & 7];
    bool ignore_case = how & 8;
    arb_arena arena = {0};
    arb_error error = {0};
    arb_like like;
    FUZZ_REQUIRE(arb_like_compile(&arena, pattern, escape, ignore_case, &like, &error) == ARB_OK);
    char folded_text[4 * CHARACTERS_MOST];
    int32_t pattern_points[4 * CHARACTERS_MOST], text_points[4 * CHARACTERS_MOST];
    size_t pattern_size = unescape(pattern_points, split(pattern, pattern_points), escape);
    if (ignore_case) {
        text = (arb_str){folded_text, arb_text_lower(text, folded_text)};
        FUZZ_REQUIRE(arb_utf8_is_valid(text.data, text.size));
        for (size_t i = 0; i < pattern_size; i++) {
            char letter[4], lower[16];
            if (pattern_points[i] < 0)
                continue;
            arb_str one = {letter, arb_utf8_put(letter, (uint32_t)pattern_points[i])};
            one = (arb_str){lower, arb_text_lower(one, lower)};
            pattern_points[i] = (int32_t)arb_utf8_get(one.data, one.data + one.size);
        }
    }
    size_t text_size = split(text, text_points);
    bool expected = text_size <= CHARACTERS_MOST && matches(pattern_points, pattern_size, text_points, text_size);
    bool got = arb_like_matches(&like, text);
    FUZZ_REQUIRE(text_size > CHARACTERS_MOST || got == expected);
    /* As a column, where other ways are taken. */
    char *copy = arb_arena_copy(&arena, text.data, text.size);
    FUZZ_REQUIRE(copy != NULL);
    arb_string rows[3] = {arb_string_of("", 0), arb_string_of(copy, text.size), arb_string_of(copy, text.size)};
    uint64_t selection = 2, bits = ~UINT64_C(0);
    arb_like_match_rows(&like, rows, 3, &selection, &bits);
    FUZZ_REQUIRE((bits & 2) == (got ? 2 : 0) && (bits & 5) == 0);
    arb_arena_reset(&arena);
    return 0;
}
