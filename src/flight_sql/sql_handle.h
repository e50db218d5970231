/* sql_handle.h: what clients carry: names of statements and sessions, and prepared statements as a whole.
 *
 * Sealed by the service's key and bound to cluster and user, so that nobody makes one, nor uses another's. */
#ifndef ARB_FLIGHT_SQL_SQL_HANDLE_H
#define ARB_FLIGHT_SQL_SQL_HANDLE_H

#include "exchange_flight/sealed_bytes.h"
#include "state/store.h"

struct Arbalest__Sql__PreparedStatement;

enum { ARB_SQL_ID_BYTES = 16 };

typedef struct arb_sql_id {
    uint8_t bytes[ARB_SQL_ID_BYTES];
} arb_sql_id;

/* Random. */
ARB_NODISCARD arb_code arb_sql_id_make(arb_sql_id *out_id, arb_error *error);
ARB_INLINE bool arb_sql_id_equal(arb_sql_id a, arb_sql_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

/* For an index: ids are random, or hashes. */
ARB_INLINE uint64_t arb_sql_id_key(arb_sql_id id)
{
    uint64_t key;
    memcpy(&key, id.bytes, sizeof key);
    return key;
}

/* By whom and for whom handles are sealed. */
typedef struct arb_sql_sealer {
    const arb_seal_key *key;
    arb_uuid cluster;
} arb_sql_sealer;

ARB_NODISCARD arb_code arb_sql_seal_job(const arb_sql_sealer *sealer, arb_str user, arb_sql_id job, arb_text *out,
                                        arb_error *error);
/* As hexadecimal digits, since it is part of a cookie. */
ARB_NODISCARD arb_code arb_sql_seal_session(const arb_sql_sealer *sealer, arb_str user, arb_sql_id session,
                                            arb_text *out, arb_error *error);
ARB_NODISCARD arb_code arb_sql_seal_prepared(const arb_sql_sealer *sealer, arb_str user,
                                             struct Arbalest__Sql__PreparedStatement *prepared, arb_text *out,
                                             arb_error *error);

/* Each is ARB_ACCESS_DENIED for bytes that are not such a handle of that user. */
ARB_NODISCARD arb_code arb_sql_open_job(const arb_sql_sealer *sealer, arb_str user, arb_str bytes, arb_sql_id *out_job,
                                        arb_error *error);
ARB_NODISCARD arb_code arb_sql_open_session(const arb_sql_sealer *sealer, arb_str user, arb_str hex,
                                            arb_sql_id *out_session, arb_error *error);
/* Lives in the arena. */
ARB_NODISCARD arb_code arb_sql_open_prepared(const arb_sql_sealer *sealer, arb_str user, arb_str bytes,
                                             arb_arena *arena,
                                             const struct Arbalest__Sql__PreparedStatement **out_prepared,
                                             arb_error *error);

#endif
