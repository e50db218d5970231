#include "base/alloc.h"
#include "columnar/arrow_c_interface.h"

/* ---- import --------------------------------------------------------------------------------------------------- */

/* The foreign array, released with the last buffer of it. */
typedef struct foreign_memory {
    arb_arrow_memory base;
    struct ArrowArray array;
} foreign_memory;

static void release_foreign(arb_arrow_memory *memory)
{
    foreign_memory *foreign = (foreign_memory *)memory;
    foreign->array.release(&foreign->array);
    arb_free(foreign);
}

typedef struct importer {
    const arb_arrow_schema *schema;
    arb_arrow_memory *memory;
    arb_error *error;
} importer;

static arb_code wrong(importer *importer, const arb_arrow_field *field, const char *what)
{
    return arb_fail(importer->error, ARB_CORRUPT_DATA, "an array that came from outside for column \"%.*s\" %s",
                    ARB_STR_ARGS(field->name), what);
}

static void take_buffer(importer *importer, arb_arrow_buffer *buffer, const void *data, size_t size)
{
    if (data != NULL && size != 0)
        *buffer = (arb_arrow_buffer){data, size, arb_arrow_memory_ref(importer->memory)};
}

/* Views bring the sizes of their other buffers as one more buffer. */
static arb_code import_views(importer *importer, const struct ArrowArray *from, arb_arrow_draft *draft,
                             arb_arrow_node *node, size_t rows)
{
    if (from->n_buffers < 3 || from->n_buffers > INT32_MAX)
        return wrong(importer, node->field, "has too few buffers");
    uint32_t others = (uint32_t)from->n_buffers - 3;
    const int64_t *sizes = from->buffers[from->n_buffers - 1];
    if (others != 0 && sizes == NULL)
        return wrong(importer, node->field, "does not tell its buffers' sizes");
    ARB_TRY(arb_arrow_node_set_buffer_count(draft, node, others + 2, importer->error));
    take_buffer(importer, &node->buffers[0], from->buffers[0], (rows + 7) / 8);
    take_buffer(importer, &node->buffers[1], from->buffers[1], rows * 16);
    for (uint32_t i = 0; i < others; i++) {
        int64_t size = arb_load_i64(sizes + i);
        if (size < 0)
            return wrong(importer, node->field, "has a buffer of a negative size");
        take_buffer(importer, &node->buffers[i + 2], from->buffers[i + 2], (size_t)size);
    }
    return ARB_OK;
}

/* Sizes follow from the rows; that of BINARY's bytes from the last offset. */
static arb_code import_buffers(importer *importer, const struct ArrowArray *from, arb_arrow_draft *draft,
                               arb_arrow_node *node)
{
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)node->field->kind);
    size_t rows = (size_t)(from->offset + from->length), width = arb_arrow_field_width(node->field);
    if (from->n_buffers > 0 && from->buffers == NULL)
        return wrong(importer, node->field, "has no buffers");
    if (layout == ARB_LAYOUT_VIEW)
        return import_views(importer, from, draft, node, rows);
    if (from->n_buffers != node->buffer_count)
        return wrong(importer, node->field, "has the wrong number of buffers");
    if (arb_arrow_layout_has_validity(layout))
        take_buffer(importer, &node->buffers[0], from->buffers[0], (rows + 7) / 8);
    switch (layout) {
    case ARB_LAYOUT_BITS:
        take_buffer(importer, &node->buffers[1], from->buffers[1], (rows + 7) / 8);
        return ARB_OK;
    case ARB_LAYOUT_FIXED:
    case ARB_LAYOUT_DICTIONARY:
        take_buffer(importer, &node->buffers[1], from->buffers[1], rows * width);
        return ARB_OK;
    case ARB_LAYOUT_LIST:
    case ARB_LAYOUT_BINARY:
        take_buffer(importer, &node->buffers[1], from->buffers[1], (rows + 1) * width);
        if (layout == ARB_LAYOUT_BINARY && node->buffers[1].size != 0) {
            int64_t size = arb_arrow_load_integer(node->buffers[1].data, width, true, (int64_t)rows);
            if (size < 0)
                return wrong(importer, node->field, "has a negative offset");
            take_buffer(importer, &node->buffers[2], from->buffers[2], (size_t)size);
        }
        return ARB_OK;
    case ARB_LAYOUT_LIST_VIEW:
        take_buffer(importer, &node->buffers[1], from->buffers[1], rows * width);
        take_buffer(importer, &node->buffers[2], from->buffers[2], rows * width);
        return ARB_OK;
    case ARB_LAYOUT_DENSE_UNION:
        take_buffer(importer, &node->buffers[1], from->buffers[1], rows * 4);
        ARB_FALLTHROUGH;
    case ARB_LAYOUT_SPARSE_UNION:
        take_buffer(importer, &node->buffers[0], from->buffers[0], rows);
        return ARB_OK;
    default:
        return ARB_OK;
    }
}

static arb_code import_whole(importer *importer, const struct ArrowArray *from, const arb_arrow_field *field,
                             arb_arrow_array **out_array);

static arb_code import_node(importer *importer, const struct ArrowArray *from, arb_arrow_draft *draft,
                            arb_arrow_node *node)
{
    if (from == NULL || from->release == NULL)
        return wrong(importer, node->field, "is empty or has been released");
    if (from->length < 0 || from->offset < 0 || from->length > ARB_ARROW_LENGTH_MAX ||
        from->offset > ARB_ARROW_LENGTH_MAX - from->length)
        return wrong(importer, node->field, "has an impossible length");
    node->length = from->length;
    node->offset = from->offset;
    node->null_count = from->null_count < 0 ? -1 : from->null_count;
    ARB_TRY(import_buffers(importer, from, draft, node));
    bool encoded = node->field->kind == ARB_ARROW_DICTIONARY;
    if (from->n_children != node->child_count || (from->n_children != 0 && from->children == NULL) ||
        encoded != (from->dictionary != NULL))
        return wrong(importer, node->field, "has the wrong number of children");
    if (encoded)
        return import_whole(importer, from->dictionary, &node->field->children[0], &node->dictionary);
    for (uint32_t i = 0; i < node->child_count; i++)
        ARB_TRY(import_node(importer, from->children[i], draft, &node->children[i]));
    return ARB_OK;
}

static arb_code import_whole(importer *importer, const struct ArrowArray *from, const arb_arrow_field *field,
                             arb_arrow_array **out_array)
{
    arb_arrow_draft draft;
    ARB_TRY(arb_arrow_draft_init(&draft, importer->schema, field, importer->error));
    arb_code code = import_node(importer, from, &draft, &draft.root);
    if (code == ARB_OK)
        return arb_arrow_array_create(&draft, out_array, importer->error);
    arb_arrow_draft_reset(&draft);
    return code;
}

arb_code arb_arrow_array_import(struct ArrowArray *array, const arb_arrow_schema *schema, arb_arrow_array **out_array,
                                arb_error *error)
{
    *out_array = NULL;
    if (array->release == NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "an array has been released already");
    foreign_memory *foreign = arb_alloc_zeroed(sizeof *foreign);
    if (foreign == NULL) {
        array->release(array);
        array->release = NULL;
        return arb_fail_memory(error, "an array", sizeof *foreign);
    }
    arb_arrow_memory_init(&foreign->base, release_foreign);
    foreign->array = *array;
    array->release = NULL;
    importer importer = {schema, &foreign->base, error};
    arb_code code = import_whole(&importer, &foreign->array, &schema->root, out_array);
    arb_arrow_memory_unref(&foreign->base); /* the buffers hold what they need */
    return code;
}

/* ---- export --------------------------------------------------------------------------------------------------- */

/* What an exported level owns; each has its own, since children may be moved out. */
typedef struct exported {
    arb_arrow_array *array; /* keeps the buffers alive */
    arb_arena arena;        /* lists of pointers, and the structs of children */
} exported;

static void release_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release != NULL)
            array->children[i]->release(array->children[i]);
    if (array->dictionary != NULL && array->dictionary->release != NULL)
        array->dictionary->release(array->dictionary);
    exported *owned = array->private_data;
    array->release = NULL;
    arb_arrow_array_unref(owned->array);
    arb_arena_reset(&owned->arena);
    arb_free(owned);
}

/* Buffers without bytes point to some zeros, since not every reader expects NULL; absent validity is NULL. */
static arb_code export_buffers(const arb_arrow_node *node, exported *owned, struct ArrowArray *out, arb_error *error)
{
    static const uint8_t zeros[64] ARB_ALIGNED(64);
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)node->field->kind);
    bool views = layout == ARB_LAYOUT_VIEW;
    size_t count = node->buffer_count + (views ? 1 : 0);
    out->buffers = ARB_ARENA_ARRAY(&owned->arena, const void *, count);
    int64_t *sizes = ARB_ARENA_ARRAY(&owned->arena, int64_t, views ? node->buffer_count : 0);
    if (out->buffers == NULL || sizes == NULL)
        return arb_fail_memory(error, "an array", count * sizeof *sizes);
    out->n_buffers = (int64_t)count;
    for (uint32_t i = 0; i < node->buffer_count; i++) {
        bool absent = i == 0 && arb_arrow_layout_has_validity(layout) && node->null_count == 0;
        out->buffers[i] = absent ? NULL : node->buffers[i].size == 0 ? zeros : node->buffers[i].data;
        if (i >= 2 && views)
            sizes[i - 2] = (int64_t)node->buffers[i].size;
    }
    if (views)
        out->buffers[count - 1] = sizes;
    return ARB_OK;
}

static arb_code export_node(const arb_arrow_array *array, const arb_arrow_node *node, struct ArrowArray *out,
                            arb_error *error);

static arb_code export_children(const arb_arrow_array *array, const arb_arrow_node *node, exported *owned,
                                struct ArrowArray *out, arb_error *error)
{
    bool encoded = node->dictionary != NULL;
    struct ArrowArray *children = ARB_ARENA_ARRAY(&owned->arena, struct ArrowArray, encoded ? 1 : node->child_count);
    out->children = ARB_ARENA_ARRAY(&owned->arena, struct ArrowArray *, node->child_count);
    if (children == NULL || out->children == NULL)
        return arb_fail_memory(error, "an array", sizeof *children);
    if (encoded) {
        ARB_TRY(export_node(node->dictionary, arb_arrow_array_root(node->dictionary), children, error));
        out->dictionary = children;
    }
    for (uint32_t i = 0; i < node->child_count; i++) {
        ARB_TRY(export_node(array, &node->children[i], &children[i], error));
        out->children[i] = &children[i];
        out->n_children = i + 1;
    }
    return ARB_OK;
}

static arb_code export_node(const arb_arrow_array *array, const arb_arrow_node *node, struct ArrowArray *out,
                            arb_error *error)
{
    *out = (struct ArrowArray){.length = node->length, .null_count = node->null_count, .offset = node->offset};
    exported *owned = arb_alloc_zeroed(sizeof *owned);
    if (owned == NULL)
        return arb_fail_memory(error, "an array", sizeof *owned);
    owned->array = arb_arrow_array_ref(array);
    out->private_data = owned;
    out->release = release_array;
    arb_code code = export_buffers(node, owned, out, error);
    if (code == ARB_OK)
        code = export_children(array, node, owned, out, error);
    if (code != ARB_OK)
        release_array(out);
    return code;
}

arb_code arb_arrow_array_export(const arb_arrow_array *array, struct ArrowArray *out_array, arb_error *error)
{
    return export_node(array, arb_arrow_array_root(array), out_array, error);
}
