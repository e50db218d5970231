/* memory_store.h: a store that lasts as long as its process.
 *
 * A skip list under one lock. Each one made is a new cluster with a new id, so executors that served an earlier one drop
 * what they hold. Transactions end within submit. */
#ifndef ARB_STATE_MEMORY_STORE_H
#define ARB_STATE_MEMORY_STORE_H

#include "state/store.h"

/* Destroy with arb_store_destroy. */
ARB_NODISCARD arb_code arb_memory_store_create(arb_store **out_store, arb_error *error);
/* The same with a given id, for tests that must run twice alike. */
ARB_NODISCARD arb_code arb_memory_store_create_as(arb_uuid cluster, arb_store **out_store, arb_error *error);

#endif
