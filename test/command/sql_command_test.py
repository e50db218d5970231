#!/usr/bin/env python3
"""The `arbalest` command seen from outside: what it prints where, and its exit statuses.

What it makes of statements and their results, flags, settings, files and signals; shell_test.py has the terminal,
configuration_test.py what is set outside, data_folder_test.py the tables of --data, sudden_end_test.py what a killed one
leaves behind.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import command_driver
from command_driver import BINARY, ENVIRONMENT, LONG, expect, expect_in, run, sql, start


# ---- statements -------------------------------------------------------------------------------------------------------
def test_one_value():
    expect(sql("-c", "select 1 as x"), (0, "x\n1\n", ""))


def test_sources_in_order():
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("-- a comment; with a semicolon\nselect 2 as b;;\nselect ';' as c")
        script.flush()
        expect(sql("-c", "select 1 as a;", "-f", script.name, "-c", "select 3 as d"),
               (0, "a\n1\n\nb\n2\n\nc\n;\n\nd\n3\n", ""))


def test_standard_input():
    expect(sql(stdin="select 1 as a;\n\nselect 2 as b"), (0, "a\n1\n\nb\n2\n", ""))
    expect(sql(stdin=""), (0, "", ""))
    expect(sql(stdin=" ; ;\n-- nothing\n"), (0, "", ""))


def test_statements_run_as_they_come():
    with subprocess.Popen([BINARY, "sql"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        process.stdin.write("select 1 as a;\n")
        process.stdin.flush()
        expect([process.stdout.readline(), process.stdout.readline()], ["a\n", "1\n"])
        process.stdin.write("select 2 as b")
        process.stdin.close()
        expect(process.stdout.read(), "\nb\n2\n")
        expect(process.wait(), 0)


def test_first_error_stops():
    status, out, err = sql("-c", "select 1 as a; select nothing; select 2")
    expect((status, out), (1, "a\n1\n"))
    expect(err.splitlines()[0].split(": ")[:2], ["error", "42703"])


def test_error_shows_the_place():
    status, out, err = sql("-c", "select 1;\nselect 1,\n  'äö', nope;")
    lines = err.splitlines()
    expect(status, 1)
    expect(lines[1], "LINE 3:   'äö', nope;")
    expect(lines[2], " " * len("LINE 3:   'äö', ") + "^")


def test_error_proposes_a_name():
    status, out, err = sql("-c", "create table lineitem (l_quantity int); select l_quantty from lineitem")
    expect(status, 1)
    expect_in("l_quantity", err)
    status, out, err = sql("-c", "create table lineitem (a int); select * from linitem")
    expect(status, 1)
    expect_in("42P01", err)
    expect_in('"lineitem"', err)


def test_ddl_prints_nothing():
    expect(sql("-c", "create table t (a int, b varchar); insert into t values (1, 'x'), (2, null); select * from t order by a"),
           (0, "a,b\n1,x\n2,\n", ""))


# ---- formats ----------------------------------------------------------------------------------------------------------
VALUES = """select * from (values
  (1, 'plain', 1.50, true, date '1998-12-01', 0.1e0),
  (2, 'with, comma', -0.05, false, date '2000-02-29', 1e300),
  (3, '', null, null, null, 'NaN'::double),
  (4, null, 12345678901234567890.12, true, null, 'Infinity'::double),
  (9007199254740993, ' outer "quoted" ', 0.00, true, null, 5e-2)) as v(n, s, d, b, day, f) order by n"""


def test_csv():
    status, out, err = sql("-c", VALUES)
    expect(err, "")
    expect(out.splitlines(), [
        "n,s,d,b,day,f",
        "1,plain,1.50,true,1998-12-01,0.1",
        '2,"with, comma",-0.05,false,2000-02-29,1e+300',
        '3,"",,,,NaN',
        "4,,12345678901234567890.12,true,,Infinity",
        '9007199254740993," outer ""quoted"" ",0.00,true,,0.05'])


def test_csv_header_without_rows():
    expect(sql("-c", "select 1 as a, 2 as \"b,c\" where false"), (0, 'a,"b,c"\n', ""))


def test_tsv():
    expect(sql("--format", "tsv", "-c", "select 1 as a, 'x,y' as b, e'a\\tb' as c"), (0, 'a\tb\tc\n1\tx,y\t"a\tb"\n', ""))


def test_json():
    status, out, err = sql("--format", "json", "-c", VALUES, "-c", "select 1 as a where false")
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    first, end = decoder.raw_decode(out)
    second, _ = decoder.raw_decode(out[end:].lstrip())
    expect(second, [])
    expect(first[0], {"n": "1", "s": "plain", "d": "1.50", "b": True, "day": "1998-12-01", "f": "0.1"})
    expect(first[2], {"n": "3", "s": "", "d": None, "b": None, "day": None, "f": None})
    expect(first[4]["n"], "9007199254740993")
    expect(first[3]["d"], "12345678901234567890.12")


def test_ndjson():
    expect(sql("--format", "ndjson", "-c", "select * from (values (1, e'a\\n\"'), (2, null)) v(a, b) order by a"),
           (0, '{"a":1,"b":"a\\n\\""}\n{"a":2,"b":null}\n', ""))


def test_table():
    status, out, err = sql("--format", "table", "-c", "select * from (values (1, 'ä'), (200, null)) v(n, name) order by n")
    expect(out, "   n | name\n-----+------\n   1 | ä\n 200 | NULL\n(2 rows)\n")


def test_arrow():
    done = subprocess.run([BINARY, "sql", "--format", "arrow", "-c", "select 1 as a"], capture_output=True, env=ENVIRONMENT)
    expect((done.returncode, done.stderr), (0, b""))
    expect(done.stdout[:4], b"\xff\xff\xff\xff")
    expect(done.stdout[-8:], b"\xff\xff\xff\xff\0\0\0\0")
    done = subprocess.run([BINARY, "sql", "--format", "arrow", "-c", "select 1; select 2"], capture_output=True, env=ENVIRONMENT)
    expect(done.returncode, 1)
    expect_in(b"0A000", done.stderr)


# ---- timing, flags, configuration -------------------------------------------------------------------------------------
def test_timing():
    status, out, err = sql("--timing", "-c", "select 1; select * from (values (1), (2)) v; select 1/0")
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    expect(status, 1)
    expect([(line["statement"], line["rows"]) for line in lines], [(1, 1), (2, 2), (3, 0)])
    for line in lines:
        assert 0 < line["seconds"] < 10 and line["peak_memory_bytes"] >= 0
    expect(["error" in line for line in lines], [False, False, True])
    expect_in("22012", lines[2]["error"])


def test_wrong_usage():
    for arguments in (["sql", "--nonsense"], ["sql", "--threads"], ["sql", "--threads", "zero", "-c", ""], ["sql", "operand"],
                      ["sql", "--format", "xml"], ["sql", "--memory-limit", "5 parsecs"], ["sql", "--set", "threads"],
                      ["sql", "--set", "nonsense=1"], ["nonsense"], [], ["sql", "--timing=1"], ["generate", "tpch"],
                      ["sql", "--data", "/tmp", "--connect", "arbalest://127.0.0.1:1"], ["help", "nonsense"]):
        status, out, err = run(*arguments)
        expect((arguments, status, out), (arguments, 2, ""))
        assert err


def test_wrong_configuration():
    expect(sql("-c", "", ARBALEST_NONSENSE="1")[0], 78)
    expect(sql("-c", "", ARBALEST_SQL_NONSENSE="1")[0], 78)
    expect(sql("-c", "", ARBALEST_SQL_THREADS="many")[0], 78)
    expect(sql("-c", "", ARBALEST_CPU="v9")[0], 78)
    expect(sql("-c", "", ARBALEST_SCHEDULER_PORT="50050")[0], 0)


def test_environment_and_flag():
    expect(sql("-c", "show threads", ARBALEST_SQL_THREADS="3"), (0, "threads\n3\n", ""))
    expect(sql("-c", "show threads", "--threads", "2", ARBALEST_SQL_THREADS="3"), (0, "threads\n2\n", ""))
    expect(sql("-c", "select 1 as a", ARBALEST_SQL_FORMAT="ndjson"), (0, '{"a":1}\n', ""))


def test_settings():
    expect(sql("--set", "batch_rows=7", "--memory-limit", "64MiB", "-c", "show batch_rows; show memory_limit; set threads = 1; show threads"),
           (0, "batch_rows\n7\n\nmemory_limit\n64MiB\n\nthreads\n1\n", ""))
    status, out, err = sql("-c", "set nonsense = 1")
    expect(status, 1)


def test_levels():
    for level in ("v2", "v3", "v4"):
        status, out, err = sql("-c", "select sum(x) as s from (values (1), (2)) v(x)", ARBALEST_CPU=level)
        assert (status, out) == (0, "s\n3\n") or status == 78, (level, status, err)


def test_connect():
    status, out, err = sql("--connect", "arbalest://127.0.0.1:1", "-c", "select 1")
    expect((status, out), (1, ""))
    expect_in("08001", err)


def test_version_and_help():
    assert re.fullmatch(r"arbalest \d+\.\d+\.\d+\n", run("version")[1])
    expect_in("generate", run("help")[1])
    for flag in ("--data", "--memory-limit", "-c", "--timing"):
        expect_in(flag, run("help", "sql")[1])


# ---- data -------------------------------------------------------------------------------------------------------------
def test_generate_and_read():
    with tempfile.TemporaryDirectory() as folder:
        expect(run("generate", "tpch", "--scale", "0.01", "--output", folder + "/tpch")[0], 0)
        expect(sql("--data", folder + "/tpch", "-c", "select count(*) as n, sum(l_quantity) as q from lineitem; select count(*) as n from REGION"),
               (0, "n,q\n60175,1536127.00\n\nn\n5\n", ""))
        expect(run("generate", "tpch", "--scale", "0.01", "--output", folder + "/csv", "--format", "csv")[0], 0)
        expect(sorted(os.listdir(folder + "/csv"))[0], "customer.csv")


def test_sorted_keys_are_many():
    """Differences of sorted keys take next to nothing in a file: that must not be taken for few values."""
    with tempfile.TemporaryDirectory() as folder:
        expect(sql("-c", f"copy (select x as k from range(50000) r(x)) to '{folder}/a.parquet'; copy (select x as k from range(50000) r(x)) to '{folder}/b.parquet'")[0], 0)
        plan = sql("--data", folder, "--format", "tsv", "-c", "explain select count(*) from a, b where a.k = b.k")[1]
        expect_in("~50000", next(line for line in plan.splitlines() if "JOIN" in line))


def test_copy_and_read_again():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "made.parquet")
        expect(sql("-c", f"copy (select x, x * 2 as y from (values (1), (2), (null)) v(x)) to '{path}'"), (0, "", ""))
        expect(sql("--data", folder, "-c", "select sum(y) as s, count(*) as n from made"), (0, "s,n\n6,3\n", ""))
        expect(sql("-c", f"select max(x) as m from '{path}'"), (0, "m\n2\n", ""))
        expect(sql("-c", f"copy (select 1 as a, 'b,c' as b) to '{folder}/t.csv'"), (0, "", ""))
        expect(pathlib.Path(folder, "t.csv").read_text(), 'a,b\n1,"b,c"\n')


def test_bad_table_is_an_error_only_when_named():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "bad.parquet").write_bytes(b"PAR1 this is none PAR1")
        expect(sql("--data", folder, "-c", "select 1 as a"), (0, "a\n1\n", ""))
        status, out, err = sql("--data", folder, "-c", "select * from bad")
        expect((status, out), (1, ""))
        expect_in("bad.parquet", err)


def test_name_given_twice():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("one", "two"):
            pathlib.Path(folder, name).mkdir()
            expect(sql("-c", f"copy (select 1 as a) to '{folder}/{name}/t.parquet'")[0], 0)
        status, out, err = sql("--data", folder + "/one", "--data", folder + "/two", "-c", "select * from t")
        expect(status, 1)
        expect_in("one/t.parquet", err)
        expect_in("two/t.parquet", err)
        expect(sql("--data", f"x={folder}/one", "--data", f"x={folder}/two", "-c", "")[0], 78)


# ---- signals and pipes ------------------------------------------------------------------------------------------------
def test_reader_gone():
    process = subprocess.Popen([BINARY, "sql", "-c", "select * from range(100000000) r(x)"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=ENVIRONMENT)
    process.stdout.readline()
    process.stdout.close()
    expect(process.wait(timeout=30), 141)
    expect(process.stderr.read(), b"")
    process.stderr.close()


def test_output_cannot_be_written():
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, "sql", "-c", "select 1"], stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    expect(done.returncode, 1)
    expect_in("error: 53100", done.stderr)


def test_interrupt():
    process = subprocess.Popen([BINARY, "sql", "-c", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=ENVIRONMENT)
    time.sleep(0.5)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - sent < 1, "slow to end"
    expect((process.returncode, out), (130, ""))
    expect_in("error: 57014", err)


def test_starts_quickly():
    times = []
    for _ in range(10):
        start = time.monotonic()
        expect(sql("-c", "select 1 as a")[0], 0)
        times.append(time.monotonic() - start)
    assert min(times) < 0.05, times


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
