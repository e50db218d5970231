/* control_wire.h: the messages of control.h as bytes (proto/control.proto).
 *
 * Reading checks what the structs promise: kinds are known, what a kind needs is there, lists are as long as they say, texts
 * that become C strings have no NUL. Whether a message makes sense at its time is for those to see who take it. */
#ifndef ARB_SCHEDULER_CONTROL_WIRE_H
#define ARB_SCHEDULER_CONTROL_WIRE_H

#include "base/arena.h"
#include "scheduler/control.h"

/* Where they cross: a call that an executor makes, of messages that each are one of these. */
#define ARB_CONTROL_SERVICE "arbalest.control.Control"
#define ARB_CONTROL_METHOD "Connect"
#define ARB_CONTROL_CONNECT "/" ARB_CONTROL_SERVICE "/" ARB_CONTROL_METHOD

/* Which version of the messages this is; each REGISTER says it. */
enum { ARB_CONTROL_PROTOCOL = 1 };

/* A part of something that a message names by its hash: of a plan. */
typedef struct arb_chunk {
    arb_str hash;
    uint64_t size, offset; /* of the whole; where the part begins */
    arb_str bytes;
} arb_chunk;

ARB_NODISCARD arb_code arb_to_scheduler_encode(const arb_to_scheduler *message, arb_str join_token, arb_text *out,
                                               arb_error *error);
/* That the executor lacks the plan of that hash. */
ARB_NODISCARD arb_code arb_wanted_encode(arb_str hash, arb_text *out, arb_error *error);
/* All that the message refers to lives in the arena. *out_token is what a REGISTER came with, else empty. *out_wanted, unless it
 * is empty, is the hash of a plan that is asked for, and then there is no message. ARB_NOT_SUPPORTED: a REGISTER of another
 * version, of which the header alone is filled in. */
ARB_NODISCARD arb_code arb_to_scheduler_decode(arb_arena *arena, arb_str bytes, arb_to_scheduler *out_message,
                                               arb_str *out_token, arb_str *out_wanted, arb_error *error);

ARB_NODISCARD arb_code arb_to_executor_encode(const arb_to_executor *message, arb_text *out, arb_error *error);
ARB_NODISCARD arb_code arb_chunk_encode(const arb_chunk *chunk, arb_text *out, arb_error *error);
/* Either a message or a chunk: *out_is_chunk says which was filled in. */
ARB_NODISCARD arb_code arb_to_executor_decode(arb_arena *arena, arb_str bytes, bool *out_is_chunk,
                                              arb_to_executor *out_message, arb_chunk *out_chunk, arb_error *error);

#endif
