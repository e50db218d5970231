#include "io/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "io/codec.h"

enum { path_most = 4096 };

void arb_spill_file_init(arb_spill_file *file, const char *folder)
{
    *file = (arb_spill_file){.folder = folder, .made = true, .descriptor = -1};
    pthread_mutex_init(&file->lock, NULL);
}

void arb_spill_file_reset(arb_spill_file *file)
{
    if (!file->made)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    pthread_mutex_destroy(&file->lock);
    *file = (arb_spill_file){0};
}

static arb_code open_file(arb_spill_file *file, arb_error *error)
{
    if (file->folder == NULL) {
        arb_fail(error, ARB_OUT_OF_MEMORY, "out of memory, and there is no folder to spill to");
        arb_error_hint(error, "name one with --spill-dir, or raise --memory-limit");
        return ARB_OUT_OF_MEMORY;
    }
    file->descriptor = open(file->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file->descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        /* A file system that knows no nameless files: take a name, and give it up at once. */
        char path[path_most];
        int size = snprintf(path, sizeof path, "%s/.arbalest-spill-XXXXXX", file->folder);
        if (size > 0 && size < path_most) {
            file->descriptor = mkostemp(path, O_CLOEXEC);
            if (file->descriptor >= 0)
                unlink(path);
        }
    }
    if (file->descriptor >= 0)
        return ARB_OK;
    arb_code code = arb_fail_errno(error, errno, "cannot create a temporary file in %s", file->folder);
    arb_error_hint(error, "name a folder that can be written with --spill-dir");
    return code;
}

static arb_code write_all(const arb_spill_file *file, const char *data, size_t size, uint64_t offset, arb_error *error)
{
    while (size != 0) {
        ssize_t put = pwrite(file->descriptor, data, size, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            int reason = put == 0 ? ENOSPC : errno;
            arb_code code = arb_fail_errno(error, reason, "cannot write a temporary file in %s", file->folder);
            arb_error_hint(error, "make room, or name another folder with --spill-dir");
            return code;
        }
        data += put;
        size -= (size_t)put;
        offset += (uint64_t)put;
    }
    return ARB_OK;
}

/* Of the stored bytes and where they lie. */
static uint64_t checksum(const void *data, size_t size, uint64_t offset)
{
    return arb_hash_combine(arb_hash_bytes(data, size), offset);
}

arb_code arb_spill_file_write(arb_spill_file *file, const void *data, size_t size, arb_spill_block *out_block,
                              arb_error *error)
{
    assert(size <= ARB_SPILL_BLOCK_MOST);
    ARB_TRY(arb_check_stop(file->stop, error));
    pthread_mutex_lock(&file->lock);
    arb_code code = file->descriptor >= 0 ? ARB_OK : open_file(file, error);
    pthread_mutex_unlock(&file->lock);
    if (code != ARB_OK)
        return code;
    int room = LZ4_compressBound((int)size);
    char *packed = arb_alloc((size_t)room);
    if (packed == NULL)
        return arb_fail_memory(error, "a block to spill", (uint64_t)room);
    int packed_size = LZ4_compress_default(data, packed, (int)size, room);
    bool smaller = packed_size > 0 && (size_t)packed_size < size - size / 8;
    const void *stored = smaller ? packed : data;
    uint32_t stored_size = smaller ? (uint32_t)packed_size : (uint32_t)size;
    uint64_t offset = atomic_fetch_add_explicit(&file->next, stored_size, memory_order_relaxed);
    code = write_all(file, stored, stored_size, offset, error);
    *out_block = (arb_spill_block){.offset = offset,
                                   .checksum = checksum(stored, stored_size, offset),
                                   .size = (uint32_t)size,
                                   .stored = stored_size};
    arb_free(packed);
    if (code == ARB_OK)
        atomic_fetch_add_explicit(&file->written, size, memory_order_relaxed);
    return code;
}

static arb_code corrupt(const arb_spill_file *file, const arb_spill_block *block, arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a temporary file in %s is damaged at byte %llu", file->folder,
                    (unsigned long long)block->offset);
}

static arb_code read_all(const arb_spill_file *file, const arb_spill_block *block, char *to, arb_error *error)
{
    size_t done = 0;
    while (done < block->stored) {
        ssize_t got = pread(file->descriptor, to + done, block->stored - done, (off_t)(block->offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return arb_fail_errno(error, errno, "cannot read a temporary file in %s", file->folder);
        if (got == 0)
            return corrupt(file, block, error);
        done += (size_t)got;
    }
    return checksum(to, block->stored, block->offset) == block->checksum ? ARB_OK : corrupt(file, block, error);
}

arb_code arb_spill_file_read(const arb_spill_file *file, const arb_spill_block *block, void *to, arb_error *error)
{
    ARB_TRY(arb_check_stop(file->stop, error));
    if (block->stored == block->size)
        return read_all(file, block, to, error);
    char *packed = arb_alloc((size_t)block->stored + ARB_CODEC_PADDING);
    if (packed == NULL)
        return arb_fail_memory(error, "a spilled block", block->stored);
    arb_code code = read_all(file, block, packed, error);
    if (code == ARB_OK)
        code = arb_codec_decode(ARB_CODEC_LZ4_RAW, packed, block->stored, to, block->size, error);
    arb_free(packed);
    return code;
}

void arb_spill_file_release(const arb_spill_file *file, const arb_spill_block *block)
{
    /* Where holes are unknown the file keeps its size until it goes. */
    (void)fallocate(file->descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)block->offset, block->stored);
}

uint64_t arb_spill_file_written(const arb_spill_file *file)
{
    return atomic_load_explicit(&file->written, memory_order_relaxed);
}
