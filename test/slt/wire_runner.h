/* wire_runner.h: a session's runner that sends every plan through its wire form first. */
#ifndef ARB_SLT_WIRE_RUNNER_H
#define ARB_SLT_WIRE_RUNNER_H

#include "engine/query_run.h"
#include "plan/plan_wire.h"

/* Encodes, decodes, sees that encoding what was decoded gives the same bytes, and executes what was decoded here. Tables
 * are named by where they are in this process. */
extern const arb_query_runner slt_wire_runner;
extern const arb_plan_tables slt_local_tables;

#endif
