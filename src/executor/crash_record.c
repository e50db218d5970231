#include "executor/crash_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static const char file_name[] = "crashed", file_magic[8] = "ARBCRSH1";

/* The file: this, and behind it the attempts as they lie in memory. Only programs of one build on one machine share a folder; another
 * layout has another size, and is thrown away. */
typedef struct crash_header {
    char magic[sizeof file_magic];
    arb_uuid process, cluster;
    uint64_t attempt_count;
} crash_header;

typedef struct crash_place {
    _Atomic bool taken; /* set when the rest is there */
    arb_uuid cluster;
    arb_attempt attempt;
} crash_place;

/* What a signal's handler can find: it has no other way to it. */
static struct {
    bool begun;
    _Atomic bool written; /* one thread writes, others that crash meanwhile wait for the end */
    char path[PATH_MAX];
    arb_uuid process, cluster; /* of the newest task: others' attempts mean nothing there */
    struct sigaction before[ARB_COUNT_OF(crashes)];
    crash_place places[ARB_CRASH_PLACES];
} record;

/* ---- the crash: only what a handler may do --------------------------------------------------------------------------------- */

static void write_all(int file, const void *bytes, size_t size)
{
    for (const char *at = bytes; size > 0;) {
        ssize_t written = write(file, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        at += written;
        size -= (size_t)written;
    }
}

static bool counts(const crash_place *place)
{
    return atomic_load(&place->taken) && arb_uuid_equal(place->cluster, record.cluster);
}

static void write_record(void)
{
    crash_header header = {.process = record.process, .cluster = record.cluster};
    memcpy(header.magic, file_magic, sizeof header.magic);
    int file = open(record.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return;
    for (size_t i = 0; i < ARB_CRASH_PLACES; i++)
        header.attempt_count += counts(&record.places[i]);
    write_all(file, &header, sizeof header);
    for (size_t i = 0; i < ARB_CRASH_PLACES; i++)
        if (counts(&record.places[i]))
            write_all(file, &record.places[i].attempt, sizeof record.places[i].attempt);
    close(file);
}

/* What the signal would have done without this comes now: an instruction that faults does so again, what was sent is sent again. */
static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!atomic_exchange(&record.written, true))
        write_record();
    else
        sleep(1);
    for (size_t i = 0; i < ARB_COUNT_OF(crashes); i++)
        if (crashes[i] == number)
            sigaction(number, &record.before[i], NULL);
    if (info->si_code <= 0)
        raise(number);
}

/* ---- before and after ------------------------------------------------------------------------------------------------------- */

static bool take_file(int file, arb_arena *arena, arb_crash_found *out_found)
{
    crash_header header;
    if (read(file, &header, sizeof header) != (ssize_t)sizeof header ||
        memcmp(header.magic, file_magic, sizeof header.magic) != 0 || header.attempt_count > ARB_CRASH_PLACES)
        return true; /* nothing that could be told */
    arb_attempt *attempts = ARB_ARENA_ARRAY(arena, arb_attempt, header.attempt_count + 1);
    if (attempts == NULL)
        return false;
    size_t size = header.attempt_count * sizeof *attempts;
    if (read(file, attempts, size + 1) == (ssize_t)size)
        *out_found = (arb_crash_found){header.process, header.cluster, header.attempt_count, attempts};
    return true;
}

static arb_code take(arb_arena *arena, arb_crash_found *out_found, arb_error *error)
{
    *out_found = (arb_crash_found){0};
    int file = open(record.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return errno == ENOENT ? ARB_OK : arb_fail_errno(error, errno, "cannot read %s", record.path);
    bool taken = take_file(file, arena, out_found);
    close(file);
    unlink(record.path);
    return taken ? ARB_OK : arb_fail_memory(error, "what ran before", sizeof(arb_attempt));
}

static arb_code name_file(arb_str folder, char path[PATH_MAX], arb_error *error)
{
    int size = snprintf(path, PATH_MAX, "%.*s/%s", ARB_STR_ARGS(folder), file_name);
    return size < PATH_MAX ? ARB_OK : arb_fail(error, ARB_CONFIGURATION, "the name of the work folder is too long");
}

arb_code arb_crash_record_begin(arb_str folder, arb_uuid process, arb_arena *arena, arb_crash_found *out_found,
                                arb_error *error)
{
    assert(!record.begun);
    ARB_TRY(name_file(folder, record.path, error));
    ARB_TRY(take(arena, out_found, error));
    record.process = process;
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARB_COUNT_OF(crashes); i++)
        sigaction(crashes[i], &action, &record.before[i]);
    record.begun = true;
    return ARB_OK;
}

void arb_crash_record_end(void)
{
    if (!record.begun)
        return;
    for (size_t i = 0; i < ARB_COUNT_OF(crashes); i++)
        sigaction(crashes[i], &record.before[i], NULL);
    for (size_t i = 0; i < ARB_CRASH_PLACES; i++)
        atomic_store(&record.places[i].taken, false);
    record.begun = false;
}

void arb_crash_record_forget(arb_str folder)
{
    char path[PATH_MAX];
    if (name_file(folder, path, NULL) == ARB_OK)
        unlink(path);
}

/* ---- tasks ------------------------------------------------------------------------------------------------------------------ */

unsigned arb_crash_record_add(arb_uuid cluster, const arb_attempt *attempt)
{
    unsigned at = 0;
    if (!record.begun)
        return ARB_CRASH_NO_PLACE;
    while (at < ARB_CRASH_PLACES && atomic_load_explicit(&record.places[at].taken, memory_order_relaxed))
        at++;
    if (at == ARB_CRASH_PLACES)
        return ARB_CRASH_NO_PLACE;
    record.cluster = record.places[at].cluster = cluster;
    record.places[at].attempt = *attempt;
    atomic_store(&record.places[at].taken, true);
    return at;
}

void arb_crash_record_remove(unsigned place)
{
    if (place != ARB_CRASH_NO_PLACE)
        atomic_store(&record.places[place].taken, false);
}
