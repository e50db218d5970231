#include "cli/help.h"

/* Was all of it taken? */
static int status_of(FILE *to)
{
    return fflush(to) == 0 && ferror(to) == 0 ? ARB_EXIT_OK : ARB_EXIT_FAILED;
}

void arb_help_overview(FILE *to)
{
    fputs("usage: arbalest COMMAND [FLAGS]\n\n", to);
    for (const arb_command *command = arb_commands; command->name != NULL; command++)
        fprintf(to, "  %-10s %s\n", command->name, command->about);
    fputs("\narbalest help COMMAND says more.\n", to);
}

int arb_help_of(const arb_command *command, FILE *to)
{
    fprintf(to, "usage: arbalest %s%s%s%s\n\n%s\n", command->name, command->operands != NULL ? " " : "",
            command->operands != NULL ? command->operands : "", command->flags->name != NULL ? " [FLAGS]" : "",
            command->about);
    for (const arb_flag *flag = command->flags; flag->name != NULL; flag++) {
        char form[96];
        snprintf(form, sizeof form, "%s%s%s%s%s", flag->name[1] == '\0' ? "-" : "--", flag->name,
                 flag->argument != NULL ? " " : "", flag->argument != NULL ? flag->argument : "",
                 flag->repeats ? " …" : "");
        int width = flag->repeats ? 30 : 28; /* "…" takes three bytes and one column */
        fprintf(to, "%s  %-*s %s\n", flag == command->flags ? "\n" : "", width, form, flag->about);
    }
    if (command->flags->name != NULL) {
        fputs("\nA long flag --some-flag is also the variable ARBALEST_", to);
        for (const char *at = command->name; *at != '\0'; at++)
            fputc(*at - 'a' + 'A', to);
        fprintf(to,
                "_SOME_FLAG and the key some-flag\nunder [%s] in /etc/arbalest/*.conf; flags go before variables, "
                "variables before files.\n",
                command->name);
    }
    if (command->ending != NULL)
        fprintf(to, "\n%s", command->ending);
    return status_of(to);
}

int arb_help_command(const arb_options *options)
{
    if (options->operands.size == 0) {
        arb_help_overview(stdout);
        return status_of(stdout);
    }
    const arb_command *command = arb_command_find(options->operands.data[0].data);
    if (command != NULL && options->operands.size == 1)
        return arb_help_of(command, stdout);
    fprintf(stderr, "arbalest: there is no command \"%s\"\n", options->operands.data[0].data);
    return ARB_EXIT_USAGE;
}
