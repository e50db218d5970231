/* statement_host.h: who takes statements and gives their results: a session of this process, or a server behind a connection.
 *
 * For those who only pass texts on and show rows, as the command does. One statement at a time, on one thread; cancel and
 * progress may be called from others. */
#ifndef ARB_ENGINE_STATEMENT_HOST_H
#define ARB_ENGINE_STATEMENT_HOST_H

#include "engine/session.h"

typedef struct arb_hosted_result arb_hosted_result;

/* Each as the function of session.h of the same name. */
typedef struct arb_hosted_result_vtable {
    const arb_result_columns *(*describe)(const arb_hosted_result *result);
    const char *(*tag)(const arb_hosted_result *result);
    int64_t (*affected)(const arb_hosted_result *result);
    arb_code (*next)(arb_hosted_result *result, const arb_batch **out_batch, arb_error *error);
    uint64_t (*peak_memory)(const arb_hosted_result *result);
    void (*destroy)(arb_hosted_result *result);
} arb_hosted_result_vtable;

/* First member of each kind. */
struct arb_hosted_result {
    const arb_hosted_result_vtable *vtable;
};

typedef struct arb_statement_host arb_statement_host;

typedef struct arb_statement_host_vtable {
    arb_code (*execute)(arb_statement_host *host, arb_str sql, arb_hosted_result **out_result, arb_error *error);
    /* As the statement SET does. */
    arb_code (*set)(arb_statement_host *host, arb_str name, arb_str value, arb_error *error);
    /* From now on cancel means the next statement, even before it begins. Who looks at a flag of his own between this and
     * execute, which his signal handler sets beside cancelling, misses no signal. */
    void (*expect)(arb_statement_host *host);
    /* End the statement that runs. Any thread; async-signal-safe. */
    void (*cancel)(arb_statement_host *host);
    /* 0 to 1, negative when none runs. Any thread. */
    double (*progress)(arb_statement_host *host);
    /* The stages of the one that runs, in the arena; none where it has none, or they are not known. Any thread. */
    arb_code (*stages)(arb_statement_host *host, arb_arena *arena, const arb_run_stage **out_stages, size_t *out_count,
                       arb_error *error);
    /* The names that there are, for completion; NULL where they are not at hand. */
    arb_catalog_scope *(*catalog)(arb_statement_host *host);
    void (*destroy)(arb_statement_host *host); /* all results are gone */
} arb_statement_host_vtable;

struct arb_statement_host {
    const arb_statement_host_vtable *vtable;
};

/* A session of this process, which is borrowed. */
ARB_NODISCARD arb_code arb_session_host_create(arb_session *session, arb_statement_host **out_host, arb_error *error);

void arb_statement_host_destroy(arb_statement_host *host); /* NULL is a no-op */
void arb_hosted_result_destroy(arb_hosted_result *result); /* likewise */

#endif
