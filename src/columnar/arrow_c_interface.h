/* arrow_c_interface.h: schemas, arrays and streams to and from other libraries in the same process, without copying.
 *
 * Import moves a struct in: it is empty afterwards, also on failure, and its release is called exactly once: at once for
 * schemas, when the last buffer is let go for arrays (on whichever thread that is), at destroy for streams. An imported
 * array is checked like any other; what cannot be checked is that its buffers are as long as its lengths say, since the
 * interface does not tell.
 *
 * Export fills a struct that the caller provides; the receiver releases it on any thread. Children may be moved out. */
#ifndef ARB_COLUMNAR_ARROW_C_INTERFACE_H
#define ARB_COLUMNAR_ARROW_C_INTERFACE_H

#include "arbalest/arrow_c_data.h"
#include "columnar/arrow_stream.h"

/* One reference for the caller. */
ARB_NODISCARD arb_code arb_arrow_schema_import(struct ArrowSchema *schema, arb_arrow_schema **out_schema,
                                               arb_error *error);
ARB_NODISCARD arb_code arb_arrow_schema_export(const arb_arrow_schema *schema, struct ArrowSchema *out_schema,
                                               arb_error *error);

/* An array of the type of the schema's root; one count for the caller. */
ARB_NODISCARD arb_code arb_arrow_array_import(struct ArrowArray *array, const arb_arrow_schema *schema,
                                              arb_arrow_array **out_array, arb_error *error);
ARB_NODISCARD arb_code arb_arrow_array_export(const arb_arrow_array *array, struct ArrowArray *out_array,
                                              arb_error *error);

/* Asks for the schema at once. */
ARB_NODISCARD arb_code arb_arrow_stream_import(struct ArrowArrayStream *stream, arb_arrow_stream **out_stream,
                                               arb_error *error);
/* Takes the stream, also on failure; the struct's release destroys it. */
ARB_NODISCARD arb_code arb_arrow_stream_export(arb_arrow_stream *stream, struct ArrowArrayStream *out_stream,
                                               arb_error *error);

#endif
