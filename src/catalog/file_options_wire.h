/* file_options_wire.h: how files are to be read, as a message (proto/table.proto). */
#ifndef ARB_CATALOG_FILE_OPTIONS_WIRE_H
#define ARB_CATALOG_FILE_OPTIONS_WIRE_H

#include "catalog/file_options.h"

/* A struct of proto/table.pb-c.h, which the .c files include: it is made when the project is built. */
typedef struct Arbalest__Table__FileOptions Arbalest__Table__FileOptions;

/* The message lives in the arena and borrows the options' texts. ARB_NOT_SUPPORTED for a nested type, which no file read by
 * such options can have. */
ARB_NODISCARD arb_code arb_file_options_write(arb_arena *arena, const arb_file_options *options,
                                              Arbalest__Table__FileOptions **out_message, arb_error *error);
/* The options live in the arena and borrow the message's texts. ARB_CORRUPT_DATA for what cannot have been written. */
ARB_NODISCARD arb_code arb_file_options_read(arb_arena *arena, const Arbalest__Table__FileOptions *message,
                                             arb_file_options *out_options, arb_error *error);

#endif
