#include "rest/rest_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"

json_t *arb_json_text(arb_str text)
{
    json_t *made = json_stringn(text.size > 0 ? text.data : "", text.size);
    if (made != NULL)
        return made;
    arb_text mended = {0}; /* no memory, or no UTF-8 */
    for (size_t i = 0, size; i < text.size; i += size) {
        for (size = 1; size <= 4 && size <= text.size - i && !arb_utf8_is_valid(text.data + i, size); size++) {
        }
        bool is_character = size <= 4 && size <= text.size - i;
        size = is_character ? size : 1;
        arb_text_append_str(&mended, is_character ? (arb_str){text.data + i, size} : ARB_STR("\xEF\xBF\xBD"));
    }
    made = mended.failed ? NULL : json_stringn(arb_text_view(&mended).data, mended.size);
    arb_text_reset(&mended);
    return made;
}

json_t *arb_json_number(uint64_t number)
{
    return json_integer((json_int_t)ARB_MIN(number, (uint64_t)INT64_MAX));
}

void arb_json_put(json_t *object, const char *name, json_t *value, bool *ok)
{
    *ok &= json_object_set_new(object, name, value) == 0;
}

void arb_json_append(json_t *array, json_t *value, bool *ok)
{
    *ok &= json_array_append_new(array, value) == 0;
}

static int append(const char *bytes, size_t size, void *text)
{
    arb_text_append(text, bytes, size);
    return ((arb_text *)text)->failed ? -1 : 0;
}

arb_code arb_json_reply(arb_http_response *response, json_t *value, bool ok, arb_error *error)
{
    ok = ok && value != NULL && json_dump_callback(value, append, &response->body, JSON_COMPACT) == 0;
    json_decref(value);
    return ok ? ARB_OK : arb_fail_memory(error, "an answer", response->body.size);
}

json_t *arb_json_id(arb_id id)
{
    char text[48];
    snprintf(text, sizeof text, "%" PRIu64 ".%" PRIu64, id.term, id.number);
    return json_string(text);
}

void arb_uuid_text(arb_uuid uuid, char out_text[ARB_UUID_TEXT_SIZE])
{
    snprintf(out_text, ARB_UUID_TEXT_SIZE, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
             uuid.high >> 32, (uuid.high >> 16) & 0xFFFF, uuid.high & 0xFFFF, uuid.low >> 48,
             uuid.low & UINT64_C(0xFFFFFFFFFFFF));
}

json_t *arb_json_uuid(arb_uuid uuid)
{
    char text[ARB_UUID_TEXT_SIZE];
    arb_uuid_text(uuid, text);
    return json_string(text);
}

arb_code arb_rest_read_job(arb_str text, arb_id *out_id, arb_error *error)
{
    const char *dot = text.size > 0 ? memchr(text.data, '.', text.size) : NULL;
    size_t before = dot != NULL ? (size_t)(dot - text.data) : 0;
    if (dot != NULL && arb_http_number((arb_str){text.data, before}, &out_id->term) &&
        arb_http_number((arb_str){dot + 1, text.size - before - 1}, &out_id->number))
        return ARB_OK;
    return arb_fail(error, ARB_UNDEFINED_OBJECT, "there is no job %.*s: ids are two numbers, as in 3.17",
                    ARB_STR_ARGS(text));
}
