/* error_report.h: an error as people read it. */
#ifndef ARB_CLI_ERROR_REPORT_H
#define ARB_CLI_ERROR_REPORT_H

#include "base/error.h"
#include "base/text.h"

/* error: 42703: column "x" does not exist
 * LINE 3: SELECT x FROM t
 *                ^
 * DETAIL: …
 * HINT: …
 *
 * `source` is the whole text that the statement stands in, `begin` where the statement begins: the error's position counts
 * from there. Without a position there is no line. */
void arb_error_report(arb_text *out, const arb_error *error, arb_str source, size_t begin);

#endif
