#include "runtime/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Of a share: so much at once is what a batch adds. */
enum { granted_always = 512 * 1024 };

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

void arb_governor_init_part(arb_governor *governor, uint64_t limit, arb_governor *whole)
{
    *governor = (arb_governor){.limit = limit, .whole = whole};
}

void arb_memory_init(arb_memory *memory, arb_governor *governor)
{
    *memory = (arb_memory){.governor = governor};
}

static uint64_t used_of(const arb_governor *governor)
{
    return atomic_load_explicit(&governor->used, memory_order_relaxed);
}

static uint64_t left_of(const arb_governor *governor)
{
    uint64_t used = used_of(governor);
    return used < governor->limit ? governor->limit - used : 0;
}

/* It or what it is a part of: the one that has least left. */
static const arb_governor *tightest(const arb_governor *governor)
{
    const arb_governor *tight = governor;
    for (const arb_governor *at = governor->whole; at != NULL; at = at->whole)
        tight = left_of(at) < left_of(tight) ? at : tight;
    return tight;
}

uint64_t arb_memory_available(const arb_memory *memory)
{
    return left_of(tightest(memory->governor));
}

void arb_reservation_init(arb_reservation *reservation, arb_memory *memory, const char *owner)
{
    *reservation = (arb_reservation){.memory = memory, .owner = owner};
}

/* Memory is short from here on: the rest is for what operators cannot but take until they look again. */
static uint64_t short_from(const arb_governor *governor)
{
    return governor->limit - governor->limit / 8;
}

/* Would it be, with so much more, in the budget or in what that is a part of? */
static bool would_be_short(const arb_governor *governor, uint64_t more)
{
    for (; governor != NULL; governor = governor->whole)
        if (used_of(governor) + more > short_from(governor))
            return true;
    return false;
}

bool arb_memory_is_short(const arb_memory *memory)
{
    return would_be_short(memory->governor, 0);
}

static void give_back_up_to(arb_governor *governor, const arb_governor *end, uint64_t bytes)
{
    for (; governor != end; governor = governor->whole)
        atomic_fetch_sub_explicit(&governor->used, bytes, memory_order_relaxed);
}

static void give_back(arb_governor *governor, uint64_t bytes)
{
    give_back_up_to(governor, NULL, bytes);
}

/* Take from the budget and from all that it is a part of, or from none. */
static bool charge(arb_governor *governor, uint64_t bytes, bool force)
{
    for (arb_governor *at = governor; at != NULL; at = at->whole) {
        uint64_t used = atomic_fetch_add_explicit(&at->used, bytes, memory_order_relaxed) + bytes;
        if (force || (used <= at->limit && used >= bytes))
            continue;
        give_back_up_to(governor, at->whole, bytes);
        return false;
    }
    return true;
}

/* What the query holds by itself, promises left aside. */
static void note_held(arb_memory *memory, uint64_t bytes)
{
    uint64_t mine = atomic_fetch_add_explicit(&memory->used, bytes, memory_order_relaxed) + bytes;
    uint64_t peak = atomic_load_explicit(&memory->peak, memory_order_relaxed);
    while (mine > peak && !atomic_compare_exchange_weak_explicit(&memory->peak, &peak, mine, memory_order_relaxed,
                                                                 memory_order_relaxed))
        continue;
}

static void note_gone(arb_memory *memory, uint64_t bytes)
{
    atomic_fetch_sub_explicit(&memory->used, bytes, memory_order_relaxed);
}

/* What a share is charged for: what it holds, but at least its guarantee. */
static bool share_grow(arb_memory_share *share, uint64_t bytes, bool force)
{
    pthread_mutex_lock(&share->lock);
    uint64_t held = atomic_load_explicit(&share->held, memory_order_relaxed);
    uint64_t more = ARB_MAX(held + bytes, share->guaranteed) - ARB_MAX(held, share->guaranteed);
    bool granted = more == 0 || charge(share->memory->governor, more, force || bytes <= granted_always);
    if (granted) {
        atomic_store_explicit(&share->held, held + bytes, memory_order_relaxed);
        if (held + bytes > atomic_load_explicit(&share->peak, memory_order_relaxed))
            atomic_store_explicit(&share->peak, held + bytes, memory_order_relaxed);
    }
    pthread_mutex_unlock(&share->lock);
    return granted;
}

static void share_shrink(arb_memory_share *share, uint64_t bytes)
{
    pthread_mutex_lock(&share->lock);
    uint64_t held = atomic_load_explicit(&share->held, memory_order_relaxed);
    assert(bytes <= held);
    give_back(share->memory->governor, ARB_MAX(held, share->guaranteed) - ARB_MAX(held - bytes, share->guaranteed));
    atomic_store_explicit(&share->held, held - bytes, memory_order_relaxed);
    pthread_mutex_unlock(&share->lock);
}

bool arb_reservation_try_grow(arb_reservation *reservation, uint64_t bytes)
{
    bool granted = reservation->share != NULL ? share_grow(reservation->share, bytes, false)
                                              : charge(reservation->memory->governor, bytes, false);
    if (!granted)
        return false;
    reservation->bytes += bytes;
    note_held(reservation->memory, bytes);
    return true;
}

void arb_reservation_force(arb_reservation *reservation, uint64_t bytes)
{
    if (reservation->share != NULL)
        (void)share_grow(reservation->share, bytes, true);
    else
        (void)charge(reservation->memory->governor, bytes, true);
    reservation->bytes += bytes;
    note_held(reservation->memory, bytes);
}

arb_code arb_reservation_grow(arb_reservation *reservation, uint64_t bytes, arb_error *error)
{
    if (arb_reservation_try_grow(reservation, bytes))
        return ARB_OK;
    const arb_memory *memory = reservation->share != NULL ? reservation->share->memory : reservation->memory;
    const arb_governor *governor = tightest(memory->governor);
    arb_fail(error, ARB_OUT_OF_MEMORY, "out of memory: %s needs %llu more bytes", reservation->owner,
             (unsigned long long)bytes);
    arb_error_detail(error, "%llu of %llu bytes are in use", (unsigned long long)used_of(governor),
                     (unsigned long long)governor->limit);
    arb_error_hint(error, "raise --memory-limit, or let the query see fewer rows");
    return ARB_OUT_OF_MEMORY;
}

void arb_reservation_shrink(arb_reservation *reservation, uint64_t bytes)
{
    assert(bytes <= reservation->bytes);
    reservation->bytes -= bytes;
    if (reservation->share != NULL)
        share_shrink(reservation->share, bytes);
    else
        give_back(reservation->memory->governor, bytes);
    note_gone(reservation->memory, bytes);
}

void arb_reservation_reset(arb_reservation *reservation)
{
    if (reservation->memory != NULL && reservation->bytes != 0)
        arb_reservation_shrink(reservation, reservation->bytes);
}

void arb_reservation_move(arb_reservation *reservation, arb_memory *memory)
{
    uint64_t bytes = reservation->bytes;
    arb_reservation_reset(reservation);
    arb_reservation_init(reservation, memory, reservation->owner);
    arb_reservation_force(reservation, bytes);
}

void arb_memory_share_init(arb_memory_share *share, arb_memory *memory, uint64_t guaranteed, uint64_t ceiling)
{
    *share = (arb_memory_share){.memory = memory, .guaranteed = guaranteed, .ceiling = ceiling};
    pthread_mutex_init(&share->lock, NULL);
    (void)charge(memory->governor, guaranteed, true);
}

void arb_memory_share_reset(arb_memory_share *share)
{
    if (share->memory == NULL)
        return;
    assert(atomic_load(&share->held) == 0);
    give_back(share->memory->governor, share->guaranteed);
    pthread_mutex_destroy(&share->lock);
    *share = (arb_memory_share){0};
}

void arb_memory_share_move(arb_memory_share *share, arb_memory *memory)
{
    pthread_mutex_lock(&share->lock);
    uint64_t charged = ARB_MAX(atomic_load_explicit(&share->held, memory_order_relaxed), share->guaranteed);
    give_back(share->memory->governor, charged);
    share->memory = memory;
    (void)charge(memory->governor, charged, true);
    pthread_mutex_unlock(&share->lock);
}

void arb_memory_share_settle(arb_memory_share *share)
{
    pthread_mutex_lock(&share->lock);
    uint64_t held = atomic_load_explicit(&share->held, memory_order_relaxed);
    if (held < share->guaranteed)
        give_back(share->memory->governor, share->guaranteed - held);
    share->guaranteed = 0;
    pthread_mutex_unlock(&share->lock);
}

bool arb_memory_share_pressed(arb_memory_share *share, uint64_t more)
{
    uint64_t held = atomic_load_explicit(&share->held, memory_order_relaxed) + more;
    if (held > share->ceiling)
        return true;
    if (!would_be_short(share->memory->governor, more))
        return false;
    pthread_mutex_lock(&share->lock);
    bool pressed = held > share->guaranteed;
    pthread_mutex_unlock(&share->lock);
    return pressed;
}
