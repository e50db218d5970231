#include "formats/parquet/rle_decoder.h"

#include "base/bitmap.h"

bool arb_rle_decoder_fill(arb_rle_decoder *decoder)
{
    while (decoder->left == 0) {
        uint64_t head = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (decoder->at == decoder->end || shift > 28)
                return false;
            head |= (uint64_t)(*decoder->at & 0x7F) << shift;
            if (*decoder->at++ < 0x80)
                break;
        }
        size_t available = (size_t)(decoder->end - decoder->at);
        if (head & 1) {
            uint64_t bytes = (head >> 1) * decoder->width, count = (head >> 1) * 8;
            if (bytes > available) { /* some writers leave out the end of the last group */
                count = available * 8 / decoder->width;
                bytes = available;
            }
            decoder->packed = decoder->at;
            decoder->packed_index = 0;
            decoder->left = count;
            decoder->at += bytes;
            if (decoder->width == 0)
                decoder->packed = NULL, decoder->value = 0;
        } else {
            size_t bytes = (decoder->width + 7) / 8;
            if (bytes > available)
                return false;
            uint32_t value = 0;
            memcpy(&value, decoder->at, bytes);
            if (decoder->width < 32 && value >> decoder->width != 0)
                return false;
            decoder->at += bytes;
            decoder->packed = NULL;
            decoder->value = value;
            decoder->left = head >> 1;
        }
    }
    return true;
}

ARB_INLINE void pass(arb_rle_decoder *decoder, size_t count)
{
    decoder->left -= count;
    decoder->packed_index += count;
}

size_t arb_rle_decoder_skip(arb_rle_decoder *decoder, size_t count)
{
    size_t done = 0;
    while (done < count && arb_rle_decoder_fill(decoder)) {
        size_t step = (size_t)ARB_MIN(decoder->left, count - done);
        pass(decoder, step);
        done += step;
    }
    return done;
}

size_t arb_rle_decoder_get(arb_rle_decoder *decoder, const arb_parquet_kernels *kernels, size_t count, uint32_t *to,
                           uint32_t *largest)
{
    size_t done = 0;
    while (done < count && arb_rle_decoder_fill(decoder)) {
        size_t step = (size_t)ARB_MIN(decoder->left, count - done);
        uint32_t value = decoder->value;
        if (decoder->packed != NULL)
            value = kernels->unpack(decoder->packed, decoder->width, decoder->packed_index, step, to + done);
        else
            for (size_t i = 0; i < step; i++)
                to[done + i] = value;
        *largest = ARB_MAX(*largest, value);
        pass(decoder, step);
        done += step;
    }
    return done;
}

size_t arb_rle_decoder_pick(arb_rle_decoder *decoder, const arb_parquet_kernels *kernels, size_t span,
                            const uint16_t *indices, size_t index_count, uint32_t *to, uint32_t *largest)
{
    size_t done = 0, picked = 0;
    while (done < span && arb_rle_decoder_fill(decoder)) {
        size_t step = (size_t)ARB_MIN(decoder->left, span - done);
        size_t last = picked;
        if (done + step == span)
            last = index_count;
        else
            while (last < index_count && indices[last] < done + step)
                last++;
        if (last != picked) {
            uint32_t value = decoder->value;
            if (decoder->packed != NULL)
                value = kernels->unpack_picked(decoder->packed, decoder->width, decoder->packed_index - done,
                                               indices + picked, last - picked, to + picked);
            else
                for (size_t i = picked; i < last; i++)
                    to[i] = value;
            *largest = ARB_MAX(*largest, value);
        }
        picked = last;
        pass(decoder, step);
        done += step;
    }
    return done;
}

static void write_same(uint64_t *bits, size_t at, size_t count, bool value)
{
    while (count != 0) {
        size_t step = ARB_MIN(count, 64 - at % 64);
        uint64_t mask = arb_bitmap_tail_mask(step) << (at % 64);
        bits[at / 64] = value ? bits[at / 64] | mask : bits[at / 64] & ~mask;
        at += step;
        count -= step;
    }
}

static size_t write_packed(uint64_t *bits, size_t at, const uint8_t *from, uint64_t first, size_t count)
{
    size_t ones = 0;
    while (count != 0) {
        size_t step = ARB_MIN(count, 64 - at % 64);
        step = ARB_MIN(step, 56); /* that many a load gives at any distance */
        uint64_t piece = arb_load_u64(from + first / 8) >> (first % 8) & arb_bitmap_tail_mask(step);
        uint64_t mask = arb_bitmap_tail_mask(step) << (at % 64);
        bits[at / 64] = (bits[at / 64] & ~mask) | piece << (at % 64);
        ones += (size_t)__builtin_popcountll(piece);
        at += step;
        first += step;
        count -= step;
    }
    return ones;
}

size_t arb_rle_decoder_bits(arb_rle_decoder *decoder, size_t count, uint64_t *bits, size_t at, size_t *ones)
{
    assert(decoder->width == 1);
    size_t done = 0;
    while (done < count && arb_rle_decoder_fill(decoder)) {
        size_t step = (size_t)ARB_MIN(decoder->left, count - done);
        if (decoder->packed != NULL) {
            *ones += write_packed(bits, at + done, decoder->packed, decoder->packed_index, step);
        } else {
            write_same(bits, at + done, step, decoder->value != 0);
            *ones += decoder->value != 0 ? step : 0;
        }
        pass(decoder, step);
        done += step;
    }
    return done;
}
