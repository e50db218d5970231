/* Faults: which may happen in a run, and when they do. Every eighth seed has none: there every job must succeed. */
#include "simulator.h"

static double rate(sim_world *world, double most)
{
    return sim_chance(world, 0.35) ? most * (double)(1 + sim_random(world, 100)) / 100 : 0;
}

void sim_faults_choose(sim_world *world)
{
    sim_faults *faults = &world->faults;
    if (world->seed % 8 == 0)
        return;
    world->faults_end = sim_between(world, 5 * SIM_SECOND, 40 * SIM_SECOND);
    faults->lose = rate(world, 0.01);
    faults->twice = rate(world, 0.1);
    faults->late = rate(world, 0.02);
    faults->reorder = sim_chance(world, 0.2);
    faults->die = sim_chance(world, 0.4);
    faults->pause = sim_chance(world, 0.3);
    faults->cut = sim_chance(world, 0.3);
    faults->drain = sim_chance(world, 0.2);
    faults->part = sim_chance(world, 0.3);
    faults->restart = sim_chance(world, 0.4);
    faults->zombie = sim_chance(world, 0.5);
    faults->forget = sim_chance(world, 0.2);
    faults->retryable = rate(world, 0.15);
    faults->corrupt = rate(world, 0.05);
    faults->vanish = rate(world, 0.05);
    faults->write = rate(world, 0.3);
    faults->slow_disk = sim_chance(world, 0.25);
    faults->rush = sim_chance(world, 0.5);
    faults->slow = rate(world, 0.1);
    faults->impatient = sim_chance(world, 0.3);
    world->short_history = sim_chance(world, 0.2);
    sim_at(world, sim_between(world, 0, 3 * SIM_SECOND), SIM_FAULT, 0, 0, 0);
}

static void die(sim_world *world, sim_executor *of)
{
    if (!of->alive)
        return;
    world->counts.deaths++;
    if (sim_chance(world, 0.3))
        of->previous = of->id;
    sim_executor_die(world, of->index);
    sim_at(world, world->now + sim_between(world, 100 * SIM_MS, 15 * SIM_SECOND), SIM_EXECUTOR_BACK, of->index, 0, 0);
}

static void suspend(sim_world *world, sim_executor *of)
{
    if (!of->alive || of->paused)
        return;
    world->counts.pauses++;
    of->paused = true;
    of->paused_until = world->now + sim_between(world, 100 * SIM_MS, 12 * SIM_SECOND);
    sim_trace(world, "executor %u pauses", of->index);
    sim_at(world, of->paused_until, SIM_EXECUTOR_RESUMES, of->index, of->incarnation, 0);
}

static void cut(sim_world *world, sim_executor *of)
{
    if (of->cut)
        return;
    world->counts.cuts++;
    of->cut = true;
    sim_trace(world, "executor %u is cut off", of->index);
    sim_at(world, world->now + sim_between(world, 100 * SIM_MS, 12 * SIM_SECOND), SIM_CUT_OVER, of->index, 0, 0);
}

static void part_pair(sim_world *world, uint32_t a, uint32_t b, int64_t over)
{
    if (a == b || world->parted[a][b])
        return;
    world->counts.parts++;
    world->parted[a][b] = true;
    sim_trace(world, "executors %u and %u do not reach each other", a, b);
    sim_at(world, over, SIM_PART_OVER, a, b, 0);
}

/* Two executors, or one from all others; the scheduler reaches them. */
static void part(sim_world *world, uint32_t a, uint32_t b)
{
    int64_t over = world->now + sim_between(world, SIM_SECOND, 30 * SIM_SECOND);
    bool from_all = sim_chance(world, 0.4);
    for (uint32_t i = 0; i < world->executor_count; i++)
        if (from_all || i == b)
            part_pair(world, a, i, over);
}

static void drain(sim_world *world, sim_executor *of)
{
    if (!of->alive || of->paused || of->draining)
        return;
    of->draining = true;
    sim_trace(world, "executor %u drains", of->index);
    arb_ledger_drain(of->ledger);
    sim_at(world, world->now + 20 * SIM_SECOND, SIM_FAULT, of->index, 1, of->incarnation);
}

static void one_fault(sim_world *world)
{
    const sim_faults *faults = &world->faults;
    sim_executor *of = &world->executors[sim_random(world, world->executor_count)];
    uint64_t what = sim_random(world, 6);
    if (what == 0 && faults->die)
        die(world, of);
    else if (what == 1 && faults->pause)
        suspend(world, of);
    else if (what == 2 && faults->cut)
        cut(world, of);
    else if (what == 3 && faults->drain)
        drain(world, of);
    else if (what == 4 && faults->part)
        part(world, of->index, (uint32_t)sim_random(world, world->executor_count));
    else if (what == 5 && faults->restart && world->current != NULL) {
        sim_scheduler_end(world);
        sim_at(world, world->now + sim_between(world, 50 * SIM_MS, 10 * SIM_SECOND), SIM_SCHEDULER_BACK, 0, 0, 0);
    }
}

void sim_fault_event(sim_world *world, sim_event *event)
{
    sim_executor *of = &world->executors[event->who];
    switch (event->kind) {
    case SIM_FAULT:
        if (event->a == 1) { /* it has drained, or waited long enough */
            if (of->alive && of->incarnation == event->b && of->draining)
                die(world, of);
            break;
        }
        if (world->now >= world->faults_end)
            break;
        one_fault(world);
        sim_at(world, world->now + sim_between(world, 50 * SIM_MS, 2500 * SIM_MS), SIM_FAULT, 0, 0, 0);
        break;
    case SIM_EXECUTOR_BACK:
        if (!of->alive)
            sim_executor_start(world, event->who);
        break;
    case SIM_EXECUTOR_RESUMES:
        if (of->incarnation == event->a) {
            of->paused = false;
            sim_trace(world, "executor %u goes on", event->who);
        }
        break;
    case SIM_CUT_OVER:
        of->cut = false;
        sim_trace(world, "executor %u is connected again", event->who);
        break;
    case SIM_PART_OVER:
        world->parted[event->who][event->a] = false;
        break;
    case SIM_SCHEDULER_BACK:
        sim_scheduler_start(world);
        break;
    default:
        sim_scheduler_free(world, &world->zombie);
        break;
    }
}
