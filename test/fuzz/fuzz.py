#!/usr/bin/env python3
"""Drive the fuzz targets of build-fuzz/; see README.md beside this file.

    fuzz.py [TARGET…] [SECONDS]      look for new inputs, one target after the other, and keep what was learnt
    fuzz.py --check [--long]         what `./dev test` runs: stored seeds, inputs that failed once, and a fixed number of
                                     fresh ones; --long also those of ../shared/corpora, and ten times as many fresh ones

An input that fails lies in build-fuzz/artifacts/. Last line of --check: `N passed, N failed, N skipped`.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build-fuzz"
SHARED = ROOT.parent / "shared/corpora"
LARGEST = 100_000  # bytes of an input
LEFT_OUT = {"large_string_map.brotli.parquet"}  # 2 GiB of text in 3 kB

# target: (fresh inputs in a check, about two seconds' worth; folders of seeds/; patterns below ../shared/corpora)
TARGETS = {
    "arrow_c": (20000, [], []),
    "codec": (20000, ["codec"], []),
    "compressed_file": (5000, ["compressed_file"], ["csv/**/*.gz", "csv/**/*.zst"]),
    "csv": (3000, ["csv"], ["csv/**/*.csv", "csv/**/*.tsv", "csv/afl/**/*", "arrow-testing/csv/fuzzing/*"]),
    "flight_sql": (20000, ["flight_sql"], []),
    "ipc_file": (20000, ["ipc_file"], ["arrow-testing/arrow-ipc-file/*", "arrow-testing/arrow-ipc-stream/integration/**/*.arrow_file"]),
    "ipc_stream": (20000, ["ipc_stream"], ["arrow-testing/arrow-ipc-stream/*", "arrow-testing/arrow-ipc-stream/integration/**/*.stream"]),
    "like": (50000, ["like"], []),
    "parquet": (3000, ["parquet"], ["parquet-testing/**/*.parquet", "arrow-testing/parquet/**/*"]),
    "parquet_footer": (30000, ["parquet_footer"], []),
    "parquet_levels": (50000, [], []),
    "parquet_page": (50000, [], ["arrow-testing/parquet/encoding-fuzzing/*"]),
    "regex": (20000, ["regex"], []),
    "segment": (20000, ["segment"], []),
    "settings": (5000, ["settings"], []),
    "snappy": (30000, ["snappy"], []),
    "spill_block": (5000, [], []),
    "sql_bind": (3000, ["sql"], []),
    "sql_execute": (3000, ["sql"], []),
    "sql_parse": (10000, ["sql"], []),
    "statement_split": (10000, ["sql"], []),
    "table_wire": (20000, ["table_wire"], []),
    "text_value": (30000, ["text_value"], []),
    "time_pattern": (30000, ["time_pattern"], []),
    "zone_file": (50000, ["zone_file"], []),
}
LIMITS = ["-rss_limit_mb=4000", "-malloc_limit_mb=3000", "-timeout=30", f"-max_len={LARGEST}", "-reload=0"]
ENVIRONMENT = {**os.environ,
               "ASAN_OPTIONS": "allocator_may_return_null=1:detect_stack_use_after_return=0:handle_abort=1",
               "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


# ---- seeds and words ------------------------------------------------------------------------------------------------------
def statements():
    """The statements of test/sql and of the benchmark, which need not be stored twice."""
    for path in sorted(ROOT.glob("test/sql/*.slt")):
        for record in path.read_text().split("\n\n"):
            lines = [line for line in record.split("\n") if not line.startswith("#")]
            if lines and re.match(r"(query|statement)\b", lines[0]):
                text = "\n".join(lines[1:]).split("\n----")[0].strip()
                if text:
                    yield text
    for path in sorted(ROOT.glob("bench/tpch/q*.sql")):
        yield path.read_text()


def stored(target):
    """Files that belong to the project: seeds, and inputs that failed once."""
    folders = [HERE / "seeds" / name for name in TARGETS[target][1]] + [HERE / "regressions" / target]
    return [path for folder in folders if folder.exists() for path in sorted(folder.iterdir()) if path.is_file()]


def outside(target):
    found = {path for pattern in TARGETS[target][2] for path in SHARED.glob(pattern)}
    return sorted(path for path in found if path.is_file() and path.name not in LEFT_OUT and path.stat().st_size <= LARGEST)


def fill(folder, target, with_outside):
    """A folder of all seeds, to which libFuzzer adds."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = stored(target) + (outside(target) if with_outside else [])
    for number, path in enumerate(paths):
        shutil.copyfile(path, folder / f"seed-{number:04}")
    if "sql" in TARGETS[target][1]:
        for number, text in enumerate(statements()):
            (folder / f"statement-{number:04}").write_text(text)


def words(target):
    """A dictionary for libFuzzer, made of the project's own lists."""
    if "sql" not in TARGETS[target][1]:
        return []
    keywords = re.findall(r"^\s*X\((\w+), \w+, \w+\)", (ROOT / "src/sql/keyword.h").read_text(), re.M)
    functions = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/functions.md").read_text(), re.M)
    names = ["t", "u", "v", "w", "a", "b", "c", "d", "e", "g", "k", "ts", "NULL", "''", "::INTEGER", "::VARCHAR", "::DATE"]
    path = BUILD / "sql.dict"
    path.write_text("".join(f'"{word} "\n' for word in keywords + functions + names))
    return [f"-dict={path}"]


# ---- running --------------------------------------------------------------------------------------------------------------
def program(target):
    return BUILD / f"{target}_fuzz"


def call(target, *arguments):
    """(succeeded, output)"""
    prefix = BUILD / "artifacts" / f"{target}-"
    prefix.parent.mkdir(exist_ok=True)
    done = subprocess.run([program(target), *LIMITS, f"-artifact_prefix={prefix}", *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT)
    return done.returncode == 0, done.stdout.decode(errors="replace")


def complaint(output):
    """The lines that say what failed."""
    lines = [line for line in output.splitlines()
             if re.search(r"ERROR: |runtime error: |not true: |SUMMARY: |Test unit written|^\s+#[0-9] ", line)]
    return "\n".join(lines[:14]) or output[-1500:]


def check_one(target, is_long):
    """(failures, seconds)"""
    start = time.monotonic()
    failures = []
    paths = stored(target) + (outside(target) if is_long else [])
    if paths:
        good, output = call(target, *paths)
        if not good:
            failures.append(f"a stored input\n{complaint(output)}")
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder)
        fill(corpus, target, is_long)
        runs = TARGETS[target][0] * (10 if is_long else 1)
        good, output = call(target, f"-runs={runs}", "-seed=1", *words(target), corpus)
        if not good:
            failures.append(f"a fresh input\n{complaint(output)}")
    return failures, time.monotonic() - start


def check(is_long):
    missing = [target for target in TARGETS if not program(target).exists()]
    extra = [path.name for path in HERE.glob("*_fuzz.c") if path.name.removesuffix("_fuzz.c") not in TARGETS]
    failed = 0
    for name in missing + extra:
        failed += 1
        print(f"FAILED {name}: {'not built' if name in missing else 'not listed in fuzz.py'}")
    targets = [target for target in TARGETS if target not in missing]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for target, (failures, seconds) in zip(targets, pool.map(lambda t: check_one(t, is_long), targets)):
            print(f"{target}: {seconds:.1f} s")
            for failure in failures:
                print(f"FAILED {target}: {failure}")
            failed += bool(failures)
    print(f"{len(TARGETS) + len(extra) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


def fuzz(targets, seconds):
    status = 0
    for target in targets:
        folder = BUILD / "corpus" / target
        fill(folder, target, True)
        print(f"{target}: {seconds} s on {len(list(folder.iterdir()))} inputs", flush=True)
        good, output = call(target, f"-max_total_time={seconds}", "-print_final_stats=1", *words(target), folder)
        print("  " + "  ".join(re.findall(r"stat::(?:number_of_executed_units|new_units_added|peak_rss_mb): *\d+", output)))
        if not good:
            status = 1
            print(f"FAILED {target}: {complaint(output)}", flush=True)
    return status


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--check"]:
        return check("--long" in arguments)
    seconds = int(arguments.pop()) if arguments and arguments[-1].isdigit() else 60
    targets = [name.removesuffix("_fuzz") for name in arguments] or list(TARGETS)
    for target in targets:
        if target not in TARGETS:
            sys.exit(f"there is no target {target}; there are: {' '.join(TARGETS)}")
    return fuzz(targets, seconds)


if __name__ == "__main__":
    sys.exit(main())
