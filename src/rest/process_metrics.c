#include "rest/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const arb_metric build_info = {.name = "arbalest_build_info", .help = "1; its label says which version runs."};
static const arb_metric start_time = {.name = "process_start_time_seconds",
                                      .help = "When the process began, since 1970."};
static const arb_metric cpu = {
    .name = "process_cpu_seconds_total", .help = "CPU time of all its threads.", .kind = ARB_METRIC_COUNTER};
static const arb_metric resident = {.name = "process_resident_memory_bytes",
                                    .help = "Memory that is in the machine's."};
static const arb_metric virtual = {.name = "process_virtual_memory_bytes", .help = "Addresses that are in use."};
static const arb_metric open_fds = {.name = "process_open_fds", .help = "Open files, sockets included."};
static const arb_metric max_fds = {.name = "process_max_fds", .help = "Open files that it may have."};
static const arb_metric memory_used = {.name = "arbalest_memory_used_bytes",
                                       .help = "Memory that queries and tasks have reserved."};
static const arb_metric memory_limit = {.name = "arbalest_memory_limit_bytes", .help = "Memory that they may reserve."};

static void put_memory(arb_text *out)
{
    char text[128];
    unsigned long long pages, resident_pages;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    if (size <= 0)
        return;
    text[size] = 0;
    if (sscanf(text, "%llu %llu", &pages, &resident_pages) != 2)
        return;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    arb_metrics_one(out, &resident, resident_pages * page);
    arb_metrics_one(out, &virtual, pages * page);
}

static void put_files(arb_text *out)
{
    struct rlimit limit;
    DIR *folder = opendir("/proc/self/fd");
    if (folder != NULL) {
        uint64_t count = 0;
        for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
            count += entry->d_name[0] != '.';
        closedir(folder);
        arb_metrics_one(out, &open_fds, count - 1); /* without the folder itself */
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        arb_metrics_one(out, &max_fds, limit.rlim_cur);
}

void arb_process_metrics(arb_text *out, const arb_rest_process *process)
{
    struct timespec used;
    arb_metrics_begin(out, &build_info);
    arb_metrics_sample(out, &build_info, "version", arb_str_of(process->version), 1);
    arb_metrics_begin(out, &start_time);
    arb_metrics_seconds(out, &start_time, process->started_us * 1000);
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) {
        arb_metrics_begin(out, &cpu);
        arb_metrics_seconds(out, &cpu, used.tv_sec * INT64_C(1000000000) + used.tv_nsec);
    }
    put_memory(out);
    put_files(out);
    if (process->governor == NULL)
        return;
    arb_metrics_one(out, &memory_used, atomic_load_explicit(&process->governor->used, memory_order_relaxed));
    arb_metrics_one(out, &memory_limit, process->governor->limit);
}
