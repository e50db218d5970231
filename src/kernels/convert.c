#include "kernels/convert.h"

ARB_KERNELS_DEFINE(arb_convert_kernels)
