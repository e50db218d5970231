/* flight_bench.c: how fast a set comes from a Flight server.
 *
 *     flight_bench PORT TICKET [--bytes]     --bytes: messages are counted, not taken apart */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "proto/flight.pb-c.h"
#include "rpc/flight_client.h"
#include "rpc/grpc_channel.h"

static arb_code fetch(arb_flight_client *client, const char *ticket_text, bool bytes_only, uint64_t *out_bytes,
                      arb_error *error)
{
    Arrow__Flight__Protocol__Ticket ticket = ARROW__FLIGHT__PROTOCOL__TICKET__INIT;
    ticket.ticket = (ProtobufCBinaryData){strlen(ticket_text), (uint8_t *)ticket_text};
    arb_rpc_stream *stream;
    *out_bytes = 0;
    ARB_TRY(arb_flight_do_get(client, &ticket, 0, 16 << 20, &stream, error));
    arb_code code = ARB_OK;
    for (bool end = false; code == ARB_OK && !end;) {
        if (bytes_only) {
            arb_rpc_message *message;
            code = arb_rpc_stream_receive(stream, &message, error);
            end = message == NULL;
            *out_bytes += end ? 0 : message->size;
            arb_rpc_message_unref(message);
        } else {
            arb_flight_data data;
            code = arb_flight_receive(stream, &data, &end, error);
            *out_bytes += data.body.size;
            arb_flight_data_reset(&data);
        }
    }
    arb_rpc_stream_close(stream);
    return code;
}

int main(int count, char **arguments)
{
    char target[64];
    arb_error error = {0};
    arb_grpc_runtime *runtime = NULL;
    arb_rpc_channel *channel = NULL;
    arb_flight_client *client = NULL;
    arb_rpc_channel_options options = {.limits.message_bytes = -1};
    uint64_t bytes = 0;
    if (count < 3)
        return 2;
    snprintf(target, sizeof target, "127.0.0.1:%s", arguments[1]);
    arb_code code = arb_grpc_runtime_create(0, &runtime, &error);
    if (code == ARB_OK)
        code = arb_grpc_channel_create(runtime, target, &options, &channel, &error);
    if (code == ARB_OK)
        code = arb_flight_client_create(channel, &client, &error);
    int64_t before = arb_clock_monotonic_ns();
    if (code == ARB_OK)
        code = fetch(client, arguments[2], count > 3, &bytes, &error);
    double seconds = (double)(arb_clock_monotonic_ns() - before) / 1e9;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    if (code != ARB_OK)
        fprintf(stderr, "error: %s\n", error.message);
    else
        printf("%.3f GB in %.3f s: %.2f GB/s, %ld MB at most\n", (double)bytes / 1e9, seconds,
               (double)bytes / 1e9 / seconds, used.ru_maxrss / 1024);
    arb_flight_client_destroy(client);
    arb_rpc_channel_destroy(channel);
    arb_grpc_runtime_destroy(runtime);
    return code != ARB_OK;
}
