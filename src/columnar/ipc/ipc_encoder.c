#include "columnar/ipc/ipc_encoder.h"

#include "base/alloc.h"
#include "columnar/arrow_concat.h"
#include "columnar/arrow_equal.h"
#include "columnar/ipc/ipc_format.h"
#include "columnar/ipc/ipc_schema.h"

enum { ALIGNMENT_USUAL = 64 };

struct arb_ipc_encoder {
    arb_arrow_schema *schema;
    arb_ipc_write_options options;
    arb_ipc_outlet outlet;
    arb_codec_encoder *codec;        /* NULL: plain */
    ARB_VEC(arb_arrow_array *) sent; /* by dictionary number: what the reader has; one count each */
};

arb_code arb_ipc_encoder_create(const arb_arrow_schema *schema, const arb_ipc_write_options *options,
                                arb_ipc_outlet outlet, arb_ipc_encoder **out_encoder, arb_error *error)
{
    *out_encoder = NULL;
    if (schema->root.kind != ARB_ARROW_STRUCT)
        return arb_fail(error, ARB_DATATYPE_MISMATCH, "only batches of columns can be written as Arrow");
    arb_ipc_encoder *encoder = arb_alloc_zeroed(sizeof *encoder);
    if (encoder == NULL)
        return arb_fail_memory(error, "writing Arrow", sizeof *encoder);
    encoder->schema = arb_arrow_schema_ref(schema);
    if (options != NULL)
        encoder->options = *options;
    if (encoder->options.alignment == 0)
        encoder->options.alignment = ALIGNMENT_USUAL;
    encoder->outlet = outlet;
    arb_codec codec = encoder->options.codec;
    arb_code code = ARB_OK;
    if (encoder->options.alignment != 8 && encoder->options.alignment != 64)
        code = arb_fail(error, ARB_INVALID_PARAMETER, "Arrow buffers are aligned to 8 or 64 bytes");
    else if (codec != ARB_CODEC_NONE && codec != ARB_CODEC_ZSTD && codec != ARB_CODEC_LZ4_FRAME)
        code = arb_fail(error, ARB_NOT_SUPPORTED, "Arrow bodies cannot be compressed with %s", arb_codec_name(codec));
    else if (codec != ARB_CODEC_NONE)
        code = arb_codec_encoder_create(codec, 0, &encoder->codec, error);
    if (code != ARB_OK) {
        arb_ipc_encoder_destroy(encoder);
        return code;
    }
    *out_encoder = encoder;
    return ARB_OK;
}

void arb_ipc_encoder_destroy(arb_ipc_encoder *encoder)
{
    if (encoder == NULL)
        return;
    for (size_t i = 0; i < encoder->sent.size; i++)
        arb_arrow_array_unref(encoder->sent.data[i]);
    ARB_VEC_RESET(&encoder->sent);
    arb_codec_encoder_destroy(encoder->codec);
    arb_arrow_schema_unref(encoder->schema);
    arb_free(encoder);
}

/* ---- messages ------------------------------------------------------------------------------------------------- */

typedef struct message {
    arb_flat_writer writer;
    arb_ipc_body body;
    size_t header, body_size; /* holes */
} message;

static void message_begin(message *message, const arb_ipc_encoder *encoder, uint8_t type, arb_arrow_metadata metadata)
{
    *message = (struct message){.body = {.alignment = encoder->options.alignment}};
    arb_flat_slot slots[] = {{.field = MESSAGE_VERSION, .size = 2, .value = IPC_V5},
                             {.field = MESSAGE_HEADER_TYPE, .size = 1, .value = type},
                             {.field = MESSAGE_HEADER},
                             {.field = MESSAGE_BODY_LENGTH, .size = 8},
                             {.field = MESSAGE_METADATA}};
    arb_flat_write_root(&message->writer, slots, metadata.count != 0 ? 5 : 4);
    message->header = slots[2].at;
    message->body_size = slots[3].at;
    if (metadata.count != 0)
        arb_ipc_metadata_write(&message->writer, slots[4].at, metadata);
}

/* Emit a message unless making it has failed, and free it. */
static arb_code message_end(message *message, const arb_ipc_encoder *encoder, uint8_t type, arb_code code,
                            arb_error *error)
{
    if (code == ARB_OK)
        code = arb_text_check(&message->writer.bytes, error);
    if (code == ARB_OK && message->writer.bytes.size > INT32_MAX)
        code = arb_fail(error, ARB_LIMIT_EXCEEDED, "an Arrow message has a description of more than 2 GiB");
    if (code == ARB_OK) {
        arb_store_i64(message->writer.bytes.data + message->body_size, (int64_t)message->body.size);
        arb_ipc_encoded encoded = {type, arb_text_view(&message->writer.bytes), &message->body};
        code = encoder->outlet.emit(encoder->outlet.context, &encoded, error);
    }
    arb_text_reset(&message->writer.bytes);
    arb_ipc_body_reset(&message->body);
    return code;
}

arb_code arb_ipc_encoder_schema(arb_ipc_encoder *encoder, arb_error *error)
{
    message message;
    message_begin(&message, encoder, HEADER_SCHEMA, (arb_arrow_metadata){0});
    arb_ipc_schema_write(&message.writer, message.header, encoder->schema,
                         encoder->codec != NULL ? FEATURE_COMPRESSION : 0);
    return message_end(&message, encoder, HEADER_SCHEMA, ARB_OK, error);
}

/* ---- dictionaries --------------------------------------------------------------------------------------------- */

static arb_code send_dictionary(arb_ipc_encoder *encoder, int64_t id, const arb_arrow_array *entries, bool delta,
                                arb_error *error)
{
    arb_arrow_array *compact;
    ARB_TRY(arb_arrow_compact(entries, &compact, error));
    message message;
    message_begin(&message, encoder, HEADER_DICTIONARY, (arb_arrow_metadata){0});
    arb_flat_slot slots[] = {{.field = DICTIONARY_BATCH_ID, .size = 8, .value = id},
                             {.field = DICTIONARY_BATCH_DATA},
                             {.field = DICTIONARY_BATCH_DELTA, .size = 1, .value = delta}};
    arb_flat_write_table(&message.writer, message.header, slots, ARB_COUNT_OF(slots));
    arb_code code = arb_ipc_batch_write(&message.writer, slots[1].at, compact, true, encoder->options.codec,
                                        encoder->codec, &message.body, error);
    code = message_end(&message, encoder, HEADER_DICTIONARY, code, error);
    arb_arrow_array_unref(compact);
    return code;
}

/* Remember what the reader has now. */
static arb_code remember(arb_ipc_encoder *encoder, int64_t id, const arb_arrow_array *entries, arb_error *error)
{
    while ((int64_t)encoder->sent.size <= id)
        if (!ARB_VEC_PUSH(&encoder->sent, NULL))
            return arb_fail_memory(error, "dictionaries", sizeof entries);
    arb_arrow_array *old = encoder->sent.data[id];
    encoder->sent.data[id] = arb_arrow_array_ref(entries);
    arb_arrow_array_unref(old);
    return ARB_OK;
}

/* `inner_replaced`: a dictionary that the entries use was replaced, so that the reader's entries mean something else. */
static arb_code update_dictionary(arb_ipc_encoder *encoder, int64_t id, const arb_arrow_array *entries,
                                  bool inner_replaced, bool *out_replaced, arb_error *error)
{
    const arb_arrow_array *old = id < (int64_t)encoder->sent.size ? encoder->sent.data[id] : NULL;
    if (old == NULL) {
        ARB_TRY(send_dictionary(encoder, id, entries, false, error));
        return remember(encoder, id, entries, error);
    }
    if (old == entries && !inner_replaced)
        return ARB_OK;
    int64_t had = arb_arrow_array_length(old), has = arb_arrow_array_length(entries);
    bool continues = !inner_replaced && had <= has &&
                     arb_arrow_rows_equal(arb_arrow_array_root(old), 0, arb_arrow_array_root(entries), 0, had);
    if (continues && had == has)
        return remember(encoder, id, entries, error);
    if (continues) {
        arb_arrow_array *added;
        ARB_TRY(arb_arrow_copy_rows(entries, had, has - had, &added, error));
        arb_code code = send_dictionary(encoder, id, added, true, error);
        arb_arrow_array_unref(added);
        return code == ARB_OK ? remember(encoder, id, entries, error) : code;
    }
    if (encoder->options.no_replacement)
        return arb_fail(error, ARB_NOT_SUPPORTED, "an Arrow file cannot replace a dictionary; write a stream instead");
    *out_replaced = true;
    ARB_TRY(send_dictionary(encoder, id, entries, false, error));
    return remember(encoder, id, entries, error);
}

/* Dictionaries within entries go out before the entries do; numbers count in the order of fields, as in the schema. */
static arb_code update_dictionaries(arb_ipc_encoder *encoder, const arb_arrow_node *node, int64_t *next_id,
                                    bool *out_replaced, arb_error *error)
{
    const arb_arrow_node *parent = node;
    bool encoded = node->field->kind == ARB_ARROW_DICTIONARY, inner_replaced = false;
    int64_t id = 0;
    if (encoded) {
        id = (*next_id)++;
        parent = arb_arrow_array_root(node->dictionary);
    }
    for (uint32_t i = 0; i < parent->child_count; i++)
        ARB_TRY(update_dictionaries(encoder, &parent->children[i], next_id, encoded ? &inner_replaced : out_replaced,
                                    error));
    if (!encoded)
        return ARB_OK;
    return update_dictionary(encoder, id, node->dictionary, inner_replaced, out_replaced, error);
}

arb_code arb_ipc_encoder_batch(arb_ipc_encoder *encoder, const arb_arrow_array *array, arb_error *error)
{
    const arb_arrow_node *root = arb_arrow_array_root(array);
    if (!arb_arrow_field_equal(root->field, &encoder->schema->root, false))
        return arb_fail(error, ARB_DATATYPE_MISMATCH, "a batch has other columns than the schema it is written with");
    if (root->null_count != 0)
        return arb_fail(error, ARB_NULL_NOT_ALLOWED, "a batch of columns cannot have rows that are NULL as a whole");
    int64_t next_id = 0;
    bool replaced = false;
    ARB_TRY(update_dictionaries(encoder, root, &next_id, &replaced, error));
    arb_arrow_array *compact;
    ARB_TRY(arb_arrow_compact(array, &compact, error));
    message message;
    message_begin(&message, encoder, HEADER_BATCH, array->checked.metadata);
    arb_code code = arb_ipc_batch_write(&message.writer, message.header, compact, false, encoder->options.codec,
                                        encoder->codec, &message.body, error);
    code = message_end(&message, encoder, HEADER_BATCH, code, error);
    arb_arrow_array_unref(compact);
    return code;
}
