#include "kernels/compare.h"

ARB_KERNELS_DEFINE(arb_compare_kernels)
