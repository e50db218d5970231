#!/usr/bin/env python3
"""The project's SQL files at servers: each file at a new one, through Flight SQL.

    server_sql.py [--executors N] [--set KEY=VALUE]… [--state memory|sqlite] FILE…

Without --executors a server with its own executor, else a scheduler and N executors of one thread each. Last line: the sum."""
import argparse
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import node_driver
from command_driver import BINARY, ENVIRONMENT

RUNNER = BINARY.with_name("arbalest-slt")


@contextlib.contextmanager
def place(executors, state, folders):
    if executors:
        with node_driver.cluster(executors, *folders, scheduler=state) as (_, _, url):
            yield url
    else:
        with node_driver.server(*state, *folders) as (_, url):
            yield url


def run_file(options, file):
    """(passed, failed, skipped)"""
    with tempfile.TemporaryDirectory() as top:
        scratch, state = top + "/scratch", top + "/state"
        os.mkdir(scratch)
        folders = ["--data", "scratch=" + scratch, "--write-root", "scratch=" + scratch]
        if "/data/" in pathlib.Path(file).read_text(errors="replace"):  # the files beside it, none of which is a table then
            folders += ["--data", f"beside={pathlib.Path(file).parent}"]
        settings = [piece for pair in options.set for piece in ("--set", pair)]
        try:
            with place(options.executors, ("--state", options.state, "--state-dir", state), folders) as url:
                done = subprocess.run([RUNNER, "--connect", url, "--scratch", scratch, *settings, file], env=ENVIRONMENT,
                                      capture_output=True, text=True, timeout=600)
        except (AssertionError, subprocess.TimeoutExpired) as failure:  # of the processes; of the runner
            print(f"FAILED {file}: {failure}", flush=True)
            return 0, 1, 0
    lines = (done.stdout + done.stderr).splitlines()
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines[-1] if lines else "")
    print(*lines[:-1] if counts else lines, sep="\n", flush=True)
    if counts is None or (done.returncode != 0) != (int(counts[2]) > 0):
        print(f"FAILED {file}: the runner ended with {done.returncode}")
        return 0, 1, 0
    return tuple(map(int, counts.groups()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--executors", type=int, default=0)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--state", default="memory")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    sums = [sum(column) for column in zip(*(run_file(options, file) for file in options.files))]
    print("{} passed, {} failed, {} skipped".format(*sums))
    return 1 if sums[1] else 0


if __name__ == "__main__":
    sys.exit(main())
