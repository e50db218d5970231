/* byte_sink.h: where a file's bytes go.
 *
 * A writer of a format appends bytes and finishes. A local file is written under a temporary name beside its target
 * (hidden: it starts with a point) and gets its name when it is complete and on disk; a sink that is destroyed before
 * that leaves nothing behind. So nobody ever reads half a file. A full disk is ARB_DISK_FULL, and messages name the
 * target. */
#ifndef ARB_IO_BYTE_SINK_H
#define ARB_IO_BYTE_SINK_H

#include "base/error.h"
#include "base/text.h"

typedef struct arb_byte_sink arb_byte_sink;

typedef struct arb_byte_sink_vtable {
    void (*destroy)(arb_byte_sink *sink);
    arb_code (*write)(arb_byte_sink *sink, const void *data, size_t size, arb_error *error);
    arb_code (*finish)(arb_byte_sink *sink, arb_error *error);
} arb_byte_sink_vtable;

/* Base of each kind. One thread at a time. */
struct arb_byte_sink {
    const arb_byte_sink_vtable *vtable;
    arb_str path;     /* as messages show it; lives as long as the sink */
    uint64_t written; /* bytes so far: the offset of the next one */
    bool finished;
};

/* To a local file. One that is there is replaced at finish, unless `replace` is false: then it is ARB_FILE_EXISTS. What
 * is no regular file (a pipe, a terminal) is written to directly. The caller owns *out_sink. */
ARB_NODISCARD arb_code arb_byte_sink_create_local(const char *path, bool replace, arb_byte_sink **out_sink,
                                                  arb_error *error);
/* The same beneath a folder that is open (open_beneath.h): a path whose folders lead out of it is ARB_ACCESS_DENIED. No link is
 * followed at the end, and what is no regular file is refused. `shown`, which is copied, is the sink's path in messages. */
ARB_NODISCARD arb_code arb_byte_sink_create_beneath(int folder, const char *path, arb_str shown, bool replace,
                                                    arb_byte_sink **out_sink, arb_error *error);
/* To the end of a text, which outlives the sink. */
ARB_NODISCARD arb_code arb_byte_sink_create_memory(arb_text *text, arb_byte_sink **out_sink, arb_error *error);
/* Append; after a failure the sink can only be destroyed. */
ARB_NODISCARD arb_code arb_byte_sink_write(arb_byte_sink *sink, const void *data, size_t size, arb_error *error);
/* Everything is on disk and has its name. Nothing can be written any more. */
ARB_NODISCARD arb_code arb_byte_sink_finish(arb_byte_sink *sink, arb_error *error);
/* Drops what was not finished. NULL is a no-op. */
void arb_byte_sink_destroy(arb_byte_sink *sink);

#endif
