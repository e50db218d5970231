/* program_internal.h: what program_compile.c writes and program_run.c executes. For these two files only. */
#ifndef ARB_EXPR_PROGRAM_INTERNAL_H
#define ARB_EXPR_PROGRAM_INTERNAL_H

#include "base/vec.h"
#include "expr/program.h"
#include "expr/scalar.h"
#include "kernels/arithmetic.h"
#include "kernels/compare.h"
#include "kernels/convert.h"

typedef enum program_op {
    OP_ARITHMETIC, /* result = args[0] op args[1], by `binary` */
    OP_CONVERT,    /* number to number, by `convert` */
    OP_RESCALE,    /* INT128 args[0] / `divisor`, rounded half away from zero */
    OP_CHECK,      /* args[0] itself, failing outside of [low, high] */
    OP_COMPARE,    /* args[0] rel args[1] */
    OP_AND,
    OP_OR,
    OP_NOT,
    OP_IS_NULL,
    OP_IN,     /* args[0] among the constants args[1…] */
    OP_CALL,   /* by `scalar` */
    OP_NARROW, /* selection `target` = `selection` and what `narrow` says of args[0]; jump when it is empty */
    OP_MERGE,  /* result's rows under merge_selections[i] from args[i] */
} program_op;

typedef enum program_narrow {
    NARROW_TRUE,      /* where args[0] is true */
    NARROW_NOT_TRUE,  /* false or NULL */
    NARROW_NOT_FALSE, /* true or NULL */
    NARROW_NULL,
    NARROW_VALID,
} program_narrow;

typedef struct program_instruction {
    uint8_t op;     /* program_op */
    uint8_t narrow; /* program_narrow */
    bool fallible;
    bool try_cast;                      /* a failing row becomes NULL */
    bool per_entry;                     /* may be done once for each dictionary entry of args[entry_argument] */
    bool less, swap, negate, null_safe; /* COMPARE: `less` else equal; operands changed over; result inverted */
    uint8_t entry_argument;
    uint16_t selection; /* under which it runs */
    uint16_t target;    /* NARROW */
    uint16_t result;    /* register */
    uint16_t argument_count;
    const uint16_t *arguments;        /* registers */
    const uint16_t *merge_selections; /* MERGE */
    uint32_t jump;                    /* NARROW: where to go on when nothing is left */
    uint32_t number;                  /* index of the per-thread state: calls and dictionary caches */
    arb_code failure;
    const arb_expr *expr; /* for messages, and the CALL or CAST that `scalar` sees */
    union {
        const arb_arithmetic_fn *binary; /* [ARB_OPERANDS] */
        arb_convert_fn convert;
        arb_int128 divisor;
        const arb_compare_fn *compare; /* [ARB_OPERANDS] */
        const arb_scalar_implementation *scalar;
        struct {
            arb_int128 low, high;
        } check;
    };
} program_instruction;

typedef enum program_source { SOURCE_INPUT, SOURCE_CONSTANT, SOURCE_TEMPORARY } program_source;

typedef struct program_register {
    uint8_t source;  /* program_source */
    arb_slot slot;   /* type, physical, range, nullability */
    uint32_t input;  /* SOURCE_INPUT */
    arb_value value; /* SOURCE_CONSTANT */
} program_register;

struct arb_program {
    ARB_VEC(program_register) registers;       /* arena */
    ARB_VEC(program_instruction) instructions; /* arena */
    ARB_VEC(uint16_t) selection_parents;       /* of each selection register; 0 is the batch's */
    size_t output_count;
    uint16_t *outputs; /* registers */
    size_t input_count;
    bool *reads;
    uint32_t numbered; /* instructions that have a state */
};

#endif
