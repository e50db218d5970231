#include "cli/sql_command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/data_option.h"
#include "cli/error_report.h"
#include "cli/module_loader.h"
#include "cli/number_option.h"
#include "cli/shell.h"
#include "cli/signal_wait.h"
#include "cli/statement_runner.h"
#include "cli/text_file.h"
#include "sql/script.h"

/* What the signal handler may touch. */
static arb_statement_host *volatile interrupted_host;
static volatile sig_atomic_t interrupts;
static volatile sig_atomic_t ending; /* the signal that asks the process to end, or 0 */

/* Ctrl-C ends the statement; who asks the process to end gets that, too, once nothing half written is left behind. */
static void on_signal(int number)
{
    interrupts = 1;
    if (number != SIGINT)
        ending = number;
    if (interrupted_host != NULL)
        interrupted_host->vtable->cancel(interrupted_host);
}

static void catch_signals(arb_statement_host *host)
{
    interrupted_host = host;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}, before; /* no SA_RESTART: a read of standard input ends */
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARB_COUNT_OF(signals); i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* as nohup wants it */
            sigaction(signals[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

static int report(const arb_error *error, int status)
{
    arb_text text = {0};
    arb_error_report(&text, error, (arb_str){"", 0}, 0);
    fputs(text.data != NULL ? text.data : "error\n", stderr);
    arb_text_reset(&text);
    return status;
}

/* ---- statements -------------------------------------------------------------------------------------------------- */
/* Run the statements of a text from *at on; unless `last`, only those that a semicolon ends. */
static int run_text(arb_statement_runner *runner, arb_str text, size_t *at, bool last, int64_t arrived_ns)
{
    arb_sql_extent extent;
    while (arb_sql_statement_next(text, *at, &extent)) {
        if (!last && !extent.terminated)
            break;
        runner->host->vtable->expect(runner->host);
        if (interrupts) /* since the last look; what is cancelled before it begins says so */
            runner->host->vtable->cancel(runner->host);
        arb_code code = arb_statement_run(runner, text, extent.begin, extent.end, arrived_ns);
        if (code != ARB_OK)
            return arb_statement_exit_status(runner, code);
        if (interrupts)
            return ARB_EXIT_INTERRUPTED;
        *at = extent.next;
        arrived_ns = arb_clock_monotonic_ns();
    }
    return 0;
}

/* Statements run as soon as their semicolon has come. */
static int run_standard_input(arb_statement_runner *runner)
{
    enum { PIECE = 64 << 10 };
    arb_text text = {0};
    size_t at = 0;
    int status = 0;
    while (status == 0) {
        char *to = arb_text_room(&text, PIECE);
        if (to == NULL) {
            status = ARB_EXIT_FAILED;
            break;
        }
        ssize_t got = arb_read_unless(STDIN_FILENO, to, PIECE, &interrupts, NULL);
        if (got < 0 && errno == EINTR && !interrupts)
            continue;
        if (interrupts) {
            status = ARB_EXIT_INTERRUPTED;
            break;
        }
        if (got < 0) {
            arb_error error = {0};
            arb_fail_errno(&error, errno, "cannot read standard input");
            status = report(&error, ARB_EXIT_FAILED);
            break;
        }
        arb_text_added(&text, (size_t)got);
        if (got == 0 || memchr(to, ';', (size_t)got) != NULL)
            status = run_text(runner, arb_text_view(&text), &at, got == 0, arb_clock_monotonic_ns());
        if (got == 0)
            break;
    }
    arb_text_reset(&text);
    return status;
}

static int run_file(arb_arena *arena, arb_statement_runner *runner, arb_str path)
{
    if (arb_str_equal(path, ARB_STR("-")))
        return run_standard_input(runner);
    arb_error error = {0};
    arb_str text;
    size_t at = 0;
    if (arb_text_file_read(arena, path.data, &text, &error) != ARB_OK)
        return report(&error, ARB_EXIT_FAILED);
    return run_text(runner, text, &at, true, arb_clock_monotonic_ns());
}

static int run_sources(arb_arena *arena, const arb_options *options, arb_statement_runner *runner)
{
    bool any = false;
    for (size_t i = 0; i < options->items.size; i++) {
        const arb_option *option = &options->items.data[i];
        bool is_text = strcmp(option->flag->name, "c") == 0;
        if (!is_text && strcmp(option->flag->name, "f") != 0)
            continue;
        size_t at = 0;
        int status = is_text ? run_text(runner, option->value, &at, true, arb_clock_monotonic_ns())
                             : run_file(arena, runner, option->value);
        if (status != 0)
            return status;
        any = true;
    }
    if (any)
        return 0;
    if (isatty(STDIN_FILENO) == 1)
        return arb_shell_run(runner, &interrupts, &ending);
    return run_standard_input(runner);
}

/* ---- setting up -------------------------------------------------------------------------------------------------- */
static int read_runtime_options(const arb_options *options, arb_runtime_options *out)
{
    int status = arb_threads_option(options, &out->threads);
    out->spill_folder = arb_option_value(options, "spill-dir").data;
    return status != 0 ? status : arb_memory_option(options, &out->memory_limit);
}

static int read_format(const arb_options *options, arb_output_format *out_format)
{
    arb_str name = arb_option_value(options, "format");
    *out_format = isatty(STDOUT_FILENO) == 1 ? ARB_OUTPUT_TABLE : ARB_OUTPUT_CSV;
    if (name.data == NULL || arb_output_format_find(name, out_format))
        return 0;
    fprintf(stderr, "arbalest: there is no format \"%.*s\"\n", ARB_STR_ARGS(name));
    return arb_option_exit_status(options, "format");
}

static int add_folders(arb_arena *arena, arb_session *session, const arb_options *options)
{
    arb_error error = {0};
    arb_roots roots;
    int status = arb_data_option_read(arena, options, "data", &roots);
    for (size_t i = 0; i < roots.count && status == 0; i++)
        if (arb_catalog_add_folder(arb_session_catalog(session), roots.items[i].folder, NULL, &error) != ARB_OK)
            status = report(&error, ARB_EXIT_CONFIGURATION);
    return status;
}

static int apply_settings(arb_statement_host *host, const arb_options *options)
{
    arb_str pair;
    for (size_t at = 0; arb_option_next(options, "set", &at, &pair);) {
        arb_error error = {0};
        const char *equals = memchr(pair.data, '=', pair.size);
        arb_str key = {pair.data, equals != NULL ? (size_t)(equals - pair.data) : pair.size};
        arb_code code = equals == NULL ? arb_fail(&error, ARB_INVALID_PARAMETER, "set takes KEY=VALUE, not \"%.*s\"",
                                                  ARB_STR_ARGS(pair))
                                       : host->vtable->set(host, key, arb_str_of(equals + 1), &error);
        if (code == ARB_CONNECTION_FAILED)
            return report(&error, ARB_EXIT_FAILED);
        if (code != ARB_OK)
            return report(&error, arb_option_exit_status(options, "set"));
    }
    return 0;
}

/* What runs the statements: this process with its folders and threads, or a server. */
typedef struct statement_place {
    arb_runtime *runtime;
    arb_session *session;
    arb_statement_host *host;
} statement_place;

static void leave_place(statement_place *place)
{
    arb_statement_host_destroy(place->host);
    arb_session_destroy(place->session);
    arb_runtime_destroy(place->runtime);
}

static int connect_to_server(const arb_options *options, arb_str url, statement_place *place)
{
    static const char *const local[] = {"data", "threads", "memory-limit", "spill-dir"};
    arb_error error = {0};
    for (size_t i = 0; i < ARB_COUNT_OF(local); i++)
        if (arb_option_value(options, local[i]).data != NULL) {
            fprintf(stderr, "arbalest: --%s and --connect exclude each other: a server has its own\n", local[i]);
            return arb_option_exit_status(options, "connect");
        }
    if (!arb_str_starts_with(url, ARB_STR("arbalest://")) && !arb_str_starts_with(url, ARB_STR("arbalest+tls://"))) {
        fputs("arbalest: an address looks like arbalest://HOST:PORT\n", stderr);
        return arb_option_exit_status(options, "connect");
    }
    const arb_cluster_module *module;
    arb_code code = arb_module_load(&module, &error);
    if (code != ARB_OK)
        code = error.code = ARB_CONNECTION_FAILED;
    else
        code = module->connect(url, &place->host, &error);
    if (code == ARB_OK)
        return 0;
    return report(&error, code == ARB_INVALID_PARAMETER ? arb_option_exit_status(options, "connect") : ARB_EXIT_FAILED);
}

static int begin_here(arb_arena *arena, const arb_options *options, statement_place *place)
{
    arb_error error = {0};
    arb_runtime_options runtime_options = {0};
    int status = read_runtime_options(options, &runtime_options);
    if (status != 0)
        return status;
    if (arb_runtime_create(&runtime_options, &place->runtime, &error) != ARB_OK ||
        arb_session_create(place->runtime, &place->session, &error) != ARB_OK ||
        arb_session_host_create(place->session, &place->host, &error) != ARB_OK)
        return report(&error, ARB_EXIT_FAILED);
    return add_folders(arena, place->session, options);
}

int arb_sql_command(arb_arena *arena, const arb_options *options)
{
    arb_output_format format;
    bool timing;
    statement_place place = {0};
    arb_statement_runner runner;
    int status = read_format(options, &format);
    if (status == 0)
        status = arb_truth_option(options, "timing", &timing);
    if (status != 0)
        return status;
    arb_str url = arb_option_value(options, "connect");
    status = url.data != NULL ? connect_to_server(options, url, &place) : begin_here(arena, options, &place);
    if (status == 0)
        status = apply_settings(place.host, options);
    if (status == 0) {
        catch_signals(place.host);
        arb_statement_runner_init(&runner, place.host, format, timing);
        runner.output.interrupts = &interrupts;
        status = run_sources(arena, options, &runner);
        arb_statement_runner_reset(&runner);
        interrupted_host = NULL;
    }
    leave_place(&place);
    if (ending != 0) { /* as if it had not been caught */
        signal(ending, SIG_DFL);
        raise(ending);
    }
    return status;
}
