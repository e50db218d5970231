#include "formats/csv/csv_index.h"

ARB_KERNELS_DEFINE(arb_csv_kernels)

size_t arb_csv_index_bytes(const uint8_t *data, size_t size, const arb_csv_dialect *dialect, arb_csv_state *state,
                           uint32_t base, uint32_t *out)
{
    uint8_t delimiter = dialect->delimiter, newline = dialect->newline, quote = dialect->quote;
    uint8_t escape = dialect->escape == quote ? 0 : dialect->escape, all = 0;
    arb_csv_state s = *state;
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = data[i];
        all |= byte;
        bool at_row = s.row_start;
        s.row_start = false;
        if (s.in_comment) {
            if (byte != newline)
                continue;
        } else if (s.in_quotes) {
            if (s.escaped) {
                s.escaped = false;
            } else if (escape != 0 && byte == escape) {
                s.escaped = true;
            } else if (byte == quote) {
                s.in_quotes = false;
                s.closed = escape == 0; /* written twice, it opens again at once */
            }
            continue;
        } else if (at_row && dialect->comment != 0 && byte == dialect->comment) {
            s.in_comment = true;
            continue;
        } else if (quote != 0 && byte == quote && (s.at_start || s.closed)) {
            s.in_quotes = true;
            s.at_start = s.closed = false;
            continue;
        }
        s.closed = false;
        s.at_start = s.at_start && byte == ' ';
        if (byte == newline || byte == delimiter) {
            out[count++] = base + (uint32_t)i;
            s.at_start = true;
            s.row_start = byte == newline;
            s.in_comment = false;
        }
    }
    s.high = s.high || all >= 0x80;
    *state = s;
    return count;
}
