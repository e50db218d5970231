#!/usr/bin/env python3
"""Executors hold their --memory-limit: the largest resident set that the system saw of each stays below it and what a process
takes besides (code, threads, buffers of connections, what the allocator keeps). The same queries without a limit take more, so
the bound means something."""
import contextlib
import pathlib
import sys
import tempfile

import command_driver
import node_driver
from command_driver import expect, run, sql

MB = 1000 * 1000
LIMIT, BESIDES = 64 * MB, 56 * MB
SCHEDULER_MOST = 120 * MB
SETTINGS = ("distribution=always", "broadcast_limit=0")
# Groups, a join with wide rows and a sort: each of some 100 MB in memory; and as many tasks as there are row groups, and more.
QUERIES = {
    "groups": "select count(*), sum(n), max(t) from (select l_orderkey, l_partkey, count(*) as n, max(l_comment) as t "
              "from lineitem group by 1, 2) g",
    "join": "select count(*), max(o_comment || l_comment), sum(l_linenumber) from lineitem join orders on l_orderkey = o_orderkey",
    "sort": "select count(*), min(l_comment), max(l_orderkey) from (select l_comment, l_orderkey from lineitem "
            "order by l_comment, l_orderkey, l_linenumber offset 1000000) s",
}


@contextlib.contextmanager
def tables():
    with tempfile.TemporaryDirectory() as top:
        status, _, err = run("generate", "tpch", "--scale", "0.3", "--output", f"{top}/data")
        expect((status, err), (0, ""))
        yield f"{top}/data"


def largest(node):
    """Bytes of the largest resident set so far."""
    lines = pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def expect_at_most(node, most):
    if largest(node) > most:
        raise AssertionError(f"{node.line.split()[0]} had {largest(node) / MB:.0f} MB resident, more than {most / MB:.0f}")


def ask(url, query, *settings):
    options = [piece for setting in settings for piece in ("--set", setting)]
    return sql("--connect", url, "--format", "csv", *options, "-c", query)


def test_executors_hold_their_limit():
    with tables() as folder:
        wanted = {name: sql("--data", folder, "--format", "csv", "-c", query) for name, query in QUERIES.items()}
        for limit in (LIMIT, 4000 * MB):
            with node_driver.cluster(2, "--data", folder, executor=("--threads", 1, "--memory-limit", limit)) as (head, rest, url):
                for name, query in QUERIES.items():
                    expect(ask(url, query, *SETTINGS), wanted[name])
                    if limit == LIMIT:
                        expect(ask(url, query, "target_task_bytes=64kB", *SETTINGS), wanted[name])
                        for node in rest:
                            expect_at_most(node, LIMIT + BESIDES)
                expect_at_most(head, SCHEDULER_MOST)
                if limit != LIMIT:
                    expect(max(map(largest, rest)) > LIMIT + BESIDES, True)


def test_tasks_beside_each_other_share_it():
    with tables() as folder:
        query = QUERIES["groups"]
        wanted = sql("--data", folder, "--format", "csv", "-c", query)
        with node_driver.cluster(1, "--data", folder, executor=("--threads", 4, "--memory-limit", LIMIT)) as (_, rest, url):
            expect(ask(url, query, *SETTINGS), wanted)
            expect_at_most(rest[0], LIMIT + BESIDES)


def test_a_query_of_a_thousand_equal_scans():
    """Planned in memory that grows with the query, not with its square or cube."""
    pieces = " union all ".join(f"select {i} as x, n_name from nation where n_nationkey < 3" for i in range(1000))
    with tables() as folder:
        wanted = (0, "n,s\n3000,1498500\n", "")
        query = f"select count(*) as n, sum(x) as s from ({pieces}) t"
        expect(sql("--data", folder, "--format", "csv", stdin=query + ";"), wanted)
        with node_driver.cluster(1, "--data", folder) as (head, _, url):
            expect(sql("--connect", url, "--format", "csv", "--set", "distribution=always", stdin=query + ";"), wanted)
            expect_at_most(head, SCHEDULER_MOST)


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
