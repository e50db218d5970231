/* rest_json.h: JSON values of what is shown, and ids as text.
 *
 * Values that find no memory are NULL, and so is what they are put into: `ok` tells it at the end. */
#ifndef ARB_REST_REST_JSON_H
#define ARB_REST_REST_JSON_H

#include <jansson.h>

#include "http/http_message.h"
#include "scheduler/control.h"

/* Bytes that are no UTF-8 become U+FFFD. */
json_t *arb_json_text(arb_str text);
/* A number beyond INT64_MAX is that. */
json_t *arb_json_number(uint64_t number);
/* Takes the value; *ok becomes false when there is no memory. */
void arb_json_put(json_t *object, const char *name, json_t *value, bool *ok);
void arb_json_append(json_t *array, json_t *value, bool *ok);
/* Takes the value: it is the response. ARB_OUT_OF_MEMORY. */
ARB_NODISCARD arb_code arb_json_reply(arb_http_response *response, json_t *value, bool ok, arb_error *error);

/* "TERM.NUMBER", as messages have it. */
json_t *arb_json_id(arb_id id);
/* As it is usually written: 8-4-4-4-12 hexadecimal digits. */
enum { ARB_UUID_TEXT_SIZE = 37 };
void arb_uuid_text(arb_uuid uuid, char out_text[ARB_UUID_TEXT_SIZE]);
json_t *arb_json_uuid(arb_uuid uuid);
/* ARB_UNDEFINED_OBJECT for what is no id: there is nothing under it. */
ARB_NODISCARD arb_code arb_rest_read_job(arb_str text, arb_id *out_id, arb_error *error);

#endif
