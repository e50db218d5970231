#include "cli/output.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"

enum { ENOUGH_BYTES = 64 << 10, WHILE_NS = 50 * 1000 * 1000 };

void arb_output_init(arb_output *output, int descriptor)
{
    *output = (arb_output){.descriptor = descriptor, .terminal = isatty(descriptor) == 1};
}

void arb_output_reset(arb_output *output)
{
    arb_text_reset(&output->buffer);
}

arb_code arb_output_flush(arb_output *output, arb_error *error)
{
    size_t done = 0;
    arb_code code = arb_text_check(&output->buffer, error);
    while (code == ARB_OK && done < output->buffer.size) {
        if (output->interrupts != NULL && *output->interrupts != 0) {
            code = arb_fail_stopped(error);
            break;
        }
        ssize_t wrote = write(output->descriptor, output->buffer.data + done, output->buffer.size - done);
        if (wrote >= 0) {
            done += (size_t)wrote;
            output->wrote = true;
        } else if (errno == EPIPE) {
            output->reader_gone = true;
            code = arb_fail(error, ARB_CANCELLED, "the reader of the output is gone");
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            poll(&(struct pollfd){.fd = output->descriptor, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            code = arb_fail_errno(error, errno, "cannot write the output");
        }
    }
    arb_text_clear(&output->buffer);
    output->flushed_ns = arb_clock_monotonic_ns();
    return code;
}

arb_code arb_output_tick(arb_output *output, arb_error *error)
{
    if (output->buffer.failed)
        return arb_text_check(&output->buffer, error);
    if (output->buffer.size == 0)
        return ARB_OK;
    if (output->terminal || output->buffer.size >= ENOUGH_BYTES ||
        arb_clock_monotonic_ns() - output->flushed_ns >= WHILE_NS)
        return arb_output_flush(output, error);
    return ARB_OK;
}
