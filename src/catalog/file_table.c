#include "catalog/file_table.h"

#include "base/alloc.h"
#include "catalog/partition_columns.h"

typedef struct file_table {
    arb_table base;
    arb_arena arena; /* columns, lists; not the files */
    size_t opened;
    arb_cached_file **cached;
    arb_table_file **list;
} file_table;

static void file_table_destroy(arb_table *table)
{
    file_table *self = (file_table *)table;
    for (size_t i = 0; i < self->opened; i++)
        arb_file_cache_release(self->cached[i]);
    arb_arena_reset(&self->arena);
    arb_free(self);
}

static arb_code check_same_columns(const arb_table_file *first, const arb_table_file *other, arb_error *error)
{
    if (first->column_count != other->column_count)
        return arb_fail(error, ARB_DATATYPE_MISMATCH, "%.*s has %zu columns, but %.*s has %zu",
                        ARB_STR_ARGS(other->path), other->column_count, ARB_STR_ARGS(first->path), first->column_count);
    for (size_t i = 0; i < first->column_count; i++) {
        const arb_table_column *a = &first->columns[i], *b = &other->columns[i];
        if (!arb_str_equal(a->name, b->name))
            return arb_fail(error, ARB_DATATYPE_MISMATCH, "column %zu of %.*s is named \"%.*s\", but in %.*s \"%.*s\"",
                            i + 1, ARB_STR_ARGS(other->path), ARB_STR_ARGS(b->name), ARB_STR_ARGS(first->path),
                            ARB_STR_ARGS(a->name));
        if (!arb_type_equal(a->type, b->type)) {
            arb_text types = {0};
            arb_text_append_str(&types, ARB_STR("the types are "));
            arb_type_print(&types, b->type);
            arb_text_append_str(&types, ARB_STR(" and "));
            arb_type_print(&types, a->type);
            arb_code code =
                arb_fail(error, ARB_DATATYPE_MISMATCH, "column \"%.*s\" of %.*s has another type than in %.*s",
                         ARB_STR_ARGS(a->name), ARB_STR_ARGS(other->path), ARB_STR_ARGS(first->path));
            arb_error_detail(error, "%.*s", ARB_STR_ARGS(arb_text_view(&types)));
            arb_text_reset(&types);
            return code;
        }
    }
    return ARB_OK;
}

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
}

/* A file without rows says nothing about values: it must not widen a range, nor take one away. */
static arb_code merge_columns(file_table *self, size_t count, arb_error *error)
{
    const arb_table_file *first = self->list[0];
    arb_table_column *columns = ARB_ARENA_ARRAY(&self->arena, arb_table_column, ARB_MAX(first->column_count, 1));
    if (columns == NULL)
        return arb_fail_memory(error, "a table", sizeof *columns * first->column_count);
    for (size_t column = 0; column < first->column_count; column++) {
        columns[column] = first->columns[column];
        bool filled = false;
        for (size_t i = 0; i < count; i++) {
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
    }
    self->base.column_count = first->column_count;
    self->base.columns = columns;
    return ARB_OK;
}

/* Files in folders that are columns get these. */
static arb_code add_folder_columns(file_table *self, arb_str root, const arb_str *paths, size_t count, arb_error *error)
{
    arb_partition_columns columns;
    ARB_TRY(arb_partition_columns_of(&self->arena, root, paths, count, &columns, error));
    for (size_t i = 0; columns.count != 0 && i < count; i++)
        ARB_TRY(arb_partitioned_file_create(&self->arena, self->list[i], &columns, columns.values + i * columns.count,
                                            &self->list[i], error));
    return ARB_OK;
}

arb_code arb_file_table_open(arb_file_cache *cache, arb_str name, arb_str root, const arb_file_format *format,
                             const arb_str *paths, size_t count, arb_stop_flag *stop, arb_table **out_table,
                             arb_error *error)
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
    self->cached = ARB_ARENA_ARRAY(&self->arena, arb_cached_file *, count);
    self->list = ARB_ARENA_ARRAY(&self->arena, arb_table_file *, count);
    arb_code code = ARB_OK;
    if (self->base.name.data == NULL || self->cached == NULL || self->list == NULL) {
        code = arb_fail_memory(error, "a table", count * sizeof *self->cached);
        goto fail;
    }
    self->base.rows_exact = true;
    for (; self->opened < count; self->opened++) {
        ARB_TRY_GOTO(code, arb_check_stop(stop, error), fail);
        ARB_TRY_GOTO(code,
                     arb_file_cache_get(cache, paths[self->opened], format, stop, &self->cached[self->opened], error),
                     fail);
        self->list[self->opened] = self->cached[self->opened]->file;
        self->base.rows += self->list[self->opened]->rows;
        self->base.rows_exact = self->base.rows_exact && self->list[self->opened]->rows_exact;
    }
    ARB_TRY_GOTO(code, add_folder_columns(self, root, paths, count, error), fail);
    for (size_t i = 1; i < count; i++)
        ARB_TRY_GOTO(code, check_same_columns(self->list[0], self->list[i], error), fail);
    ARB_TRY_GOTO(code, merge_columns(self, count, error), fail);
    self->base.file_count = count;
    self->base.files = self->list;
    *out_table = &self->base;
    return ARB_OK;

fail:
    file_table_destroy(&self->base);
    return code;
}

bool arb_file_table_is_current(const arb_table *table, const arb_str *paths, size_t count)
{
    const file_table *self = (const file_table *)table;
    if (table->vtable->destroy != file_table_destroy || self->opened != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!arb_str_equal(self->cached[i]->path, paths[i]) || !arb_cached_file_is_current(self->cached[i]))
            return false;
    return true;
}
