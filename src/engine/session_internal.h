/* session_internal.h: sessions and results, as the files of this folder see them.
 *
 * arb_session_execute parses and binds the text in the arena of a new result, and hands both to the function that carries
 * out statements of that kind. That function fills in one of: a running query (rows come from its run), a
 * listing (rows come from a small table in memory), or nothing but the count. */
#ifndef ARB_ENGINE_SESSION_INTERNAL_H
#define ARB_ENGINE_SESSION_INTERNAL_H

#include "catalog/memory_table.h"
#include "engine/session.h"
#include "sql/binder.h"

struct arb_session {
    arb_runtime *runtime;     /* borrowed */
    arb_catalog *own_catalog; /* or NULL: it is shared with others */
    arb_catalog_scope *catalog;
    arb_settings settings;
    arb_query_runner runner;
    arb_run_origin origin; /* borrowed */
    unsigned results;      /* open ones */
    bool expected;         /* arb_session_expect was called for the next statement */
    /* Shared with other threads and with signal handlers: */
    _Atomic bool cancelled;
    _Atomic(arb_query_run *) running; /* the query to cancel and to measure, or NULL */
    _Atomic int lookers;              /* inside of arb_session_cancel or _progress, maybe with `running` in hand */
};

struct arb_result {
    arb_session *session;
    arb_arena arena; /* the statement: syntax tree, plans, names; holds the tables that it reads */
    arb_str text;    /* in the arena */
    arb_query query;
    arb_result_columns columns;
    const char *tag;
    int64_t affected;
    uint64_t peak_memory; /* of a run that is gone */
    const arb_physical_plan *plan;
    bool is_query;      /* the run's rows are the result */
    arb_query_run *run; /* or NULL */
    arb_table *listing; /* or NULL */
    arb_split_reader *listing_reader;
    arb_scan_request listing_request;
    size_t listing_split;
};

/* ---- queries: plan_query.c --------------------------------------------------------------------------------------- */
/* Optimize and plan: sets result->plan. `out_logical`, unless NULL, is the optimized plan. */
arb_code arb_result_plan(arb_result *result, const arb_logical_plan *plan, arb_logical_plan *out_logical,
                         arb_error *error);
/* What the session's runner is asked. Makes the pools, if they are not there. */
arb_code arb_result_request(arb_result *result, arb_run_request *out_request, arb_error *error);
/* Start what was planned; rows then come from arb_result_query_next. */
arb_code arb_result_start(arb_result *result, arb_error *error);
arb_code arb_result_query_next(arb_result *result, const arb_batch **out_batch, arb_error *error);
/* End the run, keep its peak. A result without one is left as it is. */
void arb_result_stop(arb_result *result);
/* Names and types of the plan's columns; types in the arena. */
arb_code arb_columns_of_plan(const arb_logical_plan *plan, arb_arena *arena, arb_result_columns *out, arb_error *error);
/* Have the session's runner go on with a query of an earlier process: its rows are the result. */
arb_code arb_result_find(arb_result *result, arb_str name, arb_error *error);
/* Plan and start a query whose rows are the result. */
arb_code arb_result_query(arb_result *result, const arb_logical_plan *plan, arb_error *error);

/* ---- listings: listing.c ----------------------------------------------------------------------------------------- */
enum { ARB_LISTING_COLUMNS_MOST = 3 };
typedef struct arb_listing_names {
    size_t count;
    const char *names[ARB_LISTING_COLUMNS_MOST];
} arb_listing_names;
/* The columns, all of text, of what SHOW, DESCRIBE and EXPLAIN list; none of other statements. */
arb_code arb_listing_names_of(const arb_bound_statement *statement, arb_listing_names *out_names, arb_error *error);
/* A builder for such rows. */
arb_code arb_listing_begin(const arb_bound_statement *statement, arb_memory_builder **out_builder, arb_error *error);
/* A row; a text with data NULL is NULL. */
arb_code arb_listing_row(arb_memory_builder *builder, const arb_str *texts, size_t count, arb_error *error);
/* The rows become the result's; the builder is gone, also on failure. */
arb_code arb_listing_finish(arb_result *result, arb_memory_builder *builder, arb_error *error);
arb_code arb_listing_next(arb_result *result, const arb_batch **out_batch, arb_error *error);
void arb_listing_reset(arb_result *result);

/* ---- statements -------------------------------------------------------------------------------------------------- */
typedef arb_code arb_statement_fn(arb_result *result, const arb_bound_statement *statement, arb_error *error);
arb_statement_fn arb_statement_create_table; /* table_statement.c */
arb_statement_fn arb_statement_insert;
arb_statement_fn arb_statement_create_external; /* catalog_statement.c */
arb_statement_fn arb_statement_create_view;
arb_statement_fn arb_statement_drop;
arb_statement_fn arb_statement_copy_to; /* copy_statement.c */
arb_statement_fn arb_statement_explain; /* explain_statement.c */
arb_statement_fn arb_statement_show;    /* show_statement.c */
arb_statement_fn arb_statement_describe;
arb_statement_fn arb_statement_set; /* set_statement.c */

#endif
