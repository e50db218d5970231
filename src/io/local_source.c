/* local_source.c: a file of the local file system as a byte source.
 *
 * Its descriptor may be taken by a pool while nobody reads (descriptor_pool.h). The next read opens the file again, in the
 * very same way, and goes on only with the very same file: with another one it is ARB_FILE_CHANGED. So what was replaced or
 * removed gives its old bytes as long as the descriptor was kept, and never any others. Attempts open what the system finds
 * without waiting; for the rest they find nothing, and the read that follows opens it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/byte_source.h"
#include "io/descriptor_pool.h"
#include "io/open_beneath.h"

typedef struct local_source {
    arb_byte_source base;
    arb_pooled_descriptor descriptor;
    size_t folder_size; /* of the path: opened again beneath that; 0: wherever it leads */
    char path[];
} local_source;

enum {
    /* A read costs about a microsecond and a copy; this much stays in the processor's cache until it is decoded. */
    LOCAL_READ_AHEAD = 256 << 10,
    /* Disks, those behind a network above all, take about a millisecond for a read of any size up to here. */
    LOCAL_READ_FAR = 1 << 20,
};

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
static int open_input(int folder, const char *path, bool at_once)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK; /* a pipe's open must not wait */
    if (at_once)
        return arb_open_at_once(folder, path, flags);
    return folder == ANYWHERE ? open(path, flags) : arb_open_beneath(folder, path, flags);
}

/* A regular file's descriptor, ready to be read from. */
static arb_code open_file(const local_source *local, int folder, const char *path, bool at_once, int *out_descriptor,
                          struct stat *out_status, arb_error *error)
{
    int descriptor = open_input(folder, path, at_once);
    if (descriptor < 0 && folder != ANYWHERE && errno == EXDEV)
        return arb_fail(error, ARB_ACCESS_DENIED, "%s leads out of its folder", local->path);
    if (descriptor < 0)
        return arb_fail_errno(error, errno, "cannot open %s", local->path);
    arb_code code = ARB_OK;
    if (fstat(descriptor, out_status) != 0)
        code = arb_fail_errno(error, errno, "cannot look at %s", local->path);
    else if (!S_ISREG(out_status->st_mode))
        code = arb_fail(error, ARB_WRONG_OBJECT_TYPE, "%s is not a regular file", local->path);
    if (code != ARB_OK) {
        close(descriptor);
        return code;
    }
    /* Readers know better than the system what comes next: the next bytes of some columns, not those behind. */
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM);
    *out_descriptor = descriptor;
    return ARB_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static arb_code find_file(const local_source *local, bool at_once, int *out_descriptor, struct stat *out_status,
                          arb_error *error)
{
    char path[PATH_MAX];
    const char *inside = local->path + local->folder_size;
    if (local->folder_size == 0)
        return open_file(local, ANYWHERE, local->path, at_once, out_descriptor, out_status, error);
    memcpy(path, local->path, local->folder_size);
    path[local->folder_size] = '\0';
    int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    int folder = at_once ? arb_open_at_once(AT_FDCWD, path, flags) : open(path, flags);
    if (folder < 0)
        return arb_fail_errno(error, errno, "cannot open the folder %s", path);
    arb_code code = open_file(local, folder, inside + (*inside == '/'), at_once, out_descriptor, out_status, error);
    close(folder);
    return code;
}

/* The same file once more; with `at_once` only if nothing must be waited for. */
static arb_code open_again(const local_source *local, bool at_once, int *out_descriptor, arb_error *error)
{
    struct stat status;
    arb_error why = {0};
    arb_code code = find_file(local, at_once, out_descriptor, &status, error != NULL ? &why : NULL);
    if (code == ARB_FILE_NOT_FOUND)
        return arb_fail(error, ARB_FILE_CHANGED, "%s was removed while it was in use", local->path);
    if (code == ARB_OK && arb_source_identity_equal(identity_of(&status), local->base.identity))
        return ARB_OK;
    if (code == ARB_OK)
        close(*out_descriptor);
    if (code == ARB_OK || code == ARB_WRONG_OBJECT_TYPE)
        return arb_fail(error, ARB_FILE_CHANGED, "%s was changed or replaced while it was in use", local->path);
    if (error != NULL)
        *error = why;
    return code;
}

/* Where it succeeds, arb_pooled_descriptor_end follows. */
static arb_code begin_reading(local_source *local, bool at_once, int *out_descriptor, arb_error *error)
{
    *out_descriptor = arb_pooled_descriptor_begin(&local->descriptor);
    if (*out_descriptor >= 0)
        return ARB_OK;
    arb_code code = open_again(local, at_once, out_descriptor, error);
    if (code == ARB_OK)
        *out_descriptor = arb_pooled_descriptor_put(&local->descriptor, *out_descriptor);
    else
        arb_pooled_descriptor_end(&local->descriptor);
    return code;
}

/* Readers share a source that does not change, but for its descriptor. */
static local_source *local_of(const arb_byte_source *source)
{
    return (local_source *)(uintptr_t)source;
}

static void local_destroy(arb_byte_source *source)
{
    local_source *local = (local_source *)source;
    arb_pooled_descriptor_close(&local->descriptor);
    arb_free(local);
}

static arb_code read_all(const local_source *local, int descriptor, uint64_t offset, char *to, size_t size,
                         arb_error *error)
{
    while (size != 0) {
        ssize_t got = pread(descriptor, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return arb_fail_errno(error, errno, "cannot read %s", local->path);
        if (got == 0)
            return arb_fail(error, ARB_FILE_CHANGED, "%s became shorter while it was read", local->path);
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return ARB_OK;
}

static arb_code local_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size, arb_error *error)
{
    local_source *local = local_of(source);
    int descriptor;
    ARB_TRY(begin_reading(local, false, &descriptor, error));
    arb_code code = read_all(local, descriptor, offset, to, size, error);
    arb_pooled_descriptor_end(&local->descriptor);
    return code;
}

/* An attempt that finds nothing makes the kernel begin to read ahead, so the read that follows waits less. A file system
 * that knows no such attempts gives nothing, too. */
static size_t local_try_read(const arb_byte_source *source, uint64_t offset, void *to, size_t size)
{
    local_source *local = local_of(source);
    struct iovec into = {to, size};
    int descriptor;
    if (begin_reading(local, true, &descriptor, NULL) != ARB_OK)
        return 0;
    ssize_t got;
    do
        got = preadv2(descriptor, &into, 1, (off_t)offset, RWF_NOWAIT);
    while (got < 0 && errno == EINTR);
    arb_pooled_descriptor_end(&local->descriptor);
    return got > 0 ? (size_t)got : 0;
}

static void local_expect(const arb_byte_source *source, uint64_t offset, size_t size)
{
    local_source *local = local_of(source);
    int descriptor;
    if (begin_reading(local, false, &descriptor, NULL) != ARB_OK) /* the read that follows says why */
        return;
    posix_fadvise(descriptor, (off_t)offset, (off_t)size, POSIX_FADV_WILLNEED);
    arb_pooled_descriptor_end(&local->descriptor);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static const arb_byte_source_vtable on_disk = {local_destroy, local_read, local_try_read, local_expect},
                                    in_memory = {.destroy = local_destroy, .read = local_read};

static arb_code open_source(local_source *local, int folder, const char *path, arb_error *error)
{
    struct stat status;
    int descriptor;
    ARB_TRY(open_file(local, folder, path, false, &descriptor, &status, error));
    arb_pooled_descriptor_init(&local->descriptor, descriptor);
    local->base = (arb_byte_source){
        .vtable = lies_in_memory(descriptor) ? &in_memory : &on_disk,
        .path = arb_str_of(local->path),
        .identity = identity_of(&status),
        .read_ahead = LOCAL_READ_AHEAD,
        .read_far = LOCAL_READ_FAR,
    };
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

void arb_byte_source_pool(arb_byte_source *source, arb_descriptor_pool *pool, size_t folder_size)
{
    local_source *local = (local_source *)source;
    if (source->vtable != &on_disk && source->vtable != &in_memory)
        return;
    assert(folder_size < PATH_MAX && folder_size <= source->path.size);
    local->folder_size = folder_size;
    arb_descriptor_pool_add(pool, &local->descriptor);
}
