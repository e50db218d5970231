#include "catalog/file_set.h"

#include <errno.h>
#include <sys/stat.h>

#include "catalog/data_folder.h"
#include "catalog/file_access.h"
#include "catalog/file_glob.h"
#include "catalog/file_table.h"

arb_code arb_file_set_check(const arb_file_set *set, arb_error *error)
{
    for (size_t i = 0; i < set->path_count; i++)
        if (set->paths[i].size == 0 || memchr(set->paths[i].data, '\0', set->paths[i].size) != NULL)
            return arb_fail(error, ARB_INVALID_PARAMETER, "a path is empty or holds a zero byte");
    return set->path_count != 0 ? ARB_OK : arb_fail(error, ARB_INVALID_PARAMETER, "a list of paths is empty");
}

arb_code arb_file_set_check_access(const arb_file_set *set, const arb_file_cache *cache, arb_error *error)
{
    arb_arena arena = {0};
    arb_code code = ARB_OK;
    for (size_t i = 0; i < set->path_count && code == ARB_OK; i++) {
        arb_str path;
        code = arb_file_access_find(arb_file_cache_roots(cache), &arena, set->paths[i], &path, error);
        if (code != ARB_ACCESS_DENIED && code != ARB_OUT_OF_MEMORY)
            code = ARB_OK; /* what is not there yet may come */
    }
    arb_arena_reset(&arena);
    return code;
}

bool arb_file_set_copy(arb_arena *arena, const arb_file_set *from, arb_file_set *to)
{
    *to = *from;
    arb_str *paths = ARB_ARENA_ARRAY(arena, arb_str, from->path_count + 1);
    bool complete = paths != NULL;
    for (size_t i = 0; complete && i < from->path_count; i++)
        complete = (paths[i] = arb_str_copy(arena, from->paths[i])).data != NULL;
    to->paths = paths;
    if (!complete || from->options == NULL)
        return complete;
    arb_file_options *options = ARB_ARENA_NEW(arena, arb_file_options);
    to->options = options;
    return options != NULL && arb_file_options_copy(arena, from->options, options);
}

typedef struct found_files {
    arb_arena arena;
    ARB_VEC(arb_table_path) paths;
    const arb_file_format *format; /* of all so far; NULL before the first */
} found_files;

static arb_code add_file(found_files *found, const arb_file_formats *formats, const arb_file_format *format,
                         arb_table_path path, arb_error *error)
{
    if (format == NULL && (format = arb_file_format_of_path(formats, path.path, NULL)) == NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "the name of %.*s tells no format that is known",
                        ARB_STR_ARGS(path.path));
    if (found->format != NULL && found->format != format) {
        arb_code code = arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "a table's files must be of one format");
        arb_error_detail(error, "%.*s is %s, %.*s is %s", ARB_STR_ARGS(found->paths.data[0].path), found->format->name,
                         ARB_STR_ARGS(path.path), format->name);
        return code;
    }
    found->format = format;
    return ARB_ARENA_PUSH(&found->arena, &found->paths, path)
               ? ARB_OK
               : arb_fail_memory(error, "the names of files", sizeof path);
}

/* What one of the set's paths stands for. */
static arb_code find_files(found_files *found, const arb_file_set *set, arb_str path, const arb_file_formats *formats,
                           arb_stop_flag *stop, arb_error *error)
{
    arb_paths paths = {0};
    const arb_file_format *format = set->format;
    struct stat status;
    size_t keys_from = 0;
    if (stat(path.data, &status) != 0) {
        if (errno != ENOENT || !arb_path_is_pattern(path))
            return arb_fail_errno(error, errno, "cannot open %.*s", ARB_STR_ARGS(path));
        ARB_TRY(arb_file_glob(&found->arena, path, &paths, stop, error));
    } else if (S_ISDIR(status.st_mode)) {
        const arb_file_format *suffix;
        ARB_TRY(arb_data_folder_files(&found->arena, path, formats, &paths, &suffix, stop, error));
        format = format != NULL ? format : suffix;
        keys_from = path.size;
    } else if (!ARB_ARENA_PUSH(&found->arena, &paths, path)) {
        return arb_fail_memory(error, "the names of files", sizeof path);
    }
    for (size_t i = 0; i < paths.size; i++)
        ARB_TRY(add_file(found, formats, format, (arb_table_path){paths.data[i], keys_from}, error));
    return ARB_OK;
}

static arb_code open_table(found_files *found, const arb_file_set *set, arb_str name, const arb_file_formats *formats,
                           arb_file_cache *cache, arb_stop_flag *stop, arb_table *current, arb_table **out_table,
                           arb_error *error)
{
    for (size_t i = 0; i < set->path_count; i++) {
        arb_str path;
        ARB_TRY(arb_file_access_find(arb_file_cache_roots(cache), &found->arena, set->paths[i], &path, error));
        ARB_TRY(find_files(found, set, path, formats, stop, error));
    }
    if (found->paths.size == 0)
        return arb_fail(error, ARB_FILE_NOT_FOUND, "a list of files is empty");
    if (current != NULL && arb_file_table_is_current(current, found->paths.data, found->paths.size)) {
        *out_table = arb_table_ref(current);
        return ARB_OK;
    }
    return arb_file_table_open(cache, name, found->format, set->options, found->paths.data, found->paths.size, stop,
                               out_table, error);
}

arb_code arb_file_set_open(const arb_file_set *set, arb_str name, const arb_file_formats *formats,
                           arb_file_cache *cache, arb_stop_flag *stop, arb_table *current, arb_table **out_table,
                           arb_error *error)
{
    found_files found = {0};
    *out_table = NULL;
    arb_code code = open_table(&found, set, name, formats, cache, stop, current, out_table, error);
    arb_arena_reset(&found.arena);
    return code;
}
