/* slt_main.c: runs sqllogictest files against the engine, in this process or at a server.
 *
 *     arbalest-slt [--data DIR]… [--set KEY=VALUE]… [--threads N] [--any-error] [--wire]
 *         [--slots N [--executors N]] [--cluster N [--unrest MS]] [--broadcast BYTES] [--grpc]
 *         [--connect URL --scratch DIR] [--failures N] FILE…
 *
 * Each file has a session of its own. The forms are SQLite's and those that DuckDB added:
 *
 *     statement ok | error [SQLSTATE] | maybe        a text behind ---- must occur in the error's (not with --any-error)
 *     query TYPES [nosort|rowsort|valuesort] [label]  values one a line, rows with tabs, or "N values hashing to MD5"
 *     skipif NAME, onlyif NAME, require NAME          NAME is "arbalest", "server" with --connect, or a feature for require
 *     loop NAME FROM TO, foreach NAME VALUE…, endloop, halt, mode skip|unskip, hash-threshold N
 *
 * --wire sends every plan through its wire form; --slots distributes every query over as many tasks, in this process; with
 * --executors the tasks belong to several executors, which read each other's outputs over Arrow Flight. --cluster sends every
 * query to a scheduler with as many executors, all of them in this process; with --unrest one of those goes every so many
 * milliseconds, and another one comes. --connect sends the statements to a server, which is to be a new one for each file. In all of them files must lie in a root
 * (catalog/root.h): the folder data/ beside the file, ${scratch}, or one given by --data.
 *
 * ${scratch} is a folder of the file's own, gone at its end.
 *
 * The last line is the sum `N passed, N failed, N skipped` of statements and queries; the exit status is 1 when one
 * failed. A file with a requirement that is not met counts as one skip. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/known_formats.h"
#include "flight_host.h"
#include "local_cluster.h"
#include "slt_values.h"
#include "whole_cluster.h"
#include "wire_runner.h"

#ifdef SLT_EXECUTORS
#include "remote/server_connection.h"
#endif

typedef struct slt_options {
    ARB_VEC(const char *) files;
    ARB_VEC(const char *) data;
    ARB_VEC(const char *) settings;
    unsigned threads;
    bool any_error, wire, grpc;
    unsigned executor_count, cluster_size, unrest_ms;
    slt_executors *executors;
    slt_whole_cluster *whole;
    slt_cluster cluster;           /* slots 0: none */
    size_t failures;               /* shown per file */
    const char *connect, *scratch; /* NULL: none; one of the file's own */
} slt_options;

typedef struct slt_variable {
    arb_str name, value;
} slt_variable;

typedef struct slt_file {
    const slt_options *options;
    const char *path;
    arb_session *session; /* NULL: the statements go to a server */
    arb_statement_host *host;
    ARB_VEC(arb_str) lines;
    ARB_VEC(slt_variable) variables;
    struct {
        arb_str label;
        char hex[33];
    } labels[256];
    size_t label_count;
    arb_arena arena; /* the labels */
    bool skipping, halted;
    size_t passed, failed, skipped;
} slt_file;

/* ---- lines ------------------------------------------------------------------------------------------------------- */
enum { WORDS_MOST = 256 };

static size_t split(arb_str line, arb_str *words)
{
    size_t count = 0, at = 0;
    while (at < line.size && count < WORDS_MOST) {
        while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t'))
            at++;
        size_t begin = at;
        while (at < line.size && line.data[at] != ' ' && line.data[at] != '\t')
            at++;
        if (at > begin)
            words[count++] = (arb_str){line.data + begin, at - begin};
    }
    return count;
}

static bool is(arb_str word, const char *text)
{
    return arb_str_equal(word, arb_str_of(text));
}

/* ${name} and {name} become the variable's value. */
static arb_str substitute(const slt_file *file, arb_arena *arena, arb_str line)
{
    arb_text out = {0};
    for (size_t at = 0; at < line.size;) {
        const slt_variable *found = NULL;
        size_t size = 0;
        for (size_t i = file->variables.size; i-- > 0 && found == NULL;) {
            const slt_variable *variable = &file->variables.data[i];
            size_t dollar = line.data[at] == '$';
            size = dollar + 2 + variable->name.size;
            if (at + size <= line.size && line.data[at + dollar] == '{' && line.data[at + size - 1] == '}' &&
                arb_str_equal((arb_str){line.data + at + dollar + 1, variable->name.size}, variable->name))
                found = variable;
        }
        if (found != NULL) {
            arb_text_append_str(&out, found->value);
            at += size;
        } else {
            arb_text_append_char(&out, line.data[at++]);
        }
    }
    arb_str copy = arb_str_copy(arena, arb_text_view(&out));
    arb_text_reset(&out);
    return copy;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */
static void report(slt_file *file, size_t line, arb_str sql, const char *problem, arb_str detail)
{
    file->failed++;
    if (file->failed > file->options->failures)
        return;
    printf("FAILED %s:%zu: %s\n%.*s\n%.*s%s", file->path, line + 1, problem, ARB_STR_ARGS(sql), ARB_STR_ARGS(detail),
           detail.size > 0 && detail.data[detail.size - 1] != '\n' ? "\n" : "");
}

static void report_error(slt_file *file, size_t line, arb_str sql, const char *problem, const arb_error *error)
{
    char text[1400];
    int size = snprintf(text, sizeof text, "%s: %s%s%s", arb_code_sqlstate(error->code), error->message,
                        error->detail[0] != '\0' ? "\n" : "", error->detail);
    report(file, line, sql, problem, (arb_str){text, (size_t)ARB_MIN(size, (int)sizeof text - 1)});
}

/* A record's parts: the SQL's lines up to ---- or an empty one, and the lines behind ----. */
typedef struct slt_record {
    size_t line;
    arb_str sql;
    const arb_str *expected;
    size_t expected_count;
    bool has_expected;
} slt_record;

static size_t read_record(const slt_file *file, arb_arena *arena, size_t at, size_t end, slt_record *out)
{
    arb_text sql = {0};
    ARB_VEC(arb_str) expected = {0};
    *out = (slt_record){.line = at};
    for (at++; at < end && file->lines.data[at].size > 0 && !is(file->lines.data[at], "----"); at++) {
        arb_text_append(&sql, "\n", sql.size > 0 ? 1 : 0);
        arb_text_append_str(&sql, file->lines.data[at]);
    }
    out->sql = substitute(file, arena, arb_text_view(&sql));
    arb_text_reset(&sql);
    if (at < end && is(file->lines.data[at], "----")) {
        out->has_expected = true;
        for (at++; at < end && file->lines.data[at].size > 0; at++)
            if (!ARB_ARENA_PUSH(arena, &expected, substitute(file, arena, file->lines.data[at])))
                break;
    }
    out->expected = expected.data;
    out->expected_count = expected.size;
    return at;
}

/* What must be said of an error: a SQLSTATE, and a text behind ----. */
static bool error_fits(const slt_file *file, const arb_error *error, arb_str state, const slt_record *record)
{
    if (file->options->any_error)
        return true;
    if (state.size == 5 && !arb_str_equal(state, arb_str_of(arb_code_sqlstate(error->code))))
        return false;
    for (size_t i = 0; i < record->expected_count; i++) {
        char wanted[1024];
        snprintf(wanted, sizeof wanted, "%.*s", ARB_STR_ARGS(record->expected[i]));
        if (strstr(error->message, wanted) == NULL && strstr(error->detail, wanted) == NULL &&
            strstr(error->hint, wanted) == NULL)
            return false;
    }
    return true;
}

static arb_code drain(arb_hosted_result *result, arb_error *error)
{
    const arb_batch *batch;
    arb_code code;
    while ((code = result->vtable->next(result, &batch, error)) == ARB_OK && batch != NULL)
        continue;
    return code;
}

/* With unrest, what was lost after some of its rows had come is asked for again, as a client does; and what is blamed for it. */
static bool is_to_be_repeated(const slt_file *file, arb_code code, unsigned *times)
{
    enum { TIMES_MOST = 50 };
    return file->options->unrest_ms != 0 && (code == ARB_RESULT_LOST || code == ARB_EXECUTOR_CRASHED) &&
           ++*times <= TIMES_MOST;
}

static void run_statement(slt_file *file, const slt_record *record, const arb_str *words, size_t count)
{
    arb_error error;
    arb_code code;
    unsigned times = 0;
    do {
        arb_hosted_result *result = NULL;
        error = (arb_error){0};
        code = file->host->vtable->execute(file->host, record->sql, &result, &error);
        if (code == ARB_OK)
            code = drain(result, &error);
        arb_hosted_result_destroy(result);
    } while (is_to_be_repeated(file, code, &times));
    bool wants_error = count > 1 && is(words[1], "error"), either = count > 1 && is(words[1], "maybe");
    if (either || (wants_error && code != ARB_OK && code != ARB_INTERNAL &&
                   error_fits(file, &error, count > 2 ? words[2] : (arb_str){"", 0}, record)))
        file->passed++;
    else if (wants_error && code == ARB_OK)
        report(file, record->line, record->sql, "it succeeded", (arb_str){"", 0});
    else if (wants_error)
        report_error(file, record->line, record->sql, "another error was expected", &error);
    else if (code != ARB_OK)
        report_error(file, record->line, record->sql, "it failed", &error);
    else
        file->passed++;
}

/* Queries with one label must give the same values. */
static bool label_fits(slt_file *file, arb_str label, const slt_values *values)
{
    char hex[33];
    slt_values_hash(values, hex);
    for (size_t i = 0; i < file->label_count; i++)
        if (arb_str_equal(file->labels[i].label, label))
            return strcmp(file->labels[i].hex, hex) == 0;
    label = arb_str_copy(&file->arena, label);
    if (file->label_count < ARB_COUNT_OF(file->labels) && label.data != NULL) {
        file->labels[file->label_count].label = label;
        memcpy(file->labels[file->label_count++].hex, hex, sizeof hex);
    }
    return true;
}

static void run_query(slt_file *file, arb_arena *arena, const slt_record *record, const arb_str *words, size_t count)
{
    arb_error error;
    arb_code code;
    arb_hosted_result *result = NULL;
    unsigned times = 0;
    slt_values values;
    slt_sort sort = SLT_NOSORT;
    arb_str label = {"", 0}, letters = count > 1 ? words[1] : (arb_str){"", 0};
    if (count > 2)
        sort = is(words[2], "rowsort") || is(words[2], "sort") ? SLT_ROWSORT
               : is(words[2], "valuesort")                     ? SLT_VALUESORT
                                                               : SLT_NOSORT;
    if (count > 3)
        label = words[3];
    arb_text problem = {0};
    do {
        arb_hosted_result_destroy(result);
        error = (arb_error){0};
        values = (slt_values){0};
        code = file->host->vtable->execute(file->host, record->sql, &result, &error);
        if (code == ARB_OK)
            code = slt_values_read(arena, result, &values, &error);
    } while (is_to_be_repeated(file, code, &times));
    if (code != ARB_OK) {
        report_error(file, record->line, record->sql, "it failed", &error);
    } else if (letters.size != values.columns) {
        arb_text_printf(&problem, "expected %zu columns, got %zu", letters.size, values.columns);
        report(file, record->line, record->sql, "wrong result", arb_text_view(&problem));
    } else {
        slt_values_sort(&values, sort);
        bool fine = !record->has_expected ||
                    slt_values_match(arena, &values, letters, sort, record->expected, record->expected_count, &problem);
        if (fine && label.size > 0 && !label_fits(file, label, &values)) {
            arb_text_printf(&problem, "other queries labelled %.*s gave other values", ARB_STR_ARGS(label));
            fine = false;
        }
        if (fine)
            file->passed++;
        else
            report(file, record->line, record->sql, "wrong result", arb_text_view(&problem));
    }
    arb_text_reset(&problem);
    arb_hosted_result_destroy(result);
}

/* ---- control ----------------------------------------------------------------------------------------------------- */
static void run_lines(slt_file *file, size_t at, size_t end);

static bool begins_loop(arb_str word)
{
    return is(word, "loop") || is(word, "foreach") || is(word, "concurrentloop") || is(word, "concurrentforeach");
}

static size_t find_endloop(const slt_file *file, size_t at, size_t end)
{
    arb_str words[WORDS_MOST];
    for (size_t depth = 1; at < end; at++) {
        if (split(file->lines.data[at], words) == 0)
            continue;
        depth += begins_loop(words[0]);
        if (is(words[0], "endloop") && --depth == 0)
            break;
    }
    return at;
}

static void run_with(slt_file *file, arb_str name, arb_str value, size_t at, size_t end)
{
    if (file->halted || !ARB_VEC_PUSH(&file->variables, (slt_variable){name, value}))
        return;
    run_lines(file, at, end);
    file->variables.size--;
}

static arb_str group_of(arb_str word)
{
    if (is(word, "<integral>"))
        return ARB_STR("tinyint smallint integer bigint");
    if (is(word, "<numeric>"))
        return ARB_STR("tinyint smallint integer bigint float double");
    if (is(word, "<alltypes>"))
        return ARB_STR("bool tinyint smallint integer bigint float double date time timestamp varchar");
    return word;
}

/* Returns the line behind the loop. */
static size_t run_loop(slt_file *file, const arb_str *words, size_t count, size_t at, size_t end)
{
    arb_arena arena = {0};
    size_t stop = find_endloop(file, at + 1, end);
    if (count >= 4 && (is(words[0], "loop") || is(words[0], "concurrentloop"))) {
        long from = strtol(substitute(file, &arena, words[2]).data, NULL, 10);
        long to = strtol(substitute(file, &arena, words[3]).data, NULL, 10);
        for (long i = from; i < to; i++) {
            char value[24];
            int size = snprintf(value, sizeof value, "%ld", i);
            run_with(file, words[1], (arb_str){value, (size_t)size}, at + 1, stop);
        }
    } else {
        for (size_t i = 2; i < count; i++) {
            arb_str members[WORDS_MOST];
            size_t member_count = split(group_of(substitute(file, &arena, words[i])), members);
            for (size_t j = 0; j < member_count; j++)
                run_with(file, words[1], members[j], at + 1, stop);
        }
    }
    arb_arena_reset(&arena);
    return stop + 1;
}

static bool is_met(arb_str requirement)
{
    static const char *const met[] = {"notwindows", "no_alternative_verify", "skip_reload", "64bit", "noforcestorage"};
    for (size_t i = 0; i < ARB_COUNT_OF(met); i++)
        if (is(requirement, met[i]))
            return true;
    return false;
}

static void run_lines(slt_file *file, size_t at, size_t end)
{
    bool skip_next = false;
    while (at < end && !file->halted) {
        arb_str words[WORDS_MOST];
        size_t count = split(file->lines.data[at], words);
        arb_arena arena = {0};
        slt_record record;
        if (count == 0 || words[0].data[0] == '#') {
            at++;
        } else if (is(words[0], "skipif") || is(words[0], "onlyif")) {
            bool us =
                count > 1 && (is(words[1], "arbalest") || (file->options->connect != NULL && is(words[1], "server")));
            skip_next = skip_next || us == is(words[0], "skipif");
            at++;
        } else if (is(words[0], "statement") || is(words[0], "query")) {
            at = read_record(file, &arena, at, end, &record);
            bool statement = is(words[0], "statement") || (count > 1 && is(words[1], "error"));
            for (size_t i = 0; i < count; i++)
                words[i] = substitute(file, &arena, words[i]);
            if (!skip_next && !file->skipping && statement)
                run_statement(file, &record, words, count);
            else if (!skip_next && !file->skipping)
                run_query(file, &arena, &record, words, count);
            skip_next = false;
        } else if (begins_loop(words[0])) {
            at = run_loop(file, words, count, at, end);
        } else {
            if (is(words[0], "halt") && !skip_next)
                file->halted = true;
            else if (is(words[0], "mode") && count > 1)
                file->skipping = is(words[1], "skip") || (file->skipping && !is(words[1], "unskip"));
            else if (is(words[0], "require") && count > 1 && !is_met(words[1])) {
                printf("skipped: %s:%zu: requires %.*s\n", file->path, at + 1, ARB_STR_ARGS(words[1]));
                file->skipped++;
                file->halted = true;
            }
            at++;
        }
        arb_arena_reset(&arena);
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------- */
/* A folder that the file may write to, as ${scratch}. */
static bool make_scratch(slt_file *file, char *folder, size_t capacity)
{
    const char *parent = getenv("TMPDIR"), *given = file->options->scratch;
    if (given != NULL)
        snprintf(folder, capacity, "%s", given);
    else
        snprintf(folder, capacity, "%s/arbalest-slt-XXXXXX", parent != NULL ? parent : P_tmpdir);
    return (given != NULL || mkdtemp(folder) != NULL) &&
           ARB_VEC_PUSH(&file->variables, (slt_variable){ARB_STR("scratch"), arb_str_of(folder)});
}

static void drop_scratch(const char *folder)
{
    DIR *list = opendir(folder);
    for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;)
        unlinkat(dirfd(list), entry->d_name, 0);
    if (list != NULL)
        closedir(list);
    rmdir(folder);
}

static bool read_lines(const char *path, arb_text *text, slt_file *file)
{
    FILE *from = fopen(path, "rbe");
    if (from == NULL)
        return false;
    char piece[65536];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, from)) > 0)
        arb_text_append(text, piece, got);
    bool fine = ferror(from) == 0;
    fclose(from);
    arb_text_append_char(text, '\0'); /* behind the last line, for strstr */
    for (size_t at = 0; fine && at + 1 < text->size;) {
        const char *end = memchr(text->data + at, '\n', text->size - at);
        size_t size = end == NULL ? text->size - 1 - at : (size_t)(end - text->data) - at, step = size + 1;
        if (size > 0 && text->data[at + size - 1] == '\r')
            size--;
        fine = ARB_VEC_PUSH(&file->lines, (arb_str){text->data + at, size});
        at += step;
    }
    return fine;
}

/* The folders that executors see. */
static arb_code open_tables(const slt_file *file, const char *scratch, slt_wire_tables *tables, arb_error *error)
{
    arb_arena arena = {0};
    slt_roots roots = {0};
    arb_text beside = {0};
    const char *slash = strrchr(file->path, '/');
    if (slash != NULL)
        arb_text_append(&beside, file->path, (size_t)(slash + 1 - file->path));
    arb_text_append_str(&beside, ARB_STR("data"));
    bool complete = arb_text_check(&beside, NULL) == ARB_OK &&
                    ARB_ARENA_PUSH(&arena, &roots, (arb_root){ARB_STR("scratch"), arb_str_of(scratch)});
    if (complete && access(beside.data, F_OK) == 0)
        complete = ARB_ARENA_PUSH(&arena, &roots, (arb_root){ARB_STR("beside"), arb_text_view(&beside)});
    for (size_t i = 0; complete && i < file->options->data.size; i++) {
        char name[32];
        snprintf(name, sizeof name, "data-%zu", i);
        arb_root root = {arb_str_copy(&arena, arb_str_of(name)), arb_str_of(file->options->data.data[i])};
        complete = root.name.data != NULL && ARB_ARENA_PUSH(&arena, &roots, root);
    }
    arb_code code = complete ? slt_wire_tables_open(tables, &roots, &arb_known_formats, error)
                             : arb_fail_memory(error, "the list of roots", 0);
    arb_text_reset(&beside);
    arb_arena_reset(&arena);
    return code;
}

static arb_code connect_host(const slt_options *options, arb_statement_host **out_host, arb_error *error)
{
#ifdef SLT_EXECUTORS
    ARB_TRY(arb_server_connect(arb_str_of(options->connect), out_host, error));
    for (size_t i = 0; i < options->settings.size; i++) {
        const char *pair = options->settings.data[i], *equals = strchr(pair, '=');
        if (equals == NULL)
            return arb_fail(error, ARB_INVALID_PARAMETER, "--set takes KEY=VALUE");
        arb_str key = {pair, (size_t)(equals - pair)};
        ARB_TRY((*out_host)->vtable->set(*out_host, key, arb_str_of(equals + 1), error));
    }
    return ARB_OK;
#else
    *out_host = NULL;
    return arb_fail(error, ARB_NOT_SUPPORTED, "this build cannot reach %s: gRPC is missing", options->connect);
#endif
}

static arb_code open_session(slt_options *options, slt_wire_tables *tables, arb_runtime **out_runtime,
                             arb_session **out_session, arb_error *error)
{
    arb_runtime_options runtime_options = {.threads = options->threads};
    ARB_TRY(arb_runtime_create(&runtime_options, out_runtime, error));
    ARB_TRY(arb_session_create(*out_runtime, out_session, error));
    options->cluster.tables = tables;
    options->cluster.hosts = slt_local_hosts;
#ifdef SLT_EXECUTORS
    if (options->executors != NULL)
        options->cluster.hosts = slt_flight_hosts(options->executors);
#endif
    if (options->wire || options->cluster.slots != 0) {
        arb_query_runner runner =
            options->cluster.slots != 0 ? slt_cluster_runner(&options->cluster) : slt_wire_runner(tables);
        arb_session_set_runner(*out_session, &runner);
    }
#ifdef SLT_EXECUTORS
    if (options->cluster_size != 0) {
        slt_whole_cluster_options cluster = {options->cluster_size, options->grpc, options->unrest_ms, tables};
        arb_session_settings(*out_session)->distribution =
            (arb_distribution){.when = ARB_DISTRIBUTE_ALWAYS, .broadcast_bytes = options->cluster.broadcast_bytes};
        ARB_TRY(slt_whole_cluster_create(&cluster, &options->whole, error));
        arb_query_runner runner = slt_whole_cluster_runner(options->whole);
        arb_session_set_runner(*out_session, &runner);
    }
#endif
    for (size_t i = 0; i < options->data.size; i++)
        ARB_TRY(
            arb_catalog_add_folder(arb_session_catalog(*out_session), arb_str_of(options->data.data[i]), NULL, error));
    for (size_t i = 0; i < options->settings.size; i++) {
        const char *pair = options->settings.data[i], *equals = strchr(pair, '=');
        arb_setting setting;
        if (equals == NULL)
            return arb_fail(error, ARB_INVALID_PARAMETER, "--set takes KEY=VALUE");
        ARB_TRY(arb_setting_find((arb_str){pair, (size_t)(equals - pair)}, &setting, error));
        ARB_TRY(arb_settings_set(arb_session_settings(*out_session), setting, arb_str_of(equals + 1), error));
    }
    return ARB_OK;
}

static arb_code open_host(slt_options *options, slt_wire_tables *tables, arb_runtime **out_runtime, slt_file *file,
                          arb_error *error)
{
    if (options->connect != NULL)
        return connect_host(options, &file->host, error);
    ARB_TRY(open_session(options, tables, out_runtime, &file->session, error));
    return arb_session_host_create(file->session, &file->host, error);
}

static void run_file(slt_options *options, const char *path, size_t totals[3])
{
    arb_error error = {0};
    arb_text text = {0};
    arb_runtime *runtime = NULL;
    slt_wire_tables tables = {0};
    slt_file file = {.options = options, .path = path};
    char scratch[4096];
    if (!read_lines(path, &text, &file) || !make_scratch(&file, scratch, sizeof scratch)) {
        printf("FAILED %s: cannot be read, or has no folder to write to\n", path);
        file.failed++;
    } else if (open_tables(&file, scratch, &tables, &error) != ARB_OK ||
               open_host(options, &tables, &runtime, &file, &error) != ARB_OK) {
        printf("FAILED %s: %s\n", path, error.message);
        file.failed++;
    } else {
        run_lines(&file, 0, file.lines.size);
    }
    arb_statement_host_destroy(file.host);
    arb_session_destroy(file.session);
#ifdef SLT_EXECUTORS
    slt_whole_cluster_destroy(options->whole); /* its plans may refer to tables in the runtime's memory */
    options->whole = NULL;
#endif
    arb_runtime_destroy(runtime);
    slt_wire_tables_close(&tables);
    if (file.variables.size > 0 && options->scratch == NULL)
        drop_scratch(scratch);
    ARB_VEC_RESET(&file.lines);
    ARB_VEC_RESET(&file.variables);
    arb_arena_reset(&file.arena);
    arb_text_reset(&text);
    printf("%s: %zu passed, %zu failed\n", path, file.passed, file.failed);
    fflush(stdout);
    totals[0] += file.passed;
    totals[1] += file.failed;
    totals[2] += file.skipped;
}

static bool read_arguments(char **arguments, slt_options *options)
{
    for (char **at = arguments; *at != NULL; at++) {
        const char *value = at[1];
        if (strcmp(*at, "--any-error") == 0) {
            options->any_error = true;
            continue;
        }
        if (strcmp(*at, "--wire") == 0) {
            options->wire = true;
            continue;
        }
        if (strcmp(*at, "--grpc") == 0) {
            options->grpc = true;
            continue;
        }
        if ((*at)[0] != '-') {
            if (!ARB_VEC_PUSH(&options->files, *at))
                return false;
            continue;
        }
        if (value == NULL)
            return false;
        if (strcmp(*at, "--threads") == 0)
            options->threads = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(*at, "--slots") == 0)
            options->cluster.slots = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(*at, "--cluster") == 0)
            options->cluster_size = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(*at, "--unrest") == 0)
            options->unrest_ms = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(*at, "--executors") == 0)
            options->executor_count = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(*at, "--broadcast") == 0)
            options->cluster.broadcast_bytes = strtoull(value, NULL, 10);
        else if (strcmp(*at, "--connect") == 0)
            options->connect = value;
        else if (strcmp(*at, "--scratch") == 0)
            options->scratch = value;
        else if (strcmp(*at, "--failures") == 0)
            options->failures = strtoul(value, NULL, 10);
        else if (strcmp(*at, "--data") == 0 ? !ARB_VEC_PUSH(&options->data, value)
                                            : strcmp(*at, "--set") != 0 || !ARB_VEC_PUSH(&options->settings, value))
            return false;
        at++;
    }
    return options->files.size > 0;
}

static bool begin_executors(slt_options *options)
{
    arb_error error = {0};
    if (options->executor_count == 0)
        return true;
#ifdef SLT_EXECUTORS
    enum { HELD = 1 << 20 }; /* so that much of what tasks leave goes to files */
    if (slt_executors_create(options->executor_count, HELD, options->grpc, &options->executors, &error) == ARB_OK)
        return true;
#else
    (void)arb_fail(&error, ARB_NOT_SUPPORTED, "this build has no executors: gRPC or libcrypto is missing");
#endif
    fprintf(stderr, "%s\n", error.message);
    return false;
}

int main(int count, char **arguments)
{
    (void)count;
    slt_options options = {.failures = 5};
    size_t totals[3] = {0};
    if (!read_arguments(arguments + 1, &options)) {
        fputs("usage: arbalest-slt [--data DIR]… [--set KEY=VALUE]… [--threads N] [--any-error] [--wire]\n"
              "       [--slots N [--executors N]] [--cluster N [--unrest MS]] [--broadcast BYTES] [--grpc]\n"
              "       [--connect URL --scratch DIR] [--failures N] FILE…\n",
              stderr);
        return 2;
    }
    if (!begin_executors(&options))
        return 2;
    for (size_t i = 0; i < options.files.size; i++)
        run_file(&options, options.files.data[i], totals);
    printf("%zu passed, %zu failed, %zu skipped\n", totals[0], totals[1], totals[2]);
#ifdef SLT_EXECUTORS
    slt_executors_destroy(options.executors);
#endif
    ARB_VEC_RESET(&options.files);
    ARB_VEC_RESET(&options.data);
    ARB_VEC_RESET(&options.settings);
    return totals[1] > 0 ? 1 : 0;
}
