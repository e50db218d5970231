/* size_text.h: numbers of bytes as people write them: 1000, 64kB, 1.5GB, 256MiB. */
#ifndef ARB_ENGINE_SIZE_TEXT_H
#define ARB_ENGINE_SIZE_TEXT_H

#include "base/error.h"
#include "base/text.h"

/* kB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of 1024, written exactly so. ARB_INVALID_PARAMETER. */
ARB_NODISCARD arb_code arb_size_parse(arb_str text, uint64_t *out_bytes, arb_error *error);
/* The shortest exact way to write it. */
void arb_size_print(arb_text *out, uint64_t bytes);

#endif
