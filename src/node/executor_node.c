#include "node/executor_node.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "executor/executor.h"
#include "executor/segment_cache.h"
#include "node/node_address.h"
#include "node/node_folder.h"
#include "node/node_http.h"
#include "node/node_tables.h"
#include "node/secret_file.h"
#include "rest/executor_routes.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"

enum {
    CHANNEL_ASKS_MS = 2000,  /* a scheduler that vanished is noticed so */
    CHANNEL_WAITS_MS = 3000, /* for its answer */
    SEGMENT_SHARE = 8,       /* of the memory: what segments of tables may hold that no plan uses */
    OUTPUT_SHARE = 4,        /* of the memory: what outputs may hold before they go to files */
    PLAN_SHARE = 8,          /* of the memory: what plans may hold that no task uses */
    SEND_WINDOW = 1 << 20,   /* bytes of an output on their way to one reader */
};

static const uint64_t LITTLE_MEMORY = UINT64_C(1) << 30;

struct arb_executor_node {
    arb_arena arena;
    arb_runtime *runtime;
    arb_grpc_runtime *grpc;
    arb_rpc_channel *channel;
    arb_roots roots;
    arb_memory segment_memory;
    arb_segment_cache *segments;
    arb_segment_finder segment_finder;
    arb_table_finder finder;
    arb_node_tables tables;
    arb_plan_tables plan_tables;
    arb_executor *executor;
    arb_rpc_server *server;
    arb_rest_executor rest;
    arb_http_server *http;
    arb_text places;    /* where it listens */
    arb_str own_folder; /* made for this process; what lies there has no names, so it is empty */
    arb_str address;
    bool started;
    _Atomic bool may_go;
};

static arb_code connect_to(void *context, const char *address, const arb_rpc_channel_options *options,
                           arb_rpc_channel **out_channel, arb_error *error)
{
    return arb_grpc_channel_create(((arb_executor_node *)context)->grpc, address, options, out_channel, error);
}

static void note_may_go(void *context)
{
    atomic_store(&((arb_executor_node *)context)->may_go, true);
}

static void report_refusal(void *context, const char *why)
{
    (void)context;
    fprintf(stderr, "arbalest: the scheduler does not take this executor: %s\n", why);
}

static arb_code begin_engine(arb_executor_node *node, const arb_node_options *options, arb_error *error)
{
    arb_str folder;
    ARB_TRY(arb_work_folder_make(&node->arena, options->work_folder, &folder, error));
    if (options->work_folder.data == NULL)
        node->own_folder = folder;
    arb_runtime_options runtime = {
        .threads = options->threads, .memory_limit = options->memory_limit, .spill_folder = folder.data};
    ARB_TRY(arb_runtime_create(&runtime, &node->runtime, error));
    if (arb_runtime_memory_limit(node->runtime) < LITTLE_MEMORY)
        arb_alloc_hold_little();
    ARB_TRY(arb_roots_resolve(&node->arena, options->data, options->data_count, &node->roots, error));
    node->finder = (arb_table_finder){.roots = &node->roots,
                                      .formats = arb_runtime_formats(node->runtime),
                                      .cache = arb_runtime_file_cache(node->runtime)};
    node->tables = (arb_node_tables){.roots = &node->roots, .finder = &node->finder};
    node->plan_tables = arb_node_tables_of_plans(&node->tables);
    arb_memory_init(&node->segment_memory, arb_runtime_governor(node->runtime));
    return ARB_OK;
}

static arb_code join_token(arb_executor_node *node, const arb_node_options *options, arb_str *out, arb_error *error)
{
    *out = ARB_STR("");
    return options->join_token_file.data == NULL
               ? ARB_OK
               : arb_secret_file_read(&node->arena, options->join_token_file, out, error);
}

static arb_code begin_executor(arb_executor_node *node, const arb_node_options *options, arb_error *error)
{
    arb_runtime *runtime = node->runtime;
    arb_rpc_channel_options channel = {.keepalive = {CHANNEL_ASKS_MS, CHANNEL_WAITS_MS}};
    arb_str *names = ARB_ARENA_ARRAY(&node->arena, arb_str, node->roots.count + 1);
    arb_execution_options execution = {.governor = arb_runtime_governor(runtime),
                                       .spill_folder = arb_runtime_spill_folder(runtime)};
    arb_str token;
    if (names == NULL)
        return arb_fail_memory(error, "names of roots", node->roots.count * sizeof *names);
    for (size_t i = 0; i < node->roots.count; i++)
        names[i] = node->roots.items[i].name;
    ARB_TRY(join_token(node, options, &token, error));
    ARB_TRY(arb_grpc_runtime_create(0, &node->grpc, error));
    ARB_TRY(arb_grpc_channel_create(node->grpc, options->schedulers.data, &channel, &node->channel, error));
    arb_segment_cache_options segments = {.scheduler = node->channel,
                                          .join_token = token,
                                          .account = &node->segment_memory,
                                          .limit = arb_runtime_memory_limit(runtime) / SEGMENT_SHARE};
    ARB_TRY(arb_segment_cache_create(&segments, &node->segments, error));
    node->segment_finder = arb_segment_cache_finder(node->segments);
    node->finder.segments = &node->segment_finder;
    ARB_TRY(arb_runtime_pools(runtime, &execution.pool, &execution.io, error));
    arb_executor_options executor = {.scheduler = node->channel,
                                     .network = {node, connect_to},
                                     .tables = &node->plan_tables,
                                     .execution = execution,
                                     .output_memory = arb_runtime_memory_limit(runtime) / OUTPUT_SHARE,
                                     .plan_memory = arb_runtime_memory_limit(runtime) / PLAN_SHARE,
                                     .version = ARB_STR(ARB_VERSION),
                                     .join_token = token,
                                     .slots = arb_runtime_threads(runtime),
                                     .memory = arb_runtime_memory_limit(runtime),
                                     .roots = names,
                                     .root_count = node->roots.count,
                                     .crash_folder = arb_str_of(arb_runtime_spill_folder(runtime)),
                                     .listener = {node, note_may_go, report_refusal}};
    return arb_executor_create(&executor, &node->executor, error);
}

static arb_code begin_server(arb_executor_node *node, const arb_node_options *options, arb_error *error)
{
    arb_rpc_service service = arb_flight_service_entry(arb_executor_flight_service(node->executor));
    arb_node_door door = {.host = options->host, .port = options->port, .insecure = options->insecure};
    ARB_TRY(arb_node_door_open(node->grpc, &door, &service, 1, NULL, (arb_rpc_limits){.send_window = SEND_WINDOW},
                               &node->server, error));
    return arb_node_door_address(&node->arena, &door, node->server, &node->address, error);
}

static arb_code begin_http(arb_executor_node *node, const arb_node_options *options, arb_error *error)
{
    node->rest =
        (arb_rest_executor){{ARB_VERSION, arb_clock_wall_us(), arb_runtime_governor(node->runtime)}, node->executor};
    ARB_TRY(arb_node_http_open(options, arb_rest_executor_routes(), &node->rest, ARB_STR(""), &node->http, error));
    arb_text_printf(&node->places, "flight=%.*s ", ARB_STR_ARGS(node->address));
    arb_node_http_print(options, node->http, &node->places);
    return arb_text_check(&node->places, error);
}

arb_code arb_executor_node_create(const arb_node_options *options, arb_executor_node **out_node, arb_error *error)
{
    *out_node = NULL;
    arb_executor_node *node = arb_alloc_zeroed(sizeof *node);
    if (node == NULL)
        return arb_fail_memory(error, "an executor", sizeof *node);
    arb_code code = begin_engine(node, options, error);
    if (code == ARB_OK)
        code = begin_executor(node, options, error);
    if (code == ARB_OK)
        code = begin_server(node, options, error);
    if (code == ARB_OK)
        code = begin_http(node, options, error);
    if (code == ARB_OK)
        code = arb_executor_start(node->executor, node->address, error);
    node->started = code == ARB_OK;
    if (code != ARB_OK) {
        arb_executor_node_destroy(node);
        return code;
    }
    *out_node = node;
    return ARB_OK;
}

void arb_executor_node_destroy(arb_executor_node *node)
{
    if (node == NULL)
        return;
    arb_http_server_destroy(node->http);
    if (node->segments != NULL)
        arb_segment_cache_stop(node->segments); /* what waits for one is a task, which is waited for below */
    if (node->started)
        arb_executor_stop(node->executor);
    arb_rpc_server_destroy(node->server);
    arb_executor_destroy(node->executor);
    arb_segment_cache_destroy(node->segments);
    arb_rpc_channel_destroy(node->channel);
    arb_grpc_runtime_destroy(node->grpc);
    arb_runtime_destroy(node->runtime);
    if (node->own_folder.data != NULL)
        (void)!rmdir(node->own_folder.data);
    arb_text_reset(&node->places);
    arb_arena_reset(&node->arena);
    arb_free(node);
}

void arb_executor_node_print(const arb_executor_node *node, arb_text *out)
{
    arb_text_append_str(out, arb_text_view(&node->places));
}

void arb_executor_node_drain(arb_executor_node *node)
{
    arb_executor_drain(node->executor);
}

bool arb_executor_node_may_go(const arb_executor_node *node)
{
    return atomic_load(&node->may_go);
}
