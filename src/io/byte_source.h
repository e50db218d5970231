/* byte_source.h: where a file's bytes come from.
 *
 * A reader of a format asks for ranges of bytes and never cares whether they lie on a disk or behind a network. A source
 * is open, read-only, shared between threads and never grows: size and identity are those of the moment of opening. What
 * a plan knows of a file (footers, ranges) belongs to one identity; another identity is another file.
 *
 * There are two ways to read. arb_byte_source_read waits as long as it takes. arb_byte_source_try_read gives what can be
 * had at once (the system's cache has it) and is what threads that compute use; what is left is read by an I/O thread.
 *
 * Data is read into the caller's memory. Nothing is mapped: mapped pages count as resident, and a file that is
 * cut short under a mapping kills the process. */
#ifndef ARB_IO_BYTE_SOURCE_H
#define ARB_IO_BYTE_SOURCE_H

#include <stdatomic.h>

#include "base/text.h"
#include "io/descriptor_pool.h"
#include "runtime/memory.h"

/* Which bytes these are: equal identities mean equal bytes, as far as a file system can tell. */
typedef struct arb_source_identity {
    uint64_t size;
    int64_t modified_ns;    /* since 1970; 0 when not known */
    uint64_t device, inode; /* 0 for sources that have none */
} arb_source_identity;

typedef struct arb_byte_source arb_byte_source;

typedef struct arb_byte_source_vtable {
    void (*destroy)(arb_byte_source *source);
    /* Exactly `size` bytes from `offset`, a range that lies within the source. */
    arb_code (*read)(const arb_byte_source *source, uint64_t offset, void *to, size_t size, arb_error *error);
    /* As many of these bytes, from the first one on, as can be had without waiting. NULL: `read` never waits. */
    size_t (*try_read)(const arb_byte_source *source, uint64_t offset, void *to, size_t size);
    /* These bytes will soon be asked for; may wait a little. NULL: that makes no difference. */
    void (*expect)(const arb_byte_source *source, uint64_t offset, size_t size);
} arb_byte_source_vtable;

/* Base of each kind. Immutable once open, but for the number of its owners; may be used by several threads. */
struct arb_byte_source {
    const arb_byte_source_vtable *vtable;
    _Atomic uint32_t shares; /* owners beside the first */
    arb_str path;            /* as messages show it; lives as long as the source */
    arb_source_identity identity;
    size_t read_ahead; /* bytes worth asking for at once: small where a call is cheap */
    size_t read_far;   /* the same where they must be waited for; 0 = no more than that */
    /* What the source, and a file made of it, take as long as they are open. Who opens it may give it an account, before
     * anything is made of it; else nothing is counted. */
    arb_reservation held;
};

/* Open a file of the local file system. The caller owns *out_source. Directories and the like are refused. */
ARB_NODISCARD arb_code arb_byte_source_open_local(const char *path, arb_byte_source **out_source, arb_error *error);
/* The same beneath a folder that is open (open_beneath.h): a path that leads out of it is ARB_ACCESS_DENIED. `shown`, which
 * is copied, is the source's path in messages. */
ARB_NODISCARD arb_code arb_byte_source_open_beneath(int folder, const char *path, arb_str shown,
                                                    arb_byte_source **out_source, arb_error *error);
/* A local file's descriptor is the pool's from now on, which outlives the source: it may be closed between reads, and the file
 * opened again by its path, beneath the folder that the first `folder_size` bytes of it are (0: wherever it leads). When that
 * is not the same file any more, by its identity, reading is ARB_FILE_CHANGED. Other sources have none, and nothing is done.
 * Before others have the source. */
void arb_byte_source_pool(arb_byte_source *source, arb_descriptor_pool *pool, size_t folder_size);
/* Which bytes a path leads to now, without opening it. */
ARB_NODISCARD arb_code arb_source_identity_of_local(const char *path, arb_source_identity *out_identity,
                                                    arb_error *error);
/* Over memory that the caller keeps alive; for tests and for bytes that came in a message. */
ARB_NODISCARD arb_code arb_byte_source_open_memory(arb_str name, const void *data, size_t size,
                                                   arb_byte_source **out_source, arb_error *error);
/* One more owner, such as a read that may outlast the others; returns the source. */
arb_byte_source *arb_byte_source_share(const arb_byte_source *source);
/* One owner less; the last one closes it. Any thread. NULL is a no-op. */
void arb_byte_source_destroy(arb_byte_source *source);

/* Exactly `size` bytes from `offset` into `to`. A range beyond the end is ARB_CORRUPT_DATA (offsets come from the file
 * itself), a file that became shorter since it was opened ARB_FILE_CHANGED. */
ARB_NODISCARD arb_code arb_byte_source_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size,
                                            arb_error *error);
/* How many of the same bytes were there at once: 0 to `size`. What fails comes out as 0; reading then says why. */
ARB_NODISCARD arb_code arb_byte_source_try_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size,
                                                size_t *out_got, arb_error *error);
/* For threads that may wait: what of this range lies in the source will be asked for soon. */
void arb_byte_source_expect(const arb_byte_source *source, uint64_t offset, size_t size);
bool arb_source_identity_equal(arb_source_identity a, arb_source_identity b);

#endif
