/* table_encode.c: a table becomes a message.
 *
 * Which root a file lies in is decided by where its folder really is, links and ".." followed; its own name is taken as it
 * is. Files that come one after the other and lie in one folder share its entry, so a folder is looked up once. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "catalog/file_options_wire.h"
#include "catalog/file_table.h"
#include "catalog/memory_table_wire.h"
#include "catalog/series_table.h"
#include "catalog/table_wire.h"
#include "proto/table.pb-c.h"
#include "wire/wire.h"

/* ---- places ------------------------------------------------------------------------------------------------------- */

typedef struct file_place {
    const arb_root *root;
    arb_str inside; /* where the folder is in it; refers to `folder` */
    char folder[PATH_MAX];
} file_place;

/* Of a path the folder, as it is written, and the file's name. */
static void cut_path(arb_str path, arb_str *out_folder, arb_str *out_name)
{
    size_t size = path.size;
    while (size != 0 && path.data[size - 1] != '/')
        size--;
    *out_folder = (arb_str){path.data, size};
    *out_name = (arb_str){path.data + size, path.size - size};
}

static arb_code outside(arb_str path, const char *folder, const arb_roots *roots, arb_error *error)
{
    arb_text known = {0};
    arb_roots_print(&known, roots, true);
    arb_code code =
        arb_fail(error, ARB_ACCESS_DENIED, "%.*s lies in no root, so executors cannot read it", ARB_STR_ARGS(path));
    arb_error_detail(error, "its folder is %s; roots: %.*s", folder, ARB_STR_ARGS(arb_text_view(&known)));
    arb_text_reset(&known);
    return code;
}

static arb_code find_place(const arb_roots *roots, arb_str path, file_place *out, arb_error *error)
{
    char written[PATH_MAX];
    arb_str folder, name;
    cut_path(path, &folder, &name);
    if (folder.size == 0)
        folder = ARB_STR(".");
    if (folder.size >= sizeof written)
        return arb_fail_errno(error, ENAMETOOLONG, "cannot look at %.*s", ARB_STR_ARGS(path));
    memcpy(written, folder.data, folder.size);
    written[folder.size] = '\0';
    if (realpath(written, out->folder) == NULL)
        return arb_fail_errno(error, errno, "cannot look at %s", written);
    out->root = arb_roots_holding(roots, arb_str_of(out->folder), &out->inside);
    return out->root != NULL ? ARB_OK : outside(path, out->folder, roots, error);
}

/* The place of a root's name in the list, to which it is added when it is not there. */
static arb_code add_root(arb_arena *arena, const arb_root *root, arb_root_names *names, uint32_t *out_place,
                         arb_error *error)
{
    for (*out_place = 0; *out_place < names->size; ++*out_place)
        if (arb_str_equal(names->data[*out_place], root->name))
            return ARB_OK;
    return ARB_ARENA_PUSH(arena, names, root->name) ? ARB_OK : arb_fail_memory(error, "a list of roots", 0);
}

arb_code arb_table_add_roots(arb_arena *arena, const arb_table *table, const arb_roots *roots, arb_root_names *names,
                             arb_error *error)
{
    arb_file_table_content content;
    file_place place;
    arb_str before = {0}, folder, name;
    uint32_t unused;
    if (!arb_file_table_describe(table, &content))
        return ARB_OK;
    for (size_t i = 0; i < content.file_count; i++, before = folder) {
        cut_path(content.files[i]->path, &folder, &name);
        if (i != 0 && arb_str_equal(folder, before))
            continue;
        ARB_TRY(find_place(roots, content.files[i]->path, &place, error));
        ARB_TRY(add_root(arena, place.root, names, &unused, error));
    }
    return ARB_OK;
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

typedef struct files_writer {
    arb_arena *arena;
    const arb_roots *roots;
    arb_error *error;
    arb_root_names root_names;
    ARB_VEC(Arbalest__Table__Folder *) folders;
} files_writer;

static arb_code no_memory(const files_writer *w)
{
    return arb_fail_memory(w->error, "a table's message", w->arena->total);
}

/* Begin the folder that the file lies in; `room` files follow at most. */
static arb_code begin_folder(files_writer *w, arb_str path, const arb_hive_parts *keys, size_t room)
{
    file_place place;
    Arbalest__Table__Folder *folder = arb_wire_message(w->arena, &arbalest__table__folder__descriptor);
    Arbalest__Table__FolderValue **values =
        arb_wire_messages(w->arena, &arbalest__table__folder_value__descriptor, keys->size);
    Arbalest__Table__File **files = ARB_ARENA_ARRAY(w->arena, Arbalest__Table__File *, room);
    if (folder == NULL || values == NULL || files == NULL || !ARB_ARENA_PUSH(w->arena, &w->folders, folder))
        return no_memory(w);
    ARB_TRY(find_place(w->roots, path, &place, w->error));
    ARB_TRY(add_root(w->arena, place.root, &w->root_names, &folder->root, w->error));
    arb_str inside = arb_str_copy(w->arena, place.inside);
    if (inside.data == NULL)
        return no_memory(w);
    folder->path = arb_wire_bytes(inside);
    for (size_t i = 0; i < keys->size; i++) {
        values[i]->text = arb_wire_bytes(keys->data[i].text);
        values[i]->is_null = keys->data[i].is_null;
    }
    folder->n_values = keys->size;
    folder->values = values;
    folder->files = files;
    return ARB_OK;
}

static bool same_values(const arb_hive_parts *a, const arb_hive_parts *b)
{
    bool same = a->size == b->size;
    for (size_t i = 0; same && i < a->size; i++)
        same = arb_str_equal(a->data[i].text, b->data[i].text) && a->data[i].is_null == b->data[i].is_null;
    return same;
}

/* How many files from `from` on lie in one folder, whose path is `folder`. */
static size_t count_together(const arb_file_table_content *content, size_t from, arb_str folder)
{
    size_t to = from;
    arb_str other = folder, name;
    while (arb_str_equal(other, folder) && same_values(&content->keys[from], &content->keys[to]) &&
           ++to < content->file_count)
        cut_path(content->files[to]->path, &other, &name);
    return to - from;
}

static arb_code write_file(files_writer *w, const arb_file_table_content *content, size_t at, arb_str name)
{
    arb_file_version version;
    Arbalest__Table__Folder *folder = w->folders.data[w->folders.size - 1];
    Arbalest__Table__File *file = arb_wire_message(w->arena, &arbalest__table__file__descriptor);
    if (file == NULL)
        return no_memory(w);
    ARB_TRY(arb_cached_file_version(content->files[at], &version, w->error));
    file->name = arb_wire_bytes(name);
    file->size = version.size;
    file->modified_ns = version.modified_ns;
    file->footer_hash = version.footer_hash;
    if (content->options != NULL && content->options->file_name_column.size != 0)
        file->shown = arb_wire_bytes(content->shown[at]);
    folder->files[folder->n_files++] = file;
    return ARB_OK;
}

static arb_code write_folders(files_writer *w, const arb_file_table_content *content)
{
    arb_str folder, name;
    for (size_t i = 0, next = 0; i < content->file_count; i++) {
        cut_path(content->files[i]->path, &folder, &name);
        if (i == next) {
            next += count_together(content, i, folder);
            ARB_TRY(begin_folder(w, content->files[i]->path, &content->keys[i], next - i));
        }
        ARB_TRY(write_file(w, content, i, name));
    }
    return ARB_OK;
}

static arb_code write_files(files_writer *w, const arb_file_table_content *content, Arbalest__Table__Files *to)
{
    const arb_hive_parts *keys = &content->keys[0];
    if (content->options != NULL)
        ARB_TRY(arb_file_options_write(w->arena, content->options, &to->options, w->error));
    ARB_TRY(write_folders(w, content));
    to->keys = ARB_ARENA_ARRAY(w->arena, ProtobufCBinaryData, keys->size + 1);
    to->roots = ARB_ARENA_ARRAY(w->arena, ProtobufCBinaryData, w->root_names.size + 1);
    if (to->keys == NULL || to->roots == NULL)
        return no_memory(w);
    for (; to->n_keys < keys->size; to->n_keys++)
        to->keys[to->n_keys] = arb_wire_bytes(keys->data[to->n_keys].key);
    for (; to->n_roots < w->root_names.size; to->n_roots++)
        to->roots[to->n_roots] = arb_wire_bytes(w->root_names.data[to->n_roots]);
    to->format = arb_wire_bytes(arb_str_of(content->format->name));
    to->n_folders = w->folders.size;
    to->folders = w->folders.data;
    return ARB_OK;
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

static arb_code encode(arb_arena *arena, const arb_table *table, const arb_roots *roots,
                       const arb_segment_namer *segments, arb_text *out, arb_error *error)
{
    Arbalest__Table__Table to = ARBALEST__TABLE__TABLE__INIT;
    Arbalest__Table__Files files = ARBALEST__TABLE__FILES__INIT;
    Arbalest__Table__Series series = ARBALEST__TABLE__SERIES__INIT;
    Arbalest__Table__Memory memory = ARBALEST__TABLE__MEMORY__INIT;
    arb_file_table_content content;
    arb_series numbers;
    to.version = ARB_TABLE_WIRE_VERSION;
    if (arb_file_table_describe(table, &content)) {
        files_writer w = {.arena = arena, .roots = roots, .error = error};
        ARB_TRY(write_files(&w, &content, &files));
        to.kind_case = ARBALEST__TABLE__TABLE__KIND_FILES;
        to.files = &files;
    } else if (arb_series_table_describe(table, &numbers)) {
        series.start = numbers.start;
        series.step = numbers.step;
        series.count = numbers.count;
        to.kind_case = ARBALEST__TABLE__TABLE__KIND_SERIES;
        to.series = &series;
    } else if (segments != NULL && arb_memory_table_can_travel(table)) {
        ARB_TRY(arb_memory_table_write(arena, table, segments, &memory, error));
        to.kind_case = ARBALEST__TABLE__TABLE__KIND_MEMORY;
        to.memory = &memory;
    } else {
        return arb_fail(error, ARB_NOT_SUPPORTED,
                        "\"%.*s\" lies in this process's memory, where executors cannot read it",
                        ARB_STR_ARGS(table->name));
    }
    return arb_wire_pack(&to.base, out, error);
}

arb_code arb_table_encode(const arb_table *table, const arb_roots *roots, const arb_segment_namer *segments,
                          arb_text *out, arb_error *error)
{
    arb_arena arena = {0};
    arb_code code = encode(&arena, table, roots, segments, out, error);
    arb_arena_reset(&arena);
    return code;
}
