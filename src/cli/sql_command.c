#include "cli/sql_command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/error_report.h"
#include "cli/shell.h"
#include "cli/statement_runner.h"
#include "cli/text_file.h"
#include "engine/size_text.h"
#include "sql/script.h"

/* What the signal handler may touch. */
static arb_session *volatile interrupted_session;
static volatile sig_atomic_t interrupts;
static volatile sig_atomic_t ending; /* the signal that asks the process to end, or 0 */

/* Ctrl-C ends the statement; who asks the process to end gets that, too, once nothing half written is left behind. */
static void on_signal(int number)
{
    interrupts = 1;
    if (number != SIGINT)
        ending = number;
    if (interrupted_session != NULL)
        arb_session_cancel(interrupted_session);
}

static void catch_signals(arb_session *session)
{
    interrupted_session = session;
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
        ssize_t got = read(STDIN_FILENO, to, PIECE);
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
    arb_error error = {0};
    arb_str threads = arb_option_value(options, "threads"), memory = arb_option_value(options, "memory-limit");
    if (threads.data != NULL) {
        unsigned number = 0;
        for (size_t i = 0; i < threads.size && number <= 1024; i++)
            number = threads.data[i] >= '0' && threads.data[i] <= '9' ? number * 10 + (unsigned)(threads.data[i] - '0')
                                                                      : 100000;
        if (number == 0 || number > 1024) {
            fprintf(stderr, "arbalest: threads must be 1 to 1024, not \"%.*s\"\n", ARB_STR_ARGS(threads));
            return arb_option_exit_status(options, "threads");
        }
        out->threads = number;
    }
    if (memory.data != NULL) {
        if (arb_size_parse(memory, &out->memory_limit, &error) == ARB_OK && out->memory_limit == 0)
            arb_fail(&error, ARB_INVALID_PARAMETER, "the memory limit must not be 0");
        if (error.code != ARB_OK) {
            fprintf(stderr, "arbalest: %s\n%s%s", error.message, error.hint, error.hint[0] != '\0' ? "\n" : "");
            return arb_option_exit_status(options, "memory-limit");
        }
    }
    out->spill_folder = arb_option_value(options, "spill-dir").data;
    return 0;
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

static int read_timing(const arb_options *options, bool *out_timing)
{
    arb_str value = arb_option_value(options, "timing");
    *out_timing = arb_str_equal_nocase(value, ARB_STR("true")) || arb_str_equal(value, ARB_STR("1"));
    if (*out_timing || value.data == NULL || arb_str_equal_nocase(value, ARB_STR("false")) ||
        arb_str_equal(value, ARB_STR("0")))
        return 0;
    fprintf(stderr, "arbalest: timing is true or false, not \"%.*s\"\n", ARB_STR_ARGS(value));
    return arb_option_exit_status(options, "timing");
}

/* DIR or ROOT=DIR; a DIR that holds `=` is taken as such when it exists. */
static arb_str folder_of(arb_str value)
{
    const char *equals = memchr(value.data, '=', value.size);
    if (equals == NULL || access(value.data, F_OK) == 0)
        return value;
    return (arb_str){equals + 1, value.size - (size_t)(equals + 1 - value.data)};
}

static arb_str root_of(arb_str value)
{
    arb_str folder = folder_of(value);
    if (folder.data != value.data)
        return (arb_str){value.data, (size_t)(folder.data - value.data) - 1};
    while (folder.size > 1 && folder.data[folder.size - 1] == '/')
        folder.size--;
    const char *slash = memrchr(folder.data, '/', folder.size);
    if (slash != NULL && folder.size > 1)
        return (arb_str){slash + 1, folder.size - (size_t)(slash + 1 - folder.data)};
    return folder;
}

static int add_folders(arb_session *session, const arb_options *options)
{
    arb_error error = {0};
    arb_str value, other;
    for (size_t at = 0; arb_option_next(options, "data", &at, &value);) {
        for (size_t before = 0; arb_option_next(options, "data", &before, &other) && before < at;)
            if (arb_str_equal(root_of(value), root_of(other))) {
                fprintf(stderr, "arbalest: two data folders are named \"%.*s\"; name them with ROOT=DIR\n",
                        ARB_STR_ARGS(root_of(value)));
                return ARB_EXIT_CONFIGURATION;
            }
        if (arb_catalog_add_folder(arb_session_catalog(session), folder_of(value), &error) != ARB_OK)
            return report(&error, ARB_EXIT_CONFIGURATION);
    }
    return 0;
}

static int apply_settings(arb_session *session, const arb_options *options)
{
    arb_str pair;
    for (size_t at = 0; arb_option_next(options, "set", &at, &pair);) {
        arb_error error = {0};
        arb_setting setting;
        const char *equals = memchr(pair.data, '=', pair.size);
        arb_str key = {pair.data, equals != NULL ? (size_t)(equals - pair.data) : pair.size};
        arb_code code = equals == NULL ? arb_fail(&error, ARB_INVALID_PARAMETER, "set takes KEY=VALUE, not \"%.*s\"",
                                                  ARB_STR_ARGS(pair))
                                       : arb_setting_find(key, &setting, &error);
        if (code == ARB_OK)
            code = arb_settings_set(arb_session_settings(session), setting, arb_str_of(equals + 1), &error);
        if (code != ARB_OK)
            return report(&error, arb_option_exit_status(options, "set"));
    }
    return 0;
}

/* The cluster's client is not part of this build. */
static int refuse_connection(const arb_options *options, arb_str url)
{
    bool fine =
        arb_str_starts_with(url, ARB_STR("arbalest://")) || arb_str_starts_with(url, ARB_STR("arbalest+tls://"));
    if (arb_option_value(options, "data").data != NULL || !fine) {
        fputs(fine ? "arbalest: --data and --connect exclude each other: a server has tables of its own\n"
                   : "arbalest: an address looks like arbalest://HOST:PORT\n",
              stderr);
        return arb_option_exit_status(options, "connect");
    }
    arb_error error = {0};
    arb_fail(&error, ARB_CONNECTION_FAILED, "cannot connect to %.*s: this build has no client for servers",
             ARB_STR_ARGS(url));
    return report(&error, ARB_EXIT_FAILED);
}

int arb_sql_command(arb_arena *arena, const arb_options *options)
{
    arb_error error = {0};
    arb_runtime_options runtime_options = {0};
    arb_output_format format;
    bool timing;
    int status = read_runtime_options(options, &runtime_options);
    if (status == 0)
        status = read_format(options, &format);
    if (status == 0)
        status = read_timing(options, &timing);
    if (status != 0)
        return status;
    arb_str url = arb_option_value(options, "connect");
    if (url.data != NULL)
        return refuse_connection(options, url);
    arb_runtime *runtime = NULL;
    arb_session *session = NULL;
    arb_statement_runner runner;
    if (arb_runtime_create(&runtime_options, &runtime, &error) != ARB_OK ||
        arb_session_create(runtime, &session, &error) != ARB_OK) {
        status = report(&error, ARB_EXIT_FAILED);
        goto done;
    }
    status = add_folders(session, options);
    if (status == 0)
        status = apply_settings(session, options);
    if (status != 0)
        goto done;
    catch_signals(session);
    arb_statement_runner_init(&runner, session, format, timing);
    runner.output.interrupts = &interrupts;
    status = run_sources(arena, options, &runner);
    arb_statement_runner_reset(&runner);
    interrupted_session = NULL;

done:
    arb_session_destroy(session);
    arb_runtime_destroy(runtime);
    if (ending != 0) { /* as if it had not been caught */
        signal(ending, SIG_DFL);
        raise(ending);
    }
    return status;
}
