#include "kernels/arithmetic.h"

ARB_KERNELS_DEFINE(arb_arithmetic_kernels)
