#include "columnar/nested_value.h"

enum { ITEM_END = 0, ITEM_VALUE = 1, ITEM_NULL = 2, TEXT_ESCAPE = 1, INTERVAL_BYTES = 24 };

static const uint64_t packed_most = (uint64_t)1 << 30;

/* A node of a type's tree. A map's entries are structs that have no type of their own: they go by the map's. */
typedef struct shape {
    arb_type type;
    bool entry;
} shape;

static bool is_list(const shape *node)
{
    return !node->entry && (node->type.id == ARB_TYPE_LIST || node->type.id == ARB_TYPE_MAP);
}

static bool is_fields(const shape *node)
{
    return node->entry || node->type.id == ARB_TYPE_STRUCT;
}

static size_t child_count(const shape *node)
{
    return is_list(node) ? 1 : is_fields(node) ? node->type.children->count : 0;
}

static shape child_of(const shape *node, size_t at)
{
    if (is_list(node) && node->type.id == ARB_TYPE_MAP)
        return (shape){node->type, true};
    return (shape){node->type.children->types[at], false};
}

/* Bytes of a packed number. */
static size_t leaf_bytes(const shape *node)
{
    arb_physical physical = arb_type_physical(node->type);
    return physical == ARB_PHYS_BOOL ? 1 : physical == ARB_PHYS_INTERVAL ? INTERVAL_BYTES : arb_physical_size(physical);
}

/* ---- numbers as bytes in order ---------------------------------------------------------------------------------------- */

ARB_INLINE uint32_t order_f32(float value)
{
    uint32_t bits = value != value ? 0x7FC00000u : value == 0 ? 0 : arb_load_u32(&value);
    return bits >> 31 ? ~bits : bits | (uint32_t)1 << 31;
}

ARB_INLINE uint64_t order_f64(double value)
{
    uint64_t bits = value != value ? (uint64_t)0x7FF8 << 48 : value == 0 ? 0 : arb_load_u64(&value);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

ARB_INLINE uint32_t value_f32(uint32_t order)
{
    return order >> 31 ? order ^ (uint32_t)1 << 31 : ~order;
}

ARB_INLINE uint64_t value_f64(uint64_t order)
{
    return order >> 63 ? order ^ (uint64_t)1 << 63 : ~order;
}

/* The last `bytes` bytes of the number, highest first, with the sign bit inverted. */
static char *put_whole(char *to, arb_int128 value, size_t bytes)
{
    arb_uint128 bits = ((arb_uint128)value << (128 - bytes * 8)) ^ (arb_uint128)1 << 127;
    uint64_t words[2] = {__builtin_bswap64((uint64_t)(bits >> 64)), __builtin_bswap64((uint64_t)bits)};
    memcpy(to, words, bytes);
    return to + bytes;
}

static arb_int128 get_whole(const char *from, size_t bytes)
{
    uint64_t words[2] = {0};
    memcpy(words, from, bytes);
    arb_uint128 bits = (arb_uint128)__builtin_bswap64(words[0]) << 64 | __builtin_bswap64(words[1]);
    return (arb_int128)(bits ^ (arb_uint128)1 << 127) >> (128 - bytes * 8);
}

/* ---- packing ------------------------------------------------------------------------------------------------------------ */

static uint64_t measure_text(arb_str text)
{
    uint64_t escaped = 0;
    for (size_t i = 0; i < text.size; i++)
        escaped += (uint8_t)text.data[i] <= TEXT_ESCAPE;
    return text.size + escaped + 1;
}

static char *put_text(char *to, arb_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = (uint8_t)text.data[i];
        if (byte <= TEXT_ESCAPE)
            *to++ = TEXT_ESCAPE;
        *to++ = (char)(byte <= TEXT_ESCAPE ? byte + 1 : byte);
    }
    *to++ = ITEM_END;
    return to;
}

static uint64_t measure_item(const arb_vector *vector, const shape *node, size_t row);

/* The row is not NULL. */
static uint64_t measure_value(const arb_vector *vector, const shape *node, size_t row)
{
    const arb_vector *entries = arb_vector_entries(vector);
    size_t slot = arb_vector_slot(vector, row);
    uint64_t bytes = 0;
    if (is_list(node)) {
        arb_list list = entries->values.list[slot];
        shape element = child_of(node, 0);
        bool fixed = child_count(&element) == 0 && !arb_type_is_text(element.type);
        if (fixed && list.size != 0 && entries->children[0].validity == NULL)
            return list.size * (1 + leaf_bytes(&element)) + 1;
        for (uint32_t i = 0; i < list.size; i++)
            bytes += measure_item(&entries->children[0], &element, list.offset + i);
        return bytes + 1;
    }
    if (is_fields(node)) {
        for (size_t i = 0; i < child_count(node); i++) {
            shape field = child_of(node, i);
            bytes += measure_item(&entries->children[i], &field, slot);
        }
        return bytes;
    }
    return arb_type_is_text(node->type) ? measure_text(arb_vector_get_text(vector, row)) : leaf_bytes(node);
}

static bool item_is_null(const arb_vector *vector, const shape *node, size_t row)
{
    return (!node->entry && node->type.id == ARB_TYPE_NULL) || !arb_vector_is_valid(vector, row);
}

static uint64_t measure_item(const arb_vector *vector, const shape *node, size_t row)
{
    return item_is_null(vector, node, row) ? 1 : 1 + measure_value(vector, node, row);
}

static char *put_leaf(char *to, const arb_vector *vector, const shape *node, size_t row)
{
    switch (node->type.id) {
    case ARB_TYPE_BOOLEAN:
        *to = arb_vector_get_bool(vector, row);
        return to + 1;
    case ARB_TYPE_REAL:
        arb_store_u32(to, __builtin_bswap32(order_f32((float)arb_vector_get_double(vector, row))));
        return to + 4;
    case ARB_TYPE_DOUBLE:
        arb_store_u64(to, __builtin_bswap64(order_f64(arb_vector_get_double(vector, row))));
        return to + 8;
    case ARB_TYPE_VARCHAR:
    case ARB_TYPE_BLOB:
        return put_text(to, arb_vector_get_text(vector, row));
    case ARB_TYPE_INTERVAL: {
        arb_interval value = arb_vector_entries(vector)->values.interval[arb_vector_slot(vector, row)];
        to = put_whole(to, arb_interval_span(value), 16);
        to = put_whole(to, value.months, 4);
        return put_whole(to, value.days, 4);
    }
    default:
        return put_whole(to, arb_vector_get_integer(vector, row), leaf_bytes(node));
    }
}

/* Elements of the commonest kinds, which come as flat values of the packed width. */
#define PUT_RUN(name, type, order, bytes, swap)                                             \
    static char *put_run_##name(char *to, const arb_vector *vector, arb_list list)          \
    {                                                                                       \
        const type *values = (const type *)vector->values.data;                             \
        for (size_t row = list.offset, end = row + list.size; row < end; row++) {           \
            bool valid = vector->validity == NULL || arb_bitmap_get(vector->validity, row); \
            *to++ = valid ? ITEM_VALUE : ITEM_NULL;                                         \
            if (!valid)                                                                     \
                continue;                                                                   \
            arb_store_u##bytes(to, swap(order(values[row])));                               \
            to += bytes / 8;                                                                \
        }                                                                                   \
        return to;                                                                          \
    }
#define ORDER_I32(value) ((uint32_t)(value) ^ (uint32_t)1 << 31)
#define ORDER_I64(value) ((uint64_t)(value) ^ (uint64_t)1 << 63)
PUT_RUN(INT32, int32_t, ORDER_I32, 32, __builtin_bswap32)
PUT_RUN(INT64, int64_t, ORDER_I64, 64, __builtin_bswap64)
PUT_RUN(FLOAT32, float, order_f32, 32, __builtin_bswap32)
PUT_RUN(FLOAT64, double, order_f64, 64, __builtin_bswap64)

typedef char *(*put_run_fn)(char *to, const arb_vector *vector, arb_list list);

static put_run_fn run_for(const arb_vector *elements, const shape *element)
{
    static const put_run_fn table[ARB_PHYS_COUNT] = {
        [ARB_PHYS_INT32] = put_run_INT32,
        [ARB_PHYS_INT64] = put_run_INT64,
        [ARB_PHYS_FLOAT32] = put_run_FLOAT32,
        [ARB_PHYS_FLOAT64] = put_run_FLOAT64,
    };
    bool plain = child_count(element) == 0 && elements->encoding == ARB_FLAT &&
                 elements->physical == arb_type_physical(element->type);
    return plain ? table[elements->physical] : NULL;
}

static char *put_item(char *to, const arb_vector *vector, const shape *node, size_t row);

static char *put_value(char *to, const arb_vector *vector, const shape *node, size_t row)
{
    const arb_vector *entries = arb_vector_entries(vector);
    size_t slot = arb_vector_slot(vector, row);
    if (is_list(node)) {
        arb_list list = entries->values.list[slot];
        shape element = child_of(node, 0);
        put_run_fn run = list.size != 0 ? run_for(&entries->children[0], &element) : NULL;
        if (run != NULL)
            to = run(to, &entries->children[0], list);
        for (uint32_t i = 0; run == NULL && i < list.size; i++)
            to = put_item(to, &entries->children[0], &element, list.offset + i);
        *to++ = ITEM_END;
        return to;
    }
    if (!is_fields(node))
        return put_leaf(to, vector, node, row);
    for (size_t i = 0; i < child_count(node); i++) {
        shape field = child_of(node, i);
        to = put_item(to, &entries->children[i], &field, slot);
    }
    return to;
}

static char *put_item(char *to, const arb_vector *vector, const shape *node, size_t row)
{
    bool is_null = item_is_null(vector, node, row);
    *to++ = is_null ? ITEM_NULL : ITEM_VALUE;
    return is_null ? to : put_value(to, vector, node, row);
}

arb_code arb_nested_pack(const arb_vector *vector, arb_type type, uint32_t rows, const uint64_t *selection,
                         arb_arena *arena, arb_string *out, arb_error *error)
{
    const shape root = {type, false};
    for (uint32_t row = 0; row < rows; row++) {
        if (!arb_bitmap_get(selection, row))
            continue;
        out[row] = (arb_string){0};
        if (!arb_vector_is_valid(vector, row))
            continue;
        char few[ARB_STRING_INLINE], *to = few;
        uint64_t bytes = measure_value(vector, &root, row);
        if (bytes > packed_most)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "a list or struct of %llu bytes is too large",
                            (unsigned long long)bytes);
        if (bytes > sizeof few && (to = arb_arena_alloc(arena, bytes)) == NULL)
            return arb_fail_memory(error, "a list or struct", bytes);
        const char *end = put_value(to, vector, &root, row);
        assert((uint64_t)(end - to) == bytes);
        (void)end;
        out[row] = arb_string_of(to, bytes);
    }
    return ARB_OK;
}

/* ---- unpacking: first how many values each node has, then the values --------------------------------------------------------- */

typedef struct unpack_node unpack_node;
struct unpack_node {
    shape shape;
    size_t bytes;   /* of a packed number */
    uint64_t count; /* values, NULLs included */
    uint64_t next;  /* value to be filled */
    bool has_null;
    arb_vector *vector;
    size_t child_count;
    unpack_node *children;
};

static bool make_nodes(unpack_node *node, shape shape, arb_arena *arena)
{
    *node = (unpack_node){.shape = shape, .child_count = child_count(&shape)};
    if (node->child_count == 0) {
        node->bytes = arb_type_is_text(shape.type) ? 0 : leaf_bytes(&shape);
        return true;
    }
    node->children = ARB_ARENA_ARRAY(arena, unpack_node, node->child_count);
    if (node->children == NULL)
        return false;
    for (size_t i = 0; i < node->child_count; i++)
        if (!make_nodes(&node->children[i], child_of(&shape, i), arena))
            return false;
    return true;
}

/* A NULL has a place in its fields too. */
static void count_null(unpack_node *node)
{
    node->count++;
    for (size_t i = 0; is_fields(&node->shape) && i < node->child_count; i++)
        count_null(&node->children[i]);
}

/* Packed values may have come over a network. So counting also proves that they end where they should; reading what was
 * counted needs no check then. NULL: not what this type packs to. */
static const char *count_item(unpack_node *node, const char *from, const char *end);

static const char *count_value(unpack_node *node, const char *from, const char *end)
{
    if (is_list(&node->shape)) {
        while (from != NULL && from < end && *from != ITEM_END)
            from = count_item(&node->children[0], from, end);
        return from != NULL && from < end ? from + 1 : NULL;
    }
    if (is_fields(&node->shape)) {
        for (size_t i = 0; from != NULL && i < node->child_count; i++)
            from = count_item(&node->children[i], from, end);
        return from;
    }
    if (node->bytes == 0) {
        const char *stop = memchr(from, ITEM_END, (size_t)(end - from));
        return stop != NULL ? stop + 1 : NULL;
    }
    return node->bytes <= (size_t)(end - from) ? from + node->bytes : NULL;
}

static const char *count_item(unpack_node *node, const char *from, const char *end)
{
    if (from == end)
        return NULL;
    if (*from == ITEM_NULL) {
        count_null(node);
        return from + 1;
    }
    node->count++;
    return *from == ITEM_VALUE ? count_value(node, from + 1, end) : NULL;
}

/* Vectors for the children of a node, with room for what was counted. */
static arb_code make_room(unpack_node *node, arb_arena *arena, arb_error *error)
{
    node->vector->children = ARB_ARENA_ARRAY(arena, arb_vector, node->child_count);
    if (node->vector->children == NULL)
        return arb_fail_memory(error, "a list or struct", node->child_count * sizeof(arb_vector));
    for (size_t i = 0; i < node->child_count; i++) {
        unpack_node *child = &node->children[i];
        bool fields = is_fields(&child->shape);
        arb_physical physical = fields                   ? ARB_PHYS_STRUCT
                                : is_list(&child->shape) ? ARB_PHYS_LIST
                                                         : arb_type_physical(child->shape.type);
        size_t words = arb_bitmap_words(child->count) + 1, size = arb_physical_size(physical);
        size_t bytes = (physical == ARB_PHYS_BOOL ? words * 8 : child->count * size) + ARB_VECTOR_PADDING;
        if (child->count > UINT32_MAX)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "the lists of one batch have too many elements");
        child->vector = &node->vector->children[i];
        *child->vector = (arb_vector){.physical = (uint8_t)physical, .encoding = ARB_FLAT};
        child->vector->validity = arb_arena_alloc_zeroed(arena, words * 8);
        child->vector->values.data = fields ? NULL : arb_arena_alloc(arena, bytes);
        if (child->vector->validity == NULL || (!fields && child->vector->values.data == NULL))
            return arb_fail_memory(error, "a list or struct", bytes);
        if (physical == ARB_PHYS_BOOL)
            memset(child->vector->values.data, 0, bytes);
        if (child->child_count != 0)
            ARB_TRY(make_room(child, arena, error));
    }
    node->vector->child_rows = is_list(&node->shape) ? (uint32_t)node->children[0].count : (uint32_t)node->child_count;
    return ARB_OK;
}

static void get_null(unpack_node *node)
{
    size_t at = node->next++, size = arb_physical_size((arb_physical)node->vector->physical);
    node->has_null = true;
    if (size != 0)
        memset((char *)node->vector->values.data + at * size, 0, size);
    for (size_t i = 0; is_fields(&node->shape) && i < node->child_count; i++)
        get_null(&node->children[i]);
}

/* Text without escapes stays where it is. */
static const char *get_text(arb_string *out, const char *from, const char *end, arb_arena *arena, arb_error *error)
{
    const char *stop = memchr(from, ITEM_END, (size_t)(end - from));
    size_t size = (size_t)(stop - from);
    const char *escape = memchr(from, TEXT_ESCAPE, size);
    if (escape == NULL) {
        *out = arb_string_of(from, size);
        return stop + 1;
    }
    char *text = arb_arena_alloc(arena, size), *to = text;
    if (text == NULL) {
        arb_fail_memory(error, "a list or struct", size);
        return NULL;
    }
    for (; from < stop; from++)
        *to++ = *from == TEXT_ESCAPE ? (char)(*++from - 1) : *from;
    *out = arb_string_of(text, (size_t)(to - text));
    return stop + 1;
}

static const char *get_leaf(const unpack_node *node, size_t at, const char *from, const char *end, arb_arena *arena,
                            arb_error *error)
{
    void *values = node->vector->values.data;
    switch (node->vector->physical) {
    case ARB_PHYS_BOOL:
        arb_bitmap_put(values, at, *from != 0);
        break;
    case ARB_PHYS_INT8:
        ((int8_t *)values)[at] = (int8_t)get_whole(from, 1);
        break;
    case ARB_PHYS_INT16:
        ((int16_t *)values)[at] = (int16_t)get_whole(from, 2);
        break;
    case ARB_PHYS_INT32:
        ((uint32_t *)values)[at] = ORDER_I32(__builtin_bswap32(arb_load_u32(from)));
        break;
    case ARB_PHYS_INT64:
        ((uint64_t *)values)[at] = ORDER_I64(__builtin_bswap64(arb_load_u64(from)));
        break;
    case ARB_PHYS_INT128:
        ((arb_int128 *)values)[at] = get_whole(from, 16);
        break;
    case ARB_PHYS_FLOAT32:
        ((uint32_t *)values)[at] = value_f32(__builtin_bswap32(arb_load_u32(from)));
        break;
    case ARB_PHYS_FLOAT64:
        ((uint64_t *)values)[at] = value_f64(__builtin_bswap64(arb_load_u64(from)));
        break;
    case ARB_PHYS_INTERVAL: {
        arb_interval value = {.months = (int32_t)get_whole(from + 16, 4), .days = (int32_t)get_whole(from + 20, 4)};
        value.micros = (int64_t)(get_whole(from, 16) - arb_interval_span(value));
        ((arb_interval *)values)[at] = value;
        break;
    }
    default:
        return get_text(&((arb_string *)values)[at], from, end, arena, error);
    }
    return from + node->bytes;
}

static const char *get_item(unpack_node *node, const char *from, const char *end, arb_arena *arena, arb_error *error);

/* NULL when memory is spent. */
static const char *get_value(unpack_node *node, size_t at, const char *from, const char *end, arb_arena *arena,
                             arb_error *error)
{
    if (is_list(&node->shape)) {
        unpack_node *elements = &node->children[0];
        uint64_t first = elements->next;
        while (from != NULL && *from != ITEM_END)
            from = get_item(elements, from, end, arena, error);
        node->vector->values.list[at] = (arb_list){(uint32_t)first, (uint32_t)(elements->next - first)};
        return from == NULL ? NULL : from + 1;
    }
    if (!is_fields(&node->shape))
        return get_leaf(node, at, from, end, arena, error);
    for (size_t i = 0; from != NULL && i < node->child_count; i++)
        from = get_item(&node->children[i], from, end, arena, error);
    return from;
}

static const char *get_item(unpack_node *node, const char *from, const char *end, arb_arena *arena, arb_error *error)
{
    if (*from == ITEM_NULL) {
        get_null(node);
        return from + 1;
    }
    size_t at = node->next++;
    arb_bitmap_set(node->vector->validity, at);
    return get_value(node, at, from + 1, end, arena, error);
}

static void forget_validity(unpack_node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        unpack_node *child = &node->children[i];
        if (!child->has_null)
            child->vector->validity = NULL;
        forget_validity(child);
    }
}

arb_code arb_nested_unpack(const arb_vector *packed, arb_type type, uint32_t rows, const uint64_t *selection,
                           arb_arena *arena, arb_vector *out, arb_error *error)
{
    unpack_node root;
    if (!make_nodes(&root, (shape){type, false}, arena))
        return arb_fail_memory(error, "a list or struct", sizeof root);
    root.vector = out;
    bool list = is_list(&root.shape);
    for (uint32_t row = 0; row < rows; row++) {
        if (arb_bitmap_get(selection, row)) {
            arb_str value = arb_vector_get_text(packed, row);
            const char *end = value.data + value.size;
            if (count_value(&root, value.data, end) != end)
                return arb_fail(error, ARB_CORRUPT_DATA, "a packed list or struct is damaged");
            continue;
        }
        for (size_t i = 0; !list && i < root.child_count; i++)
            count_null(&root.children[i]);
    }
    ARB_TRY(make_room(&root, arena, error));
    for (uint32_t row = 0; row < rows; row++) {
        if (arb_bitmap_get(selection, row)) {
            arb_str value = arb_vector_get_text(packed, row);
            if (get_value(&root, row, value.data, value.data + value.size, arena, error) == NULL)
                return ARB_OUT_OF_MEMORY;
            continue;
        }
        if (list)
            out->values.list[row] = (arb_list){0};
        for (size_t i = 0; !list && i < root.child_count; i++)
            get_null(&root.children[i]);
    }
    forget_validity(&root);
    return ARB_OK;
}
