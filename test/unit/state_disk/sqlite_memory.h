/* sqlite_memory.h: SQLite's memory through base/alloc.h, so that it can fail too. */
#ifndef TEST_SQLITE_MEMORY_H
#define TEST_SQLITE_MEMORY_H

#include <sqlite3.h>

#include "base/alloc.h"

/* SQLite asks for sizes, so each block carries its own in front. */
enum { SIZE_ROOM = 16 };

static void *sized_alloc(int size)
{
    char *block = arb_alloc((size_t)size + SIZE_ROOM);
    if (block == NULL)
        return NULL;
    *(int *)block = size;
    return block + SIZE_ROOM;
}

static void sized_free(void *block)
{
    arb_free(block == NULL ? NULL : (char *)block - SIZE_ROOM);
}

static int sized_size(void *block)
{
    return block == NULL ? 0 : *(int *)((char *)block - SIZE_ROOM);
}

static void *sized_realloc(void *block, int size)
{
    char *moved = arb_realloc((char *)block - SIZE_ROOM, (size_t)size + SIZE_ROOM);
    if (moved == NULL)
        return NULL;
    *(int *)moved = size;
    return moved + SIZE_ROOM;
}

static int sized_round(int size)
{
    return (size + 7) & ~7;
}

static int sized_begin(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void sized_end(void *unused)
{
    (void)unused;
}

static void sqlite_through_alloc(void)
{
    static sqlite3_mem_methods methods = {sized_alloc, sized_free,  sized_realloc, sized_size,
                                          sized_round, sized_begin, sized_end,     NULL};
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK)
        exit(1);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* else most of it comes from there */
}

#endif
