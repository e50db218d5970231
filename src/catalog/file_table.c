#include "catalog/file_table.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "catalog/column_names.h"
#include "catalog/hive_path.h"
#include "catalog/mapped_file.h"
#include "expr/function.h"

enum { counted_least = 1 << 20 };

/* Where a column's values come from. */
typedef enum column_origin { FROM_FILES, FROM_FOLDERS, FROM_PATH } column_origin;

typedef struct table_column {
    arb_str name;
    arb_type type;
    column_origin origin;
    size_t place;      /* FROM_FOLDERS: of the keys */
    size_t files_seen; /* up to the last one that has it, while columns are matched */
} table_column;

typedef struct file_table {
    arb_table base;
    arb_arena arena; /* columns, lists; not the files */
    arb_file_cache *cache;
    const arb_file_format *format;
    const arb_file_options *options;   /* NULL: nothing is said */
    arb_stop_flag *stop;               /* while it is opened; likewise: */
    const arb_planned_member *members; /* NULL: the files are found at their paths */
    size_t opened;
    arb_cached_file **cached;
    arb_str *shown; /* their paths, as rows name their file */
    arb_table_file **list;
    arb_hive_parts *parts;         /* a list a file: of the keys that are columns; all have the same */
    uint32_t **places;             /* a file: for each of its columns the table's */
    ARB_VEC(table_column) columns; /* arena */
    arb_column_names names;        /* of the columns */
    arb_reservation held;          /* of lists and paths, where there are many files */
} file_table;

static void file_table_destroy(arb_table *table)
{
    file_table *self = (file_table *)table;
    for (size_t i = 0; i < self->opened; i++)
        arb_file_cache_release(self->cached[i]);
    arb_reservation_reset(&self->held);
    arb_arena_reset(&self->arena);
    arb_free(self);
}

/* Only who has many files is worth counting; what the files themselves take is counted by the cache, once for all tables that
 * have them. Neither is denied: to open them again later would not need less. */
static void charge(file_table *self)
{
    if (self->arena.total < counted_least)
        return;
    arb_reservation_init(&self->held, arb_file_cache_memory(self->cache), "a table of many files");
    arb_reservation_force(&self->held, self->arena.total);
}

static arb_code no_memory(const file_table *self, arb_error *error)
{
    return arb_fail_memory(error, "a table", self->arena.total);
}

/* ---- columns of files -------------------------------------------------------------------------------------------- */
static arb_code hint_union(arb_code code, arb_error *error)
{
    arb_error_hint(error, "With union_by_name columns are matched by name, and NULL where a file has none.");
    return code;
}

/* The files must have the same columns in the same order. */
static arb_code match_places(const file_table *self, size_t file, arb_error *error)
{
    const arb_table_file *first = self->list[0], *other = self->list[file];
    if (first->column_count != other->column_count)
        return hint_union(arb_fail(error, ARB_DATATYPE_MISMATCH, "%.*s has %zu columns, but %.*s has %zu",
                                   ARB_STR_ARGS(other->path), other->column_count, ARB_STR_ARGS(first->path),
                                   first->column_count),
                          error);
    for (uint32_t i = 0; i < first->column_count; i++) {
        arb_str a = first->columns[i].name, b = other->columns[i].name;
        if (!arb_str_equal(a, b))
            return hint_union(
                arb_fail(error, ARB_DATATYPE_MISMATCH, "column %u of %.*s is named \"%.*s\", but in %.*s \"%.*s\"",
                         i + 1, ARB_STR_ARGS(other->path), ARB_STR_ARGS(b), ARB_STR_ARGS(first->path), ARB_STR_ARGS(a)),
                error);
        self->places[file][i] = i;
    }
    return ARB_OK;
}

/* A name is kept as long as the table: the file may be closed when its guesses prove wrong. */
static arb_code add_column(file_table *self, table_column column, arb_error *error)
{
    column.name = arb_str_copy(&self->arena, column.name);
    return column.name.data != NULL && ARB_ARENA_PUSH(&self->arena, &self->columns, column) &&
                   arb_column_names_add(&self->names, &self->arena, column.name)
               ? ARB_OK
               : no_memory(self, error);
}

static arb_code add_file_column(file_table *self, const arb_table_column *from, arb_error *error)
{
    return add_column(self, (table_column){.name = from->name, .type = from->type}, error);
}

static arb_code match_names(file_table *self, size_t file, arb_error *error)
{
    const arb_table_file *other = self->list[file];
    for (uint32_t i = 0; i < other->column_count; i++) {
        size_t at = arb_column_names_find(&self->names, other->columns[i].name);
        if (at == SIZE_MAX) {
            at = self->columns.size;
            ARB_TRY(add_file_column(self, &other->columns[i], error));
        }
        if (self->columns.data[at].files_seen == file + 1)
            return arb_fail(error, ARB_DUPLICATE_COLUMN, "%.*s has several columns named \"%.*s\"",
                            ARB_STR_ARGS(other->path), ARB_STR_ARGS(other->columns[i].name));
        self->columns.data[at].files_seen = file + 1;
        self->places[file][i] = (uint32_t)at;
    }
    return ARB_OK;
}

/* Columns that the options name are in one of the files at least. */
static arb_code check_said_columns(const file_table *self, arb_error *error)
{
    const arb_csv_options *csv = self->options != NULL ? &self->options->csv : &(arb_csv_options){0};
    for (size_t i = 0; i < csv->some_type_count + csv->never_null_count; i++) {
        arb_str name = i < csv->some_type_count ? csv->some_types[i].name : csv->never_null[i - csv->some_type_count];
        if (name.size != 0 && !arb_str_equal(name, ARB_STR("*")) &&
            arb_column_names_find(&self->names, name) == SIZE_MAX)
            return arb_fail(error, ARB_UNDEFINED_COLUMN, "no file has a column \"%.*s\"", ARB_STR_ARGS(name));
    }
    return ARB_OK;
}

/* Which column of each file is which of the table. */
static arb_code match_columns(file_table *self, arb_error *error)
{
    bool by_name = self->options != NULL && self->options->union_by_name;
    const arb_table_file *first = self->list[0];
    self->places = ARB_ARENA_ARRAY(&self->arena, uint32_t *, self->opened);
    if (self->places == NULL)
        return no_memory(self, error);
    for (size_t i = 0; i < first->column_count; i++)
        ARB_TRY(add_file_column(self, &first->columns[i], error));
    for (size_t i = 0; i < self->opened; i++) {
        ARB_TRY(arb_check_stop(self->stop, error));
        self->places[i] = ARB_ARENA_ARRAY(&self->arena, uint32_t, self->list[i]->column_count + 1);
        if (self->places[i] == NULL)
            return no_memory(self, error);
        ARB_TRY(by_name ? match_names(self, i, error) : match_places(self, i, error));
    }
    return check_said_columns(self, error);
}

static arb_code open_file(file_table *self, size_t at, arb_str path, const arb_file_options *options, arb_error *error)
{
    arb_cached_file **out = &self->cached[at];
    ARB_TRY(arb_check_stop(self->stop, error));
    ARB_TRY(self->members != NULL
                ? arb_file_cache_get_planned(self->cache, &self->members[at].file, self->format, options, self->stop,
                                             out, error)
                : arb_file_cache_get(self->cache, path, self->format, options, self->stop, out, error));
    self->list[at] = self->cached[at]->file;
    return ARB_OK;
}

/* The table's type of a column of a file. */
static arb_type type_at(const file_table *self, size_t file, size_t column)
{
    return self->columns.data[self->places[file][column]].type;
}

/* Open a file again whose guesses were too narrow: with the table's types. */
static arb_code open_again(file_table *self, size_t at, arb_error *error)
{
    arb_file_options options = self->options != NULL ? *self->options : (arb_file_options){0};
    size_t count = self->list[at]->column_count;
    arb_csv_column_type *types = ARB_ARENA_ARRAY(&self->arena, arb_csv_column_type, count);
    if (types == NULL)
        return no_memory(self, error);
    for (size_t i = 0; i < count; i++)
        types[i].type = type_at(self, at, i);
    options.csv.some_types = types;
    options.csv.some_type_count = count;
    arb_cached_file *narrow = self->cached[at];
    arb_code code = open_file(self, at, narrow->path, &options, error);
    if (code != ARB_OK) {
        self->cached[at] = narrow; /* is released with the others */
        return code;
    }
    arb_file_cache_release(narrow);
    return self->list[at]->column_count == count ? ARB_OK
                                                 : arb_fail(error, ARB_FILE_CHANGED, "%.*s changed while it was opened",
                                                            ARB_STR_ARGS(self->list[at]->path));
}

static arb_code differing_types(const file_table *self, size_t at, size_t column, arb_error *error)
{
    const arb_table_column *found = &self->list[at]->columns[column];
    arb_text types = {0};
    arb_text_append_str(&types, ARB_STR("the types are "));
    arb_type_print(&types, found->type);
    arb_text_append_str(&types, ARB_STR(" and "));
    arb_type_print(&types, type_at(self, at, column));
    arb_code code =
        arb_fail(error, ARB_DATATYPE_MISMATCH, "column \"%.*s\" of %.*s has another type than in the files before",
                 ARB_STR_ARGS(found->name), ARB_STR_ARGS(self->list[at]->path));
    arb_error_detail(error, "%.*s", ARB_STR_ARGS(arb_text_view(&types)));
    arb_text_reset(&types);
    return code;
}

/* The first column of the file, from `from` on, whose type is not the table's; the count when there is none. */
static size_t find_other_type(const file_table *self, size_t file, size_t from)
{
    const arb_table_file *other = self->list[file];
    while (from < other->column_count && arb_type_equal(other->columns[from].type, type_at(self, file, from)))
        from++;
    return from;
}

static arb_code agree_on_types(file_table *self, arb_error *error)
{
    bool again = false;
    for (size_t i = 1; i < self->opened; i++) {
        const arb_table_file *file = self->list[i];
        for (size_t k = 0; (k = find_other_type(self, i, k)) < file->column_count; k++) {
            if (self->format->common_type == NULL)
                return differing_types(self, i, k, error);
            arb_type *type = &self->columns.data[self->places[i][k]].type;
            *type = self->format->common_type(self->options, *type, file->columns[k].type);
            again = true;
        }
    }
    for (size_t i = 0; again && i < self->opened; i++)
        if (find_other_type(self, i, 0) < self->list[i]->column_count)
            ARB_TRY(open_again(self, i, error));
    return ARB_OK;
}

/* ---- columns of paths -------------------------------------------------------------------------------------------- */
static bool same_keys(const arb_hive_parts *a, const arb_hive_parts *b)
{
    bool same = a->size == b->size;
    for (size_t i = 0; same && i < a->size; i++)
        same = arb_str_equal(a->data[i].key, b->data[i].key);
    return same;
}

static arb_code check_text(arb_str text, arb_str path, arb_error *error)
{
    return arb_utf8_is_valid(text.data, text.size)
               ? ARB_OK
               : arb_fail(error, ARB_INVALID_ENCODING, "%.*s: the path is not valid UTF-8", ARB_STR_ARGS(path));
}

static arb_code read_keys(file_table *self, const arb_table_path *paths, arb_error *error)
{
    arb_hive_choice choice = self->options != NULL ? self->options->hive : ARB_HIVE_AUTO;
    for (size_t i = 0; choice != ARB_HIVE_NO && i < self->opened; i++) {
        ARB_TRY(arb_hive_path_read(&self->arena, paths[i].path, paths[i].keys_from, &self->parts[i], error));
        for (size_t k = 0; k < self->parts[i].size; k++) {
            ARB_TRY(check_text(self->parts[i].data[k].key, paths[i].path, error));
            ARB_TRY(check_text(self->parts[i].data[k].text, paths[i].path, error));
        }
        if (same_keys(&self->parts[0], &self->parts[i]))
            continue;
        if (choice == ARB_HIVE_YES)
            return arb_fail(error, ARB_INVALID_TABLE_DEFINITION,
                            "the folders (key=value) of %.*s have other keys than those of %.*s",
                            ARB_STR_ARGS(paths[i].path), ARB_STR_ARGS(paths[0].path));
        memset(self->parts, 0, self->opened * sizeof *self->parts);
        break;
    }
    return ARB_OK;
}

/* The same where it is known from elsewhere. */
static arb_code copy_keys(file_table *self, const arb_planned_member *member, arb_hive_parts *out, arb_error *error)
{
    for (size_t k = 0; k < member->keys.size; k++) {
        arb_hive_part part = member->keys.data[k];
        ARB_TRY(check_text(part.key, member->file.path, error));
        ARB_TRY(check_text(part.text, member->file.path, error));
        part.key = arb_str_copy(&self->arena, part.key);
        part.text = arb_str_copy(&self->arena, part.text);
        if (part.key.data == NULL || part.text.data == NULL || !ARB_ARENA_PUSH(&self->arena, out, part))
            return no_memory(self, error);
    }
    return ARB_OK;
}

static arb_code take_known(file_table *self, const arb_planned_member *members, arb_error *error)
{
    for (size_t i = 0; i < self->opened; i++) {
        if (i != 0 && members[i].keys.data == members[i - 1].keys.data) /* files of one folder share them */
            self->parts[i] = self->parts[i - 1];
        else
            ARB_TRY(copy_keys(self, &members[i], &self->parts[i], error));
        assert(same_keys(&self->parts[i], &self->parts[0]));
        if ((self->shown[i] = arb_str_copy(&self->arena, members[i].shown)).data == NULL)
            return no_memory(self, error);
    }
    return ARB_OK;
}

/* The type that is said for a key, or the one that all its values suggest. */
static arb_type type_of_key(const file_table *self, size_t key)
{
    const arb_file_options *options = self->options;
    arb_type type = ARB_TYPE(NULL);
    for (size_t i = 0; options != NULL && i < options->hive_type_count; i++)
        if (arb_str_equal_nocase(options->hive_types[i].name, self->parts[0].data[key].key))
            type = options->hive_types[i].type;
    if (type.id != ARB_TYPE_NULL)
        return type;
    for (size_t i = 0; i < self->opened; i++)
        type = arb_hive_guess(type, &self->parts[i].data[key]);
    return type.id == ARB_TYPE_NULL ? ARB_TYPE(VARCHAR) : type;
}

static arb_code check_said_keys(const file_table *self, arb_error *error)
{
    for (size_t i = 0; self->options != NULL && i < self->options->hive_type_count; i++) {
        arb_str name = self->options->hive_types[i].name;
        bool found = false;
        for (size_t k = 0; k < self->parts[0].size; k++)
            found = found || arb_str_equal_nocase(self->parts[0].data[k].key, name);
        if (!found)
            return arb_fail(error, ARB_UNDEFINED_COLUMN, "no folder of %.*s gives a column \"%.*s\" (%.*s=…)",
                            ARB_STR_ARGS(self->list[0]->path), ARB_STR_ARGS(name), ARB_STR_ARGS(name));
    }
    return ARB_OK;
}

static arb_code add_path_columns(file_table *self, arb_error *error)
{
    ARB_TRY(check_said_keys(self, error));
    for (size_t k = 0; k < self->parts[0].size; k++) {
        arb_str key = self->parts[0].data[k].key;
        table_column column = {.name = key, .type = type_of_key(self, k), .origin = FROM_FOLDERS, .place = k};
        size_t at = arb_column_names_find(&self->names, key);
        if (at != SIZE_MAX && self->columns.data[at].origin != FROM_FILES)
            return arb_fail(error, ARB_DUPLICATE_COLUMN, "%.*s: two folders are the column \"%.*s\"",
                            ARB_STR_ARGS(self->list[0]->path), ARB_STR_ARGS(key));
        if (at != SIZE_MAX)
            self->columns.data[at] = column;
        else
            ARB_TRY(add_column(self, column, error));
    }
    arb_str name = self->options != NULL ? self->options->file_name_column : (arb_str){0};
    if (name.size == 0)
        return ARB_OK;
    if (arb_column_names_find(&self->names, name) != SIZE_MAX)
        return arb_fail(error, ARB_DUPLICATE_COLUMN, "there is a column \"%.*s\" already", ARB_STR_ARGS(name));
    return add_column(self, (table_column){.name = name, .type = ARB_TYPE(VARCHAR), .origin = FROM_PATH}, error);
}

/* The value of a column that is no column of the file. */
static arb_code find_constant(file_table *self, size_t file, const table_column *column, arb_value *out,
                              arb_error *error)
{
    arb_str path = self->cached[file]->path;
    *out = arb_value_null(column->type);
    if (column->origin == FROM_FILES)
        return ARB_OK;
    if (column->origin == FROM_PATH) {
        *out = (arb_value){.type = column->type, .text = self->shown[file]};
        return check_text(out->text, path, error);
    }
    const arb_hive_part *part = &self->parts[file].data[column->place];
    if (part->is_null)
        return ARB_OK;
    arb_value text = {.type = ARB_TYPE(VARCHAR), .text = part->text};
    arb_code code = arb_value_cast(&self->arena, &text, column->type, out, error);
    if (code != ARB_OK)
        arb_error_context(error, "%.*s", ARB_STR_ARGS(path));
    return code;
}

/* Has the file the table's columns, and no others? */
static bool has_all_columns(const file_table *self, size_t file)
{
    size_t count = self->list[file]->column_count;
    bool same = count == self->columns.size;
    for (size_t i = 0; same && i < count; i++)
        same = self->places[file][i] == i && self->columns.data[i].origin == FROM_FILES;
    return same;
}

static arb_code map_file(file_table *self, size_t file, arb_error *error)
{
    size_t count = self->columns.size;
    arb_mapped_column *columns = ARB_ARENA_ARRAY(&self->arena, arb_mapped_column, count + 1);
    if (columns == NULL)
        return no_memory(self, error);
    for (size_t i = 0; i < count; i++)
        columns[i] = (arb_mapped_column){.name = self->columns.data[i].name, .is_constant = true};
    for (size_t i = 0; i < self->list[file]->column_count; i++) {
        arb_mapped_column *column = &columns[self->places[file][i]];
        column->is_constant = self->columns.data[self->places[file][i]].origin != FROM_FILES;
        column->source = (uint32_t)i;
    }
    for (size_t i = 0; i < count; i++)
        if (columns[i].is_constant)
            ARB_TRY(find_constant(self, file, &self->columns.data[i], &columns[i].value, error));
    self->list[file] = arb_mapped_file_create(&self->arena, self->list[file], columns, count);
    return self->list[file] != NULL ? ARB_OK : no_memory(self, error);
}

/* Put a file in the place of each that has the table's columns, unless it has them already. */
static arb_code map_files(file_table *self, arb_error *error)
{
    for (size_t i = 0; i < self->opened; i++) {
        ARB_TRY(arb_check_stop(self->stop, error));
        if (!has_all_columns(self, i))
            ARB_TRY(map_file(self, i, error));
    }
    return ARB_OK;
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */
static void merge_statistics(arb_column_statistics *into, const arb_column_statistics *from)
{
    into->has_range = into->has_range && from->has_range;
    into->low = ARB_MIN(into->low, from->low);
    into->high = ARB_MAX(into->high, from->high);
    into->has_null_count = into->has_null_count && from->has_null_count;
    into->null_count += from->null_count;
    into->has_distinct = into->has_distinct && from->has_distinct;
    into->distinct = ARB_MAX(into->distinct, from->distinct);
    into->bytes += from->bytes;
    into->coded = into->coded && from->coded;
}

static int compare_texts(const void *a, const void *b)
{
    return arb_str_compare(*(const arb_str *)a, *(const arb_str *)b);
}

/* How many values the paths give a column. */
static arb_code count_distinct(file_table *self, const table_column *column, uint64_t *out_count, arb_error *error)
{
    *out_count = self->opened;
    if (column->origin == FROM_PATH)
        return ARB_OK;
    arb_str *texts = ARB_ARENA_ARRAY(&self->arena, arb_str, self->opened);
    if (texts == NULL)
        return no_memory(self, error);
    for (size_t i = 0; i < self->opened; i++)
        texts[i] = self->parts[i].data[column->place].text;
    qsort(texts, self->opened, sizeof *texts, compare_texts);
    for (size_t i = 1; i < self->opened; i++)
        *out_count -= arb_str_equal(texts[i], texts[i - 1]);
    return ARB_OK;
}

/* A file without rows says nothing about values: it must not widen a range, nor take one away. */
static arb_code merge_columns(file_table *self, arb_error *error)
{
    const arb_table_file *first = self->list[0];
    arb_table_column *columns = ARB_ARENA_ARRAY(&self->arena, arb_table_column, ARB_MAX(first->column_count, 1));
    if (columns == NULL)
        return no_memory(self, error);
    for (size_t column = 0; column < first->column_count; column++) {
        columns[column] = first->columns[column];
        bool filled = false;
        for (size_t i = 0; i < self->opened; i++) {
            const arb_table_file *file = self->list[i];
            const arb_table_column *from = &file->columns[column];
            columns[column].nullable = columns[column].nullable || from->nullable;
            if (file->rows == 0 && file->rows_exact)
                continue;
            if (filled)
                merge_statistics(&columns[column].statistics, &from->statistics);
            else
                columns[column].statistics = from->statistics;
            filled = true;
        }
        if (self->columns.data[column].origin != FROM_FILES)
            ARB_TRY(count_distinct(self, &self->columns.data[column], &columns[column].statistics.distinct, error));
    }
    self->base.column_count = first->column_count;
    self->base.columns = columns;
    return ARB_OK;
}

static arb_code copy_options(file_table *self, const arb_file_options *options, arb_error *error)
{
    arb_file_options *copy = ARB_ARENA_NEW(&self->arena, arb_file_options);
    self->options = copy;
    return copy != NULL && arb_file_options_copy(&self->arena, options, copy) ? ARB_OK : no_memory(self, error);
}

/* One of `paths` and `members` is NULL. */
static arb_code open_table(file_table *self, const arb_file_options *options, const arb_table_path *paths,
                           const arb_planned_member *members, size_t count, arb_error *error)
{
    self->cached = ARB_ARENA_ARRAY(&self->arena, arb_cached_file *, count);
    self->list = ARB_ARENA_ARRAY(&self->arena, arb_table_file *, count);
    self->shown = ARB_ARENA_ARRAY(&self->arena, arb_str, count);
    self->parts = ARB_ARENA_ARRAY(&self->arena, arb_hive_parts, count);
    if (self->base.name.data == NULL || self->cached == NULL || self->list == NULL || self->shown == NULL ||
        self->parts == NULL)
        return no_memory(self, error);
    if (options != NULL)
        ARB_TRY(copy_options(self, options, error));
    for (; self->opened < count; self->opened++)
        ARB_TRY(open_file(self, self->opened,
                          members != NULL ? members[self->opened].file.path : paths[self->opened].path, self->options,
                          error));
    ARB_TRY(match_columns(self, error));
    ARB_TRY(agree_on_types(self, error));
    for (size_t i = 0; i < count; i++)
        self->shown[i] = self->cached[i]->path;
    ARB_TRY(members != NULL ? take_known(self, members, error) : read_keys(self, paths, error));
    ARB_TRY(add_path_columns(self, error));
    ARB_TRY(map_files(self, error));
    self->base.rows_exact = true;
    for (size_t i = 0; i < count; i++) {
        self->base.rows += self->list[i]->rows;
        self->base.rows_exact = self->base.rows_exact && self->list[i]->rows_exact;
    }
    self->base.file_count = count;
    self->base.files = self->list;
    return merge_columns(self, error);
}

static arb_code create(arb_file_cache *cache, arb_str name, const arb_file_format *format,
                       const arb_file_options *options, const arb_table_path *paths, const arb_planned_member *members,
                       size_t count, arb_stop_flag *stop, arb_table **out_table, arb_error *error)
{
    static const arb_table_vtable vtable = {.kind = "files", .destroy = file_table_destroy};
    assert(count != 0);
    *out_table = NULL;
    file_table *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a table", sizeof *self);
    self->base.vtable = &vtable;
    self->base.references = 1;
    self->base.name = arb_str_copy(&self->arena, name);
    self->cache = cache;
    self->format = format;
    self->stop = stop;
    self->members = members;
    arb_code code = open_table(self, options, paths, members, count, error);
    if (code == ARB_OK)
        charge(self);
    self->stop = NULL;
    self->members = NULL;
    if (code != ARB_OK) {
        file_table_destroy(&self->base);
        return code;
    }
    *out_table = &self->base;
    return ARB_OK;
}

arb_code arb_file_table_open(arb_file_cache *cache, arb_str name, const arb_file_format *format,
                             const arb_file_options *options, const arb_table_path *paths, size_t count,
                             arb_stop_flag *stop, arb_table **out_table, arb_error *error)
{
    return create(cache, name, format, options, paths, NULL, count, stop, out_table, error);
}

arb_code arb_file_table_open_planned(arb_file_cache *cache, arb_str name, const arb_file_format *format,
                                     const arb_file_options *options, const arb_planned_member *members, size_t count,
                                     arb_stop_flag *stop, arb_table **out_table, arb_error *error)
{
    return create(cache, name, format, options, NULL, members, count, stop, out_table, error);
}

bool arb_file_table_is_current(const arb_table *table, const arb_table_path *paths, size_t count)
{
    const file_table *self = (const file_table *)table;
    if (table->vtable->destroy != file_table_destroy || self->opened != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!arb_str_equal(self->cached[i]->path, paths[i].path) || !arb_cached_file_is_current(self->cached[i]))
            return false;
    return true;
}

bool arb_file_table_describe(const arb_table *table, arb_file_table_content *out_content)
{
    const file_table *self = (const file_table *)table;
    if (table->vtable->destroy != file_table_destroy)
        return false;
    *out_content = (arb_file_table_content){.format = self->format,
                                            .options = self->options,
                                            .file_count = self->opened,
                                            .files = self->cached,
                                            .shown = self->shown,
                                            .keys = self->parts};
    return true;
}
