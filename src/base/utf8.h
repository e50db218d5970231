/* utf8.h: is this text? */
#ifndef ARB_BASE_UTF8_H
#define ARB_BASE_UTF8_H

#include "base/compiler.h"

/* Only bytes below 128. */
bool arb_utf8_is_ascii(const void *data, size_t size);
/* As Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF, nothing cut short. */
bool arb_utf8_is_valid(const void *data, size_t size);

#endif
