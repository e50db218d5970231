#include "io/open_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TRIES_MOST = 16 };

enum { BENEATH = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

arb_code arb_open_folder(const char *path, int *out_folder, arb_error *error)
{
    *out_folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *out_folder >= 0 ? ARB_OK : arb_fail_errno(error, errno, "cannot open the folder %s", path);
}

/* Keeps errno. */
static bool is_link(int folder, const char *name)
{
    int reason = errno;
    struct stat status;
    bool yes = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    errno = reason;
    return yes;
}

/* Part by part, for a kernel that cannot do it: no link is followed, so nothing can lead out. */
static int walk(int folder, const char *path, int flags)
{
    char name[NAME_MAX + 1];
    int at = folder, next;
    for (;;) {
        size_t size = strcspn(path, "/");
        bool is_last = path[size] == '\0';
        if (size > NAME_MAX) {
            errno = ENAMETOOLONG;
            next = -1;
            break;
        }
        memcpy(name, path, size);
        name[size] = '\0';
        if (size == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            errno = EXDEV;
            next = -1;
            break;
        }
        next = openat(at, name, (is_last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && (errno == ELOOP || errno == ENOTDIR) && is_link(at, name))
            errno = EXDEV;
        if (next < 0 || is_last)
            break;
        if (at != folder)
            close(at);
        at = next;
        path += size + 1;
    }
    int reason = errno;
    if (at != folder)
        close(at);
    errno = reason;
    return next;
}

int arb_open_beneath(int folder, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC, .resolve = BENEATH};
    int descriptor = -1;
    /* EAGAIN: folders were moved around while a link with ".." was followed. */
    for (int try = 0; try < TRIES_MOST; try++) {
        descriptor = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
        if (descriptor >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    if (descriptor < 0 && (errno == ENOSYS || errno == EPERM)) /* unknown to the kernel, or to what filters calls */
        return walk(folder, path, flags);
    return descriptor;
}

int arb_open_at_once(int folder, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC,
                           .resolve = RESOLVE_CACHED | (folder == AT_FDCWD ? 0 : BENEATH)};
    int descriptor = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (descriptor < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL || errno == E2BIG))
        errno = EAGAIN;
    return descriptor;
}
