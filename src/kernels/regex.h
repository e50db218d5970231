/* regex.h: regular expressions, PCRE2's, over valid UTF-8.
 *
 * Compiled to machine code where that is possible. Every match is bounded in steps and in memory, so that no pattern can
 * keep a thread busy for long: what exceeds the bounds is an error. Not thread-safe: one owner at a time. */
#ifndef ARB_KERNELS_REGEX_H
#define ARB_KERNELS_REGEX_H

#include "base/error.h"
#include "base/text.h"

typedef struct arb_regex arb_regex;

/* The defaults are PostgreSQL's: '.' matches a line's end too, '^' and '$' only the ends of the text. */
typedef struct arb_regex_options {
    bool ignore_case;
    bool dot_excludes_newline;
    bool multiline; /* '^' and '$' at each line */
    bool extended;  /* white space and comments in the pattern do not count */
    bool literal;   /* the pattern is a plain text */
    bool whole;     /* the whole text must match */
} arb_regex_options;

/* Free with arb_regex_destroy. ARB_INVALID_REGULAR_EXPRESSION says where the pattern is wrong. */
ARB_NODISCARD arb_code arb_regex_compile(arb_str pattern, arb_regex_options options, arb_regex **out_regex,
                                         arb_error *error);
void arb_regex_destroy(arb_regex *regex); /* NULL is a no-op */
/* How many groups the pattern has. */
uint32_t arb_regex_group_count(const arb_regex *regex);
/* The first match that starts at `from` bytes or behind; `from` must be a character's start or the end. */
ARB_NODISCARD arb_code arb_regex_match(arb_regex *regex, arb_str text, size_t from, bool *out_found, arb_error *error);
/* A group of the last match (0: the whole of it): its place in the text. False when it took no part. */
bool arb_regex_group(const arb_regex *regex, uint32_t group, size_t *out_begin, size_t *out_end);

/* A pattern of SIMILAR TO (`escape` 0: none) or of GLOB as a regular expression for a whole text. */
ARB_NODISCARD arb_code arb_regex_of_similar(arb_str pattern, uint32_t escape, arb_text *out, arb_error *error);
ARB_NODISCARD arb_code arb_regex_of_glob(arb_str pattern, arb_text *out, arb_error *error);

#endif
