#!/usr/bin/env python3
"""Run the 22 queries in one process of `arbalest sql` and print each one's time, their sum, and the largest resident set.

    run.py DATA [--binary build/arbalest] [--threads N]
"""
import argparse
import json
import pathlib
import resource
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--binary", default="build/arbalest")
    parser.add_argument("--threads")
    options = parser.parse_args()
    queries = sorted(HERE.glob("q*.sql"))
    command = [options.binary, "sql", "--data", options.data, "--format", "csv", "--timing"]
    command += ["--threads", options.threads] if options.threads else []
    for query in queries:
        command += ["-f", str(query)]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    slowest, total, done = 0.0, 0.0, 0
    for line in process.stderr:
        if not line.startswith("{"):
            sys.stderr.write(line)
            continue
        seconds, rows = (json.loads(line)[key] for key in ("seconds", "rows"))
        name = queries[done].stem
        done += 1
        total += seconds
        slowest = max(slowest, seconds)
        bar = "#" * max(1, round(seconds / slowest * 30))
        print(f"  {name}  {seconds:8.3f} s  {rows:6} rows  {bar}", flush=True)
    status = process.wait()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"  {done} queries in {total:.2f} s ({time.monotonic() - start:.2f} s with the start), at most {peak:.0f} MB resident")
    return status or int(done != len(queries))


if __name__ == "__main__":
    sys.exit(main())
