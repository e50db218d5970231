/* Plans, while jobs need them, in memory and in a folder. */
#include "unit/state_disk/store_fixture.h"

#include "scheduler_process/plan_store.h"

static arb_error error;
static const arb_str plans[] = {{"one", 3}, {"two", 3}, {"one", 3}};

typedef struct fixture {
    char path[64];
    arb_blob_folder *folder;
    arb_plan_store *store;
} fixture;

static void begin(fixture *f, bool on_disk)
{
    *f = (fixture){0};
    folder_make(f->path);
    assert_int_equal(arb_blob_folder_open(f->path, &f->folder, &error), ARB_OK);
    assert_int_equal(arb_plan_store_create(on_disk ? f->folder : NULL, &f->store, &error), ARB_OK);
}

static void end(fixture *f)
{
    arb_plan_store_destroy(f->store);
    arb_blob_folder_close(f->folder);
    folder_delete(f->path);
}

static arb_str hash_of(arb_str plan, uint8_t hash[ARB_PLAN_HASH_BYTES])
{
    arb_plan_hash(plan, hash);
    return (arb_str){(const char *)hash, ARB_PLAN_HASH_BYTES};
}

static bool is_here(fixture *f, arb_str plan)
{
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    arb_stored_plan *found = arb_plan_store_get(f->store, hash_of(plan, hash));
    bool here = found != NULL;
    if (here)
        assert_true(arb_str_equal(found->bytes, plan));
    arb_plan_store_give_back(f->store, found);
    return here;
}

static bool is_on_disk(fixture *f, arb_str plan)
{
    arb_blob_hash hash;
    arb_text out = {0};
    arb_plan_hash(plan, hash.bytes);
    bool found = arb_blob_get(f->folder, &hash, 100, &out, &error) == ARB_OK;
    arb_text_reset(&out);
    return found;
}

static void plans_stay_while_jobs_need_them(void **state)
{
    (void)state;
    fixture f;
    arb_plan_set *first, *second;
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    begin(&f, false);
    assert_int_equal(arb_plan_store_take(f.store, plans, 3, true, &first, &error), ARB_OK);
    assert_int_equal(arb_plan_store_take(f.store, plans, 1, true, &second, &error), ARB_OK);
    assert_int_equal(arb_plan_store_count(f.store), 2);
    assert_true(arb_plan_set_has(first, hash_of(plans[1], hash)));
    assert_false(arb_plan_set_has(second, hash_of(plans[1], hash)));
    assert_false(arb_plan_set_has(second, ARB_STR("no hash")));
    arb_plan_store_bind(f.store, first, (arb_id){1, 1});
    arb_plan_store_bind(f.store, second, (arb_id){1, 2});
    arb_plan_store_end(f.store, (arb_id){1, 3});
    arb_stored_plan *used = arb_plan_store_get(f.store, hash_of(plans[1], hash));
    assert_non_null(used);
    arb_plan_store_end(f.store, (arb_id){1, 1});
    assert_true(is_here(&f, plans[0]));
    assert_true(arb_str_equal(used->bytes, plans[1]));
    arb_plan_store_give_back(f.store, used);
    assert_false(is_here(&f, plans[1]));
    arb_plan_store_end(f.store, (arb_id){1, 2});
    assert_int_equal(arb_plan_store_count(f.store), 0);
    assert_null(arb_plan_store_get(f.store, ARB_STR("no hash")));
    assert_false(is_on_disk(&f, plans[0]));
    end(&f);
}

static void those_of_recorded_jobs_last(void **state)
{
    (void)state;
    fixture f;
    arb_plan_set *first, *second, *fleeting;
    uint8_t hashes[3][ARB_PLAN_HASH_BYTES];
    arb_str names[3], other = ARB_STR("not recorded");
    begin(&f, true);
    assert_int_equal(arb_plan_store_take(f.store, &other, 1, false, &fleeting, &error), ARB_OK);
    assert_false(is_on_disk(&f, other));
    arb_plan_store_drop(f.store, fleeting);
    assert_int_equal(arb_plan_store_take(f.store, plans, 2, true, &first, &error), ARB_OK);
    assert_int_equal(arb_plan_store_take(f.store, plans, 1, true, &second, &error), ARB_OK);
    arb_plan_store_bind(f.store, first, (arb_id){1, 1});
    arb_plan_store_bind(f.store, second, (arb_id){1, 2});
    arb_plan_store_end(f.store, (arb_id){1, 2});
    assert_true(is_on_disk(&f, plans[0]) && is_on_disk(&f, plans[1]));
    arb_plan_store_destroy(f.store); /* a scheduler ends; the next one has a job */
    assert_int_equal(arb_plan_store_create(f.folder, &f.store, &error), ARB_OK);
    for (int i = 0; i < 3; i++)
        names[i] = hash_of(i < 2 ? plans[i] : other, hashes[i]);
    assert_int_equal(arb_plan_store_load(f.store, names, 3, &first, &error), ARB_FILE_NOT_FOUND);
    assert_null(first);
    assert_int_equal(arb_plan_store_load(f.store, names, 1, &first, &error), ARB_OK);
    arb_plan_store_bind(f.store, first, (arb_id){1, 1});
    assert_true(is_on_disk(&f, plans[1]));
    assert_int_equal(arb_plan_store_sweep(f.store, &error), ARB_OK);
    assert_true(is_here(&f, plans[0]) && is_on_disk(&f, plans[0]) && !is_on_disk(&f, plans[1]));
    arb_plan_store_end(f.store, (arb_id){1, 1});
    assert_false(is_on_disk(&f, plans[0]));
    /* another scheduler has the folder: what it may need stays */
    assert_int_equal(arb_plan_store_take(f.store, plans, 1, true, &first, &error), ARB_OK);
    arb_plan_store_retire(f.store);
    arb_plan_store_drop(f.store, first);
    assert_true(is_on_disk(&f, plans[0]));
    end(&f);
}

static void sizes_have_limits(void **state)
{
    (void)state;
    fixture f;
    arb_plan_set *set;
    arb_str wrong[] = {plans[0], {"", 0}};
    begin(&f, true);
    assert_int_equal(arb_plan_store_take(f.store, wrong, 2, true, &set, &error), ARB_LIMIT_EXCEEDED);
    assert_null(set);
    assert_int_equal(arb_plan_store_count(f.store), 0);
    assert_false(is_on_disk(&f, plans[0])); /* nor is the other left */
    assert_int_equal(arb_plan_store_load(f.store, wrong, 1, &set, &error), ARB_CORRUPT_DATA);
    end(&f);
}

#ifdef ARB_FAILPOINTS
static void each_allocation_may_fail(void **state)
{
    (void)state;
    fixture f;
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    begin(&f, true);
    bool failed = true;
    int failures = 0;
    for (uint64_t nth = 1; failed; nth++) {
        arb_plan_set *set = NULL, *loaded = NULL;
        arb_str name = hash_of(plans[0], hash);
        arb_alloc_fail_at(nth, false);
        arb_code code = arb_plan_store_take(f.store, plans, 2, true, &set, &error);
        if (code == ARB_OK)
            code = arb_plan_store_load(f.store, &name, 1, &loaded, &error);
        failed = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        assert_int_equal(code, failed ? ARB_OUT_OF_MEMORY : ARB_OK);
        failures += failed;
        arb_plan_store_drop(f.store, set);
        arb_plan_store_drop(f.store, loaded);
        assert_int_equal(arb_plan_store_count(f.store), 0);
    }
    assert_true(failures >= 5);
    end(&f);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_stay_while_jobs_need_them),
        cmocka_unit_test(those_of_recorded_jobs_last),
        cmocka_unit_test(sizes_have_limits),
#ifdef ARB_FAILPOINTS
        cmocka_unit_test(each_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
