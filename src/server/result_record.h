/* result_record.h: what a job's rows are, in the form in which the job keeps it (arb_job_spec.result): names of columns, and the plan
 * that reads them. With it whoever finds the job later can read its result, without the statement, its tables or its session. */
#ifndef ARB_SERVER_RESULT_RECORD_H
#define ARB_SERVER_RESULT_RECORD_H

#include "plan/physical.h"

/* `plan` is a result plan (optimizer/result_plan.h), `names` those of its columns. */
ARB_NODISCARD arb_code arb_result_record_write(const arb_physical_plan *plan, const arb_str *names, arb_text *out,
                                               arb_error *error);
/* All of it in the arena, names and types one for each of the plan's columns. The record may be anything: ARB_CORRUPT_DATA. */
typedef struct arb_result_record {
    const arb_physical_plan *plan;
    const arb_str *names;
    const arb_type *types;
} arb_result_record;
ARB_NODISCARD arb_code arb_result_record_read(arb_str record, arb_arena *arena, arb_result_record *out,
                                              arb_error *error);

#endif
