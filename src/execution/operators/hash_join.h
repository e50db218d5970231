/* hash_join.h: the parts of a hash join, for hash_join*.c only.
 *
 *   build  (sink)       each driver copies its rows into stores of its own; combine moves the pages into the join's; the
 *                       parts of finish insert the rows into one directory, all threads at once, and fill the filters
 *   probe  (transform)  looks up a batch's keys, follows the chains in rounds (one candidate a probe row and round),
 *                       compares keys, tests the residual condition on the pairs, and writes what the kind of join wants
 *   rest   (source)     after all probing: the build rows that matched, or those that did not; and what was spilled
 *
 * Spilling. A driver whose build rows do not fit writes them to disk, in 64 partitions by hash; in the end all drivers do.
 * When the build side is complete, as many partitions as there is room for are read back: the resident ones, which are
 * probed as ever. Probe rows of the other, absent partitions go to disk too. The rest then takes these partitions one by
 * one, several drivers at once: it loads the partition's build rows, probes them with its probe rows by the same code,
 * and gives what the kind of join wants of them. A partition that is still too large is split, one level deeper.
 *
 * Sharing. A build side that the tasks of a stage have in common (execution/shared_builds.h) is built by one of them as ever.
 * When it is complete, the builder gives its table and filters away, and then reads them as the other tasks' joins do. None of
 * them marks rows. Meanwhile, too, it counts in what all have, not in the builder's part of that: no task need have room for it
 * alone. What had to spill is not shared, and what is read of it again is the task's.
 *
 * Without keys every pair of rows is a candidate: that is the loop join, which cannot spill. */
#ifndef ARB_EXECUTION_OPERATORS_HASH_JOIN_H
#define ARB_EXECUTION_OPERATORS_HASH_JOIN_H

#include <pthread.h>

#include "execution/operators/join_columns.h"
#include "execution/operators/join_directory.h"
#include "execution/operators/key_filter.h"
#include "execution/operators/operators.h"
#include "execution/operators/row_spill.h"
#include "expr/program.h"

/* Build rows that can be probed. */
typedef struct join_table {
    arb_row_store store;
    arb_join_directory directory;
} join_table;

/* A partition that is on disk. */
typedef struct spilled_part {
    arb_row_spill *build, *probe; /* owned by the join */
    uint32_t number;
    unsigned level;
} spilled_part;

typedef struct join_sealed join_sealed;

typedef struct hash_join {
    arb_operator base;
    const char *name; /* "hash join", "loop join" */
    arb_arena arena;
    uint8_t output; /* arb_join_output */
    bool null_aware;
    size_t key_count;
    const bool *null_equal; /* by key, or NULL */
    const uint32_t *probe_keys, *build_keys;
    uint32_t probe_columns;       /* of a probe batch */
    arb_row_layout rows;          /* keys first, then what the output and the residual need of the build side */
    const uint32_t *row_columns;  /* per row column: the build side's column */
    arb_join_columns columns;     /* of the output */
    const arb_program *residual;  /* NULL = always true */
    arb_join_columns inputs;      /* the residual's inputs, as pairs */
    const uint32_t *input_places; /* per column of `inputs`: the input's number */
    uint32_t input_count;

    bool keep_loose;  /* build rows with NULL keys are wanted in the end */
    bool exists_only; /* only whether a key occurs matters */
    bool first_only;  /* a probe row needs no second match */
    bool marks_only;  /* nothing comes of a match but the build row's mark */

    bool can_spill;

    pthread_mutex_t lock;  /* guards the stores, ranges, `prepared` and what concerns spilling */
    join_table table;      /* rows that can match: all, or those of the resident partitions */
    arb_row_store loose;   /* rows with a NULL key */
    bool *has_null;        /* of the build rows' columns, those on disk too; set when the build side is complete */
    uint64_t build_rows;   /* all, those that were dropped too */
    uint64_t match_rows;   /* that can match, in memory or on disk; set when the build side is complete */
    bool build_null;       /* some key was NULL */
    arb_key_range *ranges; /* one a key */
    bool prepared;
    arb_error prepare_error; /* of the one attempt */
    uint32_t parts;

    arb_row_layout probe_rows;       /* whole rows of the probe side; made when they are first spilled */
    arb_row_spill *build, *probe;    /* level 0; NULL: not spilled */
    uint64_t absent;                 /* bit a partition: not resident; set when the build side is complete */
    ARB_VEC(arb_row_spill *) deeper; /* further levels, to be destroyed */
    ARB_VEC(spilled_part) waiting;   /* partitions that the rest has not taken yet */

    arb_memory *memory;        /* what build rows without a share are charged to */
    arb_shared_build *shared;  /* NULL: the build side is the join's alone */
    arb_memory common;         /* of all who share it, while it is built for them */
    const join_sealed *sealed; /* what it probes is this one's: made here or by another task */
    join_sealed *own;          /* what was sealed in vain */

    arb_key_summary *summaries; /* one a key; made where a filter wants them */
    arb_key_filter *filters;
    _Atomic uint64_t next_page; /* of the source */
} hash_join;

/* Each file's slots of the vtable. */
arb_code arb_hash_join_sink_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_join_sink(arb_operator *op, void *local, const arb_batch *in, arb_flow *out_flow, arb_error *error);
arb_code arb_hash_join_combine(arb_operator *op, void *local, arb_error *error);
void arb_hash_join_sink_destroy(arb_operator *op, void *local);
uint32_t arb_hash_join_finish_parts(arb_operator *op);
arb_code arb_hash_join_finish_part(arb_operator *op, uint32_t part, arb_error *error);
arb_code arb_hash_join_finish(arb_operator *op, arb_error *error);

arb_code arb_hash_join_transform_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_join_push(arb_operator *op, void *local, const arb_batch *in, const arb_batch **out,
                            arb_flow *out_flow, arb_error *error);
arb_code arb_hash_join_flush(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow,
                             arb_error *error);
void arb_hash_join_transform_destroy(arb_operator *op, void *local);
/* Probe these rows from now on, all of whose partners are in `table`. */
void arb_hash_join_probe_table(void *local, const join_table *table);

arb_code arb_hash_join_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_join_pull(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow, arb_error *error);
void arb_hash_join_source_destroy(arb_operator *op, void *local);
uint32_t arb_hash_join_source_parallelism(arb_operator *op);

/* ---- spilling ---------------------------------------------------------------------------------------------------------- */

/* How build rows (or, with the other layout, probe rows) are on disk. */
arb_row_format arb_hash_join_format(hash_join *join, const arb_row_layout *layout);
arb_code arb_join_table_init(const hash_join *join, join_table *table, arb_memory_share *share, arb_error *error);
void arb_join_table_reset(join_table *table); /* a zeroed one is a no-op */

/* Build: from now on join->build is there to be written to. Under the lock. */
arb_code arb_hash_join_start_spilling(hash_join *join, arb_error *error);
/* Build is complete and some of it on disk: choose the resident partitions and load them. Under the lock. */
arb_code arb_hash_join_choose_resident(hash_join *join, arb_error *error);
/* Call `each` for the absent partitions' build rows, some pages at a time; of every `step`th partition from `first`. */
arb_code arb_hash_join_read_absent(hash_join *join, uint32_t first, uint32_t step,
                                   arb_code (*each)(hash_join *join, const arb_row_page *page, arb_error *error),
                                   arb_error *error);

/* ---- sharing ----------------------------------------------------------------------------------------------------------- */

/* Has another task built? Then that is what the join reads from now on. */
bool arb_hash_join_adopt(hash_join *join);
/* The join has built: that is everybody's from now on, unless some of it is on disk or each task builds for itself. */
arb_code arb_hash_join_seal(hash_join *join, arb_error *error);
/* What the share holds is the task's from now on, if it was all tasks'. Under the lock. */
void arb_hash_join_own_share(hash_join *join);
/* What it reads of others, it reads no more. */
void arb_hash_join_forget(hash_join *join);

/* Probe: a driver's rows of absent partitions. */
typedef struct probe_spill {
    arb_row_store store;
    uint64_t stay[ARB_VECTOR_WORDS];
    arb_batch batch; /* without them */
    char *rows[ARB_VECTOR_ROWS];
    uint16_t away[ARB_VECTOR_ROWS];
} probe_spill;
arb_code arb_hash_join_probe_spill_create(hash_join *join, probe_spill **out_spill, arb_error *error);
void arb_hash_join_probe_spill_destroy(probe_spill *spill); /* NULL is a no-op */
/* Put the rows of absent partitions away, out of `candidates`, which are the rows with a valid key; the keys are loaded
 * and hashed. *out_batch is what stays: `in` itself when all do. */
arb_code arb_hash_join_put_away(hash_join *join, probe_spill *spill, const arb_batch *in, const uint64_t *hashes,
                                const uint16_t *candidates, size_t count, const arb_batch **out_batch,
                                arb_error *error);
/* Write what is held to disk. */
arb_code arb_hash_join_put_down(hash_join *join, probe_spill *spill, arb_error *error);

/* The rest: one driver's work on absent partitions. */
typedef struct join_rest join_rest;
arb_code arb_join_rest_create(arb_operator *op, arb_driver *driver, join_rest **out_rest, arb_error *error);
void arb_join_rest_destroy(join_rest *rest); /* NULL is a no-op */
/* The next batch; *out is NULL, with HAVE_OUTPUT, when there is more to do first, and DONE at the end. */
arb_code arb_join_rest_next(join_rest *rest, const arb_batch **out, arb_flow *out_flow, arb_error *error);

/* The build rows of a page, from *next on, that the kind of join gives after probing; returns how many. */
size_t arb_hash_join_rows_wanted(const hash_join *join, const arb_row_page *page, uint32_t *next, char **out_rows,
                                 size_t most);

#endif
