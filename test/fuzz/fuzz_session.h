/* fuzz_session.h: a session with a few small tables, for targets that take SQL. */
#ifndef ARB_TEST_FUZZ_SESSION_H
#define ARB_TEST_FUZZ_SESSION_H

#include "engine/session.h"
#include "fuzz_input.h"

static inline void fuzz_execute(arb_session *session, const char *sql)
{
    arb_error error = {0};
    arb_result *result;
    if (arb_session_execute(session, arb_str_of(sql), &result, &error) != ARB_OK) {
        fprintf(stderr, "%s: %s\n", sql, error.message);
        FUZZ_REQUIRE(false);
    }
    arb_result_destroy(result);
}

static inline arb_runtime *fuzz_runtime(void)
{
    static arb_runtime *runtime;
    arb_error error = {0};
    const arb_runtime_options options = {.threads = 1, .memory_limit = 64 << 20};
    if (runtime == NULL)
        FUZZ_REQUIRE(arb_runtime_create(&options, &runtime, &error) == ARB_OK);
    return runtime;
}

static inline arb_session *fuzz_session_create(void)
{
    static const char *const set_up[] = {
        "CREATE TABLE t (a INTEGER, b VARCHAR, c DECIMAL(12,2), d DATE, e DOUBLE)",
        "INSERT INTO t VALUES (1, 'one', 1.25, DATE '2001-01-01', 0.5), (2, 'two', NULL, DATE '2002-02-02', 1.5), "
        "(3, 'a text that is longer than twelve bytes', 3.75, NULL, 2.5), (NULL, NULL, -4.00, DATE '1999-12-31', "
        "NULL), "
        "(2, 'two', 20.00, DATE '2002-02-03', 7.25), (7, 'seven', 0.01, DATE '2007-07-07', -1.0)",
        "CREATE TABLE u (a INTEGER, g VARCHAR, PRIMARY KEY (a, g))",
        "INSERT INTO u VALUES (1, 'x'), (2, 'y'), (2, 'z'), (5, 'x')",
        "CREATE TABLE v (k BIGINT, ts TIMESTAMP, i INTERVAL, flag BOOLEAN, r REAL, s SMALLINT)",
        "INSERT INTO v VALUES (1, TIMESTAMP '2020-02-29 12:00:00', INTERVAL '1 month 2 days', true, 1.5, 7), "
        "(9223372036854775807, TIMESTAMP '1969-12-31 23:59:59.999999', INTERVAL '-1 day', false, -0.0, -32768), "
        "(NULL, NULL, NULL, NULL, NULL, NULL)",
        "CREATE VIEW w AS SELECT a, count(*) AS n FROM t GROUP BY a",
    };
    arb_session *session;
    arb_error error = {0};
    FUZZ_REQUIRE(arb_session_create(fuzz_runtime(), &session, &error) == ARB_OK);
    for (size_t i = 0; i < ARB_COUNT_OF(set_up); i++)
        fuzz_execute(session, set_up[i]);
    return session;
}

#endif
