#!/usr/bin/env python3
"""Files in SQL: the options of read_csv, read_parquet, COPY and CREATE EXTERNAL TABLE; patterns, lists and folders that are
columns; what is refused, and how.

Each function whose name begins with test_ is one test, in a folder of its own. Last line: `N passed, N failed, N skipped`.
"""
import gzip
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("BINARY", ROOT / "build/arbalest")).resolve()
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("ARBALEST_")}


def run(*statements, flags=()):
    done = subprocess.run([BINARY, "sql", *flags, "-c", ";".join(statements)], capture_output=True, text=True,
                          timeout=60, env=ENVIRONMENT)
    return done.returncode, done.stdout, done.stderr


def put(path, content):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def rows(wanted, *statements, **more):
    """The last statement's rows, without the header; lines are separated by spaces here where they hold none."""
    status, out, errors = run(*statements, **more)
    if status != 0:
        raise AssertionError(errors)
    got = out.split("\n\n")[-1].splitlines()[1:]
    wanted = wanted.split() if isinstance(wanted, str) else wanted
    if got != wanted:
        raise AssertionError(f"expected {wanted!r}, got {got!r}")


def names(wanted, statement):
    status, out, errors = run(statement)
    if status != 0:
        raise AssertionError(errors)
    if out.splitlines()[0] != wanted:
        raise AssertionError(f"expected {wanted!r}, got {out.splitlines()[0]!r}")


def fails(pieces, *statements):
    status, _, errors = run(*statements)
    if status == 0:
        raise AssertionError("did not fail")
    for piece in [pieces] if isinstance(pieces, str) else pieces:
        if piece not in errors:
            raise AssertionError(f"no {piece!r} in {errors!r}")


def content(path, wanted):
    got = pathlib.Path(path).read_text()
    if got != wanted:
        raise AssertionError(f"expected {wanted!r}, got {got!r}")


# ---- how a CSV file is written ----------------------------------------------------------------------------------------
def test_bytes_that_mean_something():
    put("a.csv", "x;'a;b'\ny;'it\\'s'\n")
    rows(["x,a;b", "y,it's"], "select * from read_csv('a.csv', delim=';', quote='''', escape='\\', header=false)")
    rows(["x,a;b", "y,it's"], "select * from read_csv('a.csv', sep => ';', quote := '''', header = no)")
    put("t.csv", "1\t2\n3\t4\n")
    rows("1,2 3,4", "select * from read_csv('t.csv', delimiter='\\t', header=false)")
    put("q.csv", 'a,b\n"1,2\n')
    rows(['"""1",2'], "select * from read_csv('q.csv', quote='')")
    put("c.csv", "!top\na,b\n!no\n1,2\n")
    rows("1,2", "select * from read_csv('c.csv', comment='!')")
    put("s.csv", "junk, and more\nstill\na,b\n1,2\n")
    rows("1,2", "select * from read_csv('s.csv', skip=2)")


def test_header():
    put("a.csv", "a,b\n1,2\n")
    rows("1,2", "select * from read_csv('a.csv')")
    rows("a,b 1,2", "select * from read_csv('a.csv', header=false)")
    put("n.csv", "1,2\n3,4\n")
    rows("1,2 3,4", "select * from read_csv('n.csv')")
    rows("3,4", "select * from read_csv('n.csv', header=true)")
    names("1,2", "select * from read_csv('n.csv', header=true)")


def test_nulls():
    put("a.csv", 'a,b\n1,NA\n-,"NA"\n,""\n')
    rows('1, ,NA ,""', "select * from read_csv('a.csv', nullstr=['NA','-',''])")
    rows("2", "select count(*) from read_csv('a.csv', nullstr=['NA','-'], allow_quoted_nulls=true) where b is null")
    rows("1", "select count(*) from read_csv('a.csv', nullstr=['NA','-']) where b is null")
    rows("0", "select count(*) from read_csv('a.csv', nullstr='NA', force_not_null=['b']) where b is null")
    rows("0", "select count(*) from read_csv('a.csv', nullstr='NA', all_varchar=true, force_not_null='*') "
         "where a is null or b is null")
    fails('no column "c"', "select * from read_csv('a.csv', force_not_null=['c'])")


def test_bad_rows():
    put("a.csv", "a,b\n" + "1,2\n" * 3 + "x,3\n5\n6,7,8\n")
    fails("line 6", "select * from read_csv('a.csv', types={'a':'INT','b':'INT'}, delim=',', header=true)")
    rows("3", "select count(a) from read_csv('a.csv', types=['INT','INT'], delim=',', header=true, ignore_errors=true)")
    rows("3", "select count(a) from read_csv('a.csv', types=['INT','INT'], delim=',', header=true, on_error=ignore)")
    rows("1,2 1,2 1,2 ,3 5, 6,7", "select * from read_csv('a.csv', types=['INT','INT'], delim=',', header=true, "
         "on_error='set_null')")
    # Which rows are left out does not depend on what is asked for.
    bad = "read_csv('c.csv', types=['INT','INT','VARCHAR'], delim=',', quote='\"', " \
          "header=true, ignore_errors=true)"
    put("c.csv", b'a,b,c\n1,2,x\ny,2,x\n3,y,x\n4,2,"x"x\n5,2,\xff\n6,2,x\n')
    for what in ("*", "a", "b", "c", "1"):
        rows("2", f"select count(*) from (select {what} from {bad})")
    rows("2", f"select count(*) from {bad}")
    for condition in ("a > 0", "b > 0", "c <> 'y'", "12 / (a - 3) < 10", "12 / (a - 3) < 10 and b = 2"):
        rows("2", f"select count(*) from {bad} where {condition}")
    rows("6,2,x", f"select * from {bad} where a > 1")
    put("p.csv", "a,b\n1\n2,3\n")
    rows("1, 2,3", "select * from read_csv('p.csv', null_padding=true, delim=',', header=true)")
    fails("must be stop, ignore or set_null", "select * from read_csv('a.csv', on_error='maybe')")


def test_dates():
    put("a.csv", "d,t\n31.12.2023,31.12.2023 23:59\n01.02.2024,01.02.2024 00:01\n")
    rows(["2023-12-31,2023-12-31 23:59:00", "2024-02-01,2024-02-01 00:01:00"],
         "select * from read_csv('a.csv', dateformat='%d.%m.%Y', timestampformat='%d.%m.%Y %H:%M')")
    rows(["date,timestamp"], "select typeof(d), typeof(t) from read_csv('a.csv', dateformat='%d.%m.%Y', "
         "timestampformat='%d.%m.%Y %H:%M') limit 1")
    rows(["varchar,varchar"], "select typeof(d), typeof(t) from read_csv('a.csv') limit 1")
    put("b.csv", "20240131\n20240201\n")
    rows("2024-01-31 2024-02-01", "select * from read_csv('b.csv', dateformat='%Y%m%d', header=false)")
    put("c.csv", "d\n01/02/2024\n13/02/2024\n")
    fails('"13/02/2024" is no date', "select * from read_csv('c.csv', dateformat='%m/%d/%Y', types={'d':'DATE'})")
    fails("date", "select * from read_csv('c.csv', dateformat='%')")


# ---- which columns it has ---------------------------------------------------------------------------------------------
def test_columns_are_said():
    put("a.csv", "1,x\n2,y\n")
    rows("1,x 2,y", "select * from read_csv('a.csv', columns={'p':'DOUBLE','q':'VARCHAR'})")
    rows("1,x 2,y", "select p, q from read_csv('a.csv', names=['p','q'], header=false)")
    rows(["varchar,varchar"], "select typeof(column0), typeof(column1) from read_csv('a.csv', all_varchar=true, "
         "header=false) limit 1")
    rows(["smallint,varchar"], "select typeof(column0), typeof(column1) from read_csv('a.csv', "
         "types={'column0':'SMALLINT'}, header=false) limit 1")
    rows(['"decimal(10,2)"'], "select typeof(column0) from read_csv('a.csv', types=['DECIMAL(10,2)'], header=false) limit 1")
    rows(["varchar"], "select typeof(column0) from read_csv('a.csv', auto_detect=false) limit 1")
    fails('no column "z"', "select * from read_csv('a.csv', types={'z':'INT'})")
    fails("3 types for 2 columns", "select * from read_csv('a.csv', types=['INT','INT','INT'])")
    fails("3 names for 2 columns", "select * from read_csv('a.csv', names=['a','b','c'])")
    fails(['type "INTT" does not exist', "did you mean int"], "select * from read_csv('a.csv', types=['INTT'])")
    fails("must be types by name", "select * from read_csv('a.csv', types='INT')")
    fails("cannot hold nested values", "select * from read_csv('a.csv', types=['INT[]'])")
    fails("given more than once", "select * from read_csv('a.csv', columns={'p':'INT','P':'INT'})")
    fails("cannot be given with it", "select * from read_csv('a.csv', columns={'p':'INT'}, names=['q'])")


def test_header_when_columns_are_said():
    columns = "columns={'a':'INTEGER','b':'VARCHAR'}"
    put("same.csv", "A,B\nx,y\n")
    rows("x,y", "select * from read_csv('same.csv', columns={'a':'VARCHAR','b':'VARCHAR'})")
    put("other.csv", "p,q\nx,y\n")
    rows("p,q x,y", "select * from read_csv('other.csv', columns={'a':'VARCHAR','b':'VARCHAR'})")
    put("types.csv", "p,q\n1,y\n")
    rows("1,y", f"select * from read_csv('types.csv', {columns})")
    put("none.csv", "1,q\n2,y\n")
    rows("1,q 2,y", f"select * from read_csv('none.csv', {columns})")


def test_sample_size():
    put("a.csv", "a\n" + "1\n" * 300000 + "x\n" + "1\n" * 300000)
    fails("is no bigint", "select max(a) from read_csv('a.csv', sample_size=1000)")
    rows("x", "select max(a) from read_csv('a.csv', sample_size=-1)")
    fails("a number of rows", "select * from read_csv('a.csv', sample_size=0)")


# ---- several files ----------------------------------------------------------------------------------------------------
def test_patterns_and_lists():
    for name, value in (("d/a1.csv", 1), ("d/a2.csv", 2), ("d/b1.csv", 3), ("d/e/a1.csv", 4), ("d/.h.csv", 5)):
        put(name, f"x\n{value}\n")
    rows("1 2", "from read_csv('d/a*.csv') order by x")
    rows("1 3", "from read_csv('d/?1.csv') order by x")
    rows("1 2 3 4", "from 'd/**/*.csv' order by x")
    rows("2 3", "from read_csv('d/[!a]*.csv') union all from read_csv('d/[a]2.csv') order by x")
    rows("4 1", "from read_csv(['d/e/a1.csv', 'd/a1.csv'])")
    rows("1,d/a1.csv 2,d/a2.csv", "from read_csv('d/a*.csv', filename=true) order by x")
    rows("d/a2.csv", "select f from read_csv('d/a*.csv', filename='f') where x = 2")
    rows("2", "select x from read_csv('d/a*.csv', filename=true) where filename like '%2.csv'")
    rows("4", "select count(*) from read_csv('d/**/*.csv', filename=true) where filename <> ''")
    put("d/[x].csv", "x\n9\n")
    rows("9", "from 'd/[x].csv'")
    fails("no file fits the pattern", "from read_csv('d/z*.csv')")
    fails("No such file", "from read_csv('d/z.csv')")
    fails("of one format", "copy (select 1 as x) to 'd/p.parquet'", "from 'd/*'")
    fails("empty", "from read_csv([])")
    fails("Several paths are a list", "from read_csv('a', 'b')")


def test_links_to_folders():
    put("d/x.csv", "a\n1\n")
    put("other/y.csv", "a\n2\n")
    os.symlink("../other", "d/other")
    rows("1 2", "select a from 'd' order by a")
    rows("1", "select count(*) from 'd/**/*.csv'")  # a link is not followed by **,
    rows("2", "select * from 'd/other/**/*.csv'")  # but where it is named
    rows("1 2", "select a from 'd/*/*.csv' union all select a from 'd/*.csv' order by a")  # or fits a part
    # Two ways back in each folder, over so many links that the system soon has enough of them.
    os.makedirs("links")
    for name in ("left", "right"):
        os.symlink("../d", f"links/{name}0")
        for i in range(1, 4):
            os.symlink(f"{name}{i - 1}", f"links/{name}{i}")
        os.symlink(f"../links/{name}3", f"d/{name}")
    rows("1", "select count(*) from 'd/**/*.csv'")
    fails("is a folder that it lies in", "select * from 'd'")
    os.unlink("d/left")
    os.unlink("d/right")
    os.symlink("../d", "other/up")  # from below
    rows("1", "select * from 'd/**/*.csv'")
    fails("is a folder that it lies in", "select * from 'd'")


def test_types_of_several_files():
    put("1.csv", "a,b\n1,2020-01-01\n")
    put("2.csv", "a,b\n1.5,2020-01-01 10:00:00\n")
    rows(["1,2020-01-01 00:00:00", "1.5,2020-01-01 10:00:00"], "from read_csv('?.csv')")
    put("3.csv", "a,b\nx,y\n")
    rows(["1,2020-01-01", "1.5,2020-01-01 10:00:00", "x,y"], "from read_csv('?.csv')")
    put("4.csv", "a,c\nx,y\n")
    fails(['column 2 of 4.csv is named "c"', "union_by_name"], "from read_csv('?.csv')")


def test_union_by_name():
    put("1.csv", "a,b\n1,2\n")
    put("2.csv", "B,c\n2.5,x\n")
    rows("1,2, ,2.5,x", "from read_csv('?.csv', union_by_name=true)")
    rows("x", "select c from read_csv('?.csv', union_by_name=true) where a is null")
    rows("varchar", "select typeof(c) from read_csv('?.csv', union_by_name=true, types={'c':'VARCHAR'}) limit 1")
    fails('no file has a column "z"', "from read_csv('?.csv', union_by_name=true, types={'z':'VARCHAR'})")
    rows("1", "select count(*) from read_csv('?.csv', union_by_name=true) where c is null and b < 3")
    nested = ROOT / "test/sql/data/nested.parquet"
    run(f"copy (select k, l, s from '{nested}' where k = 1) to '1.parquet'", "copy (select 'x' as t, 99 as k) to '2.parquet'")
    both = "from read_parquet(['1.parquet','2.parquet'], union_by_name=true)"
    rows(['1,"[1,2]","{""a"":1,""b"":""x""}",', "99,,,x"], both)
    rows(["99,", '1,"[1,2]"'], f"select k, l {both} order by l desc")
    rows(["99,true", "1,false"], f"select k, s is null {both} order by s desc, t")
    run("copy (select 'y' as k) to '3.parquet'")
    fails("another type", "from read_parquet('*.parquet', union_by_name=true)")


def test_memory_of_many_files():
    """Each file takes what its columns take, not what those of all files do."""
    names = [f"column_number_{i}" for i in range(40)]
    for i in range(2500):
        put(f"m/{i:04}.csv", ",".join(names) + "\n" + ",".join(["1"] * len(names)) + "\n")
    rows("2500", "select count(column_number_7) from read_csv('m/*.csv', union_by_name=true, delim=',', header=true)")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    if most > 600:  # MiB
        raise AssertionError(f"{most} MiB were needed")


def test_folders_are_columns():
    put("t/year=2023/c=a/1.csv", "1\n2\n")
    put("t/year=2024/c=b%20c/1.csv", "3\n")
    put("t/year=2024/c=__HIVE_DEFAULT_PARTITION__/1.csv", "4\n")
    rows(["1,2023,a", "2,2023,a", "3,2024,b c", "4,2024,"], "from 't/*/*/*.csv' order by 1")
    rows("3 4", "select column0 from 't' where year = 2024 order by 1")
    rows("4", "select column0 from 't' where c is null")
    rows("1 2 4", "select column0 from 't' where c = 'a' or column0 > 3 order by 1")
    rows("2023,3 2024,7", "select year, sum(column0) from 't' group by year order by year")
    rows("3", "select column0 from 't' join (values (2024, 'b c')) v(y, d) on year = y and c = d")
    rows("bigint,varchar", "select typeof(year), typeof(c) from 't' limit 1")
    rows("smallint", "select typeof(year) from read_csv('t/*/*/*.csv', hive_types={'year':'SMALLINT'}) limit 1")
    names("column0", "from read_csv('t/*/*/*.csv', hive_partitioning=false)")
    rows("1,2023,a", "from t where column0 = 1", flags=("--data", "."))
    put("d/day=2024-01-01/1.csv", "1\n")
    put("d/day=2024-01-02/1.csv", "2\n")
    rows("2", "select column0 from 'd' where day > date '2024-01-01'")
    put("u/k=1/1.csv", "1\n")
    put("u/j=2/1.csv", "1\n")
    names("column0", "from 'u'")
    fails("other keys", "from read_csv('u/*/*.csv', hive_partitioning=true)")
    put("v/a=7/1.csv", "a,b\n1,2\n")
    rows("7,2", "from 'v'")


def test_external_tables():
    put("a.csv", "1|x\n2|-\n")
    make = "create external table e (p integer not null, q varchar) stored as csv delimiter '|' location 'a.csv'"
    rows("1,x 2,", make + " options (null_value '-')", "from e")
    rows("1,x 2,-", make + " options ('format.has_header' false)", "from e")
    rows("2,-", "create external table e stored as csv with header row delimiter '|' location 'a.csv'", "from e")
    put("t/y=2023/1.csv", "1\n")
    put("t/y=2024/1.csv", "2\n")
    rows("2,2024", "create external table e stored as csv partitioned by (y int) location 't'", "from e where y > 2023")
    fails('gives a column "z"', "create external table e stored as csv partitioned by (z) location 't'", "from e")
    fails('no option "delimeter"', "create external table e stored as csv location 'a.csv' options (delimeter '|')")
    fails("leave the list out", "create external table e (a int) stored as parquet location 'a.parquet'")
    fails("there is no format", "create external table e stored as text location 'a.csv'")
    fails("key of an external table", "create external table e (a int primary key) stored as csv location 'a.csv'")


# ---- COPY -------------------------------------------------------------------------------------------------------------
MAKE = "create table t (x integer, y varchar, d date)"
FILL = "insert into t values (1, 'a', '2024-01-31'), (2, null, null), (null, 'it''s; \"b\"', '2024-02-01')"


def test_copy_from():
    put("a.csv", "1,x,2024-01-31\n,NA,\n")
    rows("1,x,2024-01-31 ,,", MAKE, "copy t from 'a.csv' (null ('NA', ''))", "from t")
    rows("2024-01-31,x,1", MAKE, "copy t (x, y, d) from 'a.csv' with (format csv, header false)", "select d, y, x from t limit 1")
    put("b.csv", "y,x\nq,5\n")
    rows("5,q,", MAKE, "copy t (y, x) from 'b.csv' csv header", "from t")
    rows("5,q,", MAKE, "copy t (y, x) from 'b.csv'", "from t")
    put("007.csv", "007,1\n")
    rows("007,1", "create table t (a varchar, b double)", "copy t from '007.csv'", "select a, cast(b as integer) from t")
    put("x", "1|2\n")
    rows("1,2", "create table t (a integer, b integer)", "copy t from 'x' (delimiter '|')", "from t")
    put("c.csv", "1,2\nx,3\n")
    fails("line 2", "create table t (a integer, b integer)", "copy t from 'c.csv' (header false)")
    rows("1,2", "create table t (a integer, b integer)", "copy t from 'c.csv' (header false, on_error ignore)", "from t")
    put("d.csv", "1,2,3\n")
    fails('has 3 columns instead of 2', "create table t (a integer, b integer)", "copy t from 'd.csv'")
    fails(['no option "delimter"', "delimiter"], MAKE, "copy t from 'a.csv' (delimter ',')")
    fails('no option "columns"', MAKE, "copy t from 'a.csv' (columns 1)")
    run("copy (select 7 as p, 'z' as q) to 'a.parquet'")
    rows("7,z,", MAKE, "copy t (x, y) from 'a.parquet'", "from t")
    fails('no option "header"', MAKE, "copy t (x, y) from 'a.parquet' (header)")


def test_copy_to_csv():
    run(MAKE, FILL, "copy t to 'a.csv'", "copy t to 'b.csv' (header false, delimiter ';', quote '''', null 'NULL')",
        "copy t to 'c.csv' (escape '\\', force_quote *, null '-')", "copy t to 'd.csv' (dateformat '%d.%m.%Y', force_quote (d))",
        "copy (select 'NA' as a, 1.5 as b, null as c, true as e) to 'e.csv' (null 'NA')",
        "copy (select timestamp '2024-01-31 10:11:12' as t) to 'f.csv' (timestampformat '%Y%m%d-%H%M')",
        "copy t to 'g.tsv'")
    content("a.csv", 'x,y,d\n1,a,2024-01-31\n2,,\n,"it\'s; ""b""",2024-02-01\n')
    content("b.csv", "1;a;2024-01-31\n2;NULL;NULL\nNULL;'it''s; \"b\"';2024-02-01\n")
    content("c.csv", 'x,y,d\n"1","a","2024-01-31"\n"2",-,-\n-,"it\'s; \\"b\\"","2024-02-01"\n')
    content("d.csv", 'x,y,d\n1,a,"31.01.2024"\n2,,\n,"it\'s; ""b""","01.02.2024"\n')
    content("e.csv", 'a,b,c,e\n"NA",1.5,NA,true\n')
    content("f.csv", "t\n20240131-1011\n")
    content("g.tsv", 'x\ty\td\n1\ta\t2024-01-31\n2\t\t\n\t"it\'s; ""b"""\t2024-02-01\n')
    fails("cannot be told apart", MAKE, "copy t to 'z.csv' (delimiter ';', null 'a;b')")
    fails("not among those copied", MAKE, "copy t to 'z.csv' (force_quote (z))")
    fails(['no option "headr"', "header"], MAKE, "copy t to 'z.csv' (headr)")
    fails("given twice", MAKE, "copy t to 'z.csv' (delim ';', delimiter ';')")
    fails("cannot be written yet", MAKE, "copy t to 'z.avro'")


def test_copy_to_compressed():
    run(MAKE, FILL, "copy t to 'a.csv.gz'", "copy t to 'b.csv' (compression zstd)", "copy (select 1 as a) to 'c.ndjson.gz'",
        "copy (select range as a from range(400000)) to 'd.csv.gz' (compression_level 1)",
        "copy (select 1 as a where false) to 'e.csv.gz' (header false)", "copy t to 'f.csv.gz' (compression none)")
    expected = 'x,y,d\n1,a,2024-01-31\n2,,\n,"it\'s; ""b""",2024-02-01\n'
    if gzip.open("a.csv.gz").read().decode() != expected or gzip.open("e.csv.gz").read() != b"":
        raise AssertionError("what is compressed is something else")
    content("f.csv.gz", expected)
    if gzip.open("c.ndjson.gz").read() != b'{"a":1}\n':
        raise AssertionError("what is compressed is something else")
    rows("3", "select count(*) from 'b.csv'")
    rows("400000,79999800000", "select count(*), sum(a) from 'd.csv.gz'")
    fails("must be none, gzip or zstd", MAKE, "copy t to 'z.csv' (compression lzma)")


def test_copy_to_parquet():
    run("create table t as select range as a from range(10000)", "copy t to 'a.parquet' (compression none)",
        "copy t to 'b.parquet' (compression zstd, compression_level 3, row_group_size 2048)")
    rows("10000", "select count(*) from 'b.parquet'")
    if b"snappy" in pathlib.Path("a.parquet").read_bytes():
        raise AssertionError("compressed all the same")
    fails("must be zstd, snappy, gzip, lz4 or none", MAKE, "copy t to 'z.parquet' (compression zip)")
    fails("must be a number from 1", MAKE, "copy t to 'z.parquet' (row_group_size 0)")
    fails('no option "header"', MAKE, "copy t to 'z.parquet' (header)")


# ---- unknown options --------------------------------------------------------------------------------------------------
def test_unknown_options():
    put("a.csv", "1\n")
    fails(['read_csv has no option "delimeter"', "Did you mean delimiter?"], "from read_csv('a.csv', delimeter='|')")
    fails(['read_csv has no option "nullstring"', "Did you mean nullstr?"], "from read_csv('a.csv', nullstring='|')")
    fails('read_csv has no option "nothing_like_it"', "from read_csv('a.csv', nothing_like_it=1)")
    fails('read_parquet has no option "delim"', "from read_parquet('a.csv', delim='|')")
    fails("given twice", "from read_csv('a.csv', sep='|', delim='|')")
    fails("must be one ASCII character", "from read_csv('a.csv', sep='||')")
    fails("must be true or false", "from read_csv('a.csv', header=2)")
    fails("must be a whole number", "from read_csv('a.csv', skip='x')")
    fails("must be a text", "from read_csv('a.csv', quote=1)")


def main():
    failed, tests = 0, [(n, t) for n, t in globals().items() if n.startswith("test_")]
    for name, test in tests:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                test()
            except Exception:
                failed += 1
                print(f"FAILED {name}")
                traceback.print_exc(file=sys.stdout)
            os.chdir(ROOT)
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
