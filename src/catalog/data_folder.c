#include "catalog/data_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool is_skipped(arb_str name)
{
    return name.data[0] == '_';
}

typedef struct listing {
    arb_arena *arena;
    const arb_file_formats *formats;
    arb_folder_items *items;
} listing;

static arb_code list_item(void *context, arb_folder_kind kind, arb_str name, arb_str path, arb_error *error)
{
    listing *self = context;
    const arb_file_format *format = NULL;
    if (kind == ARB_FOLDER_OTHER || is_skipped(name))
        return ARB_OK;
    if (kind == ARB_FOLDER_FILE && (format = arb_file_format_of_path(self->formats, name, &name.size)) == NULL)
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
                              arb_folder_items *out_items, arb_stop_flag *stop, arb_error *error)
{
    *out_items = (arb_folder_items){0};
    if (folder.size == 0)
        return arb_fail(error, ARB_INVALID_PARAMETER, "the name of a folder of tables is empty");
    if ((folder = arb_str_copy(arena, folder)).data == NULL)
        return arb_fail_memory(error, "a folder's name", 0);
    listing context = {arena, formats, out_items};
    ARB_TRY(arb_folder_each(arena, folder, list_item, &context, stop, error));
    if (out_items->size > 1)
        qsort(out_items->data, out_items->size, sizeof *out_items->data, compare_items);
    return ARB_OK;
}

/* Which folder it is, whatever its path. */
typedef struct folder_identity {
    dev_t device;
    ino_t number;
} folder_identity;

typedef struct collection {
    arb_arena *arena;
    const arb_file_formats *formats;
    arb_paths *paths;
    const arb_file_format *format;
    arb_stop_flag *stop;
    unsigned depth;
    folder_identity above[ARB_FOLDER_DEPTH_MOST + 1]; /* from the table's folder on to the one that is listed */
} collection;

static arb_code collect_item(void *context, arb_folder_kind kind, arb_str name, arb_str path, arb_error *error);

static arb_code collect_folder(collection *self, arb_str path, arb_error *error)
{
    struct stat status;
    if (self->depth == ARB_COUNT_OF(self->above))
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "%s: more than %d folders deep", path.data, ARB_FOLDER_DEPTH_MOST);
    if (stat(path.data, &status) != 0)
        return arb_fail_errno(error, errno, "cannot list %s", path.data);
    for (unsigned i = 0; i < self->depth; i++)
        if (self->above[i].device == status.st_dev && self->above[i].number == status.st_ino)
            return arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "%s is a folder that it lies in", path.data);
    self->above[self->depth++] = (folder_identity){status.st_dev, status.st_ino};
    ARB_TRY(arb_folder_each(self->arena, path, collect_item, self, self->stop, error));
    self->depth--;
    return ARB_OK;
}

static arb_code collect_item(void *context, arb_folder_kind kind, arb_str name, arb_str path, arb_error *error)
{
    collection *self = context;
    if (is_skipped(name))
        return ARB_OK;
    if (kind == ARB_FOLDER_FOLDER || kind == ARB_FOLDER_LINK)
        return collect_folder(self, path, error);
    const arb_file_format *format = kind == ARB_FOLDER_FILE ? arb_file_format_of_path(self->formats, name, NULL) : NULL;
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

arb_code arb_data_folder_files(arb_arena *arena, arb_str folder, const arb_file_formats *formats, arb_paths *out_paths,
                               const arb_file_format **out_format, arb_stop_flag *stop, arb_error *error)
{
    *out_paths = (arb_paths){0};
    if ((folder = arb_str_copy(arena, folder)).data == NULL)
        return arb_fail_memory(error, "a folder's name", 0);
    collection context = {.arena = arena, .formats = formats, .paths = out_paths, .stop = stop};
    ARB_TRY(collect_folder(&context, folder, error));
    if (out_paths->size == 0)
        return arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "%s holds no file of a known format", folder.data);
    arb_paths_sort(out_paths);
    *out_format = context.format;
    return ARB_OK;
}
