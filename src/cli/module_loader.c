#include "cli/module_loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

arb_code arb_program_path(arb_arena *arena, arb_str *out_path, arb_error *error)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size < 0)
        return arb_fail_errno(error, errno, "cannot find the program's own file");
    *out_path = arb_str_copy(arena, (arb_str){path, (size_t)size});
    return out_path->data != NULL ? ARB_OK : arb_fail_memory(error, "a path", (size_t)size);
}

/* The first of the places where there is such a file. */
static arb_code find_file(char path[PATH_MAX], arb_error *error)
{
    static const char *const places[] = {"", "../lib/arbalest/"};
    arb_arena arena = {0};
    arb_str program;
    arb_code code = arb_program_path(&arena, &program, error);
    if (code == ARB_OK) {
        const char *slash = memrchr(program.data, '/', program.size);
        int folder = slash != NULL ? (int)(slash + 1 - program.data) : 0;
        code = ARB_FILE_NOT_FOUND;
        for (size_t i = 0; i < ARB_COUNT_OF(places) && code != ARB_OK; i++) {
            int size = snprintf(path, PATH_MAX, "%.*s%s" ARB_CLUSTER_MODULE_FILE, folder, program.data, places[i]);
            code = size < PATH_MAX && access(path, F_OK) == 0 ? ARB_OK : ARB_FILE_NOT_FOUND;
        }
        if (code != ARB_OK)
            arb_fail(error, code,
                     "this build has no part for clusters: there is no " ARB_CLUSTER_MODULE_FILE " in %.*s", folder,
                     program.data);
    }
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_module_load(const arb_cluster_module **out_module, arb_error *error)
{
    char path[PATH_MAX];
    ARB_TRY(find_file(path, error));
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    *out_module = library != NULL ? dlsym(library, ARB_CLUSTER_MODULE_ENTRY) : NULL;
    if (*out_module == NULL)
        return arb_fail(error, ARB_CONFIGURATION, "cannot load %s: %s", path, dlerror());
    if (strcmp((*out_module)->build, ARB_VERSION) != 0)
        return arb_fail(error, ARB_CONFIGURATION, "%s is of version %s, the program of " ARB_VERSION, path,
                        (*out_module)->build);
    return ARB_OK;
}
