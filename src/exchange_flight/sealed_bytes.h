/* sealed_bytes.h: bytes that come back from outside as they were given away.
 *
 * What a process hands out (a ticket, a handle) and takes back carries an HMAC-SHA256 by a key of its own, so nobody else makes
 * or changes one. */
#ifndef ARB_EXCHANGE_FLIGHT_SEALED_BYTES_H
#define ARB_EXCHANGE_FLIGHT_SEALED_BYTES_H

#include "base/arena.h"
#include "base/text.h"

typedef struct arb_seal_key {
    uint8_t bytes[32];
} arb_seal_key;

/* Of random bytes. */
ARB_NODISCARD arb_code arb_seal_key_make(arb_seal_key *out_key, arb_error *error);
/* Append the body with its seal. */
ARB_NODISCARD arb_code arb_bytes_seal(const arb_seal_key *key, arb_str body, arb_text *out, arb_error *error);
/* *out_body lives in the arena. False for bytes that this key has not sealed; what is wrong with them helps only those who
 * try. */
ARB_NODISCARD arb_code arb_bytes_unseal(const arb_seal_key *key, arb_str bytes, arb_arena *arena, bool *out_ours,
                                        arb_str *out_body, arb_error *error);

#endif
