/* Points in time by a pattern: to_char, to_timestamp, strftime, strptime.
 *
 * Input: which of the two languages, a time in microseconds, digits behind it; the pattern, a zero byte, a text to read. */
#include "base/utf8.h"
#include "columnar/calendar.h"
#include "fuzz_input.h"
#include "kernels/time_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    bool is_template = fuzz_byte(&in) & 1;
    int64_t micros = (int64_t)fuzz_number(&in, 8);
    unsigned nanoseconds = (unsigned)fuzz_number(&in, 2) % 1000;
    arb_str pattern_text = fuzz_until(&in, '\0'), text = fuzz_take(&in, SIZE_MAX);
    if (!arb_utf8_is_valid(pattern_text.data, pattern_text.size) || !arb_utf8_is_valid(text.data, text.size))
        return 0;
    arb_time_pattern pattern = {0};
    arb_error error = {0};
    arb_code code = is_template ? arb_time_pattern_of_template(pattern_text, &pattern, &error)
                                : arb_time_pattern_of_format(pattern_text, &pattern, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_INVALID_PARAMETER || code == ARB_NOT_SUPPORTED);
    if (code == ARB_OK) {
        arb_text written = {0};
        int64_t read_micros;
        arb_time_pattern_write(&pattern, micros, nanoseconds, ARB_STR("CEST"), &written);
        FUZZ_REQUIRE(arb_text_check(&written, &error) == ARB_OK);
        FUZZ_REQUIRE(arb_utf8_is_valid(arb_text_view(&written).data, written.size));
        arb_read_result read = arb_time_pattern_read(&pattern, arb_text_view(&written), &read_micros);
        /* What names every part of a time reads back. */
        bool in_reach = micros >= -62135596800 * ARB_MICROS_SECOND && micros < 253402300800 * ARB_MICROS_SECOND;
        if (in_reach && arb_str_equal(pattern_text, is_template ? ARB_STR("YYYY-MM-DD HH24:MI:SS.US")
                                                                : ARB_STR("%Y-%m-%d %H:%M:%S.%f")))
            FUZZ_REQUIRE(read == ARB_READ_OK && read_micros == micros);
        (void)arb_time_pattern_read(&pattern, text, &read_micros);
        arb_text_reset(&written);
    }
    arb_time_pattern_reset(&pattern);
    return 0;
}
