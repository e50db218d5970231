/* Plans that come in chunks: whole or not at all, decoded once, kept while they are used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "executor/plan_cache.h"

typedef struct sent_plan {
    arb_text bytes;
    uint8_t hash[ARB_PLAN_HASH_BYTES];
} sent_plan;

enum { WIDE = 20000 };

/* A stage that reads so many columns of another one; `partitions` makes it one of its own. */
static sent_plan make_wide_plan(uint32_t partitions, size_t width)
{
    static uint32_t columns[WIDE];
    static uint8_t produced[WIDE];
    static arb_slot slots[WIDE];
    static arb_str names[WIDE];
    arb_error error = {0};
    sent_plan sent = {0};
    for (uint32_t i = 0; i < width; i++) {
        columns[i] = i;
        produced[i] = ARB_PHYS_INT64;
        slots[i] = (arb_slot){.id = i + 1,
                              .type = {.id = ARB_TYPE_BIGINT},
                              .physical = ARB_PHYS_INT64,
                              .range = {true, INT64_MIN, INT64_MAX}};
        names[i] = ARB_STR("a");
    }
    arb_physical_node leaf = {.kind = ARB_PHYSICAL_EXCHANGE, .layout = {width, slots}};
    leaf.exchange.partitions = partitions;
    leaf.exchange.read = ARB_READ_ALL;
    leaf.exchange.produced_count = width;
    leaf.exchange.produced = produced;
    leaf.exchange.columns = columns;
    arb_stage stage = {
        .number = 1,
        .plan = {.root = &leaf, .node_count = 1, .column_count = width, .columns = columns, .names = names},
        .tasks = 1,
        .output = {.kind = ARB_OUTPUT_ONE, .partitions = 1},
        .row_limit = -1};
    static const arb_plan_tables no_tables = {0};
    assert_int_equal(arb_stage_encode(&stage, &no_tables, &sent.bytes, &error), ARB_OK);
    arb_plan_hash(arb_text_view(&sent.bytes), sent.hash);
    return sent;
}

static sent_plan make_plan(uint32_t partitions)
{
    return make_wide_plan(partitions, 1);
}

static arb_str hash_of(const sent_plan *sent)
{
    return (arb_str){(const char *)sent->hash, sizeof sent->hash};
}

static arb_code send_chunk(arb_plan_cache *cache, const sent_plan *sent, size_t from, size_t to)
{
    arb_error error = {0};
    return arb_plan_cache_chunk(cache, hash_of(sent), sent->bytes.size, from,
                                (arb_str){sent->bytes.data + from, to - from}, &error);
}

static arb_plan_cache *make_charged_cache(uint64_t limit, arb_memory *memory)
{
    static const arb_plan_tables no_tables = {0};
    arb_error error = {0};
    arb_plan_cache *cache;
    assert_int_equal(arb_plan_cache_create(&no_tables, memory, limit, &cache, &error), ARB_OK);
    return cache;
}

static arb_plan_cache *make_cache(uint64_t limit)
{
    return make_charged_cache(limit, NULL);
}

static arb_code get(arb_plan_cache *cache, const sent_plan *sent, const arb_cached_plan **out_plan)
{
    arb_error error = {0};
    arb_code code = arb_plan_cache_get(cache, hash_of(sent), NULL, out_plan, &error);
    assert_int_equal(code, error.code);
    return code;
}

static void chunks_become_a_plan(void **state)
{
    (void)state;
    sent_plan sent = make_plan(3);
    arb_plan_cache *cache = make_cache(1 << 20);
    const arb_cached_plan *plan, *same;
    size_t size = sent.bytes.size;
    assert_int_equal(get(cache, &sent, &plan), ARB_UNDEFINED_OBJECT);
    for (size_t from = 0; from < size; from += 7) {
        assert_int_equal(get(cache, &sent, &plan), ARB_UNDEFINED_OBJECT);
        assert_int_equal(send_chunk(cache, &sent, from, ARB_MIN(from + 7, size)), ARB_OK);
    }
    assert_int_equal(get(cache, &sent, &plan), ARB_OK);
    assert_int_equal(plan->stage->plan.root->exchange.partitions, 3);
    assert_int_equal(send_chunk(cache, &sent, 0, size), ARB_OK); /* it comes again */
    assert_int_equal(get(cache, &sent, &same), ARB_OK);
    assert_ptr_equal(plan->stage, same->stage);
    arb_plan_cache_give_back(cache, plan);
    arb_plan_cache_give_back(cache, same);
    arb_plan_cache_destroy(cache);
    arb_text_reset(&sent.bytes);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    sent_plan sent = make_plan(3);
    arb_plan_cache *cache = make_cache(1 << 20);
    const arb_cached_plan *plan;
    arb_error error = {0};
    size_t size = sent.bytes.size;
    assert_int_equal(send_chunk(cache, &sent, 5, size), ARB_CORRUPT_DATA);
    assert_int_equal(send_chunk(cache, &sent, 0, 5), ARB_OK);
    assert_int_equal(send_chunk(cache, &sent, 6, size), ARB_CORRUPT_DATA);
    assert_int_equal(send_chunk(cache, &sent, 5, size), ARB_CORRUPT_DATA); /* the beginning was dropped with it */
    assert_int_equal(send_chunk(cache, &sent, 0, 5), ARB_OK);
    assert_int_equal(send_chunk(cache, &sent, 0, 9), ARB_OK); /* a new beginning */
    assert_int_equal(send_chunk(cache, &sent, 9, size), ARB_OK);
    assert_int_equal(get(cache, &sent, &plan), ARB_OK);
    arb_plan_cache_give_back(cache, plan);
    arb_str view = arb_text_view(&sent.bytes);
    assert_int_equal(arb_plan_cache_chunk(cache, ARB_STR("short"), size, 0, view, &error), ARB_CORRUPT_DATA);
    assert_int_equal(arb_plan_cache_chunk(cache, hash_of(&sent), (uint64_t)1 << 40, 0, view, &error), ARB_CORRUPT_DATA);
    assert_int_equal(arb_plan_cache_chunk(cache, hash_of(&sent), 0, 0, (arb_str){"", 0}, &error), ARB_CORRUPT_DATA);
    sent.hash[3] ^= 1; /* other bytes than its name says */
    assert_int_equal(send_chunk(cache, &sent, 0, size), ARB_CORRUPT_DATA);
    assert_int_equal(get(cache, &sent, &plan), ARB_UNDEFINED_OBJECT);
    sent.bytes.data[size / 2] ^= 0x40; /* its name is right, but it is no plan */
    arb_plan_hash(arb_text_view(&sent.bytes), sent.hash);
    assert_int_equal(send_chunk(cache, &sent, 0, size), ARB_OK);
    for (int i = 0; i < 2; i++) {
        arb_code code = get(cache, &sent, &plan);
        assert_true(code == ARB_CORRUPT_DATA || code == ARB_NOT_SUPPORTED);
        assert_null(plan);
    }
    arb_plan_cache_destroy(cache);
    arb_text_reset(&sent.bytes);
}

/* What plans take is charged; when memory is short those go that have been used, and none that a task is about to ask for. */
static void plans_make_room_for_others(void **state)
{
    (void)state;
    sent_plan first = make_plan(1), second = make_plan(2);
    arb_governor governor;
    arb_memory memory;
    arb_reservation others;
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    arb_reservation_init(&others, &memory, "others");
    arb_plan_cache *cache = make_charged_cache(1 << 20, &memory);
    const arb_cached_plan *plan;
    assert_int_equal(send_chunk(cache, &first, 0, first.bytes.size), ARB_OK);
    assert_int_equal(governor.used, first.bytes.size);
    assert_int_equal(get(cache, &first, &plan), ARB_OK);
    assert_true(governor.used > first.bytes.size); /* its decoded form, too */
    uint64_t decoded = governor.used;
    arb_plan_cache_give_back(cache, plan);
    assert_int_equal(governor.used, decoded);
    const int64_t second_ns = 1000000000;
    int64_t left_ns = arb_clock_monotonic_ns();
    arb_plan_cache_look_at_time(cache, left_ns + 3600 * second_ns); /* nobody needs the memory */
    assert_int_equal(governor.used, decoded);
    arb_reservation_force(&others, 1 << 20);
    arb_plan_cache_look_at_time(cache, left_ns);
    assert_int_equal(governor.used, decoded + (1 << 20)); /* the stage's next task may be on its way */
    arb_plan_cache_look_at_time(cache, left_ns + 2 * second_ns);
    assert_int_equal(governor.used, 1 << 20);
    assert_int_equal(get(cache, &first, &plan), ARB_UNDEFINED_OBJECT);
    assert_int_equal(send_chunk(cache, &second, 0, second.bytes.size), ARB_OK);
    arb_plan_cache_look_at_time(cache, left_ns + 30 * second_ns); /* a task is about to ask for it */
    assert_int_equal(get(cache, &second, &plan), ARB_OK); /* though there is no memory left: a small one gets it */
    arb_plan_cache_give_back(cache, plan);
    arb_reservation_reset(&others);
    arb_plan_cache_destroy(cache);
    arb_text_reset(&first.bytes);
    arb_text_reset(&second.bytes);
}

static void a_plan_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    enum { size = 3 << 20, chunk = 1 << 19 };
    arb_governor governor;
    arb_memory memory;
    arb_error error = {0};
    arb_text bytes = {0};
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    arb_governor_init(&governor, 2 << 20);
    arb_memory_init(&memory, &governor);
    arb_plan_cache *cache = make_charged_cache(size, &memory);
    for (size_t i = 0; i < size; i++)
        arb_text_append_char(&bytes, (char)i);
    assert_false(bytes.failed);
    arb_plan_hash(arb_text_view(&bytes), hash);
    size_t at = 0;
    arb_code code = ARB_OK;
    for (; code == ARB_OK && at < size; at += chunk)
        code = arb_plan_cache_chunk(cache, (arb_str){(const char *)hash, sizeof hash}, size, at,
                                    (arb_str){bytes.data + at, chunk}, &error);
    assert_int_equal(code, ARB_OUT_OF_MEMORY);
    assert_int_equal(at, (2 << 20) + chunk);
    assert_int_equal(governor.used, 0);
    arb_plan_cache_destroy(cache);
    arb_text_reset(&bytes);
}

/* What nobody uses makes room for what a plan becomes when it is decoded. */
static void plans_make_room_for_one_another(void **state)
{
    (void)state;
    sent_plan first = make_wide_plan(1, WIDE), second = make_wide_plan(2, WIDE);
    arb_governor governor;
    arb_memory memory;
    arb_governor_init(&governor, 1 << 30);
    arb_memory_init(&memory, &governor);
    arb_plan_cache *cache = make_charged_cache(1 << 30, &memory);
    const arb_cached_plan *plan;
    assert_int_equal(send_chunk(cache, &first, 0, first.bytes.size), ARB_OK);
    assert_int_equal(get(cache, &first, &plan), ARB_OK);
    uint64_t decoded = governor.used;
    governor.limit = decoded + decoded / 2;
    assert_int_equal(send_chunk(cache, &second, 0, second.bytes.size), ARB_OK);
    const arb_cached_plan *other;
    assert_int_equal(get(cache, &second, &other), ARB_OUT_OF_MEMORY); /* the first is in use */
    arb_plan_cache_give_back(cache, plan);
    assert_int_equal(get(cache, &second, &other), ARB_OK);
    assert_int_equal(get(cache, &first, &plan), ARB_UNDEFINED_OBJECT);
    assert_true(governor.used <= governor.limit);
    arb_plan_cache_give_back(cache, other);
    arb_plan_cache_destroy(cache);
    arb_text_reset(&first.bytes);
    arb_text_reset(&second.bytes);
}

/* A plan whose task was stopped before it asked, or of which only a part has come. */
static void what_nobody_asks_for_goes(void **state)
{
    (void)state;
    sent_plan whole = make_plan(1), part = make_plan(2);
    arb_governor governor;
    arb_memory memory;
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    arb_plan_cache *cache = make_charged_cache(0, &memory);
    const int64_t second_ns = 1000000000;
    int64_t before_ns = arb_clock_monotonic_ns();
    assert_int_equal(send_chunk(cache, &whole, 0, whole.bytes.size), ARB_OK);
    assert_int_equal(send_chunk(cache, &part, 0, part.bytes.size / 2), ARB_OK);
    int64_t after_ns = arb_clock_monotonic_ns();
    arb_plan_cache_look_at_time(cache, before_ns + 50 * second_ns);
    assert_int_equal(governor.used, whole.bytes.size + part.bytes.size / 2);
    arb_plan_cache_look_at_time(cache, after_ns + 61 * second_ns);
    assert_int_equal(governor.used, 0);
    arb_plan_cache_destroy(cache);
    arb_text_reset(&whole.bytes);
    arb_text_reset(&part.bytes);
}

static void only_what_is_used_must_stay(void **state)
{
    (void)state;
    sent_plan first = make_plan(1), second = make_plan(2);
    arb_plan_cache *cache = make_cache(first.bytes.size + second.bytes.size / 2);
    const arb_cached_plan *plan, *other;
    assert_int_equal(send_chunk(cache, &first, 0, first.bytes.size), ARB_OK);
    assert_int_equal(get(cache, &first, &plan), ARB_OK);
    assert_int_equal(send_chunk(cache, &second, 0, second.bytes.size), ARB_OK);
    assert_int_equal(get(cache, &second, &other), ARB_OK); /* the one that is used does not count */
    arb_plan_cache_give_back(cache, other);
    assert_int_equal(plan->stage->plan.root->exchange.partitions, 1);
    arb_plan_cache_give_back(cache, plan); /* with its decoded form it is too much */
    assert_int_equal(get(cache, &first, &plan), ARB_UNDEFINED_OBJECT);
    arb_plan_cache_destroy(cache);
    arb_text_reset(&first.bytes);
    arb_text_reset(&second.bytes);
}

typedef struct crowd {
    arb_plan_cache *cache;
    const sent_plan *sent;
    const arb_stage *stages[4];
    _Atomic int next;
} crowd;

static void *join_crowd(void *context)
{
    crowd *c = context;
    int place = atomic_fetch_add(&c->next, 1);
    for (int i = 0; i < 200; i++) {
        const arb_cached_plan *plan;
        if (get(c->cache, c->sent, &plan) == ARB_OK) {
            c->stages[place] = plan->stage;
            arb_plan_cache_give_back(c->cache, plan);
        }
    }
    return NULL;
}

static void several_threads_get_one_plan(void **state)
{
    (void)state;
    sent_plan sent = make_plan(7);
    crowd c = {.cache = make_cache(1 << 20), .sent = &sent};
    pthread_t threads[4];
    assert_int_equal(send_chunk(c.cache, &sent, 0, sent.bytes.size), ARB_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, join_crowd, &c), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 1; i < 4; i++)
        assert_ptr_equal(c.stages[i], c.stages[0]);
    assert_non_null(c.stages[0]);
    arb_plan_cache_destroy(c.cache);
    arb_text_reset(&sent.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_become_a_plan),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(only_what_is_used_must_stay),
        cmocka_unit_test(plans_make_room_for_others),
        cmocka_unit_test(plans_make_room_for_one_another),
        cmocka_unit_test(what_nobody_asks_for_goes),
        cmocka_unit_test(a_plan_that_does_not_fit_is_refused),
        cmocka_unit_test(several_threads_get_one_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
