/* arrow_samples.h: Arrow arrays of every type for tests, filled by a generator with a fixed seed. */
#ifndef ARB_TEST_ARROW_SAMPLES_H
#define ARB_TEST_ARROW_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "columnar/arrow_array.h"

/* All kinds. */
#define SAMPLE_FIRST ARB_ARROW_NULL
#define SAMPLE_LAST ARB_ARROW_RUN_END_ENCODED

typedef struct sample_random {
    uint64_t state;
} sample_random;

static inline uint64_t sample_next(sample_random *random)
{
    random->state = random->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return random->state >> 33;
}

#define ASSERT_OK(expression)                                                    \
    do {                                                                         \
        arb_code assert_code_ = (expression);                                    \
        if (assert_code_ != ARB_OK)                                              \
            print_error("%s: %s\n", arb_code_name(assert_code_), error.message); \
        assert_int_equal(assert_code_, ARB_OK);                                  \
    } while (0)

/* ---- schema: one column of each kind, and some deeper ones ---- */

static inline arb_arrow_field *sample_children(arb_arrow_schema *schema, arb_arrow_field *field, uint32_t count)
{
    field->children = ARB_ARENA_ARRAY(&schema->arena, arb_arrow_field, count);
    if (field->children == NULL)
        return NULL;
    field->child_count = count;
    for (uint32_t i = 0; i < count; i++)
        field->children[i] = (arb_arrow_field){.name = ARB_STR("child"),
                                               .zone = ARB_STR(""),
                                               .kind = i % 2 == 0 ? ARB_ARROW_INT32 : ARB_ARROW_UTF8,
                                               .nullable = true};
    return field->children;
}

static inline bool sample_parameters(arb_arrow_schema *schema, arb_arrow_field *field)
{
    static const int8_t type_ids[] = {5, 7};
    arb_arrow_field *child;
    switch (arb_arrow_layout_of((arb_arrow_kind)field->kind)) {
    case ARB_LAYOUT_LIST:
    case ARB_LAYOUT_LIST_VIEW:
    case ARB_LAYOUT_FIXED_LIST:
        if ((child = sample_children(schema, field, 1)) == NULL)
            return false;
        field->size = 3;
        if (field->kind == ARB_ARROW_MAP) {
            child->kind = ARB_ARROW_STRUCT;
            child->nullable = false;
            if ((child = sample_children(schema, child, 2)) == NULL)
                return false;
            child->nullable = false;
        } else if (field->kind == ARB_ARROW_LARGE_LIST) {
            child->kind = ARB_ARROW_STRUCT;
            return sample_children(schema, child, 3) != NULL;
        }
        return true;
    case ARB_LAYOUT_STRUCT:
        return sample_children(schema, field, 3) != NULL;
    case ARB_LAYOUT_SPARSE_UNION:
    case ARB_LAYOUT_DENSE_UNION:
        field->type_ids = type_ids;
        return sample_children(schema, field, 2) != NULL;
    case ARB_LAYOUT_DICTIONARY:
        if ((child = sample_children(schema, field, 1)) == NULL)
            return false;
        child->kind = ARB_ARROW_UTF8;
        field->index_kind = ARB_ARROW_INT8;
        return true;
    case ARB_LAYOUT_RUNS:
        if ((child = sample_children(schema, field, 2)) == NULL)
            return false;
        child[0].nullable = false;
        return true;
    default:
        break;
    }
    if (field->kind >= ARB_ARROW_DECIMAL32 && field->kind <= ARB_ARROW_DECIMAL256) {
        field->precision = field->kind == ARB_ARROW_DECIMAL32 ? 9 : 18;
        field->scale = 2;
    }
    field->unit = field->kind == ARB_ARROW_TIME64 || field->kind == ARB_ARROW_TIMESTAMP ? ARB_ARROW_MICROSECOND : 0;
    if (field->kind == ARB_ARROW_TIMESTAMP)
        field->zone = ARB_STR("Europe/Paris");
    if (field->kind == ARB_ARROW_FIXED_SIZE_BINARY)
        field->size = 5;
    return true;
}

/* The kinds [first, last] as columns; with metadata on the root and the first column. */
static inline arb_code sample_schema(arb_arrow_kind first, arb_arrow_kind last, arb_arrow_schema **out_schema,
                                     arb_error *error)
{
    static const arb_str keys[] = {{"key", 3}, {"key", 3}}, values[] = {{"value", 5}, {"\0\xff", 2}};
    ARB_TRY(arb_arrow_schema_create(0, out_schema, error));
    arb_arrow_schema *schema = *out_schema;
    uint32_t count = (uint32_t)(last - first + 1);
    bool made = sample_children(schema, &schema->root, count) != NULL;
    schema->root.metadata = (arb_arrow_metadata){2, keys, values};
    for (uint32_t i = 0; made && i < count; i++) {
        schema->root.children[i].kind = (uint8_t)(first + (int)i);
        schema->root.children[i].name = arb_str_of(arb_arrow_kind_name((arb_arrow_kind)(first + (int)i)));
        schema->root.children[i].dictionary_id = i;
        made = sample_parameters(schema, &schema->root.children[i]);
    }
    arb_code code = made ? arb_arrow_schema_validate(schema, error) : arb_fail_memory(error, "a sample", 1);
    if (code == ARB_OK) {
        schema->root.children[0].metadata = (arb_arrow_metadata){1, keys, values};
        return ARB_OK;
    }
    arb_arrow_schema_unref(schema);
    *out_schema = NULL;
    return code;
}

/* ---- values ---- */

typedef struct sample_maker {
    arb_arrow_draft *draft;
    sample_random *random;
    bool nulls;
    arb_error *error;
} sample_maker;

static inline arb_code sample_buffer(sample_maker *maker, arb_arrow_buffer *buffer, size_t size, uint8_t **out)
{
    ARB_TRY(arb_arrow_buffer_create(size, buffer, out, maker->error));
    for (size_t i = 0; i < size; i++)
        (*out)[i] = (uint8_t)sample_next(maker->random);
    return ARB_OK;
}

static inline arb_code sample_fill(sample_maker *maker, arb_arrow_node *node, int64_t rows);

static inline void sample_store(uint8_t *at, size_t width, int64_t value)
{
    memcpy(at, &value, width);
}

static inline arb_code sample_text(sample_maker *maker, arb_arrow_buffer *buffer, size_t size)
{
    uint8_t *bytes;
    ARB_TRY(sample_buffer(maker, buffer, size, &bytes));
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)('a' + bytes[i] % 26);
    for (size_t i = 0; i + 1 < size; i += 8) /* some characters of two bytes, at even places */
        memcpy(bytes + i, "\xc3\xa9", 2);
    return ARB_OK;
}

/* Offsets at even places, up to six apart. */
static inline arb_code sample_offsets(sample_maker *maker, arb_arrow_node *node, int64_t rows, int64_t *out_end)
{
    size_t width = arb_arrow_field_width(node->field);
    uint8_t *offsets;
    ARB_TRY(sample_buffer(maker, &node->buffers[1], (size_t)(rows + 1) * width, &offsets));
    int64_t offset = 2;
    for (int64_t row = 0; row <= rows; row++) {
        sample_store(offsets + (size_t)row * width, width, offset);
        *out_end = offset;
        offset += (int64_t)(sample_next(maker->random) % 4) * 2;
    }
    return ARB_OK;
}

static inline arb_code sample_views(sample_maker *maker, arb_arrow_node *node, int64_t rows)
{
    uint8_t *views;
    arb_arrow_buffer validity = node->buffers[0];
    ARB_TRY(arb_arrow_node_set_buffer_count(maker->draft, node, 4, maker->error));
    node->buffers[0] = validity;
    ARB_TRY(sample_text(maker, &node->buffers[2], 64));
    ARB_TRY(sample_text(maker, &node->buffers[3], 64));
    ARB_TRY(sample_buffer(maker, &node->buffers[1], (size_t)rows * 16, &views));
    for (int64_t row = 0; row < rows; row++) {
        uint8_t *view = views + row * 16;
        uint32_t size = (uint32_t)(sample_next(maker->random) % 20) * 2, buffer = (uint32_t)(row % 2);
        uint32_t offset = (uint32_t)(sample_next(maker->random) % 12) * 2;
        const uint8_t *text = node->buffers[2 + buffer].data + offset;
        memset(view, 0, 16);
        arb_store_u32(view, size);
        memcpy(view + 4, text, size <= 12 ? size : 4);
        if (size > 12) {
            arb_store_u32(view + 8, buffer);
            arb_store_u32(view + 12, offset);
        }
    }
    return ARB_OK;
}

static inline arb_code sample_list_views(sample_maker *maker, arb_arrow_node *node, int64_t rows)
{
    size_t width = arb_arrow_field_width(node->field);
    uint8_t *offsets, *sizes;
    ARB_TRY(sample_buffer(maker, &node->buffers[1], (size_t)rows * width, &offsets));
    ARB_TRY(sample_buffer(maker, &node->buffers[2], (size_t)rows * width, &sizes));
    for (int64_t row = 0; row < rows; row++) {
        sample_store(offsets + (size_t)row * width, width, (int64_t)(sample_next(maker->random) % 30));
        sample_store(sizes + (size_t)row * width, width, (int64_t)(sample_next(maker->random) % 10));
    }
    return sample_fill(maker, &node->children[0], 40);
}

static inline arb_code sample_union(sample_maker *maker, arb_arrow_node *node, int64_t rows, bool dense)
{
    uint8_t *ids, *offsets = NULL;
    ARB_TRY(sample_buffer(maker, &node->buffers[0], (size_t)rows, &ids));
    if (dense)
        ARB_TRY(sample_buffer(maker, &node->buffers[1], (size_t)rows * 4, &offsets));
    for (int64_t row = 0; row < rows; row++) {
        ids[row] = (uint8_t)node->field->type_ids[sample_next(maker->random) % 2];
        if (dense)
            arb_store_i32(offsets + row * 4, (int32_t)(row / 2));
    }
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(sample_fill(maker, &node->children[i], dense ? rows / 2 + 1 : rows));
    return ARB_OK;
}

static inline arb_code sample_dictionary(sample_maker *maker, arb_arrow_node *node, int64_t rows)
{
    enum { ENTRIES = 20 };
    arb_arrow_draft entries;
    ARB_TRY(arb_arrow_draft_init(&entries, maker->draft->schema, &node->field->children[0], maker->error));
    sample_maker inner = {&entries, maker->random, false, maker->error};
    arb_code code = sample_fill(&inner, &entries.root, ENTRIES);
    if (code != ARB_OK) {
        arb_arrow_draft_reset(&entries);
        return code;
    }
    ARB_TRY(arb_arrow_array_create(&entries, &node->dictionary, maker->error));
    size_t width = arb_arrow_field_width(node->field);
    uint8_t *indices;
    ARB_TRY(sample_buffer(maker, &node->buffers[1], (size_t)rows * width, &indices));
    for (int64_t row = 0; row < rows; row++)
        sample_store(indices + (size_t)row * width, width, (int64_t)(sample_next(maker->random) % ENTRIES));
    return ARB_OK;
}

static inline arb_code sample_runs(sample_maker *maker, arb_arrow_node *node, int64_t rows)
{
    int64_t runs = (rows + 2) / 3;
    arb_arrow_node *ends = &node->children[0];
    size_t width = arb_arrow_field_width(ends->field);
    uint8_t *at;
    ends->length = runs;
    ARB_TRY(sample_buffer(maker, &ends->buffers[1], (size_t)runs * width, &at));
    for (int64_t run = 0; run < runs; run++)
        sample_store(at + (size_t)run * width, width, (run + 1) * 3);
    return sample_fill(maker, &node->children[1], runs);
}

static inline arb_code sample_fixed(sample_maker *maker, arb_arrow_node *node, int64_t rows)
{
    size_t width = arb_arrow_field_width(node->field);
    uint8_t *values;
    ARB_TRY(sample_buffer(maker, &node->buffers[1], (size_t)rows * width, &values));
    bool small = node->field->precision != 0 || node->field->kind == ARB_ARROW_TIME32 ||
                 node->field->kind == ARB_ARROW_TIME64 || node->field->kind == ARB_ARROW_DURATION ||
                 node->field->kind == ARB_ARROW_DATE64 || node->field->kind == ARB_ARROW_INTERVAL_MDN;
    for (int64_t row = 0; small && row < rows; row++) {
        memset(values + (size_t)row * width, 0, width);
        sample_store(values + (size_t)row * width, ARB_MIN(width, (size_t)8),
                     (int64_t)(sample_next(maker->random) % 86400));
    }
    return ARB_OK;
}

/* Rows for a node, its children with it; some are NULL where the field and the maker allow it. */
static inline arb_code sample_fill(sample_maker *maker, arb_arrow_node *node, int64_t rows)
{
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)node->field->kind);
    uint8_t *bytes;
    int64_t end = 0;
    node->length = rows;
    if (maker->nulls && node->field->nullable && arb_arrow_layout_has_validity(layout))
        ARB_TRY(sample_buffer(maker, &node->buffers[0], (size_t)(rows + 7) / 8, &bytes));
    switch (layout) {
    case ARB_LAYOUT_NULL:
        return ARB_OK;
    case ARB_LAYOUT_BITS:
        return sample_buffer(maker, &node->buffers[1], (size_t)(rows + 7) / 8, &bytes);
    case ARB_LAYOUT_FIXED:
        return sample_fixed(maker, node, rows);
    case ARB_LAYOUT_BINARY:
        ARB_TRY(sample_offsets(maker, node, rows, &end));
        return sample_text(maker, &node->buffers[2], (size_t)end);
    case ARB_LAYOUT_VIEW:
        return sample_views(maker, node, rows);
    case ARB_LAYOUT_LIST:
        ARB_TRY(sample_offsets(maker, node, rows, &end));
        return sample_fill(maker, &node->children[0], end);
    case ARB_LAYOUT_LIST_VIEW:
        return sample_list_views(maker, node, rows);
    case ARB_LAYOUT_FIXED_LIST:
        return sample_fill(maker, &node->children[0], rows * node->field->size);
    case ARB_LAYOUT_STRUCT:
        for (uint32_t i = 0; i < node->child_count; i++)
            ARB_TRY(sample_fill(maker, &node->children[i], rows));
        return ARB_OK;
    case ARB_LAYOUT_SPARSE_UNION:
    case ARB_LAYOUT_DENSE_UNION:
        return sample_union(maker, node, rows, layout == ARB_LAYOUT_DENSE_UNION);
    case ARB_LAYOUT_DICTIONARY:
        return sample_dictionary(maker, node, rows);
    default:
        return sample_runs(maker, node, rows);
    }
}

static inline arb_code sample_draft(const arb_arrow_schema *schema, int64_t rows, uint64_t seed, arb_arrow_draft *draft,
                                    arb_error *error)
{
    sample_random random = {seed};
    ARB_TRY(arb_arrow_draft_init(draft, schema, NULL, error));
    sample_maker maker = {draft, &random, true, error};
    draft->root.length = rows;
    draft->root.null_count = 0;
    arb_code code = ARB_OK;
    for (uint32_t i = 0; i < draft->root.child_count && code == ARB_OK; i++)
        code = sample_fill(&maker, &draft->root.children[i], rows);
    if (code != ARB_OK)
        arb_arrow_draft_reset(draft);
    return code;
}

static inline arb_code sample_array(const arb_arrow_schema *schema, int64_t rows, uint64_t seed,
                                    arb_arrow_array **out_array, arb_error *error)
{
    arb_arrow_draft draft;
    *out_array = NULL;
    ARB_TRY(sample_draft(schema, rows, seed, &draft, error));
    return arb_arrow_array_create(&draft, out_array, error);
}

#endif
