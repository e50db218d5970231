#include "formats/cell_text.h"

#include "columnar/text_form.h"
#include "columnar/value.h"

static arb_code append_nested(arb_text *out, const arb_vector *vector, arb_type type, size_t row, arb_error *error)
{
    arb_arena scratch = {0};
    arb_value value;
    arb_code code = arb_vector_get_value(vector, type, row, &scratch, &value, error);
    if (code == ARB_OK)
        arb_value_print(out, &value);
    arb_arena_reset(&scratch);
    return code;
}

static void append_blob(arb_text *out, arb_str bytes)
{
    static const char hex[] = "0123456789abcdef";
    char *to = arb_text_room(out, bytes.size * 2 + 2);
    if (to == NULL)
        return;
    memcpy(to, "\\x", 2);
    for (size_t i = 0; i < bytes.size; i++) {
        to[2 + i * 2] = hex[(unsigned char)bytes.data[i] >> 4];
        to[3 + i * 2] = hex[(unsigned char)bytes.data[i] & 15];
    }
    arb_text_added(out, bytes.size * 2 + 2);
}

arb_code arb_cell_append(arb_text *out, const arb_vector *vector, arb_type type, size_t row, arb_error *error)
{
    if (!arb_vector_is_valid(vector, row) || type.id == ARB_TYPE_NULL)
        return ARB_OK;
    if (type.id == ARB_TYPE_VARCHAR) {
        arb_text_append_str(out, arb_vector_get_text(vector, row));
        return ARB_OK;
    }
    char *to = arb_text_room(out, ARB_FORM_MOST);
    if (to == NULL) /* noted in the text */
        return ARB_OK;
    size_t size;
    switch ((arb_type_id)type.id) {
    case ARB_TYPE_BOOLEAN:
        size = arb_form_boolean(to, arb_vector_get_bool(vector, row));
        break;
    case ARB_TYPE_TINYINT:
    case ARB_TYPE_SMALLINT:
    case ARB_TYPE_INTEGER:
    case ARB_TYPE_BIGINT:
        size = arb_form_integer(to, arb_vector_get_integer(vector, row));
        break;
    case ARB_TYPE_DECIMAL:
        size = arb_form_decimal(to, arb_vector_get_integer(vector, row), type.scale);
        break;
    case ARB_TYPE_REAL:
        size = arb_form_real(to, (float)arb_vector_get_double(vector, row));
        break;
    case ARB_TYPE_DOUBLE:
        size = arb_form_double(to, arb_vector_get_double(vector, row));
        break;
    case ARB_TYPE_DATE:
        size = arb_form_date(to, (int64_t)arb_vector_get_integer(vector, row));
        break;
    case ARB_TYPE_TIME:
        size = arb_form_time(to, (int64_t)arb_vector_get_integer(vector, row));
        break;
    case ARB_TYPE_TIMESTAMP:
    case ARB_TYPE_TIMESTAMPTZ:
        size = arb_form_timestamp(to, (int64_t)arb_vector_get_integer(vector, row), type.nanoseconds,
                                  type.id == ARB_TYPE_TIMESTAMPTZ);
        break;
    case ARB_TYPE_INTERVAL:
        size = arb_form_interval(to, arb_vector_entries(vector)->values.interval[arb_vector_slot(vector, row)]);
        break;
    case ARB_TYPE_BLOB:
        append_blob(out, arb_vector_get_text(vector, row));
        return ARB_OK;
    default:
        return append_nested(out, vector, type, row, error);
    }
    arb_text_added(out, size);
    return ARB_OK;
}
