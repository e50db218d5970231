/* What every store must do. Each test runs on each of them. */
#include "store_fixture.h"

#include "sqlite_memory.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/text.h"
#include "state/memory_store.h"
#include "state_disk/sqlite_store.h"

typedef struct subject {
    const char *name;
    char folder[64], path[128];
    arb_store *store;
    uint64_t term;
} subject;

static arb_error error;

static int open_subject(subject *of)
{
    folder_make(of->folder);
    snprintf(of->path, sizeof of->path, "%s/state", of->folder);
    arb_code code = strcmp(of->name, "sqlite") == 0 ? arb_sqlite_store_open(of->path, &of->store, &error)
                                                    : arb_memory_store_create(&of->store, &error);
    if (code != ARB_OK)
        fprintf(stderr, "%s\n", error.message);
    return code != ARB_OK || arb_store_raise_term(of->store, &of->term, &error) != ARB_OK;
}

static int set_up(void **state)
{
    return open_subject(*state);
}

static int tear_down(void **state)
{
    subject *of = *state;
    arb_store_destroy(of->store);
    folder_delete(of->folder);
    return 0;
}

/* ---- what tests say ---------------------------------------------------------------------------------------------------- */

static arb_store_operation put(const char *key, const char *value)
{
    return (arb_store_operation){ARB_STORE_PUT, arb_str_of(key), arb_str_of(value)};
}

static arb_store_operation of_kind(arb_store_operation_kind kind, const char *key, const char *value)
{
    return (arb_store_operation){kind, arb_str_of(key), arb_str_of(value)};
}

static arb_store_outcome write_as(subject *of, uint64_t term, const arb_store_operation *operations, size_t count)
{
    arb_store_outcome outcome;
    assert_int_equal(arb_store_txn_wait(of->store, term, operations, count, &outcome, NULL, &error), ARB_OK);
    return outcome;
}

#define WRITE(of, ...)                                                     \
    write_as((of), (of)->term, (const arb_store_operation[]){__VA_ARGS__}, \
             sizeof((const arb_store_operation[]){__VA_ARGS__}) / sizeof(arb_store_operation))

static arb_code append(void *context, arb_str key, arb_str value, arb_error *unused)
{
    (void)unused;
    arb_text_printf(context, "%.*s=%.*s;", ARB_STR_ARGS(key), ARB_STR_ARGS(value));
    return ARB_OK;
}

static void holds(arb_store *store, const char *prefix, const char *expected)
{
    arb_text text = {0};
    assert_int_equal(arb_store_range(store, arb_str_of(prefix), append, &text, &error), ARB_OK);
    assert_string_equal(arb_text_view(&text).data, expected);
    arb_text_reset(&text);
}

/* ---- tests ------------------------------------------------------------------------------------------------------------- */

static void keys_are_put_replaced_and_deleted(void **state)
{
    subject *of = *state;
    assert_int_equal(WRITE(of, put("b", "1"), put("a", "2"), put("c", "")), ARB_STORE_COMMITTED);
    holds(of->store, "", "a=2;b=1;c=;");
    assert_int_equal(WRITE(of, put("b", "longer than before"), of_kind(ARB_STORE_DELETE, "a", "")),
                     ARB_STORE_COMMITTED);
    assert_int_equal(WRITE(of, of_kind(ARB_STORE_DELETE, "not there", "")), ARB_STORE_COMMITTED);
    holds(of->store, "", "b=longer than before;c=;");
}

static void operations_go_in_their_order(void **state)
{
    subject *of = *state;
    assert_int_equal(
        WRITE(of, put("k/1", "a"), of_kind(ARB_STORE_DELETE_PREFIX, "k/", ""), put("k/2", "b"), put("k/2", "c")),
        ARB_STORE_COMMITTED);
    holds(of->store, "k", "k/2=c;");
}

/* Behind the last key there is nothing, and it belongs to each prefix of itself. */
static void the_last_key_that_can_be_is_found(void **state)
{
    subject *of = *state;
    static char last[ARB_STORE_KEY_MOST + 2];
    memset(last, 0xFF, ARB_STORE_KEY_MOST);
    arb_text expected = {0};
    arb_text_printf(&expected, "%s=1;", last);
    assert_int_equal(WRITE(of, put(last, "1"), put("\xFE", "2"), put("\xFE\xFF", "3")), ARB_STORE_COMMITTED);
    holds(of->store, "\xFF", expected.data);
    holds(of->store, last, expected.data);
    last[ARB_STORE_KEY_MOST] = (char)0xFF; /* longer than any key */
    holds(of->store, last, "");
    last[ARB_STORE_KEY_MOST] = '\0';
    holds(of->store, "\xFE", "\xFE=2;\xFE\xFF=3;");
    assert_int_equal(WRITE(of, of_kind(ARB_STORE_DELETE_PREFIX, "\xFE\xFF", "")), ARB_STORE_COMMITTED);
    holds(of->store, "\xFE", "\xFE=2;");
    assert_int_equal(WRITE(of, of_kind(ARB_STORE_DELETE_PREFIX, "\xFF\xFF", "")), ARB_STORE_COMMITTED);
    holds(of->store, "", "\xFE=2;");
    arb_text_reset(&expected);
}

static void prefixes_end_where_they_end(void **state)
{
    subject *of = *state;
    assert_int_equal(WRITE(of, put("a", "0"), put("a/", "1"), put("a/b", "2"), put("a0", "3"), put("a/\xFF", "4"),
                           put("a/\xFF\xFF/x", "5"), put("\xFF\xFF", "6"), put("\xFF", "7")),
                     ARB_STORE_COMMITTED);
    holds(of->store, "a/", "a/=1;a/b=2;a/\xFF=4;a/\xFF\xFF/x=5;");
    holds(of->store, "a/\xFF", "a/\xFF=4;a/\xFF\xFF/x=5;");
    holds(of->store, "\xFF", "\xFF=7;\xFF\xFF=6;");
    assert_int_equal(WRITE(of, of_kind(ARB_STORE_DELETE_PREFIX, "a/", "")), ARB_STORE_COMMITTED);
    assert_int_equal(WRITE(of, of_kind(ARB_STORE_DELETE_PREFIX, "\xFF", "")), ARB_STORE_COMMITTED);
    holds(of->store, "", "a=0;a0=3;");
}

static void bytes_are_bytes(void **state)
{
    subject *of = *state;
    arb_text value = {0};
    char *large = arb_text_room(&value, 3000000);
    assert_non_null(large);
    for (size_t i = 0; i < 3000000; i++)
        large[i] = (char)(i * 7);
    const arb_store_operation operation = {ARB_STORE_PUT, {"k\0x", 3}, {large, 3000000}};
    assert_int_equal(write_as(of, of->term, &operation, 1), ARB_STORE_COMMITTED);
    const arb_store_operation same = {ARB_STORE_COMPARE, {"k\0x", 3}, {large, 3000000}};
    assert_int_equal(write_as(of, of->term, &same, 1), ARB_STORE_COMMITTED);
    large[2999999] ^= 1;
    assert_int_equal(write_as(of, of->term, &same, 1), ARB_STORE_CONFLICT);
    arb_text_reset(&value);
}

static void a_conflict_writes_nothing(void **state)
{
    subject *of = *state;
    arb_store_outcome outcome;
    size_t conflict = 99;
    assert_int_equal(WRITE(of, put("a", "1")), ARB_STORE_COMMITTED);
    const arb_store_operation operations[] = {put("b", "2"), of_kind(ARB_STORE_COMPARE, "a", "1"),
                                              of_kind(ARB_STORE_ABSENT, "a", "")};
    assert_int_equal(arb_store_txn_wait(of->store, of->term, operations, 3, &outcome, &conflict, &error), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_CONFLICT);
    assert_int_equal(conflict, 2);
    assert_int_equal(WRITE(of, of_kind(ARB_STORE_COMPARE, "a", "2"), put("b", "2")), ARB_STORE_CONFLICT);
    assert_int_equal(WRITE(of, of_kind(ARB_STORE_COMPARE, "c", ""), put("b", "2")), ARB_STORE_CONFLICT);
    holds(of->store, "", "a=1;");
    assert_int_equal(WRITE(of, put("b", "2"), of_kind(ARB_STORE_ABSENT, "b", "")), ARB_STORE_COMMITTED);
    holds(of->store, "", "a=1;b=2;");
}

static void another_term_is_fenced(void **state)
{
    subject *of = *state;
    uint64_t next = 0;
    const arb_store_operation operation = put("a", "1");
    assert_int_equal(of->term, 1);
    assert_int_equal(arb_store_raise_term(of->store, &next, &error), ARB_OK);
    assert_int_equal(next, 2);
    assert_int_equal(write_as(of, 1, &operation, 1), ARB_STORE_FENCED);
    assert_int_equal(write_as(of, 3, &operation, 1), ARB_STORE_FENCED);
    holds(of->store, "", "");
    assert_int_equal(write_as(of, 2, &operation, 1), ARB_STORE_COMMITTED);
}

typedef struct acting {
    subject *of;
    pthread_t raiser;
    int times;
    atomic_bool raised;
    bool too_early;
} acting;

static void *raise_term(void *argument)
{
    acting *a = argument;
    uint64_t term;
    arb_error why;
    bool raised = arb_store_raise_term(a->of->store, &term, &why) == ARB_OK;
    atomic_store(&a->raised, true);
    return raised ? a : NULL;
}

static void act(void *context)
{
    acting *a = context;
    if (a->times++ != 0)
        return;
    pthread_create(&a->raiser, NULL, raise_term, a);
    usleep(50000);
    a->too_early = atomic_load(&a->raised);
}

static void nobody_raises_the_term_within(void **state)
{
    acting a = {.of = *state};
    void *raised;
    arb_store_outcome outcome;
    assert_int_equal(arb_store_act_wait(a.of->store, a.of->term + 1, act, &a, &outcome, &error), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_FENCED);
    assert_int_equal(a.times, 0);
    assert_int_equal(arb_store_act_wait(a.of->store, a.of->term, act, &a, &outcome, &error), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_COMMITTED);
    pthread_join(a.raiser, &raised);
    assert_ptr_equal(raised, &a);
    assert_false(a.too_early);
    assert_int_equal(arb_store_act_wait(a.of->store, a.of->term, act, &a, &outcome, &error), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_FENCED);
    assert_int_equal(a.times, 1);
}

static void impossible_keys_are_refused(void **state)
{
    subject *of = *state;
    char key[ARB_STORE_KEY_MOST + 1];
    arb_store_outcome outcome;
    memset(key, 'k', sizeof key);
    arb_store_operation operation = {ARB_STORE_PUT, {key, 0}, {"", 0}};
    assert_int_equal(arb_store_txn_wait(of->store, of->term, &operation, 1, &outcome, NULL, &error),
                     ARB_INVALID_PARAMETER);
    assert_int_equal(outcome, ARB_STORE_FAILED);
    operation.key.size = sizeof key;
    assert_int_equal(arb_store_txn_wait(of->store, of->term, &operation, 1, &outcome, NULL, &error),
                     ARB_INVALID_PARAMETER);
    operation.key.size = sizeof key - 1;
    assert_int_equal(write_as(of, of->term, &operation, 1), ARB_STORE_COMMITTED);
}

static arb_code stop_at_second(void *context, arb_str key, arb_str value, arb_error *unused)
{
    (void)key;
    (void)value;
    return ++*(int *)context == 2 ? arb_fail(unused, ARB_CANCELLED, "enough") : ARB_OK;
}

static void a_visitor_may_stop(void **state)
{
    subject *of = *state;
    int seen = 0;
    assert_int_equal(WRITE(of, put("a", "1"), put("b", "2"), put("c", "3")), ARB_STORE_COMMITTED);
    assert_int_equal(arb_store_range(of->store, ARB_STR(""), stop_at_second, &seen, &error), ARB_CANCELLED);
    assert_int_equal(seen, 2);
    holds(of->store, "b", "b=2;");
}

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t counted = PTHREAD_COND_INITIALIZER;
static size_t ended;

static void count(arb_store_txn *txn)
{
    pthread_mutex_lock(&counting);
    assert_int_equal(txn->outcome, ARB_STORE_COMMITTED);
    assert_ptr_equal(txn->context, (void *)ended); /* in the order in which they were submitted */
    ended++;
    pthread_cond_signal(&counted);
    pthread_mutex_unlock(&counting);
}

static void waiting_transactions_go_together(void **state)
{
    enum { COUNT = 300 };
    subject *of = *state;
    static arb_store_txn txns[COUNT];
    static arb_store_operation operations[COUNT];
    static char keys[COUNT][16];
    ended = 0;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof keys[i], "key %03zu", i);
        operations[i] = put(keys[i], "v");
        txns[i] = (arb_store_txn){
            .term = of->term, .operations = &operations[i], .operation_count = 1, .done = count, .context = (void *)i};
    }
    uint64_t before = strcmp(of->name, "sqlite") == 0 ? arb_sqlite_store_commits(of->store) : 0;
    for (size_t i = 0; i < COUNT; i++)
        arb_store_submit(of->store, &txns[i]);
    pthread_mutex_lock(&counting);
    while (ended < COUNT)
        pthread_cond_wait(&counted, &counting);
    pthread_mutex_unlock(&counting);
    if (strcmp(of->name, "sqlite") == 0)
        assert_true(arb_sqlite_store_commits(of->store) - before < COUNT / 2);
    holds(of->store, "key 299", "key 299=v;");
}

/* Random transactions against a second store in memory: they always agree. */
static void random_histories_agree(void **state)
{
    subject *of = *state;
    arb_store *model;
    uint64_t random = 7, term;
    assert_int_equal(arb_memory_store_create(&model, &error), ARB_OK);
    assert_int_equal(arb_store_raise_term(model, &term, &error), ARB_OK);
    for (int round = 0; round < 400; round++) {
        arb_store_operation operations[5];
        char texts[5][2][8];
        for (int i = 0; i < 5; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            snprintf(texts[i][0], 8, "%u", (unsigned)(random >> 40) % 30);
            snprintf(texts[i][1], 8, "%u", (unsigned)(random >> 50) % 3);
            unsigned kind = (unsigned)(random >> 33) % 16;
            operations[i] = of_kind(kind < 9    ? ARB_STORE_PUT
                                    : kind < 12 ? ARB_STORE_DELETE
                                    : kind < 13 ? ARB_STORE_DELETE_PREFIX
                                    : kind < 15 ? ARB_STORE_COMPARE
                                                : ARB_STORE_ABSENT,
                                    texts[i][0], texts[i][1]);
        }
        arb_store_outcome expected, outcome;
        size_t expected_conflict = 0, conflict = 0;
        assert_int_equal(arb_store_txn_wait(model, term, operations, 5, &expected, &expected_conflict, &error), ARB_OK);
        assert_int_equal(arb_store_txn_wait(of->store, of->term, operations, 5, &outcome, &conflict, &error), ARB_OK);
        assert_int_equal(outcome, expected);
        assert_int_equal(conflict, expected_conflict);
    }
    arb_text text = {0};
    assert_int_equal(arb_store_range(model, ARB_STR(""), append, &text, &error), ARB_OK);
    holds(of->store, "", arb_text_view(&text).data);
    arb_text_reset(&text);
    arb_store_destroy(model);
}

#ifdef ARB_FAILPOINTS
static void without_memory_nothing_is_written(void **state)
{
    subject *of = *state;
    bool failed = true;
    assert_int_equal(WRITE(of, put("a", "1")), ARB_STORE_COMMITTED);
    for (uint64_t nth = 1; failed; nth++) {
        arb_store_outcome outcome;
        const arb_store_operation operations[] = {of_kind(ARB_STORE_COMPARE, "a", "1"), put("b", "2"),
                                                  of_kind(ARB_STORE_DELETE_PREFIX, "a", ""), put("a", "3")};
        arb_alloc_fail_at(nth, false);
        arb_code code = arb_store_txn_wait(of->store, of->term, operations, 4, &outcome, NULL, &error);
        failed = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        if (code == ARB_OK) { /* SQLite goes without some of its memory */
            assert_int_equal(outcome, ARB_STORE_COMMITTED);
            holds(of->store, "", "a=3;b=2;");
        } else {
            assert_int_equal(code, ARB_OUT_OF_MEMORY);
            holds(of->store, "", "a=1;");
        }
        assert_int_equal(WRITE(of, of_kind(ARB_STORE_DELETE, "b", ""), put("a", "1")), ARB_STORE_COMMITTED);
    }
}

static void without_memory_nothing_is_read(void **state)
{
    subject *of = *state;
    assert_int_equal(WRITE(of, put("a", "1"), put("b", "2")), ARB_STORE_COMMITTED);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        char room[64];
        arb_text text = {.data = room, .capacity = sizeof room};
        arb_alloc_fail_at(nth, false);
        arb_code code = arb_store_range(of->store, ARB_STR("a"), append, &text, &error);
        failed = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        if (code == ARB_OK)
            assert_string_equal(room, "a=1;");
    }
}
#endif

int main(void)
{
    static subject subjects[] = {{.name = "memory"}, {.name = "sqlite"}};
    int failed = 0;
    sqlite_through_alloc();
    for (size_t i = 0; i < ARB_COUNT_OF(subjects); i++) {
#define ON_IT(test)                                  \
    {                                                \
#test, test, set_up, tear_down, &subjects[i] \
    }
        const struct CMUnitTest tests[] = {
            ON_IT(keys_are_put_replaced_and_deleted),
            ON_IT(operations_go_in_their_order),
            ON_IT(the_last_key_that_can_be_is_found),
            ON_IT(bytes_are_bytes),
            ON_IT(prefixes_end_where_they_end),
            ON_IT(bytes_are_bytes),
            ON_IT(a_conflict_writes_nothing),
            ON_IT(another_term_is_fenced),
            ON_IT(nobody_raises_the_term_within),
            ON_IT(impossible_keys_are_refused),
            ON_IT(a_visitor_may_stop),
            ON_IT(waiting_transactions_go_together),
            ON_IT(random_histories_agree),
#ifdef ARB_FAILPOINTS
            ON_IT(without_memory_nothing_is_written),
            ON_IT(without_memory_nothing_is_read),
#endif
        };
        failed += cmocka_run_group_tests_name(subjects[i].name, tests, NULL, NULL);
    }
    return failed;
}
