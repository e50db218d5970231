/* sql_action.c: Flight's actions. Those of Flight SQL come and answer in an Any, those of Flight itself do not. */
#include "base/alloc.h"
#include "flight_sql/sql_service_internal.h"
#include "proto/flight.pb-c.h"
#include "proto/flight_sql.pb-c.h"

/* A handle in a ticket, or in a descriptor of a poll; both hold an Any with a TicketStatementQuery. */
static arb_code handle_in(arb_str bytes, arb_arena *arena, arb_str *out_handle, arb_error *error)
{
    arb_sql_message ticket;
    ARB_TRY(arb_any_read(bytes, arena, &ticket, error));
    if (ticket.kind != ARB_SQL_TicketStatementQuery)
        return arb_fail(error, ARB_INVALID_PARAMETER, "this names no statement that runs");
    *out_handle =
        arb_wire_text(((const Arrow__Flight__Protocol__Sql__TicketStatementQuery *)ticket.message)->statement_handle);
    return ARB_OK;
}

static arb_code handle_of_info(const Arrow__Flight__Protocol__FlightInfo *info, arb_arena *arena, arb_str *out_handle,
                               arb_error *error)
{
    if (info != NULL && info->n_endpoint != 0 && info->endpoint[0]->ticket != NULL)
        return handle_in(arb_wire_text(info->endpoint[0]->ticket->ticket), arena, out_handle, error);
    if (info != NULL && info->flight_descriptor != NULL)
        return handle_in(arb_wire_text(info->flight_descriptor->cmd), arena, out_handle, error);
    return arb_fail(error, ARB_INVALID_PARAMETER, "this names no statement that runs");
}

static arb_code unpack(arb_rpc_call *call, const ProtobufCMessageDescriptor *kind, arb_str body, const void **out,
                       arb_error *error)
{
    ProtobufCMessage *message = NULL;
    arb_code code = arb_wire_unpack(kind, arb_rpc_arena(call), body.data, body.size, &message, error);
    *out = message;
    if (code == ARB_OK || code == ARB_OUT_OF_MEMORY)
        return code;
    arb_error_clear(error);
    return arb_fail(error, ARB_INVALID_PARAMETER, "a %s cannot be read", kind->short_name);
}

/* ---- statements ---------------------------------------------------------------------------------------------------------- */

/* Without a statement of that name there is nothing left to be cancelled. */
static arb_code cancel(arb_sql_service *service, arb_rpc_call *call, const Arrow__Flight__Protocol__FlightInfo *info,
                       bool *out_found, arb_error *error)
{
    arb_str handle;
    ARB_TRY(handle_of_info(info, arb_rpc_arena(call), &handle, error));
    return arb_sql_job_cancel(service, arb_rpc_identity(call), handle, out_found, error);
}

static arb_code cancel_flight_info(arb_sql_service *service, arb_rpc_call *call, arb_str body, arb_error *error)
{
    const void *message;
    bool found;
    Arrow__Flight__Protocol__CancelFlightInfoResult answer = ARROW__FLIGHT__PROTOCOL__CANCEL_FLIGHT_INFO_RESULT__INIT;
    ARB_TRY(unpack(call, &arrow__flight__protocol__cancel_flight_info_request__descriptor, body, &message, error));
    ARB_TRY(cancel(service, call, ((const Arrow__Flight__Protocol__CancelFlightInfoRequest *)message)->info, &found,
                   error));
    answer.status = found ? ARROW__FLIGHT__PROTOCOL__CANCEL_STATUS__CANCEL_STATUS_CANCELLED
                          : ARROW__FLIGHT__PROTOCOL__CANCEL_STATUS__CANCEL_STATUS_NOT_CANCELLABLE;
    return arb_send_result(call, &answer.base, false, error);
}

static arb_code cancel_query(arb_sql_service *service, arb_rpc_call *call, const ProtobufCMessage *request,
                             arb_error *error)
{
    const void *message;
    bool found;
    Arrow__Flight__Protocol__Sql__ActionCancelQueryResult answer =
        ARROW__FLIGHT__PROTOCOL__SQL__ACTION_CANCEL_QUERY_RESULT__INIT;
    arb_str info = arb_wire_text(((const Arrow__Flight__Protocol__Sql__ActionCancelQueryRequest *)request)->info);
    ARB_TRY(unpack(call, &arrow__flight__protocol__flight_info__descriptor, info, &message, error));
    ARB_TRY(cancel(service, call, message, &found, error));
    answer.has_result = true;
    answer.result = found ? 1 : 3;
    return arb_send_result(call, &answer.base, true, error);
}

static arb_code renew(arb_sql_service *service, arb_rpc_call *call, arb_str body, arb_error *error)
{
    const void *message;
    arb_str handle;
    int64_t until_us;
    ARB_TRY(unpack(call, &arrow__flight__protocol__renew_flight_endpoint_request__descriptor, body, &message, error));
    const Arrow__Flight__Protocol__FlightEndpoint *endpoint =
        ((const Arrow__Flight__Protocol__RenewFlightEndpointRequest *)message)->endpoint;
    if (endpoint == NULL || endpoint->ticket == NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "there is no ticket in the endpoint");
    ARB_TRY(handle_in(arb_wire_text(endpoint->ticket->ticket), arb_rpc_arena(call), &handle, error));
    ARB_TRY(arb_sql_job_renew(service, arb_rpc_identity(call), handle, &until_us, error));
    Arrow__Flight__Protocol__FlightEndpoint renewed = ARROW__FLIGHT__PROTOCOL__FLIGHT_ENDPOINT__INIT;
    Arrow__Flight__Protocol__Timestamp until = ARROW__FLIGHT__PROTOCOL__TIMESTAMP__INIT;
    until.seconds = until_us / 1000000;
    until.nanos = (int32_t)(until_us % 1000000) * 1000;
    renewed.ticket = endpoint->ticket;
    renewed.expiration_time = &until;
    return arb_send_result(call, &renewed.base, false, error);
}

/* ---- session options ----------------------------------------------------------------------------------------------------- */

static arb_code option_text(const Arrow__Flight__Protocol__SessionOptionValue *value, arb_text *out)
{
    switch (value->option_value_case) {
    case ARROW__FLIGHT__PROTOCOL__SESSION_OPTION_VALUE__OPTION_VALUE_STRING_VALUE:
        arb_text_append_str(out, arb_str_of(value->string_value));
        return ARB_OK;
    case ARROW__FLIGHT__PROTOCOL__SESSION_OPTION_VALUE__OPTION_VALUE_BOOL_VALUE:
        arb_text_append_str(out, value->bool_value ? ARB_STR("true") : ARB_STR("false"));
        return ARB_OK;
    case ARROW__FLIGHT__PROTOCOL__SESSION_OPTION_VALUE__OPTION_VALUE_INT64_VALUE:
        arb_text_printf(out, "%lld", (long long)value->int64_value);
        return ARB_OK;
    case ARROW__FLIGHT__PROTOCOL__SESSION_OPTION_VALUE__OPTION_VALUE_DOUBLE_VALUE:
        arb_text_printf(out, "%.17g", value->double_value);
        return ARB_OK;
    case ARROW__FLIGHT__PROTOCOL__SESSION_OPTION_VALUE__OPTION_VALUE_STRING_LIST_VALUE:
        for (size_t i = 0; i < value->string_list_value->n_values; i++)
            arb_text_printf(out, "%s%s", i > 0 ? "," : "", value->string_list_value->values[i]);
        return ARB_OK;
    default:
        return ARB_INVALID_PARAMETER;
    }
}

enum { OPTION_NAME_UNKNOWN = 1, OPTION_VALUE_UNUSABLE, OPTION_FAILED };

/* An option is a setting, or the catalog or schema in use; without a value it is reset. 0 or what is wrong. */
static int set_option(arb_session *engine, const Arrow__Flight__Protocol__SessionOption *option)
{
    arb_settings *settings = arb_session_settings(engine);
    arb_str name = arb_str_of(option->key);
    arb_text value = {0};
    arb_setting setting;
    bool reset = option->value == NULL || option_text(option->value, &value) != ARB_OK;
    if (arb_text_check(&value, NULL) != ARB_OK) {
        arb_text_reset(&value);
        return OPTION_FAILED;
    }
    int wrong = 0;
    if (arb_str_equal(name, ARB_STR("catalog"))) {
        wrong = reset || arb_str_equal(arb_text_view(&value), ARB_STR("arbalest")) ? 0 : OPTION_VALUE_UNUSABLE;
    } else if (arb_str_equal(name, ARB_STR("schema"))) {
        arb_str schema = reset ? ARB_STR("main") : arb_text_view(&value);
        wrong = arb_catalog_use_schema(arb_session_scope(engine), schema, NULL) == ARB_OK ? 0 : OPTION_VALUE_UNUSABLE;
    } else if (arb_setting_find(name, &setting, NULL) != ARB_OK) {
        wrong = OPTION_NAME_UNKNOWN;
    } else {
        arb_code code = reset ? arb_settings_reset(settings, setting, NULL)
                              : arb_settings_set(settings, setting, arb_text_view(&value), NULL);
        wrong = code == ARB_OK ? 0 : OPTION_VALUE_UNUSABLE;
    }
    arb_text_reset(&value);
    return wrong;
}

/* The answer offers a cookie where the client has none, and its session is the one that the options are set in. */
static void name_session(arb_sql_request *request)
{
    arb_sql_lock(request->service);
    request->turn.session->named = true;
    arb_sql_unlock(request->service);
}

static arb_code set_options(arb_sql_request *request, arb_session *engine, arb_error *error)
{
    const Arrow__Flight__Protocol__SetSessionOptionsRequest *asked = request->message;
    Arrow__Flight__Protocol__SetSessionOptionsResult answer = ARROW__FLIGHT__PROTOCOL__SET_SESSION_OPTIONS_RESULT__INIT;
    size_t count = asked->n_session_options;
    Arrow__Flight__Protocol__SetSessionErrorEntry *entries =
        ARB_ARENA_ARRAY(&request->arena, Arrow__Flight__Protocol__SetSessionErrorEntry, count + 1);
    Arrow__Flight__Protocol__SetSessionError *errors =
        ARB_ARENA_ARRAY(&request->arena, Arrow__Flight__Protocol__SetSessionError, count + 1);
    answer.errors = ARB_ARENA_ARRAY(&request->arena, Arrow__Flight__Protocol__SetSessionErrorEntry *, count + 1);
    if (entries == NULL || errors == NULL || answer.errors == NULL)
        return arb_fail_memory(error, "session options", count * sizeof *entries);
    name_session(request);
    for (size_t i = 0; i < count; i++) {
        int wrong = set_option(engine, asked->session_options[i]);
        if (wrong == 0)
            continue;
        arrow__flight__protocol__set_session_error__init(&errors[i]);
        arrow__flight__protocol__set_session_error_entry__init(&entries[i]);
        errors[i].value = wrong;
        entries[i].key = asked->session_options[i]->key;
        entries[i].value = &errors[i];
        answer.errors[answer.n_errors++] = &entries[i];
    }
    return arb_send_result(request->call, &answer.base, false, error);
}

static arb_code get_options(arb_sql_request *request, arb_session *engine, arb_error *error)
{
    Arrow__Flight__Protocol__GetSessionOptionsResult answer = ARROW__FLIGHT__PROTOCOL__GET_SESSION_OPTIONS_RESULT__INIT;
    Arrow__Flight__Protocol__SessionOption options[ARB_SETTING_COUNT], *list[ARB_SETTING_COUNT];
    Arrow__Flight__Protocol__SessionOptionValue values[ARB_SETTING_COUNT];
    arb_text text = {0};
    for (int i = 0; i < ARB_SETTING_COUNT; i++) {
        arb_text_clear(&text);
        arb_settings_print(arb_session_settings(engine), (arb_setting)i, &text);
        arrow__flight__protocol__session_option__init(&options[i]);
        arrow__flight__protocol__session_option_value__init(&values[i]);
        values[i].option_value_case = ARROW__FLIGHT__PROTOCOL__SESSION_OPTION_VALUE__OPTION_VALUE_STRING_VALUE;
        values[i].string_value = (char *)(uintptr_t)arb_str_copy(&request->arena, arb_text_view(&text)).data;
        options[i].key = (char *)(uintptr_t)arb_setting_name((arb_setting)i);
        options[i].value = &values[i];
        list[i] = &options[i];
        if (text.failed || values[i].string_value == NULL) {
            arb_text_reset(&text);
            return arb_fail_memory(error, "session options", sizeof options);
        }
    }
    arb_text_reset(&text);
    answer.n_session_options = ARB_SETTING_COUNT;
    answer.session_options = list;
    return arb_send_result(request->call, &answer.base, false, error);
}

/* What runs in it is cancelled, so nothing waits for its turn; the client forgets its cookie. */
static arb_code close_session(arb_sql_service *service, arb_rpc_call *call, arb_error *error)
{
    arb_client_session *session;
    Arrow__Flight__Protocol__CloseSessionResult answer = ARROW__FLIGHT__PROTOCOL__CLOSE_SESSION_RESULT__INIT;
    ARB_TRY(arb_client_session_find(service, call, &session, error));
    arb_sql_lock(service);
    bool named = session->named;
    if (named) {
        arb_sql_jobs_cancel(service, session);
        arb_client_session_forget(session);
    }
    arb_client_session_unref_locked(session);
    arb_sql_unlock(service);
    if (named)
        ARB_TRY(arb_client_session_take_cookie(call, error));
    answer.status = named ? 1 : 3;
    return arb_send_result(call, &answer.base, false, error);
}

/* ---- all of them --------------------------------------------------------------------------------------------------------- */

/* X(type, description) */
#define ACTIONS(X)                                                                                           \
    X("CreatePreparedStatement", "Take a statement, say which columns and parameters it has. Nothing runs.") \
    X("ClosePreparedStatement", "The client needs a prepared statement no more.")                            \
    X("CancelFlightInfo", "Cancel a statement.")                                                             \
    X("CancelQuery", "Cancel a statement, as older clients say it.")                                         \
    X("RenewFlightEndpoint", "Keep a statement whose rows are not asked for yet.")                           \
    X("SetSessionOptions", "Set settings, catalog or schema of the session.")                                \
    X("GetSessionOptions", "The session's settings.")                                                        \
    X("CloseSession", "End the session with all that is temporary.")

static arb_code begin_in_any(arb_sql_service *service, arb_rpc_call *call, arb_str type, arb_str body, bool *out_begun,
                             arb_error *error)
{
    arb_sql_message message;
    arb_sql_message_kind expected =
        arb_str_equal(type, ARB_STR("CreatePreparedStatement")) ? ARB_SQL_ActionCreatePreparedStatementRequest
        : arb_str_equal(type, ARB_STR("CancelQuery"))           ? ARB_SQL_ActionCancelQueryRequest
                                                                : ARB_SQL_ActionClosePreparedStatementRequest;
    ARB_TRY(arb_any_read(body, arb_rpc_arena(call), &message, error));
    if (message.kind != expected)
        return arb_fail(error, ARB_INVALID_PARAMETER, "the action %.*s came with another one's request",
                        ARB_STR_ARGS(type));
    if (expected == ARB_SQL_ActionCancelQueryRequest)
        return cancel_query(service, call, message.message, error);
    if (expected == ARB_SQL_ActionCreatePreparedStatementRequest) {
        *out_begun = true;
        arb_sql_request_begin(service, call, ARB_SQL_BRIEF, arb_sql_prepare, message.message);
    }
    return ARB_OK; /* nothing is kept of a prepared statement */
}

/* *out_begun: a request answers later. */
static arb_code begin_action(arb_sql_service *service, arb_rpc_call *call, arb_str type, arb_str body, bool *out_begun,
                             arb_error *error)
{
    const void *message;
    if (arb_str_equal(type, ARB_STR("CreatePreparedStatement")) || arb_str_equal(type, ARB_STR("CancelQuery")) ||
        arb_str_equal(type, ARB_STR("ClosePreparedStatement")))
        return begin_in_any(service, call, type, body, out_begun, error);
    if (arb_str_equal(type, ARB_STR("CancelFlightInfo")))
        return cancel_flight_info(service, call, body, error);
    if (arb_str_equal(type, ARB_STR("RenewFlightEndpoint")))
        return renew(service, call, body, error);
    if (arb_str_equal(type, ARB_STR("SetSessionOptions"))) {
        ARB_TRY(unpack(call, &arrow__flight__protocol__set_session_options_request__descriptor, body, &message, error));
        *out_begun = true;
        arb_sql_request_begin(service, call, ARB_SQL_BRIEF, set_options, message);
        return ARB_OK;
    }
    if (arb_str_equal(type, ARB_STR("GetSessionOptions"))) {
        *out_begun = true;
        arb_sql_request_begin(service, call, ARB_SQL_BRIEF, get_options, NULL);
        return ARB_OK;
    }
    if (arb_str_equal(type, ARB_STR("CloseSession")))
        return close_session(service, call, error);
    return arb_fail(error, ARB_NOT_SUPPORTED, "there is no action \"%.*s\"", (int)ARB_MIN(type.size, (size_t)100),
                    type.data);
}

void arb_sql_do_action(void *context, arb_rpc_call *call, const struct Arrow__Flight__Protocol__Action *action)
{
    arb_error error = {0};
    bool begun = false;
    arb_code code = begin_action(context, call, arb_str_of(action->type), arb_wire_text(action->body), &begun, &error);
    if (!begun)
        arb_rpc_finish(call, code, &error);
}

void arb_sql_list_actions(void *context, arb_rpc_call *call)
{
    (void)context;
    arb_error error = {0};
    arb_code code = ARB_OK;
    Arrow__Flight__Protocol__ActionType action = ARROW__FLIGHT__PROTOCOL__ACTION_TYPE__INIT;
#define X(name, text)                             \
    action.type = (char *)(uintptr_t)name;        \
    action.description = (char *)(uintptr_t)text; \
    if (code == ARB_OK)                           \
        code = arb_flight_send(call, &action.base, &error);
    ACTIONS(X)
#undef X
    arb_rpc_finish(call, code, &error);
}
