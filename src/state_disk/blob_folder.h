/* blob_folder.h: files named by what is in them: plans, segments of tables.
 *
 * A blob is written under another name, synced, then renamed to its hash, and its folder synced. Only then may a row of the
 * state store name it; so whoever finds the name finds the blob. One that nobody names is a leftover, and is swept.
 *
 * The hash is SHA-256, not a faster one: whoever may send SQL chooses what is hashed, and with a hash whose collisions
 * can be made could put own rows in the place of another's. It costs about a second for 1 to 2 GB.
 *
 * FOLDER/ab/cdef…  62 more digits, below the first two      FOLDER/part.UUID  not finished */
#ifndef ARB_STATE_DISK_BLOB_FOLDER_H
#define ARB_STATE_DISK_BLOB_FOLDER_H

#include "base/error.h"
#include "base/text.h"

typedef struct arb_blob_hash {
    uint8_t bytes[32];
} arb_blob_hash;

enum { ARB_BLOB_HASH_TEXT = 65 };

typedef struct arb_blob_folder arb_blob_folder;
typedef struct arb_blob_writer arb_blob_writer;

/* Open a folder, or make it (for its owner alone). Any thread may use it. */
ARB_NODISCARD arb_code arb_blob_folder_open(const char *path, arb_blob_folder **out_folder, arb_error *error);
void arb_blob_folder_close(arb_blob_folder *folder); /* NULL is a no-op; no writers are left */
/* From now on a blob is ARB_DISK_FULL that leaves less than this free on its disk: what a store beside it needs to write that others
 * are not wanted any more. Before anybody writes. */
void arb_blob_folder_leave(arb_blob_folder *folder, uint64_t bytes);

/* A blob in pieces; one thread. End it by commit or abort. */
ARB_NODISCARD arb_code arb_blob_write_begin(arb_blob_folder *folder, arb_blob_writer **out_writer, arb_error *error);
ARB_NODISCARD arb_code arb_blob_write(arb_blob_writer *writer, const void *data, size_t size, arb_error *error);
/* It is on the disk under its hash, however often it is put. Ends the writer, also when it fails. */
ARB_NODISCARD arb_code arb_blob_write_commit(arb_blob_writer *writer, arb_blob_hash *out_hash, arb_error *error);
void arb_blob_write_abort(arb_blob_writer *writer); /* NULL is a no-op */
/* The whole at once. */
ARB_NODISCARD arb_code arb_blob_put(arb_blob_folder *folder, const void *data, size_t size, arb_blob_hash *out_hash,
                                    arb_error *error);

/* Append the blob. ARB_FILE_NOT_FOUND; ARB_CORRUPT_DATA when it is not what its name says; ARB_LIMIT_EXCEEDED when it is
 * larger than `most`. */
ARB_NODISCARD arb_code arb_blob_get(arb_blob_folder *folder, const arb_blob_hash *hash, size_t most, arb_text *out,
                                    arb_error *error);
/* Delete one, if it is there; nobody may be putting it. ARB_IO. */
ARB_NODISCARD arb_code arb_blob_delete(arb_blob_folder *folder, const arb_blob_hash *hash, arb_error *error);
/* The digits, with NUL. */
void arb_blob_hash_text(const arb_blob_hash *hash, char out_text[ARB_BLOB_HASH_TEXT]);

/* Delete every blob that `keep` gives false for, and what was not finished. Not while anybody writes. */
ARB_NODISCARD arb_code arb_blob_sweep(arb_blob_folder *folder, bool (*keep)(void *context, const arb_blob_hash *hash),
                                      void *context, size_t *out_deleted, arb_error *error);

#endif
