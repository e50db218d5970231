#include "whole_cluster.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "executor/executor.h"
#include "executor/segment_cache.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"
#include "rpc/rpc_memory_transport.h"
#include "scheduler_process/scheduler_views.h"
#include "scheduler_process/segment_service.h"
#include "server/cluster_runner.h"
#include "state/memory_store.h"

enum {
    EXECUTORS_MOST = 16,
    SLOTS = 2,
    HELD = 1 << 20,
    IDLE_SEGMENTS = 1 << 20, /* bytes that an executor keeps of tables in memory */
    TURNS_OF_UNREST = 100,   /* then a while of peace, in which whatever has starved gets its end */
    PEACE_MS = 1500
};

typedef struct cluster_member {
    arb_executor *executor;
    arb_segment_cache *segments;
    arb_segment_finder finder;
    slt_wire_tables wire; /* as the cluster's, with the member's own segments */
    arb_plan_tables tables;
    arb_rpc_channel *channel; /* to the scheduler */
    arb_rpc_server *server;
} cluster_member;

struct slt_whole_cluster {
    arb_rpc_hub *hub; /* one of the two */
    arb_grpc_runtime *runtime;
    arb_cpu_pool *cpu;
    arb_io_pool *io;
    arb_governor governor;
    arb_memory segment_memory;
    arb_segment_store *segments;
    arb_segment_service *segment_service;
    arb_segment_namer namer;
    arb_store *store;
    arb_scheduler_process *scheduler;
    arb_rpc_server *server;
    char address[64]; /* of the scheduler */
    slt_wire_tables wire;
    arb_plan_tables tables;
    size_t root_count;
    arb_str root_names[ARB_JOB_ROOTS_MOST];
    arb_cluster_runner *runner;
    unsigned count;
    cluster_member members[EXECUTORS_MOST]; /* with unrest, its thread's */
    unsigned unrest_ms;
    pthread_t unrest;
    _Atomic bool resting;
};

static arb_code serve(slt_whole_cluster *c, const char *name, const arb_rpc_service *services, size_t count,
                      arb_rpc_server **out, char address[64], arb_error *error)
{
    arb_rpc_server_options options = {
        .services = services, .service_count = count, .limits.send_window = ARB_CONTROL_SEND_WINDOW};
    snprintf(address, 64, "%s", name);
    if (c->hub != NULL)
        return arb_rpc_memory_server_create(c->hub, name, &options, out, error);
    ARB_TRY(arb_grpc_server_create(c->runtime, &options, out, error));
    snprintf(address, 64, "127.0.0.1:%d", arb_rpc_server_port(*out, 0));
    return ARB_OK;
}

static arb_code connect_to(void *context, const char *address, const arb_rpc_channel_options *options,
                           arb_rpc_channel **out_channel, arb_error *error)
{
    slt_whole_cluster *c = context;
    return c->hub != NULL ? arb_rpc_memory_channel_create(c->hub, address, options, out_channel, error)
                          : arb_grpc_channel_create(c->runtime, address, options, out_channel, error);
}

static arb_code begin_scheduler(slt_whole_cluster *c, arb_error *error)
{
    ARB_TRY(arb_memory_store_create(&c->store, error));
    arb_scheduler_process_options options = {.store = c->store, .times = arb_scheduler_times_default(4)};
    ARB_TRY(arb_scheduler_process_create(&options, &c->scheduler, error));
    ARB_TRY(arb_segment_store_create(&c->segments, error));
    ARB_TRY(arb_segment_service_create(c->segments, ARB_STR(""), &c->segment_service, error));
    c->namer = arb_segment_store_namer(c->segments);
    c->wire.segments = &c->namer;
    arb_rpc_service services[] = {arb_scheduler_process_service(c->scheduler),
                                  arb_segment_service_entry(c->segment_service)};
    return serve(c, "scheduler", services, 2, &c->server, c->address, error);
}

static arb_code begin_member(slt_whole_cluster *c, unsigned number, arb_error *error)
{
    char name[64], address[64];
    cluster_member *m = &c->members[number];
    c->count = number + 1;
    ARB_TRY(connect_to(c, c->address, NULL, &m->channel, error));
    arb_segment_cache_options segments = {
        .scheduler = m->channel, .account = &c->segment_memory, .limit = IDLE_SEGMENTS};
    ARB_TRY(arb_segment_cache_create(&segments, &m->segments, error));
    m->finder = arb_segment_cache_finder(m->segments);
    m->wire = c->wire;
    m->wire.finder.segments = &m->finder;
    m->tables = slt_wire_tables_names(&m->wire);
    arb_executor_options options = {
        .scheduler = m->channel,
        .network = {c, connect_to},
        .tables = &m->tables,
        .execution = {.pool = c->cpu, .io = c->io, .governor = &c->governor, .spill_folder = "/tmp"},
        .output_memory = HELD,
        .version = ARB_STR("test"),
        .slots = SLOTS,
        .memory = (uint64_t)4 << 30,
        .roots = c->root_names,
        .root_count = c->root_count};
    ARB_TRY(arb_executor_create(&options, &m->executor, error));
    arb_rpc_service service = arb_flight_service_entry(arb_executor_flight_service(m->executor));
    snprintf(name, sizeof name, "executor %u", number);
    ARB_TRY(serve(c, name, &service, 1, &m->server, address, error));
    return arb_executor_start(m->executor, arb_str_of(address), error);
}

/* What waits for segments ends before the executor waits for it. */
static void stop_member(cluster_member *m)
{
    if (m->segments != NULL)
        arb_segment_cache_stop(m->segments);
    if (m->executor != NULL)
        arb_executor_stop(m->executor);
}

static void end_member(cluster_member *m)
{
    if (m->segments != NULL)
        arb_segment_cache_stop(m->segments);
    arb_rpc_server_destroy(m->server); /* whoever reads its outputs hears that first */
    arb_executor_destroy(m->executor);
    arb_segment_cache_destroy(m->segments);
    arb_rpc_channel_destroy(m->channel);
    *m = (cluster_member){0};
}

static void *disturb(void *context)
{
    slt_whole_cluster *c = context;
    for (unsigned turn = 0; !atomic_load(&c->resting); turn++) {
        arb_error error = {0};
        usleep((c->unrest_ms + (turn % TURNS_OF_UNREST == TURNS_OF_UNREST - 1 ? PEACE_MS : 0)) * 1000);
        end_member(&c->members[turn % c->count]);
        unsigned count = c->count;
        if (begin_member(c, turn % count, &error) != ARB_OK) {
            fprintf(stderr, "no new executor: %s\n", error.message);
            abort();
        }
        c->count = count;
    }
    return NULL;
}

static arb_code wait_for_all(slt_whole_cluster *c, arb_error *error)
{
    for (int64_t until = arb_clock_monotonic_ns() + INT64_C(20000000000);; usleep(1000)) {
        arb_arena arena = {0};
        const arb_executor_view *executors;
        size_t count, ready = 0;
        arb_code code = arb_view_executors(arb_scheduler_process_loop(c->scheduler), &arena, &executors, &count, error);
        for (size_t i = 0; code == ARB_OK && i < count; i++)
            ready += executors[i].state == ARB_EXECUTOR_READY;
        arb_arena_reset(&arena);
        if (code != ARB_OK || ready == c->count)
            return code;
        if (arb_clock_monotonic_ns() > until)
            return arb_fail(error, ARB_NO_EXECUTOR, "of %u executors %zu have come", c->count, ready);
    }
}

static arb_code begin_all(slt_whole_cluster *c, const slt_whole_cluster_options *given, arb_error *error)
{
    if (given->executors > EXECUTORS_MOST)
        return arb_fail(error, ARB_INVALID_PARAMETER, "%d executors at most", EXECUTORS_MOST);
    ARB_TRY(given->over_grpc ? arb_grpc_runtime_create(2, &c->runtime, error) : arb_rpc_hub_create(2, &c->hub, error));
    ARB_TRY(arb_cpu_pool_create(2, &c->cpu, error));
    ARB_TRY(arb_io_pool_create(2, &c->io, error));
    arb_governor_init(&c->governor, (uint64_t)4 << 30);
    arb_memory_init(&c->segment_memory, &c->governor);
    ARB_TRY(begin_scheduler(c, error));
    for (unsigned i = 0; i < given->executors; i++)
        ARB_TRY(begin_member(c, i, error));
    ARB_TRY(wait_for_all(c, error));
    arb_cluster_runner_options options = {.scheduler = c->scheduler,
                                          .network = {c, connect_to},
                                          .tables = &c->tables,
                                          .roots = &given->tables->roots,
                                          .task_memory = 64 << 20,
                                          .window = 1 << 20,
                                          .unreachable_ns = INT64_C(10000000000)};
    return arb_cluster_runner_create(&options, &c->runner, error);
}

arb_code slt_whole_cluster_create(const slt_whole_cluster_options *options, slt_whole_cluster **out_cluster,
                                  arb_error *error)
{
    *out_cluster = NULL;
    slt_whole_cluster *c = arb_alloc_zeroed(sizeof *c);
    if (c == NULL)
        return arb_fail_memory(error, "a cluster", sizeof *c);
    c->wire = *options->tables; /* whose finder looks into its roots */
    c->tables = slt_wire_tables_names(&c->wire);
    c->root_count = ARB_MIN(options->tables->roots.count, (size_t)ARB_JOB_ROOTS_MOST);
    for (size_t i = 0; i < c->root_count; i++)
        c->root_names[i] = options->tables->roots.items[i].name;
    arb_code code = begin_all(c, options, error);
    if (code == ARB_OK && options->unrest_ms != 0) {
        c->unrest_ms = options->unrest_ms;
        if (pthread_create(&c->unrest, NULL, disturb, c) != 0) {
            c->unrest_ms = 0;
            code = arb_fail(error, ARB_INTERNAL, "no thread for unrest");
        }
    }
    if (code != ARB_OK) {
        slt_whole_cluster_destroy(c);
        return code;
    }
    *out_cluster = c;
    return ARB_OK;
}

void slt_whole_cluster_destroy(slt_whole_cluster *c)
{
    if (c == NULL)
        return;
    if (c->unrest_ms != 0) {
        atomic_store(&c->resting, true);
        pthread_join(c->unrest, NULL);
    }
    arb_cluster_runner_destroy(c->runner);
    for (unsigned i = 0; i < c->count; i++)
        stop_member(&c->members[i]);
    for (unsigned i = 0; i < c->count; i++)
        end_member(&c->members[i]);
    if (c->scheduler != NULL)
        arb_scheduler_process_stop(c->scheduler);
    arb_rpc_server_destroy(c->server);
    arb_scheduler_process_destroy(c->scheduler);
    arb_segment_service_destroy(c->segment_service);
    arb_segment_store_destroy(c->segments);
    arb_store_destroy(c->store);
    arb_cpu_pool_destroy(c->cpu);
    arb_io_pool_destroy(c->io);
    arb_rpc_hub_destroy(c->hub);
    arb_grpc_runtime_destroy(c->runtime);
    arb_free(c);
}

arb_query_runner slt_whole_cluster_runner(slt_whole_cluster *cluster)
{
    return arb_cluster_runner_for_sessions(cluster->runner);
}

arb_scheduler_process *slt_whole_cluster_scheduler(slt_whole_cluster *cluster)
{
    return cluster->scheduler;
}

arb_executor *slt_whole_cluster_executor(slt_whole_cluster *cluster, unsigned number)
{
    return cluster->members[number].executor;
}

const arb_governor *slt_whole_cluster_memory(const slt_whole_cluster *cluster)
{
    return &cluster->governor;
}
