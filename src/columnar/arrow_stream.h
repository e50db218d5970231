/* arrow_stream.h: arrays of one type that come one after another, from wherever.
 *
 * Made by the readers of IPC streams and files, by the import of a C stream, by whoever has results to give; taken by
 * the writers of IPC and by the export as a C stream. */
#ifndef ARB_COLUMNAR_ARROW_STREAM_H
#define ARB_COLUMNAR_ARROW_STREAM_H

#include "columnar/arrow_array.h"

typedef struct arb_arrow_stream arb_arrow_stream;

typedef struct arb_arrow_stream_vtable {
    void (*destroy)(arb_arrow_stream *stream);
    /* The next array, one count for the caller; NULL at the end, and from then on. After a failure only destroy. */
    arb_code (*next)(arb_arrow_stream *stream, arb_arrow_array **out_array, arb_error *error);
} arb_arrow_stream_vtable;

/* Base of each kind. One thread at a time. */
struct arb_arrow_stream {
    const arb_arrow_stream_vtable *vtable;
    const arb_arrow_schema *schema; /* lent by the stream */
};

ARB_INLINE arb_code arb_arrow_stream_next(arb_arrow_stream *stream, arb_arrow_array **out_array, arb_error *error)
{
    *out_array = NULL;
    return stream->vtable->next(stream, out_array, error);
}

ARB_INLINE void arb_arrow_stream_destroy(arb_arrow_stream *stream)
{
    if (stream != NULL)
        stream->vtable->destroy(stream);
}

#endif
