/* Results as CSV and JSON: when quotes are needed, what NULL and the empty text become, numbers with all digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "formats/row_writer.h"

enum { ROWS = 5, COLUMNS = 6 };

static const arb_str names[COLUMNS] = {{"n", 1}, {"te,xt", 5}, {"d", 1}, {"day", 3}, {"f", 1}, {"wide", 4}};

/* Five rows; the fourth is NULL but for its number. */
typedef struct fixture {
    arb_type types[COLUMNS];
    int32_t numbers[ROWS], days[ROWS];
    int16_t decimals[ROWS];
    double floats[ROWS];
    arb_int128 wides[ROWS];
    arb_string texts[ROWS];
    uint64_t validity[1];
    arb_vector vectors[COLUMNS];
    arb_batch batch;
    arb_text out;
    arb_error error;
} fixture;

static void fill(fixture *f)
{
    static const char *const texts[ROWS] = {"plain and long enough, twice", "", " outer", "",
                                            "a \"quote\" in sixteen bytes"};
    *f = (fixture){
        .types = {ARB_TYPE(BIGINT), ARB_TYPE(VARCHAR), arb_type_decimal(4, 2), ARB_TYPE(DATE), ARB_TYPE(DOUBLE),
                  arb_type_decimal(38, 1)},
        .numbers = {0, -7, INT32_MIN, 100, INT32_MAX},
        .decimals = {150, -5, 0, 0, 9999},
        .days = {0, 10561, -1, 0, 11016},
        .floats = {0.1, 1e300, NAN, 0, -INFINITY},
        .wides = {1, -1, ARB_INT128_MAX, 0, 0},
        .validity = {0x17},
    };
    for (size_t i = 0; i < ROWS; i++)
        f->texts[i] = arb_string_of(texts[i], strlen(texts[i]));
    /* Narrower than the types: as plans that know the ranges have them. */
    const arb_vector vectors[COLUMNS] = {
        {.physical = ARB_PHYS_INT32, .values.i32 = f->numbers},
        {.physical = ARB_PHYS_STRING, .values.string = f->texts, .validity = f->validity},
        {.physical = ARB_PHYS_INT16, .values.i16 = f->decimals, .validity = f->validity},
        {.physical = ARB_PHYS_INT32, .values.i32 = f->days, .validity = f->validity},
        {.physical = ARB_PHYS_FLOAT64, .values.f64 = f->floats, .validity = f->validity},
        {.physical = ARB_PHYS_INT128, .values.i128 = f->wides, .validity = f->validity},
    };
    memcpy(f->vectors, vectors, sizeof vectors);
    f->batch = (arb_batch){.rows = ROWS, .selected = ROWS, .column_count = COLUMNS, .columns = f->vectors};
}

static void write_all(fixture *f, arb_row_writer *writer)
{
    assert_int_equal(writer->vtable->begin(writer, &f->out, &f->error), ARB_OK);
    assert_int_equal(writer->vtable->batch(writer, &f->batch, &f->out, &f->error), ARB_OK);
    assert_int_equal(writer->vtable->end(writer, &f->out, &f->error), ARB_OK);
    arb_row_writer_destroy(writer);
    arb_text_append_char(&f->out, '\0');
}

static void csv(void **state)
{
    (void)state;
    fixture f;
    arb_row_writer *writer;
    fill(&f);
    assert_int_equal(arb_csv_writer_create(names, f.types, COLUMNS, NULL, &writer, &f.error), ARB_OK);
    write_all(&f, writer);
    assert_string_equal(f.out.data,
                        "n,\"te,xt\",d,day,f,wide\n"
                        "0,\"plain and long enough, twice\",1.50,1970-01-01,0.1,0.1\n"
                        "-7,\"\",-0.05,1998-12-01,1e+300,-0.1\n"
                        "-2147483648,\" outer\",0.00,1969-12-31,NaN,17014118346046923173168730371588410572.7\n"
                        "100,,,,,\n"
                        "2147483647,\"a \"\"quote\"\" in sixteen bytes\",99.99,2000-02-29,-Infinity,0.0\n");
    arb_text_reset(&f.out);
}

static void csv_with_another_delimiter(void **state)
{
    (void)state;
    fixture f;
    arb_row_writer *writer;
    fill(&f);
    uint64_t selection[1] = {1};
    f.batch.selection = selection;
    f.batch.selected = 1;
    /* A delimiter that numbers and dates are made of: now they need quotes. */
    arb_csv_write_options options = {.delimiter = '1', .no_header = true};
    assert_int_equal(arb_csv_writer_create(names, f.types, COLUMNS, &options, &writer, &f.error), ARB_OK);
    write_all(&f, writer);
    assert_string_equal(f.out.data, "01plain and long enough, twice1\"1.50\"1\"1970-01-01\"1\"0.1\"1\"0.1\"\n");
    arb_text_reset(&f.out);
}

static void json(void **state)
{
    (void)state;
    fixture f;
    arb_row_writer *writer;
    fill(&f);
    uint64_t selection[1] = {0x1C};
    f.batch.selection = selection;
    f.batch.selected = 3;
    assert_int_equal(arb_json_writer_create(names, f.types, COLUMNS, false, &writer, &f.error), ARB_OK);
    write_all(&f, writer);
    assert_string_equal(f.out.data,
                        "[{\"n\":-2147483648,\"te,xt\":\" outer\",\"d\":0.00,\"day\":\"1969-12-31\",\"f\":null,"
                        "\"wide\":17014118346046923173168730371588410572.7},\n"
                        "{\"n\":100,\"te,xt\":null,\"d\":null,\"day\":null,\"f\":null,\"wide\":null},\n"
                        "{\"n\":2147483647,\"te,xt\":\"a \\\"quote\\\" in sixteen "
                        "bytes\",\"d\":99.99,\"day\":\"2000-02-29\",\"f\":null,"
                        "\"wide\":0.0}]\n");
    arb_text_reset(&f.out);
}

static void json_without_rows(void **state)
{
    (void)state;
    fixture f;
    arb_row_writer *writer;
    fill(&f);
    f.batch.rows = f.batch.selected = 0;
    assert_int_equal(arb_json_writer_create(names, f.types, COLUMNS, false, &writer, &f.error), ARB_OK);
    write_all(&f, writer);
    assert_string_equal(f.out.data, "[]\n");
    arb_text_reset(&f.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv),
        cmocka_unit_test(csv_with_another_delimiter),
        cmocka_unit_test(json),
        cmocka_unit_test(json_without_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
