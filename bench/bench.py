#!/usr/bin/env python3
"""Measure the engine, beside DuckDB where that is to be had; see README.md.

    bench.py tpch|csv|parquet|sort|aggregate|join|planning [--scale 1] [--rounds 5] [--threads N] [--only NAME…] [--no-peer]
             [-- flags of `arbalest sql`]
    bench.py start [--rounds 20]
    bench.py cluster [--scale 1] [--rounds 5] [--executors 2] [--only NAME…]
    bench.py ballista --ballista FOLDER [--setting KEY=VALUE…] [--memory-limit SIZE] [--scale 1] [--rounds 5] [--only NAME…]
    bench.py cancel [--scale 1] [--cancels 20] [--threads N] [--only NAME…]
    bench.py reaction [--scale 1] [--times 100] [--executors 2]
"""
import argparse
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

import ballista_bench
import cluster_bench
import ours
import peer
import reaction_bench
import rounds
import suites

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "build/bench"
SUITES = ("tpch", "csv", "parquet", "sort", "aggregate", "join", "planning", "start", "cancel", "cluster", "ballista", "reaction")


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    memory = int(next(line for line in open("/proc/meminfo") if line.startswith("MemTotal")).split()[1]) / 1e6
    return f"{model}, {len(os.sched_getaffinity(0))} processors, {memory:.0f} GB, load {os.getloadavg()[0]:.1f}"


def print_head(options):
    print(f"$ ./dev bench {' '.join(sys.argv[1:])}")
    print(f"machine: {machine()}")
    print(f"{ours.version(options.binary)}" + ("" if options.no_peer else f" beside DuckDB {peer.VERSION}"), flush=True)


# ---- data -----------------------------------------------------------------------------------------------------------------
def make(path, command):
    """A file or folder that appears when it is complete."""
    if not path.exists():
        part = path.with_name(f".{path.name}.part")
        subprocess.run(["rm", "-rf", part], check=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"making {path.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run(command(part), check=True)
        part.rename(path)
    return path


def tables(options):
    return make(DATA / f"tpch-{options.scale}",
                lambda part: [options.binary, "generate", "tpch", "--scale", options.scale, "--output", part])


def lineitem_csv(options):
    folder = tables(options)
    return make(DATA / f"csv-{options.scale}/lineitem.csv",
                lambda part: [options.binary, "sql", "--data", folder, "-c", f"copy lineitem to '{part}' (format csv)"])


def views(folder):
    return {path.stem: f"read_parquet('{path}')" for path in sorted(folder.glob("*.parquet"))}


# ---- suites ---------------------------------------------------------------------------------------------------------------
def compare(options, cases, folder):
    chosen = [case for case in cases if not options.only or case.name in options.only]
    if not chosen:
        sys.exit(f"there is no such case; there are: {', '.join(case.name for case in cases)}")
    mine, other = rounds.measure(chosen, options, [folder], views(folder))
    rounds.report(chosen, mine, other)


def bench_parquet(options, folder):
    written = DATA / "written"
    written.mkdir(exist_ok=True)
    compare(options, suites.parquet(written), folder)
    sizes = {path.stem: path.stat().st_size for path in written.glob("*.parquet")}
    if sizes:
        print("written: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sorted(sizes.items())))
    for path in written.iterdir():
        path.unlink()
    written.rmdir()


def bench_sort(options, folder):
    out = subprocess.run([options.binary, "sql", "--data", folder, "-c", "select count(*) from lineitem"], capture_output=True,
                         text=True, check=True).stdout
    compare(options, suites.sort(int(out.split()[1])), folder)


def bench_planning(options, folder):
    """Warm footers as in the other suites; then cold ones: the first statement of a process."""
    compare(options, suites.planning(), folder)
    cold = []
    for case in suites.planning():
        least = math.inf
        for _ in range(options.rounds):
            run = ours.Run([case.ours], [folder], options.threads, options.binary)
            least = min(least, next(iter(run))["seconds"])
            run.finish()
        cold.append(least)
    print(f"first of a process, footers and samples included: mean {statistics.mean(cold) * 1e3:.2f} ms, "
          f"most {max(cold) * 1e3:.2f} ms")


def bench_start(options):
    """`select 1` as a process. The peer is a library: Python's own start is taken off."""
    def whole(command):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - start) * 1e3
    python = None if options.no_peer else peer.find()
    mine, other, bare = [], [], []
    for _ in range(options.rounds):
        mine.append(whole([options.binary, "sql", "-c", "select 1"]))
        if python is not None:
            bare.append(whole([python, "-c", "pass"]))
            other.append(whole([python, "-c", "import duckdb; duckdb.connect().execute('select 1').fetchall()"]))
    print(f"arbalest: median {statistics.median(mine):.1f} ms, least {min(mine):.1f} ms")
    if python is None:
        print("no peer: DuckDB is not to be had here")
    else:
        print(f"duckdb in Python: median {statistics.median(other) - statistics.median(bare):.1f} ms, "
              f"least {min(other) - min(bare):.1f} ms, without Python's own {min(bare):.1f} ms")


def bench_cancel(options, folder):
    program = ROOT / "build/cancel_latency"
    sys.stdout.flush()
    subprocess.run([program, folder, lineitem_csv(options).parent, str(options.cancels), str(options.threads), *(options.only or [])],
                   check=True)


def main():
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="?", default="tpch", choices=SUITES)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", nargs="+", help="names of cases, for example 01 17")
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    parser.add_argument("--cancels", type=int, default=20, help="of each query")
    parser.add_argument("--times", type=int, default=100, help="of each reaction")
    parser.add_argument("--executors", type=int, default=2, help="of one thread each")
    parser.add_argument("--ballista", type=pathlib.Path, help="the folder with its programs")
    parser.add_argument("--setting", action="append", default=[], help="of Ballista's, as KEY=VALUE")
    parser.add_argument("--memory-limit", help="of each of our executors beside Ballista's")
    parser.add_argument("--binary", default=ROOT / "build/arbalest")
    options = parser.parse_args(sys.argv[1:cut])
    options.more = sys.argv[cut + 1:]
    options.rounds = options.rounds or (20 if options.suite == "start" else 5)
    if options.suite == "ballista" and not options.ballista:
        parser.error("ballista needs --ballista FOLDER, with its programs; bench/ballista_bench.py says how they are had")
    options.no_peer |= options.suite == "ballista"
    print_head(options)
    if options.suite == "start":
        return bench_start(options)
    folder = tables(options)
    if options.suite == "csv":
        return compare(options, suites.csv(lineitem_csv(options)), folder)
    if options.suite in ("cluster", "ballista"):
        suite = cluster_bench if options.suite == "cluster" else ballista_bench
        return suite.measure([c for c in suites.tpch() if not options.only or c.name in options.only], options, folder)
    if options.suite == "reaction":
        return reaction_bench.measure(suites.tpch(), options, folder)
    if options.suite in ("tpch", "aggregate", "join"):
        return compare(options, getattr(suites, options.suite)(), folder)
    return {"parquet": bench_parquet, "sort": bench_sort, "planning": bench_planning, "cancel": bench_cancel}[options.suite](
        options, folder)


if __name__ == "__main__":
    sys.exit(main())
