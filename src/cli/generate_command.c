#include "cli/generate_command.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "catalog/generators/tpch_export.h"
#include "cli/error_report.h"

static volatile sig_atomic_t interrupted; /* by this signal, or 0 */

static void on_signal(int number)
{
    interrupted = number;
}

/* On a terminal, how far it is. */
static bool show_progress(void *context, const arb_tpch_progress *progress)
{
    if (*(const bool *)context)
        fprintf(stderr, "\r%-10s %3d%%", progress->table, (int)(progress->fraction * 100));
    return interrupted == 0;
}

int arb_generate_command(const arb_options *options)
{
    arb_str scale_text = arb_option_value(options, "scale"), folder = arb_option_value(options, "output");
    arb_str format = arb_option_value(options, "format");
    if (options->operands.size != 1 || !arb_str_equal(options->operands.data[0], ARB_STR("tpch"))) {
        fputs("arbalest: usage: arbalest generate tpch --scale N --output DIR\n", stderr);
        return ARB_EXIT_USAGE;
    }
    if (scale_text.data == NULL || folder.data == NULL || folder.size == 0) {
        fputs("arbalest: generate needs --scale and --output\n", stderr);
        return ARB_EXIT_USAGE;
    }
    char *end;
    double scale = strtod(scale_text.data, &end);
    if (scale_text.size == 0 || *end != '\0' || !(scale > 0)) {
        fprintf(stderr, "arbalest: the scale must be a number, not \"%s\"\n", scale_text.data);
        return arb_option_exit_status(options, "scale");
    }
    bool parquet = format.data == NULL || arb_str_equal(format, ARB_STR("parquet"));
    if (!parquet && !arb_str_equal(format, ARB_STR("csv"))) {
        fprintf(stderr, "arbalest: the format is parquet or csv, not \"%s\"\n", format.data);
        return arb_option_exit_status(options, "format");
    }
    bool terminal = isatty(STDERR_FILENO) == 1;
    arb_error error = {0};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < ARB_COUNT_OF(signals); i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = on_signal}, NULL);
    arb_code code = arb_tpch_export(scale, folder.data, parquet ? ARB_TPCH_PARQUET : ARB_TPCH_CSV, 0, show_progress,
                                    &terminal, NULL, &error);
    if (terminal)
        fputs("\r\033[K", stderr);
    if (code == ARB_OK)
        return ARB_EXIT_OK;
    arb_text text = {0};
    arb_error_report(&text, &error, (arb_str){"", 0}, 0);
    fputs(text.data != NULL ? text.data : "error\n", stderr);
    arb_text_reset(&text);
    if (interrupted != 0 && interrupted != SIGINT) { /* nothing half written is left: as if it had not been caught */
        signal(interrupted, SIG_DFL);
        raise(interrupted);
    }
    return code == ARB_CANCELLED ? ARB_EXIT_INTERRUPTED : ARB_EXIT_FAILED;
}
