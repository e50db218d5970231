#!/usr/bin/env python3
"""Read every CSV file of a folder with our reader and with DuckDB, and compare.

    test/csv_corpus.py CSV_PRINT FOLDER [--details]

Needs duckdb. CSV_PRINT is the program of test/tools/csv_print.c, best built with sanitizers: a crash or a hang is a
failure, a file that both read must have the same rows. Where the two differ the reason is sorted into a few kinds;
DuckDB knows forms of dates and times that are text here, for example. Exit status 1 for crashes and hangs alone, or
when fewer than nine of ten files that are not broken on purpose are equal."""
import collections
import datetime
import decimal
import json
import math
import subprocess
import sys
from pathlib import Path

import duckdb

TIMEOUT_S = 60
# Folders of files that are wrong on purpose: what is made of them is a matter of taste.
BROKEN = {"afl", "fuzzing", "rejects", "error", "unescaped_quotes", "unquoted_escape", "inconsistencies"}


def ours(program, path, options=()):
    """("ok", names, types, rows), ("refused", message) or ("crash", message)."""
    try:
        done = subprocess.run([program, path, *options], capture_output=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "crash", "hangs"
    if done.returncode not in (0, 1) or b"Sanitizer" in done.stderr:
        return "crash", done.stderr.decode(errors="replace")[-3000:]
    if done.returncode == 1:
        return "refused", done.stderr.decode(errors="replace").strip()
    lines = done.stdout.decode(errors="replace").split("\n")
    columns = json.loads(lines[0], strict=False)
    rows = [json.loads(line, strict=False) for line in lines[1:] if line]
    return "ok", [c[0] for c in columns], [c[1] for c in columns], rows


def theirs(path):
    """The same; values as Python's."""
    try:
        duckdb.sql("set timezone='UTC'")
        result = duckdb.sql(f"from read_csv('{path}', hive_partitioning=false)")
        types = [str(t) for t in result.types]
        select = ", ".join(
            f'epoch_us(#{i + 1})' if t == "TIMESTAMP WITH TIME ZONE" else f"#{i + 1}"
            for i, t in enumerate(types))
        names = result.columns
        return "ok", names, types, duckdb.sql(f"select {select} from read_csv('{path}', hive_partitioning=false)").fetchall()
    except Exception as reason:
        return "refused", str(reason).split("\n")[0]


def same_value(text, value, zoned):
    if value is None or text is None:
        return value is None and text is None or (value == "" and text is None) or (value is None and text == "")
    if isinstance(value, bool):
        return text == str(value).lower()
    if zoned and isinstance(value, int):
        try:
            found = datetime.datetime.fromisoformat(text.replace(" ", "T", 1))
        except ValueError:
            return False
        return round(found.timestamp() * 1e6) == value
    if isinstance(value, (int, decimal.Decimal, float)):
        try:
            number = float(text)
        except ValueError:
            return False
        return number == float(value) or (math.isnan(number) and math.isnan(float(value)))
    if isinstance(value, (datetime.date, datetime.time, datetime.datetime)):
        shown = str(value)
        short = lambda s: s.rstrip("0").rstrip(".") if "." in s else s
        return short(shown) == short(text) or shown == text + " 00:00:00"
    return text == str(value)


def compare(a, b):
    """None when equal, else the kind of difference and an example."""
    _, our_names, our_types, our_rows = a
    _, names, types, rows = b
    if len(names) != len(our_names):
        return "columns", f"{len(our_names)} columns, DuckDB {len(names)}"
    if len(rows) != len(our_rows):
        return "rows", f"{len(our_rows)} rows, DuckDB {len(rows)}"
    for number, (mine, other) in enumerate(zip(our_rows, rows)):
        for column, (x, y) in enumerate(zip(mine, other)):
            if not same_value(x, y, types[column] == "TIMESTAMP WITH TIME ZONE"):
                kind = "types" if type_kind(our_types[column]) != type_kind(types[column]) else "values"
                return kind, f"row {number} column {column}: {x!r} ({our_types[column]}), DuckDB {y!r} ({types[column]})"
    if [n.lower() for n in names] != [n.lower() for n in our_names]:
        return "names", f"{our_names[:4]}, DuckDB {names[:4]}"
    return None


def type_kind(name):
    name = name.lower()
    return "text" if name == "varchar" else name


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    details = "--details" in sys.argv
    kinds = collections.Counter()
    crashes = equal = readable = well_formed = well_formed_equal = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and ".csv" in p.name or p.suffix == ".tsv"):
        mine, other = ours(program, path), theirs(path)
        name = path.relative_to(folder)
        if mine[0] == "crash":
            crashes += 1
            print(f"{name}: CRASH {mine[1]}")
            continue
        # However it is cut into ranges, and by other kernels, it must be the same.
        small = "range=64" if path.stat().st_size < 100000 and ".csv" == path.suffix else "range=100000"
        if mine[0] == "ok" and ours(program, path, [small]) != mine:
            crashes += 1
            print(f"{name}: OTHER ROWS when it is read in small ranges")
        if other[0] != "ok":
            kinds["DuckDB refuses, we " + ("read" if mine[0] == "ok" else "too")] += 1
            continue
        readable += 1
        is_broken = name.parts[0] in BROKEN
        well_formed += not is_broken
        if mine[0] == "refused":
            kinds["we refuse"] += 1
            if details:
                print(f"{name}: refused: {mine[1][-200:]}")
            continue
        difference = compare(mine, other)
        if difference is None:
            equal += 1
            well_formed_equal += not is_broken
            continue
        kinds["different " + difference[0]] += 1
        if details:
            print(f"{name}: {difference[0]}: {difference[1]}")
    for kind, count in kinds.most_common():
        print(f"{count:5} {kind}")
    share = well_formed_equal / max(well_formed, 1)
    print(f"{equal} of {readable} files that DuckDB reads are equal ({equal / max(readable, 1):.1%})")
    print(f"{well_formed_equal} of {well_formed} that are not broken on purpose ({share:.1%}), {crashes} crashes")
    return crashes != 0 or share < 0.9


if __name__ == "__main__":
    sys.exit(main())
