#include "exchange_flight/plan_hash.h"

#include <openssl/evp.h>

void arb_plan_hash(arb_str bytes, uint8_t out_hash[ARB_PLAN_HASH_BYTES])
{
    unsigned size = 0;
    /* of libcrypto's own algorithms this one is always there */
    if (EVP_Digest(bytes.data, bytes.size, out_hash, &size, EVP_sha256(), NULL) != 1)
        memset(out_hash, 0, ARB_PLAN_HASH_BYTES);
}

/* The library's own state under our name. */
arb_plan_digest *arb_plan_digest_create(void)
{
    return (arb_plan_digest *)EVP_MD_CTX_new();
}

void arb_plan_digest_destroy(arb_plan_digest *digest)
{
    EVP_MD_CTX_free((EVP_MD_CTX *)digest);
}

bool arb_plan_digest_begin(arb_plan_digest *digest)
{
    return EVP_DigestInit_ex((EVP_MD_CTX *)digest, EVP_sha256(), NULL) == 1;
}

bool arb_plan_digest_add(arb_plan_digest *digest, arb_str bytes)
{
    return EVP_DigestUpdate((EVP_MD_CTX *)digest, bytes.data, bytes.size) == 1;
}

bool arb_plan_digest_end(arb_plan_digest *digest, uint8_t out_hash[ARB_PLAN_HASH_BYTES])
{
    return EVP_DigestFinal_ex((EVP_MD_CTX *)digest, out_hash, NULL) == 1;
}
