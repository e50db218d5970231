#include "flight_sql/users_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

enum { SIZE_MOST = 1 << 20 };

static arb_code read_descriptor(int descriptor, const char *path, arb_arena *arena, arb_str *out_text, arb_error *error)
{
    struct stat facts;
    if (fstat(descriptor, &facts) != 0)
        return arb_fail_errno(error, errno, "cannot read the users' file \"%s\"", path);
    if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return arb_fail(error, ARB_CONFIGURATION, "the users' file \"%s\" may be written by others than its owner",
                        path);
    char *text = arb_arena_alloc(arena, SIZE_MOST);
    if (text == NULL)
        return arb_fail_memory(error, "the users' file", SIZE_MOST);
    size_t size = 0;
    while (size < SIZE_MOST) {
        ssize_t got = read(descriptor, text + size, SIZE_MOST - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return arb_fail_errno(error, errno, "cannot read the users' file \"%s\"", path);
        if (got == 0)
            break;
        size += (size_t)got;
    }
    if (size == SIZE_MOST)
        return arb_fail(error, ARB_CONFIGURATION, "the users' file \"%s\" has more than %d bytes", path, SIZE_MOST);
    *out_text = (arb_str){text, size};
    return ARB_OK;
}

static arb_code read_file(const char *path, arb_arena *arena, arb_str *out_text, arb_error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return arb_fail_errno(error, errno, "cannot open the users' file \"%s\"", path);
    arb_code code = read_descriptor(descriptor, path, arena, out_text, error);
    close(descriptor);
    return code;
}

static bool next_line(arb_str *rest, arb_str *out_line)
{
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->data, '\n', rest->size);
    size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size, next = end != NULL ? size + 1 : size;
    *out_line = (arb_str){rest->data, size};
    *rest = (arb_str){rest->data + next, rest->size - next};
    if (size > 0 && out_line->data[size - 1] == '\r')
        out_line->size--;
    return true;
}

/* The lines of a file, one after the other. */
typedef struct user_lines {
    const char *path;
    arb_str rest;
    unsigned number;
} user_lines;

/* *out_name is empty at the end. */
static arb_code next_user(user_lines *lines, arb_str *out_name, arb_str *out_hash, arb_error *error)
{
    arb_str line;
    *out_name = (arb_str){"", 0};
    while (next_line(&lines->rest, &line)) {
        lines->number++;
        if (line.size == 0 || line.data[0] == '#')
            continue;
        const char *colon = memchr(line.data, ':', line.size);
        arb_str name = {line.data, colon != NULL ? (size_t)(colon - line.data) : 0};
        if (name.size == 0 || memchr(line.data, '\0', line.size) != NULL)
            return arb_fail(error, ARB_CONFIGURATION, "line %u of the users' file \"%s\" is not NAME:HASH",
                            lines->number, lines->path);
        *out_hash = (arb_str){colon + 1, line.size - name.size - 1};
        if (!arb_str_starts_with(*out_hash, ARB_STR("$y$")))
            return arb_fail(error, ARB_CONFIGURATION,
                            "line %u of the users' file \"%s\": the hash is not yescrypt's ($y$…)", lines->number,
                            lines->path);
        *out_name = name;
        return ARB_OK;
    }
    return ARB_OK;
}

static arb_code end_with_nul(arb_arena *arena, arb_str *hash, arb_error *error)
{
    *hash = arb_str_copy(arena, *hash);
    return hash->data != NULL ? ARB_OK : arb_fail_memory(error, "the users' file", hash->size);
}

arb_code arb_users_file_find(const char *path, arb_str user, arb_arena *arena, arb_str *out_hash, arb_str *out_any,
                             arb_error *error)
{
    user_lines lines = {.path = path};
    arb_str name, hash;
    *out_hash = *out_any = (arb_str){0};
    ARB_TRY(read_file(path, arena, &lines.rest, error));
    for (;;) {
        ARB_TRY(next_user(&lines, &name, &hash, error));
        if (name.size == 0)
            break;
        *out_any = hash;
        if (arb_str_equal(name, user) && out_hash->data == NULL)
            *out_hash = hash;
    }
    if (out_hash->data != NULL)
        ARB_TRY(end_with_nul(arena, out_hash, error));
    return out_any->data != NULL ? end_with_nul(arena, out_any, error) : ARB_OK;
}

arb_code arb_users_file_list(const char *path, arb_arena *arena, arb_sql_index *out_users, arb_error *error)
{
    user_lines lines = {.path = path};
    arb_str name, hash;
    *out_users = (arb_sql_index){0};
    ARB_TRY(read_file(path, arena, &lines.rest, error));
    for (;;) {
        ARB_TRY(next_user(&lines, &name, &hash, error));
        if (name.size == 0)
            return ARB_OK;
        arb_sql_entry *entry = ARB_ARENA_NEW(arena, arb_sql_entry);
        if (entry == NULL)
            return arb_fail_memory(error, "the users' file", sizeof *entry);
        arb_sql_index_put(out_users, entry, arb_user_line_key(name, hash), NULL);
    }
}

uint64_t arb_user_line_key(arb_str name, arb_str hash)
{
    return arb_hash_combine(arb_hash_bytes(name.data, name.size), arb_hash_bytes(hash.data, hash.size));
}
