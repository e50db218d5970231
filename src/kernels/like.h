/* like.h: LIKE patterns: % stands for any text, _ for any character, an escape character for the next one itself.
 *
 * A pattern is cut at its %: what stands before the first and behind the last one is compared at the text's ends, the
 * pieces between are looked for in order, each as far left as it goes. */
#ifndef ARB_KERNELS_LIKE_H
#define ARB_KERNELS_LIKE_H

#include "columnar/vector.h"

typedef struct arb_like_piece {
    const char *bytes; /* '_' where `wild` */
    const bool *wild;  /* per byte: stands for any character; NULL when there are none */
    size_t size;
} arb_like_piece;

typedef struct arb_like {
    bool ignore_case;
    bool exact;                 /* no %: the first piece is the whole text */
    arb_like_piece first, last; /* may be empty */
    arb_like_piece *middle;     /* without empty ones */
    size_t middle_count;
    arb_str only; /* the one middle piece without wildcards when there is nothing else, else empty */
} arb_like;

/* Everything lies in the arena. `escape` 0: none. A pattern that ends with the escape character matches that character
 * there. */
ARB_NODISCARD arb_code arb_like_compile(arb_arena *arena, arb_str pattern, uint32_t escape, bool ignore_case,
                                        arb_like *out_like, arb_error *error);
/* Texts of a pattern that ignores case must be folded first. */
bool arb_like_matches(const arb_like *like, arb_str text);
/* bits = rows of the selection (no bits behind `rows`) that match; FLAT values. */
void arb_like_match_rows(const arb_like *like, const arb_string *values, size_t rows, const uint64_t *selection,
                         uint64_t *bits);
/* The text in lower case, character by character, at `to`, which has room for 4 bytes for each of the text's (a letter
 * may become longer); returns the bytes written. */
size_t arb_text_lower(arb_str text, char *to);
size_t arb_text_upper(arb_str text, char *to);

#endif
