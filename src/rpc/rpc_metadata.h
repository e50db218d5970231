/* rpc_metadata.h: the pairs of names and values that go before a call's messages (headers) and behind them (trailers).
 *
 * Names are lower-case. Values are printable ASCII, except under a name that ends in "-bin", where they are any bytes. A
 * name may occur more than once. Names that begin with "grpc-" belong to the protocol. */
#ifndef ARB_RPC_RPC_METADATA_H
#define ARB_RPC_RPC_METADATA_H

#include "base/arena.h"
#include "base/text.h"
#include "base/vec.h"

typedef struct arb_rpc_pair {
    arb_str name, value;
} arb_rpc_pair;

/* Zeroed: empty. Lives in an arena. */
typedef ARB_VEC(arb_rpc_pair) arb_rpc_metadata;

/* Copies both into the arena, the name in lower case. ARB_INVALID_PARAMETER when they cannot travel. */
ARB_NODISCARD arb_code arb_rpc_metadata_add(arb_rpc_metadata *metadata, arb_arena *arena, arb_str name, arb_str value,
                                            arb_error *error);
/* Without looking whether they can travel: what came from the network, and the protocol's own. */
ARB_NODISCARD arb_code arb_rpc_metadata_add_unchecked(arb_rpc_metadata *metadata, arb_arena *arena, arb_str name,
                                                      arb_str value, arb_error *error);
/* The first value under a name (in lower case), or an empty one with data NULL. */
arb_str arb_rpc_metadata_find(const arb_rpc_metadata *metadata, arb_str name);
/* As HTTP/2 counts them against its limit: each pair 32 more than its letters. */
size_t arb_rpc_metadata_size(const arb_rpc_metadata *metadata);

#endif
