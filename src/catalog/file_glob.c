/* file_glob.c: one part of the pattern after the other, from the left: parts without wildcards are names, others are held
 * against what the folder holds. A part `**` is tried at the folder itself and in each folder below it. */
#include "catalog/file_glob.h"

#include <errno.h>
#include <fnmatch.h>
#include <sys/stat.h>

typedef struct glob_walk {
    arb_arena *arena;
    arb_paths *paths;
    arb_stop_flag *stop;
    arb_error *error;
    unsigned depth;
} glob_walk;

/* A folder's items against one part; what is behind the part is to be found in those that fit. */
typedef struct glob_level {
    glob_walk *walk;
    const char *part; /* ends with NUL */
    bool any_depth;   /* the part is ** */
    arb_str rest;     /* behind it; empty: the part is a file's name */
} glob_level;

static arb_code find(glob_walk *walk, arb_str folder, arb_str pattern);

bool arb_path_is_pattern(arb_str path)
{
    for (size_t i = 0; i < path.size; i++)
        if (path.data[i] == '*' || path.data[i] == '?' || path.data[i] == '[')
            return true;
    return false;
}

static arb_code add_file(glob_walk *walk, arb_str path)
{
    return ARB_ARENA_PUSH(walk->arena, walk->paths, path)
               ? ARB_OK
               : arb_fail_memory(walk->error, "the names of files", sizeof path);
}

static arb_code visit(void *context, arb_folder_kind kind, arb_str name, arb_str path, arb_error *error)
{
    const glob_level *level = context;
    (void)error;
    if (level->any_depth) {
        arb_str again = {level->part, 2 + 1 + level->rest.size}; /* "**" and what is behind it */
        return kind == ARB_FOLDER_FOLDER ? find(level->walk, path, again) : ARB_OK;
    }
    if (fnmatch(level->part, name.data, FNM_NOESCAPE) != 0)
        return ARB_OK;
    if (level->rest.size != 0)
        return kind == ARB_FOLDER_FOLDER || kind == ARB_FOLDER_LINK ? find(level->walk, path, level->rest) : ARB_OK;
    return kind == ARB_FOLDER_FILE ? add_file(level->walk, path) : ARB_OK;
}

/* A name without wildcards, which may be that of something hidden. */
static arb_code find_named(glob_walk *walk, arb_str folder, arb_str name, arb_str rest)
{
    arb_text path = {0};
    arb_str copy = {0};
    arb_text_append_str(&path, folder);
    if (folder.size != 0 && folder.data[folder.size - 1] != '/')
        arb_text_append_char(&path, '/');
    arb_text_append_str(&path, name);
    if (name.size == 0) /* the pattern begins with a slash, or has two of them */
        arb_text_append_str(&path, folder.size == 0 ? ARB_STR("/") : ARB_STR(""));
    arb_code code = arb_text_check(&path, walk->error);
    if (code == ARB_OK && (copy = arb_str_copy(walk->arena, arb_text_view(&path))).data == NULL)
        code = arb_fail_memory(walk->error, "the names of files", path.size);
    arb_text_reset(&path);
    if (code != ARB_OK)
        return code;
    struct stat status;
    if (stat(copy.data, &status) != 0)
        return ARB_OK;
    if (rest.size != 0)
        return S_ISDIR(status.st_mode) ? find(walk, copy, rest) : ARB_OK;
    return S_ISREG(status.st_mode) ? add_file(walk, copy) : ARB_OK;
}

/* What fits the pattern, seen from the folder. */
static arb_code find(glob_walk *walk, arb_str folder, arb_str pattern)
{
    const char *slash = memchr(pattern.data, '/', pattern.size);
    arb_str part = slash == NULL ? pattern : (arb_str){pattern.data, (size_t)(slash - pattern.data)};
    arb_str rest = slash == NULL ? (arb_str){0} : (arb_str){slash + 1, pattern.size - part.size - 1};
    if (!arb_path_is_pattern(part))
        return find_named(walk, folder, part, rest);
    if (walk->depth == 2 * ARB_FOLDER_DEPTH_MOST)
        return arb_fail(walk->error, ARB_LIMIT_EXCEEDED, "%.*s: too many folders deep", ARB_STR_ARGS(folder));
    glob_level level = {.walk = walk, .rest = rest, .any_depth = rest.size != 0 && arb_str_equal(part, ARB_STR("**"))};
    level.part = level.any_depth ? part.data : arb_arena_copy(walk->arena, part.data, part.size);
    if (level.part == NULL)
        return arb_fail_memory(walk->error, "the names of files", part.size);
    walk->depth++;
    arb_code code = level.any_depth ? find(walk, folder, rest) : ARB_OK;
    if (code == ARB_OK)
        code = arb_folder_each(walk->arena, folder, visit, &level, walk->stop, walk->error);
    walk->depth--;
    return code;
}

arb_code arb_file_glob(arb_arena *arena, arb_str pattern, arb_paths *paths, arb_stop_flag *stop, arb_error *error)
{
    arb_paths found = {0};
    glob_walk walk = {.arena = arena, .paths = &found, .stop = stop, .error = error};
    if ((pattern = arb_str_copy(arena, pattern)).data == NULL)
        return arb_fail_memory(error, "a pattern", 0);
    ARB_TRY(find(&walk, ARB_STR(""), pattern));
    if (found.size == 0)
        return arb_fail(error, ARB_FILE_NOT_FOUND, "no file fits the pattern %.*s", ARB_STR_ARGS(pattern));
    arb_paths_sort(&found);
    for (size_t i = 0; i < found.size; i++) {
        /* Two parts ** find a file twice. */
        if (i > 0 && arb_str_equal(found.data[i], found.data[i - 1]))
            continue;
        if (!ARB_ARENA_PUSH(arena, paths, found.data[i]))
            return arb_fail_memory(error, "the names of files", sizeof(arb_str));
    }
    return ARB_OK;
}
