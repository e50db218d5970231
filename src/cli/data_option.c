#include "cli/data_option.h"

#include <stdio.h>
#include <unistd.h>

/* A DIR that holds `=` is taken as such when it exists. */
static arb_str folder_of(arb_str value)
{
    const char *equals = memchr(value.data, '=', value.size);
    if (equals == NULL || access(value.data, F_OK) == 0)
        return value;
    return (arb_str){equals + 1, value.size - (size_t)(equals + 1 - value.data)};
}

static arb_str root_of(arb_str value)
{
    arb_str folder = folder_of(value);
    if (folder.data != value.data)
        return (arb_str){value.data, (size_t)(folder.data - value.data) - 1};
    while (folder.size > 1 && folder.data[folder.size - 1] == '/')
        folder.size--;
    const char *slash = memrchr(folder.data, '/', folder.size);
    if (slash != NULL && folder.size > 1)
        return (arb_str){slash + 1, folder.size - (size_t)(slash + 1 - folder.data)};
    return folder;
}

int arb_data_option_read(arb_arena *arena, const arb_options *options, const char *flag, arb_roots *out_roots)
{
    arb_str value;
    size_t count = 0;
    for (size_t at = 0; arb_option_next(options, flag, &at, &value);)
        count++;
    arb_root *roots = ARB_ARENA_ARRAY(arena, arb_root, count + 1);
    if (roots == NULL) {
        fputs("arbalest: out of memory\n", stderr);
        return ARB_EXIT_FAILED;
    }
    *out_roots = (arb_roots){0, roots};
    for (size_t at = 0; arb_option_next(options, flag, &at, &value);) {
        arb_root root = {root_of(value), folder_of(value)};
        if (arb_roots_find(out_roots, root.name) != NULL) {
            fprintf(stderr, "arbalest: two %s folders are named \"%.*s\"; name them with ROOT=DIR\n", flag,
                    ARB_STR_ARGS(root.name));
            return ARB_EXIT_CONFIGURATION;
        }
        roots[out_roots->count++] = root;
    }
    return 0;
}
