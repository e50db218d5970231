#include "kernels/reduce.h"

ARB_KERNELS_DEFINE(arb_reduce_kernels)
