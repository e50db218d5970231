/* The values of one Parquet page, by encoding and by what they mean. However they are taken (all at once, in pieces, some
 * of each piece, some skipped), the same place has the same value.
 *
 * Input: the column's description, the encoding, how values are taken; then the page. */
#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/utf8.h"
#include "formats/parquet/page_values.h"
#include "fuzz_input.h"
#include "io/codec.h"

enum { VALUES_MOST = 700, PIECE_MOST = 100, DICTIONARY_SIZE = 9 };

typedef struct taken {
    arb_code code;
    size_t count; /* that came before the failure */
    ARB_ALIGNED(64) uint8_t values[(VALUES_MOST + 64) * 16];
} taken;

typedef struct page {
    arb_parquet_leaf leaf;
    int32_t encoding;
    uint8_t *bytes; /* padded */
    size_t size, wanted;
    arb_parquet_target target;
    size_t value_size;
} page;

static arb_code take_some(page *p, arb_parquet_values *values, size_t span, const uint16_t *indices, size_t count,
                          void *to, arb_error *error)
{
    const arb_parquet_kernels *kernels = arb_parquet_kernels_get();
    bool codes = values->kind == ARB_PARQUET_VALUES_CODES;
    if (indices == NULL)
        return codes ? arb_parquet_codes_read(values, kernels, span, DICTIONARY_SIZE, to, error)
                     : arb_parquet_values_read(values, kernels, span, &p->target, to, error);
    return codes ? arb_parquet_codes_pick(values, kernels, span, indices, count, DICTIONARY_SIZE, to, error)
                 : arb_parquet_values_pick(values, kernels, span, indices, count, &p->target, to, error);
}

static bool same_value(const page *p, bool codes, const uint8_t *a, size_t a_at, const uint8_t *b, size_t b_at)
{
    if (codes)
        return arb_load_u32(a + 4 * a_at) == arb_load_u32(b + 4 * b_at);
    if (p->target.physical == ARB_PHYS_BOOL)
        return arb_bitmap_get((const uint64_t *)a, a_at) == arb_bitmap_get((const uint64_t *)b, b_at);
    if (p->target.physical != ARB_PHYS_STRING)
        return memcmp(a + p->value_size * a_at, b + p->value_size * b_at, p->value_size) == 0;
    const arb_string *x = (const arb_string *)a + a_at, *y = (const arb_string *)b + b_at;
    return x->size == y->size && memcmp(arb_string_data(x), arb_string_data(y), x->size) == 0;
}

/* Prepare the page and take its values piece by piece, as the input says; each must be the one in `all`. */
static void take_pieces(page *p, fuzz_input *how, const taken *all)
{
    arb_parquet_values_memory memory = {0};
    arb_parquet_values values;
    arb_error error = {0};
    arb_code code = arb_parquet_values_prepare(&p->leaf, p->encoding, p->bytes, p->size, p->wanted,
                                               arb_parquet_kernels_get(), &memory, &values, &error);
    size_t at = 0;
    ARB_ALIGNED(64) uint8_t to[(PIECE_MOST + 64) * 16];
    while (code == ARB_OK && at < p->wanted) {
        uint8_t choice = fuzz_byte(how);
        size_t span = 1 + (size_t)fuzz_byte(how) % PIECE_MOST, count = 0;
        span = ARB_MIN(span, p->wanted - at);
        uint16_t indices[PIECE_MOST];
        bool codes = values.kind == ARB_PARQUET_VALUES_CODES;
        if (choice % 3 == 0) {
            code = arb_parquet_values_skip(&values, span, &error);
            at += span;
            continue;
        }
        for (size_t i = choice % 7; i < span; i += 1 + choice % 5)
            indices[count++] = (uint16_t)i;
        bool picks = choice % 3 == 1;
        code = take_some(p, &values, span, picks ? indices : NULL, count, to, &error);
        for (size_t i = 0; code == ARB_OK && i < (picks ? count : span); i++) {
            size_t place = at + (picks ? indices[i] : i);
            FUZZ_REQUIRE(all->code != ARB_OK || same_value(p, codes, to, i, all->values, place));
        }
        at += span;
    }
    FUZZ_REQUIRE(all->code != ARB_OK || code == ARB_OK);
    arb_parquet_values_memory_reset(&memory);
}

static void use_page(page *p, fuzz_input *how)
{
    static taken all;
    arb_parquet_values_memory memory = {0};
    arb_parquet_values values;
    arb_error error = {0};
    all.code = arb_parquet_values_prepare(&p->leaf, p->encoding, p->bytes, p->size, p->wanted,
                                          arb_parquet_kernels_get(), &memory, &values, &error);
    if (all.code == ARB_OK)
        all.code = take_some(p, &values, p->wanted, NULL, 0, all.values, &error);
    FUZZ_REQUIRE(all.code == ARB_OK || all.code == ARB_CORRUPT_DATA || all.code == ARB_NOT_SUPPORTED ||
                 all.code == ARB_OUT_OF_RANGE || all.code == ARB_DATETIME_OVERFLOW);
    bool codes = values.kind == ARB_PARQUET_VALUES_CODES;
    for (size_t i = 0; all.code == ARB_OK && i < p->wanted; i++) {
        const arb_string *text = (const arb_string *)all.values + i;
        if (codes)
            FUZZ_REQUIRE(arb_load_u32(all.values + 4 * i) < DICTIONARY_SIZE);
        else if (p->target.physical == ARB_PHYS_STRING && p->leaf.type.id == ARB_TYPE_VARCHAR)
            FUZZ_REQUIRE(arb_utf8_is_valid(arb_string_data(text), text->size));
    }
    take_pieces(p, how, &all);
    arb_parquet_values_memory_reset(&memory);
}

/* A schema of one column. */
static bool make_leaf(fuzz_input *in, arb_arena *arena, arb_parquet_leaf *out_leaf)
{
    arb_parquet_element elements[2] = {{.name = ARB_STR("root"), .child_count = 1, .converted = -1},
                                       {.name = ARB_STR("leaf"), .has_physical = true}};
    arb_parquet_element *e = &elements[1];
    e->physical = fuzz_byte(in) % ARB_PARQUET_PHYSICAL_COUNT;
    e->converted = (int8_t)fuzz_byte(in) % 24;
    e->logical = fuzz_byte(in) % 17;
    e->type_length = fuzz_byte(in);
    e->precision = e->logical_precision = fuzz_byte(in) % 40;
    e->scale = e->logical_scale = fuzz_byte(in) % 40;
    e->unit = 1 + fuzz_byte(in) % 3;
    e->bit_width = 8 << (fuzz_byte(in) % 4);
    e->is_signed = fuzz_byte(in) % 2;
    arb_parquet_metadata metadata = {.element_count = 2, .elements = elements};
    arb_parquet_schema schema;
    arb_error error = {0};
    if (arb_parquet_schema_build(&metadata, arena, &schema, &error) != ARB_OK || schema.leaf_count != 1)
        return false;
    *out_leaf = schema.leaves[0];
    return out_leaf->unsupported == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    arb_arena arena = {0};
    page p = {0};
    if (make_leaf(&in, &arena, &p.leaf)) {
        p.encoding = fuzz_byte(&in) % 11;
        p.wanted = 1 + (size_t)fuzz_number(&in, 2) % VALUES_MOST;
        arb_physical physical = arb_type_physical(p.leaf.type);
        uint8_t narrow = fuzz_byte(&in);
        bool check = narrow & 1;
        int64_t low = (int8_t)fuzz_byte(&in), span = fuzz_byte(&in);
        if (arb_physical_is_integer(physical) && check)
            physical = ARB_MIN(physical, (arb_physical)(ARB_PHYS_INT8 + (narrow >> 1) % 4));
        p.target = arb_parquet_target_make(physical, check, low, low + span);
        p.value_size = arb_physical_size(physical);
        arb_str ways = fuzz_take(&in, 16);
        fuzz_input how = fuzz_input_over((const uint8_t *)ways.data, ways.size);
        arb_str bytes = fuzz_take(&in, SIZE_MAX);
        p.size = bytes.size;
        p.bytes = arb_alloc(p.size + ARB_CODEC_PADDING);
        FUZZ_REQUIRE(p.bytes != NULL);
        memset(p.bytes + p.size, 0xEE, ARB_CODEC_PADDING);
        memcpy(p.bytes, bytes.data, p.size);
        use_page(&p, &how);
        arb_free(p.bytes);
    }
    arb_arena_reset(&arena);
    return 0;
}
