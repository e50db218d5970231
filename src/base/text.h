/* text.h: pieces of text, and texts that grow.
 *
 * arb_str is a borrowed piece of UTF-8 (or of raw bytes): a pointer and a size, no NUL promised. arb_text is an owned
 * text that grows; it always ends with NUL once something was appended, and keeps a failure to grow until it is asked
 * for, so that a printer can append freely and check once at the end. */
#ifndef ARB_BASE_TEXT_H
#define ARB_BASE_TEXT_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"

typedef struct arb_str {
    const char *data;
    size_t size;
} arb_str;

/* For printf: printf("%.*s", ARB_STR_ARGS(s)). */
#define ARB_STR_ARGS(s) (int)(s).size, (s).data
#define ARB_STR(literal) ((arb_str){"" literal, sizeof(literal) - 1})

ARB_INLINE arb_str arb_str_of(const char *nul_terminated)
{
    return (arb_str){nul_terminated, strlen(nul_terminated)};
}

ARB_INLINE bool arb_str_equal(arb_str a, arb_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* As identifiers are compared: ASCII letters without regard to case. */
bool arb_str_equal_nocase(arb_str a, arb_str b);
/* <0, 0, >0 by bytes; the shorter one first when one begins the other. */
int arb_str_compare(arb_str a, arb_str b);
bool arb_str_starts_with(arb_str text, arb_str prefix);
bool arb_str_ends_with(arb_str text, arb_str suffix);
/* Without spaces at both ends. */
arb_str arb_str_trimmed(arb_str text);
/* A copy in the arena that ends with NUL; data is NULL when there is no memory. */
ARB_NODISCARD arb_str arb_str_copy(arb_arena *arena, arb_str text);
/* A well-mixed 64-bit hash of the bytes; the second one without regard to ASCII case. */
uint64_t arb_str_hash(arb_str text);
uint64_t arb_str_hash_nocase(arb_str text);
/* What a hexadecimal digit stands for, or -1. */
ARB_INLINE int arb_hex_digit(char c)
{
    char low = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}
/* Damerau-Levenshtein distance without regard to case, or limit + 1 when it is larger than `limit`; for proposals. */
unsigned arb_str_distance(arb_str a, arb_str b, unsigned limit);

typedef struct arb_text {
    char *data; /* NULL while empty */
    size_t size, capacity;
    bool failed; /* an append found no memory; the text is incomplete */
} arb_text;

void arb_text_append(arb_text *text, const char *data, size_t size);
void arb_text_append_str(arb_text *text, arb_str piece);
void arb_text_append_char(arb_text *text, char c);
void arb_text_append_repeated(arb_text *text, char c, size_t count);
void arb_text_printf(arb_text *text, const char *format, ...) ARB_PRINTF(2, 3);
/* Make room for `size` more bytes and return where they go, or NULL; arb_text_added tells how many were written. */
ARB_NODISCARD char *arb_text_room(arb_text *text, size_t size);
ARB_INLINE void arb_text_added(arb_text *text, size_t size)
{
    assert(text->size + size <= text->capacity);
    text->size += size;
}
void arb_text_clear(arb_text *text); /* keeps the storage */
void arb_text_reset(arb_text *text); /* frees it */
ARB_INLINE arb_str arb_text_view(const arb_text *text)
{
    return (arb_str){text->data != NULL ? text->data : "", text->size};
}
/* ARB_OUT_OF_MEMORY when some append failed. */
ARB_NODISCARD arb_code arb_text_check(const arb_text *text, arb_error *error);

#endif
