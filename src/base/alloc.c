#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/sanitizer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ARB_SYSTEM_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ARB_SYSTEM_MALLOC 1
#endif
#endif
#ifndef ARB_SYSTEM_MALLOC
#include <mimalloc.h>
#endif

#ifdef ARB_HAS_ASAN
/* clang 14 takes the words before a library's thread-local block for its bounds. In front of one from its own malloc they are
 * none, and one leak check in ten reads wherever they point. */
const char *__asan_default_options(void)
{
    return "intercept_tls_get_addr=0";
}
#endif

#ifdef ARB_FAILPOINTS
static _Atomic uint64_t asked, fail_at;
static _Atomic bool fail_all_after;

bool arb_alloc_should_fail(void)
{
    uint64_t number = atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) + 1;
    uint64_t target = atomic_load_explicit(&fail_at, memory_order_relaxed);
    if (ARB_LIKELY(target == 0))
        return false;
    return number == target || (number > target && atomic_load_explicit(&fail_all_after, memory_order_relaxed));
}

void arb_alloc_fail_at(uint64_t n, bool all_after)
{
    atomic_store(&fail_at, 0);
    atomic_store(&asked, 0);
    atomic_store(&fail_all_after, all_after);
    atomic_store(&fail_at, n);
}

uint64_t arb_alloc_count(void)
{
    return atomic_load(&asked);
}
#else
bool arb_alloc_should_fail(void)
{
    return false;
}

void arb_alloc_fail_at(uint64_t n, bool all_after)
{
    (void)n, (void)all_after;
}

uint64_t arb_alloc_count(void)
{
    return 0;
}
#endif

void *arb_alloc(size_t size)
{
    if (ARB_UNLIKELY(arb_alloc_should_fail()))
        return NULL;
#ifdef ARB_SYSTEM_MALLOC
    return malloc(size != 0 ? size : 1);
#else
    return mi_malloc(size);
#endif
}

void *arb_alloc_zeroed(size_t size)
{
    if (ARB_UNLIKELY(arb_alloc_should_fail()))
        return NULL;
#ifdef ARB_SYSTEM_MALLOC
    return calloc(1, size != 0 ? size : 1);
#else
    return mi_zalloc(size);
#endif
}

void *arb_alloc_aligned(size_t size, size_t alignment)
{
    assert((alignment & (alignment - 1)) == 0 && alignment <= 4096);
    if (ARB_UNLIKELY(arb_alloc_should_fail()))
        return NULL;
#ifdef ARB_SYSTEM_MALLOC
    return aligned_alloc(alignment, arb_round_up(size != 0 ? size : 1, alignment));
#else
    return mi_malloc_aligned(size, alignment);
#endif
}

void *arb_realloc(void *block, size_t size)
{
    if (ARB_UNLIKELY(arb_alloc_should_fail()))
        return NULL;
#ifdef ARB_SYSTEM_MALLOC
    return realloc(block, size != 0 ? size : 1);
#else
    return mi_realloc(block, size);
#endif
}

void arb_free(void *block)
{
#ifdef ARB_SYSTEM_MALLOC
    free(block);
#else
    mi_free(block);
#endif
}

char *arb_strndup(const char *text, size_t size)
{
    char *copy = arb_alloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

void arb_alloc_trim(void)
{
#ifndef ARB_SYSTEM_MALLOC
    mi_collect(true);
#endif
}

void arb_alloc_hold_little(void)
{
#ifndef ARB_SYSTEM_MALLOC
#if MI_MALLOC_VERSION < 210
    mi_option_set(mi_option_decommit_delay, 0);
    mi_option_set(mi_option_segment_decommit_delay, 0);
#else
    mi_option_set(mi_option_purge_delay, 0);
#endif
#endif
}
