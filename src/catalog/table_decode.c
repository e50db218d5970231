/* table_decode.c: a message becomes a table. Everything is checked; what it may take is bounded by the message's size. */
#include <unistd.h>

#include "catalog/file_options_wire.h"
#include "catalog/file_table.h"
#include "catalog/memory_table_wire.h"
#include "catalog/series_table.h"
#include "catalog/table_wire.h"
#include "io/open_beneath.h"
#include "proto/table.pb-c.h"
#include "wire/wire.h"

typedef struct files_reader {
    arb_arena *arena;
    const arb_table_finder *finder;
    const Arbalest__Table__Files *from;
    arb_error *error;
    const arb_root **roots; /* in the message's order, and their folders: those that are open */
    int *folders;
    size_t open;
    arb_planned_member *members;
    size_t count;
} files_reader;

static arb_code damaged(arb_error *error, const char *what)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a table's message %s", what);
}

static arb_code no_memory(const files_reader *r)
{
    return arb_fail_memory(r->error, "a table's message", r->arena->total);
}

static arb_code unknown_root(const files_reader *r, arb_str name)
{
    arb_text known = {0};
    arb_roots_print(&known, r->finder->roots, false);
    arb_code code = arb_fail(r->error, ARB_UNDEFINED_OBJECT, "there is no root \"%.*s\" here", ARB_STR_ARGS(name));
    arb_error_detail(r->error, "roots: %.*s", ARB_STR_ARGS(arb_text_view(&known)));
    arb_text_reset(&known);
    return code;
}

static arb_code open_roots(files_reader *r)
{
    size_t count = r->from->n_roots;
    r->roots = ARB_ARENA_ARRAY(r->arena, const arb_root *, count + 1);
    r->folders = ARB_ARENA_ARRAY(r->arena, int, count + 1);
    if (r->roots == NULL || r->folders == NULL)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        arb_str name = arb_wire_text(r->from->roots[i]);
        if ((r->roots[i] = arb_roots_find(r->finder->roots, name)) == NULL)
            return unknown_root(r, name);
        for (size_t k = 0; k < i; k++) /* so there are no more descriptors than roots */
            if (r->roots[k] == r->roots[i])
                return damaged(r->error, "names a root twice");
        ARB_TRY(arb_open_folder(r->roots[i]->folder.data, &r->folders[i], r->error));
        r->open++;
    }
    return ARB_OK;
}

static arb_code read_values(const files_reader *r, const Arbalest__Table__Folder *from, arb_hive_parts *out)
{
    if (from->n_values != r->from->n_keys)
        return damaged(r->error, "has a folder with more or fewer values than there are keys");
    for (size_t i = 0; i < from->n_values; i++) {
        arb_hive_part part = {.key = arb_wire_text(r->from->keys[i]),
                              .text = arb_wire_text(from->values[i]->text),
                              .is_null = from->values[i]->is_null};
        if (!ARB_ARENA_PUSH(r->arena, out, part))
            return no_memory(r);
    }
    return ARB_OK;
}

static arb_code make_path(const files_reader *r, arb_str root, arb_str folder, arb_str name, arb_str *out)
{
    char *path = arb_arena_alloc(r->arena, root.size + folder.size + name.size + 3);
    size_t size = 0;
    if (path == NULL)
        return no_memory(r);
    for (size_t i = 0; i < 3; i++) {
        arb_str part = i == 0 ? root : i == 1 ? folder : name;
        if (part.size == 0) /* files that lie in the root itself */
            continue;
        if (size != 0 && path[size - 1] != '/')
            path[size++] = '/';
        memcpy(path + size, part.data, part.size);
        size += part.size;
    }
    path[size] = '\0';
    *out = (arb_str){path, size};
    return ARB_OK;
}

static arb_code read_folder(files_reader *r, const Arbalest__Table__Folder *from)
{
    arb_str inside = arb_wire_text(from->path);
    arb_hive_parts keys = {0};
    if (from->root >= r->from->n_roots)
        return damaged(r->error, "has a folder without a root");
    if (inside.size != 0 && !arb_root_path_is_sound(inside))
        return damaged(r->error, "has a folder that does not lie in its root");
    ARB_TRY(read_values(r, from, &keys));
    for (size_t i = 0; i < from->n_files; i++) {
        const Arbalest__Table__File *file = from->files[i];
        arb_str name = arb_wire_text(file->name);
        arb_planned_member *member = &r->members[r->count++];
        if (!arb_root_path_is_sound(name) || memchr(name.data, '/', name.size) != NULL)
            return damaged(r->error, "has a file that does not lie in its folder");
        member->shown = arb_wire_text(file->shown);
        member->keys = keys;
        member->file = (arb_planned_file){.root = r->roots[from->root],
                                          .folder = r->folders[from->root],
                                          .version = {file->size, file->modified_ns, file->footer_hash}};
        ARB_TRY(make_path(r, member->file.root->folder, inside, name, &member->file.path));
    }
    return ARB_OK;
}

static arb_code read_folders(files_reader *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->from->n_folders; i++)
        count += r->from->folders[i]->n_files;
    if (count == 0)
        return damaged(r->error, "has no file");
    r->members = ARB_ARENA_ARRAY(r->arena, arb_planned_member, count);
    if (r->members == NULL)
        return no_memory(r);
    for (size_t i = 0; i < r->from->n_folders; i++)
        ARB_TRY(read_folder(r, r->from->folders[i]));
    return ARB_OK;
}

/* The format of exactly that name, not of one that differs by case. */
static const arb_file_format *find_format(const arb_file_formats *formats, arb_str name)
{
    const arb_file_format *format = arb_file_format_find(formats, name);
    return format != NULL && arb_str_equal(arb_str_of(format->name), name) ? format : NULL;
}

static arb_code open_files(files_reader *r, arb_str name, arb_table **out_table)
{
    const arb_table_finder *finder = r->finder;
    arb_file_options options;
    arb_str format_name = arb_wire_text(r->from->format);
    const arb_file_format *format = find_format(finder->formats, format_name);
    if (format == NULL)
        return arb_fail(r->error, ARB_NOT_SUPPORTED, "the format \"%.*s\" is not known here",
                        ARB_STR_ARGS(format_name));
    if (r->from->options != NULL)
        ARB_TRY(arb_file_options_read(r->arena, r->from->options, &options, r->error));
    ARB_TRY(open_roots(r));
    ARB_TRY(read_folders(r));
    return arb_file_table_open_planned(finder->cache, name, format, r->from->options != NULL ? &options : NULL,
                                       r->members, r->count, finder->stop, out_table, r->error);
}

static arb_code decode(arb_arena *arena, arb_str name, arb_str bytes, const arb_table_finder *finder,
                       arb_table **out_table, arb_error *error)
{
    ProtobufCMessage *message;
    ARB_TRY(arb_wire_unpack(&arbalest__table__table__descriptor, arena, bytes.data, bytes.size, &message, error));
    const Arbalest__Table__Table *from = (const Arbalest__Table__Table *)message;
    if (from->version != ARB_TABLE_WIRE_VERSION)
        return arb_fail(error, ARB_NOT_SUPPORTED, "a table's message is of version %u, known is %d", from->version,
                        ARB_TABLE_WIRE_VERSION);
    if (from->kind_case == ARBALEST__TABLE__TABLE__KIND_FILES) {
        files_reader r = {.arena = arena, .finder = finder, .from = from->files, .error = error};
        arb_code code = open_files(&r, name, out_table);
        for (size_t i = 0; i < r.open; i++)
            close(r.folders[i]);
        return code;
    }
    if (from->kind_case == ARBALEST__TABLE__TABLE__KIND_SERIES) {
        arb_series series = {from->series->start, from->series->step, from->series->count};
        return arb_series_fits(series) ? arb_series_table_create(name, series, out_table, error)
                                       : damaged(error, "is a series that does not fit its type");
    }
    if (from->kind_case == ARBALEST__TABLE__TABLE__KIND_MEMORY && finder->segments == NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "tables in memory cannot be found here");
    if (from->kind_case == ARBALEST__TABLE__TABLE__KIND_MEMORY)
        return arb_memory_table_read(arena, name, from->memory, finder->segments, finder->stop, out_table, error);
    return damaged(error, "says nothing");
}

arb_code arb_table_decode(arb_str name, arb_str bytes, const arb_table_finder *finder, arb_table **out_table,
                          arb_error *error)
{
    arb_arena arena = {.limit = (size_t)2 * ARB_WIRE_MEMORY_MOST};
    *out_table = NULL;
    arb_code code = decode(&arena, name, bytes, finder, out_table, error);
    arb_arena_reset(&arena);
    return code;
}
