#include "exchange_flight/sealed_bytes.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "proto/ticket.pb-c.h"
#include "rpc/auth_metadata.h"
#include "wire/wire.h"

enum { SEAL_BYTES = 32 };

arb_code arb_seal_key_make(arb_seal_key *out_key, arb_error *error)
{
    if (RAND_bytes(out_key->bytes, sizeof out_key->bytes) != 1)
        return arb_fail(error, ARB_INTERNAL, "no random bytes could be had for a key");
    return ARB_OK;
}

static arb_code seal_of(arb_str body, const arb_seal_key *key, uint8_t out[SEAL_BYTES], arb_error *error)
{
    unsigned size = 0;
    if (HMAC(EVP_sha256(), key->bytes, sizeof key->bytes, (const unsigned char *)body.data, body.size, out, &size) ==
            NULL ||
        size != SEAL_BYTES)
        return arb_fail(error, ARB_INTERNAL, "a ticket could not be sealed");
    return ARB_OK;
}

arb_code arb_bytes_seal(const arb_seal_key *key, arb_str body, arb_text *out, arb_error *error)
{
    uint8_t seal[SEAL_BYTES];
    ARB_TRY(seal_of(body, key, seal, error));
    Arbalest__Ticket__SealedTicket sealed = ARBALEST__TICKET__SEALED_TICKET__INIT;
    sealed.ticket = arb_wire_bytes(body);
    sealed.seal = (ProtobufCBinaryData){sizeof seal, seal};
    return arb_wire_pack(&sealed.base, out, error);
}

arb_code arb_bytes_unseal(const arb_seal_key *key, arb_str bytes, arb_arena *arena, bool *out_ours, arb_str *out_body,
                          arb_error *error)
{
    ProtobufCMessage *message;
    uint8_t seal[SEAL_BYTES];
    *out_ours = false;
    arb_code code =
        arb_wire_unpack(&arbalest__ticket__sealed_ticket__descriptor, arena, bytes.data, bytes.size, &message, NULL);
    if (code == ARB_OUT_OF_MEMORY)
        return arb_fail_memory(error, "a ticket", bytes.size);
    if (code != ARB_OK)
        return ARB_OK;
    const Arbalest__Ticket__SealedTicket *sealed = (const Arbalest__Ticket__SealedTicket *)message;
    *out_body = arb_wire_text(sealed->ticket);
    ARB_TRY(seal_of(*out_body, key, seal, error));
    *out_ours = arb_auth_equal(arb_wire_text(sealed->seal), (arb_str){(const char *)seal, sizeof seal});
    return ARB_OK;
}
