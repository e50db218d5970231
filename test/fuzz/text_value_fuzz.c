/* Values from text, as casts and CSV cells read them: what was read is written and read again, and is the same. And any
 * value that can be written reads back.
 *
 * Input: two bytes of precision and scale, eight of a number, then a text. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "columnar/calendar.h"
#include "columnar/text_form.h"
#include "fuzz_input.h"
#include "kernels/text_read.h"

static char form[ARB_FORM_MOST];

static arb_str formed(size_t size)
{
    FUZZ_REQUIRE(size <= ARB_FORM_MOST);
    return (arb_str){form, size};
}

/* ---- from a value to text and back ------------------------------------------------------------------------------- */

static void integer_again(arb_int128 value)
{
    arb_int128 again;
    FUZZ_REQUIRE(arb_read_integer(formed(arb_form_integer(form, value)), ARB_INT128_MIN, ARB_INT128_MAX, &again) ==
                 ARB_READ_OK);
    FUZZ_REQUIRE(again == value);
}

static void decimal_again(arb_int128 value, unsigned precision, unsigned scale)
{
    arb_int128 again;
    FUZZ_REQUIRE(arb_read_decimal(formed(arb_form_decimal(form, value, scale)), precision, scale, &again) ==
                 ARB_READ_OK);
    FUZZ_REQUIRE(again == value);
}

static void double_again(double value)
{
    double again;
    FUZZ_REQUIRE(arb_read_double(formed(arb_form_double(form, value)), &again) == ARB_READ_OK);
    FUZZ_REQUIRE(memcmp(&again, &value, sizeof value) == 0 || (isnan(again) && isnan(value)));
}

static void real_again(float value)
{
    float again;
    FUZZ_REQUIRE(arb_read_real(formed(arb_form_real(form, value)), &again) == ARB_READ_OK);
    FUZZ_REQUIRE(memcmp(&again, &value, sizeof value) == 0 || (isnan(again) && isnan(value)));
}

static void date_again(int32_t days)
{
    int32_t again;
    FUZZ_REQUIRE(arb_read_date(formed(arb_form_date(form, days)), &again) == ARB_READ_OK);
    FUZZ_REQUIRE(again == days);
}

static void timestamp_again(int64_t value, bool nanoseconds)
{
    int64_t again;
    arb_zone_text zone;
    FUZZ_REQUIRE(arb_read_timestamp(formed(arb_form_timestamp(form, value, nanoseconds, false)), nanoseconds, &again,
                                    &zone) == ARB_READ_OK);
    FUZZ_REQUIRE(again == value && !zone.given);
}

static void interval_again(arb_interval value)
{
    arb_interval again;
    FUZZ_REQUIRE(arb_read_interval(formed(arb_form_interval(form, value)), &again) == ARB_READ_OK);
    FUZZ_REQUIRE(again.months == value.months && again.days == value.days && again.micros == value.micros);
}

/* ---- from text --------------------------------------------------------------------------------------------------- */

/* The C library reads the same, where it reads it at all. */
static void doubles(arb_str text)
{
    double value;
    float narrow;
    arb_read_result read = arb_read_double(text, &value);
    if (read == ARB_READ_OK)
        double_again(value);
    if (arb_read_real(text, &narrow) == ARB_READ_OK)
        real_again(narrow);
    char *copy = arb_strndup(text.data, text.size), *end;
    FUZZ_REQUIRE(copy != NULL);
    if (text.size != 0 && strspn(copy, "0123456789.eE+-") == text.size) {
        double expected = strtod(copy, &end);
        bool whole = *end == '\0';
        FUZZ_REQUIRE(whole == (read != ARB_READ_MALFORMED));
        FUZZ_REQUIRE(!whole || read != ARB_READ_OK || value == expected);
        FUZZ_REQUIRE(!whole || read != ARB_READ_OUT_OF_RANGE || isinf(expected) || fabs(expected) < 0x1p-1021);
        float expected_narrow = strtof(copy, &end);
        FUZZ_REQUIRE(!whole || arb_read_real(text, &narrow) != ARB_READ_OK || narrow == expected_narrow);
    }
    arb_free(copy);
}

static void times(arb_str text)
{
    int32_t days;
    int64_t micros;
    arb_zone_text zone = {0};
    arb_interval interval;
    if (arb_read_date(text, &days) == ARB_READ_OK)
        date_again(days);
    if (arb_read_time(text, &micros) == ARB_READ_OK) {
        int64_t again;
        FUZZ_REQUIRE(micros >= 0 && micros <= ARB_MICROS_DAY);
        FUZZ_REQUIRE(arb_read_time(formed(arb_form_time(form, micros)), &again) == ARB_READ_OK && again == micros);
    }
    for (int nanoseconds = 0; nanoseconds < 2; nanoseconds++) {
        if (arb_read_timestamp(text, nanoseconds, &micros, &zone) != ARB_READ_OK)
            continue;
        timestamp_again(micros, nanoseconds);
        FUZZ_REQUIRE(zone.name.size == 0 ||
                     (zone.name.data >= text.data && zone.name.data + zone.name.size <= text.data + text.size));
        FUZZ_REQUIRE(!zone.given || (zone.offset > -200000 && zone.offset < 200000));
    }
    if (arb_read_interval(text, &interval) == ARB_READ_OK)
        interval_again(interval);
}

static void others(arb_str text, unsigned precision, unsigned scale)
{
    bool flag;
    arb_int128 number;
    (void)arb_read_boolean(text, &flag);
    if (arb_read_integer(text, ARB_INT128_MIN, ARB_INT128_MAX, &number) == ARB_READ_OK)
        integer_again(number);
    if (arb_read_integer(text, -128, 127, &number) == ARB_READ_OK)
        FUZZ_REQUIRE(number >= -128 && number <= 127);
    if (arb_read_decimal(text, precision, scale, &number) == ARB_READ_OK)
        decimal_again(number, precision, scale);
    char *bytes = arb_alloc(text.size);
    size_t size = 0;
    FUZZ_REQUIRE(bytes != NULL);
    if (arb_read_blob(text, bytes, &size) == ARB_READ_OK)
        FUZZ_REQUIRE(size <= text.size);
    arb_free(bytes);
    arb_time_unit unit;
    if (arb_read_time_unit(text, &unit))
        FUZZ_REQUIRE(unit < ARB_UNIT_COUNT);
    FUZZ_REQUIRE(arb_read_month_name(text) >= 0 && arb_read_month_name(text) <= 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    unsigned precision = 1 + fuzz_byte(&in) % 38, scale = fuzz_byte(&in) % (precision + 1);
    uint64_t bits = fuzz_number(&in, 8);
    arb_str text = fuzz_take(&in, SIZE_MAX);
    double wide;
    float narrow;
    uint32_t low = (uint32_t)bits;
    memcpy(&wide, &bits, sizeof wide);
    memcpy(&narrow, &low, sizeof narrow);
    double_again(wide);
    real_again(narrow);
    integer_again((arb_int128)(int64_t)bits * (int32_t)low);
    date_again((int32_t)low);
    timestamp_again((int64_t)bits, false);
    timestamp_again((int64_t)bits, true);
    interval_again((arb_interval){(int32_t)low, (int32_t)(bits >> 32), (int64_t)bits});
    doubles(text);
    times(text);
    others(text, precision, scale);
    return 0;
}
