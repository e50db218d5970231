#include "columnar/arrow_c_format.h"
#include "columnar/arrow_c_interface.h"

#include "base/alloc.h"

/* ---- import --------------------------------------------------------------------------------------------------- */

typedef struct importer {
    arb_arrow_schema *schema;
    int64_t next_dictionary;
    arb_error *error;
} importer;

enum { CHILDREN_MOST = 1 << 20, PAIRS_MOST = 1 << 20, METADATA_MOST = 1 << 30 };

static arb_code short_of_memory(importer *importer)
{
    return arb_fail_memory(importer->error, "a schema", sizeof(arb_arrow_field));
}

static arb_code take_text(importer *importer, const char **at, size_t *total, arb_str *out)
{
    int32_t size = arb_load_i32(*at);
    *at += 4;
    if (size < 0 || (*total += (size_t)size) > METADATA_MOST)
        return arb_fail(importer->error, ARB_CORRUPT_DATA, "the metadata of a schema has an impossible size");
    *out = arb_str_copy(&importer->schema->arena, (arb_str){*at, (size_t)size});
    *at += size;
    return out->data != NULL ? ARB_OK : short_of_memory(importer);
}

/* A count; then for each pair the size of the key, the key, the size of the value, the value. */
static arb_code import_metadata(importer *importer, const char *from, arb_arrow_metadata *out)
{
    *out = (arb_arrow_metadata){0};
    if (from == NULL)
        return ARB_OK;
    int32_t count = arb_load_i32(from);
    if (count < 0 || count > PAIRS_MOST)
        return arb_fail(importer->error, ARB_CORRUPT_DATA, "a schema has %d pairs of metadata", count);
    arb_str *texts = ARB_ARENA_ARRAY(&importer->schema->arena, arb_str, (size_t)count * 2);
    if (texts == NULL)
        return short_of_memory(importer);
    size_t total = 0;
    from += 4;
    for (int32_t i = 0; i < count; i++) {
        ARB_TRY(take_text(importer, &from, &total, &texts[i]));
        ARB_TRY(take_text(importer, &from, &total, &texts[count + i]));
    }
    *out = (arb_arrow_metadata){(size_t)count, texts, texts + count};
    return ARB_OK;
}

static arb_code import_field(importer *importer, const struct ArrowSchema *from, unsigned depth,
                             arb_arrow_field *field);

static arb_code import_children(importer *importer, const struct ArrowSchema *from, unsigned depth,
                                arb_arrow_field *field)
{
    if (from->n_children < 0 || from->n_children > CHILDREN_MOST || (from->n_children > 0 && from->children == NULL))
        return arb_fail(importer->error, ARB_CORRUPT_DATA, "a schema has an impossible number of children");
    if (from->n_children == 0)
        return ARB_OK;
    field->children = ARB_ARENA_ARRAY(&importer->schema->arena, arb_arrow_field, from->n_children);
    if (field->children == NULL)
        return short_of_memory(importer);
    field->child_count = (uint32_t)from->n_children;
    for (int64_t i = 0; i < from->n_children; i++)
        ARB_TRY(import_field(importer, from->children[i], depth + 1, &field->children[i]));
    return ARB_OK;
}

static arb_code import_dictionary(importer *importer, const struct ArrowSchema *from, unsigned depth,
                                  arb_arrow_field *field)
{
    if (!arb_arrow_kind_is_integer((arb_arrow_kind)field->kind))
        return arb_fail(importer->error, ARB_CORRUPT_DATA, "the indices of a dictionary are no integers");
    field->index_kind = field->kind;
    field->kind = ARB_ARROW_DICTIONARY;
    field->ordered = (from->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0;
    field->dictionary_id = importer->next_dictionary++;
    field->child_count = 1;
    field->children = ARB_ARENA_NEW(&importer->schema->arena, arb_arrow_field);
    if (field->children == NULL)
        return short_of_memory(importer);
    ARB_TRY(import_field(importer, from->dictionary, depth + 1, field->children));
    field->children->name = field->name;
    return ARB_OK;
}

static arb_code import_field(importer *importer, const struct ArrowSchema *from, unsigned depth, arb_arrow_field *field)
{
    if (depth > ARB_ARROW_DEPTH_MAX)
        return arb_fail(importer->error, ARB_LIMIT_EXCEEDED, "a schema is nested more than %d levels deep",
                        ARB_ARROW_DEPTH_MAX);
    if (from == NULL || from->release == NULL || from->format == NULL)
        return arb_fail(importer->error, ARB_CORRUPT_DATA, "a schema is empty or has been released");
    *field = (arb_arrow_field){.zone = ARB_STR("")};
    field->name = arb_str_copy(&importer->schema->arena, arb_str_of(from->name != NULL ? from->name : ""));
    if (field->name.data == NULL)
        return short_of_memory(importer);
    field->nullable = (from->flags & ARROW_FLAG_NULLABLE) != 0;
    ARB_TRY(import_metadata(importer, from->metadata, &field->metadata));
    ARB_TRY(import_children(importer, from, depth, field));
    ARB_TRY(arb_arrow_format_read(&importer->schema->arena, from->format, field, importer->error));
    if (field->kind == ARB_ARROW_MAP)
        field->ordered = (from->flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0;
    return from->dictionary != NULL ? import_dictionary(importer, from, depth, field) : ARB_OK;
}

arb_code arb_arrow_schema_import(struct ArrowSchema *schema, arb_arrow_schema **out_schema, arb_error *error)
{
    importer importer = {.error = error};
    *out_schema = NULL;
    arb_code code = arb_arrow_schema_create(0, &importer.schema, error);
    if (code == ARB_OK)
        code = import_field(&importer, schema, 0, &importer.schema->root);
    if (schema->release != NULL)
        schema->release(schema);
    schema->release = NULL;
    return arb_arrow_schema_finish(importer.schema, code, out_schema, error);
}

/* ---- export --------------------------------------------------------------------------------------------------- */

/* What an exported level owns; each level has its own, since children may be moved out. */
typedef struct exported {
    arb_arena arena;
} exported;

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->release != NULL)
            schema->children[i]->release(schema->children[i]);
    if (schema->dictionary != NULL && schema->dictionary->release != NULL)
        schema->dictionary->release(schema->dictionary);
    exported *owned = schema->private_data;
    schema->release = NULL;
    arb_arena_reset(&owned->arena);
    arb_free(owned);
}

static const char *export_metadata(arb_arena *arena, arb_arrow_metadata metadata, bool *out_failed)
{
    if (metadata.count == 0)
        return NULL;
    size_t size = 4;
    for (size_t i = 0; i < metadata.count; i++)
        size += 8 + metadata.keys[i].size + metadata.values[i].size;
    char *made = size <= INT32_MAX ? arb_arena_alloc(arena, size) : NULL, *at = made;
    *out_failed = made == NULL;
    if (made == NULL)
        return NULL;
    arb_store_i32(at, (int32_t)metadata.count);
    at += 4;
    for (size_t i = 0; i < metadata.count; i++)
        for (unsigned j = 0; j < 2; j++) {
            arb_str text = j == 0 ? metadata.keys[i] : metadata.values[i];
            arb_store_i32(at, (int32_t)text.size);
            memcpy(at + 4, text.data, text.size);
            at += 4 + text.size;
        }
    return made;
}

static arb_code export_field(const arb_arrow_field *field, struct ArrowSchema *out, arb_error *error);

static arb_code export_children(const arb_arrow_field *field, exported *owned, struct ArrowSchema *out,
                                arb_error *error)
{
    struct ArrowSchema *children = ARB_ARENA_ARRAY(&owned->arena, struct ArrowSchema, field->child_count);
    if (children == NULL)
        return arb_fail_memory(error, "a schema", sizeof *children);
    if (field->kind == ARB_ARROW_DICTIONARY) {
        ARB_TRY(export_field(&field->children[0], children, error));
        out->dictionary = children;
        return ARB_OK;
    }
    out->children = ARB_ARENA_ARRAY(&owned->arena, struct ArrowSchema *, field->child_count);
    if (out->children == NULL)
        return arb_fail_memory(error, "a schema", sizeof *children);
    for (uint32_t i = 0; i < field->child_count; i++) {
        ARB_TRY(export_field(&field->children[i], &children[i], error));
        out->children[i] = &children[i];
        out->n_children = i + 1;
    }
    return ARB_OK;
}

static arb_code export_field(const arb_arrow_field *field, struct ArrowSchema *out, arb_error *error)
{
    *out = (struct ArrowSchema){0};
    exported *owned = arb_alloc_zeroed(sizeof *owned);
    if (owned == NULL)
        return arb_fail_memory(error, "a schema", sizeof *owned);
    out->private_data = owned;
    out->release = release_schema;
    arb_text format = {0};
    arb_arrow_format_write(&format, field);
    bool failed = format.failed, metadata_failed = false;
    out->format = failed ? NULL : arb_arena_copy(&owned->arena, format.data, format.size);
    arb_text_reset(&format);
    out->name = arb_arena_copy(&owned->arena, field->name.data, field->name.size);
    out->metadata = export_metadata(&owned->arena, field->metadata, &metadata_failed);
    if (field->nullable)
        out->flags |= ARROW_FLAG_NULLABLE;
    if (field->ordered)
        out->flags |= field->kind == ARB_ARROW_MAP ? ARROW_FLAG_MAP_KEYS_SORTED : ARROW_FLAG_DICTIONARY_ORDERED;
    arb_code code = ARB_OK;
    if (out->format == NULL || out->name == NULL || metadata_failed)
        code = arb_fail_memory(error, "a schema", sizeof *owned);
    else if (field->child_count != 0)
        code = export_children(field, owned, out, error);
    if (code != ARB_OK)
        release_schema(out);
    return code;
}

arb_code arb_arrow_schema_export(const arb_arrow_schema *schema, struct ArrowSchema *out_schema, arb_error *error)
{
    return export_field(&schema->root, out_schema, error);
}
