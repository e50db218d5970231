/* rpc_loop.h: a thread that runs events one after another, and timers. Some carry the calls in memory; each server has one
 * that bounds the ends of its calls. */
#ifndef ARB_RPC_RPC_LOOP_H
#define ARB_RPC_RPC_LOOP_H

#include <pthread.h>

#include "base/error.h"

/* Lies in whatever it is about. Not touched any more once `run` was called. */
typedef struct arb_rpc_event arb_rpc_event;
struct arb_rpc_event {
    void (*run)(arb_rpc_event *event);
    arb_rpc_event *next;
};

typedef struct arb_rpc_timer arb_rpc_timer;
struct arb_rpc_timer {
    void (*run)(arb_rpc_timer *timer);
    int64_t at_ns;
    arb_rpc_timer *earlier, *later;
    bool is_set;
};

typedef struct arb_rpc_loop {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    arb_rpc_event *first, **end;
    arb_rpc_timer *earliest, *latest;
    char name[16];
    bool stopping;
} arb_rpc_loop;

/* `name` is the thread's; copied. */
ARB_NODISCARD arb_code arb_rpc_loop_start(arb_rpc_loop *loop, const char *name, arb_error *error);
/* What was posted is run before it ends; no timer may be set. */
void arb_rpc_loop_stop(arb_rpc_loop *loop);

void arb_rpc_loop_post(arb_rpc_loop *loop, arb_rpc_event *event);
void arb_rpc_loop_set(arb_rpc_loop *loop, arb_rpc_timer *timer, int64_t at_ns);
/* False: it has run, runs, or was never set. */
bool arb_rpc_loop_unset(arb_rpc_loop *loop, arb_rpc_timer *timer);

#endif
