#include "node/node_folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static arb_code keep_path(arb_arena *arena, const char *path, arb_str *out, arb_error *error)
{
    *out = arb_str_copy(arena, arb_str_of(path));
    return out->data != NULL ? ARB_OK : arb_fail_memory(error, "a folder's name", strlen(path));
}

/* Each folder of the path that is not there. */
static arb_code make_all(char *path, arb_error *error)
{
    for (char *at = path + 1;; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        int failed = mkdir(path, S_IRWXU) != 0 && errno != EEXIST ? errno : 0;
        *at = end;
        if (failed != 0)
            return arb_fail_errno(error, failed, "cannot make the folder %s", path);
        if (end == '\0')
            return ARB_OK;
    }
}

static arb_code check_owned(const char *path, arb_error *error)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return arb_fail_errno(error, errno, "cannot look at the folder %s", path);
    if (!S_ISDIR(found.st_mode))
        return arb_fail(error, ARB_CONFIGURATION, "%s is no folder", path);
    if (found.st_uid == geteuid() && (found.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return ARB_OK;
    arb_fail(error, ARB_CONFIGURATION, "others may write to the folder %s", path);
    arb_error_hint(error, "It must belong to who runs this process, and nobody else may write there (chmod 700).");
    return ARB_CONFIGURATION;
}

static arb_code make_owned(arb_arena *arena, char *path, arb_str *out_folder, arb_error *error)
{
    ARB_TRY(make_all(path, error));
    ARB_TRY(check_owned(path, error));
    return keep_path(arena, path, out_folder, error);
}

static arb_code said_folder(arb_str said, char path[PATH_MAX], arb_error *error)
{
    if (said.size == 0 || said.size >= PATH_MAX)
        return arb_fail(error, ARB_CONFIGURATION, "\"%.*s\" is no folder's name", ARB_STR_ARGS(said));
    memcpy(path, said.data, said.size);
    path[said.size] = '\0';
    return ARB_OK;
}

arb_code arb_state_folder_make(arb_arena *arena, arb_str said, arb_str *out_folder, arb_error *error)
{
    char path[PATH_MAX];
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (said.data != NULL) {
        ARB_TRY(said_folder(said, path, error));
    } else if (state != NULL && state[0] == '/') {
        snprintf(path, sizeof path, "%s/arbalest", state);
    } else if (home != NULL && home[0] == '/') {
        snprintf(path, sizeof path, "%s/.local/state/arbalest", home);
    } else {
        return arb_fail(error, ARB_CONFIGURATION, "without a home there is no usual place for state; say --state-dir");
    }
    return make_owned(arena, path, out_folder, error);
}

arb_code arb_work_folder_make(arb_arena *arena, arb_str said, arb_str *out_folder, arb_error *error)
{
    char path[PATH_MAX];
    if (said.data != NULL) {
        ARB_TRY(said_folder(said, path, error));
        return make_owned(arena, path, out_folder, error);
    }
    const char *place = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/arbalest-XXXXXX", place != NULL && place[0] == '/' ? place : "/tmp");
    if (mkdtemp(path) == NULL)
        return arb_fail_errno(error, errno, "cannot make a folder %s", path);
    return keep_path(arena, path, out_folder, error);
}

arb_code arb_folder_entry(arb_arena *arena, arb_str folder, const char *name, arb_str *out_path, arb_error *error)
{
    arb_text path = {0};
    arb_text_append_str(&path, folder);
    arb_text_append_char(&path, '/');
    arb_text_append_str(&path, arb_str_of(name));
    *out_path = path.failed ? (arb_str){NULL, 0} : arb_str_copy(arena, arb_text_view(&path));
    arb_text_reset(&path);
    return out_path->data != NULL ? ARB_OK : arb_fail_memory(error, "a path", folder.size);
}
