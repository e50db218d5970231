/* sql_request.c: calls that one turn of a session answers. */
#include "base/alloc.h"
#include "flight_sql/sql_service_internal.h"

static void unref_request(arb_sql_request *request)
{
    arb_sql_service *service = request->service;
    arb_sql_lock(service);
    bool last = --request->references == 0;
    if (last && request->turn.session != NULL)
        arb_client_session_unref_locked(request->turn.session);
    arb_sql_unlock(service);
    if (!last)
        return;
    arb_rpc_call_unref(request->call);
    arb_arena_reset(&request->arena);
    arb_free(request);
}

static void on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call, (void)outcome;
    arb_sql_request *request = context;
    arb_sql_lock(request->service);
    request->gone = true;
    if (arb_sql_turn_runs(&request->turn) && request->turn.session->engine != NULL)
        arb_session_cancel(request->turn.session->engine);
    arb_sql_unlock(request->service);
    unref_request(request);
}

static void run(arb_sql_turn *turn)
{
    arb_sql_request *request = (arb_sql_request *)turn;
    arb_client_session *session = turn->session;
    arb_session *engine;
    arb_error error = {0};
    arb_code code = arb_client_session_engine(session, &engine, &error);
    arb_sql_lock(request->service);
    bool gone = request->gone;
    if (code == ARB_OK)
        arb_session_expect(engine);
    arb_sql_unlock(request->service);
    if (code == ARB_OK && !gone)
        code = request->answer(request, engine, &error);
    arb_sql_lock(request->service);
    arb_sql_turn_end(turn); /* the call's end cancels nothing any more */
    arb_sql_unlock(request->service);
    arb_rpc_finish(request->call, code, &error);
    unref_request(request);
}

void arb_sql_request_begin(arb_sql_service *service, arb_rpc_call *call, arb_sql_lane_kind lane,
                           arb_code (*answer)(arb_sql_request *request, arb_session *engine, arb_error *error),
                           const void *message)
{
    static const arb_rpc_events events = {.on_done = on_done};
    arb_error error = {0};
    arb_sql_request *request = arb_alloc_zeroed(sizeof *request);
    arb_code code = request == NULL ? arb_fail_memory(&error, "a request", sizeof *request)
                                    : arb_client_session_find(service, call, &request->turn.session, &error);
    if (code != ARB_OK) {
        arb_free(request);
        arb_rpc_finish(call, code, &error);
        return;
    }
    request->service = service;
    request->call = arb_rpc_call_ref(call);
    request->answer = answer;
    request->message = message;
    request->turn.run = run;
    request->turn.lane = lane;
    request->references = 2;
    arb_rpc_handle(call, &events, request);
    arb_sql_lock(service);
    arb_sql_turn_queue(&request->turn);
    arb_sql_unlock(service);
}
