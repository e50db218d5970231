#!/usr/bin/env python3
"""Files made by pyarrow, each to reach a path of the Parquet reader, are read and compared with what was written.

    test/parquet_generated.py DUMP     DUMP: the program parquet_dump

Last line: `N passed, N failed, N skipped`.
"""
import datetime
import decimal
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

from parquet_compare import difference, is_clean, pa, parse, pq, run, values_of, with_pyarrow

ROWS = 5000
rng = random.Random(7)


def maybe(value, share):
    return None if rng.random() < share else value


def column(make, type, rows=ROWS, nulls=0.2):
    return pa.array([maybe(make(i), nulls) for i in range(rows)], type)


def words(i):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyzäß€") for _ in range(rng.choice((0, 3, 12, 13, 40))))


def flat_table(rows=ROWS, nulls=0.2):
    D = decimal.Decimal
    return pa.table({
        "flag": column(lambda i: rng.random() < 0.5, pa.bool_(), rows, nulls),
        "i8": column(lambda i: rng.randrange(-128, 128), pa.int8(), rows, nulls),
        "u8": column(lambda i: rng.randrange(256), pa.uint8(), rows, nulls),
        "i16": column(lambda i: rng.randrange(-2**15, 2**15), pa.int16(), rows, nulls),
        "u16": column(lambda i: rng.randrange(2**16), pa.uint16(), rows, nulls),
        "i32": column(lambda i: rng.randrange(-2**31, 2**31), pa.int32(), rows, nulls),
        "u32": column(lambda i: rng.randrange(2**32), pa.uint32(), rows, nulls),
        "i64": column(lambda i: rng.randrange(-2**63, 2**63), pa.int64(), rows, nulls),
        "u64": column(lambda i: rng.randrange(2**64), pa.uint64(), rows, nulls),
        "rising": column(lambda i: i * 3, pa.int64(), rows, 0),
        "few": column(lambda i: rng.randrange(40), pa.int32(), rows, nulls),
        "f32": column(lambda i: rng.choice((0.0, -0.0, 1.5, float("nan"), float("-inf"), i / 7)), pa.float32(), rows, nulls),
        "f64": column(lambda i: rng.choice((0.0, -0.0, 1.5, float("nan"), float("inf"), i / 7)), pa.float64(), rows, nulls),
        "text": column(words, pa.string(), rows, nulls),
        "word": column(lambda i: rng.choice(("one", "two", "three is a long one", "")), pa.string(), rows, nulls),
        "bytes": column(lambda i: rng.randbytes(rng.randrange(20)), pa.binary(), rows, nulls),
        "fixed": column(lambda i: rng.randbytes(7), pa.binary(7), rows, nulls),
        "d9": column(lambda i: D(rng.randrange(-10**9 + 1, 10**9)).scaleb(-2), pa.decimal128(9, 2), rows, nulls),
        "d18": column(lambda i: D(rng.randrange(-10**18 + 1, 10**18)).scaleb(-4), pa.decimal128(18, 4), rows, nulls),
        "d38": column(lambda i: D(rng.randrange(-10**36, 10**36)).scaleb(-10), pa.decimal128(38, 10), rows, nulls),
        "date": column(lambda i: datetime.date(1970, 1, 1) + datetime.timedelta(rng.randrange(-9999, 9999)), pa.date32(), rows,
                       nulls),
        "time": column(lambda i: rng.randrange(86400 * 10**6), pa.time64("us"), rows, nulls),
        "ms": column(lambda i: rng.randrange(-10**12, 10**12), pa.timestamp("ms"), rows, nulls),
        "us": column(lambda i: rng.randrange(-10**15, 10**15), pa.timestamp("us", "UTC"), rows, nulls),
        "ns": column(lambda i: rng.randrange(-10**18, 10**18), pa.timestamp("ns"), rows, nulls),
        "nothing": pa.nulls(rows, pa.int32()),
        "null": pa.nulls(rows),
    })


def tree(depth, type):
    """A random value of a nested type."""
    if rng.random() < 0.15:
        return None
    if pa.types.is_map(type):
        return [(f"k{rng.randrange(100)}", tree(depth + 1, type.item_type)) for _ in range(rng.randrange(4))]
    if pa.types.is_list(type):
        return [tree(depth + 1, type.value_type) for _ in range(rng.choice((0, 1, 2, 5)))]
    if pa.types.is_struct(type):
        return {f.name: tree(depth + 1, f.type) for f in type}
    if pa.types.is_string(type):
        return words(0)
    if pa.types.is_boolean(type):
        return rng.random() < 0.5
    return rng.randrange(-100, 100)


def nested_table(rows=ROWS):
    s = pa.struct([("a", pa.int32()), ("b", pa.string()), ("c", pa.bool_())])
    types = {
        "list": pa.list_(pa.int32()), "texts": pa.list_(pa.string()), "flags": pa.list_(pa.bool_()), "struct": s,
        "structs": pa.list_(s), "map": pa.map_(pa.string(), pa.int64()), "lists": pa.list_(pa.list_(pa.list_(pa.int16()))),
        "maps": pa.list_(pa.map_(pa.string(), pa.list_(s))),
        "deep": pa.struct([("x", pa.list_(pa.struct([("y", pa.map_(pa.string(), s)), ("z", pa.int8())]))), ("w", s)]),
    }
    table = {"id": pa.array(range(rows), pa.int64())}
    for name, type in types.items():
        table[name] = pa.array([tree(0, type) for _ in range(rows)], type)
    long = [list(range(3000)) if i == 17 else [i] * (i % 3) for i in range(rows)]
    table["long"] = pa.array(long, pa.list_(pa.int32()))
    return pa.table(table)


class Checks:
    def __init__(self, dump, folder):
        self.dump, self.folder = dump, pathlib.Path(folder)
        self.passed = self.failed = 0

    def note(self, name, problem):
        self.passed, self.failed = self.passed + (problem is None), self.failed + (problem is not None)
        if problem is not None:
            print(f"FAILED {name}: {problem}")

    def write(self, name, table, **options):
        path = self.folder / f"{name}.parquet"
        pq.write_table(table, path, **options)
        return path

    def output(self, *arguments):
        result = run(self.dump, *arguments)
        text = result.stdout.decode("utf-8", "replace").rstrip("\n")
        if not is_clean(result):
            return result, f"status {result.returncode}: {result.stderr.decode('utf-8', 'replace')[:1500]}"
        last = text.split("\n")[-1]
        return result, last if last.startswith("refused:") else None

    def same(self, name, path, table, *arguments):
        """The rows that are printed are the table's, whether the file's bytes are there or must be waited for."""
        columns = [(n, [v for chunk in c.chunks for v in values_of(chunk)]) for n, c in zip(table.schema.names, table.columns)]
        first = None
        for wait in ([], ["--wait", "1"], ["--wait", "900"]):
            try:
                result, problem = self.output(*arguments, *wait, path)
                if problem is None and result.stdout != first:
                    problem = difference(*parse(result.stdout), columns)
                first = first or result.stdout
            except subprocess.TimeoutExpired:
                problem = "hangs"
            self.note(f"{name} {' '.join([*arguments, *wait])}", problem)

    def both(self, name, table, **options):
        path = self.write(name, table, **options)
        self.same(name, path, table)
        self.same(name, path, table, "--narrow", "--codes")
        return path

    def says(self, name, pattern, *arguments):
        result, problem = self.output(*arguments)
        if problem is not None and problem.startswith("status"):
            self.note(name, problem)
            return
        last = result.stdout.decode("utf-8", "replace").rstrip("\n").split("\n")[-1]
        self.note(name, None if re.search(pattern, last) else f"says {last!r}, expected {pattern!r}")


def encodings(checks, table):
    small = {"data_page_size": 2000, "write_page_index": True}
    checks.both("plain", table, use_dictionary=False, compression="none")
    checks.both("dictionary", table, compression="snappy")
    checks.both("no_nulls", flat_table(nulls=0), compression="zstd")
    checks.both("v2", table, data_page_version="2.0", compression="snappy", **small)
    checks.both("v2_plain", table, data_page_version="2.0", compression="none", use_dictionary=False, **small)
    checks.both("small_pages", table, compression="lz4", **small)
    checks.both("fallback", table, dictionary_pagesize_limit=3000, compression="gzip", **small)
    checks.both("groups", table, row_group_size=700, compression="brotli", **small)
    integers = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "rising", "few", "date", "time", "ms", "us", "ns", "d9"]
    for version in ("1.0", "2.0"):
        options = {"use_dictionary": False, "data_page_version": version, "store_decimal_as_integer": True, **small}
        picked = table.select(integers)
        checks.both(f"delta_{version}", picked, column_encoding={n: "DELTA_BINARY_PACKED" for n in integers}, **options)
        split = ["i32", "i64", "f32", "f64", "fixed", "d38", "rising"]
        checks.both(f"split_{version}", table.select(split), column_encoding={n: "BYTE_STREAM_SPLIT" for n in split}, **options)
        texts = ["text", "word", "bytes"]
        for encoding in ("DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"):
            checks.both(f"{encoding}_{version}", table.select(texts), column_encoding={n: encoding for n in texts}, **options)
        checks.both(f"rle_{version}", table.select(["flag"]), column_encoding={"flag": "RLE"}, **options)
    checks.both("empty", table.slice(0, 0))
    checks.both("one", table.slice(3, 1))
    with pq.ParquetWriter(checks.folder / "gaps.parquet", table.schema) as writer:
        for piece in (table.slice(0, 0), table.slice(0, 10), table.slice(0, 0), table.slice(10, 5)):
            writer.write_table(piece)
    checks.same("gaps", checks.folder / "gaps.parquet", table.slice(0, 15))


def int96(checks):
    table = pa.table({"t": column(lambda i: rng.randrange(-10**18, 10**18) // 1000 * 1000, pa.timestamp("ns"))})
    path = checks.write("int96", table, use_deprecated_int96_timestamps=True)
    checks.same("int96", path, pa.table({"t": table["t"].cast(pa.timestamp("us"))}))


def unsupported(checks):
    D = decimal.Decimal
    table = pa.table({"good": pa.array([1, 2]), "wide": pa.array([D(1), None], pa.decimal256(60, 2))})
    path = checks.write("wide_decimal", table)
    checks.same("wide_decimal", path, table)
    checks.says("wide_decimal_used", r"refused: NOT_SUPPORTED: .*column wide: a decimal of more than 38 digits", "--there", "wide", path)


def nested(checks):
    table = nested_table()
    small = {"data_page_size": 1500}
    checks.both("nested", table)
    checks.both("nested_small", table, use_dictionary=False, compression="none", **small)
    checks.both("nested_v2", table, data_page_version="2.0", row_group_size=1300, **small)
    path = checks.both("nested_old", table, use_compliant_nested_type=False, row_group_size=999, write_page_index=True, **small)
    want = table.filter(pa.compute.and_(pa.compute.greater_equal(table["id"], 2100), pa.compute.less_equal(table["id"], 2300)))
    for more in ([], ["--late"], ["--codes"]):
        rows = want if "--late" not in more else None
        if rows is not None:
            checks.same("nested_filtered", path, rows, "--range", "id", "2100", "2300", *more)
    there = table.filter(pa.compute.is_valid(table["maps"]))
    checks.same("nested_there", path, there, "--there", "maps")
    checks.same("nested_only", path, there.select(["id", "texts"]), "--only", "id,texts", "--there", "maps")


def filters(checks, table):
    greater, less, both = pa.compute.greater_equal, pa.compute.less_equal, pa.compute.and_
    for name, options in (("pages", {"data_page_size": 1000, "write_page_index": True, "use_dictionary": False}),
                          ("codes", {"row_group_size": 1700, "data_page_size": 500}),
                          ("v2", {"data_page_version": "2.0", "data_page_size": 700, "write_page_index": True})):
        path = checks.write("filter_" + name, table, **options)
        for low, high in ((0, 100), (6000, 6600), (7000, 14000), (14990, 99999), (50000, 60000)):
            want = table.filter(both(greater(table["rising"], low), less(table["rising"], high)))
            for more in ([], ["--codes"]):
                checks.same("range_" + name, path, want, "--range", "rising", str(low), str(high), *more)
            narrow = want.filter(both(greater(want["few"], 3), less(want["few"], 9)))
            checks.same("two_" + name, path, narrow, "--range", "rising", str(low), str(high), "--range", "few", "3", "9")
        for word in ("two", "three is a long one", "", "absent"):
            want = table.filter(pa.compute.equal(table["word"], word))
            for more in ([], ["--codes"]):
                checks.same("equal_" + name, path, want, "--equal", "word", word, *more)
        for sparse in ("few", "nothing", "text"):
            checks.same("there_" + name, path, table.filter(pa.compute.is_valid(table[sparse])), "--there", sparse)
        checks.same("filter_only_" + name, path, table.filter(pa.compute.equal(table["few"], 7)).select(["rising", "text"]),
                    "--only", "rising,text", "--range", "few", "7", "7")
        checks.says("none_" + name, f"rows {table.num_rows},", "--only", "", "--rows", path)
        few = table.filter(pa.compute.equal(table["few"], 7)).num_rows
        checks.says("count_" + name, f"rows {few},", "--only", "", "--rows", "--range", "few", "7", "7", path)
    path = checks.folder / "filter_pages.parquet"
    checks.says("pages_skipped", r"rows 34, skipped [1-9]\d{3},", "--rows", "--range", "rising", "6000", "6099", path)
    path = checks.folder / "filter_codes.parquet"
    checks.says("groups_skipped", r"rows 34, skipped 3[3-4]\d\d,", "--rows", "--range", "rising", "6000", "6099", path)
    late = checks.output("--late", "--only", "rising", "--range", "rising", "12000", "12300", path)[0]
    got = [row[0] for row in parse(late.stdout)[1]]
    first = [v for v in got if v < 12000]
    problem = None
    if got[len(first):] != list(range(12000, 12301, 3)) or first != list(range(0, 3 * len(first), 3)) or len(first) > 2048:
        problem = f"{len(got)} rows, {len(first)} of them from the first batch"
    checks.note("late", problem)


def laziness(checks, table):
    """Columns are read only where rows are left: the condition decides on values that no statistics rule out."""
    path = checks.write("lazy", table, row_group_size=1500, data_page_size=600, use_dictionary=["word"], write_statistics=False)

    def bytes_read(*arguments):
        result, problem = checks.output("--rows", *arguments, path)
        if problem is not None:
            checks.note("lazy " + " ".join(arguments), problem)
            return 0
        return int(re.search(rb"bytes (\d+)", result.stdout).group(1))

    every = bytes_read("--wait", "1")
    for wait in ([], ["--wait", "1"], ["--wait", "300"]):
        alone = bytes_read("--only", "", "--equal", "word", "absent", *wait)
        beside = bytes_read("--equal", "word", "absent", *wait)
        checks.note("lazy_filter " + " ".join(wait), None if 0 < alone == beside < every / 10 else f"{alone}, {beside} of {every} bytes")
    few = bytes_read("--range", "rising", "6000", "6030", "--wait", "1")
    checks.note("lazy_rows", None if few < every / 4 else f"{few} of {every} bytes for ten rows")


def cut_groups(checks):
    """Splits that cut a row group: more rows than one split takes."""
    rows = 400_000
    table = pa.table({"n": pa.array(range(rows), pa.int64()), "m": pa.array([i % 1000 for i in range(rows)], pa.int32()),
                      "t": pa.array([None if i % 7 == 0 else f"text {i % 5000}" for i in range(rows)])})
    for name, options in (("index", {"write_page_index": True}), ("plain", {"use_dictionary": False, "compression": "none"})):
        path = checks.write("cut_" + name, table, data_page_size=100_000, row_group_size=rows, **options)
        checks.same("cut_" + name, path, table)
        checks.says("cut_splits_" + name, f"rows {rows}, skipped 0, splits 3", "--rows", path)
        want = table.filter(pa.compute.equal(table["m"], 77))
        checks.same("cut_filter_" + name, path, want, "--range", "m", "77", "77")


def bloom(checks, table):
    """pyarrow does not always write Bloom filters; where it can, absent values skip the row groups."""
    try:
        path = checks.write("bloom", table, row_group_size=1000,
                            bloom_filter_options={n: {"ndv": 1000, "fpp": 0.001} for n in ("text", "i64", "i32")})
    except TypeError:
        print("note: this pyarrow writes no Bloom filters")
        return
    text = next(v for v in table["text"].to_pylist() if v is not None and len(v) > 20)
    number = next(v for v in table["i64"].to_pylist() if v is not None)
    checks.same("bloom_text", path, table.filter(pa.compute.equal(table["text"], text)), "--equal", "text", text)
    checks.says("bloom_absent", r"rows 0, skipped [45]000,", "--rows", "--equal", "text", "no such text", path)
    checks.same("bloom_number", path, table.filter(pa.compute.equal(table["i64"], number)), "--range", "i64", str(number),
                str(number))
    checks.says("bloom_no_number", r"rows 0, skipped [45]000,", "--rows", "--range", "i64", "12345", "12345", path)


def lies(checks):
    """Statistics that claim less than the values are: found when the claim is used, and named."""
    table = pa.table({"k": pa.array([1000 + i % 100 for i in range(3000)], pa.int32()),
                      "n": pa.array([5_000_000 + i for i in range(3000)], pa.int64())})
    for name, options in (("plain", {"use_dictionary": False}), ("codes", {}), ("delta", {
            "use_dictionary": False, "column_encoding": {"k": "DELTA_BINARY_PACKED", "n": "DELTA_BINARY_PACKED"}})):
        path = checks.write("lie_" + name, table, compression="none", write_statistics=True, **options)
        honest = path.read_bytes()
        size = struct.unpack("<I", honest[-8:-4])[0]
        body, footer = honest[:-8 - size], honest[-8 - size:]
        for was, lie, column in ((struct.pack("<i", 1099), struct.pack("<i", 1050), "k"),
                                 (struct.pack("<q", 5_000_000), struct.pack("<q", 5_000_001), "n")):
            assert was in footer
            path.write_bytes(body + footer.replace(was, lie))
            checks.says(f"lie_{name}_{column}", rf"refused: CORRUPT_DATA: .*lie_{name}\.parquet, column {column},.*statistics",
                        "--narrow", path)
        path.write_bytes(honest)
        checks.same(f"honest_{name}", path, table, "--narrow")


def damage(checks, table):
    """Bytes that were changed or cut off: refused or read, never worse."""
    for name, t, options in (("flat", table.slice(0, 300), {"data_page_size": 500, "write_page_index": True}),
                             ("v2", table.slice(0, 300), {"data_page_version": "2.0", "compression": "zstd"}),
                             ("nested", nested_table(120), {"compression": "none", "use_dictionary": False})):
        path = checks.write("damage_" + name, t, **options)
        honest = path.read_bytes()
        paths = []
        for i in range(60):
            broken = bytearray(honest)
            if i % 6 == 0:
                broken = broken[:rng.randrange(len(broken))] + honest[-8:]
            for _ in range(rng.choice((1, 1, 4))):
                at = rng.randrange(max(0, len(broken) - 6000), len(broken)) if i % 2 else rng.randrange(len(broken))
                broken[at] = rng.choice((0, 255, 128, rng.randrange(256)))
            paths.append(checks.folder / f"damage_{name}_{i}.parquet")
            paths[-1].write_bytes(broken)
        filtered = ["--rows", "--narrow", "--codes", "--range", "rising" if name != "nested" else "id", "10", "200"]
        for more in (filtered, [], ["--wait", "1"]):
            try:
                result = run(checks.dump, *more, *paths)
                problem = None if is_clean(result) else f"status {result.returncode}: {result.stderr.decode('utf-8', 'replace')[:1500]}"
            except subprocess.TimeoutExpired:
                problem = "hangs"
            checks.note(f"damage_{name} {' '.join(more)}", problem)


def torture(checks, table):
    """Each allocation fails once."""
    for name, t, options in (("flat", table.slice(0, 50), {"compression": "zstd"}), ("nested", nested_table(40), {}),
                             ("delta", table.select(["i64", "text"]), {"use_dictionary": False, "column_encoding": {
                                 "i64": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY"}})):
        path = checks.write("torture_" + name, t, **options)
        for more in ([], ["--codes"], ["--wait", "50"]):
            checks.says("torture_" + name, r"^allocations \d+", "--torture", *more, path)


def main():
    with_pyarrow()
    if pa is None:
        print("skipped: no tool: pyarrow, to write Parquet files\n0 passed, 0 failed, 1 skipped")
        return 0
    import pyarrow.compute  # noqa: F401, used as pa.compute
    with tempfile.TemporaryDirectory(prefix="arbalest-parquet-") as folder:
        checks = Checks(pathlib.Path(sys.argv[1]).resolve(), folder)
        table = flat_table()
        encodings(checks, table)
        int96(checks)
        unsupported(checks)
        nested(checks)
        filters(checks, table)
        laziness(checks, table)
        cut_groups(checks)
        bloom(checks, table)
        lies(checks)
        damage(checks, table)
        torture(checks, table)
    print(f"{checks.passed} passed, {checks.failed} failed, 0 skipped")
    return 1 if checks.failed or checks.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
