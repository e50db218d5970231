/* spill_file.h: a temporary file for what does not fit into memory.
 *
 * A list of blocks without a name: the file is unlinked from the start, readable by nobody else, and gone with the
 * process. Blocks are compressed with LZ4 where that helps. Each is written once, by any thread, and read back by whoever
 * has its descriptor, which stays in memory; its checksum covers where it lies, so that neither a flipped bit nor an
 * exchanged block becomes a wrong row. Nothing is opened before the first block. */
#ifndef ARB_IO_SPILL_FILE_H
#define ARB_IO_SPILL_FILE_H

#include <pthread.h>

#include "base/stop.h"

typedef struct arb_spill_block {
    uint64_t offset, checksum;
    uint32_t size;   /* bytes that it becomes */
    uint32_t stored; /* bytes in the file; equal to size: not compressed */
} arb_spill_block;

typedef struct arb_spill_file {
    const char *folder;  /* borrowed; NULL: there is none, and writing is ARB_OUT_OF_MEMORY */
    arb_stop_flag *stop; /* NULL, or set by the owner: from then on no block is written or read */
    pthread_mutex_t lock;
    bool made;
    int descriptor; /* -1: not open yet; the lock */
    _Atomic uint64_t next, written;
} arb_spill_file;

enum { ARB_SPILL_BLOCK_MOST = 64 << 20 };

/* Caller's memory. */
void arb_spill_file_init(arb_spill_file *file, const char *folder);
void arb_spill_file_reset(arb_spill_file *file); /* a zeroed one is a no-op */

/* Append `size` bytes, at most ARB_SPILL_BLOCK_MOST. Any thread. ARB_DISK_FULL when there is no room. */
ARB_NODISCARD arb_code arb_spill_file_write(arb_spill_file *file, const void *data, size_t size,
                                            arb_spill_block *out_block, arb_error *error);
/* Read a block back into `to`, which has ARB_CODEC_PADDING bytes behind block->size. Any thread. */
ARB_NODISCARD arb_code arb_spill_file_read(const arb_spill_file *file, const arb_spill_block *block, void *to,
                                           arb_error *error);
/* The block is not needed any more: its space goes back to the file system, where that can do so. */
void arb_spill_file_release(const arb_spill_file *file, const arb_spill_block *block);
/* Bytes that blocks became when they were written. */
uint64_t arb_spill_file_written(const arb_spill_file *file);

#endif
