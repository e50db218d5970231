/* arrow_schema.h: types as Arrow knows them, in a tree.
 *
 * Arrow has more types than SQL; at the edges (IPC, the C Data interface) all of them are carried without conversion.
 * A field is a name with a type; nested types have fields as children. A dictionary-encoded column is a field of kind
 * DICTIONARY whose one child is the type of its entries. A schema is one counted, immutable tree: a STRUCT whose
 * children are the columns (or any other type, for a lone array of the C Data interface).
 *
 * The layout of a kind says which buffers and children an array of that kind has; see arrow_array.h. */
#ifndef ARB_COLUMNAR_ARROW_SCHEMA_H
#define ARB_COLUMNAR_ARROW_SCHEMA_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

typedef enum arb_arrow_layout {
    ARB_LAYOUT_NULL,         /* no buffers: every row is NULL */
    ARB_LAYOUT_BITS,         /* validity, one bit a value */
    ARB_LAYOUT_FIXED,        /* validity, values of one width */
    ARB_LAYOUT_BINARY,       /* validity, length + 1 offsets, bytes */
    ARB_LAYOUT_VIEW,         /* validity, 16-byte views, then any number of buffers with bytes */
    ARB_LAYOUT_LIST,         /* validity, length + 1 offsets; a child */
    ARB_LAYOUT_LIST_VIEW,    /* validity, offsets, sizes; a child */
    ARB_LAYOUT_FIXED_LIST,   /* validity; a child with `size` elements a row */
    ARB_LAYOUT_STRUCT,       /* validity; children */
    ARB_LAYOUT_SPARSE_UNION, /* type ids; children, each as long as the union */
    ARB_LAYOUT_DENSE_UNION,  /* type ids, 32-bit offsets; children */
    ARB_LAYOUT_DICTIONARY,   /* validity, indices; a dictionary */
    ARB_LAYOUT_RUNS,         /* no buffers; children: where runs end, and their values */
    ARB_LAYOUT_COUNT
} arb_arrow_layout;

/* X(NAME, name for people, layout, bytes: of a value, of an offset, or 0 where it depends on the type's parameters) */
#define ARB_ARROW_KINDS(X)                                            \
    X(NULL, "null", NULL, 0)                                          \
    X(BOOL, "bool", BITS, 0)                                          \
    X(INT8, "int8", FIXED, 1)                                         \
    X(INT16, "int16", FIXED, 2)                                       \
    X(INT32, "int32", FIXED, 4)                                       \
    X(INT64, "int64", FIXED, 8)                                       \
    X(UINT8, "uint8", FIXED, 1)                                       \
    X(UINT16, "uint16", FIXED, 2)                                     \
    X(UINT32, "uint32", FIXED, 4)                                     \
    X(UINT64, "uint64", FIXED, 8)                                     \
    X(FLOAT16, "float16", FIXED, 2)                                   \
    X(FLOAT32, "float32", FIXED, 4)                                   \
    X(FLOAT64, "float64", FIXED, 8)                                   \
    X(DECIMAL32, "decimal32", FIXED, 4)                               \
    X(DECIMAL64, "decimal64", FIXED, 8)                               \
    X(DECIMAL128, "decimal128", FIXED, 16)                            \
    X(DECIMAL256, "decimal256", FIXED, 32)                            \
    X(UTF8, "utf8", BINARY, 4)                                        \
    X(LARGE_UTF8, "large_utf8", BINARY, 8)                            \
    X(UTF8_VIEW, "utf8_view", VIEW, 16)                               \
    X(BINARY, "binary", BINARY, 4)                                    \
    X(LARGE_BINARY, "large_binary", BINARY, 8)                        \
    X(BINARY_VIEW, "binary_view", VIEW, 16)                           \
    X(FIXED_SIZE_BINARY, "fixed_size_binary", FIXED, 0)               \
    X(DATE32, "date32", FIXED, 4) /* days */                          \
    X(DATE64, "date64", FIXED, 8) /* milliseconds */                  \
    X(TIME32, "time32", FIXED, 4) /* seconds, milliseconds */         \
    X(TIME64, "time64", FIXED, 8) /* micro-, nanoseconds */           \
    X(TIMESTAMP, "timestamp", FIXED, 8)                               \
    X(DURATION, "duration", FIXED, 8)                                 \
    X(INTERVAL_MONTHS, "interval(months)", FIXED, 4)                  \
    X(INTERVAL_DAY_TIME, "interval(days, milliseconds)", FIXED, 8)    \
    X(INTERVAL_MDN, "interval(months, days, nanoseconds)", FIXED, 16) \
    X(LIST, "list", LIST, 4)                                          \
    X(LARGE_LIST, "large_list", LIST, 8)                              \
    X(LIST_VIEW, "list_view", LIST_VIEW, 4)                           \
    X(LARGE_LIST_VIEW, "large_list_view", LIST_VIEW, 8)               \
    X(FIXED_SIZE_LIST, "fixed_size_list", FIXED_LIST, 0)              \
    X(STRUCT, "struct", STRUCT, 0)                                    \
    X(MAP, "map", LIST, 4)                                            \
    X(DENSE_UNION, "dense_union", DENSE_UNION, 0)                     \
    X(SPARSE_UNION, "sparse_union", SPARSE_UNION, 0)                  \
    X(DICTIONARY, "dictionary", DICTIONARY, 0)                        \
    X(RUN_END_ENCODED, "run_end_encoded", RUNS, 0)

typedef enum arb_arrow_kind {
#define X(name, text, layout, bytes) ARB_ARROW_##name,
    ARB_ARROW_KINDS(X)
#undef X
        ARB_ARROW_KIND_COUNT
} arb_arrow_kind;

typedef enum arb_arrow_unit {
    ARB_ARROW_SECOND,
    ARB_ARROW_MILLISECOND,
    ARB_ARROW_MICROSECOND,
    ARB_ARROW_NANOSECOND
} arb_arrow_unit;

enum {
    ARB_ARROW_DEPTH_MAX = 64,     /* levels of nesting that are accepted */
    ARB_ARROW_UNION_MAX = 128,    /* children of a union */
    ARB_ARROW_FIXED_MAX = 1 << 22 /* bytes of a fixed_size_binary value */
};

/* Pairs of bytes that travel with a schema, a field or a batch; keys may repeat. Lent by the tree that has them. */
typedef struct arb_arrow_metadata {
    size_t count;
    const arb_str *keys, *values;
} arb_arrow_metadata;

typedef struct arb_arrow_field arb_arrow_field;
/* All that a field refers to lies in its schema's arena. */
struct arb_arrow_field {
    arb_str name; /* UTF-8, ends with NUL */
    uint8_t kind; /* arb_arrow_kind */
    bool nullable;
    uint8_t unit;           /* arb_arrow_unit: TIME32, TIME64, TIMESTAMP, DURATION */
    uint8_t index_kind;     /* DICTIONARY: INT8 to UINT64 */
    bool ordered;           /* DICTIONARY: the entries' order means something. MAP: keys are sorted */
    int32_t precision;      /* DECIMAL* */
    int32_t scale;          /* DECIMAL*; may be negative */
    int32_t size;           /* FIXED_SIZE_BINARY: bytes, FIXED_SIZE_LIST: elements */
    int64_t dictionary_id;  /* DICTIONARY: fields with the same id share their entries */
    arb_str zone;           /* TIMESTAMP: time zone, empty = none; ends with NUL */
    const int8_t *type_ids; /* unions: one a child, 0 to 127, all different */
    arb_arrow_metadata metadata;
    uint32_t child_count;
    arb_arrow_field *children; /* DICTIONARY: 1, the entries; its name is the field's */
};

/* Counted; immutable once it is shared. */
typedef struct arb_arrow_schema {
    _Atomic uint32_t references;
    arb_arena arena; /* holds everything below */
    arb_arrow_field root;
} arb_arrow_schema;

/* An empty tree with one reference, to be filled by its maker. `limit` bounds its bytes (0 = none). */
ARB_NODISCARD arb_code arb_arrow_schema_create(size_t limit, arb_arrow_schema **out_schema, arb_error *error);
arb_arrow_schema *arb_arrow_schema_ref(const arb_arrow_schema *schema);
void arb_arrow_schema_unref(arb_arrow_schema *schema); /* NULL is a no-op */

/* The same with a struct of `count` columns, zeroed, to be filled. */
ARB_NODISCARD arb_code arb_arrow_schema_create_columns(size_t count, arb_arrow_schema **out_schema, arb_error *error);
/* A maker's last step: a tree that was filled well (`code`) is validated and handed over, any other dropped. */
ARB_NODISCARD arb_code arb_arrow_schema_finish(arb_arrow_schema *schema, arb_code code, arb_arrow_schema **out_schema,
                                               arb_error *error);

/* Nesting depth, children, units, widths, precisions, names: everything that a type alone can have wrong. ARB_CORRUPT_DATA or
 * ARB_LIMIT_EXCEEDED. */
ARB_NODISCARD arb_code arb_arrow_schema_validate(const arb_arrow_schema *schema, arb_error *error);
/* A deep copy of `field` into the schema's arena; `out_field` need not be in it. */
ARB_NODISCARD arb_code arb_arrow_field_copy(arb_arrow_schema *schema, const arb_arrow_field *field,
                                            arb_arrow_field *out_field, arb_error *error);
/* A copy of `count` pairs in an arena. */
ARB_NODISCARD arb_code arb_arrow_metadata_copy(arb_arena *arena, arb_arrow_metadata from, arb_arrow_metadata *out,
                                               arb_error *error);
/* The same kinds and parameters all the way down. Names of columns and struct fields count when `with_names` is set;
 * metadata never counts. */
bool arb_arrow_field_equal(const arb_arrow_field *a, const arb_arrow_field *b, bool with_names);

arb_arrow_layout arb_arrow_layout_of(arb_arrow_kind kind);
/* Bytes of a fixed-width value, of an index, of an offset (BINARY, LIST, LIST_VIEW) or of a view; else 0. */
size_t arb_arrow_field_width(const arb_arrow_field *field);
/* Buffers of an array of this layout; for VIEW the least. */
uint32_t arb_arrow_layout_buffers(arb_arrow_layout layout);
/* Whether buffer 0 says which rows are NULL. */
bool arb_arrow_layout_has_validity(arb_arrow_layout layout);
bool arb_arrow_kind_is_utf8(arb_arrow_kind kind);    /* UTF8, LARGE_UTF8, UTF8_VIEW */
bool arb_arrow_kind_is_integer(arb_arrow_kind kind); /* INT8 to UINT64 */
const char *arb_arrow_kind_name(arb_arrow_kind kind);
/* "timestamp(us, Europe/Paris)", "list<item: int32>"; for messages and listings. */
void arb_arrow_field_print_type(arb_text *out, const arb_arrow_field *field);

#endif
