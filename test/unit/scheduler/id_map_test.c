/* The map of ids and the heap of timers, against plain arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scheduler/id_map.h"
#include "scheduler/ordered_heap.h"

static uint64_t random_state = 11;

static uint64_t random_below(uint64_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % below;
}

static void the_map_remembers(void **state)
{
    enum { KEYS = 500 };
    (void)state;
    arb_id_map map = {0};
    static int values[KEYS];
    bool there[KEYS] = {0};
    size_t count = 0;
    for (int round = 0; round < 100000; round++) {
        uint64_t key = random_below(KEYS);
        if (there[key]) {
            assert_ptr_equal(arb_id_map_get(&map, key / 7, key), &values[key]);
            arb_id_map_remove(&map, key / 7, key);
            count--;
        } else {
            assert_null(arb_id_map_get(&map, key / 7, key));
            arb_id_map_remove(&map, key / 7, key);
            assert_true(arb_id_map_reserve(&map, count + 1));
            arb_id_map_put(&map, key / 7, key, &values[key]);
            count++;
        }
        there[key] = !there[key];
        assert_int_equal(map.count, count);
    }
    for (uint64_t key = 0; key < KEYS; key++)
        assert_ptr_equal(arb_id_map_get(&map, key / 7, key), there[key] ? &values[key] : NULL);
    arb_id_map_reset(&map);
}

static void the_heap_gives_the_least(void **state)
{
    enum { NODES = 200 };
    (void)state;
    arb_heap heap = {0};
    arb_heap_node nodes[NODES] = {0};
    assert_true(arb_heap_reserve(&heap, NODES));
    for (int round = 0; round < 50000; round++) {
        arb_heap_node *node = &nodes[random_below(NODES)];
        if (random_below(3) == 0)
            arb_heap_remove(&heap, node);
        else
            arb_heap_put(&heap, node, (int64_t)random_below(50) - 25, random_below(5));
        const arb_heap_node *least = NULL;
        for (int i = 0; i < NODES; i++)
            if (nodes[i].place != 0 && (least == NULL || nodes[i].key < least->key ||
                                        (nodes[i].key == least->key && nodes[i].tie < least->tie)))
                least = &nodes[i];
        const arb_heap_node *first = arb_heap_first(&heap);
        assert_true((least == NULL) == (first == NULL));
        assert_true(least == NULL || (least->key == first->key && least->tie == first->tie));
    }
    arb_heap_reset(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_remembers),
        cmocka_unit_test(the_heap_gives_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
