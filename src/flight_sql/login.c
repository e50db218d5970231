#include "flight_sql/login.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "flight_sql/login_token.h"
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

static const int64_t usual_token_ns = INT64_C(12) * 3600 * 1000000000, LOOK_NS = 1000000000;

static void *hash(void *context);

typedef struct login_token {
    arb_sql_entry entry; /* once it was made */
    uint8_t hash[32];
    int64_t until_ns;
    uint64_t line; /* of the users' file, when he logged in */
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
    arb_sql_index by_hash;
    size_t token_count, next_token;
    int64_t look_ns;    /* when to see whether the users' file has changed */
    struct stat looked; /* as it was when tokens were held against it */
    bool has_changed;   /* for a hasher to look at */
};

/* ---- passwords ----------------------------------------------------------------------------------------------------------- */

static arb_code refuse(arb_error *error)
{
    return arb_fail(error, ARB_NOT_AUTHENTICATED, "user or password is wrong");
}

/* A user that does not exist takes as long as one that does. */
static arb_code check_password(const arb_login *login, arb_str user, const char *password, uint64_t *out_line,
                               arb_error *error)
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
        *out_line = arb_user_line_key(user, expected);
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

static uint64_t key_of(const uint8_t hash[32])
{
    uint64_t key;
    memcpy(&key, hash, sizeof key);
    return key;
}

static arb_code make_token(arb_login *login, arb_str user, uint64_t line, char out_token[ARB_LOGIN_TOKEN_BYTES + 1],
                           arb_error *error)
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
    if (token->entry.item != NULL)
        arb_sql_index_remove(&login->by_hash, &token->entry);
    arb_sql_index_put(&login->by_hash, &token->entry, key_of(hash), token);
    login->next_token = (login->next_token + 1) % login->tokens_most;
    login->token_count = ARB_MIN(login->token_count + 1, login->tokens_most);
    memcpy(token->hash, hash, sizeof hash);
    token->until_ns = arb_clock_monotonic_ns() + login->token_ns;
    token->line = line;
    memcpy(token->user, user.data, user.size);
    token->user[user.size] = '\0';
    pthread_mutex_unlock(&login->hashers.lock);
    return ARB_OK;
}

/* ---- changes of the users' file ------------------------------------------------------------------------------------------ */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Half of it would be fewer users. A time to come says nothing: clocks differ. */
static bool is_being_written(const struct stat *file)
{
    int64_t age_us = arb_clock_wall_us() - (int64_t)file->st_mtim.tv_sec * 1000000 - file->st_mtim.tv_nsec / 1000;
    return age_us >= 0 && age_us < LOOK_NS / 1000;
}

/* With the lock held: once in a while, has it changed? A hasher reads it then. */
static void look_at_file(arb_login *login, int64_t now_ns)
{
    struct stat now;
    if (login->users_file == NULL || now_ns < login->look_ns)
        return;
    login->look_ns = now_ns + LOOK_NS;
    if (stat(login->users_file, &now) != 0 || is_same_file(&now, &login->looked) || is_being_written(&now))
        return;
    login->looked = now;
    login->has_changed = true;
    if (arb_workers_start(&login->hashers, hash, login, HASHER_STACK, NULL) == ARB_OK)
        pthread_cond_signal(&login->hashers.work);
}

/* On a hasher, with the lock held, which is given back meanwhile: the tokens of those end who are not in the file any more, or
 * with another password. A file that cannot be read, half written perhaps, changes nothing; it is looked at again. */
static void hold_against_file(arb_login *login)
{
    arb_arena arena = {0};
    arb_sql_index *users = ARB_ARENA_NEW(&arena, arb_sql_index);
    int64_t begun_ns = arb_clock_monotonic_ns();
    login->has_changed = false;
    pthread_mutex_unlock(&login->hashers.lock);
    arb_code code = users != NULL ? arb_users_file_list(login->users_file, &arena, users, NULL) : ARB_OUT_OF_MEMORY;
    pthread_mutex_lock(&login->hashers.lock);
    if (code != ARB_OK)
        login->looked = (struct stat){0};
    for (size_t i = 0; code == ARB_OK && i < login->token_count; i++) {
        login_token *token = &login->tokens[i];
        bool is_older = token->until_ns - login->token_ns < begun_ns;
        if (is_older && arb_sql_index_next(users, token->line, NULL) == NULL)
            token->until_ns = 0;
    }
    arb_arena_reset(&arena);
}

bool arb_login_user(arb_login *login, arb_str token, char out_user[ARB_LOGIN_USER_MOST + 1])
{
    uint8_t hash_of_it[32];
    bool found = false;
    if (token.size != ARB_LOGIN_TOKEN_BYTES || !hash_token(token, hash_of_it))
        return false;
    int64_t now_ns = arb_clock_monotonic_ns();
    pthread_mutex_lock(&login->hashers.lock);
    look_at_file(login, now_ns);
    uint64_t key = key_of(hash_of_it);
    for (const arb_sql_entry *entry = NULL;
         !found && (entry = arb_sql_index_next(&login->by_hash, key, entry)) != NULL;) {
        const login_token *known = entry->item;
        found = known->until_ns > now_ns && memcmp(known->hash, hash_of_it, sizeof hash_of_it) == 0;
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
        return make_token(login, ARB_STR(""), 0, out_token, error);
    bool usable = user.size <= ARB_LOGIN_USER_MOST && password.size <= PASSWORD_MOST &&
                  (password.size == 0 || memchr(password.data, '\0', password.size) == NULL);
    if (!usable)
        return refuse(error);
    if (password.size != 0)
        memcpy(ended, password.data, password.size);
    ended[password.size] = '\0';
    uint64_t line = 0;
    arb_code code = check_password(login, user, ended, &line, error);
    explicit_bzero(ended, sizeof ended);
    return code == ARB_OK ? make_token(login, user, line, out_token, error) : code;
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
        if (login->has_changed) {
            hold_against_file(login);
            continue;
        }
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
    (void)!stat(login->users_file, &login->looked); /* or it is looked at when somebody comes */
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
