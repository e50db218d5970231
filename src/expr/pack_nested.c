/* pack_nested.c: lists, structs and maps to packed values and back, as steps of programs. The call's `expr` has the type. */
#include "columnar/nested_value.h"
#include "expr/scalar.h"

static arb_code run_pack(arb_call *call, arb_error *error)
{
    return arb_nested_pack(call->arguments[0], call->expr->type, call->rows, call->selection, call->arena,
                           call->result->values.string, error);
}

static arb_code run_unpack(arb_call *call, arb_error *error)
{
    return arb_nested_unpack(call->arguments[0], call->expr->type, call->rows, call->selection, call->arena,
                             call->result, error);
}

const arb_scalar_implementation arb_pack_nested = {.run = run_pack};
const arb_scalar_implementation arb_unpack_nested = {.run = run_unpack};
