#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct code_facts {
    const char *name;
    const char *sqlstate;
    int grpc_status;
    bool retryable;
} code_facts;

static const code_facts codes[ARB_CODE_COUNT] = {
#define X(name, sqlstate, grpc, retryable) [ARB_##name] = {#name, sqlstate, grpc, retryable},
    ARB_CODES(X)
#undef X
};

static const code_facts *facts_of(arb_code code)
{
    assert((unsigned)code < ARB_CODE_COUNT);
    return &codes[code];
}

const char *arb_code_name(arb_code code)
{
    return facts_of(code)->name;
}

const char *arb_code_sqlstate(arb_code code)
{
    return facts_of(code)->sqlstate;
}

arb_code arb_code_of_sqlstate(const char *sqlstate, size_t size)
{
    for (int code = ARB_OK + 1; code < ARB_CODE_COUNT; code++) {
        const char *known = arb_code_sqlstate((arb_code)code);
        if (code != ARB_WOULD_WAIT && strlen(known) == size && memcmp(known, sqlstate, size) == 0)
            return (arb_code)code;
    }
    return ARB_OK;
}

int arb_code_grpc_status(arb_code code)
{
    return facts_of(code)->grpc_status;
}

bool arb_code_retryable(arb_code code)
{
    return facts_of(code)->retryable;
}

/* A text that was cut may end in the middle of a character: take the broken one away. */
static void trim_broken_utf8(char *text, size_t size)
{
    size_t at = size;
    while (at > 0 && ((unsigned char)text[at - 1] & 0xC0) == 0x80)
        at--;
    if (at == 0)
        return;
    unsigned char lead = (unsigned char)text[at - 1];
    size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (size - (at - 1) < wanted)
        text[at - 1] = '\0';
}

static void write_field(char *field, size_t capacity, const char *format, va_list arguments)
{
    int wanted = vsnprintf(field, capacity, format, arguments);
    if (wanted >= 0 && (size_t)wanted >= capacity)
        trim_broken_utf8(field, capacity - 1);
}

static void fill(arb_error *error, arb_code code, const char *format, va_list arguments)
{
    if (error == NULL)
        return;
    *error = (arb_error){.code = code};
    write_field(error->message, sizeof error->message, format, arguments);
}

arb_code arb_fail(arb_error *error, arb_code code, const char *format, ...)
{
    assert(code != ARB_OK);
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, format, arguments);
    va_end(arguments);
    return code;
}

arb_code arb_fail_errno(arb_error *error, int errno_value, const char *format, ...)
{
    arb_code code = errno_value == ENOENT || errno_value == ENOTDIR                          ? ARB_FILE_NOT_FOUND
                    : errno_value == EEXIST                                                  ? ARB_FILE_EXISTS
                    : errno_value == EACCES || errno_value == EPERM                          ? ARB_ACCESS_DENIED
                    : errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG ? ARB_DISK_FULL
                    : errno_value == ENOMEM                                                  ? ARB_OUT_OF_MEMORY
                                                                                             : ARB_IO;
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, format, arguments);
    va_end(arguments);
    if (error != NULL) {
        char reason[128];
        const char *text = strerror_r(errno_value, reason, sizeof reason);
        size_t used = strlen(error->message);
        snprintf(error->message + used, sizeof error->message - used, ": %s", text);
    }
    return code;
}

arb_code arb_fail_memory(arb_error *error, const char *what, uint64_t bytes)
{
    return arb_fail(error, ARB_OUT_OF_MEMORY, "out of memory: %s needs %llu more bytes", what,
                    (unsigned long long)bytes);
}

arb_code arb_error_at(arb_error *error, arb_code code, int64_t position)
{
    if (error != NULL && error->position == 0)
        error->position = position;
    return code;
}

#define WRITE_IF_EMPTY(field)                                              \
    do {                                                                   \
        if (error == NULL || error->field[0] != '\0')                      \
            return;                                                        \
        va_list arguments;                                                 \
        va_start(arguments, format);                                       \
        write_field(error->field, sizeof error->field, format, arguments); \
        va_end(arguments);                                                 \
    } while (0)

void arb_error_detail(arb_error *error, const char *format, ...)
{
    WRITE_IF_EMPTY(detail);
}

void arb_error_hint(arb_error *error, const char *format, ...)
{
    WRITE_IF_EMPTY(hint);
}

void arb_error_origin(arb_error *error, const char *format, ...)
{
    WRITE_IF_EMPTY(origin);
}

void arb_error_context(arb_error *error, const char *format, ...)
{
    if (error == NULL)
        return;
    char prefix[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    write_field(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    size_t prefix_size = strlen(prefix), old_size = strlen(error->message);
    size_t capacity = sizeof error->message - 1;
    if (prefix_size + 2 > capacity)
        return;
    size_t kept = ARB_MIN(old_size, capacity - prefix_size - 2);
    memmove(error->message + prefix_size + 2, error->message, kept);
    memcpy(error->message, prefix, prefix_size);
    memcpy(error->message + prefix_size, ": ", 2);
    error->message[prefix_size + 2 + kept] = '\0';
    if (kept < old_size)
        trim_broken_utf8(error->message, prefix_size + 2 + kept);
}

void arb_error_clear(arb_error *error)
{
    if (error != NULL)
        *error = (arb_error){0};
}
