/* secret_file.h: secrets that processes share through files which nobody else can read. */
#ifndef ARB_NODE_SECRET_FILE_H
#define ARB_NODE_SECRET_FILE_H

#include "base/error.h"
#include "base/text.h"

enum { ARB_SECRET_DIGITS = 64, ARB_SECRET_PATH_MOST = 256 };

/* A new one: random digits, with NUL. */
ARB_NODISCARD arb_code arb_secret_make(char out_secret[ARB_SECRET_DIGITS + 1], arb_error *error);
/* The secret in a file, without the line's end; in the arena. ARB_CONFIGURATION when others may read it or it holds none. */
ARB_NODISCARD arb_code arb_secret_file_read(arb_arena *arena, arb_str path, arb_str *out_secret, arb_error *error);
/* The same; a file that is not there is made, with a new secret. */
ARB_NODISCARD arb_code arb_secret_file_keep(arb_arena *arena, arb_str path, arb_str *out_secret, arb_error *error);

/* The bytes that a secret of ours stands for. ARB_CONFIGURATION for another text. */
ARB_NODISCARD arb_code arb_secret_bytes(arb_str secret, uint8_t *out_bytes, size_t size, arb_error *error);

/* A secret in a file that goes with the process: what a server and its own executor share. */
typedef struct arb_secret_on_loan {
    char secret[ARB_SECRET_DIGITS + 1];
    char path[ARB_SECRET_PATH_MOST]; /* empty: there is no file */
} arb_secret_on_loan;

ARB_NODISCARD arb_code arb_secret_lend(arb_secret_on_loan *out_secret, arb_error *error);
/* The file is there, with that secret, whoever has removed it since. */
ARB_NODISCARD arb_code arb_secret_lend_again(const arb_secret_on_loan *secret, arb_error *error);
void arb_secret_take_back(arb_secret_on_loan *secret); /* the file; of a zeroed one a no-op */

#endif
