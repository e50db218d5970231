/* Compiled time zones, as the system's database has them. Input: a file. */
#include "fuzz_input.h"
#include "kernels/time_zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The first and the last second that a timestamp can be in, and some between. */
    static const int64_t times[] = {INT64_MIN / 1000000, -62135596800, -1,         0,
                                    1000000000,          1711846800,   4102444800, INT64_MAX / 1000000};
    arb_zone *zone;
    arb_error error = {0};
    arb_code code = arb_zone_read(data, size, &zone, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA);
    for (size_t i = 0; code == ARB_OK && i < ARB_COUNT_OF(times); i++) {
        int64_t offset = arb_zone_offset(zone, times[i]);
        FUZZ_REQUIRE(offset >= -700000 && offset <= 700000);
        FUZZ_REQUIRE(strlen(arb_zone_abbreviation(zone, times[i])) < 64);
        int64_t utc = arb_zone_to_utc(zone, times[i]);
        FUZZ_REQUIRE(utc - times[i] >= -700000 && utc - times[i] <= 700000);
    }
    arb_zone_destroy(zone);
    return 0;
}
