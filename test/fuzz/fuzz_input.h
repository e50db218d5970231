/* fuzz_input.h: what the fuzz targets share: an input taken apart from its front, and a check that holds in every build.
 *
 * Behind its end an input gives zeroes, so that a target never has to look whether there is enough of it. */
#ifndef ARB_TEST_FUZZ_INPUT_H
#define ARB_TEST_FUZZ_INPUT_H

#include <stdio.h>

#include "base/text.h"

/* libFuzzer calls it; 0 always. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be true whatever the input is. */
#define FUZZ_REQUIRE(condition)                                                       \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            __builtin_trap();                                                         \
        }                                                                             \
    } while (0)

typedef struct fuzz_input {
    const uint8_t *at, *end;
} fuzz_input;

ARB_INLINE fuzz_input fuzz_input_over(const uint8_t *data, size_t size)
{
    return (fuzz_input){data, data + size};
}

ARB_INLINE size_t fuzz_left(const fuzz_input *in)
{
    return (size_t)(in->end - in->at);
}

ARB_INLINE uint8_t fuzz_byte(fuzz_input *in)
{
    return in->at == in->end ? 0 : *in->at++;
}

/* Little-endian, of `bytes` bytes. */
ARB_INLINE uint64_t fuzz_number(fuzz_input *in, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number |= (uint64_t)fuzz_byte(in) << (8 * i);
    return number;
}

/* The next `size` bytes, or what is left. */
ARB_INLINE arb_str fuzz_take(fuzz_input *in, size_t size)
{
    arb_str taken = {(const char *)in->at, ARB_MIN(size, fuzz_left(in))};
    in->at += taken.size;
    return taken;
}

/* What stands before the next `mark`, which is passed; the rest when there is none. */
ARB_INLINE arb_str fuzz_until(fuzz_input *in, char mark)
{
    const uint8_t *found = fuzz_left(in) == 0 ? NULL : memchr(in->at, mark, fuzz_left(in));
    arb_str taken = fuzz_take(in, found == NULL ? fuzz_left(in) : (size_t)(found - in->at));
    if (found != NULL)
        in->at++;
    return taken;
}

#endif
