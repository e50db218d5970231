/* small_disk.h: a disk that is soon full. */
#ifndef TEST_SMALL_DISK_H
#define TEST_SMALL_DISK_H

#include <sys/mount.h>

#include "store_fixture.h"

/* A file system of its own of so many KiB at the folder; false, and a line that says so, when that is not allowed here. */
static bool folder_limit(const char *path, int kib)
{
    char options[64];
    snprintf(options, sizeof options, "size=%dk,mode=0700", kib);
    if (mount("tmpfs", path, "tmpfs", 0, options) == 0)
        return true;
    printf("skipped: no privilege: a small tmpfs for a full disk\n");
    return false;
}

static void folder_unlimit(const char *path)
{
    assert_int_equal(umount(path), 0);
}

#endif
