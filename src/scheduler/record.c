#include "scheduler/record.h"

void arb_record_put_number(arb_text *record, uint64_t number)
{
    char bytes[10];
    size_t size = 0;
    for (; number >= 0x80; number >>= 7)
        bytes[size++] = (char)(number | 0x80);
    bytes[size++] = (char)number;
    arb_text_append(record, bytes, size);
}

void arb_record_put_text(arb_text *record, arb_str text)
{
    arb_record_put_number(record, text.size);
    arb_text_append_str(record, text);
}

void arb_record_put_id(arb_text *record, arb_id id)
{
    arb_record_put_number(record, id.term);
    arb_record_put_number(record, id.number);
}

void arb_record_put_uuid(arb_text *record, arb_uuid uuid)
{
    char bytes[16];
    arb_store_u64(bytes, uuid.high);
    arb_store_u64(bytes + 8, uuid.low);
    arb_text_append(record, bytes, sizeof bytes);
}

static void break_off(arb_record_reader *reader)
{
    *reader = (arb_record_reader){.broken = true};
}

uint64_t arb_record_number(arb_record_reader *reader)
{
    uint64_t number = 0;
    for (size_t i = 0; i < reader->left.size && i < 10; i++) {
        uint8_t byte = (uint8_t)reader->left.data[i];
        if (i == 9 && byte > 1)
            break;
        number |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            reader->left = (arb_str){reader->left.data + i + 1, reader->left.size - i - 1};
            return number;
        }
    }
    break_off(reader);
    return 0;
}

uint64_t arb_record_number_most(arb_record_reader *reader, uint64_t most)
{
    uint64_t number = arb_record_number(reader);
    if (number <= most)
        return number;
    break_off(reader);
    return 0;
}

arb_str arb_record_text(arb_record_reader *reader)
{
    uint64_t size = arb_record_number_most(reader, reader->left.size);
    if (size > reader->left.size) {
        break_off(reader);
        size = 0;
    }
    arb_str text = {reader->left.data, (size_t)size};
    if (size > 0)
        reader->left = (arb_str){text.data + size, reader->left.size - (size_t)size};
    return text;
}

arb_id arb_record_id(arb_record_reader *reader)
{
    arb_id id;
    id.term = arb_record_number(reader);
    id.number = arb_record_number(reader);
    return id;
}

arb_uuid arb_record_uuid(arb_record_reader *reader)
{
    arb_uuid uuid = {0};
    if (reader->left.size < 16) {
        break_off(reader);
        return uuid;
    }
    uuid = (arb_uuid){arb_load_u64(reader->left.data), arb_load_u64(reader->left.data + 8)};
    reader->left = (arb_str){reader->left.data + 16, reader->left.size - 16};
    return uuid;
}

uint64_t arb_record_count(arb_record_reader *reader, uint64_t most, size_t least_size)
{
    uint64_t count = arb_record_number_most(reader, most);
    if (count <= reader->left.size / (least_size == 0 ? 1 : least_size))
        return count;
    break_off(reader);
    return 0;
}

arb_code arb_record_end(const arb_record_reader *reader, const char *what, arb_error *error)
{
    if (!reader->broken && reader->left.size == 0)
        return ARB_OK;
    return arb_fail(error, ARB_CORRUPT_DATA, "the record of %s in the state store is damaged", what);
}
