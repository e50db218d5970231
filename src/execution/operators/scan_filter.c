#include "execution/operators/scan_filter.h"

#include "base/alloc.h"

typedef struct expr_filter {
    arb_scan_filter base;
    const arb_expr *condition;
    const arb_program *program;
    arb_layout layout; /* of the columns that the condition reads, in base.columns' order */
    arb_stop_flag *stop;
} expr_filter;

/* ---- judging by ranges ---------------------------------------------------------------------------------------------- */

static arb_filter_verdict opposite(arb_filter_verdict verdict)
{
    return verdict == ARB_FILTER_NONE_PASS  ? ARB_FILTER_ALL_PASS
           : verdict == ARB_FILTER_ALL_PASS ? ARB_FILTER_NONE_PASS
                                            : ARB_FILTER_SOME_PASS;
}

static const arb_value_range *range_of(const arb_expr *expr, const arb_layout *layout, const arb_value_range *ranges)
{
    int at = expr->kind == ARB_EXPR_COLUMN ? arb_layout_find(layout, expr->column) : -1;
    return at >= 0 ? &ranges[at] : NULL;
}

/* For values in [low, high], none of them NULL. */
static arb_filter_verdict judge_values(arb_compare compare, arb_int128 low, arb_int128 high, arb_int128 constant)
{
    switch (compare) {
    case ARB_EQUAL:
    case ARB_NOT_DISTINCT:
        if (constant < low || constant > high)
            return ARB_FILTER_NONE_PASS;
        return low == high ? ARB_FILTER_ALL_PASS : ARB_FILTER_SOME_PASS;
    case ARB_NOT_EQUAL:
    case ARB_DISTINCT:
        return opposite(judge_values(ARB_EQUAL, low, high, constant));
    case ARB_LESS:
        return high < constant ? ARB_FILTER_ALL_PASS : low >= constant ? ARB_FILTER_NONE_PASS : ARB_FILTER_SOME_PASS;
    case ARB_LESS_EQUAL:
        return high <= constant ? ARB_FILTER_ALL_PASS : low > constant ? ARB_FILTER_NONE_PASS : ARB_FILTER_SOME_PASS;
    case ARB_GREATER:
        return opposite(judge_values(ARB_LESS_EQUAL, low, high, constant));
    case ARB_GREATER_EQUAL:
        return opposite(judge_values(ARB_LESS, low, high, constant));
    }
    return ARB_FILTER_SOME_PASS;
}

static arb_filter_verdict judge_compare(const arb_expr *expr, const arb_layout *layout, const arb_value_range *ranges)
{
    const arb_expr *column = expr->children[0], *constant = expr->children[1];
    arb_compare compare = (arb_compare)expr->compare;
    if (column->kind == ARB_EXPR_CONSTANT) {
        const arb_expr *swap = column;
        column = constant;
        constant = swap;
        compare = arb_compare_flip(compare);
    }
    const arb_value_range *range = range_of(column, layout, ranges);
    if (range == NULL || constant->kind != ARB_EXPR_CONSTANT)
        return ARB_FILTER_SOME_PASS;
    bool null_safe = compare == ARB_DISTINCT || compare == ARB_NOT_DISTINCT;
    if (constant->value.is_null)
        return null_safe ? ARB_FILTER_SOME_PASS : ARB_FILTER_NONE_PASS;
    if (range->all_null)
        return null_safe ? ARB_FILTER_SOME_PASS : ARB_FILTER_NONE_PASS;
    if (!range->known || !arb_range_of_type(constant->type).known)
        return ARB_FILTER_SOME_PASS;
    arb_filter_verdict verdict = judge_values(compare, range->low, range->high, constant->value.integer);
    bool certain = !range->may_have_nulls && !null_safe;
    return verdict == ARB_FILTER_ALL_PASS && !certain                   ? ARB_FILTER_SOME_PASS
           : verdict == ARB_FILTER_NONE_PASS && compare == ARB_DISTINCT ? ARB_FILTER_SOME_PASS
                                                                        : verdict;
}

static arb_filter_verdict judge_in(const arb_expr *expr, const arb_layout *layout, const arb_value_range *ranges)
{
    const arb_value_range *range = range_of(expr->children[0], layout, ranges);
    if (range == NULL)
        return ARB_FILTER_SOME_PASS;
    if (range->all_null)
        return ARB_FILTER_NONE_PASS;
    if (!range->known || !arb_range_of_type(expr->children[0]->type).known)
        return ARB_FILTER_SOME_PASS;
    for (uint32_t i = 1; i < expr->child_count; i++) {
        arb_int128 value = expr->children[i]->value.integer;
        if (value >= range->low && value <= range->high)
            return ARB_FILTER_SOME_PASS;
    }
    return ARB_FILTER_NONE_PASS;
}

arb_filter_verdict arb_expr_judge(const arb_expr *expr, const arb_layout *layout, const arb_value_range *ranges)
{
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_AND: {
        arb_filter_verdict all = ARB_FILTER_ALL_PASS;
        for (uint32_t i = 0; i < expr->child_count; i++) {
            arb_filter_verdict one = arb_expr_judge(expr->children[i], layout, ranges);
            if (one == ARB_FILTER_NONE_PASS)
                return one;
            all = one == ARB_FILTER_SOME_PASS ? one : all;
        }
        return all;
    }
    case ARB_EXPR_OR: {
        arb_filter_verdict none = ARB_FILTER_NONE_PASS;
        for (uint32_t i = 0; i < expr->child_count; i++) {
            arb_filter_verdict one = arb_expr_judge(expr->children[i], layout, ranges);
            if (one == ARB_FILTER_ALL_PASS)
                return one;
            none = one == ARB_FILTER_SOME_PASS ? one : none;
        }
        return none;
    }
    case ARB_EXPR_COMPARE:
        return judge_compare(expr, layout, ranges);
    case ARB_EXPR_IN:
        return judge_in(expr, layout, ranges);
    case ARB_EXPR_IS_NULL: {
        const arb_value_range *range = range_of(expr->children[0], layout, ranges);
        if (range == NULL)
            return ARB_FILTER_SOME_PASS;
        return range->all_null          ? ARB_FILTER_ALL_PASS
               : !range->may_have_nulls ? ARB_FILTER_NONE_PASS
                                        : ARB_FILTER_SOME_PASS;
    }
    case ARB_EXPR_NOT: {
        const arb_expr *child = expr->children[0];
        if (child->kind != ARB_EXPR_IS_NULL)
            return ARB_FILTER_SOME_PASS; /* of NULLs neither a condition nor its opposite lets one pass */
        return opposite(arb_expr_judge(child, layout, ranges));
    }
    case ARB_EXPR_CONSTANT:
        return arb_expr_is_true(expr) ? ARB_FILTER_ALL_PASS : ARB_FILTER_NONE_PASS;
    default:
        return ARB_FILTER_SOME_PASS;
    }
}

/* ---- the filter --------------------------------------------------------------------------------------------------------- */

static arb_code local_create(const arb_scan_filter *filter, void **out_local, arb_error *error)
{
    const expr_filter *f = (const expr_filter *)filter;
    arb_program_state *state = NULL;
    arb_code code = arb_program_state_create(f->program, &state, error);
    if (code == ARB_OK)
        arb_program_state_set_stop(state, f->stop);
    *out_local = state;
    return code;
}

static void local_destroy(void *local)
{
    arb_program_state_destroy(local);
}

static arb_code apply(const arb_scan_filter *filter, void *local, const arb_vector *const *inputs, uint32_t rows,
                      uint64_t *selection, arb_error *error)
{
    /* a dictionary may have more entries than a batch has rows: work through it in pieces */
    if (rows <= ARB_VECTOR_ROWS)
        return arb_program_select(local, inputs, rows, selection, error);
    assert(filter->column_count == 1 && inputs[0]->encoding == ARB_FLAT && inputs[0]->validity == NULL);
    size_t size = arb_physical_size((arb_physical)inputs[0]->physical);
    for (uint32_t row = 0; row < rows; row += ARB_VECTOR_ROWS) {
        ARB_TRY(arb_check_stop(((const expr_filter *)filter)->stop, error));
        arb_vector piece = *inputs[0];
        const arb_vector *pieces = &piece;
        piece.values.data = (char *)inputs[0]->values.data + row * size;
        ARB_TRY(arb_program_select(local, &pieces, ARB_MIN(rows - row, (uint32_t)ARB_VECTOR_ROWS), selection + row / 64,
                                   error));
    }
    return ARB_OK;
}

static arb_filter_verdict judge(const arb_scan_filter *filter, const arb_value_range *ranges)
{
    const expr_filter *f = (const expr_filter *)filter;
    return arb_expr_judge(f->condition, &f->layout, ranges);
}

static const arb_expr *equal_constant(const arb_scan_filter *filter)
{
    const arb_expr *condition = ((const expr_filter *)filter)->condition;
    if (condition->kind != ARB_EXPR_COMPARE || condition->compare != ARB_EQUAL || filter->column_count != 1)
        return NULL;
    const arb_expr *left = condition->children[0], *right = condition->children[1];
    const arb_expr *constant = left->kind == ARB_EXPR_CONSTANT ? left : right,
                   *column = left == constant ? right : left;
    return constant->kind == ARB_EXPR_CONSTANT && !constant->value.is_null && column->kind == ARB_EXPR_COLUMN ? constant
                                                                                                              : NULL;
}

static bool equal_text(const arb_scan_filter *filter, arb_str *out_value)
{
    const arb_expr *constant = equal_constant(filter);
    if (constant == NULL || !arb_type_is_text(constant->type))
        return false;
    *out_value = constant->value.text;
    return true;
}

static bool equal_integer(const arb_scan_filter *filter, arb_int128 *out_value)
{
    const arb_expr *constant = equal_constant(filter);
    if (constant == NULL || !arb_range_of_type(constant->type).known)
        return false;
    *out_value = constant->value.integer;
    return true;
}

static const arb_scan_filter_vtable vtable = {
    .name = "condition",
    .local_create = local_create,
    .local_destroy = local_destroy,
    .apply = apply,
    .judge = judge,
    .equal_text = equal_text,
    .equal_integer = equal_integer,
};

/* A rough count of the work for one row. */
static double cost_of(const arb_expr *expr)
{
    double cost = expr->kind == ARB_EXPR_CALL && expr->function->arithmetic == ARB_ARITHMETIC_NONE ? 20 : 1;
    if (expr->child_count != 0 && arb_type_is_text(expr->children[0]->type))
        cost += 4;
    for (uint32_t i = 0; i < expr->child_count; i++)
        cost += cost_of(expr->children[i]);
    return cost;
}

/* Does a row pass whose one column is NULL, as with IS NULL or COALESCE? Then the condition is about rows: a dictionary has
 * no entry that would tell. */
static arb_code passes_null(const expr_filter *f, bool *out_passes, arb_error *error)
{
    arb_physical physical = f->layout.slots[0].physical;
    *out_passes = physical == ARB_PHYS_LIST || physical == ARB_PHYS_STRUCT;
    if (*out_passes || !f->layout.slots[0].nullable)
        return ARB_OK;
    ARB_ALIGNED(64) char nothing[2 * ARB_VECTOR_PADDING] = {0};
    uint64_t validity = 0, selection = 1;
    arb_vector null = {
        .physical = (uint8_t)physical, .encoding = ARB_FLAT, .values = {.data = nothing}, .validity = &validity};
    const arb_vector *inputs[] = {&null};
    arb_program_state *state;
    ARB_TRY(arb_program_state_create(f->program, &state, error));
    arb_code code = arb_program_select(state, inputs, 1, &selection, error);
    arb_program_state_destroy(state);
    *out_passes = selection != 0;
    return code;
}

arb_code arb_expr_filter_create(arb_arena *arena, const arb_layout *read, const arb_expr *condition,
                                arb_stop_flag *stop, arb_scan_filter **out_filter, arb_error *error)
{
    *out_filter = NULL;
    /* find which columns the condition reads by compiling it against all of them */
    const arb_program *program;
    ARB_TRY(arb_program_compile(arena, read, &condition, 1, &program, error));
    const bool *reads = arb_program_inputs(program);
    expr_filter *f = ARB_ARENA_NEW(arena, expr_filter);
    uint32_t *columns = ARB_ARENA_ARRAY(arena, uint32_t, read->count + 1);
    arb_slot *slots = ARB_ARENA_ARRAY(arena, arb_slot, read->count + 1);
    if (f == NULL || columns == NULL || slots == NULL)
        return arb_fail_memory(error, "a scan's filter", sizeof *f);
    uint32_t count = 0;
    for (size_t i = 0; i < read->count; i++) {
        if (!reads[i])
            continue;
        columns[count] = (uint32_t)i;
        slots[count++] = read->slots[i];
    }
    f->layout = (arb_layout){count, slots};
    f->condition = condition;
    f->stop = stop;
    ARB_TRY(arb_program_compile(arena, &f->layout, &condition, 1, &f->program, error));
    f->base.vtable = &vtable;
    f->base.column_count = count;
    f->base.columns = columns;
    if (count == 1 && arb_expr_infallible(condition) && arb_expr_deterministic(condition)) {
        bool passes;
        ARB_TRY(passes_null(f, &passes, error));
        f->base.per_entry = !passes;
    }
    f->base.cost = cost_of(condition);
    atomic_init(&f->base.ready, 1);
    *out_filter = &f->base;
    return ARB_OK;
}
