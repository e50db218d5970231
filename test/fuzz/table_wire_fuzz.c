/* Tables as plans name them: whatever the bytes say, a table of the files below or an error comes out, and what came out is
 * written again.
 *
 * Input: a table's message (proto/table.proto). */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/table_wire.h"
#include "engine/known_formats.h"
#include "fuzz_table.h"

enum { MODIFIED_S = 1000000000 };

static const struct {
    const char *path, *content;
} files[] = {{"root/a.csv", "a,b,d\n1,x,2001-01-01\n2,,\n,\"y\ny\",1999-12-31\n"},
             {"root/k=1/b.csv", "b;a\nz;1.5\n"},
             {"root/k=2/b.csv", "b;a\nNA;7\nw;8\n"}};

static char top[64];

static void remove_files(void)
{
    char path[128];
    for (size_t i = 0; i < ARB_COUNT_OF(files); i++) {
        snprintf(path, sizeof path, "%s/%s", top, files[i].path);
        unlink(path);
    }
    static const char *const folders[] = {"/root/k=1", "/root/k=2", "/root", ""};
    for (size_t i = 0; i < ARB_COUNT_OF(folders); i++) {
        snprintf(path, sizeof path, "%s%s", top, folders[i]);
        rmdir(path);
    }
}

static void make_files(void)
{
    char path[128];
    static const char *const folders[] = {"root", "root/k=1", "root/k=2"};
    const char *parent = getenv("TMPDIR");
    snprintf(top, sizeof top, "%.40s/arb_fuzz_XXXXXX", parent != NULL ? parent : "/tmp");
    FUZZ_REQUIRE(mkdtemp(top) != NULL && atexit(remove_files) == 0);
    for (size_t i = 0; i < ARB_COUNT_OF(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", top, folders[i]);
        FUZZ_REQUIRE(mkdir(path, 0700) == 0);
    }
    for (size_t i = 0; i < ARB_COUNT_OF(files); i++) {
        snprintf(path, sizeof path, "%s/%s", top, files[i].path);
        FILE *file = fopen(path, "we");
        FUZZ_REQUIRE(file != NULL && fputs(files[i].content, file) >= 0 && fclose(file) == 0);
        FUZZ_REQUIRE(utimensat(AT_FDCWD, path, (struct timespec[2]){{MODIFIED_S, 0}, {MODIFIED_S, 0}}, 0) == 0);
    }
}

static const arb_table_finder *finder(void)
{
    static arb_governor governor;
    static arb_memory memory;
    static arb_arena arena;
    static arb_roots roots;
    static arb_table_finder made = {.roots = &roots, .formats = &arb_known_formats};
    if (made.cache == NULL) {
        char folder[80];
        arb_error error = {0};
        make_files();
        snprintf(folder, sizeof folder, "%s/root", top);
        arb_root root = {ARB_STR("data"), arb_str_of(folder)};
        arb_governor_init(&governor, 64 << 20);
        arb_memory_init(&memory, &governor);
        FUZZ_REQUIRE(arb_roots_resolve(&arena, &root, 1, &roots, &error) == ARB_OK);
        FUZZ_REQUIRE(arb_file_cache_create(8 << 20, &memory, &made.cache, &error) == ARB_OK);
    }
    return &made;
}

static void read_file(const arb_table_file *file)
{
    fuzz_reading how = {0};
    fuzz_request wanted;
    fuzz_rows rows = {0};
    arb_split_reader *reader;
    arb_error error = {0};
    const arb_batch *batch;
    fuzz_choose_columns(file, &how, &wanted);
    if (file->vtable->reader_create(file, &wanted.request, &reader, &error) != ARB_OK)
        return;
    for (size_t i = 0; i < ARB_MIN(file->split_count, (size_t)4); i++) {
        if (reader->vtable->begin(reader, &file->splits[i], &error) != ARB_OK)
            break;
        while (rows.count < FUZZ_ROWS_MOST && arb_split_reader_next(reader, &batch, &error) == ARB_OK && batch != NULL)
            fuzz_check_batch(batch, wanted.types, &rows);
    }
    reader->vtable->destroy(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arb_error error = {0};
    arb_table *table;
    arb_text again = {0};
    const arb_table_finder *where = finder();
    arb_code code = arb_table_decode(ARB_STR("t"), (arb_str){(const char *)data, size}, where, &table, &error);
    FUZZ_REQUIRE(code != ARB_INTERNAL && (code == ARB_OK) == (table != NULL));
    if (code != ARB_OK)
        return 0;
    for (size_t i = 0; i < ARB_MIN(table->file_count, (size_t)8); i++) {
        const arb_table_file *file = table->files[i];
        if (strcmp(file->vtable->format, "series") != 0)
            FUZZ_REQUIRE(arb_str_starts_with(file->path, where->roots->items[0].folder));
        read_file(file);
    }
    FUZZ_REQUIRE(arb_table_encode(table, where->roots, NULL, &again, &error) == ARB_OK);
    arb_text_reset(&again);
    arb_table_unref(table);
    return 0;
}
