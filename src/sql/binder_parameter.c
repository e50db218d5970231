/* binder_parameter.c: ? and $1. Types are found out by binding once with an untyped NULL for each parameter, which takes on a
 * type where a string would; with values they are literals of those types. */
#include "sql/binder_internal.h"

arb_code arb_bind_parameter(arb_binder *b, const arb_ast_parameter *parameter, const arb_expr **out)
{
    arb_ast_span span = parameter->base.span;
    const arb_bind_parameters *parameters = b->parameters;
    if (parameter->number == 0)
        return arb_bind_fail(b, span, ARB_NOT_SUPPORTED, "parameters have numbers here, not names: $1 or ?");
    if (b->in_view || parameters == NULL)
        return arb_bind_fail(b, span, ARB_UNDEFINED_PARAMETER, "there is no value for parameter $%u",
                             (unsigned)parameter->number);
    size_t i = parameter->number - 1;
    assert(i < parameters->count);
    if (parameters->values != NULL)
        return arb_bind_constant(b, parameters->values[i], span, out);
    if (parameters->types[i].id != ARB_TYPE_NULL)
        return arb_bind_constant(b, arb_value_null(parameters->types[i]), span, out);
    *out = &parameters->untyped[i];
    return ARB_OK;
}

void arb_bind_note_type(arb_binder *b, const arb_expr *literal, arb_type type)
{
    const arb_bind_parameters *parameters = b->parameters;
    if (parameters == NULL || parameters->untyped == NULL)
        return;
    uintptr_t first = (uintptr_t)parameters->untyped, at = (uintptr_t)literal;
    size_t i = (at - first) / sizeof *literal;
    if (at >= first && i < parameters->count && parameters->types[i].id == ARB_TYPE_NULL)
        parameters->types[i] = type;
}
