#include "catalog/hive_path.h"

#include "kernels/text_read.h"

/* A copy with %XX replaced; data is NULL when there is no memory. */
static arb_str decode(arb_arena *arena, arb_str text)
{
    char *to = arb_arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; to != NULL && i < text.size; i++) {
        int high = -1, low = -1;
        if (text.data[i] == '%' && text.size - i > 2) {
            high = arb_hex_digit(text.data[i + 1]);
            low = arb_hex_digit(text.data[i + 2]);
        }
        bool is_code = high >= 0 && low >= 0;
        to[size++] = is_code ? (char)(high * 16 + low) : text.data[i];
        i += is_code ? 2 : 0;
    }
    return (arb_str){to, size};
}

static arb_code add_part(arb_arena *arena, arb_str folder, arb_hive_parts *parts, arb_error *error)
{
    const char *equal = memchr(folder.data, '=', folder.size);
    if (equal == NULL || equal == folder.data)
        return ARB_OK;
    size_t size = (size_t)(equal - folder.data);
    arb_str text = {equal + 1, folder.size - size - 1};
    arb_hive_part part = {.key = decode(arena, (arb_str){folder.data, size}),
                          .text = decode(arena, text),
                          .is_null = arb_str_equal(text, ARB_STR("__HIVE_DEFAULT_PARTITION__"))};
    return part.key.data != NULL && part.text.data != NULL && ARB_ARENA_PUSH(arena, parts, part)
               ? ARB_OK
               : arb_fail_memory(error, "the names of folders", folder.size);
}

arb_code arb_hive_path_read(arb_arena *arena, arb_str path, size_t from, arb_hive_parts *out_parts, arb_error *error)
{
    *out_parts = (arb_hive_parts){0};
    for (size_t begin = from; begin < path.size;) {
        const char *slash = memchr(path.data + begin, '/', path.size - begin);
        if (slash == NULL)
            return ARB_OK;
        size_t size = (size_t)(slash - path.data) - begin;
        ARB_TRY(add_part(arena, (arb_str){path.data + begin, size}, out_parts, error));
        begin += size + 1;
    }
    return ARB_OK;
}

static arb_type_id guess(arb_str text)
{
    arb_int128 whole;
    int32_t days;
    int64_t time;
    arb_zone_text zone;
    if (arb_read_integer(text, INT64_MIN, INT64_MAX, &whole) == ARB_READ_OK)
        return ARB_TYPE_BIGINT;
    bool looks_like_date = text.size >= 10 && text.data[4] == '-' && text.data[7] == '-';
    if (looks_like_date && text.size == 10 && arb_read_date(text, &days) == ARB_READ_OK)
        return ARB_TYPE_DATE;
    if (looks_like_date && text.size > 10 && arb_read_timestamp(text, false, &time, &zone) == ARB_READ_OK &&
        !zone.given)
        return ARB_TYPE_TIMESTAMP;
    return ARB_TYPE_VARCHAR;
}

arb_type arb_hive_guess(arb_type type, const arb_hive_part *part)
{
    if (part->is_null)
        return type;
    arb_type_id id = guess(part->text);
    if (type.id == ARB_TYPE_NULL || type.id == id)
        return (arb_type){.id = (uint8_t)id};
    bool times = (type.id == ARB_TYPE_DATE || type.id == ARB_TYPE_TIMESTAMP) &&
                 (id == ARB_TYPE_DATE || id == ARB_TYPE_TIMESTAMP);
    return times ? ARB_TYPE(TIMESTAMP) : ARB_TYPE(VARCHAR);
}
