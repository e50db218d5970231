#include "flight_sql/sql_lane.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/thread.h"
#include "flight_sql/sql_service_internal.h"

enum {
    BRIEF_THREADS = 4,
    STACK = 8 << 20, /* statements are parsed and bound there */
};

/* ---- users --------------------------------------------------------------------------------------------------------------- */

static arb_sql_user *new_user(arb_sql_service *service, arb_str name)
{
    arb_sql_user *user = arb_alloc_zeroed(sizeof *user);
    char *copy = arb_strndup(name.data != NULL ? name.data : "", name.size);
    if (user == NULL || copy == NULL) {
        arb_free(user);
        arb_free(copy);
        return NULL;
    }
    user->service = service;
    user->name = copy;
    for (int i = 0; i < ARB_SQL_LANE_COUNT; i++)
        user->claims[i].last = &user->claims[i].first;
    return user;
}

static void free_user(arb_sql_user *user)
{
    if (user != NULL)
        arb_free(user->name);
    arb_free(user);
}

static arb_sql_user *find_user(const arb_sql_index *users, uint64_t key, arb_str name)
{
    for (const arb_sql_entry *entry = NULL; (entry = arb_sql_index_next(users, key, entry)) != NULL;)
        if (arb_str_equal(arb_str_of(((const arb_sql_user *)entry->item)->name), name))
            return entry->item;
    return NULL;
}

arb_code arb_sql_user_find(arb_sql_service *service, arb_str name, arb_sql_user **out_user, arb_error *error)
{
    uint64_t key = arb_hash_bytes(name.data, name.size);
    arb_sql_user *fresh = NULL;
    arb_sql_lock(service);
    arb_sql_user *user = find_user(&service->users, key, name);
    if (user == NULL) {
        arb_sql_unlock(service);
        fresh = new_user(service, name);
        arb_sql_lock(service);
        user = find_user(&service->users, key, name);
        if (user == NULL && fresh != NULL) {
            user = fresh;
            fresh = NULL;
            arb_sql_index_put(&service->users, &user->entry, key, user);
            service->user_count++;
        }
    }
    if (user != NULL)
        user->references++;
    arb_sql_unlock(service);
    free_user(fresh);
    *out_user = user;
    return user != NULL ? ARB_OK : arb_fail_memory(error, "a user", sizeof *user);
}

void arb_sql_user_unref_locked(arb_sql_user *user)
{
    if (--user->references != 0)
        return;
    arb_sql_index_remove(&user->service->users, &user->entry);
    user->service->user_count--;
    free_user(user);
}

/* ---- whose errand comes next --------------------------------------------------------------------------------------------- */

static arb_sql_claim *claim_of(arb_sql_user *user, const arb_sql_lane *lane)
{
    return &user->claims[lane - lane->service->lanes];
}

static bool may_begin(const arb_sql_lane *lane, const arb_sql_claim *claim)
{
    return claim->busy == 0 || (claim->busy < lane->share && lane->busy < lane->most);
}

/* The place in the list of the first user whose errand may begin; what is there is NULL when there is none. */
static arb_sql_user **find_next(arb_sql_lane *lane)
{
    arb_sql_user **at = &lane->first;
    while (*at != NULL && !may_begin(lane, claim_of(*at, lane)))
        at = &claim_of(*at, lane)->next;
    return at;
}

static void join_list(arb_sql_lane *lane, arb_sql_user *user)
{
    arb_sql_claim *claim = claim_of(user, lane);
    claim->next = NULL;
    *lane->last = user;
    lane->last = &claim->next;
}

static void leave_list(arb_sql_lane *lane, arb_sql_user **at)
{
    arb_sql_claim *claim = claim_of(*at, lane);
    *at = claim->next;
    if (lane->last == &claim->next)
        lane->last = at;
}

/* The user's next errand; his others wait behind those of all other users. */
static arb_sql_errand *take(arb_sql_lane *lane, arb_sql_user **at)
{
    arb_sql_user *user = *at;
    arb_sql_claim *claim = claim_of(user, lane);
    arb_sql_errand *errand = claim->first;
    leave_list(lane, at);
    claim->first = errand->next;
    if (claim->first != NULL)
        join_list(lane, user);
    else
        claim->last = &claim->first;
    return errand;
}

/* ---- threads ------------------------------------------------------------------------------------------------------------- */

static void *work(void *context);

/* With the lock held. Without another thread, those that are there have more to do. */
static arb_code start_thread(arb_sql_lane *lane, arb_error *error)
{
    pthread_attr_t attributes;
    pthread_t *threads = arb_realloc(lane->threads, (lane->started + 1) * sizeof *threads);
    if (threads == NULL)
        return arb_fail_memory(error, "the threads of statements", (lane->started + 1) * sizeof *threads);
    lane->threads = threads;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    int failure = arb_thread_create(&threads[lane->started], &attributes, work, lane);
    pthread_attr_destroy(&attributes);
    lane->started += failure == 0;
    return failure == 0 ? ARB_OK : arb_fail_errno(error, failure, "cannot start a thread");
}

/* With the lock held: if there is an errand that may begin, somebody comes for it. Who takes one looks for the next, too. */
static void call_somebody(arb_sql_lane *lane)
{
    if (*find_next(lane) == NULL)
        return;
    if (lane->idle != 0)
        pthread_cond_signal(&lane->work);
    else if (lane->started < lane->most + lane->service->user_count)
        (void)!start_thread(lane, NULL);
}

/* With the lock held: neither lane has errands any more, nor somebody who may give the other one some. */
static bool all_is_done(const arb_sql_service *service)
{
    for (int i = 0; i < ARB_SQL_LANE_COUNT; i++)
        if (service->lanes[i].first != NULL || service->lanes[i].busy != 0)
            return false;
    return true;
}

static void call_everybody(arb_sql_service *service)
{
    for (int i = 0; i < ARB_SQL_LANE_COUNT; i++)
        pthread_cond_broadcast(&service->lanes[i].work);
}

static void *work(void *context)
{
    arb_sql_lane *lane = context;
    arb_sql_service *service = lane->service;
    arb_sql_lock(service);
    for (;;) {
        arb_sql_user **at = find_next(lane), *user = *at;
        if (user == NULL && service->stopping && all_is_done(service))
            break;
        if (user == NULL) {
            lane->idle++;
            pthread_cond_wait(&lane->work, &service->lock);
            lane->idle--;
            continue;
        }
        arb_sql_errand *errand = take(lane, at);
        arb_sql_claim *claim = claim_of(user, lane);
        user->references++;
        claim->busy++;
        lane->busy++;
        call_somebody(lane);
        errand->run(errand);
        lane->busy--;
        claim->busy--;
        arb_sql_user_unref_locked(user);
    }
    call_everybody(service); /* to see that all is done */
    arb_sql_unlock(service);
    return NULL;
}

void arb_sql_lane_add(arb_sql_lane *lane, arb_sql_user *user, arb_sql_errand *errand)
{
    arb_sql_claim *claim = claim_of(user, lane);
    if (claim->first == NULL)
        join_list(lane, user);
    errand->next = NULL;
    *claim->last = errand;
    claim->last = &errand->next;
    call_somebody(lane);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

void arb_sql_lanes_init(arb_sql_service *service, unsigned most)
{
    for (int i = 0; i < ARB_SQL_LANE_COUNT; i++) {
        arb_sql_lane *lane = &service->lanes[i];
        unsigned bound = i == ARB_SQL_BRIEF ? BRIEF_THREADS : most;
        *lane = (arb_sql_lane){.service = service, .most = bound, .share = bound - bound / 4};
        lane->last = &lane->first;
        pthread_cond_init(&lane->work, NULL);
    }
}

arb_code arb_sql_lanes_begin(arb_sql_service *service, arb_error *error)
{
    arb_code code = ARB_OK;
    arb_sql_lock(service);
    for (int i = 0; i < ARB_SQL_LANE_COUNT && code == ARB_OK; i++)
        code = start_thread(&service->lanes[i], error);
    arb_sql_unlock(service);
    return code;
}

/* Others may be started while some are waited for. */
static void join_threads(arb_sql_lane *lane)
{
    for (unsigned i = 0;; i++) {
        arb_sql_lock(lane->service);
        bool there = i < lane->started;
        pthread_t thread = there ? lane->threads[i] : pthread_self();
        arb_sql_unlock(lane->service);
        if (!there)
            return;
        pthread_join(thread, NULL);
    }
}

void arb_sql_lanes_end(arb_sql_service *service)
{
    arb_sql_lock(service);
    service->stopping = true;
    call_everybody(service);
    arb_sql_unlock(service);
    for (int i = 0; i < ARB_SQL_LANE_COUNT; i++)
        join_threads(&service->lanes[i]);
    for (int i = 0; i < ARB_SQL_LANE_COUNT; i++) {
        pthread_cond_destroy(&service->lanes[i].work);
        arb_free(service->lanes[i].threads);
    }
}
