#include "cli/node_command.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/data_option.h"
#include "cli/module_loader.h"
#include "cli/number_option.h"

enum { USUAL_PORT = 50050, USUAL_EXECUTOR_PORT = 50051, USUAL_CONTROL_PORT = 50052, USUAL_HTTP_PORT = 50080 };
static const int64_t USUAL_DRAIN_NS = INT64_C(60000000000);

static int report(const arb_error *error, int status)
{
    fprintf(stderr, "arbalest: %s\n%s%s", error->message, error->hint, error->hint[0] != '\0' ? "\n" : "");
    return status;
}

static bool is_known(const arb_options *options, const char *name)
{
    const arb_flag *flag = options->command->flags;
    while (flag->name != NULL && strcmp(flag->name, name) != 0)
        flag++;
    return flag->name != NULL;
}

static int read_port(const arb_options *options, const char *name, uint16_t usual, uint16_t *out_port)
{
    unsigned number = usual;
    int status = is_known(options, name) ? arb_number_option(options, name, 0, 65535, &number) : 0;
    *out_port = (uint16_t)number;
    return status;
}

static int read_ports(const arb_options *options, arb_node_options *node)
{
    bool executes = node->kind == ARB_NODE_EXECUTOR;
    int status = read_port(options, "port", executes ? USUAL_EXECUTOR_PORT : USUAL_PORT, &node->port);
    if (status == 0)
        status = read_port(options, "http-port", (uint16_t)(USUAL_HTTP_PORT + executes), &node->http_port);
    if (status == 0)
        status = read_port(options, "control-port", USUAL_CONTROL_PORT, &node->control_port);
    if (node->kind == ARB_NODE_SERVER)
        node->control_port = 0; /* its executor is told which one it is */
    return status;
}

static int read_state(const arb_options *options, arb_node_options *node)
{
    arb_str state = arb_option_value(options, "state");
    node->lasting = state.data == NULL || arb_str_equal(state, ARB_STR("sqlite"));
    if (node->lasting || arb_str_equal(state, ARB_STR("memory")))
        return 0;
    fprintf(stderr, "arbalest: state is memory or sqlite, not \"%.*s\"\n", ARB_STR_ARGS(state));
    return arb_option_exit_status(options, "state");
}

/* 90, 90s, 1500ms, 5m. */
static int read_drain(const arb_options *options, arb_node_options *node)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"", 1000000000}, {"s", 1000000000}, {"ms", 1000000}, {"m", INT64_C(60000000000)}};
    arb_str text = arb_option_value(options, "drain-timeout");
    int64_t number = 0;
    size_t digits = 0;
    node->drain_ns = USUAL_DRAIN_NS;
    if (text.data == NULL)
        return 0;
    while (digits < text.size && digits < 7 && text.data[digits] >= '0' && text.data[digits] <= '9')
        number = number * 10 + (text.data[digits++] - '0');
    arb_str unit = {text.data + digits, text.size - digits};
    for (size_t i = 0; i < ARB_COUNT_OF(units) && digits > 0; i++)
        if (arb_str_equal(unit, arb_str_of(units[i].name))) {
            node->drain_ns = number * units[i].ns;
            return 0;
        }
    fprintf(stderr, "arbalest: drain-timeout is a time such as 60s, not \"%.*s\"\n", ARB_STR_ARGS(text));
    return arb_option_exit_status(options, "drain-timeout");
}

static int read_schedulers(const arb_options *options, arb_node_options *node)
{
    if (node->kind != ARB_NODE_EXECUTOR)
        return 0;
    node->schedulers = arb_option_value(options, "scheduler");
    if (node->schedulers.data == NULL) {
        fputs("arbalest: an executor needs --scheduler HOST:PORT, the scheduler's control port\n", stderr);
        return ARB_EXIT_USAGE;
    }
    if (memchr(node->schedulers.data, ',', node->schedulers.size) == NULL &&
        memchr(node->schedulers.data, ':', node->schedulers.size) != NULL)
        return 0;
    fprintf(stderr, "arbalest: scheduler is one HOST:PORT, not \"%.*s\"\n", ARB_STR_ARGS(node->schedulers));
    return arb_option_exit_status(options, "scheduler");
}

static int read_folders(arb_arena *arena, const arb_options *options, arb_node_options *node)
{
    arb_roots data, write;
    int status = arb_data_option_read(arena, options, "data", &data);
    if (status == 0)
        status = arb_data_option_read(arena, options, "write-root", &write);
    if (status != 0)
        return status;
    node->data = data.items, node->data_count = data.count;
    node->write = write.items, node->write_count = write.count;
    return 0;
}

static int read_node(arb_arena *arena, const arb_options *options, arb_node_options *node)
{
    arb_error error = {0};
    node->cpu = options->cpu;
    node->host = arb_option_value(options, "host");
    node->state_folder = arb_option_value(options, "state-dir");
    node->work_folder = arb_option_value(options, "work-dir");
    node->join_token_file = arb_option_value(options, "join-token-file");
    node->users_file = arb_option_value(options, "users-file");
    if (arb_program_path(arena, &node->program, &error) != ARB_OK)
        return report(&error, ARB_EXIT_FAILED);
    int status = arb_truth_option(options, "insecure", &node->insecure);
    if (status == 0)
        status = read_ports(options, node);
    if (status == 0)
        status = read_state(options, node);
    if (status == 0)
        status = read_drain(options, node);
    if (status == 0)
        status = read_schedulers(options, node);
    if (status == 0)
        status = arb_threads_option(options, &node->threads);
    if (status == 0)
        status = arb_memory_option(options, &node->memory_limit);
    return status != 0 ? status : read_folders(arena, options, node);
}

/* What was said cannot be, or something went wrong. */
static int status_of(const arb_error *error)
{
    switch (error->code) {
    case ARB_OK:
        return 0;
    case ARB_CONFIGURATION:
    case ARB_INVALID_PARAMETER:
    case ARB_DUPLICATE_OBJECT:
    case ARB_WRONG_OBJECT_TYPE:
    case ARB_FILE_NOT_FOUND:
    case ARB_ACCESS_DENIED:
        return report(error, ARB_EXIT_CONFIGURATION);
    default:
        return report(error, ARB_EXIT_FAILED);
    }
}

int arb_node_command(arb_arena *arena, const arb_options *options)
{
    const char *name = options->command->name;
    arb_error error = {0};
    const arb_cluster_module *module;
    arb_node_options node = {.kind = strcmp(name, "scheduler") == 0  ? ARB_NODE_SCHEDULER
                                     : strcmp(name, "executor") == 0 ? ARB_NODE_EXECUTOR
                                                                     : ARB_NODE_SERVER};
    int status = read_node(arena, options, &node);
    if (status != 0)
        return status;
    if (arb_module_load(&module, &error) != ARB_OK)
        return report(&error, ARB_EXIT_FAILED);
    (void)module->run_node(&node, &error);
    return status_of(&error);
}
