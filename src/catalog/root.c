#include "catalog/root.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool is_name(arb_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i], low = (char)(c | 0x20);
        if ((c < '0' || c > '9') && (low < 'a' || low > 'z') && c != '_' && c != '-')
            return false;
    }
    return name.size != 0 && name.size <= ARB_ROOT_NAME_MOST;
}

static arb_code resolve(arb_arena *arena, const arb_root *given, arb_root *out, arb_error *error)
{
    char folder[PATH_MAX];
    struct stat status;
    if (!is_name(given->name)) {
        arb_code code =
            arb_fail(error, ARB_INVALID_PARAMETER, "\"%.*s\" cannot be the name of a root", ARB_STR_ARGS(given->name));
        arb_error_hint(error, "A name is 1 to %d letters, digits, _ and -.", ARB_ROOT_NAME_MOST);
        return code;
    }
    if (realpath(given->folder.data, folder) == NULL || stat(folder, &status) != 0)
        return arb_fail_errno(error, errno, "cannot look at %s, the folder of root \"%.*s\"", given->folder.data,
                              ARB_STR_ARGS(given->name));
    if (!S_ISDIR(status.st_mode))
        return arb_fail(error, ARB_WRONG_OBJECT_TYPE, "%s, given for root \"%.*s\", is no folder", given->folder.data,
                        ARB_STR_ARGS(given->name));
    *out = (arb_root){arb_str_copy(arena, given->name), arb_str_copy(arena, arb_str_of(folder))};
    return out->name.data != NULL && out->folder.data != NULL ? ARB_OK : arb_fail_memory(error, "the list of roots", 0);
}

arb_code arb_roots_resolve(arb_arena *arena, const arb_root *given, size_t count, arb_roots *out_roots,
                           arb_error *error)
{
    *out_roots = (arb_roots){0};
    arb_root *items = ARB_ARENA_ARRAY(arena, arb_root, count + 1);
    if (items == NULL)
        return arb_fail_memory(error, "the list of roots", count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        arb_roots before = {i, items};
        if (arb_roots_find(&before, given[i].name) != NULL)
            return arb_fail(error, ARB_DUPLICATE_OBJECT, "two roots are named \"%.*s\"", ARB_STR_ARGS(given[i].name));
        ARB_TRY(resolve(arena, &given[i], &items[i], error));
    }
    *out_roots = (arb_roots){count, items};
    return ARB_OK;
}

const arb_root *arb_roots_find(const arb_roots *roots, arb_str name)
{
    for (size_t i = 0; i < roots->count; i++)
        if (arb_str_equal(roots->items[i].name, name))
            return &roots->items[i];
    return NULL;
}

const arb_root *arb_roots_holding(const arb_roots *roots, arb_str folder, arb_str *out_inside)
{
    const arb_root *found = NULL;
    for (size_t i = 0; i < roots->count; i++) {
        arb_str root = roots->items[i].folder;
        size_t size = root.size == 1 ? 0 : root.size; /* "/" ends with the slash that others are followed by */
        if (!arb_str_starts_with(folder, root) || (folder.size > size && folder.data[size] != '/') ||
            (found != NULL && found->folder.size >= root.size))
            continue;
        found = &roots->items[i];
        size_t skip = ARB_MIN(size + 1, folder.size);
        *out_inside = (arb_str){folder.data + skip, folder.size - skip};
    }
    return found;
}

void arb_roots_print(arb_text *out, const arb_roots *roots, bool folders)
{
    for (size_t i = 0; i < roots->count; i++) {
        const arb_root *root = &roots->items[i];
        arb_text_printf(out, "%s%.*s", i == 0 ? "" : ", ", ARB_STR_ARGS(root->name));
        if (folders)
            arb_text_printf(out, " (%.*s)", ARB_STR_ARGS(root->folder));
    }
    if (roots->count == 0)
        arb_text_append_str(out, ARB_STR("none"));
}

bool arb_root_path_is_sound(arb_str path)
{
    if (path.size == 0)
        return false;
    for (size_t begin = 0, end; begin <= path.size; begin = end + 1) {
        for (end = begin; end < path.size && path.data[end] != '/'; end++)
            if (path.data[end] == '\0')
                return false;
        arb_str part = {path.data + begin, end - begin};
        if (part.size == 0 || arb_str_equal(part, ARB_STR(".")) || arb_str_equal(part, ARB_STR("..")))
            return false;
    }
    return true;
}
