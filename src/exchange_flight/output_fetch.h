/* output_fetch.h: reads outputs of tasks from one executor, for a task here.
 *
 * A fetch has a ticket: some attempts, some partitions. Its *units* are the partitions' rows by attempt, numbered as they come:
 * unit p × attempts + a is what attempt a left in partition p. Blocks come ahead, up to a window of bytes, and are proved when
 * they do; when memory is short only one at a time comes. Several drivers take them, each the blocks of one unit after the
 * other; units are begun in their order, so that whoever waits waits for something that is on its way.
 *
 * A connection that breaks is made again, and reading goes on where it was, until the executor has not answered for as long as
 * the options say. What fails, fails all units that are left:
 *
 *     ARB_UNDEFINED_OBJECT    the executor answers, and does not have the output
 *     ARB_CORRUPT_DATA        what came is not what was sealed, or the executor found that its own copy is damaged
 *     ARB_CONNECTION_FAILED   it cannot be reached
 *
 * Thread: any. */
#ifndef ARB_EXCHANGE_FLIGHT_OUTPUT_FETCH_H
#define ARB_EXCHANGE_FLIGHT_OUTPUT_FETCH_H

#include "exchange/block_feed.h"
#include "exchange_flight/output_ticket.h"
#include "rpc/rpc_channel.h"
#include "rpc/rpc_loop.h"
#include "runtime/cpu_pool.h"

typedef struct arb_output_fetch arb_output_fetch;

typedef struct arb_fetch_options {
    arb_rpc_channel *channel;        /* outlives the fetch and its calls */
    arb_rpc_loop *loop;              /* for its timers; likewise */
    const arb_output_ticket *ticket; /* copied */
    const arb_seal_key *key;         /* copied: tickets are sealed as they are needed */
    arb_output_pool *pool;           /* where blocks that wait are charged; likewise */
    size_t window;                   /* bytes that wait here before no more are asked for */
    int64_t unreachable_ns;          /* how long the executor is tried to be reached */
    bool later;                      /* nothing is read before the first block is asked for */
} arb_fetch_options;

/* Begins to read at once, unless it is to be later. */
ARB_NODISCARD arb_code arb_output_fetch_create(const arb_fetch_options *options, arb_output_fetch **out_fetch,
                                               arb_error *error);
/* Nobody may be waiting. NULL is a no-op. */
void arb_output_fetch_destroy(arb_output_fetch *fetch);

/* The next block of a unit, if it is there; it is the caller's, to be returned. */
ARB_NODISCARD arb_code arb_output_fetch_take(arb_output_fetch *fetch, size_t unit, arb_task *task, arb_fed *out_what,
                                             arb_block_loan *out_loan, arb_error *error);
/* The query has ended early: whoever waits, or comes yet, gets ARB_CANCELLED. */
void arb_output_fetch_stop(arb_output_fetch *fetch);
/* The executor is gone: its rows cannot be reached, for those who wait, too. */
void arb_output_fetch_give_up(arb_output_fetch *fetch);
/* After a failure: a place in the ticket's attempts, whose output it was about; SIZE_MAX when it is not known. */
size_t arb_output_fetch_at_fault(arb_output_fetch *fetch);

#endif
