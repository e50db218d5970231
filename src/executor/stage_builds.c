#include "executor/stage_builds.h"

#include "base/alloc.h"

static const int64_t IDLE_NS = 1000000000;

struct arb_stage_builds {
    arb_stage_builds *next;
    unsigned runs, users; /* users: runs that have not left */
    int64_t left_ns;      /* by the last user */
    bool over;            /* the stage is */
    arb_arena arena;      /* the key's lists */
    arb_stage_builds_key key;
    arb_shared_builds *builds; /* NULL: nobody has used any for a while, or the stage is over */
};

static bool same_input(const arb_task_input *a, const arb_task_input *b)
{
    if (a->stage != b->stage || a->source_count != b->source_count)
        return false;
    for (size_t i = 0; i < a->source_count; i++)
        if (a->sources[i].task != b->sources[i].task || !arb_id_equal(a->sources[i].attempt, b->sources[i].attempt))
            return false;
    return true;
}

static bool same_key(const arb_stage_builds_key *a, const arb_stage_builds_key *b)
{
    if (!arb_uuid_equal(a->cluster, b->cluster) || !arb_id_equal(a->attempt.job, b->attempt.job) ||
        !arb_id_equal(a->attempt.generation, b->attempt.generation) || a->attempt.stage != b->attempt.stage ||
        !arb_str_equal(a->plan_hash, b->plan_hash) || a->input_count != b->input_count)
        return false;
    for (size_t i = 0; i < a->input_count; i++)
        if (!same_input(&a->inputs[i], &b->inputs[i]))
            return false;
    return true;
}

static bool copy_key(arb_stage_builds *place, const arb_stage_builds_key *key)
{
    arb_task_input *inputs = ARB_ARENA_ARRAY(&place->arena, arb_task_input, key->input_count + 1);
    place->key = *key;
    place->key.plan_hash = arb_str_copy(&place->arena, key->plan_hash);
    place->key.inputs = inputs;
    if (inputs == NULL || place->key.plan_hash.data == NULL)
        return false;
    for (size_t i = 0; i < key->input_count; i++) {
        size_t count = key->inputs[i].source_count;
        arb_input_source *sources = ARB_ARENA_ARRAY(&place->arena, arb_input_source, count + 1);
        if (sources == NULL)
            return false;
        memcpy(sources, key->inputs[i].sources, count * sizeof *sources);
        inputs[i] = (arb_task_input){key->inputs[i].stage, count, sources};
    }
    return true;
}

static void free_place(arb_stage_builds *place)
{
    arb_shared_builds_unref(place->builds);
    arb_arena_reset(&place->arena);
    arb_free(place);
}

static arb_stage_builds *add(arb_stage_builds_list *list, const arb_stage_builds_key *key)
{
    arb_stage_builds *place = arb_alloc_zeroed(sizeof *place);
    if (place == NULL)
        return NULL;
    if (!copy_key(place, key)) {
        free_place(place);
        return NULL;
    }
    place->next = list->first;
    list->first = place;
    return place;
}

arb_stage_builds *arb_stage_builds_take(arb_stage_builds_list *list, const arb_stage_builds_key *key)
{
    arb_stage_builds *place = list->first;
    while (place != NULL && !same_key(&place->key, key))
        place = place->next;
    if (place == NULL)
        place = add(list, key);
    if (place == NULL)
        return NULL;
    place->runs++;
    place->users++;
    return place;
}

void arb_stage_builds_leave(arb_stage_builds *place, int64_t now_ns)
{
    if (place != NULL && --place->users == 0)
        place->left_ns = now_ns;
}

void arb_stage_builds_give_back(arb_stage_builds_list *list, arb_stage_builds *place)
{
    if (place == NULL || --place->runs != 0)
        return;
    arb_stage_builds **at = &list->first;
    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
    free_place(place);
}

arb_shared_builds *arb_stage_builds_of(arb_stage_builds *place)
{
    if (!place->over && place->builds == NULL && arb_shared_builds_create(&place->builds, NULL) != ARB_OK)
        return NULL;
    return place->builds != NULL ? arb_shared_builds_ref(place->builds) : NULL;
}

void arb_stage_builds_over(arb_stage_builds_list *list, arb_id job, uint32_t stage)
{
    for (arb_stage_builds *place = list->first; place != NULL; place = place->next)
        if (arb_id_equal(place->key.attempt.job, job) && place->key.attempt.stage == stage) {
            arb_shared_builds_unref(place->builds);
            place->builds = NULL;
            place->over = true;
        }
}

void arb_stage_builds_look_at_time(arb_stage_builds_list *list, int64_t now_ns, bool memory_is_short)
{
    for (arb_stage_builds *place = list->first; place != NULL; place = place->next)
        if (place->users == 0 && (memory_is_short || now_ns - place->left_ns >= IDLE_NS)) {
            arb_shared_builds_unref(place->builds);
            place->builds = NULL;
        }
}
