/* statement_runner.h: run statements one after the other and show what comes out: for scripts and for the shell. */
#ifndef ARB_CLI_STATEMENT_RUNNER_H
#define ARB_CLI_STATEMENT_RUNNER_H

#include "cli/output.h"
#include "engine/statement_host.h"
#include "formats/row_writer.h"

typedef enum arb_output_format {
    ARB_OUTPUT_TABLE,
    ARB_OUTPUT_CSV,
    ARB_OUTPUT_TSV,
    ARB_OUTPUT_JSON,
    ARB_OUTPUT_NDJSON,
    ARB_OUTPUT_ARROW
} arb_output_format;

/* False when there is no such format. */
bool arb_output_format_find(arb_str name, arb_output_format *out_format);

typedef struct arb_statement_runner {
    arb_statement_host *host; /* borrowed */
    arb_output output;
    arb_output_format format;
    bool timing;
    bool error_terminal; /* standard error is one: counts and progress are shown */
    uint64_t statements; /* executed so far */
    uint64_t results;    /* shown so far */
} arb_statement_runner;

void arb_statement_runner_init(arb_statement_runner *runner, arb_statement_host *host, arb_output_format format,
                               bool timing);
void arb_statement_runner_reset(arb_statement_runner *runner);

/* Run the statement that lies at [begin, end) of `source`; `arrived_ns` is when its text was there. An error is reported
 * on standard error and returned. */
arb_code arb_statement_run(arb_statement_runner *runner, arb_str source, size_t begin, size_t end, int64_t arrived_ns);
/* The exit status that an error of a statement means. */
int arb_statement_exit_status(const arb_statement_runner *runner, arb_code code);

#endif
