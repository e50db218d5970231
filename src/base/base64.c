#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void arb_base64_encode(const void *bytes, size_t size, char *out)
{
    const unsigned char *in = bytes;
    for (size_t at = 0; at < size; at += 3) {
        size_t left = size - at;
        uint32_t group =
            (uint32_t)in[at] << 16 | (left > 1 ? (uint32_t)in[at + 1] << 8 : 0) | (left > 2 ? in[at + 2] : 0u);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
}

arb_base64_result arb_base64_decode(const char *text, size_t size, char *out, size_t *out_size)
{
    char *at = out;
    uint32_t group = 0;
    unsigned seen = 0, padding = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            continue;
        const char *digit = c == '=' || c == '\0' ? NULL : strchr(digits, c);
        if ((digit == NULL && c != '=') || (digit != NULL && padding != 0) || (digit == NULL && seen % 4 < 2))
            return ARB_BASE64_NOT_A_DIGIT;
        padding += digit == NULL;
        group = group << 6 | (digit != NULL ? (uint32_t)(digit - digits) : 0);
        if (++seen % 4 != 0)
            continue;
        *at++ = (char)(group >> 16);
        if (padding < 2)
            *at++ = (char)(group >> 8);
        if (padding < 1)
            *at++ = (char)group;
    }
    *out_size = (size_t)(at - out);
    return seen % 4 == 0 ? ARB_BASE64_OK : ARB_BASE64_CUT_OFF;
}
