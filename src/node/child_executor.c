#include "node/child_executor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"

enum { LOOK_US = 10000 };
static const int64_t SHORTEST_DELAY_NS = 200000000, LONGEST_DELAY_NS = INT64_C(30000000000),
                     HEALTHY_NS = INT64_C(10000000000); /* who lived so long did not fail at its start */

typedef ARB_VEC(char *) argument_list;

static bool add(arb_arena *arena, argument_list *list, const char *flag, arb_str value)
{
    arb_str copy = arb_str_copy(arena, value);
    return copy.data != NULL && (flag == NULL || ARB_VEC_PUSH(list, (char *)(uintptr_t)flag)) &&
           ARB_VEC_PUSH(list, (char *)(uintptr_t)copy.data);
}

static bool add_number(arb_arena *arena, argument_list *list, const char *flag, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return add(arena, list, flag, arb_str_of(text));
}

static bool add_folders(arb_arena *arena, argument_list *list, const char *flag, const arb_root *roots, size_t count)
{
    bool fine = true;
    for (size_t i = 0; i < count && fine; i++) {
        arb_text text = {0};
        arb_text_printf(&text, "%.*s=%.*s", ARB_STR_ARGS(roots[i].name), ARB_STR_ARGS(roots[i].folder));
        fine = !text.failed && add(arena, list, flag, arb_text_view(&text));
        arb_text_reset(&text);
    }
    return fine;
}

arb_code arb_child_executor_init(arb_arena *arena, const arb_node_options *options, arb_str control, arb_str token_file,
                                 uint64_t memory, arb_child_executor *out_child, arb_error *error)
{
    argument_list list = {0};
    bool fine = add(arena, &list, NULL, options->program) && add(arena, &list, NULL, ARB_STR("executor")) &&
                add(arena, &list, "--scheduler", control) && add(arena, &list, "--host", ARB_STR("127.0.0.1")) &&
                add(arena, &list, "--port", ARB_STR("0")) && add(arena, &list, "--http-port", ARB_STR("0")) &&
                add(arena, &list, "--join-token-file", token_file) &&
                add(arena, &list, "--drain-timeout", ARB_STR("5s")) &&
                add_number(arena, &list, "--memory-limit", memory) &&
                (options->threads == 0 || add_number(arena, &list, "--threads", options->threads)) &&
                (options->work_folder.data == NULL || add(arena, &list, "--work-dir", options->work_folder)) &&
                add_folders(arena, &list, "--data", options->data, options->data_count) && ARB_VEC_PUSH(&list, NULL);
    *out_child = (arb_child_executor){.delay = SHORTEST_DELAY_NS};
    if (fine)
        out_child->arguments = ARB_ARENA_ARRAY(arena, char *, list.size);
    if (out_child->arguments != NULL)
        memcpy(out_child->arguments, list.data, list.size * sizeof *list.data);
    ARB_VEC_RESET(&list);
    return out_child->arguments != NULL ? ARB_OK : arb_fail_memory(error, "a command", 0);
}

/* In the child, where only what is safe in a signal handler may be done: other threads' locks are as they happened to be. */
static void become(const arb_child_executor *child, pid_t parent)
{
    sigset_t none;
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it died before that was said */
        _exit(1);
    if (nowhere >= 0) {
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO); /* where it listens is nobody's business */
    }
    execv(child->arguments[0], child->arguments);
    _exit(127);
}

static void start(arb_child_executor *child, int64_t now)
{
    pid_t parent = getpid(), process = fork();
    if (process == 0)
        become(child, parent);
    if (process < 0) {
        fprintf(stderr, "arbalest: cannot start the executor: %s\n", strerror(errno));
        child->next = now + child->delay;
        return;
    }
    child->process = process;
    child->started = now;
}

/* How it ended, for who reads the log. */
static void report_end(const arb_child_executor *child, int status)
{
    double delay = (double)child->delay / 1e9;
    if (WIFSIGNALED(status))
        fprintf(stderr, "arbalest: the executor was ended by signal %d (%s); it is started again in %.1f s\n",
                WTERMSIG(status), strsignal(WTERMSIG(status)), delay);
    else
        fprintf(stderr, "arbalest: the executor ended with status %d; it is started again in %.1f s\n",
                WEXITSTATUS(status), delay);
}

/* Also when nobody knows it (any more). */
static bool has_ended(arb_child_executor *child, int *out_status)
{
    *out_status = 0;
    if (waitpid(child->process, out_status, WNOHANG) == 0)
        return false;
    child->process = 0;
    return true;
}

void arb_child_executor_tend(arb_child_executor *child, const arb_secret_on_loan *token)
{
    int status;
    int64_t now = arb_clock_monotonic_ns();
    if (child->process != 0 && has_ended(child, &status)) {
        child->delay =
            now - child->started > HEALTHY_NS ? SHORTEST_DELAY_NS : ARB_MIN(child->delay * 2, LONGEST_DELAY_NS);
        child->next = now + child->delay;
        report_end(child, status);
    }
    if (child->process != 0 || now < child->next)
        return;
    arb_error error = {0};
    if (arb_secret_lend_again(token, &error) != ARB_OK) /* cleaners of old files take what is old */
        fprintf(stderr, "arbalest: the executor may not join: %s\n", error.message);
    start(child, now);
}

void arb_child_executor_end(arb_child_executor *child, int64_t wait_ns)
{
    if (child->process == 0)
        return;
    int status;
    kill(child->process, SIGTERM);
    for (int64_t until = arb_clock_monotonic_ns() + wait_ns; arb_clock_monotonic_ns() < until; usleep(LOOK_US))
        if (has_ended(child, &status))
            return;
    kill(child->process, SIGKILL);
    (void)waitpid(child->process, NULL, 0);
    child->process = 0;
}
