/* script.h: a text of several statements cut at its semicolons, without parsing it. Strings, quoted names, comments
 * and dollar quotes hide a semicolon. */
#ifndef ARB_SQL_SCRIPT_H
#define ARB_SQL_SCRIPT_H

#include "base/text.h"

typedef struct arb_sql_extent {
    size_t begin, end; /* the statement without its semicolon, and without space and comments around it */
    size_t next;       /* where the next one is looked for; behind the semicolon */
    bool terminated;   /* there is a semicolon */
    bool complete;     /* terminated, or at the end of the text with nothing left open: false asks a shell for more */
} arb_sql_extent;

/* The next statement at or behind `from` that is not empty; false when there is none. The text may be any bytes. */
ARB_NODISCARD bool arb_sql_statement_next(arb_str script, size_t from, arb_sql_extent *out);

/* For a shell: each statement in the text ends with a semicolon (so that Enter runs it). True for an empty text. */
bool arb_sql_is_complete(arb_str text);

#endif
