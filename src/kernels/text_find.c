#include "kernels/text_find.h"

ARB_KERNELS_DEFINE(arb_find_kernels)
