/* arbalest-simulate: clusters in simulated time.
 *
 *     arbalest-simulate --seeds A..B [--trace] [--once] [--first]
 *
 * Runs them, each twice (--once: once), and prints those that fail (--first: ends with the first).
 *
 * Exit status 1 when a seed fails. Last line: N passed, N failed, 0 skipped. */
#include <stdio.h>
#include <stdlib.h>

#include "simulator.h"

static sim_world world;

typedef struct totals {
    sim_counts counts;
    arb_scheduler_counts machine;
} totals;

static void add(totals *sum)
{
    uint64_t *to = (uint64_t *)&sum->counts;
    const uint64_t *from = (const uint64_t *)&world.counts;
    for (size_t i = 0; i < sizeof world.counts / sizeof *to; i++)
        to[i] += from[i];
    sum->machine.launched += world.machine.launched;
    sum->machine.committed += world.machine.committed;
    sum->machine.twins += world.machine.twins;
    sum->machine.resets += world.machine.resets;
    sum->machine.rebuilt += world.machine.rebuilt;
    sum->machine.lost += world.machine.lost;
    sum->machine.exclusions += world.machine.exclusions;
    sum->machine.crashes += world.machine.crashes;
    sum->machine.broken_streams += world.machine.broken_streams;
}

static bool run(uint64_t seed, bool trace, bool once, totals *sum)
{
    static char failure[sizeof world.failure];
    bool right = sim_run_seed(&world, seed, trace);
    uint64_t hash = world.hash;
    snprintf(failure, sizeof failure, "%s", world.failure);
    sim_reset(&world);
    add(sum);
    if (right && !once) {
        right = sim_run_seed(&world, seed, false);
        if (world.hash != hash) {
            right = false;
            snprintf(failure, sizeof failure, "the second run differs from the first");
        }
        sim_reset(&world);
    }
    if (!right)
        printf("FAILED seed %llu %s\n", (unsigned long long)seed, failure);
    return right;
}

#define N(x) ((unsigned long long)(x))

static void print(const totals *sum)
{
    const sim_counts *c = &sum->counts;
    const arb_scheduler_counts *m = &sum->machine;
    printf(
        "jobs: %llu succeeded, %llu failed for a reason, %llu cancelled, %llu whose client was cut off; %llu resumed\n",
        N(c->succeeded), N(c->failed), N(c->cancelled), N(c->unknown), N(c->resumed));
    printf(
        "faults: %llu messages lost, %llu executors dead, %llu crashed, %llu paused, %llu cut off, %llu pairs parted, "
        "%llu schedulers restarted, %llu of them zombies, %llu attempts failed, %llu outputs unreadable, %llu writes "
        "failed\n",
        N(c->lost_messages), N(c->deaths), N(c->crashes), N(c->pauses), N(c->cuts), N(c->parts), N(c->restarts),
        N(c->zombies), N(c->injected), N(c->corrupted), N(c->write_failures));
    printf("answers to them: %llu launched, %llu committed, %llu twins, %llu lost, %llu rebuilt, %llu resets, %llu "
           "excluded, "
           "%llu streams broken off, %llu registrations refused, %llu results streamed\n",
           N(m->launched), N(m->committed), N(m->twins), N(m->lost), N(m->rebuilt), N(m->resets), N(m->exclusions),
           N(m->broken_streams), N(c->refused), N(c->streamed));
    printf("%llu events\n", N(c->events));
}

int main(int argc, char **argv)
{
    uint64_t first = 1, last = 100;
    bool trace = false, once = false, first_only = false;
    for (int i = 1; i < argc; i++) {
        char *end = NULL;
        if (strcmp(argv[i], "--trace") == 0) {
            trace = true;
        } else if (strcmp(argv[i], "--once") == 0) {
            once = true;
        } else if (strcmp(argv[i], "--first") == 0) {
            first_only = true;
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            first = last = strtoull(argv[++i], &end, 10);
            if (strncmp(end, "..", 2) == 0)
                last = strtoull(end + 2, &end, 10);
        }
        if (end != NULL && *end != '\0') {
            fprintf(stderr, "usage: arbalest-simulate --seeds A..B [--trace] [--once] [--first]\n");
            return 2;
        }
    }
    totals sum = {0};
    uint64_t failed = 0;
    for (uint64_t seed = first; seed <= last && !(first_only && failed > 0); seed++)
        failed += !run(seed, trace, once, &sum);
    print(&sum);
    printf("%llu passed, %llu failed, 0 skipped\n", N(last - first + 1 - failed), N(failed));
    return failed != 0;
}
