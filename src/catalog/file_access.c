#include "catalog/file_access.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/open_beneath.h"

static arb_code denied(const arb_roots *roots, arb_str path, arb_error *error)
{
    arb_text known = {0};
    arb_roots_print(&known, roots, false);
    arb_code code =
        arb_fail(error, ARB_ACCESS_DENIED, "%.*s lies in none of this server's folders for that", ARB_STR_ARGS(path));
    arb_error_detail(error, "there are: %.*s", ARB_STR_ARGS(arb_text_view(&known)));
    arb_text_reset(&known);
    return code;
}

static arb_code no_memory(arb_error *error)
{
    return arb_fail_memory(error, "a path", PATH_MAX);
}

/* Absolute: beneath the root whose name comes first, else where the process is. */
static arb_code make_absolute(const arb_roots *roots, arb_str path, char out[PATH_MAX], arb_error *error)
{
    char here[PATH_MAX];
    arb_str before = {"", 0}, rest = path;
    if (path.data[0] != '/') {
        const char *slash = memchr(path.data, '/', path.size);
        arb_str first = {path.data, slash != NULL ? (size_t)(slash - path.data) : path.size};
        const arb_root *root = arb_roots_find(roots, first);
        if (root != NULL) {
            before = root->folder;
            rest = (arb_str){path.data + first.size, path.size - first.size};
        } else {
            if (getcwd(here, sizeof here) == NULL)
                return arb_fail_errno(error, errno, "cannot look at %.*s", ARB_STR_ARGS(path));
            before = arb_str_of(here);
        }
    }
    bool gap = rest.size != 0 && rest.data[0] != '/';
    if (before.size + gap + rest.size >= PATH_MAX)
        return arb_fail_errno(error, ENAMETOOLONG, "cannot look at %.*s", ARB_STR_ARGS(path));
    memcpy(out, before.data, before.size);
    if (gap)
        out[before.size] = '/';
    memcpy(out + before.size + gap, rest.data, rest.size);
    out[before.size + gap + rest.size] = '\0';
    return ARB_OK;
}

/* Where the name begins: behind the last slash, and in a pattern behind the last one before it is one. */
static size_t name_at(const char *path)
{
    size_t at = 0;
    for (size_t i = 0; path[i] != '\0' && strchr("*?[", path[i]) == NULL; i++)
        if (path[i] == '/')
            at = i + 1;
    return at;
}

static bool has_dot_dot(const char *path)
{
    for (const char *at = path; at != NULL; at = strchr(at, '/')) {
        at += *at == '/';
        if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || at[2] == '\0'))
            return true;
    }
    return false;
}

static bool is_inside(const arb_roots *roots, const char *folder)
{
    arb_str inside;
    return arb_roots_holding(roots, arb_str_of(folder), &inside) != NULL;
}

static arb_code found(arb_arena *arena, const char *folder, const char *name, arb_str *out_path, arb_error *error)
{
    size_t size = strlen(folder), name_size = strlen(name);
    bool gap = name_size != 0 && folder[size - 1] != '/';
    char *path = arb_arena_alloc(arena, size + gap + name_size + 1);
    if (path == NULL)
        return no_memory(error);
    memcpy(path, folder, size);
    if (gap)
        path[size] = '/';
    memcpy(path + size + gap, name, name_size + 1);
    *out_path = (arb_str){path, size + gap + name_size};
    return ARB_OK;
}

arb_code arb_file_access_find(const arb_roots *roots, arb_arena *arena, arb_str path, arb_str *out_path,
                              arb_error *error)
{
    char written[PATH_MAX], folder[PATH_MAX];
    struct stat status;
    if (roots == NULL) {
        *out_path = arb_str_copy(arena, path);
        return out_path->data != NULL ? ARB_OK : no_memory(error);
    }
    ARB_TRY(make_absolute(roots, path, written, error));
    if (realpath(written, folder) != NULL && stat(folder, &status) == 0 && S_ISDIR(status.st_mode))
        return is_inside(roots, folder) ? found(arena, folder, "", out_path, error) : denied(roots, path, error);
    size_t at = name_at(written);
    const char *name = written + at;
    char kept = written[at];
    written[at] = '\0';
    bool there = realpath(written, folder) != NULL;
    int reason = errno;
    if (!there && is_inside(roots, written) && !has_dot_dot(written))
        return arb_fail_errno(error, reason, "cannot look at %.*s", ARB_STR_ARGS(path));
    written[at] = kept;
    if (!there || !is_inside(roots, folder) || has_dot_dot(name))
        return denied(roots, path, error);
    return found(arena, folder, name, out_path, error);
}

/* The root's folder, open, and what of the path lies in it. */
static arb_code open_root(const arb_roots *roots, arb_str path, int *out_folder, const char **out_inside,
                          arb_error *error)
{
    arb_str inside;
    const arb_root *root = arb_roots_holding(roots, path, &inside);
    if (root == NULL || inside.size == 0)
        return denied(roots, path, error);
    *out_inside = inside.data;
    return arb_open_folder(root->folder.data, out_folder, error);
}

arb_code arb_file_access_open(const arb_roots *roots, const char *path, arb_byte_source **out_source, arb_error *error)
{
    int folder;
    const char *inside;
    if (roots == NULL)
        return arb_byte_source_open_local(path, out_source, error);
    *out_source = NULL;
    ARB_TRY(open_root(roots, arb_str_of(path), &folder, &inside, error));
    arb_code code = arb_byte_source_open_beneath(folder, inside, arb_str_of(path), out_source, error);
    close(folder);
    return code;
}

arb_code arb_file_access_create(const arb_roots *roots, arb_str path, arb_byte_sink **out_sink, arb_error *error)
{
    arb_arena arena = {0};
    arb_str target;
    int folder;
    const char *inside;
    *out_sink = NULL;
    arb_code code = arb_file_access_find(roots, &arena, path, &target, error);
    if (code == ARB_OK && roots == NULL) {
        code = arb_byte_sink_create_local(target.data, true, out_sink, error);
    } else if (code == ARB_OK) {
        code = open_root(roots, target, &folder, &inside, error);
        if (code == ARB_OK) {
            code = arb_byte_sink_create_beneath(folder, inside, target, true, out_sink, error);
            close(folder);
        }
    }
    arb_arena_reset(&arena);
    return code;
}
