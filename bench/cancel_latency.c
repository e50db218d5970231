/* cancel_latency: how long a query goes on after it was told to stop.
 *
 *     cancel_latency DATA CSV [CANCELS [THREADS [NAME…]]]
 *
 * DATA is a folder with TPC-H's tables as Parquet, CSV one with lineitem.csv. Each heavy query is first run for a while, so
 * that it is known how long it takes, then started and cancelled at a random moment, again and again. Measured from
 * the call that cancels: until the next batch is refused (for COPY, which gives none, until the statement has failed), and
 * until all threads have let go and everything is given back; also the CPU time of all threads until the next batch is
 * refused, which is the query's own doing when others use the machine, too. Printed for each query and for all: median,
 * the 99th of 100, and the longest, in milliseconds. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "engine/session.h"

enum { LONGEST_MS = 3000, CANCELS_MOST = 10000 };

typedef struct heavy_query {
    const char *name, *settings, *sql;
} heavy_query;

/* clang-format off */
static const heavy_query queries[] = {
    {"sort", NULL, "SELECT * FROM lineitem ORDER BY l_comment, l_orderkey"},
    {"sort-numbers", NULL, "SELECT l_orderkey, l_extendedprice FROM lineitem ORDER BY l_extendedprice, l_orderkey"},
    {"sort-spilled", "force_spill", "SELECT l_orderkey, l_comment FROM lineitem ORDER BY l_comment, l_orderkey"},
    {"aggregate", NULL, "SELECT l_orderkey, l_partkey, count(*), sum(l_quantity) FROM lineitem GROUP BY 1, 2"},
    {"aggregate-text", NULL, "SELECT l_comment, count(*) FROM lineitem GROUP BY 1"},
    {"aggregate-spilled", "force_spill", "SELECT l_orderkey, l_partkey, count(*) FROM lineitem GROUP BY 1, 2"},
    {"distinct", NULL, "SELECT count(DISTINCT l_comment), median(l_extendedprice) FROM lineitem"},
    {"join", NULL, "SELECT count(*) FROM lineitem a JOIN lineitem b ON a.l_partkey = b.l_partkey AND a.l_suppkey < b.l_suppkey"},
    {"join-large-build", NULL, "SELECT count(*) FROM orders o JOIN lineitem l ON o.o_comment = l.l_comment"},
    {"join-spilled", "force_spill", "SELECT count(*) FROM lineitem a JOIN lineitem b ON a.l_comment = b.l_comment"},
    {"cross-join", NULL, "SELECT count(*) FROM lineitem a, lineitem b WHERE a.l_extendedprice + b.l_tax = -1"},
    {"csv", NULL, "SELECT count(*), sum(l_extendedprice), max(l_comment) FROM c.lineitem"},
    {"like", NULL, "SELECT count(*) FROM lineitem WHERE l_comment LIKE '%a%e%i%o%u%y%'"},
    {"regex", NULL, "SELECT count(*) FROM lineitem WHERE l_comment ~ '(a.*)*[aeiou]{3}(b|c)+.*x$'"},
    {"copy-parquet", NULL, "COPY (SELECT * FROM lineitem) TO 'FOLDER/copy.parquet'"},
    {"copy-csv", NULL, "COPY (SELECT * FROM lineitem) TO 'FOLDER/copy.csv'"},
    {"create-table", NULL, "CREATE OR REPLACE TABLE memory_copy AS SELECT * FROM lineitem"},
    {"text-join", NULL, "SELECT l_suppkey, string_agg(l_comment, ',' ORDER BY l_comment) FROM lineitem GROUP BY 1"},
    {"range", NULL, "SELECT count(*) FROM range(1000000000) r(x) WHERE x % 7 = 8"},
};
/* clang-format on */

enum { UNTIL_REFUSED, CPU_UNTIL_REFUSED, UNTIL_GONE, TIMES };

typedef struct measured {
    double ms[TIMES];
} measured;

typedef struct canceller {
    arb_session *session;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t when_ns;   /* 0: not asked */
    int64_t called_ns; /* 0: not yet */
    int64_t called_cpu_ns;
    bool stop;
} canceller;

static int64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const arb_error *error)
{
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

/* Waits for its moment and cancels, unless the query is over. */
static void *cancel_in_time(void *argument)
{
    canceller *c = argument;
    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        if (c->when_ns == 0 || c->called_ns != 0) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        struct timespec until = {c->when_ns / 1000000000, c->when_ns % 1000000000};
        if (arb_clock_monotonic_ns() < c->when_ns) {
            pthread_cond_timedwait(&c->changed, &c->lock, &until);
            continue;
        }
        c->called_cpu_ns = cpu_ns();
        c->called_ns = arb_clock_monotonic_ns();
        arb_session_cancel(c->session);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Carry the statement out until it ends or is cancelled after `after_ns`; how long it took, or what cancelling took. */
static bool run(canceller *c, const char *sql, int64_t after_ns, int64_t *out_took_ns, measured *out)
{
    arb_error error = {0};
    arb_result *result = NULL;
    int64_t start = arb_clock_monotonic_ns();
    pthread_mutex_lock(&c->lock);
    c->when_ns = start + after_ns;
    c->called_ns = 0;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    arb_code code = arb_session_execute(c->session, arb_str_of(sql), &result, &error);
    const arb_batch *batch = NULL;
    while (code == ARB_OK && arb_result_describe(result)->has_rows) {
        code = arb_result_next(result, &batch, &error);
        if (batch == NULL)
            break;
    }
    int64_t refused = arb_clock_monotonic_ns(), refused_cpu = cpu_ns();
    arb_result_destroy(result);
    int64_t over = arb_clock_monotonic_ns();
    pthread_mutex_lock(&c->lock);
    int64_t called = c->called_ns, called_cpu = c->called_cpu_ns;
    c->when_ns = 0;
    pthread_mutex_unlock(&c->lock);
    if (code != ARB_OK && code != ARB_CANCELLED)
        fail(&error);
    *out_took_ns = over - start;
    if (code != ARB_CANCELLED || called == 0)
        return false;
    *out = (measured){{[UNTIL_REFUSED] = (double)(refused - called) * 1e-6,
                       [CPU_UNTIL_REFUSED] = (double)(refused_cpu - called_cpu) * 1e-6,
                       [UNTIL_GONE] = (double)(over - called) * 1e-6}};
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_row(const char *name, const measured *list, size_t count)
{
    static double numbers[CANCELS_MOST];
    printf("%-18s %7zu", name, count);
    for (size_t k = 0; k < TIMES; k++) {
        for (size_t i = 0; i < count; i++)
            numbers[i] = list[i].ms[k];
        qsort(numbers, count, sizeof(double), compare_numbers);
        size_t p99 = count == 0 ? 0 : (count * 99 + 99) / 100 - 1;
        printf("   %7.2f %7.2f %7.2f", numbers[count / 2], numbers[p99], count == 0 ? 0 : numbers[count - 1]);
    }
    printf("\n");
    fflush(stdout);
}

static void measure(canceller *c, const heavy_query *query, const char *folder, size_t cancels, measured *all,
                    size_t *all_count)
{
    static uint64_t random = 1;
    char sql[512];
    const char *place = strstr(query->sql, "FOLDER");
    int before = place == NULL ? (int)strlen(query->sql) : (int)(place - query->sql);
    snprintf(sql, sizeof sql, "%.*s%s%s", before, query->sql, place == NULL ? "" : folder,
             place == NULL ? "" : place + strlen("FOLDER"));
    arb_settings *settings = arb_session_settings(c->session);
    settings->force_spill = query->settings != NULL;
    measured one;
    int64_t took;
    (void)run(c, sql, (int64_t)LONGEST_MS * 1000000, &took, &one);
    measured *list = all + *all_count;
    size_t count = 0;
    for (size_t i = 0; i < 2 * cancels && count < cancels && *all_count + count < CANCELS_MOST; i++) {
        random = arb_hash_u64(random);
        int64_t most = took < (int64_t)LONGEST_MS * 1000000 ? took : (int64_t)LONGEST_MS * 1000000, ignored;
        count += run(c, sql, (int64_t)(random % (uint64_t)most), &ignored, &list[count]);
    }
    settings->force_spill = false;
    print_row(query->name, list, count);
    *all_count += count;
}

/* Of statements that came to their end; nothing else may be there. */
static int remove_copies(const char *folder)
{
    static const char *const names[] = {"copy.parquet", "copy.csv"};
    char path[64];
    for (size_t i = 0; i < ARB_COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    if (rmdir(folder) == 0)
        return 0;
    fprintf(stderr, "%s: a statement that was cancelled left something\n", folder);
    return 1;
}

static bool is_chosen(const char *name, char **names)
{
    for (char **at = names; *at != NULL; at++)
        if (strcmp(*at, name) == 0)
            return true;
    return *names == NULL;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: cancel_latency DATA CSV [CANCELS [THREADS [NAME…]]]\n");
        return 2;
    }
    size_t cancels = count > 3 ? strtoul(arguments[3], NULL, 10) : 20;
    arb_runtime_options options = {.threads = count > 4 ? (unsigned)strtoul(arguments[4], NULL, 10) : 0};
    char **names = count > 5 ? arguments + 5 : arguments + count;
    arb_error error = {0};
    arb_runtime *runtime;
    canceller c = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char folder[] = "/tmp/cancel-latency-XXXXXX", external[512];
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c.changed, &monotonic);
    if (mkdtemp(folder) == NULL)
        return 1;
    if (arb_runtime_create(&options, &runtime, &error) != ARB_OK ||
        arb_session_create(runtime, &c.session, &error) != ARB_OK ||
        arb_catalog_add_folder(arb_session_catalog(c.session), arb_str_of(arguments[1]), NULL, &error) != ARB_OK)
        fail(&error);
    int64_t took;
    measured one;
    snprintf(external, sizeof external, "CREATE EXTERNAL TABLE c.lineitem STORED AS CSV LOCATION '%s/lineitem.csv'",
             arguments[2]);
    (void)run(&c, "CREATE SCHEMA c", INT64_C(60000000000), &took, &one);
    (void)run(&c, external, INT64_C(60000000000), &took, &one);
    pthread_t thread;
    if (pthread_create(&thread, NULL, cancel_in_time, &c) != 0)
        return 1;
    static measured all[CANCELS_MOST];
    size_t all_count = 0;
    printf("%-18s %7s   %-23s   %-23s   %-23s\n", "milliseconds:", "", "until refused", "CPU until refused",
           "until gone");
    printf("%-18s %7s", "", "cancels");
    for (size_t k = 0; k < TIMES; k++)
        printf("   %7s %7s %7s", "p50", "p99", "max");
    printf("\n");
    for (size_t i = 0; i < ARB_COUNT_OF(queries); i++)
        if (is_chosen(queries[i].name, names))
            measure(&c, &queries[i], folder, cancels, all, &all_count);
    print_row("all", all, all_count);
    pthread_mutex_lock(&c.lock);
    c.stop = true;
    pthread_cond_signal(&c.changed);
    pthread_mutex_unlock(&c.lock);
    pthread_join(thread, NULL);
    arb_session_destroy(c.session);
    arb_runtime_destroy(runtime);
    return remove_copies(folder);
}
