/* arrow_c_data.h: the Arrow C Data and C Stream interfaces.
 *
 * Three structs whose layout is fixed for ever, so that programs in one process hand each other columns without copying
 * and without sharing a library. Whoever fills a struct also sets `release`; whoever receives it calls that once and
 * touches nothing afterwards. A struct with `release` NULL is empty: already released, or moved elsewhere (a struct is
 * moved by copying its bytes and clearing `release` in the old place). Children and dictionaries belong to their parent.
 *
 * The guards' names are part of the interface: a program may include several copies of these definitions. */
#ifndef ARBALEST_ARROW_C_DATA_H
#define ARBALEST_ARROW_C_DATA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

/* A type, with its name and its metadata. */
struct ArrowSchema {
    const char *format;   /* the type in Arrow's shorthand: "i", "u", "+s", … */
    const char *name;     /* may be NULL */
    const char *metadata; /* a count, then sizes and bytes of keys and values; may be NULL */
    int64_t flags;        /* ARROW_FLAG_… */
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary; /* the type of the entries, when this is the type of indices */
    void (*release)(struct ArrowSchema *);
    void *private_data; /* the producer's own */
};

/* The values: which buffers there are follows from the type. */
struct ArrowArray {
    int64_t length;
    int64_t null_count; /* -1: not counted yet */
    int64_t offset;     /* rows of the buffers that lie before the first row */
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

/* Arrays of one type, one after another. The functions return 0 or a value of errno.h. */
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    /* At the end, gives an array whose `release` is NULL. */
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    /* What went wrong in the last call that failed; valid until the next call. May be NULL. */
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

#ifdef __cplusplus
}
#endif

#endif
