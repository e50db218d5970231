/* error.h: the one error type.
 *
 * A function that can fail returns an arb_code and fills an arb_error that its caller owns. The code says what kind of
 * failure it is; from it follow the SQLSTATE, the gRPC status and whether trying again can help. The message, the
 * detail and the hint are fields, never parsed: they cross the network as they are.
 *
 * One code is no failure and fills no error: ARB_WOULD_WAIT says that a call could not end without waiting, is to be made
 * again later, and where what it waits for is named. It goes no further than whoever can wait.
 *
 * Filling an error never allocates, so running out of memory can be reported. A callee writes the error once; callers
 * may add where it happened (arb_error_at, arb_error_context), never overwrite what is there. */
#ifndef ARB_BASE_ERROR_H
#define ARB_BASE_ERROR_H

#include "base/compiler.h"

/* X(name, SQLSTATE, gRPC status, can trying again help) */
#define ARB_CODES(X)                                 \
    X(OK, "00000", 0, false)                         \
    X(CONNECTION_FAILED, "08001", 14, true)          \
    X(SESSION_ENDED, "08003", 9, false)              \
    X(OUTCOME_UNKNOWN, "08007", 2, false)            \
    X(NOT_SUPPORTED, "0A000", 12, false)             \
    X(CARDINALITY_VIOLATION, "21000", 3, false)      \
    X(STRING_TOO_LONG, "22001", 3, false)            \
    X(OUT_OF_RANGE, "22003", 3, false)               \
    X(NULL_NOT_ALLOWED, "22004", 3, false)           \
    X(INVALID_DATETIME, "22007", 3, false)           \
    X(DATETIME_OVERFLOW, "22008", 3, false)          \
    X(DIVISION_BY_ZERO, "22012", 3, false)           \
    X(INVALID_REGULAR_EXPRESSION, "2201B", 3, false) \
    X(INVALID_PARAMETER, "22023", 3, false)          \
    X(INVALID_ESCAPE, "22025", 3, false)             \
    X(INVALID_TEXT, "22P02", 3, false)               \
    X(BAD_COPY_FORMAT, "22P04", 3, false)            \
    X(INVALID_ENCODING, "22021", 3, false)           \
    X(NOT_NULL_VIOLATION, "23502", 9, false)         \
    X(UNIQUE_VIOLATION, "23505", 6, false)           \
    X(UNDEFINED_STATEMENT, "26000", 5, false)        \
    X(NOT_AUTHENTICATED, "28000", 16, false)         \
    X(CONFLICT, "40001", 10, true)                   \
    X(ACCESS_DENIED, "42501", 7, false)              \
    X(SYNTAX, "42601", 3, false)                     \
    X(DUPLICATE_COLUMN, "42701", 3, false)           \
    X(AMBIGUOUS_COLUMN, "42702", 3, false)           \
    X(UNDEFINED_COLUMN, "42703", 3, false)           \
    X(UNDEFINED_OBJECT, "42704", 5, false)           \
    X(DUPLICATE_OBJECT, "42710", 6, false)           \
    X(DUPLICATE_ALIAS, "42712", 3, false)            \
    X(AMBIGUOUS_FUNCTION, "42725", 3, false)         \
    X(GROUPING, "42803", 3, false)                   \
    X(DATATYPE_MISMATCH, "42804", 3, false)          \
    X(WRONG_OBJECT_TYPE, "42809", 3, false)          \
    X(CANNOT_COERCE, "42846", 3, false)              \
    X(UNDEFINED_FUNCTION, "42883", 3, false)         \
    X(UNDEFINED_TABLE, "42P01", 5, false)            \
    X(UNDEFINED_PARAMETER, "42P02", 3, false)        \
    X(DUPLICATE_TABLE, "42P07", 6, false)            \
    X(AMBIGUOUS_TABLE, "42P09", 3, false)            \
    X(INVALID_COLUMN_REFERENCE, "42P10", 3, false)   \
    X(INVALID_TABLE_DEFINITION, "42P16", 3, false)   \
    X(INDETERMINATE_TYPE, "42P18", 3, false)         \
    X(INVALID_RECURSION, "42P19", 3, false)          \
    X(RESOURCES_EXHAUSTED, "53000", 8, true)         \
    X(DISK_FULL, "53100", 8, true)                   \
    X(OUT_OF_MEMORY, "53200", 8, true)               \
    X(LIMIT_EXCEEDED, "54000", 3, false)             \
    X(STATEMENT_TOO_COMPLEX, "54001", 3, false)      \
    X(NOT_READY, "55000", 9, false)                  \
    X(CANCELLED, "57014", 1, false)                  \
    X(EXECUTOR_CRASHED, "57P02", 13, false)          \
    X(NO_EXECUTOR, "57P03", 14, true)                \
    X(RESULT_LOST, "58000", 10, true)                \
    X(IO, "58030", 14, true)                         \
    X(FILE_NOT_FOUND, "58P01", 5, false)             \
    X(FILE_EXISTS, "58P02", 6, false)                \
    X(CONFIGURATION, "F0000", 9, false)              \
    X(DEADLINE_EXCEEDED, "HYT00", 4, true)           \
    X(INTERNAL, "XX000", 13, false)                  \
    X(CORRUPT_DATA, "XX001", 15, false)              \
    X(FILE_CHANGED, "XX002", 10, true)               \
    X(WOULD_WAIT, "XX003", 14, true)

typedef enum arb_code {
#define X(name, sqlstate, grpc, retryable) ARB_##name,
    ARB_CODES(X)
#undef X
        ARB_CODE_COUNT
} arb_code;

/* All text is UTF-8 and ends with NUL; a text that does not fit is cut at a character's start. Zeroed means no error. */
typedef struct arb_error {
    arb_code code;
    int64_t position;  /* 1-based byte of the place in the SQL text, 0 when there is none */
    char message[768]; /* one sentence: what is wrong, and where */
    char detail[384];  /* the values involved; may be empty */
    char hint[384];    /* what to do; may be empty */
    char origin[128];  /* plan node, stage, task that failed; may be empty */
} arb_error;

const char *arb_code_name(arb_code code);     /* "UNDEFINED_TABLE" */
const char *arb_code_sqlstate(arb_code code); /* "42P01" */
/* The other direction; ARB_OK for what is none of ours, and for ARB_WOULD_WAIT, which is no failure. */
arb_code arb_code_of_sqlstate(const char *sqlstate, size_t size);
int arb_code_grpc_status(arb_code code);
bool arb_code_retryable(arb_code code);

/* Fill `error` (which may be NULL) and return `code`. */
ARB_COLD arb_code arb_fail(arb_error *error, arb_code code, const char *format, ...) ARB_PRINTF(3, 4);
/* The same for a failed system call: appends the text of `errno_value`; ENOENT, ENOSPC and their kin choose the code. */
ARB_COLD arb_code arb_fail_errno(arb_error *error, int errno_value, const char *format, ...) ARB_PRINTF(3, 4);
/* Running out of memory while asking for `bytes` for `what`. */
ARB_COLD arb_code arb_fail_memory(arb_error *error, const char *what, uint64_t bytes);

/* Add to a filled error and return its code; each keeps what is already there. NULL is allowed for `error`. */
ARB_COLD arb_code arb_error_at(arb_error *error, arb_code code, int64_t position);
ARB_COLD void arb_error_detail(arb_error *error, const char *format, ...) ARB_PRINTF(2, 3);
ARB_COLD void arb_error_hint(arb_error *error, const char *format, ...) ARB_PRINTF(2, 3);
ARB_COLD void arb_error_origin(arb_error *error, const char *format, ...) ARB_PRINTF(2, 3);
/* Put `format…: ` in front of the message, for a caller that knows the file or the column. */
ARB_COLD void arb_error_context(arb_error *error, const char *format, ...) ARB_PRINTF(2, 3);
void arb_error_clear(arb_error *error);

/* Leave the function when `expression` fails; for functions that hold nothing. */
#define ARB_TRY(expression)                        \
    do {                                           \
        arb_code arb_try_code_ = (expression);     \
        if (ARB_UNLIKELY(arb_try_code_ != ARB_OK)) \
            return arb_try_code_;                  \
    } while (0)
/* The same for functions with one exit: sets `code` and jumps to `label`. */
#define ARB_TRY_GOTO(code, expression, label) \
    do {                                      \
        (code) = (expression);                \
        if (ARB_UNLIKELY((code) != ARB_OK))   \
            goto label;                       \
    } while (0)

#endif
