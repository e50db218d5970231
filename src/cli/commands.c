/* commands.c: the subcommands and their flags. */
#include "cli/options.h"

#define DATA_FLAG                                                                                      \
    {                                                                                                  \
        "data", "[ROOT=]DIR", true, "tables: every NAME.parquet, NAME.csv … and folder NAME/ in DIR" \
    }
#define WRITE_FLAG                                                                                \
    {                                                                                             \
        "write-root", "[ROOT=]DIR", true, "folder that COPY may write to, where the scheduler is" \
    }
#define THREADS_FLAG                                                            \
    {                                                                           \
        "threads", "N", false, "threads that compute (default: the processors)" \
    }
#define MEMORY_FLAG                                                                                        \
    {                                                                                                      \
        "memory-limit", "SIZE", false, "most memory to hold, such as 4GB (default: 70 % of the machine's)" \
    }
#define HOST_FLAG                                                             \
    {                                                                         \
        "host", "ADDRESS", false, "address to listen at (default: 127.0.0.1)" \
    }
#define PORT_FLAG                                                                                            \
    {                                                                                                        \
        "port", "N", false, "port of Arrow Flight (default: 50050, an executor's 50051); 0 takes a free one" \
    }
#define HTTP_FLAG                                                                                   \
    {                                                                                               \
        "http-port", "N", false,                                                                    \
            "port for probes and figures (default: 50080, an executor's 50081); 0 takes a free one" \
    }
#define STATE_FLAG                                                               \
    {                                                                            \
        "state", "memory|sqlite", false, "where state is kept (default: sqlite)" \
    }
#define STATE_DIR_FLAG                                                                                             \
    {                                                                                                              \
        "state-dir", "DIR", false, "folder for the state (default: arbalest in $XDG_STATE_HOME or ~/.local/state)" \
    }
#define WORK_DIR_FLAG                                                                            \
    {                                                                                            \
        "work-dir", "DIR", false, "folder for temporary files (default: a fresh one in $TMPDIR)" \
    }
#define TOKEN_FLAG                                                                        \
    {                                                                                     \
        "join-token-file", "FILE", false, "file with the secret that executors join with" \
    }
#define INSECURE_FLAG                                                                            \
    {                                                                                            \
        "insecure", NULL, false, "other addresses than this machine's are meant so, unencrypted" \
    }
#define END_FLAG                \
    {                           \
        NULL, NULL, false, NULL \
    }

static const arb_flag sql_flags[] = {
    DATA_FLAG,
    {"connect", "URL", false, "run the statements at a server: arbalest://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]"},
    {"c", "SQL", true, "run these statements"},
    {"f", "FILE", true, "run the statements of a file"},
    {"format", "table|csv|tsv|json|ndjson|arrow", false, "how results look (default: table on a terminal, else csv)"},
    THREADS_FLAG,
    MEMORY_FLAG,
    {"spill-dir", "DIR", false, "folder for what does not fit into memory (default: the temporary folder)"},
    {"timing", NULL, false, "a line of JSON on standard error for each statement"},
    {"set", "KEY=VALUE", true, "as the statement SET; SHOW ALL lists the keys"},
    END_FLAG,
};
static const arb_flag server_flags[] = {HOST_FLAG,   PORT_FLAG,     HTTP_FLAG,      DATA_FLAG,
                                        WRITE_FLAG,  STATE_FLAG,    STATE_DIR_FLAG, THREADS_FLAG,
                                        MEMORY_FLAG, WORK_DIR_FLAG, END_FLAG};
static const arb_flag scheduler_flags[] = {
    HOST_FLAG,     PORT_FLAG,      {"control-port", "N", false, "port for executors (default: 50052)"},
    HTTP_FLAG,     DATA_FLAG,      WRITE_FLAG,
    STATE_FLAG,    STATE_DIR_FLAG, THREADS_FLAG,
    MEMORY_FLAG,   TOKEN_FLAG,     {"users-file", "FILE", false, "file of lines NAME:HASH; without it nobody logs in"},
    INSECURE_FLAG, END_FLAG,
};
static const arb_flag executor_flags[] = {
    {"scheduler", "HOST:PORT", false, "the scheduler's control port"},
    HOST_FLAG,
    PORT_FLAG,
    HTTP_FLAG,
    DATA_FLAG,
    WRITE_FLAG,
    THREADS_FLAG,
    MEMORY_FLAG,
    WORK_DIR_FLAG,
    TOKEN_FLAG,
    {"drain-timeout", "TIME", false, "how long tasks may go on after a request to stop (default: 60s)"},
    INSECURE_FLAG,
    END_FLAG,
};
static const arb_flag generate_flags[] = {
    {"scale", "N", false, "size, which must be given: about N GB of text; fractions are fine"},
    {"output", "DIR", false, "folder to make the files in, which must be given"},
    {"format", "parquet|csv", false, "format of the files (default: parquet)"},
    END_FLAG,
};
static const arb_flag no_flags[] = {END_FLAG};

static const char sql_ending[] =
    "Statements come from -c and -f in the order given, else from standard input; a semicolon ends one. A terminal\n"
    "gets a shell.\n"
    "Exit status: 0; 1 a statement failed; 2 wrong usage; 78 wrong configuration; 130 interrupted; 141 reader gone.\n";
static const char node_ending[] = "Exit status: 0 after a signal; 1 it failed, or a newer scheduler has the state; "
                                  "2 wrong usage; 78 wrong configuration.\n";

const arb_command arb_commands[] = {
    {"sql", NULL, "run SQL: on files here and now, or at a server", sql_flags, sql_ending},
    {"server", NULL, "serve SQL to clients: a scheduler and one executor", server_flags, node_ending},
    {"scheduler", NULL, "plan and distribute the queries of a cluster", scheduler_flags, node_ending},
    {"executor", NULL, "run the tasks of a cluster's queries", executor_flags, node_ending},
    {"generate", "tpch", "make the tables of a benchmark", generate_flags, NULL},
    {"version", NULL, "print the version", no_flags, NULL},
    {"help", "[COMMAND]", "describe a command", no_flags, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

const arb_command *arb_command_find(const char *name)
{
    for (const arb_command *command = arb_commands; command->name != NULL; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}
