/* sort.h: the parts of ORDER BY, for sort*.c only.
 *
 *   sink     each driver copies its rows into a store and keeps for each an entry: the key's first word and where the row
 *            is; the other words stand in the row's extra space. Whenever there are enough entries to fill the second
 *            cache level they are sorted: one run. So no step is long, and sorting touches no memory that is far
 *   combine  a driver's runs go to the operator
 *   finish   the rows' order is cut into ranges of about equal size, by samples of the runs
 *   source   drivers take ranges and merge the runs within them
 *
 * With a limit, a driver keeps no more than about twice the rows wanted: it sorts now and then, drops the rest, and from
 * then on turns away what is behind its worst row without copying it; the first word of that row is shared, so drivers
 * learn from each other, and tasks of a stage, too (task_work.h).
 *
 * Spilling. A driver that is pressed merges its runs into one on disk. Then there is one range: a merge of what is on disk,
 * a block of each run at a time, and of what stayed in memory. When there are more runs on disk than blocks may be in
 * memory, some are merged into longer ones before. */
#ifndef ARB_EXECUTION_OPERATORS_SORT_H
#define ARB_EXECUTION_OPERATORS_SORT_H

#include <pthread.h>

#include "execution/operators/operators.h"
#include "execution/operators/row_block.h"
#include "execution/operators/sort_entries.h"
#include "execution/split_order.h"

enum { SORT_RUN_ROWS = 128 * 1024 };

/* Sorted rows: entries in memory, over rows of some store; or blocks on disk. */
typedef struct sorted_run {
    arb_sort_entry *entries;
    size_t count;
    arb_reservation reservation; /* of the entries */
    ARB_VEC(arb_row_block) blocks;
} sorted_run;

typedef ARB_VEC(sorted_run *) sorted_run_list;

typedef struct sort_operator {
    arb_operator base;
    arb_arena arena;
    arb_row_layout layout;
    arb_row_format format;
    arb_sort_keys keys;
    arb_sort_order order;
    uint64_t keep;           /* rows that can be in the result; UINT64_MAX: all */
    _Atomic uint64_t *worst; /* no row whose first word is greater can be in the result; `own`, or what tasks share */
    _Atomic uint64_t own;

    pthread_mutex_t lock; /* guards what follows, until all drivers have combined */
    sorted_run_list runs, spilled;
    ARB_VEC(arb_row_store *) stores; /* of the rows of `runs` */
    bool *has_null;                  /* one a column, of all rows */

    uint32_t range_count;
    size_t *bounds; /* [range * runs.size + run]: the run's first entry in the range; one range more, of ends */
    arb_split_order ranges;
} sort_operator;

/* ---- runs ---------------------------------------------------------------------------------------------------------------- */

/* A run takes over sorted entries (*entries becomes NULL) with what is reserved for them. */
arb_code arb_sorted_run_create(arb_sort_entry **entries, size_t count, arb_reservation reservation,
                               sorted_run **out_run, arb_error *error);
void arb_sorted_run_destroy(sorted_run *run); /* NULL is a no-op */
void arb_sorted_runs_reset(sorted_run_list *runs);
/* Merge runs, which stay as they are, into one on disk, of at most `most` rows. */
arb_code arb_sorted_runs_spill(sort_operator *s, const sorted_run_list *runs, uint64_t most, sorted_run **out_run,
                               arb_error *error);
/* Merge spilled runs until there are few enough to be merged at once. */
arb_code arb_sorted_runs_reduce(sort_operator *s, arb_error *error);

/* ---- merging ------------------------------------------------------------------------------------------------------------- */

typedef struct sort_cursor {
    arb_sort_entry now;               /* row NULL: at the end */
    const arb_sort_entry *next, *end; /* in memory */
    const sorted_run *run;            /* on disk, with `block` to read next and `row` in the newer view */
    arb_row_block_view views[2];
    unsigned newer;
    size_t block, row;
    uint64_t read_at; /* the merger's call in which the newer block was read */
} sort_cursor;

/* A cursor's row as matches see it. */
typedef struct sort_player {
    uint64_t digit; /* the first one in which the row differs from the row that left last */
    uint32_t rank;  /* less for a later digit; UINT32_MAX: there is no row */
    uint32_t cursor;
} sort_player;

/* A tournament: each inner node keeps the loser of the match below it, so the winner's successor plays log2(n) matches.
 *
 * Matches are mostly decided by two numbers (offset-value codes; Conner, 1977): of two rows that are not before the last
 * one, the one that shares more digits with it comes first, and if they share equally many, the smaller next digit does.
 * Only rows that agree in both are compared further, from that digit on, and the loser keeps the place where that ended.
 * So no digit is looked at twice, however long texts are. */
typedef struct sort_merger {
    const sort_operator *s;
    size_t count;
    sort_cursor *cursors;
    sort_player *losers; /* by node, from 1 */
    sort_player winner;
    uint64_t calls;
    bool dry; /* the winner must read a block, which would take rows away that were given in this call */
} sort_merger;

/* Over the runs in memory from their entries `from` to `to` (NULL: whole), then the runs on disk (NULL: none). The runs must
 * outlive it. Reset on a zeroed merger is a no-op. */
arb_code arb_sort_merger_init(sort_merger *merger, const sort_operator *s, const sorted_run_list *runs,
                              const size_t *from, const size_t *to, const sorted_run_list *spilled, arb_error *error);
void arb_sort_merger_reset(sort_merger *merger);
/* The next rows, at most `most`: none at the end of all, sometimes fewer before. Valid until the next call. */
arb_code arb_sort_merger_take(sort_merger *merger, char **rows, size_t most, size_t *out_count, arb_error *error);

/* ---- the source ---------------------------------------------------------------------------------------------------------- */

arb_code arb_sort_finish(arb_operator *op, arb_error *error);
arb_code arb_sort_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_sort_pull(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow, arb_error *error);
void arb_sort_source_destroy(arb_operator *op, void *local);
uint32_t arb_sort_source_parallelism(arb_operator *op);
uint64_t arb_sort_source_watermark(arb_operator *op);

#endif
