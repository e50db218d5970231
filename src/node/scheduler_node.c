#include "node/scheduler_node.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "flight_sql/sql_service.h"
#include "node/node_address.h"
#include "node/node_folder.h"
#include "node/node_http.h"
#include "node/node_sessions.h"
#include "node/node_tables.h"
#include "node/secret_file.h"
#include "rest/scheduler_routes.h"
#include "rpc/grpc_channel.h"
#include "rpc/grpc_server.h"
#include "scheduler_process/kept_segments.h"
#include "scheduler_process/segment_service.h"
#include "server/cluster_runner.h"
#include "state/memory_store.h"
#include "state_disk/sqlite_store.h"

enum {
    TASK_MEMORY = 64 << 20, /* that a task is admitted with */
    STATE_ROOM =
        8 << 20, /* bytes of its disk that tables leave to the state store, which must write that one is dropped */
    RESULT_WINDOW = 4 << 20, /* bytes of a result that come before they are taken */
};
static const int64_t UNREACHABLE_NS = INT64_C(10000000000), LAST_WORDS_NS = INT64_C(300000000);

struct arb_scheduler_node {
    arb_arena arena;
    arb_runtime *runtime;
    arb_grpc_runtime *grpc;
    arb_roots roots, write_roots;
    arb_runtime_access access; /* of statements to files */
    arb_segment_store *segments;
    arb_blob_folder *segment_blobs;
    arb_memory segment_memory, result_memory;
    arb_kept_segments *kept_segments;
    arb_segment_service *segment_service;
    arb_segment_namer namer;
    arb_node_tables tables;
    arb_plan_tables plan_tables;
    arb_store *store;
    arb_blob_folder *plans;
    arb_scheduler_process *scheduler;
    arb_rpc_server *control;
    arb_cluster_runner *runner;
    arb_node_sessions sessions;
    arb_login *login;
    arb_seal_key handle_key; /* of prepared statements, which outlive the process where the state does */
    arb_sql_service *sql;
    arb_rpc_server *clients;
    arb_rest_scheduler rest;
    arb_http_server *http;
    arb_str http_token;
    arb_text places; /* where it listens */
    arb_str control_address, clients_address;
};

static arb_code connect_to(void *context, const char *address, const arb_rpc_channel_options *options,
                           arb_rpc_channel **out_channel, arb_error *error)
{
    return arb_grpc_channel_create(((arb_scheduler_node *)context)->grpc, address, options, out_channel, error);
}

/* What can be wrong with how it was started is found out before it becomes the scheduler: one that runs would end for nothing. */
static arb_code check_start(arb_scheduler_node *node, const arb_node_options *options, arb_error *error)
{
    const uint16_t ports[] = {options->port, options->control_port, options->http_port};
    arb_login_options login = {.users_file = options->users_file.data};
    ARB_TRY(arb_node_ports_check(options->host, ports, ARB_COUNT_OF(ports), options->insecure, error));
    ARB_TRY(arb_node_sessions_init(&node->sessions, node->runtime, &node->roots, error));
    return arb_login_create(&login, &node->login, error);
}

static arb_code open_state(arb_scheduler_node *node, const arb_node_options *options, arb_error *error)
{
    arb_str folder, file, plans, segments, token, key, secret;
    if (!options->lasting)
        return arb_memory_store_create(&node->store, error);
    ARB_TRY(arb_state_folder_make(&node->arena, options->state_folder, &folder, error));
    ARB_TRY(arb_folder_entry(&node->arena, folder, "state.db", &file, error));
    ARB_TRY(arb_folder_entry(&node->arena, folder, "plans", &plans, error));
    ARB_TRY(arb_folder_entry(&node->arena, folder, "http-token", &token, error));
    ARB_TRY(arb_secret_file_keep(&node->arena, token, &node->http_token, error));
    ARB_TRY(arb_folder_entry(&node->arena, folder, "handle-key", &key, error));
    ARB_TRY(arb_secret_file_keep(&node->arena, key, &secret, error));
    ARB_TRY(arb_secret_bytes(secret, node->handle_key.bytes, sizeof node->handle_key.bytes, error));
    ARB_TRY(arb_sqlite_store_open(file.data, &node->store, error));
    ARB_TRY(arb_folder_entry(&node->arena, folder, "segments", &segments, error));
    ARB_TRY(arb_blob_folder_open(segments.data, &node->segment_blobs, error));
    arb_blob_folder_leave(node->segment_blobs, STATE_ROOM);
    return arb_blob_folder_open(plans.data, &node->plans, error);
}

static arb_code begin_engine(arb_scheduler_node *node, const arb_node_options *options, arb_error *error)
{
    arb_runtime_options runtime = {.threads = options->threads, .memory_limit = options->memory_limit};
    ARB_TRY(arb_runtime_create(&runtime, &node->runtime, error));
    ARB_TRY(arb_roots_resolve(&node->arena, options->data, options->data_count, &node->roots, error));
    ARB_TRY(arb_roots_resolve(&node->arena, options->write, options->write_count, &node->write_roots, error));
    node->access = (arb_runtime_access){&node->roots, &node->write_roots};
    arb_runtime_restrict(node->runtime, &node->access);
    ARB_TRY(arb_segment_store_create(&node->segments, error));
    node->namer = arb_segment_store_namer(node->segments);
    node->tables = (arb_node_tables){.roots = &node->roots, .namer = &node->namer};
    node->plan_tables = arb_node_tables_of_plans(&node->tables);
    return ARB_OK;
}

static arb_code begin_scheduler(arb_scheduler_node *node, const arb_scheduler_node_options *options, arb_error *error)
{
    arb_scheduler_process_options scheduler = {.store = node->store,
                                               .plans = node->plans,
                                               .times = arb_scheduler_times_default(1),
                                               .join_token = options->join_token,
                                               .replaced = options->replaced,
                                               .context = options->context};
    arb_node_door door = {options->node->host, options->node->control_port, options->node->insecure};
    arb_rpc_limits limits = {.message_bytes = ARB_CONTROL_MESSAGE_MOST, .send_window = ARB_CONTROL_SEND_WINDOW};
    ARB_TRY(arb_scheduler_process_create(&scheduler, &node->scheduler, error));
    ARB_TRY(arb_grpc_runtime_create(0, &node->grpc, error));
    ARB_TRY(arb_segment_service_create(node->segments, options->join_token, &node->segment_service, error));
    arb_rpc_service services[] = {arb_scheduler_process_service(node->scheduler),
                                  arb_segment_service_entry(node->segment_service)};
    ARB_TRY(
        arb_node_door_open(node->grpc, &door, services, ARB_COUNT_OF(services), NULL, limits, &node->control, error));
    return arb_node_door_address(&node->arena, &door, node->control, &node->control_address, error);
}

/* Tables and views outlive the process as the state does. */
static arb_code keep_catalog(arb_scheduler_node *node, arb_error *error)
{
    uint64_t term = arb_scheduler_loop_term(arb_scheduler_process_loop(node->scheduler));
    arb_memory_init(&node->segment_memory, arb_runtime_governor(node->runtime));
    ARB_TRY(arb_kept_segments_create(node->segments, node->segment_blobs, &node->segment_memory, &node->kept_segments,
                                     error));
    arb_segment_shelf shelf = arb_kept_segments_shelf(node->kept_segments);
    return arb_catalog_keep(node->sessions.catalog, node->store, term, &shelf, error);
}

static arb_code begin_sessions(arb_scheduler_node *node, arb_error *error)
{
    arb_cluster_runner_options options = {.scheduler = node->scheduler,
                                          .network = {node, connect_to},
                                          .tables = &node->plan_tables,
                                          .roots = &node->roots,
                                          .task_memory = TASK_MEMORY,
                                          .memory = &node->result_memory,
                                          .window = RESULT_WINDOW,
                                          .unreachable_ns = UNREACHABLE_NS};
    arb_memory_init(&node->result_memory, arb_runtime_governor(node->runtime));
    ARB_TRY(arb_cluster_runner_create(&options, &node->runner, error));
    node->sessions.runner = arb_cluster_runner_for_sessions(node->runner);
    return node->segment_blobs != NULL ? keep_catalog(node, error) : ARB_OK;
}

/* Clients come last: who is let in finds all of it ready. */
static arb_code open_session(void *context, arb_str user, arb_session **out_session, arb_error *error)
{
    (void)user;
    return arb_node_sessions_open(&((arb_scheduler_node *)context)->sessions, out_session, error);
}

static arb_code begin_clients(arb_scheduler_node *node, const arb_node_options *options, arb_error *error)
{
    arb_sql_service_options sql = {.sessions = {node, open_session, NULL},
                                   .cluster = arb_scheduler_loop_cluster(arb_scheduler_process_loop(node->scheduler)),
                                   .version = ARB_VERSION,
                                   .key = options->lasting ? &node->handle_key : NULL,
                                   .login = node->login};
    arb_rpc_gate gate = arb_login_gate(node->login);
    arb_node_door door = {options->host, options->port, options->insecure};
    ARB_TRY(arb_sql_service_create(&sql, &node->sql, error));
    arb_rpc_service service = arb_flight_service_entry(arb_sql_service_flight(node->sql));
    ARB_TRY(arb_node_door_open(node->grpc, &door, &service, 1, &gate, (arb_rpc_limits){0}, &node->clients, error));
    return arb_node_door_address(&node->arena, &door, node->clients, &node->clients_address, error);
}

static arb_code begin_http(arb_scheduler_node *node, const arb_node_options *options, arb_error *error)
{
    node->rest =
        (arb_rest_scheduler){{ARB_VERSION, arb_clock_wall_us(), arb_runtime_governor(node->runtime)}, node->scheduler};
    ARB_TRY(
        arb_node_http_open(options, arb_rest_scheduler_routes(), &node->rest, node->http_token, &node->http, error));
    arb_text_printf(&node->places, "clients=%.*s ", ARB_STR_ARGS(node->clients_address));
    arb_node_http_print(options, node->http, &node->places);
    arb_text_printf(&node->places, " control=%.*s", ARB_STR_ARGS(node->control_address));
    return arb_text_check(&node->places, error);
}

arb_code arb_scheduler_node_create(const arb_scheduler_node_options *options, arb_scheduler_node **out_node,
                                   arb_error *error)
{
    *out_node = NULL;
    arb_scheduler_node *node = arb_alloc_zeroed(sizeof *node);
    if (node == NULL)
        return arb_fail_memory(error, "a scheduler", sizeof *node);
    arb_code code = begin_engine(node, options->node, error);
    if (code == ARB_OK)
        code = check_start(node, options->node, error);
    if (code == ARB_OK)
        code = open_state(node, options->node, error);
    if (code == ARB_OK)
        code = begin_scheduler(node, options, error);
    if (code == ARB_OK)
        code = begin_sessions(node, error);
    if (code == ARB_OK)
        code = begin_clients(node, options->node, error);
    if (code == ARB_OK)
        code = begin_http(node, options->node, error);
    if (code != ARB_OK) {
        arb_scheduler_node_destroy(node);
        return code;
    }
    *out_node = node;
    return ARB_OK;
}

void arb_scheduler_node_destroy(arb_scheduler_node *node)
{
    if (node == NULL)
        return;
    if (node->scheduler != NULL)
        arb_scheduler_process_stop(node->scheduler);
    arb_http_server_destroy(node->http);
    if (node->clients != NULL) /* clients hear why, as their jobs end now */
        arb_rpc_server_stop(node->clients, arb_clock_monotonic_ns() + LAST_WORDS_NS);
    arb_rpc_server_destroy(node->clients);
    arb_sql_service_destroy(node->sql);
    arb_login_destroy(node->login);
    arb_node_sessions_reset(&node->sessions);
    arb_cluster_runner_destroy(node->runner);
    arb_rpc_server_destroy(node->control);
    arb_segment_service_destroy(node->segment_service);
    arb_scheduler_process_destroy(node->scheduler);
    arb_grpc_runtime_destroy(node->grpc);
    arb_blob_folder_close(node->plans);
    arb_store_destroy(node->store);
    arb_kept_segments_destroy(node->kept_segments);
    arb_segment_store_destroy(node->segments);
    arb_blob_folder_close(node->segment_blobs);
    arb_runtime_destroy(node->runtime);
    arb_text_reset(&node->places);
    arb_arena_reset(&node->arena);
    arb_free(node);
}

void arb_scheduler_node_print(const arb_scheduler_node *node, arb_text *out)
{
    arb_text_append_str(out, arb_text_view(&node->places));
}

arb_str arb_scheduler_node_control(const arb_scheduler_node *node)
{
    return node->control_address;
}
