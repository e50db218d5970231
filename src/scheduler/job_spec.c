#include "scheduler/job_spec.h"

#include "scheduler/record.h"

enum {
    SPEC_VERSION = 2,
    HAS_PAYLOADS = 1,
    HAS_BYTES = 2,
    HAS_ROOTS = 4,
    MAY_DIFFER = 8,
    PUBLISHES = 16,
    OWN_FACTS = 32
};

static arb_code check_stage(const arb_job_spec *spec, uint32_t number, arb_error *error)
{
    const arb_stage_spec *stage = &spec->stages[number];
    if (stage->task_count == 0 || stage->task_count > ARB_STAGE_TASKS_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "stage %u has %u tasks; 1 to %d are possible", number,
                        stage->task_count, ARB_STAGE_TASKS_MOST);
    if (stage->row_limit < -1 || stage->row_limit == INT64_MAX || (stage->row_limit >= 0 && !stage->may_differ))
        return arb_fail(error, ARB_INVALID_PARAMETER,
                        "stage %u: a limit of rows must be possible, and marks a stage as one that may differ", number);
    for (uint32_t i = 0; i < stage->input_count; i++)
        if (stage->inputs[i].stage >= number || (unsigned)stage->inputs[i].mode > ARB_INPUT_FACTS)
            return arb_fail(error, ARB_INVALID_PARAMETER, "input %u of stage %u is not a stage before it", i, number);
    if (stage->task_roots != NULL && spec->root_count < 64)
        for (uint32_t task = 0; task < stage->task_count; task++)
            if (stage->task_roots[task] >> spec->root_count != 0)
                return arb_fail(error, ARB_INVALID_PARAMETER, "task %u of stage %u names a root that is not there",
                                task, number);
    return ARB_OK;
}

static arb_code too_large(uint64_t size, arb_error *error)
{
    arb_fail(error, ARB_LIMIT_EXCEEDED,
             "the query takes %llu bytes in the state store, with all that its tasks are told; %d are possible",
             (unsigned long long)size, ARB_JOB_RECORD_MOST);
    arb_error_hint(error, "a query of fewer files or shorter lists of values takes less");
    return ARB_LIMIT_EXCEEDED;
}

static arb_code check_texts(const arb_job_spec *spec, arb_error *error)
{
    uint64_t size =
        (uint64_t)spec->text.size + spec->user.size + spec->settings.size + spec->name.size + spec->result.size;
    for (uint32_t i = 0; i < spec->root_count; i++)
        size += spec->roots[i].size;
    for (uint32_t number = 0; number < spec->stage_count; number++) {
        const arb_stage_spec *stage = &spec->stages[number];
        size += stage->plan.size;
        for (uint32_t task = 0; stage->payloads != NULL && task < stage->task_count; task++)
            size += stage->payloads[task].size;
    }
    return size <= ARB_JOB_RECORD_MOST ? ARB_OK : too_large(size, error);
}

arb_code arb_job_spec_check(const arb_job_spec *spec, arb_error *error)
{
    if (spec->stage_count == 0 || spec->stage_count > ARB_JOB_STAGES_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a job has %u stages; 1 to %d are possible", spec->stage_count,
                        ARB_JOB_STAGES_MOST);
    if (spec->root_count > ARB_JOB_ROOTS_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "a job reads files under %u roots; %d are possible",
                        spec->root_count, ARB_JOB_ROOTS_MOST);
    for (uint32_t number = 0; number < spec->stage_count; number++)
        ARB_TRY(check_stage(spec, number, error));
    if (spec->may_stream && spec->stages[spec->stage_count - 1].task_count != 1)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a result of several tasks cannot stream");
    return check_texts(spec, error);
}

static void encode_stage(const arb_stage_spec *stage, arb_text *out)
{
    arb_record_put_text(out, stage->plan);
    arb_record_put_number(out, stage->task_count);
    arb_record_put_number(out, stage->input_count);
    for (uint32_t i = 0; i < stage->input_count; i++) {
        arb_record_put_number(out, stage->inputs[i].stage);
        arb_record_put_number(out, stage->inputs[i].mode);
    }
    arb_record_put_number(out, (stage->payloads != NULL ? HAS_PAYLOADS : 0) |
                                   (stage->task_bytes != NULL ? HAS_BYTES : 0) |
                                   (stage->task_roots != NULL ? HAS_ROOTS : 0) | (stage->may_differ ? MAY_DIFFER : 0) |
                                   (stage->publishes_facts ? PUBLISHES : 0) | (stage->wants_own_facts ? OWN_FACTS : 0));
    arb_record_put_number(out, (uint64_t)stage->row_limit + 1);
    arb_record_put_number(out, stage->memory);
    arb_record_put_number(out, stage->drivers);
    for (uint32_t task = 0; task < stage->task_count; task++) {
        if (stage->payloads != NULL)
            arb_record_put_text(out, stage->payloads[task]);
        if (stage->task_bytes != NULL)
            arb_record_put_number(out, stage->task_bytes[task]);
        if (stage->task_roots != NULL)
            arb_record_put_number(out, stage->task_roots[task]);
    }
}

arb_code arb_job_spec_encode(const arb_job_spec *spec, arb_text *out, arb_error *error)
{
    size_t before = out->size;
    arb_record_put_number(out, SPEC_VERSION);
    arb_record_put_text(out, spec->text);
    arb_record_put_text(out, spec->user);
    arb_record_put_text(out, spec->settings);
    arb_record_put_text(out, spec->name);
    arb_record_put_text(out, spec->result);
    arb_record_put_number(out, (spec->read_only ? 1 : 0) | (spec->may_stream ? 2 : 0));
    arb_record_put_number(out, spec->root_count);
    for (uint32_t i = 0; i < spec->root_count; i++)
        arb_record_put_text(out, spec->roots[i]);
    arb_record_put_number(out, spec->stage_count);
    for (uint32_t i = 0; i < spec->stage_count; i++)
        encode_stage(&spec->stages[i], out);
    ARB_TRY(arb_text_check(out, error));
    return out->size - before <= ARB_JOB_RECORD_MOST ? ARB_OK : too_large(out->size - before, error);
}

/* What a record claims is there is checked against its size before anything is allocated for it. */
static arb_code decode_tasks(arb_record_reader *reader, arb_arena *arena, uint64_t flags, arb_stage_spec *stage,
                             arb_error *error)
{
    size_t count = stage->task_count, columns = 0;
    for (int flag = HAS_PAYLOADS; flag <= HAS_ROOTS; flag *= 2)
        columns += (flags & (uint64_t)flag) != 0;
    if (count * columns > reader->left.size)
        return arb_fail(error, ARB_CORRUPT_DATA, "the record of a job in the state store is damaged");
    arb_str *payloads = flags & HAS_PAYLOADS ? ARB_ARENA_ARRAY(arena, arb_str, count) : NULL;
    uint64_t *bytes = flags & HAS_BYTES ? ARB_ARENA_ARRAY(arena, uint64_t, count) : NULL;
    uint64_t *roots = flags & HAS_ROOTS ? ARB_ARENA_ARRAY(arena, uint64_t, count) : NULL;
    if ((flags & HAS_PAYLOADS && payloads == NULL) || (flags & HAS_BYTES && bytes == NULL) ||
        (flags & HAS_ROOTS && roots == NULL))
        return arb_fail_memory(error, "the tasks of a job", count * columns * 16);
    for (size_t task = 0; columns > 0 && task < count; task++) {
        if (payloads != NULL)
            payloads[task] = arb_record_text(reader);
        if (bytes != NULL)
            bytes[task] = arb_record_number(reader);
        if (roots != NULL)
            roots[task] = arb_record_number(reader);
    }
    stage->payloads = payloads;
    stage->task_bytes = bytes;
    stage->task_roots = roots;
    return ARB_OK;
}

static arb_code decode_stage(arb_record_reader *reader, arb_arena *arena, arb_stage_spec *stage, arb_error *error)
{
    stage->plan = arb_record_text(reader);
    stage->task_count = (uint32_t)arb_record_number_most(reader, ARB_STAGE_TASKS_MOST);
    stage->input_count = (uint32_t)arb_record_count(reader, ARB_JOB_STAGES_MOST, 2);
    arb_stage_input *inputs = ARB_ARENA_ARRAY(arena, arb_stage_input, stage->input_count + 1);
    if (inputs == NULL)
        return arb_fail_memory(error, "the inputs of a stage", stage->input_count * sizeof *inputs);
    for (uint32_t i = 0; i < stage->input_count; i++) {
        inputs[i].stage = (uint32_t)arb_record_number_most(reader, ARB_JOB_STAGES_MOST);
        inputs[i].mode = (arb_input_mode)arb_record_number_most(reader, ARB_INPUT_FACTS);
    }
    stage->inputs = inputs;
    uint64_t flags = arb_record_number(reader);
    stage->may_differ = flags & MAY_DIFFER;
    stage->publishes_facts = flags & PUBLISHES;
    stage->wants_own_facts = flags & OWN_FACTS;
    stage->row_limit = (int64_t)arb_record_number_most(reader, INT64_MAX) - 1;
    stage->memory = arb_record_number(reader);
    stage->drivers = (uint32_t)arb_record_number_most(reader, UINT32_MAX);
    return decode_tasks(reader, arena, flags, stage, error);
}

arb_code arb_job_spec_decode(arb_str bytes, arb_arena *arena, arb_job_spec *out_spec, arb_error *error)
{
    arb_job_spec spec = {0};
    arb_str kept = arb_str_copy(arena, bytes);
    *out_spec = spec;
    if (kept.data == NULL)
        return arb_fail_memory(error, "a job", bytes.size);
    arb_record_reader reader = {.left = kept};
    if (arb_record_number(&reader) != SPEC_VERSION)
        return arb_fail(error, ARB_CORRUPT_DATA, "the record of a job in the state store has an unknown version");
    spec.text = arb_record_text(&reader);
    spec.user = arb_record_text(&reader);
    spec.settings = arb_record_text(&reader);
    spec.name = arb_record_text(&reader);
    spec.result = arb_record_text(&reader);
    uint64_t flags = arb_record_number(&reader);
    spec.read_only = flags & 1;
    spec.may_stream = flags & 2;
    spec.root_count = (uint32_t)arb_record_count(&reader, ARB_JOB_ROOTS_MOST, 1);
    arb_str *roots = ARB_ARENA_ARRAY(arena, arb_str, spec.root_count + 1);
    if (roots == NULL)
        return arb_fail_memory(error, "the roots of a job", spec.root_count * sizeof *roots);
    for (uint32_t i = 0; i < spec.root_count; i++)
        roots[i] = arb_record_text(&reader);
    spec.roots = roots;
    spec.stage_count = (uint32_t)arb_record_count(&reader, ARB_JOB_STAGES_MOST, 6);
    arb_stage_spec *stages = ARB_ARENA_ARRAY(arena, arb_stage_spec, spec.stage_count + 1);
    if (stages == NULL)
        return arb_fail_memory(error, "the stages of a job", spec.stage_count * sizeof *stages);
    for (uint32_t i = 0; i < spec.stage_count; i++)
        ARB_TRY(decode_stage(&reader, arena, &stages[i], error));
    spec.stages = stages;
    ARB_TRY(arb_record_end(&reader, "a job", error));
    if (arb_job_spec_check(&spec, error) != ARB_OK) {
        arb_error_context(error, "the record of a job in the state store is damaged");
        return error != NULL ? (error->code = ARB_CORRUPT_DATA) : ARB_CORRUPT_DATA;
    }
    *out_spec = spec;
    return ARB_OK;
}
