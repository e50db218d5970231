/* The network: messages become bytes, which are lost, late, doubled, or overtaken, and messages again. */
#include "scheduler/control_wire.h"
#include "simulator.h"

int64_t sim_delay(sim_world *world)
{
    bool late = world->now < world->faults_end && sim_chance(world, world->faults.late);
    return late ? sim_between(world, 10 * SIM_MS, 1500 * SIM_MS) : sim_between(world, SIM_MS / 10, 3 * SIM_MS);
}

/* What arrives of a message is what its bytes say. */
static arb_to_scheduler *bytes_up(sim_world *world, arb_arena *arena, const arb_to_scheduler *message)
{
    arb_text bytes = {0};
    arb_error error = {0};
    arb_str wanted, token;
    arb_to_scheduler *arrives = ARB_ARENA_NEW(arena, arb_to_scheduler);
    if (arb_to_scheduler_encode(message, ARB_STR(""), &bytes, &error) != ARB_OK ||
        arb_to_scheduler_decode(arena, arb_text_view(&bytes), arrives, &token, &wanted, &error) != ARB_OK)
        sim_fail(world, "a message of kind %d to the scheduler: %s", message->kind, error.message);
    arb_text_reset(&bytes);
    return arrives;
}

static arb_to_executor *bytes_down(sim_world *world, arb_arena *arena, const arb_to_executor *message)
{
    arb_text bytes = {0};
    arb_error error = {0};
    bool is_chunk;
    arb_chunk chunk;
    arb_to_executor *arrives = ARB_ARENA_NEW(arena, arb_to_executor);
    if (arb_to_executor_encode(message, &bytes, &error) != ARB_OK ||
        arb_to_executor_decode(arena, arb_text_view(&bytes), &is_chunk, arrives, &chunk, &error) != ARB_OK)
        sim_fail(world, "a message of kind %d to an executor: %s", message->kind, error.message);
    arb_text_reset(&bytes);
    return arrives;
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
        event->up = bytes_up(world, &event->arena, message);
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
            event->down = bytes_down(world, &event->arena, message);
        }
    }
}
