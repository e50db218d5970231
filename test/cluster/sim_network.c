/* The network: messages are copied, then lost, late, doubled, or overtaken. */
#include "simulator.h"

int64_t sim_delay(sim_world *world)
{
    bool late = world->now < world->faults_end && sim_chance(world, world->faults.late);
    return late ? sim_between(world, 10 * SIM_MS, 1500 * SIM_MS) : sim_between(world, SIM_MS / 10, 3 * SIM_MS);
}

static arb_str keep(arb_arena *arena, arb_str text)
{
    return arb_str_copy(arena, text);
}

static const void *keep_array(arb_arena *arena, const void *array, size_t size)
{
    void *copy = arb_arena_alloc(arena, size + 1);
    if (size > 0)
        memcpy(copy, array, size);
    return copy;
}

static arb_to_scheduler *copy_up(arb_arena *arena, const arb_to_scheduler *from)
{
    arb_to_scheduler *to = ARB_ARENA_NEW(arena, arb_to_scheduler);
    *to = *from;
    to->output.facts = keep(arena, from->output.facts);
    if (from->failure.error != NULL)
        to->failure.error = keep_array(arena, from->failure.error, sizeof *from->failure.error);
    if (from->kind != ARB_TO_SCHEDULER_REGISTER)
        return to;
    const arb_register *of = &from->inventory;
    to->inventory.address = keep(arena, of->address);
    to->inventory.version = keep(arena, of->version);
    arb_str *roots = (arb_str *)keep_array(arena, of->roots, of->root_count * sizeof *roots);
    for (size_t i = 0; i < of->root_count; i++)
        roots[i] = keep(arena, of->roots[i]);
    to->inventory.roots = roots;
    to->inventory.running = keep_array(arena, of->running, of->running_count * sizeof *of->running);
    to->inventory.failed = keep_array(arena, of->failed, of->failed_count * sizeof *of->failed);
    to->inventory.crashed = keep_array(arena, of->crashed, of->crashed_count * sizeof *of->crashed);
    arb_held_output *held = (arb_held_output *)keep_array(arena, of->held, of->held_count * sizeof *held);
    for (size_t i = 0; i < of->held_count; i++)
        held[i].output.facts = keep(arena, held[i].output.facts);
    to->inventory.held = held;
    return to;
}

static arb_to_executor *copy_down(arb_arena *arena, const arb_to_executor *from)
{
    arb_to_executor *to = ARB_ARENA_NEW(arena, arb_to_executor);
    *to = *from;
    if (from->kind == ARB_TO_EXECUTOR_LAUNCH) {
        to->launch.plan = keep(arena, from->launch.plan);
        to->launch.settings = keep(arena, from->launch.settings);
        to->launch.payload = keep(arena, from->launch.payload);
        arb_str *facts = (arb_str *)keep_array(arena, from->launch.facts, from->launch.fact_count * sizeof *facts);
        for (size_t i = 0; i < from->launch.fact_count; i++)
            facts[i] = keep(arena, facts[i]);
        to->launch.facts = facts;
    } else if (from->kind == ARB_TO_EXECUTOR_SOURCES) {
        size_t count = from->sources.source_count;
        arb_source *sources = (arb_source *)keep_array(arena, from->sources.sources, count * sizeof *sources);
        for (size_t i = 0; i < count; i++) {
            sources[i].address = keep(arena, sources[i].address);
            sources[i].facts = keep(arena, sources[i].facts);
        }
        to->sources.sources = sources;
    }
    return to;
}

/* How many copies arrive. */
static int copies(sim_world *world)
{
    bool faulty = world->now < world->faults_end;
    if (faulty && sim_chance(world, world->faults.lose)) {
        world->counts.lost_messages++;
        return 0;
    }
    return faulty && sim_chance(world, world->faults.twice) ? 2 : 1;
}

/* When; behind what was sent before it, unless messages overtake each other. */
static int64_t arrival(sim_world *world, int64_t *last)
{
    int64_t at = world->now + sim_delay(world);
    bool reorder = world->faults.reorder && world->now < world->faults_end;
    if (!reorder || !sim_chance(world, 0.05))
        at = ARB_MAX(at, *last + 1);
    *last = ARB_MAX(*last, at);
    return at;
}

void sim_send_up(sim_world *world, sim_executor *from, const arb_to_scheduler *message)
{
    world->counts.messages++;
    sim_note(world, (uint64_t)message->kind << 32 | message->header.sequence);
    if (message->kind == ARB_TO_SCHEDULER_REGISTER)
        from->session = message->header.session;
    if (from->cut)
        return;
    for (int left = copies(world); left > 0; left--) {
        sim_event *event = sim_at(world, arrival(world, &from->last_up), SIM_TO_SCHEDULER, from->index, 0, 0);
        event->up = copy_up(&event->arena, message);
    }
}

void sim_send_down(sim_world *world, const arb_to_executor *message)
{
    world->counts.messages++;
    sim_note(world, (uint64_t)message->kind << 40 | message->header.sequence);
    for (uint32_t i = 0; i < world->executor_count; i++) {
        sim_executor *to = &world->executors[i];
        if (!arb_uuid_equal(to->id, message->header.executor) || to->cut)
            continue;
        for (int left = copies(world); left > 0; left--) {
            sim_event *event = sim_at(world, arrival(world, &to->last_down), SIM_TO_EXECUTOR, i, 0, 0);
            event->down = copy_down(&event->arena, message);
        }
    }
}
