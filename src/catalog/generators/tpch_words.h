/* tpch_words.h: the word lists of TPC-H.
 *
 * Two kinds. A plain list gives a column its values, each equally likely; such columns hold positions in the list. A
 * weighted list feeds the grammar of the comments: a word is as likely as its weight says. */
#ifndef ARB_CATALOG_TPCH_WORDS_H
#define ARB_CATALOG_TPCH_WORDS_H

#include "base/text.h"

typedef struct arb_tpch_words {
    const arb_str *data;
    uint32_t size;
} arb_tpch_words;

extern const arb_tpch_words arb_tpch_regions, arb_tpch_nations, arb_tpch_colors, arb_tpch_manufacturers,
    arb_tpch_brands, arb_tpch_part_types, arb_tpch_containers, arb_tpch_segments, arb_tpch_priorities,
    arb_tpch_order_states, arb_tpch_return_flags, arb_tpch_line_states, arb_tpch_instructions, arb_tpch_ship_modes;

/* The region of each nation, in the order of arb_tpch_nations. */
extern const uint8_t arb_tpch_nation_regions[25];

/* Positions that the generators need by name. A return flag of a line that was received is drawn from the first two. */
enum { ARB_TPCH_FULFILLED, ARB_TPCH_OPEN, ARB_TPCH_PENDING }; /* in order_states; the first two in line_states too */
enum { ARB_TPCH_RETURNED, ARB_TPCH_ACCEPTED, ARB_TPCH_NEITHER };

typedef struct arb_tpch_weighted_word {
    const char *text;
    uint8_t weight;
} arb_tpch_weighted_word;

typedef struct arb_tpch_weighted_words {
    const arb_tpch_weighted_word *data;
    uint32_t size;
} arb_tpch_weighted_words;

extern const arb_tpch_weighted_words arb_tpch_nouns, arb_tpch_verbs, arb_tpch_adjectives, arb_tpch_adverbs,
    arb_tpch_prepositions, arb_tpch_auxiliaries, arb_tpch_terminators;

#endif
