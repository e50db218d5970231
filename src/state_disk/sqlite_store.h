/* sqlite_store.h: a store in a file, with SQLite.
 *
 * One thread writes: it takes all transactions that wait, runs them inside of one of SQLite's, and commits once, with the
 * write-ahead log synced (journal_mode WAL, synchronous FULL). When that fails and there were several, each is tried by
 * itself, so that one that is too large does not take the others with it. Several processes may open the file; the term
 * is compared inside of the transaction, so the older one is fenced.
 *
 * FAILED says what it was: no room (ARB_DISK_FULL), locked by another process for five seconds (ARB_IO), damaged
 * (ARB_CORRUPT_DATA), a newer version's (ARB_CONFIGURATION). Nothing of it is seen then; but after a failure to sync, it
 * cannot be excluded that a transaction that was reported FAILED is there when the system comes back from a crash. Who
 * tries again the same writes is right either way. Once a later one that writes something is COMMITTED it is certain: that one
 * took the place in the log.
 *
 * Tables: `meta` (name, value): cluster (16 bytes), term. `entries` (key, value). application_id marks the file as ours,
 * user_version is the version of this layout. */
#ifndef ARB_STATE_DISK_SQLITE_STORE_H
#define ARB_STATE_DISK_SQLITE_STORE_H

#include "state/store.h"

/* Open the store in the file `path`, or make one there (readable by its owner alone, with a new cluster id); its folder
 * exists. Destroy with arb_store_destroy. */
ARB_NODISCARD arb_code arb_sqlite_store_open(const char *path, arb_store **out_store, arb_error *error);

/* Commits that went to the disk so far; tests see by it that waiting transactions go together. */
uint64_t arb_sqlite_store_commits(arb_store *store);

#endif
