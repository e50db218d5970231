#include "columnar/ipc/ipc_stream_reader.h"

#include "base/alloc.h"
#include "columnar/ipc/ipc_format.h"

enum { FIRST_PIECE = 1 << 20, METADATA_MOST = 1 << 30 };

typedef struct stream_reader {
    arb_arrow_stream base;
    arb_ipc_input input;
    arb_ipc_decoder *decoder;
    const arb_byte_source *source; /* of open_source */
    uint64_t offset;               /* in it */
    bool ended;
} stream_reader;

/* Exactly `size` bytes, or, when `may_end`, none at all (then *out_ended is set). */
static arb_code read_all(stream_reader *reader, uint8_t *to, size_t size, bool may_end, bool *out_ended,
                         arb_error *error)
{
    size_t have = 0;
    while (have < size) {
        size_t got = 0;
        ARB_TRY(reader->input.read(reader->input.context, to + have, size - have, &got, error));
        if (got == 0) {
            if (have == 0 && may_end) {
                *out_ended = true;
                return ARB_OK;
            }
            return arb_fail(error, ARB_CORRUPT_DATA, "an Arrow stream ends within a message");
        }
        have += ARB_MIN(got, size - have);
    }
    return ARB_OK;
}

/* `size` bytes, whose memory grows as they come. */
static arb_code read_piece(stream_reader *reader, uint64_t size, arb_arrow_buffer *out_buffer, arb_error *error)
{
    *out_buffer = (arb_arrow_buffer){0};
    arb_arrow_growing growing = {0};
    arb_code code = ARB_OK;
    while (code == ARB_OK && growing.size < size) {
        size_t step = (size_t)ARB_MIN(size - growing.size, (uint64_t)ARB_MAX(growing.size, (size_t)FIRST_PIECE));
        code = arb_arrow_growing_reserve(&growing, step, error);
        if (code == ARB_OK)
            code = read_all(reader, growing.data + growing.size, step, false, NULL, error);
        growing.size += code == ARB_OK ? step : 0;
    }
    if (code == ARB_OK)
        return arb_arrow_growing_finish(&growing, out_buffer, error);
    arb_arrow_growing_reset(&growing);
    return code;
}

/* The size in front of a description; 0 at the end of the stream. */
static arb_code read_size(stream_reader *reader, int32_t *out_size, arb_error *error)
{
    uint8_t word[4];
    *out_size = 0;
    ARB_TRY(read_all(reader, word, 4, true, &reader->ended, error));
    if (reader->ended)
        return ARB_OK;
    *out_size = arb_load_i32(word);
    if (*out_size == IPC_CONTINUATION) {
        ARB_TRY(read_all(reader, word, 4, false, NULL, error));
        *out_size = arb_load_i32(word);
    }
    if (*out_size < 0 || *out_size > METADATA_MOST)
        return arb_fail(error, ARB_CORRUPT_DATA, "an Arrow message has an impossible size of %d", *out_size);
    reader->ended = *out_size == 0;
    return ARB_OK;
}

/* Take the next message, if there is one. */
static arb_code step(stream_reader *reader, arb_arrow_array **out_array, arb_error *error)
{
    int32_t size;
    ARB_TRY(read_size(reader, &size, error));
    if (reader->ended)
        return ARB_OK;
    arb_arrow_buffer metadata, body = {0};
    ARB_TRY(read_piece(reader, (uint64_t)size, &metadata, error));
    arb_ipc_message message;
    arb_code code = arb_ipc_message_read(metadata.data, metadata.size, &message, error);
    if (code == ARB_OK)
        code = read_piece(reader, message.body_size, &body, error);
    if (code == ARB_OK)
        code = arb_ipc_decoder_push(reader->decoder, &message, &body, out_array, error);
    arb_arrow_buffer_reset(&body);
    arb_arrow_buffer_reset(&metadata);
    return code;
}

static arb_code stream_next(arb_arrow_stream *stream, arb_arrow_array **out_array, arb_error *error)
{
    stream_reader *reader = (stream_reader *)stream;
    while (!reader->ended && *out_array == NULL)
        ARB_TRY(step(reader, out_array, error));
    return ARB_OK;
}

static void stream_destroy(arb_arrow_stream *stream)
{
    stream_reader *reader = (stream_reader *)stream;
    arb_ipc_decoder_destroy(reader->decoder);
    arb_free(reader);
}

static arb_code read_source(void *context, void *to, size_t size, size_t *out_got, arb_error *error)
{
    stream_reader *reader = context;
    size = (size_t)ARB_MIN((uint64_t)size, reader->source->identity.size - reader->offset);
    ARB_TRY(arb_byte_source_read(reader->source, reader->offset, to, size, error));
    reader->offset += size;
    *out_got = size;
    return ARB_OK;
}

static arb_code open_stream(const arb_byte_source *source, arb_ipc_input input, const arb_ipc_options *options,
                            arb_arrow_stream **out_stream, arb_error *error)
{
    static const arb_arrow_stream_vtable vtable = {stream_destroy, stream_next};
    *out_stream = NULL;
    stream_reader *reader = arb_alloc_zeroed(sizeof *reader);
    if (reader == NULL)
        return arb_fail_memory(error, "reading Arrow", sizeof *reader);
    reader->base.vtable = &vtable;
    reader->source = source;
    reader->input = source != NULL ? (arb_ipc_input){read_source, reader} : input;
    arb_arrow_array *none = NULL;
    arb_code code = arb_ipc_decoder_create(options, &reader->decoder, error);
    if (code == ARB_OK)
        code = step(reader, &none, error);
    reader->base.schema = code == ARB_OK ? arb_ipc_decoder_schema(reader->decoder) : NULL;
    if (code == ARB_OK && reader->base.schema == NULL)
        code = arb_fail(error, ARB_CORRUPT_DATA, "an Arrow stream has no schema");
    if (code != ARB_OK) {
        stream_destroy(&reader->base);
        return code;
    }
    *out_stream = &reader->base;
    return ARB_OK;
}

arb_code arb_ipc_stream_open(arb_ipc_input input, const arb_ipc_options *options, arb_arrow_stream **out_stream,
                             arb_error *error)
{
    return open_stream(NULL, input, options, out_stream, error);
}

arb_code arb_ipc_stream_open_source(const arb_byte_source *source, const arb_ipc_options *options,
                                    arb_arrow_stream **out_stream, arb_error *error)
{
    return open_stream(source, (arb_ipc_input){0}, options, out_stream, error);
}
