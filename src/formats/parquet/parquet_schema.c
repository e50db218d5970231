#include "formats/parquet/parquet_schema.h"

enum { MAX_DEPTH = 64, MAX_FIXED_SIZE = 1 << 20 };

typedef struct builder {
    const arb_parquet_metadata *metadata;
    arb_arena *arena;
    arb_parquet_schema *schema;
    arb_error *error;
    uint32_t next; /* element to read */
} builder;

static arb_code no_memory(builder *b)
{
    return arb_fail_memory(b->error, "a Parquet schema", b->arena->total);
}

static void unsupported(arb_parquet_leaf *leaf, const char *what)
{
    leaf->type = ARB_TYPE(BLOB);
    leaf->unsupported = what;
}

static bool is_annotated(const arb_parquet_element *e, int32_t logical, int32_t converted)
{
    return e->logical == logical || (e->logical == ARB_PARQUET_LOGICAL_NONE && e->converted == converted);
}

static void decimal_type(const arb_parquet_element *e, arb_parquet_leaf *leaf)
{
    bool is_new = e->logical == ARB_PARQUET_LOGICAL_DECIMAL;
    int32_t precision = is_new ? e->logical_precision : e->precision, scale = is_new ? e->logical_scale : e->scale;
    if (precision < 1 || precision > 38) {
        unsupported(leaf, "a decimal of more than 38 digits");
    } else if (scale < 0 || scale > precision) {
        unsupported(leaf, "a decimal whose scale is negative or exceeds its precision");
    } else {
        leaf->type = arb_type_decimal((unsigned)precision, (unsigned)scale);
        if (e->physical == ARB_PARQUET_BYTE_ARRAY || e->physical == ARB_PARQUET_FIXED)
            leaf->conversion = ARB_PARQUET_BIG_ENDIAN;
    }
}

/* INT32 and INT64 with their annotations. */
static void integer_type(const arb_parquet_element *e, arb_parquet_leaf *leaf)
{
    bool is_64 = e->physical == ARB_PARQUET_INT64;
    leaf->type = is_64 ? ARB_TYPE(BIGINT) : ARB_TYPE(INTEGER);
    int32_t bits = is_64 ? 64 : 32;
    bool is_unsigned = false;
    if (e->logical == ARB_PARQUET_LOGICAL_INTEGER) {
        bits = e->bit_width;
        is_unsigned = !e->is_signed;
    } else if (e->logical == ARB_PARQUET_LOGICAL_NONE && e->converted >= ARB_PARQUET_UINT_8 &&
               e->converted <= ARB_PARQUET_INT_64) {
        bits = 8 << ((e->converted - ARB_PARQUET_UINT_8) % 4);
        is_unsigned = e->converted <= ARB_PARQUET_UINT_64;
    } else if (is_annotated(e, ARB_PARQUET_LOGICAL_DECIMAL, ARB_PARQUET_DECIMAL)) {
        decimal_type(e, leaf);
        return;
    } else if (is_annotated(e, ARB_PARQUET_LOGICAL_DATE, ARB_PARQUET_DATE) && !is_64) {
        leaf->type = ARB_TYPE(DATE);
        return;
    } else if (e->logical == ARB_PARQUET_LOGICAL_TIME || e->logical == ARB_PARQUET_LOGICAL_TIMESTAMP ||
               (e->logical == ARB_PARQUET_LOGICAL_NONE && e->converted >= ARB_PARQUET_TIME_MILLIS &&
                e->converted <= ARB_PARQUET_TIMESTAMP_MICROS)) {
        bool is_new = e->logical != ARB_PARQUET_LOGICAL_NONE;
        bool is_time = is_new ? e->logical == ARB_PARQUET_LOGICAL_TIME : e->converted <= ARB_PARQUET_TIME_MICROS;
        bool old_millis = e->converted == ARB_PARQUET_TIME_MILLIS || e->converted == ARB_PARQUET_TIMESTAMP_MILLIS;
        int32_t unit = is_new ? e->unit : old_millis ? ARB_PARQUET_MILLIS : ARB_PARQUET_MICROS;
        if (unit < ARB_PARQUET_MILLIS || unit > ARB_PARQUET_NANOS) {
            unsupported(leaf, "a time of unknown unit");
            return;
        }
        /* The older annotation always meant UTC. Times of day are microseconds inside; finer digits are dropped. */
        bool is_utc = is_new ? e->is_utc : true;
        leaf->type = is_time ? ARB_TYPE(TIME) : is_utc ? ARB_TYPE(TIMESTAMPTZ) : ARB_TYPE(TIMESTAMP);
        leaf->type.nanoseconds = !is_time && unit == ARB_PARQUET_NANOS;
        leaf->conversion = unit == ARB_PARQUET_MILLIS             ? ARB_PARQUET_TIMES_1000
                           : unit == ARB_PARQUET_NANOS && is_time ? ARB_PARQUET_OVER_1000
                                                                  : ARB_PARQUET_AS_IS;
        return;
    }
    if (is_unsigned) {
        leaf->conversion = ARB_PARQUET_UNSIGNED;
        leaf->type = bits == 8    ? ARB_TYPE(SMALLINT)
                     : bits == 16 ? ARB_TYPE(INTEGER)
                     : bits == 32 ? ARB_TYPE(BIGINT)
                                  : arb_type_decimal(20, 0);
    } else {
        leaf->type = bits == 8    ? ARB_TYPE(TINYINT)
                     : bits == 16 ? ARB_TYPE(SMALLINT)
                     : bits == 32 ? ARB_TYPE(INTEGER)
                                  : ARB_TYPE(BIGINT);
    }
}

static void leaf_type(const arb_parquet_element *e, arb_parquet_leaf *leaf)
{
    leaf->conversion = ARB_PARQUET_AS_IS;
    switch (e->physical) {
    case ARB_PARQUET_BOOLEAN:
        leaf->type = ARB_TYPE(BOOLEAN);
        return;
    case ARB_PARQUET_INT32:
    case ARB_PARQUET_INT64:
        integer_type(e, leaf);
        return;
    case ARB_PARQUET_INT96:
        leaf->type = ARB_TYPE(TIMESTAMP);
        leaf->conversion = ARB_PARQUET_JULIAN;
        return;
    case ARB_PARQUET_FLOAT:
        leaf->type = ARB_TYPE(REAL);
        return;
    case ARB_PARQUET_DOUBLE:
        leaf->type = ARB_TYPE(DOUBLE);
        return;
    default:
        break;
    }
    if (is_annotated(e, ARB_PARQUET_LOGICAL_DECIMAL, ARB_PARQUET_DECIMAL)) {
        decimal_type(e, leaf);
        return;
    }
    leaf->type = ARB_TYPE(BLOB);
    if (e->physical == ARB_PARQUET_FIXED) {
        if (e->logical == ARB_PARQUET_LOGICAL_UUID && e->type_length == 16) {
            leaf->type = ARB_TYPE(VARCHAR);
            leaf->conversion = ARB_PARQUET_UUID_TEXT;
        } else if (e->logical == ARB_PARQUET_LOGICAL_FLOAT16 && e->type_length == 2) {
            leaf->type = ARB_TYPE(REAL);
            leaf->conversion = ARB_PARQUET_HALF_FLOAT;
        } else if (e->logical == ARB_PARQUET_LOGICAL_NONE && e->converted == ARB_PARQUET_INTERVAL &&
                   e->type_length == 12) {
            leaf->type = ARB_TYPE(INTERVAL);
            leaf->conversion = ARB_PARQUET_INTERVAL_LE;
        }
    } else if (is_annotated(e, ARB_PARQUET_LOGICAL_STRING, ARB_PARQUET_UTF8) ||
               is_annotated(e, ARB_PARQUET_LOGICAL_ENUM, ARB_PARQUET_ENUM) ||
               is_annotated(e, ARB_PARQUET_LOGICAL_JSON, ARB_PARQUET_JSON)) {
        leaf->type = ARB_TYPE(VARCHAR);
    }
}

static arb_code make_leaf(builder *b, const arb_parquet_element *e, uint32_t number, arb_parquet_node *node,
                          uint16_t definition, uint16_t repetition)
{
    if (e->physical < 0 || e->physical >= ARB_PARQUET_PHYSICAL_COUNT)
        return arb_fail(b->error, ARB_CORRUPT_DATA, "column %.*s has the unknown physical type %d",
                        ARB_STR_ARGS(e->name), e->physical);
    if (e->physical == ARB_PARQUET_FIXED && (e->type_length < 1 || e->type_length > MAX_FIXED_SIZE))
        return arb_fail(b->error, ARB_CORRUPT_DATA, "column %.*s has values of %d bytes", ARB_STR_ARGS(e->name),
                        e->type_length);
    arb_parquet_leaf *leaf = &b->schema->leaves[b->schema->leaf_count];
    *leaf = (arb_parquet_leaf){.element = number,
                               .physical = (uint8_t)e->physical,
                               .max_definition = definition,
                               .max_repetition = repetition,
                               .fixed_size = e->physical == ARB_PARQUET_FIXED ? (uint32_t)e->type_length : 0};
    leaf_type(e, leaf);
    leaf->is_signed_order = leaf->conversion != ARB_PARQUET_UNSIGNED && leaf->conversion != ARB_PARQUET_BIG_ENDIAN;
    *node = (arb_parquet_node){.type = leaf->type,
                               .shape = ARB_PARQUET_SHAPE_LEAF,
                               .unsupported = leaf->unsupported,
                               .definition = definition,
                               .repetition = repetition,
                               .leaf = b->schema->leaf_count,
                               .first_leaf = b->schema->leaf_count,
                               .leaf_count = 1};
    b->schema->leaf_count++;
    return ARB_OK;
}

static arb_code make_node(builder *b, arb_parquet_node *node, uint16_t definition, uint16_t repetition, unsigned depth);
static arb_code make_content(builder *b, const arb_parquet_element *e, uint32_t number, arb_parquet_node *node,
                             uint16_t definition, uint16_t repetition, unsigned depth);

/* `child_count` elements that follow become the fields of a struct. */
static arb_code make_fields(builder *b, uint32_t child_count, arb_parquet_node *node, uint16_t definition,
                            uint16_t repetition, unsigned depth)
{
    uint32_t left = b->metadata->element_count - b->next;
    if (child_count > left)
        return arb_fail(b->error, ARB_CORRUPT_DATA, "the Parquet schema has fewer elements than it says");
    node->shape = ARB_PARQUET_SHAPE_STRUCT;
    node->definition = definition;
    node->repetition = repetition;
    node->first_leaf = b->schema->leaf_count;
    node->child_count = child_count;
    node->unsupported = child_count == 0 ? "a group without fields" : NULL;
    node->children = ARB_ARENA_ARRAY(b->arena, arb_parquet_node, child_count);
    arb_str *names = ARB_ARENA_ARRAY(b->arena, arb_str, child_count);
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, child_count);
    if (node->children == NULL || names == NULL || types == NULL)
        return no_memory(b);
    for (uint32_t i = 0; i < child_count; i++) {
        if (b->next >= b->metadata->element_count)
            return arb_fail(b->error, ARB_CORRUPT_DATA, "the Parquet schema has fewer elements than it says");
        names[i] = b->metadata->elements[b->next].name;
        ARB_TRY(make_node(b, &node->children[i], definition, repetition, depth + 1));
        types[i] = node->children[i].type;
        if (node->unsupported == NULL)
            node->unsupported = node->children[i].unsupported;
    }
    node->leaf_count = b->schema->leaf_count - node->first_leaf;
    node->type = arb_type_struct(b->arena, names, types, child_count);
    return node->type.id == ARB_TYPE_NULL ? no_memory(b) : ARB_OK;
}

/* Make `node` the list whose elements `element` describes (a node in the arena). */
static arb_code finish_list(builder *b, arb_parquet_node *node, arb_parquet_node *element, uint16_t definition,
                            uint16_t repetition, bool is_map)
{
    *node = (arb_parquet_node){.shape = ARB_PARQUET_SHAPE_LIST,
                               .unsupported = element->unsupported,
                               .definition = definition,
                               .element_definition = (uint16_t)(definition + 1),
                               .repetition = (uint16_t)(repetition + 1),
                               .first_leaf = element->first_leaf,
                               .leaf_count = element->leaf_count,
                               .child_count = 1,
                               .children = element};
    if (is_map && element->shape == ARB_PARQUET_SHAPE_STRUCT && element->child_count == 2)
        node->type = arb_type_map(b->arena, element->children[0].type, element->children[1].type);
    else
        node->type = arb_type_list(b->arena, element->type);
    return node->type.id == ARB_TYPE_NULL ? no_memory(b) : ARB_OK;
}

/* The repeated element `e` inside of a group annotated as LIST or MAP holds the elements. By the standard it is a frame
 * of one child; by older rules it is the element itself when it is a leaf, has several children, or has a name that
 * writers of that time used for it. */
static bool is_frame(const arb_parquet_metadata *metadata, uint32_t number, arb_str list_name)
{
    const arb_parquet_element *e = &metadata->elements[number];
    if (e->child_count != 1 || number + 1 >= metadata->element_count)
        return false;
    if (metadata->elements[number + 1].repetition == ARB_PARQUET_REPEATED)
        return false;
    if (arb_str_equal(e->name, ARB_STR("array")))
        return false;
    return !(e->name.size == list_name.size + 6 && arb_str_starts_with(e->name, list_name) &&
             arb_str_ends_with(e->name, ARB_STR("_tuple")));
}

/* A group annotated as LIST or MAP, which has been counted in `definition` when it is optional. */
static arb_code make_annotated_list(builder *b, const arb_parquet_element *list, arb_parquet_node *node,
                                    uint16_t definition, uint16_t repetition, bool is_map, unsigned depth)
{
    uint32_t number = b->next++;
    const arb_parquet_element *e = &b->metadata->elements[number];
    arb_parquet_node *element = ARB_ARENA_NEW(b->arena, arb_parquet_node);
    if (element == NULL)
        return no_memory(b);
    uint16_t inner_definition = (uint16_t)(definition + 1), inner_repetition = (uint16_t)(repetition + 1);
    bool keys_only = is_map && e->child_count == 1; /* a set; read as the list of its keys */
    if (keys_only || (!is_map && is_frame(b->metadata, number, list->name)))
        ARB_TRY(make_node(b, element, inner_definition, inner_repetition, depth + 2));
    else
        ARB_TRY(make_content(b, e, number, element, inner_definition, inner_repetition, depth + 1));
    return finish_list(b, node, element, definition, repetition, is_map);
}

/* What is below an element, without regard to its repetition: `definition` and `repetition` count it already. */
static arb_code make_content(builder *b, const arb_parquet_element *e, uint32_t number, arb_parquet_node *node,
                             uint16_t definition, uint16_t repetition, unsigned depth)
{
    if (e->has_physical && e->child_count == 0)
        return make_leaf(b, e, number, node, definition, repetition);
    if (e->child_count < 0)
        return arb_fail(b->error, ARB_CORRUPT_DATA, "the Parquet schema has an element with %d children",
                        e->child_count);
    if (depth > MAX_DEPTH)
        return arb_fail(b->error, ARB_LIMIT_EXCEEDED, "the Parquet schema is nested more than %d deep", MAX_DEPTH);
    bool is_list = is_annotated(e, ARB_PARQUET_LOGICAL_LIST, ARB_PARQUET_LIST);
    bool is_map =
        is_annotated(e, ARB_PARQUET_LOGICAL_MAP, ARB_PARQUET_MAP) || e->converted == ARB_PARQUET_MAP_KEY_VALUE;
    if ((is_list || is_map) && e->child_count == 1 && b->next < b->metadata->element_count &&
        b->metadata->elements[b->next].repetition == ARB_PARQUET_REPEATED)
        return make_annotated_list(b, e, node, definition, repetition, is_map, depth);
    return make_fields(b, (uint32_t)e->child_count, node, definition, repetition, depth);
}

static arb_code make_node(builder *b, arb_parquet_node *node, uint16_t definition, uint16_t repetition, unsigned depth)
{
    if (b->next >= b->metadata->element_count)
        return arb_fail(b->error, ARB_CORRUPT_DATA, "the Parquet schema has fewer elements than it says");
    if (depth > MAX_DEPTH)
        return arb_fail(b->error, ARB_LIMIT_EXCEEDED, "the Parquet schema is nested more than %d deep", MAX_DEPTH);
    uint32_t number = b->next++;
    const arb_parquet_element *e = &b->metadata->elements[number];
    if (e->repetition < ARB_PARQUET_REQUIRED || e->repetition > ARB_PARQUET_REPEATED)
        return arb_fail(b->error, ARB_CORRUPT_DATA, "the Parquet schema's element %.*s has no repetition",
                        ARB_STR_ARGS(e->name));
    if (e->repetition == ARB_PARQUET_REPEATED) { /* repeated without LIST around: a list that is never NULL */
        arb_parquet_node *element = ARB_ARENA_NEW(b->arena, arb_parquet_node);
        if (element == NULL)
            return no_memory(b);
        ARB_TRY(make_content(b, e, number, element, (uint16_t)(definition + 1), (uint16_t)(repetition + 1), depth));
        return finish_list(b, node, element, definition, repetition, false);
    }
    bool optional = e->repetition == ARB_PARQUET_OPTIONAL;
    uint16_t inner = (uint16_t)(definition + optional);
    ARB_TRY(make_content(b, e, number, node, inner, repetition, depth));
    node->nullable = optional;
    return ARB_OK;
}

arb_code arb_parquet_schema_build(const arb_parquet_metadata *metadata, arb_arena *arena,
                                  arb_parquet_schema *out_schema, arb_error *error)
{
    *out_schema = (arb_parquet_schema){0};
    if (metadata->element_count == 0)
        return arb_fail(error, ARB_CORRUPT_DATA, "the Parquet file has no schema");
    builder b = {.metadata = metadata, .arena = arena, .schema = out_schema, .error = error, .next = 1};
    const arb_parquet_element *root = &metadata->elements[0];
    if (root->child_count < 0 || (uint32_t)root->child_count > metadata->element_count - 1)
        return arb_fail(error, ARB_CORRUPT_DATA, "the Parquet schema has fewer elements than it says");
    out_schema->column_count = (uint32_t)root->child_count;
    out_schema->leaves = ARB_ARENA_ARRAY(arena, arb_parquet_leaf, metadata->element_count);
    out_schema->columns = ARB_ARENA_ARRAY(arena, arb_parquet_node, out_schema->column_count);
    out_schema->names = ARB_ARENA_ARRAY(arena, arb_str, out_schema->column_count);
    if (out_schema->leaves == NULL || out_schema->columns == NULL || out_schema->names == NULL)
        return no_memory(&b);
    for (uint32_t i = 0; i < out_schema->column_count; i++) {
        if (b.next < metadata->element_count)
            out_schema->names[i] = metadata->elements[b.next].name;
        ARB_TRY(make_node(&b, &out_schema->columns[i], 0, 0, 0));
    }
    return ARB_OK;
}
