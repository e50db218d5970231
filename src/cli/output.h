/* output.h: standard output: a buffer, and what became of the reader. */
#ifndef ARB_CLI_OUTPUT_H
#define ARB_CLI_OUTPUT_H

#include <signal.h>

#include "base/text.h"

typedef struct arb_output {
    int descriptor;
    bool terminal;    /* every batch is shown at once */
    bool reader_gone; /* a write gave EPIPE */
    bool wrote;       /* something was written, ever */
    int64_t flushed_ns;
    const volatile sig_atomic_t
        *interrupts; /* not 0: nothing is written any more, whatever the reader waits for; or NULL */
    arb_text buffer; /* append here, then call arb_output_tick or _flush */
} arb_output;

void arb_output_init(arb_output *output, int descriptor);
/* Write when there is enough, or when the last write was a while ago. ARB_IO, ARB_DISK_FULL; ARB_CANCELLED when the
 * reader is gone. */
ARB_NODISCARD arb_code arb_output_tick(arb_output *output, arb_error *error);
ARB_NODISCARD arb_code arb_output_flush(arb_output *output, arb_error *error);
void arb_output_reset(arb_output *output);

#endif
