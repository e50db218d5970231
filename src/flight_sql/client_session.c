/* client_session.c: sessions of clients, and whose turn it is. */
#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "flight_sql/sql_service_internal.h"
#include "rpc/auth_metadata.h"

static void close_engine(arb_client_session *session);
static void free_locked(arb_client_session *session);

/* ---- turns --------------------------------------------------------------------------------------------------------------- */

static void work(arb_sql_errand *errand);

static void make_ready(arb_client_session *session)
{
    if (session->ready)
        return;
    session->ready = true;
    session->errand.run = work;
    arb_sql_lane_kind lane = session->first != NULL ? session->first->lane : ARB_SQL_LONG; /* to be closed */
    arb_sql_lane_add(&session->service->lanes[lane], session->user, &session->errand);
}

void arb_sql_turn_queue(arb_sql_turn *turn)
{
    arb_client_session *session = turn->session;
    if (turn->queued)
        return;
    if (session->current == turn) {
        turn->again = true;
        return;
    }
    turn->queued = true;
    turn->next = NULL;
    *session->last = turn;
    session->last = &turn->next;
    make_ready(session);
}

void arb_sql_turn_end(arb_sql_turn *turn)
{
    turn->session->current = NULL;
    if (turn->again)
        arb_sql_turn_queue(turn);
}

static void take_turn(arb_client_session *session)
{
    arb_sql_service *service = session->service;
    arb_sql_turn *turn = session->first;
    session->first = turn->next;
    if (session->first == NULL)
        session->last = &session->first;
    turn->queued = turn->again = false;
    session->current = turn;
    session->references++; /* the turn may be gone with its count when it has run */
    arb_sql_unlock(service);
    turn->run(turn);
    arb_sql_lock(service);
}

/* One turn; or its end. */
static void work(arb_sql_errand *errand)
{
    arb_client_session *session = (arb_client_session *)errand;
    arb_sql_service *service = session->service;
    if (session->first != NULL) {
        take_turn(session);
        session->ready = false;
        if (session->first != NULL)
            make_ready(session);
        arb_client_session_unref_locked(session);
        return;
    }
    if (session->references != 0 || session->listed) {
        session->ready = false;
        return;
    }
    arb_sql_unlock(service);
    close_engine(session);
    arb_sql_lock(service);
    free_locked(session);
}

/* ---- their lives --------------------------------------------------------------------------------------------------------- */

static void take_out(arb_client_session *session)
{
    arb_sql_service *service = session->service;
    if (!session->listed)
        return;
    session->listed = false;
    service->session_count--;
    session->user->sessions--;
    arb_sql_index_remove(&service->session_index, &session->entry);
    if (session->previous != NULL)
        session->previous->next = session->next;
    else
        service->sessions = session->next;
    if (session->next != NULL)
        session->next->previous = session->previous;
}

static void close_engine(arb_client_session *session)
{
    const arb_sql_sessions *opener = &session->service->opener;
    if (session->engine != NULL && opener->close != NULL)
        opener->close(opener->context, session->engine);
    else
        arb_session_destroy(session->engine);
}

static void free_locked(arb_client_session *session)
{
    arb_sql_user_unref_locked(session->user);
    arb_free(session->operations);
    arb_free(session);
}

void arb_client_sessions_close(arb_sql_service *service)
{
    while (service->sessions != NULL) {
        arb_client_session *session = service->sessions;
        take_out(session);
        close_engine(session);
        free_locked(session);
    }
}

void arb_client_session_forget(arb_client_session *session)
{
    take_out(session);
    if (session->references == 0)
        make_ready(session); /* a worker ends it, since that may take a while */
}

void arb_client_session_unref_locked(arb_client_session *session)
{
    if (--session->references != 0)
        return;
    session->used_ns = arb_clock_monotonic_ns();
    if (!session->named)
        take_out(session);
    if (!session->listed)
        make_ready(session);
}

arb_code arb_client_session_engine(arb_client_session *session, arb_session **out_engine, arb_error *error)
{
    const arb_sql_sessions *opener = &session->service->opener;
    arb_session *engine = session->engine;
    if (engine == NULL) {
        ARB_TRY(opener->open(opener->context, arb_str_of(session->user->name), &engine, error));
        arb_session_settings(engine)->of_client = true;
        arb_sql_lock(session->service); /* who cancels looks at it */
        session->engine = engine;
        arb_sql_unlock(session->service);
    }
    *out_engine = engine;
    return ARB_OK;
}

/* ---- finding them -------------------------------------------------------------------------------------------------------- */

/* A cookie is offered to a client that has none; once it has come back, and names a session with all that is set in it, the
 * client gets it anew with the other mark. So it can be told when that session is there no more. */
enum { OFFERED = 'o', BEGUN = 'b' };

/* How a call says which session it belongs to. */
typedef struct session_key {
    arb_sql_id id;
    bool is_token;
    bool known; /* the client will come back with it */
    bool begun; /* it has been there */
} session_key;

static arb_code token_key(arb_str token, session_key *out_key, arb_error *error)
{
    uint8_t digest[32];
    unsigned size = 0;
    if (EVP_Digest(token.data, token.size, digest, &size, EVP_sha256(), NULL) != 1 || size != sizeof digest)
        return arb_fail(error, ARB_INTERNAL, "a token could not be hashed");
    *out_key = (session_key){.is_token = true, .known = true};
    memcpy(out_key->id.bytes, digest, sizeof out_key->id.bytes);
    return ARB_OK;
}

static arb_code give_cookie(arb_sql_service *service, arb_rpc_call *call, arb_sql_id id, char mark, arb_error *error)
{
    arb_text cookie = {0};
    arb_text_append_str(&cookie, ARB_STR(ARB_SQL_SESSION_COOKIE "="));
    arb_text_append_char(&cookie, mark);
    arb_code code = arb_sql_seal_session(&service->sealer, arb_rpc_identity(call), id, &cookie, error);
    arb_text_append_str(&cookie, ARB_STR("; Path=/; HttpOnly"));
    if (code == ARB_OK)
        code = arb_text_check(&cookie, error);
    if (code == ARB_OK)
        code = arb_rpc_add_header(call, ARB_STR("set-cookie"), arb_text_view(&cookie), error);
    arb_text_reset(&cookie);
    return code;
}

arb_code arb_client_session_take_cookie(arb_rpc_call *call, arb_error *error)
{
    return arb_rpc_add_header(call, ARB_STR("set-cookie"), ARB_STR(ARB_SQL_SESSION_COOKIE "=; Path=/; Max-Age=0"),
                              error);
}

/* Its settings and temporary tables are gone: nothing of the client's may run as if they were there. Told once. */
static arb_code fail_ended(arb_rpc_call *call, const session_key *key, arb_error *error)
{
    if (!key->is_token)
        ARB_TRY(arb_client_session_take_cookie(call, error));
    (void)arb_fail(error, ARB_SESSION_ENDED,
                   "the session has ended, and with it what was set in it and its temporary tables");
    arb_error_hint(error, "It was idle for too long or the server began anew. The next statement begins a new one.");
    return ARB_SESSION_ENDED;
}

/* What was offered by an earlier process, or is not ours, counts as none: the client gets another one. */
static arb_code read_key(arb_sql_service *service, arb_rpc_call *call, session_key *out_key, arb_error *error)
{
    const arb_rpc_metadata *headers = arb_rpc_request_headers(call);
    arb_str cookie = arb_cookie_find(headers, ARB_STR(ARB_SQL_SESSION_COOKIE)), token;
    *out_key = (session_key){0};
    if (cookie.size > 1) {
        arb_code code = arb_sql_open_session(&service->sealer, arb_rpc_identity(call),
                                             (arb_str){cookie.data + 1, cookie.size - 1}, &out_key->id, error);
        out_key->known = code == ARB_OK;
        out_key->begun = cookie.data[0] == BEGUN;
        if (code != ARB_ACCESS_DENIED)
            return code;
        arb_error_clear(error);
        if (out_key->begun)
            return fail_ended(call, out_key, error);
    }
    if (arb_auth_read_bearer(arb_rpc_metadata_find(headers, ARB_STR("authorization")), &token))
        return token_key(token, out_key, error);
    ARB_TRY(arb_sql_id_make(&out_key->id, error));
    return give_cookie(service, call, out_key->id, OFFERED, error);
}

/* With the lock held: a token's session that ended without its client's knowing, which shall hear of it. Few come back: of two
 * that have the same place here the later one is remembered. */
static arb_sql_id *place_of_ended(arb_sql_service *service, arb_sql_id id)
{
    return &service->ended[arb_sql_id_key(id) % ARB_SQL_ENDED_SESSIONS];
}

static void end_unasked(arb_client_session *session)
{
    if (session->is_token)
        *place_of_ended(session->service, session->id) = session->id;
    arb_client_session_forget(session);
}

static bool has_ended(arb_sql_service *service, const session_key *key)
{
    arb_sql_id *place = place_of_ended(service, key->id);
    if (!key->is_token)
        return key->begun;
    if (!arb_sql_id_equal(*place, key->id))
        return false;
    *place = (arb_sql_id){0};
    return true;
}

/* A user with more than his share of sessions loses the one that was idle the longest; nobody loses one for others. */
static bool make_room(arb_sql_user *user)
{
    arb_sql_service *service = user->service;
    arb_client_session *oldest = NULL;
    bool has_share = user->sessions >= service->sessions_most - service->sessions_most / 4;
    if (!has_share)
        return service->session_count < service->sessions_most;
    for (arb_client_session *session = service->sessions; session != NULL; session = session->next)
        if (session->user == user && session->references == 0 && (oldest == NULL || session->used_ns < oldest->used_ns))
            oldest = session;
    if (oldest != NULL)
        end_unasked(oldest);
    return oldest != NULL;
}

int64_t arb_client_sessions_expire(arb_sql_service *service, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    for (arb_client_session *session = service->sessions, *after; session != NULL; session = after) {
        after = session->next;
        if (session->references != 0)
            continue;
        int64_t end_ns = session->used_ns + service->session_ns;
        if (end_ns <= now_ns)
            end_unasked(session);
        else
            next_ns = ARB_MIN(next_ns, end_ns);
    }
    return next_ns;
}

static arb_client_session *find_listed(const arb_sql_service *service, const session_key *key, const arb_sql_user *user)
{
    uint64_t hash = arb_sql_id_key(key->id);
    for (const arb_sql_entry *entry = NULL;
         (entry = arb_sql_index_next(&service->session_index, hash, entry)) != NULL;) {
        arb_client_session *session = entry->item;
        if (session->is_token == key->is_token && arb_sql_id_equal(session->id, key->id) && session->user == user)
            return session;
    }
    return NULL;
}

static arb_client_session *new_session(arb_sql_user *user, const session_key *key)
{
    arb_client_session *session = arb_alloc_zeroed(sizeof *session);
    if (session == NULL)
        return NULL;
    session->service = user->service;
    session->id = key->id;
    session->is_token = key->is_token;
    session->user = user;
    session->last = &session->first;
    return session;
}

static void put_in(arb_client_session *session)
{
    arb_sql_service *service = session->service;
    session->listed = true;
    session->user->references++;
    session->user->sessions++;
    session->next = service->sessions;
    if (session->next != NULL)
        session->next->previous = session;
    service->sessions = session;
    service->session_count++;
    arb_sql_index_put(&service->session_index, &session->entry, arb_sql_id_key(session->id), session);
}

/* With the lock held: NULL with ARB_OK when there is none and it has not ended. */
static arb_code find_or_begin(arb_sql_user *user, arb_rpc_call *call, const session_key *key,
                              arb_client_session **fresh, arb_client_session **out_session, arb_error *error)
{
    arb_sql_service *service = user->service;
    *out_session = key->known ? find_listed(service, key, user) : NULL;
    if (*out_session != NULL)
        return ARB_OK;
    if (key->known && has_ended(service, key))
        return fail_ended(call, key, error);
    if (*fresh == NULL)
        return arb_fail_memory(error, "a session", sizeof **fresh);
    if (!make_room(user)) {
        (void)arb_fail(error, ARB_RESOURCES_EXHAUSTED, "there are %zu sessions, of which %zu are yours",
                       service->session_count, user->sessions);
        arb_error_hint(error, "Close sessions that are not used, or use one for several statements.");
        return ARB_RESOURCES_EXHAUSTED;
    }
    put_in(*fresh);
    *out_session = *fresh;
    *fresh = NULL;
    return ARB_OK;
}

static arb_code take(arb_sql_service *service, arb_rpc_call *call, const session_key *key,
                     arb_client_session **out_session, arb_error *error)
{
    arb_sql_user *user;
    ARB_TRY(arb_sql_user_find(service, arb_rpc_identity(call), &user, error));
    arb_client_session *fresh = new_session(user, key);
    arb_sql_lock(service);
    arb_code code = find_or_begin(user, call, key, &fresh, out_session, error);
    if (code == ARB_OK) {
        (*out_session)->references++;
        (*out_session)->named |= key->known;
    }
    arb_sql_user_unref_locked(user);
    arb_sql_unlock(service);
    arb_free(fresh);
    return code;
}

arb_code arb_client_session_find(arb_sql_service *service, arb_rpc_call *call, arb_client_session **out_session,
                                 arb_error *error)
{
    session_key key;
    *out_session = NULL;
    ARB_TRY(read_key(service, call, &key, error));
    if (key.known && !key.is_token && !key.begun)
        ARB_TRY(give_cookie(service, call, key.id, BEGUN, error));
    return take(service, call, &key, out_session, error);
}

arb_code arb_client_session_begin(arb_sql_service *service, arb_rpc_call *call, arb_client_session **out_session,
                                  arb_error *error)
{
    session_key key = {0};
    *out_session = NULL;
    ARB_TRY(arb_sql_id_make(&key.id, error));
    return take(service, call, &key, out_session, error);
}
