#include "columnar/value.h"

#include <math.h>

#include "columnar/text_form.h"

/* ---- comparing -------------------------------------------------------------------------------------------------------- */

static int compare_real(double a, double b)
{
    bool a_nan = a != a, b_nan = b != b;
    if (a_nan || b_nan)
        return (int)a_nan - (int)b_nan;
    return (a > b) - (a < b);
}

int arb_value_compare(const arb_value *a, const arb_value *b)
{
    assert(!a->is_null && !b->is_null && !arb_type_is_nested(a->type) && a->type.id == b->type.id);
    switch (a->type.id) {
    case ARB_TYPE_BOOLEAN:
        return (int)a->boolean - (int)b->boolean;
    case ARB_TYPE_REAL:
    case ARB_TYPE_DOUBLE:
        return compare_real(a->real, b->real);
    case ARB_TYPE_VARCHAR:
    case ARB_TYPE_BLOB:
        return arb_str_compare(a->text, b->text);
    case ARB_TYPE_INTERVAL: {
        arb_int128 left = arb_interval_span(a->interval), right = arb_interval_span(b->interval);
        return (left > right) - (left < right);
    }
    default:
        return (a->integer > b->integer) - (a->integer < b->integer);
    }
}

bool arb_value_equal(const arb_value *a, const arb_value *b)
{
    if (!arb_type_equal(a->type, b->type) || a->is_null != b->is_null)
        return false;
    if (a->is_null)
        return true;
    if (!arb_type_is_nested(a->type))
        return arb_value_compare(a, b) == 0;
    if (a->nested.count != b->nested.count)
        return false;
    for (size_t i = 0; i < a->nested.count; i++)
        if (!arb_value_equal(&a->nested.items[i], &b->nested.items[i]))
            return false;
    return true;
}

bool arb_value_same(const arb_value *a, const arb_value *b)
{
    if (!arb_value_equal(a, b))
        return false;
    if (a->is_null)
        return true;
    switch ((arb_type_id)a->type.id) {
    case ARB_TYPE_REAL:
    case ARB_TYPE_DOUBLE:
        return isnan(a->real) || signbit(a->real) == signbit(b->real);
    case ARB_TYPE_INTERVAL:
        return a->interval.months == b->interval.months && a->interval.days == b->interval.days;
    case ARB_TYPE_LIST:
    case ARB_TYPE_STRUCT:
    case ARB_TYPE_MAP:
        for (size_t i = 0; i < a->nested.count; i++)
            if (!arb_value_same(&a->nested.items[i], &b->nested.items[i]))
                return false;
        return true;
    default:
        return true;
    }
}

/* ---- from vectors and to them ------------------------------------------------------------------------------------------- */

static bool row_is_null(const arb_vector *vector, size_t row)
{
    return vector->validity != NULL && !arb_bitmap_get(vector->validity, vector->encoding == ARB_CONSTANT ? 0 : row);
}

static arb_code get_nested(const arb_vector *vector, arb_type type, size_t slot, arb_arena *arena, arb_value *out_value,
                           arb_error *error)
{
    const arb_vector *entries = arb_vector_entries(vector);
    const arb_type *types = type.children->types;
    size_t first = 0, count, width = type.children->count;
    if (type.id == ARB_TYPE_STRUCT) {
        count = width;
    } else {
        arb_list list = entries->values.list[slot];
        first = list.offset;
        width = type.id == ARB_TYPE_MAP ? 2 : 1;
        count = (size_t)list.size * width;
    }
    arb_value *items = ARB_ARENA_ARRAY(arena, arb_value, ARB_MAX(count, (size_t)1));
    if (items == NULL)
        return arb_fail_memory(error, "a nested value", count * sizeof *items);
    out_value->nested.items = items;
    out_value->nested.count = count;
    for (size_t i = 0; i < count; i++) {
        const arb_vector *child = &entries->children[0];
        size_t at = first + i;
        if (type.id == ARB_TYPE_STRUCT) {
            child = &entries->children[i];
            at = slot;
        } else if (type.id == ARB_TYPE_MAP) {
            child = &entries->children[0].children[i % 2];
            at = first + i / 2;
        }
        ARB_TRY(arb_vector_get_value(child, types[i % width], at, arena, &items[i], error));
    }
    return ARB_OK;
}

arb_code arb_vector_get_value(const arb_vector *vector, arb_type type, size_t row, arb_arena *arena,
                              arb_value *out_value, arb_error *error)
{
    *out_value = (arb_value){.type = type};
    if (type.id == ARB_TYPE_NULL || row_is_null(vector, row)) {
        out_value->is_null = true;
        return ARB_OK;
    }
    switch (vector->physical) {
    case ARB_PHYS_BOOL:
        out_value->boolean = arb_vector_get_bool(vector, row);
        return ARB_OK;
    case ARB_PHYS_FLOAT32:
    case ARB_PHYS_FLOAT64:
        out_value->real = arb_vector_get_double(vector, row);
        return ARB_OK;
    case ARB_PHYS_STRING:
        out_value->text = arb_vector_get_text(vector, row);
        return ARB_OK;
    case ARB_PHYS_INTERVAL:
        out_value->interval = arb_vector_entries(vector)->values.interval[arb_vector_slot(vector, row)];
        return ARB_OK;
    case ARB_PHYS_LIST:
    case ARB_PHYS_STRUCT:
        return get_nested(vector, type, arb_vector_slot(vector, row), arena, out_value, error);
    default:
        out_value->integer = arb_vector_get_integer(vector, row);
        return ARB_OK;
    }
}

static void store(const arb_vector_storage *storage, const arb_value *value)
{
    void *to = storage->values;
    switch (storage->physical) {
    case ARB_PHYS_BOOL:
        arb_bitmap_put(to, 0, value->boolean);
        return;
    case ARB_PHYS_INT8:
        *(int8_t *)to = (int8_t)value->integer;
        return;
    case ARB_PHYS_INT16:
        *(int16_t *)to = (int16_t)value->integer;
        return;
    case ARB_PHYS_INT32:
        *(int32_t *)to = (int32_t)value->integer;
        return;
    case ARB_PHYS_INT64:
        *(int64_t *)to = (int64_t)value->integer;
        return;
    case ARB_PHYS_INT128:
        *(arb_int128 *)to = value->integer;
        return;
    case ARB_PHYS_FLOAT32:
        *(float *)to = (float)value->real;
        return;
    case ARB_PHYS_FLOAT64:
        *(double *)to = value->real;
        return;
    case ARB_PHYS_STRING:
        *(arb_string *)to = arb_string_of(value->text.data, value->text.size);
        return;
    case ARB_PHYS_INTERVAL:
        *(arb_interval *)to = value->interval;
        return;
    default:
        assert(false); /* nested values have no constant vector */
    }
}

arb_vector arb_vector_constant(const arb_vector_storage *storage, const arb_value *value)
{
    arb_vector vector = arb_vector_over(storage);
    vector.encoding = ARB_CONSTANT;
    if (value->is_null) {
        memset(storage->values, 0, ARB_MAX(arb_physical_size(storage->physical), (size_t)8));
        storage->validity[0] = 0;
        vector.validity = storage->validity;
    } else {
        store(storage, value);
    }
    return vector;
}

/* ---- printing ----------------------------------------------------------------------------------------------------------- */

static void print_json(arb_text *out, const arb_value *value);

static void print_json_string(arb_text *out, arb_str text)
{
    arb_text_append_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            arb_text_printf(out, "\\%c", c);
        else if (c == '\n')
            arb_text_append_str(out, ARB_STR("\\n"));
        else if (c == '\t')
            arb_text_append_str(out, ARB_STR("\\t"));
        else if (c == '\r')
            arb_text_append_str(out, ARB_STR("\\r"));
        else if (c < 0x20)
            arb_text_printf(out, "\\u%04x", c);
        else
            arb_text_append_char(out, (char)c);
    }
    arb_text_append_char(out, '"');
}

static void print_nested(arb_text *out, const arb_value *value)
{
    bool list = value->type.id == ARB_TYPE_LIST;
    size_t step = value->type.id == ARB_TYPE_MAP ? 2 : 1;
    arb_text_append_char(out, list ? '[' : '{');
    for (size_t i = 0; i < value->nested.count; i += step) {
        const arb_value *item = &value->nested.items[i];
        if (i != 0)
            arb_text_append_char(out, ',');
        if (value->type.id == ARB_TYPE_STRUCT) {
            print_json_string(out, value->type.children->names[i]);
            arb_text_append_char(out, ':');
        } else if (value->type.id == ARB_TYPE_MAP) {
            arb_text key = {0};
            arb_value_print(&key, item);
            out->failed |= key.failed;
            print_json_string(out, arb_text_view(&key));
            arb_text_reset(&key);
            arb_text_append_char(out, ':');
            item++;
        }
        print_json(out, item);
    }
    arb_text_append_char(out, list ? ']' : '}');
}

static void print_json(arb_text *out, const arb_value *value)
{
    bool number = arb_type_is_numeric(value->type), plain = value->type.id == ARB_TYPE_BOOLEAN;
    if (number && (value->type.id == ARB_TYPE_REAL || value->type.id == ARB_TYPE_DOUBLE))
        plain = value->real - value->real == 0; /* JSON has neither NaN nor infinities */
    else
        plain |= number;
    if (value->is_null || (number && !plain)) {
        arb_text_append_str(out, ARB_STR("null"));
    } else if (plain || arb_type_is_nested(value->type)) {
        arb_value_print(out, value);
    } else {
        arb_text text = {0};
        arb_value_print(&text, value);
        out->failed |= text.failed;
        print_json_string(out, arb_text_view(&text));
        arb_text_reset(&text);
    }
}

static void print_blob(arb_text *out, arb_str bytes)
{
    static const char digits[] = "0123456789abcdef";
    arb_text_append_str(out, ARB_STR("\\x"));
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        arb_text_append(out, (char[]){digits[byte >> 4], digits[byte & 15]}, 2);
    }
}

void arb_value_print(arb_text *out, const arb_value *value)
{
    char form[ARB_FORM_MOST];
    size_t size = 0;
    if (value->is_null)
        return;
    switch ((arb_type_id)value->type.id) {
    case ARB_TYPE_NULL:
    case ARB_TYPE_COUNT:
        return;
    case ARB_TYPE_BOOLEAN:
        size = arb_form_boolean(form, value->boolean);
        break;
    case ARB_TYPE_TINYINT:
    case ARB_TYPE_SMALLINT:
    case ARB_TYPE_INTEGER:
    case ARB_TYPE_BIGINT:
        size = arb_form_integer(form, value->integer);
        break;
    case ARB_TYPE_DECIMAL:
        size = arb_form_decimal(form, value->integer, value->type.scale);
        break;
    case ARB_TYPE_REAL:
        size = arb_form_real(form, (float)value->real);
        break;
    case ARB_TYPE_DOUBLE:
        size = arb_form_double(form, value->real);
        break;
    case ARB_TYPE_VARCHAR:
        arb_text_append_str(out, value->text);
        return;
    case ARB_TYPE_BLOB:
        print_blob(out, value->text);
        return;
    case ARB_TYPE_DATE:
        size = arb_form_date(form, (int64_t)value->integer);
        break;
    case ARB_TYPE_TIME:
        size = arb_form_time(form, (int64_t)value->integer);
        break;
    case ARB_TYPE_TIMESTAMP:
    case ARB_TYPE_TIMESTAMPTZ:
        size = arb_form_timestamp(form, (int64_t)value->integer, value->type.nanoseconds,
                                  value->type.id == ARB_TYPE_TIMESTAMPTZ);
        break;
    case ARB_TYPE_INTERVAL:
        size = arb_form_interval(form, value->interval);
        break;
    case ARB_TYPE_LIST:
    case ARB_TYPE_STRUCT:
    case ARB_TYPE_MAP:
        print_nested(out, value);
        return;
    }
    arb_text_append(out, form, size);
}
