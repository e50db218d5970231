#include "catalog/folder_walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static arb_folder_kind kind_of(const struct dirent *item, const char *path)
{
    if (item->d_type == DT_REG)
        return ARB_FOLDER_FILE;
    if (item->d_type == DT_DIR)
        return ARB_FOLDER_FOLDER;
    struct stat status, itself;
    if ((item->d_type != DT_LNK && item->d_type != DT_UNKNOWN) || stat(path, &status) != 0 || lstat(path, &itself) != 0)
        return ARB_FOLDER_OTHER;
    if (S_ISDIR(status.st_mode))
        return S_ISLNK(itself.st_mode) ? ARB_FOLDER_LINK : ARB_FOLDER_FOLDER;
    return S_ISREG(status.st_mode) ? ARB_FOLDER_FILE : ARB_FOLDER_OTHER;
}

static arb_str join(arb_arena *arena, arb_str folder, const char *name)
{
    size_t size = strlen(name);
    bool slash = folder.size != 0 && folder.data[folder.size - 1] != '/';
    char *path = arb_arena_alloc(arena, folder.size + slash + size + 1);
    if (path == NULL)
        return (arb_str){NULL, 0};
    if (folder.size != 0)
        memcpy(path, folder.data, folder.size);
    if (slash)
        path[folder.size] = '/';
    memcpy(path + folder.size + slash, name, size + 1);
    return (arb_str){path, folder.size + slash + size};
}

arb_code arb_folder_each(arb_arena *arena, arb_str folder, arb_folder_visit visit, void *context, arb_stop_flag *stop,
                         arb_error *error)
{
    DIR *directory = opendir(folder.size != 0 ? folder.data : ".");
    if (directory == NULL)
        return arb_fail_errno(error, errno, "cannot list %s", folder.size != 0 ? folder.data : "the current folder");
    arb_code code = ARB_OK;
    struct dirent *item;
    while (code == ARB_OK && (code = arb_check_stop(stop, error)) == ARB_OK &&
           (errno = 0, item = readdir(directory)) != NULL) {
        if (item->d_name[0] == '.')
            continue;
        arb_str path = join(arena, folder, item->d_name);
        if (path.data == NULL) {
            code = arb_fail_memory(error, "the names of files", folder.size);
            break;
        }
        size_t size = strlen(item->d_name);
        code = visit(context, kind_of(item, path.data), (arb_str){path.data + path.size - size, size}, path, error);
    }
    if (code == ARB_OK && errno != 0)
        code = arb_fail_errno(error, errno, "cannot list %s", folder.data);
    closedir(directory);
    return code;
}

static int compare_paths(const void *a, const void *b)
{
    return arb_str_compare(*(const arb_str *)a, *(const arb_str *)b);
}

void arb_paths_sort(arb_paths *paths)
{
    if (paths->size > 1)
        qsort(paths->data, paths->size, sizeof *paths->data, compare_paths);
}
