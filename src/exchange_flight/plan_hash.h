/* plan_hash.h: by what a plan is called between scheduler and executors: SHA-256 of its bytes, of which whoever may send SQL
 * cannot make two that are alike. */
#ifndef ARB_EXCHANGE_FLIGHT_PLAN_HASH_H
#define ARB_EXCHANGE_FLIGHT_PLAN_HASH_H

#include "base/text.h"

enum {
    ARB_PLAN_HASH_BYTES = 32,
    ARB_PLAN_BYTES_MOST = 256 << 20,
    ARB_PLAN_CHUNK_BYTES = 1 << 20, /* what a chunk should have, so that other messages need not wait long */
};

void arb_plan_hash(arb_str bytes, uint8_t out_hash[ARB_PLAN_HASH_BYTES]);

/* The same of bytes that come in pieces, so that the last piece costs no more than others. Thread: one at a time. */
typedef struct arb_plan_digest arb_plan_digest;
arb_plan_digest *arb_plan_digest_create(void);         /* NULL: no memory */
void arb_plan_digest_destroy(arb_plan_digest *digest); /* NULL is a no-op */
ARB_NODISCARD bool
arb_plan_digest_begin(arb_plan_digest *digest); /* from the first byte; false: no memory, here and below */
ARB_NODISCARD bool arb_plan_digest_add(arb_plan_digest *digest, arb_str bytes);
ARB_NODISCARD bool arb_plan_digest_end(arb_plan_digest *digest, uint8_t out_hash[ARB_PLAN_HASH_BYTES]);

#endif
