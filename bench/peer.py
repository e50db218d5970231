"""DuckDB from PyPI, in an environment of its own below build/, doing the same work in a process of its own."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = "2.0.0"

# Runs in that environment. Standard input: one JSON object; standard output: one a statement, then one with the peak.
CHILD = """
import duckdb, json, sys, time
peak = lambda: int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
work = json.load(sys.stdin)
c = duckdb.connect()
for setting in work["settings"]:
    c.execute("set " + setting)
c.execute("select 1").fetchall()
idle = peak()
for name, source in work["views"].items():
    c.execute(f"create view {name} as select * from {source}")
for statement in work["statements"]:
    start = time.perf_counter()
    c.execute(statement).fetchall()
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
print(json.dumps({"peak": peak() - idle}))
"""
# What makes its answers ours: whole numbers divide to whole numbers, NULLs are the largest.
SETTINGS = ["enable_progress_bar = false", "integer_division = true",
            "default_null_order = 'nulls_last_on_asc_first_on_desc'"]


def find():
    """The interpreter that has it, or None: without a network there may be none."""
    folder = ROOT / f"build/venv-duckdb-{VERSION}"
    python = folder / "bin/python"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if not (folder / "complete").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, **quiet)
            subprocess.run([python, "-m", "pip", "install", "--retries", "1", "--timeout", "20", f"duckdb=={VERSION}"], check=True,
                           **quiet)
            (folder / "complete").touch()
        except (OSError, subprocess.CalledProcessError):
            return None
    return python


def as_csv(query):
    """A query whose rows are formatted and thrown away, as our command's are."""
    return f"copy ({query.strip().rstrip(';')}) to '/dev/null' (format csv)"


def run(python, statements, views, threads):
    """(seconds of each statement, bytes of the peak above the idle process)"""
    work = {"settings": [*SETTINGS, f"threads = {threads}"], "views": views, "statements": statements}
    done = subprocess.run([python, "-c", CHILD], input=json.dumps(work), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"the peer failed: {done.stderr.strip().splitlines()[-1]}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line["seconds"] for line in lines[:-1]], lines[-1]["peak"]
