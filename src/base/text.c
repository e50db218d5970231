#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/hash.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool arb_str_equal_nocase(arb_str a, arb_str b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

int arb_str_compare(arb_str a, arb_str b)
{
    size_t shared = ARB_MIN(a.size, b.size);
    int order = shared != 0 ? memcmp(a.data, b.data, shared) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool arb_str_starts_with(arb_str text, arb_str prefix)
{
    return text.size >= prefix.size && arb_str_equal((arb_str){text.data, prefix.size}, prefix);
}

bool arb_str_ends_with(arb_str text, arb_str suffix)
{
    return text.size >= suffix.size &&
           arb_str_equal((arb_str){text.data + (text.size - suffix.size), suffix.size}, suffix);
}

arb_str arb_str_trimmed(arb_str text)
{
    while (text.size > 0 && text.data[0] == ' ')
        text.data++, text.size--;
    while (text.size > 0 && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

arb_str arb_str_copy(arb_arena *arena, arb_str text)
{
    char *copy = arb_arena_copy(arena, text.data, text.size);
    return (arb_str){copy, copy != NULL ? text.size : 0};
}

uint64_t arb_str_hash(arb_str text)
{
    return arb_hash_bytes(text.data, text.size);
}

uint64_t arb_str_hash_nocase(arb_str text)
{
    uint64_t hash = text.size;
    for (size_t i = 0; i < text.size; i++)
        hash = arb_hash_u64(hash ^ (unsigned char)lower(text.data[i]));
    return hash;
}

unsigned arb_str_distance(arb_str a, arb_str b, unsigned limit)
{
    enum { longest = 64 };
    if (a.size > longest || b.size > longest)
        return limit + 1;
    unsigned rows[3][longest + 1];
    for (size_t j = 0; j <= b.size; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.size; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.size; j++) {
            char x = lower(a.data[i - 1]), y = lower(b.data[j - 1]);
            unsigned least = above[j - 1] + (x != y);
            least = ARB_MIN(least, above[j] + 1);
            least = ARB_MIN(least, row[j - 1] + 1);
            if (i > 1 && j > 1 && x == lower(b.data[j - 2]) && lower(a.data[i - 2]) == y)
                least = ARB_MIN(least, before[j - 2] + 1);
            row[j] = least;
        }
    }
    unsigned distance = rows[a.size % 3][b.size];
    return ARB_MIN(distance, limit + 1);
}

char *arb_text_room(arb_text *text, size_t size)
{
    if (ARB_UNLIKELY(text->failed))
        return NULL;
    size_t wanted;
    if (__builtin_add_overflow(text->size, size + 1, &wanted)) {
        text->failed = true;
        return NULL;
    }
    if (ARB_UNLIKELY(wanted > text->capacity)) {
        size_t grown = ARB_MAX(ARB_MAX(wanted, text->capacity * 2), (size_t)64);
        char *moved = arb_realloc(text->data, grown);
        if (moved == NULL) {
            text->failed = true;
            return NULL;
        }
        text->data = moved;
        text->capacity = grown;
    }
    return text->data + text->size;
}

void arb_text_append(arb_text *text, const char *data, size_t size)
{
    char *room = arb_text_room(text, size);
    if (room == NULL)
        return;
    if (size != 0)
        memcpy(room, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void arb_text_append_str(arb_text *text, arb_str piece)
{
    arb_text_append(text, piece.data, piece.size);
}

void arb_text_append_char(arb_text *text, char c)
{
    arb_text_append(text, &c, 1);
}

void arb_text_append_repeated(arb_text *text, char c, size_t count)
{
    char *room = arb_text_room(text, count);
    if (room == NULL)
        return;
    memset(room, c, count);
    text->size += count;
    text->data[text->size] = '\0';
}

void arb_text_printf(arb_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int wanted = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *room = wanted >= 0 ? arb_text_room(text, (size_t)wanted) : NULL;
    if (room != NULL) {
        vsnprintf(room, (size_t)wanted + 1, format, again);
        text->size += (size_t)wanted;
    }
    va_end(again);
}

void arb_text_clear(arb_text *text)
{
    text->size = 0;
    text->failed = false;
    if (text->data != NULL)
        text->data[0] = '\0';
}

void arb_text_reset(arb_text *text)
{
    arb_free(text->data);
    *text = (arb_text){0};
}

arb_code arb_text_check(const arb_text *text, arb_error *error)
{
    return text->failed ? arb_fail_memory(error, "a text", text->capacity) : ARB_OK;
}
