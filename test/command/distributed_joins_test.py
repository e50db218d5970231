#!/usr/bin/env python3
"""Random joins, embedded and through a cluster in several ways: the rows must be the same.

    distributed_joins_test.py [--seed 1] [--queries 200] [--executors 2]

All kinds of joins and subqueries, over keys of different types, widths and kinds of strange values (NULL, NaN, -0.0, infinity),
over tables, aggregates and other joins. Last line: the sum, where each query counts once for each way."""
import argparse
import collections
import random
import re
import subprocess
import sys

import node_driver
from command_driver import BINARY, ENVIRONMENT, sql

# Keys by what may be compared with what; their values overlap in part, many come often, some are NULL.
NUMBERS, FLOATS, TEXTS, DATES = ("a", "s", "n", "d", "w"), ("f", "r", "g"), ("t", "u"), ("y",)
FAMILIES = (NUMBERS, NUMBERS, NUMBERS, FLOATS, FLOATS, TEXTS, DATES)
SIZES = {"fact": 20000, "other": 9000, "some": 700, "few": 20, "none": 0}
COLUMNS = """
    x as k,
    (x * {p}) % {m} as a,
    ((x * 3) % 50)::smallint as s,
    case when x % 11 = {e} then null else ((x * 5) % {m})::integer end as n,
    case when x % 13 = 1 then null else cast((x * 7) % {m} as decimal(20, 2)) end as d,
    cast((x * 3) % {m} as decimal(38, 4)) as w,
    case when x % 17 = 0 then null when x % 17 = 1 then cast('nan' as double) when x % 17 = 2 then cast('inf' as double)
         when x % 17 < 5 then -0.0::double when x % 17 < 7 then 0.0::double else ((x * 7) % {m})::double end as f,
    case when x % 9 = 0 then null when x % 9 = 1 then cast('nan' as real) when x % 9 = 2 then -0.0::real
         else ((x * 3) % {m})::real end as r,
    ((x * 11) % {m})::double / 2 as g,
    case when x % 19 = 3 then null else 'k' || ((x * {p}) % {m}) end as t,
    case when x % 5 = 0 then '' else 'k' || (x % 40) end as u,
    case when x % 23 = 5 then null else date '2020-01-01' + (x % {m})::integer end as y,
    (x * 31) % 1000 as v"""
SETUP = ";\n".join(f"create table {name} as select {COLUMNS.format(p=p, m=m, e=e)} from range({size}) q(x)"
                   for (name, size), p, m, e in zip(SIZES.items(), (7, 13, 3, 17, 1), (5000, 700, 900, 60, 10), (0, 4, 2, 7, 1)))
WAYS = {"as planned": (), "never": ("distribution=never",), "always": ("distribution=always",),
        "no broadcast, tiny tasks": ("distribution=always", "broadcast_limit=0", "target_task_bytes=32kB"),
        "broadcasts, tiny tasks": ("distribution=always", "broadcast_limit=100MB", "target_task_bytes=32kB"),
        "small broadcasts, in files": ("distribution=always", "broadcast_limit=2kB", "exchange_memory=0", "batch_rows=7")}


class Maker:
    """Makes up statements."""

    def __init__(self, dice):
        self.dice = dice

    def one(self, *choices):
        return self.dice.choice(choices)

    def side(self, key, most):
        """A subquery with the columns c (a key), e (another of its family), m (a number)."""
        table = self.dice.choice([name for name, size in SIZES.items() if size <= most and (size or self.dice.random() < 0.15)])
        second = self.dice.choice([k for f in FAMILIES if key in f for k in f])
        kind = self.dice.random()
        where = self.one("", "", "", " where v < 700", f" where {key} is not null", f" where {key} is null or v % 7 = 1")
        if kind < 0.5:
            return f"(select {key} as c, {second} as e, v as m from {table}{where})"
        if kind < 0.7:
            return f"(select {key} as c, min({second}) as e, count(*) as m from {table}{where} group by {key})"
        if kind < 0.8:
            return f"(select distinct {key} as c, {second} as e, 1 as m from {table}{where})"
        if kind < 0.9:
            return f"(select {key} as c, max({second}) as e, sum(v) as m from {table}{where} group by 1 having count(*) < 40)"
        join = self.one("join", "left join", "full join")
        return (f"(select i.c, min(i.e) as e, count(*) as m from (select {key} as c, {second} as e from {table}{where}) i "
                f"{join} (select distinct {key} as c from few) j on i.c = j.c group by i.c)")

    def sides(self, *most):
        """Subqueries with keys of one family, each over a table of so many rows at most."""
        family = self.dice.choice(FAMILIES)
        return [self.side(self.dice.choice(family), rows) for rows in most]

    def condition(self):
        return self.one("l.c = r.c", "l.c = r.c", "l.c = r.c", "l.c is not distinct from r.c", "l.c = r.c and l.e = r.e",
                        "l.c = r.c and l.m < r.m", "l.c = r.c and l.e is not distinct from r.e", "l.c = r.c and (l.m + r.m) % 3 = 1")

    def joined(self):
        left, right = self.sides(20000, 20000)
        kind = self.one("join", "left join", "right join", "full join")
        source = f"{left} l {kind} {right} r on {self.condition()}"
        return self.one(f"select count(*), sum(l.m), sum(r.m), count(l.c), count(r.c) from {source}",
                        f"select l.m % 10 as g, count(*), sum(r.m), min(r.m) from {source} group by 1",
                        f"select count(*), sum(m) from (select distinct l.m as m, r.m as o from {source}) q")

    def existing(self):
        left, right = self.sides(20000, 20000)
        word = self.one("exists", "not exists")
        return f"select count(*), sum(m), min(m) from {left} l where {word} (select 1 from {right} r where {self.condition()})"

    def within(self):
        left, right = self.sides(20000, 700)
        word = self.one("in", "not in")
        where = self.one("", " where r.c is not null", " where r.m < 0", " where r.m = l.m" if word == "in" else "")
        test = f"l.c {word} (select r.c from {right} r{where})"
        return self.one(f"select count(*), sum(m) from {left} l where {test}",
                        f"select count(*), sum(m) from {left} l where {test} or l.m % 5 = 0",
                        f"select {test} as b, count(*), sum(m) from {left} l group by 1")

    def chain(self):
        left, right, third = self.sides(20000, 20000, 700)
        first, second = self.one("join", "left join", "full join"), self.one("join", "left join", "right join")
        inner = f"select l.c, sum(l.m + coalesce(r.m, 0)) as m from {left} l {first} {right} r on l.c = r.c group by l.c"
        return f"select count(*), sum(o.m), sum(z.m) from ({inner}) o {second} {third} z on o.c = z.c"

    def statement(self):
        return self.one(self.joined, self.joined, self.existing, self.within, self.within, self.chain)()


def results(arguments, statements, before=""):
    """What each statement gives, its lines in order, or its error: the command stops at one, and is begun again behind it."""
    found = []
    while len(found) < len(statements):
        text = "; ".join([before or "select 1 as n", *(f"select 1 as ended; {s}" for s in statements[len(found):]), "select 1 as ended"])
        done = subprocess.run([BINARY, "sql", "--format", "csv", *arguments, "-c", text], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=600, env=ENVIRONMENT)
        pieces = done.stdout.split("ended\n1\n")[1:-1]
        found += [sorted(re.sub(r"^-0,", "0,", line) for line in piece.strip().splitlines()[1:]) for piece in pieces]
        if done.returncode != 0:
            found.append(done.stderr.split("\n")[0])
        elif len(found) < len(statements):
            raise AssertionError(f"{len(found)} results of {len(statements)} statements: {done.stdout[-500:]}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--executors", type=int, default=2)
    options = parser.parse_args()
    maker = Maker(random.Random(options.seed))
    statements = [maker.statement() for _ in range(options.queries)]
    expected = results([], statements, SETUP)
    failed = collections.Counter()
    with node_driver.cluster(options.executors, executor=("--threads", 2)) as (_, _, url):
        status, _, err = sql("--connect", url, "-c", SETUP)
        if status != 0:
            raise AssertionError(err)
        for name, way in WAYS.items():
            arguments = ["--connect", url, *(piece for setting in way for piece in ("--set", setting))]
            for statement, wanted, got in zip(statements, expected, results(arguments, statements)):
                if wanted != got:
                    failed[name] += 1
                    print(f"FAILED {name}: {statement}\n  embedded {wanted}\n  cluster  {got}", flush=True)
    empty = sum(answer in ([], ["0,,,0,0"], ["0,"], ["0,,"]) for answer in expected)
    errors = [answer for answer in expected if isinstance(answer, str)]
    print(f"{options.queries} queries, {empty} without rows, {len(errors)} errors: {set(errors)}")
    total = options.queries * len(WAYS)
    print(f"{total - failed.total()} passed, {failed.total()} failed, 0 skipped")
    return 1 if failed or errors or empty > options.queries / 3 else 0


if __name__ == "__main__":
    sys.exit(main())
