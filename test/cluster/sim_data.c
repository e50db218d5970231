/* What jobs are made of, what their outputs contain, and what the result must be.
 *
 *     digest of an output = its job, stage, task, and of each input the digests of the producers read, in order;
 *                           and its attempt, where rows may differ
 *
 * A content also carries the choices: for each stage above it that may differ, which attempts of which tasks went in.
 * The result is right when its parts agree on the choices, and computing the digest from the graph and those choices
 * gives the same. A stage with a row limit may leave tasks out, if what it has is enough. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "simulator.h"

/* ---- jobs -------------------------------------------------------------------------------------------------------------- */

static void make_inputs(sim_world *world, arb_arena *arena, arb_stage_spec *stages, uint32_t number, bool last)
{
    arb_stage_input *inputs = ARB_ARENA_ARRAY(arena, arb_stage_input, SIM_STAGES_MOST);
    uint32_t wanted = number == 0 ? 0 : (uint32_t)sim_random(world, 3) + last;
    for (uint32_t i = 0; i < number && stages[number].input_count < wanted; i++) {
        uint32_t producer = number - 1 - i;
        if (!sim_chance(world, 0.7) && !(last && i + 1 == number))
            continue;
        arb_input_mode mode = (arb_input_mode)sim_random(world, 3);
        if (sim_chance(world, 0.2) && !last && stages[producer].publishes_facts)
            mode = ARB_INPUT_FACTS;
        inputs[stages[number].input_count++] = (arb_stage_input){producer, mode};
    }
    stages[number].inputs = inputs;
}

static void make_stage(sim_world *world, sim_job *job, arb_stage_spec *stages, uint32_t number, bool last)
{
    arb_stage_spec *stage = &stages[number];
    *stage = (arb_stage_spec){.plan = ARB_STR("plan"),
                              .task_count = 1 + (uint32_t)sim_random(world, last ? 3 : SIM_TASKS_MOST),
                              .may_differ = sim_chance(world, 0.25),
                              .publishes_facts = sim_chance(world, 0.4),
                              .wants_own_facts = sim_chance(world, 0.2),
                              .row_limit = -1,
                              .memory = 1 + sim_random(world, 120),
                              .drivers = 1};
    make_inputs(world, &job->arena, stages, number, last);
    if (stage->may_differ && sim_chance(world, 0.4))
        stage->row_limit = (int64_t)sim_random(world, 200);
    if (job->spec.root_count > 0 && stage->input_count == 0) {
        uint64_t *roots = ARB_ARENA_ARRAY(&job->arena, uint64_t, stage->task_count);
        for (uint32_t task = 0; task < stage->task_count; task++)
            roots[task] = sim_random(world, (uint64_t)1 << job->spec.root_count);
        stage->task_roots = roots;
    }
}

static void make_trouble(sim_world *world, sim_job *job)
{
    uint32_t stage = (uint32_t)sim_random(world, job->spec.stage_count);
    uint32_t task = (uint32_t)sim_random(world, job->spec.stages[stage].task_count);
    job->final_stage = job->poison_stage = -1;
    if (world->faults_end == 0)
        return;
    if (sim_chance(world, 0.04)) {
        job->final_stage = (int)stage;
        job->final_task = (int)task;
    } else if (sim_chance(world, 0.05)) {
        job->poison_stage = (int)stage;
        job->poison_task = (int)task;
        job->poison_beside = sim_chance(world, 0.5);
    }
}

void sim_job_make(sim_world *world, sim_job *job)
{
    static const arb_str roots[] = {{"lake", 4}, {"attic", 5}};
    uint32_t count = sim_chance(world, 0.25) ? 1 : 2 + (uint32_t)sim_random(world, SIM_STAGES_MOST - 1);
    arb_stage_spec *stages = ARB_ARENA_ARRAY(&job->arena, arb_stage_spec, count);
    char *text = arb_arena_alloc(&job->arena, 16);
    snprintf(text, 16, "job %u", job->index);
    job->spec = (arb_job_spec){.text = arb_str_of(text),
                               .user = ARB_STR("sim"),
                               .read_only = sim_chance(world, 0.7),
                               .roots = roots,
                               .root_count = sim_chance(world, 0.2) ? 2 : 0,
                               .stages = stages,
                               .stage_count = count};
    for (uint32_t number = 0; number < count; number++)
        make_stage(world, job, stages, number, number + 1 == count);
    if (stages[count - 1].task_count == 1 && sim_chance(world, 0.3))
        job->spec.may_stream = true;
    job->keeps_asking = sim_chance(world, 0.7);
    make_trouble(world, job);
}

sim_job *sim_job_of(sim_world *world, arb_uuid cluster, arb_id id)
{
    for (uint32_t i = 0; i < world->job_count; i++)
        if (world->jobs[i].order > 0 && arb_id_equal(world->jobs[i].id, id) &&
            arb_uuid_equal(world->jobs[i].cluster, cluster))
            return &world->jobs[i];
    return NULL;
}

/* ---- contents ---------------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    return arb_hash_combine(a, b);
}

static uint64_t seed_of(const sim_job *job, uint32_t stage, uint32_t task, arb_id attempt)
{
    uint64_t digest = mix(mix(mix(arb_hash_u64(job->index + 1), job->spec.stage_count), stage), task);
    if (job->spec.stages[stage].may_differ)
        digest = mix(mix(digest, attempt.term), attempt.number);
    return digest;
}

static uint64_t rows_of(const sim_job *job, uint32_t stage, uint32_t task, arb_id attempt)
{
    return seed_of(job, stage, task, attempt) % 100;
}

void sim_content_begin(const sim_job *job, const arb_attempt *attempt, sim_content *out_content)
{
    *out_content = (sim_content){.digest = seed_of(job, attempt->stage, attempt->task, attempt->attempt),
                                 .rows = rows_of(job, attempt->stage, attempt->task, attempt->attempt)};
}

static void choose(sim_content *content, uint32_t stage, uint32_t task, arb_id attempt)
{
    for (uint32_t i = 0; i < content->choice_count; i++) {
        const sim_choice *at = &content->choices[i];
        if (at->stage != stage || at->task != task)
            continue;
        content->torn |= !arb_id_equal(at->attempt, attempt);
        return;
    }
    content->choices[content->choice_count++] = (sim_choice){stage, task, attempt};
}

void sim_content_add(const sim_job *job, sim_content *content, uint32_t stage, uint32_t task, arb_id attempt,
                     const sim_content *of, bool facts)
{
    if (!facts)
        content->digest = mix(mix(mix(content->digest, stage), task), of->digest);
    content->torn |= of->torn;
    for (uint32_t i = 0; i < of->choice_count; i++)
        choose(content, of->choices[i].stage, of->choices[i].task, of->choices[i].attempt);
    if (job->spec.stages[stage].may_differ)
        choose(content, stage, task, attempt);
}

/* ---- what must be ------------------------------------------------------------------------------------------------------ */

static const sim_choice *choice_of(const sim_content *choices, uint32_t stage, uint32_t task)
{
    for (uint32_t i = 0; i < choices->choice_count; i++)
        if (choices->choices[i].stage == stage && choices->choices[i].task == task)
            return &choices->choices[i];
    return NULL;
}

/* Digests of all tasks of all stages, as the choices make them; false: a choice is missing. */
typedef struct expectation {
    bool made[SIM_STAGES_MOST][SIM_TASKS_MOST];
    uint64_t digests[SIM_STAGES_MOST][SIM_TASKS_MOST];
} expectation;

static bool enough_rows(const sim_job *job, const sim_content *choices, uint32_t stage)
{
    const arb_stage_spec *spec = &job->spec.stages[stage];
    uint64_t rows = 0;
    uint32_t made = 0;
    for (uint32_t task = 0; task < spec->task_count; task++) {
        const sim_choice *choice = choice_of(choices, stage, task);
        if (choice == NULL)
            continue;
        made++;
        rows += rows_of(job, stage, task, choice->attempt);
    }
    return made == spec->task_count || (made > 0 && rows >= (uint64_t)spec->row_limit);
}

static const char *expect(const sim_job *job, const sim_content *choices, uint32_t stage, expectation *out)
{
    const arb_stage_spec *spec = &job->spec.stages[stage];
    for (uint32_t task = 0; task < spec->task_count; task++) {
        const sim_choice *choice = choice_of(choices, stage, task);
        if (spec->may_differ && choice == NULL)
            continue;
        uint64_t digest = seed_of(job, stage, task, choice != NULL ? choice->attempt : (arb_id){0});
        bool made = true;
        for (uint32_t i = 0; i < spec->input_count; i++) {
            uint32_t producer = spec->inputs[i].stage;
            if (spec->inputs[i].mode == ARB_INPUT_FACTS)
                continue;
            for (uint32_t p = 0; p < job->spec.stages[producer].task_count; p++) {
                if (out->made[producer][p])
                    digest = mix(mix(mix(digest, producer), p), out->digests[producer][p]);
                else
                    made &= job->spec.stages[producer].row_limit >= 0;
            }
        }
        out->made[stage][task] = made;
        out->digests[stage][task] = digest;
    }
    return spec->row_limit >= 0 && !enough_rows(job, choices, stage) ? "a stage with a row limit has too few rows"
                                                                     : NULL;
}

/* Stages that the result is made of. */
static void mark_read(const sim_job *job, bool *read)
{
    read[job->spec.stage_count - 1] = true;
    for (uint32_t number = job->spec.stage_count; number-- > 0;)
        for (uint32_t i = 0; read[number] && i < job->spec.stages[number].input_count; i++)
            if (job->spec.stages[number].inputs[i].mode != ARB_INPUT_FACTS)
                read[job->spec.stages[number].inputs[i].stage] = true;
}

bool sim_result_right(sim_world *world, const sim_job *job)
{
    uint32_t last = job->spec.stage_count - 1;
    const arb_stage_spec *spec = &job->spec.stages[last];
    sim_content *all = arb_alloc_zeroed(sizeof *all);
    expectation expected = {0};
    bool read[SIM_STAGES_MOST] = {0};
    const char *wrong = NULL;
    for (uint32_t task = 0; task < spec->task_count; task++)
        if (job->has_result[task])
            sim_content_add(job, all, last, task, job->result_attempts[task], &job->results[task], true);
    if (all->torn)
        wrong = "two makings of a stage are mixed";
    mark_read(job, read);
    for (uint32_t number = 0; number <= last && wrong == NULL; number++)
        if (read[number])
            wrong = expect(job, all, number, &expected);
    for (uint32_t task = 0; task < spec->task_count && wrong == NULL; task++) {
        if (!job->has_result[task] && spec->row_limit < 0)
            wrong = "a part is missing";
        else if (job->has_result[task] &&
                 (!expected.made[last][task] || expected.digests[last][task] != job->results[task].digest))
            wrong = "a part has the wrong rows";
    }
    arb_free(all);
    if (wrong != NULL)
        sim_fail(world, "job %u: the result is wrong: %s", job->index, wrong);
    return wrong == NULL;
}
