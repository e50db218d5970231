#include "base/crash_record.h"

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

/* The file: this, and behind it the entries as they lie in memory. Only programs of one machine share a folder. */
typedef struct crash_header {
    char magic[sizeof file_magic];
    uint64_t entry_size, entry_count;
} crash_header;

typedef struct crash_place {
    _Atomic bool taken; /* set when the entry is there */
    uint8_t entry[ARB_CRASH_ENTRY_MOST];
} crash_place;

/* What a signal's handler can find: it has no other way to it. */
static struct {
    bool begun, left;     /* left: there are entries of an earlier process */
    _Atomic bool written; /* one thread writes; others that crash meanwhile wait for the end */
    char path[PATH_MAX];
    size_t entry_size;
    struct sigaction before[ARB_COUNT_OF(crashes)];
    crash_place places[ARB_CRASH_PLACES];
} record;

/* ---- the crash: only what a handler may do --------------------------------------------------------------------------- */

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

static void write_record(void)
{
    crash_header header = {.entry_size = record.entry_size};
    bool taken[ARB_CRASH_PLACES]; /* others may go on meanwhile */
    memcpy(header.magic, file_magic, sizeof header.magic);
    for (size_t i = 0; i < ARB_CRASH_PLACES; i++)
        header.entry_count += taken[i] = atomic_load(&record.places[i].taken);
    int file =
        header.entry_count == 0 ? -1 : open(record.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return;
    write_all(file, &header, sizeof header);
    for (size_t i = 0; i < ARB_CRASH_PLACES; i++)
        if (taken[i])
            write_all(file, record.places[i].entry, record.entry_size);
    close(file);
}

/* What the signal would have done without this comes now: an instruction that faults does so again, what was sent is sent
 * again. */
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

/* ---- before and after ------------------------------------------------------------------------------------------------ */

static bool read_file(int file, size_t entry_size, arb_arena *arena, arb_str *out_left)
{
    crash_header header;
    if (read(file, &header, sizeof header) != (ssize_t)sizeof header ||
        memcmp(header.magic, file_magic, sizeof header.magic) != 0 || header.entry_size != entry_size ||
        header.entry_count > ARB_CRASH_PLACES)
        return true; /* nothing that could be told */
    size_t size = entry_size * header.entry_count;
    char *entries = arb_arena_alloc(arena, size + 1);
    if (entries == NULL)
        return false;
    if (read(file, entries, size + 1) == (ssize_t)size)
        *out_left = (arb_str){entries, size};
    return true;
}

/* What could not be told is thrown away. */
static arb_code look(size_t entry_size, arb_arena *arena, arb_str *out_left, arb_error *error)
{
    *out_left = (arb_str){"", 0};
    int file = open(record.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return errno == ENOENT ? ARB_OK : arb_fail_errno(error, errno, "cannot read %s", record.path);
    bool read = read_file(file, entry_size, arena, out_left);
    close(file);
    record.left = out_left->size != 0;
    if (read && !record.left)
        unlink(record.path);
    return read ? ARB_OK : arb_fail_memory(error, "what a crash has left", entry_size * ARB_CRASH_PLACES);
}

static arb_code name_file(arb_str folder, char path[PATH_MAX], arb_error *error)
{
    int size = snprintf(path, PATH_MAX, "%.*s/%s", ARB_STR_ARGS(folder), file_name);
    return size < PATH_MAX ? ARB_OK : arb_fail(error, ARB_CONFIGURATION, "the name of the folder is too long");
}

arb_code arb_crash_record_begin(arb_str folder, size_t entry_size, arb_arena *arena, arb_str *out_left,
                                arb_error *error)
{
    assert(!record.begun && entry_size > 0 && entry_size <= ARB_CRASH_ENTRY_MOST);
    ARB_TRY(name_file(folder, record.path, error));
    ARB_TRY(look(entry_size, arena, out_left, error));
    record.entry_size = entry_size;
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARB_COUNT_OF(crashes); i++)
        sigaction(crashes[i], &action, &record.before[i]);
    record.begun = true;
    return ARB_OK;
}

void arb_crash_record_told(void)
{
    if (record.begun && record.left)
        unlink(record.path);
    record.left = false;
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

/* ---- entries --------------------------------------------------------------------------------------------------------- */

unsigned arb_crash_record_add(const void *entry)
{
    unsigned at = 0;
    if (!record.begun)
        return ARB_CRASH_NO_PLACE;
    while (at < ARB_CRASH_PLACES && atomic_load_explicit(&record.places[at].taken, memory_order_relaxed))
        at++;
    if (at == ARB_CRASH_PLACES)
        return ARB_CRASH_NO_PLACE;
    memcpy(record.places[at].entry, entry, record.entry_size);
    atomic_store(&record.places[at].taken, true);
    return at;
}

void arb_crash_record_remove(unsigned place)
{
    if (place != ARB_CRASH_NO_PLACE)
        atomic_store(&record.places[place].taken, false);
}
