/* The map is a skip list: sorted, no rebalancing, a node one allocation. A node's height comes from its key's hash, so
 * that equal histories give equal lists. A transaction first allocates every node that it will put; from then on nothing
 * can fail, so it is done wholly or not at all. */
#include "state/memory_store.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/vec.h"

enum { LEVELS = 16 };

typedef struct node {
    struct node *prepared_next; /* while it waits to be put */
    char *value;
    size_t key_size, value_size;
    unsigned height;
    struct node *next[]; /* `height` of them, then the key's bytes */
} node;

typedef struct memory_store {
    arb_store base;
    pthread_mutex_t lock;
    uint64_t term;
    node *heads[LEVELS];
} memory_store;

static arb_str key_of(const node *of)
{
    return (arb_str){(const char *)&of->next[of->height], of->key_size};
}

static void node_free(node *freed)
{
    arb_free(freed->value);
    arb_free(freed);
}

static node *node_make(arb_str key, arb_str value)
{
    uint64_t hash = arb_str_hash(key) | (uint64_t)1 << (2 * (LEVELS - 1));
    unsigned height = 1 + (unsigned)__builtin_ctzll(hash) / 2;
    node *made = arb_alloc(sizeof *made + height * sizeof(node *) + key.size);
    char *copy = arb_alloc(value.size);
    if (made == NULL || copy == NULL) {
        arb_free(made);
        arb_free(copy);
        return NULL;
    }
    *made = (node){.value = copy, .key_size = key.size, .value_size = value.size, .height = height};
    memcpy(&made->next[height], key.data, key.size);
    if (value.size > 0)
        memcpy(copy, value.data, value.size);
    return made;
}

/* For each level the link whose target is the first node at or behind `key`. */
static void find_links(memory_store *store, arb_str key, node **out_links[LEVELS])
{
    node **row = store->heads;
    for (int level = LEVELS - 1; level >= 0; level--) {
        while (row[level] != NULL && arb_str_compare(key_of(row[level]), key) < 0)
            row = row[level]->next;
        out_links[level] = &row[level];
    }
}

static void unlink_first(node **links[LEVELS])
{
    node *gone = *links[0];
    for (unsigned level = 0; level < gone->height; level++)
        *links[level] = gone->next[level];
    node_free(gone);
}

static node *find(memory_store *store, arb_str key)
{
    node **links[LEVELS];
    find_links(store, key, links);
    node *found = *links[0];
    return found != NULL && arb_str_equal(key_of(found), key) ? found : NULL;
}

static void delete_range(memory_store *store, arb_str key, bool whole_prefix)
{
    node **links[LEVELS];
    find_links(store, key, links);
    while (*links[0] != NULL &&
           (whole_prefix ? arb_str_starts_with(key_of(*links[0]), key) : arb_str_equal(key_of(*links[0]), key)))
        unlink_first(links);
}

static void put(memory_store *store, node *made)
{
    node **links[LEVELS];
    find_links(store, key_of(made), links);
    if (*links[0] != NULL && arb_str_equal(key_of(*links[0]), key_of(made)))
        unlink_first(links);
    for (unsigned level = 0; level < made->height; level++) {
        made->next[level] = *links[level];
        *links[level] = made;
    }
}

/* True when every comparison holds; else its number. */
static bool compare_all(memory_store *store, arb_store_txn *txn)
{
    for (size_t i = 0; i < txn->operation_count; i++) {
        const arb_store_operation *operation = &txn->operations[i];
        if (operation->kind != ARB_STORE_COMPARE && operation->kind != ARB_STORE_ABSENT)
            continue;
        const node *found = find(store, operation->key);
        bool holds = operation->kind == ARB_STORE_ABSENT
                         ? found == NULL
                         : found != NULL && arb_str_equal((arb_str){found->value, found->value_size}, operation->value);
        if (!holds) {
            txn->conflict = i;
            return false;
        }
    }
    return true;
}

/* The nodes of all puts, in order. */
static arb_code prepare_puts(const arb_store_txn *txn, node **out_first, arb_error *error)
{
    node **last = out_first;
    *out_first = NULL;
    for (size_t i = 0; i < txn->operation_count; i++) {
        const arb_store_operation *operation = &txn->operations[i];
        if (operation->kind != ARB_STORE_PUT)
            continue;
        *last = node_make(operation->key, operation->value);
        if (*last == NULL)
            return arb_fail_memory(error, "the state store", operation->key.size + operation->value.size);
        last = &(*last)->prepared_next;
    }
    return ARB_OK;
}

static void free_prepared(node *first)
{
    while (first != NULL) {
        node *next = first->prepared_next;
        node_free(first);
        first = next;
    }
}

static arb_store_outcome run(memory_store *store, arb_store_txn *txn)
{
    node *prepared = NULL;
    if (arb_store_check(txn->operations, txn->operation_count, &txn->error) != ARB_OK)
        return ARB_STORE_FAILED;
    if (txn->term != store->term)
        return ARB_STORE_FENCED;
    if (!compare_all(store, txn))
        return ARB_STORE_CONFLICT;
    if (txn->within != NULL)
        txn->within(txn);
    if (prepare_puts(txn, &prepared, &txn->error) != ARB_OK) {
        free_prepared(prepared);
        return ARB_STORE_FAILED;
    }
    for (size_t i = 0; i < txn->operation_count; i++) {
        const arb_store_operation *operation = &txn->operations[i];
        if (operation->kind == ARB_STORE_PUT) {
            node *made = prepared;
            prepared = made->prepared_next;
            put(store, made);
        } else if (operation->kind == ARB_STORE_DELETE || operation->kind == ARB_STORE_DELETE_PREFIX) {
            delete_range(store, operation->key, operation->kind == ARB_STORE_DELETE_PREFIX);
        }
    }
    assert(prepared == NULL);
    return ARB_STORE_COMMITTED;
}

static void memory_submit(arb_store *base, arb_store_txn *txn)
{
    memory_store *store = (memory_store *)base;
    pthread_mutex_lock(&store->lock);
    txn->outcome = run(store, txn);
    pthread_mutex_unlock(&store->lock);
    txn->done(txn);
}

static arb_code memory_range(arb_store *base, arb_str prefix, arb_store_visit visit, void *context, arb_error *error)
{
    memory_store *store = (memory_store *)base;
    node **links[LEVELS];
    arb_code code = ARB_OK;
    pthread_mutex_lock(&store->lock);
    find_links(store, prefix, links);
    for (node *at = *links[0]; at != NULL && arb_str_starts_with(key_of(at), prefix) && code == ARB_OK;
         at = at->next[0])
        code = visit(context, key_of(at), (arb_str){at->value, at->value_size}, error);
    pthread_mutex_unlock(&store->lock);
    return code;
}

static arb_code memory_raise_term(arb_store *base, uint64_t *out_term, arb_error *error)
{
    memory_store *store = (memory_store *)base;
    (void)error;
    pthread_mutex_lock(&store->lock);
    *out_term = ++store->term;
    pthread_mutex_unlock(&store->lock);
    return ARB_OK;
}

static void memory_destroy(arb_store *base)
{
    memory_store *store = (memory_store *)base;
    for (node *at = store->heads[0]; at != NULL;) {
        node *next = at->next[0];
        node_free(at);
        at = next;
    }
    pthread_mutex_destroy(&store->lock);
    arb_free(store);
}

static const arb_store_vtable memory_vtable = {.name = "memory",
                                               .submit = memory_submit,
                                               .range = memory_range,
                                               .raise_term = memory_raise_term,
                                               .destroy = memory_destroy};

arb_code arb_memory_store_create_as(arb_uuid cluster, arb_store **out_store, arb_error *error)
{
    *out_store = NULL;
    memory_store *store = arb_alloc_zeroed(sizeof *store);
    if (store == NULL)
        return arb_fail_memory(error, "the state store", sizeof *store);
    store->base = (arb_store){&memory_vtable, cluster};
    pthread_mutex_init(&store->lock, NULL);
    *out_store = &store->base;
    return ARB_OK;
}

arb_code arb_memory_store_create(arb_store **out_store, arb_error *error)
{
    arb_uuid cluster;
    *out_store = NULL;
    ARB_TRY(arb_uuid_make(&cluster, error));
    return arb_memory_store_create_as(cluster, out_store, error);
}
