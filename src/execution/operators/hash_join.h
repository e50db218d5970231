/* hash_join.h: the parts of a hash join, for hash_join*.c only.
 *
 *   build  (sink)       each driver copies its rows into stores of its own; combine moves the pages into the join's; the
 *                       parts of finish insert the rows into one directory, all threads at once, and fill the filters
 *   probe  (transform)  looks up a batch's keys, follows the chains in rounds (one candidate a probe row and round),
 *                       compares keys, tests the residual condition on the pairs, and writes what the kind of join wants
 *   build rows (source) after all probing: the rows that matched, or those that did not
 *
 * Without keys every pair of rows is a candidate: that is the loop join. */
#ifndef ARB_EXECUTION_OPERATORS_HASH_JOIN_H
#define ARB_EXECUTION_OPERATORS_HASH_JOIN_H

#include <pthread.h>

#include "execution/operators/join_columns.h"
#include "execution/operators/join_directory.h"
#include "execution/operators/key_filter.h"
#include "execution/operators/operators.h"
#include "expr/program.h"

typedef struct hash_join {
    arb_operator base;
    const char *name; /* "hash join", "loop join" */
    arb_arena arena;
    uint8_t output; /* arb_join_output */
    bool null_aware, null_equal;
    size_t key_count;
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

    pthread_mutex_t lock;  /* guards the stores, ranges and `prepared` */
    arb_row_store store;   /* rows that can match */
    arb_row_store loose;   /* rows with a NULL key */
    uint64_t build_rows;   /* all, those that were dropped too */
    bool build_null;       /* some key was NULL */
    arb_key_range *ranges; /* one a key */
    bool prepared;
    uint32_t parts;
    arb_join_directory directory;
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
void arb_hash_join_transform_destroy(arb_operator *op, void *local);

arb_code arb_hash_join_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
arb_code arb_hash_join_pull(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow, arb_error *error);
void arb_hash_join_source_destroy(arb_operator *op, void *local);
uint32_t arb_hash_join_source_parallelism(arb_operator *op);

#endif
