/* hash_join_probe.c: the transform of a hash join.
 *
 * begin      which probe rows have a chain at all
 * round      one candidate a row: the keys compared, pairs appended, each row moved on to the next of its chain
 * take       the next pairs, up to a batch: tested by the residual condition, marked, written
 * tail       when no pair is left: what the kind of join gives for whole probe rows */
#include "execution/operators/hash_join.h"
#include "execution/operators/key_columns.h"

enum { pairs_most = 2 * ARB_VECTOR_ROWS, rounds_most = 4 * ARB_VECTOR_ROWS, patience = 32 };

typedef struct probe_local {
    const join_table *table;
    probe_spill *spill;     /* NULL when no partition is absent */
    const arb_batch *batch; /* what stays of the input; while active */
    arb_key_columns keys;
    arb_join_writer writer, inputs;
    arb_program_state *program;
    const arb_vector **vectors; /* the residual's inputs */
    bool active;                /* between two calls for one batch */
    bool emits_pairs, marks_probe, marks_build;
    uint16_t candidates[ARB_VECTOR_ROWS + 64]; /* probe rows with a candidate in rows[] */
    size_t candidate_count;
    char *rows[ARB_VECTOR_ROWS];
    uint16_t pair_index[pairs_most];
    char *pair_rows[pairs_most];
    size_t pair_at, pair_end; /* pairs not yet taken */
    uint64_t matched[ARB_VECTOR_WORDS], unknown[ARB_VECTOR_WORDS], tail[ARB_VECTOR_WORDS];
    char *single[ARB_VECTOR_ROWS];
} probe_local;

arb_code arb_hash_join_transform_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    hash_join *join = (hash_join *)op;
    *out_local = NULL;
    probe_local *local = arb_alloc_zeroed(sizeof *local);
    if (local == NULL)
        return arb_fail_memory(error, join->name, sizeof *local);
    local->table = &join->table;
    arb_code code;
    uint32_t batch_rows = op->context->batch_rows;
    ARB_TRY_GOTO(code, arb_key_columns_init(&local->keys, join->probe_keys, join->key_count, error), failed);
    ARB_TRY_GOTO(code, arb_join_writer_init(&local->writer, &join->columns, batch_rows, error), failed);
    if (join->residual != NULL) {
        ARB_TRY_GOTO(code, arb_join_writer_init(&local->inputs, &join->inputs, batch_rows, error), failed);
        ARB_TRY_GOTO(code, arb_program_state_create(join->residual, &local->program, error), failed);
        arb_program_state_set_stop(local->program, &op->context->cancelled);
        local->vectors = arb_alloc_zeroed((join->input_count + 1) * sizeof *local->vectors);
        if (local->vectors == NULL) {
            code = arb_fail_memory(error, join->name, join->input_count * sizeof *local->vectors);
            goto failed;
        }
        for (size_t i = 0; i < join->inputs.count; i++)
            local->vectors[join->input_places[i]] = &local->inputs.columns[i];
    }
    if (join->absent != 0)
        ARB_TRY_GOTO(code, arb_hash_join_probe_spill_create(join, &local->spill, error), failed);
    local->emits_pairs = join->output <= ARB_JOIN_FULL_OUTER;
    local->marks_probe = join->output != ARB_JOIN_MATCHES && join->output != ARB_JOIN_BUILD_OUTER &&
                         join->output != ARB_JOIN_BUILD_SEMI && join->output != ARB_JOIN_BUILD_ANTI;
    local->marks_build = arb_join_has_source(op->node);
    *out_local = local;
    return ARB_OK;
failed:
    arb_hash_join_transform_destroy(op, local);
    return code;
}

void arb_hash_join_transform_destroy(arb_operator *op, void *local_void)
{
    (void)op;
    probe_local *local = local_void;
    if (local == NULL)
        return;
    arb_key_columns_reset(&local->keys);
    arb_join_writer_reset(&local->writer);
    arb_join_writer_reset(&local->inputs);
    arb_program_state_destroy(local->program);
    arb_hash_join_probe_spill_destroy(local->spill);
    arb_free(local->vectors);
    arb_free(local);
}

void arb_hash_join_probe_table(void *local_void, const join_table *table)
{
    probe_local *local = local_void;
    local->table = table;
    arb_hash_join_probe_spill_destroy(local->spill);
    local->spill = NULL;
}

/* ---- lookup ----------------------------------------------------------------------------------------------------------- */

/* NOT IN: who has no match may have an unknown one, when a key of either side is NULL. Where there is a further condition,
 * it is the one that may be NULL: the keys say which rows are in question. */
static void find_unknown(const hash_join *join, probe_local *local, const arb_batch *in)
{
    if (!join->null_aware || join->key_count == 0 || join->residual != NULL || join->build_rows == 0)
        return;
    const arb_vector *key = arb_key_column(&local->keys, 0);
    size_t words = arb_bitmap_words(in->rows);
    if (join->build_null || (key->validity != NULL && key->encoding == ARB_CONSTANT && (key->validity[0] & 1) == 0))
        memset(local->unknown, 0xFF, words * 8);
    else if (key->validity != NULL && key->encoding != ARB_CONSTANT)
        for (size_t word = 0; word < words; word++)
            local->unknown[word] = ~key->validity[word];
}

/* Those of the rows that the batch still has. */
static size_t only_selected(const arb_batch *batch, uint16_t *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t row = rows[i];
        rows[kept] = row;
        kept += arb_bitmap_get(batch->selection, row);
    }
    return kept;
}

static arb_code begin(hash_join *join, probe_local *local, const arb_batch *in, arb_error *error)
{
    const arb_join_directory *directory = &local->table->directory;
    size_t words = arb_bitmap_words(in->rows);
    memset(local->matched, 0, words * 8);
    memset(local->unknown, 0, words * 8);
    local->pair_at = local->pair_end = local->candidate_count = 0;
    local->batch = in;
    arb_key_columns_load(&local->keys, in);
    find_unknown(join, local, in);
    if (join->output == ARB_JOIN_PROBE_SINGLE)
        for (size_t row = 0; row < in->rows; row++)
            local->single[row] = join->rows.null_row;
    if (directory->mode == ARB_JOIN_EMPTY && local->spill == NULL)
        return ARB_OK;
    size_t count = arb_batch_rows_selected(in, local->candidates);
    const bool *null_equal = directory->mode != ARB_JOIN_DENSE ? join->null_equal : NULL;
    count = arb_key_columns_valid(&local->keys, null_equal, local->candidates, count, NULL, NULL);
    if (directory->mode == ARB_JOIN_HASHED || local->spill != NULL)
        ARB_TRY(arb_key_columns_hash(&local->keys, error));
    if (local->spill != NULL) {
        ARB_TRY(arb_hash_join_put_away(join, local->spill, in, local->keys.hashes, local->candidates, count,
                                       &local->batch, error));
        if (local->batch != in)
            count = only_selected(local->batch, local->candidates, count);
        if (directory->mode == ARB_JOIN_EMPTY)
            return ARB_OK;
    }
    ARB_TRY(arb_key_columns_flatten(&local->keys, error));
    const arb_vector *key = &local->keys.flat[0];
    if (directory->mode != ARB_JOIN_BITS) {
        local->candidate_count =
            arb_join_directory_find(directory, key, local->keys.hashes, local->candidates, count, local->rows);
        return ARB_OK;
    }
    count = arb_join_directory_find_bits(directory, key, local->candidates, count);
    for (size_t i = 0; i < count; i++)
        arb_bitmap_set(local->matched, local->candidates[i]);
    return ARB_OK;
}

/* The candidates whose keys are equal, in `out_rows`. */
static size_t compare(const hash_join *join, const probe_local *local, uint16_t *out_rows)
{
    size_t count = local->candidate_count;
    if (local->table->directory.mode != ARB_JOIN_HASHED) {
        memcpy(out_rows, local->candidates, count * sizeof *out_rows);
        return count;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) { /* most strangers in a chain differ in these bits of the hash */
        uint16_t at = local->candidates[i];
        out_rows[kept] = at;
        kept += ((arb_row_link(local->rows[at]) ^ arb_row_hash_bits(local->keys.hashes[at])) & ARB_ROW_HASH_MASK) == 0;
    }
    for (size_t k = 0; k < join->key_count && kept != 0; k++)
        kept = arb_row_match(&join->rows, k, &local->keys.flat[k], join->has_null[k], local->rows, out_rows, kept, NULL,
                             NULL);
    return kept;
}

/* False when somebody has marked it before. */
static bool mark_row(char *row)
{
    _Atomic uint64_t *header = (_Atomic uint64_t *)(void *)row;
    return (atomic_load_explicit(header, memory_order_relaxed) & ARB_ROW_MATCHED) == 0 &&
           (atomic_fetch_or_explicit(header, ARB_ROW_MATCHED, memory_order_relaxed) & ARB_ROW_MATCHED) == 0;
}

/* Where only marks matter, whoever marks the first row of a key goes on to its other rows, and nobody else needs to: many
 * equal rows on both sides would take as many steps as there are pairs. */
static void follow_round(const hash_join *join, probe_local *local)
{
    uint16_t equal[ARB_VECTOR_ROWS];
    size_t count = compare(join, local, equal), left = 0;
    bool may_end = join->first_only || join->marks_only; /* at a match */
    if (join->first_only) {
        for (size_t i = 0; i < count; i++)
            arb_bitmap_set(local->matched, equal[i]);
    } else if (join->marks_only) {
        for (size_t i = 0; i < count; i++)
            if (!mark_row(local->rows[equal[i]]))
                arb_bitmap_set(local->matched, equal[i]);
    } else {
        for (size_t i = 0; i < count; i++) {
            local->pair_index[local->pair_end + i] = equal[i];
            local->pair_rows[local->pair_end + i] = local->rows[equal[i]];
        }
        local->pair_end += count;
    }
    if (local->table->directory.mode == ARB_JOIN_DENSE && !local->table->directory.repeats) {
        local->candidate_count = 0;
        return;
    }
    for (size_t i = 0; i < local->candidate_count; i++) {
        uint16_t at = local->candidates[i];
        char *next = arb_row_next(local->rows[at]);
        bool goes_on = next != NULL && !(may_end && arb_bitmap_get(local->matched, at));
        ARB_PREFETCH(next);
        local->rows[at] = next;
        local->candidates[left] = at;
        left += goes_on;
    }
    local->candidate_count = left;
}

/* ---- pairs ------------------------------------------------------------------------------------------------------------ */

/* Keep the pairs [pair_at, pair_at + count) for which the condition is true. */
static arb_code test_residual(const hash_join *join, probe_local *local, const arb_batch *in, size_t count,
                              size_t *out_kept, arb_error *error)
{
    uint16_t *index = local->pair_index + local->pair_at;
    char **rows = local->pair_rows + local->pair_at;
    uint64_t pass[ARB_VECTOR_WORDS];
    ARB_TRY(arb_join_write_pairs(&local->inputs, in, index, rows, count, false, error));
    if (join->null_aware) { /* three-valued: NULL is not false here */
        const arb_vector *result;
        ARB_TRY(arb_program_run(local->program, local->vectors, (uint32_t)count, NULL, &result, error));
        memset(pass, 0, sizeof pass);
        for (size_t i = 0; i < count; i++) {
            if (!arb_vector_is_valid(result, i))
                arb_bitmap_set(local->unknown, index[i]);
            else if (arb_vector_get_bool(result, i))
                arb_bitmap_set(pass, i);
        }
    } else {
        arb_bitmap_fill(pass, count);
        ARB_TRY(arb_program_select(local->program, local->vectors, (uint32_t)count, pass, error));
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        index[kept] = index[i];
        rows[kept] = rows[i];
        kept += arb_bitmap_get(pass, i);
    }
    *out_kept = kept;
    return ARB_OK;
}

static void mark_build(char *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)mark_row(rows[i]);
}

static arb_code mark_pairs(const hash_join *join, probe_local *local, size_t count, arb_error *error)
{
    const uint16_t *index = local->pair_index + local->pair_at;
    char *const *rows = local->pair_rows + local->pair_at;
    if (local->marks_build)
        mark_build(rows, count);
    if (join->output == ARB_JOIN_PROBE_SINGLE)
        for (size_t i = 0; i < count; i++) {
            if (arb_bitmap_get(local->matched, index[i]))
                return arb_fail(error, ARB_CARDINALITY_VIOLATION,
                                "more than one row returned by a subquery used as an expression");
            arb_bitmap_set(local->matched, index[i]);
            local->single[index[i]] = rows[i];
        }
    else if (local->marks_probe)
        for (size_t i = 0; i < count; i++)
            arb_bitmap_set(local->matched, index[i]);
    return ARB_OK;
}

static void refill(const hash_join *join, probe_local *local)
{
    size_t waiting = local->pair_end - local->pair_at;
    if (local->pair_at != 0 && waiting < join->base.context->batch_rows && local->candidate_count != 0) {
        memmove(local->pair_index, local->pair_index + local->pair_at, waiting * sizeof *local->pair_index);
        memmove(local->pair_rows, local->pair_rows + local->pair_at, waiting * sizeof *local->pair_rows);
        local->pair_at = 0;
        local->pair_end = waiting;
    }
    for (unsigned round = 0; round < rounds_most && local->candidate_count != 0 &&
                             local->pair_end - local->pair_at < join->base.context->batch_rows;
         round++)
        follow_round(join, local);
}

/* ---- whole probe rows --------------------------------------------------------------------------------------------------- */

static arb_code write_mark(const hash_join *join, probe_local *local, const arb_batch *in, const arb_batch **out,
                           arb_error *error)
{
    arb_vector mark = {.physical = ARB_PHYS_BOOL, .encoding = ARB_FLAT, .values = {.bits = local->matched}};
    if (join->null_aware) {
        for (size_t word = 0; word < arb_bitmap_words(in->rows); word++)
            local->tail[word] = local->matched[word] | ~local->unknown[word];
        mark.validity = local->tail;
    }
    ARB_TRY(arb_join_write_probe(&local->writer, in, NULL, 0, NULL, &mark, error));
    *out = &local->writer.batch;
    return ARB_OK;
}

static arb_code write_tail(const hash_join *join, probe_local *local, const arb_batch *in, const arb_batch **out,
                           arb_error *error)
{
    uint64_t flip; /* all ones: rows without a match */
    switch (join->output) {
    case ARB_JOIN_PROBE_MARK:
        return write_mark(join, local, in, out, error);
    case ARB_JOIN_PROBE_SINGLE:
        ARB_TRY(arb_join_write_probe(&local->writer, in, NULL, 0, local->single, NULL, error));
        *out = &local->writer.batch;
        return ARB_OK;
    case ARB_JOIN_PROBE_SEMI:
        flip = 0;
        break;
    case ARB_JOIN_PROBE_ANTI:
    case ARB_JOIN_PROBE_OUTER:
    case ARB_JOIN_FULL_OUTER:
        flip = ~(uint64_t)0;
        break;
    default:
        return ARB_OK;
    }
    bool anti = join->output == ARB_JOIN_PROBE_ANTI;
    uint32_t count = 0;
    for (size_t word = 0; word < arb_bitmap_words(in->rows); word++) {
        uint64_t selected = in->selection != NULL   ? in->selection[word]
                            : word == in->rows / 64 ? arb_bitmap_tail_mask(in->rows)
                                                    : ~(uint64_t)0;
        local->tail[word] = selected & (local->matched[word] ^ flip) & (anti ? ~local->unknown[word] : ~(uint64_t)0);
        count += (uint32_t)__builtin_popcountll(local->tail[word]);
    }
    if (count == 0)
        return ARB_OK;
    ARB_TRY(arb_join_write_probe(&local->writer, in, local->tail, count, NULL, NULL, error));
    *out = &local->writer.batch;
    return ARB_OK;
}

static bool can_give_nothing(const hash_join *join)
{
    return join->match_rows == 0 && (join->output == ARB_JOIN_MATCHES || join->output == ARB_JOIN_BUILD_OUTER ||
                                     join->output == ARB_JOIN_PROBE_SEMI || join->output == ARB_JOIN_BUILD_SEMI ||
                                     join->output == ARB_JOIN_BUILD_ANTI);
}

arb_code arb_hash_join_push(arb_operator *op, void *local_void, const arb_batch *in, const arb_batch **out,
                            arb_flow *out_flow, arb_error *error)
{
    hash_join *join = (hash_join *)op;
    probe_local *local = local_void;
    *out = NULL;
    *out_flow = can_give_nothing(join) ? ARB_FLOW_DONE : ARB_FLOW_NEED_INPUT;
    if (*out_flow == ARB_FLOW_DONE)
        return ARB_OK;
    if (!local->active)
        ARB_TRY(begin(join, local, in, error));
    local->active = true;
    in = local->batch;
    if (in->selected == 0) { /* all were put away */
        local->active = false;
        return ARB_OK;
    }
    for (unsigned turn = 0; refill(join, local), local->pair_at < local->pair_end || local->candidate_count != 0;
         turn++) {
        if (turn == patience) { /* nothing found in many pairs: let the driver look at its clock */
            *out_flow = ARB_FLOW_HAVE_OUTPUT;
            return ARB_OK;
        }
        size_t count = ARB_MIN(local->pair_end - local->pair_at, (size_t)op->context->batch_rows), kept = count;
        if (count == 0)
            continue;
        if (join->residual != NULL)
            ARB_TRY(test_residual(join, local, in, count, &kept, error));
        ARB_TRY(mark_pairs(join, local, kept, error));
        size_t at = local->pair_at;
        local->pair_at += count;
        if (!local->emits_pairs || kept == 0)
            continue;
        ARB_TRY(arb_join_write_pairs(&local->writer, in, local->pair_index + at, local->pair_rows + at, kept, false,
                                     error));
        *out = &local->writer.batch;
        *out_flow = ARB_FLOW_HAVE_OUTPUT;
        if (local->pair_at == local->pair_end && local->candidate_count == 0 && !local->marks_probe)
            break; /* that was all */
        return ARB_OK;
    }
    local->active = false;
    *out_flow = ARB_FLOW_NEED_INPUT;
    return *out != NULL ? ARB_OK : write_tail(join, local, in, out, error);
}

arb_code arb_hash_join_flush(arb_operator *op, void *local_void, const arb_batch **out, arb_flow *out_flow,
                             arb_error *error)
{
    probe_local *local = local_void;
    *out = NULL;
    *out_flow = ARB_FLOW_NEED_INPUT;
    return local->spill != NULL ? arb_hash_join_put_down((hash_join *)op, local->spill, error) : ARB_OK;
}
