#include "catalog/table_sample.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "expr/program.h"

enum {
    cache_slots = 4096,    /* a power of two; an answer replaces what stands at its place */
    splits_most = 4,       /* looked at, a batch from each */
    rows_a_split = 100000, /* and no more than one split for so many rows */
    rows_least = 20000,    /* smaller tables: a wrong guess costs less than the look */
    page_bytes = 1 << 20,  /* that a look reads of a column, unless a split has less */
    rows_first = 64,       /* of a batch: they tell how long the others will take */
    budget_ns = 20000000,  /* for all conditions' rows of one look: some are slow for each row */
};

typedef struct cached_answer {
    uint64_t key;
    double part;
} cached_answer;

struct arb_sample_cache {
    arb_memory *memory;
    pthread_mutex_t lock;
    cached_answer answers[cache_slots];
};

arb_code arb_sample_cache_create(arb_memory *memory, arb_sample_cache **out_cache, arb_error *error)
{
    *out_cache = arb_alloc_zeroed(sizeof **out_cache);
    if (*out_cache == NULL)
        return arb_fail_memory(error, "samples of tables", sizeof **out_cache);
    (*out_cache)->memory = memory;
    pthread_mutex_init(&(*out_cache)->lock, NULL);
    return ARB_OK;
}

void arb_sample_cache_destroy(arb_sample_cache *cache)
{
    if (cache == NULL)
        return;
    pthread_mutex_destroy(&cache->lock);
    arb_free(cache);
}

/* What the condition calls its columns differs from query to query; their places in the table do not. */
typedef struct column_names {
    const arb_column_id *ids;
    const uint32_t *columns;
    size_t count;
} column_names;

static void print_place(void *context, arb_text *out, arb_column_id id)
{
    const column_names *names = context;
    for (size_t i = 0; i < names->count; i++)
        if (names->ids[i] == id)
            arb_text_printf(out, "$%u", names->columns[i]);
}

/* Of a question, what it is about this table. */
static uint64_t key_in(const arb_table *table, uint64_t question)
{
    uint64_t key = arb_hash_combine(question, arb_str_hash(table->files[0]->path));
    key = arb_hash_combine(key, table->rows);
    return arb_hash_combine(key, (uint64_t)(uintptr_t)table->files[0]);
}

/* 0 when there is no memory. */
static uint64_t key_of(const arb_table *table, const column_names *names, const arb_expr *condition)
{
    arb_text text = {0};
    arb_expr_print(&text, condition, print_place, (void *)(uintptr_t)names);
    uint64_t key = text.failed ? 0 : arb_str_hash(arb_text_view(&text));
    arb_text_reset(&text);
    return key == 0 ? 0 : key_in(table, key);
}

static bool look_up(arb_sample_cache *cache, uint64_t key, double *out_part)
{
    pthread_mutex_lock(&cache->lock);
    const cached_answer *answer = &cache->answers[key % cache_slots];
    bool found = answer->key == key;
    if (found)
        *out_part = answer->part;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

static void remember(arb_sample_cache *cache, uint64_t key, double part)
{
    pthread_mutex_lock(&cache->lock);
    cache->answers[key % cache_slots] = (cached_answer){key, part};
    pthread_mutex_unlock(&cache->lock);
}

/* One look at a table: the columns that it reads, and what was counted so far. */
typedef struct sampler {
    const arb_table *table;
    arb_code (*count)(struct sampler *s, const arb_batch *batch);
    arb_program_state *state; /* of a condition */
    arb_scan_request request;
    const arb_vector **inputs;
    uint64_t seen, counted;
    bool looked;
    arb_stop_flag *stop;
    int64_t left_ns; /* of the time that a look may take */
} sampler;

static size_t count_splits(const arb_table *table)
{
    size_t splits = 0;
    for (size_t f = 0; f < table->file_count; f++)
        splits += table->files[f]->split_count;
    return splits;
}

/* Rows [first, first + rows) of the batch. */
static arb_code count_rows(sampler *s, const arb_batch *batch, size_t first, size_t rows)
{
    uint64_t selection[ARB_VECTOR_WORDS] = {0};
    int64_t start = arb_clock_monotonic_ns();
    for (size_t row = first; row < first + rows; row++)
        arb_bitmap_set(selection, row);
    ARB_TRY(arb_program_select(s->state, s->inputs, batch->rows, selection, NULL));
    s->seen += rows;
    s->counted += arb_bitmap_count(selection, batch->rows);
    s->left_ns -= arb_clock_monotonic_ns() - start;
    return ARB_OK;
}

/* A few rows first, then as many as there is time for: a regular expression may take milliseconds for a row. */
static arb_code count_passing(sampler *s, const arb_batch *batch)
{
    for (size_t i = 0; i < s->request.column_count; i++)
        s->inputs[i] = &batch->columns[i];
    size_t first = ARB_MIN((size_t)batch->rows, (size_t)rows_first), rest = batch->rows - first;
    int64_t before = s->left_ns;
    ARB_TRY(count_rows(s, batch, 0, first));
    int64_t took = ARB_MAX(before - s->left_ns, (int64_t)1);
    size_t affordable = s->left_ns <= 0 ? 0 : (size_t)(s->left_ns / took) * first;
    rest = ARB_MIN(rest, affordable);
    return rest == 0 ? ARB_OK : count_rows(s, batch, first, rest);
}

/* How many values the batch's one column has, by their hashes; NULL is one. */
static arb_code count_different(sampler *s, const arb_batch *batch)
{
    enum { places = 2 * ARB_VECTOR_ROWS };
    uint64_t met[places] = {0};
    const arb_vector *column = &batch->columns[0], *entries = arb_vector_entries(column);
    size_t size = arb_physical_size((arb_physical)column->physical);
    for (size_t row = 0; row < batch->rows; row++) {
        size_t slot = arb_vector_slot(column, row);
        uint64_t hash = 1;
        if (arb_vector_is_valid(column, row))
            hash = arb_hash_bytes((const char *)entries->values.data + slot * size, size);
        hash = ARB_MAX(hash, (uint64_t)1);
        size_t at = hash % places;
        while (met[at] != 0 && met[at] != hash)
            at = (at + 1) % places;
        s->counted += met[at] == 0;
        met[at] = hash;
    }
    s->seen += batch->rows;
    return ARB_OK;
}

/* The first batch of the split that lies at `part` of `parts` of the table. */
static arb_code look_at(sampler *s, size_t part, size_t parts)
{
    size_t wanted = count_splits(s->table) * part / parts, file = 0;
    while (wanted >= s->table->files[file]->split_count)
        wanted -= s->table->files[file++]->split_count;
    const arb_table_file *from = s->table->files[file];
    arb_split_reader *reader;
    const arb_batch *batch;
    ARB_TRY(from->vtable->reader_create(from, &s->request, &reader, NULL));
    arb_code code = reader->vtable->begin(reader, &from->splits[wanted], NULL);
    if (code == ARB_OK)
        code = arb_split_reader_next(reader, &batch, NULL);
    if (code == ARB_OK && batch != NULL)
        code = s->count(s, batch);
    reader->vtable->destroy(reader);
    return code;
}

/* What one look reads. A page is unpacked but not used up, which is about half of what a scan does with it. */
static double look_bytes(const sampler *s)
{
    double bytes = 0, rows = (double)s->table->rows / (double)ARB_MAX(count_splits(s->table), 1);
    for (uint32_t i = 0; i < s->request.column_count; i++) {
        const arb_table_column *column = &s->table->columns[s->request.columns[i].source];
        double a_row = column->statistics.bytes != 0 ? (double)column->statistics.bytes / (double)s->table->rows
                                                     : (double)arb_physical_size(arb_type_physical(column->type));
        bytes += ARB_MIN(a_row * rows, page_bytes) / 2;
    }
    return bytes;
}

/* Looks at as many places as the bytes allow, at none if they allow none. */
static arb_code look_around(sampler *s, double *bytes_left)
{
    double look = look_bytes(s);
    size_t parts = (size_t)ARB_MIN(s->table->rows / rows_a_split + 1, (uint64_t)splits_most);
    while (parts != 0 && look * (double)parts > *bytes_left)
        parts--;
    *bytes_left -= look * (double)parts;
    s->looked = parts != 0;
    for (size_t part = 0; part < parts && s->left_ns >= 0; part++)
        ARB_TRY(look_at(s, part, parts));
    return ARB_OK;
}

static arb_code sample_condition(sampler *s, arb_arena *arena, const column_names *names, const arb_expr *condition,
                                 double *bytes_left)
{
    const arb_program *program;
    arb_slot *slots = ARB_ARENA_ARRAY(arena, arb_slot, names->count);
    arb_scan_column *columns = ARB_ARENA_ARRAY(arena, arb_scan_column, names->count);
    s->inputs = ARB_ARENA_ARRAY(arena, const arb_vector *, names->count);
    if (slots == NULL || columns == NULL || s->inputs == NULL)
        return ARB_OUT_OF_MEMORY;
    for (size_t i = 0; i < names->count; i++) {
        arb_type type = s->table->columns[names->columns[i]].type;
        slots[i] = (arb_slot){.id = names->ids[i], .type = type, .physical = arb_type_physical(type), .nullable = true};
        slots[i].range = arb_range_of_type(type);
    }
    arb_layout layout = {names->count, slots};
    ARB_TRY(arb_program_compile(arena, &layout, &condition, 1, &program, NULL));
    /* again with those columns alone that it reads */
    const bool *reads = arb_program_inputs(program);
    size_t used = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (!reads[i])
            continue;
        columns[used] = (arb_scan_column){.source = names->columns[i], .physical = slots[i].physical};
        slots[used++] = slots[i];
    }
    layout.count = used;
    ARB_TRY(arb_program_compile(arena, &layout, &condition, 1, &program, NULL));
    ARB_TRY(arb_program_state_create(program, &s->state, NULL));
    arb_program_state_set_stop(s->state, s->stop);
    s->request.column_count = (uint32_t)used;
    s->request.columns = columns;
    return look_around(s, bytes_left);
}

static bool worth_a_look(const arb_table *table)
{
    return table->rows >= rows_least && table->file_count != 0;
}

double arb_table_sample_selectivity(arb_sample_cache *cache, const arb_table *table, const arb_column_id *ids,
                                    const uint32_t *columns, size_t count, const arb_expr *condition,
                                    double *bytes_left, arb_stop_flag *stop)
{
    const double unknown = -1;
    if (!worth_a_look(table) || !arb_expr_deterministic(condition))
        return unknown;
    column_names names = {ids, columns, count};
    uint64_t key = key_of(table, &names, condition);
    double selectivity = unknown;
    if (key == 0 || look_up(cache, key, &selectivity))
        return selectivity;
    arb_arena arena = {0};
    sampler s = {.table = table,
                 .count = count_passing,
                 .request = {.keep_dictionaries = true, .memory = cache->memory, .stop = stop},
                 .stop = stop,
                 .left_ns = budget_ns};
    /* none of few thousand rows still leaves some of millions: half a row is counted for what was not seen */
    if (sample_condition(&s, &arena, &names, condition, bytes_left) == ARB_OK && s.seen != 0)
        selectivity = ((double)s.counted + 0.5) / ((double)s.seen + 1);
    arb_program_state_destroy(s.state);
    arb_arena_reset(&arena);
    /* Not what was cut short, and not that a look was too dear: a query that may spend more can still look. */
    if (s.looked && !arb_is_stopped(stop))
        remember(cache, key, selectivity);
    return selectivity;
}

double arb_table_sample_distinct(arb_sample_cache *cache, const arb_table *table, uint32_t column, double *bytes_left,
                                 arb_stop_flag *stop)
{
    double part = -1;
    arb_physical physical = arb_type_physical(table->columns[column].type);
    if (!worth_a_look(table) || !arb_physical_is_integer(physical))
        return part;
    uint64_t key = key_in(table, arb_hash_combine(arb_str_hash(ARB_STR("distinct")), column));
    if (look_up(cache, key, &part))
        return part;
    arb_scan_column wanted = {.source = column, .physical = physical};
    sampler s = {
        .table = table,
        .count = count_different,
        .request = {
            .column_count = 1, .columns = &wanted, .keep_dictionaries = true, .memory = cache->memory, .stop = stop}};
    if (look_around(&s, bytes_left) == ARB_OK && s.seen != 0)
        part = (double)s.counted / (double)s.seen;
    if (s.looked && !arb_is_stopped(stop))
        remember(cache, key, part);
    return part;
}
