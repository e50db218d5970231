/* base64.h: bytes as letters and digits, four for three. */
#ifndef ARB_BASE_BASE64_H
#define ARB_BASE_BASE64_H

#include "base/compiler.h"

/* Characters for `size` bytes, and bytes that `size` characters can hold at most. */
#define ARB_BASE64_ENCODED(size) (((size) + 2) / 3 * 4)
#define ARB_BASE64_DECODED(size) ((size) / 4 * 3 + 3)

typedef enum arb_base64_result {
    ARB_BASE64_OK,
    ARB_BASE64_NOT_A_DIGIT, /* or padding where none may be */
    ARB_BASE64_CUT_OFF,     /* the last group is not whole */
} arb_base64_result;

/* Writes ARB_BASE64_ENCODED(size) characters, padded. */
void arb_base64_encode(const void *bytes, size_t size, char *out);
/* White space is passed over. *out_size is set if the result is ARB_BASE64_OK. */
ARB_NODISCARD arb_base64_result arb_base64_decode(const char *text, size_t size, char *out, size_t *out_size);

#endif
