#include "flight_sql/login.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "flight_sql/users_file.h"
#include "rpc/auth_metadata.h"
#include "runtime/workers.h"

enum {
    HASHERS = 2,
    HASHER_STACK = 1 << 20,
    PASSWORD_MOST = 511, /* what crypt takes */
    USUAL_TOKENS = 10000,
    USUAL_WAITING = 100,
};

static const int64_t usual_token_ns = INT64_C(12) * 3600 * 1000000000;

typedef struct login_token {
    uint8_t hash[32];
    int64_t until_ns;
    char user[ARB_LOGIN_USER_MOST + 1];
} login_token;

/* A Handshake that waits for a thread. */
typedef struct login_attempt {
    struct login_attempt *next;
    arb_rpc_call *call; /* a count */
    size_t password_size;
    char user[ARB_LOGIN_USER_MOST + 1], password[PASSWORD_MOST + 1];
} login_attempt;

struct arb_login {
    char *users_file; /* or NULL */
    int64_t token_ns;
    size_t tokens_most, waiting_most;
    arb_workers hashers; /* its lock guards the rest */
    login_attempt *first, **last;
    size_t waiting;
    login_token *tokens; /* a ring: the oldest is overwritten */
    size_t token_count, next_token;
};

/* ---- passwords ----------------------------------------------------------------------------------------------------------- */

static arb_code refuse(arb_error *error)
{
    return arb_fail(error, ARB_NOT_AUTHENTICATED, "user or password is wrong");
}

/* A user that does not exist takes as long as one that does. */
static arb_code check_password(const arb_login *login, arb_str user, const char *password, arb_error *error)
{
    arb_arena arena = {0};
    arb_str hash, any;
    struct crypt_data *scratch = NULL;
    arb_code code = arb_users_file_find(login->users_file, user, &arena, &hash, &any, error);
    if (code == ARB_OK && any.data == NULL)
        code = refuse(error);
    if (code == ARB_OK && (scratch = arb_alloc_zeroed(sizeof *scratch)) == NULL)
        code = arb_fail_memory(error, "a login", sizeof *scratch);
    if (code == ARB_OK) {
        const arb_str expected = hash.data != NULL ? hash : any;
        const char *made = crypt_r(password, expected.data, scratch);
        bool same = made != NULL && arb_auth_equal(arb_str_of(made), expected);
        if (!same || hash.data == NULL)
            code = refuse(error);
        explicit_bzero(scratch, sizeof *scratch);
    }
    arb_free(scratch);
    arb_arena_reset(&arena);
    return code;
}

/* ---- tokens -------------------------------------------------------------------------------------------------------------- */

static bool hash_token(arb_str token, uint8_t out[32])
{
    unsigned size = 0;
    return EVP_Digest(token.data, token.size, out, &size, EVP_sha256(), NULL) == 1 && size == 32;
}

static arb_code make_token(arb_login *login, arb_str user, char out_token[ARB_LOGIN_TOKEN_BYTES + 1], arb_error *error)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[ARB_LOGIN_TOKEN_BYTES / 2], hash[32];
    if (RAND_bytes(random, sizeof random) != 1)
        return arb_fail(error, ARB_INTERNAL, "no random bytes could be had for a token");
    for (size_t i = 0; i < sizeof random; i++) {
        out_token[2 * i] = digits[random[i] >> 4];
        out_token[2 * i + 1] = digits[random[i] & 15];
    }
    out_token[ARB_LOGIN_TOKEN_BYTES] = '\0';
    if (!hash_token((arb_str){out_token, ARB_LOGIN_TOKEN_BYTES}, hash))
        return arb_fail(error, ARB_INTERNAL, "a token could not be hashed");
    pthread_mutex_lock(&login->hashers.lock);
    login_token *token = &login->tokens[login->next_token];
    login->next_token = (login->next_token + 1) % login->tokens_most;
    login->token_count = ARB_MIN(login->token_count + 1, login->tokens_most);
    memcpy(token->hash, hash, sizeof hash);
    token->until_ns = arb_clock_monotonic_ns() + login->token_ns;
    memcpy(token->user, user.data, user.size);
    token->user[user.size] = '\0';
    pthread_mutex_unlock(&login->hashers.lock);
    return ARB_OK;
}

bool arb_login_user(arb_login *login, arb_str token, char out_user[ARB_LOGIN_USER_MOST + 1])
{
    uint8_t hash[32];
    bool found = false;
    if (token.size != ARB_LOGIN_TOKEN_BYTES || !hash_token(token, hash))
        return false;
    int64_t now_ns = arb_clock_monotonic_ns();
    pthread_mutex_lock(&login->hashers.lock);
    for (size_t i = 0; i < login->token_count && !found; i++) {
        const login_token *known = &login->tokens[i];
        found = known->until_ns > now_ns && memcmp(known->hash, hash, sizeof hash) == 0; /* hashes tell nothing */
        if (found)
            memcpy(out_user, known->user, sizeof known->user);
    }
    pthread_mutex_unlock(&login->hashers.lock);
    return found;
}

arb_code arb_login_enter(arb_login *login, arb_str user, arb_str password, char out_token[ARB_LOGIN_TOKEN_BYTES + 1],
                         arb_error *error)
{
    char ended[PASSWORD_MOST + 1];
    if (login->users_file == NULL)
        return make_token(login, ARB_STR(""), out_token, error);
    bool usable = user.size <= ARB_LOGIN_USER_MOST && password.size <= PASSWORD_MOST &&
                  (password.size == 0 || memchr(password.data, '\0', password.size) == NULL);
    if (!usable)
        return refuse(error);
    if (password.size != 0)
        memcpy(ended, password.data, password.size);
    ended[password.size] = '\0';
    arb_code code = check_password(login, user, ended, error);
    explicit_bzero(ended, sizeof ended);
    return code == ARB_OK ? make_token(login, user, out_token, error) : code;
}

/* ---- Handshake ----------------------------------------------------------------------------------------------------------- */

static void free_attempt(login_attempt *attempt)
{
    arb_rpc_call_unref(attempt->call);
    explicit_bzero(attempt->password, sizeof attempt->password);
    arb_free(attempt);
}

static void answer(arb_login *login, login_attempt *attempt)
{
    arb_error error = {0};
    char token[ARB_LOGIN_TOKEN_BYTES + 1], value[sizeof "Bearer " + ARB_LOGIN_TOKEN_BYTES] = "Bearer ";
    arb_code code = arb_login_enter(login, arb_str_of(attempt->user),
                                    (arb_str){attempt->password, attempt->password_size}, token, &error);
    if (code == ARB_OK) {
        memcpy(value + strlen("Bearer "), token, sizeof token);
        code = arb_rpc_add_header(attempt->call, ARB_STR("authorization"), arb_str_of(value), &error);
    }
    arb_rpc_finish(attempt->call, code, &error);
}

static void *hash(void *context)
{
    arb_login *login = context;
    pthread_mutex_lock(&login->hashers.lock);
    while (!login->hashers.stopping) {
        login_attempt *attempt = login->first;
        if (attempt == NULL) {
            pthread_cond_wait(&login->hashers.work, &login->hashers.lock);
            continue;
        }
        login->first = attempt->next;
        if (login->first == NULL)
            login->last = &login->first;
        login->waiting--;
        pthread_mutex_unlock(&login->hashers.lock);
        answer(login, attempt);
        free_attempt(attempt);
        pthread_mutex_lock(&login->hashers.lock);
    }
    pthread_mutex_unlock(&login->hashers.lock);
    return NULL;
}

static arb_code read_attempt(const arb_login *login, arb_rpc_call *call, login_attempt *attempt, arb_error *error)
{
    arb_str user, password;
    arb_str value = arb_rpc_metadata_find(arb_rpc_request_headers(call), ARB_STR("authorization"));
    if (login->users_file == NULL)
        return ARB_OK;
    ARB_TRY(arb_auth_read_basic(value, arb_rpc_arena(call), &user, &password, error));
    if (user.size > ARB_LOGIN_USER_MOST || password.size > PASSWORD_MOST || memchr(user.data, '\0', user.size) != NULL)
        return refuse(error);
    memcpy(attempt->user, user.data, user.size);
    memcpy(attempt->password, password.data, password.size);
    attempt->password_size = password.size;
    explicit_bzero((char *)(uintptr_t)password.data, password.size);
    return ARB_OK;
}

static arb_code enqueue(arb_login *login, login_attempt *attempt, arb_error *error)
{
    pthread_mutex_lock(&login->hashers.lock);
    arb_code code = login->waiting < login->waiting_most
                        ? arb_workers_start(&login->hashers, hash, login, HASHER_STACK, error)
                        : arb_fail(error, ARB_RESOURCES_EXHAUSTED, "too many clients log in at once");
    if (code == ARB_OK) {
        *login->last = attempt;
        login->last = &attempt->next;
        login->waiting++;
        pthread_cond_signal(&login->hashers.work);
    }
    pthread_mutex_unlock(&login->hashers.lock);
    return code;
}

void arb_login_handshake(arb_login *login, arb_rpc_call *call)
{
    static const arb_rpc_events no_events = {0};
    arb_error error = {0};
    login_attempt *attempt = arb_alloc_zeroed(sizeof *attempt);
    arb_rpc_handle(call, &no_events, NULL);
    if (attempt == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "a login", sizeof *attempt), &error);
        return;
    }
    attempt->call = arb_rpc_call_ref(call);
    arb_code code = read_attempt(login, call, attempt, &error);
    if (code == ARB_OK)
        code = enqueue(login, attempt, &error);
    if (code == ARB_OK)
        return;
    arb_rpc_finish(call, code, &error);
    free_attempt(attempt);
}

/* ---- the gate ------------------------------------------------------------------------------------------------------------ */

static arb_code admit(void *context, arb_rpc_call *call, arb_error *error)
{
    arb_login *login = context;
    arb_str token;
    char user[ARB_LOGIN_USER_MOST + 1];
    if (login->users_file == NULL || arb_str_ends_with(arb_rpc_method(call), ARB_STR("/Handshake")))
        return ARB_OK;
    if (arb_auth_read_bearer(arb_rpc_metadata_find(arb_rpc_request_headers(call), ARB_STR("authorization")), &token) &&
        arb_login_user(login, token, user))
        return arb_rpc_set_identity(call, arb_str_of(user), error);
    (void)arb_fail(error, ARB_NOT_AUTHENTICATED, "log in first");
    arb_error_hint(error, "A login ends after some time, and with the server.");
    return ARB_NOT_AUTHENTICATED;
}

arb_rpc_gate arb_login_gate(arb_login *login)
{
    return (arb_rpc_gate){admit, login};
}

/* ---- its life ------------------------------------------------------------------------------------------------------------ */

static arb_code begin(arb_login *login, const arb_login_options *options, arb_error *error)
{
    arb_arena arena = {0};
    arb_str hash_of_nobody, any;
    login->tokens = arb_alloc_zeroed(login->tokens_most * sizeof *login->tokens);
    if (login->tokens == NULL)
        return arb_fail_memory(error, "logins", login->tokens_most * sizeof *login->tokens);
    if (options->users_file == NULL)
        return ARB_OK;
    login->users_file = arb_strndup(options->users_file, strlen(options->users_file));
    if (login->users_file == NULL)
        return arb_fail_memory(error, "logins", strlen(options->users_file));
    arb_code code = arb_users_file_find(login->users_file, ARB_STR(""), &arena, &hash_of_nobody, &any, error);
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_login_create(const arb_login_options *options, arb_login **out_login, arb_error *error)
{
    *out_login = NULL;
    arb_login *login = arb_alloc_zeroed(sizeof *login);
    if (login == NULL)
        return arb_fail_memory(error, "logins", sizeof *login);
    login->token_ns = options->token_ns > 0 ? options->token_ns : usual_token_ns;
    login->tokens_most = options->tokens_most > 0 ? options->tokens_most : USUAL_TOKENS;
    login->waiting_most = options->waiting_most > 0 ? options->waiting_most : USUAL_WAITING;
    login->last = &login->first;
    arb_code code = arb_workers_init(&login->hashers, HASHERS, "the threads of logins", error);
    if (code != ARB_OK) {
        arb_free(login);
        return code;
    }
    code = begin(login, options, error);
    if (code != ARB_OK) {
        arb_login_destroy(login);
        return code;
    }
    *out_login = login;
    return ARB_OK;
}

void arb_login_destroy(arb_login *login)
{
    if (login == NULL)
        return;
    arb_workers_reset(&login->hashers);
    while (login->first != NULL) {
        login_attempt *attempt = login->first;
        login->first = attempt->next;
        free_attempt(attempt);
    }
    arb_free(login->tokens);
    arb_free(login->users_file);
    arb_free(login);
}
