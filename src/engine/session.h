/* session.h: the facade: one statement's text in, batches out.
 *
 *     arb_runtime_create(&options, &runtime, error);
 *     arb_session_create(runtime, &session, error);
 *     arb_catalog_add_folder(arb_session_catalog(session), ARB_STR("data"), NULL, error);
 *     arb_session_execute(session, ARB_STR("SELECT 1"), &result, error);
 *     while ((code = arb_result_next(result, &batch, error)) == ARB_OK && batch != NULL)
 *         use(batch);
 *     arb_result_destroy(result);
 *
 * A session belongs to one thread at a time; only arb_session_cancel and the progress may be called from others. Several
 * results may be open at once. Positions in errors are those in the text that was given. */
#ifndef ARB_ENGINE_SESSION_H
#define ARB_ENGINE_SESSION_H

#include "catalog/catalog.h"
#include "engine/query_run.h"
#include "engine/runtime.h"
#include "engine/settings.h"

typedef struct arb_session arb_session;
typedef struct arb_result arb_result;

/* With a catalog of its own. */
ARB_NODISCARD arb_code arb_session_create(arb_runtime *runtime, arb_session **out_session, arb_error *error);
/* On a catalog that others use, too, from any threads; it outlives the session. Temporary tables, the current schema and
 * settings are the session's own. */
ARB_NODISCARD arb_code arb_session_create_on(arb_runtime *runtime, arb_catalog *shared, arb_session **out_session,
                                             arb_error *error);
/* All results must be gone. NULL is a no-op. */
void arb_session_destroy(arb_session *session);
arb_catalog *arb_session_catalog(arb_session *session);
/* What the session sees of it. */
arb_catalog_scope *arb_session_scope(arb_session *session);
arb_settings *arb_session_settings(arb_session *session);
/* Who carries out queries from now on; NULL: this process. No result may be open. The runner's context outlives the
 * session. */
void arb_session_set_runner(arb_session *session, const arb_query_runner *runner);

/* Whose the statements are from now on, what the next query can be found by; borrowed until it is replaced. Of the queries of a
 * statement only those whose rows are its result carry the name. */
void arb_session_set_origin(arb_session *session, const arb_run_origin *origin);

/* Carry out one statement, a semicolon behind it allowed. A statement without a result is done when this returns; a query
 * has been planned and started. */
ARB_NODISCARD arb_code arb_session_execute(arb_session *session, arb_str sql, arb_result **out_result,
                                           arb_error *error);
/* The same with values for the parameters ($1 is the first), borrowed for the call. */
ARB_NODISCARD arb_code arb_session_execute_with(arb_session *session, arb_str sql, const arb_value *values,
                                                size_t value_count, arb_result **out_result, arb_error *error);
/* The query of that name which a session of an earlier process began: its rows, all of them. ARB_UNDEFINED_OBJECT. */
ARB_NODISCARD arb_code arb_session_find(arb_session *session, arb_str name, arb_result **out_result, arb_error *error);
/* End the statement that is executed now, or the one that began last and whose result is open: it fails with ARB_CANCELLED
 * soon. Without one, no effect. Any thread; async-signal-safe. */
void arb_session_cancel(arb_session *session);
/* From now on arb_session_cancel means the next statement, even before it begins: for those who have it begin in another
 * thread. */
void arb_session_expect(arb_session *session);
/* Of the query that runs: 0 to 1, negative when none does. Any thread. */
double arb_session_progress(arb_session *session);
/* Its stages, in the arena, where several executors carry it out; none else. Any thread; may wait some milliseconds. */
ARB_NODISCARD arb_code arb_session_stages(arb_session *session, arb_arena *arena, const arb_run_stage **out_stages,
                                          size_t *out_count, arb_error *error);

/* What the rows are: none for DDL and INSERT, whose column_count is 0 and has_rows false. */
typedef struct arb_result_columns {
    bool has_rows;
    size_t column_count;
    const arb_str *names;
    const arb_type *types;
} arb_result_columns;

const arb_result_columns *arb_result_describe(const arb_result *result); /* lives as long as the result */
/* "INSERT", "CREATE TABLE", "SELECT": what was done, for people. */
const char *arb_result_tag(const arb_result *result);
/* Rows that INSERT, CREATE TABLE AS and COPY wrote, else -1. */
int64_t arb_result_affected(const arb_result *result);
/* The next rows, all of them selected, FLAT; lent until the next call. *out_batch is NULL at the end. */
ARB_NODISCARD arb_code arb_result_next(arb_result *result, const arb_batch **out_batch, arb_error *error);
/* Would arb_result_next have rows, an end or an error without waiting for other processes? If not, the wake, which is copied, is
 * called when to ask again, maybe before this returns, and never after arb_result_destroy has. */
bool arb_result_ready(arb_result *result, const arb_wake *wake);
/* As arb_session_stages; any thread, as long as the result exists. */
ARB_NODISCARD arb_code arb_result_stages(const arb_result *result, arb_arena *arena, const arb_run_stage **out_stages,
                                         size_t *out_count, arb_error *error);
/* End its query: arb_result_next fails with ARB_CANCELLED soon. Any thread, as long as the result exists. */
void arb_result_cancel(arb_result *result);
/* Bytes of governed memory that the statement held at most, up to now. */
uint64_t arb_result_peak_memory(const arb_result *result);
void arb_result_destroy(arb_result *result); /* ends what still runs; NULL is a no-op */

/* ---- statements that are not run ------------------------------------------------------------------------------------- */

/* What a statement is: found by parsing and binding it, nothing is planned or run. */
typedef struct arb_statement_facts {
    arb_result_columns columns; /* has_rows false: it changes something */
    size_t parameter_count;     /* the highest number of a ? or $1 */
    const arb_type *parameter_types;
} arb_statement_facts;

/* All of *out_facts lives in the arena, which also holds the tables that the statement names until it is reset. */
ARB_NODISCARD arb_code arb_session_look(arb_session *session, arb_str sql, arb_arena *arena,
                                        arb_statement_facts *out_facts, arb_error *error);

#endif
