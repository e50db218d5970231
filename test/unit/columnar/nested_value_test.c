/* Packed lists, structs and maps: random values of random types come back as they were, at every depth and with NULLs at
 * every level, and their bytes compare as the values do, element by element. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "columnar/nested_value.h"
#include "columnar/value.h"

typedef struct dice {
    uint64_t state;
} dice;

static uint32_t roll(dice *d, uint32_t sides)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(d->state >> 33) % sides;
}

static arb_type random_type(dice *d, arb_arena *arena, int depth)
{
    static const arb_str names[] = {{"a", 1}, {"b", 1}, {"c", 1}};
    static const uint8_t leaves[] = {ARB_TYPE_NULL,    ARB_TYPE_BOOLEAN, ARB_TYPE_TINYINT, ARB_TYPE_SMALLINT,
                                     ARB_TYPE_INTEGER, ARB_TYPE_BIGINT,  ARB_TYPE_REAL,    ARB_TYPE_DOUBLE,
                                     ARB_TYPE_VARCHAR, ARB_TYPE_BLOB,    ARB_TYPE_DATE,    ARB_TYPE_TIMESTAMP,
                                     ARB_TYPE_INTERVAL};
    uint32_t kind = depth <= 0 ? 3 : roll(d, depth >= 4 ? 3 : 5);
    if (kind == 0)
        return arb_type_list(arena, random_type(d, arena, depth - 1));
    if (kind == 1)
        return arb_type_map(arena, random_type(d, arena, depth - 1), random_type(d, arena, depth - 1));
    if (kind == 2) {
        arb_type fields[3];
        size_t count = 1 + roll(d, 3);
        for (size_t i = 0; i < count; i++)
            fields[i] = random_type(d, arena, depth - 1);
        return arb_type_struct(arena, names, fields, count);
    }
    uint32_t leaf = roll(d, ARB_COUNT_OF(leaves) + 3);
    if (leaf >= ARB_COUNT_OF(leaves)) {
        static const uint8_t digits[] = {9, 18, 38};
        return arb_type_decimal(digits[leaf - ARB_COUNT_OF(leaves)], 2);
    }
    return (arb_type){.id = leaves[leaf]};
}

/* Few different values, so that many are equal; with extremes, -0 and NaN. */
static void random_leaf(dice *d, arb_arena *arena, arb_vector *out, size_t row, arb_type type)
{
    static const double reals[] = {0, -0.0, 1.5, -1.5, -INFINITY, INFINITY, NAN, 1e30};
    static const char *const texts[] = {
        "", "a", "b", "\x01", "ab\x01\x02", "a long text of more than twelve bytes", "a long text of more", "\xff"};
    static const arb_int128 wholes[] = {0, 1, -1, 100, -100, 7};
    uint32_t pick = roll(d, 8);
    switch (out->physical) {
    case ARB_PHYS_BOOL:
        arb_bitmap_put(out->values.bits, row, pick & 1);
        return;
    case ARB_PHYS_FLOAT32:
        out->values.f32[row] = (float)reals[pick];
        return;
    case ARB_PHYS_FLOAT64:
        out->values.f64[row] = reals[pick];
        return;
    case ARB_PHYS_STRING: {
        bool zero = pick == 5 && type.id == ARB_TYPE_BLOB;
        arb_str text = zero ? ARB_STR("x\0y\x01 and eleven bytes") : arb_str_of(texts[pick]);
        text = arb_str_copy(arena, text);
        out->values.string[row] = arb_string_of(text.data, text.size);
        return;
    }
    case ARB_PHYS_INTERVAL:
        out->values.interval[row] = (arb_interval){(int32_t)pick - 3, (int32_t)roll(d, 3) - 1, pick * 1000};
        return;
    default:
        break;
    }
    size_t size = arb_physical_size((arb_physical)out->physical);
    arb_int128 highest = (arb_int128)(~(arb_uint128)0 >> (129 - size * 8));
    arb_int128 value = pick < 6 ? wholes[pick] : pick == 6 ? highest : -highest - 1;
    memcpy((char *)out->values.data + row * size, &value, size);
}

static void *room(arb_arena *arena, size_t bytes)
{
    void *memory = arb_arena_alloc_zeroed(arena, bytes + ARB_VECTOR_PADDING);
    assert_non_null(memory);
    return memory;
}

static void random_vector(dice *d, arb_arena *arena, arb_type type, bool entry, size_t rows, arb_vector *out)
{
    bool list = !entry && (type.id == ARB_TYPE_LIST || type.id == ARB_TYPE_MAP);
    bool fields = entry || type.id == ARB_TYPE_STRUCT;
    *out = (arb_vector){.physical = (uint8_t)(entry ? ARB_PHYS_STRUCT : arb_type_physical(type)), .encoding = ARB_FLAT};
    if (!entry && roll(d, 3) != 0) {
        out->validity = room(arena, (arb_bitmap_words(rows) + 1) * 8);
        for (size_t row = 0; row < rows; row++)
            arb_bitmap_put(out->validity, row, roll(d, 4) != 0);
    }
    if (type.id == ARB_TYPE_NULL && out->validity == NULL)
        out->validity = room(arena, (arb_bitmap_words(rows) + 1) * 8);
    if (fields) {
        out->child_rows = (uint32_t)type.children->count;
        out->children = room(arena, type.children->count * sizeof(arb_vector));
        for (size_t i = 0; i < type.children->count; i++)
            random_vector(d, arena, type.children->types[i], false, rows, &out->children[i]);
        return;
    }
    size_t size = ARB_MAX(arb_physical_size((arb_physical)out->physical), (size_t)1);
    out->values.data = room(arena, rows * size + 8);
    if (!list) {
        for (size_t row = 0; row < rows; row++)
            random_leaf(d, arena, out, row, type);
        return;
    }
    uint32_t elements = 3; /* a few that belong to no list */
    for (size_t row = 0; row < rows; row++) {
        out->values.list[row] = (arb_list){elements, roll(d, 3)};
        elements += out->values.list[row].size;
    }
    out->child_rows = elements;
    out->children = room(arena, sizeof(arb_vector));
    bool map = type.id == ARB_TYPE_MAP;
    random_vector(d, arena, map ? type : type.children->types[0], map, elements, out->children);
}

/* Element by element; NULL is the largest. */
static int compare(const arb_value *a, const arb_value *b)
{
    if (a->is_null || b->is_null)
        return (int)a->is_null - (int)b->is_null;
    if (!arb_type_is_nested(a->type)) {
        int order = arb_value_compare(a, b);
        if (order == 0 && a->type.id == ARB_TYPE_INTERVAL && a->interval.months != b->interval.months)
            return a->interval.months < b->interval.months ? -1 : 1;
        if (order == 0 && a->type.id == ARB_TYPE_INTERVAL)
            return (a->interval.days > b->interval.days) - (a->interval.days < b->interval.days);
        return order;
    }
    for (size_t i = 0; i < a->nested.count && i < b->nested.count; i++) {
        int order = compare(&a->nested.items[i], &b->nested.items[i]);
        if (order != 0)
            return order;
    }
    return (a->nested.count > b->nested.count) - (a->nested.count < b->nested.count);
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

enum { some_rows = 100 };

static void round_trip(uint64_t seed)
{
    dice d = {seed};
    arb_arena arena = {0};
    arb_type type = random_type(&d, &arena, 4);
    arb_vector vector, back = {.physical = (uint8_t)arb_type_physical(type), .encoding = ARB_FLAT};
    random_vector(&d, &arena, type, false, some_rows, &vector);
    uint64_t selection[2] = {0}, valid[2] = {0};
    for (size_t row = 0; row < some_rows; row++) {
        arb_bitmap_put(selection, row, roll(&d, 10) != 0);
        arb_bitmap_put(valid, row, arb_bitmap_get(selection, row) && arb_vector_is_valid(&vector, row));
    }
    arb_string *packed = room(&arena, some_rows * sizeof *packed);
    back.values.data = room(&arena, some_rows * sizeof(arb_list));
    arb_error error = {0};
    assert_int_equal(arb_nested_pack(&vector, type, some_rows, selection, &arena, packed, &error), ARB_OK);
    arb_vector texts = {.physical = ARB_PHYS_STRING, .encoding = ARB_FLAT, .values = {packed}};
    assert_int_equal(arb_nested_unpack(&texts, type, some_rows, valid, &arena, &back, &error), ARB_OK);
    arb_value *values = room(&arena, some_rows * sizeof *values);
    for (size_t row = 0; row < some_rows; row++) {
        arb_value again;
        assert_int_equal(arb_vector_get_value(&vector, type, row, &arena, &values[row], &error), ARB_OK);
        if (!arb_bitmap_get(valid, row))
            continue;
        assert_int_equal(arb_vector_get_value(&back, type, row, &arena, &again, &error), ARB_OK);
        assert_true(arb_value_equal(&values[row], &again) && compare(&values[row], &again) == 0);
    }
    for (size_t i = 0; i < some_rows; i++)
        for (size_t j = 0; j < some_rows; j++) {
            if (!arb_bitmap_get(valid, i) || !arb_bitmap_get(valid, j))
                continue;
            int order = sign(compare(&values[i], &values[j]));
            assert_int_equal(sign(arb_string_compare(&packed[i], &packed[j])), order);
            assert_int_equal(arb_string_equal(&packed[i], &packed[j]), order == 0);
        }
    arb_arena_reset(&arena);
}

static void values_come_back_and_keep_their_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 1500; seed++)
        round_trip(seed);
}

/* Vectors of other encodings, and children narrower than their type. */
static void encodings_and_widths(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_error error = {0};
    arb_type type = arb_type_list(&arena, arb_type_decimal(30, 2));
    int32_t narrow[] = {5, -7, 9};
    arb_list lists[] = {{0, 2}, {2, 1}};
    arb_vector child = {.physical = ARB_PHYS_INT32, .encoding = ARB_FLAT, .values = {narrow}};
    arb_vector entries = {
        .physical = ARB_PHYS_LIST, .encoding = ARB_FLAT, .values = {lists}, .children = &child, .child_rows = 3};
    uint32_t codes[] = {1, 0, 1};
    uint64_t all[1] = {7}, few[1] = {4};
    arb_vector coded = {.physical = ARB_PHYS_LIST,
                        .encoding = ARB_DICTIONARY,
                        .values = {codes},
                        .dictionary = &entries,
                        .dictionary_size = 2,
                        .dictionary_id = 1};
    arb_vector constant = entries;
    constant.encoding = ARB_CONSTANT;
    arb_string packed[3], same[3];
    assert_int_equal(arb_nested_pack(&coded, type, 3, all, &arena, packed, &error), ARB_OK);
    assert_int_equal(arb_nested_pack(&constant, type, 3, all, &arena, same, &error), ARB_OK);
    assert_true(arb_string_equal(&packed[0], &packed[2]) && arb_string_equal(&same[0], &same[2]));
    assert_true(arb_string_equal(&packed[1], &same[1]) && !arb_string_equal(&packed[0], &same[0]));
    arb_list out_lists[3];
    arb_vector back = {.physical = ARB_PHYS_LIST, .encoding = ARB_FLAT, .values = {out_lists}};
    arb_vector texts = {.physical = ARB_PHYS_STRING, .encoding = ARB_CONSTANT, .values = {packed + 1}};
    assert_int_equal(arb_nested_unpack(&texts, type, 3, few, &arena, &back, &error), ARB_OK);
    assert_int_equal(out_lists[0].size + out_lists[1].size, 0);
    assert_int_equal(out_lists[2].size, 2);
    assert_int_equal(back.children[0].physical, ARB_PHYS_INT128);
    assert_true(back.children[0].values.i128[out_lists[2].offset + 1] == -7);
    arb_arena_reset(&arena);
}

/* Memory that is spent is an error, and the bytes taken until then are the arena's. */
static void memory_can_be_spent(void **state)
{
    (void)state;
    arb_arena made = {0};
    dice d = {77};
    arb_type item = arb_type_struct(&made, (arb_str[]){{"a", 1}, {"b", 1}},
                                    (arb_type[]){ARB_TYPE(BLOB), arb_type_list(&made, ARB_TYPE(VARCHAR))}, 2);
    arb_type type = arb_type_map(&made, ARB_TYPE(BIGINT), item);
    arb_vector vector;
    random_vector(&d, &made, type, false, some_rows, &vector);
    vector.validity = NULL;
    uint64_t all[2];
    arb_bitmap_fill(all, some_rows);
    arb_string packed[some_rows];
    arb_list lists[some_rows];
    arb_vector texts = {.physical = ARB_PHYS_STRING, .encoding = ARB_FLAT, .values = {packed}};
    size_t failures = 0;
    for (size_t limit = 1; limit < 1 << 17; limit += 997) {
        arb_arena scratch = {.limit = limit};
        arb_vector back = {.physical = ARB_PHYS_LIST, .encoding = ARB_FLAT, .values = {lists}};
        arb_error error = {0};
        arb_code code = arb_nested_pack(&vector, type, some_rows, all, &scratch, packed, &error);
        if (code == ARB_OK)
            code = arb_nested_unpack(&texts, type, some_rows, all, &scratch, &back, &error);
        assert_true(code == ARB_OK || (code == ARB_OUT_OF_MEMORY && error.code == code));
        failures += code != ARB_OK;
        arb_arena_reset(&scratch);
    }
    assert_true(failures > 3);
    arb_arena_reset(&made);
}

/* Unpack `size` bytes that lie at the very end of what was allocated, so that the sanitizer sees who reads beyond. */
static arb_code unpack_copy(arb_type type, const char *bytes, size_t size, arb_arena *arena)
{
    char *tight = malloc(ARB_MAX(size, (size_t)1));
    assert_non_null(tight);
    memcpy(tight, bytes, size);
    arb_string one = arb_string_of(tight, size);
    arb_list list;
    uint64_t all[1] = {1};
    arb_vector texts = {.physical = ARB_PHYS_STRING, .encoding = ARB_FLAT, .values = {&one}};
    arb_vector back = {.physical = (uint8_t)arb_type_physical(type), .encoding = ARB_FLAT, .values = {&list}};
    arb_error error = {0};
    arb_code code = arb_nested_unpack(&texts, type, 1, all, arena, &back, &error);
    assert_int_equal(code, error.code);
    free(tight);
    return code;
}

/* No packed value begins another one: what is cut short or goes on is refused, and what was changed is refused or read. */
static void damage_is_refused(void **state)
{
    (void)state;
    size_t refused = 0, read = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        dice d = {seed};
        arb_arena arena = {0};
        arb_error error = {0};
        arb_type type = random_type(&d, &arena, 4);
        arb_vector vector;
        random_vector(&d, &arena, type, false, 4, &vector);
        vector.validity = NULL;
        uint64_t all[1] = {15};
        arb_string packed[4];
        assert_int_equal(arb_nested_pack(&vector, type, 4, all, &arena, packed, &error), ARB_OK);
        for (size_t row = 0; row < 4; row++) {
            arb_str text = arb_string_view(&packed[row]);
            char *bytes = room(&arena, text.size + 1);
            memcpy(bytes, text.data, text.size);
            bytes[text.size] = 0;
            assert_int_equal(unpack_copy(type, bytes, text.size, &arena), ARB_OK);
            assert_int_equal(unpack_copy(type, bytes, text.size + 1, &arena), ARB_CORRUPT_DATA);
            for (size_t cut = roll(&d, 7) % (text.size + 1); cut < text.size; cut += 1 + roll(&d, 20))
                assert_int_equal(unpack_copy(type, bytes, cut, &arena), ARB_CORRUPT_DATA);
            for (size_t change = 0; change < 10 && text.size != 0; change++) {
                size_t at = roll(&d, (uint32_t)text.size);
                char kept = bytes[at];
                bytes[at] = (char)roll(&d, roll(&d, 2) == 0 ? 4 : 256);
                arb_code code = unpack_copy(type, bytes, text.size, &arena);
                assert_true(code == ARB_OK || code == ARB_CORRUPT_DATA);
                *(code == ARB_OK ? &read : &refused) += 1;
                bytes[at] = kept;
            }
        }
        arb_arena_reset(&arena);
    }
    assert_true(refused > 500 && read > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_and_keep_their_order),
        cmocka_unit_test(encodings_and_widths),
        cmocka_unit_test(memory_can_be_spent),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
