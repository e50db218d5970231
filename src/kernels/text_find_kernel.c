/* text_find_kernel.c: see text_find.h.
 *
 * The first and the last byte of the needle are compared at 16 places at a time; where both fit, the bytes between them
 * are. The last step goes back so far that it ends with the text, so nothing is read behind it. Texts too short for one
 * step are searched byte by byte. */
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "kernels/text_find.h"

enum { step = 16 };

/* Bit i: needle[0] is at text[i] and needle[size - 1] at text[i + size - 1]. */
ARB_INLINE unsigned candidates(const char *text, size_t needle_size, char first, char last)
{
#ifdef __SSE2__
    __m128i head = _mm_loadu_si128((const __m128i *)text);
    __m128i tail = _mm_loadu_si128((const __m128i *)(text + needle_size - 1));
    __m128i both = _mm_and_si128(_mm_cmpeq_epi8(head, _mm_set1_epi8(first)), _mm_cmpeq_epi8(tail, _mm_set1_epi8(last)));
    return (unsigned)_mm_movemask_epi8(both);
#else
    unsigned found = 0;
    for (unsigned i = 0; i < step; i++)
        found |= (unsigned)(text[i] == first && text[i + needle_size - 1] == last) << i;
    return found;
#endif
}

ARB_INLINE const char *find_short(const char *text, size_t places, const char *needle, size_t needle_size)
{
    for (size_t i = 0; i < places; i++)
        if (text[i] == needle[0] && text[i + needle_size - 1] == needle[needle_size - 1] &&
            memcmp(text + i, needle, needle_size) == 0)
            return text + i;
    return NULL;
}

ARB_INLINE const char *find_inline(const char *text, size_t size, const char *needle, size_t needle_size)
{
    if (needle_size == 0)
        return text;
    if (size < needle_size)
        return NULL;
    size_t places = size - needle_size + 1;
    if (places < step)
        return find_short(text, places, needle, needle_size);
    char first = needle[0], last = needle[needle_size - 1];
    for (size_t at = 0;;) {
        unsigned found = candidates(text + at, needle_size, first, last);
        for (; found != 0; found &= found - 1) {
            const char *place = text + at + (unsigned)__builtin_ctz(found);
            if (needle_size <= 2 || memcmp(place + 1, needle + 1, needle_size - 2) == 0)
                return place;
        }
        if (at + step == places)
            return NULL;
        at = at + 2 * step <= places ? at + step : places - step;
    }
}

static ARB_NOINLINE const char *find(const char *text, size_t size, const char *needle, size_t needle_size)
{
    return find_inline(text, size, needle, needle_size);
}

static ARB_NOINLINE void contains(const arb_string *values, size_t rows, const uint64_t *selection, const char *needle,
                                  size_t needle_size, uint64_t *bits)
{
    for (size_t word = 0; word < (rows + 63) / 64; word++) {
        uint64_t found = 0;
        for (uint64_t left = selection[word]; left != 0; left &= left - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(left);
            const arb_string *value = &values[word * 64 + bit];
            bool here = find_inline(arb_string_data(value), value->size, needle, needle_size) != NULL;
            found |= (uint64_t)here << bit;
        }
        bits[word] = found;
    }
}

const arb_find_kernels ARB_KERNELS_TABLE(arb_find_kernels) = {.find = find, .contains = contains};
