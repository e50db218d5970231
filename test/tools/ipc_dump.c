/* ipc_dump: what an Arrow file or stream holds, as JSON; or a copy of it through our reader and writer.
 *
 *     ipc_dump FILE
 *     ipc_dump --copy stream|file [none|lz4|zstd] FROM TO
 *
 * Values of fixed width and bytes are printed in hexadecimal as they lie in memory; lists as lists, structs as lists of
 * their fields, unions as [type id, value], dictionaries and runs as the values they stand for. test/tools/
 * ipc_golden.py compares that with the golden files' JSON. */
#include <stdio.h>

#include "columnar/arrow_stream.h"
#include "columnar/ipc/ipc_file_reader.h"
#include "columnar/ipc/ipc_stream_reader.h"
#include "columnar/ipc/ipc_writer.h"

static void put_hex(arb_str bytes)
{
    putchar('"');
    for (size_t i = 0; i < bytes.size; i++)
        printf("%02x", (uint8_t)bytes.data[i]);
    putchar('"');
}

static void put_text(arb_str text)
{
    putchar('"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (c < 0x20 || c == '"' || c == '\\')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_metadata(arb_arrow_metadata metadata)
{
    putchar('[');
    for (size_t i = 0; i < metadata.count; i++) {
        printf(i != 0 ? ", [" : "[");
        put_text(metadata.keys[i]);
        printf(", ");
        put_text(metadata.values[i]);
        putchar(']');
    }
    putchar(']');
}

static void put_field(const arb_arrow_field *field)
{
    printf("{\"name\": ");
    put_text(field->name);
    printf(", \"nullable\": %s, \"kind\": \"%s\", \"index\": \"%s\", \"ordered\": %d, \"unit\": %d, ",
           field->nullable ? "true" : "false", arb_arrow_kind_name((arb_arrow_kind)field->kind),
           arb_arrow_kind_name((arb_arrow_kind)field->index_kind), field->ordered, field->unit);
    printf("\"precision\": %d, \"scale\": %d, \"size\": %d, \"zone\": ", field->precision, field->scale, field->size);
    put_text(field->zone);
    printf(", \"type_ids\": [");
    for (uint32_t i = 0; field->type_ids != NULL && i < field->child_count; i++)
        printf(i != 0 ? ", %d" : "%d", field->type_ids[i]);
    printf("], \"metadata\": ");
    put_metadata(field->metadata);
    printf(", \"children\": [");
    for (uint32_t i = 0; i < field->child_count; i++) {
        if (i != 0)
            printf(", ");
        put_field(&field->children[i]);
    }
    printf("]}");
}

static void put_row(const arb_arrow_node *node, int64_t row);

static void put_rows(const arb_arrow_node *node, int64_t start, int64_t rows)
{
    putchar('[');
    for (int64_t row = start; row < start + rows; row++) {
        if (row != start)
            printf(", ");
        put_row(node, row);
    }
    putchar(']');
}

static void put_row(const arb_arrow_node *node, int64_t row)
{
    if (!arb_arrow_node_is_valid(node, row)) {
        printf("null");
        return;
    }
    int64_t at = node->offset + row, start, child_row;
    uint32_t child;
    switch (arb_arrow_layout_of((arb_arrow_kind)node->field->kind)) {
    case ARB_LAYOUT_BITS:
        printf("%s", (node->buffers[1].data[at / 8] >> (at % 8) & 1) != 0 ? "true" : "false");
        return;
    case ARB_LAYOUT_LIST:
        start = arb_arrow_node_offset(node, 1, row);
        put_rows(&node->children[0], start, arb_arrow_node_offset(node, 1, row + 1) - start);
        return;
    case ARB_LAYOUT_LIST_VIEW:
        put_rows(&node->children[0], arb_arrow_node_offset(node, 1, row), arb_arrow_node_offset(node, 2, row));
        return;
    case ARB_LAYOUT_FIXED_LIST:
        put_rows(&node->children[0], at * node->field->size, node->field->size);
        return;
    case ARB_LAYOUT_STRUCT:
        putchar('[');
        for (uint32_t i = 0; i < node->child_count; i++) {
            if (i != 0)
                printf(", ");
            put_row(&node->children[i], at);
        }
        putchar(']');
        return;
    case ARB_LAYOUT_SPARSE_UNION:
    case ARB_LAYOUT_DENSE_UNION:
        arb_arrow_node_union_slot(node, row, &child, &child_row);
        printf("[%d, ", node->field->type_ids[child]);
        put_row(&node->children[child], child_row);
        putchar(']');
        return;
    case ARB_LAYOUT_DICTIONARY:
        put_row(arb_arrow_array_root(node->dictionary), arb_arrow_node_index(node, row));
        return;
    case ARB_LAYOUT_RUNS:
        put_row(&node->children[1], arb_arrow_node_run(node, row));
        return;
    default:
        put_hex(arb_arrow_node_bytes(node, row));
    }
}

static arb_code dump(arb_arrow_stream *stream, arb_error *error)
{
    printf("{\"schema\": ");
    put_field(&stream->schema->root);
    printf(",\n \"batches\": [");
    for (bool first = true;; first = false) {
        arb_arrow_array *array;
        ARB_TRY(arb_arrow_stream_next(stream, &array, error));
        if (array == NULL)
            break;
        const arb_arrow_node *root = arb_arrow_array_root(array);
        printf("%s{\"count\": %lld, \"metadata\": ", first ? "\n" : ",\n", (long long)root->length);
        put_metadata(array->checked.metadata);
        printf(", \"columns\": [");
        for (uint32_t i = 0; i < root->child_count; i++) {
            if (i != 0)
                printf(", ");
            put_rows(&root->children[i], root->offset, root->length);
        }
        printf("]}");
        arb_arrow_array_unref(array);
    }
    printf("]}\n");
    return ARB_OK;
}

typedef struct copy_to {
    arb_ipc_form form;
    arb_codec codec;
    const char *path;
} copy_to;

static arb_code copy(arb_arrow_stream *stream, const copy_to *to, arb_error *error)
{
    arb_byte_sink *sink;
    arb_ipc_writer *writer = NULL;
    arb_ipc_write_options options = {.codec = to->codec};
    ARB_TRY(arb_byte_sink_create_local(to->path, true, &sink, error));
    arb_code code = arb_ipc_writer_create(sink, to->form, stream->schema, &options, &writer, error);
    arb_arrow_array *array = NULL;
    while (code == ARB_OK && (code = arb_arrow_stream_next(stream, &array, error)) == ARB_OK && array != NULL) {
        code = arb_ipc_writer_write(writer, array, error);
        arb_arrow_array_unref(array);
    }
    if (code == ARB_OK)
        code = arb_ipc_writer_finish(writer, (arb_arrow_metadata){0}, error);
    if (code == ARB_OK)
        code = arb_byte_sink_finish(sink, error);
    arb_ipc_writer_destroy(writer);
    arb_byte_sink_destroy(sink);
    return code;
}

static arb_code run(const char *path, const copy_to *to, arb_error *error)
{
    arb_byte_source *source;
    arb_ipc_file *file = NULL;
    arb_arrow_stream *stream = NULL;
    bool is_file = false;
    ARB_TRY(arb_byte_source_open_local(path, &source, error));
    arb_code code = arb_ipc_file_detect(source, &is_file, error);
    if (code == ARB_OK && is_file) {
        code = arb_ipc_file_open(source, NULL, &file, error);
        if (code == ARB_OK)
            code = arb_ipc_file_stream(file, &stream, error);
    } else if (code == ARB_OK) {
        code = arb_ipc_stream_open_source(source, NULL, &stream, error);
    }
    if (code == ARB_OK)
        code = to != NULL ? copy(stream, to, error) : dump(stream, error);
    arb_arrow_stream_destroy(stream);
    arb_ipc_file_destroy(file);
    arb_byte_source_destroy(source);
    return code;
}

int main(int count, char **arguments)
{
    arb_error error = {0};
    copy_to to = {0};
    arb_code code;
    if (count == 2) {
        code = run(arguments[1], NULL, &error);
    } else if ((count == 5 || count == 6) && strcmp(arguments[1], "--copy") == 0) {
        to.form = strcmp(arguments[2], "file") == 0 ? ARB_IPC_FILE : ARB_IPC_STREAM;
        if (count == 6)
            to.codec = strcmp(arguments[3], "lz4") == 0    ? ARB_CODEC_LZ4_FRAME
                       : strcmp(arguments[3], "zstd") == 0 ? ARB_CODEC_ZSTD
                                                           : ARB_CODEC_NONE;
        to.path = arguments[count - 1];
        code = run(arguments[count - 2], &to, &error);
    } else {
        fprintf(stderr, "usage: ipc_dump FILE | ipc_dump --copy stream|file [none|lz4|zstd] FROM TO\n");
        return 64;
    }
    if (code != ARB_OK)
        fprintf(stderr, "%s: %s\n", arb_code_name(code), error.message);
    return code == ARB_OK ? 0 : 1;
}
