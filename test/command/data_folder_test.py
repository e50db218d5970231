#!/usr/bin/env python3
"""The rules of --data: which names a folder gives, what is skipped, what is an error and when; folders that are columns."""
import pathlib
import sys
import tempfile

import command_driver
from command_driver import expect, expect_failure, sql


class Folder:
    """A temporary folder that files are put into."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.temporary.name, "data")
        self.path.mkdir()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.temporary.cleanup()

    def put(self, name, query="select 1 as a"):
        path = pathlib.Path(self.path, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() in (".parquet", ".csv", ".tsv"):
            form = path.suffix.lower()[1:]
            expect(sql("-c", f"copy ({query}) to '{path}' (format {form})"), (0, "", ""))
        else:
            path.write_text(query)

    def sql(self, *statements):
        return sql("--data", self.path, *(part for statement in statements for part in ("-c", statement)))

    def rows(self, statement):
        status, out, err = self.sql(statement)
        expect((status, err), (0, ""))
        return out.splitlines()[1:]

    def tables(self):
        return [line.split(",")[1] for line in self.rows("show tables")]


def test_names():
    with Folder() as f:
        for name in ("one.parquet", "two.csv", "three.tsv", "UPPER.PARQUET", "with space.csv", "a.b.parquet", "folder/x.parquet",
                     "folder/deep/y.parquet", ".hidden.parquet", "_hidden.parquet", ".hid/x.parquet", "_hid/x.parquet"):
            f.put(name)
        f.put("notes.txt", "no table")
        expect(f.tables(), ["UPPER", "a.b", "folder", "one", "three", "two", "with space"])
        expect(f.rows("select count(*) from folder"), ["2"])
        for name in ("one", "ONE", "two", "three", "upper", '"with space"', '"a.b"'):
            expect(f.rows(f"select * from {name}"), ["1"])
        expect_failure(f.sql("select * from notes"), 1, "42P01")
        expect_failure(f.sql("select * from _hidden"), 1, "42P01")


def test_what_is_skipped_inside_of_a_table():
    with Folder() as f:
        for name in ("t/a.parquet", "t/_b.parquet", "t/.c.parquet", "t/_d/x.parquet", "t/.e/x.parquet"):
            f.put(name)
        f.put("t/_SUCCESS", "")
        f.put("t/readme.md", "")
        expect(f.rows("select count(*) from t"), ["1"])


def test_errors_come_when_a_table_is_named():
    with Folder() as f:
        f.put("good.parquet")
        f.put("mixed/a.parquet")
        f.put("mixed/b.csv")
        f.put("differs/a.parquet", "select 1 as a")
        f.put("differs/b.parquet", "select 1 as b")
        f.put("typed/a.parquet", "select 1 as a")
        f.put("typed/b.parquet", "select 'x' as a")
        pathlib.Path(f.path, "broken.parquet").write_bytes(b"PAR1 nothing PAR1")
        pathlib.Path(f.path, "unknown.avro").write_bytes(b"Obj\x01")
        pathlib.Path(f.path, "empty").mkdir()
        expect(f.rows("select * from good"), ["1"])
        assert "broken" in f.tables() and "empty" in f.tables()
        for name, piece in (("mixed", "42P16"), ("empty", "42P16"), ("broken", "broken.parquet"), ("differs", "b.parquet"),
                            ("typed", "b.parquet"), ("unknown", "0A000")):
            expect_failure(f.sql(f"select * from {name}"), 1, "error: ", piece)


def test_a_file_that_changes():
    """The next statement sees the new one."""
    with Folder() as f:
        f.put("t.csv", "select 1 as a")
        import subprocess
        process = subprocess.Popen([command_driver.BINARY, "sql", "--data", f.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, env=command_driver.ENVIRONMENT)
        process.stdin.write("select * from t;\n")
        process.stdin.flush()
        expect([process.stdout.readline() for _ in range(2)], ["a\n", "1\n"])
        f.put("t.csv", "select 22 as other")
        process.stdin.write("select * from t;\n")
        process.stdin.close()
        expect(process.stdout.read(), "\nother\n22\n")
        expect(process.wait(), 0)


def test_names_given_twice():
    with Folder() as f:
        f.put("one/t.parquet")
        f.put("two/t.parquet")
        one, two = f.path / "one", f.path / "two"
        expect_failure(sql("--data", one, "--data", two, "-c", "select * from t"), 1, "42P09", "one/t.parquet", "two/t.parquet")
        expect(sql("--data", one, "--data", two, "-c", "select 1 as a")[0], 0)  # not used: no error
        expect_failure(sql("--data", one, "--data", one, "-c", "select 1"), 78, "arbalest: two data folders")
        expect_failure(sql("--data", f"x={one}", "--data", f"x={two}", "-c", "select 1"), 78)
        expect(sql("--data", f"x={one}", "-c", "select * from t")[1], "a\n1\n")
        expect_failure(sql("--data", one / "t.parquet", "-c", "select 1"), 78)
        expect_failure(sql("--data", f.path / "none", "-c", "select 1"), 78)
        f.put("three/t.parquet")
        f.put("three/t/x.parquet")
        expect_failure(sql("--data", f.path / "three", "-c", "select * from t"), 1, "42P09")


# ---- folders that are columns -----------------------------------------------------------------------------------------
PARTS = [(year, month, shop) for year in (2022, 2023) for month in ("01", "11") for shop in ("a b", "c%2Fd")]


def sales(form):
    f = Folder()
    for number, (year, month, shop) in enumerate(PARTS):
        f.put(f"sales/year={year}/month={month}/shop={shop}/part.{form}",
              f"select x + {number * 10} as x, 'text ' || x % 3 as t from range(10) r(x)")
    # the same rows in one file, to compare with
    whole = " union all ".join(f"select x + {number * 10} as x, 'text ' || x % 3 as t, {year}::bigint as year, {int(month)}::bigint as month, "
                               f"'{shop.replace('%2F', '/')}' as shop from range(10) r(x)"
                               for number, (year, month, shop) in enumerate(PARTS))
    f.put("plain.parquet", whole)
    f.put("wanted.parquet", "select 2023::bigint as year, 'a b' as shop union all select 2021, 'x'")
    return f


def test_folders_are_columns():
    for form in ("parquet", "csv"):
        with sales(form) as f:
            expect([row.split(",")[:2] for row in f.rows("describe sales")],
                   [["x", "bigint"] if form == "csv" else ["x", "bigint"], ["t", "varchar"], ["year", "bigint"], ["month", "bigint"],
                    ["shop", "varchar"]])
            for query in ("select * from {} order by x", "select count(*) from {}", "select year from {} order by year",
                          "select shop, month, sum(x) from {} group by shop, month order by 1, 2",
                          "select x, year from {} where year = 2023 and x > 45 order by x",
                          "select count(*), sum(x) from {} where year = 2021", "select x from {} where year + month + x > 2100 order by x",
                          "select x from {} where shop = 'c/d' and t = 'text 1' and month = 11 order by x",
                          "select x from {} where shop like 'a%' or x = 17 order by x", "select max(shop), min(year) from {}",
                          "select s.x from {} s join wanted w on s.year = w.year and s.shop = w.shop order by 1",
                          "select s.x, w.shop from {} s left join wanted w on s.year = w.year where month = 1 order by 1",
                          "select distinct year, shop from {} order by 1, 2", "select year, x from {} order by year desc, x limit 3",
                          "select t, count(distinct shop) from {} group by t order by t",
                          "select a.year, count(*) from {} a join {} b on a.year = b.year and a.x = b.x group by a.year order by 1"):
                for setting in ("batch_rows=2048", "batch_rows=3", "force_spill=true"):
                    results = [sql("--data", f.path, "--set", setting, "-c", query.replace("{}", name)) for name in ("sales", "plain")]
                    expect((query, setting, results[0]), (query, setting, results[1]))
                    expect(results[0][0], 0)


def test_types_of_folders():
    with Folder() as f:
        for name in ("dates/d=2023-01-31/x.csv", "dates/d=2023-02-28/x.csv", "mixed/k=1/x.csv", "mixed/k=b/x.csv",
                     "nulls/k=__HIVE_DEFAULT_PARTITION__/x.csv", "nulls/k=7/x.csv", "large/k=99999999999999999999/x.csv",
                     "empty/k=/x.csv", "deep/p/k=3/q/x.csv"):
            f.put(name)
        expect(f.rows("select d + 1 from dates order by 1"), ["2023-02-01", "2023-03-01"])
        expect(f.rows("select k from mixed order by k"), ["1", "b"])
        expect(f.rows("select k, a from nulls order by k"), ["7,1", ",1"])
        expect(f.rows("select count(k), count(*) from nulls"), ["1,2"])
        expect(f.rows("select a from nulls where k is null"), ["1"])
        expect(f.rows("select k from large where k like '9%'"), ["99999999999999999999"])
        expect(f.rows("select k = '' as e from empty"), ["true"])
        expect(f.rows("select k from deep"), ["3"])
        expect(f.rows(f"select k from '{f.path}/mixed' order by k"), ["1", "b"])  # a folder by its path


def test_folders_that_are_no_columns_or_others():
    with Folder() as f:
        for name in ("less/k=1/x.csv", "less/x.csv", "other/k=1/x.csv", "other/j=1/x.csv", "same/k=1/K=2/x.csv", "own/a=1/x.csv"):
            f.put(name)
        for name in ("less", "other"):  # columns only where all files have them
            expect(f.rows(f"select * from {name}"), ["1", "1"])
            expect_failure(f.sql(f"select k from {name}"), 1, "error: 42703")
        expect(f.rows("select * from own"), ["1"])
        expect_failure(f.sql("select * from same"), 1, "error: 42701")


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
