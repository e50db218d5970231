/* local_sink.c: a file of the local file system as a byte sink.
 *
 * The bytes go to ".NAME.XXXXXXXX.part" in the target's folder: the same file system, so that the rename at the end is
 * one step, and a hidden name, so that nobody takes it for a table. At finish the file is brought to disk before it gets
 * its name, and the folder after it: whoever sees the name after a crash sees all bytes too.
 *
 * Beneath a folder of others, the target's own folder is opened once, and all names are looked for in that: whatever is moved
 * or linked meanwhile, nothing else is written to. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/byte_sink.h"
#include "io/open_beneath.h"

enum { BUFFER_SIZE = 256 << 10, NAME_TRIES = 100 };

typedef struct local_sink {
    arb_byte_sink base;
    int descriptor;  /* -1: not open */
    int folder;      /* where target and part are looked for: open, or AT_FDCWD */
    bool direct;     /* no regular file: there is no temporary name */
    bool replace;    /* a file that is there */
    bool has_part;   /* the temporary file exists */
    char *path;      /* as given */
    char *target;    /* where the file will be: symbolic links are followed */
    char *part;      /* the temporary name */
    size_t buffered; /* bytes in the buffer */
    char *buffer;
} local_sink;

static void local_destroy(arb_byte_sink *base)
{
    local_sink *sink = (local_sink *)base;
    if (sink->descriptor >= 0)
        close(sink->descriptor);
    if (sink->has_part)
        unlinkat(sink->folder, sink->part, 0);
    if (sink->folder != AT_FDCWD)
        close(sink->folder);
    arb_free(sink->buffer);
    arb_free(sink->part);
    arb_free(sink->target);
    arb_free(sink->path);
    arb_free(sink);
}

static arb_code write_all(const local_sink *sink, const char *data, size_t size, arb_error *error)
{
    while (size != 0) {
        ssize_t put = write(sink->descriptor, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return arb_fail_errno(error, errno, "cannot write %s", sink->path);
        data += put;
        size -= (size_t)put;
    }
    return ARB_OK;
}

static arb_code flush(local_sink *sink, arb_error *error)
{
    size_t size = sink->buffered;
    sink->buffered = 0;
    return write_all(sink, sink->buffer, size, error);
}

static arb_code local_write(arb_byte_sink *base, const void *data, size_t size, arb_error *error)
{
    local_sink *sink = (local_sink *)base;
    if (size > BUFFER_SIZE - sink->buffered)
        ARB_TRY(flush(sink, error));
    if (size >= BUFFER_SIZE)
        return write_all(sink, data, size, error);
    memcpy(sink->buffer + sink->buffered, data, size);
    sink->buffered += size;
    return ARB_OK;
}

/* The folder's entry must be on disk too. Folders that cannot be opened or synced are left to the system. */
static void sync_folder(const local_sink *sink)
{
    const char *target = sink->target, *slash = strrchr(target, '/');
    if (sink->folder != AT_FDCWD) {
        fsync(sink->folder);
        return;
    }
    char *folder = slash == NULL ? arb_strndup(".", 1) : arb_strndup(target, ARB_MAX(1, (size_t)(slash - target)));
    if (folder == NULL)
        return;
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    arb_free(folder);
}

static arb_code give_name(local_sink *sink, arb_error *error)
{
    int result;
    if (sink->replace) {
        result = renameat(sink->folder, sink->part, sink->folder, sink->target);
    } else {
        result = renameat2(sink->folder, sink->part, sink->folder, sink->target, RENAME_NOREPLACE);
        if (result != 0 && (errno == EINVAL || errno == ENOSYS)) { /* a file system that lacks it */
            result = linkat(sink->folder, sink->part, sink->folder, sink->target, 0);
            if (result == 0)
                unlinkat(sink->folder, sink->part, 0);
        }
    }
    if (result != 0)
        return arb_fail_errno(error, errno, "cannot give %s its name", sink->path);
    sink->has_part = false;
    return ARB_OK;
}

static arb_code local_finish(arb_byte_sink *base, arb_error *error)
{
    local_sink *sink = (local_sink *)base;
    ARB_TRY(flush(sink, error));
    if (!sink->direct && fsync(sink->descriptor) != 0)
        return arb_fail_errno(error, errno, "cannot bring %s to disk", sink->path);
    int descriptor = sink->descriptor;
    sink->descriptor = -1;
    if (close(descriptor) != 0 &&
        errno != EINTR) /* interrupted or not, the descriptor is gone and the bytes are on disk */
        return arb_fail_errno(error, errno, "cannot close %s", sink->path);
    if (sink->direct)
        return ARB_OK;
    ARB_TRY(give_name(sink, error));
    sync_folder(sink);
    return ARB_OK;
}

static arb_code open_part(local_sink *sink, arb_error *error)
{
    const char *slash = strrchr(sink->target, '/');
    const char *name = slash == NULL ? sink->target : slash + 1;
    /* A name that is nearly as long as names may be leaves no room for the rest. */
    int name_size = (int)ARB_MIN(strlen(name), NAME_MAX - 32);
    size_t size = strlen(sink->target) + 32;
    if ((sink->part = arb_alloc(size)) == NULL)
        return arb_fail_memory(error, "a file name", size);
    for (int try = 0; try < NAME_TRIES; try++) {
        uint32_t random;
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            return arb_fail_errno(error, errno, "cannot make a temporary name for %s", sink->path);
        snprintf(sink->part, size, "%.*s.%.*s.%08x.part", (int)(name - sink->target), sink->target, name_size, name,
                 random);
        sink->descriptor = openat(sink->folder, sink->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (sink->descriptor >= 0) {
            sink->has_part = true;
            return ARB_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return arb_fail_errno(error, errno, "cannot create %s", sink->path);
}

static arb_code open_target(local_sink *sink, arb_error *error)
{
    struct stat status;
    bool exists = stat(sink->path, &status) == 0;
    if (!exists && errno != ENOENT)
        return arb_fail_errno(error, errno, "cannot create %s", sink->path);
    if (exists && S_ISDIR(status.st_mode))
        return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "%s is a folder", sink->path);
    if (exists && !S_ISREG(status.st_mode)) {
        sink->direct = true;
        sink->descriptor = open(sink->path, O_WRONLY | O_CLOEXEC);
        return sink->descriptor >= 0 ? ARB_OK : arb_fail_errno(error, errno, "cannot open %s", sink->path);
    }
    if (exists && !sink->replace)
        return arb_fail(error, ARB_FILE_EXISTS, "%s exists", sink->path);
    if (exists) {
        char *resolved = realpath(sink->path, NULL);
        if (resolved == NULL)
            return arb_fail_errno(error, errno, "cannot create %s", sink->path);
        sink->target = arb_strndup(resolved, strlen(resolved));
        free(resolved); /* the C library's own */
    } else {
        sink->target = arb_strndup(sink->path, strlen(sink->path));
    }
    if (sink->target == NULL)
        return arb_fail_memory(error, "a file name", strlen(sink->path));
    return open_part(sink, error);
}

/* The folder in which the name stands, of a path beneath another one. */
static arb_code open_target_beneath(local_sink *sink, int folder, const char *path, arb_error *error)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL ? arb_strndup(".", 1) : arb_strndup(path, (size_t)(slash - path));
    const char *name = slash == NULL ? path : slash + 1;
    struct stat status;
    sink->target = arb_strndup(name, strlen(name));
    if (parent == NULL || sink->target == NULL) {
        arb_free(parent);
        return arb_fail_memory(error, "a file name", strlen(path));
    }
    int descriptor = arb_open_beneath(folder, parent, O_RDONLY | O_DIRECTORY);
    arb_free(parent);
    if (descriptor < 0 && errno == EXDEV)
        return arb_fail(error, ARB_ACCESS_DENIED, "%s leads out of its folder", sink->path);
    if (descriptor < 0)
        return arb_fail_errno(error, errno, "cannot create %s", sink->path);
    sink->folder = descriptor;
    bool exists = fstatat(sink->folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!exists && errno != ENOENT)
        return arb_fail_errno(error, errno, "cannot create %s", sink->path);
    if (exists && !S_ISREG(status.st_mode))
        return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "%s is no regular file", sink->path);
    if (exists && !sink->replace)
        return arb_fail(error, ARB_FILE_EXISTS, "%s exists", sink->path);
    return open_part(sink, error);
}

/* `shown`, as messages show it; `path` is the same, or that beneath the folder. */
static arb_code create(int folder, const char *path, arb_str shown, bool replace, arb_byte_sink **out_sink,
                       arb_error *error)
{
    static const arb_byte_sink_vtable vtable = {local_destroy, local_write, local_finish};
    *out_sink = NULL;
    local_sink *sink = arb_alloc_zeroed(sizeof *sink);
    if (sink == NULL)
        return arb_fail_memory(error, "a byte sink", sizeof *sink);
    sink->descriptor = -1;
    sink->folder = AT_FDCWD;
    sink->replace = replace;
    sink->path = arb_strndup(shown.data, shown.size);
    sink->buffer = arb_alloc(BUFFER_SIZE);
    arb_code code = sink->path == NULL || sink->buffer == NULL ? arb_fail_memory(error, "a byte sink", BUFFER_SIZE)
                    : folder == AT_FDCWD                       ? open_target(sink, error)
                                                               : open_target_beneath(sink, folder, path, error);
    if (code != ARB_OK) {
        local_destroy(&sink->base);
        return code;
    }
    sink->base.vtable = &vtable;
    sink->base.path = arb_str_of(sink->path);
    *out_sink = &sink->base;
    return ARB_OK;
}

arb_code arb_byte_sink_create_local(const char *path, bool replace, arb_byte_sink **out_sink, arb_error *error)
{
    return create(AT_FDCWD, path, arb_str_of(path), replace, out_sink, error);
}

arb_code arb_byte_sink_create_beneath(int folder, const char *path, arb_str shown, bool replace,
                                      arb_byte_sink **out_sink, arb_error *error)
{
    assert(folder != AT_FDCWD);
    return create(folder, path, shown, replace, out_sink, error);
}
