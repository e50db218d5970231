/* flight_answer.c: FlightInfo, PollInfo, tickets and results of actions. */
#include "flight_sql/sql_service_internal.h"
#include "proto/flight.pb-c.h"
#include "proto/flight_sql.pb-c.h"

/* A FlightInfo and what it refers to. */
typedef struct info_tree {
    arb_arena arena;
    Arrow__Flight__Protocol__FlightInfo info;
    Arrow__Flight__Protocol__FlightDescriptor *descriptor;
    Arrow__Flight__Protocol__FlightEndpoint endpoint, *endpoints[1];
    Arrow__Flight__Protocol__Ticket ticket;
    Arrow__Flight__Protocol__Timestamp until;
} info_tree;

static void fill_time(Arrow__Flight__Protocol__Timestamp *time, int64_t us)
{
    arrow__flight__protocol__timestamp__init(time);
    time->seconds = us / 1000000;
    time->nanos = (int32_t)(us % 1000000) * 1000;
}

static arb_code read_descriptor(info_tree *tree, arb_str packed, arb_error *error)
{
    ProtobufCMessage *message;
    ARB_TRY(arb_wire_unpack(&arrow__flight__protocol__flight_descriptor__descriptor, &tree->arena, packed.data,
                            packed.size, &message, error));
    tree->descriptor = (Arrow__Flight__Protocol__FlightDescriptor *)message;
    return ARB_OK;
}

static arb_code fill_info(info_tree *tree, const arb_info_parts *parts, arb_error *error)
{
    arrow__flight__protocol__flight_info__init(&tree->info);
    ARB_TRY(read_descriptor(tree, parts->descriptor, error));
    tree->info.flight_descriptor = tree->descriptor;
    tree->info.schema = arb_wire_bytes(parts->schema);
    tree->info.total_records = tree->info.total_bytes = -1;
    tree->info.ordered = true;
    tree->info.app_metadata = arb_wire_bytes(parts->summary);
    if (parts->ticket.size == 0)
        return ARB_OK;
    arrow__flight__protocol__flight_endpoint__init(&tree->endpoint);
    arrow__flight__protocol__ticket__init(&tree->ticket);
    tree->ticket.ticket = arb_wire_bytes(parts->ticket);
    tree->endpoint.ticket = &tree->ticket;
    if (parts->until_us != 0) {
        fill_time(&tree->until, parts->until_us);
        tree->endpoint.expiration_time = &tree->until;
    }
    tree->endpoints[0] = &tree->endpoint;
    tree->info.endpoint = tree->endpoints;
    tree->info.n_endpoint = 1;
    return ARB_OK;
}

arb_code arb_answer_info(arb_rpc_call *call, const arb_info_parts *parts, arb_error *error)
{
    info_tree tree = {0};
    arb_code code = fill_info(&tree, parts, error);
    if (code == ARB_OK)
        code = arb_flight_send(call, &tree.info.base, error);
    arb_arena_reset(&tree.arena);
    return code;
}

arb_code arb_answer_poll(arb_rpc_call *call, const arb_info_parts *parts, arb_str poll, double progress,
                         int64_t until_us, arb_error *error)
{
    info_tree tree = {0};
    Arrow__Flight__Protocol__PollInfo answer = ARROW__FLIGHT__PROTOCOL__POLL_INFO__INIT;
    Arrow__Flight__Protocol__FlightDescriptor next = ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT;
    Arrow__Flight__Protocol__Timestamp until;
    arb_code code = fill_info(&tree, parts, error);
    answer.info = &tree.info;
    fill_time(&until, until_us);
    answer.expiration_time = &until;
    if (poll.size != 0) {
        next.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__CMD;
        next.cmd = arb_wire_bytes(poll);
        answer.flight_descriptor = &next;
    }
    if (progress >= 0) {
        answer.progress_known_case = ARROW__FLIGHT__PROTOCOL__POLL_INFO__PROGRESS_KNOWN_PROGRESS;
        answer.progress = progress;
    }
    if (code == ARB_OK)
        code = arb_flight_send(call, &answer.base, error);
    arb_arena_reset(&tree.arena);
    return code;
}

arb_code arb_statement_ticket(arb_str handle, arb_text *out, arb_error *error)
{
    Arrow__Flight__Protocol__Sql__TicketStatementQuery ticket =
        ARROW__FLIGHT__PROTOCOL__SQL__TICKET_STATEMENT_QUERY__INIT;
    ticket.has_statement_handle = true;
    ticket.statement_handle = arb_wire_bytes(handle);
    return arb_any_write(&ticket.base, out, error);
}

arb_code arb_send_result(arb_rpc_call *call, const ProtobufCMessage *message, bool as_any, arb_error *error)
{
    arb_text body = {0};
    Arrow__Flight__Protocol__Result result = ARROW__FLIGHT__PROTOCOL__RESULT__INIT;
    arb_code code = as_any ? arb_any_write(message, &body, error) : arb_wire_pack(message, &body, error);
    result.body = arb_wire_bytes(arb_text_view(&body));
    if (code == ARB_OK)
        code = arb_flight_send(call, &result.base, error);
    arb_text_reset(&body);
    return code;
}
