#include "catalog/file_options.h"

static bool copy_text(arb_arena *arena, arb_str *text)
{
    if (text->size == 0)
        return true;
    *text = arb_str_copy(arena, *text);
    return text->data != NULL;
}

static bool copy_texts(arb_arena *arena, const arb_str **texts, size_t count)
{
    arb_str *copy = ARB_ARENA_ARRAY(arena, arb_str, count + 1);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = (*texts)[i];
        if (!copy_text(arena, &copy[i]))
            return false;
    }
    *texts = copy;
    return copy != NULL;
}

static bool copy_type(arb_arena *arena, arb_type *type)
{
    arb_type copy = arb_type_copy(arena, *type);
    bool fine = copy.id == type->id;
    *type = copy;
    return fine;
}

static bool copy_types(arb_arena *arena, const arb_csv_column_type **types, size_t count)
{
    arb_csv_column_type *copy = ARB_ARENA_ARRAY(arena, arb_csv_column_type, count + 1);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = (*types)[i];
        if (!copy_text(arena, &copy[i].name) || !copy_type(arena, &copy[i].type))
            return false;
    }
    *types = copy;
    return copy != NULL;
}

static bool copy_columns(arb_arena *arena, arb_csv_options *csv)
{
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, csv->column_count + 1);
    if (types == NULL || !copy_texts(arena, &csv->names, csv->column_count))
        return false;
    for (size_t i = 0; i < csv->column_count; i++) {
        types[i] = csv->types[i];
        if (!copy_type(arena, &types[i]))
            return false;
    }
    csv->types = types;
    return true;
}

bool arb_file_options_copy(arb_arena *arena, const arb_file_options *from, arb_file_options *to)
{
    *to = *from;
    arb_csv_options *csv = &to->csv;
    return copy_texts(arena, &csv->null_texts, csv->null_text_count) &&
           copy_texts(arena, &csv->never_null, csv->never_null_count) && copy_text(arena, &csv->date_format) &&
           copy_text(arena, &csv->timestamp_format) && copy_columns(arena, csv) &&
           copy_texts(arena, &csv->first_names, csv->first_name_count) &&
           copy_types(arena, &csv->some_types, csv->some_type_count) &&
           copy_types(arena, &to->hive_types, to->hive_type_count) && copy_text(arena, &to->file_name_column);
}
