/* flight_schema.h: schemas as FlightInfo and SchemaResult carry them: an IPC message with its frame. */
#ifndef ARB_RPC_FLIGHT_SCHEMA_H
#define ARB_RPC_FLIGHT_SCHEMA_H

#include "base/text.h"
#include "columnar/arrow_schema.h"

/* Append the message; the schema's root is a STRUCT. */
ARB_NODISCARD arb_code arb_flight_schema_write(const arb_arrow_schema *schema, arb_text *out, arb_error *error);
/* The same for one whose description is there: the header that came with it in a FlightData. */
ARB_NODISCARD arb_code arb_flight_schema_frame(arb_str description, arb_text *out, arb_error *error);
/* One reference for the caller. The bytes may be anything. */
ARB_NODISCARD arb_code arb_flight_schema_read(arb_str bytes, arb_arrow_schema **out_schema, arb_error *error);

#endif
