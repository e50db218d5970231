#include "catalog/file_options_wire.h"

#include "base/utf8.h"
#include "proto/table.pb-c.h"
#include "wire/wire.h"

static arb_code no_memory(const arb_arena *arena, arb_error *error)
{
    return arb_fail_memory(error, "the options of files", arena->total);
}

/* ---- to a message ------------------------------------------------------------------------------------------------- */

static arb_code write_texts(arb_arena *arena, const arb_str *texts, size_t count, size_t *out_count,
                            ProtobufCBinaryData **out, arb_error *error)
{
    *out = ARB_ARENA_ARRAY(arena, ProtobufCBinaryData, count + 1);
    *out_count = count;
    for (size_t i = 0; *out != NULL && i < count; i++)
        (*out)[i] = arb_wire_bytes(texts[i]);
    return *out != NULL ? ARB_OK : no_memory(arena, error);
}

static arb_code write_column(arb_arena *arena, arb_csv_column_type column, Arbalest__Table__Column *to,
                             arb_error *error)
{
    if (arb_type_is_nested(column.type))
        return arb_fail(error, ARB_NOT_SUPPORTED, "a nested type cannot be said for column \"%.*s\" of files",
                        ARB_STR_ARGS(column.name));
    Arbalest__Plan__Type *type = arb_wire_message(arena, &arbalest__plan__type__descriptor);
    if (type == NULL)
        return no_memory(arena, error);
    type->id = column.type.id;
    type->precision = column.type.precision;
    type->scale = column.type.scale;
    type->nanoseconds = column.type.nanoseconds;
    to->name = arb_wire_bytes(column.name);
    to->type = type;
    return ARB_OK;
}

static arb_code write_columns(arb_arena *arena, const arb_csv_column_type *columns, size_t count, size_t *out_count,
                              Arbalest__Table__Column ***out, arb_error *error)
{
    *out = arb_wire_messages(arena, &arbalest__table__column__descriptor, count);
    *out_count = count;
    for (size_t i = 0; *out != NULL && i < count; i++)
        ARB_TRY(write_column(arena, columns[i], (*out)[i], error));
    return *out != NULL ? ARB_OK : no_memory(arena, error);
}

static arb_code write_csv(arb_arena *arena, const arb_csv_options *csv, Arbalest__Table__Csv *to, arb_error *error)
{
    to->delimiter = (uint8_t)csv->delimiter;
    to->quote = (uint8_t)csv->quote;
    to->escape = (uint8_t)csv->escape;
    to->comment = (uint8_t)csv->comment;
    to->no_quotes = csv->no_quotes;
    to->no_comments = csv->no_comments;
    to->header = csv->header;
    to->skip_lines = csv->skip_lines;
    to->all_text = csv->all_text;
    to->null_padding = csv->null_padding;
    to->on_error = csv->on_error;
    to->quoted_nulls = csv->quoted_nulls;
    to->date_format = arb_wire_bytes(csv->date_format);
    to->timestamp_format = arb_wire_bytes(csv->timestamp_format);
    to->may_lack_columns = csv->may_lack_columns;
    to->sample_rows = csv->sample_rows;
    to->sample_bytes = csv->sample_bytes;
    to->range_bytes = csv->range_bytes;
    ARB_TRY(write_texts(arena, csv->null_texts, csv->null_text_count, &to->n_null_texts, &to->null_texts, error));
    ARB_TRY(write_texts(arena, csv->never_null, csv->never_null_count, &to->n_never_null, &to->never_null, error));
    ARB_TRY(write_texts(arena, csv->first_names, csv->first_name_count, &to->n_first_names, &to->first_names, error));
    ARB_TRY(write_columns(arena, csv->some_types, csv->some_type_count, &to->n_some_types, &to->some_types, error));
    to->n_columns = csv->column_count;
    to->columns = arb_wire_messages(arena, &arbalest__table__column__descriptor, csv->column_count);
    for (size_t i = 0; to->columns != NULL && i < csv->column_count; i++)
        ARB_TRY(write_column(arena, (arb_csv_column_type){csv->names[i], csv->types[i]}, to->columns[i], error));
    return to->columns != NULL ? ARB_OK : no_memory(arena, error);
}

arb_code arb_file_options_write(arb_arena *arena, const arb_file_options *options,
                                Arbalest__Table__FileOptions **out_message, arb_error *error)
{
    Arbalest__Table__FileOptions *to = arb_wire_message(arena, &arbalest__table__file_options__descriptor);
    Arbalest__Table__Csv *csv = arb_wire_message(arena, &arbalest__table__csv__descriptor);
    *out_message = to;
    if (to == NULL || csv == NULL)
        return no_memory(arena, error);
    ARB_TRY(write_csv(arena, &options->csv, csv, error));
    ARB_TRY(
        write_columns(arena, options->hive_types, options->hive_type_count, &to->n_hive_types, &to->hive_types, error));
    to->csv = csv;
    to->union_by_name = options->union_by_name;
    to->hive = options->hive;
    to->file_name_column = arb_wire_bytes(options->file_name_column);
    return ARB_OK;
}

/* ---- from a message ------------------------------------------------------------------------------------------------ */

static arb_code damaged(arb_error *error, const char *what)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "how a table's files are to be read: %s", what);
}

static arb_code read_text(ProtobufCBinaryData bytes, arb_str *out, arb_error *error)
{
    *out = arb_wire_text(bytes);
    return arb_utf8_is_valid(out->data, out->size) ? ARB_OK : damaged(error, "a text is not valid UTF-8");
}

static arb_code read_texts(arb_arena *arena, const ProtobufCBinaryData *from, size_t count, const arb_str **out,
                           size_t *out_count, arb_error *error)
{
    arb_str *texts = ARB_ARENA_ARRAY(arena, arb_str, count + 1);
    *out = texts;
    *out_count = count;
    for (size_t i = 0; texts != NULL && i < count; i++)
        ARB_TRY(read_text(from[i], &texts[i], error));
    return texts != NULL ? ARB_OK : no_memory(arena, error);
}

static arb_code read_column(const Arbalest__Table__Column *from, bool may_lack_type, arb_csv_column_type *out,
                            arb_error *error)
{
    const Arbalest__Plan__Type *type = from->type;
    if (type == NULL || !arb_type_of_numbers(type->id, type->precision, type->scale, type->nanoseconds, &out->type) ||
        (out->type.id == ARB_TYPE_NULL && !may_lack_type) || arb_type_is_nested(out->type))
        return damaged(error, "a column has no type that it could have");
    return read_text(from->name, &out->name, error);
}

static arb_code read_columns(arb_arena *arena, Arbalest__Table__Column *const *from, size_t count, bool may_lack_type,
                             const arb_csv_column_type **out, size_t *out_count, arb_error *error)
{
    arb_csv_column_type *columns = ARB_ARENA_ARRAY(arena, arb_csv_column_type, count + 1);
    *out = columns;
    *out_count = count;
    for (size_t i = 0; columns != NULL && i < count; i++)
        ARB_TRY(read_column(from[i], may_lack_type, &columns[i], error));
    return columns != NULL ? ARB_OK : no_memory(arena, error);
}

/* Names and types of all columns, in lists of their own. */
static arb_code read_all_columns(arb_arena *arena, const Arbalest__Table__Csv *from, arb_csv_options *csv,
                                 arb_error *error)
{
    const arb_csv_column_type *columns;
    ARB_TRY(read_columns(arena, from->columns, from->n_columns, false, &columns, &csv->column_count, error));
    arb_str *names = ARB_ARENA_ARRAY(arena, arb_str, csv->column_count + 1);
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, csv->column_count + 1);
    if (names == NULL || types == NULL)
        return no_memory(arena, error);
    for (size_t i = 0; i < csv->column_count; i++) {
        names[i] = columns[i].name;
        types[i] = columns[i].type;
    }
    csv->names = names;
    csv->types = types;
    return ARB_OK;
}

/* As options in SQL may say it: ASCII that ends no line, or 0. */
static arb_code read_byte(uint32_t from, char *out, arb_error *error)
{
    *out = (char)from;
    return from < 0x80 && from != '\n' && from != '\r' ? ARB_OK
                                                       : damaged(error, "a byte with a meaning cannot have it");
}

static arb_code read_csv(arb_arena *arena, const Arbalest__Table__Csv *from, arb_csv_options *csv, arb_error *error)
{
    if (from->header > ARB_CSV_NO || from->on_error > ARB_CSV_NULL_CELL)
        return damaged(error, "a choice is unknown");
    *csv = (arb_csv_options){.no_quotes = from->no_quotes,
                             .no_comments = from->no_comments,
                             .header = (arb_csv_choice)from->header,
                             .skip_lines = from->skip_lines,
                             .all_text = from->all_text,
                             .null_padding = from->null_padding,
                             .on_error = (arb_csv_on_error)from->on_error,
                             .quoted_nulls = from->quoted_nulls,
                             .may_lack_columns = from->may_lack_columns,
                             .sample_rows = from->sample_rows,
                             .sample_bytes = from->sample_bytes,
                             .range_bytes = from->range_bytes};
    ARB_TRY(read_byte(from->delimiter, &csv->delimiter, error));
    ARB_TRY(read_byte(from->quote, &csv->quote, error));
    ARB_TRY(read_byte(from->escape, &csv->escape, error));
    ARB_TRY(read_byte(from->comment, &csv->comment, error));
    ARB_TRY(read_text(from->date_format, &csv->date_format, error));
    ARB_TRY(read_text(from->timestamp_format, &csv->timestamp_format, error));
    ARB_TRY(read_texts(arena, from->null_texts, from->n_null_texts, &csv->null_texts, &csv->null_text_count, error));
    ARB_TRY(read_texts(arena, from->never_null, from->n_never_null, &csv->never_null, &csv->never_null_count, error));
    ARB_TRY(
        read_texts(arena, from->first_names, from->n_first_names, &csv->first_names, &csv->first_name_count, error));
    ARB_TRY(read_columns(arena, from->some_types, from->n_some_types, false, &csv->some_types, &csv->some_type_count,
                         error));
    return read_all_columns(arena, from, csv, error);
}

arb_code arb_file_options_read(arb_arena *arena, const Arbalest__Table__FileOptions *message,
                               arb_file_options *out_options, arb_error *error)
{
    *out_options = (arb_file_options){.union_by_name = message->union_by_name, .hive = (arb_hive_choice)message->hive};
    if (message->csv == NULL || message->hive > ARB_HIVE_NO)
        return damaged(error, "a choice is unknown");
    ARB_TRY(read_csv(arena, message->csv, &out_options->csv, error));
    ARB_TRY(read_columns(arena, message->hive_types, message->n_hive_types, true, &out_options->hive_types,
                         &out_options->hive_type_count, error));
    return read_text(message->file_name_column, &out_options->file_name_column, error);
}
