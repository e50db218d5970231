/* md5.h: the digest that sqllogictest files name large results by. */
#ifndef ARB_TEST_SLT_MD5_H
#define ARB_TEST_SLT_MD5_H

#include "base/text.h"

/* 32 lower-case hexadecimal digits and a NUL. */
void arb_md5_hex(arb_str bytes, char out_hex[33]);

#endif
