#include "state_disk/blob_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/failpoint.h"
#include "state/store.h"

struct arb_blob_folder {
    int descriptor;
    uint64_t left_free; /* on its disk */
};

struct arb_blob_writer {
    arb_blob_folder *folder;
    EVP_MD_CTX *digest;
    int file;
    char name[64]; /* while it is not finished */
};

void arb_blob_hash_text(const arb_blob_hash *hash, char out_text[ARB_BLOB_HASH_TEXT])
{
    for (size_t i = 0; i < sizeof hash->bytes; i++)
        snprintf(out_text + 2 * i, 3, "%02x", hash->bytes[i]);
}

/* So that the folder itself is there after a crash. */
static int sync_parent(int folder)
{
    int parent = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return -1;
    int result = fsync(parent), reason = errno;
    close(parent);
    errno = reason;
    return result;
}

arb_code arb_blob_folder_open(const char *path, arb_blob_folder **out_folder, arb_error *error)
{
    *out_folder = NULL;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return arb_fail_errno(error, errno, "the folder %s cannot be made", path);
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return arb_fail_errno(error, errno, "the folder %s cannot be opened", path);
    if (sync_parent(descriptor) != 0) {
        arb_code code = arb_fail_errno(error, errno, "the folder %s cannot be made to last", path);
        close(descriptor);
        return code;
    }
    arb_blob_folder *folder = arb_alloc_zeroed(sizeof *folder);
    if (folder == NULL) {
        close(descriptor);
        return arb_fail_memory(error, "a folder of blobs", sizeof *folder);
    }
    folder->descriptor = descriptor;
    *out_folder = folder;
    return ARB_OK;
}

void arb_blob_folder_close(arb_blob_folder *folder)
{
    if (folder == NULL)
        return;
    close(folder->descriptor);
    arb_free(folder);
}

void arb_blob_folder_leave(arb_blob_folder *folder, uint64_t bytes)
{
    folder->left_free = bytes;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

arb_code arb_blob_write_begin(arb_blob_folder *folder, arb_blob_writer **out_writer, arb_error *error)
{
    arb_uuid name;
    *out_writer = NULL;
    arb_blob_writer *writer = arb_alloc_zeroed(sizeof *writer);
    if (writer == NULL)
        return arb_fail_memory(error, "a blob", sizeof *writer);
    writer->folder = folder;
    /* Numbers of processes come again, and elsewhere: in other name spaces, on other hosts that share the folder. */
    arb_code code = arb_uuid_make(&name, error);
    if (code == ARB_OK) {
        snprintf(writer->name, sizeof writer->name, "part.%016" PRIx64 "%016" PRIx64, name.high, name.low);
        writer->file =
            openat(folder->descriptor, writer->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (writer->file < 0)
            code = arb_fail_errno(error, errno, "a blob cannot be written");
    }
    if (code != ARB_OK) {
        arb_free(writer);
        return code;
    }
    writer->digest = EVP_MD_CTX_new();
    if (writer->digest == NULL || EVP_DigestInit_ex(writer->digest, EVP_sha256(), NULL) != 1) {
        arb_blob_write_abort(writer);
        return arb_fail_memory(error, "a blob", 0);
    }
    *out_writer = writer;
    return ARB_OK;
}

static void writer_free(arb_blob_writer *writer)
{
    if (writer->file >= 0)
        close(writer->file);
    EVP_MD_CTX_free(writer->digest);
    arb_free(writer);
}

void arb_blob_write_abort(arb_blob_writer *writer)
{
    if (writer == NULL)
        return;
    unlinkat(writer->folder->descriptor, writer->name, 0);
    writer_free(writer);
}

arb_code arb_blob_write(arb_blob_writer *writer, const void *data, size_t size, arb_error *error)
{
    const char *at = data;
    if (size > 0 && EVP_DigestUpdate(writer->digest, data, size) != 1)
        return arb_fail(error, ARB_INTERNAL, "a blob cannot be hashed");
    while (size > 0) {
        ssize_t written = write(writer->file, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return arb_fail_errno(error, written < 0 ? errno : ENOSPC, "a blob cannot be written");
        at += written;
        size -= (size_t)written;
    }
    return ARB_OK;
}

/* The folder of the hash's first two digits, made when it is not there. */
static int open_shelf(const arb_blob_folder *folder, const char *digits, bool make)
{
    char name[3] = {digits[0], digits[1], '\0'};
    if (make && mkdirat(folder->descriptor, name, 0700) != 0 && errno != EEXIST)
        return -1;
    return openat(folder->descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* It has been written. A disk that cannot be asked says so itself when it is full. */
static arb_code check_left(const arb_blob_writer *writer, arb_error *error)
{
    struct statvfs disk;
    uint64_t wanted = writer->folder->left_free;
    if (wanted == 0 || fstatvfs(writer->file, &disk) != 0 || (uint64_t)disk.f_bavail * disk.f_frsize >= wanted)
        return ARB_OK;
    return arb_fail(error, ARB_DISK_FULL, "a blob cannot be written: less than %llu bytes would be left on its disk",
                    (unsigned long long)wanted);
}

static arb_code publish(arb_blob_writer *writer, const char *digits, arb_error *error)
{
    arb_code code = ARB_OK;
    ARB_TRY(ARB_FAILPOINT_CODE(STATE_BEFORE_BLOB, error));
    ARB_TRY(check_left(writer, error));
    if (fsync(writer->file) != 0)
        return arb_fail_errno(error, errno, "a blob cannot be written");
    int shelf = open_shelf(writer->folder, digits, true);
    if (shelf < 0)
        return arb_fail_errno(error, errno, "a blob cannot be written");
    if (renameat(writer->folder->descriptor, writer->name, shelf, digits + 2) != 0 || fsync(shelf) != 0 ||
        fsync(writer->folder->descriptor) != 0)
        code = arb_fail_errno(error, errno, "a blob cannot be written");
    close(shelf);
    return code;
}

arb_code arb_blob_write_commit(arb_blob_writer *writer, arb_blob_hash *out_hash, arb_error *error)
{
    char digits[ARB_BLOB_HASH_TEXT];
    unsigned size = 0;
    arb_code code = ARB_OK;
    if (EVP_DigestFinal_ex(writer->digest, out_hash->bytes, &size) != 1 || size != sizeof out_hash->bytes)
        code = arb_fail(error, ARB_INTERNAL, "a blob cannot be hashed");
    if (code == ARB_OK) {
        arb_blob_hash_text(out_hash, digits);
        code = publish(writer, digits, error);
    }
    if (code == ARB_OK)
        ARB_FAILPOINT(STATE_AFTER_BLOB);
    if (code != ARB_OK)
        arb_blob_write_abort(writer);
    else
        writer_free(writer);
    return code;
}

arb_code arb_blob_put(arb_blob_folder *folder, const void *data, size_t size, arb_blob_hash *out_hash, arb_error *error)
{
    arb_blob_writer *writer;
    ARB_TRY(arb_blob_write_begin(folder, &writer, error));
    arb_code code = arb_blob_write(writer, data, size, error);
    if (code == ARB_OK)
        return arb_blob_write_commit(writer, out_hash, error);
    arb_blob_write_abort(writer);
    return code;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static arb_code read_all(int file, size_t size, arb_text *out, arb_error *error)
{
    while (size > 0) {
        char *room = arb_text_room(out, size);
        if (room == NULL)
            return arb_fail_memory(error, "a blob", size);
        ssize_t got = read(file, room, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return arb_fail_errno(error, errno, "a blob cannot be read");
        if (got == 0)
            return arb_fail(error, ARB_CORRUPT_DATA, "a blob ends too early");
        arb_text_added(out, (size_t)got);
        size -= (size_t)got;
    }
    arb_text_append(out, "", 0); /* a text ends with NUL */
    return arb_text_check(out, error);
}

static arb_code read_checked(int file, const char *digits, const arb_blob_hash *hash, size_t most, arb_text *out,
                             arb_error *error)
{
    struct stat facts;
    arb_blob_hash found;
    size_t before = out->size;
    if (fstat(file, &facts) != 0)
        return arb_fail_errno(error, errno, "the blob %s cannot be read", digits);
    if ((uint64_t)facts.st_size > most)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "the blob %s has %lld bytes; %zu are expected at most", digits,
                        (long long)facts.st_size, most);
    ARB_TRY(read_all(file, (size_t)facts.st_size, out, error));
    arb_str read = arb_text_view(out);
    if (EVP_Digest(read.data + before, out->size - before, found.bytes, NULL, EVP_sha256(), NULL) != 1)
        return arb_fail(error, ARB_INTERNAL, "a blob cannot be hashed");
    return memcmp(&found, hash, sizeof found) == 0
               ? ARB_OK
               : arb_fail(error, ARB_CORRUPT_DATA, "the blob %s is damaged", digits);
}

arb_code arb_blob_get(arb_blob_folder *folder, const arb_blob_hash *hash, size_t most, arb_text *out, arb_error *error)
{
    char digits[ARB_BLOB_HASH_TEXT];
    arb_blob_hash_text(hash, digits);
    int shelf = open_shelf(folder, digits, false);
    int file = shelf >= 0 ? openat(shelf, digits + 2, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    arb_code code = file < 0 ? arb_fail_errno(error, errno, "the blob %s cannot be opened", digits)
                             : read_checked(file, digits, hash, most, out, error);
    if (file >= 0)
        close(file);
    if (shelf >= 0)
        close(shelf);
    return code;
}

arb_code arb_blob_delete(arb_blob_folder *folder, const arb_blob_hash *hash, arb_error *error)
{
    char digits[ARB_BLOB_HASH_TEXT];
    arb_blob_hash_text(hash, digits);
    int shelf = open_shelf(folder, digits, false);
    int failure = shelf < 0 || unlinkat(shelf, digits + 2, 0) != 0 ? errno : 0;
    if (shelf >= 0)
        close(shelf);
    return failure == 0 || failure == ENOENT ? ARB_OK
                                             : arb_fail_errno(error, failure, "the blob %s cannot be deleted", digits);
}

/* ---- sweeping ---------------------------------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hash(const char *shelf, const char *rest, arb_blob_hash *out_hash)
{
    char digits[ARB_BLOB_HASH_TEXT];
    if (strlen(shelf) != 2 || strlen(rest) != 62)
        return false;
    memcpy(digits, shelf, 2);
    memcpy(digits + 2, rest, 63);
    for (size_t i = 0; i < sizeof out_hash->bytes; i++) {
        int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out_hash->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

typedef struct sweep {
    bool (*keep)(void *context, const arb_blob_hash *hash);
    void *context;
    size_t deleted;
} sweep;

/* Takes the descriptor. */
static arb_code sweep_shelf(int descriptor, const char *shelf, sweep *with, arb_error *error)
{
    arb_code code = ARB_OK;
    DIR *listing = fdopendir(descriptor);
    if (listing == NULL) {
        code = arb_fail_errno(error, errno, "the folder of blobs cannot be read");
        close(descriptor);
        return code;
    }
    for (struct dirent *at; code == ARB_OK && (at = readdir(listing)) != NULL;) {
        arb_blob_hash hash;
        if (!parse_hash(shelf, at->d_name, &hash) || with->keep(with->context, &hash))
            continue;
        if (unlinkat(dirfd(listing), at->d_name, 0) != 0 && errno != ENOENT)
            code = arb_fail_errno(error, errno, "a blob cannot be deleted");
        with->deleted++;
    }
    closedir(listing);
    return code;
}

static arb_code sweep_folder(const arb_blob_folder *folder, DIR *listing, sweep *with, arb_error *error)
{
    for (struct dirent *at; (at = readdir(listing)) != NULL;) {
        if (strncmp(at->d_name, "part.", 5) == 0) {
            if (unlinkat(folder->descriptor, at->d_name, 0) != 0 && errno != ENOENT)
                return arb_fail_errno(error, errno, "a part of a blob cannot be deleted");
            with->deleted++;
        } else if (strlen(at->d_name) == 2 && digit_of(at->d_name[0]) >= 0 && digit_of(at->d_name[1]) >= 0) {
            int shelf = open_shelf(folder, at->d_name, false);
            if (shelf < 0)
                return arb_fail_errno(error, errno, "the folder of blobs cannot be read");
            ARB_TRY(sweep_shelf(shelf, at->d_name, with, error));
        }
    }
    return ARB_OK;
}

arb_code arb_blob_sweep(arb_blob_folder *folder, bool (*keep)(void *context, const arb_blob_hash *hash), void *context,
                        size_t *out_deleted, arb_error *error)
{
    sweep with = {.keep = keep, .context = context};
    *out_deleted = 0;
    int again = openat(folder->descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = again >= 0 ? fdopendir(again) : NULL;
    if (listing == NULL) {
        arb_code code = arb_fail_errno(error, errno, "the folder of blobs cannot be read");
        if (again >= 0)
            close(again);
        return code;
    }
    arb_code code = sweep_folder(folder, listing, &with, error);
    closedir(listing);
    *out_deleted = with.deleted;
    return code;
}
