/* csv_sniffer.c: each way in which the file could be written is tried on the sample.
 *
 * A way is good when all rows then have the same number of cells, but for some lines at the top that are no table, and
 * when no cell has something behind its closing quote; of the good ones that with the most columns is taken. The types
 * follow from all rows of the sample but the first; the first row has the names, unless it could be a row of these types
 * (where all is text, it has them too: there is no other sign, and most files do have a header). */
#include "formats/csv/csv_sniffer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"

enum { LOOK_BYTES = 256 << 10, COLUMNS_MOST = 100000, ROWS_A_STOP = 4096 };

typedef struct sample_row {
    uint32_t begin;
    uint32_t cells;     /* 0: an empty line */
    bool has_blank_end; /* the last cell is empty */
} sample_row;

typedef struct sniffer {
    const uint8_t *data;
    size_t size;
    bool is_all;
    const arb_csv_options *options;
    const arb_csv_patterns *patterns;
    arb_arena *arena;
    arb_error *error;
    /* Of the way that was tried last: */
    uint32_t *positions; /* ends of cells */
    size_t count;        /* how many */
    ARB_VEC(sample_row) rows;
    ARB_VEC(uint32_t) widths;
} sniffer;

typedef struct candidate {
    arb_csv_dialect dialect;
    size_t start; /* row of the sample with which the table begins */
    size_t width; /* cells of a row */
    size_t broken;
    double fit; /* rows with that many cells, of all */
    bool is_good;
} candidate;

/* ---- rows of the sample ------------------------------------------------------------------------------------------ */

static arb_str cell_between(const sniffer *s, size_t begin, size_t end)
{
    return (arb_str){(const char *)s->data + begin, end - begin};
}

/* A line's end may be two bytes. */
static size_t without_return(const sniffer *s, const arb_csv_dialect *dialect, size_t begin, size_t end)
{
    return dialect->newline == '\n' && end > begin && s->data[end - 1] == '\r' ? end - 1 : end;
}

static bool is_broken(const sniffer *s, const arb_csv_dialect *dialect, size_t begin, size_t end)
{
    arb_str text;
    return dialect->quote != 0 && begin < end && (s->data[begin] == dialect->quote || s->data[begin] == ' ') &&
           arb_csv_cell_open(dialect, cell_between(s, begin, end), &text) == ARB_CSV_CELL_BROKEN;
}

/* Cut the first `size` bytes into rows; *out_broken counts cells that cannot be right. A last line without an end is a
 * row when the sample is the whole file. */
static arb_code cut_rows(sniffer *s, const arb_csv_dialect *dialect, size_t size, size_t *out_broken)
{
    arb_csv_state state = arb_csv_state_at_row();
    size_t count = arb_csv_kernels_get()->index(s->data, size, dialect, &state, 0, s->positions);
    bool ends_line = count != 0 && s->positions[count - 1] + 1 == size && s->data[size - 1] == dialect->newline;
    bool has_rest = s->is_all && size == s->size && size != 0 && !ends_line;
    if (has_rest)
        s->positions[count++] = (uint32_t)size; /* as if a line's end were there */
    s->count = count;
    s->rows.size = 0;
    *out_broken = has_rest && state.in_quotes;
    size_t row_begin = 0, cell_begin = 0, cells = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = s->positions[i];
        bool row_ends = at == size || s->data[at] == dialect->newline;
        size_t end = row_ends ? without_return(s, dialect, cell_begin, at) : at;
        *out_broken += is_broken(s, dialect, cell_begin, end);
        cells++;
        if (row_ends) {
            bool is_comment = dialect->comment != 0 && at > row_begin && s->data[row_begin] == dialect->comment;
            bool is_empty = cells == 1 && end == cell_begin;
            if (!is_comment && !ARB_VEC_PUSH(&s->rows, (sample_row){.begin = (uint32_t)row_begin,
                                                                    .cells = is_empty ? 0 : (uint32_t)cells,
                                                                    .has_blank_end = end == cell_begin}))
                return arb_fail_memory(s->error, "a CSV sample", s->rows.size * sizeof(sample_row));
            row_begin = at + 1;
            cells = 0;
            if (s->rows.size % ROWS_A_STOP == 0)
                ARB_TRY(arb_check_stop(s->options->stop, s->error));
        }
        cell_begin = at + 1;
    }
    return ARB_OK;
}

static int compare_widths(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The number of cells that most rows have, the larger one of several; with padding the largest, since shorter rows are
 * filled up. At least 1. */
static arb_code usual_width(sniffer *s, size_t *out_width)
{
    s->widths.size = 0;
    for (size_t i = 0; i < s->rows.size; i++)
        if (s->rows.data[i].cells != 0 && !ARB_VEC_PUSH(&s->widths, s->rows.data[i].cells))
            return arb_fail_memory(s->error, "a CSV sample", s->rows.size * sizeof(uint32_t));
    *out_width = 1;
    if (s->widths.size == 0)
        return ARB_OK;
    qsort(s->widths.data, s->widths.size, sizeof(uint32_t), compare_widths);
    size_t best = 0;
    for (size_t i = 0, from = 0; i < s->widths.size; i++) {
        if (s->widths.data[i] != s->widths.data[from])
            from = i;
        if (i - from + 1 >= best || s->options->null_padding) {
            best = i - from + 1;
            *out_width = s->widths.data[i];
        }
    }
    return ARB_OK;
}

/* A header without the delimiter that all other rows have at their ends: it says how many columns there are. */
static bool has_delimiters_at_ends(const sniffer *s, size_t width)
{
    if (s->rows.size < 2 || width < 2 || s->rows.data[0].cells != width - 1)
        return false;
    for (size_t i = 1; i < s->rows.size; i++)
        if (s->rows.data[i].cells != 0 && (s->rows.data[i].cells != width || !s->rows.data[i].has_blank_end))
            return false;
    return true;
}

static arb_code judge(sniffer *s, candidate *c)
{
    size_t rows = 0, fitting = 0, behind_bad = 0;
    ARB_TRY(usual_width(s, &c->width));
    c->width -= has_delimiters_at_ends(s, c->width);
    for (size_t i = 0; i < s->rows.size; i++) {
        size_t cells = s->rows.data[i].cells;
        cells -= cells == c->width + 1 && s->rows.data[i].has_blank_end;
        bool fits = cells == c->width || (s->options->null_padding && cells < c->width);
        if (cells == 0)
            continue;
        rows++;
        fitting += fits;
        if (!fits)
            behind_bad = i + 1;
    }
    c->fit = rows == 0 ? 0 : (double)fitting / (double)rows;
    size_t left = 0;
    for (size_t i = behind_bad; i < s->rows.size; i++)
        left += s->rows.data[i].cells != 0;
    /* What is no table stands at the top, and is less than the table. */
    bool has_top = behind_bad != 0 && c->width > 1 && left >= 2 && left * 2 > fitting;
    c->is_good = rows != 0 && c->broken == 0 && (behind_bad == 0 || has_top);
    c->start = c->is_good ? behind_bad : 0;
    while (c->start < s->rows.size && s->rows.data[c->start].cells == 0)
        c->start++;
    return ARB_OK;
}

/* True when `a` is better than `b`; of equals, the one that came first stays. */
static bool is_better(const candidate *a, const candidate *b)
{
    if (a->is_good != b->is_good) {
        /* A table that fits nearly always is more likely than a list of lines that hold delimiters. */
        const candidate *good = a->is_good ? a : b, *other = a->is_good ? b : a;
        bool other_wins = good->width == 1 && other->width > 1 && other->broken == 0 && other->fit > 0.75;
        return (good == a) != other_wins;
    }
    if (a->is_good)
        return a->width != b->width ? a->width > b->width : a->start < b->start;
    if ((a->broken == 0) != (b->broken == 0))
        return a->broken == 0;
    if ((a->width > 1) != (b->width > 1))
        return a->width > 1;
    return a->fit > b->fit;
}

static arb_code try_dialect(sniffer *s, arb_csv_dialect dialect, size_t size, candidate *best, bool *any_good)
{
    candidate c = {.dialect = dialect};
    ARB_TRY(cut_rows(s, &dialect, size, &c.broken));
    ARB_TRY(judge(s, &c));
    *any_good = *any_good || c.is_good;
    if (best->width == 0 || is_better(&c, best))
        *best = c;
    return ARB_OK;
}

/* ---- the ways to try --------------------------------------------------------------------------------------------- */

/* Whether a cell could begin with this quote. */
static bool opens_cells(const sniffer *s, size_t size, uint8_t quote)
{
    for (size_t i = 0; i < size; i++)
        if (s->data[i] == quote && (i == 0 || strchr("\n\r,;|\t", s->data[i - 1]) != NULL))
            return true;
    return false;
}

static bool has_pair(const sniffer *s, size_t size, uint8_t first, uint8_t second)
{
    for (size_t i = 1; i < size; i++)
        if (s->data[i - 1] == first && s->data[i] == second)
            return true;
    return false;
}

static arb_code try_quotes(sniffer *s, arb_csv_dialect dialect, size_t size, candidate *best)
{
    const arb_csv_options *o = s->options;
    uint8_t quotes[3];
    size_t count = 0;
    if (o->no_quotes) {
        quotes[count++] = 0;
    } else if (o->quote != 0) {
        quotes[count++] = (uint8_t)o->quote;
    } else {
        if (opens_cells(s, size, '"') || !opens_cells(s, size, '\''))
            quotes[count++] = '"';
        if (opens_cells(s, size, '\''))
            quotes[count++] = '\'';
        quotes[count++] = 0;
    }
    bool any_good = false;
    for (size_t i = 0; i < count; i++) {
        /* That quotes are no quotes is only believed when they make no sense. */
        if (quotes[i] == 0 && any_good)
            break;
        dialect.quote = quotes[i];
        dialect.escape = o->escape != 0 ? (uint8_t)o->escape : quotes[i];
        ARB_TRY(try_dialect(s, dialect, size, best, &any_good));
        if (o->escape == 0 && quotes[i] != 0 && has_pair(s, size, '\\', quotes[i])) {
            dialect.escape = '\\';
            ARB_TRY(try_dialect(s, dialect, size, best, &any_good));
        }
    }
    return ARB_OK;
}

static arb_code try_delimiters(sniffer *s, arb_csv_dialect dialect, size_t size, candidate *best)
{
    static const char usual[] = ",|;\t";
    if (s->options->delimiter != '\0') {
        dialect.delimiter = (uint8_t)s->options->delimiter;
        return try_quotes(s, dialect, size, best);
    }
    for (const char *delimiter = usual; *delimiter != '\0'; delimiter++) {
        dialect.delimiter = (uint8_t)*delimiter;
        ARB_TRY(try_quotes(s, dialect, size, best));
    }
    return ARB_OK;
}

static bool has_line_with(const sniffer *s, size_t size, uint8_t first)
{
    return (size != 0 && s->data[0] == first) || has_pair(s, size, '\n', first) || has_pair(s, size, '\r', first);
}

static arb_code choose_dialect(sniffer *s, candidate *best)
{
    size_t size = ARB_MIN(s->size, (size_t)LOOK_BYTES);
    arb_csv_dialect dialect = {.comment = (uint8_t)s->options->comment, .newline = '\n'};
    if (memchr(s->data, '\n', size) == NULL && memchr(s->data, '\r', size) != NULL)
        dialect.newline = '\r';
    *best = (candidate){0};
    ARB_TRY(try_delimiters(s, dialect, size, best));
    if (s->options->comment != 0 || s->options->no_comments || !has_line_with(s, size, '#'))
        return ARB_OK;
    candidate with_comments = {0};
    dialect.comment = '#';
    ARB_TRY(try_delimiters(s, dialect, size, &with_comments));
    if (with_comments.is_good && with_comments.width >= best->width &&
        (!best->is_good || best->start != 0 || with_comments.width > best->width))
        *best = with_comments;
    return ARB_OK;
}

/* ---- types and names --------------------------------------------------------------------------------------------- */

/* The next cell of a row that begins at *at, as text; false at the row's end. */
typedef struct row_cursor {
    const sniffer *s;
    const arb_csv_dialect *dialect;
    size_t at, position; /* next byte, next position */
    bool done;
} row_cursor;

static bool next_cell(row_cursor *cursor, arb_text *scratch, arb_str *out_text)
{
    if (cursor->done || cursor->position >= cursor->s->count)
        return false;
    const sniffer *s = cursor->s;
    size_t end = s->positions[cursor->position++];
    cursor->done = end >= s->size || s->data[end] == cursor->dialect->newline;
    arb_str raw = cell_between(s, cursor->at, cursor->done ? without_return(s, cursor->dialect, cursor->at, end) : end);
    cursor->at = end + 1;
    if (arb_csv_cell_open(cursor->dialect, raw, out_text) == ARB_CSV_CELL_ESCAPED) {
        arb_text_clear(scratch);
        char *to = arb_text_room(scratch, out_text->size);
        if (to != NULL)
            *out_text = (arb_str){to, arb_csv_cell_unescape(cursor->dialect, *out_text, to)};
    }
    return true;
}

static bool is_null_text(const arb_csv_options *options, arb_str text)
{
    for (size_t i = 0; i < options->null_text_count; i++)
        if (arb_str_equal(text, options->null_texts[i]))
            return true;
    return false;
}

static arb_type_id guess_cell(const sniffer *s, arb_str text)
{
    return is_null_text(s->options, text) ? ARB_TYPE_NULL : arb_csv_guess(s->patterns, text);
}

static arb_type_id merge(const sniffer *s, arb_type_id a, arb_type_id b)
{
    return arb_csv_guess_merge(s->options->date_format.size + s->options->timestamp_format.size != 0, a, b);
}

/* Whether the first row could not be one of the table's: a cell of it is not of its column's type, or is the only one of
 * its column; it is empty; or all columns are text, and it may be a header as well as not, with a name for each. */
static bool deviates(const sniffer *s, const arb_type_id *first, const arb_type_id *rest, size_t width)
{
    bool all_text = true, all_empty = true, any_empty = false;
    for (size_t i = 0; i < width; i++) {
        bool is_text = rest[i] == ARB_TYPE_VARCHAR || rest[i] == ARB_TYPE_NULL;
        all_text = all_text && is_text;
        all_empty = all_empty && first[i] == ARB_TYPE_NULL;
        any_empty = any_empty || first[i] == ARB_TYPE_NULL;
        if (first[i] == ARB_TYPE_NULL)
            continue;
        if (!is_text && merge(s, first[i], rest[i]) == ARB_TYPE_VARCHAR)
            return true;
        if (first[i] == ARB_TYPE_VARCHAR && rest[i] == ARB_TYPE_NULL)
            return true;
    }
    return (all_text && !any_empty) || all_empty;
}

/* A single row is a header when there is nothing but text in it. */
static bool has_names(const sniffer *s, const arb_type_id *first, const arb_type_id *rest, size_t width, size_t rows)
{
    if (rows > 1)
        return deviates(s, first, rest, width);
    for (size_t i = 0; i < width; i++)
        if (first[i] != ARB_TYPE_VARCHAR)
            return false;
    return true;
}

/* Guess all rows from `start` on: the first apart. */
static arb_code guess_rows(sniffer *s, const candidate *c, arb_type_id *first, arb_type_id *rest, size_t *out_rows)
{
    arb_text scratch = {0};
    row_cursor cursor = {.s = s, .dialect = &c->dialect};
    size_t row = 0;
    *out_rows = 0;
    while (cursor.position < s->count && row < s->rows.size) {
        size_t begin = s->rows.data[row].begin;
        cursor.done = false;
        bool counts = cursor.at == begin && row >= c->start && s->rows.data[row].cells != 0;
        bool is_row = cursor.at == begin; /* else a comment */
        arb_str text;
        for (size_t i = 0; next_cell(&cursor, &scratch, &text); i++) {
            if (!counts || i >= c->width)
                continue;
            arb_type_id *types = *out_rows == 0 ? first : rest;
            if (types[i] != ARB_TYPE_VARCHAR)
                types[i] = merge(s, types[i], guess_cell(s, text));
        }
        *out_rows += counts;
        row += is_row;
        if (row % ROWS_A_STOP == 0 && arb_is_stopped(s->options->stop))
            break;
    }
    arb_text_reset(&scratch);
    return arb_check_stop(s->options->stop, s->error);
}

static bool name_is_taken(const arb_str *names, size_t count, arb_str name)
{
    for (size_t i = 0; i < count; i++)
        if (arb_str_equal_nocase(names[i], name))
            return true;
    return false;
}

/* Empty names become "column3" ("column03" of more than ten), repeated ones "name_1". */
static arb_code add_name(sniffer *s, arb_csv_layout *layout, size_t number, arb_str text)
{
    char made[32];
    int digits = 1; /* all of the same length, so that they sort */
    for (size_t last = layout->column_count - 1; last >= 10; last /= 10)
        digits++;
    while (text.size != 0 && text.data[0] == ' ')
        text.data++, text.size--;
    while (text.size != 0 && text.data[text.size - 1] == ' ')
        text.size--;
    if (text.size == 0)
        text = (arb_str){made, (size_t)snprintf(made, sizeof made, "column%0*zu", digits, number)};
    arb_text tried = {0};
    arb_text_append_str(&tried, text);
    for (unsigned i = 1; number < 1000 && name_is_taken(layout->names, number, arb_text_view(&tried)); i++) {
        arb_text_clear(&tried);
        arb_text_append_str(&tried, text);
        arb_text_printf(&tried, "_%u", i);
    }
    layout->names[number] = arb_str_copy(s->arena, arb_text_view(&tried));
    bool failed = tried.failed || layout->names[number].data == NULL;
    arb_text_reset(&tried);
    return failed ? arb_fail_memory(s->error, "the names of columns", text.size) : ARB_OK;
}

/* Stands in front of the first row's cells. */
static row_cursor at_first_row(const sniffer *s, const candidate *c)
{
    row_cursor cursor = {.s = s, .dialect = &c->dialect};
    cursor.at = c->start < s->rows.size ? s->rows.data[c->start].begin : 0;
    while (cursor.position < s->count && s->positions[cursor.position] < cursor.at)
        cursor.position++;
    return cursor;
}

static arb_code read_names(sniffer *s, const candidate *c, bool has_header, arb_csv_layout *layout)
{
    arb_text scratch = {0};
    row_cursor cursor = at_first_row(s, c);
    arb_code code = ARB_OK;
    for (size_t i = 0; i < layout->column_count && code == ARB_OK; i++) {
        arb_str text = {0};
        if (has_header)
            (void)!next_cell(&cursor, &scratch, &text);
        if (i < s->options->first_name_count)
            text = s->options->first_names[i];
        code = add_name(s, layout, i, text);
    }
    arb_text_reset(&scratch);
    return code;
}

/* Does the first row have exactly the names that are said? */
static bool repeats_names(const sniffer *s, const candidate *c)
{
    arb_text scratch = {0};
    row_cursor cursor = at_first_row(s, c);
    bool same = s->options->column_count == c->width;
    for (size_t i = 0; i < c->width && same; i++) {
        arb_str text;
        same = next_cell(&cursor, &scratch, &text) && arb_str_equal_nocase(text, s->options->names[i]);
    }
    arb_text_reset(&scratch);
    return same;
}

/* The columns are said: the first row is held against their names and types. */
static bool deviates_from_said(const sniffer *s, const candidate *c, const arb_type_id *first)
{
    const arb_csv_options *o = s->options;
    if (repeats_names(s, c))
        return true;
    for (size_t i = 0; i < ARB_MIN(c->width, o->column_count); i++) {
        arb_type_id said = arb_type_is_numeric(o->types[i]) ? ARB_TYPE_DOUBLE : (arb_type_id)o->types[i].id;
        bool is_known = said == ARB_TYPE_BOOLEAN || said == ARB_TYPE_DOUBLE || said == ARB_TYPE_DATE ||
                        said == ARB_TYPE_TIME || said == ARB_TYPE_TIMESTAMP || said == ARB_TYPE_TIMESTAMPTZ;
        if (is_known && first[i] == ARB_TYPE_VARCHAR)
            return true;
    }
    return false;
}

static bool has_header(const sniffer *s, const candidate *c, const arb_type_id *first, const arb_type_id *rest,
                       size_t rows)
{
    const arb_csv_options *o = s->options;
    if (o->header != ARB_CSV_AUTO)
        return o->header == ARB_CSV_YES;
    if (rows == 0)
        return false;
    return o->column_count != 0 ? deviates_from_said(s, c, first) : has_names(s, first, rest, c->width, rows);
}

/* Where the row behind row `row` begins. */
static size_t row_begin(const sniffer *s, size_t row)
{
    return row < s->rows.size ? s->rows.data[row].begin : s->size;
}

static arb_code take_said_columns(sniffer *s, arb_csv_layout *layout)
{
    for (size_t i = 0; i < layout->column_count; i++) {
        layout->types[i] = s->options->types[i];
        layout->names[i] = arb_str_copy(s->arena, s->options->names[i]);
        if (layout->names[i].data == NULL)
            return arb_fail_memory(s->error, "the names of columns", s->options->names[i].size);
    }
    return ARB_OK;
}

/* Types that are said for some columns. */
static arb_code take_said_types(sniffer *s, arb_csv_layout *layout)
{
    const arb_csv_options *o = s->options;
    for (size_t i = 0; i < o->some_type_count; i++) {
        size_t at = i;
        if (o->some_types[i].name.size != 0)
            for (at = 0; at < layout->column_count; at++)
                if (arb_str_equal_nocase(layout->names[at], o->some_types[i].name))
                    break;
        if (at >= layout->column_count && o->some_types[i].name.size != 0 && o->may_lack_columns)
            continue;
        if (at >= layout->column_count && o->some_types[i].name.size != 0)
            return arb_fail(s->error, ARB_UNDEFINED_COLUMN, "there is no column \"%.*s\" to have a type",
                            ARB_STR_ARGS(o->some_types[i].name));
        if (at >= layout->column_count)
            return arb_fail(s->error, ARB_INVALID_PARAMETER, "%zu types for %zu columns", o->some_type_count,
                            layout->column_count);
        layout->types[at] = o->some_types[i].type;
    }
    return ARB_OK;
}

static arb_code make_columns(sniffer *s, const candidate *c, arb_csv_layout *layout)
{
    const arb_csv_options *o = s->options;
    arb_type_id *first = ARB_ARENA_ARRAY(s->arena, arb_type_id, c->width);
    arb_type_id *rest = ARB_ARENA_ARRAY(s->arena, arb_type_id, c->width);
    layout->column_count = o->column_count != 0 ? o->column_count : c->width;
    layout->names = ARB_ARENA_ARRAY(s->arena, arb_str, layout->column_count);
    layout->types = ARB_ARENA_ARRAY(s->arena, arb_type, layout->column_count);
    if (first == NULL || rest == NULL || layout->names == NULL || layout->types == NULL)
        return arb_fail_memory(s->error, "a CSV sample", c->width * sizeof *first);
    size_t rows;
    ARB_TRY(guess_rows(s, c, first, rest, &rows));
    bool header = has_header(s, c, first, rest, rows);
    layout->data_start = row_begin(s, c->start + header);
    layout->row_bytes = rows == 0 ? 64 : (double)(s->size - row_begin(s, c->start)) / (double)rows;
    if (o->column_count != 0)
        return take_said_columns(s, layout);
    if (o->first_name_count > c->width)
        return arb_fail(s->error, ARB_INVALID_PARAMETER, "%zu names for %zu columns", o->first_name_count, c->width);
    ARB_TRY(read_names(s, c, header, layout));
    for (size_t i = 0; i < layout->column_count; i++) {
        arb_type_id id = header ? rest[i] : merge(s, first[i], rest[i]);
        if (id == ARB_TYPE_NULL || o->all_text)
            id = ARB_TYPE_VARCHAR;
        layout->types[i] = (arb_type){.id = (uint8_t)id};
    }
    return take_said_types(s, layout);
}

static arb_code sniff(sniffer *s, arb_csv_layout *layout)
{
    candidate best;
    ARB_TRY(choose_dialect(s, &best));
    if (best.width > COLUMNS_MOST)
        return arb_fail(s->error, ARB_LIMIT_EXCEEDED, "a CSV file with %zu columns", best.width);
    layout->dialect = best.dialect;
    /* Once more over all of the sample, as all rows count for the types. */
    size_t broken;
    ARB_TRY(cut_rows(s, &best.dialect, s->size, &broken));
    return make_columns(s, &best, layout);
}

uint64_t arb_csv_sniff_bytes(size_t size)
{
    return (uint64_t)(size + 1) * sizeof(uint32_t);
}

arb_code arb_csv_sniff(const uint8_t *sample, size_t size, bool is_all, const arb_csv_options *options,
                       const arb_csv_patterns *patterns, arb_arena *arena, arb_csv_layout *out_layout, arb_error *error)
{
    *out_layout = (arb_csv_layout){0};
    sniffer s = {.data = sample,
                 .size = size,
                 .is_all = is_all,
                 .options = options,
                 .patterns = patterns,
                 .arena = arena,
                 .error = error};
    s.positions = arb_alloc(arb_csv_sniff_bytes(size));
    arb_code code = s.positions == NULL ? arb_fail_memory(error, "a CSV sample", (size + 1) * sizeof *s.positions)
                                        : sniff(&s, out_layout);
    arb_free(s.positions);
    ARB_VEC_RESET(&s.rows);
    ARB_VEC_RESET(&s.widths);
    return code;
}
