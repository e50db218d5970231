/* Each plan is an entry that is counted: once for each set that names it, once for whoever has it at hand. The last one who
 * lets go of it deletes its blob too, under the lock: nobody can have begun to put it again meanwhile, as who does that has
 * counted the entry before. */
#include "scheduler_process/plan_store.h"

#include <pthread.h>

#include "scheduler/id_map.h"

typedef struct plan_entry {
    arb_stored_plan plan; /* first: what users see */
    uint64_t uses;
    bool lasting; /* it may be in the folder */
} plan_entry;

struct arb_plan_set {
    arb_id job;
    size_t count;
    plan_entry *entries[];
};

struct arb_plan_store {
    pthread_mutex_t lock;
    arb_blob_folder *folder;
    arb_id_map plans; /* by the first half of their hash */
    arb_id_map jobs;  /* sets that are bound */
    size_t set_count; /* bound or not */
    bool retired;
};

arb_code arb_plan_store_create(arb_blob_folder *folder, arb_plan_store **out_store, arb_error *error)
{
    *out_store = NULL;
    arb_plan_store *store = arb_alloc_zeroed(sizeof *store);
    if (store == NULL)
        return arb_fail_memory(error, "the plans", sizeof *store);
    pthread_mutex_init(&store->lock, NULL);
    store->folder = folder;
    *out_store = store;
    return ARB_OK;
}

/* ---- with the lock held -------------------------------------------------------------------------------------------------- */

static plan_entry *find(const arb_plan_store *store, const uint8_t *hash)
{
    uint64_t key[2];
    arb_id_map_key(hash, key);
    plan_entry *entry = arb_id_map_get(&store->plans, key[0], key[1]);
    return entry != NULL && memcmp(entry->plan.hash, hash, ARB_PLAN_HASH_BYTES) == 0 ? entry : NULL;
}

static void let_go(arb_plan_store *store, plan_entry *entry)
{
    uint64_t key[2];
    assert(entry->uses > 0);
    if (--entry->uses > 0)
        return;
    if (entry->lasting && !store->retired) {
        arb_blob_hash name;
        memcpy(name.bytes, entry->plan.hash, sizeof name.bytes);
        arb_code deleted = arb_blob_delete(store->folder, &name, NULL);
        (void)deleted; /* else the next scheduler sweeps it */
    }
    arb_id_map_key(entry->plan.hash, key);
    arb_id_map_remove(&store->plans, key[0], key[1]);
    ARB_VEC_RESET(&entry->plan.sent_to);
    arb_free(entry);
}

/* NULL: it is not there. */
static plan_entry *use(const arb_plan_store *store, const uint8_t *hash)
{
    plan_entry *entry = find(store, hash);
    if (entry != NULL)
        entry->uses++;
    return entry;
}

/* The new one, or that which came meanwhile. */
static arb_code use_new(arb_plan_store *store, plan_entry *made, plan_entry **out_entry, arb_error *error)
{
    uint64_t key[2];
    *out_entry = use(store, made->plan.hash);
    if (*out_entry != NULL) {
        arb_free(made);
        return ARB_OK;
    }
    arb_id_map_key(made->plan.hash, key);
    bool taken = arb_id_map_get(&store->plans, key[0], key[1]) != NULL;
    if (taken || !arb_id_map_reserve(&store->plans, store->plans.count + 1)) {
        arb_free(made);
        return taken ? arb_fail(error, ARB_INTERNAL, "the hashes of two plans are half the same")
                     : arb_fail_memory(error, "a plan", 0);
    }
    arb_id_map_put(&store->plans, key[0], key[1], made);
    *out_entry = made;
    return ARB_OK;
}

/* ---- without it ---------------------------------------------------------------------------------------------------------- */

/* The entry of a plan, with a count more; if it is new, with a copy of its bytes, which may be many. `lasting` counts with a
 * folder alone. */
static arb_code entry_of(arb_plan_store *store, arb_str bytes, const uint8_t *hash, bool lasting,
                         plan_entry **out_entry, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&store->lock);
    *out_entry = use(store, hash);
    pthread_mutex_unlock(&store->lock);
    plan_entry *made = *out_entry == NULL ? arb_alloc(sizeof *made + bytes.size) : NULL;
    if (*out_entry == NULL && made == NULL)
        return arb_fail_memory(error, "a plan", sizeof *made + bytes.size);
    if (made != NULL) {
        *made = (plan_entry){.plan.bytes = {(char *)(made + 1), bytes.size}, .uses = 1};
        memcpy(made->plan.hash, hash, ARB_PLAN_HASH_BYTES);
        memcpy(made + 1, bytes.data, bytes.size);
    }
    pthread_mutex_lock(&store->lock);
    if (made != NULL)
        code = use_new(store, made, out_entry, error);
    if (code == ARB_OK && lasting && store->folder != NULL)
        (*out_entry)->lasting = true;
    pthread_mutex_unlock(&store->lock);
    return code;
}

/* ---- sets ---------------------------------------------------------------------------------------------------------------- */

/* With room among the jobs, so that binding it cannot fail. */
static arb_code set_make(arb_plan_store *store, size_t most, arb_plan_set **out_set, arb_error *error)
{
    arb_plan_set *set = arb_alloc_zeroed(sizeof *set + most * sizeof *set->entries);
    if (set != NULL) {
        pthread_mutex_lock(&store->lock);
        if (arb_id_map_reserve(&store->jobs, store->set_count + 1)) {
            store->set_count++;
        } else {
            arb_free(set);
            set = NULL;
        }
        pthread_mutex_unlock(&store->lock);
    }
    *out_set = set;
    return set != NULL ? ARB_OK : arb_fail_memory(error, "a job's plans", most * sizeof *set->entries);
}

static void drop(arb_plan_store *store, arb_plan_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        let_go(store, set->entries[i]);
    store->set_count--;
    arb_free(set);
}

void arb_plan_store_drop(arb_plan_store *store, arb_plan_set *set)
{
    if (set == NULL)
        return;
    pthread_mutex_lock(&store->lock);
    drop(store, set);
    pthread_mutex_unlock(&store->lock);
}

static arb_code add(arb_plan_store *store, arb_plan_set *set, arb_str bytes, bool lasting, arb_error *error)
{
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    plan_entry *entry;
    if (bytes.size == 0 || bytes.size > ARB_PLAN_BYTES_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a plan of %zu bytes: 1 to %d are possible", bytes.size,
                        ARB_PLAN_BYTES_MOST);
    arb_plan_hash(bytes, hash);
    ARB_TRY(entry_of(store, bytes, hash, lasting, &entry, error));
    set->entries[set->count++] = entry;
    if (!lasting || store->folder == NULL)
        return ARB_OK;
    /* Also when another job has it there: that one may be about to put it, and this one must not go before. */
    arb_blob_hash name;
    return arb_blob_put(store->folder, bytes.data, bytes.size, &name, error);
}

arb_code arb_plan_store_take(arb_plan_store *store, const arb_str *plans, size_t count, bool lasting,
                             arb_plan_set **out_set, arb_error *error)
{
    ARB_TRY(set_make(store, count, out_set, error));
    for (size_t i = 0; i < count; i++) {
        arb_code code = add(store, *out_set, plans[i], lasting, error);
        if (code == ARB_OK)
            continue;
        arb_plan_store_drop(store, *out_set);
        *out_set = NULL;
        return code;
    }
    return ARB_OK;
}

static arb_code load(arb_plan_store *store, arb_plan_set *set, arb_str hash, arb_error *error)
{
    arb_blob_hash name;
    arb_text bytes = {0};
    plan_entry *entry;
    if (hash.size != ARB_PLAN_HASH_BYTES)
        return arb_fail(error, ARB_CORRUPT_DATA, "a plan's hash has %zu bytes", hash.size);
    memcpy(name.bytes, hash.data, sizeof name.bytes);
    pthread_mutex_lock(&store->lock);
    entry = use(store, name.bytes);
    pthread_mutex_unlock(&store->lock);
    arb_code code = ARB_OK;
    if (entry == NULL) {
        code = store->folder != NULL
                   ? arb_blob_get(store->folder, &name, ARB_PLAN_BYTES_MOST, &bytes, error)
                   : arb_fail(error, ARB_FILE_NOT_FOUND, "there is no folder in which plans are kept");
        if (code == ARB_OK)
            code = entry_of(store, arb_text_view(&bytes), name.bytes, true, &entry, error);
        arb_text_reset(&bytes);
    }
    if (code == ARB_OK)
        set->entries[set->count++] = entry;
    return code;
}

arb_code arb_plan_store_load(arb_plan_store *store, const arb_str *hashes, size_t count, arb_plan_set **out_set,
                             arb_error *error)
{
    ARB_TRY(set_make(store, count, out_set, error));
    for (size_t i = 0; i < count; i++) {
        arb_code code = load(store, *out_set, hashes[i], error);
        if (code == ARB_OK)
            continue;
        for (size_t loaded = 0; loaded < (*out_set)->count; loaded++)
            (*out_set)->entries[loaded]->lasting = false; /* nothing is deleted before it is known what others need */
        arb_plan_store_drop(store, *out_set);
        *out_set = NULL;
        return code;
    }
    return ARB_OK;
}

static bool is_here(void *context, const arb_blob_hash *hash)
{
    return find(context, hash->bytes) != NULL;
}

arb_code arb_plan_store_sweep(arb_plan_store *store, arb_error *error)
{
    size_t deleted;
    return store->folder != NULL ? arb_blob_sweep(store->folder, is_here, store, &deleted, error) : ARB_OK;
}

bool arb_plan_set_has(const arb_plan_set *set, arb_str hash)
{
    for (size_t i = 0; hash.size == ARB_PLAN_HASH_BYTES && i < set->count; i++)
        if (memcmp(set->entries[i]->plan.hash, hash.data, hash.size) == 0)
            return true;
    return false;
}

void arb_plan_store_bind(arb_plan_store *store, arb_plan_set *set, arb_id job)
{
    pthread_mutex_lock(&store->lock);
    set->job = job;
    arb_id_map_put(&store->jobs, job.term, job.number, set);
    pthread_mutex_unlock(&store->lock);
}

void arb_plan_store_end(arb_plan_store *store, arb_id job)
{
    pthread_mutex_lock(&store->lock);
    arb_plan_set *set = arb_id_map_get(&store->jobs, job.term, job.number);
    if (set != NULL) {
        arb_id_map_remove(&store->jobs, job.term, job.number);
        drop(store, set);
    }
    pthread_mutex_unlock(&store->lock);
}

void arb_plan_store_retire(arb_plan_store *store)
{
    pthread_mutex_lock(&store->lock);
    store->retired = true;
    pthread_mutex_unlock(&store->lock);
}

void arb_plan_store_destroy(arb_plan_store *store)
{
    if (store == NULL)
        return;
    store->retired = true; /* what jobs go on with under the next scheduler stays in the folder */
    for (size_t i = 0; i < store->jobs.capacity; i++)
        if (store->jobs.entries[i].value != NULL)
            drop(store, store->jobs.entries[i].value);
    assert(store->plans.count == 0 && store->set_count == 0);
    arb_id_map_reset(&store->plans);
    arb_id_map_reset(&store->jobs);
    pthread_mutex_destroy(&store->lock);
    arb_free(store);
}

/* ---- plans ----------------------------------------------------------------------------------------------------------------- */

arb_stored_plan *arb_plan_store_get(arb_plan_store *store, arb_str hash)
{
    if (hash.size != ARB_PLAN_HASH_BYTES)
        return NULL;
    pthread_mutex_lock(&store->lock);
    plan_entry *entry = use(store, (const uint8_t *)hash.data);
    pthread_mutex_unlock(&store->lock);
    return (arb_stored_plan *)entry;
}

void arb_plan_store_give_back(arb_plan_store *store, arb_stored_plan *plan)
{
    if (plan == NULL)
        return;
    pthread_mutex_lock(&store->lock);
    let_go(store, (plan_entry *)plan);
    pthread_mutex_unlock(&store->lock);
}

size_t arb_plan_store_count(arb_plan_store *store)
{
    pthread_mutex_lock(&store->lock);
    size_t count = store->plans.count;
    pthread_mutex_unlock(&store->lock);
    return count;
}
