/* options.h: what the command line, the environment and the configuration files say.
 *
 * Each subcommand has a table of flags. A flag `--memory-limit` of `arbalest sql` is also the variable
 * ARBALEST_SQL_MEMORY_LIMIT and the key `memory-limit` under [sql] in /etc/arbalest/ *.conf. What comes later in
 * default < file < environment < flag replaces what came before, for flags that may repeat all values at once. */
#ifndef ARB_CLI_OPTIONS_H
#define ARB_CLI_OPTIONS_H

#include "base/text.h"
#include "base/vec.h"

/* Exit statuses; 141 is 128 + SIGPIPE, 130 is 128 + SIGINT. */
enum {
    ARB_EXIT_OK = 0,
    ARB_EXIT_FAILED = 1,
    ARB_EXIT_USAGE = 2,
    ARB_EXIT_CONFIGURATION = 78,
    ARB_EXIT_INTERRUPTED = 130,
    ARB_EXIT_READER_GONE = 141,
};

typedef enum arb_option_origin { ARB_FROM_FILE = 1, ARB_FROM_ENVIRONMENT, ARB_FROM_FLAG } arb_option_origin;

typedef struct arb_flag {
    const char *name;     /* "memory-limit" for --memory-limit; one letter for -c */
    const char *argument; /* "SIZE"; NULL: the flag stands alone */
    bool repeats;
    const char *about;
} arb_flag;

typedef struct arb_command {
    const char *name;
    const char *operands; /* "tpch"; NULL: none */
    const char *about;
    const arb_flag *flags; /* ends with a NULL name */
    const char *ending;    /* of its help, lines; NULL: nothing */
} arb_command;

typedef struct arb_option {
    const arb_flag *flag;
    arb_str value; /* ends with NUL; of a flag that stands alone: "true" */
    arb_option_origin origin;
} arb_option;

typedef struct arb_options {
    const arb_command *command;
    ARB_VEC(arb_option) items; /* in the order given; arena */
    ARB_VEC(arb_str) operands; /* arena */
    arb_str cpu;               /* ARBALEST_CPU; empty when not set */
} arb_options;

extern const arb_command arb_commands[]; /* ends with a NULL name */
/* NULL when there is none. */
const arb_command *arb_command_find(const char *name);

/* Read the command's arguments (behind its name), the environment and the files. Prints what is wrong and returns the exit
 * status, or 0. Texts live in the arena or as long as the process. */
ARB_NODISCARD int arb_options_read(arb_arena *arena, const arb_command *command, char **arguments,
                                   arb_options *out_options);
/* The value that counts, or one with data NULL when there is none. */
arb_str arb_option_value(const arb_options *options, const char *name);
/* Where that value came from, for exit statuses. */
arb_option_origin arb_option_origin_of(const arb_options *options, const char *name);
/* The `at`-th value of a flag that repeats, false behind the last. */
bool arb_option_next(const arb_options *options, const char *name, size_t *at, arb_str *out_value);
/* 2 for what stands on the command line, 78 for the environment and files. */
int arb_option_exit_status(const arb_options *options, const char *name);

#endif
