#include "columnar/ipc/ipc_file_reader.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "columnar/ipc/ipc_frame.h"
#include "columnar/ipc/ipc_schema.h"

typedef struct block {
    uint64_t offset, body_size;
    uint32_t metadata_size; /* with the size in front */
} block;
typedef ARB_VEC(block) block_list;

struct arb_ipc_file {
    const arb_byte_source *source;
    arb_ipc_decoder *decoder;
    arb_arena arena; /* metadata */
    arb_arrow_metadata metadata;
    block_list dictionaries, batches;
};

static arb_code damaged(const arb_byte_source *source, arb_error *error, const char *what)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "%.*s %s", ARB_STR_ARGS(source->path), what);
}

arb_code arb_ipc_file_detect(const arb_byte_source *source, bool *out_is_file, arb_error *error)
{
    char head[IPC_MAGIC_SIZE];
    *out_is_file = false;
    if (source->identity.size < sizeof head)
        return ARB_OK;
    ARB_TRY(arb_byte_source_read(source, 0, head, sizeof head, error));
    *out_is_file = memcmp(head, IPC_MAGIC, sizeof head) == 0;
    return ARB_OK;
}

static arb_code read_range(const arb_byte_source *source, uint64_t offset, uint64_t size, arb_arrow_buffer *out_buffer,
                           arb_error *error)
{
    uint64_t total = source->identity.size;
    *out_buffer = (arb_arrow_buffer){0};
    if (offset > total || size > total - offset)
        return damaged(source, error, "refers to bytes behind its end");
    if (size == 0)
        return ARB_OK;
    uint8_t *data;
    ARB_TRY(arb_arrow_buffer_create((size_t)size, out_buffer, &data, error));
    arb_code code = arb_byte_source_read(source, offset, data, (size_t)size, error);
    if (code != ARB_OK)
        arb_arrow_buffer_reset(out_buffer);
    return code;
}

/* ---- messages ------------------------------------------------------------------------------------------------- */

/* The description of a block's message. `out_bytes` holds what the message refers to. */
static arb_code read_message(const arb_ipc_file *file, const block *at, arb_arrow_buffer *out_bytes,
                             arb_ipc_message *out_message, arb_error *error)
{
    ARB_TRY(read_range(file->source, at->offset, at->metadata_size, out_bytes, error));
    const uint8_t *description;
    size_t size;
    if (!arb_ipc_frame_read(out_bytes->data, out_bytes->size, &description, &size))
        return damaged(file->source, error, "has a message with an impossible size");
    ARB_TRY(arb_ipc_message_read(description, size, out_message, error));
    if (out_message->body_size > at->body_size)
        return damaged(file->source, error, "has a message that is longer than the footer says");
    return ARB_OK;
}

/* A message's description and body, and what to do with them. */
typedef enum block_use { TAKE_BATCH, TAKE_DICTIONARY, TAKE_DICTIONARY_WHEN_READY } block_use;

static arb_code use_block(const arb_ipc_file *file, const block *at, block_use use, bool *out_waits,
                          arb_arrow_array **out_array, arb_error *error)
{
    arb_arrow_buffer bytes, body = {0};
    arb_ipc_message message;
    arb_code code = read_message(file, at, &bytes, &message, error);
    if (code == ARB_OK && use != TAKE_BATCH && message.type != HEADER_DICTIONARY)
        code = damaged(file->source, error, "has a message that is no dictionary where one is expected");
    if (code == ARB_OK && use == TAKE_DICTIONARY_WHEN_READY)
        *out_waits = arb_ipc_decoder_must_wait(file->decoder, &message);
    if (code == ARB_OK && !*out_waits)
        code = read_range(file->source, at->offset + at->metadata_size, message.body_size, &body, error);
    if (code == ARB_OK && !*out_waits)
        code = use == TAKE_BATCH ? arb_ipc_decoder_batch(file->decoder, &message, &body, out_array, error)
                                 : arb_ipc_decoder_push(file->decoder, &message, &body, out_array, error);
    arb_arrow_buffer_reset(&body);
    arb_arrow_buffer_reset(&bytes);
    return code;
}

/* Dictionaries whose entries use other dictionaries wait for those. Every round takes one at least, so it ends. */
static arb_code read_dictionaries(arb_ipc_file *file, arb_error *error)
{
    size_t left = file->dictionaries.size;
    bool patient = true;
    while (left != 0) {
        size_t waiting = 0;
        for (size_t i = 0; i < left; i++) {
            bool waits = false;
            arb_arrow_array *none;
            ARB_TRY(use_block(file, &file->dictionaries.data[i], patient ? TAKE_DICTIONARY_WHEN_READY : TAKE_DICTIONARY,
                              &waits, &none, error));
            if (waits)
                file->dictionaries.data[waiting++] = file->dictionaries.data[i];
        }
        patient = waiting < left; /* else the next round reports what is missing */
        left = waiting;
    }
    return ARB_OK;
}

/* ---- footer --------------------------------------------------------------------------------------------------- */

static arb_code read_blocks(const arb_ipc_file *file, const arb_flat_table *footer, unsigned field, block_list *list,
                            arb_error *error)
{
    arb_flat_vector entries = arb_flat_scalars(footer, field, BLOCK_BYTES);
    for (uint32_t i = 0; i < entries.count; i++) {
        const uint8_t *entry = arb_flat_element(&entries, i);
        int64_t offset = arb_load_i64(entry), body = arb_load_i64(entry + 16);
        int32_t metadata = arb_load_i32(entry + 8);
        uint64_t total = file->source->identity.size;
        if (offset < 0 || metadata < 4 || body < 0 || (uint64_t)offset > total ||
            (uint64_t)metadata > total - (uint64_t)offset ||
            (uint64_t)body > total - (uint64_t)offset - (uint64_t)metadata)
            return damaged(file->source, error, "refers to a batch behind its end");
        if (!ARB_VEC_PUSH(list, (block){(uint64_t)offset, (uint64_t)body, (uint32_t)metadata}))
            return arb_fail_memory(error, "a footer", sizeof(block));
    }
    return ARB_OK;
}

static int by_offset(const void *a, const void *b)
{
    uint64_t left = ((const block *)a)->offset, right = ((const block *)b)->offset;
    return left < right ? -1 : left > right;
}

/* A footer that names the same bytes again and again would make a small file a lot of work. */
static arb_code check_overlap(const arb_ipc_file *file, arb_error *error)
{
    size_t dictionaries = file->dictionaries.size, count = dictionaries + file->batches.size;
    if (count == 0)
        return ARB_OK;
    block *sorted = arb_alloc(count * sizeof *sorted);
    if (sorted == NULL)
        return arb_fail_memory(error, "a footer", count * sizeof *sorted);
    if (dictionaries != 0)
        memcpy(sorted, file->dictionaries.data, dictionaries * sizeof *sorted);
    if (count != dictionaries)
        memcpy(sorted + dictionaries, file->batches.data, file->batches.size * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_offset);
    bool overlap = false;
    for (size_t i = 1; i < count; i++)
        overlap |= sorted[i].offset - sorted[i - 1].offset < sorted[i - 1].metadata_size + sorted[i - 1].body_size;
    arb_free(sorted);
    return overlap ? damaged(file->source, error, "has batches that overlap") : ARB_OK;
}

/* The footer's own version is not looked at: some writers left it out, and every message has one. */
static arb_code read_footer_table(arb_ipc_file *file, const uint8_t *data, size_t size, arb_error *error)
{
    arb_flat_reader reader = {data, size, false};
    arb_flat_table footer = arb_flat_root(&reader);
    arb_flat_table schema = arb_flat_child(&footer, FOOTER_SCHEMA);
    ARB_TRY(arb_flat_check(&reader, "a footer", error));
    ARB_TRY(arb_ipc_decoder_set_schema(file->decoder, &schema, error));
    ARB_TRY(read_blocks(file, &footer, FOOTER_DICTIONARIES, &file->dictionaries, error));
    ARB_TRY(read_blocks(file, &footer, FOOTER_BATCHES, &file->batches, error));
    ARB_TRY(check_overlap(file, error));
    file->arena.limit = (1 << 20) + size * 64;
    ARB_TRY(arb_ipc_metadata_read(&footer, FOOTER_METADATA, &file->arena, &file->metadata, error));
    return arb_flat_check(&reader, "a footer", error);
}

static arb_code read_footer(arb_ipc_file *file, arb_error *error)
{
    uint64_t total = file->source->identity.size;
    uint8_t head[IPC_MAGIC_SIZE], tail[IPC_FILE_TAIL];
    if (total < IPC_FILE_HEAD + IPC_FILE_TAIL)
        return damaged(file->source, error, "is too short for an Arrow file");
    ARB_TRY(arb_byte_source_read(file->source, 0, head, sizeof head, error));
    ARB_TRY(arb_byte_source_read(file->source, total - sizeof tail, tail, sizeof tail, error));
    if (memcmp(head, IPC_MAGIC, sizeof head) != 0 || memcmp(tail + 4, IPC_MAGIC, IPC_MAGIC_SIZE) != 0)
        return damaged(file->source, error, "is no Arrow file, or is cut short");
    int32_t size = arb_load_i32(tail);
    if (size <= 0 || (uint64_t)size > total - IPC_FILE_HEAD - IPC_FILE_TAIL)
        return damaged(file->source, error, "has a footer with an impossible size");
    arb_arrow_buffer footer;
    ARB_TRY(read_range(file->source, total - IPC_FILE_TAIL - (uint64_t)size, (uint64_t)size, &footer, error));
    arb_code code = read_footer_table(file, footer.data, footer.size, error);
    arb_arrow_buffer_reset(&footer);
    return code;
}

/* ---- entry ---------------------------------------------------------------------------------------------------- */

arb_code arb_ipc_file_open(const arb_byte_source *source, const arb_ipc_options *options, arb_ipc_file **out_file,
                           arb_error *error)
{
    *out_file = NULL;
    arb_ipc_file *file = arb_alloc_zeroed(sizeof *file);
    if (file == NULL)
        return arb_fail_memory(error, "an Arrow file", sizeof *file);
    file->source = source;
    arb_code code = arb_ipc_decoder_create(options, &file->decoder, error);
    if (code == ARB_OK)
        code = read_footer(file, error);
    if (code == ARB_OK)
        code = read_dictionaries(file, error);
    if (code != ARB_OK) {
        arb_ipc_file_destroy(file);
        return code;
    }
    *out_file = file;
    return ARB_OK;
}

void arb_ipc_file_destroy(arb_ipc_file *file)
{
    if (file == NULL)
        return;
    arb_ipc_decoder_destroy(file->decoder);
    arb_arena_reset(&file->arena);
    ARB_VEC_RESET(&file->dictionaries);
    ARB_VEC_RESET(&file->batches);
    arb_free(file);
}

const arb_arrow_schema *arb_ipc_file_schema(const arb_ipc_file *file)
{
    return arb_ipc_decoder_schema(file->decoder);
}

arb_arrow_metadata arb_ipc_file_metadata(const arb_ipc_file *file)
{
    return file->metadata;
}

size_t arb_ipc_file_batch_count(const arb_ipc_file *file)
{
    return file->batches.size;
}

arb_code arb_ipc_file_batch_rows(const arb_ipc_file *file, size_t batch, int64_t *out_rows, uint64_t *out_bytes,
                                 arb_error *error)
{
    assert(batch < file->batches.size);
    const block *at = &file->batches.data[batch];
    arb_arrow_buffer bytes;
    arb_ipc_message message;
    arb_code code = read_message(file, at, &bytes, &message, error);
    if (code == ARB_OK) {
        *out_rows = arb_flat_i64(&message.header, BATCH_LENGTH, 0);
        *out_bytes = at->metadata_size + at->body_size;
        if (message.type != HEADER_BATCH || *out_rows < 0 || *out_rows > ARB_ARROW_ROWS_MAX)
            code = damaged(file->source, error, "has a batch with an impossible number of rows");
    }
    arb_arrow_buffer_reset(&bytes);
    return code;
}

arb_code arb_ipc_file_read_batch(const arb_ipc_file *file, size_t batch, arb_arrow_array **out_array, arb_error *error)
{
    assert(batch < file->batches.size);
    *out_array = NULL;
    bool waits = false;
    return use_block(file, &file->batches.data[batch], TAKE_BATCH, &waits, out_array, error);
}

typedef struct file_stream {
    arb_arrow_stream base;
    const arb_ipc_file *file;
    size_t next;
} file_stream;

static arb_code file_stream_next(arb_arrow_stream *stream, arb_arrow_array **out_array, arb_error *error)
{
    file_stream *batches = (file_stream *)stream;
    if (batches->next >= arb_ipc_file_batch_count(batches->file))
        return ARB_OK;
    return arb_ipc_file_read_batch(batches->file, batches->next++, out_array, error);
}

static void file_stream_destroy(arb_arrow_stream *stream)
{
    arb_free(stream);
}

arb_code arb_ipc_file_stream(const arb_ipc_file *file, arb_arrow_stream **out_stream, arb_error *error)
{
    static const arb_arrow_stream_vtable vtable = {file_stream_destroy, file_stream_next};
    file_stream *stream = arb_alloc_zeroed(sizeof *stream);
    *out_stream = NULL;
    if (stream == NULL)
        return arb_fail_memory(error, "an Arrow file", sizeof *stream);
    stream->base = (arb_arrow_stream){&vtable, arb_ipc_file_schema(file)};
    stream->file = file;
    *out_stream = &stream->base;
    return ARB_OK;
}
