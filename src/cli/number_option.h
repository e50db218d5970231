/* number_option.h: numbers, sizes and truth on the command line. Each prints what is wrong and returns the exit status, or 0; what was not
 * said stays as it is. */
#ifndef ARB_CLI_NUMBER_OPTION_H
#define ARB_CLI_NUMBER_OPTION_H

#include "cli/options.h"

ARB_NODISCARD int arb_number_option(const arb_options *options, const char *name, unsigned least, unsigned most,
                                    unsigned *out_number);
ARB_NODISCARD int arb_threads_option(const arb_options *options, unsigned *out_threads);
/* `memory-limit`, in bytes. */
ARB_NODISCARD int arb_memory_option(const arb_options *options, uint64_t *out_bytes);
/* Of a flag that stands alone: true or false, as a variable or a key says it. */
ARB_NODISCARD int arb_truth_option(const arb_options *options, const char *name, bool *out_truth);

#endif
