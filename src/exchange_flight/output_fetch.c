#include "exchange_flight/output_fetch.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/stop.h"
#include "base/vec.h"
#include "exchange_flight/output_service.h"
#include "proto/flight.pb-c.h"
#include "rpc/flight_data.h"
#include "rpc/flight_service.h"

enum { FRUITLESS_MOST = 10 }; /* connections that bring no block */
static const int64_t RETRY_LEAST_NS = 50000000, RETRY_MOST_NS = 1000000000;

#define DO_GET "/" ARB_FLIGHT_SERVICE_NAME "/DoGet"

typedef struct fetched_block {
    struct fetched_block *next;
    size_t unit;
    arb_block block;
} fetched_block;

typedef struct fetch_timer {
    arb_rpc_timer timer;
    bool waits; /* set, and not over */
} fetch_timer;

/* Its counts: the owner's, and one each for the call that is under way and the timers that are set. */
struct arb_output_fetch {
    pthread_mutex_t lock; /* of all below */
    unsigned references;
    arb_rpc_channel *channel;
    arb_rpc_loop *loop;
    fetch_timer retry, limit;
    arb_seal_key key;
    arb_output_pool *pool;
    size_t window;
    int64_t unreachable_ns;
    arb_arena arena; /* the ticket */
    arb_output_ticket ticket;
    arb_rpc_call *call; /* a count, while it runs */
    fetched_block *first, **last;
    size_t queued; /* bytes */
    bool begun;    /* somebody wants what it reads */
    bool asked;    /* a message has been asked for and has not come */
    bool complete, closed;
    size_t unit, seen;           /* of the last block that came, and how many of that unit have come */
    size_t call_unit, call_seen; /* the same of the call under way, which may begin before it */
    bool reached;                /* the call under way has brought something */
    int64_t unreached_ns;        /* since when there was no answer; 0: there is one */
    int64_t patience_ns;         /* before the last retry */
    unsigned fruitless;
    size_t at_fault;
    arb_error error; /* the first */
    ARB_VEC(arb_task *) waiting;
};

/* Nobody will take what waits. */
static void drop_blocks(arb_output_fetch *fetch)
{
    for (fetched_block *at = fetch->first, *next; at != NULL; at = next) {
        next = at->next;
        arb_output_pool_give_back(fetch->pool, arb_block_bytes(&at->block));
        arb_block_reset(&at->block);
        arb_free(at);
    }
    fetch->first = NULL;
    fetch->last = &fetch->first;
}

static void free_fetch(arb_output_fetch *fetch)
{
    assert(fetch->first == NULL);
    ARB_VEC_RESET(&fetch->waiting);
    arb_arena_reset(&fetch->arena);
    pthread_mutex_destroy(&fetch->lock);
    arb_free(fetch);
}

static void unref_fetch(arb_output_fetch *fetch)
{
    pthread_mutex_lock(&fetch->lock);
    bool last = --fetch->references == 0;
    pthread_mutex_unlock(&fetch->lock);
    if (last)
        free_fetch(fetch);
}

/* ---- with the lock held -------------------------------------------------------------------------------------------------- */

static void wake_all(arb_output_fetch *fetch)
{
    for (size_t i = 0; i < fetch->waiting.size; i++)
        arb_task_wake(fetch->waiting.data[i]);
    fetch->waiting.size = 0;
}

static void fail_with(arb_output_fetch *fetch, const arb_error *error)
{
    if (fetch->error.code == ARB_OK)
        fetch->error = *error;
    wake_all(fetch);
}

/* A reader that waits for nothing but its next block gets it, whatever others hold. */
static void ask_for_more(arb_output_fetch *fetch)
{
    if (fetch->call == NULL || fetch->asked || fetch->queued >= fetch->window ||
        (fetch->first != NULL && arb_output_pool_is_short(fetch->pool)))
        return;
    fetch->asked = true;
    arb_rpc_read(fetch->call);
}

/* ---- the connection ------------------------------------------------------------------------------------------------------ */

static void begin(arb_output_fetch *fetch);

/* With the lock held: a timer is the fetch's as long as it is set. */
static void set_timer(arb_output_fetch *fetch, fetch_timer *timer, int64_t at_ns)
{
    if (timer->waits)
        return;
    timer->waits = true;
    fetch->references++;
    arb_rpc_loop_set(fetch->loop, &timer->timer, at_ns);
}

static void unset_timer(arb_output_fetch *fetch, fetch_timer *timer)
{
    if (!timer->waits || !arb_rpc_loop_unset(fetch->loop, &timer->timer))
        return; /* it is about to look for itself */
    timer->waits = false;
    fetch->references--; /* the caller has one */
}

/* With the lock held: no answer yet, from now on or since it was noted. */
static void note_unreached(arb_output_fetch *fetch)
{
    if (fetch->unreached_ns != 0)
        return;
    fetch->unreached_ns = arb_clock_monotonic_ns();
    set_timer(fetch, &fetch->limit, fetch->unreached_ns + fetch->unreachable_ns);
}

static void note_reached(arb_output_fetch *fetch)
{
    fetch->reached = true;
    fetch->unreached_ns = 0;
    unset_timer(fetch, &fetch->limit);
}

/* Nothing of it goes on. */
static void shut(arb_output_fetch *fetch)
{
    unset_timer(fetch, &fetch->limit);
    unset_timer(fetch, &fetch->retry);
    if (fetch->call != NULL)
        arb_rpc_cancel(fetch->call);
}

static void limit_is_over(arb_rpc_timer *timer)
{
    arb_output_fetch *fetch = ARB_CONTAINER_OF(timer, arb_output_fetch, limit.timer);
    arb_error error = {0};
    (void)arb_fail(&error, ARB_CONNECTION_FAILED, "the executor with a task's output cannot be reached");
    pthread_mutex_lock(&fetch->lock);
    fetch->limit.waits = false;
    if (fetch->unreached_ns != 0 && !fetch->closed && fetch->error.code == ARB_OK) {
        int64_t until = fetch->unreached_ns + fetch->unreachable_ns;
        if (arb_clock_monotonic_ns() >= until) {
            fail_with(fetch, &error);
            shut(fetch);
        } else {
            set_timer(fetch, &fetch->limit, until);
        }
    }
    pthread_mutex_unlock(&fetch->lock);
    unref_fetch(fetch);
}

static void retry(arb_rpc_timer *timer)
{
    arb_output_fetch *fetch = ARB_CONTAINER_OF(timer, arb_output_fetch, retry.timer);
    pthread_mutex_lock(&fetch->lock);
    fetch->retry.waits = false;
    pthread_mutex_unlock(&fetch->lock);
    begin(fetch);
    unref_fetch(fetch);
}

/* With the lock held: soon, later, still later; false: it was reached often enough without giving anything. */
static bool try_again(arb_output_fetch *fetch)
{
    fetch->fruitless += fetch->reached;
    if (fetch->fruitless > FRUITLESS_MOST)
        return false;
    note_unreached(fetch);
    fetch->patience_ns = ARB_MIN(ARB_MAX(2 * fetch->patience_ns, RETRY_LEAST_NS), RETRY_MOST_NS);
    set_timer(fetch, &fetch->retry, arb_clock_monotonic_ns() + fetch->patience_ns);
    return true;
}

/* ---- blocks that come ---------------------------------------------------------------------------------------------------- */

static arb_code not_what_it_should(arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "what an executor sent of a task's output is damaged");
}

/* Which unit the block belongs to; a call does not go back. */
static arb_code find_unit(arb_output_fetch *fetch, const arb_served_block *served, size_t *out_unit, arb_error *error)
{
    const arb_output_ticket *ticket = &fetch->ticket;
    for (size_t unit = fetch->call_unit; unit < ticket->partition_count * ticket->attempt_count; unit++) {
        const arb_ticket_attempt *attempt = &ticket->attempts[unit % ticket->attempt_count];
        if (served->partition == ticket->partitions[unit / ticket->attempt_count] && served->task == attempt->task &&
            served->attempt == attempt->number && served->attempt_term == attempt->term) {
            *out_unit = unit;
            return ARB_OK;
        }
    }
    return not_what_it_should(error);
}

/* A block of its own, proved. */
static arb_code take_block(arb_output_fetch *fetch, const arb_flight_data *data, const arb_served_block *served,
                           fetched_block *block, arb_error *error)
{
    block->block = (arb_block){.rows = served->rows,
                               .metadata_size = (uint32_t)data->header.size,
                               .body_size = data->body.size,
                               .checksum = served->checksum};
    ARB_TRY(arb_block_room(&block->block, error));
    memcpy(block->block.data, data->header.data, data->header.size);
    if (data->body.size != 0)
        memcpy(block->block.data + block->block.body_at, data->body.data, data->body.size);
    ARB_FAILPOINT_DAMAGE(EXCHANGE_ARRIVED, block->block.data + block->block.body_at, block->block.body_size);
    arb_block_origin origin = {.job_term = fetch->ticket.job_term,
                               .job = fetch->ticket.job,
                               .attempt_term = served->attempt_term,
                               .attempt = served->attempt,
                               .stage = fetch->ticket.stage,
                               .task = served->task,
                               .partition = served->partition};
    return arb_block_checksum(&block->block, &origin) == served->checksum ? ARB_OK : not_what_it_should(error);
}

/* False: the block has come before, by a connection that broke. */
static bool is_new(arb_output_fetch *fetch, size_t unit)
{
    fetch->call_seen = unit == fetch->call_unit ? fetch->call_seen + 1 : 1;
    fetch->call_unit = unit;
    if (unit < fetch->unit || (unit == fetch->unit && fetch->call_seen <= fetch->seen))
        return false;
    fetch->unit = unit;
    fetch->seen = fetch->call_seen;
    return true;
}

static arb_code take_message(arb_output_fetch *fetch, arb_rpc_message *message, arb_error *error)
{
    arb_flight_data data;
    arb_served_block served;
    size_t unit = 0;
    ARB_TRY(arb_flight_data_read(message, &data, error));
    fetched_block *block = NULL;
    arb_code code = ARB_OK;
    if (data.app_metadata.size == 0)
        goto done; /* the schema */
    if (!arb_served_block_read(data.app_metadata, &served) || data.header.size > UINT32_MAX)
        code = not_what_it_should(error);
    if (code == ARB_OK && (block = arb_alloc_zeroed(sizeof *block)) == NULL)
        code = arb_fail_memory(error, "a block", sizeof *block);
    pthread_mutex_lock(&fetch->lock);
    if (code == ARB_OK)
        code = find_unit(fetch, &served, &unit, error);
    pthread_mutex_unlock(&fetch->lock);
    if (code == ARB_OK)
        code = take_block(fetch, &data, &served, block, error);
    pthread_mutex_lock(&fetch->lock);
    if (code == ARB_CORRUPT_DATA && block != NULL)
        fetch->at_fault = unit % fetch->ticket.attempt_count;
    if (code == ARB_OK && !fetch->closed && is_new(fetch, unit)) {
        arb_output_pool_charge(fetch->pool, arb_block_bytes(&block->block));
        block->unit = unit;
        *fetch->last = block;
        fetch->last = &block->next;
        fetch->queued += block->block.body_size;
        fetch->fruitless = 0;
        fetch->patience_ns = 0;
        block = NULL;
        wake_all(fetch);
    }
    pthread_mutex_unlock(&fetch->lock);
done:
    if (block != NULL)
        arb_block_reset(&block->block);
    arb_free(block);
    arb_flight_data_reset(&data);
    return code;
}

static void on_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    (void)call;
    arb_output_fetch *fetch = context;
    arb_error error = {0};
    arb_code code = take_message(fetch, message, &error);
    pthread_mutex_lock(&fetch->lock);
    fetch->asked = false;
    note_reached(fetch);
    if (code != ARB_OK) {
        fail_with(fetch, &error);
        shut(fetch);
    } else {
        ask_for_more(fetch);
    }
    pthread_mutex_unlock(&fetch->lock);
}

static size_t number_in(arb_str text)
{
    size_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || number > SIZE_MAX / 16)
            return SIZE_MAX;
        number = number * 10 + (size_t)(text.data[i] - '0');
    }
    return text.size == 0 ? SIZE_MAX : number;
}

static void on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    arb_output_fetch *fetch = context;
    arb_error error = *outcome;
    size_t fault = number_in(arb_rpc_metadata_find(arb_rpc_response_trailers(call), ARB_STR(ARB_OUTPUT_AT_FAULT)));
    bool broken = outcome->code == ARB_CONNECTION_FAILED || outcome->code == ARB_CANCELLED;
    pthread_mutex_lock(&fetch->lock);
    fetch->call = NULL;
    fetch->asked = false;
    if (fetch->closed || fetch->error.code != ARB_OK) {
        /* nobody cares */
    } else if (outcome->code == ARB_OK) {
        note_reached(fetch);
        fetch->complete = true;
        wake_all(fetch);
    } else if (!broken || !try_again(fetch)) {
        if (broken)
            error.code = ARB_CONNECTION_FAILED;
        else if (fault < fetch->ticket.attempt_count)
            fetch->at_fault = fault;
        fail_with(fetch, &error);
        shut(fetch);
    }
    pthread_mutex_unlock(&fetch->lock);
    arb_rpc_call_unref(call);
    unref_fetch(fetch);
}

/* What is still to come: the partitions from the one under way. */
static arb_code seal_rest(arb_output_fetch *fetch, arb_text *out, arb_error *error)
{
    arb_output_ticket rest = fetch->ticket;
    size_t done = fetch->unit / rest.attempt_count;
    rest.partitions += done;
    rest.partition_count -= done;
    return arb_output_ticket_seal(&rest, &fetch->key, out, error);
}

static arb_code send_ticket(arb_rpc_call *call, const arb_text *ticket, arb_error *error)
{
    Arrow__Flight__Protocol__Ticket message = ARROW__FLIGHT__PROTOCOL__TICKET__INIT;
    message.ticket = (ProtobufCBinaryData){ticket->size, (uint8_t *)ticket->data};
    ARB_TRY(arb_flight_send(call, &message.base, error));
    arb_rpc_half_close(call);
    return ARB_OK;
}

/* A call from where reading stands. */
static void begin(arb_output_fetch *fetch)
{
    static const arb_rpc_events events = {.on_message = on_message, .on_done = on_done};
    arb_rpc_call_options options = {.method = DO_GET};
    arb_rpc_call *call = NULL;
    arb_text ticket = {0};
    arb_error error = {0};
    pthread_mutex_lock(&fetch->lock);
    if (fetch->closed || fetch->error.code != ARB_OK) {
        pthread_mutex_unlock(&fetch->lock);
        return;
    }
    arb_code code = seal_rest(fetch, &ticket, &error);
    if (code == ARB_OK)
        code = arb_rpc_channel_call(fetch->channel, &options, &events, fetch, &call, &error);
    if (code == ARB_OK)
        code = send_ticket(call, &ticket, &error);
    if (code != ARB_OK) {
        arb_rpc_call_unref(call);
        fail_with(fetch, &error);
        shut(fetch);
    } else {
        fetch->reached = false;
        note_unreached(fetch);
        /* what the partition under way has given comes again */
        fetch->call_unit = fetch->unit - fetch->unit % fetch->ticket.attempt_count;
        fetch->call_seen = 0;
        fetch->references++;
        fetch->call = arb_rpc_call_ref(call);
        ask_for_more(fetch);
        arb_rpc_begin(call);
    }
    pthread_mutex_unlock(&fetch->lock);
    arb_text_reset(&ticket);
}

/* ---- for the reader ------------------------------------------------------------------------------------------------------ */

static arb_code copy_ticket(arb_output_fetch *fetch, const arb_output_ticket *ticket, arb_error *error)
{
    arb_ticket_attempt *attempts = ARB_ARENA_ARRAY(&fetch->arena, arb_ticket_attempt, ticket->attempt_count);
    uint32_t *partitions = ARB_ARENA_ARRAY(&fetch->arena, uint32_t, ticket->partition_count);
    fetch->ticket = *ticket;
    fetch->ticket.user = arb_str_copy(&fetch->arena, ticket->user);
    if (attempts == NULL || partitions == NULL || fetch->ticket.user.data == NULL)
        return arb_fail_memory(error, "a reader", ticket->attempt_count * sizeof *attempts);
    memcpy(attempts, ticket->attempts, ticket->attempt_count * sizeof *attempts);
    memcpy(partitions, ticket->partitions, ticket->partition_count * sizeof *partitions);
    fetch->ticket.attempts = attempts;
    fetch->ticket.partitions = partitions;
    return ARB_OK;
}

arb_code arb_output_fetch_create(const arb_fetch_options *options, arb_output_fetch **out_fetch, arb_error *error)
{
    assert(options->ticket->attempt_count > 0 && options->ticket->partition_count > 0);
    *out_fetch = NULL;
    arb_output_fetch *fetch = arb_alloc_zeroed(sizeof *fetch);
    if (fetch == NULL)
        return arb_fail_memory(error, "a reader", sizeof *fetch);
    fetch->references = 1;
    fetch->channel = options->channel;
    fetch->loop = options->loop;
    fetch->retry.timer.run = retry;
    fetch->limit.timer.run = limit_is_over;
    fetch->key = *options->key;
    fetch->pool = options->pool;
    fetch->window = options->window;
    fetch->unreachable_ns = options->unreachable_ns;
    fetch->last = &fetch->first;
    fetch->at_fault = SIZE_MAX;
    pthread_mutex_init(&fetch->lock, NULL);
    arb_code code = copy_ticket(fetch, options->ticket, error);
    if (code != ARB_OK) {
        free_fetch(fetch);
        return code;
    }
    fetch->begun = !options->later;
    if (fetch->begun)
        begin(fetch);
    *out_fetch = fetch;
    return ARB_OK;
}

void arb_output_fetch_destroy(arb_output_fetch *fetch)
{
    if (fetch == NULL)
        return;
    pthread_mutex_lock(&fetch->lock);
    fetch->closed = true;
    shut(fetch);
    drop_blocks(fetch);
    pthread_mutex_unlock(&fetch->lock);
    unref_fetch(fetch);
}

static void end_with(arb_output_fetch *fetch, const arb_error *error)
{
    pthread_mutex_lock(&fetch->lock);
    fail_with(fetch, error);
    shut(fetch);
    pthread_mutex_unlock(&fetch->lock);
}

void arb_output_fetch_stop(arb_output_fetch *fetch)
{
    arb_error error = {0};
    (void)arb_fail_stopped(&error);
    end_with(fetch, &error);
}

void arb_output_fetch_give_up(arb_output_fetch *fetch)
{
    arb_error error = {0};
    (void)arb_fail(&error, ARB_CONNECTION_FAILED, "the executor with a task's output is gone");
    end_with(fetch, &error);
}

size_t arb_output_fetch_at_fault(arb_output_fetch *fetch)
{
    pthread_mutex_lock(&fetch->lock);
    size_t at_fault = fetch->at_fault;
    pthread_mutex_unlock(&fetch->lock);
    return at_fault;
}

/* With the lock held: the first block that waits, which is of the unit. */
static void pop(arb_output_fetch *fetch, arb_block_loan *out_loan)
{
    fetched_block *head = fetch->first;
    fetch->first = head->next;
    if (fetch->first == NULL)
        fetch->last = &fetch->first;
    fetch->queued -= head->block.body_size;
    *out_loan = (arb_block_loan){.block = head->block, .pool = fetch->pool};
    arb_free(head);
    ask_for_more(fetch);
    wake_all(fetch); /* another unit's block may stand first now */
}

arb_code arb_output_fetch_take(arb_output_fetch *fetch, size_t unit, arb_task *task, arb_fed *out_what,
                               arb_block_loan *out_loan, arb_error *error)
{
    pthread_mutex_lock(&fetch->lock);
    if (!fetch->begun) {
        fetch->begun = true;
        pthread_mutex_unlock(&fetch->lock);
        begin(fetch);
        pthread_mutex_lock(&fetch->lock);
    }
    arb_code code = fetch->error.code;
    const fetched_block *head = fetch->first;
    size_t reached = head != NULL ? head->unit : fetch->complete ? SIZE_MAX : fetch->unit;
    if (code != ARB_OK) {
        if (error != NULL)
            *error = fetch->error;
    } else if (head != NULL && head->unit == unit) {
        pop(fetch, out_loan);
        *out_what = ARB_FED_BLOCK;
    } else if (reached > unit) {
        *out_what = ARB_FED_END;
    } else {
        *out_what = ARB_FED_WAIT;
        if (!ARB_VEC_PUSH(&fetch->waiting, task))
            code = arb_fail_memory(error, "a reader", sizeof task);
    }
    pthread_mutex_unlock(&fetch->lock);
    return code;
}
