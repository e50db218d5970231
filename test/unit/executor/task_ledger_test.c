/* The executor's end of control.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "executor/task_ledger.h"

#define SECOND ((int64_t)1000000000)

/* What the ledger did, and a scheduler to answer it. */
typedef struct hand {
    arb_ledger *ledger;
    int64_t now;
    int opened, closed, started, stopped, dropped, gone, may_go, refused;
    uint64_t last_run;
    arb_to_scheduler_kind sent;
    arb_attempt sent_attempt;
    arb_failure sent_failure;
    bool draining;
    size_t running, failed, held, crashed;
    int sent_count[ARB_TO_SCHEDULER_GOODBYE + 1];
    uint64_t session, sequence; /* of what it sends to the ledger */
    uint64_t seen;              /* of what came from it */
    arb_uuid cluster;
    uint64_t term;
    arb_id alone; /* of the last inventory */
} hand;

static arb_error error;

static void on_open(void *context)
{
    ((hand *)context)->opened++;
}

static void on_close(void *context)
{
    ((hand *)context)->closed++;
}

static void on_send(void *context, const arb_to_scheduler *message)
{
    hand *h = context;
    h->sent = message->kind;
    h->sent_count[message->kind]++;
    h->sent_attempt = message->attempt;
    h->sent_failure = message->failure;
    h->seen = message->kind == ARB_TO_SCHEDULER_REGISTER ? 1 : h->seen + 1;
    assert_int_equal(message->header.sequence, h->seen);
    if (message->kind != ARB_TO_SCHEDULER_REGISTER)
        return;
    h->session = message->header.session;
    h->sequence = 0;
    h->draining = message->inventory.draining;
    h->running = message->inventory.running_count;
    h->failed = message->inventory.failed_count;
    h->held = message->inventory.held_count;
    h->crashed = message->inventory.crashed_count;
    h->alone = message->inventory.alone;
}

static void on_start(void *context, uint64_t run, const arb_attempt *attempt, const arb_launch *launch)
{
    hand *h = context;
    (void)attempt;
    (void)launch;
    h->started++;
    h->last_run = run;
}

static void on_stop(void *context, uint64_t run)
{
    (void)run;
    ((hand *)context)->stopped++;
}

static void on_drop(void *context, uint64_t run)
{
    (void)run;
    ((hand *)context)->dropped++;
}

static void on_gone(void *context, arb_uuid executor)
{
    (void)executor;
    ((hand *)context)->gone++;
}

static void on_may_go(void *context)
{
    ((hand *)context)->may_go++;
}

static void on_refused(void *context, const char *why)
{
    hand *h = context;
    h->refused++;
    assert_string_equal(why, "not you");
}

static const arb_ledger_actions actions = {on_open, on_close, on_send,   on_start,  on_stop,
                                           on_drop, on_gone,  on_may_go, on_refused};

static void tell(hand *h, arb_to_executor message)
{
    message.header = (arb_control_header){h->cluster, h->term, {0, 5}, h->session, ++h->sequence};
    arb_ledger_receive(h->ledger, h->now, &message);
}

static void connect_again(hand *h)
{
    arb_ledger_disconnected(h->ledger, h->now);
    h->now += 10 * SECOND;
    arb_ledger_tick(h->ledger, h->now);
    arb_ledger_connected(h->ledger, h->now);
}

static void greet(hand *h)
{
    tell(h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_WELCOME, .welcome = {SECOND / 2, 2 * SECOND, 10 * SECOND}});
}

static arb_code create(hand *h)
{
    static const arb_attempt crashed = {{1, 1}, {1, 2}, {1, 1}, 0, 0};
    const arb_str roots[] = {ARB_STR("lake")};
    arb_ledger_options options = {.executor = {0, 5},
                                  .registration = {.address = ARB_STR("here:1"),
                                                   .version = ARB_STR("test"),
                                                   .roots = roots,
                                                   .root_count = 1,
                                                   .crashed = &crashed,
                                                   .crashed_count = 1},
                                  .silence_ns = 2 * SECOND,
                                  .actions = &actions,
                                  .context = h};
    *h = (hand){.now = 100 * SECOND, .cluster = {1, 1}, .term = 1};
    return arb_ledger_create(&options, &h->ledger, &error);
}

static void begin(hand *h)
{
    assert_int_equal(create(h), ARB_OK);
    arb_ledger_tick(h->ledger, h->now);
    assert_int_equal(h->opened, 1);
    arb_ledger_connected(h->ledger, h->now);
    assert_int_equal(h->sent, ARB_TO_SCHEDULER_REGISTER);
    assert_int_equal(h->crashed, 1);
    greet(h);
    assert_true(arb_ledger_welcomed(h->ledger));
}

static arb_attempt attempt(uint64_t number, uint32_t stage)
{
    return (arb_attempt){{1, 1}, {1, number}, {1, 1}, stage, 0};
}

static void launch(hand *h, arb_attempt key)
{
    tell(h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_LAUNCH, .attempt = key});
}

static void an_attempt_is_started_once_and_reported_until_seen(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    launch(&h, attempt(9, 0));
    launch(&h, attempt(9, 0));
    assert_int_equal(h.started, 1);
    assert_true(arb_ledger_done(h.ledger, h.last_run, &(arb_task_output){.rows = 3, .facts = ARB_STR("f")}));
    assert_int_equal(h.sent, ARB_TO_SCHEDULER_DONE);
    connect_again(&h);
    assert_int_equal(h.held, 1);
    assert_int_equal(h.crashed, 0); /* it was said */
    greet(&h);
    assert_int_equal(h.sent_count[ARB_TO_SCHEDULER_DONE], 1); /* the inventory said it */
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_SEEN, .attempt = attempt(9, 0)});
    connect_again(&h);
    assert_int_equal(h.held, 1); /* it still holds it */
    arb_ledger_destroy(h.ledger);
}

static void what_runs_alone_is_said(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    launch(&h, attempt(8, 0));
    connect_again(&h);
    assert_true(arb_id_is_none(h.alone));
    greet(&h);
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_LAUNCH, .attempt = attempt(9, 0), .launch = {.alone = true}});
    connect_again(&h);
    assert_int_equal(h.running, 2);
    assert_true(arb_id_equal(h.alone, attempt(9, 0).attempt));
    greet(&h);
    assert_true(arb_ledger_done(h.ledger, h.last_run, &(arb_task_output){.rows = 3}));
    connect_again(&h);
    assert_true(arb_id_is_none(h.alone));
    arb_ledger_destroy(h.ledger);
}

static void a_failure_is_reported_until_seen(void **state)
{
    (void)state;
    hand h;
    arb_error why = {0};
    arb_fail(&why, ARB_DISK_FULL, "no room");
    begin(&h);
    launch(&h, attempt(9, 0));
    arb_ledger_failed(h.ledger, h.last_run, &(arb_failure){.kind = ARB_FAILURE_RETRYABLE, .error = &why});
    connect_again(&h);
    assert_int_equal(h.running, 0);
    assert_int_equal(h.failed, 1);
    greet(&h);
    assert_int_equal(h.sent, ARB_TO_SCHEDULER_FAILED);
    assert_string_equal(h.sent_failure.error->message, "no room");
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_SEEN, .attempt = attempt(9, 0)});
    assert_int_equal(arb_ledger_size(h.ledger), 0);
    arb_ledger_destroy(h.ledger);
}

static void what_ends_between_registration_and_welcome_is_said(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    launch(&h, attempt(9, 0));
    connect_again(&h);
    assert_int_equal(h.running, 1);
    assert_true(arb_ledger_done(h.ledger, h.last_run, &(arb_task_output){.rows = 3}));
    assert_int_equal(h.sent, ARB_TO_SCHEDULER_REGISTER);
    greet(&h);
    assert_int_equal(h.sent, ARB_TO_SCHEDULER_DONE);
    arb_ledger_destroy(h.ledger);
}

static void draining_is_said_once_in_each_session(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    connect_again(&h);
    assert_false(h.draining);
    assert_int_equal(h.may_go, 0);
    arb_ledger_drain(h.ledger); /* registered, not yet welcomed: it holds nothing that anybody could ask for */
    assert_int_equal(h.may_go, 1);
    assert_int_equal(h.sent_count[ARB_TO_SCHEDULER_DRAINING], 0);
    greet(&h);
    assert_int_equal(h.sent_count[ARB_TO_SCHEDULER_DRAINING], 1);
    arb_ledger_drain(h.ledger);
    assert_int_equal(h.may_go, 1); /* the scheduler says when */
    connect_again(&h);
    assert_int_equal(h.may_go, 2);
    assert_true(h.draining);
    greet(&h);
    assert_int_equal(h.sent_count[ARB_TO_SCHEDULER_DRAINING], 1);
    arb_ledger_destroy(h.ledger);
}

static void a_refusal_says_why_and_ends_the_stream(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    const arb_to_executor refusal = {.kind = ARB_TO_EXECUTOR_REFUSED, .why = "not you"};
    tell(&h, refusal); /* in the middle of a session: nobody says so */
    assert_int_equal(h.refused, 0);
    assert_true(arb_ledger_welcomed(h.ledger));
    connect_again(&h);
    h.session--;
    tell(&h, refusal); /* of an older stream */
    assert_int_equal(h.refused, 0);
    h.session++;
    h.term = 0; /* whoever was replaced has an older term */
    h.sequence = 0;
    tell(&h, refusal);
    assert_int_equal(h.refused, 1);
    assert_int_equal(h.closed, 1);
    h.term = 1;
    connect_again(&h);
    greet(&h);
    assert_true(arb_ledger_welcomed(h.ledger));
    arb_ledger_destroy(h.ledger);
}

static void cancel_stops_or_drops(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_CANCEL, .attempt = attempt(8, 0)}); /* unknown: no matter */
    launch(&h, attempt(9, 0));
    uint64_t first = h.last_run;
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_CANCEL, .attempt = attempt(9, 0)});
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_CANCEL, .attempt = attempt(9, 0)});
    assert_int_equal(h.stopped, 1);
    assert_false(arb_ledger_done(h.ledger, first, &(arb_task_output){.rows = 3})); /* it ended before it could stop */
    assert_int_equal(h.sent, ARB_TO_SCHEDULER_FAILED);
    assert_int_equal(h.sent_failure.kind, ARB_FAILURE_CANCELLED);
    launch(&h, attempt(10, 0));
    assert_true(arb_ledger_done(h.ledger, h.last_run, &(arb_task_output){.rows = 3}));
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_CANCEL, .attempt = attempt(10, 0)});
    assert_int_equal(h.dropped, 1);
    arb_ledger_destroy(h.ledger);
}

static void deletes_go_by_stage_and_by_job(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    for (uint64_t number = 10; number < 14; number++) {
        launch(&h, attempt(number, (uint32_t)(number % 2)));
        if (number < 13)
            assert_true(arb_ledger_done(h.ledger, h.last_run, &(arb_task_output){.rows = number}));
    }
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_DELETE, .attempt = attempt(0, 0)});
    assert_int_equal(h.dropped, 2);
    assert_int_equal(h.stopped, 0);
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_DELETE, .attempt = attempt(0, ARB_EVERY_STAGE)});
    assert_int_equal(h.dropped, 3);
    assert_int_equal(h.stopped, 1);
    arb_ledger_failed(h.ledger, h.last_run, &(arb_failure){.kind = ARB_FAILURE_RETRYABLE});
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_SEEN, .attempt = attempt(13, 1)});
    assert_int_equal(arb_ledger_size(h.ledger), 0);
    arb_ledger_destroy(h.ledger);
}

static void older_terms_and_other_clusters_are_refused(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    h.term = 3;
    connect_again(&h);
    greet(&h);
    h.term = 2;
    launch(&h, attempt(9, 0));
    h.sequence--;
    h.term = 3;
    h.cluster.low = 7;
    launch(&h, attempt(9, 0));
    h.sequence--;
    assert_int_equal(h.started, 0);
    h.cluster.low = 1;
    launch(&h, attempt(9, 0));
    assert_int_equal(h.started, 1);
    h.term = 2; /* not even a welcome */
    connect_again(&h);
    greet(&h);
    assert_false(arb_ledger_welcomed(h.ledger));
    arb_ledger_destroy(h.ledger);
}

static void a_session_is_one_schedulers(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    h.term = 2;
    launch(&h, attempt(9, 0)); /* the next number, but of another scheduler */
    assert_int_equal(h.started, 0);
    assert_int_equal(h.closed, 1);
    connect_again(&h);
    launch(&h, attempt(9, 0)); /* before the welcome */
    assert_int_equal(h.started, 0);
    assert_int_equal(h.closed, 2);
    connect_again(&h);
    greet(&h);
    launch(&h, attempt(9, 0));
    assert_int_equal(h.started, 1);
    arb_ledger_destroy(h.ledger);
}

static void another_cluster_starts_from_nothing(void **state)
{
    (void)state;
    hand h;
    arb_ledger_state known;
    begin(&h);
    launch(&h, attempt(9, 0));
    uint64_t old = h.last_run;
    launch(&h, attempt(10, 0));
    assert_true(arb_ledger_done(h.ledger, h.last_run, &(arb_task_output){.rows = 1}));
    h.cluster.low = 2;
    connect_again(&h);
    greet(&h);
    assert_int_equal(h.stopped, 1);
    assert_int_equal(h.dropped, 1);
    assert_int_equal(arb_ledger_size(h.ledger), 0);
    launch(&h, attempt(9, 0)); /* the same id, for something else */
    assert_int_equal(h.started, 3);
    assert_false(arb_ledger_done(h.ledger, old, &(arb_task_output){.rows = 1}));
    assert_true(arb_ledger_state_of(h.ledger, (arb_id){1, 9}, &known));
    assert_int_equal(known, ARB_LEDGER_RUNNING);
    arb_ledger_destroy(h.ledger);
}

static void silence_and_gaps_end_a_session(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    h.now += SECOND / 2;
    arb_ledger_tick(h.ledger, h.now);
    assert_int_equal(h.sent, ARB_TO_SCHEDULER_HEARTBEAT);
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_HEARTBEAT_SEEN});
    h.sequence++; /* a message is lost */
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_HEARTBEAT_SEEN});
    assert_int_equal(h.closed, 1);
    assert_false(arb_ledger_welcomed(h.ledger));
    connect_again(&h);
    greet(&h);
    h.now += 3 * SECOND;
    arb_ledger_tick(h.ledger, h.now);
    assert_int_equal(h.closed, 2);
    int64_t wake = arb_ledger_wake(h.ledger);
    assert_true(wake > h.now && wake < h.now + 5 * SECOND);
    arb_ledger_destroy(h.ledger);
}

static void the_newest_sources_are_kept(void **state)
{
    (void)state;
    hand h;
    begin(&h);
    const arb_source first[] = {{.task = 0, .address = ARB_STR("a"), .facts = ARB_STR("")}};
    const arb_source second[] = {{.task = 0, .address = ARB_STR("b"), .facts = ARB_STR("")},
                                 {.task = 1, .address = ARB_STR("c"), .facts = ARB_STR("x")}};
    arb_sources sources = {.job = {1, 1}, .stage = 1, .input = 0, .version = 1, .sources = first, .source_count = 1};
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_SOURCES, .sources = sources});
    assert_string_equal(arb_ledger_sources(h.ledger, sources.job, 1, 0)->sources[0].address.data, "a");
    sources.version = 2;
    sources.sources = second;
    sources.source_count = 2;
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_SOURCES, .sources = sources});
    assert_int_equal(arb_ledger_sources(h.ledger, sources.job, 1, 0)->source_count, 2);
    assert_null(arb_ledger_sources(h.ledger, sources.job, 1, 1));
    connect_again(&h);
    greet(&h);
    assert_null(arb_ledger_sources(h.ledger, sources.job, 1, 0)); /* it will be told again */
    tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_GONE, .gone = {0, 6}});
    assert_int_equal(h.gone, 1);
    arb_ledger_destroy(h.ledger);
}

#ifdef ARB_FAILPOINTS
/* Whatever finds no memory, the scheduler hears of it, or the session ends and is begun anew. */
static void each_allocation_may_fail(void **state)
{
    (void)state;
    const arb_source source[] = {{.task = 0, .address = ARB_STR("a"), .facts = ARB_STR("f")}};
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        hand h;
        arb_alloc_fail_at(nth, false);
        arb_code code = create(&h);
        if (code == ARB_OK) {
            for (int tries = 0; !arb_ledger_welcomed(h.ledger) && tries < 3; tries++) {
                h.now += 10 * SECOND;
                arb_ledger_tick(h.ledger, h.now);
                arb_ledger_connected(h.ledger, h.now);
                if (h.sent_count[ARB_TO_SCHEDULER_REGISTER] > 0)
                    greet(&h);
            }
            assert_true(arb_ledger_welcomed(h.ledger));
            tell(&h, (arb_to_executor){.kind = ARB_TO_EXECUTOR_SOURCES,
                                       .sources = {.job = {1, 1}, .sources = source, .source_count = 1}});
            if (arb_ledger_welcomed(h.ledger)) {
                launch(&h, attempt(9, 0));
                if (h.started > 0)
                    assert_true(arb_ledger_done(h.ledger, h.last_run, &(arb_task_output){.facts = ARB_STR("f")}));
                else
                    assert_int_equal(h.sent_failure.kind, ARB_FAILURE_RETRYABLE);
            }
        }
        failed = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || failed);
        arb_ledger_destroy(h.ledger);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attempt_is_started_once_and_reported_until_seen),
        cmocka_unit_test(a_failure_is_reported_until_seen),
        cmocka_unit_test(what_runs_alone_is_said),
        cmocka_unit_test(what_ends_between_registration_and_welcome_is_said),
        cmocka_unit_test(draining_is_said_once_in_each_session),
        cmocka_unit_test(a_refusal_says_why_and_ends_the_stream),
        cmocka_unit_test(cancel_stops_or_drops),
        cmocka_unit_test(deletes_go_by_stage_and_by_job),
        cmocka_unit_test(older_terms_and_other_clusters_are_refused),
        cmocka_unit_test(a_session_is_one_schedulers),
        cmocka_unit_test(another_cluster_starts_from_nothing),
        cmocka_unit_test(silence_and_gaps_end_a_session),
        cmocka_unit_test(the_newest_sources_are_kept),
#ifdef ARB_FAILPOINTS
        cmocka_unit_test(each_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
