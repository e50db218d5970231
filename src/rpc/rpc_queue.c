#include "rpc/rpc_queue.h"

/* The messages move to the front only when they are fewer than the places before them: each is moved for one that was taken. */
static void use_front(arb_rpc_queue *queue)
{
    if (queue->messages.size < queue->messages.capacity || queue->head <= queue->messages.size / 2)
        return;
    arb_rpc_message **messages = queue->messages.data;
    queue->messages.size -= queue->head;
    memcpy(messages, messages + queue->head, queue->messages.size * sizeof *messages);
    queue->head = 0;
}

bool arb_rpc_queue_push(arb_rpc_queue *queue, arb_rpc_message *message)
{
    use_front(queue);
    bool pushed = ARB_VEC_PUSH(&queue->messages, message);
    if (pushed)
        queue->bytes += message->size;
    return pushed;
}

arb_rpc_message *arb_rpc_queue_pop(arb_rpc_queue *queue)
{
    if (arb_rpc_queue_is_empty(queue))
        return NULL;
    arb_rpc_message *message = queue->messages.data[queue->head++];
    queue->bytes -= message->size;
    if (arb_rpc_queue_is_empty(queue))
        queue->head = queue->messages.size = 0;
    return message;
}

void arb_rpc_queue_reset(arb_rpc_queue *queue)
{
    for (size_t i = queue->head; i < queue->messages.size; i++)
        arb_rpc_message_unref(queue->messages.data[i]);
    ARB_VEC_RESET(&queue->messages);
    *queue = (arb_rpc_queue){0};
}
