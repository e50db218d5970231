/* arrow_c_format.h: the C Data interface's shorthand for types; private to arrow_c_*.c. */
#ifndef ARB_COLUMNAR_ARROW_C_FORMAT_H
#define ARB_COLUMNAR_ARROW_C_FORMAT_H

#include "columnar/arrow_schema.h"

/* Set kind and parameters of a field, whose children are there already; for unions the type ids too, in the arena. */
ARB_NODISCARD arb_code arb_arrow_format_read(arb_arena *arena, const char *format, arb_arrow_field *field,
                                             arb_error *error);
/* The shorthand of a field's type; for DICTIONARY that of its indices. */
void arb_arrow_format_write(arb_text *out, const arb_arrow_field *field);

#endif
