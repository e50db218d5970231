/* sql_prepare.c: statements that are looked at: Prepare and GetSchema. Nothing runs. */
#include "flight_sql/sql_service_internal.h"
#include "proto/flight.pb-c.h"
#include "proto/flight_sql.pb-c.h"
#include "proto/sql_handle.pb-c.h"
#include "rpc/flight_schema.h"

static arb_code write_schema(const arb_result_columns *columns, arb_text *out, arb_error *error)
{
    arb_arrow_schema *schema;
    ARB_TRY(arb_result_schema(columns, &schema, error));
    arb_code code = arb_flight_schema_write(schema, out, error);
    arb_arrow_schema_unref(schema);
    return code;
}

/* Parameters as columns $1, $2, … */
static arb_code write_parameters(const arb_statement_facts *facts, arb_arena *arena, arb_text *out, arb_error *error)
{
    arb_text name = {0};
    arb_str *names = ARB_ARENA_ARRAY(arena, arb_str, facts->parameter_count + 1);
    arb_code code =
        names == NULL ? arb_fail_memory(error, "parameters", facts->parameter_count * sizeof *names) : ARB_OK;
    for (size_t i = 0; code == ARB_OK && i < facts->parameter_count; i++) {
        arb_text_clear(&name);
        arb_text_printf(&name, "$%zu", i + 1);
        names[i] = arb_str_copy(arena, arb_text_view(&name));
        if (name.failed || names[i].data == NULL)
            code = arb_fail_memory(error, "parameters", name.size);
    }
    arb_text_reset(&name);
    const arb_result_columns columns = {true, facts->parameter_count, names, facts->parameter_types};
    return code == ARB_OK ? write_schema(&columns, out, error) : code;
}

arb_code arb_sql_prepare(arb_sql_request *request, arb_session *engine, arb_error *error)
{
    const Arrow__Flight__Protocol__Sql__ActionCreatePreparedStatementRequest *asked = request->message;
    Arbalest__Sql__PreparedStatement prepared = ARBALEST__SQL__PREPARED_STATEMENT__INIT;
    Arrow__Flight__Protocol__Sql__ActionCreatePreparedStatementResult answer =
        ARROW__FLIGHT__PROTOCOL__SQL__ACTION_CREATE_PREPARED_STATEMENT_RESULT__INIT;
    arb_text handle = {0}, columns = {0}, parameters = {0};
    arb_statement_facts facts;
    arb_code code;
    prepared.query = asked->query != NULL ? asked->query : (char *)(uintptr_t) "";
    ARB_TRY_GOTO(code, arb_session_look(engine, arb_str_of(prepared.query), &request->arena, &facts, error), done);
    ARB_TRY_GOTO(
        code,
        arb_sql_seal_prepared(&request->service->sealer, arb_rpc_identity(request->call), &prepared, &handle, error),
        done);
    answer.has_prepared_statement_handle = answer.has_is_update = true;
    answer.prepared_statement_handle = arb_wire_bytes(arb_text_view(&handle));
    answer.is_update = !facts.columns.has_rows;
    if (facts.columns.has_rows) {
        ARB_TRY_GOTO(code, write_schema(&facts.columns, &columns, error), done);
        answer.has_dataset_schema = true;
        answer.dataset_schema = arb_wire_bytes(arb_text_view(&columns));
    }
    if (facts.parameter_count != 0) {
        ARB_TRY_GOTO(code, write_parameters(&facts, &request->arena, &parameters, error), done);
        answer.has_parameter_schema = true;
        answer.parameter_schema = arb_wire_bytes(arb_text_view(&parameters));
    }
    code = arb_send_result(request->call, &answer.base, true, error);
done:
    arb_text_reset(&handle);
    arb_text_reset(&columns);
    arb_text_reset(&parameters);
    return code;
}

static arb_code send_schema(arb_rpc_call *call, arb_str schema, arb_error *error)
{
    Arrow__Flight__Protocol__SchemaResult answer = ARROW__FLIGHT__PROTOCOL__SCHEMA_RESULT__INIT;
    answer.schema = arb_wire_bytes(schema);
    return arb_flight_send(call, &answer.base, error);
}

/* Of the text in a CommandStatementQuery, or in a prepared statement's handle. */
arb_code arb_sql_look_schema(arb_sql_request *request, arb_session *engine, arb_error *error)
{
    const arb_sql_message *command = request->message;
    const Arbalest__Sql__PreparedStatement *prepared;
    const char *text = NULL;
    arb_statement_facts facts;
    arb_text schema = {0};
    if (command->kind == ARB_SQL_CommandStatementQuery) {
        text = ((const Arrow__Flight__Protocol__Sql__CommandStatementQuery *)command->message)->query;
    } else {
        ProtobufCBinaryData handle =
            ((const Arrow__Flight__Protocol__Sql__CommandPreparedStatementQuery *)command->message)
                ->prepared_statement_handle;
        ARB_TRY(arb_sql_open_prepared(&request->service->sealer, arb_rpc_identity(request->call), arb_wire_text(handle),
                                      &request->arena, &prepared, error));
        text = prepared->query;
    }
    ARB_TRY(arb_session_look(engine, arb_str_of(text != NULL ? text : ""), &request->arena, &facts, error));
    arb_code code = write_schema(&facts.columns, &schema, error);
    if (code == ARB_OK)
        code = send_schema(request->call, arb_text_view(&schema), error);
    arb_text_reset(&schema);
    return code;
}
