#!/usr/bin/env python3
"""Rewrite Parquet files with our reader and writer, and hold what others read in the result against the original.

    test/parquet_rewrite.py PARQUET_COPY FOLDER…

Needs pyarrow. PARQUET_COPY is the program of test/tools/parquet_copy.c. Files that our reader refuses are listed with
the reason and do not count as failures; a different value does."""
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

VARIANTS = [["zstd"], ["snappy", "1000", "100"], ["none", "3", "1"], ["gzip"], ["lz4_raw", "100000", "7"]]


def rows(path):
    return pq.ParquetFile(path).read().to_pylist()


def same(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, float) and isinstance(b, float) and a != a:
        return b != b
    return a == b or str(a) == str(b)


def check(program, path, folder):
    """The word to print, and whether it is a failure."""
    try:
        expected = rows(path)
    except Exception as reason:  # the reference cannot read it: nothing to compare with
        return f"no reference: {str(reason)[:80]}", False
    for variant in VARIANTS:
        target = Path(folder) / "copy.parquet"
        done = subprocess.run([program, path, target, *variant], capture_output=True, text=True, timeout=120)
        if done.returncode == 1:
            return f"refused: {done.stderr.strip()[:110]}", False
        if done.returncode != 0:
            return f"CRASH {variant}: {done.stderr[-800:]}", True
        found = rows(target)
        if len(found) != len(expected):
            return f"DIFFERENT {variant}: {len(found)} rows, not {len(expected)}", True
        for number, (a, b) in enumerate(zip(expected, found)):
            if not same(a, b):
                return f"DIFFERENT {variant} in row {number}: {str(a)[:150]} became {str(b)[:150]}", True
    return "same", False


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(p for root in sys.argv[2:] for p in Path(root).rglob("*.parquet")):
            word, failed = check(sys.argv[1], path, folder)
            failures += failed
            print(f"{path.name}: {word}", flush=True)
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
