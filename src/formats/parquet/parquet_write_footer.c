#include "formats/parquet/parquet_write_footer.h"

#include "formats/parquet/thrift_writer.h"

static arb_code no_memory(const arb_parquet_footer *footer, arb_error *error)
{
    return arb_fail_memory(error, "a Parquet footer", footer->arena.total);
}

void arb_parquet_footer_reset(arb_parquet_footer *footer)
{
    arb_arena_reset(&footer->arena);
    *footer = (arb_parquet_footer){0};
}

/* ---- row groups -------------------------------------------------------------------------------------------------- */

static arb_code put_chunk(arb_parquet_footer *footer, const arb_parquet_write_chunk *chunk,
                          arb_parquet_written_chunk *written, arb_byte_sink *sink, arb_error *error)
{
    *written = (arb_parquet_written_chunk){
        .codec = chunk->codec,
        .encoding = chunk->encoding,
        .offset = sink->written,
        .size = chunk->bytes.size,
        .raw_size = chunk->raw_bytes,
        .dictionary_size = chunk->dictionary_size,
        .entries = chunk->entries,
        .page_count = chunk->pages.size,
        .pages = ARB_ARENA_ARRAY(&footer->arena, arb_parquet_page_location, chunk->pages.size),
        .statistics = arb_str_copy(&footer->arena, arb_text_view(&chunk->statistics)),
        .column_index = arb_str_copy(&footer->arena, arb_text_view(&chunk->column_index)),
    };
    if (written->pages == NULL || written->statistics.data == NULL || written->column_index.data == NULL)
        return no_memory(footer, error);
    for (size_t i = 0; i < chunk->pages.size; i++) {
        written->pages[i] = chunk->pages.data[i];
        written->pages[i].offset += (int64_t)sink->written;
    }
    return arb_byte_sink_write(sink, chunk->bytes.data, chunk->bytes.size, error);
}

arb_code arb_parquet_footer_put_group(arb_parquet_footer *footer, const arb_parquet_write_plan *plan,
                                      const arb_parquet_write_chunk *chunks, uint64_t rows, arb_byte_sink *sink,
                                      arb_error *error)
{
    uint32_t count = plan->schema.leaf_count;
    arb_parquet_written_chunk *written = ARB_ARENA_ARRAY(&footer->arena, arb_parquet_written_chunk, count);
    if (written == NULL ||
        !ARB_ARENA_PUSH(&footer->arena, &footer->groups, (arb_parquet_written_group){.rows = rows, .chunks = written}))
        return no_memory(footer, error);
    for (uint32_t i = 0; i < count; i++)
        ARB_TRY(put_chunk(footer, &chunks[i], &written[i], sink, error));
    for (uint32_t i = 0; i < count; i++) {
        if (chunks[i].bloom.size == 0)
            continue;
        written[i].bloom_offset = sink->written;
        written[i].bloom_size = chunks[i].bloom.size;
        ARB_TRY(arb_byte_sink_write(sink, chunks[i].bloom.data, chunks[i].bloom.size, error));
    }
    footer->rows += rows;
    return ARB_OK;
}

/* ---- page indexes ------------------------------------------------------------------------------------------------ */

static arb_code write_indexes(arb_parquet_footer *footer, uint32_t leaf_count, arb_byte_sink *sink, arb_error *error)
{
    for (size_t i = 0; i < footer->groups.size; i++)
        for (uint32_t j = 0; j < leaf_count; j++) {
            arb_parquet_written_chunk *chunk = &footer->groups.data[i].chunks[j];
            chunk->column_index_offset = sink->written;
            ARB_TRY(arb_byte_sink_write(sink, chunk->column_index.data, chunk->column_index.size, error));
        }
    arb_text bytes = {0};
    arb_code code = ARB_OK;
    for (size_t i = 0; i < footer->groups.size && code == ARB_OK; i++)
        for (uint32_t j = 0; j < leaf_count && code == ARB_OK; j++) {
            arb_parquet_written_chunk *chunk = &footer->groups.data[i].chunks[j];
            arb_text_clear(&bytes);
            arb_thrift_writer index = arb_thrift_writer_to(&bytes);
            arb_thrift_put_list(&index, 1, ARB_THRIFT_STRUCT, chunk->page_count);
            for (size_t k = 0; k < chunk->page_count; k++) {
                arb_thrift_writer page = arb_thrift_writer_to(&bytes);
                arb_thrift_put_integer(&page, 1, ARB_THRIFT_I64, chunk->pages[k].offset);
                arb_thrift_put_integer(&page, 2, ARB_THRIFT_I32, chunk->pages[k].size);
                arb_thrift_put_integer(&page, 3, ARB_THRIFT_I64, chunk->pages[k].first_row);
                arb_thrift_end(&page);
            }
            arb_thrift_end(&index);
            chunk->offset_index_offset = sink->written;
            chunk->offset_index_size = bytes.size;
            code = arb_text_check(&bytes, error);
            if (code == ARB_OK)
                code = arb_byte_sink_write(sink, bytes.data, bytes.size, error);
        }
    arb_text_reset(&bytes);
    return code;
}

/* ---- the footer -------------------------------------------------------------------------------------------------- */

static void put_time_unit(arb_thrift_writer *outer, const arb_parquet_element *e)
{
    arb_thrift_put_bool(outer, 1, e->is_utc);
    arb_thrift_writer unit = arb_thrift_put_struct(outer, 2);
    arb_thrift_put_empty(&unit, e->unit);
    arb_thrift_end(&unit);
}

static void put_logical_type(arb_thrift_writer *element, const arb_parquet_element *e)
{
    arb_thrift_writer logical = arb_thrift_put_struct(element, 10);
    arb_thrift_writer details = arb_thrift_put_struct(&logical, e->logical);
    switch (e->logical) {
    case ARB_PARQUET_LOGICAL_DECIMAL:
        arb_thrift_put_integer(&details, 1, ARB_THRIFT_I32, e->logical_scale);
        arb_thrift_put_integer(&details, 2, ARB_THRIFT_I32, e->logical_precision);
        break;
    case ARB_PARQUET_LOGICAL_TIME:
    case ARB_PARQUET_LOGICAL_TIMESTAMP:
        put_time_unit(&details, e);
        break;
    case ARB_PARQUET_LOGICAL_INTEGER:
        arb_thrift_put_integer(&details, 1, ARB_THRIFT_I8, e->bit_width);
        arb_thrift_put_bool(&details, 2, e->is_signed);
        break;
    default: /* the others say nothing more */
        break;
    }
    arb_thrift_end(&details);
    arb_thrift_end(&logical);
}

static void put_element(arb_text *out, const arb_parquet_element *e, bool is_root)
{
    arb_thrift_writer element = arb_thrift_writer_to(out);
    if (e->has_physical)
        arb_thrift_put_integer(&element, 1, ARB_THRIFT_I32, e->physical);
    if (e->has_physical && e->physical == ARB_PARQUET_FIXED)
        arb_thrift_put_integer(&element, 2, ARB_THRIFT_I32, e->type_length);
    if (!is_root)
        arb_thrift_put_integer(&element, 3, ARB_THRIFT_I32, e->repetition);
    arb_thrift_put_binary(&element, 4, e->name);
    if (!e->has_physical)
        arb_thrift_put_integer(&element, 5, ARB_THRIFT_I32, e->child_count);
    if (e->converted != ARB_PARQUET_CONVERTED_NONE)
        arb_thrift_put_integer(&element, 6, ARB_THRIFT_I32, e->converted);
    if (e->logical == ARB_PARQUET_LOGICAL_DECIMAL) {
        arb_thrift_put_integer(&element, 7, ARB_THRIFT_I32, e->scale);
        arb_thrift_put_integer(&element, 8, ARB_THRIFT_I32, e->precision);
    }
    if (e->logical != ARB_PARQUET_LOGICAL_NONE)
        put_logical_type(&element, e);
    arb_thrift_end(&element);
}

static void put_encodings(arb_thrift_writer *meta, const arb_parquet_written_chunk *chunk)
{
    bool has_dictionary = chunk->dictionary_size != 0;
    bool is_plain = has_dictionary || chunk->encoding == ARB_PARQUET_PLAIN;
    arb_thrift_put_list(meta, 2, ARB_THRIFT_I32, 1 + (size_t)is_plain + (chunk->encoding != ARB_PARQUET_PLAIN));
    arb_thrift_item_integer(meta->out, ARB_PARQUET_RLE); /* levels */
    if (is_plain)
        arb_thrift_item_integer(meta->out, ARB_PARQUET_PLAIN);
    if (chunk->encoding != ARB_PARQUET_PLAIN)
        arb_thrift_item_integer(meta->out, chunk->encoding);
}

static void put_page_count(arb_text *out, arb_parquet_page_kind kind, arb_parquet_encoding encoding, size_t count)
{
    arb_thrift_writer pages = arb_thrift_writer_to(out);
    arb_thrift_put_integer(&pages, 1, ARB_THRIFT_I32, kind);
    arb_thrift_put_integer(&pages, 2, ARB_THRIFT_I32, encoding);
    arb_thrift_put_integer(&pages, 3, ARB_THRIFT_I32, (int64_t)count);
    arb_thrift_end(&pages);
}

static void put_chunk_meta(arb_thrift_writer *column, const arb_parquet_write_plan *plan, uint32_t leaf_number,
                           const arb_parquet_written_chunk *chunk)
{
    const arb_parquet_leaf *leaf = &plan->schema.leaves[leaf_number];
    arb_thrift_writer meta = arb_thrift_put_struct(column, 3);
    arb_thrift_put_integer(&meta, 1, ARB_THRIFT_I32, leaf->physical);
    put_encodings(&meta, chunk);
    uint32_t path[ARB_PARQUET_PATH_MOST];
    size_t depth = arb_parquet_leaf_path(plan, leaf, path, ARB_PARQUET_PATH_MOST);
    arb_thrift_put_list(&meta, 3, ARB_THRIFT_BINARY, depth);
    for (size_t i = 0; i < depth; i++)
        arb_thrift_item_binary(meta.out, plan->metadata.elements[path[i]].name);
    arb_thrift_put_integer(&meta, 4, ARB_THRIFT_I32, arb_parquet_codec_number(chunk->codec));
    arb_thrift_put_integer(&meta, 5, ARB_THRIFT_I64, (int64_t)chunk->entries);
    arb_thrift_put_integer(&meta, 6, ARB_THRIFT_I64, (int64_t)chunk->raw_size);
    arb_thrift_put_integer(&meta, 7, ARB_THRIFT_I64, (int64_t)chunk->size);
    arb_thrift_put_integer(&meta, 9, ARB_THRIFT_I64, (int64_t)(chunk->offset + chunk->dictionary_size));
    if (chunk->dictionary_size != 0)
        arb_thrift_put_integer(&meta, 11, ARB_THRIFT_I64, (int64_t)chunk->offset);
    arb_thrift_put_made(&meta, 12, chunk->statistics);
    arb_thrift_put_list(&meta, 13, ARB_THRIFT_STRUCT, 1 + (chunk->dictionary_size != 0));
    if (chunk->dictionary_size != 0)
        put_page_count(meta.out, ARB_PARQUET_DICTIONARY_PAGE, ARB_PARQUET_PLAIN, 1);
    put_page_count(meta.out, ARB_PARQUET_DATA_PAGE, chunk->encoding, chunk->page_count);
    if (chunk->bloom_size != 0) {
        arb_thrift_put_integer(&meta, 14, ARB_THRIFT_I64, (int64_t)chunk->bloom_offset);
        arb_thrift_put_integer(&meta, 15, ARB_THRIFT_I32, (int64_t)chunk->bloom_size);
    }
    arb_thrift_end(&meta);
}

static void put_chunk_footer(arb_text *out, const arb_parquet_write_plan *plan, uint32_t leaf_number,
                             const arb_parquet_written_chunk *chunk)
{
    arb_thrift_writer column = arb_thrift_writer_to(out);
    arb_thrift_put_integer(&column, 2, ARB_THRIFT_I64, 0); /* once the offset of a copy of what follows */
    put_chunk_meta(&column, plan, leaf_number, chunk);
    arb_thrift_put_integer(&column, 4, ARB_THRIFT_I64, (int64_t)chunk->offset_index_offset);
    arb_thrift_put_integer(&column, 5, ARB_THRIFT_I32, (int64_t)chunk->offset_index_size);
    if (chunk->column_index.size != 0) {
        arb_thrift_put_integer(&column, 6, ARB_THRIFT_I64, (int64_t)chunk->column_index_offset);
        arb_thrift_put_integer(&column, 7, ARB_THRIFT_I32, (int64_t)chunk->column_index.size);
    }
    arb_thrift_end(&column);
}

static void put_group(arb_text *out, const arb_parquet_write_plan *plan, const arb_parquet_written_group *group,
                      size_t number)
{
    uint32_t count = plan->schema.leaf_count;
    uint64_t raw = 0, size = 0;
    arb_thrift_writer row_group = arb_thrift_writer_to(out);
    arb_thrift_put_list(&row_group, 1, ARB_THRIFT_STRUCT, count);
    for (uint32_t i = 0; i < count; i++) {
        put_chunk_footer(out, plan, i, &group->chunks[i]);
        raw += group->chunks[i].raw_size;
        size += group->chunks[i].size;
    }
    arb_thrift_put_integer(&row_group, 2, ARB_THRIFT_I64, (int64_t)raw);
    arb_thrift_put_integer(&row_group, 3, ARB_THRIFT_I64, (int64_t)group->rows);
    arb_thrift_put_integer(&row_group, 5, ARB_THRIFT_I64, (int64_t)group->chunks[0].offset);
    arb_thrift_put_integer(&row_group, 6, ARB_THRIFT_I64, (int64_t)size);
    if (number <= INT16_MAX)
        arb_thrift_put_integer(&row_group, 7, ARB_THRIFT_I16, (int64_t)number);
    arb_thrift_end(&row_group);
}

static void put_footer(arb_text *out, const arb_parquet_footer *footer, const arb_parquet_write_plan *plan)
{
    arb_thrift_writer file = arb_thrift_writer_to(out);
    arb_thrift_put_integer(&file, 1, ARB_THRIFT_I32, 2);
    arb_thrift_put_list(&file, 2, ARB_THRIFT_STRUCT, plan->metadata.element_count);
    for (uint32_t i = 0; i < plan->metadata.element_count; i++)
        put_element(out, &plan->metadata.elements[i], i == 0);
    arb_thrift_put_integer(&file, 3, ARB_THRIFT_I64, (int64_t)footer->rows);
    arb_thrift_put_list(&file, 4, ARB_THRIFT_STRUCT, footer->groups.size);
    for (size_t i = 0; i < footer->groups.size; i++)
        put_group(out, plan, &footer->groups.data[i], i);
    arb_thrift_put_binary(&file, 6, ARB_STR("arbalest version " ARB_VERSION));
    /* Without this, readers must not trust the ends in statistics: each column is in its type's order. */
    arb_thrift_put_list(&file, 7, ARB_THRIFT_STRUCT, plan->schema.leaf_count);
    for (uint32_t i = 0; i < plan->schema.leaf_count; i++) {
        arb_thrift_writer order = arb_thrift_writer_to(out);
        arb_thrift_put_empty(&order, 1);
        arb_thrift_end(&order);
    }
    arb_thrift_end(&file);
}

arb_code arb_parquet_footer_write(arb_parquet_footer *footer, const arb_parquet_write_plan *plan, arb_byte_sink *sink,
                                  arb_error *error)
{
    ARB_TRY(write_indexes(footer, plan->schema.leaf_count, sink, error));
    arb_text bytes = {0};
    put_footer(&bytes, footer, plan);
    arb_code code = arb_text_check(&bytes, error);
    if (code == ARB_OK && bytes.size > INT32_MAX)
        code = arb_fail(error, ARB_LIMIT_EXCEEDED, "%.*s: the footer would be too large", ARB_STR_ARGS(sink->path));
    if (code == ARB_OK) {
        char tail[8];
        arb_store_u32(tail, (uint32_t)bytes.size);
        memcpy(tail + 4, "PAR1", 4);
        arb_text_append(&bytes, tail, sizeof tail);
        code = arb_text_check(&bytes, error);
    }
    if (code == ARB_OK)
        code = arb_byte_sink_write(sink, bytes.data, bytes.size, error);
    arb_text_reset(&bytes);
    return code;
}
