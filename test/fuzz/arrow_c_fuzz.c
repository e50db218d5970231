/* Arrow's C Data interface: what another library in the process hands over. Lengths, offsets, indices, sizes and NULLs
 * are the input's; that buffers are as long as the lengths say is the one thing that the interface cannot check, so the
 * target keeps to it. Each struct must be released exactly once.
 *
 * Input: a tree of types, then for each node lengths and the bytes of its buffers. */
#include <stdlib.h>

#include "fuzz_arrow.h"

enum { ROWS_MOST = 40, CHILDREN_MOST = 4, DEPTH_MOST = 4, BYTES_MOST = 4096 };

typedef struct source {
    fuzz_input in;
    arb_arena arena;
    int alive; /* structs that were not released */
} source;

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->release != NULL)
            schema->children[i]->release(schema->children[i]);
    if (schema->dictionary != NULL && schema->dictionary->release != NULL)
        schema->dictionary->release(schema->dictionary);
    ((source *)schema->private_data)->alive--;
    schema->release = NULL;
}

static const char *format_of(source *s, unsigned depth)
{
    static const char *const formats[] = {
        "i",
        "u",
        "l",
        "b",
        "g",
        "U",
        "z",
        "vu",
        "vz",
        "d:9,2",
        "d:38,10",
        "d:76,2,256",
        "tdD",
        "ttu",
        "tsn:UTC",
        "n",
        "C",
        "s",
        "S",
        "I",
        "L",
        "c",
        "e",
        "f",
        "Z",
        "w:5",
        "tdm",
        "tts",
        "tDu",
        "tiM",
        "tiD",
        "tin",
        "d:4,1,32",
        "d:10,2,64",
        "tss:",
        /* nested */
        "+s",
        "+l",
        "+L",
        "+vl",
        "+vL",
        "+w:2",
        "+m",
        "+ud:0,1",
        "+us:5,3,0",
        "+r",
    };
    uint8_t choice = fuzz_byte(&s->in);
    size_t flat = 35, all = ARB_COUNT_OF(formats);
    if (choice == 0xFF) { /* any text */
        arb_str text = fuzz_until(&s->in, '\0');
        const char *copy = arb_arena_copy(&s->arena, text.data, text.size);
        FUZZ_REQUIRE(copy != NULL);
        return copy;
    }
    return formats[choice % (depth >= DEPTH_MOST ? flat : all)];
}

static struct ArrowSchema *make_schema(source *s, unsigned depth);

static void make_schema_in(source *s, unsigned depth, struct ArrowSchema *schema)
{
    *schema = (struct ArrowSchema){.format = format_of(s, depth), .release = release_schema, .private_data = s};
    uint8_t flags = fuzz_byte(&s->in);
    s->alive++;
    schema->name = (flags & 8) != 0 ? NULL : "name";
    schema->flags = flags & 7;
    if (schema->format[0] == '+' || (flags & 16) != 0) {
        static const uint8_t usual[] = {1, 1, 2, 2, 1, 3, 0, 4};
        schema->n_children = depth < DEPTH_MOST ? usual[flags >> 5] : 0;
        schema->children = ARB_ARENA_ARRAY(&s->arena, struct ArrowSchema *, schema->n_children + 1);
        for (int64_t i = 0; i < schema->n_children; i++)
            schema->children[i] = make_schema(s, depth + 1);
    }
    if ((flags >> 5) == 7 && depth < DEPTH_MOST)
        schema->dictionary = make_schema(s, depth + 1);
}

static struct ArrowSchema *make_schema(source *s, unsigned depth)
{
    struct ArrowSchema *schema = ARB_ARENA_NEW(&s->arena, struct ArrowSchema);
    FUZZ_REQUIRE(schema != NULL);
    make_schema_in(s, depth, schema);
    return schema;
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

static void release_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release != NULL)
            array->children[i]->release(array->children[i]);
    if (array->dictionary != NULL && array->dictionary->release != NULL)
        array->dictionary->release(array->dictionary);
    for (int64_t i = 0; i < array->n_buffers; i++)
        free((void *)(uintptr_t)array->buffers[i]);
    ((source *)array->private_data)->alive--;
    array->release = NULL;
}

/* A block of its own, with the input's next bytes and zeroes behind them. */
static uint8_t *make_buffer(source *s, size_t size)
{
    uint8_t *block = calloc(1, size + 1);
    FUZZ_REQUIRE(block != NULL);
    block = realloc(block, size != 0 ? size : 1);
    arb_str bytes = fuzz_take(&s->in, size);
    memcpy(block, bytes.data, bytes.size);
    return block;
}

static void make_binary(source *s, size_t rows, size_t width, struct ArrowArray *array)
{
    uint8_t *offsets = make_buffer(s, (rows + 1) * width);
    size_t size = fuzz_byte(&s->in);
    int64_t last = arb_arrow_load_integer(offsets, width, true, (int64_t)rows);
    if (last > (int64_t)size) { /* how many bytes there are is what the last offset says */
        int64_t right = (int64_t)size;
        memcpy(offsets + rows * width, &right, width);
    }
    array->buffers[1] = offsets;
    array->buffers[2] = make_buffer(s, size);
}

static void make_views(source *s, size_t rows, struct ArrowArray *array)
{
    size_t others = fuzz_byte(&s->in) % 3;
    array->n_buffers = (int64_t)others + 3;
    array->buffers[1] = make_buffer(s, rows * 16);
    int64_t *sizes = calloc(others + 1, sizeof *sizes);
    for (size_t i = 0; i < others; i++) {
        sizes[i] = fuzz_byte(&s->in);
        array->buffers[2 + i] = make_buffer(s, (size_t)sizes[i]);
    }
    array->buffers[2 + others] = sizes;
}

static void make_buffers(source *s, const arb_arrow_field *field, size_t rows, struct ArrowArray *array)
{
    arb_arrow_layout layout = arb_arrow_layout_of((arb_arrow_kind)field->kind);
    size_t width = arb_arrow_field_width(field);
    array->n_buffers = arb_arrow_layout_buffers(layout);
    array->buffers = (const void **)ARB_ARENA_ARRAY(&s->arena, void *, 8);
    FUZZ_REQUIRE(array->buffers != NULL);
    if (arb_arrow_layout_has_validity(layout) && fuzz_byte(&s->in) % 2 == 0)
        array->buffers[0] = make_buffer(s, (rows + 7) / 8);
    switch (layout) {
    case ARB_LAYOUT_BITS:
        array->buffers[1] = make_buffer(s, (rows + 7) / 8);
        break;
    case ARB_LAYOUT_FIXED:
    case ARB_LAYOUT_DICTIONARY:
        array->buffers[1] = make_buffer(s, rows * width);
        break;
    case ARB_LAYOUT_BINARY:
        make_binary(s, rows, width, array);
        break;
    case ARB_LAYOUT_VIEW:
        make_views(s, rows, array);
        break;
    case ARB_LAYOUT_LIST:
        array->buffers[1] = make_buffer(s, (rows + 1) * width);
        break;
    case ARB_LAYOUT_LIST_VIEW:
        array->buffers[1] = make_buffer(s, rows * width);
        array->buffers[2] = make_buffer(s, rows * width);
        break;
    case ARB_LAYOUT_DENSE_UNION:
        array->buffers[1] = make_buffer(s, rows * 4);
        array->buffers[0] = make_buffer(s, rows);
        break;
    case ARB_LAYOUT_SPARSE_UNION:
        array->buffers[0] = make_buffer(s, rows);
        break;
    default:
        break;
    }
}

static struct ArrowArray *make_array(source *s, const arb_arrow_field *field)
{
    struct ArrowArray *array = ARB_ARENA_NEW(&s->arena, struct ArrowArray);
    FUZZ_REQUIRE(array != NULL);
    array->release = release_array;
    array->private_data = s;
    s->alive++;
    uint8_t how = fuzz_byte(&s->in);
    array->length = fuzz_byte(&s->in) % ROWS_MOST;
    array->offset = (how & 1) != 0 ? fuzz_byte(&s->in) % ROWS_MOST : 0;
    array->null_count = (how & 2) != 0 ? fuzz_byte(&s->in) % ROWS_MOST : -1;
    size_t rows = (size_t)(array->length + array->offset);
    /* A fixed-size binary may have values of megabytes. */
    if (rows * arb_arrow_field_width(field) <= BYTES_MOST)
        make_buffers(s, field, rows, array);
    bool encoded = field->kind == ARB_ARROW_DICTIONARY;
    size_t children = encoded || (how & 0xF0) == 0xF0 ? 0 : field->child_count;
    array->children = ARB_ARENA_ARRAY(&s->arena, struct ArrowArray *, children + 1);
    for (size_t i = 0; i < children; i++) {
        array->children[i] = make_array(s, &field->children[i]);
        array->n_children = (int64_t)i + 1;
    }
    if (encoded && (how & 0xF0) != 0xF0)
        array->dictionary = make_array(s, &field->children[0]);
    if ((how & 0xFC) == 0xEC) /* a level that was moved out already */
        array->release(array);
    return array;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    source s = {.in = fuzz_input_over(data, size)};
    arb_arrow_schema *schema;
    arb_error error = {0};
    struct ArrowSchema c_schema = *make_schema(&s, 0);
    arb_code code = arb_arrow_schema_import(&c_schema, &schema, &error);
    FUZZ_REQUIRE(c_schema.release == NULL && s.alive == 0);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_LIMIT_EXCEEDED || code == ARB_NOT_SUPPORTED);
    if (code == ARB_OK) {
        arb_arrow_array *array;
        struct ArrowArray c_array = *make_array(&s, &schema->root);
        code = arb_arrow_array_import(&c_array, schema, &array, &error);
        FUZZ_REQUIRE(c_array.release == NULL);
        FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_LIMIT_EXCEEDED);
        if (code == ARB_OK)
            fuzz_use_arrow_array(array);
        arb_arrow_array_unref(array);
        arb_arrow_schema_unref(schema);
        FUZZ_REQUIRE(s.alive == 0);
    }
    arb_arena_reset(&s.arena);
    return 0;
}
