#include "rpc/rpc_senders.h"

enum { SENDERS = 2, SENDER_STACK = 256 << 10 };

static void free_sending(arb_rpc_sending *sending)
{
    arb_rpc_call_unref(sending->call);
    sending->senders->vtable->free(sending);
}

static void unref(arb_rpc_sending *sending)
{
    arb_workers *threads = &sending->senders->threads;
    pthread_mutex_lock(&threads->lock);
    bool last = --sending->references == 0;
    pthread_mutex_unlock(&threads->lock);
    if (last)
        free_sending(sending);
}

/* With the lock held. */
static void enqueue(arb_rpc_sending *sending)
{
    arb_rpc_senders *senders = sending->senders;
    sending->busy = true;
    sending->again = false;
    sending->next = NULL;
    sending->references++;
    *senders->last = sending;
    senders->last = &sending->next;
    pthread_cond_signal(&senders->threads.work);
}

/* One turn. Then it waits for room, or for another turn if room came meanwhile. */
static void serve(arb_rpc_senders *senders, arb_rpc_sending *sending)
{
    arb_error error = {0};
    bool over = false;
    arb_code code = senders->vtable->turn(sending, &over, &error);
    if (code != ARB_OK || over)
        arb_rpc_finish(sending->call, code, &error);
    pthread_mutex_lock(&senders->threads.lock);
    sending->busy = false;
    sending->over |= code != ARB_OK || over;
    if (sending->again && !sending->over)
        enqueue(sending);
    pthread_mutex_unlock(&senders->threads.lock);
    unref(sending);
}

static void *send(void *context)
{
    arb_rpc_senders *senders = context;
    pthread_mutex_lock(&senders->threads.lock);
    while (!senders->threads.stopping) {
        arb_rpc_sending *sending = senders->first;
        if (sending == NULL) {
            pthread_cond_wait(&senders->threads.work, &senders->threads.lock);
            continue;
        }
        senders->first = sending->next;
        if (senders->first == NULL)
            senders->last = &senders->first;
        pthread_mutex_unlock(&senders->threads.lock);
        serve(senders, sending);
        pthread_mutex_lock(&senders->threads.lock);
    }
    pthread_mutex_unlock(&senders->threads.lock);
    return NULL;
}

arb_code arb_rpc_senders_init(arb_rpc_senders *senders, const arb_rpc_sending_vtable *vtable, const char *what,
                              arb_error *error)
{
    *senders = (arb_rpc_senders){.vtable = vtable};
    senders->last = &senders->first;
    return arb_workers_init(&senders->threads, SENDERS, what, error);
}

void arb_rpc_senders_reset(arb_rpc_senders *senders)
{
    /* calls are over, but a sender may still hold the last count of an answer, or one may wait for its turn in vain */
    arb_workers_reset(&senders->threads);
    for (arb_rpc_sending *sending = senders->first, *next; sending != NULL; sending = next) {
        next = sending->next;
        free_sending(sending);
    }
}

void arb_rpc_sending_init(arb_rpc_sending *sending, arb_rpc_senders *senders, arb_rpc_call *call)
{
    *sending = (arb_rpc_sending){.senders = senders, .call = arb_rpc_call_ref(call), .references = 1};
}

arb_code arb_rpc_sending_begin(arb_rpc_sending *sending, arb_error *error)
{
    arb_rpc_senders *senders = sending->senders;
    pthread_mutex_lock(&senders->threads.lock);
    arb_code code = arb_workers_start(&senders->threads, send, senders, SENDER_STACK, error);
    sending->begun = code == ARB_OK;
    pthread_mutex_unlock(&senders->threads.lock);
    if (code == ARB_OK)
        arb_rpc_sending_on_writable(sending->call, sending);
    return code;
}

void arb_rpc_sending_on_writable(arb_rpc_call *call, void *context)
{
    (void)call;
    arb_rpc_sending *sending = context;
    pthread_mutex_t *lock = &sending->senders->threads.lock;
    pthread_mutex_lock(lock);
    if (sending->busy)
        sending->again = true;
    else if (sending->begun && !sending->over)
        enqueue(sending);
    pthread_mutex_unlock(lock);
}

void arb_rpc_sending_on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call, (void)outcome;
    arb_rpc_sending *sending = context;
    pthread_mutex_t *lock = &sending->senders->threads.lock;
    pthread_mutex_lock(lock);
    sending->over = true;
    pthread_mutex_unlock(lock);
    unref(sending);
}
