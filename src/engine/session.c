#include "engine/session.h"

#include <sched.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/session_internal.h"
#include "sql/parser.h"

arb_code arb_session_create_on(arb_runtime *runtime, arb_catalog *shared, arb_session **out_session, arb_error *error)
{
    *out_session = NULL;
    arb_session *session = arb_alloc_zeroed(sizeof *session);
    if (session == NULL)
        return arb_fail_memory(error, "a session", sizeof *session);
    session->runtime = runtime;
    session->runner = arb_local_runner;
    arb_settings_init(&session->settings, runtime);
    arb_code code = arb_catalog_scope_create(shared, &session->cancelled, &session->catalog, error);
    if (code != ARB_OK) {
        arb_free(session);
        return code;
    }
    *out_session = session;
    return ARB_OK;
}

arb_code arb_session_create(arb_runtime *runtime, arb_session **out_session, arb_error *error)
{
    arb_catalog *own;
    *out_session = NULL;
    ARB_TRY(arb_catalog_create(arb_runtime_formats(runtime), arb_runtime_file_cache(runtime), &own, error));
    arb_code code = arb_session_create_on(runtime, own, out_session, error);
    if (code == ARB_OK)
        (*out_session)->own_catalog = own;
    else
        arb_catalog_destroy(own);
    return code;
}

void arb_session_destroy(arb_session *session)
{
    if (session == NULL)
        return;
    assert(session->results == 0);
    arb_catalog_scope_destroy(session->catalog);
    arb_catalog_destroy(session->own_catalog);
    arb_free(session);
}

arb_catalog *arb_session_catalog(arb_session *session)
{
    return arb_catalog_scope_catalog(session->catalog);
}

arb_catalog_scope *arb_session_scope(arb_session *session)
{
    return session->catalog;
}

arb_settings *arb_session_settings(arb_session *session)
{
    return &session->settings;
}

void arb_session_set_runner(arb_session *session, const arb_query_runner *runner)
{
    assert(session->results == 0);
    session->runner = runner != NULL ? *runner : arb_local_runner;
}

void arb_session_set_origin(arb_session *session, const arb_run_origin *origin)
{
    session->origin = *origin;
}

/* ---- from other threads ------------------------------------------------------------------------------------------ */
/* Whoever looks at `running` is counted, and who takes a query away waits until nobody looks: so the query that
 * was seen is still there. No lock, since a signal handler may be the one who looks. */
void arb_session_cancel(arb_session *session)
{
    atomic_fetch_add(&session->lookers, 1);
    atomic_store(&session->cancelled, true);
    arb_query_run *run = atomic_load(&session->running);
    if (run != NULL)
        run->vtable->cancel(run);
    atomic_fetch_sub(&session->lookers, 1);
}

double arb_session_progress(arb_session *session)
{
    atomic_fetch_add(&session->lookers, 1);
    arb_query_run *run = atomic_load(&session->running);
    double progress = run != NULL ? run->vtable->progress(run) : -1;
    atomic_fetch_sub(&session->lookers, 1);
    return progress;
}

static arb_code stages_of(const arb_query_run *run, arb_arena *arena, const arb_run_stage **out_stages,
                          size_t *out_count, arb_error *error)
{
    *out_stages = NULL;
    *out_count = 0;
    if (run == NULL || run->vtable->stages == NULL)
        return ARB_OK;
    return run->vtable->stages(run, arena, out_stages, out_count, error);
}

arb_code arb_session_stages(arb_session *session, arb_arena *arena, const arb_run_stage **out_stages, size_t *out_count,
                            arb_error *error)
{
    atomic_fetch_add(&session->lookers, 1);
    arb_code code = stages_of(atomic_load(&session->running), arena, out_stages, out_count, error);
    atomic_fetch_sub(&session->lookers, 1);
    return code;
}

arb_code arb_result_stages(const arb_result *result, arb_arena *arena, const arb_run_stage **out_stages,
                           size_t *out_count, arb_error *error)
{
    return stages_of(result->run, arena, out_stages, out_count, error);
}

void arb_result_stop(arb_result *result)
{
    arb_query_run *run = result->run;
    if (run == NULL)
        return;
    arb_session *session = result->session;
    arb_query_run *expected = run;
    (void)atomic_compare_exchange_strong(&session->running, &expected, NULL);
    while (atomic_load(&session->lookers) != 0)
        sched_yield();
    result->peak_memory = ARB_MAX(result->peak_memory, run->vtable->peak_memory(run));
    run->vtable->destroy(run);
    result->run = NULL;
    arb_runtime_query_ends(session->runtime);
}

/* ---- statements -------------------------------------------------------------------------------------------------- */
static arb_code carry_out(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    arb_catalog_scope *catalog = result->session->catalog;
    switch (statement->kind) {
    case ARB_BOUND_QUERY:
        result->tag = "SELECT";
        return arb_result_query(result, &statement->plan, error);
    case ARB_BOUND_CREATE_TABLE:
        result->tag = "CREATE TABLE";
        return arb_statement_create_table(result, statement, error);
    case ARB_BOUND_CREATE_EXTERNAL:
        result->tag = "CREATE EXTERNAL TABLE";
        return arb_statement_create_external(result, statement, error);
    case ARB_BOUND_CREATE_VIEW:
        result->tag = "CREATE VIEW";
        return arb_statement_create_view(result, statement, error);
    case ARB_BOUND_CREATE_SCHEMA:
        result->tag = "CREATE SCHEMA";
        return arb_catalog_add_schema(catalog, statement->create_schema.name, statement->create_schema.if_not_exists,
                                      error);
    case ARB_BOUND_DROP:
        result->tag = "DROP";
        return arb_statement_drop(result, statement, error);
    case ARB_BOUND_INSERT:
        result->tag = "INSERT";
        return arb_statement_insert(result, statement, error);
    case ARB_BOUND_COPY_TO:
        result->tag = "COPY";
        return arb_statement_copy_to(result, statement, error);
    case ARB_BOUND_DESCRIBE:
        result->tag = "DESCRIBE";
        return arb_statement_describe(result, statement, error);
    case ARB_BOUND_SHOW:
        result->tag = "SHOW";
        return arb_statement_show(result, statement, error);
    case ARB_BOUND_SET:
        result->tag = "SET";
        return arb_statement_set(result, statement, error);
    case ARB_BOUND_EXPLAIN:
        result->tag = "EXPLAIN";
        return arb_statement_explain(result, statement, error);
    case ARB_BOUND_TRANSACTION:
        return arb_fail(error, ARB_NOT_SUPPORTED, "there are no transactions: each statement stands alone");
    }
    return arb_fail(error, ARB_INTERNAL, "statement %d", (int)statement->kind);
}

void arb_session_expect(arb_session *session)
{
    atomic_store(&session->running, NULL);
    atomic_store(&session->cancelled, false);
    session->expected = true;
}

arb_code arb_session_execute(arb_session *session, arb_str sql, arb_result **out_result, arb_error *error)
{
    return arb_session_execute_with(session, sql, NULL, 0, out_result, error);
}

static arb_query new_query(arb_session *session, arb_arena *arena)
{
    return (arb_query){.arena = arena,
                       .now_us = arb_clock_wall_us(),
                       .time_zone = arb_str_copy(arena, arb_str_of(session->settings.time_zone)),
                       .stop = &session->cancelled};
}

static arb_code new_result(arb_session *session, arb_str text, arb_result **out_result, arb_error *error)
{
    *out_result = NULL;
    arb_result *result = arb_alloc_zeroed(sizeof *result);
    if (result == NULL)
        return arb_fail_memory(error, "a statement", sizeof *result);
    result->session = session;
    result->affected = -1;
    result->query = new_query(session, &result->arena);
    session->results++;
    if (!session->expected)
        arb_session_expect(session);
    session->expected = false;
    result->text = arb_str_copy(&result->arena, text);
    if (result->query.time_zone.data == NULL || result->text.data == NULL) {
        arb_result_destroy(result);
        return arb_fail_memory(error, "a statement", text.size);
    }
    *out_result = result;
    return ARB_OK;
}

arb_code arb_session_execute_with(arb_session *session, arb_str sql, const arb_value *values, size_t value_count,
                                  arb_result **out_result, arb_error *error)
{
    arb_result *result;
    *out_result = NULL;
    ARB_TRY(new_result(session, sql, &result, error));
    const arb_ast_statement *statement;
    arb_bound_statement bound = {0};
    arb_code code;
    ARB_TRY_GOTO(code, arb_sql_parse_one(&result->arena, sql, &statement, error), fail);
    ARB_TRY_GOTO(code,
                 arb_sql_bind_values(&result->query, session->catalog, statement, values, value_count, &bound, error),
                 fail);
    ARB_TRY_GOTO(code, carry_out(result, &bound, error), fail);
    *out_result = result;
    return ARB_OK;

fail:
    arb_result_destroy(result);
    return code;
}

arb_code arb_session_find(arb_session *session, arb_str name, arb_result **out_result, arb_error *error)
{
    arb_result *result;
    *out_result = NULL;
    ARB_TRY(new_result(session, ARB_STR(""), &result, error));
    arb_code code = arb_result_find(result, name, error);
    if (code != ARB_OK) {
        arb_result_destroy(result);
        return code;
    }
    result->tag = "SELECT";
    *out_result = result;
    return ARB_OK;
}

/* ---- statements that are not run --------------------------------------------------------------------------------- */
static arb_code columns_of_listing(const arb_bound_statement *statement, arb_arena *arena, arb_result_columns *out,
                                   arb_error *error)
{
    arb_listing_names listed;
    ARB_TRY(arb_listing_names_of(statement, &listed, error));
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, listed.count + 1);
    arb_str *names = ARB_ARENA_ARRAY(arena, arb_str, listed.count + 1);
    if (types == NULL || names == NULL)
        return arb_fail_memory(error, "a statement's columns", listed.count * sizeof *types);
    for (size_t i = 0; i < listed.count; i++) {
        types[i] = ARB_TYPE(VARCHAR);
        names[i] = arb_str_of(listed.names[i]);
    }
    *out = (arb_result_columns){listed.count != 0, listed.count, names, types};
    return ARB_OK;
}

arb_code arb_session_look(arb_session *session, arb_str sql, arb_arena *arena, arb_statement_facts *out_facts,
                          arb_error *error)
{
    arb_query query = new_query(session, arena);
    const arb_ast_statement *statement;
    arb_bound_statement bound;
    *out_facts = (arb_statement_facts){0};
    if (query.time_zone.data == NULL)
        return arb_fail_memory(error, "a statement", sizeof session->settings.time_zone);
    ARB_TRY(arb_sql_parse_one(arena, sql, &statement, error));
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, statement->parameter_count + 1);
    if (types == NULL)
        return arb_fail_memory(error, "a statement's parameters", statement->parameter_count * sizeof *types);
    ARB_TRY(arb_sql_bind_unset(&query, session->catalog, statement, &bound, types, error));
    out_facts->parameter_count = statement->parameter_count;
    out_facts->parameter_types = types;
    bool plan_is_result = bound.kind == ARB_BOUND_QUERY || (bound.kind == ARB_BOUND_COPY_TO && bound.copy.console);
    return plan_is_result ? arb_columns_of_plan(&bound.plan, arena, &out_facts->columns, error)
                          : columns_of_listing(&bound, arena, &out_facts->columns, error);
}

/* ---- results ----------------------------------------------------------------------------------------------------- */
const arb_result_columns *arb_result_describe(const arb_result *result)
{
    return &result->columns;
}

const char *arb_result_tag(const arb_result *result)
{
    return result->tag;
}

int64_t arb_result_affected(const arb_result *result)
{
    return result->affected;
}

arb_code arb_result_next(arb_result *result, const arb_batch **out_batch, arb_error *error)
{
    *out_batch = NULL;
    if (result->run != NULL)
        return arb_result_query_next(result, out_batch, error);
    if (result->listing != NULL)
        return arb_listing_next(result, out_batch, error);
    return ARB_OK;
}

bool arb_result_ready(arb_result *result, const arb_wake *wake)
{
    arb_query_run *run = result->run;
    return run == NULL || run->vtable->ready == NULL || run->vtable->ready(run, wake);
}

void arb_result_cancel(arb_result *result)
{
    if (result->run != NULL)
        result->run->vtable->cancel(result->run);
}

uint64_t arb_result_peak_memory(const arb_result *result)
{
    uint64_t running = result->run != NULL ? result->run->vtable->peak_memory(result->run) : 0;
    return ARB_MAX(running, result->peak_memory);
}

void arb_result_destroy(arb_result *result)
{
    if (result == NULL)
        return;
    arb_result_stop(result);
    arb_listing_reset(result);
    result->session->results--;
    arb_arena_reset(&result->arena);
    arb_free(result);
}
