/* SQL text to rows, within limits of memory, rows and time. A query runs twice, the second time with tiny batches, spilled,
 * and with few of the optimizer's rules: it must give the same rows.
 *
 * Input: a script; its first statements are run. What reaches out of the session (files, settings) is not. */
#include <pthread.h>

#include "base/clock.h"
#include "fuzz_batch.h"
#include "fuzz_session.h"
#include "optimizer/optimize.h"
#include "sql/parser.h"
#include "sql/script.h"

enum { STATEMENTS_MOST = 3, ROWS_MOST = 3000, WAIT_MS = 400 };

/* ---- what takes too long is cancelled ---------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static arb_session *watched;
static uint64_t watches;

static void *watcher(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (watched == NULL)
            pthread_cond_wait(&changed, &lock);
        uint64_t seen = watches;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)WAIT_MS * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        while (watches == seen && watched != NULL)
            if (pthread_cond_timedwait(&changed, &lock, &until) != 0)
                break;
        if (watches == seen && watched != NULL)
            arb_session_cancel(watched);
    }
    return NULL;
}

static void watch_session(arb_session *session)
{
    static pthread_t thread;
    if (thread == 0)
        FUZZ_REQUIRE(pthread_create(&thread, NULL, watcher, NULL) == 0);
    pthread_mutex_lock(&lock);
    watched = session;
    watches++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

/* The rows as a set with repeats: without ORDER BY there is no order. */
typedef struct outcome {
    arb_code code;
    uint64_t rows, sum;
} outcome;

static outcome run(arb_session *session, arb_str sql)
{
    outcome out = {0};
    arb_error error = {0};
    arb_result *result = NULL;
    watch_session(session);
    out.code = arb_session_execute(session, sql, &result, &error);
    if (out.code == ARB_OK && arb_result_describe(result)->has_rows) {
        const arb_result_columns *columns = arb_result_describe(result);
        while (out.rows < ROWS_MOST) {
            const arb_batch *batch;
            out.code = arb_result_next(result, &batch, &error);
            if (out.code != ARB_OK || batch == NULL)
                break;
            FUZZ_REQUIRE(batch->column_count == columns->column_count);
            for (size_t i = 0; i < batch->column_count; i++)
                fuzz_check_vector(&batch->columns[i], columns->types[i], batch->rows);
            for (uint32_t row = 0; row < batch->rows; row++) {
                fuzz_rows one = {0};
                fuzz_add_row(batch, columns->types, row, &one);
                out.sum += one.hash;
            }
            out.rows += batch->rows;
        }
    }
    watch_session(NULL);
    if (out.code == ARB_INTERNAL)
        fprintf(stderr, "%.*s\n%s\n", ARB_STR_ARGS(sql), error.message);
    FUZZ_REQUIRE(out.code != ARB_INTERNAL && out.code == error.code);
    arb_result_destroy(result);
    return out;
}

/* Words whose rows may depend on the order in which rows come, on the time, or on rounding. */
static bool may_differ(arb_str sql)
{
    static const char *const words[] = {
        "limit", "fetch",  "offset",  "random",  "now",         "current",    "local",    "clock",
        "uuid",  "first",  "last",    "any",     "distinct on", "arg",        "max_by",   "min_by",
        "mode",  "agg",    "sample",  "avg",     "sum",         "var",        "stddev",   "corr",
        "covar", "regr",   "approx",  "explain", "show",        "median",     "quantile", "percentile",
        "/",     "concat", "list",    "kurt",    "skew",        "e0",         "::float",  "double",
        "real",  "geo",    "entropy", "product", "today",       "transaction"};
    arb_text lower = {0};
    bool found = false;
    for (size_t i = 0; i < sql.size; i++)
        arb_text_append_char(&lower,
                             (char)(sql.data[i] >= 'A' && sql.data[i] <= 'Z' ? sql.data[i] | 0x20 : sql.data[i]));
    for (size_t i = 0; i < ARB_COUNT_OF(words) && !found; i++)
        found = memmem(lower.data, lower.size, words[i], strlen(words[i])) != NULL;
    arb_text_reset(&lower);
    return found;
}

static bool is_allowed(arb_str sql, bool *out_changes)
{
    arb_arena arena = {0};
    arb_error error = {0};
    const arb_ast_statement *statement;
    bool allowed = arb_sql_parse_one(&arena, sql, &statement, &error) == ARB_OK;
    if (allowed) {
        switch (statement->kind) {
        case ARB_AST_STATEMENT_SELECT:
        case ARB_AST_STATEMENT_DESCRIBE:
        case ARB_AST_STATEMENT_SHOW:
            break;
        case ARB_AST_STATEMENT_CREATE_TABLE:
        case ARB_AST_STATEMENT_CREATE_VIEW:
        case ARB_AST_STATEMENT_CREATE_SCHEMA:
        case ARB_AST_STATEMENT_DROP:
        case ARB_AST_STATEMENT_INSERT:
            *out_changes = true;
            break;
        default:
            allowed = false;
        }
    }
    arb_arena_reset(&arena);
    return allowed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arb_session *session;
    if (session == NULL)
        session = fuzz_session_create();
    arb_str script = {(const char *)data, size};
    arb_sql_extent extent;
    bool changes = false;
    size_t at = 0;
    for (int i = 0; i < STATEMENTS_MOST && arb_sql_statement_next(script, at, &extent); i++, at = extent.next) {
        arb_str sql = {script.data + extent.begin, extent.end - extent.begin};
        bool changed_before = changes;
        if (!is_allowed(sql, &changes))
            continue;
        outcome first = run(session, sql);
        if (changes || first.code == ARB_CANCELLED || changed_before)
            continue;
        arb_settings *settings = arb_session_settings(session);
        settings->batch_rows = 1 + (uint32_t)(arb_hash_bytes(data, size) % 7);
        settings->force_spill = settings->verify_plans = true;
        settings->disabled_rules = (uint32_t)arb_hash_bytes(data, size) >> 16 & ~(UINT32_C(1) << ARB_RULE_UNNEST);
        outcome second = run(session, sql);
        arb_settings_init(settings, fuzz_runtime());
        if (first.code == ARB_OK && second.code == ARB_OK && first.rows < ROWS_MOST && !may_differ(sql))
            FUZZ_REQUIRE(first.rows == second.rows && first.sum == second.sum);
    }
    if (changes) { /* the next input finds the session as this one did */
        arb_session_destroy(session);
        session = NULL;
    }
    return 0;
}
