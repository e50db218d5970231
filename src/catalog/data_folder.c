#include "catalog/data_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Deeper folders are a loop of links, or a mistake. */
enum { DEPTH_MOST = 32 };

typedef enum item_kind { ITEM_OTHER, ITEM_FILE, ITEM_FOLDER } item_kind;

static item_kind kind_of(const struct dirent *item, const char *path)
{
    if (item->d_type == DT_REG)
        return ITEM_FILE;
    if (item->d_type == DT_DIR)
        return ITEM_FOLDER;
    struct stat status;
    if ((item->d_type != DT_LNK && item->d_type != DT_UNKNOWN) || stat(path, &status) != 0)
        return ITEM_OTHER;
    return S_ISREG(status.st_mode) ? ITEM_FILE : S_ISDIR(status.st_mode) ? ITEM_FOLDER : ITEM_OTHER;
}

static arb_str join(arb_arena *arena, arb_str folder, const char *name)
{
    size_t size = strlen(name);
    bool slash = folder.size == 0 || folder.data[folder.size - 1] != '/';
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

/* Call `visit` for each name in the folder that is not skipped. */
typedef arb_code (*visit_fn)(void *context, item_kind kind, arb_str name, arb_str path, arb_error *error);

static arb_code each_item(arb_arena *arena, arb_str folder, visit_fn visit, void *context, arb_error *error)
{
    DIR *directory = opendir(folder.data);
    if (directory == NULL)
        return arb_fail_errno(error, errno, "cannot list %s", folder.data);
    arb_code code = ARB_OK;
    struct dirent *item;
    while (code == ARB_OK && (errno = 0, item = readdir(directory)) != NULL) {
        if (item->d_name[0] == '.' || item->d_name[0] == '_')
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

typedef struct listing {
    arb_arena *arena;
    const arb_file_formats *formats;
    arb_folder_items *items;
} listing;

static arb_code list_item(void *context, item_kind kind, arb_str name, arb_str path, arb_error *error)
{
    listing *self = context;
    const arb_file_format *format = NULL;
    if (kind == ITEM_OTHER)
        return ARB_OK;
    if (kind == ITEM_FILE && (format = arb_file_format_of_path(self->formats, name, &name.size)) == NULL)
        return ARB_OK;
    if ((name = arb_str_copy(self->arena, name)).data == NULL ||
        !ARB_ARENA_PUSH(self->arena, self->items, (arb_folder_item){name, path, format}))
        return arb_fail_memory(error, "the names of tables", sizeof(arb_folder_item));
    return ARB_OK;
}

static int compare_items(const void *a, const void *b)
{
    int order = arb_str_compare(((const arb_folder_item *)a)->name, ((const arb_folder_item *)b)->name);
    return order != 0 ? order : arb_str_compare(((const arb_folder_item *)a)->path, ((const arb_folder_item *)b)->path);
}

arb_code arb_data_folder_list(arb_arena *arena, arb_str folder, const arb_file_formats *formats,
                              arb_folder_items *out_items, arb_error *error)
{
    *out_items = (arb_folder_items){0};
    if ((folder = arb_str_copy(arena, folder)).data == NULL)
        return arb_fail_memory(error, "a folder's name", 0);
    listing context = {arena, formats, out_items};
    ARB_TRY(each_item(arena, folder, list_item, &context, error));
    if (out_items->size > 1)
        qsort(out_items->data, out_items->size, sizeof *out_items->data, compare_items);
    return ARB_OK;
}

typedef struct collection {
    arb_arena *arena;
    const arb_file_formats *formats;
    arb_paths *paths;
    const arb_file_format *format;
    unsigned depth;
} collection;

static arb_code collect_item(void *context, item_kind kind, arb_str name, arb_str path, arb_error *error)
{
    collection *self = context;
    if (kind == ITEM_FOLDER) {
        if (self->depth == DEPTH_MOST)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "%s: more than %d folders deep", path.data, DEPTH_MOST);
        self->depth++;
        arb_code code = each_item(self->arena, path, collect_item, self, error);
        self->depth--;
        return code;
    }
    const arb_file_format *format = kind == ITEM_FILE ? arb_file_format_of_path(self->formats, name, NULL) : NULL;
    if (format == NULL)
        return ARB_OK;
    if (self->format != NULL && self->format != format) {
        arb_code code = arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "a table's files must be of one format");
        arb_error_detail(error, "%s is %s, %s is %s", self->paths->data[0].data, self->format->name, path.data,
                         format->name);
        return code;
    }
    self->format = format;
    if (!ARB_ARENA_PUSH(self->arena, self->paths, path))
        return arb_fail_memory(error, "the names of files", sizeof path);
    return ARB_OK;
}

static int compare_paths(const void *a, const void *b)
{
    return arb_str_compare(*(const arb_str *)a, *(const arb_str *)b);
}

arb_code arb_data_folder_files(arb_arena *arena, arb_str folder, const arb_file_formats *formats, arb_paths *out_paths,
                               const arb_file_format **out_format, arb_error *error)
{
    *out_paths = (arb_paths){0};
    if ((folder = arb_str_copy(arena, folder)).data == NULL)
        return arb_fail_memory(error, "a folder's name", 0);
    collection context = {.arena = arena, .formats = formats, .paths = out_paths};
    ARB_TRY(each_item(arena, folder, collect_item, &context, error));
    if (out_paths->size == 0)
        return arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "%s holds no file of a known format", folder.data);
    qsort(out_paths->data, out_paths->size, sizeof *out_paths->data, compare_paths);
    *out_format = context.format;
    return ARB_OK;
}
