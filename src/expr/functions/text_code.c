/* text_code.c: characters as numbers, numbers and bytes as digits, texts as SQL literals. */
#include "base/base64.h"
#include "expr/function_row.h"
#include "kernels/utf8_step.h"

static arb_code run_ascii(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        call->result->values.i32[row] = text.size == 0 ? 0 : (int32_t)arb_utf8_get(text.data, text.data + text.size);
    }
    return ARB_OK;
}

static arb_code run_chr(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        int32_t point = ARB_CALL_GET(call, 0, i32, row);
        char bytes[4];
        if (point == 0)
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "null character not permitted");
        if (point < 0 || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "%d is not the code of a character", point);
        arb_call_put_text(call, row, bytes, arb_utf8_put(bytes, (uint32_t)point));
    }
    return ARB_OK;
}

/* ---- base 16 and 64 --------------------------------------------------------------------------------------------------- */

static const char lower_digits[] = "0123456789abcdef", upper_digits[] = "0123456789ABCDEF";

static arb_code put_hex(arb_call *call, size_t row, uint64_t value, const char *digits, arb_error *error)
{
    char form[16];
    size_t at = sizeof form;
    do
        form[--at] = digits[value & 15];
    while ((value >>= 4) != 0);
    char *room;
    ARB_TRY(arb_call_make_text(call, sizeof form - at, &room, error));
    memcpy(room, form + at, sizeof form - at);
    arb_call_put_text(call, row, room, sizeof form - at);
    return ARB_OK;
}

static arb_code run_to_hex_int(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(put_hex(call, row, (uint32_t)ARB_CALL_GET(call, 0, i32, row), lower_digits, error));
    return ARB_OK;
}

static arb_code run_to_hex(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(put_hex(call, row, (uint64_t)ARB_CALL_GET(call, 0, i64, row), lower_digits, error));
    return ARB_OK;
}

static arb_code run_hex_whole(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(put_hex(call, row, (uint64_t)ARB_CALL_GET(call, 0, i64, row), upper_digits, error));
    return ARB_OK;
}

static arb_code put_hex_bytes(arb_call *call, size_t row, arb_str bytes, const char *digits, arb_error *error)
{
    char *room;
    ARB_TRY(arb_call_make_text(call, bytes.size * 2, &room, error));
    for (size_t i = 0; i < bytes.size; i++) {
        room[2 * i] = digits[(unsigned char)bytes.data[i] >> 4];
        room[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    arb_call_put_text(call, row, room, bytes.size * 2);
    return ARB_OK;
}

static arb_code run_hex(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(put_hex_bytes(call, row, arb_call_text(call, 0, row), upper_digits, error));
    return ARB_OK;
}

static int hex_value(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

static arb_code put_unhex(arb_call *call, size_t row, arb_str text, arb_error *error)
{
    char *room;
    ARB_TRY(arb_call_make_text(call, text.size / 2, &room, error));
    if (text.size % 2 != 0)
        return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "invalid hexadecimal data: odd number of digits");
    for (size_t i = 0; i < text.size / 2; i++) {
        int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "invalid hexadecimal digit");
        room[i] = (char)(high << 4 | low);
    }
    arb_call_put_text(call, row, room, text.size / 2);
    return ARB_OK;
}

static arb_code run_unhex(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    ARB_TRY(put_unhex(call, row, arb_call_text(call, 0, row), error));
    return ARB_OK;
}

static arb_code put_base64(arb_call *call, size_t row, arb_str bytes, arb_error *error)
{
    size_t size = ARB_BASE64_ENCODED(bytes.size);
    char *room;
    ARB_TRY(arb_call_make_text(call, size, &room, error));
    arb_base64_encode(bytes.data, bytes.size, room);
    arb_call_put_text(call, row, room, size);
    return ARB_OK;
}

static arb_code put_unbase64(arb_call *call, size_t row, arb_str text, arb_error *error)
{
    char *room;
    size_t size;
    ARB_TRY(arb_call_make_text(call, ARB_BASE64_DECODED(text.size), &room, error));
    switch (arb_base64_decode(text.data, text.size, room, &size)) {
    case ARB_BASE64_OK:
        arb_call_put_text(call, row, room, size);
        return ARB_OK;
    case ARB_BASE64_CUT_OFF:
        return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "invalid base64 end sequence");
    default:
        return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "invalid base64 data");
    }
}

/* encode(bytes, format) and decode(text, format): 'hex' or 'base64'. */
static arb_code run_encode(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str format = arb_call_text(call, 1, row), bytes = arb_call_text(call, 0, row);
        if (arb_str_equal_nocase(format, ARB_STR("hex")))
            ARB_TRY(put_hex_bytes(call, row, bytes, lower_digits, error));
        else if (arb_str_equal_nocase(format, ARB_STR("base64")))
            ARB_TRY(put_base64(call, row, bytes, error));
        else
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "unrecognized encoding: \"%.*s\"",
                                 ARB_STR_ARGS(format));
    }
    return ARB_OK;
}

static arb_code run_decode(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str format = arb_call_text(call, 1, row), text = arb_call_text(call, 0, row);
        if (arb_str_equal_nocase(format, ARB_STR("hex")))
            ARB_TRY(put_unhex(call, row, text, error));
        else if (arb_str_equal_nocase(format, ARB_STR("base64")))
            ARB_TRY(put_unbase64(call, row, text, error));
        else
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "unrecognized encoding: \"%.*s\"",
                                 ARB_STR_ARGS(format));
    }
    return ARB_OK;
}

static const arb_scalar_implementation ascii_run = {.run = run_ascii};
static const arb_scalar_implementation chr_run = {.run = run_chr};
static const arb_scalar_implementation to_hex_int_run = {.run = run_to_hex_int};
static const arb_scalar_implementation to_hex_run = {.run = run_to_hex};
static const arb_scalar_implementation hex_whole_run = {.run = run_hex_whole};
static const arb_scalar_implementation hex_run = {.run = run_hex};
static const arb_scalar_implementation unhex_run = {.run = run_unhex};
static const arb_scalar_implementation encode_run = {.run = run_encode};
static const arb_scalar_implementation decode_run = {.run = run_decode};

ARB_DEFINE_RANGE(ascii_range, 0, 0x10FFFF)

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("ascii", 1, 1, "t>i", &ascii_run, .infallible = true, .range = ascii_range),
    ARB_SCALAR_ROW("chr", 1, 1, "i>t", &chr_run),
    ARB_SCALAR_ROW("to_hex", 1, 1, "i>t", &to_hex_int_run, .infallible = true),
    ARB_SCALAR_ROW("to_hex", 1, 1, "l>t", &to_hex_run, .infallible = true),
    ARB_SCALAR_ROW("hex", 1, 1, "t>t", &hex_run),
    ARB_SCALAR_ROW("hex", 1, 1, "x>t", &hex_run),
    ARB_SCALAR_ROW("hex", 1, 1, "l>t", &hex_whole_run, .infallible = true),
    ARB_SCALAR_ROW("unhex", 1, 1, "t>x", &unhex_run),
    ARB_SCALAR_ROW("encode", 2, 2, "xt>t", &encode_run),
    ARB_SCALAR_ROW("decode", 2, 2, "tt>x", &decode_run),
};
ARB_FUNCTION_TABLE(arb_functions_text_code, rows);
