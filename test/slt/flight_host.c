#include "flight_host.h"

#include <semaphore.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/vec.h"
#include "exchange_flight/output_service.h"
#include "executor/task_run.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"
#include "rpc/rpc_memory_transport.h"

enum { EXECUTORS_MOST = 16, WINDOW = 1 << 20 };

typedef struct executor {
    arb_uuid id;
    arb_output_store *store;
    arb_seal_key key;
    arb_output_service *service;
    arb_flight_methods methods;
    arb_flight_service flight;
    arb_rpc_server *server;
    arb_rpc_channel *channel; /* to it */
} executor;

struct slt_executors {
    arb_uuid cluster;
    arb_rpc_hub *hub; /* one of the two */
    arb_grpc_runtime *runtime;
    arb_rpc_loop loop;
    bool looping;
    uint64_t jobs, attempts; /* so far */
    unsigned count;
    executor list[EXECUTORS_MOST];
};

typedef struct stage_sources {
    ARB_VEC(arb_input_source) tasks; /* arena */
} stage_sources;

typedef struct flight_host {
    slt_task_host base;
    slt_executors *executors;
    arb_arena arena;
    arb_id job;
    size_t stage_count;
    stage_sources *stages;
    arb_task_inputs *result; /* of who takes the rows */
} flight_host;

/* ---- executors -------------------------------------------------------------------------------------------------------------- */

static arb_code serve(slt_executors *e, executor *x, unsigned number, arb_error *error)
{
    char name[64];
    arb_rpc_service service = arb_flight_service_entry(&x->flight);
    arb_rpc_server_options options = {.services = &service, .service_count = 1};
    snprintf(name, sizeof name, "executor %u", number);
    if (e->hub != NULL) {
        ARB_TRY(arb_rpc_memory_server_create(e->hub, name, &options, &x->server, error));
        return arb_rpc_memory_channel_create(e->hub, name, NULL, &x->channel, error);
    }
    ARB_TRY(arb_grpc_server_create(e->runtime, &options, &x->server, error));
    snprintf(name, sizeof name, "127.0.0.1:%d", arb_rpc_server_port(x->server, 0));
    return arb_grpc_channel_create(e->runtime, name, NULL, &x->channel, error);
}

static arb_code begin_executor(slt_executors *e, unsigned number, uint64_t memory_most, arb_error *error)
{
    executor *x = &e->list[number];
    e->count = number + 1;
    ARB_TRY(arb_uuid_make(&x->id, error));
    ARB_TRY(arb_output_store_create(memory_most, NULL, "/tmp", &x->store, error));
    ARB_TRY(arb_seal_key_make(&x->key, error));
    ARB_TRY(arb_output_service_create(x->store, &x->key, &x->service, error));
    arb_output_service_set_cluster(x->service, e->cluster);
    x->methods.do_get = arb_output_service_do_get;
    x->flight = (arb_flight_service){&x->methods, x->service};
    return serve(e, x, number, error);
}

static arb_code begin_all(slt_executors *e, unsigned count, uint64_t memory_most, bool over_grpc, arb_error *error)
{
    if (count > EXECUTORS_MOST)
        return arb_fail(error, ARB_INVALID_PARAMETER, "%d executors at most", EXECUTORS_MOST);
    ARB_TRY(arb_uuid_make(&e->cluster, error));
    ARB_TRY(over_grpc ? arb_grpc_runtime_create(2, &e->runtime, error) : arb_rpc_hub_create(2, &e->hub, error));
    ARB_TRY(arb_rpc_loop_start(&e->loop, "slt-timers", error));
    e->looping = true;
    for (unsigned i = 0; i < count; i++)
        ARB_TRY(begin_executor(e, i, memory_most, error));
    return ARB_OK;
}

arb_code slt_executors_create(unsigned count, uint64_t memory_most, bool over_grpc, slt_executors **out_executors,
                              arb_error *error)
{
    *out_executors = NULL;
    slt_executors *e = arb_alloc_zeroed(sizeof *e);
    if (e == NULL)
        return arb_fail_memory(error, "executors", sizeof *e);
    arb_code code = begin_all(e, count, memory_most, over_grpc, error);
    if (code != ARB_OK) {
        slt_executors_destroy(e);
        return code;
    }
    *out_executors = e;
    return ARB_OK;
}

void slt_executors_destroy(slt_executors *e)
{
    if (e == NULL)
        return;
    for (unsigned i = 0; i < e->count; i++)
        arb_rpc_channel_destroy(e->list[i].channel);
    for (unsigned i = 0; i < e->count; i++) {
        arb_rpc_server_destroy(e->list[i].server);
        arb_output_service_destroy(e->list[i].service);
        arb_output_store_destroy(e->list[i].store);
    }
    if (e->looping)
        arb_rpc_loop_stop(&e->loop);
    arb_rpc_hub_destroy(e->hub);
    arb_grpc_runtime_destroy(e->runtime);
    arb_free(e);
}

/* ---- one query -------------------------------------------------------------------------------------------------------------- */

/* What executor `here` reads (one that does not exist: none of it is its own). */
static arb_code make_inputs(flight_host *host, unsigned here, arb_task_inputs **out_inputs, arb_error *error)
{
    slt_executors *e = host->executors;
    arb_input_peer peers[EXECUTORS_MOST];
    arb_task_input *inputs = ARB_ARENA_ARRAY(&host->arena, arb_task_input, host->stage_count + 1);
    if (inputs == NULL)
        return arb_fail_memory(error, "a query", host->stage_count * sizeof *inputs);
    for (unsigned i = 0; i < e->count; i++)
        peers[i] = (arb_input_peer){e->list[i].id, i == here ? NULL : e->list[i].channel, e->list[i].key};
    for (size_t i = 0; i < host->stage_count; i++)
        inputs[i] = (arb_task_input){(uint32_t)i, host->stages[i].tasks.size, host->stages[i].tasks.data};
    arb_output_store *store = here < e->count ? e->list[here].store : NULL;
    arb_task_inputs_options options = {.cluster = e->cluster,
                                       .job = host->job,
                                       .store = store,
                                       .pool = arb_output_store_pool(store != NULL ? store : e->list[0].store),
                                       .loop = &e->loop,
                                       .window = WINDOW,
                                       .unreachable_ns = INT64_C(10000000000),
                                       .peer_count = e->count,
                                       .peers = peers,
                                       .input_count = host->stage_count,
                                       .inputs = inputs};
    return arb_task_inputs_create(&options, out_inputs, error);
}

static void post(void *context)
{
    sem_post(context);
}

static arb_code run_task(slt_task_host *base, const arb_stage *stage, uint32_t task, uint32_t task_count,
                         const arb_execution_options *given, arb_error *error)
{
    flight_host *host = (flight_host *)base;
    slt_executors *e = host->executors;
    unsigned here = (stage->number + task) % e->count;
    arb_id attempt = {1, ++e->attempts};
    arb_task_inputs *inputs;
    arb_task_run *run;
    sem_t over;
    ARB_TRY(make_inputs(host, here, &inputs, error));
    sem_init(&over, 0, 0);
    arb_task_run_options options = {
        .stage = stage,
        .task_count = task_count,
        .attempt = {.job = host->job, .attempt = attempt, .stage = stage->number, .task = task},
        .execution = *given,
        .store = e->list[here].store,
        .over = post,
        .context = &over};
    arb_failure failure;
    arb_code code = arb_task_run_start(&options, inputs, &run, &failure, error);
    if (code == ARB_OK) {
        while (sem_wait(&over) != 0) {
        }
        if (!arb_task_run_result(run, &failure, error))
            code = error->code;
        arb_task_run_destroy(run);
    }
    sem_destroy(&over);
    arb_input_source source = {task, attempt, here};
    if (code == ARB_OK && !ARB_ARENA_PUSH(&host->arena, &host->stages[stage->number].tasks, source))
        code = arb_fail_memory(error, "a query", sizeof source);
    return code;
}

static arb_code result_source(slt_task_host *base, const arb_physical_node *node, arb_query_context *context,
                              arb_operator **out_op, arb_error *error)
{
    flight_host *host = (flight_host *)base;
    ARB_TRY(make_inputs(host, host->executors->count, &host->result, error));
    return arb_task_inputs_source(host->result, node, NULL, false, context, out_op, error);
}

static void destroy(slt_task_host *base)
{
    flight_host *host = (flight_host *)base;
    arb_task_inputs_destroy(host->result);
    for (unsigned i = 0; i < host->executors->count; i++)
        arb_output_store_drop_stage(host->executors->list[i].store, host->job.term, host->job.number,
                                    ARB_STORE_EVERY_STAGE);
    arb_arena_reset(&host->arena);
    arb_free(host);
}

static arb_code create(void *context, size_t stage_count, slt_task_host **out_host, arb_error *error)
{
    static const slt_task_host_vtable vtable = {run_task, result_source, destroy};
    *out_host = NULL;
    flight_host *host = arb_alloc_zeroed(sizeof *host);
    if (host == NULL)
        return arb_fail_memory(error, "a query", sizeof *host);
    host->base.vtable = &vtable;
    host->executors = context;
    host->job = (arb_id){1, ++host->executors->jobs};
    host->stage_count = stage_count;
    host->stages = ARB_ARENA_ARRAY(&host->arena, stage_sources, stage_count + 1);
    if (host->stages == NULL) {
        destroy(&host->base);
        return arb_fail_memory(error, "a query", stage_count * sizeof *host->stages);
    }
    *out_host = &host->base;
    return ARB_OK;
}

slt_task_hosts slt_flight_hosts(slt_executors *executors)
{
    return (slt_task_hosts){executors, create};
}
