/* program_compile.c: from trees to instructions. The struct of a program and its instructions is in program_internal.h.
 *
 * Every node gets a register; equal nodes share one when the first was computed under the same or a wider selection.
 * Widths are settled here: `compile_arithmetic` works out the result's range from the operands' and picks the loop. */
#include "expr/program.h"

#include "expr/program_internal.h"

enum { no_register = -1, registers_most = 60000 };

typedef struct seen_entry {
    const arb_expr *expr;
    uint64_t hash;
    uint16_t selection;
    uint16_t reg;
} seen_entry;

typedef struct compiler {
    arb_arena *arena;
    arb_program *program;
    const arb_layout *inputs;
    ARB_VEC(seen_entry) seen;
    arb_error *error;
    arb_code code; /* of the first failure */
} compiler;

static int out_of_memory(compiler *c)
{
    if (c->code == ARB_OK)
        c->code = arb_fail_memory(c->error, "an expression", sizeof(program_instruction));
    return no_register;
}

static int fail_at(compiler *c, const arb_expr *expr, arb_code code)
{
    if (c->code == ARB_OK)
        c->code = arb_error_at(c->error, code, expr->position);
    return no_register;
}

static const program_register *reg_at(const compiler *c, int reg)
{
    return &c->program->registers.data[reg];
}

static int add_register(compiler *c, program_register reg)
{
    if (c->program->registers.size >= registers_most) {
        if (c->code == ARB_OK)
            c->code = arb_fail(c->error, ARB_STATEMENT_TOO_COMPLEX, "the expression has too many parts");
        return no_register;
    }
    if (!ARB_ARENA_PUSH(c->arena, &c->program->registers, reg))
        return out_of_memory(c);
    return (int)c->program->registers.size - 1;
}

static int add_temporary(compiler *c, arb_type type, arb_physical physical, arb_range range, bool nullable)
{
    arb_slot slot = {.id = ARB_NO_COLUMN, .type = type, .physical = physical, .nullable = nullable, .range = range};
    return add_register(c, (program_register){.source = SOURCE_TEMPORARY, .slot = slot});
}

static int add_selection(compiler *c, uint16_t parent)
{
    if (c->program->selection_parents.size >= registers_most ||
        !ARB_ARENA_PUSH(c->arena, &c->program->selection_parents, parent))
        return out_of_memory(c);
    return (int)c->program->selection_parents.size - 1;
}

static bool selection_within(const compiler *c, uint16_t inner, uint16_t outer)
{
    for (;; inner = c->program->selection_parents.data[inner]) {
        if (inner == outer)
            return true;
        if (inner == 0)
            return false;
    }
}

/* Copies the argument list. Returns the instruction to be filled in further, or NULL. */
static program_instruction *emit(compiler *c, program_op op, uint16_t selection, int result, const int *arguments,
                                 size_t count)
{
    uint16_t *copy = ARB_ARENA_ARRAY(c->arena, uint16_t, count + 1);
    program_instruction instruction = {.op = (uint8_t)op, .selection = selection, .result = (uint16_t)result};
    if (copy == NULL || !ARB_ARENA_PUSH(c->arena, &c->program->instructions, instruction)) {
        out_of_memory(c);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        copy[i] = (uint16_t)arguments[i];
    program_instruction *added = &c->program->instructions.data[c->program->instructions.size - 1];
    added->arguments = copy;
    added->argument_count = (uint16_t)count;
    added->failure = ARB_OUT_OF_RANGE;
    return added;
}

/* An operation that looks at one register besides constants is done per dictionary entry. One that can fail must be a
 * call: when an entry fails, which no row may refer to, the call goes by rows instead. */
static void mark_per_entry(compiler *c, program_instruction *instruction)
{
    int varying = -1;
    for (uint16_t i = 0; i < instruction->argument_count; i++) {
        if (reg_at(c, instruction->arguments[i])->source == SOURCE_CONSTANT)
            continue;
        if (varying >= 0 && instruction->arguments[varying] != instruction->arguments[i])
            return;
        if (varying < 0)
            varying = i;
    }
    bool may_fail = instruction->fallible && instruction->op != OP_CALL;
    if (varying < 0 || varying > UINT8_MAX || may_fail)
        return;
    instruction->per_entry = true;
    instruction->entry_argument = (uint8_t)varying;
    instruction->number = c->program->numbered++;
}

static int compile(compiler *c, const arb_expr *expr, uint16_t selection);

static int add_constant(compiler *c, arb_value value, arb_physical physical)
{
    for (size_t i = 0; i < c->program->registers.size; i++) {
        const program_register *reg = &c->program->registers.data[i];
        if (reg->source == SOURCE_CONSTANT && reg->slot.physical == physical && arb_value_same(&reg->value, &value))
            return (int)i;
    }
    arb_slot slot = {.id = ARB_NO_COLUMN, .type = value.type, .physical = physical, .nullable = value.is_null};
    if (!value.is_null && arb_range_of_type(value.type).known)
        slot.range = (arb_range){true, value.integer, value.integer};
    else if (arb_range_of_type(value.type).known)
        slot.range = (arb_range){true, 0, 0};
    return add_register(c, (program_register){.source = SOURCE_CONSTANT, .slot = slot, .value = value});
}

static int compile_constant(compiler *c, const arb_expr *expr)
{
    arb_range range = arb_range_of_type(expr->type);
    if (range.known && !expr->value.is_null)
        range.low = range.high = expr->value.integer;
    return add_constant(c, expr->value,
                        expr->value.is_null ? arb_type_physical(expr->type) : arb_physical_for(expr->type, range));
}

/* A nested type's values packed, or unpacked: see columnar/nested_value.h. */
static int repack(compiler *c, int reg, arb_physical physical, uint16_t selection)
{
    const program_register *from = reg_at(c, reg);
    const arb_scalar_implementation *scalar = physical == ARB_PHYS_STRING ? &arb_pack_nested : &arb_unpack_nested;
    for (size_t i = 0; i < c->program->instructions.size; i++) {
        const program_instruction *old = &c->program->instructions.data[i];
        if (old->op == OP_CALL && old->scalar == scalar && old->arguments[0] == reg &&
            selection_within(c, selection, old->selection))
            return old->result;
    }
    arb_expr *expr = ARB_ARENA_NEW(c->arena, arb_expr);
    int result = expr == NULL ? out_of_memory(c)
                              : add_temporary(c, from->slot.type, physical, (arb_range){0}, from->slot.nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_CALL, selection, result, &reg, 1);
    if (added == NULL)
        return no_register;
    *expr = (arb_expr){.kind = ARB_EXPR_CAST, .type = reg_at(c, result)->slot.type};
    added->expr = expr;
    added->scalar = scalar;
    added->number = c->program->numbered++;
    return result;
}

/* The register's values in a wider physical type, or in the other form of a nested one. */
static int widen(compiler *c, int reg, arb_physical physical, uint16_t selection)
{
    if (reg < 0)
        return reg;
    const program_register *from = reg_at(c, reg);
    if (from->slot.physical == physical)
        return reg;
    bool nested = arb_type_is_nested(from->slot.type);
    if (from->source == SOURCE_CONSTANT && (nested ? from->value.is_null : arb_physical_is_integer(physical)))
        return add_constant(c, from->value, physical);
    if (nested)
        return repack(c, reg, physical, selection);
    for (size_t i = 0; i < c->program->instructions.size; i++) {
        const program_instruction *old = &c->program->instructions.data[i];
        if (old->op == OP_CONVERT && old->arguments[0] == reg && reg_at(c, old->result)->slot.physical == physical &&
            !old->fallible && selection_within(c, selection, old->selection))
            return old->result;
    }
    arb_convert_fn convert = arb_convert_kernels_get()->number[from->slot.physical][physical];
    assert(convert != NULL);
    int result = add_temporary(c, from->slot.type, physical, from->slot.range, from->slot.nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_CONVERT, selection, result, &reg, 1);
    if (added == NULL)
        return no_register;
    added->convert = convert;
    mark_per_entry(c, added);
    return result;
}

/* ---- arithmetic ---------------------------------------------------------------------------------------------------- */

static arb_int128 saturated(arb_arithmetic op, arb_int128 a, arb_int128 b)
{
    arb_int128 result;
    bool over = op == ARB_ARITHMETIC_ADD        ? __builtin_add_overflow(a, b, &result)
                : op == ARB_ARITHMETIC_SUBTRACT ? __builtin_sub_overflow(a, b, &result)
                                                : __builtin_mul_overflow(a, b, &result);
    if (!over)
        return result;
    bool negative = op == ARB_ARITHMETIC_MULTIPLY ? (a < 0) != (b < 0) : a < 0;
    return negative ? ARB_INT128_MIN : ARB_INT128_MAX;
}

/* All results that the operands' ranges allow; saturates at 128 bits, which no type reaches. */
static arb_range arithmetic_range(arb_arithmetic op, arb_range a, arb_range b)
{
    if (!a.known || !b.known)
        return (arb_range){0};
    switch (op) {
    case ARB_ARITHMETIC_ADD:
        return (arb_range){true, saturated(op, a.low, b.low), saturated(op, a.high, b.high)};
    case ARB_ARITHMETIC_SUBTRACT:
        return (arb_range){true, saturated(op, a.low, b.high), saturated(op, a.high, b.low)};
    case ARB_ARITHMETIC_MULTIPLY: {
        const arb_int128 corners[] = {saturated(op, a.low, b.low), saturated(op, a.low, b.high),
                                      saturated(op, a.high, b.low), saturated(op, a.high, b.high)};
        arb_range range = {true, corners[0], corners[0]};
        for (size_t i = 1; i < 4; i++) {
            range.low = ARB_MIN(range.low, corners[i]);
            range.high = ARB_MAX(range.high, corners[i]);
        }
        return range;
    }
    case ARB_ARITHMETIC_DIVIDE: {
        arb_int128 most = ARB_MAX(a.high < 0 ? -a.high : a.high, a.low < 0 ? -a.low : a.low);
        return (arb_range){true, -most, most};
    }
    default: { /* MODULO: smaller than the divisor, signed as the dividend */
        arb_int128 most = ARB_MAX(b.high < 0 ? -b.high : b.high, b.low < 0 ? -b.low : b.low);
        most = most == 0 ? 0 : most - 1;
        return (arb_range){true, a.low < 0 ? -most : 0, a.high > 0 ? most : 0};
    }
    }
}

static bool is_nonzero_constant(const program_register *reg)
{
    return reg->source == SOURCE_CONSTANT && !reg->value.is_null && reg->slot.range.known && reg->value.integer != 0 &&
           reg->value.integer != -1;
}

static arb_division_type division_type(arb_physical physical)
{
    return physical == ARB_PHYS_INT32     ? ARB_DIVISION_I32
           : physical == ARB_PHYS_INT64   ? ARB_DIVISION_I64
           : physical == ARB_PHYS_INT128  ? ARB_DIVISION_I128
           : physical == ARB_PHYS_FLOAT32 ? ARB_DIVISION_F32
                                          : ARB_DIVISION_F64;
}

static arb_arithmetic_type arithmetic_type(arb_physical physical)
{
    return physical == ARB_PHYS_INT32     ? ARB_ARITHMETIC_I32
           : physical == ARB_PHYS_INT64   ? ARB_ARITHMETIC_I64
           : physical == ARB_PHYS_INT128  ? ARB_ARITHMETIC_I128
           : physical == ARB_PHYS_FLOAT32 ? ARB_ARITHMETIC_F32
                                          : ARB_ARITHMETIC_F64;
}

/* Fail outside of the type's own range, and bring the values to the type's physical width at most. */
static int check_range(compiler *c, const arb_expr *expr, int reg, arb_type type, uint16_t selection, bool try_cast)
{
    arb_range allowed = arb_range_of_type(type);
    const program_register *from = reg_at(c, reg);
    arb_physical physical = arb_type_physical(type);
    bool fits = arb_range_within(from->slot.range, allowed);
    if (fits && from->slot.physical <= physical)
        return reg;
    arb_range range = from->slot.range;
    range.low = ARB_MAX(range.low, allowed.low);
    range.high = ARB_MIN(range.high, allowed.high);
    if (fits && type.id == ARB_TYPE_DECIMAL)
        return reg; /* wider than need be, but right */
    bool nullable = from->slot.nullable || try_cast;
    if (!fits) {
        int checked = add_temporary(c, type, from->slot.physical, range, nullable);
        program_instruction *check = checked < 0 ? NULL : emit(c, OP_CHECK, selection, checked, &reg, 1);
        if (check == NULL)
            return no_register;
        check->check.low = allowed.low;
        check->check.high = allowed.high;
        check->fallible = true;
        check->try_cast = try_cast;
        check->expr = expr;
        reg = checked;
        from = reg_at(c, reg);
    }
    if (from->slot.physical <= physical)
        return reg;
    int narrow = add_temporary(c, type, physical, range, nullable);
    program_instruction *convert = narrow < 0 ? NULL : emit(c, OP_CONVERT, selection, narrow, &reg, 1);
    if (convert == NULL)
        return no_register;
    convert->convert = arb_convert_kernels_get()->number[from->slot.physical][physical];
    return narrow;
}

static int compile_division(compiler *c, const arb_expr *expr, arb_arithmetic op, int left, int right,
                            uint16_t selection)
{
    arb_physical physical = ARB_MAX(reg_at(c, left)->slot.physical, reg_at(c, right)->slot.physical);
    if (arb_physical_is_integer(physical))
        physical = ARB_MAX(physical, ARB_PHYS_INT32);
    arb_range range = arithmetic_range(op, reg_at(c, left)->slot.range, reg_at(c, right)->slot.range);
    left = widen(c, left, physical, selection);
    right = widen(c, right, physical, selection);
    if (left < 0 || right < 0)
        return no_register;
    bool nullable = reg_at(c, left)->slot.nullable || reg_at(c, right)->slot.nullable;
    bool safe = is_nonzero_constant(reg_at(c, right));
    int result = add_temporary(c, expr->type, physical, range, nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_ARITHMETIC, selection, result, (int[]){left, right}, 2);
    if (added == NULL)
        return no_register;
    const arb_arithmetic_kernels *kernels = arb_arithmetic_kernels_get();
    added->binary = (op == ARB_ARITHMETIC_DIVIDE ? kernels->divide : kernels->modulo)[division_type(physical)];
    added->fallible = !safe;
    added->failure = ARB_DIVISION_BY_ZERO;
    added->expr = expr;
    mark_per_entry(c, added);
    return arb_physical_is_integer(physical) ? check_range(c, expr, result, expr->type, selection, false) : result;
}

static int compile_arithmetic_on(compiler *c, const arb_expr *expr, arb_arithmetic op, int left, int right,
                                 arb_type type, uint16_t selection)
{
    const arb_slot a = reg_at(c, left)->slot, b = reg_at(c, right)->slot;
    bool whole = arb_physical_is_integer(a.physical) && arb_physical_is_integer(b.physical);
    arb_range range = whole ? arithmetic_range(op, a.range, b.range) : (arb_range){0};
    arb_physical physical = ARB_MAX(a.physical, b.physical);
    arb_arithmetic_type kernel;
    bool fallible = false;
    if (!whole) {
        kernel = arithmetic_type(physical);
    } else {
        physical = ARB_MAX(ARB_MAX(physical, ARB_PHYS_INT32), arb_physical_for_range(range.low, range.high));
        arb_range allowed = arb_range_of_type(type);
        bool fits = arb_range_within(range, allowed);
        if (!fits && arb_type_physical(type) == ARB_PHYS_INT64 && type.id != ARB_TYPE_DECIMAL) {
            physical = ARB_PHYS_INT64;
            kernel = ARB_ARITHMETIC_I64_CHECKED;
            fallible = true;
            range = allowed;
        } else if (!fits && range.high > arb_power_of_ten(38) - 1) {
            kernel = ARB_ARITHMETIC_I128_CHECKED;
            fallible = true;
            range = (arb_range){true, ARB_MAX(range.low, -(arb_power_of_ten(38) - 1)), arb_power_of_ten(38) - 1};
        } else if (!fits && range.low < -(arb_power_of_ten(38) - 1)) {
            kernel = ARB_ARITHMETIC_I128_CHECKED;
            fallible = true;
            range.low = -(arb_power_of_ten(38) - 1);
        } else {
            bool widening = physical == ARB_PHYS_INT64 && a.physical <= ARB_PHYS_INT32 && b.physical <= ARB_PHYS_INT32;
            kernel = widening ? ARB_ARITHMETIC_WIDEN : arithmetic_type(physical);
        }
    }
    arb_physical operands = kernel == ARB_ARITHMETIC_WIDEN ? ARB_PHYS_INT32 : physical;
    left = widen(c, left, operands, selection);
    right = widen(c, right, operands, selection);
    bool try_cast = expr->kind == ARB_EXPR_CAST && expr->try_cast;
    bool nullable = a.nullable || b.nullable || (fallible && try_cast);
    int result = left < 0 || right < 0 ? no_register : add_temporary(c, type, physical, range, nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_ARITHMETIC, selection, result, (int[]){left, right}, 2);
    if (added == NULL)
        return no_register;
    static const uint8_t ops[] = {[ARB_ARITHMETIC_ADD] = ARB_ADD,
                                  [ARB_ARITHMETIC_SUBTRACT] = ARB_SUBTRACT,
                                  [ARB_ARITHMETIC_MULTIPLY] = ARB_MULTIPLY};
    added->binary = arb_arithmetic_kernels_get()->binary[ops[op]][kernel];
    added->fallible = fallible;
    added->try_cast = try_cast;
    added->expr = expr;
    mark_per_entry(c, added);
    return whole ? check_range(c, expr, result, type, selection, try_cast) : result;
}

static int compile_arithmetic(compiler *c, const arb_expr *expr, uint16_t selection)
{
    arb_arithmetic op = (arb_arithmetic)expr->function->arithmetic;
    int left, right;
    if (op == ARB_ARITHMETIC_NEGATE) {
        right = compile(c, expr->children[0], selection);
        arb_value zero = {.type = expr->children[0]->type};
        op = ARB_ARITHMETIC_SUBTRACT;
        if (right >= 0 && !arb_physical_is_integer(reg_at(c, right)->slot.physical)) {
            /* -1 * x and not 0 - x, for the sign of zero */
            zero.real = -1;
            op = ARB_ARITHMETIC_MULTIPLY;
        }
        left = right < 0 ? right : add_constant(c, zero, reg_at(c, right)->slot.physical);
    } else {
        left = compile(c, expr->children[0], selection);
        right = left < 0 ? left : compile(c, expr->children[1], selection);
    }
    if (left < 0 || right < 0)
        return no_register;
    if (op == ARB_ARITHMETIC_DIVIDE || op == ARB_ARITHMETIC_MODULO)
        return compile_division(c, expr, op, left, right, selection);
    return compile_arithmetic_on(c, expr, op, left, right, expr->type, selection);
}

/* ---- casts between numbers ------------------------------------------------------------------------------------------ */

static int multiply_by(compiler *c, const arb_expr *expr, int reg, arb_int128 factor, arb_type type, uint16_t selection)
{
    arb_value value = {.type = arb_type_decimal(38, 0), .integer = factor};
    int constant = add_constant(c, value, arb_physical_for_range(factor, factor));
    return constant < 0 ? constant
                        : compile_arithmetic_on(c, expr, ARB_ARITHMETIC_MULTIPLY, reg, constant, type, selection);
}

static int convert_to(compiler *c, const arb_expr *expr, int reg, arb_physical physical, arb_range range, bool fallible,
                      uint16_t selection)
{
    const program_register from = *reg_at(c, reg);
    if (from.slot.physical == physical)
        return reg;
    int result = add_temporary(c, expr->type, physical, range, from.slot.nullable || (fallible && expr->try_cast));
    program_instruction *added = result < 0 ? NULL : emit(c, OP_CONVERT, selection, result, &reg, 1);
    if (added == NULL)
        return no_register;
    added->convert = arb_convert_kernels_get()->number[from.slot.physical][physical];
    added->fallible = fallible;
    added->try_cast = expr->try_cast;
    added->expr = expr;
    mark_per_entry(c, added);
    return result;
}

static int divide_by(compiler *c, const arb_expr *expr, int reg, unsigned digits, uint16_t selection)
{
    reg = widen(c, reg, ARB_PHYS_INT128, selection);
    if (reg < 0)
        return reg;
    arb_int128 divisor = arb_power_of_ten(digits);
    arb_range range = reg_at(c, reg)->slot.range;
    range.low = range.low / divisor - 1;
    range.high = range.high / divisor + 1;
    int result = add_temporary(c, expr->type, ARB_PHYS_INT128, range, reg_at(c, reg)->slot.nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_RESCALE, selection, result, &reg, 1);
    if (added == NULL)
        return no_register;
    added->divisor = divisor;
    mark_per_entry(c, added);
    return result;
}

static unsigned scale_of(arb_type type)
{
    return type.id == ARB_TYPE_DECIMAL ? type.scale : 0;
}

/* Decimals are not made here: they need the float's digits. */
static int float_to_whole(compiler *c, const arb_expr *expr, int reg, uint16_t selection)
{
    reg = convert_to(c, expr, reg, ARB_PHYS_FLOAT64, (arb_range){0}, false, selection);
    if (reg < 0)
        return reg;
    return convert_to(c, expr, reg, arb_type_physical(expr->type), arb_range_of_type(expr->type), true, selection);
}

static int whole_to_float(compiler *c, const arb_expr *expr, int reg, arb_type from, uint16_t selection)
{
    reg = convert_to(c, expr, reg, ARB_PHYS_FLOAT64, (arb_range){0}, false, selection);
    if (reg >= 0 && scale_of(from) != 0) {
        arb_value divisor = {.type = ARB_TYPE(DOUBLE), .real = (double)arb_power_of_ten(scale_of(from))};
        int constant = add_constant(c, divisor, ARB_PHYS_FLOAT64);
        int result = constant < 0 ? constant
                                  : add_temporary(c, expr->type, ARB_PHYS_FLOAT64, (arb_range){0},
                                                  reg_at(c, reg)->slot.nullable);
        program_instruction *added =
            result < 0 ? NULL : emit(c, OP_ARITHMETIC, selection, result, (int[]){reg, constant}, 2);
        if (added == NULL)
            return no_register;
        added->binary = arb_arithmetic_kernels_get()->divide[ARB_DIVISION_F64];
        mark_per_entry(c, added);
        reg = result;
    }
    if (reg < 0 || expr->type.id == ARB_TYPE_DOUBLE)
        return reg;
    return convert_to(c, expr, reg, ARB_PHYS_FLOAT32, (arb_range){0}, true, selection);
}

static int cast_number(compiler *c, const arb_expr *expr, int reg, arb_type from, uint16_t selection)
{
    bool from_float = from.id == ARB_TYPE_REAL || from.id == ARB_TYPE_DOUBLE;
    bool to_float = expr->type.id == ARB_TYPE_REAL || expr->type.id == ARB_TYPE_DOUBLE;
    if (from_float && to_float)
        return convert_to(c, expr, reg, arb_type_physical(expr->type), (arb_range){0}, expr->type.id == ARB_TYPE_REAL,
                          selection);
    if (from_float)
        return float_to_whole(c, expr, reg, selection);
    if (to_float)
        return whole_to_float(c, expr, reg, from, selection);
    unsigned before = scale_of(from), after = scale_of(expr->type);
    if (after > before)
        reg = multiply_by(c, expr, reg, arb_power_of_ten(after - before), arb_type_decimal(38, after), selection);
    else if (after < before)
        reg = divide_by(c, expr, reg, before - after, selection);
    return reg < 0 ? reg : check_range(c, expr, reg, expr->type, selection, expr->try_cast);
}

/* ---- the other nodes ------------------------------------------------------------------------------------------------ */

static int compile_call_of(compiler *c, const arb_expr *expr, const arb_scalar_implementation *scalar,
                           bool handles_null, bool fallible, bool is_volatile, uint16_t selection)
{
    int *arguments = ARB_ARENA_ARRAY(c->arena, int, expr->child_count + 1);
    if (arguments == NULL)
        return out_of_memory(c);
    bool nullable = true; /* a function may give NULL for values that are not */
    for (uint32_t i = 0; i < expr->child_count; i++) {
        arguments[i] = compile(c, expr->children[i], selection);
        if (arguments[i] >= 0)
            arguments[i] = widen(c, arguments[i], arb_type_physical(expr->children[i]->type), selection);
        if (arguments[i] < 0)
            return no_register;
    }
    arb_range range = arb_range_of_type(expr->type);
    if (expr->kind == ARB_EXPR_CALL && expr->function->range != NULL) {
        arb_range *ranges = ARB_ARENA_ARRAY(c->arena, arb_range, expr->child_count + 1);
        if (ranges == NULL)
            return out_of_memory(c);
        for (uint32_t i = 0; i < expr->child_count; i++)
            ranges[i] = reg_at(c, arguments[i])->slot.range;
        arb_range told = expr->function->range(expr, ranges);
        range = told.known ? told : range;
    }
    int result = add_temporary(c, expr->type, arb_type_physical(expr->type), range, nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_CALL, selection, result, arguments, expr->child_count);
    if (added == NULL)
        return no_register;
    added->scalar = scalar;
    added->expr = expr;
    added->fallible = fallible;
    added->null_safe = handles_null;
    added->try_cast = expr->kind == ARB_EXPR_CAST && expr->try_cast;
    uint32_t before = c->program->numbered;
    if (!handles_null && !is_volatile)
        mark_per_entry(c, added);
    if (c->program->numbered == before)
        added->number = c->program->numbered++;
    return result;
}

/* Whether the cast itself may fail, its operand aside. */
static bool cast_fails(const arb_expr *expr)
{
    const arb_expr operand = {.kind = ARB_EXPR_COLUMN, .type = expr->children[0]->type}, *child = &operand;
    arb_expr cast = *expr;
    cast.children = &child;
    return !arb_expr_infallible(&cast);
}

static int compile_cast(compiler *c, const arb_expr *expr, uint16_t selection)
{
    arb_type from = expr->children[0]->type, to = expr->type;
    if (from.id == ARB_TYPE_NULL)
        return add_constant(c, arb_value_null(to), arb_type_physical(to));
    const arb_scalar_implementation *scalar = arb_cast_implementation(from, to);
    if (scalar != NULL)
        return compile_call_of(c, expr, scalar, false, cast_fails(expr), false, selection);
    if (arb_type_is_numeric(from) && arb_type_is_numeric(to)) {
        int reg = compile(c, expr->children[0], selection);
        return reg < 0 ? reg : cast_number(c, expr, reg, from, selection);
    }
    if (arb_type_castable(from, to) && arb_type_physical(from) == arb_type_physical(to)) /* by its zone alone */
        return compile(c, expr->children[0], selection);
    arb_text text = {0};
    arb_type_print(&text, from);
    arb_text_append_str(&text, ARB_STR(" to "));
    arb_type_print(&text, to);
    arb_fail(c->error, ARB_CANNOT_COERCE, "cannot cast %.*s", (int)text.size, text.data != NULL ? text.data : "");
    arb_text_reset(&text);
    return fail_at(c, expr, ARB_CANNOT_COERCE);
}

static int compile_compare(compiler *c, const arb_expr *expr, uint16_t selection)
{
    int left = compile(c, expr->children[0], selection);
    int right = left < 0 ? left : compile(c, expr->children[1], selection);
    if (right < 0)
        return no_register;
    arb_physical physical = ARB_MAX(reg_at(c, left)->slot.physical, reg_at(c, right)->slot.physical);
    if (arb_type_is_nested(expr->children[0]->type))
        physical = ARB_PHYS_STRING;
    left = widen(c, left, physical, selection);
    right = left < 0 ? left : widen(c, right, physical, selection);
    if (right < 0)
        return no_register;
    bool null_safe = expr->compare == ARB_DISTINCT || expr->compare == ARB_NOT_DISTINCT;
    bool nullable = !null_safe && (reg_at(c, left)->slot.nullable || reg_at(c, right)->slot.nullable);
    int result = add_temporary(c, ARB_TYPE(BOOLEAN), ARB_PHYS_BOOL, (arb_range){0}, nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_COMPARE, selection, result, (int[]){left, right}, 2);
    if (added == NULL)
        return no_register;
    arb_compare op = (arb_compare)expr->compare;
    added->less = op != ARB_EQUAL && op != ARB_NOT_EQUAL && !null_safe;
    added->swap = op == ARB_GREATER || op == ARB_LESS_EQUAL; /* a > b is b < a; a <= b is not b < a */
    added->negate = op == ARB_NOT_EQUAL || op == ARB_DISTINCT || op == ARB_LESS_EQUAL || op == ARB_GREATER_EQUAL;
    added->null_safe = null_safe;
    if (physical != ARB_PHYS_BOOL)
        added->compare = (added->less ? arb_compare_kernels_get()->less : arb_compare_kernels_get()->equal)[physical];
    if (!null_safe)
        mark_per_entry(c, added);
    return result;
}

static int narrow(compiler *c, int condition, program_narrow how, uint16_t selection, size_t *out_instruction)
{
    int target = add_selection(c, selection);
    program_instruction *added = target < 0 ? NULL : emit(c, OP_NARROW, selection, 0, &condition, 1);
    if (added == NULL)
        return no_register;
    added->narrow = (uint8_t)how;
    added->target = (uint16_t)target;
    *out_instruction = c->program->instructions.size - 1;
    return target;
}

/* Jumps of the narrowing at `instruction` go to what comes next. */
static void land(compiler *c, size_t instruction)
{
    c->program->instructions.data[instruction].jump = (uint32_t)c->program->instructions.size;
}

/* Worth guarding: something that can fail, or costs more than a few loops. */
static bool is_costly(const arb_expr *expr)
{
    if (expr->kind == ARB_EXPR_CALL && expr->function->arithmetic == ARB_ARITHMETIC_NONE)
        return true;
    if (expr->kind == ARB_EXPR_CASE)
        return true;
    for (uint32_t i = 0; i < expr->child_count; i++)
        if (is_costly(expr->children[i]))
            return true;
    return false;
}

static int compile_and_or(compiler *c, const arb_expr *expr, uint16_t selection)
{
    bool conjunction = expr->kind == ARB_EXPR_AND;
    int *arguments = ARB_ARENA_ARRAY(c->arena, int, expr->child_count);
    size_t *jumps = ARB_ARENA_ARRAY(c->arena, size_t, expr->child_count);
    if (arguments == NULL || jumps == NULL)
        return out_of_memory(c);
    bool nullable = false;
    uint16_t inner = selection;
    size_t jump_count = 0;
    for (uint32_t i = 0; i < expr->child_count; i++) {
        if (i != 0 && (is_costly(expr->children[i]) || !arb_expr_infallible(expr->children[i]))) {
            int target = narrow(c, arguments[i - 1], conjunction ? NARROW_NOT_FALSE : NARROW_NOT_TRUE, inner,
                                &jumps[jump_count]);
            if (target < 0)
                return no_register;
            jump_count++;
            inner = (uint16_t)target;
        }
        arguments[i] = compile(c, expr->children[i], inner);
        if (arguments[i] < 0)
            return no_register;
        nullable |= reg_at(c, arguments[i])->slot.nullable;
    }
    for (size_t i = 0; i < jump_count; i++)
        land(c, jumps[i]);
    int result = add_temporary(c, ARB_TYPE(BOOLEAN), ARB_PHYS_BOOL, (arb_range){0}, nullable);
    if (result < 0 || emit(c, conjunction ? OP_AND : OP_OR, selection, result, arguments, expr->child_count) == NULL)
        return no_register;
    return result;
}

static int compile_unary_bits(compiler *c, const arb_expr *expr, program_op op, uint16_t selection)
{
    int argument = compile(c, expr->children[0], selection);
    if (argument < 0)
        return no_register;
    bool nullable = op == OP_NOT && reg_at(c, argument)->slot.nullable;
    int result = add_temporary(c, ARB_TYPE(BOOLEAN), ARB_PHYS_BOOL, (arb_range){0}, nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, op, selection, result, &argument, 1);
    return added == NULL ? no_register : result;
}

static int compile_in(compiler *c, const arb_expr *expr, uint16_t selection)
{
    int *arguments = ARB_ARENA_ARRAY(c->arena, int, expr->child_count);
    if (arguments == NULL)
        return out_of_memory(c);
    arb_physical physical = ARB_PHYS_BOOL;
    for (uint32_t i = 0; i < expr->child_count; i++) {
        arguments[i] = compile(c, expr->children[i], selection);
        if (arguments[i] < 0)
            return no_register;
        physical = ARB_MAX(physical, reg_at(c, arguments[i])->slot.physical);
    }
    if (arb_type_is_nested(expr->children[0]->type))
        physical = ARB_PHYS_STRING;
    for (uint32_t i = 0; i < expr->child_count; i++)
        if ((arguments[i] = widen(c, arguments[i], physical, selection)) < 0)
            return no_register;
    if (physical != ARB_PHYS_BOOL && arb_compare_kernels_get()->equal[physical][0] == NULL) {
        arb_fail(c->error, ARB_NOT_SUPPORTED, "IN over this type is not supported");
        return fail_at(c, expr, ARB_NOT_SUPPORTED);
    }
    int result =
        add_temporary(c, ARB_TYPE(BOOLEAN), ARB_PHYS_BOOL, (arb_range){0}, reg_at(c, arguments[0])->slot.nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_IN, selection, result, arguments, expr->child_count);
    if (added == NULL)
        return no_register;
    if (physical != ARB_PHYS_BOOL)
        added->compare = arb_compare_kernels_get()->equal[physical];
    mark_per_entry(c, added);
    return result;
}

/* The end of CASE and COALESCE: branch i's rows from arguments[i] under selections[i]. */
static int compile_merge(compiler *c, const arb_expr *expr, int *arguments, const uint16_t *selections, size_t count,
                         uint16_t selection)
{
    arb_physical physical = ARB_PHYS_BOOL;
    arb_range range = {0};
    bool nullable = false;
    for (size_t i = 0; i < count; i++) {
        const arb_slot slot = reg_at(c, arguments[i])->slot;
        bool is_null = reg_at(c, arguments[i])->source == SOURCE_CONSTANT && reg_at(c, arguments[i])->value.is_null;
        nullable |= slot.nullable;
        if (is_null)
            continue;
        physical = ARB_MAX(physical, slot.physical);
        if (slot.range.known && range.known)
            range = (arb_range){true, ARB_MIN(range.low, slot.range.low), ARB_MAX(range.high, slot.range.high)};
        else if (slot.range.known)
            range = slot.range;
    }
    if (physical == ARB_PHYS_BOOL)
        physical = arb_type_physical(expr->type);
    if (arb_range_of_type(expr->type).known && !range.known)
        range = (arb_range){true, 0, 0};
    if (arb_type_is_nested(expr->type))
        physical = ARB_PHYS_STRING;
    for (size_t i = 0; i < count; i++) {
        const program_register *from = reg_at(c, arguments[i]);
        bool is_null = from->source == SOURCE_CONSTANT && from->value.is_null;
        arguments[i] = is_null ? add_constant(c, arb_value_null(expr->type), physical)
                               : widen(c, arguments[i], physical, selections[i]);
        if (arguments[i] < 0)
            return no_register;
    }
    int result = add_temporary(c, expr->type, physical, range, nullable);
    program_instruction *added = result < 0 ? NULL : emit(c, OP_MERGE, selection, result, arguments, count);
    if (added == NULL)
        return no_register;
    added->merge_selections = selections;
    return result;
}

static int compile_case(compiler *c, const arb_expr *expr, uint16_t selection)
{
    size_t branches = (expr->child_count + 1) / 2, pairs = branches - 1;
    int *results = ARB_ARENA_ARRAY(c->arena, int, branches);
    uint16_t *selections = ARB_ARENA_ARRAY(c->arena, uint16_t, branches);
    size_t *jumps = ARB_ARENA_ARRAY(c->arena, size_t, branches);
    if (results == NULL || selections == NULL || jumps == NULL)
        return out_of_memory(c);
    uint16_t rest = selection;
    for (size_t i = 0; i < pairs; i++) {
        size_t then_jump;
        int when = compile(c, expr->children[2 * i], rest);
        int hit = when < 0 ? when : narrow(c, when, NARROW_TRUE, rest, &then_jump);
        if (hit < 0)
            return no_register;
        results[i] = compile(c, expr->children[2 * i + 1], (uint16_t)hit);
        if (results[i] < 0)
            return no_register;
        land(c, then_jump);
        selections[i] = (uint16_t)hit;
        int missed = narrow(c, when, NARROW_NOT_TRUE, rest, &jumps[i]);
        if (missed < 0)
            return no_register;
        rest = (uint16_t)missed;
    }
    results[pairs] = compile(c, expr->children[2 * pairs], rest);
    selections[pairs] = rest;
    if (results[pairs] < 0)
        return no_register;
    /* An empty rest jumps over what it guards, later narrowings included, so their selections are emptied too: see
     * program_run.c. The merge itself always runs, unless widening for a branch was emitted behind it. */
    for (size_t i = 0; i < pairs; i++)
        land(c, jumps[i]);
    return compile_merge(c, expr, results, selections, branches, selection);
}

static int compile_coalesce(compiler *c, const arb_expr *expr, uint16_t selection)
{
    size_t count = expr->child_count;
    int *results = ARB_ARENA_ARRAY(c->arena, int, count);
    uint16_t *selections = ARB_ARENA_ARRAY(c->arena, uint16_t, count);
    size_t *jumps = ARB_ARENA_ARRAY(c->arena, size_t, count);
    if (results == NULL || selections == NULL || jumps == NULL)
        return out_of_memory(c);
    uint16_t rest = selection;
    size_t used = 0;
    for (; used < count; used++) {
        results[used] = compile(c, expr->children[used], rest);
        if (results[used] < 0)
            return no_register;
        selections[used] = rest;
        if (used + 1 == count || !reg_at(c, results[used])->slot.nullable) {
            used++;
            break;
        }
        size_t unused_jump;
        int valid = narrow(c, results[used], NARROW_VALID, rest, &unused_jump);
        if (valid < 0)
            return no_register;
        land(c, unused_jump);
        selections[used] = (uint16_t)valid;
        int missing = narrow(c, results[used], NARROW_NULL, rest, &jumps[used]);
        if (missing < 0)
            return no_register;
        rest = (uint16_t)missing;
    }
    for (size_t i = 0; i + 1 < used; i++)
        land(c, jumps[i]);
    return compile_merge(c, expr, results, selections, used, selection);
}

static int compile_node(compiler *c, const arb_expr *expr, uint16_t selection)
{
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        return compile_constant(c, expr);
    case ARB_EXPR_COLUMN: {
        int at = arb_layout_find(c->inputs, expr->column);
        if (at < 0) {
            arb_fail(c->error, ARB_INTERNAL, "column #%u is not among an operator's inputs", expr->column);
            return fail_at(c, expr, ARB_INTERNAL);
        }
        c->program->reads[at] = true;
        return at; /* the first registers are the inputs */
    }
    case ARB_EXPR_CALL:
        if (expr->function->arithmetic != ARB_ARITHMETIC_NONE)
            return compile_arithmetic(c, expr, selection);
        return compile_call_of(c, expr, expr->function->scalar, expr->function->handles_null,
                               !expr->function->infallible, expr->function->is_volatile, selection);
    case ARB_EXPR_COMPARE:
        return compile_compare(c, expr, selection);
    case ARB_EXPR_AND:
    case ARB_EXPR_OR:
        return compile_and_or(c, expr, selection);
    case ARB_EXPR_NOT:
        return compile_unary_bits(c, expr, OP_NOT, selection);
    case ARB_EXPR_IS_NULL:
        return compile_unary_bits(c, expr, OP_IS_NULL, selection);
    case ARB_EXPR_CASE:
        return compile_case(c, expr, selection);
    case ARB_EXPR_COALESCE:
        return compile_coalesce(c, expr, selection);
    case ARB_EXPR_CAST:
        return compile_cast(c, expr, selection);
    case ARB_EXPR_IN:
        return compile_in(c, expr, selection);
    case ARB_EXPR_KIND_COUNT:
        break;
    }
    arb_fail(c->error, ARB_INTERNAL, "unknown kind of expression %d", expr->kind);
    return fail_at(c, expr, ARB_INTERNAL);
}

static int compile(compiler *c, const arb_expr *expr, uint16_t selection)
{
    bool simple = expr->kind == ARB_EXPR_CONSTANT || expr->kind == ARB_EXPR_COLUMN;
    if (simple || !arb_expr_deterministic(expr))
        return compile_node(c, expr, selection);
    uint64_t hash = arb_expr_hash(expr);
    for (size_t i = 0; i < c->seen.size; i++) {
        const seen_entry *entry = &c->seen.data[i];
        if (entry->hash == hash && selection_within(c, selection, entry->selection) &&
            arb_expr_equal(entry->expr, expr))
            return entry->reg;
    }
    int reg = compile_node(c, expr, selection);
    if (reg >= 0 && !ARB_ARENA_PUSH(c->arena, &c->seen, (seen_entry){expr, hash, selection, (uint16_t)reg}))
        return out_of_memory(c);
    return reg;
}

arb_code arb_program_compile(arb_arena *arena, const arb_layout *inputs, const arb_expr *const *exprs, size_t count,
                             const arb_program **out_program, arb_error *error)
{
    *out_program = NULL;
    arb_program *program = ARB_ARENA_NEW(arena, arb_program);
    compiler c = {.arena = arena, .program = program, .inputs = inputs, .error = error, .code = ARB_OK};
    if (program == NULL)
        return arb_fail_memory(error, "an expression", sizeof *program);
    program->reads = ARB_ARENA_ARRAY(arena, bool, inputs->count + 1);
    program->outputs = ARB_ARENA_ARRAY(arena, uint16_t, count + 1);
    program->input_count = inputs->count;
    program->output_count = count;
    if (program->reads == NULL || program->outputs == NULL || !ARB_ARENA_PUSH(arena, &program->selection_parents, 0))
        return arb_fail_memory(error, "an expression", count);
    for (size_t i = 0; i < inputs->count; i++)
        if (add_register(
                &c, (program_register){.source = SOURCE_INPUT, .slot = inputs->slots[i], .input = (uint32_t)i}) < 0)
            return c.code;
    for (size_t i = 0; i < count; i++) {
        int reg = compile(&c, exprs[i], 0);
        if (reg < 0)
            return c.code;
        program->outputs[i] = (uint16_t)reg;
    }
    *out_program = program;
    return ARB_OK;
}

arb_slot arb_program_output(const arb_program *program, size_t at)
{
    assert(at < program->output_count);
    return program->registers.data[program->outputs[at]].slot;
}

const bool *arb_program_inputs(const arb_program *program)
{
    return program->reads;
}

arb_code arb_program_widen(arb_arena *arena, arb_program *program, size_t at, arb_physical physical, arb_error *error)
{
    compiler c = {.arena = arena, .program = program, .error = error, .code = ARB_OK};
    int reg = widen(&c, program->outputs[at], physical, 0);
    if (reg < 0)
        return c.code;
    program->outputs[at] = (uint16_t)reg;
    return ARB_OK;
}
