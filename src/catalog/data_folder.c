#include "catalog/data_folder.h"

#include <stdlib.h>

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
                              arb_folder_items *out_items, arb_error *error)
{
    *out_items = (arb_folder_items){0};
    if (folder.size == 0)
        return arb_fail(error, ARB_INVALID_PARAMETER, "the name of a folder of tables is empty");
    if ((folder = arb_str_copy(arena, folder)).data == NULL)
        return arb_fail_memory(error, "a folder's name", 0);
    listing context = {arena, formats, out_items};
    ARB_TRY(arb_folder_each(arena, folder, list_item, &context, error));
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

static arb_code collect_item(void *context, arb_folder_kind kind, arb_str name, arb_str path, arb_error *error)
{
    collection *self = context;
    if (is_skipped(name))
        return ARB_OK;
    if (kind == ARB_FOLDER_FOLDER) {
        if (self->depth == ARB_FOLDER_DEPTH_MOST)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "%s: more than %d folders deep", path.data,
                            ARB_FOLDER_DEPTH_MOST);
        self->depth++;
        arb_code code = arb_folder_each(self->arena, path, collect_item, self, error);
        self->depth--;
        return code;
    }
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
                               const arb_file_format **out_format, arb_error *error)
{
    *out_paths = (arb_paths){0};
    if ((folder = arb_str_copy(arena, folder)).data == NULL)
        return arb_fail_memory(error, "a folder's name", 0);
    collection context = {.arena = arena, .formats = formats, .paths = out_paths};
    ARB_TRY(arb_folder_each(arena, folder, collect_item, &context, error));
    if (out_paths->size == 0)
        return arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "%s holds no file of a known format", folder.data);
    arb_paths_sort(out_paths);
    *out_format = context.format;
    return ARB_OK;
}
