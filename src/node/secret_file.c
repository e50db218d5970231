#include "node/secret_file.h"

#include <errno.h>
#include <fcntl.h>
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
    bool fine = write(file, secret, size) == (ssize_t)size;
    int failed = errno;
    fine = close(file) == 0 && fine;
    if (fine)
        return ARB_OK;
    unlink(path);
    return arb_fail_errno(error, failed, "cannot write %s", path);
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
    char secret[ARB_SECRET_DIGITS + 1];
    int file = open(path.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0 && errno != EEXIST)
        return arb_fail_errno(error, errno, "cannot make %s", path.data);
    if (file >= 0) {
        arb_code code = arb_secret_make(secret, error);
        if (code != ARB_OK) {
            close(file);
            return code;
        }
        ARB_TRY(write_secret(file, path.data, secret, error));
    }
    return arb_secret_file_read(arena, path, out_secret, error);
}

arb_code arb_secret_lend(arb_secret_on_loan *secret, arb_error *error)
{
    ARB_TRY(arb_secret_make(secret->secret, error));
    snprintf(secret->path, sizeof secret->path, "/tmp/arbalest-join-XXXXXX");
    int file = mkstemp(secret->path); /* 0600 */
    arb_code code = file >= 0 ? write_secret(file, secret->path, secret->secret, error)
                              : arb_fail_errno(error, errno, "cannot make a file in /tmp");
    if (code != ARB_OK)
        secret->path[0] = '\0';
    return code;
}

void arb_secret_take_back(arb_secret_on_loan *secret)
{
    if (secret->path[0] != '\0')
        unlink(secret->path);
    secret->path[0] = '\0';
}
