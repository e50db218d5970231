#include "catalog/catalog_record.h"

#include "base/utf8.h"
#include "catalog/file_options_wire.h"
#include "catalog/memory_table_wire.h"
#include "proto/catalog.pb-c.h"
#include "wire/wire.h"

/* ---- to bytes ---------------------------------------------------------------------------------------------------- */
static arb_code no_memory(arb_error *error)
{
    return arb_fail_memory(error, "a record of the catalog", 0);
}

static arb_code write_texts(arb_arena *arena, const arb_str *texts, size_t count, size_t *out_count,
                            ProtobufCBinaryData **out, arb_error *error)
{
    ProtobufCBinaryData *made = ARB_ARENA_ARRAY(arena, ProtobufCBinaryData, count + 1);
    for (size_t i = 0; made != NULL && i < count; i++)
        made[i] = arb_wire_bytes(texts[i]);
    *out = made;
    *out_count = count;
    return made != NULL ? ARB_OK : no_memory(error);
}

static arb_code write_entry(arb_arena *arena, const arb_catalog_entry *entry, const arb_segment_namer *segments,
                            arb_text *out, arb_error *error)
{
    Arbalest__Catalog__Entry to = ARBALEST__CATALOG__ENTRY__INIT;
    Arbalest__Catalog__View view = ARBALEST__CATALOG__VIEW__INIT;
    Arbalest__Catalog__FileSet files = ARBALEST__CATALOG__FILE_SET__INIT;
    Arbalest__Table__Memory memory = ARBALEST__TABLE__MEMORY__INIT;
    to.version = ARB_CATALOG_RECORD_VERSION;
    to.schema = arb_wire_bytes(entry->schema);
    to.name = arb_wire_bytes(entry->name);
    if (entry->is_view) {
        view.searched = arb_wire_bytes(entry->view.searched);
        view.sql = arb_wire_bytes(entry->view.sql);
        ARB_TRY(
            write_texts(arena, entry->view.columns, entry->view.column_count, &view.n_columns, &view.columns, error));
        to.kind_case = ARBALEST__CATALOG__ENTRY__KIND_VIEW;
        to.view = &view;
    } else if (entry->files.path_count != 0) {
        ARB_TRY(write_texts(arena, entry->files.paths, entry->files.path_count, &files.n_paths, &files.paths, error));
        if (entry->files.format != NULL)
            files.format = arb_wire_bytes(arb_str_of(entry->files.format->name));
        if (entry->files.options != NULL)
            ARB_TRY(arb_file_options_write(arena, entry->files.options, &files.options, error));
        to.kind_case = ARBALEST__CATALOG__ENTRY__KIND_FILES;
        to.files = &files;
    } else {
        ARB_TRY(arb_memory_table_write(arena, entry->table, segments, &memory, error));
        to.kind_case = ARBALEST__CATALOG__ENTRY__KIND_MEMORY;
        to.memory = &memory;
    }
    return arb_wire_pack(&to.base, out, error);
}

arb_code arb_catalog_record_write(const arb_catalog_entry *entry, const arb_segment_namer *segments, arb_text *out,
                                  arb_error *error)
{
    arb_arena arena = {0};
    arb_code code = write_entry(&arena, entry, segments, out, error);
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_catalog_schemas_write(const arb_catalog_version *version, arb_text *out, arb_error *error)
{
    Arbalest__Catalog__Schemas to = ARBALEST__CATALOG__SCHEMAS__INIT;
    arb_arena arena = {0};
    to.version = ARB_CATALOG_RECORD_VERSION;
    arb_code code = write_texts(&arena, version->schemas.data, version->schemas.size, &to.n_names, &to.names, error);
    if (code == ARB_OK)
        code = arb_wire_pack(&to.base, out, error);
    arb_arena_reset(&arena);
    return code;
}

/* ---- from bytes -------------------------------------------------------------------------------------------------- */
static arb_code damaged(arb_error *error, const char *what)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a record of the catalog %s", what);
}

static arb_code check_version(uint32_t version, arb_error *error)
{
    return version == ARB_CATALOG_RECORD_VERSION
               ? ARB_OK
               : arb_fail(error, ARB_NOT_SUPPORTED, "a record of the catalog is of version %u, known is %d", version,
                          ARB_CATALOG_RECORD_VERSION);
}

static bool is_text(ProtobufCBinaryData bytes)
{
    return arb_utf8_is_valid((const char *)bytes.data, bytes.len);
}

static arb_code read_texts(arb_arena *arena, const ProtobufCBinaryData *from, size_t count, const arb_str **out,
                           arb_error *error)
{
    arb_str *texts = ARB_ARENA_ARRAY(arena, arb_str, count + 1);
    for (size_t i = 0; texts != NULL && i < count; i++)
        texts[i] = arb_wire_text(from[i]);
    *out = texts;
    return texts != NULL ? ARB_OK : no_memory(error);
}

static arb_code read_view(arb_arena *arena, const Arbalest__Catalog__View *from, arb_catalog_entry *entry,
                          arb_error *error)
{
    arb_view view = {.schema = entry->schema,
                     .name = entry->name,
                     .searched = arb_wire_text(from->searched),
                     .sql = arb_wire_text(from->sql),
                     .column_count = from->n_columns};
    if (!is_text(from->sql) || !is_text(from->searched))
        return damaged(error, "has a view that is no text");
    for (size_t i = 0; i < from->n_columns; i++)
        if (!is_text(from->columns[i]))
            return damaged(error, "has a view with a name that is no text");
    ARB_TRY(read_texts(arena, from->columns, from->n_columns, &view.columns, error));
    return arb_catalog_entry_set_view(entry, &view) ? ARB_OK : no_memory(error);
}

static arb_code read_files(arb_arena *arena, const Arbalest__Catalog__FileSet *from, const arb_file_formats *formats,
                           arb_catalog_entry *entry, arb_error *error)
{
    arb_file_set files = {.path_count = from->n_paths};
    arb_file_options options;
    ARB_TRY(read_texts(arena, from->paths, from->n_paths, &files.paths, error));
    ARB_TRY(arb_file_set_check(&files, error));
    if (from->format.len != 0 && (files.format = arb_file_format_find(formats, arb_wire_text(from->format))) == NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "the format of table \"%.*s\" is not known here",
                        ARB_STR_ARGS(entry->name));
    if (from->options != NULL) {
        ARB_TRY(arb_file_options_read(arena, from->options, &options, error));
        files.options = &options;
    }
    return arb_catalog_entry_set_files(entry, &files) ? ARB_OK : no_memory(error);
}

/* What is there of a lost table is still its own. A name that is none names no blob. */
static bool note_segments(const Arbalest__Table__Memory *from, arb_catalog_entry *entry)
{
    arb_segment_name *names = ARB_ARENA_ARRAY(&entry->arena, arb_segment_name, from->n_segments + 1);
    for (size_t i = 0; names != NULL && i < from->n_segments; i++) {
        ProtobufCBinaryData hash = from->segments[i]->hash;
        if (hash.len != sizeof names->hash)
            continue;
        memcpy(names[entry->lost_count].hash, hash.data, hash.len);
        names[entry->lost_count++].bytes = from->segments[i]->bytes;
    }
    entry->lost_segments = names;
    return names != NULL;
}

/* What cannot be had, or is too much for the budget, is for whoever uses the table; memory that is short is not. */
static arb_code read_memory(arb_arena *arena, const Arbalest__Table__Memory *from, const arb_segment_finder *segments,
                            arb_catalog_entry *entry, arb_error *error)
{
    arb_error why = {0};
    arb_code code = arb_memory_table_read(arena, entry->name, from, segments, NULL, &entry->table, &why);
    if (code == ARB_OK)
        return ARB_OK;
    if (code == ARB_OUT_OF_MEMORY) {
        if (error != NULL)
            *error = why;
        return code;
    }
    entry->lost_code = code;
    entry->lost = arb_str_copy(&entry->arena, arb_str_of(why.message));
    return entry->lost.data != NULL && note_segments(from, entry) ? ARB_OK : no_memory(error);
}

static arb_code read_kind(arb_arena *arena, const Arbalest__Catalog__Entry *from, const arb_file_formats *formats,
                          const arb_segment_finder *segments, arb_catalog_entry *entry, arb_error *error)
{
    switch (from->kind_case) {
    case ARBALEST__CATALOG__ENTRY__KIND_VIEW:
        return read_view(arena, from->view, entry, error);
    case ARBALEST__CATALOG__ENTRY__KIND_FILES:
        return read_files(arena, from->files, formats, entry, error);
    case ARBALEST__CATALOG__ENTRY__KIND_MEMORY:
        return read_memory(arena, from->memory, segments, entry, error);
    default:
        return damaged(error, "says nothing");
    }
}

static arb_code read_entry(arb_arena *arena, arb_str bytes, const arb_file_formats *formats,
                           const arb_segment_finder *segments, arb_catalog_entry **out_entry, arb_error *error)
{
    ProtobufCMessage *message;
    ARB_TRY(arb_wire_unpack(&arbalest__catalog__entry__descriptor, arena, bytes.data, bytes.size, &message, error));
    const Arbalest__Catalog__Entry *from = (const Arbalest__Catalog__Entry *)message;
    ARB_TRY(check_version(from->version, error));
    if (from->name.len == 0 || !is_text(from->name) || !is_text(from->schema))
        return damaged(error, "has a name that is none");
    arb_catalog_entry *entry = arb_catalog_entry_create(arb_wire_text(from->schema), arb_wire_text(from->name));
    if (entry == NULL)
        return no_memory(error);
    arb_code code = read_kind(arena, from, formats, segments, entry, error);
    if (code == ARB_OK)
        *out_entry = entry;
    else
        arb_catalog_entry_unref(entry);
    return code;
}

arb_code arb_catalog_record_read(arb_str bytes, const arb_file_formats *formats, const arb_segment_finder *segments,
                                 arb_catalog_entry **out_entry, arb_error *error)
{
    arb_arena arena = {0};
    *out_entry = NULL;
    arb_code code = read_entry(&arena, bytes, formats, segments, out_entry, error);
    arb_arena_reset(&arena);
    return code;
}

static arb_code read_schemas(arb_arena *arena, arb_str bytes, arb_catalog_version *version, arb_error *error)
{
    ProtobufCMessage *message;
    ARB_TRY(arb_wire_unpack(&arbalest__catalog__schemas__descriptor, arena, bytes.data, bytes.size, &message, error));
    const Arbalest__Catalog__Schemas *from = (const Arbalest__Catalog__Schemas *)message;
    ARB_TRY(check_version(from->version, error));
    for (size_t i = 0; i < from->n_names; i++) {
        arb_catalog_part part = {arb_wire_text(from->names[i]), true};
        if (part.text.size == 0 || !is_text(from->names[i]))
            return damaged(error, "has a schema whose name is none");
        if (arb_catalog_version_schema(version, &part) < 0 && !arb_catalog_version_add_schema(version, part.text))
            return no_memory(error);
    }
    return ARB_OK;
}

arb_code arb_catalog_schemas_read(arb_str bytes, arb_catalog_version *version, arb_error *error)
{
    arb_arena arena = {0};
    arb_code code = read_schemas(&arena, bytes, version, error);
    arb_arena_reset(&arena);
    return code;
}
