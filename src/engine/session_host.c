/* session_host.c: a session as a host of statements. */
#include "base/alloc.h"
#include "engine/statement_host.h"

typedef struct session_host {
    arb_statement_host base; /* first */
    arb_session *session;
} session_host;

typedef struct session_result {
    arb_hosted_result base; /* first */
    arb_result *result;
} session_result;

static arb_result *result_of(const arb_hosted_result *hosted)
{
    return ((const session_result *)hosted)->result;
}

static arb_session *session_of(arb_statement_host *host)
{
    return ((session_host *)host)->session;
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

static const arb_result_columns *describe(const arb_hosted_result *hosted)
{
    return arb_result_describe(result_of(hosted));
}

static const char *tag(const arb_hosted_result *hosted)
{
    return arb_result_tag(result_of(hosted));
}

static int64_t affected(const arb_hosted_result *hosted)
{
    return arb_result_affected(result_of(hosted));
}

static arb_code next(arb_hosted_result *hosted, const arb_batch **out_batch, arb_error *error)
{
    return arb_result_next(result_of(hosted), out_batch, error);
}

static uint64_t peak_memory(const arb_hosted_result *hosted)
{
    return arb_result_peak_memory(result_of(hosted));
}

static void destroy_result(arb_hosted_result *hosted)
{
    arb_result_destroy(result_of(hosted));
    arb_free(hosted);
}

void arb_hosted_result_destroy(arb_hosted_result *result)
{
    if (result != NULL)
        result->vtable->destroy(result);
}

/* ---- statements -------------------------------------------------------------------------------------------------- */

static arb_code execute(arb_statement_host *host, arb_str sql, arb_hosted_result **out_result, arb_error *error)
{
    static const arb_hosted_result_vtable vtable = {describe, tag, affected, next, peak_memory, destroy_result};
    *out_result = NULL;
    session_result *result = arb_alloc_zeroed(sizeof *result);
    if (result == NULL)
        return arb_fail_memory(error, "a result", sizeof *result);
    result->base.vtable = &vtable;
    arb_code code = arb_session_execute(session_of(host), sql, &result->result, error);
    if (code != ARB_OK) {
        arb_free(result);
        return code;
    }
    *out_result = &result->base;
    return ARB_OK;
}

static arb_code set(arb_statement_host *host, arb_str name, arb_str value, arb_error *error)
{
    arb_setting setting;
    ARB_TRY(arb_setting_find(name, &setting, error));
    return arb_settings_set(arb_session_settings(session_of(host)), setting, value, error);
}

static void expect(arb_statement_host *host)
{
    arb_session_expect(session_of(host));
}

static void cancel(arb_statement_host *host)
{
    arb_session_cancel(session_of(host));
}

static double progress(arb_statement_host *host)
{
    return arb_session_progress(session_of(host));
}

static arb_code stages(arb_statement_host *host, arb_arena *arena, const arb_run_stage **out_stages, size_t *out_count,
                       arb_error *error)
{
    return arb_session_stages(session_of(host), arena, out_stages, out_count, error);
}

static arb_catalog_scope *catalog(arb_statement_host *host)
{
    return arb_session_scope(session_of(host));
}

static void destroy(arb_statement_host *host)
{
    arb_free(host);
}

arb_code arb_session_host_create(arb_session *session, arb_statement_host **out_host, arb_error *error)
{
    static const arb_statement_host_vtable vtable = {execute, set, expect, cancel, progress, stages, catalog, destroy};
    *out_host = NULL;
    session_host *host = arb_alloc_zeroed(sizeof *host);
    if (host == NULL)
        return arb_fail_memory(error, "a session", sizeof *host);
    host->base.vtable = &vtable;
    host->session = session;
    *out_host = &host->base;
    return ARB_OK;
}

void arb_statement_host_destroy(arb_statement_host *host)
{
    if (host != NULL)
        host->vtable->destroy(host);
}
