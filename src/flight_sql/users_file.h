/* users_file.h: who may log in: lines of `name:hash`, where the hash is yescrypt's as crypt(5) writes it ($y$…), for example by
 * `mkpasswd -m yescrypt`. Empty lines and those that begin with # are passed over. The file is read anew for each login, so
 * changes count at once. */
#ifndef ARB_FLIGHT_SQL_USERS_FILE_H
#define ARB_FLIGHT_SQL_USERS_FILE_H

#include "base/arena.h"
#include "base/text.h"
#include "flight_sql/sql_index.h"

/* The user's hash, in the arena; data NULL when there is no such user. *out_any is the hash of any user, for the time that it
 * takes to check it. ARB_CONFIGURATION names a line that is none, and a file that others may write. */
ARB_NODISCARD arb_code arb_users_file_find(const char *path, arb_str user, arb_arena *arena, arb_str *out_hash,
                                           arb_str *out_any, arb_error *error);

/* Who is in it, with which hash: entries in the arena, by arb_user_line_key. */
ARB_NODISCARD arb_code arb_users_file_list(const char *path, arb_arena *arena, arb_sql_index *out_users,
                                           arb_error *error);
uint64_t arb_user_line_key(arb_str name, arb_str hash);

#endif
