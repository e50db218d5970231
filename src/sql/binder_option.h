/* binder_option.h: options by name, as table functions, COPY and CREATE EXTERNAL TABLE have them, for the binder's files
 * alone.
 *
 * Whoever has options gives a table of them: each with its names, what uses it, and how its value is taken. */
#ifndef ARB_SQL_BINDER_OPTION_H
#define ARB_SQL_BINDER_OPTION_H

#include "catalog/file_options.h"
#include "sql/binder_statement.h"

/* One as it is given; `value` NULL: the name alone (HEADER). */
typedef struct arb_option {
    arb_str name;
    arb_ast_span span;
    const arb_ast_expr *value;
} arb_option;

typedef ARB_VEC(arb_option) arb_option_list; /* arena */

typedef struct arb_option_spec {
    const char *names; /* separated by spaces; the first one is the usual */
    uint32_t uses;     /* bits; an option is known where it has one of those that are asked for */
    arb_code (*take)(arb_binder *b, const arb_option *option, void *target);
} arb_option_spec;

/* Take all. One that `uses` does not have, or that is given twice, is ARB_INVALID_PARAMETER; `what` ("read_csv") is for
 * the message, which proposes the nearest name. */
ARB_NODISCARD arb_code arb_take_options(arb_binder *b, const char *what, const arb_option_spec *specs, size_t count,
                                        uint32_t uses, const arb_option_list *options, void *target);
/* Options as they stand in brackets. */
ARB_NODISCARD arb_code arb_list_options(arb_binder *b, const arb_ast_options *syntax, arb_option_list *out);

/* ---- values: each is ARB_INVALID_PARAMETER where it is something else --------------------------------------------- */
ARB_NODISCARD arb_code arb_option_fail(arb_binder *b, const arb_option *option, const char *what);
/* TRUE, 1, on, yes, their opposites; the name alone is true. */
ARB_NODISCARD arb_code arb_option_flag(arb_binder *b, const arb_option *option, bool *out);
ARB_NODISCARD arb_code arb_option_integer(arb_binder *b, const arb_option *option, int64_t low, int64_t high,
                                          int64_t *out);
ARB_NODISCARD arb_code arb_option_text(arb_binder *b, const arb_option *option, arb_str *out);
/* One text, or a list of them: ('a', 'b'), ['a', 'b']. */
ARB_NODISCARD arb_code arb_option_texts(arb_binder *b, const arb_option *option, const arb_str **out,
                                        size_t *out_count);
/* A single ASCII character, also as '\t'; 0 for an empty text. */
ARB_NODISCARD arb_code arb_option_byte(arb_binder *b, const arb_option *option, char *out);
/* Types by name, {'a': 'INTEGER'}, or by place, ['INTEGER']. */
ARB_NODISCARD arb_code arb_option_types(arb_binder *b, const arb_option *option, const arb_csv_column_type **out,
                                        size_t *out_count);
/* The place of a text in a list of `count` words; `what` tells which there are. */
ARB_NODISCARD arb_code arb_option_word(arb_binder *b, const arb_option *option, const char *const *words, size_t count,
                                       const char *what, size_t *out);

/* ---- files -------------------------------------------------------------------------------------------------------- */
/* What reads files, as bits. */
typedef enum arb_reading {
    ARB_READING_CSV = 1,     /* how CSV files are written */
    ARB_READING_COLUMNS = 2, /* which columns they have */
    ARB_READING_FILES = 4,   /* of any format */
} arb_reading;

/* How files are to be read. *out is NULL when nothing is said that matters. */
ARB_NODISCARD arb_code arb_bind_file_options(arb_binder *b, const char *what, uint32_t reading,
                                             const arb_option_list *options, arb_file_options **out);
/* The format of that name; an empty name is none, NULL. */
ARB_NODISCARD arb_code arb_bind_file_format(arb_binder *b, arb_str name, arb_ast_span span,
                                            const arb_file_format **out);
bool arb_file_format_is_csv(const arb_file_format *format); /* CSV and TSV */
/* Take the option FORMAT out of the list. */
ARB_NODISCARD arb_code arb_take_format_option(arb_binder *b, arb_option_list *options, arb_str *format);
/* Which file, in which format and how COPY … TO writes. */
ARB_NODISCARD arb_code arb_bind_write_options(arb_binder *b, const arb_ast_copy *copy, arb_bound_statement *out);

#endif
