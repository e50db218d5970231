/* sql_info.c: what the server says of itself. Each answer is a number and a value of one of six types: a dense union. */
#include "base/alloc.h"
#include "expr/function.h"
#include "flight_sql/metadata_rows.h"
#include "proto/flight_sql.pb-c.h"
#include "sql/keyword.h"

/* The union's children, in the protocol's order. */
typedef enum value_kind { TEXT, BOOLEAN, BIGINT, BITS, TEXTS, NUMBERS_BY_NUMBER, VALUE_KINDS } value_kind;

/* What a row says, where it does not have to be worked out. */
typedef struct info_row {
    uint32_t number;
    value_kind kind;
    const char *text;
    int64_t value;
} info_row;

/* Numbers of those that are worked out. */
enum {
    SERVER_NAME = 0,
    SERVER_VERSION = 1,
    KEYWORDS = 508,
    NUMERIC_FUNCTIONS = 509,
    STRING_FUNCTIONS = 510,
    SYSTEM_FUNCTIONS = 511,
    DATETIME_FUNCTIONS = 512,
};

static const info_row rows[] = {
    {SERVER_NAME, TEXT, "", 0},
    {SERVER_VERSION, TEXT, "", 0},
    {2, TEXT, "1.4.0", 0},       /* version of Arrow's format */
    {3, BOOLEAN, NULL, false},   /* read only */
    {4, BOOLEAN, NULL, true},    /* SQL */
    {5, BOOLEAN, NULL, false},   /* Substrait */
    {8, BITS, NULL, 0},          /* transactions: none */
    {9, BOOLEAN, NULL, true},    /* cancelling */
    {10, BOOLEAN, NULL, false},  /* bulk ingestion */
    {11, BOOLEAN, NULL, false},  /* … in transactions */
    {100, BITS, NULL, 0},        /* statement timeout: none */
    {101, BITS, NULL, 0},        /* transaction timeout */
    {500, BOOLEAN, NULL, false}, /* DDL: catalogs */
    {501, BOOLEAN, NULL, true},  /* schemas */
    {502, BOOLEAN, NULL, true},  /* tables */
    {503, BITS, NULL, 1},        /* names: without regard to case */
    {504, TEXT, "\"", 0},        /* quote of names */
    {505, BITS, NULL, 0},        /* quoted names: as written, which the protocol has no number for */
    {506, BOOLEAN, NULL, true},  /* all tables can be selected from */
    {507, BITS, NULL, 0},        /* NULLs sort high */
    {KEYWORDS, TEXTS, NULL, 0},
    {NUMERIC_FUNCTIONS, TEXTS, NULL, 0},
    {STRING_FUNCTIONS, TEXTS, NULL, 0},
    {SYSTEM_FUNCTIONS, TEXTS, NULL, 0},
    {DATETIME_FUNCTIONS, TEXTS, NULL, 0},
    {513, TEXT, "\\", 0},              /* escape in patterns of listings */
    {514, TEXT, "", 0},                /* more letters in names */
    {515, BOOLEAN, NULL, true},        /* column aliases */
    {516, BOOLEAN, NULL, true},        /* NULL + anything is NULL */
    {517, NUMBERS_BY_NUMBER, NULL, 0}, /* CONVERT is not offered */
    {518, BOOLEAN, NULL, true},        /* table aliases */
    {519, BOOLEAN, NULL, false},       /* … that must differ from tables' names */
    {520, BOOLEAN, NULL, true},        /* expressions in ORDER BY */
    {521, BOOLEAN, NULL, true},        /* ORDER BY what is not selected */
    {522, BITS, NULL, 3},              /* GROUP BY what is not selected, and beyond */
    {523, BOOLEAN, NULL, true},        /* LIKE … ESCAPE */
    {524, BOOLEAN, NULL, true},        /* NOT NULL */
    {525, BITS, NULL, 3},              /* ODBC's grammar: minimum and core */
    {526, BITS, NULL, 1},              /* SQL-92: entry level */
    {527, BOOLEAN, NULL, false},       /* integrity enhancement */
    {528, BITS, NULL, 6},              /* outer joins: limited and full */
    {529, TEXT, "schema", 0},
    {530, TEXT, "procedure", 0},
    {531, TEXT, "catalog", 0},
    {532, BOOLEAN, NULL, true},  /* the catalog stands first in a name */
    {533, BITS, NULL, 0},        /* schemas in calls, indexes, privileges */
    {534, BITS, NULL, 0},        /* catalogs likewise */
    {535, BITS, NULL, 0},        /* positioned DELETE, UPDATE */
    {536, BOOLEAN, NULL, false}, /* SELECT FOR UPDATE */
    {537, BOOLEAN, NULL, false}, /* stored procedures */
    {538, BITS, NULL, 15},       /* subqueries: in comparisons, EXISTS, IN, ANY */
    {539, BOOLEAN, NULL, true},  /* correlated ones */
    {540, BITS, NULL, 3},        /* UNION, UNION ALL */
    /* Most of something; 0: no limit is known. */
    {541, BIGINT, NULL, 0},
    {542, BIGINT, NULL, 0},
    {543, BIGINT, NULL, 0},
    {544, BIGINT, NULL, 0},
    {545, BIGINT, NULL, 0},
    {546, BIGINT, NULL, 0},
    {547, BIGINT, NULL, 0},
    {548, BIGINT, NULL, 0},
    {549, BIGINT, NULL, 0},
    {550, BIGINT, NULL, 0},
    {551, BIGINT, NULL, 0},
    {552, BIGINT, NULL, 0},
    {553, BIGINT, NULL, 0},
    {554, BIGINT, NULL, 0},
    {555, BIGINT, NULL, 0},
    {556, BOOLEAN, NULL, false},
    {557, BIGINT, NULL, 0},
    {558, BIGINT, NULL, 0},
    {559, BIGINT, NULL, 0},
    {560, BIGINT, NULL, 0},
    {561, BIGINT, NULL, 0},
    {562, BIGINT, NULL, 0},      /* usual isolation: none */
    {563, BOOLEAN, NULL, false}, /* transactions */
    {564, BITS, NULL, 1},        /* isolation levels: none */
    {565, BOOLEAN, NULL, false}, /* DDL commits */
    {566, BOOLEAN, NULL, false}, /* DDL is left out of transactions */
    {567, BITS, NULL, 2},        /* results: forward only */
    {568, BITS, NULL, 0},
    {569, BITS, NULL, 2},
    {570, BITS, NULL, 0},
    {571, BITS, NULL, 0},        /* … read only */
    {572, BOOLEAN, NULL, true},  /* batches of updates */
    {573, BOOLEAN, NULL, false}, /* savepoints */
    {574, BOOLEAN, NULL, false}, /* named parameters */
    {575, BOOLEAN, NULL, false}, /* locators are copies */
    {576, BOOLEAN, NULL, false}, /* functions by CALL */
};

/* ---- lists --------------------------------------------------------------------------------------------------------------- */

static const char *const keywords[] = {
#define X(name, class, offered) #name,
    ARB_KEYWORDS(X)
#undef X
};

static const char *const of_time[] = {"age",
                                      "current_date",
                                      "current_time",
                                      "current_timestamp",
                                      "date",
                                      "date_add",
                                      "date_diff",
                                      "date_part",
                                      "date_trunc",
                                      "datediff",
                                      "day",
                                      "dayname",
                                      "dayofmonth",
                                      "dayofweek",
                                      "dayofyear",
                                      "epoch",
                                      "extract",
                                      "from_unixtime",
                                      "hour",
                                      "isodow",
                                      "last_day",
                                      "localtime",
                                      "localtimestamp",
                                      "make_date",
                                      "make_time",
                                      "make_timestamp",
                                      "microsecond",
                                      "millisecond",
                                      "minute",
                                      "month",
                                      "monthname",
                                      "now",
                                      "quarter",
                                      "second",
                                      "strftime",
                                      "strptime",
                                      "timezone",
                                      "to_char",
                                      "to_date",
                                      "to_timestamp",
                                      "today",
                                      "week",
                                      "weekday",
                                      "weekofyear",
                                      "year"};
static const char *const of_system[] = {
    "current_catalog", "current_database", "current_schema", "current_setting", "current_user", "typeof",
    "version",         "pg_typeof",        "uuid",           "gen_random_uuid"};
static const char *const of_numbers[] = {
    "abs",  "acos",      "acosh",   "asin",   "asinh", "atan",         "atan2",    "atanh",   "bit_count",
    "cbrt", "ceil",      "ceiling", "cos",    "cosh",  "cot",          "degrees",  "div",     "even",
    "exp",  "factorial", "floor",   "gamma",  "gcd",   "greatest",     "isfinite", "isinf",   "isnan",
    "lcm",  "least",     "lgamma",  "ln",     "log",   "log10",        "log2",     "mod",     "pi",
    "pow",  "power",     "radians", "random", "round", "setseed",      "sign",     "signbit", "sin",
    "sinh", "sqrt",      "tan",     "tanh",   "trunc", "width_bucket", "xor"};

static bool is_in(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

/* Which of the protocol's four lists a function belongs to: what is none of the others is one of text. */
static uint32_t list_of(const char *name)
{
    if (is_in(name, of_time, ARB_COUNT_OF(of_time)))
        return DATETIME_FUNCTIONS;
    if (is_in(name, of_system, ARB_COUNT_OF(of_system)))
        return SYSTEM_FUNCTIONS;
    return is_in(name, of_numbers, ARB_COUNT_OF(of_numbers)) ? NUMERIC_FUNCTIONS : STRING_FUNCTIONS;
}

/* ---- the array ----------------------------------------------------------------------------------------------------------- */

static arb_code value_fields(arb_arrow_schema *schema, arb_arrow_field *value, arb_error *error)
{
    static const char *const names[VALUE_KINDS] = {"string_value",  "bool_value",  "bigint_value",
                                                   "int32_bitmask", "string_list", "int32_to_int32_list_map"};
    static const uint8_t kinds[VALUE_KINDS] = {ARB_ARROW_UTF8,  ARB_ARROW_BOOL, ARB_ARROW_INT64,
                                               ARB_ARROW_INT32, ARB_ARROW_LIST, ARB_ARROW_MAP};
    static const int8_t ids[VALUE_KINDS] = {0, 1, 2, 3, 4, 5};
    arb_arrow_field *children = ARB_ARENA_ARRAY(&schema->arena, arb_arrow_field, VALUE_KINDS);
    arb_arrow_field *entries = ARB_ARENA_NEW(&schema->arena, arb_arrow_field);
    arb_arrow_field *pair = ARB_ARENA_ARRAY(&schema->arena, arb_arrow_field, 2);
    if (children == NULL || entries == NULL || pair == NULL)
        return arb_fail_memory(error, "a schema", VALUE_KINDS * sizeof *children);
    *value = (arb_arrow_field){.name = ARB_STR("value"),
                               .kind = ARB_ARROW_DENSE_UNION,
                               .child_count = VALUE_KINDS,
                               .children = children,
                               .type_ids = ids};
    for (size_t i = 0; i < VALUE_KINDS; i++)
        ARB_TRY(arb_rows_field(schema, names[i], (arb_arrow_kind)kinds[i], true, ARB_ARROW_UTF8, &children[i], error));
    children[TEXTS].children[0].nullable = true;
    ARB_TRY(arb_rows_field(schema, "key", ARB_ARROW_INT32, false, ARB_ARROW_NULL, &pair[0], error));
    ARB_TRY(arb_rows_field(schema, "value", ARB_ARROW_LIST, true, ARB_ARROW_INT32, &pair[1], error));
    pair[1].children[0].nullable = true;
    *entries =
        (arb_arrow_field){.name = ARB_STR("entries"), .kind = ARB_ARROW_STRUCT, .child_count = 2, .children = pair};
    children[NUMBERS_BY_NUMBER].child_count = 1;
    children[NUMBERS_BY_NUMBER].children = entries;
    return ARB_OK;
}

arb_code arb_sql_info_schema(arb_arrow_schema **out_schema, arb_error *error)
{
    arb_arrow_schema *schema;
    *out_schema = NULL;
    ARB_TRY(arb_arrow_schema_create_columns(2, &schema, error));
    arb_code code =
        arb_rows_field(schema, "info_name", ARB_ARROW_UINT32, false, ARB_ARROW_NULL, &schema->root.children[0], error);
    if (code == ARB_OK)
        code = value_fields(schema, &schema->root.children[1], error);
    return arb_arrow_schema_finish(schema, code, out_schema, error);
}

/* The union's parts while they grow. */
typedef struct info_writer {
    const arb_sql_service *service;
    arb_arrow_growing numbers, type_ids, places; /* of the rows */
    int64_t rows, counts[VALUE_KINDS];
    arb_arrow_growing text_ends, text_bytes, booleans, bigints, bits;
    arb_arrow_growing list_ends, item_ends, item_bytes, map_ends;
    int64_t items;
} info_writer;

static arb_code add_end(arb_arrow_growing *ends, size_t end, arb_error *error)
{
    int32_t offset = (int32_t)end;
    if (ends->size == 0)
        ARB_TRY(arb_arrow_growing_append(ends, &(int32_t){0}, sizeof(int32_t), error));
    return arb_arrow_growing_append(ends, &offset, sizeof offset, error);
}

static arb_code add_text(arb_arrow_growing *ends, arb_arrow_growing *bytes, const char *text, arb_error *error)
{
    ARB_TRY(arb_arrow_growing_append(bytes, text, strlen(text), error));
    return add_end(ends, bytes->size, error);
}

static arb_code add_item(info_writer *w, const char *text, arb_error *error)
{
    w->items++;
    return add_text(&w->item_ends, &w->item_bytes, text, error);
}

/* Functions come overload by overload: a name counts once. */
static arb_code add_functions(info_writer *w, uint32_t list, arb_error *error)
{
    const arb_function *function;
    for (size_t i = 0; (function = arb_function_at(i)) != NULL; i++) {
        bool again = i > 0 && strcmp(arb_function_at(i - 1)->name, function->name) == 0;
        bool is_name = function->name[0] >= 'a' && function->name[0] <= 'z';
        if (function->kind == ARB_FUNCTION_SCALAR && is_name && !again && list_of(function->name) == list)
            ARB_TRY(add_item(w, function->name, error));
    }
    return ARB_OK;
}

static arb_code add_list(info_writer *w, uint32_t number, arb_error *error)
{
    if (number == KEYWORDS) {
        for (size_t i = 0; i < ARB_COUNT_OF(keywords); i++)
            ARB_TRY(add_item(w, keywords[i], error));
    } else {
        ARB_TRY(add_functions(w, number, error));
    }
    return add_end(&w->list_ends, (size_t)w->items, error);
}

static arb_code add_value(info_writer *w, const info_row *row, arb_error *error)
{
    int64_t at = w->counts[row->kind]++;
    switch (row->kind) {
    case TEXT:
        return add_text(&w->text_ends, &w->text_bytes,
                        row->number == SERVER_NAME      ? w->service->name
                        : row->number == SERVER_VERSION ? w->service->version
                                                        : row->text,
                        error);
    case BOOLEAN:
        if (at % 8 == 0)
            ARB_TRY(arb_arrow_growing_append(&w->booleans, &(uint8_t){0}, 1, error));
        w->booleans.data[at / 8] |= (uint8_t)(row->value << at % 8);
        return ARB_OK;
    case BIGINT:
        return arb_arrow_growing_append(&w->bigints, &row->value, sizeof row->value, error);
    case BITS:
        return arb_arrow_growing_append(&w->bits, &(int32_t){(int32_t)row->value}, sizeof(int32_t), error);
    case TEXTS:
        return add_list(w, row->number, error);
    default: /* maps are empty */
        return add_end(&w->map_ends, 0, error);
    }
}

static arb_code add_row(info_writer *w, const info_row *row, arb_error *error)
{
    int32_t place = (int32_t)w->counts[row->kind];
    ARB_TRY(arb_arrow_growing_append(&w->numbers, &row->number, sizeof row->number, error));
    ARB_TRY(arb_arrow_growing_append(&w->type_ids, &(int8_t){(int8_t)row->kind}, 1, error));
    ARB_TRY(arb_arrow_growing_append(&w->places, &place, sizeof place, error));
    w->rows++;
    return add_value(w, row, error);
}

static bool is_asked(const Arrow__Flight__Protocol__Sql__CommandGetSqlInfo *asked, uint32_t number)
{
    for (size_t i = 0; i < asked->n_info; i++)
        if (asked->info[i] == number)
            return true;
    return asked->n_info == 0;
}

static arb_code finish(info_writer *w, arb_arrow_node *root, arb_error *error)
{
    arb_arrow_node *value = &root->children[1], *kinds = value->children, *list = &kinds[TEXTS];
    arb_arrow_node *map = &kinds[NUMBERS_BY_NUMBER];
    root->length = root->children[0].length = value->length = w->rows;
    ARB_TRY(arb_arrow_growing_finish(&w->numbers, &root->children[0].buffers[1], error));
    ARB_TRY(arb_arrow_growing_finish(&w->type_ids, &value->buffers[0], error));
    ARB_TRY(arb_arrow_growing_finish(&w->places, &value->buffers[1], error));
    for (size_t i = 0; i < VALUE_KINDS; i++)
        kinds[i].length = w->counts[i];
    ARB_TRY(arb_arrow_growing_finish(&w->text_ends, &kinds[TEXT].buffers[1], error));
    ARB_TRY(arb_arrow_growing_finish(&w->text_bytes, &kinds[TEXT].buffers[2], error));
    ARB_TRY(arb_arrow_growing_finish(&w->booleans, &kinds[BOOLEAN].buffers[1], error));
    ARB_TRY(arb_arrow_growing_finish(&w->bigints, &kinds[BIGINT].buffers[1], error));
    ARB_TRY(arb_arrow_growing_finish(&w->bits, &kinds[BITS].buffers[1], error));
    ARB_TRY(arb_arrow_growing_finish(&w->list_ends, &list->buffers[1], error));
    list->children[0].length = w->items;
    ARB_TRY(arb_arrow_growing_finish(&w->item_ends, &list->children[0].buffers[1], error));
    ARB_TRY(arb_arrow_growing_finish(&w->item_bytes, &list->children[0].buffers[2], error));
    return arb_arrow_growing_finish(&w->map_ends, &map->buffers[1], error);
}

static void reset(info_writer *w)
{
    arb_arrow_growing *all[] = {&w->numbers, &w->type_ids, &w->places,    &w->text_ends, &w->text_bytes, &w->booleans,
                                &w->bigints, &w->bits,     &w->list_ends, &w->item_ends, &w->item_bytes, &w->map_ends};
    for (size_t i = 0; i < ARB_COUNT_OF(all); i++)
        arb_arrow_growing_reset(all[i]);
}

arb_code arb_sql_info_array(const arb_sql_service *service, const ProtobufCMessage *asked, arb_arrow_schema *schema,
                            arb_arrow_array **out_array, arb_error *error)
{
    info_writer w = {.service = service};
    arb_arrow_draft draft;
    *out_array = NULL;
    ARB_TRY(arb_arrow_draft_init(&draft, schema, NULL, error));
    arb_code code = ARB_OK;
    for (size_t i = 0; i < ARB_COUNT_OF(rows) && code == ARB_OK; i++)
        if (is_asked((const Arrow__Flight__Protocol__Sql__CommandGetSqlInfo *)asked, rows[i].number))
            code = add_row(&w, &rows[i], error);
    if (code == ARB_OK)
        code = finish(&w, &draft.root, error);
    reset(&w);
    if (code == ARB_OK)
        return arb_arrow_array_create(&draft, out_array, error);
    arb_arrow_draft_reset(&draft);
    return code;
}
