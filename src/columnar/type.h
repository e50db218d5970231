/* type.h: types as SQL sees them (arb_type) and as memory holds them (arb_physical).
 *
 * A logical type says what a value means; a physical one how a vector stores it. Mostly the first gives the second, but
 * whole numbers and decimals may travel narrower than their type: a decimal(15,2) column whose footers prove values
 * below 2^31 is read as int32. So a plan fixes a physical type for every column beside its logical one.
 *
 * Arrow knows more types than these. What has no home here is converted where data enters (uint32 to BIGINT, uint64 to
 * decimal(20,0), …) or refused there by name; Arrow IPC and the C Data interface carry every type in Arrow's own layout. */
#ifndef ARB_COLUMNAR_TYPE_H
#define ARB_COLUMNAR_TYPE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/* X(NAME, C type, bytes of a value). BOOL is a bitmap and STRUCT has children only, so both have no C type here. */
#define ARB_PHYSICAL_TYPES(X)     \
    X(INT8, int8_t, 1)            \
    X(INT16, int16_t, 2)          \
    X(INT32, int32_t, 4)          \
    X(INT64, int64_t, 8)          \
    X(INT128, arb_int128, 16)     \
    X(FLOAT32, float, 4)          \
    X(FLOAT64, double, 8)         \
    X(STRING, arb_string, 16)     \
    X(INTERVAL, arb_interval, 16) \
    X(LIST, arb_list, 8)

typedef enum arb_physical {
    ARB_PHYS_BOOL, /* one bit a value */
#define X(name, ctype, bytes) ARB_PHYS_##name,
    ARB_PHYSICAL_TYPES(X)
#undef X
        ARB_PHYS_STRUCT, /* no values of its own: validity and children */
    ARB_PHYS_COUNT
} arb_physical;

/* Text or bytes: the length, then the bytes themselves when there are at most 12, else their first four and where they
 * are. Unused inline bytes are zero, so short strings compare as two words. Who keeps the bytes alive is said by the
 * vector that holds the string. */
typedef union arb_string {
    struct {
        uint32_t size;
        char inlined[12];
    };
    struct {
        uint32_t same_size;
        char prefix[4];
        const char *data;
    } far;
} arb_string;
static_assert(sizeof(arb_string) == 16, "a string is two words");

enum { ARB_STRING_INLINE = 12 };

ARB_INLINE const char *arb_string_data(const arb_string *string)
{
    return string->size <= ARB_STRING_INLINE ? string->inlined : string->far.data;
}

ARB_INLINE arb_str arb_string_view(const arb_string *string)
{
    return (arb_str){arb_string_data(string), string->size};
}

/* Refers to `data` when the text is longer than 12 bytes. */
ARB_INLINE arb_string arb_string_of(const char *data, size_t size)
{
    arb_string string = {.far = {.same_size = (uint32_t)size}};
    if (size <= ARB_STRING_INLINE) {
        if (size != 0)
            memcpy(string.inlined, data, size);
    } else {
        memcpy(string.far.prefix, data, 4);
        string.far.data = data;
    }
    return string;
}

ARB_INLINE bool arb_string_equal(const arb_string *a, const arb_string *b)
{
    if (arb_load_u64(a) != arb_load_u64(b)) /* size and first four bytes */
        return false;
    if (a->size <= ARB_STRING_INLINE)
        return arb_load_u64((const char *)a + 8) == arb_load_u64((const char *)b + 8);
    return memcmp(a->far.data, b->far.data, a->size) == 0;
}

ARB_INLINE int arb_string_compare(const arb_string *a, const arb_string *b)
{
    return arb_str_compare(arb_string_view(a), arb_string_view(b));
}

/* Months, days and time do not convert into each other, so each is kept. */
typedef struct arb_interval {
    int32_t months, days;
    int64_t micros;
} arb_interval;

/* What intervals are compared by: microseconds, a month counting 30 days and a day 24 hours, as in PostgreSQL. */
ARB_INLINE arb_int128 arb_interval_span(arb_interval value)
{
    return ((arb_int128)value.months * 30 + value.days) * 86400000000 + value.micros;
}

/* Elements [offset, offset + size) of the list vector's child. */
typedef struct arb_list {
    uint32_t offset, size;
} arb_list;

/* X(NAME, SQL name, physical type at full width) */
#define ARB_TYPES(X)                                                                                              \
    X(NULL, "null", BOOL)                                                                                         \
    X(BOOLEAN, "boolean", BOOL)                                                                                   \
    X(TINYINT, "tinyint", INT8)                                                                                   \
    X(SMALLINT, "smallint", INT16)                                                                                \
    X(INTEGER, "integer", INT32)                                                                                  \
    X(BIGINT, "bigint", INT64)                                                                                    \
    X(REAL, "real", FLOAT32)                                                                                      \
    X(DOUBLE, "double", FLOAT64)                                                                                  \
    X(DECIMAL, "decimal", INT128) /* value * 10^scale */                                                          \
    X(VARCHAR, "varchar", STRING) /* valid UTF-8 */                                                               \
    X(BLOB, "blob", STRING)                                                                                       \
    X(DATE, "date", INT32)                            /* days since 1970-01-01 */                                 \
    X(TIME, "time", INT64)                            /* microseconds since midnight */                           \
    X(TIMESTAMP, "timestamp", INT64)                  /* micro- or nanoseconds since 1970-01-01 00:00, no zone */ \
    X(TIMESTAMPTZ, "timestamp with time zone", INT64) /* the same, UTC */                                         \
    X(INTERVAL, "interval", INTERVAL)                                                                             \
    X(LIST, "list", LIST)                                                                                         \
    X(STRUCT, "struct", STRUCT)                                                                                   \
    X(MAP, "map", LIST) /* a list of structs (key, value) */

typedef enum arb_type_id {
#define X(name, sql_name, physical) ARB_TYPE_##name,
    ARB_TYPES(X)
#undef X
        ARB_TYPE_COUNT
} arb_type_id;

typedef struct arb_type_children arb_type_children;

/* By value. Nested types refer to children that live in the arena they were made in (a schema's, a plan's). */
typedef struct arb_type {
    uint8_t id;                        /* arb_type_id */
    uint8_t precision;                 /* DECIMAL: digits, 1 to 38 */
    uint8_t scale;                     /* DECIMAL: digits behind the point, 0 to 38 */
    bool nanoseconds;                  /* TIMESTAMP, TIMESTAMPTZ: of files that have them */
    const arb_type_children *children; /* LIST: 1, MAP: key and value, STRUCT: its fields; else NULL */
} arb_type;

struct arb_type_children {
    size_t count;
    const arb_type *types;
    const arb_str *names; /* STRUCT only, else NULL */
};

#define ARB_TYPE(name) ((arb_type){.id = ARB_TYPE_##name})
ARB_INLINE arb_type arb_type_decimal(unsigned precision, unsigned scale)
{
    return (arb_type){.id = ARB_TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
}
/* A list of `element`; id is ARB_TYPE_NULL when there is no memory. */
arb_type arb_type_list(arb_arena *arena, arb_type element);
/* A struct of `count` fields, whose names are copied; likewise. */
arb_type arb_type_struct(arb_arena *arena, const arb_str *names, const arb_type *types, size_t count);
arb_type arb_type_map(arb_arena *arena, arb_type key, arb_type value);
/* A deep copy into another arena; id is ARB_TYPE_NULL when there is no memory (and the type was not). */
arb_type arb_type_copy(arb_arena *arena, arb_type type);

/* A type of numbers that came from outside, without children; false when they are none's. */
bool arb_type_of_numbers(uint32_t id, uint32_t precision, uint32_t scale, bool nanoseconds, arb_type *out_type);
bool arb_type_equal(arb_type a, arb_type b);
/* The width that holds every value: decimals by precision (9, 18, 38 digits: int32, int64, int128). */
arb_physical arb_type_physical(arb_type type);
bool arb_type_is_integer(arb_type type);  /* TINYINT to BIGINT */
bool arb_type_is_numeric(arb_type type);  /* integers, DECIMAL, REAL, DOUBLE */
bool arb_type_is_temporal(arb_type type); /* DATE, TIME, TIMESTAMP, TIMESTAMPTZ */
bool arb_type_is_text(arb_type type);     /* VARCHAR, BLOB */
bool arb_type_is_nested(arb_type type);   /* LIST, STRUCT, MAP */
/* As SQL writes it: "decimal(15,2)", "integer[]", "struct(a integer, b varchar)". */
void arb_type_print(arb_text *out, arb_type type);

/* Bytes of a value in a flat vector; 0 for BOOL and STRUCT. */
size_t arb_physical_size(arb_physical physical);
const char *arb_physical_name(arb_physical physical);
/* INT8 to INT128: those that may stand in for each other. */
ARB_INLINE bool arb_physical_is_integer(arb_physical physical)
{
    return physical >= ARB_PHYS_INT8 && physical <= ARB_PHYS_INT128;
}
/* The narrowest of INT32, INT64, INT128 that holds [low, high]. Narrower ones are not used for widths that a plan
 * chooses, since they gain little and cost conversions. */
arb_physical arb_physical_for_range(arb_int128 low, arb_int128 high);

#endif
