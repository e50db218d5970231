/* type_info.c: the types of SQL here, as ODBC and JDBC ask for them. */
#include "flight_sql/metadata_rows.h"
#include "proto/flight_sql.pb-c.h"

static const arb_rows_column columns[] = {
    {"type_name", ARB_ARROW_UTF8, false},         {"data_type", ARB_ARROW_INT32, false},
    {"column_size", ARB_ARROW_INT32, true},       {"literal_prefix", ARB_ARROW_UTF8, true},
    {"literal_suffix", ARB_ARROW_UTF8, true},     {"create_params", ARB_ARROW_LIST, true},
    {"nullable", ARB_ARROW_INT32, false},         {"case_sensitive", ARB_ARROW_BOOL, false},
    {"searchable", ARB_ARROW_INT32, false},       {"unsigned_attribute", ARB_ARROW_BOOL, true},
    {"fixed_prec_scale", ARB_ARROW_BOOL, false},  {"auto_increment", ARB_ARROW_BOOL, true},
    {"local_type_name", ARB_ARROW_UTF8, true},    {"minimum_scale", ARB_ARROW_INT32, true},
    {"maximum_scale", ARB_ARROW_INT32, true},     {"sql_data_type", ARB_ARROW_INT32, false},
    {"datetime_subcode", ARB_ARROW_INT32, true},  {"num_prec_radix", ARB_ARROW_INT32, true},
    {"interval_precision", ARB_ARROW_INT32, true}};

enum { NONE = -1000 };

typedef struct type_facts {
    const char *name;
    int code; /* XDBC_… */
    int size; /* digits or letters */
    bool quoted;
    int sql_code, subcode, radix;
    int least_scale, most_scale;
} type_facts;

/* By XDBC's numbers. */
static const type_facts types[] = {
    {"TINYINT", -6, 3, false, -6, NONE, 10, 0, 0},
    {"BIGINT", -5, 19, false, -5, NONE, 10, 0, 0},
    {"BLOB", -3, NONE, true, -3, NONE, NONE, NONE, NONE},
    {"DECIMAL", 3, 38, false, 3, NONE, 10, 0, 38},
    {"INTEGER", 4, 10, false, 4, NONE, 10, 0, 0},
    {"SMALLINT", 5, 5, false, 5, NONE, 10, 0, 0},
    {"REAL", 7, 24, false, 7, NONE, 2, NONE, NONE},
    {"DOUBLE", 8, 53, false, 8, NONE, 2, NONE, NONE},
    {"VARCHAR", 12, NONE, true, 12, NONE, NONE, NONE, NONE},
    {"BOOLEAN", 16, 1, false, 16, NONE, NONE, NONE, NONE},
    {"DATE", 91, 10, true, 9, 1, NONE, NONE, NONE},
    {"TIME", 92, 15, true, 9, 2, NONE, 0, 6},
    {"TIMESTAMP", 93, 26, true, 9, 3, NONE, 0, 9},
    {"TIMESTAMP WITH TIME ZONE", 95, 32, true, 9, 5, NONE, 0, 9},
};

arb_code arb_type_info_schema(arb_arrow_schema **out_schema, arb_error *error)
{
    return arb_rows_schema(columns, ARB_COUNT_OF(columns), out_schema, error);
}

static void add_number(arb_rows *rows, int number)
{
    if (number == NONE)
        arb_rows_null(rows);
    else
        arb_rows_number(rows, number);
}

static void add_type(arb_rows *rows, const type_facts *type)
{
    static const arb_str parameters[] = {{"precision", 9}, {"scale", 5}};
    bool is_decimal = type->code == 3, is_number = type->radix != NONE;
    arb_rows_name(rows, type->name);
    arb_rows_number(rows, type->code);
    add_number(rows, type->size);
    arb_rows_name(rows, type->quoted ? "'" : NULL);
    arb_rows_name(rows, type->quoted ? "'" : NULL);
    arb_rows_list(rows, parameters, is_decimal ? ARB_COUNT_OF(parameters) : 0);
    arb_rows_number(rows, 1);                /* may be NULL */
    arb_rows_number(rows, type->code == 12); /* letters' cases differ */
    arb_rows_number(rows, 3);                /* in any predicate, LIKE too */
    if (is_number)
        arb_rows_number(rows, false);
    else
        arb_rows_null(rows);
    arb_rows_number(rows, false);
    if (is_number)
        arb_rows_number(rows, false);
    else
        arb_rows_null(rows);
    arb_rows_name(rows, type->name);
    add_number(rows, type->least_scale);
    add_number(rows, type->most_scale);
    arb_rows_number(rows, type->sql_code);
    add_number(rows, type->subcode);
    add_number(rows, type->radix);
    arb_rows_null(rows);
}

size_t arb_type_info_fill(const ProtobufCMessage *asked, arb_rows *rows)
{
    size_t count = 0;
    const Arrow__Flight__Protocol__Sql__CommandGetXdbcTypeInfo *command =
        (const Arrow__Flight__Protocol__Sql__CommandGetXdbcTypeInfo *)asked;
    for (size_t i = 0; i < ARB_COUNT_OF(types); i++)
        if (!command->has_data_type || command->data_type == types[i].code) {
            add_type(rows, &types[i]);
            count++;
        }
    return count;
}
