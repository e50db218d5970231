#!/usr/bin/env python3
"""Compare the Parquet reader with pyarrow's on files that others wrote.

    test/parquet_corpus.py DUMP [CORPORA]     DUMP: the program parquet_dump; CORPORA: ../shared/corpora

Each file of parquet-testing/data must give the values that pyarrow gives, or be refused with a typed error where the
table below says so. Damaged files (bad_data, fuzzing) must be read or refused: no sanitizer's report, no signal, no hang.
Without pyarrow only the latter is looked at. Last line: `N passed, N failed, N skipped`.
"""
import decimal
import json
import os
import pathlib
import re
import resource
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 60

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    pa = None

# Files that must be refused, and by what.
REFUSED = {
    "encrypt_columns_plaintext_footer.parquet.encrypted": r"NOT_SUPPORTED: .*encrypted",
    "datapage_v1-corrupt-checksum.parquet": r"CORRUPT_DATA: .*checksum",
}
# Values that the corpus's own description gives and pyarrow gets wrong.
DESCRIBED = {("int96_from_spark.parquet", "a"): [
    v if v is None else v * 1000 for v in (1704141296123456, 1704070800000000, 253402225200000000, 1735599600000000, None,
                                           9089380393200000000)]}
HUGE = {"large_string_map.brotli.parquet"}  # 2 GiB of text in 3 kB


def run(dump, *arguments):
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1:exitcode=99",
                       UBSAN_OPTIONS="print_stacktrace=1:exitcode=99")
    return subprocess.run([dump, *map(str, arguments)], capture_output=True, timeout=4 * SECONDS, preexec_fn=limit,
                          env=environment)


def is_clean(result):
    text = result.stderr.decode("utf-8", "replace")
    return result.returncode in (0, 1) and "Sanitizer" not in text and "runtime error" not in text


def float_text(value, code):
    if value is None:
        return None
    if value != value:
        return "f:nan"
    return "f:" + struct.pack(">" + code, value).hex()


PER_NANO = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}


def values_of(array):
    """An Arrow array as parquet_dump prints it."""
    t = array.type
    if isinstance(t, pa.BaseExtensionType):
        if t.extension_name == "arrow.uuid":
            return [None if v is None else str(v) for v in array.to_pylist()]
        return values_of(array.storage)
    if pa.types.is_dictionary(t):
        return values_of(array.dictionary_decode())
    if pa.types.is_struct(t):
        fields = [values_of(f) for f in array.flatten()]
        rows = [list(r) for r in zip(*fields)] if fields else [[]] * len(array)
        return [r if v else None for r, v in zip(rows, array.is_valid().to_pylist())]
    if pa.types.is_map(t):
        pairs = [list(p) for p in zip(values_of(array.keys), values_of(array.items))]
        o = array.offsets.to_pylist()
        return [pairs[o[i]:o[i + 1]] if v else None for i, v in enumerate(array.is_valid().to_pylist())]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        items = values_of(array.values)
        o = array.offsets.to_pylist()
        return [items[o[i]:o[i + 1]] if v else None for i, v in enumerate(array.is_valid().to_pylist())]
    if pa.types.is_fixed_size_list(t):
        return [None if v is None else values_of(pa.array(v, t.value_type)) for v in array.to_pylist()]
    if pa.types.is_timestamp(t):
        return [None if v is None else v * PER_NANO[t.unit] for v in array.cast(pa.int64()).to_pylist()]
    if pa.types.is_time(t):
        whole = array.cast(pa.int32() if t.bit_width == 32 else pa.int64()).to_pylist()
        return [None if v is None else v * PER_NANO[t.unit] // 1000 for v in whole]
    if pa.types.is_date32(t):
        return array.cast(pa.int32()).to_pylist()
    if pa.types.is_decimal(t):
        with decimal.localcontext() as context:
            context.prec = 100
            return [None if v is None else int(v.scaleb(t.scale)) for v in array.to_pylist()]
    if pa.types.is_float16(t):
        return [float_text(v, "f") for v in array.cast(pa.float32()).to_pylist()]
    if pa.types.is_float32(t):
        return [float_text(v, "f") for v in array.to_pylist()]
    if pa.types.is_float64(t):
        return [float_text(v, "d") for v in array.to_pylist()]
    if pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t):
        return [None if v is None else "x:" + v.hex() for v in array.to_pylist()]
    return array.to_pylist()


def expected_columns(path):
    """Name and values of each column, or why pyarrow cannot read the file."""
    try:
        table = pq.ParquetFile(path, coerce_int96_timestamp_unit="us", page_checksum_verification=True).read()
    except Exception as problem:
        return None, f"{type(problem).__name__}: {problem}".split("\n")[0]
    columns = []
    for name, chunked in zip(table.schema.names, table.columns):
        values = [v for chunk in chunked.chunks for v in values_of(chunk)]
        columns.append((name, values))
    return columns, None


def parse(output):
    lines = output.decode("utf-8").split("\n")
    header = json.loads(lines[0])
    rows = [json.loads(line) for line in lines[1:] if line and not line.startswith("refused:")]
    return header, rows


def compare(path, dump, options):
    """None when all is well, else what is not."""
    result = run(dump, *options, path)
    output = result.stdout.decode("utf-8", "replace").rstrip("\n").split("\n")[-1]
    refused = output if output.startswith("refused:") else None
    if not is_clean(result):
        return f"status {result.returncode}: {result.stderr.decode('utf-8', 'replace')[:600]}"
    name = path.name
    if name in REFUSED or name.endswith(".encrypted"):
        pattern = REFUSED.get(name, r"NOT_SUPPORTED: .*encrypted")
        return None if refused and re.search(pattern, refused) else f"should be refused ({pattern}), but {refused or 'was read'}"
    columns, problem = expected_columns(path)
    if columns is None:
        return None if refused or result.returncode == 0 else f"pyarrow: {problem}; here {refused}"
    if refused:
        return refused
    header, rows = parse(result.stdout)
    if [h[0] for h in header] != [c[0] for c in columns]:
        return f"columns {[h[0] for h in header]}, pyarrow has {[c[0] for c in columns]}"
    at = 0
    for h, (column, values) in zip(header, columns):
        if h[1] is None:
            print(f"note: {name}: {h[2]}")
            continue
        mine = [row[at] for row in rows]
        values = DESCRIBED.get((name, column), values)
        at += 1
        if h[1] == "varchar":  # text that pyarrow gives as bytes
            mine = ["x:" + v.encode().hex() if isinstance(w, str) and w.startswith("x:") and v is not None else v
                    for v, w in zip(mine, values)] if len(mine) == len(values) else mine
        if h[1] == "blob":  # and the reverse
            values = ["x:" + v.encode().hex() if isinstance(v, str) and not v.startswith("x:") else v for v in values]
        if mine != values:
            where = next((i for i, (a, b) in enumerate(zip(mine, values)) if a != b), min(len(mine), len(values)))
            return (f"column {column} ({h[1]}), {len(mine)} and {len(values)} rows, row {where}: "
                    f"{mine[where:where + 1]!r:.300} where pyarrow has {values[where:where + 1]!r:.300}")
    return None


def main():
    dump = pathlib.Path(sys.argv[1]).resolve()
    corpora = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT.parent / "shared" / "corpora"
    if not corpora.is_dir():
        print("skipped: no ../shared: Parquet files that others wrote\n0 passed, 0 failed, 1 skipped")
        return 0
    passed = failed = skipped = 0
    problems = []
    good = sorted(p for p in (corpora / "parquet-testing" / "data").rglob("*")
                  if p.suffix in (".parquet", ".encrypted") and p.is_file() and p.name not in HUGE)
    if pa is None:
        print("skipped: no tool: pyarrow, to compare with")
        skipped += 1
        good = []
    for path in good:
        for options in ([], ["--narrow", "--codes"]):
            try:
                problem = compare(path, dump, options)
            except subprocess.TimeoutExpired:
                problem = "hangs"
            passed, failed = passed + (problem is None), failed + (problem is not None)
            if problem is not None:
                print(f"FAILED {path.name} {' '.join(options)}: {problem}")
    bad = [p for folder in ("parquet-testing/bad_data", "arrow-testing/parquet/fuzzing",
                            "arrow-testing/parquet/encoding-fuzzing", "arrow-testing/parquet")
           for p in sorted((corpora / folder).glob("*")) if p.is_file() and p.suffix != ".md"]
    for path in bad:
        try:
            result = run(dump, "--codes", path)
            problem = None if is_clean(result) else \
                f"status {result.returncode}: {result.stderr.decode('utf-8', 'replace')[:1500]}"
        except subprocess.TimeoutExpired:
            problem = "hangs"
        passed, failed = passed + (problem is None), failed + (problem is not None)
        if problem is not None:
            print(f"FAILED {path.name}: {problem}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed + skipped == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
