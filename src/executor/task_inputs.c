#include "executor/task_inputs.h"

#include "base/alloc.h"
#include "base/vec.h"
#include "exchange/exchange_operators.h"
#include "exchange_flight/output_feed.h"

/* What one EXCHANGE reads of one executor. */
typedef struct peer_reader {
    uint32_t peer;
    arb_output_fetch *fetch;
    size_t count;
    const size_t *sources; /* by attempt of the fetch's ticket: which of the input's sources it is */
} peer_reader;

/* One EXCHANGE. Its parts are, partition after partition, what the sources left. */
typedef struct exchange_reader {
    struct exchange_reader *next;
    const arb_task_input *input;
    _Atomic size_t failed; /* part */
    size_t reader_count;
    peer_reader *readers; /* of other executors */
} exchange_reader;

struct arb_task_inputs {
    arb_task_inputs_options options; /* its lists lie in the arena */
    arb_arena arena;
    exchange_reader *readers;
    bool missing; /* an output that should be here is not */
    uint32_t missing_stage;
    arb_input_source missing_source;
};

static void *copy_list(arb_arena *arena, const void *list, size_t count, size_t size)
{
    void *copy = arb_arena_alloc(arena, (count + 1) * size);
    if (copy != NULL && count != 0)
        memcpy(copy, list, count * size);
    return copy;
}

static bool copy_options(arb_task_inputs *inputs, const arb_task_inputs_options *from)
{
    arb_task_inputs_options *to = &inputs->options;
    *to = *from;
    arb_task_input *list = copy_list(&inputs->arena, from->inputs, from->input_count, sizeof *list);
    to->inputs = list;
    to->peers = copy_list(&inputs->arena, from->peers, from->peer_count, sizeof *to->peers);
    if (list == NULL || to->peers == NULL)
        return false;
    for (size_t i = 0; i < from->input_count; i++) {
        list[i].sources = copy_list(&inputs->arena, list[i].sources, list[i].source_count, sizeof *list[i].sources);
        if (list[i].sources == NULL)
            return false;
    }
    return true;
}

arb_code arb_task_inputs_create(const arb_task_inputs_options *options, arb_task_inputs **out_inputs, arb_error *error)
{
    *out_inputs = NULL;
    arb_task_inputs *inputs = arb_alloc_zeroed(sizeof *inputs);
    if (inputs == NULL)
        return arb_fail_memory(error, "a task", sizeof *inputs);
    if (!copy_options(inputs, options)) {
        arb_task_inputs_destroy(inputs);
        return arb_fail_memory(error, "a task", 0);
    }
    *out_inputs = inputs;
    return ARB_OK;
}

void arb_task_inputs_destroy(arb_task_inputs *inputs)
{
    if (inputs == NULL)
        return;
    for (exchange_reader *at = inputs->readers; at != NULL; at = at->next)
        for (size_t i = 0; i < at->reader_count; i++)
            arb_output_fetch_destroy(at->readers[i].fetch);
    arb_arena_reset(&inputs->arena);
    arb_free(inputs);
}

/* ---- one EXCHANGE ---------------------------------------------------------------------------------------------------------- */

typedef struct partition_list {
    size_t count;
    const uint32_t *numbers;
} partition_list;

static arb_code partitions_of(arb_task_inputs *inputs, const arb_physical_node *node, const arb_leaf_units *units,
                              partition_list *out, arb_error *error)
{
    *out = (partition_list){units != NULL ? units->count : 0, units != NULL ? units->units : NULL};
    if (node->exchange.read != ARB_READ_ALL)
        return ARB_OK;
    uint32_t *all = ARB_ARENA_ARRAY(&inputs->arena, uint32_t, node->exchange.partitions);
    if (all == NULL)
        return arb_fail_memory(error, "a task", node->exchange.partitions * sizeof *all);
    for (uint32_t i = 0; i < node->exchange.partitions; i++)
        all[i] = i;
    *out = (partition_list){node->exchange.partitions, all};
    return ARB_OK;
}

/* Read what the peer has of the input; nothing of it: *reader stays empty. */
static arb_code read_peer(arb_task_inputs *inputs, const arb_task_input *input, const partition_list *partitions,
                          uint32_t peer, bool later, peer_reader *reader, arb_error *error)
{
    const arb_task_inputs_options *o = &inputs->options;
    arb_ticket_attempt *attempts = ARB_ARENA_ARRAY(&inputs->arena, arb_ticket_attempt, input->source_count + 1);
    size_t *sources = ARB_ARENA_ARRAY(&inputs->arena, size_t, input->source_count + 1);
    if (attempts == NULL || sources == NULL)
        return arb_fail_memory(error, "a task", input->source_count * sizeof *attempts);
    *reader = (peer_reader){.peer = peer, .sources = sources};
    for (size_t i = 0; i < input->source_count; i++) {
        const arb_input_source *source = &input->sources[i];
        if (source->peer != peer)
            continue;
        sources[reader->count] = i;
        attempts[reader->count++] = (arb_ticket_attempt){source->task, source->attempt.term, source->attempt.number};
    }
    if (reader->count == 0 || partitions->count == 0)
        return ARB_OK;
    arb_output_ticket ticket = {.cluster = o->cluster,
                                .job_term = o->job.term,
                                .job = o->job.number,
                                .stage = input->stage,
                                .attempt_count = reader->count,
                                .attempts = attempts,
                                .partition_count = partitions->count,
                                .partitions = partitions->numbers};
    arb_fetch_options options = {.channel = o->peers[peer].channel,
                                 .loop = o->loop,
                                 .ticket = &ticket,
                                 .key = &o->peers[peer].key,
                                 .pool = o->pool,
                                 .window = o->window,
                                 .unreachable_ns = o->unreachable_ns,
                                 .later = later};
    return arb_output_fetch_create(&options, &reader->fetch, error);
}

/* A count of an output of this process, for the parts that it is. */
static arb_code find_here(arb_task_inputs *inputs, const arb_task_input *input, const arb_input_source *source,
                          arb_attempt_output **out_output, arb_error *error)
{
    arb_block_origin origin = {.job_term = inputs->options.job.term,
                               .job = inputs->options.job.number,
                               .attempt_term = source->attempt.term,
                               .attempt = source->attempt.number,
                               .stage = input->stage,
                               .task = source->task};
    *out_output = arb_output_store_find(inputs->options.store, &origin);
    if (*out_output != NULL)
        return ARB_OK;
    inputs->missing = true;
    inputs->missing_stage = input->stage;
    inputs->missing_source = *source;
    return arb_fail(error, ARB_UNDEFINED_OBJECT, "the output of task %u of stage %u is not here", source->task,
                    input->stage);
}

/* The parts of source `number`, in all partitions. */
static arb_code add_parts(arb_task_inputs *inputs, exchange_reader *reader, const partition_list *partitions,
                          size_t number, arb_feed_part *parts, arb_error *error)
{
    const arb_task_input *input = reader->input;
    const arb_input_source *source = &input->sources[number];
    arb_attempt_output *output = NULL;
    const peer_reader *from = NULL;
    size_t place = 0;
    if (inputs->options.peers[source->peer].channel == NULL) {
        ARB_TRY(find_here(inputs, input, source, &output, error));
    } else {
        for (size_t i = 0; i < reader->reader_count; i++)
            if (reader->readers[i].peer == source->peer)
                from = &reader->readers[i];
        while (from->sources[place] != number)
            place++;
    }
    for (size_t p = 0; p < partitions->count; p++) {
        arb_feed_part *part = &parts[p * input->source_count + number];
        part->partition = partitions->numbers[p];
        part->output = output != NULL ? arb_attempt_output_ref(output) : NULL;
        part->fetch = from != NULL ? from->fetch : NULL;
        part->unit = from != NULL ? p * from->count + place : 0;
    }
    arb_attempt_output_unref(output);
    return ARB_OK;
}

static const arb_task_input *input_of(const arb_task_inputs *inputs, uint32_t stage)
{
    for (size_t i = 0; i < inputs->options.input_count; i++)
        if (inputs->options.inputs[i].stage == stage)
            return &inputs->options.inputs[i];
    return NULL;
}

static arb_code begin_to_read(arb_task_inputs *inputs, exchange_reader *reader, const partition_list *partitions,
                              bool later, arb_error *error)
{
    reader->readers = ARB_ARENA_ARRAY(&inputs->arena, peer_reader, inputs->options.peer_count + 1);
    if (reader->readers == NULL)
        return arb_fail_memory(error, "a task", inputs->options.peer_count * sizeof *reader->readers);
    for (uint32_t peer = 0; peer < inputs->options.peer_count; peer++)
        if (inputs->options.peers[peer].channel != NULL)
            ARB_TRY(read_peer(inputs, reader->input, partitions, peer, later, &reader->readers[reader->reader_count++],
                              error));
    return ARB_OK;
}

static arb_code make_feed(arb_task_inputs *inputs, exchange_reader *reader, const partition_list *partitions,
                          arb_block_feed **out_feed, arb_error *error)
{
    size_t sources = reader->input->source_count, count = partitions->count * sources;
    arb_feed_part *parts = arb_alloc_zeroed((count + 1) * sizeof *parts);
    arb_code code = parts != NULL ? ARB_OK : arb_fail_memory(error, "a task", count * sizeof *parts);
    for (size_t i = 0; code == ARB_OK && i < sources && count != 0; i++)
        code = add_parts(inputs, reader, partitions, i, parts, error);
    if (code == ARB_OK)
        code = arb_output_feed_create(parts, count, &reader->failed, out_feed, error);
    for (size_t i = 0; parts != NULL && i < count; i++)
        arb_attempt_output_unref(parts[i].output); /* the feed has counts of its own */
    arb_free(parts);
    return code;
}

arb_code arb_task_inputs_source(arb_task_inputs *inputs, const arb_physical_node *node, const arb_leaf_units *units,
                                bool later, arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    partition_list partitions;
    arb_block_feed *feed;
    exchange_reader *reader = ARB_ARENA_NEW(&inputs->arena, exchange_reader);
    if (reader == NULL)
        return arb_fail_memory(error, "a task", sizeof *reader);
    atomic_init(&reader->failed, SIZE_MAX);
    reader->input = input_of(inputs, node->exchange.stage);
    if (reader->input == NULL)
        return arb_fail(error, ARB_INTERNAL, "nobody said where the output of stage %u is", node->exchange.stage);
    ARB_TRY(partitions_of(inputs, node, units, &partitions, error));
    reader->next = inputs->readers;
    inputs->readers = reader;
    ARB_TRY(begin_to_read(inputs, reader, &partitions, later, error));
    ARB_TRY(make_feed(inputs, reader, &partitions, &feed, error));
    return arb_exchange_source_create(node, feed, context, out_op, error);
}

void arb_task_inputs_gone(arb_task_inputs *inputs, arb_uuid executor)
{
    for (exchange_reader *at = inputs->readers; at != NULL; at = at->next)
        for (size_t i = 0; i < at->reader_count; i++) {
            peer_reader *reader = &at->readers[i];
            if (reader->fetch != NULL && arb_uuid_equal(inputs->options.peers[reader->peer].executor, executor))
                arb_output_fetch_give_up(reader->fetch);
        }
}

/* ---- what failed ----------------------------------------------------------------------------------------------------------- */

static bool kind_of(arb_code code, arb_read_failure *out)
{
    switch (code) {
    case ARB_UNDEFINED_OBJECT:
    case ARB_ACCESS_DENIED: /* its key is another one: the process with the output is gone */
        *out = ARB_READ_NOT_FOUND;
        return true;
    case ARB_CORRUPT_DATA:
        *out = ARB_READ_CORRUPT;
        return true;
    case ARB_CONNECTION_FAILED:
        *out = ARB_READ_UNREACHABLE;
        return true;
    default:
        return false;
    }
}

static void name_source(uint32_t stage, const arb_input_source *source, arb_failure *out)
{
    out->producer_stage = stage;
    out->producer_task = source->task;
    out->producer_attempt = source->attempt;
}

/* The source of the part, or the one that its fetch names. */
static size_t source_at_fault(const exchange_reader *reader, size_t part)
{
    size_t source = part % reader->input->source_count;
    for (size_t i = 0; i < reader->reader_count; i++) {
        const peer_reader *from = &reader->readers[i];
        size_t at_fault =
            from->peer == reader->input->sources[source].peer ? arb_output_fetch_at_fault(from->fetch) : SIZE_MAX;
        if (at_fault < from->count)
            return from->sources[at_fault];
    }
    return source;
}

bool arb_task_inputs_failure(arb_task_inputs *inputs, arb_code code, arb_failure *out_failure)
{
    arb_read_failure kind;
    if (!kind_of(code, &kind))
        return false;
    *out_failure = (arb_failure){.kind = ARB_FAILURE_READ, .read = kind};
    if (inputs->missing) {
        name_source(inputs->missing_stage, &inputs->missing_source, out_failure);
        return true;
    }
    for (const exchange_reader *at = inputs->readers; at != NULL; at = at->next) {
        size_t part = atomic_load(&at->failed);
        if (part == SIZE_MAX)
            continue;
        name_source(at->input->stage, &at->input->sources[source_at_fault(at, part)], out_failure);
        return true;
    }
    return false;
}
