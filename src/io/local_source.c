/* local_source.c: a file of the local file system as a byte source. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/byte_source.h"
#include "io/open_beneath.h"

typedef struct local_source {
    arb_byte_source base;
    int descriptor;
    char path[];
} local_source;

enum {
    /* A read costs about a microsecond and a copy; this much stays in the processor's cache until it is decoded. */
    LOCAL_READ_AHEAD = 256 << 10,
    /* Disks, those behind a network above all, take about a millisecond for a read of any size up to here. */
    LOCAL_READ_FAR = 1 << 20,
};

static void local_destroy(arb_byte_source *source)
{
    local_source *local = (local_source *)source;
    close(local->descriptor);
    arb_free(local);
}

static arb_code local_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size, arb_error *error)
{
    const local_source *local = (const local_source *)source;
    char *at = to;
    while (size != 0) {
        ssize_t got = pread(local->descriptor, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return arb_fail_errno(error, errno, "cannot read %s", local->path);
        if (got == 0)
            return arb_fail(error, ARB_FILE_CHANGED, "%s became shorter while it was read", local->path);
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return ARB_OK;
}

/* An attempt that finds nothing makes the kernel begin to read ahead, so the read that follows waits less. A file system
 * that knows no such attempts gives nothing, too. */
static size_t local_try_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size)
{
    const local_source *local = (const local_source *)source;
    struct iovec into = {to, size};
    ssize_t got;
    do
        got = preadv2(local->descriptor, &into, 1, (off_t)offset, RWF_NOWAIT);
    while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

static void local_expect(const arb_byte_source *source, uint64_t offset, size_t size)
{
    posix_fadvise(((const local_source *)source)->descriptor, (off_t)offset, (off_t)size, POSIX_FADV_WILLNEED);
}

/* File systems that lie in memory never wait, but do not know attempts either. */
static bool lies_in_memory(int descriptor)
{
    struct statfs system;
    return fstatfs(descriptor, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

static arb_source_identity identity_of(const struct stat *status)
{
    return (arb_source_identity){
        .size = (uint64_t)status->st_size,
        .modified_ns = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec,
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
    };
}

arb_code arb_source_identity_of_local(const char *path, arb_source_identity *out_identity, arb_error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return arb_fail_errno(error, errno, "cannot look at %s", path);
    *out_identity = identity_of(&status);
    return ARB_OK;
}

enum { ANYWHERE = AT_FDCWD };

/* The one place where a file is opened to be read. `folder` is ANYWHERE, or what `path` must lie beneath. */
static int open_input(int folder, const char *path)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK; /* a pipe's open must not wait */
    return folder == ANYWHERE ? open(path, flags) : arb_open_beneath(folder, path, flags);
}

static arb_code open_source(local_source *local, int folder, const char *path, arb_error *error)
{
    static const arb_byte_source_vtable on_disk = {local_destroy, local_read, local_try_read, local_expect},
                                        in_memory = {.destroy = local_destroy, .read = local_read};
    struct stat status;
    local->descriptor = open_input(folder, path);
    if (local->descriptor < 0 && folder != ANYWHERE && errno == EXDEV)
        return arb_fail(error, ARB_ACCESS_DENIED, "%s leads out of its folder", local->path);
    if (local->descriptor < 0)
        return arb_fail_errno(error, errno, "cannot open %s", local->path);
    arb_code code = ARB_OK;
    if (fstat(local->descriptor, &status) != 0)
        code = arb_fail_errno(error, errno, "cannot look at %s", local->path);
    else if (!S_ISREG(status.st_mode))
        code = arb_fail(error, ARB_WRONG_OBJECT_TYPE, "%s is not a regular file", local->path);
    if (code != ARB_OK) {
        close(local->descriptor);
        return code;
    }
    local->base = (arb_byte_source){
        .vtable = lies_in_memory(local->descriptor) ? &in_memory : &on_disk,
        .path = arb_str_of(local->path),
        .identity = identity_of(&status),
        .read_ahead = LOCAL_READ_AHEAD,
        .read_far = LOCAL_READ_FAR,
    };
    /* Readers know better than the system what comes next: the next bytes of some columns, not those behind. */
    posix_fadvise(local->descriptor, 0, 0, POSIX_FADV_RANDOM);
    return ARB_OK;
}

static arb_code create(int folder, const char *path, arb_str shown, arb_byte_source **out_source, arb_error *error)
{
    *out_source = NULL;
    local_source *local = arb_alloc_zeroed(sizeof *local + shown.size + 1);
    if (local == NULL)
        return arb_fail_memory(error, "a byte source", sizeof *local + shown.size + 1);
    memcpy(local->path, shown.data, shown.size);
    arb_code code = open_source(local, folder, path, error);
    if (code != ARB_OK)
        arb_free(local);
    else
        *out_source = &local->base;
    return code;
}

arb_code arb_byte_source_open_local(const char *path, arb_byte_source **out_source, arb_error *error)
{
    return create(ANYWHERE, path, arb_str_of(path), out_source, error);
}

arb_code arb_byte_source_open_beneath(int folder, const char *path, arb_str shown, arb_byte_source **out_source,
                                      arb_error *error)
{
    return create(folder, path, shown, out_source, error);
}
