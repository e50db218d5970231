#include "node/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MOST = 4096 };

arb_code arb_secret_make(char secret[ARB_SECRET_DIGITS + 1], arb_error *error)
{
    unsigned char bytes[ARB_SECRET_DIGITS / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return arb_fail_errno(error, errno, "no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
    return ARB_OK;
}

/* Ends the file; what is not whole is removed. */
static arb_code write_secret(int file, const char *path, const char *secret, arb_error *error)
{
    size_t size = strlen(secret);
    errno = ENOSPC; /* should less be written than there is */
    bool fine = write(file, secret, size) == (ssize_t)size && fsync(file) == 0;
    int failed = errno;
    close(file);
    if (fine)
        return ARB_OK;
    unlink(path);
    return arb_fail_errno(error, failed, "cannot write %s", path);
}

/* The file is there as a whole or not at all, also when several make it at once: the first one's is taken. */
static arb_code make_file(const char *path, arb_error *error)
{
    char part[PATH_MAX], secret[ARB_SECRET_DIGITS + 1];
    ARB_TRY(arb_secret_make(secret, error));
    if (snprintf(part, sizeof part, "%s.XXXXXX", path) >= (int)sizeof part)
        return arb_fail(error, ARB_CONFIGURATION, "the name of %s is too long", path);
    int file = mkstemp(part); /* 0600 */
    if (file < 0)
        return arb_fail_errno(error, errno, "cannot make %s", part);
    ARB_TRY(write_secret(file, part, secret, error));
    int failed = link(part, path) != 0 && errno != EEXIST ? errno : 0;
    unlink(part);
    return failed == 0 ? ARB_OK : arb_fail_errno(error, failed, "cannot make %s", path);
}

arb_code arb_secret_file_read(arb_arena *arena, arb_str path, arb_str *out_secret, arb_error *error)
{
    char secret[SECRET_MOST];
    struct stat found;
    int file = open(path.data, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return arb_fail_errno(error, errno, "cannot open %s", path.data);
    ssize_t size = fstat(file, &found) == 0 ? read(file, secret, sizeof secret) : -1;
    int failed = errno;
    close(file);
    if (size < 0)
        return arb_fail_errno(error, failed, "cannot read %s", path.data);
    if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        arb_fail(error, ARB_CONFIGURATION, "others than its owner may read the secret in %s", path.data);
        arb_error_hint(error, "chmod 600 it.");
        return ARB_CONFIGURATION;
    }
    while (size > 0 && (secret[size - 1] == '\n' || secret[size - 1] == '\r'))
        size--;
    if (size == 0 || size == (ssize_t)sizeof secret)
        return arb_fail(error, ARB_CONFIGURATION, "%s holds no secret of 1 to %d bytes", path.data, SECRET_MOST - 1);
    *out_secret = arb_str_copy(arena, (arb_str){secret, (size_t)size});
    return out_secret->data != NULL ? ARB_OK : arb_fail_memory(error, "a secret", (size_t)size);
}

arb_code arb_secret_file_keep(arb_arena *arena, arb_str path, arb_str *out_secret, arb_error *error)
{
    if (access(path.data, F_OK) != 0)
        ARB_TRY(make_file(path.data, error));
    return arb_secret_file_read(arena, path, out_secret, error);
}

arb_code arb_secret_bytes(arb_str secret, uint8_t *out_bytes, size_t size, arb_error *error)
{
    bool fine = secret.size == size * 2;
    for (size_t i = 0; i < size && fine; i++) {
        int high = arb_hex_digit(secret.data[2 * i]), low = arb_hex_digit(secret.data[2 * i + 1]);
        fine = high >= 0 && low >= 0;
        out_bytes[i] = (uint8_t)(high * 16 + low);
    }
    return fine ? ARB_OK
                : arb_fail(error, ARB_CONFIGURATION, "a secret is not the %zu hexadecimal digits that were written",
                           size * 2);
}

arb_code arb_secret_lend(arb_secret_on_loan *secret, arb_error *error)
{
    const char *place = getenv("TMPDIR");
    ARB_TRY(arb_secret_make(secret->secret, error));
    if (place == NULL || place[0] != '/' || strlen(place) > sizeof secret->path / 2)
        place = "/tmp";
    snprintf(secret->path, sizeof secret->path, "%s/arbalest-join-XXXXXX", place);
    int file = mkstemp(secret->path); /* 0600 */
    arb_code code = file >= 0 ? write_secret(file, secret->path, secret->secret, error)
                              : arb_fail_errno(error, errno, "cannot make a file in %s", place);
    if (code != ARB_OK)
        secret->path[0] = '\0';
    return code;
}

arb_code arb_secret_lend_again(const arb_secret_on_loan *secret, arb_error *error)
{
    int file = open(secret->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0)
        return write_secret(file, secret->path, secret->secret, error);
    return errno == EEXIST ? ARB_OK : arb_fail_errno(error, errno, "cannot make %s", secret->path);
}

void arb_secret_take_back(arb_secret_on_loan *secret)
{
    if (secret->path[0] != '\0')
        unlink(secret->path);
    secret->path[0] = '\0';
}
