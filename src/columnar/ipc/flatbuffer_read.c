#include "columnar/ipc/flatbuffer_read.h"

static bool inside(arb_flat_reader *reader, uint64_t at, uint64_t size)
{
    uint64_t total = ARB_MIN(reader->size, (size_t)INT32_MAX);
    if (reader->failed || at > total || size > total - at)
        reader->failed = true;
    return !reader->failed;
}

static arb_flat_table table_at(arb_flat_reader *reader, uint64_t at)
{
    static const arb_flat_table none;
    if (!inside(reader, at, 4))
        return none;
    int64_t vtable = (int64_t)at - arb_load_i32(reader->data + at);
    if (vtable < 0 || !inside(reader, (uint64_t)vtable, 4)) {
        reader->failed = true;
        return none;
    }
    uint16_t vtable_size = arb_load_u16(reader->data + vtable), size = arb_load_u16(reader->data + vtable + 2);
    if (vtable_size < 4 || vtable_size % 2 != 0 || size < 4 || !inside(reader, (uint64_t)vtable, vtable_size) ||
        !inside(reader, at, size)) {
        reader->failed = true;
        return none;
    }
    return (arb_flat_table){reader, (uint32_t)at, size, (uint32_t)vtable, (vtable_size - 4u) / 2};
}

arb_flat_table arb_flat_root(arb_flat_reader *reader)
{
    if (!inside(reader, 0, 4))
        return (arb_flat_table){0};
    return table_at(reader, arb_load_u32(reader->data));
}

arb_code arb_flat_check(const arb_flat_reader *reader, const char *what, arb_error *error)
{
    if (reader->failed)
        return arb_fail(error, ARB_CORRUPT_DATA, "the description of %s is damaged", what);
    return ARB_OK;
}

/* The place of `size` bytes of a field, or 0 when it is absent. */
static uint32_t field_at(const arb_flat_table *table, unsigned field, uint32_t size)
{
    if (table->reader == NULL || table->reader->failed || field >= table->slot_count)
        return 0;
    uint16_t place = arb_load_u16(table->reader->data + table->vtable + 4 + field * 2);
    if (place == 0)
        return 0;
    if (place < 4 || place + size > table->size) {
        table->reader->failed = true;
        return 0;
    }
    return table->at + place;
}

bool arb_flat_has(const arb_flat_table *table, unsigned field)
{
    return field_at(table, field, 0) != 0;
}

uint8_t arb_flat_u8(const arb_flat_table *table, unsigned field, uint8_t otherwise)
{
    uint32_t at = field_at(table, field, 1);
    return at == 0 ? otherwise : table->reader->data[at];
}

int16_t arb_flat_i16(const arb_flat_table *table, unsigned field, int16_t otherwise)
{
    uint32_t at = field_at(table, field, 2);
    return at == 0 ? otherwise : arb_load_i16(table->reader->data + at);
}

int32_t arb_flat_i32(const arb_flat_table *table, unsigned field, int32_t otherwise)
{
    uint32_t at = field_at(table, field, 4);
    return at == 0 ? otherwise : arb_load_i32(table->reader->data + at);
}

int64_t arb_flat_i64(const arb_flat_table *table, unsigned field, int64_t otherwise)
{
    uint32_t at = field_at(table, field, 8);
    return at == 0 ? otherwise : arb_load_i64(table->reader->data + at);
}

/* Where a field's offset leads, or 0. */
static uint64_t target(const arb_flat_table *table, unsigned field)
{
    uint32_t at = field_at(table, field, 4);
    return at == 0 ? 0 : (uint64_t)at + arb_load_u32(table->reader->data + at);
}

arb_flat_table arb_flat_child(const arb_flat_table *table, unsigned field)
{
    uint64_t at = target(table, field);
    return at == 0 ? (arb_flat_table){0} : table_at(table->reader, at);
}

static arb_flat_vector vector_of(const arb_flat_table *table, unsigned field, uint32_t element_size)
{
    uint64_t at = target(table, field);
    if (at == 0 || !inside(table->reader, at, 4))
        return (arb_flat_vector){0};
    uint32_t count = arb_load_u32(table->reader->data + at);
    if (!inside(table->reader, at + 4, (uint64_t)count * element_size))
        return (arb_flat_vector){0};
    return (arb_flat_vector){table->reader, (uint32_t)at + 4, count, element_size};
}

arb_str arb_flat_string(const arb_flat_table *table, unsigned field)
{
    arb_flat_vector bytes = vector_of(table, field, 1);
    if (bytes.reader == NULL)
        return (arb_str){0};
    return (arb_str){(const char *)bytes.reader->data + bytes.at, bytes.count};
}

arb_flat_vector arb_flat_scalars(const arb_flat_table *table, unsigned field, uint32_t element_size)
{
    return vector_of(table, field, element_size);
}

arb_flat_vector arb_flat_tables(const arb_flat_table *table, unsigned field)
{
    return vector_of(table, field, 4);
}

const uint8_t *arb_flat_element(const arb_flat_vector *vector, uint32_t index)
{
    assert(index < vector->count);
    return vector->reader->data + vector->at + (size_t)index * vector->element_size;
}

arb_flat_table arb_flat_table_at(const arb_flat_vector *vector, uint32_t index)
{
    assert(index < vector->count && vector->element_size == 4);
    if (vector->reader->failed)
        return (arb_flat_table){0};
    uint64_t at = (uint64_t)vector->at + index * 4u;
    return table_at(vector->reader, at + arb_load_u32(vector->reader->data + at));
}
