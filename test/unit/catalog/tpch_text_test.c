/* The text of TPC-H's comments: its first sentences, and that it has no seams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/generators/tpch_text.h"

#define SEGMENT_BYTES (ARB_TPCH_TEXT_BYTES / 256)

static arb_tpch_text *make(void)
{
    arb_tpch_text *text;
    assert_int_equal(arb_tpch_text_create(&text, NULL), ARB_OK);
    return text;
}

static void cut(arb_tpch_text *text, uint32_t offset, uint32_t size, char *to)
{
    int32_t offsets[2] = {0};
    assert_int_equal(arb_tpch_text_cut(text, &(arb_tpch_excerpt){offset, size}, 1, to, offsets, NULL), ARB_OK);
    assert_int_equal(offsets[1], size);
}

static void begins_with_the_first_sentences(void **state)
{
    (void)state;
    arb_tpch_text *text = make();
    static const char first[] = "furiously special foxes haggle furiously blithely ironic deposits. slyly final "
                                "theodolites boost slyly even asymptotes. carefully final foxes wake furiously ";
    char bytes[ARB_TPCH_EXCERPT_BYTES_MAX + ARB_TPCH_TEXT_SLACK];
    cut(text, 0, sizeof first - 1, bytes);
    assert_memory_equal(bytes, first, sizeof first - 1);
    arb_tpch_text_destroy(text);
}

/* Each segment is made from a state in a table. Pieces around the seams, a byte apart, have to agree: a wrong state
 * would not, and making the segment before says so itself. */
static void segments_join(void **state)
{
    (void)state;
    arb_tpch_text *text = make();
    char before[ARB_TPCH_EXCERPT_BYTES_MAX + ARB_TPCH_TEXT_SLACK], behind[sizeof before];
    for (uint32_t seam = SEGMENT_BYTES; seam < ARB_TPCH_TEXT_BYTES; seam += SEGMENT_BYTES) {
        cut(text, seam - 3, 200, before);
        for (uint32_t shift = 1; shift < 20; shift++) {
            cut(text, seam - 3 + shift, 200 - shift, behind);
            assert_memory_equal(before + shift, behind, 200 - shift);
        }
    }
    cut(text, ARB_TPCH_TEXT_BYTES - 200, 200, before);
    cut(text, ARB_TPCH_TEXT_BYTES - 2, 2, behind);
    assert_memory_equal(before + 198, behind, 2);
    arb_tpch_text_destroy(text);
}

/* Words on the edges of index blocks: every place of some stretch, one byte each, spells what one piece says. */
static void every_place_can_begin_a_piece(void **state)
{
    (void)state;
    arb_tpch_text *text = make();
    char whole[ARB_TPCH_EXCERPT_BYTES_MAX + ARB_TPCH_TEXT_SLACK], bytes[1 + ARB_TPCH_TEXT_SLACK];
    for (uint32_t start = 0; start < 4000; start += 200) {
        cut(text, start, 200, whole);
        for (uint32_t i = 0; i < 200; i++) {
            cut(text, start + i, 1, bytes);
            assert_int_equal(bytes[0], whole[i]);
        }
    }
    arb_tpch_text_destroy(text);
}

static void pieces_follow_each_other(void **state)
{
    (void)state;
    arb_tpch_text *text = make();
    const arb_tpch_excerpt excerpts[] = {{100, 10}, {0, 1}, {5000000, 0}, {7, 43}};
    char bytes[64 + ARB_TPCH_TEXT_SLACK], piece[64 + ARB_TPCH_TEXT_SLACK];
    int32_t offsets[5] = {0};
    assert_int_equal(arb_tpch_text_cut(text, excerpts, 4, bytes, offsets, NULL), ARB_OK);
    const int32_t expected[] = {0, 10, 11, 11, 54};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(offsets[i + 1], expected[i + 1]);
        cut(text, excerpts[i].offset, excerpts[i].size, piece);
        assert_memory_equal(bytes + offsets[i], piece, excerpts[i].size);
    }
    arb_tpch_text_destroy(text);
    arb_tpch_text_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_the_first_sentences),
        cmocka_unit_test(segments_join),
        cmocka_unit_test(every_place_can_begin_a_piece),
        cmocka_unit_test(pieces_follow_each_other),
    };
    return cmocka_run_group_tests_name("tpch_text", tests, NULL, NULL);
}
