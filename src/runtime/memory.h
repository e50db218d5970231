/* memory.h: one budget for the process, and who holds how much of it.
 *
 * The governor has the limit. Each query has an arb_memory, which knows its use and its peak. Each operator holds an
 * arb_reservation and reserves before it allocates. A reservation that would break the limit is denied: a spilling
 * operator then writes what it holds to disk and tries again, any other fails with ARB_OUT_OF_MEMORY, which names it.
 * Kernels never reserve. All counters are atomic: reservations of one query may be used by several threads, a single
 * reservation by one at a time. */
#ifndef ARB_RUNTIME_MEMORY_H
#define ARB_RUNTIME_MEMORY_H

#include <stdatomic.h>

#include "base/error.h"

typedef struct arb_governor {
    uint64_t limit;
    _Atomic uint64_t used;
} arb_governor;

/* Account of one query. Lives as long as its reservations. */
typedef struct arb_memory {
    arb_governor *governor;
    _Atomic uint64_t used, peak;
} arb_memory;

typedef struct arb_reservation {
    arb_memory *memory;
    const char *owner; /* "hash join", for messages; not owned */
    uint64_t bytes;
} arb_reservation;

/* 70 % of what the machine or the control group (v1 or v2) has. */
uint64_t arb_memory_default_limit(void);

void arb_governor_init(arb_governor *governor, uint64_t limit);
void arb_memory_init(arb_memory *memory, arb_governor *governor);
ARB_INLINE uint64_t arb_memory_peak(const arb_memory *memory)
{
    return atomic_load_explicit(&memory->peak, memory_order_relaxed);
}
/* Bytes that could still be reserved. */
uint64_t arb_memory_available(const arb_memory *memory);

void arb_reservation_init(arb_reservation *reservation, arb_memory *memory, const char *owner);
/* True when `bytes` more are granted. */
ARB_NODISCARD bool arb_reservation_try_grow(arb_reservation *reservation, uint64_t bytes);
/* The same as an error: ARB_OUT_OF_MEMORY names the owner and the limit. */
ARB_NODISCARD arb_code arb_reservation_grow(arb_reservation *reservation, uint64_t bytes, arb_error *error);
void arb_reservation_shrink(arb_reservation *reservation, uint64_t bytes);
/* Give all back. A zeroed reservation is a no-op. */
void arb_reservation_reset(arb_reservation *reservation);

#endif
