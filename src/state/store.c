#include "state/store.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

void arb_store_destroy(arb_store *store)
{
    if (store != NULL)
        store->vtable->destroy(store);
}

arb_code arb_store_check(const arb_store_operation *operations, size_t operation_count, arb_error *error)
{
    for (size_t i = 0; i < operation_count; i++) {
        const arb_store_operation *operation = &operations[i];
        if (operation->key.size == 0 || operation->key.size > ARB_STORE_KEY_MOST)
            return arb_fail(error, ARB_INVALID_PARAMETER,
                            "a key of the state store has %zu bytes; 1 to %d are possible", operation->key.size,
                            ARB_STORE_KEY_MOST);
        if (operation->value.size > ARB_STORE_VALUE_MOST)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "%zu bytes for '%.*s' are too many for the state store",
                            operation->value.size, ARB_STR_ARGS(operation->key));
    }
    return ARB_OK;
}

typedef struct waiter {
    arb_store_txn txn;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
    void (*act)(void *context);
    void *context;
} waiter;

static void wake(arb_store_txn *txn)
{
    waiter *waiting = txn->context;
    pthread_mutex_lock(&waiting->lock);
    waiting->over = true;
    pthread_cond_signal(&waiting->ended);
    pthread_mutex_unlock(&waiting->lock);
}

static void act(arb_store_txn *txn)
{
    const waiter *waiting = txn->context;
    waiting->act(waiting->context);
}

/* Of the transaction what is to be done is filled. */
static arb_code submit_and_wait(arb_store *store, waiter *waiting, arb_store_outcome *out_outcome, arb_error *error)
{
    arb_store_txn *txn = &waiting->txn;
    txn->done = wake;
    txn->context = waiting;
    pthread_mutex_init(&waiting->lock, NULL);
    pthread_cond_init(&waiting->ended, NULL);
    arb_store_submit(store, txn);
    pthread_mutex_lock(&waiting->lock);
    while (!waiting->over)
        pthread_cond_wait(&waiting->ended, &waiting->lock);
    pthread_mutex_unlock(&waiting->lock);
    pthread_cond_destroy(&waiting->ended);
    pthread_mutex_destroy(&waiting->lock);
    *out_outcome = txn->outcome;
    if (txn->outcome != ARB_STORE_FAILED)
        return ARB_OK;
    if (error != NULL)
        *error = txn->error;
    return txn->error.code;
}

arb_code arb_store_txn_wait(arb_store *store, uint64_t term, const arb_store_operation *operations,
                            size_t operation_count, arb_store_outcome *out_outcome, size_t *out_conflict,
                            arb_error *error)
{
    waiter waiting = {.txn = {.term = term, .operations = operations, .operation_count = operation_count}};
    arb_code code = submit_and_wait(store, &waiting, out_outcome, error);
    if (out_conflict != NULL)
        *out_conflict = waiting.txn.conflict;
    return code;
}

arb_code arb_store_act_wait(arb_store *store, uint64_t term, void (*act_under)(void *context), void *context,
                            arb_store_outcome *out_outcome, arb_error *error)
{
    waiter waiting = {.txn = {.term = term, .within = act}, .act = act_under, .context = context};
    return submit_and_wait(store, &waiting, out_outcome, error);
}

arb_code arb_uuid_make(arb_uuid *out_uuid, arb_error *error)
{
    if (getrandom(out_uuid, sizeof *out_uuid, 0) != (ssize_t)sizeof *out_uuid)
        return arb_fail_errno(error, errno, "the system gives no random bytes");
    out_uuid->high = (out_uuid->high & ~(uint64_t)0xF000) | 0x4000;
    out_uuid->low = (out_uuid->low & ~((uint64_t)3 << 62)) | (uint64_t)2 << 62;
    return ARB_OK;
}
