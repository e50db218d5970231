/* tpch_text.h: the text that every comment is cut from.
 *
 * TPC-H defines 300 MiB of pseudo-English, one sentence after the other from one random stream, and a comment is any
 * piece of it. Here that text is never in memory as such: it is kept as one byte a word (about 50 MB when all of it is
 * in use), in segments that are made from known states of the random stream when a comment first falls into them. So
 * there is nothing to wait for at the start, and the threads that generate rows make the text together.
 *
 * One arb_tpch_text is shared by all generators of a process or a statement; all functions but destroy may be called
 * from any number of threads at once. */
#ifndef ARB_CATALOG_TPCH_TEXT_H
#define ARB_CATALOG_TPCH_TEXT_H

#include "base/error.h"

#define ARB_TPCH_TEXT_BYTES (300 * 1024 * 1024)
/* The longest piece that can be cut. */
#define ARB_TPCH_EXCERPT_BYTES_MAX 200
/* Bytes behind the end of its output that arb_tpch_text_cut may write to. */
#define ARB_TPCH_TEXT_SLACK 32

typedef struct arb_tpch_text arb_tpch_text;

typedef struct arb_tpch_excerpt {
    uint32_t offset; /* before the last byte, and offset + size <= ARB_TPCH_TEXT_BYTES */
    uint32_t size;
} arb_tpch_excerpt;

/* ARB_OUT_OF_MEMORY, or the text in *out; destroy it when no generator uses it any more (NULL is a no-op). */
ARB_NODISCARD arb_code arb_tpch_text_create(arb_tpch_text **out, arb_error *error);
void arb_tpch_text_destroy(arb_tpch_text *text);

/* Write the excerpts one after the other from `bytes` on; offsets[i] is where the i-th begins and offsets[count] where
 * the last one ends, counted from offsets[0], which the caller sets. There must be room for all and the slack.
 * ARB_OUT_OF_MEMORY when a segment could not be made. */
ARB_NODISCARD arb_code arb_tpch_text_cut(arb_tpch_text *text, const arb_tpch_excerpt *excerpts, size_t count,
                                         char *bytes, int32_t *offsets, arb_error *error);

#endif
