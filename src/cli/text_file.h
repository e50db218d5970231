/* text_file.h: a whole file as a text. */
#ifndef ARB_CLI_TEXT_FILE_H
#define ARB_CLI_TEXT_FILE_H

#include "base/text.h"

/* The file's bytes, in the arena, with a NUL behind them. Files of more than 1 GiB are ARB_LIMIT_EXCEEDED. Pipes are
 * read to their end. */
ARB_NODISCARD arb_code arb_text_file_read(arb_arena *arena, const char *path, arb_str *out_text, arb_error *error);

#endif
