/* scan_condition.h: conditions on one column, as readers are given them (formats/scan.h): for tools and tests that drive a
 * reader without the engine. */
#ifndef ARB_TEST_TOOLS_SCAN_CONDITION_H
#define ARB_TEST_TOOLS_SCAN_CONDITION_H

#include "formats/scan.h"

typedef enum scan_condition_kind {
    SCAN_CONDITION_RANGE, /* a whole number within [low, high] */
    SCAN_CONDITION_EQUAL, /* this text */
    SCAN_CONDITION_THERE, /* not NULL */
} scan_condition_kind;

typedef struct scan_condition {
    arb_scan_filter base;
    scan_condition_kind kind;
    uint32_t column; /* in the request */
    arb_int128 low, high;
    arb_str text;
} scan_condition;

static inline arb_code scan_condition_apply(const arb_scan_filter *base, void *local, const arb_vector *const *inputs,
                                            uint32_t rows, uint64_t *selection, arb_error *error)
{
    (void)local, (void)error;
    const scan_condition *c = (const scan_condition *)base;
    for (uint32_t i = 0; i < rows; i++) {
        if (!arb_bitmap_get(selection, i))
            continue;
        bool passes = arb_vector_is_valid(inputs[0], i);
        if (passes && c->kind == SCAN_CONDITION_EQUAL) {
            passes = arb_str_equal(arb_vector_get_text(inputs[0], i), c->text);
        } else if (passes && c->kind == SCAN_CONDITION_RANGE) {
            arb_int128 value = arb_vector_get_integer(inputs[0], i);
            passes = value >= c->low && value <= c->high;
        }
        if (!passes)
            arb_bitmap_clear(selection, i);
    }
    return ARB_OK;
}

static inline arb_filter_verdict scan_condition_judge(const arb_scan_filter *base, const arb_value_range *range)
{
    const scan_condition *c = (const scan_condition *)base;
    if (range->all_null)
        return ARB_FILTER_NONE_PASS;
    if (c->kind == SCAN_CONDITION_THERE)
        return range->may_have_nulls ? ARB_FILTER_SOME_PASS : ARB_FILTER_ALL_PASS;
    if (c->kind == SCAN_CONDITION_EQUAL || !range->known)
        return ARB_FILTER_SOME_PASS;
    if (range->high < c->low || range->low > c->high)
        return ARB_FILTER_NONE_PASS;
    bool all = !range->may_have_nulls && range->low >= c->low && range->high <= c->high;
    return all ? ARB_FILTER_ALL_PASS : ARB_FILTER_SOME_PASS;
}

static inline bool scan_condition_text(const arb_scan_filter *base, arb_str *out_value)
{
    *out_value = ((const scan_condition *)base)->text;
    return ((const scan_condition *)base)->kind == SCAN_CONDITION_EQUAL;
}

static inline bool scan_condition_integer(const arb_scan_filter *base, arb_int128 *out_value)
{
    const scan_condition *c = (const scan_condition *)base;
    *out_value = c->low;
    return c->kind == SCAN_CONDITION_RANGE && c->low == c->high;
}

/* Kind and values are set; `type` is the column's. One that is late must be made ready later. */
static inline void scan_condition_init(scan_condition *c, uint32_t column, arb_type type, bool late)
{
    static const arb_scan_filter_vtable vtable = {.name = "condition",
                                                  .apply = scan_condition_apply,
                                                  .judge = scan_condition_judge,
                                                  .equal_text = scan_condition_text,
                                                  .equal_integer = scan_condition_integer};
    c->column = column;
    c->base = (arb_scan_filter){
        .vtable = &vtable, .column_count = 1, .columns = &c->column, .per_entry = !arb_type_is_nested(type), .cost = 1};
    atomic_init(&c->base.ready, !late);
}

#endif
