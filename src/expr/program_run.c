/* program_run.c: instructions over registers, batch by batch.
 *
 * Each register has a current vector: an input's, a constant, or a result over the register's own storage. An operand
 * that comes as a DICTIONARY is flattened once a batch, into storage that is made when first needed, unless the
 * instruction may work per entry. A selection that is empty makes NARROW jump over what it guards; the selections made
 * in between are emptied first, since merges behind look at them. */
#include "expr/program.h"

#include "base/alloc.h"
#include "expr/program_internal.h"
#include "kernels/select.h"

/* Dictionaries beyond this many entries are not worked through ahead: most of their entries may never be looked up. */
enum { entries_most = 16384 };

/* What a numbered instruction keeps in one thread. */
typedef struct instruction_state {
    void *call_state;
    bool prepared;
    uint64_t dictionary_id; /* of the entries that `entries` was worked out from; 0 = none */
    uint64_t result_id;     /* as a dictionary itself */
    bool entries_fail;      /* some entry fails: rows are worked out one by one, since it may not be in use */
    arb_vector entries;     /* results for each entry */
    arb_vector_storage storage;
    uint32_t capacity;
    arb_arena arena; /* texts of `entries` */
} instruction_state;

typedef struct register_state {
    arb_vector vector; /* current value, when not an input */
    const arb_vector *current;
    arb_vector_storage storage;      /* results; made at creation for temporaries */
    arb_vector_storage flat_storage; /* for flattening; made when needed */
    arb_vector flat;
    uint64_t flat_run; /* the run in which `flat` was made */
} register_state;

struct arb_program_state {
    const arb_program *program;
    register_state *registers;
    instruction_state *instructions;
    uint64_t (*selections)[ARB_VECTOR_WORDS];
    const uint64_t *selection_in; /* the caller's */
    const arb_vector **batch_inputs;
    uint64_t run;
    uint32_t rows;
    arb_arena arena; /* texts of this batch */
    arb_stop_flag *stop;
};

void arb_program_state_set_stop(arb_program_state *state, arb_stop_flag *stop)
{
    state->stop = stop;
}

void arb_program_state_destroy(arb_program_state *state)
{
    if (state == NULL)
        return;
    const arb_program *program = state->program;
    for (size_t i = 0; state->registers != NULL && i < program->registers.size; i++) {
        arb_vector_storage_reset(&state->registers[i].storage);
        arb_vector_storage_reset(&state->registers[i].flat_storage);
    }
    for (size_t i = 0; state->instructions != NULL && i < program->instructions.size; i++) {
        const program_instruction *instruction = &program->instructions.data[i];
        if (instruction->op != OP_CALL && !instruction->per_entry)
            continue;
        instruction_state *own = &state->instructions[instruction->number];
        if (own->prepared && instruction->op == OP_CALL && instruction->scalar->release != NULL)
            instruction->scalar->release(own->call_state);
        own->prepared = false;
        arb_vector_storage_reset(&own->storage);
        arb_arena_reset(&own->arena);
    }
    arb_arena_reset(&state->arena);
    arb_free(state->registers);
    arb_free(state->instructions);
    arb_free(state->selections);
    arb_free(state->batch_inputs);
    arb_free(state);
}

static arb_code init_register(register_state *own, const program_register *reg, arb_error *error)
{
    if (reg->source == SOURCE_INPUT)
        return ARB_OK;
    bool constant = reg->source == SOURCE_CONSTANT;
    ARB_TRY(arb_vector_storage_init(&own->storage, reg->slot.physical, constant ? 64 : ARB_VECTOR_ROWS, error));
    own->vector = constant ? arb_vector_constant(&own->storage, &reg->value) : arb_vector_over(&own->storage);
    own->current = &own->vector;
    return ARB_OK;
}

arb_code arb_program_state_create(const arb_program *program, arb_program_state **out_state, arb_error *error)
{
    *out_state = NULL;
    arb_program_state *state = arb_alloc_zeroed(sizeof *state);
    if (state == NULL)
        return arb_fail_memory(error, "an expression's state", sizeof *state);
    state->program = program;
    state->registers = arb_alloc_zeroed(program->registers.size * sizeof *state->registers);
    state->instructions = arb_alloc_zeroed(program->numbered * sizeof *state->instructions);
    state->selections = arb_alloc_zeroed(program->selection_parents.size * sizeof *state->selections);
    state->batch_inputs = arb_alloc_zeroed((program->input_count + 1) * sizeof *state->batch_inputs);
    arb_code code = ARB_OK;
    if (state->registers == NULL || state->instructions == NULL || state->selections == NULL ||
        state->batch_inputs == NULL)
        code = arb_fail_memory(error, "an expression's state", program->registers.size * sizeof *state->registers);
    for (size_t i = 0; code == ARB_OK && i < program->registers.size; i++)
        code = init_register(&state->registers[i], &program->registers.data[i], error);
    for (size_t i = 0; code == ARB_OK && i < program->instructions.size; i++) {
        const program_instruction *instruction = &program->instructions.data[i];
        if (instruction->op != OP_CALL)
            continue;
        instruction_state *own = &state->instructions[instruction->number];
        if (instruction->scalar->prepare != NULL)
            code = instruction->scalar->prepare(instruction->expr, &own->call_state, error);
        own->prepared = code == ARB_OK;
    }
    if (code != ARB_OK) {
        arb_program_state_destroy(state);
        return code;
    }
    *out_state = state;
    return ARB_OK;
}

/* ---- operands -------------------------------------------------------------------------------------------------------- */

/* The register's vector, FLAT or CONSTANT. */
static arb_code flat_operand(arb_program_state *state, uint16_t reg, const arb_vector **out_vector, arb_error *error)
{
    register_state *own = &state->registers[reg];
    const arb_vector *vector = own->current;
    if (vector->encoding != ARB_DICTIONARY) {
        *out_vector = vector;
        return ARB_OK;
    }
    if (own->flat_run != state->run) {
        if (own->flat_storage.values == NULL)
            ARB_TRY(
                arb_vector_storage_init(&own->flat_storage, (arb_physical)vector->physical, ARB_VECTOR_ROWS, error));
        arb_vector_flatten(vector, state->rows, &own->flat_storage, &own->flat);
        own->flat_run = state->run;
    }
    *out_vector = &own->flat;
    return ARB_OK;
}

static bool constant_is_null(const arb_vector *vector)
{
    return vector->encoding == ARB_CONSTANT && vector->validity != NULL && (vector->validity[0] & 1) == 0;
}

/* The rows where all operands have values, into `validity`. False when that is all rows, and nothing was written. */
static bool join_validity(const arb_vector *const *operands, size_t count, uint32_t rows, uint64_t *validity)
{
    bool some = false;
    size_t words = arb_bitmap_words(rows);
    for (size_t i = 0; i < count; i++) {
        const arb_vector *operand = operands[i];
        if (operand->validity == NULL || (operand->encoding == ARB_CONSTANT && !constant_is_null(operand)))
            continue;
        if (operand->encoding == ARB_CONSTANT) {
            memset(validity, 0, words * 8);
            return true;
        }
        for (size_t word = 0; word < words; word++)
            validity[word] = some ? validity[word] & operand->validity[word] : operand->validity[word];
        some = true;
    }
    return some;
}

static arb_operands operand_form(const arb_vector *left, const arb_vector *right)
{
    return right->encoding == ARB_CONSTANT  ? ARB_VECTOR_CONSTANT
           : left->encoding == ARB_CONSTANT ? ARB_CONSTANT_VECTOR
                                            : ARB_VECTOR_VECTOR;
}

/* ---- where an instruction works: on the batch, or on a dictionary's entries ------------------------------------------- */

typedef struct frame {
    arb_program_state *state;
    const program_instruction *instruction;
    const arb_vector *const *operands; /* FLAT or CONSTANT */
    uint32_t rows;
    const uint64_t *selection; /* rows that count, no bits behind `rows` */
    const arb_vector_storage *storage;
    arb_vector *result; /* over storage */
    arb_arena *arena;
} frame;

static size_t operand_slot(const arb_vector *operand, size_t row)
{
    return operand->encoding == ARB_CONSTANT ? 0 : row;
}

static const void *operand_at(const arb_vector *operand, size_t row)
{
    return (const char *)operand->values.data +
           operand_slot(operand, row) * arb_physical_size((arb_physical)operand->physical);
}

/* The least number divided by -1 fails too, but not for a divisor of zero. */
static bool divides_by_zero(const frame *f, size_t row)
{
    const arb_vector *divisor = f->operands[1];
    size_t slot = operand_slot(divisor, row);
    return arb_physical_is_integer((arb_physical)divisor->physical) ? arb_vector_get_integer(divisor, slot) == 0
                                                                    : arb_vector_get_double(divisor, slot) == 0;
}

static arb_code fail_row(const frame *f, size_t row, arb_error *error)
{
    const program_instruction *instruction = f->instruction;
    const arb_expr *expr = instruction->expr;
    arb_code failure = instruction->failure;
    if (failure == ARB_DIVISION_BY_ZERO && divides_by_zero(f, row)) {
        arb_fail(error, failure, "division by zero");
    } else {
        failure = ARB_OUT_OF_RANGE;
        arb_text type = {0};
        if (expr != NULL)
            arb_type_print(&type, expr->type);
        arb_fail(error, failure, "%s out of range", type.data != NULL ? type.data : "value");
        arb_text_reset(&type);
    }
    return arb_error_at(error, failure, expr != NULL ? expr->position : 0);
}

/* A loop reported failures: look at the rows that count. Those that really fail become NULL (try_cast) or the error. */
typedef bool (*row_test)(const frame *f, size_t row);
static arb_code settle_failures(const frame *f, row_test fails, arb_error *error)
{
    uint64_t *validity = f->result->validity;
    for (size_t word = 0; word < arb_bitmap_words(f->rows); word++) {
        uint64_t left = f->selection[word] & (validity != NULL ? validity[word] : ~(uint64_t)0);
        for (; left != 0; left &= left - 1) {
            size_t row = word * 64 + (size_t)__builtin_ctzll(left);
            if (!fails(f, row))
                continue;
            if (!f->instruction->try_cast)
                return fail_row(f, row, error);
            if (validity == NULL) {
                validity = f->storage->validity;
                arb_bitmap_fill(validity, f->rows);
                f->result->validity = validity;
            }
            if (f->result->encoding == ARB_CONSTANT) { /* what fails for one row fails for all */
                memset(validity, 0, arb_bitmap_words(f->rows) * 8);
                return ARB_OK;
            }
            arb_bitmap_clear(validity, row);
        }
    }
    return ARB_OK;
}

static bool arithmetic_fails(const frame *f, size_t row)
{
    arb_int128 ignored;
    return f->instruction->binary[ARB_VECTOR_VECTOR](operand_at(f->operands[0], row), operand_at(f->operands[1], row),
                                                     &ignored, 1);
}

static bool convert_fails(const frame *f, size_t row)
{
    arb_int128 ignored;
    return f->instruction->convert(operand_at(f->operands[0], row), &ignored, 1);
}

static bool check_fails(const frame *f, size_t row)
{
    arb_int128 value = arb_vector_get_integer(f->operands[0], row);
    return value < f->instruction->check.low || value > f->instruction->check.high;
}

static arb_code run_arithmetic(const frame *f, arb_error *error)
{
    const arb_vector *left = f->operands[0], *right = f->operands[1];
    if (join_validity(f->operands, 2, f->rows, f->storage->validity))
        f->result->validity = f->storage->validity;
    bool one = left->encoding == ARB_CONSTANT && right->encoding == ARB_CONSTANT;
    size_t rows = f->rows;
    if (one) { /* worked out once: the result is CONSTANT */
        f->result->encoding = ARB_CONSTANT;
        rows = 1;
    }
    arb_operands form = one ? ARB_VECTOR_VECTOR : operand_form(left, right);
    bool failed = f->instruction->binary[form](left->values.data, right->values.data, f->result->values.data, rows);
    if (ARB_UNLIKELY(failed) && f->instruction->fallible)
        return settle_failures(f, arithmetic_fails, error);
    return ARB_OK;
}

static void copy_validity(const frame *f)
{
    if (join_validity(f->operands, 1, f->rows, f->storage->validity))
        f->result->validity = f->storage->validity;
}

static arb_code run_convert(const frame *f, arb_error *error)
{
    const arb_vector *from = f->operands[0];
    copy_validity(f);
    f->result->encoding = from->encoding;
    size_t rows = from->encoding == ARB_CONSTANT ? 1 : f->rows;
    bool failed = f->instruction->convert(from->values.data, f->result->values.data, rows);
    return ARB_UNLIKELY(failed) && f->instruction->fallible ? settle_failures(f, convert_fails, error) : ARB_OK;
}

static arb_code run_rescale(const frame *f)
{
    const arb_vector *from = f->operands[0];
    copy_validity(f);
    f->result->encoding = from->encoding;
    size_t rows = from->encoding == ARB_CONSTANT ? 1 : f->rows;
    arb_int128 divisor = f->instruction->divisor, half = divisor / 2;
    for (size_t i = 0; i < rows; i++) {
        arb_int128 value = from->values.i128[i], whole = value / divisor, rest = value % divisor;
        f->result->values.i128[i] = whole + (rest >= half) - (rest <= -half);
    }
    return ARB_OK;
}

static arb_code run_check(const frame *f, arb_error *error)
{
    const arb_vector *from = f->operands[0];
    *f->result = *from;
    f->result->validity = NULL;
    copy_validity(f);
    arb_int128 low = f->instruction->check.low, high = f->instruction->check.high;
    bool failed = false;
    if (from->physical == ARB_PHYS_INT64) {
        int64_t least = low < INT64_MIN ? INT64_MIN : (int64_t)low, most = high > INT64_MAX ? INT64_MAX : (int64_t)high;
        size_t rows = from->encoding == ARB_CONSTANT ? 1 : f->rows;
        for (size_t i = 0; i < rows; i++)
            failed |= from->values.i64[i] < least || from->values.i64[i] > most;
    } else {
        failed = true; /* not worth a loop of its own: rows that count are looked at one by one */
    }
    return ARB_UNLIKELY(failed) ? settle_failures(f, check_fails, error) : ARB_OK;
}

/* Validity of one operand as full words: all ones when there are no NULLs. */
static void expand_validity(const arb_vector *vector, size_t words, uint64_t *bits)
{
    if (vector->validity == NULL || (vector->encoding == ARB_CONSTANT && !constant_is_null(vector)))
        memset(bits, 0xFF, words * 8);
    else if (vector->encoding == ARB_CONSTANT)
        memset(bits, 0, words * 8);
    else
        memcpy(bits, vector->validity, words * 8);
}

/* Bits of operands that are BOOL: dictionaries' entries can be more than a batch, so words are expanded one by one. */
static uint64_t bits_word(const arb_vector *vector, size_t word)
{
    if (vector->encoding == ARB_CONSTANT)
        return (vector->values.bits[0] & 1) != 0 ? ~(uint64_t)0 : 0;
    return vector->values.bits[word];
}

static uint64_t validity_word(const arb_vector *vector, size_t word)
{
    if (vector->validity == NULL)
        return ~(uint64_t)0;
    if (vector->encoding == ARB_CONSTANT)
        return (vector->validity[0] & 1) != 0 ? ~(uint64_t)0 : 0;
    return vector->validity[word];
}

static void compare_values(const frame *f, uint64_t *bits)
{
    const program_instruction *instruction = f->instruction;
    const arb_vector *left = f->operands[instruction->swap ? 1 : 0], *right = f->operands[instruction->swap ? 0 : 1];
    size_t words = arb_bitmap_words(f->rows);
    if (left->physical == ARB_PHYS_BOOL) {
        for (size_t word = 0; word < words; word++) {
            uint64_t a = bits_word(left, word), b = bits_word(right, word);
            bits[word] = instruction->less ? ~a & b : ~(a ^ b);
        }
    } else if (left->encoding == ARB_CONSTANT && right->encoding == ARB_CONSTANT) {
        uint64_t one = 0;
        instruction->compare[ARB_VECTOR_VECTOR](left->values.data, right->values.data, 1, &one);
        memset(bits, (one & 1) != 0 ? 0xFF : 0, words * 8);
    } else {
        instruction->compare[operand_form(left, right)](left->values.data, right->values.data, f->rows, bits);
    }
}

static arb_code run_compare(const frame *f)
{
    const program_instruction *instruction = f->instruction;
    uint64_t *bits = f->result->values.bits;
    size_t words = arb_bitmap_words(f->rows);
    compare_values(f, bits);
    if (instruction->null_safe) { /* equal: both NULL, or both not and the same */
        for (size_t word = 0; word < words; word++) {
            uint64_t a = validity_word(f->operands[0], word), b = validity_word(f->operands[1], word);
            bits[word] = (bits[word] & a & b) | (~a & ~b);
        }
    } else if (join_validity(f->operands, 2, f->rows, f->storage->validity)) {
        f->result->validity = f->storage->validity;
    }
    if (instruction->negate)
        for (size_t word = 0; word < words; word++)
            bits[word] = ~bits[word];
    return ARB_OK;
}

/* x IN (TRUE), IN (FALSE), IN (TRUE, FALSE) */
static void run_in_bits(const frame *f)
{
    const arb_vector *value = f->operands[0];
    uint64_t *bits = f->result->values.bits, same = 0, opposite = 0;
    for (uint16_t i = 1; i < f->instruction->argument_count; i++) {
        bool truth = (f->operands[i]->values.bits[0] & 1) != 0;
        same |= truth ? UINT64_MAX : 0;
        opposite |= truth ? 0 : UINT64_MAX;
    }
    for (size_t word = 0; word < arb_bitmap_words(f->rows); word++) {
        uint64_t held = value->encoding != ARB_CONSTANT    ? value->values.bits[word]
                        : (value->values.bits[0] & 1) != 0 ? UINT64_MAX
                                                           : 0;
        bits[word] = (held & same) | (~held & opposite);
    }
}

static arb_code run_in(const frame *f)
{
    const program_instruction *instruction = f->instruction;
    const arb_vector *value = f->operands[0];
    uint64_t *bits = f->result->values.bits;
    size_t words = arb_bitmap_words(f->rows);
    copy_validity(f);
    if (value->physical == ARB_PHYS_BOOL) {
        run_in_bits(f);
        return ARB_OK;
    }
    memset(bits, 0, words * 8);
    if (value->encoding == ARB_CONSTANT) {
        uint64_t hit = 0, one = 0;
        for (uint16_t i = 1; i < instruction->argument_count; i++, hit |= one & 1)
            instruction->compare[ARB_VECTOR_VECTOR](value->values.data, f->operands[i]->values.data, 1, &one);
        memset(bits, hit != 0 ? 0xFF : 0, words * 8);
        return ARB_OK;
    }
    size_t size = arb_physical_size((arb_physical)value->physical);
    for (size_t row = 0; row < f->rows; row += ARB_VECTOR_ROWS) {
        uint64_t hits[ARB_VECTOR_WORDS];
        size_t rows = ARB_MIN(f->rows - row, (size_t)ARB_VECTOR_ROWS);
        for (uint16_t i = 1; i < instruction->argument_count; i++) {
            const char *from = (const char *)value->values.data + row * size;
            instruction->compare[ARB_VECTOR_CONSTANT](from, f->operands[i]->values.data, rows, hits);
            for (size_t word = 0; word < arb_bitmap_words(rows); word++)
                bits[row / 64 + word] |= hits[word];
        }
    }
    return ARB_OK;
}

static arb_code run_call(const frame *f, arb_error *error)
{
    const program_instruction *instruction = f->instruction;
    instruction_state *own = &f->state->instructions[instruction->number];
    arb_call call = {.expr = instruction->expr,
                     .state = own->call_state,
                     .arena = f->arena,
                     .arguments = f->operands,
                     .rows = f->rows,
                     .result = f->result,
                     .result_validity = f->storage->validity,
                     .try_cast = instruction->try_cast,
                     .stop = f->state->stop};
    size_t words = arb_bitmap_words(f->rows);
    bool some_null = !instruction->null_safe &&
                     join_validity(f->operands, instruction->argument_count, f->rows, call.result_validity);
    if (!some_null)
        memset(call.result_validity, 0xFF, words * 8);
    uint64_t few[ARB_VECTOR_WORDS];
    uint64_t *wanted = few;
    if (words > ARB_VECTOR_WORDS) {
        wanted = arb_arena_alloc(f->arena, words * 8);
        if (wanted == NULL)
            return arb_fail_memory(error, "a function's selection", words * 8);
    }
    for (size_t word = 0; word < words; word++)
        wanted[word] = f->selection[word] & call.result_validity[word];
    call.selection = wanted;
    if (f->result->physical == ARB_PHYS_STRING) /* rows that do not count must still be safe to read */
        memset(f->result->values.data, 0, (size_t)f->rows * sizeof(arb_string));
    ARB_TRY(instruction->scalar->run(&call, error));
    if (some_null || call.has_null)
        f->result->validity = call.result_validity;
    return ARB_OK;
}

static arb_code run_on(const frame *f, arb_error *error)
{
    switch ((program_op)f->instruction->op) {
    case OP_ARITHMETIC:
        return run_arithmetic(f, error);
    case OP_CONVERT:
        return run_convert(f, error);
    case OP_RESCALE:
        return run_rescale(f);
    case OP_CHECK:
        return run_check(f, error);
    case OP_COMPARE:
        return run_compare(f);
    case OP_IN:
        return run_in(f);
    default:
        assert(f->instruction->op == OP_CALL);
        return run_call(f, error);
    }
}

/* ---- truth ------------------------------------------------------------------------------------------------------------ */

/* T: true. V: not NULL. false = V and not T. */
static void run_and_or(arb_program_state *state, const program_instruction *instruction, register_state *result)
{
    bool conjunction = instruction->op == OP_AND;
    size_t words = arb_bitmap_words(state->rows);
    uint64_t *bits = result->storage.values, *validity = result->storage.validity;
    bool some_null = false;
    for (uint16_t i = 0; i < instruction->argument_count; i++) {
        const arb_vector *operand = state->registers[instruction->arguments[i]].current;
        some_null |= operand->validity != NULL;
        for (size_t word = 0; word < words; word++) {
            uint64_t v = validity_word(operand, word), b = bits_word(operand, word);
            uint64_t t = b & v, no = ~b & v;
            if (i == 0) {
                bits[word] = t;
                validity[word] = v;
                continue;
            }
            uint64_t old_t = bits[word], old_no = validity[word] & ~bits[word];
            uint64_t new_t = conjunction ? old_t & t : old_t | t;
            uint64_t new_no = conjunction ? old_no | no : old_no & no;
            bits[word] = new_t;
            validity[word] = new_t | new_no;
        }
    }
    result->vector = arb_vector_over(&result->storage);
    result->vector.validity = some_null ? validity : NULL;
}

static void run_not_or_null(arb_program_state *state, const program_instruction *instruction, register_state *result)
{
    const arb_vector *operand = state->registers[instruction->arguments[0]].current;
    size_t words = arb_bitmap_words(state->rows);
    uint64_t *bits = result->storage.values;
    result->vector = arb_vector_over(&result->storage);
    if (instruction->op == OP_IS_NULL) {
        for (size_t word = 0; word < words; word++)
            bits[word] = ~validity_word(operand, word);
        return;
    }
    for (size_t word = 0; word < words; word++)
        bits[word] = ~bits_word(operand, word);
    if (operand->validity != NULL) {
        expand_validity(operand, words, result->storage.validity);
        result->vector.validity = result->storage.validity;
    }
}

static bool run_narrow(arb_program_state *state, const program_instruction *instruction)
{
    const arb_vector *operand = state->registers[instruction->arguments[0]].current;
    const uint64_t *from = state->selections[instruction->selection];
    uint64_t *to = state->selections[instruction->target], any = 0;
    for (size_t word = 0; word < arb_bitmap_words(state->rows); word++) {
        uint64_t v = validity_word(operand, word), keep = v;
        if (instruction->narrow == NARROW_NULL) {
            keep = ~v;
        } else if (instruction->narrow != NARROW_VALID) {
            uint64_t b = bits_word(operand, word);
            keep = instruction->narrow == NARROW_TRUE       ? b & v
                   : instruction->narrow == NARROW_NOT_TRUE ? ~(b & v)
                                                            : b | ~v;
        }
        to[word] = from[word] & keep;
        any |= to[word];
    }
    return any != 0;
}

/* Copy the selected rows of one branch. */
static void merge_branch(const arb_vector *from, const uint64_t *selection, uint32_t rows, const arb_vector_storage *to)
{
    size_t size = arb_physical_size((arb_physical)from->physical);
    uint64_t *out_bits = to->values;
    for (size_t word = 0; word < arb_bitmap_words(rows); word++) {
        uint64_t wanted = selection[word];
        if (wanted == 0)
            continue;
        to->validity[word] = (to->validity[word] & ~wanted) | (validity_word(from, word) & wanted);
        if (from->physical == ARB_PHYS_BOOL) {
            out_bits[word] = (out_bits[word] & ~wanted) | (bits_word(from, word) & wanted);
            continue;
        }
        char *out = (char *)to->values + word * 64 * size;
        const char *in = (const char *)from->values.data;
        if (from->encoding != ARB_CONSTANT)
            in += word * 64 * size;
        size_t step = from->encoding == ARB_CONSTANT ? 0 : size;
        if (size == 8) {
            for (; wanted != 0; wanted &= wanted - 1) {
                size_t row = (size_t)__builtin_ctzll(wanted);
                memcpy(out + row * 8, in + row * step, 8);
            }
            continue;
        }
        for (; wanted != 0; wanted &= wanted - 1) {
            size_t row = (size_t)__builtin_ctzll(wanted);
            memcpy(out + row * size, in + row * step, size);
        }
    }
}

static arb_code run_merge(arb_program_state *state, const program_instruction *instruction, register_state *result,
                          arb_error *error)
{
    size_t words = arb_bitmap_words(state->rows);
    bool some_null = false;
    memset(result->storage.validity, 0xFF, words * 8);
    if (result->storage.physical == ARB_PHYS_STRING)
        memset(result->storage.values, 0, (size_t)state->rows * sizeof(arb_string));
    for (uint16_t i = 0; i < instruction->argument_count; i++) {
        const arb_vector *from;
        ARB_TRY(flat_operand(state, instruction->arguments[i], &from, error));
        some_null |= from->validity != NULL;
        merge_branch(from, state->selections[instruction->merge_selections[i]], state->rows, &result->storage);
    }
    result->vector = arb_vector_over(&result->storage);
    result->vector.validity = some_null ? result->storage.validity : NULL;
    return ARB_OK;
}

/* ---- per entry of a dictionary ------------------------------------------------------------------------------------------ */

enum { operands_inline = 16 };

static arb_code work_out_entries(arb_program_state *state, const program_instruction *instruction,
                                 const arb_vector *dictionary, uint32_t entries, uint64_t dictionary_id,
                                 arb_error *error)
{
    instruction_state *own = &state->instructions[instruction->number];
    own->dictionary_id = 0;
    if (own->capacity < entries) {
        arb_vector_storage_reset(&own->storage);
        uint32_t capacity = (uint32_t)arb_next_power_of_two(ARB_MAX(entries, 256u));
        arb_physical physical = state->program->registers.data[instruction->result].slot.physical;
        ARB_TRY(arb_vector_storage_init(&own->storage, physical, capacity, error));
        own->capacity = capacity;
    }
    arb_arena_rewind(&own->arena);
    uint64_t *all = arb_arena_alloc(&own->arena, arb_bitmap_words(entries) * 8);
    const arb_vector **operands = arb_arena_alloc(&own->arena, instruction->argument_count * sizeof *operands);
    if (all == NULL || operands == NULL)
        return arb_fail_memory(error, "a dictionary's results", entries);
    arb_bitmap_fill(all, entries);
    uint16_t varying = instruction->arguments[instruction->entry_argument];
    for (uint16_t i = 0; i < instruction->argument_count; i++)
        operands[i] =
            instruction->arguments[i] == varying ? dictionary : state->registers[instruction->arguments[i]].current;
    own->entries = arb_vector_over(&own->storage);
    frame f = {.state = state,
               .instruction = instruction,
               .operands = operands,
               .rows = entries,
               .selection = all,
               .storage = &own->storage,
               .result = &own->entries,
               .arena = &own->arena};
    arb_code code = run_on(&f, instruction->fallible ? NULL : error);
    if (code != ARB_OK && (!instruction->fallible || code == ARB_OUT_OF_MEMORY))
        return arb_error_at(error, code, 0);
    own->entries_fail = code != ARB_OK;
    own->dictionary_id = dictionary_id;
    own->result_id = arb_dictionary_id_next();
    return ARB_OK;
}

/* Rows' results from the entries': bits are looked up, other values stay a dictionary. */
static void look_up_entries(arb_program_state *state, const program_instruction *instruction, const arb_vector *operand)
{
    const instruction_state *own = &state->instructions[instruction->number];
    register_state *result = &state->registers[instruction->result];
    const arb_selection_kernels *kernels = arb_selection_kernels_get();
    arb_vector out = arb_vector_over(&result->storage);
    if (own->entries.validity != NULL) {
        kernels->gather32_bits(own->entries.validity, operand->values.codes, state->rows, result->storage.validity);
        out.validity = result->storage.validity;
        if (operand->validity != NULL)
            for (size_t word = 0; word < arb_bitmap_words(state->rows); word++)
                out.validity[word] &= operand->validity[word];
    } else {
        out.validity = operand->validity;
    }
    if (out.physical == ARB_PHYS_BOOL) {
        kernels->gather32_bits(own->entries.values.bits, operand->values.codes, state->rows, result->storage.values);
    } else if (own->entries.encoding == ARB_FLAT && own->entries.validity == NULL) {
        out.encoding = ARB_DICTIONARY;
        out.values.codes = operand->values.codes;
        out.dictionary = &own->entries;
        out.dictionary_size = operand->dictionary_size;
        out.dictionary_id = own->result_id;
    } else {
        arb_vector coded = {.physical = out.physical,
                            .encoding = ARB_DICTIONARY,
                            .values = operand->values,
                            .dictionary = &own->entries};
        uint64_t *validity = out.validity;
        arb_vector_flatten(&coded, state->rows, &result->storage, &out);
        out.validity = validity;
    }
    result->vector = out;
}

static arb_code run_per_entry(arb_program_state *state, const program_instruction *instruction, bool *out_done,
                              arb_error *error)
{
    *out_done = false;
    const arb_vector *operand = state->registers[instruction->arguments[instruction->entry_argument]].current;
    if (operand->encoding != ARB_DICTIONARY || operand->dictionary_size > entries_most || operand->dictionary_size == 0)
        return ARB_OK;
    instruction_state *own = &state->instructions[instruction->number];
    if (own->dictionary_id != operand->dictionary_id)
        ARB_TRY(work_out_entries(state, instruction, operand->dictionary, operand->dictionary_size,
                                 operand->dictionary_id, error));
    if (own->entries_fail)
        return ARB_OK;
    look_up_entries(state, instruction, operand);
    *out_done = true;
    return ARB_OK;
}

static arb_code run_typed(arb_program_state *state, const program_instruction *instruction, arb_error *error)
{
    register_state *result = &state->registers[instruction->result];
    result->current = &result->vector;
    if (instruction->per_entry) {
        bool done;
        ARB_TRY(run_per_entry(state, instruction, &done, error));
        if (done)
            return ARB_OK;
    }
    const arb_vector *inlined[operands_inline], **operands = inlined;
    if (instruction->argument_count > operands_inline) {
        operands = arb_arena_alloc(&state->arena, instruction->argument_count * sizeof *operands);
        if (operands == NULL)
            return arb_fail_memory(error, "an expression's operands", instruction->argument_count);
    }
    for (uint16_t i = 0; i < instruction->argument_count; i++)
        ARB_TRY(flat_operand(state, instruction->arguments[i], &operands[i], error));
    result->vector = arb_vector_over(&result->storage);
    frame f = {.state = state,
               .instruction = instruction,
               .operands = operands,
               .rows = state->rows,
               .selection = state->selections[instruction->selection],
               .storage = &result->storage,
               .result = &result->vector,
               .arena = &state->arena};
    return run_on(&f, error);
}

/* ---- the loop ----------------------------------------------------------------------------------------------------------- */

static void jump_to(arb_program_state *state, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const program_instruction *skipped = &state->program->instructions.data[i];
        if (skipped->op == OP_NARROW) {
            memset(state->selections[skipped->target], 0, sizeof state->selections[0]);
            continue;
        }
        /* what the last batch left may lie in memory that is gone; nobody looks at these rows, but they are read */
        register_state *result = &state->registers[skipped->result];
        result->vector = arb_vector_over(&result->storage);
        if (result->vector.physical == ARB_PHYS_STRING || result->vector.physical == ARB_PHYS_LIST)
            memset(result->storage.values, 0, state->rows * arb_physical_size((arb_physical)result->vector.physical));
        result->current = &result->vector;
    }
}

static arb_code execute(arb_program_state *state, arb_error *error)
{
    const arb_program *program = state->program;
    for (size_t at = 0; at < program->instructions.size; at++) {
        const program_instruction *instruction = &program->instructions.data[at];
        register_state *result = &state->registers[instruction->result];
        switch ((program_op)instruction->op) {
        case OP_AND:
        case OP_OR:
            run_and_or(state, instruction, result);
            result->current = &result->vector;
            break;
        case OP_NOT:
        case OP_IS_NULL:
            run_not_or_null(state, instruction, result);
            result->current = &result->vector;
            break;
        case OP_MERGE:
            ARB_TRY(run_merge(state, instruction, result, error));
            result->current = &result->vector;
            break;
        case OP_NARROW:
            if (!run_narrow(state, instruction)) {
                jump_to(state, at + 1, instruction->jump);
                at = instruction->jump - 1;
            }
            break;
        default:
            ARB_TRY(run_typed(state, instruction, error));
        }
    }
    return ARB_OK;
}

arb_code arb_program_run(arb_program_state *state, const arb_vector *const *inputs, uint32_t rows,
                         const uint64_t *selection, const arb_vector **out_results, arb_error *error)
{
    const arb_program *program = state->program;
    assert(rows <= ARB_VECTOR_ROWS);
    state->run++;
    state->rows = rows;
    arb_arena_rewind(&state->arena);
    if (selection != NULL)
        memcpy(state->selections[0], selection, arb_bitmap_words(rows) * 8);
    else
        arb_bitmap_fill(state->selections[0], rows);
    for (size_t i = 0; i < program->input_count; i++) {
        state->registers[i].current = inputs[i];
        if (program->reads[i] && inputs[i]->physical == ARB_PHYS_BOOL) /* loops over bits know no dictionaries */
            ARB_TRY(flat_operand(state, (uint16_t)i, &state->registers[i].current, error));
    }
    ARB_TRY(execute(state, error));
    for (size_t i = 0; i < program->output_count; i++)
        out_results[i] = state->registers[program->outputs[i]].current;
    return ARB_OK;
}

arb_code arb_program_run_batch(arb_program_state *state, const arb_batch *batch, const arb_vector **out_results,
                               arb_error *error)
{
    for (size_t i = 0; i < state->program->input_count; i++)
        state->batch_inputs[i] = &batch->columns[i];
    return arb_program_run(state, state->batch_inputs, batch->rows, batch->selection, out_results, error);
}

arb_code arb_program_select(arb_program_state *state, const arb_vector *const *inputs, uint32_t rows,
                            uint64_t *selection, arb_error *error)
{
    const arb_vector *truth;
    assert(state->program->output_count == 1);
    ARB_TRY(arb_program_run(state, inputs, rows, selection, &truth, error));
    const arb_vector *entries = arb_vector_entries(truth);
    assert(entries == truth); /* bits are never left as a dictionary; an input column of BOOL may be */
    for (size_t word = 0; word < arb_bitmap_words(rows); word++)
        selection[word] &= bits_word(entries, word) & validity_word(truth, word);
    return ARB_OK;
}
