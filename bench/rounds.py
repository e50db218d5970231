"""Both sides in turn, in one run, on the same files: the least time of each case over the rounds, and the ratios.

A round starts both programs afresh, in changing order. Each runs every statement twice and the second time counts: files and
caches are warm. The machine may be noisy; what it does to one side it soon does to the other, and the least of several
rounds is what neither was disturbed in.
"""
import dataclasses
import math
import sys

import ours
import peer


@dataclasses.dataclass
class Case:
    name: str
    ours: str
    theirs: str = None  # None: the same text
    is_query: bool = True  # whose rows are written as CSV by both sides

    def their_text(self):
        text = self.ours if self.theirs is None else self.theirs
        return peer.as_csv(text) if self.is_query else text


@dataclasses.dataclass
class Side:
    seconds: list
    peak_bytes: float = math.inf

    def take(self, seconds, peak_bytes):
        self.seconds = list(map(min, self.seconds, seconds))
        self.peak_bytes = min(self.peak_bytes, peak_bytes)


def run_ours(cases, options, folders, threads=None, more=()):
    run = ours.Run([case.ours for case in cases for _ in range(2)], folders, threads, options.binary, [*more, *options.more])
    seconds = [line["seconds"] for line in run]
    run.finish()
    if run.status != 0 or len(seconds) != 2 * len(cases):
        sys.exit(f"arbalest failed: {run.messages.strip()}")
    return seconds[1::2], run.peak_bytes


def run_theirs(python, cases, options, views):
    seconds, peak_bytes = peer.run(python, [case.their_text() for case in cases for _ in range(2)], views, options.threads)
    return seconds[1::2], peak_bytes


def measure(cases, options, folders, views):
    """(ours, theirs); theirs is None when there is no peer."""
    python = None if options.no_peer else peer.find()
    mine, other = Side([math.inf] * len(cases)), Side([math.inf] * len(cases))
    for number in range(options.rounds):
        for who in ("ours", "theirs") if number % 2 else ("theirs", "ours"):
            if who == "ours":
                mine.take(*run_ours(cases, options, folders, options.threads))
            elif python is not None:
                other.take(*run_theirs(python, cases, options, views))
    return mine, None if python is None else other


def report(cases, mine, other):
    width = max(len(case.name) for case in cases)
    if other is None:
        print("no peer: DuckDB is not to be had here")
        for case, seconds in zip(cases, mine.seconds):
            print(f"{case.name:{width}} {seconds:10.4f} s")
        print(f"sum {sum(mine.seconds):.3f} s; memory {mine.peak_bytes / 1e6:.0f} MB")
        return
    mean = print_ratios(cases, mine, other, "arbalest s", "duckdb s")
    print(f"geometric mean of ratios {mean:.3f}, memory {mine.peak_bytes / 1e6:.0f} MB against {other.peak_bytes / 1e6:.0f} MB, "
          f"ratio {mine.peak_bytes / other.peak_bytes:.3f}")


def print_ratios(cases, mine, other, mine_name, other_name):
    """The geometric mean."""
    width = max(len(case.name) for case in cases)
    print(f"{'':{width}} {mine_name:>13} {other_name:>13} {'ratio':>6}")
    ratios = [a / b for a, b in zip(mine.seconds, other.seconds)]
    for case, a, b, ratio in zip(cases, mine.seconds, other.seconds, ratios):
        print(f"{case.name:{width}} {a:13.4f} {b:13.4f} {ratio:6.2f}")
    worst, name = max(zip(ratios, (case.name for case in cases)))
    print(f"sum {sum(mine.seconds):.3f} s against {sum(other.seconds):.3f} s; largest ratio {worst:.2f} ({name})")
    return math.exp(sum(map(math.log, ratios)) / len(ratios))
