/* csv_index_kernel.c: 64 bytes at a time.
 *
 * Three comparisons give a bit for each delimiter, line end and quote. The exclusive or of all quote bits up to a
 * position says whether it is inside of quotes, since quotes open and close in turn (a quote written twice closes and
 * opens at once). That holds as long as each opening quote stands behind a delimiter, a line end or a closing quote,
 * which is one more and-not; where it does not, the 64 bytes are looked at one by one. */
#include "formats/csv/csv_index.h"

#ifdef __AVX2__
#include <immintrin.h>
#elif defined __SSE2__
#include <emmintrin.h>
#endif

/* Bit i: data[i] == byte. */
ARB_INLINE uint64_t equal_mask(const uint8_t *data, uint8_t byte)
{
#ifdef __AVX2__
    __m256i wanted = _mm256_set1_epi8((char)byte);
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)data);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(data + 32));
    uint64_t first = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    uint64_t second = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));
    return first | second << 32;
#elif defined __SSE2__
    __m128i wanted = _mm_set1_epi8((char)byte);
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted)) << (16 * i);
    }
    return mask;
#else
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i++)
        mask |= (uint64_t)(data[i] == byte) << i;
    return mask;
#endif
}

ARB_INLINE uint64_t high_bits(const uint8_t *data)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < 64; i += 8)
        all |= arb_load_u64(data + i);
    return all & 0x8080808080808080u;
}

/* Bit i: the exclusive or of bits 0 to i. */
ARB_INLINE uint64_t running_xor(uint64_t bits)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

ARB_INLINE size_t put_positions(uint64_t mask, uint32_t at, uint32_t *out)
{
    size_t count = (size_t)__builtin_popcountll(mask);
    for (size_t i = 0; mask != 0; i++) {
        out[i] = at + (uint32_t)__builtin_ctzll(mask);
        mask &= mask - 1;
    }
    return count;
}

static ARB_NOINLINE size_t index_bytes(const uint8_t *data, size_t size, const arb_csv_dialect *dialect,
                                       arb_csv_state *state, uint32_t base, uint32_t *out)
{
    bool usual = dialect->comment == 0 && (dialect->quote == 0 || dialect->escape == dialect->quote);
    size_t at = 0, count = 0;
    for (; usual && at + 64 <= size; at += 64) {
        const uint8_t *block = data + at;
        uint64_t newlines = equal_mask(block, dialect->newline);
        uint64_t ends = newlines | equal_mask(block, dialect->delimiter);
        uint64_t quotes = dialect->quote == 0 ? 0 : equal_mask(block, dialect->quote);
        if (quotes == 0) {
            if (!state->in_quotes)
                count += put_positions(ends, base + (uint32_t)at, out + count);
            arb_csv_state_pass(dialect, block, 64, state);
        } else {
            uint64_t inside = running_xor(quotes) ^ (state->in_quotes ? ~(uint64_t)0 : 0);
            uint64_t opening = quotes & inside, allowed = (ends | quotes) << 1 | (state->at_start || state->closed);
            /* A space at the end may stand between a delimiter and a quote. */
            if ((opening & ~allowed) != 0 || (block[63] == ' ' && inside >> 63 == 0)) {
                count += arb_csv_index_bytes(block, 64, dialect, state, base + (uint32_t)at, out + count);
                continue;
            }
            count += put_positions(ends & ~inside, base + (uint32_t)at, out + count);
            state->in_quotes = inside >> 63;
            state->at_start = (ends & ~inside) >> 63;
            state->closed = (quotes & ~inside) >> 63;
            state->row_start = (newlines & ~inside) >> 63;
        }
        state->high = state->high || high_bits(block) != 0;
    }
    if (at < size)
        count += arb_csv_index_bytes(data + at, size - at, dialect, state, base + (uint32_t)at, out + count);
    return count;
}

const arb_csv_kernels ARB_KERNELS_TABLE(arb_csv_kernels) = {.index = index_bytes};
