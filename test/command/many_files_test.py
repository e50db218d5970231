#!/usr/bin/env python3
"""Tables of more files than a process may have open at once: embedded, at a server and at a cluster."""
import contextlib
import os
import pathlib
import resource
import shutil
import sys
import tempfile

import command_driver
import node_driver
from command_driver import expect, sql

FILES, ROWS, OPEN_MOST = 400, 7, 128
QUERIES = {"select count(*) as n, sum(a) as s, count(distinct t) as d from FILES": "2800,8400,7",
           "select max(a), min(t) from FILES where a > 3": "6,text 4",
           "select count(*) from FILES x join FILES y on x.a = y.a where x.t = 'text 1' and y.t = 'text 1'": "160000"}


@contextlib.contextmanager
def many_files():
    """A folder with the tables many and lines, each of more files than the processes that are started then may open."""
    with tempfile.TemporaryDirectory() as top:
        for kind, table in (("parquet", "many"), ("csv", "lines")):
            first = pathlib.Path(top, "one." + kind)
            expect(sql("-c", f"copy (select x as a, 'text ' || x as t from range({ROWS}) r(x)) to '{first}'"), (0, "", ""))
            for i in range(FILES):
                inside = pathlib.Path(top, "data", table, f"part{i % 5}")
                inside.mkdir(parents=True, exist_ok=True)
                shutil.copy(first, inside / f"file{i}.{kind}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_MOST, OPEN_MOST))  # for good; servers raise what may be raised
        yield f"{top}/data"


def ask(*arguments):
    """Twice: what the first time opened is still open."""
    for table in ("many", "lines"):
        for query, row in QUERIES.items():
            statement = query.replace("FILES", table)
            status, out, err = sql(*arguments, "-c", statement, "-c", statement)
            rows = [line for line in out.splitlines() if line[:1].isdigit()]
            expect((status, rows, err), (0, [row, row], ""))


def expect_few(folder, nodes):
    """No more of the files are open than half of what a process may have open, and some are where tasks were."""
    counts = [sum(os.path.realpath(link).startswith(folder) for link in pathlib.Path(f"/proc/{node.process.pid}/fd").iterdir())
              for node in nodes]
    assert 0 < max(counts) <= OPEN_MOST // 2, counts


def test_embedded():
    with many_files() as folder:
        for threads in (1, 7):
            ask("--data", folder, "--threads", threads)


def test_server():
    with many_files() as folder, node_driver.server("--state", "memory", "--data", "d=" + folder) as (node, url):
        ask("--connect", url)
        expect_few(folder, [node])


def test_cluster():
    with many_files() as folder, node_driver.cluster(2, "--data", "d=" + folder) as (head, rest, url):
        ask("--connect", url, "--set", "distribution=always")
        expect_few(folder, [head, *rest])


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
