/* What clients of Flight SQL send: commands, handles, and values that they bind.
 *
 * Input: a byte that says which.
 *     0  an Any
 *     1  values: pieces, each with the sizes (2 bytes) of its description and its body before it
 *     2  a handle that was not given away: it is refused whatever it is */
#include "flight_sql/sql_service_internal.h"
#include "flight_sql/sql_values.h"
#include "fuzz_input.h"
#include "proto/sql_handle.pb-c.h"

enum { PIECES_MOST = 64, ROWS_MOST = 100 };

static bool is_refusal(arb_code code)
{
    return code == ARB_INVALID_PARAMETER || code == ARB_NOT_SUPPORTED || code == ARB_LIMIT_EXCEEDED ||
           code == ARB_DATETIME_OVERFLOW || code == ARB_OUT_OF_RANGE || code == ARB_INVALID_ENCODING;
}

static void read_command(arb_str bytes, arb_arena *arena)
{
    arb_sql_message message;
    arb_error error = {0};
    arb_text again = {0};
    arb_code code = arb_any_read(bytes, arena, &message, &error);
    FUZZ_REQUIRE(code == ARB_OK || is_refusal(code));
    if (code != ARB_OK)
        return;
    FUZZ_REQUIRE(arb_any_write(message.message, &again, &error) == ARB_OK);
    FUZZ_REQUIRE(arb_any_read(arb_text_view(&again), arena, &message, &error) == ARB_OK);
    arb_text_reset(&again);
}

static void read_values(fuzz_input *in)
{
    Arbalest__Sql__PreparedStatement prepared = ARBALEST__SQL__PREPARED_STATEMENT__INIT;
    Arbalest__Sql__ParameterMessage messages[PIECES_MOST], *list[PIECES_MOST];
    arb_sql_values *values;
    const arb_value *row;
    arb_error error = {0};
    prepared.parameters = list;
    while (fuzz_left(in) != 0 && prepared.n_parameters < PIECES_MOST) {
        Arbalest__Sql__ParameterMessage *message = &messages[prepared.n_parameters];
        size_t description = fuzz_number(in, 2), body = fuzz_number(in, 2);
        arbalest__sql__parameter_message__init(message);
        message->description = arb_wire_bytes(fuzz_take(in, description));
        message->body = arb_wire_bytes(fuzz_take(in, body));
        list[prepared.n_parameters++] = message;
    }
    arb_code code = arb_sql_values_open(&prepared, &values, &error);
    arb_text text = {0};
    for (size_t rows = 0; code == ARB_OK && arb_sql_values_count(values) != 0 && rows < ROWS_MOST; rows++) {
        code = arb_sql_values_next(values, &row, &error);
        if (code != ARB_OK || row == NULL)
            break;
        arb_text_clear(&text);
        for (size_t i = 0; i < arb_sql_values_count(values); i++)
            arb_value_print(&text, &row[i]);
    }
    if (code != ARB_OK && !is_refusal(code))
        fprintf(stderr, "%s: %s\n", arb_code_name(code), error.message);
    FUZZ_REQUIRE(code == ARB_OK || is_refusal(code));
    arb_sql_values_close(values);
    arb_text_reset(&text);
}

static void open_handle(arb_str bytes, arb_arena *arena)
{
    static const arb_seal_key key = {{1, 2, 3}};
    const arb_sql_sealer sealer = {&key, {4, 5}};
    const Arbalest__Sql__PreparedStatement *prepared;
    arb_sql_id id;
    FUZZ_REQUIRE(arb_sql_open_prepared(&sealer, ARB_STR(""), bytes, arena, &prepared, NULL) == ARB_ACCESS_DENIED);
    FUZZ_REQUIRE(arb_sql_open_job(&sealer, ARB_STR(""), bytes, &id, NULL) == ARB_ACCESS_DENIED);
    FUZZ_REQUIRE(arb_sql_open_session(&sealer, ARB_STR(""), bytes, &id, NULL) == ARB_ACCESS_DENIED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    arb_arena arena = {0};
    switch (fuzz_byte(&in) % 3) {
    case 0:
        read_command(fuzz_take(&in, SIZE_MAX), &arena);
        break;
    case 1:
        read_values(&in);
        break;
    default:
        open_handle(fuzz_take(&in, SIZE_MAX), &arena);
    }
    arb_arena_reset(&arena);
    return 0;
}
