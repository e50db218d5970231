#!/usr/bin/env python3
"""Run TPC-H's 22 queries in one process and print each one's time, their sum, and the largest resident set.

    demo.py DATA [--binary build/arbalest] [--threads N]
"""
import argparse
import pathlib
import sys
import time

import ours

QUERIES = sorted((pathlib.Path(__file__).resolve().parent / "tpch").glob("q*.sql"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--binary", default=ours.ROOT / "build/arbalest")
    parser.add_argument("--threads")
    options = parser.parse_args()
    start = time.monotonic()
    run = ours.Run([query.read_text() for query in QUERIES], [options.data], options.threads, options.binary)
    slowest, total, done = 0.0, 0.0, 0
    for query, line in zip(QUERIES, run):
        done += 1
        total += line["seconds"]
        slowest = max(slowest, line["seconds"])
        bar = "#" * max(1, round(line["seconds"] / slowest * 30))
        print(f"  {query.stem}  {line['seconds']:8.3f} s  {line['rows']:6} rows  {bar}", flush=True)
    run.finish()
    sys.stderr.write(run.messages)
    print(f"  {done} queries in {total:.2f} s ({time.monotonic() - start:.2f} s with the start), at most "
          f"{run.peak_bytes / 1e6:.0f} MB resident")
    return run.status or int(done != len(QUERIES))


if __name__ == "__main__":
    sys.exit(main())
