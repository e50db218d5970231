/* text_find.h: looking for bytes in texts. */
#ifndef ARB_KERNELS_TEXT_FIND_H
#define ARB_KERNELS_TEXT_FIND_H

#include "base/cpu.h"
#include "columnar/type.h"

typedef struct arb_find_kernels {
    /* Where `needle` first occurs, or NULL. Reads nothing outside of either. A needle of size 0 is found at once. */
    const char *(*find)(const char *text, size_t size, const char *needle, size_t needle_size);
    /* Set the bit of each row of `selection` (no bits behind `rows`) whose text has the needle; other bits are 0. */
    void (*contains)(const arb_string *values, size_t rows, const uint64_t *selection, const char *needle,
                     size_t needle_size, uint64_t *bits);
} arb_find_kernels;

ARB_KERNELS_DECLARE(arb_find_kernels);

#endif
