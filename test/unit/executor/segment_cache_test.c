/* Segments of tables between a scheduler's store and an executor's cache, over gRPC and in memory: each is asked for once, stays
 * as long as it may, and whatever goes wrong ends soon, with the right word. */
#include "unit/rpc/rpc_world.h"

#include <pthread.h>

#include "catalog/memory_table_internal.h"
#include "executor/segment_cache.h"
#include "scheduler_process/segment_service.h"

enum { COLUMNS = 2, THREADS = 6 };

static const arb_table_column columns[COLUMNS] = {
    {.name = {"a", 1}, .type = {.id = ARB_TYPE_BIGINT}, .nullable = true},
    {.name = {"b", 1}, .type = {.id = ARB_TYPE_VARCHAR}, .nullable = true},
};
static const arb_type types[COLUMNS] = {{.id = ARB_TYPE_BIGINT}, {.id = ARB_TYPE_VARCHAR}};

typedef struct segments {
    world w;
    arb_segment_store *store;
    arb_segment_service *service;
    arb_governor governor;
    arb_memory account;
    arb_segment_cache *cache;
    arb_segment_finder finder;
    arb_error error;
} segments;

static void serve(segments *w, void **state, const arb_rpc_service *service)
{
    arb_rpc_server_options options = {.services = service, .service_count = 1, .limits.send_window = 64 << 10};
    world_open(&w->w, state, &options);
}

static void make_cache(segments *w, const char *token, uint64_t memory, uint64_t limit, int64_t patience_ms)
{
    arb_governor_init(&w->governor, memory);
    arb_memory_init(&w->account, &w->governor);
    arb_segment_cache_options options = {.scheduler = w->w.channel,
                                         .join_token = arb_str_of(token),
                                         .account = &w->account,
                                         .limit = limit,
                                         .patience_ns = patience_ms * 1000000};
    assert_int_equal(arb_segment_cache_create(&options, &w->cache, &w->error), ARB_OK);
    w->finder = arb_segment_cache_finder(w->cache);
}

static void begin(segments *w, void **state, uint64_t memory, uint64_t limit)
{
    *w = (segments){0};
    assert_int_equal(arb_segment_store_create(&w->store, &w->error), ARB_OK);
    assert_int_equal(arb_segment_service_create(w->store, ARB_STR("token"), &w->service, &w->error), ARB_OK);
    arb_rpc_service service = arb_segment_service_entry(w->service);
    serve(w, state, &service);
    make_cache(w, "token", memory, limit, 5000);
}

static void end(segments *w)
{
    arb_segment_cache_destroy(w->cache);
    assert_int_equal(w->governor.used, 0);
    world_end(&w->w);
    arb_segment_service_destroy(w->service);
    arb_segment_store_destroy(w->store);
}

/* A table of one chunk. */
static arb_table *make_table(segments *w, int64_t rows, int64_t seed)
{
    arb_memory_builder *builder;
    arb_table *table;
    assert_int_equal(arb_memory_builder_create(ARB_STR("t"), columns, COLUMNS, NULL, &builder, &w->error), ARB_OK);
    for (int64_t row = 0; row < rows; row++) {
        char text[100];
        int size =
            snprintf(text, sizeof text, "a text that makes a row of some bytes, so that segments come in pieces %d",
                     (int)(row + seed));
        arb_value values[COLUMNS] = {{.type = types[0], .integer = row + seed},
                                     {.type = types[1], .text = {text, (size_t)size}}};
        assert_int_equal(arb_memory_builder_append_row(builder, values, &w->error), ARB_OK);
    }
    assert_int_equal(arb_memory_builder_finish(builder, &table, &w->error), ARB_OK);
    arb_memory_builder_destroy(builder);
    return table;
}

static arb_segment_wanted wanted_of(segments *w, const arb_table *table)
{
    arb_memory_chunk *chunk = arb_memory_table_of(table)->chunks[0];
    arb_segment_namer namer = arb_segment_store_namer(w->store);
    arb_segment_wanted wanted = {.rows = chunk->rows, .types = types, .column_count = COLUMNS};
    assert_int_equal(namer.name(namer.context, chunk, &wanted.name, &w->error), ARB_OK);
    return wanted;
}

static arb_code find(segments *w, const arb_segment_wanted *wanted, arb_stop_flag *stop, arb_memory_chunk **out_chunk)
{
    w->error = (arb_error){0};
    return w->finder.find(w->finder.context, wanted, stop, out_chunk, &w->error);
}

static void same(const arb_memory_chunk *a, const arb_memory_chunk *b)
{
    arb_text one = {0}, other = {0};
    assert_int_equal(arb_segment_encode(a, &one, NULL), ARB_OK);
    assert_int_equal(arb_segment_encode(b, &other, NULL), ARB_OK);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    arb_text_reset(&one);
    arb_text_reset(&other);
}

/* ---- what shall be ------------------------------------------------------------------------------------------------------- */

typedef struct finding {
    segments *w;
    const arb_segment_wanted *wanted;
    arb_memory_chunk *chunk;
    arb_code code;
} finding;

static void *find_on_thread(void *context)
{
    finding *f = context;
    arb_error error = {0};
    f->code = f->w->finder.find(f->w->finder.context, f->wanted, NULL, &f->chunk, &error);
    return NULL;
}

static void each_comes_once(void **state)
{
    segments w = {0};
    begin(&w, state, 256 << 20, 64 << 20);
    arb_table *table = make_table(&w, ARB_CHUNK_ROWS, 0); /* several pieces */
    arb_segment_wanted wanted = wanted_of(&w, table);
    assert_true(wanted.name.bytes > 3 * ARB_SEGMENT_PIECE_BYTES);
    pthread_t threads[THREADS];
    finding findings[THREADS];
    for (int i = 0; i < THREADS; i++) {
        findings[i] = (finding){.w = &w, .wanted = &wanted};
        assert_int_equal(pthread_create(&threads[i], NULL, find_on_thread, &findings[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(findings[i].code, ARB_OK);
        assert_ptr_equal(findings[i].chunk, findings[0].chunk);
    }
    same(findings[0].chunk, arb_memory_table_of(table)->chunks[0]);
    assert_int_equal(arb_segment_cache_look(w.cache).fetched, 1);
    assert_true(w.governor.used > wanted.name.bytes / 2);
    for (int i = 0; i < THREADS; i++)
        arb_memory_chunk_unref(findings[i].chunk);
    /* it is here, though the scheduler has it no more */
    arb_table_unref(table);
    assert_int_equal(arb_segment_store_count(w.store), 0);
    assert_int_equal(find(&w, &wanted, NULL, &findings[0].chunk), ARB_OK);
    arb_memory_chunk_unref(findings[0].chunk);
    end(&w);
}

static void the_oldest_idle_ones_go(void **state)
{
    segments w = {0};
    arb_memory_chunk *chunks[4];
    arb_table *tables[4];
    begin(&w, state, 256 << 20, 1 << 20);
    for (int i = 0; i < 4; i++) {
        tables[i] = make_table(&w, 4000, 100000 * i); /* some half a megabyte each */
        arb_segment_wanted wanted = wanted_of(&w, tables[i]);
        assert_int_equal(find(&w, &wanted, NULL, &chunks[i]), ARB_OK);
    }
    assert_int_equal(arb_segment_cache_look(w.cache).segments, 4); /* all in use */
    for (int i = 0; i < 4; i++)
        arb_memory_chunk_unref(chunks[i]);
    arb_table *more = make_table(&w, 10, -1000);
    arb_segment_wanted wanted = wanted_of(&w, more);
    assert_int_equal(find(&w, &wanted, NULL, &chunks[0]), ARB_OK);
    arb_memory_chunk_unref(chunks[0]);
    arb_segment_cache_totals totals = arb_segment_cache_look(w.cache);
    assert_true(totals.segments < 5 && totals.bytes <= 1 << 20);
    wanted = wanted_of(&w, tables[3]); /* the newest is there, the oldest is not */
    assert_int_equal(find(&w, &wanted, NULL, &chunks[3]), ARB_OK);
    assert_int_equal(arb_segment_cache_look(w.cache).fetched, totals.fetched);
    wanted = wanted_of(&w, tables[0]);
    assert_int_equal(find(&w, &wanted, NULL, &chunks[0]), ARB_OK);
    assert_int_equal(arb_segment_cache_look(w.cache).fetched, totals.fetched + 1);
    arb_memory_chunk_unref(chunks[0]);
    arb_memory_chunk_unref(chunks[3]);
    for (int i = 0; i < 4; i++)
        arb_table_unref(tables[i]);
    arb_table_unref(more);
    end(&w);
}

/* When memory is short, what nobody uses goes; what is used stays, and then there is none. */
static void memory_is_short(void **state)
{
    segments w = {0};
    arb_memory_chunk *first, *second;
    begin(&w, state, 600 << 10, 64 << 20);
    arb_table *a = make_table(&w, 4000, 0), *b = make_table(&w, 4000, 100000);
    arb_segment_wanted want_a = wanted_of(&w, a), want_b = wanted_of(&w, b);
    assert_int_equal(find(&w, &want_a, NULL, &first), ARB_OK);
    assert_int_equal(find(&w, &want_b, NULL, &second), ARB_OUT_OF_MEMORY);
    arb_memory_chunk_unref(first);
    assert_int_equal(find(&w, &want_b, NULL, &second), ARB_OK);
    assert_int_equal(arb_segment_cache_look(w.cache).segments, 1);
    arb_memory_chunk_unref(second);
    arb_table_unref(a);
    arb_table_unref(b);
    end(&w);
}

/* ---- what may go wrong --------------------------------------------------------------------------------------------------- */

static void what_is_not_there(void **state)
{
    segments w = {0};
    arb_memory_chunk *chunk;
    begin(&w, state, 64 << 20, 1 << 20);
    arb_table *table = make_table(&w, 100, 0), *twin = make_table(&w, 100, 0);
    arb_segment_wanted wanted = wanted_of(&w, table);
    arb_segment_wanted same_name = wanted_of(&w, twin); /* of equal rows */
    assert_memory_equal(&wanted.name, &same_name.name, sizeof wanted.name);
    arb_table_unref(table);
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_OK); /* the twin's */
    arb_memory_chunk_unref(chunk);
    arb_table_unref(twin);
    /* more rows or other columns than it has; then a name that nobody has */
    wanted.rows++;
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_CORRUPT_DATA);
    wanted.name.hash[5] ^= 1;
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_UNDEFINED_TABLE);
    assert_null(chunk);
    end(&w);
}

static void a_size_that_lies(void **state)
{
    segments w = {0};
    arb_memory_chunk *chunk;
    begin(&w, state, 64 << 20, 1 << 20);
    arb_table *table = make_table(&w, 100, 0);
    arb_segment_wanted wanted = wanted_of(&w, table);
    wanted.name.bytes--;
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_CORRUPT_DATA);
    wanted.name.bytes += 2;
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_CORRUPT_DATA);
    wanted.name.bytes--;
    wanted.column_count = 1;
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_CORRUPT_DATA);
    arb_table_unref(table);
    end(&w);
}

static void without_the_token(void **state)
{
    segments w = {0};
    arb_memory_chunk *chunk;
    begin(&w, state, 64 << 20, 1 << 20);
    arb_table *table = make_table(&w, 100, 0);
    arb_segment_wanted wanted = wanted_of(&w, table);
    arb_segment_cache_destroy(w.cache);
    make_cache(&w, "another", 64 << 20, 1 << 20, 5000);
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_NOT_AUTHENTICATED);
    arb_table_unref(table);
    end(&w);
}

static void start_lying(void *context, arb_rpc_call *call)
{
    arb_rpc_message *message;
    (void)context;
    assert_int_equal(arb_rpc_message_copy(ARB_STR("these are not the bytes"), &message, NULL), ARB_OK);
    assert_int_equal(arb_rpc_send(call, message, NULL), ARB_OK);
    arb_rpc_finish(call, ARB_OK, NULL);
}

static void other_bytes(void **state)
{
    static const arb_rpc_method_entry methods[] = {{"Get", start_lying}};
    const arb_rpc_service service = {ARB_SEGMENT_SERVICE_NAME, methods, 1, NULL};
    arb_segment_wanted wanted = {.name.bytes = 23, .rows = 1, .types = types, .column_count = COLUMNS};
    arb_memory_chunk *chunk;
    segments w = {0};
    serve(&w, state, &service);
    make_cache(&w, "", 64 << 20, 1 << 20, 5000);
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_CORRUPT_DATA);
    end(&w);
}

static void start_silence(void *context, arb_rpc_call *call)
{
    (void)context, (void)call;
}

static void *stop_soon(void *context)
{
    usleep(100000);
    atomic_store((_Atomic bool *)context, true);
    return NULL;
}

static void *stop_cache_soon(void *context)
{
    usleep(100000);
    arb_segment_cache_stop(context);
    return NULL;
}

/* A scheduler that says nothing: whoever waits can be stopped, and loses patience. */
static void silence(void **state)
{
    static const arb_rpc_method_entry methods[] = {{"Get", start_silence}};
    const arb_rpc_service service = {ARB_SEGMENT_SERVICE_NAME, methods, 1, NULL};
    arb_segment_wanted wanted = {.name.bytes = 23, .rows = 1, .types = types, .column_count = COLUMNS};
    arb_memory_chunk *chunk;
    _Atomic bool stop = false;
    pthread_t thread;
    segments w = {0};
    serve(&w, state, &service);
    make_cache(&w, "", 64 << 20, 1 << 20, 300);
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_CONNECTION_FAILED);
    arb_segment_cache_destroy(w.cache);
    make_cache(&w, "", 64 << 20, 1 << 20, 60000);
    int64_t began = arb_clock_monotonic_ns();
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &stop), 0);
    assert_int_equal(find(&w, &wanted, &stop, &chunk), ARB_CANCELLED);
    pthread_join(thread, NULL);
    assert_int_equal(pthread_create(&thread, NULL, stop_cache_soon, w.cache), 0);
    assert_int_equal(find(&w, &wanted, NULL, &chunk), ARB_CANCELLED);
    pthread_join(thread, NULL);
    assert_true(arb_clock_monotonic_ns() - began < INT64_C(10000000000));
    end(&w);
}

/* One that is away for a while. */
static void *serve_soon(void *context)
{
    segments *w = context;
    usleep(300000);
    arb_rpc_service service = arb_segment_service_entry(w->service);
    arb_rpc_server_options options = {.services = &service, .service_count = 1};
    assert_int_equal(world_serve(&w->w, &options, &w->error), ARB_OK);
    return NULL;
}

static void a_scheduler_that_comes_back(void **state)
{
    segments w = {0};
    pthread_t thread;
    arb_memory_chunk *chunk;
    arb_error error = {0};
    begin(&w, state, 64 << 20, 1 << 20);
    if (w.w.kind == OVER_GRPC) { /* a port cannot be had again for sure */
        end(&w);
        return;
    }
    arb_table *table = make_table(&w, 100, 0);
    arb_segment_wanted wanted = wanted_of(&w, table);
    arb_rpc_server_destroy(w.w.server);
    assert_int_equal(pthread_create(&thread, NULL, serve_soon, &w), 0);
    assert_int_equal(w.finder.find(w.finder.context, &wanted, NULL, &chunk, &error), ARB_OK);
    pthread_join(thread, NULL);
    arb_memory_chunk_unref(chunk);
    arb_table_unref(table);
    end(&w);
}

/* Chunks come, are named, read and let go of on several threads at once. */
typedef struct churn {
    segments *w;
    int64_t seed;
    const char *problem;
} churn;

static void *come_and_go(void *context)
{
    churn *c = context;
    for (int i = 0; i < 40 && c->problem == NULL; i++) {
        arb_error error = {0};
        arb_memory_chunk *chunk = NULL;
        arb_table *table = make_table(c->w, 50, c->seed + i % 5); /* now and then the same as another thread's */
        arb_segment_wanted wanted = wanted_of(c->w, table);
        arb_code code = c->w->finder.find(c->w->finder.context, &wanted, NULL, &chunk, &error);
        if (code != ARB_OK || chunk->rows != 50)
            c->problem = "a segment cannot be found though its table is there";
        arb_memory_chunk_unref(chunk);
        arb_table_unref(table);
    }
    return NULL;
}

static void tables_come_and_go(void **state)
{
    segments w = {0};
    pthread_t threads[THREADS];
    churn churns[THREADS];
    begin(&w, state, 64 << 20, 10 << 10);
    for (int i = 0; i < THREADS; i++) {
        churns[i] = (churn){.w = &w, .seed = i % 2};
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &churns[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        if (churns[i].problem != NULL)
            fail_msg("%s", churns[i].problem);
    }
    assert_int_equal(arb_segment_store_count(w.store), 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(each_comes_once),
        OVER_BOTH(the_oldest_idle_ones_go),
        OVER_BOTH(memory_is_short),
        OVER_BOTH(what_is_not_there),
        OVER_BOTH(a_size_that_lies),
        OVER_BOTH(without_the_token),
        OVER_BOTH(other_bytes),
        OVER_BOTH(silence),
        OVER_BOTH(a_scheduler_that_comes_back),
        OVER_BOTH(tables_come_and_go),
    };
    return run_rpc_tests(tests);
}
