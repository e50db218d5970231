/* memory.h: one budget for the process, and who holds how much of it.
 *
 * The governor has the limit. A governor may be a part of a larger one: what is taken from it is taken from that one too, so an
 * executor's process has one, each job in it a part, each of the job's tasks a part of that, and memory is short for a task as
 * soon as it is in any of the three. Each query has an arb_memory, which knows its use and its peak. Each operator holds an
 * arb_reservation and reserves before it allocates. A reservation that would break the limit is denied: a spilling
 * operator then writes what it holds to disk and tries again, any other fails with ARB_OUT_OF_MEMORY, which names it.
 * Kernels never reserve. All counters are atomic: reservations of one query may be used by several threads, a single
 * reservation by one at a time.
 *
 * An operator that can spill has an arb_memory_share over all its reservations. It is guaranteed some bytes, which count
 * as used from the start whether it holds them or not: so whoever comes first cannot take all. Before it takes a batch it
 * asks whether it is pressed: whether it holds more than its guarantee while memory gets short. If so it spills. What one
 * batch adds is granted in any case; the distance between "short" and the limit is for that. */
#ifndef ARB_RUNTIME_MEMORY_H
#define ARB_RUNTIME_MEMORY_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"

typedef struct arb_governor arb_governor;
struct arb_governor {
    uint64_t limit;
    _Atomic uint64_t used;
    arb_governor *whole; /* that it is a part of; NULL: the process's */
};

/* Account of one query. Lives as long as its reservations. */
typedef struct arb_memory {
    arb_governor *governor;
    _Atomic uint64_t used, peak; /* what it holds; guarantees that it does not use are left out */
} arb_memory;

/* What one operator that can spill holds, over all drivers. Caller's memory; reset when its reservations are. */
typedef struct arb_memory_share {
    arb_memory *memory;
    pthread_mutex_t lock;
    uint64_t guaranteed; /* the lock */
    uint64_t ceiling;    /* it is pressed beyond that, however much is free */
    _Atomic uint64_t held, peak;
} arb_memory_share;

typedef struct arb_reservation {
    arb_memory *memory;
    arb_memory_share *share; /* NULL: of an operator that cannot spill */
    const char *owner;       /* "hash join", for messages; not owned */
    uint64_t bytes;
} arb_reservation;

/* 70 % of what the machine or the control group (v1 or v2) has. */
uint64_t arb_memory_default_limit(void);

void arb_governor_init(arb_governor *governor, uint64_t limit);
/* A part of `whole`, which outlives it. Parts may add up to more than the whole has. */
void arb_governor_init_part(arb_governor *governor, uint64_t limit, arb_governor *whole);
void arb_memory_init(arb_memory *memory, arb_governor *governor);
ARB_INLINE uint64_t arb_memory_peak(const arb_memory *memory)
{
    return atomic_load_explicit(&memory->peak, memory_order_relaxed);
}
/* Bytes that could still be reserved. */
uint64_t arb_memory_available(const arb_memory *memory);
/* Is so much in use that who can give memory back should? */
bool arb_memory_is_short(const arb_memory *memory);

void arb_reservation_init(arb_reservation *reservation, arb_memory *memory, const char *owner);
/* True when `bytes` more are granted. */
ARB_NODISCARD bool arb_reservation_try_grow(arb_reservation *reservation, uint64_t bytes);
/* The same as an error: ARB_OUT_OF_MEMORY names the owner and the limit. */
ARB_NODISCARD arb_code arb_reservation_grow(arb_reservation *reservation, uint64_t bytes, arb_error *error);
/* Counted, but never denied: what is needed to make any progress at all, such as a page of a file. */
void arb_reservation_force(arb_reservation *reservation, uint64_t bytes);
void arb_reservation_shrink(arb_reservation *reservation, uint64_t bytes);
/* Give all back. A zeroed reservation is a no-op. */
void arb_reservation_reset(arb_reservation *reservation);
/* What is reserved is charged to `memory`, of the same governor, from now on, and to no share. */
void arb_reservation_move(arb_reservation *reservation, arb_memory *memory);

/* `guaranteed` counts as used from now on; `ceiling` is UINT64_MAX but in tests. */
void arb_memory_share_init(arb_memory_share *share, arb_memory *memory, uint64_t guaranteed, uint64_t ceiling);
/* Reservations made with it must have been reset. A zeroed share is a no-op. */
void arb_memory_share_reset(arb_memory_share *share);
/* What it holds and its guarantee are charged to `memory` from now on. Nobody else uses the share meanwhile. */
void arb_memory_share_move(arb_memory_share *share, arb_memory *memory);
/* No more is needed than what it holds now: others may have the rest of the guarantee. */
void arb_memory_share_settle(arb_memory_share *share);
/* Should the owner spill rather than hold `more` bytes in addition? */
bool arb_memory_share_pressed(arb_memory_share *share, uint64_t more);

#endif
