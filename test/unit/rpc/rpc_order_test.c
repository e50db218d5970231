/* What a call asks of its transport and when, and what it makes of the answers: the test is the transport. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rpc/rpc_transport.h"

typedef struct script {
    arb_rpc_call call;
    int starts, sends, receives, cancels, releases;
    void (*during_start)(arb_rpc_call *call); /* what other threads do meanwhile */
    int writable, done;
    arb_code outcome;
} script;

static void script_start(arb_rpc_call *call)
{
    script *s = (script *)call;
    s->starts++;
    if (s->during_start != NULL)
        s->during_start(call);
    assert_int_equal(s->sends + s->receives + s->cancels, 0);
}

static void script_send(arb_rpc_call *call, const arb_rpc_outgoing *outgoing)
{
    (void)outgoing;
    ((script *)call)->sends++;
}

static void script_receive(arb_rpc_call *call)
{
    ((script *)call)->receives++;
}

static void script_cancel(arb_rpc_call *call, arb_code code, const char *why)
{
    (void)code, (void)why;
    ((script *)call)->cancels++;
}

static void script_release(arb_rpc_call *call)
{
    ((script *)call)->releases++;
}

static const arb_rpc_transport script_transport = {
    .start = script_start,
    .send = script_send,
    .receive = script_receive,
    .cancel = script_cancel,
    .release = script_release,
    .destroy = arb_rpc_call_reset,
};

static void note_writable(arb_rpc_call *call, void *context)
{
    (void)call;
    ((script *)context)->writable++;
}

static void note_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    script *s = context;
    s->done++;
    s->outcome = outcome->code;
}

static void script_begin(script *s, size_t window, void (*during_start)(arb_rpc_call *call))
{
    static const arb_rpc_events events = {.on_writable = note_writable, .on_done = note_done};
    *s = (script){.during_start = during_start};
    arb_rpc_call_init(&s->call, &script_transport, true);
    s->call.window = window;
    arb_rpc_handle(&s->call, &events, s);
    arb_rpc_begin(arb_rpc_call_ref(&s->call));
    assert_int_equal(s->starts, 1);
}

/* The call is over, and nothing is with the transport any more. */
static void script_end(script *s, arb_code code)
{
    arb_error outcome = {0};
    if (code != ARB_OK)
        (void)arb_fail(&outcome, code, "the test ends it");
    arb_rpc_call_got_headers(&s->call, false);
    arb_rpc_call_closed(&s->call, &outcome);
    assert_int_equal(s->done, 1);
    assert_int_equal(s->outcome, code);
    assert_int_equal(s->releases, 1);
    arb_rpc_call_unref(&s->call);
}

static void send_bytes(arb_rpc_call *call, size_t size)
{
    static const char bytes[64];
    arb_rpc_message *message;
    arb_error error = {0};
    assert_int_equal(arb_rpc_message_copy((arb_str){bytes, size}, &message, &error), ARB_OK);
    assert_int_equal(arb_rpc_send(call, message, &error), ARB_OK);
}

static void do_everything(arb_rpc_call *call)
{
    send_bytes(call, 5);
    arb_rpc_read(call);
    arb_rpc_half_close(call);
    arb_rpc_cancel(call);
}

static void nothing_comes_before_the_start_has_returned(void **state)
{
    (void)state;
    script s;
    script_begin(&s, 10, do_everything);
    assert_int_equal(s.sends, 1);
    assert_int_equal(s.receives, 1);
    assert_int_equal(s.cancels, 1);
    arb_rpc_call_sent(&s.call, false);
    arb_rpc_call_received(&s.call, NULL, false);
    script_end(&s, ARB_CANCELLED);
}

static void a_failed_send_wakes_its_sender(void **state)
{
    (void)state;
    script s;
    arb_rpc_message *message;
    arb_error error = {0};
    script_begin(&s, 10, NULL);
    arb_rpc_call_sent(&s.call, true); /* the headers */
    send_bytes(&s.call, 8);
    assert_true(arb_rpc_writable(&s.call));
    send_bytes(&s.call, 8);
    assert_false(arb_rpc_writable(&s.call));
    assert_int_equal(s.writable, 0);
    arb_rpc_call_sent(&s.call, false);
    assert_int_equal(s.writable, 1);
    assert_true(arb_rpc_writable(&s.call));
    assert_int_equal(arb_rpc_message_copy(ARB_STR("late"), &message, &error), ARB_OK);
    assert_int_equal(arb_rpc_send(&s.call, message, &error), ARB_CANCELLED);
    assert_int_equal(s.sends, 2);
    assert_int_equal(s.done, 0);
    script_end(&s, ARB_UNDEFINED_TABLE);
}

/* A queue that is always full at its end and taken from at its front. Were all of it moved each time, this would take half a
 * minute. */
static void a_long_queue_moves_along(void **state)
{
    enum { waiting = 1 << 12, turns = 20000 };
    (void)state;
    script s;
    script_begin(&s, 1, NULL);
    for (int i = 0; i < waiting; i++)
        send_bytes(&s.call, 0);
    const arb_rpc_queue *queue = &s.call.queue;
    size_t size = queue->messages.capacity, moved = 0;
    while (queue->messages.size < size)
        send_bytes(&s.call, 0);
    for (int i = 0; i < turns; i++) {
        arb_rpc_call_sent(&s.call, true);
        size_t head = queue->head, waited = queue->messages.size - head;
        send_bytes(&s.call, 0);
        moved += queue->head < head ? waited : 0;
    }
    assert_true(moved > 0);
    assert_true(moved <= turns); /* for each that was taken one moves at most */
    assert_true(queue->messages.capacity <= 2 * size);
    assert_int_equal(s.sends, turns + 1); /* and the headers */
    arb_rpc_call_sent(&s.call, false);
    script_end(&s, ARB_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_before_the_start_has_returned),
        cmocka_unit_test(a_failed_send_wakes_its_sender),
        cmocka_unit_test(a_long_queue_moves_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
