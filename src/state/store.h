/* store.h: what a cluster remembers when its scheduler is gone: keys and values, written in transactions.
 *
 * A store holds a sorted map of byte strings, a cluster id and a term. Whoever schedules raises the term once at its
 * start and names it in every transaction: a transaction with another term than the newest is refused whole (FENCED), so
 * a scheduler that was replaced, and does not know it yet, can write nothing more. That is the whole of the fencing; the
 * stores that several processes share (SQLite's file) check it inside of the transaction.
 *
 *     transaction: term, operations in order     COMPARE and ABSENT come to be true of the state before the transaction's
 *                                                 own writes; when one is not, nothing is written (CONFLICT)
 *
 * Transactions are submitted and end later, in the order in which they were submitted; those that wait together become
 * one write to the disk (group commit). COMMITTED means: on the disk, as far as the store has one.
 *
 * Keys are plain text by convention ("job/…"), 1 to 1,024 bytes; values up to 256 MiB. */
#ifndef ARB_STATE_STORE_H
#define ARB_STATE_STORE_H

#include "base/error.h"
#include "base/text.h"

/* 128 bits that nobody else has: a cluster, the process of an executor. */
typedef struct arb_uuid {
    uint64_t high, low;
} arb_uuid;

ARB_INLINE bool arb_uuid_equal(arb_uuid a, arb_uuid b)
{
    return a.high == b.high && a.low == b.low;
}

enum { ARB_STORE_KEY_MOST = 1024, ARB_STORE_VALUE_MOST = 256 << 20 };

typedef enum arb_store_operation_kind {
    ARB_STORE_PUT,
    ARB_STORE_DELETE,        /* no such key: nothing happens */
    ARB_STORE_DELETE_PREFIX, /* every key that begins with `key`, which is not empty */
    ARB_STORE_COMPARE,       /* go on only if the key's value is `value` */
    ARB_STORE_ABSENT,        /* go on only if there is no such key */
} arb_store_operation_kind;

typedef struct arb_store_operation {
    arb_store_operation_kind kind;
    arb_str key, value; /* borrowed until the transaction has ended */
} arb_store_operation;

typedef enum arb_store_outcome {
    ARB_STORE_COMMITTED,
    ARB_STORE_CONFLICT, /* operation number `conflict` was not true; nothing is written */
    ARB_STORE_FENCED,   /* the term is not the newest; nothing is written, and never will be under this term */
    ARB_STORE_FAILED,   /* `error` says why (no room, locked, corrupt, no memory); nothing is written */
} arb_store_outcome;

/* The caller's memory, untouched by the caller from submit to `done`. */
typedef struct arb_store_txn {
    uint64_t term;
    const arb_store_operation *operations;
    size_t operation_count;
    /* Called once, by any thread, also from within submit; must not wait. */
    void (*done)(struct arb_store_txn *txn);
    /* NULL, or called within the transaction when its term and comparisons hold, before it writes: until this returns nobody raises
     * the term. For what lies beside the store, and is the term's owner's alone to do. It is short, does not call the store, and
     * may be called again, as what is committed together is tried again; what comes of the transaction is another matter. */
    void (*within)(struct arb_store_txn *txn);
    void *context;
    /* filled before `done` */
    arb_store_outcome outcome;
    size_t conflict;
    arb_error error;
    struct arb_store_txn *next; /* the store's */
} arb_store_txn;

/* Sees key and value, which are borrowed until it returns; a code other than ARB_OK ends the range with it. */
typedef arb_code (*arb_store_visit)(void *context, arb_str key, arb_str value, arb_error *error);

typedef struct arb_store arb_store;

typedef struct arb_store_vtable {
    const char *name; /* "memory", "sqlite" */
    void (*submit)(arb_store *store, arb_store_txn *txn);
    arb_code (*range)(arb_store *store, arb_str prefix, arb_store_visit visit, void *context, arb_error *error);
    arb_code (*raise_term)(arb_store *store, uint64_t *out_term, arb_error *error);
    void (*destroy)(arb_store *store); /* everything submitted has ended */
} arb_store_vtable;

struct arb_store {
    const arb_store_vtable *vtable;
    arb_uuid cluster; /* fixed while it is open */
};

/* Any thread. */
ARB_INLINE void arb_store_submit(arb_store *store, arb_store_txn *txn)
{
    store->vtable->submit(store, txn);
}
/* Visit every key that begins with `prefix`, in the order of bytes, as one moment's state: transactions that end while it
 * runs are seen wholly or not at all. The visitor must not call the store. Any thread. */
ARB_NODISCARD ARB_INLINE arb_code arb_store_range(arb_store *store, arb_str prefix, arb_store_visit visit,
                                                  void *context, arb_error *error)
{
    return store->vtable->range(store, prefix, visit, context, error);
}
/* The term becomes one larger, for good, and is the caller's. What was submitted under older terms and has not ended is
 * committed before it or fenced. */
ARB_NODISCARD ARB_INLINE arb_code arb_store_raise_term(arb_store *store, uint64_t *out_term, arb_error *error)
{
    return store->vtable->raise_term(store, out_term, error);
}
void arb_store_destroy(arb_store *store); /* NULL is a no-op */

/* Submit and wait, for callers that may; not from a `done`. ARB_OK for every outcome but FAILED. `out_conflict` may be
 * NULL. */
ARB_NODISCARD arb_code arb_store_txn_wait(arb_store *store, uint64_t term, const arb_store_operation *operations,
                                          size_t operation_count, arb_store_outcome *out_outcome, size_t *out_conflict,
                                          arb_error *error);
/* The same with nothing to write: `act` within a transaction. FENCED: the term is another's, and it was not called. */
ARB_NODISCARD arb_code arb_store_act_wait(arb_store *store, uint64_t term, void (*act)(void *context), void *context,
                                          arb_store_outcome *out_outcome, arb_error *error);

/* Sizes and kinds as above, else ARB_INVALID_PARAMETER; for implementations. */
ARB_NODISCARD arb_code arb_store_check(const arb_store_operation *operations, size_t operation_count, arb_error *error);
/* A random one (version 4); ARB_IO when the system gives no randomness. */
ARB_NODISCARD arb_code arb_uuid_make(arb_uuid *out_uuid, arb_error *error);

#endif
