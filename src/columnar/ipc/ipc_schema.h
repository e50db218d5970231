/* ipc_schema.h: schemas and pairs of metadata, to and from the FlatBuffers of IPC. */
#ifndef ARB_COLUMNAR_IPC_IPC_SCHEMA_H
#define ARB_COLUMNAR_IPC_IPC_SCHEMA_H

#include "columnar/arrow_schema.h"
#include "columnar/ipc/flatbuffer_read.h"
#include "columnar/ipc/flatbuffer_write.h"

/* The tree that a table of type Schema describes, validated. One reference goes to the caller. */
ARB_NODISCARD arb_code arb_ipc_schema_read(const arb_flat_table *table, arb_arrow_schema **out_schema,
                                           bool *out_big_endian, arb_error *error);
/* The pairs of a field of any table, copied to the arena. */
ARB_NODISCARD arb_code arb_ipc_metadata_read(const arb_flat_table *table, unsigned field, arb_arena *arena,
                                             arb_arrow_metadata *out_metadata, arb_error *error);

/* A table of type Schema for the hole. Dictionaries are numbered in the order of fields, outer before inner. `features`
 * are FEATURE_… that the batches may use. */
void arb_ipc_schema_write(arb_flat_writer *writer, size_t hole, const arb_arrow_schema *schema, int64_t features);
void arb_ipc_metadata_write(arb_flat_writer *writer, size_t hole, arb_arrow_metadata metadata);

#endif
