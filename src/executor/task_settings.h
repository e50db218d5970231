/* task_settings.h: what a session says of how its queries are executed, as it travels with their jobs to the tasks. */
#ifndef ARB_EXECUTOR_TASK_SETTINGS_H
#define ARB_EXECUTOR_TASK_SETTINGS_H

#include "execution/execute.h"

typedef struct arb_task_settings {
    uint32_t batch_rows; /* 0: the usual number */
    bool force_spill, force_async_io;
    bool outputs_in_files; /* no block of an output stays in memory */
} arb_task_settings;

/* Append the bytes. */
ARB_NODISCARD arb_code arb_task_settings_write(const arb_task_settings *settings, arb_text *out, arb_error *error);
/* ARB_CORRUPT_DATA. */
ARB_NODISCARD arb_code arb_task_settings_read(arb_str bytes, arb_task_settings *out, arb_error *error);
/* What of it is execution's. */
void arb_task_settings_apply(const arb_task_settings *settings, arb_execution_options *execution);

#endif
