/* How the text is made and kept.
 *
 * A sentence is drawn as a form (N V T, N V P T, …), each of its parts as a form of its own (a noun phrase: N, J N,
 * "J, J N", D J N), and each letter of that as a word. Between words stands a space; the comma and the terminator cling
 * to the word before. It is simpler to say that a token brings its own space in front: " special,", " foxes", ".". A
 * preposition always brings its article (" about the"), so there are 242 different tokens, and a byte holds one. The
 * text shifts by the one space in front: the byte at offset o of the definition's text is the byte at place o + 1 here.
 *
 *     places      0 ········· 1228800 ········ 2457600 ··· ·······300 MiB
 *     segments   |     0     |       1        |     …      255  |
 *                      tokens: one byte each; from the last sentence that starts at or before the segment's first
 *                              place, to EXCERPT_BYTES_MAX beyond its last, so that an excerpt never needs a second one
 *                      index:  for each block of 256 places, the token that covers its first one
 *
 * Each segment starts from a checkpoint: the state of the random stream before that first sentence. The table of them
 * follows from the grammar, but only by drawing the 80 million numbers in order; it is kept so that they need not be.
 * Making a segment passes the next checkpoint, and fails if the table has it wrong.
 *
 * Making a phrase is free of branches that the processor could guess wrongly: all forms draw three words, from states
 * that are all reached by multiplication from the phrase's first one, and a form of two words just keeps two. */
#include "catalog/generators/tpch_text.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "catalog/generators/tpch_random.h"
#include "catalog/generators/tpch_words.h"

#define SEGMENT_COUNT 256
#define SEGMENT_BYTES (ARB_TPCH_TEXT_BYTES / SEGMENT_COUNT)
#define BLOCK_BYTES 256
#define BLOCK_COUNT (SEGMENT_BYTES / BLOCK_BYTES)
#define SENTENCE_BYTES_MAX 256
#define TOKEN_BYTES_MAX 24
#define PHRASE_WORDS_MAX 3
#define NO_TOKEN 255
#define INDEX_TOKEN_BITS 24

static const struct checkpoint {
    uint32_t state; /* of the stream before the sentence */
    uint16_t lead;  /* places from the sentence's start to the segment's */
} checkpoints[SEGMENT_COUNT] = {
#include "catalog/generators/tpch_text_checkpoints.inc"
};

/* Words to draw from: `tickets` tokens, each as often as its weight says. */
typedef struct lottery {
    const uint8_t *tokens;
    uint32_t tickets;
} lottery;

typedef struct form {
    lottery words[PHRASE_WORDS_MAX]; /* those behind `count` give NO_TOKEN */
    uint32_t count;
    uint32_t jump; /* multiplier to the power of `count` */
} form;

/* The forms of a phrase, drawn by weight. */
typedef struct phrase {
    form forms[4];
    uint8_t choice[96];
    uint32_t tickets;
} phrase;

typedef struct segment {
    uint32_t index[BLOCK_COUNT]; /* token's number, and above it how many of its bytes lie before the block */
    uint8_t tokens[];
} segment;

struct arb_tpch_text {
    _Atomic(segment *) segments[SEGMENT_COUNT]; /* NULL until first used; never changes afterwards */
    char token_bytes[256 + 1]
                    [TOKEN_BYTES_MAX]; /* one more: a copy may begin inside the last one and reads a full row */
    uint8_t token_sizes[256];
    uint32_t token_count;
    lottery nouns, verbs, adjectives, adjectives_with_comma, adverbs, prepositions, auxiliaries, terminators, nothing;
    phrase noun_phrase, verb_phrase;
    uint8_t tickets[2048]; /* the lotteries' */
    size_t ticket_count;
};

/* ---- the tables of words --------------------------------------------------------------------------------------- */

/* Add each word as the token `before`word`after`, and the lottery of them. */
static lottery add_lottery(arb_tpch_text *text, arb_tpch_weighted_words words, const char *before, const char *after)
{
    lottery result = {text->tickets + text->ticket_count, 0};
    for (uint32_t i = 0; i < words.size; i++) {
        uint32_t token = text->token_count++;
        assert(token < NO_TOKEN);
        const char *parts[] = {before, words.data[i].text, after};
        for (size_t p = 0; p < ARB_COUNT_OF(parts); p++) {
            size_t size = strlen(parts[p]);
            assert(text->token_sizes[token] + size <= TOKEN_BYTES_MAX);
            memcpy(text->token_bytes[token] + text->token_sizes[token], parts[p], size);
            text->token_sizes[token] += (uint8_t)size;
        }
        assert(text->ticket_count + words.data[i].weight <= sizeof text->tickets);
        memset(text->tickets + text->ticket_count, (int)token, words.data[i].weight);
        text->ticket_count += words.data[i].weight;
        result.tickets += words.data[i].weight;
    }
    return result;
}

static void add_form(const arb_tpch_text *text, phrase *to, unsigned number, uint32_t weight, lottery first,
                     lottery second, lottery third)
{
    form *made = &to->forms[number];
    *made = (form){.words = {first, second, third}};
    while (made->count < PHRASE_WORDS_MAX && made->words[made->count].tokens != text->nothing.tokens)
        made->count++;
    made->jump = arb_tpch_jump(made->count);
    assert(to->tickets + weight <= sizeof to->choice);
    memset(to->choice + to->tickets, (int)number, weight);
    to->tickets += weight;
}

static void add_words(arb_tpch_text *text)
{
    text->nouns = add_lottery(text, arb_tpch_nouns, " ", "");
    text->verbs = add_lottery(text, arb_tpch_verbs, " ", "");
    text->adjectives = add_lottery(text, arb_tpch_adjectives, " ", "");
    text->adjectives_with_comma = add_lottery(text, arb_tpch_adjectives, " ", ",");
    text->adverbs = add_lottery(text, arb_tpch_adverbs, " ", "");
    text->prepositions = add_lottery(text, arb_tpch_prepositions, " ", " the");
    text->auxiliaries = add_lottery(text, arb_tpch_auxiliaries, " ", "");
    text->terminators = add_lottery(text, arb_tpch_terminators, "", "");
    text->tickets[text->ticket_count] = NO_TOKEN;
    text->nothing = (lottery){text->tickets + text->ticket_count, 1};

    lottery none = text->nothing, noun = text->nouns, adjective = text->adjectives;
    phrase *nouns = &text->noun_phrase;
    add_form(text, nouns, 0, 10, noun, none, none);
    add_form(text, nouns, 1, 20, adjective, noun, none);
    add_form(text, nouns, 2, 10, text->adjectives_with_comma, adjective, noun);
    add_form(text, nouns, 3, 50, text->adverbs, adjective, noun);
    phrase *verbs = &text->verb_phrase;
    add_form(text, verbs, 0, 30, text->verbs, none, none);
    add_form(text, verbs, 1, 1, text->auxiliaries, text->verbs, none);
    add_form(text, verbs, 2, 40, text->verbs, text->adverbs, none);
    add_form(text, verbs, 3, 1, text->auxiliaries, text->verbs, text->adverbs);
}

/* ---- making a segment ------------------------------------------------------------------------------------------ */

/* Where the making of a segment stands. */
typedef struct writer {
    const arb_tpch_text *text;
    uint8_t *next;   /* where the next token goes; there is room for a sentence */
    uint32_t cursor; /* of the text's random stream */
    int32_t place;   /* of the next token, counted from the segment's start */
} writer;

ARB_INLINE uint8_t lottery_at(lottery from, uint32_t state)
{
    return from.tokens[arb_tpch_scale(state, from.tickets)];
}

ARB_INLINE void write_word(writer *w, lottery from)
{
    uint8_t token = lottery_at(from, arb_tpch_draw(&w->cursor));
    *w->next++ = token;
    w->place += w->text->token_sizes[token];
}

ARB_INLINE void write_phrase(writer *w, const phrase *of)
{
    const uint32_t jumps[PHRASE_WORDS_MAX] = {16807, 282475249, 1622650073}; /* the multiplier to the powers 1 to 3 */
    uint32_t start = arb_tpch_draw(&w->cursor);
    const form *chosen = &of->forms[of->choice[arb_tpch_scale(start, of->tickets)]];
    for (size_t i = 0; i < PHRASE_WORDS_MAX; i++) {
        w->next[i] = lottery_at(chosen->words[i], arb_tpch_multiply(start, jumps[i]));
        w->place += w->text->token_sizes[w->next[i]];
    }
    w->next += chosen->count;
    w->cursor = arb_tpch_multiply(start, chosen->jump);
}

static void write_sentence(writer *w)
{
    static const char *const forms[] = {"NVT",  "NVT",  "NVT",  "NVPT",  "NVPT", "NVPT",
                                        "NVNT", "NVNT", "NVNT", "NPVNT", "NPVPT"};
    const arb_tpch_text *text = w->text;
    for (const char *part = forms[arb_tpch_pick(&w->cursor, ARB_COUNT_OF(forms))]; *part != '\0'; part++) {
        switch (*part) {
        case 'P':
            write_word(w, text->prepositions);
            ARB_FALLTHROUGH;
        case 'N':
            write_phrase(w, &text->noun_phrase);
            break;
        case 'V':
            write_phrase(w, &text->verb_phrase);
            break;
        default:
            write_word(w, text->terminators);
        }
    }
}

/* Find the token over the first place of each block. */
static void index_blocks(const arb_tpch_text *text, segment *made, unsigned number)
{
    int32_t place = -(int32_t)checkpoints[number].lead;
    uint32_t token = 0;
    for (int32_t block = 0; block < BLOCK_COUNT; block++) {
        int32_t start = block * BLOCK_BYTES;
        while (place + text->token_sizes[made->tokens[token]] <= start)
            place += text->token_sizes[made->tokens[token++]];
        made->index[block] = token | (uint32_t)(start - place) << INDEX_TOKEN_BITS;
    }
}

static ARB_NOINLINE arb_code make_segment(const arb_tpch_text *text, unsigned number, segment **out, arb_error *error)
{
    /* Three tokens in a row have eight bytes or more (only a terminator is shorter than three), so this is enough. */
    const int32_t end = SEGMENT_BYTES + ARB_TPCH_EXCERPT_BYTES_MAX + 1;
    const size_t room = sizeof(segment) + (size_t)(end + 2 * SENTENCE_BYTES_MAX) / 2;
    segment *draft = arb_alloc(room);
    if (draft == NULL)
        return arb_fail_memory(error, "TPC-H text", room);
    writer w = {text, draft->tokens, checkpoints[number].state, -(int32_t)checkpoints[number].lead};
    struct checkpoint last = {0};
    while (w.place <= SEGMENT_BYTES) {
        last = (struct checkpoint){w.cursor, (uint16_t)(SEGMENT_BYTES - w.place)};
        write_sentence(&w);
    }
    while (w.place < end)
        write_sentence(&w);
    size_t size = sizeof(segment) + (size_t)(w.next - draft->tokens);
    assert(size <= room);
    if (number + 1 < SEGMENT_COUNT &&
        (last.state != checkpoints[number + 1].state || last.lead != checkpoints[number + 1].lead)) {
        arb_free(draft);
        return arb_fail(error, ARB_INTERNAL, "TPC-H text: checkpoint %u should be {%u, %u}", number + 1, last.state,
                        (unsigned)last.lead);
    }
    index_blocks(text, draft, number);
    segment *made = arb_alloc(size);
    if (made != NULL)
        memcpy(made, draft, size);
    arb_free(draft);
    *out = made;
    return made != NULL ? ARB_OK : arb_fail_memory(error, "TPC-H text", size);
}

/* Make a segment and publish it. When two threads do so at once, the first one's stays. */
static arb_code add_segment(arb_tpch_text *text, unsigned number, const segment **out, arb_error *error)
{
    segment *made, *present = NULL;
    ARB_TRY(make_segment(text, number, &made, error));
    if (!atomic_compare_exchange_strong_explicit(&text->segments[number], &present, made, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        arb_free(made);
        made = present;
    }
    *out = made;
    return ARB_OK;
}

arb_code arb_tpch_text_create(arb_tpch_text **out, arb_error *error)
{
    *out = arb_alloc_zeroed(sizeof **out);
    if (*out == NULL)
        return arb_fail_memory(error, "TPC-H text", sizeof **out);
    add_words(*out);
    return ARB_OK;
}

void arb_tpch_text_destroy(arb_tpch_text *text)
{
    if (text == NULL)
        return;
    for (unsigned i = 0; i < SEGMENT_COUNT; i++)
        arb_free(atomic_load_explicit(&text->segments[i], memory_order_relaxed));
    arb_free(text);
}

/* ---- cutting excerpts ------------------------------------------------------------------------------------------ */

/* Find the excerpt's first token, and in *skip how many of its bytes to leave out. */
ARB_INLINE const uint8_t *first_token(const arb_tpch_text *text, const segment *from, uint32_t place, uint32_t *skip)
{
    uint32_t entry = from->index[place / BLOCK_BYTES];
    const uint8_t *token = from->tokens + (entry & ((1u << INDEX_TOKEN_BITS) - 1));
    uint32_t bytes = (entry >> INDEX_TOKEN_BITS) + place % BLOCK_BYTES;
    while (bytes >= text->token_sizes[*token])
        bytes -= text->token_sizes[*token++];
    *skip = bytes;
    return token;
}

/* Writes whole tokens, so up to TOKEN_BYTES_MAX bytes behind the excerpt's end. */
ARB_INLINE void write_excerpt(const arb_tpch_text *text, const segment *from, uint32_t place, uint32_t size, char *to)
{
    uint32_t skip;
    const uint8_t *token = first_token(text, from, place, &skip);
    memcpy(to, text->token_bytes[*token] + skip, TOKEN_BYTES_MAX);
    for (uint32_t written = text->token_sizes[*token++] - skip; written < size;) {
        memcpy(to + written, text->token_bytes[*token], TOKEN_BYTES_MAX);
        written += text->token_sizes[*token++];
    }
}

/* Excerpts lie anywhere in 50 MB, so almost each is two cache misses in a row, index and tokens. Ask for both ahead. */
#define INDEX_AHEAD 24
#define TOKENS_AHEAD 12

ARB_INLINE const segment *segment_at(const arb_tpch_text *text, uint32_t place)
{
    return atomic_load_explicit(&text->segments[place / SEGMENT_BYTES], memory_order_acquire);
}

ARB_INLINE void prefetch(const arb_tpch_text *text, const arb_tpch_excerpt *excerpts, size_t count, size_t at)
{
    if (at + INDEX_AHEAD < count) {
        uint32_t place = excerpts[at + INDEX_AHEAD].offset + 1;
        const segment *from = segment_at(text, place);
        if (from != NULL)
            ARB_PREFETCH(&from->index[place % SEGMENT_BYTES / BLOCK_BYTES]);
    }
    if (at + TOKENS_AHEAD < count) {
        uint32_t place = excerpts[at + TOKENS_AHEAD].offset + 1;
        const segment *from = segment_at(text, place);
        if (from != NULL) {
            uint32_t entry = from->index[place % SEGMENT_BYTES / BLOCK_BYTES];
            ARB_PREFETCH(from->tokens + (entry & ((1u << INDEX_TOKEN_BITS) - 1)));
        }
    }
}

arb_code arb_tpch_text_cut(arb_tpch_text *text, const arb_tpch_excerpt *excerpts, size_t count, char *bytes,
                           int32_t *offsets, arb_error *error)
{
    for (size_t i = 0; i < count; i++) {
        prefetch(text, excerpts, count, i);
        uint32_t place = excerpts[i].offset + 1, size = excerpts[i].size;
        assert(size <= ARB_TPCH_EXCERPT_BYTES_MAX && place < ARB_TPCH_TEXT_BYTES &&
               place + size <= ARB_TPCH_TEXT_BYTES + 1);
        const segment *from = segment_at(text, place);
        if (ARB_UNLIKELY(from == NULL))
            ARB_TRY(add_segment(text, place / SEGMENT_BYTES, &from, error));
        write_excerpt(text, from, place % SEGMENT_BYTES, size, bytes);
        bytes += size;
        offsets[i + 1] = offsets[i] + (int32_t)size;
    }
    return ARB_OK;
}
