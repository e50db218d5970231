#include "columnar/ipc/flatbuffer_write.h"

static void pad_to(arb_flat_writer *writer, size_t size)
{
    if (size > writer->bytes.size)
        arb_text_append_repeated(&writer->bytes, '\0', size - writer->bytes.size);
}

static void align(arb_flat_writer *writer, size_t alignment)
{
    pad_to(writer, arb_round_up(writer->bytes.size, alignment));
}

static void append_u16(arb_flat_writer *writer, uint16_t value)
{
    arb_text_append(&writer->bytes, (const char *)&value, sizeof value);
}

static void append_u32(arb_flat_writer *writer, uint32_t value)
{
    arb_text_append(&writer->bytes, (const char *)&value, sizeof value);
}

/* Let the hole refer to what is written next. */
static void fill(arb_flat_writer *writer, size_t hole)
{
    if (!writer->bytes.failed)
        arb_store_u32(writer->bytes.data + hole, (uint32_t)(writer->bytes.size - hole));
}

enum { SLOTS_MOST = 8 };

/* vtable, then the table: its distance to the vtable, then the fields, the widest first so that none needs padding but
 * behind the distance. */
static void write_table(arb_flat_writer *writer, size_t hole, arb_flat_slot *slots, size_t count)
{
    static const uint8_t widths[] = {8, 4, 2, 1};
    uint16_t places[SLOTS_MOST] = {0};
    size_t fields = 0, place = 4;
    for (size_t i = 0; i < count; i++) {
        assert(slots[i].field < SLOTS_MOST);
        fields = ARB_MAX(fields, slots[i].field + (size_t)1);
    }
    for (size_t w = 0; w < sizeof widths; w++)
        for (size_t i = 0; i < count; i++) {
            size_t width = slots[i].size == ARB_FLAT_HOLE ? 4 : slots[i].size;
            if (width != widths[w])
                continue;
            place = arb_round_up(place, width);
            places[slots[i].field] = (uint16_t)place;
            place += width;
        }
    size_t vtable_size = 4 + fields * 2;
    align(writer, 2);
    while ((writer->bytes.size + vtable_size) % 8 != 0 &&
           !writer->bytes.failed) /* so that the table starts at a multiple of 8 */
        append_u16(writer, 0);
    append_u16(writer, (uint16_t)vtable_size);
    append_u16(writer, (uint16_t)place);
    for (size_t i = 0; i < fields; i++)
        append_u16(writer, places[i]);
    fill(writer, hole);
    size_t table = writer->bytes.size;
    append_u32(writer, (uint32_t)vtable_size);
    pad_to(writer, table + place);
    for (size_t i = 0; i < count && !writer->bytes.failed; i++) {
        slots[i].at = table + places[slots[i].field];
        if (slots[i].size != ARB_FLAT_HOLE)
            memcpy(writer->bytes.data + slots[i].at, &slots[i].value, slots[i].size);
    }
}

void arb_flat_write_root(arb_flat_writer *writer, arb_flat_slot *slots, size_t count)
{
    assert(writer->bytes.size == 0);
    append_u32(writer, 0);
    write_table(writer, 0, slots, count);
}

void arb_flat_write_table(arb_flat_writer *writer, size_t hole, arb_flat_slot *slots, size_t count)
{
    write_table(writer, hole, slots, count);
}

void arb_flat_write_vector(arb_flat_writer *writer, size_t hole, const void *elements, size_t count,
                           size_t element_size, size_t alignment)
{
    align(writer, 4);
    while ((writer->bytes.size + 4) % ARB_MAX(alignment, (size_t)4) != 0 && !writer->bytes.failed)
        append_u32(writer, 0);
    fill(writer, hole);
    append_u32(writer, (uint32_t)count);
    arb_text_append(&writer->bytes, elements, count * element_size);
}

void arb_flat_write_string(arb_flat_writer *writer, size_t hole, arb_str text)
{
    arb_flat_write_vector(writer, hole, text.size != 0 ? text.data : "", text.size, 1, 4);
    arb_text_append_char(&writer->bytes, '\0');
}

size_t arb_flat_write_holes(arb_flat_writer *writer, size_t hole, size_t count)
{
    align(writer, 4);
    fill(writer, hole);
    append_u32(writer, (uint32_t)count);
    size_t first = writer->bytes.size;
    arb_text_append_repeated(&writer->bytes, '\0', count * 4);
    return first;
}
