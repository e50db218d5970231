/* settings.h: what SET, RESET and SHOW know. */
#ifndef ARB_ENGINE_SETTINGS_H
#define ARB_ENGINE_SETTINGS_H

#include "base/text.h"
#include "engine/query_run.h"
#include "engine/runtime.h"

/* X(NAME, "name", "what it is"). */
#define ARB_SETTINGS(X)                                                                                  \
    X(BATCH_ROWS, "batch_rows", "most rows of a batch inside a query; small ones are for tests")         \
    X(BROADCAST_LIMIT, "broadcast_limit",                                                                \
      "in a cluster: every task of a join reads a build side of so many bytes; 0: none")                 \
    X(DISABLED_RULES, "disabled_rules", "optimizer rules that shall not run, separated by commas")       \
    X(DISTRIBUTION, "distribution", "in a cluster: auto, always or never spread a query over executors") \
    X(EXCHANGE_MEMORY, "exchange_memory",                                                                \
      "in a cluster: auto, or 0: what tasks leave goes to files at once; for tests")                     \
    X(FORCE_ASYNC_IO, "force_async_io", "have every byte of a file be waited for; for tests")            \
    X(FORCE_SPILL, "force_spill", "write everything to disk that can be; for tests")                     \
    X(MEMORY_LIMIT, "memory_limit", "bytes that all queries together may hold, for example 4GB")         \
    X(SPILL_DIR, "spill_dir", "folder for what does not fit into memory")                                \
    X(TARGET_TASK_BYTES, "target_task_bytes", "in a cluster: bytes that a task shall read, about")       \
    X(THREADS, "threads", "threads that compute")                                                        \
    X(TIME_ZONE, "time_zone", "IANA name of the zone in which local times are meant")                    \
    X(VERIFY_PLANS, "verify_plans", "check each plan after each optimizer rule; for tests")

typedef enum arb_setting {
#define X(name, text, about) ARB_SETTING_##name,
    ARB_SETTINGS(X)
#undef X
        ARB_SETTING_COUNT
} arb_setting;

/* A session's own; threads, memory and spill folder belong to its runtime. */
typedef struct arb_settings {
    arb_runtime *runtime; /* borrowed */
    uint32_t batch_rows;  /* 0: the usual number */
    bool of_client;       /* the session is one of many: only what is on a list can be set */
    bool force_async_io;
    bool force_spill;
    bool verify_plans;
    uint32_t disabled_rules; /* bits of arb_optimizer_rule */
    arb_distribution distribution;
    char time_zone[64];
} arb_settings;

void arb_settings_init(arb_settings *settings, arb_runtime *runtime);
/* Case-insensitive; ARB_UNDEFINED_OBJECT with the nearest name. "timezone" finds time_zone. */
ARB_NODISCARD arb_code arb_setting_find(arb_str name, arb_setting *out_setting, arb_error *error);
const char *arb_setting_name(arb_setting setting);
const char *arb_setting_about(arb_setting setting);
/* In a client's session false but for what is on the list of what clients may set. */
bool arb_settings_may_set(const arb_settings *settings, arb_setting setting);
/* ARB_INVALID_PARAMETER, ARB_CONFIGURATION or ARB_ACCESS_DENIED; the setting then stays. */
ARB_NODISCARD arb_code arb_settings_set(arb_settings *settings, arb_setting setting, arb_str value, arb_error *error);
ARB_NODISCARD arb_code arb_settings_reset(arb_settings *settings, arb_setting setting, arb_error *error);
void arb_settings_print(const arb_settings *settings, arb_setting setting, arb_text *out);

#endif
