#include "exchange_flight/plan_hash.h"

#include <openssl/evp.h>

void arb_plan_hash(arb_str bytes, uint8_t out_hash[ARB_PLAN_HASH_BYTES])
{
    unsigned size = 0;
    /* of libcrypto's own algorithms this one is always there */
    if (EVP_Digest(bytes.data, bytes.size, out_hash, &size, EVP_sha256(), NULL) != 1)
        memset(out_hash, 0, ARB_PLAN_HASH_BYTES);
}
