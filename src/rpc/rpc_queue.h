/* rpc_queue.h: messages that wait, in the order they came: to be sent, or to be received. Zeroed: empty. */
#ifndef ARB_RPC_RPC_QUEUE_H
#define ARB_RPC_RPC_QUEUE_H

#include "base/vec.h"
#include "rpc/rpc_message.h"

typedef struct arb_rpc_queue {
    ARB_VEC(arb_rpc_message *) messages;
    size_t head;  /* of the messages, those before have been taken */
    size_t bytes; /* of all that wait */
} arb_rpc_queue;

ARB_INLINE bool arb_rpc_queue_is_empty(const arb_rpc_queue *queue)
{
    return queue->head == queue->messages.size;
}

/* Takes the caller's count. False without memory: nothing has changed then. */
ARB_NODISCARD bool arb_rpc_queue_push(arb_rpc_queue *queue, arb_rpc_message *message);
/* The first one, whose count goes to the caller; NULL when it is empty. */
arb_rpc_message *arb_rpc_queue_pop(arb_rpc_queue *queue);
/* Lets go of all that waits; what that releases may be anything, so hold no lock. */
void arb_rpc_queue_reset(arb_rpc_queue *queue);

#endif
