#!/usr/bin/env python3
"""Compare the Parquet reader with pyarrow's on files that others wrote.

    test/parquet_corpus.py DUMP [CORPORA]     DUMP: the program parquet_dump; CORPORA: ../shared/corpora

Each file of parquet-testing/data must give the values that pyarrow gives, or be refused with a typed error where the
table below says so. Damaged files (bad_data, fuzzing) must be read or refused: no sanitizer's report, no signal, no hang.
Without pyarrow only the latter is looked at. Last line: `N passed, N failed, N skipped`.
"""
import pathlib
import re
import subprocess
import sys

from parquet_compare import ROOT, difference, expected_columns, is_clean, pa, parse, run, with_pyarrow

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
    return difference(header, rows, [(c, DESCRIBED.get((name, c), values)) for c, values in columns])


def main():
    with_pyarrow()
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
        for options in ([], ["--narrow", "--codes"], ["--wait", "100"]):
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
    for path, options in ((p, o) for p in bad for o in ([], ["--wait", "1"])):
        try:
            result = run(dump, "--codes", *options, path)
            problem = None if is_clean(result) else \
                f"status {result.returncode}: {result.stderr.decode('utf-8', 'replace')[:1500]}"
        except subprocess.TimeoutExpired:
            problem = "hangs"
        passed, failed = passed + (problem is None), failed + (problem is not None)
        if problem is not None:
            print(f"FAILED {path.name} {' '.join(options)}: {problem}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed + skipped == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
