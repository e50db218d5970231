#include "node/run_node.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/crash_record.h"
#include "base/failpoint.h"
#include "node/child_executor.h"
#include "node/executor_node.h"
#include "node/node_folder.h"
#include "node/scheduler_node.h"
#include "node/secret_file.h"

enum {
    LOOK_MS = 50,
    CHILD_SHARE = 4, /* of the memory: a server's own part */
    DESCRIPTORS_MOST = 1 << 20,
};
static const int64_t CHILD_ENDS_NS = INT64_C(10000000000);

/* ---- signals ----------------------------------------------------------------------------------------------------------------- */

/* Those that ask the process to end are waited for, by the thread that runs this, and blocked in all that come later. */
static void block_signals(sigset_t *out_set)
{
    sigemptyset(out_set);
    sigaddset(out_set, SIGTERM);
    sigaddset(out_set, SIGINT);
    sigaddset(out_set, SIGHUP);
    sigaddset(out_set, SIGCHLD); /* so that waiting ends when a child does */
    pthread_sigmask(SIG_BLOCK, out_set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* whoever started this may have it ignored, and then children's ends are not told */
}

/* Wait for a moment; true when the process shall end. */
static bool asked_to_end(const sigset_t *set)
{
    struct timespec moment = {0, LOOK_MS * 1000000};
    int number = sigtimedwait(set, NULL, &moment);
    return number > 0 && number != SIGCHLD;
}

/* gRPC's listeners that once find no descriptor for a connection never look again, so there should be as many as may be. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_MOST)
        return;
    limit.rlim_cur = ARB_MIN(limit.rlim_max, (rlim_t)DESCRIPTORS_MOST);
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static arb_code say_listening(arb_text *where, arb_error *error)
{
    ARB_TRY(arb_text_check(where, error));
    if (printf("listening %.*s\n", (int)where->size, where->data) < 0 || fflush(stdout) != 0)
        return arb_fail_errno(error, errno, "cannot write to standard output");
    return ARB_OK;
}

/* ---- an executor --------------------------------------------------------------------------------------------------------------- */

/* Takes no new tasks; goes when nobody needs it any more, when that takes too long, or when it is asked again. */
static void drain(arb_executor_node *node, const arb_node_options *options, const sigset_t *set)
{
    int64_t until = arb_clock_monotonic_ns() + options->drain_ns;
    arb_executor_node_drain(node);
    while (!arb_executor_node_may_go(node) && arb_clock_monotonic_ns() < until && !asked_to_end(set))
        continue;
}

static arb_code run_executor(const arb_node_options *options, const sigset_t *set, arb_error *error)
{
    arb_executor_node *node;
    arb_text where = {0};
    ARB_TRY(arb_executor_node_create(options, &node, error));
    arb_executor_node_print(node, &where);
    arb_code code = say_listening(&where, error);
    if (code == ARB_OK) {
        while (!asked_to_end(set))
            continue;
        drain(node, options, set);
    }
    arb_executor_node_destroy(node);
    arb_text_reset(&where);
    return code;
}

/* ---- a scheduler, with its own executor or without ------------------------------------------------------------------------------ */

typedef struct scheduler_run {
    arb_arena arena;
    _Atomic bool replaced;
    arb_scheduler_node *node;
    arb_secret_on_loan token; /* a server's */
    arb_str own_folder; /* of a server's executors, one after the other: where each learns how the last one ended */
    arb_child_executor child;
} scheduler_run;

static void note_replaced(void *context)
{
    atomic_store(&((scheduler_run *)context)->replaced, true);
}

static arb_code read_token(scheduler_run *run, const arb_node_options *options, arb_str *out, arb_error *error)
{
    *out = ARB_STR("");
    if (options->kind == ARB_NODE_SERVER) {
        ARB_TRY(arb_secret_lend(&run->token, error));
        *out = arb_str_of(run->token.secret);
        return ARB_OK;
    }
    return options->join_token_file.data == NULL
               ? ARB_OK
               : arb_secret_file_read(&run->arena, options->join_token_file, out, error);
}

/* Of a server's executors, which may find it wrong when it is too late to say so. */
static arb_code make_work_folder(scheduler_run *run, const arb_node_options *options, arb_str *out, arb_error *error)
{
    ARB_TRY(arb_work_folder_make(&run->arena, options->work_folder, out, error));
    if (options->work_folder.data == NULL)
        run->own_folder = *out;
    return ARB_OK;
}

static arb_code begin(scheduler_run *run, const arb_node_options *said, arb_error *error)
{
    arb_node_options options = *said;
    uint64_t memory = said->memory_limit != 0 ? said->memory_limit : arb_memory_default_limit();
    arb_scheduler_node_options scheduler = {.node = &options, .replaced = note_replaced, .context = run};
    arb_text where = {0};
    arb_str work_folder;
    bool serves = said->kind == ARB_NODE_SERVER;
    if (serves)
        options.memory_limit = memory / CHILD_SHARE;
    ARB_TRY(read_token(run, said, &scheduler.join_token, error));
    if (serves)
        ARB_TRY(make_work_folder(run, said, &work_folder, error));
    ARB_TRY(arb_scheduler_node_create(&scheduler, &run->node, error));
    arb_scheduler_node_print(run->node, &where);
    arb_code code = say_listening(&where, error);
    arb_text_reset(&where);
    if (code != ARB_OK || !serves)
        return code;
    options = *said;
    options.work_folder = work_folder;
    return arb_child_executor_init(&run->arena, &options, arb_scheduler_node_control(run->node),
                                   arb_str_of(run->token.path), memory - memory / CHILD_SHARE, &run->child, error);
}

static arb_code run_scheduler(const arb_node_options *options, const sigset_t *set, arb_error *error)
{
    scheduler_run run = {0};
    arb_code code = begin(&run, options, error);
    while (code == ARB_OK) {
        if (run.child.arguments != NULL)
            arb_child_executor_tend(&run.child, &run.token);
        if (atomic_load(&run.replaced))
            code = arb_fail(error, ARB_NOT_READY, "another scheduler has taken the state; this one ends");
        else if (asked_to_end(set))
            break;
    }
    arb_child_executor_end(&run.child, CHILD_ENDS_NS);
    arb_scheduler_node_destroy(run.node);
    arb_secret_take_back(&run.token);
    if (run.own_folder.data != NULL) {
        arb_crash_record_forget(run.own_folder);
        (void)!rmdir(run.own_folder.data);
    }
    arb_arena_reset(&run.arena);
    return code;
}

arb_code arb_run_node(const arb_node_options *options, arb_error *error)
{
    sigset_t set;
    ARB_TRY(ARB_FAILPOINTS_READ(error));
    if (options->cpu.data != NULL)
        ARB_TRY(arb_cpu_choose(options->cpu.data, error));
    block_signals(&set);
    raise_descriptor_limit();
    return options->kind == ARB_NODE_EXECUTOR ? run_executor(options, &set, error)
                                              : run_scheduler(options, &set, error);
}
