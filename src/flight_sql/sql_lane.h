/* sql_lane.h: the threads of a service, and whose work they do.
 *
 * A statement's turn may last long: until a table is written, until rows come. It has a thread meanwhile. That this keeps nobody
 * else from his work:
 *
 *   - what is answered soon (listings, Prepare, settings, polls) has a lane, and threads, of its own;
 *   - a lane starts threads when all are busy, up to its bound;
 *   - one user has at most a share of them; who has none gets one, whatever the bound;
 *   - users wait in turns: who wants much waits behind his own work, not others behind it.
 *
 * Calls that cancel, renew and log in need no thread of these. */
#ifndef ARB_FLIGHT_SQL_SQL_LANE_H
#define ARB_FLIGHT_SQL_SQL_LANE_H

#include <pthread.h>

#include "base/error.h"
#include "base/text.h"
#include "flight_sql/sql_index.h"

typedef struct arb_sql_service arb_sql_service;
typedef struct arb_sql_user arb_sql_user;
typedef struct arb_sql_errand arb_sql_errand;

typedef enum arb_sql_lane_kind { ARB_SQL_BRIEF, ARB_SQL_LONG, ARB_SQL_LANE_COUNT } arb_sql_lane_kind;

/* What a thread is to do. Lies in a session or statement. */
struct arb_sql_errand {
    arb_sql_errand *next;
    /* With the service's lock held, which is given back meanwhile; the errand may be gone afterwards. */
    void (*run)(arb_sql_errand *errand);
};

typedef struct arb_sql_lane {
    arb_sql_service *service;
    unsigned most, share; /* threads, and those of one user */
    pthread_cond_t work;
    /* The service's lock: */
    arb_sql_user *first, **last; /* users with errands that wait */
    unsigned busy, idle, started;
    pthread_t *threads;
} arb_sql_lane;

/* What a user has of a lane. The service's lock. */
typedef struct arb_sql_claim {
    arb_sql_errand *first, **last;
    arb_sql_user *next; /* of those whose errands wait */
    unsigned busy;      /* threads */
} arb_sql_claim;

/* A user while anything of his is there. The service's lock. */
struct arb_sql_user {
    arb_sql_entry entry;
    arb_sql_service *service;
    char *name;
    unsigned references;
    size_t held; /* bytes, arb_sql_hold */
    size_t sessions;
    arb_sql_claim claims[ARB_SQL_LANE_COUNT];
};

/* Whoever calls, with a count; the service's lock is taken. */
ARB_NODISCARD arb_code arb_sql_user_find(arb_sql_service *service, arb_str name, arb_sql_user **out_user,
                                         arb_error *error);
void arb_sql_user_unref_locked(arb_sql_user *user);

/* Both lanes of a service, before they are used; `most`: threads for what may last. */
void arb_sql_lanes_init(arb_sql_service *service, unsigned most);
/* Their first threads. */
ARB_NODISCARD arb_code arb_sql_lanes_begin(arb_sql_service *service, arb_error *error);
/* Waits until all errands are done and the threads have ended. */
void arb_sql_lanes_end(arb_sql_service *service);
/* With the lock held: somebody will run it. */
void arb_sql_lane_add(arb_sql_lane *lane, arb_sql_user *user, arb_sql_errand *errand);

#endif
