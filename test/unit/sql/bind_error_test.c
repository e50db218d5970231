/* bind_error_test.c: SQL texts that cannot be bound: code, position, message and hint. */
#include "bind_catalog.h"

typedef struct error_case {
    const char *sql;
    arb_code code;
    int64_t position; /* 1-based byte */
    const char *message, *hint;
} error_case;

/* clang-format off */
static const error_case cases[] = {
    {"select aa from t", ARB_UNDEFINED_COLUMN, 8, "column \"aa\" does not exist", "did you mean \"a\"?"},
    {"select \"A\" from t", ARB_UNDEFINED_COLUMN, 8, "column \"A\" does not exist", "did you mean \"a\"?"},
    {"select a from t join u on t.a = u.a", ARB_AMBIGUOUS_COLUMN, 8, "column \"a\" is ambiguous", "say which table is meant: u.a"},
    {"select x.a from t", ARB_UNDEFINED_TABLE, 8, "there is no table \"x\" in this FROM clause", ""},
    {"select t.aa from t", ARB_UNDEFINED_COLUMN, 10, "column t.aa does not exist", "did you mean \"a\"?"},
    {"select a, sum(c) from t", ARB_GROUPING, 8, "column \"a\" must appear in the GROUP BY clause or be used in an aggregate function", ""},
    {"select a from t where sum(a) > 1", ARB_GROUPING, 23, "aggregate functions are not allowed in WHERE", ""},
    {"select sum(sum(a)) from t", ARB_GROUPING, 12, "aggregate functions cannot be nested", ""},
    {"select a from t group by sum(a)", ARB_GROUPING, 26, "aggregate functions are not allowed in GROUP BY", ""},
    {"select a from t join u on sum(u.x) = t.a", ARB_GROUPING, 27, "aggregate functions are not allowed in JOIN conditions", ""},
    {"select a, (select x from u where u.a = t.c) from t group by a", ARB_GROUPING, 40, "a subquery uses column \"c\" of the query around it, which must appear in its GROUP BY clause", ""},
    {"select (select a, b from t)", ARB_SYNTAX, 8, "a subquery that is used as a value must have one column, not 2", ""},
    {"select a from t where (a, b) in (select a from u)", ARB_SYNTAX, 23, "the subquery has 1 column where 2 are needed", ""},
    {"select a from t where (a, b) = (1, 2, 3)", ARB_DATATYPE_MISMATCH, 30, "a row of 2 values cannot be compared with one of 3", ""},
    {"select a from t where a = b", ARB_UNDEFINED_FUNCTION, 25, "operator integer = varchar does not exist", "values of these types cannot be compared; a CAST may help"},
    {"select a + b from t", ARB_UNDEFINED_FUNCTION, 10, "operator integer + varchar does not exist", "no operator of this name takes these types; a CAST may help"},
    {"select nofun(a) from t", ARB_UNDEFINED_FUNCTION, 8, "function nofun does not exist", ""},
    {"select summ(a) from t", ARB_UNDEFINED_FUNCTION, 8, "function summ does not exist", "did you mean sum?"},
    {"select sum(b) from t", ARB_UNDEFINED_FUNCTION, 8, "function sum(varchar) does not exist", "no function of this name takes these types; a CAST may help"},
    {"select a from t where a", ARB_DATATYPE_MISMATCH, 23, "argument of WHERE must be boolean, not integer", ""},
    {"select a from t where not b", ARB_DATATYPE_MISMATCH, 27, "argument of NOT must be boolean, not varchar", ""},
    {"select case when a then 1 end from t", ARB_DATATYPE_MISMATCH, 18, "argument of CASE WHEN must be boolean, not integer", ""},
    {"select case when true then 1 else b end from t", ARB_DATATYPE_MISMATCH, 35, "CASE types integer and varchar do not fit together", ""},
    {"select coalesce(a, b) from t", ARB_DATATYPE_MISMATCH, 20, "COALESCE types integer and varchar do not fit together", ""},
    {"select a from t where a in (1, b)", ARB_DATATYPE_MISMATCH, 32, "IN types integer and varchar do not fit together", ""},
    {"select cast('x' as integer)", ARB_INVALID_TEXT, 13, "invalid input syntax for type integer: \"x\"", ""},
    {"select '1998-02-30'::date", ARB_DATETIME_OVERFLOW, 8, "value out of range for type date: \"1998-02-30\"", ""},
    {"select cast(d as integer) from t", ARB_CANNOT_COERCE, 8, "cannot cast type date to integer", ""},
    {"select interval '3 moons'", ARB_INVALID_DATETIME, 8, "invalid input syntax for type interval: \"3 moons\"", ""},
    {"select date 'nonsense'", ARB_INVALID_DATETIME, 8, "invalid input syntax for type date: \"nonsense\"", ""},
    {"select 123456789012345678901234567890123456789", ARB_OUT_OF_RANGE, 8, "a number has at most 38 digits", ""},
    {"select 2.1111111111111111111111111111111111111111111", ARB_OUT_OF_RANGE, 8, "a number has at most 38 digits", ""},
    {"select cast(1 as nosuch)", ARB_UNDEFINED_OBJECT, 18, "type \"nosuch\" does not exist", ""},
    {"select cast(1 as intger)", ARB_UNDEFINED_OBJECT, 18, "type \"intger\" does not exist", "did you mean integer?"},
    {"select cast(1 as decimal(40,2))", ARB_INVALID_PARAMETER, 18, "decimal(40,2) does not exist: a precision is 1 to 38, a scale 0 to the precision", ""},
    {"select cast(1 as uuid)", ARB_NOT_SUPPORTED, 18, "type uuid is not supported", ""},
    {"select $1", ARB_UNDEFINED_PARAMETER, 8, "there is no value for parameter $1", ""},
    {"select a from t where a = ?", ARB_UNDEFINED_PARAMETER, 27, "there is no value for parameter $1", ""},
    {"select distinct a from t order by b", ARB_INVALID_COLUMN_REFERENCE, 35, "with SELECT DISTINCT, ORDER BY expressions must appear in the select list", ""},
    {"select a from t order by 3", ARB_INVALID_COLUMN_REFERENCE, 26, "ORDER BY position 3 is not in the select list", ""},
    {"select a from t order by 0", ARB_INVALID_COLUMN_REFERENCE, 26, "ORDER BY position 0 is not in the select list", ""},
    {"select a from t group by 2", ARB_INVALID_COLUMN_REFERENCE, 26, "GROUP BY position 2 is not in the select list", ""},
    {"select a x, b x from t order by x", ARB_AMBIGUOUS_COLUMN, 33, "ORDER BY \"x\" is ambiguous", ""},
    {"select a from t union select b from t", ARB_DATATYPE_MISMATCH, 23, "column 1 of UNION: types integer and varchar do not fit together", ""},
    {"select a from t union select a, b from t", ARB_SYNTAX, 23, "each query of UNION must have the same number of columns: 1 and 2", ""},
    {"values (1), (2, 3)", ARB_SYNTAX, 14, "the rows of VALUES must have the same number of values: 1 and 2", ""},
    {"select * from t, t", ARB_DUPLICATE_ALIAS, 18, "table name \"t\" is given more than once", ""},
    {"select * from t a, u a", ARB_DUPLICATE_ALIAS, 20, "table name \"a\" is given more than once", ""},
    {"select * from t x(p, q, r, s, z, y)", ARB_INVALID_COLUMN_REFERENCE, 15, "table \"x\" has 5 columns, but 6 names are given", ""},
    {"select *", ARB_SYNTAX, 8, "SELECT * needs a FROM clause", ""},
    {"select * exclude (zz) from t", ARB_UNDEFINED_COLUMN, 19, "EXCLUDE names \"zz\", which is not a column of the star", ""},
    {"select t.* from u", ARB_UNDEFINED_TABLE, 8, "there is no table \"t\" in this FROM clause", ""},
    {"select a from t limit -1", ARB_INVALID_PARAMETER, 23, "LIMIT must not be negative", ""},
    {"select a from t limit 'x'", ARB_INVALID_TEXT, 23, "invalid input syntax for type bigint: \"x\"", ""},
    {"select a from t limit a", ARB_UNDEFINED_COLUMN, 23, "column \"a\" does not exist", ""},
    {"select a from t join u using (b)", ARB_UNDEFINED_COLUMN, 31, "USING needs column \"b\" on the right side of the join", ""},
    {"select row_number() over () from t", ARB_NOT_SUPPORTED, 8, "window functions are not supported", ""},
    {"select a from t qualify 1", ARB_NOT_SUPPORTED, 25, "QUALIFY is not supported", ""},
    {"with recursive r as (select 1 union all select * from r) select * from r", ARB_NOT_SUPPORTED, 55, "recursive queries are not supported", ""},
    {"with w as (select 1), w as (select 2) select * from w", ARB_DUPLICATE_ALIAS, 23, "WITH defines \"w\" more than once", ""},
    {"with w(p, q) as (select 1) select * from w", ARB_INVALID_COLUMN_REFERENCE, 6, "table \"w\" has 1 column, but 2 names are given", ""},
    {"select * from t asof join u using (a)", ARB_NOT_SUPPORTED, 17, "ASOF JOIN is not supported", ""},
    {"select * from t positional join u", ARB_NOT_SUPPORTED, 17, "POSITIONAL JOIN is not supported", ""},
    {"select * from t tablesample 10%", ARB_NOT_SUPPORTED, 29, "TABLESAMPLE is not supported", ""},
    {"select * from nosuch(1)", ARB_UNDEFINED_FUNCTION, 15, "there is no table function \"nosuch\"", ""},
    {"select * from generate_series(1, 10, 0)", ARB_INVALID_PARAMETER, 15, "the step must not be zero", ""},
    {"select * from unnest([1])", ARB_NOT_SUPPORTED, 15, "unnest is not supported", ""},
    {"select [1, 2]", ARB_NOT_SUPPORTED, 8, "list values are not supported", ""},
    {"select {x: 1}", ARB_NOT_SUPPORTED, 8, "struct values are not supported", ""},
    {"select a[1] from t", ARB_NOT_SUPPORTED, 8, "subscripts are not supported", ""},
    {"select list_transform([1], q -> q)", ARB_NOT_SUPPORTED, 23, "list values are not supported", ""},
    {"select (1, 2)", ARB_NOT_SUPPORTED, 8, "row values outside of comparisons are not supported", ""},
    {"select a from t, (select x from u where u.a = t.a) s", ARB_UNDEFINED_TABLE, 47, "there is no table \"t\" in this FROM clause", ""},
    {"select a from t right join lateral (select x from u where u.a = t.a) s on true", ARB_INVALID_COLUMN_REFERENCE, 17, "the right side of a RIGHT or FULL JOIN cannot refer to its left side", ""},
    {"select count(distinct *) from t", ARB_SYNTAX, 23, "* is not allowed here", ""},
    {"select current_date(1)", ARB_UNDEFINED_FUNCTION, 8, "current_date does not take 1 argument", ""},
    {"select nullif(1)", ARB_UNDEFINED_FUNCTION, 8, "nullif does not take 1 argument", ""},
    {"select b collate german from t", ARB_NOT_SUPPORTED, 18, "collation \"german\" is not supported: text compares by bytes", ""},
    {"select a from t limit 10 percent", ARB_NOT_SUPPORTED, 23, "LIMIT … PERCENT is not supported", ""},
    {"select a as z, z + w from t", ARB_UNDEFINED_COLUMN, 20, "column \"w\" does not exist", ""},
    {"select a a1, zz + 1 as zz from t", ARB_UNDEFINED_COLUMN, 14, "column \"zz\" does not exist", ""},
    {"select max(x) from badview", ARB_UNDEFINED_COLUMN, 20, "view \"badview\": column \"nope\" does not exist", ""},
    {"select x from selfview", ARB_STATEMENT_TOO_COMPLEX, 15, "view \"selfview\": views refer to views too often, or to themselves", ""},
    {"select upper(distinct b) from t", ARB_WRONG_OBJECT_TYPE, 8, "DISTINCT is given, but upper is not an aggregate function", ""},
    {"select upper(b) filter (where true) from t", ARB_WRONG_OBJECT_TYPE, 8, "FILTER is given, but upper is not an aggregate function", ""},
    {"select a as b, b + zz as c from t", ARB_UNDEFINED_COLUMN, 20, "column \"zz\" does not exist", ""},
    {"select * from t group by all having d > 1", ARB_UNDEFINED_FUNCTION, 39, "operator date > integer does not exist", "values of these types cannot be compared; a CAST may help"},
    {"select a from t order by sum(c)", ARB_GROUPING, 8, "column \"a\" must appear in the GROUP BY clause or be used in an aggregate function", ""},
    {"select count(*) within group (order by a) from t", ARB_NOT_SUPPORTED, 8, "count WITHIN GROUP is not supported", ""},
    {"select sum(x => a) from t", ARB_NOT_SUPPORTED, 12, "named arguments are not supported", ""},
    {"select \"T\".a from t as \"t\"", ARB_UNDEFINED_TABLE, 8, "there is no table \"T\" in this FROM clause", "did you mean \"t\"?"},
    {"select a from t where a = any (select a, x from u)", ARB_SYNTAX, 23, "the subquery has 2 columns where 1 is needed", ""},
    {"insert into t values (1, 2, 3, 4, 5)", ARB_DATATYPE_MISMATCH, 32, "column \"d\" is of type date, but the value is of type integer", "a CAST may help"},
    {"insert into t (a, zz) values (1, 2)", ARB_UNDEFINED_COLUMN, 19, "table \"t\" has no column \"zz\"", ""},
    {"insert into t (a, a) values (1, 2)", ARB_DUPLICATE_COLUMN, 19, "column \"a\" is given more than once", ""},
    {"insert into t (a, b) select a from u", ARB_SYNTAX, 22, "1 value for 2 columns", ""},
    {"insert into t select a, x, y, 1, 2, 3 from u", ARB_SYNTAX, 15, "6 values for 5 columns", ""},
    {"insert into vw values (1)", ARB_WRONG_OBJECT_TYPE, 13, "\"vw\" is a view", ""},
    {"create table z (a integer default 3)", ARB_NOT_SUPPORTED, 35, "DEFAULT is not supported", "a table's constraints are NOT NULL, PRIMARY KEY and UNIQUE"},
    {"create table z (a integer, A text)", ARB_DUPLICATE_COLUMN, 28, "column \"A\" is given more than once", ""},
    {"create table z as select a, a from t", ARB_DUPLICATE_COLUMN, 1, "column \"a\" is given more than once", ""},
    {"create view z(p, q) as select a from t", ARB_INVALID_COLUMN_REFERENCE, 1, "table \"z\" has 1 column, but 2 names are given", ""},
    {"copy t (nope) to 'x.csv'", ARB_UNDEFINED_COLUMN, 9, "column \"nope\" does not exist", ""},
    {"summarize t", ARB_NOT_SUPPORTED, 1, "SUMMARIZE is not supported", ""},
    {"prepare p as select 1", ARB_NOT_SUPPORTED, 1, "prepared statements are not supported", ""},
    {"select default", ARB_SYNTAX, 8, "DEFAULT is only allowed in the VALUES of an INSERT", ""},
    {"select b from t right join u on exists (select 1 from v where v.k = u.x and v.k = t.a)", ARB_NOT_SUPPORTED, 33, "a subquery in ON that uses both sides of a RIGHT or FULL JOIN is not supported", ""},
    {"select grouping(a) from t", ARB_GROUPING, 8, "GROUPING needs a GROUP BY clause before it", ""},
    {"select grouping(b) from t group by a", ARB_GROUPING, 17, "arguments of GROUPING must be expressions of GROUP BY", ""},
    {"select a, b from t group by rollup (a)", ARB_GROUPING, 11, "column \"b\" must appear in the GROUP BY clause or be used in an aggregate function", ""},
    {"select a, (select max(x) from u where u.a = t.a) from t group by rollup (a)", ARB_NOT_SUPPORTED, 45, "a subquery that uses columns of a query with GROUPING SETS is not supported", ""},
    {"select a from t where grouping(a) = 1 group by a", ARB_GROUPING, 23, "GROUPING needs a GROUP BY clause before it", ""},
    {"select a, a from t union by name select a from u", ARB_DUPLICATE_COLUMN, 20, "BY NAME needs different names, but \"a\" comes twice", ""},
};
/* clang-format on */

static void errors_say_what_and_where(void **state)
{
    (void)state;
    bind_test test = bind_test_create();
    bind_test_add_view(test.catalog, "vw", "select a, count(*) as n from t group by a");
    bind_test_add_view(test.catalog, "badview", "select nope from t");
    bind_test_add_view(test.catalog, "selfview", "select x from selfview");
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        arb_arena arena = {0};
        arb_query query;
        arb_bound_statement bound;
        arb_error error;
        arb_code code = bind_test_bind(&test, &arena, arb_str_of(cases[i].sql), &query, &bound, &error);
        if (code != cases[i].code || error.code != code || error.position != cases[i].position ||
            strcmp(error.message, cases[i].message) != 0 || strcmp(error.hint, cases[i].hint) != 0)
            fail_msg("%s: %s \"%s\" at %lld, hint \"%s\"", cases[i].sql, arb_code_name(code), error.message,
                     (long long)error.position, error.hint);
        arb_arena_reset(&arena);
    }
    bind_test_destroy(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_say_what_and_where)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
