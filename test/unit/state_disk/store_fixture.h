/* store_fixture.h: folders for tests of stores. */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "state/store.h"

/* A new empty folder; `folder_delete` takes it away with what is in it. */
static char *folder_make(char path[64])
{
    snprintf(path, 64, "/tmp/arbalest-store-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static void folder_delete(const char *path)
{
    umount2(path, MNT_DETACH); /* a test with a small disk may have failed */
    DIR *listing = opendir(path);
    for (struct dirent *at; listing != NULL && (at = readdir(listing)) != NULL;) {
        char name[512];
        if (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", path, at->d_name);
        if (unlink(name) != 0)
            folder_delete(name);
    }
    if (listing != NULL)
        closedir(listing);
    rmdir(path);
}

#endif
