/* catalog_rows.c: what Flight SQL's listings of catalogs, schemas, tables and keys give. There is one catalog, "arbalest". */
#include "flight_sql/metadata_rows.h"

#include "kernels/like.h"
#include "proto/flight_sql.pb-c.h"
#include "rpc/flight_schema.h"

#define CATALOG_NAME "arbalest"

enum { ROWS_MOST = 4096, BYTES_MOST = 1 << 20 }; /* of a message */

/* ---- schemas ------------------------------------------------------------------------------------------------------------- */

static const arb_rows_column catalog_columns[] = {{"catalog_name", ARB_ARROW_UTF8, false}};
static const arb_rows_column schema_columns[] = {{"catalog_name", ARB_ARROW_UTF8, true},
                                                 {"db_schema_name", ARB_ARROW_UTF8, false}};
static const arb_rows_column table_columns[] = {{"catalog_name", ARB_ARROW_UTF8, true},
                                                {"db_schema_name", ARB_ARROW_UTF8, true},
                                                {"table_name", ARB_ARROW_UTF8, false},
                                                {"table_type", ARB_ARROW_UTF8, false},
                                                {"table_schema", ARB_ARROW_BINARY, false}}; /* where it is wanted */
static const arb_rows_column table_type_columns[] = {{"table_type", ARB_ARROW_UTF8, false}};
static const arb_rows_column primary_key_columns[] = {
    {"catalog_name", ARB_ARROW_UTF8, true}, {"db_schema_name", ARB_ARROW_UTF8, true},
    {"table_name", ARB_ARROW_UTF8, false},  {"column_name", ARB_ARROW_UTF8, false},
    {"key_name", ARB_ARROW_UTF8, true},     {"key_sequence", ARB_ARROW_INT32, false}};
static const arb_rows_column foreign_key_columns[] = {
    {"pk_catalog_name", ARB_ARROW_UTF8, true}, {"pk_db_schema_name", ARB_ARROW_UTF8, true},
    {"pk_table_name", ARB_ARROW_UTF8, false},  {"pk_column_name", ARB_ARROW_UTF8, false},
    {"fk_catalog_name", ARB_ARROW_UTF8, true}, {"fk_db_schema_name", ARB_ARROW_UTF8, true},
    {"fk_table_name", ARB_ARROW_UTF8, false},  {"fk_column_name", ARB_ARROW_UTF8, false},
    {"key_sequence", ARB_ARROW_INT32, false},  {"fk_key_name", ARB_ARROW_UTF8, true},
    {"pk_key_name", ARB_ARROW_UTF8, true},     {"update_rule", ARB_ARROW_UINT8, false},
    {"delete_rule", ARB_ARROW_UINT8, false}};

#define SCHEMA_OF(columns) arb_rows_schema(columns, ARB_COUNT_OF(columns), out_schema, error)

bool arb_sql_is_listing(arb_sql_message_kind kind)
{
    return kind >= ARB_SQL_CommandGetSqlInfo && kind <= ARB_SQL_CommandGetCrossReference;
}

arb_code arb_sql_listing_schema(const arb_sql_message *command, arb_arrow_schema **out_schema, arb_error *error)
{
    bool with_schema = false;
    switch (command->kind) {
    case ARB_SQL_CommandGetCatalogs:
        return SCHEMA_OF(catalog_columns);
    case ARB_SQL_CommandGetDbSchemas:
        return SCHEMA_OF(schema_columns);
    case ARB_SQL_CommandGetTables:
        with_schema = ((const Arrow__Flight__Protocol__Sql__CommandGetTables *)command->message)->include_schema;
        return arb_rows_schema(table_columns, ARB_COUNT_OF(table_columns) - !with_schema, out_schema, error);
    case ARB_SQL_CommandGetTableTypes:
        return SCHEMA_OF(table_type_columns);
    case ARB_SQL_CommandGetPrimaryKeys:
        return SCHEMA_OF(primary_key_columns);
    case ARB_SQL_CommandGetSqlInfo:
        return arb_sql_info_schema(out_schema, error);
    case ARB_SQL_CommandGetXdbcTypeInfo:
        return arb_type_info_schema(out_schema, error);
    default:
        return SCHEMA_OF(foreign_key_columns);
    }
}

/* ---- names --------------------------------------------------------------------------------------------------------------- */

/* A name may be asked for exactly, or by a pattern with % and _, a backslash before those that stand for themselves; what
 * was not said fits all. */
static bool is_catalog(const char *asked)
{
    return asked == NULL || strcmp(asked, CATALOG_NAME) == 0;
}

typedef struct name_pattern {
    bool is_said;
    arb_like like;
} name_pattern;

static arb_code read_pattern(const char *text, arb_arena *arena, name_pattern *out, arb_error *error)
{
    *out = (name_pattern){.is_said = text != NULL};
    return text == NULL ? ARB_OK : arb_like_compile(arena, arb_str_of(text), '\\', false, &out->like, error);
}

static bool fits(const name_pattern *pattern, arb_str name)
{
    return !pattern->is_said || arb_like_matches(&pattern->like, name);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

/* Rows on their way out, in batches: a large catalog is many messages, none of them large. */
typedef struct listing {
    arb_arrow_schema *schema;
    arb_ipc_encoder *encoder;
    arb_rows *rows;
    size_t row_count, bytes; /* of `rows`, about */
} listing;

static arb_code flush(listing *l, arb_error *error)
{
    arb_arrow_array *array;
    if (l->row_count == 0)
        return ARB_OK;
    ARB_TRY(arb_rows_finish(l->rows, &array, error));
    arb_code code = arb_ipc_encoder_batch(l->encoder, array, error);
    arb_arrow_array_unref(array);
    arb_rows_destroy(l->rows);
    l->rows = NULL;
    l->row_count = l->bytes = 0;
    return code == ARB_OK ? arb_rows_create(l->schema, &l->rows, error) : code;
}

/* Behind each row; `bytes` of it, where they may be many. */
static arb_code end_row(listing *l, size_t bytes, arb_error *error)
{
    l->row_count++;
    l->bytes += bytes;
    return l->row_count == ROWS_MOST || l->bytes >= BYTES_MOST ? flush(l, error) : ARB_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

static arb_code fill_schemas(arb_sql_request *request, const ProtobufCMessage *message, arb_session *engine, listing *l,
                             arb_error *error)
{
    const Arrow__Flight__Protocol__Sql__CommandGetDbSchemas *asked =
        (const Arrow__Flight__Protocol__Sql__CommandGetDbSchemas *)message;
    arb_schema_names names;
    name_pattern pattern;
    ARB_TRY(read_pattern(asked->db_schema_filter_pattern, &request->arena, &pattern, error));
    ARB_TRY(arb_catalog_list_schemas(arb_session_scope(engine), &request->arena, &names, error));
    for (size_t i = 0; i < names.size && is_catalog(asked->catalog); i++) {
        if (!fits(&pattern, names.data[i]))
            continue;
        arb_rows_name(l->rows, CATALOG_NAME);
        arb_rows_text(l->rows, names.data[i]);
        ARB_TRY(end_row(l, names.data[i].size, error));
    }
    return ARB_OK;
}

static const char *type_of_table(const arb_catalog_listed *listed)
{
    return strcmp(listed->kind, "view") == 0 ? "VIEW" : "TABLE";
}

static bool is_type_wanted(const Arrow__Flight__Protocol__Sql__CommandGetTables *asked, const char *type)
{
    for (size_t i = 0; i < asked->n_table_types; i++)
        if (strcmp(asked->table_types[i], type) == 0)
            return true;
    return asked->n_table_types == 0;
}

static void quote_name(arb_text *out, arb_str name)
{
    arb_text_append_char(out, '"');
    for (size_t i = 0; i < name.size; i++)
        arb_text_append_repeated(out, name.data[i], name.data[i] == '"' ? 2 : 1);
    arb_text_append_char(out, '"');
}

/* A table's columns as a query for all of them has them, so that views have some too. One that cannot be opened has none:
 * the others are to be listed all the same. */
static arb_code look_at_table(arb_session *engine, const arb_catalog_listed *listed, arb_arena *arena,
                              arb_result_columns *out_columns, arb_error *error)
{
    arb_text sql = {0};
    arb_statement_facts facts = {0};
    arb_error ignored = {0};
    arb_text_append_str(&sql, ARB_STR("SELECT * FROM "));
    quote_name(&sql, listed->schema);
    arb_text_append_char(&sql, '.');
    quote_name(&sql, listed->name);
    arb_code code = arb_text_check(&sql, &ignored);
    if (code == ARB_OK)
        code = arb_session_look(engine, arb_text_view(&sql), arena, &facts, &ignored);
    arb_text_reset(&sql);
    *out_columns = code == ARB_OK ? facts.columns : (arb_result_columns){0};
    if (code != ARB_OUT_OF_MEMORY && code != ARB_CANCELLED)
        return ARB_OK;
    if (error != NULL)
        *error = ignored;
    return code;
}

/* Clients show the type's name as SQL has it, and precision and scale, from the field's metadata. */
static arb_code describe_field(arb_arrow_schema *schema, arb_arrow_field *field, arb_str table, arb_str schema_name,
                               arb_type type, arb_error *error)
{
    enum { MOST = 6 };
    arb_text name = {0}, precision = {0}, scale = {0};
    arb_type_print(&name, type);
    arb_str keys[MOST] = {ARB_STR("ARROW:FLIGHT:SQL:CATALOG_NAME"), ARB_STR("ARROW:FLIGHT:SQL:SCHEMA_NAME"),
                          ARB_STR("ARROW:FLIGHT:SQL:TABLE_NAME"),   ARB_STR("ARROW:FLIGHT:SQL:TYPE_NAME"),
                          ARB_STR("ARROW:FLIGHT:SQL:PRECISION"),    ARB_STR("ARROW:FLIGHT:SQL:SCALE")};
    size_t count = MOST - 2;
    if (type.id == ARB_TYPE_DECIMAL) {
        arb_text_printf(&precision, "%u", type.precision);
        arb_text_printf(&scale, "%u", type.scale);
        count = MOST;
    }
    const arb_str values[MOST] = {ARB_STR(CATALOG_NAME),     schema_name,          table, arb_text_view(&name),
                                  arb_text_view(&precision), arb_text_view(&scale)};
    arb_code code = name.failed || precision.failed || scale.failed
                        ? arb_fail_memory(error, "a table's columns", sizeof values)
                        : arb_arrow_metadata_copy(&schema->arena, (arb_arrow_metadata){count, keys, values},
                                                  &field->metadata, error);
    arb_text_reset(&name);
    arb_text_reset(&precision);
    arb_text_reset(&scale);
    return code;
}

static arb_code add_table_schema(arb_session *engine, const arb_catalog_listed *listed, listing *l, arb_error *error)
{
    arb_arena arena = {0};
    arb_arrow_schema *schema = NULL;
    arb_result_columns columns;
    arb_text framed = {0};
    arb_code code = look_at_table(engine, listed, &arena, &columns, error);
    if (code == ARB_OK)
        code = arb_result_schema(&columns, &schema, error);
    for (size_t i = 0; code == ARB_OK && i < columns.column_count; i++)
        code = describe_field(schema, &schema->root.children[i], listed->name, listed->schema, columns.types[i], error);
    if (code == ARB_OK)
        code = arb_flight_schema_write(schema, &framed, error);
    if (code == ARB_OK) {
        arb_rows_text(l->rows, arb_text_view(&framed));
        l->bytes += framed.size;
    }
    arb_text_reset(&framed);
    arb_arrow_schema_unref(schema);
    arb_arena_reset(&arena);
    return code;
}

static arb_code fill_tables(arb_sql_request *request, const ProtobufCMessage *message, arb_session *engine, listing *l,
                            arb_error *error)
{
    const Arrow__Flight__Protocol__Sql__CommandGetTables *asked =
        (const Arrow__Flight__Protocol__Sql__CommandGetTables *)message;
    arb_catalog_listing found;
    name_pattern schema, table;
    ARB_TRY(read_pattern(asked->db_schema_filter_pattern, &request->arena, &schema, error));
    ARB_TRY(read_pattern(asked->table_name_filter_pattern, &request->arena, &table, error));
    ARB_TRY(arb_catalog_list(arb_session_scope(engine), &request->arena, &found, error));
    for (size_t i = 0; i < found.size && is_catalog(asked->catalog); i++) {
        const arb_catalog_listed *listed = &found.data[i];
        if (!fits(&schema, listed->schema) || !fits(&table, listed->name) ||
            !is_type_wanted(asked, type_of_table(listed)))
            continue;
        arb_rows_name(l->rows, CATALOG_NAME);
        arb_rows_text(l->rows, listed->schema);
        arb_rows_text(l->rows, listed->name);
        arb_rows_name(l->rows, type_of_table(listed));
        if (asked->include_schema)
            ARB_TRY(add_table_schema(engine, listed, l, error));
        ARB_TRY(end_row(l, listed->schema.size + listed->name.size, error));
    }
    return ARB_OK;
}

/* The first key that is declared and has no NULLs. */
static const arb_table_key *primary_key(const arb_table *table)
{
    for (size_t i = 0; i < table->key_count; i++) {
        bool nullable = false;
        for (size_t k = 0; k < table->keys[i].column_count; k++)
            nullable |= table->columns[table->keys[i].columns[k]].nullable;
        if (!nullable)
            return &table->keys[i];
    }
    return NULL;
}

static arb_code fill_primary_keys(arb_sql_request *request, const ProtobufCMessage *message, arb_session *engine,
                                  listing *l, arb_error *error)
{
    const Arrow__Flight__Protocol__Sql__CommandGetPrimaryKeys *asked =
        (const Arrow__Flight__Protocol__Sql__CommandGetPrimaryKeys *)message;
    arb_str schema = arb_str_of(asked->db_schema != NULL ? asked->db_schema : "main");
    arb_catalog_part parts[2] = {{schema, true}, {arb_str_of(asked->table != NULL ? asked->table : ""), true}};
    arb_relation relation = {0};
    if (!is_catalog(asked->catalog))
        return ARB_OK;
    arb_code code =
        arb_catalog_find(arb_session_scope(engine), &request->arena, (arb_catalog_name){parts, 2}, &relation, error);
    bool is_there = code != ARB_UNDEFINED_TABLE && code != ARB_UNDEFINED_OBJECT;
    if (code != ARB_OK && is_there)
        return code;
    if (!is_there) /* and has no key */
        arb_error_clear(error);
    const arb_table_key *key = code == ARB_OK && relation.table != NULL ? primary_key(relation.table) : NULL;
    for (size_t i = 0; key != NULL && i < key->column_count; i++) {
        arb_rows_name(l->rows, CATALOG_NAME);
        arb_rows_text(l->rows, schema);
        arb_rows_text(l->rows, parts[1].text);
        arb_rows_text(l->rows, relation.table->columns[key->columns[i]].name);
        arb_rows_null(l->rows);
        arb_rows_number(l->rows, (int64_t)i + 1);
        ARB_TRY(end_row(l, parts[1].text.size, error));
    }
    return ARB_OK;
}

static arb_code fill_names(const char *const *names, size_t count, listing *l, arb_error *error)
{
    for (size_t i = 0; i < count; i++) {
        arb_rows_name(l->rows, names[i]);
        ARB_TRY(end_row(l, 0, error));
    }
    return ARB_OK;
}

static arb_code fill_info(const arb_sql_service *service, const ProtobufCMessage *message, listing *l, arb_error *error)
{
    arb_arrow_array *array;
    ARB_TRY(arb_sql_info_array(service, message, l->schema, &array, error));
    arb_code code = arb_arrow_array_length(array) != 0 ? arb_ipc_encoder_batch(l->encoder, array, error) : ARB_OK;
    arb_arrow_array_unref(array);
    return code;
}

static arb_code fill(arb_sql_request *request, const arb_sql_message *command, arb_session *engine, listing *l,
                     arb_error *error)
{
    static const char *const catalogs[] = {CATALOG_NAME}, *const types[] = {"TABLE", "VIEW"};
    switch (command->kind) {
    case ARB_SQL_CommandGetCatalogs:
        return fill_names(catalogs, ARB_COUNT_OF(catalogs), l, error);
    case ARB_SQL_CommandGetDbSchemas:
        return fill_schemas(request, command->message, engine, l, error);
    case ARB_SQL_CommandGetTables:
        return fill_tables(request, command->message, engine, l, error);
    case ARB_SQL_CommandGetTableTypes:
        return fill_names(types, ARB_COUNT_OF(types), l, error);
    case ARB_SQL_CommandGetPrimaryKeys:
        return fill_primary_keys(request, command->message, engine, l, error);
    case ARB_SQL_CommandGetSqlInfo:
        return fill_info(request->service, command->message, l, error);
    case ARB_SQL_CommandGetXdbcTypeInfo:
        l->row_count = arb_type_info_fill(command->message, l->rows);
        return ARB_OK;
    default: /* there are no foreign keys */
        return ARB_OK;
    }
}

arb_sql_lane_kind arb_sql_listing_lane(const arb_sql_message *command)
{
    bool opens_tables = command->kind == ARB_SQL_CommandGetTables &&
                        ((const Arrow__Flight__Protocol__Sql__CommandGetTables *)command->message)->include_schema;
    return opens_tables ? ARB_SQL_LONG : ARB_SQL_BRIEF;
}

arb_code arb_sql_listing_send(arb_sql_request *request, arb_session *engine, arb_error *error)
{
    const arb_sql_message *command = request->message;
    listing l = {0};
    ARB_TRY(arb_sql_listing_schema(command, &l.schema, error));
    arb_code code = arb_call_encoder_create(request->call, l.schema, &l.encoder, error);
    if (code == ARB_OK)
        code = arb_rows_create(l.schema, &l.rows, error);
    if (code == ARB_OK)
        code = fill(request, command, engine, &l, error);
    if (code == ARB_OK)
        code = flush(&l, error);
    arb_rows_destroy(l.rows);
    arb_ipc_encoder_destroy(l.encoder);
    arb_arrow_schema_unref(l.schema);
    return code;
}
