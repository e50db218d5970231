/* arithmetic.h: +, -, *, / and % over plain arrays.
 *
 * A plan knows the range of every operand, so most loops need no overflow check: the planner picks a width that holds
 * every result. The checked ones exist for values whose type is as wide as the machine's (BIGINT, decimal(38)). */
#ifndef ARB_KERNELS_ARITHMETIC_H
#define ARB_KERNELS_ARITHMETIC_H

#include "base/cpu.h"

typedef enum arb_arithmetic_op { ARB_ADD, ARB_SUBTRACT, ARB_MULTIPLY, ARB_ARITHMETIC_OPS } arb_arithmetic_op;

/* Operand and result types. Fixed-width names; WIDEN: int32 operands, int64 result. */
typedef enum arb_arithmetic_type {
    ARB_ARITHMETIC_I32,
    ARB_ARITHMETIC_I64,
    ARB_ARITHMETIC_I128,
    ARB_ARITHMETIC_WIDEN,
    ARB_ARITHMETIC_F32,
    ARB_ARITHMETIC_F64,
    ARB_ARITHMETIC_I64_CHECKED,
    ARB_ARITHMETIC_I128_CHECKED, /* fails beyond +-(10^38 - 1) */
    ARB_ARITHMETIC_TYPES
} arb_arithmetic_type;

/* Which operands are arrays and which point to one value. */
typedef enum arb_operands { ARB_VECTOR_VECTOR, ARB_VECTOR_CONSTANT, ARB_CONSTANT_VECTOR, ARB_OPERANDS } arb_operands;

/* result[i] = left[i] op right[i]; `result` may be an operand. True when some row failed: its result is then
 * unspecified, and calling again with one row tells which. */
typedef bool (*arb_arithmetic_fn)(const void *left, const void *right, void *result, size_t rows);

/* Types of division; integers truncate. A zero divisor fails for all; the least number by -1 fails too. */
typedef enum arb_division_type {
    ARB_DIVISION_I32,
    ARB_DIVISION_I64,
    ARB_DIVISION_I128,
    ARB_DIVISION_F32,
    ARB_DIVISION_F64,
    ARB_DIVISION_TYPES
} arb_division_type;

typedef struct arb_arithmetic_kernels {
    arb_arithmetic_fn binary[ARB_ARITHMETIC_OPS][ARB_ARITHMETIC_TYPES][ARB_OPERANDS];
    arb_arithmetic_fn divide[ARB_DIVISION_TYPES][ARB_OPERANDS];
    arb_arithmetic_fn modulo[ARB_DIVISION_TYPES][ARB_OPERANDS];
} arb_arithmetic_kernels;

ARB_KERNELS_DECLARE(arb_arithmetic_kernels);

#endif
