#!/usr/bin/env python3
"""Results as text: every format with values of every kind, NULL and the empty text, several results, failures in the middle."""
import csv
import io
import json
import math
import shutil
import subprocess
import sys
import tempfile

import command_driver
from command_driver import BINARY, ENVIRONMENT, ROOT, expect, expect_failure, expect_in, sql

# SQL, as csv shows it
VALUES = [
    ("true", "true"), ("false", "false"), ("1::tinyint", "1"), ("(-32768)::smallint", "-32768"), ("2147483647", "2147483647"),
    ("-9223372036854775808", "-9223372036854775808"), ("1.50", "1.50"), ("0.00", "0.00"), ("-0.05", "-0.05"), ("100::decimal(5,2)", "100.00"),
    ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"), ("0.1e0", "0.1"), ("1e0", "1"), ("1e15", "1e+15"),
    ("123456789012345.0e0", "123456789012345"), ("1e-5", "1e-05"), ("-0e0", "-0"), ("5e-324", "5e-324"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ("0.1::real", "0.1"), ("16777216::real", "1.6777216e+07"), ("'NaN'::double", "NaN"), ("'Infinity'::double", "Infinity"), ("'-Infinity'::real", "-Infinity"),
    ("date '1998-12-01'", "1998-12-01"), ("date '0044-03-15 BC'", "0044-03-15 BC"), ("date '12345-01-01'", "12345-01-01"),
    ("time '23:59:59'", "23:59:59"), ("time '00:00:00.000001'", "00:00:00.000001"), ("timestamp '2001-02-03 04:05:06'", "2001-02-03 04:05:06"),
    ("timestamp '2001-02-03 04:05:06.500000'", "2001-02-03 04:05:06.5"), ("timestamptz '2001-02-03 04:05:06+02'", "2001-02-03 02:05:06+00"),
    ("interval '1 year 2 months 3 days 04:05:06.5'", "1 year 2 mons 3 days 04:05:06.5"), ("interval '-1 day'", "-1 days"), ("interval '0'", "00:00:00"),
    ("'\\x00ff'::blob", "\\x00ff"), ("''::blob", "\\x"), ("'plain'", "plain"), ("'ä€𝄞'", "ä€𝄞"),
]
TEXTS = ["", " ", " a", "a ", "a b", "a,b", "a;b", "a\tb", 'say "hi"', '"', "line\nline", "line\r\nline", "\r", "NULL", "\\N", "'", "\\", "0x1"]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def in_order(texts):
    """A query of the texts."""
    return f"select t, '.' as e from (values {', '.join(f'({i}, {quoted(text)})' for i, text in enumerate(texts))}) v(i, t) order by i"


def test_values_as_csv():
    names = [f"c{i}" for i in range(len(VALUES))]
    status, out, err = sql("-c", "select " + ", ".join(f"{text} as {name}" for (text, _), name in zip(VALUES, names)))
    expect((status, err), (0, ""))
    rows = list(csv.reader(io.StringIO(out)))
    expect(rows[0], names)
    for (text, wanted), got in zip(VALUES, rows[1]):
        expect((text, got), (text, wanted))
    expect(out.count('"'), 0)  # quotes only where they are needed
    for text, _ in VALUES:  # NULL of every type is nothing at all
        expect(sql("-c", f"select case when random() < 2 then null else {text} end as a, 1 as b")[1], "a,b\n,1\n")


def test_texts_as_csv():
    wanted = ""
    for text in TEXTS:
        needs = text == "" or text != text.strip(" ") or any(c in text for c in ',"\r\n')
        wanted += ('"' + text.replace('"', '""') + '"' if needs else text) + ",.\n"
    done = subprocess.run([BINARY, "sql", "-c", in_order(TEXTS)],
                          capture_output=True, env=ENVIRONMENT)
    expect(done.stdout.decode(), "t,e\n" + wanted)
    expect([row[0] for row in csv.reader(io.StringIO(done.stdout.decode(), newline=""))][1:], TEXTS)


def test_null_and_the_empty_text():
    query = "select * from (values (1, null), (2, ''), (3, 'x')) v(n, t) order by n"
    expect(sql("-c", query)[1], 'n,t\n1,\n2,""\n3,x\n')
    expect(sql("--format", "tsv", "-c", query)[1], 'n\tt\n1\t\n2\t""\n3\tx\n')
    expect(sql("--format", "ndjson", "-c", query)[1], '{"n":1,"t":null}\n{"n":2,"t":""}\n{"n":3,"t":"x"}\n')
    expect(sql("--format", "table", "-c", query)[1], " n | t\n---+------\n 1 | NULL\n 2 | \n 3 | x\n(3 rows)\n")
    expect(sql("-c", "select null as a")[1], "a\n\n")
    expect(sql("-c", "select '' as a")[1], 'a\n""\n')


def test_values_as_json():
    for form, lines in (("json", False), ("ndjson", True)):
        status, out, err = sql("--format", form, "-c", "select " + ", ".join(f"{text} as c{i}" for i, (text, _) in enumerate(VALUES)))
        row = json.loads(out, parse_float=str, parse_int=str)
        row = row if lines else row[0]
        for i, (text, wanted) in enumerate(VALUES):
            got = row[f"c{i}"]
            if wanted in ("true", "false"):
                expect((text, got), (text, wanted == "true"))
            elif wanted in ("NaN", "Infinity", "-Infinity"):
                expect((text, got), (text, None))
            else:
                expect((text, got), (text, wanted))
    texts = [*TEXTS, "\x01\x1f", "\x7f", "</script>"]
    status, out, err = sql("--format", "json", "-c", in_order(texts))
    expect([row["t"] for row in json.loads(out)], texts)
    expect(json.loads(sql("--format", "json", "-c", "select 1 as \"a\"\"b\\c\"")[1]), [{'a"b\\c': 1}])


def test_several_results():
    three = ("-c", "select 1 as a; select 2 as b where false", "-c", "select 3 as c")
    expect(sql(*three)[1], "a\n1\n\nb\n\nc\n3\n")
    expect(sql("--format", "tsv", *three)[1], "a\n1\n\nb\n\nc\n3\n")
    expect(sql("--format", "ndjson", *three)[1], '{"a":1}\n{"c":3}\n')
    decoder, rest, results = json.JSONDecoder(), sql("--format", "json", *three)[1], []
    while rest.strip():
        value, end = decoder.raw_decode(rest.lstrip())
        rest = rest.lstrip()[end:]
        results.append(value)
    expect(results, [[{"a": 1}], [], [{"c": 3}]])
    expect(sql("--format", "table", *three)[1].count("row"), 3)
    # what gives no rows prints nothing, and leaves no empty line
    expect(sql("-c", "create table t (a int); select 1 as a; insert into t values (1); select 2 as b; drop table t")[1], "a\n1\n\nb\n2\n")


def test_nested_values_are_json():
    """From a file, since there are no expressions that make them."""
    path = ROOT / "test/fuzz/seeds/parquet/nested"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, f"{folder}/nested.parquet")
        status, out, err = sql("--data", folder, "-c", "select * from nested")
        expect(list(csv.reader(io.StringIO(out)))[1:],
               [["[1,2]", '{"x":1,"y":"q"}', '{"k":1}'], ["", "", "{}"], ["[]", '{"x":null,"y":"r"}', ""],
                ["[3,null]", '{"x":4,"y":null}', '{"a":2,"b":null}']])
        rows = json.loads(sql("--data", folder, "--format", "json", "-c", "select * from nested")[1])
        expect(rows[3], {"a": [3, None], "m": {"x": 4, "y": None}, "mm": {"a": 2, "b": None}})
        expect(rows[1], {"a": None, "m": None, "mm": {}})


def test_table():
    expect(sql("--format", "table", "-c", "select 1 as n, 'ä' as name, null as x union all select 200, e'a\\tb\\nc', null order by n")[1],
           "   n | name    | x\n-----+---------+------\n   1 | ä       | NULL\n 200 | a\\tb\\nc | NULL\n(2 rows)\n")
    expect(sql("--format", "table", "-c", "select 1 as a where false")[1], " a\n---\n(0 rows)\n")
    # rows beyond those that the widths were taken from
    out = sql("--format", "table", "-c", "select x, repeat('w', x::int / 300) as t from range(3000) r(x) order by x")[1].splitlines()
    expect((len(out), out[-1]), (3003, "(3000 rows)"))


def test_arrow():
    done = subprocess.run([BINARY, "sql", "--format", "arrow", "-c", "select 1 as a, 'x' as b where false"], capture_output=True, env=ENVIRONMENT)
    expect((done.returncode, done.stderr, done.stdout[:4], done.stdout[-8:]), (0, b"", b"\xff\xff\xff\xff", b"\xff\xff\xff\xff\0\0\0\0"))
    done = subprocess.run([BINARY, "sql", "--format", "arrow", "-c", "select 1 as a; select 2 as b"], capture_output=True, env=ENVIRONMENT)
    expect(done.returncode, 1)
    expect_in(b"error: 0A000", done.stderr)
    expect(done.stdout[-8:], b"\xff\xff\xff\xff\0\0\0\0")  # the first is whole
    done = subprocess.run([BINARY, "sql", "--format", "arrow", "-c", "create table t (a int); insert into t values (1); select * from t"],
                          capture_output=True, env=ENVIRONMENT)
    expect((done.returncode, done.stderr), (0, b""))


def test_failures():
    for form in ("csv", "tsv", "json", "ndjson", "table", "arrow"):
        expect_failure(sql("--format", form, "-c", "select 1/0 as a"), 1, "error: 22012", "LINE 1: ", "^")  # no header is left behind
        expect_failure(sql("--format", form, "-c", "select"), 1, "error: 42601")
    # rows that came before the failure stay, but those of its batch; rows behind it do not come, though others read them
    for threads in ("1", "7"):
        status, out, err = sql("--threads", threads, "-c", "select x, 100 / (x - 400000) as q from range(1000000) r(x)")
        rows = out.splitlines()[1:]
        expect((status, out[:4], err.splitlines()[0].split(":")[1]), (1, "x,q\n", " 22012"))
        expect([int(row.split(",")[0]) for row in rows], list(range(len(rows))))
        assert 390_000 < len(rows) <= 400_000, len(rows)
    # of several errors it is always that of the first row
    division, cast = "1 / (x - x)", "cast('a' || x as int)"
    for threads in ("1", "7"):
        for first, second, state in ((division, cast, "22012"), (cast, division, "22P02")):
            for query in (f"select case when x = 160000 then {first} when x >= 180000 then {second} else x end from range(400000) r(x)",
                          f"select x from range(9) r(x) union all select {first} from range(400000) r(x) where x > 200000 "
                          f"union all select {second} from range(9) r(x)"):
                status, out, err = sql("--threads", threads, "-c", query)
                expect((status, err[:12]), (1, f"error: {state}"))


def test_timing():
    """Exactly one line of JSON for each statement that was executed."""
    status, out, err = sql("--timing", "-c", "create table t (a int); insert into t values (1), (2), (3); select * from t; drop table t; "
                                             "select 1/0; select 1")
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    expect([(line["statement"], line["rows"], "error" in line) for line in lines],
           [(1, 0, False), (2, 3, False), (3, 3, False), (4, 0, False), (5, 0, True)])
    expect(set(lines[0]), {"statement", "rows", "seconds", "peak_memory_bytes"})
    for line in lines:
        assert math.isfinite(line["seconds"]) and line["seconds"] >= 0 and isinstance(line["peak_memory_bytes"], int)
    expect_in("22012", lines[4]["error"])
    line = json.loads(sql("--timing", "-c", "select count(*) from (select x from range(1000000) r(x) order by x % 1000 offset 1) s")[2])
    assert line["peak_memory_bytes"] > 1_000_000, line
    assert line["seconds"] > 0.001, line
    expect(sql("--timing", "-c", ";;")[2], "")


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
