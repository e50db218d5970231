"""What the tests of the Parquet reader share: pyarrow as the oracle, and the program parquet_dump.

pyarrow is used where it can be imported. Otherwise it is installed into a venv of the tests' own (build/venv-pyarrow), or,
when that is not possible either, `pa` is None.
"""
import decimal
import json
import os
import pathlib
import resource
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 60  # of processor time, for one run

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    pa = pq = None


def with_packages(name, *packages):
    """Start the script again in a venv of that name with the packages; returns when it runs there, or when that cannot be."""
    venv = ROOT / "build" / name
    python = venv / "bin" / "python"
    if pathlib.Path(sys.prefix) == venv:
        return
    if not (venv / "complete").exists():
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 300}
        try:
            subprocess.run([sys.executable, "-m", "venv", venv], check=True, **quiet)
            subprocess.run([python, "-m", "pip", "install", "--retries", "1", "--timeout", "20", *packages], check=True, **quiet)
            (venv / "complete").touch()
        except (OSError, subprocess.SubprocessError):
            return
    os.execv(python, [python, *sys.argv])


def with_pyarrow():
    """Start the script again where pyarrow is; returns when that is here, or nowhere."""
    if pa is None:
        with_packages("venv-pyarrow", "pyarrow")


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


def difference(header, rows, columns):
    """None when the rows that parquet_dump printed are the columns (name, values), else where they are not."""
    if [h[0] for h in header] != [c[0] for c in columns]:
        return f"columns {[h[0] for h in header]}, pyarrow has {[c[0] for c in columns]}"
    at = 0
    for h, (column, values) in zip(header, columns):
        if h[1] is None:
            print(f"note: {h[2]}")
            continue
        mine = [row[at] for row in rows]
        at += 1
        if h[1] == "varchar" and len(mine) == len(values):  # text that pyarrow gives as bytes
            mine = ["x:" + v.encode().hex() if isinstance(w, str) and w.startswith("x:") and v is not None else v
                    for v, w in zip(mine, values)]
        if h[1] == "blob":  # and the reverse
            values = ["x:" + v.encode().hex() if isinstance(v, str) and not v.startswith("x:") else v for v in values]
        if mine != values:
            where = next((i for i, (a, b) in enumerate(zip(mine, values)) if a != b), min(len(mine), len(values)))
            return (f"column {column} ({h[1]}), {len(mine)} and {len(values)} rows, row {where}: "
                    f"{mine[where:where + 1]!r:.300} where pyarrow has {values[where:where + 1]!r:.300}")
    return None
