#include "catalog/partition_columns.h"

#include "base/utf8.h"
#include "kernels/text_read.h"

static const char null_value[] = "__HIVE_DEFAULT_PARTITION__";

enum { keys_most = 32 };

typedef struct key_values {
    size_t count;
    arb_str keys[keys_most], values[keys_most]; /* as written */
} key_values;

static arb_code mismatch(arb_error *error, arb_str path, const char *what)
{
    return arb_fail(error, ARB_INVALID_TABLE_DEFINITION, "%.*s: %s", ARB_STR_ARGS(path), what);
}

/* The key=value folders between the root and the file. */
static arb_code take_apart(arb_str root, arb_str path, key_values *out, arb_error *error)
{
    out->count = 0;
    const char *at = path.data + root.size, *end = path.data + path.size;
    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        if (slash == NULL) /* the file itself */
            break;
        const char *equals = memchr(at, '=', (size_t)(slash - at));
        if (equals != NULL && equals != at) {
            if (out->count == keys_most)
                return mismatch(error, path, "too many folders that are columns");
            out->keys[out->count] = (arb_str){at, (size_t)(equals - at)};
            out->values[out->count++] = (arb_str){equals + 1, (size_t)(slash - equals) - 1};
        }
        at = slash + 1;
    }
    return ARB_OK;
}

static int hexadecimal(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* A copy with %XX as bytes; data NULL without memory. */
static arb_str unescape(arb_arena *arena, arb_str text)
{
    char *to = arb_arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; to != NULL && i < text.size; i++) {
        bool escaped = text.data[i] == '%' && i + 2 < text.size && hexadecimal(text.data[i + 1]) >= 0 &&
                       hexadecimal(text.data[i + 2]) >= 0;
        to[size++] =
            escaped ? (char)(hexadecimal(text.data[i + 1]) << 4 | hexadecimal(text.data[i + 2])) : text.data[i];
        i += escaped ? 2 : 0;
    }
    if (to != NULL)
        to[size] = '\0';
    return (arb_str){to, size};
}

static bool read_as(arb_type type, arb_str text, arb_value *out)
{
    int32_t days;
    *out = (arb_value){.type = type};
    switch (type.id) {
    case ARB_TYPE_BIGINT:
        return arb_read_integer(text, INT64_MIN, INT64_MAX, &out->integer) == ARB_READ_OK;
    case ARB_TYPE_DATE:
        if (text.size != 10 || arb_read_date(text, &days) != ARB_READ_OK)
            return false;
        out->integer = days;
        return true;
    default:
        out->text = text;
        return true;
    }
}

/* The first of the types that all values of a key can be read as. */
static void choose_type(arb_value *values, size_t count, size_t step, arb_type *out_type)
{
    const arb_type types[] = {ARB_TYPE(BIGINT), ARB_TYPE(DATE), ARB_TYPE(VARCHAR)};
    for (size_t t = 0; t < ARB_COUNT_OF(types); t++) {
        arb_value read;
        bool fits = true;
        for (size_t i = 0; fits && i < count; i++)
            fits = values[i * step].is_null || read_as(types[t], values[i * step].text, &read);
        if (!fits)
            continue;
        *out_type = types[t];
        break;
    }
    for (size_t i = 0; i < count; i++) {
        arb_value *value = &values[i * step];
        if (value->is_null)
            value->type = *out_type;
        else
            (void)read_as(*out_type, value->text, value);
    }
}

/* A file's values, as texts. */
static arb_code read_values(arb_arena *arena, arb_str path, const key_values *found, arb_value *out, arb_error *error)
{
    for (size_t k = 0; k < found->count; k++) {
        arb_str text = unescape(arena, found->values[k]);
        if (text.data == NULL)
            return arb_fail_memory(error, "the columns of folders", found->values[k].size);
        if (!arb_utf8_is_valid(text.data, text.size))
            return mismatch(error, path, "the name of a folder that is a column is not UTF-8");
        out[k] = (arb_value){.type = ARB_TYPE(VARCHAR), .text = text};
        out[k].is_null = arb_str_equal(text, arb_str_of(null_value));
    }
    return ARB_OK;
}

arb_code arb_partition_columns_of(arb_arena *arena, arb_str root, const arb_str *paths, size_t count,
                                  arb_partition_columns *out_columns, arb_error *error)
{
    key_values first, other;
    *out_columns = (arb_partition_columns){0};
    ARB_TRY(take_apart(root, paths[0], &first, error));
    arb_str *names = ARB_ARENA_ARRAY(arena, arb_str, first.count + 1);
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, first.count + 1);
    arb_value *values = ARB_ARENA_ARRAY(arena, arb_value, first.count * count + 1);
    if (names == NULL || types == NULL || values == NULL)
        return arb_fail_memory(error, "the columns of folders", first.count * count * sizeof *values);
    for (size_t k = 0; k < first.count; k++) {
        names[k] = unescape(arena, first.keys[k]);
        if (names[k].data == NULL)
            return arb_fail_memory(error, "the columns of folders", first.keys[k].size);
        for (size_t j = 0; j < k; j++)
            if (arb_str_equal_nocase(names[j], names[k]))
                return mismatch(error, paths[0], "two folders are the same column");
    }
    for (size_t i = 0; i < count; i++) {
        ARB_TRY(take_apart(root, paths[i], &other, error));
        bool same = other.count == first.count;
        for (size_t k = 0; same && k < first.count; k++)
            same = arb_str_equal(first.keys[k], other.keys[k]);
        if (!same) {
            (void)mismatch(error, paths[i], "its folders are other columns than those of the table's first file");
            arb_error_detail(error, "that is %.*s", ARB_STR_ARGS(paths[0]));
            return ARB_INVALID_TABLE_DEFINITION;
        }
        ARB_TRY(read_values(arena, paths[i], &other, values + i * first.count, error));
    }
    for (size_t k = 0; k < first.count; k++)
        choose_type(values + k, count, first.count, &types[k]);
    *out_columns = (arb_partition_columns){first.count, names, types, values};
    return ARB_OK;
}
