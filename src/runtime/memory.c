#include "runtime/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A number in a small file of the control group; false when there is none ("max") or no such file. */
static bool read_limit(const char *path, uint64_t *out_bytes)
{
    char text[64] = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got <= 0 || text[0] < '0' || text[0] > '9')
        return false;
    *out_bytes = strtoull(text, NULL, 10);
    return *out_bytes != 0;
}

uint64_t arb_memory_default_limit(void)
{
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE), group;
    if (read_limit("/sys/fs/cgroup/memory.max", &group) ||
        read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes", &group))
        bytes = ARB_MIN(bytes, group);
    return bytes / 10 * 7;
}

void arb_governor_init(arb_governor *governor, uint64_t limit)
{
    *governor = (arb_governor){.limit = limit};
}

void arb_memory_init(arb_memory *memory, arb_governor *governor)
{
    *memory = (arb_memory){.governor = governor};
}

uint64_t arb_memory_available(const arb_memory *memory)
{
    uint64_t used = atomic_load_explicit(&memory->governor->used, memory_order_relaxed);
    return used < memory->governor->limit ? memory->governor->limit - used : 0;
}

void arb_reservation_init(arb_reservation *reservation, arb_memory *memory, const char *owner)
{
    *reservation = (arb_reservation){.memory = memory, .owner = owner};
}

bool arb_reservation_try_grow(arb_reservation *reservation, uint64_t bytes)
{
    arb_memory *memory = reservation->memory;
    arb_governor *governor = memory->governor;
    uint64_t used = atomic_fetch_add_explicit(&governor->used, bytes, memory_order_relaxed) + bytes;
    if (used > governor->limit || used < bytes) {
        atomic_fetch_sub_explicit(&governor->used, bytes, memory_order_relaxed);
        return false;
    }
    reservation->bytes += bytes;
    uint64_t mine = atomic_fetch_add_explicit(&memory->used, bytes, memory_order_relaxed) + bytes;
    uint64_t peak = atomic_load_explicit(&memory->peak, memory_order_relaxed);
    while (mine > peak && !atomic_compare_exchange_weak_explicit(&memory->peak, &peak, mine, memory_order_relaxed,
                                                                 memory_order_relaxed))
        continue;
    return true;
}

arb_code arb_reservation_grow(arb_reservation *reservation, uint64_t bytes, arb_error *error)
{
    if (arb_reservation_try_grow(reservation, bytes))
        return ARB_OK;
    arb_governor *governor = reservation->memory->governor;
    arb_fail(error, ARB_OUT_OF_MEMORY, "out of memory: %s needs %llu more bytes", reservation->owner,
             (unsigned long long)bytes);
    arb_error_detail(error, "%llu of %llu bytes are in use", (unsigned long long)atomic_load(&governor->used),
                     (unsigned long long)governor->limit);
    arb_error_hint(error, "raise --memory-limit, or let the query see fewer rows");
    return ARB_OUT_OF_MEMORY;
}

void arb_reservation_shrink(arb_reservation *reservation, uint64_t bytes)
{
    assert(bytes <= reservation->bytes);
    reservation->bytes -= bytes;
    atomic_fetch_sub_explicit(&reservation->memory->used, bytes, memory_order_relaxed);
    atomic_fetch_sub_explicit(&reservation->memory->governor->used, bytes, memory_order_relaxed);
}

void arb_reservation_reset(arb_reservation *reservation)
{
    if (reservation->memory != NULL && reservation->bytes != 0)
        arb_reservation_shrink(reservation, reservation->bytes);
}
