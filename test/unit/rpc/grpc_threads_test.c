/* Threads that gRPC starts, and ours for it: signals for the process are the program's, a thread's own faults are not. */
#include "rpc_world.h"

#include <dirent.h>
#include <signal.h>

#ifndef WITHOUT_GRPC
/* Of a thread: SigBlk in its status, a bit each. 0: it has ended meanwhile. */
static unsigned long long blocked_signals(const char *thread)
{
    char path[300], line[256];
    unsigned long long blocked = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return blocked;
}

static unsigned long long bits_of(const int *signals, size_t count)
{
    unsigned long long bits = 0;
    for (size_t i = 0; i < count; i++)
        bits |= 1ull << (signals[i] - 1);
    return bits;
}

static void only_faults_are_not_blocked(void **state)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}, others[] = {SIGINT, SIGTERM, SIGHUP};
    unsigned long long of_faults = bits_of(faults, ARB_COUNT_OF(faults)), of_others = bits_of(others, 3);
    world w;
    arb_rpc_server_options options = {0};
    arb_error error = {0};
    unsigned threads = 0;
    world_open(&w, state, &options);
    assert_int_equal(arb_rpc_channel_wait_ready(w.channel, in_ms(20000), &error), ARB_OK);
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        unsigned long long blocked = blocked_signals(entry->d_name);
        if (atol(entry->d_name) == 0 || atol(entry->d_name) == getpid())
            continue;
        assert_int_equal(blocked & of_faults, 0);
        assert_int_equal(blocked & of_others, of_others);
        threads++;
    }
    closedir(folder);
    assert_true(threads >= 2); /* the runtime's at least */
    world_end(&w);
}
#endif

int main(void)
{
#ifdef WITHOUT_GRPC
    return 0;
#else
    const struct CMUnitTest tests[] = {
        {"only_faults_are_not_blocked", only_faults_are_not_blocked, NULL, NULL, &over_grpc},
    };
    return run_rpc_tests(tests);
#endif
}
