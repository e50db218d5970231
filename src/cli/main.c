/* main.c: the `arbalest` command: which subcommand, and what all of them share. */
#include <stdio.h>

#include "base/cpu.h"
#include "base/failpoint.h"
#include "cli/generate_command.h"
#include "cli/help.h"
#include "cli/node_command.h"
#include "cli/sql_command.h"

static int print_version(void)
{
    return puts("arbalest " ARB_VERSION) < 0 || fflush(stdout) != 0 ? ARB_EXIT_FAILED : ARB_EXIT_OK;
}

static int run(arb_arena *arena, const arb_options *options)
{
    const char *name = options->command->name;
    arb_error error = {0};
    if (ARB_FAILPOINTS_READ(&error) != ARB_OK) {
        fprintf(stderr, "arbalest: %s\n", error.message);
        return ARB_EXIT_CONFIGURATION;
    }
    if (options->cpu.data != NULL) {
        if (arb_cpu_choose(options->cpu.data, &error) != ARB_OK) {
            fprintf(stderr, "arbalest: ARBALEST_CPU: %s\n", error.message);
            return ARB_EXIT_CONFIGURATION;
        }
    }
    if (strcmp(name, "sql") == 0)
        return arb_sql_command(arena, options);
    if (strcmp(name, "generate") == 0)
        return arb_generate_command(options);
    if (strcmp(name, "version") == 0)
        return print_version();
    if (strcmp(name, "help") == 0)
        return arb_help_command(options);
    return arb_node_command(arena, options);
}

int main(int count, char **arguments)
{
    if (count < 2) {
        arb_help_overview(stderr);
        return ARB_EXIT_USAGE;
    }
    const char *name = arguments[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    const arb_command *command = arb_command_find(name);
    if (command == NULL) {
        fprintf(stderr, "arbalest: there is no command \"%s\"\n", name);
        arb_help_overview(stderr);
        return ARB_EXIT_USAGE;
    }
    for (int i = 2; i < count; i++)
        if (strcmp(arguments[i], "--help") == 0)
            return arb_help_of(command, stdout);
    arb_arena arena = {0};
    arb_options options;
    int status = arb_options_read(&arena, command, arguments + 2, &options);
    if (status == 0)
        status = run(&arena, &options);
    arb_arena_reset(&arena);
    return status;
}
