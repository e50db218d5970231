/* parquet_schema.h: the schema's tree, and what each leaf's stored values mean.
 *
 * Parquet stores leaves only. How deep a value is defined and where a list repeats is said by two small numbers a value,
 * the definition and the repetition level: a leaf's `max_definition` counts the optional and repeated elements on its
 * path, `max_repetition` the repeated ones. Lists and maps are written as groups of groups, in the standard's three
 * levels and in older forms with two or one; see make_type in the .c file. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_SCHEMA_H
#define ARB_FORMATS_PARQUET_PARQUET_SCHEMA_H

#include "columnar/type.h"
#include "formats/parquet/parquet_metadata.h"

/* How a stored value becomes one of the type. */
typedef enum arb_parquet_conversion {
    ARB_PARQUET_AS_IS,      /* booleans, whole numbers, floats, text */
    ARB_PARQUET_UNSIGNED,   /* the bits are unsigned */
    ARB_PARQUET_TIMES_1000, /* milliseconds to microseconds */
    ARB_PARQUET_OVER_1000,  /* nanoseconds to microseconds */
    ARB_PARQUET_JULIAN,     /* INT96: nanoseconds of the day and Julian day, to microseconds since 1970 */
    ARB_PARQUET_HALF_FLOAT, /* two bytes to REAL */
    ARB_PARQUET_BIG_ENDIAN, /* bytes, most significant first, to DECIMAL */
    ARB_PARQUET_UUID_TEXT,  /* 16 bytes to the usual text */
    ARB_PARQUET_INTERVAL_LE /* months, days and milliseconds, each in 4 bytes */
} arb_parquet_conversion;

typedef struct arb_parquet_leaf {
    uint32_t element;   /* in the schema */
    uint8_t physical;   /* arb_parquet_physical */
    uint8_t conversion; /* arb_parquet_conversion */
    uint16_t max_definition, max_repetition;
    uint32_t fixed_size;     /* FIXED: bytes of a value */
    arb_type type;           /* of the leaf's values */
    bool is_signed_order;    /* the deprecated statistics are ordered as the type is */
    const char *unsupported; /* what of it has no home here, else NULL; `type` then means nothing */
} arb_parquet_leaf;

typedef enum arb_parquet_shape {
    ARB_PARQUET_SHAPE_LEAF,
    ARB_PARQUET_SHAPE_STRUCT,
    ARB_PARQUET_SHAPE_LIST /* a map is a list of structs (key, value) */
} arb_parquet_shape;

/* A node of the tree as types see it: the groups that only frame a list are gone. */
typedef struct arb_parquet_node arb_parquet_node;
struct arb_parquet_node {
    arb_type type;
    arb_parquet_shape shape;
    bool nullable;
    const char *unsupported; /* of it or of a leaf below */
    /* A value at this node is not NULL when its definition level is at least this. */
    uint16_t definition;
    /* LIST: the list has an element when the definition level is at least `element_definition`; a further element of the
     * same list starts at repetition level `repetition`. */
    uint16_t element_definition, repetition;
    uint32_t leaf;                   /* LEAF: its number */
    uint32_t first_leaf, leaf_count; /* all leaves below */
    uint32_t child_count;            /* LIST: 1 */
    arb_parquet_node *children;
};

typedef struct arb_parquet_schema {
    uint32_t leaf_count, column_count;
    arb_parquet_leaf *leaves;
    arb_parquet_node *columns; /* the root's children */
    arb_str *names;            /* of the columns */
} arb_parquet_schema;

/* Built in the arena. A schema that is no tree is ARB_CORRUPT_DATA. A column whose type has no home here is marked
 * `unsupported`, so that the others can be read. */
ARB_NODISCARD arb_code arb_parquet_schema_build(const arb_parquet_metadata *metadata, arb_arena *arena,
                                                arb_parquet_schema *out_schema, arb_error *error);

#endif
