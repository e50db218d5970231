#include "scheduler_process/kept_segments.h"

#include <pthread.h>

#include "base/alloc.h"
#include "scheduler/id_map.h"

/* A name that a record has, or had: then its blob is to be deleted. */
typedef struct kept_segment {
    arb_blob_hash hash;
    uint64_t records;
    bool is_there;  /* was put, or read and found whole */
    bool is_listed; /* among those that were not needed any more */
    struct kept_segment *next;
} kept_segment;

struct arb_kept_segments {
    arb_segment_store *store;
    arb_blob_folder *folder;
    arb_memory *account;
    pthread_mutex_t
        lock; /* of what follows; a blob is deleted with it held, so that nobody begins to put it meanwhile */
    arb_id_map segments; /* by the first half of their hash */
    kept_segment *unneeded;
};

enum { COLLECTED_AT_ONCE = 32 }; /* no other transaction of the store comes in between */

arb_code arb_kept_segments_create(arb_segment_store *store, arb_blob_folder *folder, arb_memory *account,
                                  arb_kept_segments **out_kept, arb_error *error)
{
    arb_kept_segments *kept = *out_kept = arb_alloc_zeroed(sizeof *kept);
    if (kept == NULL)
        return arb_fail_memory(error, "the segments of tables", sizeof *kept);
    kept->store = store;
    kept->folder = folder;
    kept->account = account;
    pthread_mutex_init(&kept->lock, NULL);
    return ARB_OK;
}

void arb_kept_segments_destroy(arb_kept_segments *kept)
{
    if (kept == NULL)
        return;
    for (size_t i = 0; i < kept->segments.capacity; i++)
        arb_free(kept->segments.entries[i].value);
    arb_id_map_reset(&kept->segments);
    pthread_mutex_destroy(&kept->lock);
    arb_free(kept);
}

/* ---- counting, with the lock held ---------------------------------------------------------------------------------------- */

static kept_segment *find(const arb_kept_segments *kept, const uint8_t *hash)
{
    uint64_t key[2];
    arb_id_map_key(hash, key);
    kept_segment *found = arb_id_map_get(&kept->segments, key[0], key[1]);
    return found != NULL && memcmp(found->hash.bytes, hash, sizeof found->hash.bytes) == 0 ? found : NULL;
}

static arb_code add(arb_kept_segments *kept, const uint8_t *hash, kept_segment **out_segment, arb_error *error)
{
    uint64_t key[2];
    arb_id_map_key(hash, key);
    if (arb_id_map_get(&kept->segments, key[0], key[1]) != NULL)
        return arb_fail(error, ARB_INTERNAL, "the hashes of two segments are half the same");
    kept_segment *made = arb_alloc_zeroed(sizeof *made);
    if (made == NULL || !arb_id_map_reserve(&kept->segments, kept->segments.count + 1)) {
        arb_free(made);
        return arb_fail_memory(error, "a segment's name", sizeof *made);
    }
    memcpy(made->hash.bytes, hash, sizeof made->hash.bytes);
    arb_id_map_put(&kept->segments, key[0], key[1], made);
    *out_segment = made;
    return ARB_OK;
}

static void forget(arb_kept_segments *kept, kept_segment *segment)
{
    uint64_t key[2];
    arb_id_map_key(segment->hash.bytes, key);
    arb_id_map_remove(&kept->segments, key[0], key[1]);
    arb_free(segment);
}

static void list_if_unneeded(arb_kept_segments *kept, kept_segment *segment)
{
    if (segment->records != 0 || segment->is_listed)
        return;
    segment->is_listed = true;
    segment->next = kept->unneeded;
    kept->unneeded = segment;
}

/* ---- the shelf ----------------------------------------------------------------------------------------------------------- */

/* *out_segment stays as long as its records. */
static arb_code count_record(arb_kept_segments *kept, const arb_segment_name *name, kept_segment **out_segment,
                             arb_error *error)
{
    pthread_mutex_lock(&kept->lock);
    arb_code code =
        (*out_segment = find(kept, name->hash)) == NULL ? add(kept, name->hash, out_segment, error) : ARB_OK;
    if (code == ARB_OK)
        (*out_segment)->records++;
    pthread_mutex_unlock(&kept->lock);
    return code;
}

static void release(void *context, const arb_segment_name *name)
{
    arb_kept_segments *kept = context;
    pthread_mutex_lock(&kept->lock);
    kept_segment *segment = find(kept, name->hash);
    segment->records--;
    list_if_unneeded(kept, segment);
    pthread_mutex_unlock(&kept->lock);
}

static arb_code put(const arb_kept_segments *kept, const arb_memory_chunk *chunk, arb_text *bytes, arb_error *error)
{
    arb_blob_hash hash;
    if (bytes->size == 0)
        ARB_TRY(arb_segment_encode(chunk, bytes, error));
    ARB_TRY(arb_blob_put(kept->folder, bytes->data, bytes->size, &hash, error));
    assert(memcmp(hash.bytes, chunk->name.hash, sizeof hash.bytes) == 0);
    return ARB_OK;
}

/* It is counted before it is put, so nobody deletes it in between; one that was not put is deleted like any other. */
static arb_code keep(void *context, arb_memory_chunk *chunk, arb_segment_name *out_name, arb_error *error)
{
    arb_kept_segments *kept = context;
    arb_text bytes = {0};
    kept_segment *segment;
    arb_code code = arb_segment_store_name(kept->store, chunk, &bytes, out_name, error);
    if (code == ARB_OK)
        code = count_record(kept, out_name, &segment, error);
    if (code == ARB_OK && !segment->is_there) {
        code = put(kept, chunk, &bytes, error);
        segment->is_there = code == ARB_OK;
        if (code != ARB_OK)
            release(kept, out_name);
    }
    arb_text_reset(&bytes);
    return code;
}

static arb_code hold(void *context, const arb_segment_name *name, bool found, arb_error *error)
{
    kept_segment *segment;
    ARB_TRY(count_record(context, name, &segment, error));
    segment->is_there |= found;
    return ARB_OK;
}

static arb_code load(const arb_kept_segments *kept, const arb_segment_wanted *wanted, arb_memory_chunk **out_chunk,
                     arb_error *error)
{
    arb_blob_hash hash;
    arb_text bytes = {0};
    bool denied = false;
    memcpy(hash.bytes, wanted->name.hash, sizeof hash.bytes);
    arb_code code = arb_blob_get(kept->folder, &hash, wanted->name.bytes, &bytes, error);
    if (code == ARB_OK)
        code = arb_segment_decode_within(arb_text_view(&bytes), wanted, kept->account, out_chunk, &denied, error);
    arb_text_reset(&bytes);
    if (denied)
        code = arb_fail(error, ARB_RESOURCES_EXHAUSTED, "a part of %zu rows is more than is left of the limit",
                        wanted->rows);
    return code;
}

static arb_code find_chunk(void *context, const arb_segment_wanted *wanted, arb_stop_flag *stop,
                           arb_memory_chunk **out_chunk, arb_error *error)
{
    (void)stop;
    const arb_kept_segments *kept = context;
    *out_chunk =
        arb_segment_store_find(kept->store, (arb_str){(const char *)wanted->name.hash, sizeof wanted->name.hash});
    if (*out_chunk != NULL)
        return ARB_OK;
    ARB_TRY(load(kept, wanted, out_chunk, error));
    arb_code code = arb_segment_store_add(kept->store, *out_chunk, &wanted->name, error);
    if (code != ARB_OK)
        arb_memory_chunk_unref(*out_chunk);
    return code;
}

static bool has_unneeded(void *context)
{
    arb_kept_segments *kept = context;
    pthread_mutex_lock(&kept->lock);
    bool has = kept->unneeded != NULL;
    pthread_mutex_unlock(&kept->lock);
    return has;
}

/* What cannot be deleted is found again at the next start. */
static void collect(void *context)
{
    arb_kept_segments *kept = context;
    for (size_t i = 0; i < COLLECTED_AT_ONCE; i++) {
        pthread_mutex_lock(&kept->lock);
        kept_segment *segment = kept->unneeded;
        if (segment != NULL) {
            kept->unneeded = segment->next;
            segment->is_listed = false;
            if (segment->records == 0) {
                (void)!arb_blob_delete(kept->folder, &segment->hash, NULL);
                forget(kept, segment);
            }
        }
        pthread_mutex_unlock(&kept->lock);
    }
}

/* Nothing is deleted here but what was not finished. Without memory a blob stays until the next start. */
static bool note_unneeded(void *context, const arb_blob_hash *hash)
{
    arb_kept_segments *kept = context;
    pthread_mutex_lock(&kept->lock);
    kept_segment *segment = find(kept, hash->bytes);
    if (segment != NULL || add(kept, hash->bytes, &segment, NULL) == ARB_OK)
        list_if_unneeded(kept, segment);
    pthread_mutex_unlock(&kept->lock);
    return true;
}

static arb_code look(void *context, arb_error *error)
{
    arb_kept_segments *kept = context;
    size_t deleted;
    return arb_blob_sweep(kept->folder, note_unneeded, kept, &deleted, error);
}

arb_segment_shelf arb_kept_segments_shelf(arb_kept_segments *kept)
{
    return (arb_segment_shelf){kept, keep, hold, release, find_chunk, has_unneeded, collect, look};
}
