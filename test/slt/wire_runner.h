/* wire_runner.h: a session's runner that sends every plan through its wire form first. */
#ifndef ARB_SLT_WIRE_RUNNER_H
#define ARB_SLT_WIRE_RUNNER_H

#include "engine/query_run.h"
#include "wire_tables.h"

/* Encodes, decodes, sees that encoding what was decoded gives the same bytes, and executes what was decoded here. The tables
 * are borrowed. */
arb_query_runner slt_wire_runner(slt_wire_tables *tables);

#endif
