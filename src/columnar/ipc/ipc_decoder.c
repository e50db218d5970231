#include "columnar/ipc/ipc_decoder.h"

#include "base/alloc.h"
#include "base/vec.h"
#include "columnar/arrow_concat.h"
#include "columnar/ipc/ipc_body.h"
#include "columnar/ipc/ipc_format.h"
#include "columnar/ipc/ipc_schema.h"

#define MEMORY_LIMIT_USUAL ((uint64_t)8 << 30)

typedef struct dictionary {
    int64_t id;
    const arb_arrow_field *field; /* of the entries; of the first column that uses them */
    arb_arrow_array *entries;     /* one count; NULL until they come */
} dictionary;

struct arb_ipc_decoder {
    arb_ipc_options options;
    arb_arrow_schema *schema;
    bool big_endian;
    ARB_VEC(dictionary) dictionaries;
};

arb_code arb_ipc_message_read(const uint8_t *metadata, size_t size, arb_ipc_message *out_message, arb_error *error)
{
    arb_ipc_message *message = out_message;
    *message = (arb_ipc_message){.reader = {metadata, size, false}};
    message->root = arb_flat_root(&message->reader);
    message->version = arb_flat_i16(&message->root, MESSAGE_VERSION, 0);
    message->type = arb_flat_u8(&message->root, MESSAGE_HEADER_TYPE, 0);
    message->header = arb_flat_child(&message->root, MESSAGE_HEADER);
    int64_t body_size = arb_flat_i64(&message->root, MESSAGE_BODY_LENGTH, 0);
    ARB_TRY(arb_flat_check(&message->reader, "a message", error));
    if (body_size < 0)
        return arb_fail(error, ARB_CORRUPT_DATA, "a message has a body of a negative size");
    message->body_size = (uint64_t)body_size;
    if (message->version != IPC_V4 && message->version != IPC_V5)
        return arb_fail(error, ARB_NOT_SUPPORTED, "Arrow metadata of version %d is not supported, only 4 and 5",
                        message->version + 1);
    return ARB_OK;
}

arb_code arb_ipc_decoder_create(const arb_ipc_options *options, arb_ipc_decoder **out_decoder, arb_error *error)
{
    *out_decoder = NULL;
    arb_ipc_decoder *decoder = arb_alloc_zeroed(sizeof *decoder);
    if (decoder == NULL)
        return arb_fail_memory(error, "reading Arrow", sizeof *decoder);
    if (options != NULL)
        decoder->options = *options;
    if (decoder->options.memory_limit == 0)
        decoder->options.memory_limit = MEMORY_LIMIT_USUAL;
    *out_decoder = decoder;
    return ARB_OK;
}

void arb_ipc_decoder_destroy(arb_ipc_decoder *decoder)
{
    if (decoder == NULL)
        return;
    for (size_t i = 0; i < decoder->dictionaries.size; i++)
        arb_arrow_array_unref(decoder->dictionaries.data[i].entries);
    ARB_VEC_RESET(&decoder->dictionaries);
    arb_arrow_schema_unref(decoder->schema);
    arb_free(decoder);
}

const arb_arrow_schema *arb_ipc_decoder_schema(const arb_ipc_decoder *decoder)
{
    return decoder->schema;
}

/* ---- dictionaries --------------------------------------------------------------------------------------------- */

static dictionary *find(const arb_ipc_decoder *decoder, int64_t id)
{
    for (size_t i = 0; i < decoder->dictionaries.size; i++)
        if (decoder->dictionaries.data[i].id == id)
            return &decoder->dictionaries.data[i];
    return NULL;
}

static const arb_arrow_array *entries_of(const void *context, int64_t id)
{
    const dictionary *found = find(context, id);
    return found != NULL ? found->entries : NULL;
}

/* List the dictionaries of a field and all below it. Columns may share one if their entries have the same type. */
static arb_code collect(arb_ipc_decoder *decoder, const arb_arrow_field *field, arb_error *error)
{
    if (field->kind == ARB_ARROW_DICTIONARY) {
        const dictionary *known = find(decoder, field->dictionary_id);
        if (known != NULL && !arb_arrow_field_equal(known->field, &field->children[0], false))
            return arb_fail(error, ARB_CORRUPT_DATA, "columns of different types share dictionary %lld",
                            (long long)field->dictionary_id);
        if (known == NULL && !ARB_VEC_PUSH(&decoder->dictionaries,
                                           (dictionary){.id = field->dictionary_id, .field = &field->children[0]}))
            return arb_fail_memory(error, "dictionaries", sizeof(dictionary));
    }
    for (uint32_t i = 0; i < field->child_count; i++)
        ARB_TRY(collect(decoder, &field->children[i], error));
    return ARB_OK;
}

static bool has_missing(const arb_ipc_decoder *decoder, const arb_arrow_field *field)
{
    if (field->kind == ARB_ARROW_DICTIONARY)
        return entries_of(decoder, field->dictionary_id) == NULL;
    for (uint32_t i = 0; i < field->child_count; i++)
        if (has_missing(decoder, &field->children[i]))
            return true;
    return false;
}

bool arb_ipc_decoder_must_wait(const arb_ipc_decoder *decoder, const arb_ipc_message *message)
{
    const dictionary *known = find(decoder, arb_flat_i64(&message->header, DICTIONARY_BATCH_ID, 0));
    return known != NULL && has_missing(decoder, known->field);
}

static arb_ipc_batch_source source_of(const arb_ipc_decoder *decoder, const arb_ipc_message *message)
{
    return (arb_ipc_batch_source){.schema = decoder->schema,
                                  .version = message->version,
                                  .big_endian = decoder->big_endian,
                                  .memory_limit = decoder->options.memory_limit,
                                  .dictionary = entries_of,
                                  .context = decoder};
}

static arb_code take_dictionary(arb_ipc_decoder *decoder, const arb_ipc_message *message, const arb_arrow_buffer *body,
                                arb_error *error)
{
    int64_t id = arb_flat_i64(&message->header, DICTIONARY_BATCH_ID, 0);
    bool delta = arb_flat_u8(&message->header, DICTIONARY_BATCH_DELTA, 0) != 0;
    arb_flat_table data = arb_flat_child(&message->header, DICTIONARY_BATCH_DATA);
    dictionary *known = find(decoder, id);
    if (known == NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "no column uses dictionary %lld", (long long)id);
    arb_ipc_batch_source source = source_of(decoder, message);
    arb_arrow_draft draft;
    ARB_TRY(arb_ipc_batch_read(&source, &data, body, known->field, &draft, error));
    arb_arrow_array *entries;
    ARB_TRY(arb_arrow_array_create(&draft, &entries, error));
    if (delta && known->entries != NULL) {
        const arb_arrow_array *parts[] = {known->entries, entries};
        arb_arrow_array *joined;
        arb_code code = arb_arrow_concat(parts, 2, &joined, error);
        arb_arrow_array_unref(entries);
        if (code != ARB_OK)
            return code;
        entries = joined;
    }
    arb_arrow_array_unref(known->entries);
    known->entries = entries;
    return ARB_OK;
}

/* ---- messages ------------------------------------------------------------------------------------------------- */

arb_code arb_ipc_decoder_set_schema(arb_ipc_decoder *decoder, const arb_flat_table *table, arb_error *error)
{
    if (decoder->schema != NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "a second schema follows the first one");
    ARB_TRY(arb_ipc_schema_read(table, &decoder->schema, &decoder->big_endian, error));
    return collect(decoder, &decoder->schema->root, error);
}

arb_code arb_ipc_decoder_batch(const arb_ipc_decoder *decoder, const arb_ipc_message *message,
                               const arb_arrow_buffer *body, arb_arrow_array **out_array, arb_error *error)
{
    *out_array = NULL;
    if (message->type != HEADER_BATCH || decoder->schema == NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "a message is no record batch, where one is expected");
    arb_ipc_batch_source source = source_of(decoder, message);
    arb_arrow_draft draft;
    ARB_TRY(arb_ipc_batch_read(&source, &message->header, body, NULL, &draft, error));
    arb_code code = arb_ipc_metadata_read(&message->root, MESSAGE_METADATA, &draft.arena, &draft.metadata, error);
    if (code == ARB_OK)
        code = arb_flat_check(&message->reader, "a message", error);
    if (code == ARB_OK)
        return arb_arrow_array_create(&draft, out_array, error);
    arb_arrow_draft_reset(&draft);
    return code;
}

arb_code arb_ipc_decoder_push(arb_ipc_decoder *decoder, const arb_ipc_message *message, const arb_arrow_buffer *body,
                              arb_arrow_array **out_array, arb_error *error)
{
    *out_array = NULL;
    if (message->type == HEADER_TENSOR || message->type == HEADER_SPARSE_TENSOR)
        return arb_fail(error, ARB_NOT_SUPPORTED, "%s in Arrow messages are not supported",
                        message->type == HEADER_TENSOR ? "tensors" : "sparse tensors");
    if (message->type == HEADER_SCHEMA)
        return arb_ipc_decoder_set_schema(decoder, &message->header, error);
    if (message->type != HEADER_DICTIONARY && message->type != HEADER_BATCH)
        return arb_fail(error, ARB_NOT_SUPPORTED, "Arrow messages of type %d are not known", message->type);
    if (decoder->schema == NULL)
        return arb_fail(error, ARB_CORRUPT_DATA, "a batch comes before the schema");
    if (message->type == HEADER_DICTIONARY)
        return take_dictionary(decoder, message, body, error);
    return arb_ipc_decoder_batch(decoder, message, body, out_array, error);
}
