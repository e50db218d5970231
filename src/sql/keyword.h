/* keyword.h: the words that the grammar knows.
 *
 * The lexer gives every unquoted word the id of its keyword, or none; whether the word is meant as one is the parser's
 * business, so that most of them stay usable as names. A class says where a word may not be a name:
 *
 *     FREE      anywhere a name may stand
 *     CLAUSE    not as an alias without AS, since a clause begins there: FROM t LEFT JOIN …
 *     RESERVED  never, except behind AS and behind a dot
 *
 * The list is sorted; PROPOSE marks the words that are offered for a misspelt one. */
#ifndef ARB_SQL_KEYWORD_H
#define ARB_SQL_KEYWORD_H

#include "base/text.h"

/* X(NAME, class, offered for a misspelt word) */
#define ARB_KEYWORDS(X)               \
    X(ABORT, FREE, false)             \
    X(ALL, RESERVED, false)           \
    X(ALTER, FREE, false)             \
    X(ANALYZE, FREE, true)            \
    X(AND, RESERVED, false)           \
    X(ANTI, FREE, false)              \
    X(ANY, FREE, false)               \
    X(ARRAY, FREE, false)             \
    X(AS, RESERVED, false)            \
    X(ASC, RESERVED, false)           \
    X(ASOF, FREE, false)              \
    X(AT, FREE, false)                \
    X(ATTACH, FREE, false)            \
    X(AUTHORIZATION, FREE, false)     \
    X(BEGIN, FREE, false)             \
    X(BETWEEN, RESERVED, true)        \
    X(BIT, FREE, false)               \
    X(BOTH, FREE, false)              \
    X(BY, FREE, false)                \
    X(CALL, FREE, false)              \
    X(CASCADE, FREE, false)           \
    X(CASE, RESERVED, true)           \
    X(CAST, FREE, true)               \
    X(CENTURIES, FREE, false)         \
    X(CENTURY, FREE, false)           \
    X(CHAR, FREE, false)              \
    X(CHARACTER, FREE, false)         \
    X(CHECK, FREE, false)             \
    X(CHECKPOINT, FREE, false)        \
    X(COLLATE, CLAUSE, false)         \
    X(COLUMNS, FREE, false)           \
    X(COMMENT, FREE, false)           \
    X(COMMIT, FREE, false)            \
    X(COMPRESSION, FREE, false)       \
    X(CONFLICT, FREE, false)          \
    X(CONSTRAINT, FREE, false)        \
    X(COPY, FREE, false)              \
    X(CREATE, RESERVED, true)         \
    X(CROSS, CLAUSE, true)            \
    X(CSV, FREE, false)               \
    X(CUBE, FREE, false)              \
    X(CURRENT, FREE, false)           \
    X(CURRENT_CATALOG, FREE, false)   \
    X(CURRENT_DATE, FREE, false)      \
    X(CURRENT_ROLE, FREE, false)      \
    X(CURRENT_SCHEMA, FREE, false)    \
    X(CURRENT_TIME, FREE, false)      \
    X(CURRENT_TIMESTAMP, FREE, false) \
    X(CURRENT_USER, FREE, false)      \
    X(DATA, FREE, false)              \
    X(DATABASE, FREE, false)          \
    X(DATABASES, FREE, false)         \
    X(DAY, FREE, false)               \
    X(DAYS, FREE, false)              \
    X(DEALLOCATE, FREE, false)        \
    X(DECADE, FREE, false)            \
    X(DECADES, FREE, false)           \
    X(DEFAULT, RESERVED, false)       \
    X(DELETE, FREE, false)            \
    X(DELIMITER, FREE, false)         \
    X(DESC, RESERVED, false)          \
    X(DESCRIBE, FREE, true)           \
    X(DETACH, FREE, false)            \
    X(DISTINCT, RESERVED, true)       \
    X(DIV, CLAUSE, false)             \
    X(DO, FREE, false)                \
    X(DOUBLE, FREE, false)            \
    X(DROP, FREE, true)               \
    X(ELSE, RESERVED, true)           \
    X(END, RESERVED, false)           \
    X(ESCAPE, FREE, false)            \
    X(EXCEPT, RESERVED, true)         \
    X(EXCLUDE, FREE, false)           \
    X(EXECUTE, FREE, false)           \
    X(EXISTS, FREE, true)             \
    X(EXPLAIN, FREE, true)            \
    X(EXPORT, FREE, false)            \
    X(EXTERNAL, FREE, false)          \
    X(EXTRACT, FREE, false)           \
    X(FALSE, RESERVED, false)         \
    X(FETCH, RESERVED, false)         \
    X(FILTER, FREE, false)            \
    X(FIRST, FREE, false)             \
    X(FOLLOWING, FREE, false)         \
    X(FOR, CLAUSE, false)             \
    X(FORCE, FREE, false)             \
    X(FOREIGN, FREE, false)           \
    X(FORMAT, FREE, false)            \
    X(FROM, RESERVED, true)           \
    X(FULL, CLAUSE, false)            \
    X(FUNCTION, FREE, false)          \
    X(FUNCTIONS, FREE, false)         \
    X(GENERATED, FREE, false)         \
    X(GLOB, CLAUSE, false)            \
    X(GRANT, FREE, false)             \
    X(GROUP, RESERVED, true)          \
    X(GROUPING, FREE, false)          \
    X(GROUPS, FREE, false)            \
    X(HAVING, RESERVED, true)         \
    X(HEADER, FREE, false)            \
    X(HOUR, FREE, false)              \
    X(HOURS, FREE, false)             \
    X(IF, FREE, false)                \
    X(IGNORE, FREE, false)            \
    X(ILIKE, CLAUSE, false)           \
    X(IMPORT, FREE, false)            \
    X(IN, RESERVED, false)            \
    X(INDEX, FREE, false)             \
    X(INNER, CLAUSE, true)            \
    X(INSERT, FREE, true)             \
    X(INSTALL, FREE, false)           \
    X(INTERSECT, RESERVED, true)      \
    X(INTERVAL, FREE, true)           \
    X(INTO, RESERVED, true)           \
    X(IS, RESERVED, false)            \
    X(ISNULL, CLAUSE, false)          \
    X(JOIN, RESERVED, true)           \
    X(KEY, FREE, false)               \
    X(KILL, FREE, false)              \
    X(LAMBDA, FREE, false)            \
    X(LAST, FREE, false)              \
    X(LATERAL, RESERVED, false)       \
    X(LEADING, FREE, false)           \
    X(LEFT, CLAUSE, true)             \
    X(LIKE, CLAUSE, true)             \
    X(LIMIT, RESERVED, true)          \
    X(LOAD, FREE, false)              \
    X(LOCAL, FREE, false)             \
    X(LOCALTIME, FREE, false)         \
    X(LOCALTIMESTAMP, FREE, false)    \
    X(LOCATION, FREE, false)          \
    X(LOCK, FREE, false)              \
    X(MACRO, FREE, false)             \
    X(MAP, FREE, false)               \
    X(MATCHED, FREE, false)           \
    X(MATERIALIZED, FREE, false)      \
    X(MERGE, FREE, false)             \
    X(MICROSECOND, FREE, false)       \
    X(MICROSECONDS, FREE, false)      \
    X(MILLENNIA, FREE, false)         \
    X(MILLENNIUM, FREE, false)        \
    X(MILLENNIUMS, FREE, false)       \
    X(MILLISECOND, FREE, false)       \
    X(MILLISECONDS, FREE, false)      \
    X(MINUTE, FREE, false)            \
    X(MINUTES, FREE, false)           \
    X(MONTH, FREE, false)             \
    X(MONTHS, FREE, false)            \
    X(NAME, FREE, false)              \
    X(NATIONAL, FREE, false)          \
    X(NATURAL, CLAUSE, true)          \
    X(NEXT, FREE, false)              \
    X(NO, FREE, false)                \
    X(NOT, RESERVED, false)           \
    X(NOTIFY, FREE, false)            \
    X(NOTNULL, CLAUSE, false)         \
    X(NULL, RESERVED, false)          \
    X(NULLS, FREE, false)             \
    X(OFFSET, RESERVED, true)         \
    X(ON, RESERVED, false)            \
    X(ONLY, FREE, false)              \
    X(OPTIMIZE, FREE, false)          \
    X(OPTIONS, FREE, false)           \
    X(OR, RESERVED, false)            \
    X(ORDER, RESERVED, true)          \
    X(ORDINALITY, FREE, false)        \
    X(OTHERS, FREE, false)            \
    X(OUTER, FREE, true)              \
    X(OVER, CLAUSE, false)            \
    X(OVERLAY, FREE, false)           \
    X(OVERWRITE, FREE, false)         \
    X(PARTITION, FREE, true)          \
    X(PARTITIONED, FREE, true)        \
    X(PERCENT, FREE, false)           \
    X(PIVOT, FREE, false)             \
    X(PLACING, FREE, false)           \
    X(POSITION, FREE, false)          \
    X(POSITIONAL, FREE, false)        \
    X(PRAGMA, FREE, false)            \
    X(PRECEDING, FREE, false)         \
    X(PRECISION, FREE, false)         \
    X(PREPARE, FREE, false)           \
    X(PRIMARY, FREE, false)           \
    X(QUALIFY, RESERVED, true)        \
    X(QUARTER, FREE, false)           \
    X(QUARTERS, FREE, false)          \
    X(RANGE, FREE, false)             \
    X(RECURSIVE, FREE, true)          \
    X(REFERENCES, FREE, false)        \
    X(REFRESH, FREE, false)           \
    X(REINDEX, FREE, false)           \
    X(RELEASE, FREE, false)           \
    X(RENAME, FREE, false)            \
    X(REPEATABLE, FREE, false)        \
    X(REPLACE, FREE, false)           \
    X(RESET, FREE, false)             \
    X(RESPECT, FREE, false)           \
    X(RESTRICT, FREE, false)          \
    X(RETURNING, CLAUSE, false)       \
    X(REVOKE, FREE, false)            \
    X(RIGHT, CLAUSE, true)            \
    X(ROLLBACK, FREE, false)          \
    X(ROLLUP, FREE, false)            \
    X(ROW, FREE, false)               \
    X(ROWS, FREE, false)              \
    X(SAMPLE, FREE, false)            \
    X(SAVEPOINT, FREE, false)         \
    X(SCHEMA, FREE, false)            \
    X(SCHEMAS, FREE, false)           \
    X(SECOND, FREE, false)            \
    X(SECONDS, FREE, false)           \
    X(SECRET, FREE, false)            \
    X(SELECT, RESERVED, true)         \
    X(SEMI, FREE, false)              \
    X(SEQUENCE, FREE, false)          \
    X(SESSION, FREE, false)           \
    X(SESSION_USER, FREE, false)      \
    X(SET, FREE, false)               \
    X(SETS, FREE, false)              \
    X(SHOW, FREE, false)              \
    X(SIMILAR, CLAUSE, false)         \
    X(SOME, FREE, false)              \
    X(START, FREE, false)             \
    X(STORED, FREE, false)            \
    X(STRUCT, FREE, false)            \
    X(SUBSTRING, FREE, false)         \
    X(SUMMARIZE, FREE, true)          \
    X(SYMMETRIC, FREE, false)         \
    X(TABLE, RESERVED, true)          \
    X(TABLES, FREE, false)            \
    X(TABLESAMPLE, CLAUSE, true)      \
    X(TEMP, FREE, false)              \
    X(TEMPORARY, FREE, false)         \
    X(THEN, RESERVED, true)           \
    X(TIES, FREE, false)              \
    X(TIME, FREE, false)              \
    X(TIMESTAMP, FREE, false)         \
    X(TO, CLAUSE, false)              \
    X(TRAILING, FREE, false)          \
    X(TRANSACTION, FREE, false)       \
    X(TRIM, FREE, false)              \
    X(TRUE, RESERVED, false)          \
    X(TRUNCATE, FREE, false)          \
    X(TRY_CAST, FREE, true)           \
    X(TYPE, FREE, false)              \
    X(UNBOUNDED, FREE, false)         \
    X(UNION, RESERVED, true)          \
    X(UNIQUE, FREE, false)            \
    X(UNKNOWN, FREE, false)           \
    X(UNPIVOT, FREE, false)           \
    X(UPDATE, FREE, false)            \
    X(USE, FREE, false)               \
    X(USER, FREE, false)              \
    X(USING, RESERVED, true)          \
    X(VACUUM, FREE, false)            \
    X(VALUES, FREE, true)             \
    X(VARYING, FREE, false)           \
    X(VERBOSE, FREE, false)           \
    X(VIEW, FREE, true)               \
    X(WEEK, FREE, false)              \
    X(WEEKS, FREE, false)             \
    X(WHEN, RESERVED, true)           \
    X(WHERE, RESERVED, true)          \
    X(WINDOW, RESERVED, true)         \
    X(WITH, RESERVED, true)           \
    X(WITHIN, FREE, true)             \
    X(WITHOUT, FREE, false)           \
    X(WORK, FREE, false)              \
    X(YEAR, FREE, false)              \
    X(YEARS, FREE, false)             \
    X(ZONE, FREE, false)

typedef enum arb_keyword {
    ARB_KW_NONE,
#define X(name, class, propose) ARB_KW_##name,
    ARB_KEYWORDS(X)
#undef X
        ARB_KW_COUNT
} arb_keyword;

typedef enum arb_keyword_class { ARB_KEYWORD_FREE, ARB_KEYWORD_CLAUSE, ARB_KEYWORD_RESERVED } arb_keyword_class;

/* The keyword that `word` is, in whatever case, or ARB_KW_NONE. */
arb_keyword arb_keyword_find(arb_str word);
/* "SELECT" */
arb_str arb_keyword_text(arb_keyword keyword);
/* FREE for ARB_KW_NONE. */
arb_keyword_class arb_keyword_class_of(arb_keyword keyword);
/* The keyword that a misspelt word was probably meant to be, or ARB_KW_NONE. */
arb_keyword arb_keyword_nearest(arb_str word);

#endif
