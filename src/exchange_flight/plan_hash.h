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

#endif
