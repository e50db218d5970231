#include "kernels/like.h"

#include <utf8proc.h>

#include "kernels/text_find.h"
#include "kernels/utf8_step.h"

/* ---- case --------------------------------------------------------------------------------------------------------------- */

static size_t map_text(arb_str text, char *to, bool upper)
{
    const char *at = text.data, *end = text.data + text.size;
    char *out = to;
    char first = upper ? 'a' : 'A', last = upper ? 'z' : 'Z';
    while (at < end) {
        if ((unsigned char)*at < 0x80) {
            *out++ = *at >= first && *at <= last ? (char)(*at ^ 0x20) : *at;
            at++;
            continue;
        }
        utf8proc_int32_t point = (utf8proc_int32_t)arb_utf8_get(at, end);
        if (point == 0xDF) /* ß has no upper case of one letter in common use; the library gives U+1E9E */
            out += arb_utf8_put(out, 0xDF);
        else
            out += arb_utf8_put(out, (uint32_t)(upper ? utf8proc_toupper(point) : utf8proc_tolower(point)));
        at = arb_utf8_next(at, end);
    }
    return (size_t)(out - to);
}

size_t arb_text_lower(arb_str text, char *to)
{
    return map_text(text, to, false);
}

size_t arb_text_upper(arb_str text, char *to)
{
    return map_text(text, to, true);
}

/* ---- compiling ---------------------------------------------------------------------------------------------------------- */

/* The pattern without escapes: bytes, and for each whether it is a wildcard. */
typedef struct plain_pattern {
    char *bytes;
    bool *wild; /* '_' or '%' that is not escaped */
    size_t size;
} plain_pattern;

/* Escapes first: a letter that escapes does so in its own case only. */
static void strip_escapes(arb_str pattern, uint32_t escape, bool ignore_case, plain_pattern *out)
{
    const char *at = pattern.data, *end = pattern.data + pattern.size;
    while (at < end) {
        bool escaped = escape != 0 && arb_utf8_get(at, end) == escape && arb_utf8_next(at, end) < end;
        if (escaped)
            at = arb_utf8_next(at, end);
        arb_str character = {at, (size_t)(arb_utf8_next(at, end) - at)};
        char *to = out->bytes + out->size;
        out->wild[out->size] = !escaped && (*at == '_' || *at == '%');
        at += character.size;
        if (ignore_case)
            character.size = arb_text_lower(character, to);
        else
            memcpy(to, character.data, character.size);
        out->size += character.size;
    }
}

static arb_like_piece piece_of(const plain_pattern *plain, size_t from, size_t to)
{
    arb_like_piece piece = {.bytes = plain->bytes + from, .size = to - from};
    for (size_t i = from; i < to; i++)
        if (plain->wild[i])
            piece.wild = plain->wild + from;
    return piece;
}

arb_code arb_like_compile(arb_arena *arena, arb_str pattern, uint32_t escape, bool ignore_case, arb_like *out_like,
                          arb_error *error)
{
    *out_like = (arb_like){.ignore_case = ignore_case};
    size_t room = (ignore_case ? 4 * pattern.size : pattern.size) + 1;
    plain_pattern plain = {.bytes = arb_arena_alloc(arena, room), .wild = ARB_ARENA_ARRAY(arena, bool, room)};
    out_like->middle = ARB_ARENA_ARRAY(arena, arb_like_piece, pattern.size + 1);
    if (plain.bytes == NULL || plain.wild == NULL || out_like->middle == NULL)
        return arb_fail_memory(error, "a pattern", pattern.size);
    strip_escapes(pattern, escape, ignore_case, &plain);
    size_t from = 0;
    bool some = false;
    for (size_t at = 0; at < plain.size; at++) {
        if (!plain.wild[at] || plain.bytes[at] != '%')
            continue;
        if (!some)
            out_like->first = piece_of(&plain, 0, at);
        else if (at != from)
            out_like->middle[out_like->middle_count++] = piece_of(&plain, from, at);
        some = true;
        from = at + 1;
    }
    out_like->exact = !some;
    *(some ? &out_like->last : &out_like->first) = piece_of(&plain, from, plain.size);
    if (some && out_like->first.size == 0 && out_like->last.size == 0 && out_like->middle_count == 1 &&
        out_like->middle[0].wild == NULL)
        out_like->only = (arb_str){out_like->middle[0].bytes, out_like->middle[0].size};
    return ARB_OK;
}

/* ---- matching ----------------------------------------------------------------------------------------------------------- */

/* Where the piece ends when it starts at `at`, or NULL. */
static const char *match_here(const arb_like_piece *piece, const char *at, const char *end)
{
    if (piece->wild == NULL) {
        bool same =
            (size_t)(end - at) >= piece->size && (piece->size == 0 || memcmp(at, piece->bytes, piece->size) == 0);
        return same ? at + piece->size : NULL;
    }
    for (size_t i = 0; i < piece->size; i++) {
        if (at == end)
            return NULL;
        if (piece->wild[i])
            at = arb_utf8_next(at, end);
        else if (*at++ != piece->bytes[i])
            return NULL;
    }
    return at;
}

static const char *match_somewhere(const arb_like_piece *piece, const char *at, const char *end)
{
    if (piece->wild == NULL) {
        const char *found = arb_find_kernels_get()->find(at, (size_t)(end - at), piece->bytes, piece->size);
        return found != NULL ? found + piece->size : NULL;
    }
    for (; at < end; at = arb_utf8_next(at, end)) {
        const char *behind = match_here(piece, at, end);
        if (behind != NULL)
            return behind;
    }
    return NULL;
}

/* Whether the piece is the end of the text, not reaching back over `from`. */
static bool match_end(const arb_like_piece *piece, const char *from, const char *end)
{
    if (piece->wild == NULL)
        return (size_t)(end - from) >= piece->size &&
               (piece->size == 0 || memcmp(end - piece->size, piece->bytes, piece->size) == 0);
    /* as many characters from the end as the piece has */
    const char *at = end;
    for (size_t i = 0; i < piece->size; i++) {
        if (!piece->wild[i] && arb_utf8_continues(piece->bytes[i]))
            continue;
        if (at == from)
            return false;
        at = arb_utf8_back(from, at, 1);
    }
    return match_here(piece, at, end) == end;
}

bool arb_like_matches(const arb_like *like, arb_str text)
{
    const char *end = text.data + text.size;
    const char *at = match_here(&like->first, text.data, end);
    if (like->exact || at == NULL)
        return at == end;
    for (size_t i = 0; i < like->middle_count; i++)
        if ((at = match_somewhere(&like->middle[i], at, end)) == NULL)
            return false;
    return match_end(&like->last, at, end);
}

void arb_like_match_rows(const arb_like *like, const arb_string *values, size_t rows, const uint64_t *selection,
                         uint64_t *bits)
{
    if (like->only.size != 0) {
        arb_find_kernels_get()->contains(values, rows, selection, like->only.data, like->only.size, bits);
        return;
    }
    for (size_t word = 0; word < arb_bitmap_words(rows); word++) {
        uint64_t found = 0;
        for (uint64_t left = selection[word]; left != 0; left &= left - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(left);
            bool matches = arb_like_matches(like, arb_string_view(&values[word * 64 + bit]));
            found |= (uint64_t)matches << bit;
        }
        bits[word] = found;
    }
}
