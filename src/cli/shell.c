#include "cli/shell.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clock.h"
#include "cli/completion.h"
#include "cli/options.h"
#include "cli/signal_wait.h"
#include "sql/script.h"

enum { HISTORY_LINES = 10000 };

typedef struct shell {
    arb_statement_runner *runner;
    volatile sig_atomic_t *interrupts;
    const volatile sig_atomic_t *ending;
    EditLine *editor;
    History *history;
    arb_text statement; /* lines of the statement that is not complete yet */
    char history_path[4096];
} shell;

static shell *shell_of(EditLine *editor)
{
    void *self = NULL;
    el_get(editor, EL_CLIENTDATA, &self);
    return self;
}

static char *prompt(EditLine *editor)
{
    static char first[] = "arbalest> ", further[] = "      ... ";
    return shell_of(editor)->statement.size == 0 ? first : further;
}

/* One character. Ctrl-C ends the line at once; the library's own reader would try again. */
static int read_character(EditLine *editor, wchar_t *out)
{
    char bytes[8];
    size_t size = 0;
    while (*shell_of(editor)->interrupts == 0 && *shell_of(editor)->ending == 0) {
        ssize_t got =
            arb_read_unless(STDIN_FILENO, bytes + size, 1, shell_of(editor)->interrupts, shell_of(editor)->ending);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        mbstate_t state = {0};
        size_t used = mbrtowc(out, bytes, ++size, &state);
        if (used == (size_t)-2 && size < sizeof bytes)
            continue;
        if (used > sizeof bytes) /* no character of this locale */
            *out = L'?';
        return 1;
    }
    errno = EINTR;
    return -1;
}

/* ---- completion -------------------------------------------------------------------------------------------------- */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

static unsigned char complete(EditLine *editor, int key)
{
    (void)key;
    shell *self = shell_of(editor);
    const LineInfo *line = el_line(editor);
    const char *start = line->cursor;
    while (start > line->buffer && is_word(start[-1]))
        start--;
    arb_str word = {start, (size_t)(line->cursor - start)};
    arb_text context = {0};
    arb_text_append_str(&context, arb_text_view(&self->statement));
    arb_text_append(&context, line->buffer, (size_t)(line->lastchar - line->buffer));
    arb_arena arena = {0};
    arb_completion found;
    unsigned char result = CC_ERROR;
    if (arb_complete(self->runner->host->vtable->catalog(self->runner->host), &arena, arb_text_view(&context), word,
                     &found)) {
        if (found.common.size > word.size || found.words.size == 1) {
            arb_text insert = {0};
            arb_text_append(&insert, found.common.data + word.size, found.common.size - word.size);
            arb_text_append(&insert, " ", found.words.size == 1 ? 1 : 0);
            if (arb_text_check(&insert, NULL) == ARB_OK && insert.size > 0) {
                arb_text_append_char(&insert, '\0');
                el_insertstr(editor, insert.data);
                result = CC_REFRESH;
            }
            arb_text_reset(&insert);
        } else if (found.words.size > 1) {
            fputc('\n', stdout);
            for (size_t i = 0; i < found.words.size && i < 60; i++)
                printf("%.*s  ", ARB_STR_ARGS(found.words.data[i]));
            puts(found.words.size > 60 ? "..." : "");
            result = CC_REDISPLAY;
        }
    }
    arb_arena_reset(&arena);
    arb_text_reset(&context);
    return result;
}

/* ---- history ----------------------------------------------------------------------------------------------------- */
/* $XDG_STATE_HOME/arbalest/history; without a home there is no file. */
static void find_history(shell *self)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char folder[4000];
    int size = state != NULL && state[0] == '/' ? snprintf(folder, sizeof folder, "%s", state)
               : home != NULL                   ? snprintf(folder, sizeof folder, "%s/.local/state", home)
                                                : -1;
    if (size <= 0 || (size_t)size >= sizeof folder - 16)
        return;
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0700);
        *slash = '/';
    }
    mkdir(folder, 0700);
    snprintf(self->history_path, sizeof self->history_path, "%s/arbalest", folder);
    mkdir(self->history_path, 0700);
    snprintf(self->history_path, sizeof self->history_path, "%s/arbalest/history", folder);
}

static bool open_editor(shell *self)
{
    HistEvent event;
    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8");
    self->editor = el_init("arbalest", stdin, stdout, stderr);
    self->history = history_init();
    if (self->editor == NULL || self->history == NULL)
        return false;
    el_set(self->editor, EL_CLIENTDATA, self);
    el_set(self->editor, EL_GETCFN, read_character);
    el_set(self->editor, EL_PROMPT, prompt);
    el_set(self->editor, EL_EDITOR, "emacs");
    el_set(self->editor, EL_HIST, history, self->history);
    el_set(self->editor, EL_ADDFN, "arbalest-complete", "complete names", complete);
    el_set(self->editor, EL_BIND, "^I", "arbalest-complete", NULL);
    el_set(self->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(self->editor, NULL);
    history(self->history, &event, H_SETSIZE, HISTORY_LINES);
    history(self->history, &event, H_SETUNIQUE, 1);
    find_history(self);
    if (self->history_path[0] != '\0')
        history(self->history, &event, H_LOAD, self->history_path);
    return true;
}

static void close_editor(shell *self)
{
    HistEvent event;
    if (self->history != NULL) {
        if (self->history_path[0] != '\0')
            history(self->history, &event, H_SAVE, self->history_path);
        history_end(self->history);
    }
    if (self->editor != NULL)
        el_end(self->editor);
    arb_text_reset(&self->statement);
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */
static bool is_one_of(arb_str line, const char *const *words, size_t count)
{
    while (line.size > 0 && strchr(" \t\r\n;", line.data[line.size - 1]) != NULL)
        line.size--;
    for (size_t i = 0; i < count; i++)
        if (arb_str_equal_nocase(line, arb_str_of(words[i])))
            return true;
    return false;
}

/* Words that are for the shell, on a line of their own. True when the line was one; *out_quit ends the shell. */
static bool shell_word(arb_str line, bool *out_quit)
{
    static const char *const quits[] = {"quit", "exit", "\\q", ".quit", ".exit"};
    static const char *const helps[] = {"help", "\\?", "\\h", ".help"};
    *out_quit = is_one_of(line, quits, ARB_COUNT_OF(quits));
    if (*out_quit)
        return true;
    if (!is_one_of(line, helps, ARB_COUNT_OF(helps)))
        return false;
    puts("A statement ends with a semicolon; it may take several lines. Tab completes names, the arrows\n"
         "walk through earlier lines, Ctrl-C drops the line or ends the statement that runs.\n"
         "  SHOW TABLES;       what there is\n"
         "  DESCRIBE name;     a table's columns\n"
         "  EXPLAIN SELECT …;  how a query is carried out\n"
         "  SHOW ALL;          the settings\n"
         "  quit               end");
    return true;
}

/* Run what is complete; keep the rest. */
static void run_complete(shell *self)
{
    arb_str text = arb_text_view(&self->statement);
    arb_sql_extent extent;
    size_t at = 0;
    int64_t arrived_ns = arb_clock_monotonic_ns();
    while (arb_sql_statement_next(text, at, &extent) && extent.terminated) {
        self->runner->host->vtable->expect(self->runner->host);
        if (*self->ending != 0)
            break;
        *self->interrupts = 0;
        self->runner->results = 0; /* the prompt separates them already */
        arb_code code = arb_statement_run(self->runner, text, extent.begin, extent.end, arrived_ns);
        at = extent.next;
        arrived_ns = arb_clock_monotonic_ns();
        if (code != ARB_OK) { /* what stood behind it was written in the belief that it works */
            at = text.size;
            break;
        }
    }
    bool rest = arb_sql_statement_next(text, at, &extent);
    if (rest && at > 0) {
        arb_text kept = {0};
        arb_text_append(&kept, text.data + extent.begin, text.size - extent.begin);
        arb_text_reset(&self->statement);
        self->statement = kept;
    } else if (!rest) {
        arb_text_clear(&self->statement);
    }
}

static void remember(shell *self, const char *line)
{
    HistEvent event;
    if (line[strspn(line, " \t\r\n")] != '\0')
        history(self->history, &event, H_ENTER, line);
}

int arb_shell_run(arb_statement_runner *runner, volatile sig_atomic_t *interrupts, const volatile sig_atomic_t *ending)
{
    shell self = {.runner = runner, .interrupts = interrupts, .ending = ending};
    if (!open_editor(&self)) {
        close_editor(&self);
        fputs("arbalest: the shell cannot start here\n", stderr);
        return ARB_EXIT_FAILED;
    }
    puts("A statement ends with a semicolon. \"help\" says more, \"quit\" ends.");
    bool quit = false;
    while (!quit && !runner->output.reader_gone && *ending == 0) {
        int size;
        *interrupts = 0;
        errno = 0;
        const char *line = el_gets(self.editor, &size);
        if (*interrupts != 0 || (line == NULL && errno == EINTR)) {
            el_reset(self.editor);
            arb_text_clear(&self.statement);
            fputc('\n', stdout);
            continue;
        }
        if (line == NULL || size <= 0)
            break;
        remember(&self, line);
        if (self.statement.size == 0 && shell_word((arb_str){line, (size_t)size}, &quit))
            continue;
        arb_text_append(&self.statement, line, (size_t)size);
        run_complete(&self);
    }
    close_editor(&self);
    return runner->output.reader_gone ? ARB_EXIT_READER_GONE : ARB_EXIT_OK;
}
