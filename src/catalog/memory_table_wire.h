/* memory_table_wire.h: a table in memory as a message: columns, keys and a list of segments. */
#ifndef ARB_CATALOG_MEMORY_TABLE_WIRE_H
#define ARB_CATALOG_MEMORY_TABLE_WIRE_H

#include "catalog/segment.h"
#include "catalog/table.h"

/* Of proto/table.pb-c.h, which is made when the project is built. */
typedef struct Arbalest__Table__Memory Arbalest__Table__Memory;

bool arb_memory_table_can_travel(const arb_table *table);
/* Fill the message of such a table; its parts live in the arena, texts are borrowed. */
ARB_NODISCARD arb_code arb_memory_table_write(arb_arena *arena, const arb_table *table,
                                              const arb_segment_namer *segments, Arbalest__Table__Memory *to,
                                              arb_error *error);
/* The table; the caller has the one reference. It does not refer to the message. ARB_CORRUPT_DATA; what the finder says. */
ARB_NODISCARD arb_code arb_memory_table_read(arb_arena *arena, arb_str name, const Arbalest__Table__Memory *from,
                                             const arb_segment_finder *segments, arb_stop_flag *stop,
                                             arb_table **out_table, arb_error *error);

#endif
