"""What distribution costs: the same queries embedded, and through a scheduler and executors, which have as many threads together."""
import pathlib
import statistics
import sys

import ours
import rounds

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/command"))
import node_driver  # noqa: E402  # how tests start processes of a cluster, too

TRIPS = 300


def peak_bytes(process):
    line = next(line for line in open(f"/proc/{process.pid}/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def round_trip(url, options):
    """Seconds of `select 1` on an open connection."""
    run = ours.Run(["select 1"] * TRIPS, binary=options.binary, more=["--connect", url])
    seconds = [line["seconds"] for line in run]
    if run.finish().status != 0:
        sys.exit(f"arbalest failed: {run.messages.strip()}")
    return seconds[TRIPS // 3:]


def measure(cases, options, folder):
    embedded = rounds.Side([float("inf")] * len(cases))
    distributed = rounds.Side([float("inf")] * len(cases))
    executors = options.executors
    with node_driver.cluster(executors, "--data", f"tpch={folder}") as (scheduler, nodes, url):
        for number in range(options.rounds):
            turns = [lambda: embedded.take(*rounds.run_ours(cases, options, [folder], executors)),
                     lambda: distributed.take(*rounds.run_ours(cases, options, (), None, ["--connect", url]))]
            for turn in turns if number % 2 else turns[::-1]:
                turn()
        trips = round_trip(url, options)
        memory = [peak_bytes(node.process) for node in nodes]
        head = peak_bytes(scheduler.process)
    mean = rounds.print_ratios(cases, distributed, embedded, "distributed s", "embedded s")
    print(f"geometric mean of ratios {mean:.3f}; memory at most: executors {', '.join(f'{m / 1e6:.0f} MB' for m in memory)}, "
          f"scheduler {head / 1e6:.0f} MB, embedded {embedded.peak_bytes / 1e6:.0f} MB")
    print(f"select 1 on an open connection: median {statistics.median(trips) * 1e3:.2f} ms, least {min(trips) * 1e3:.2f} ms")
