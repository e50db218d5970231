#!/usr/bin/env python3
"""Processes of a cluster as the command starts them: what is refused and how, what they say, how they end, who goes with whom."""
import contextlib
import os
import pathlib
import re
import resource
import signal
import socket
import sys
import tempfile
import time

import command_driver
import node_driver
from command_driver import expect, expect_failure, expect_in, run, sql, start, wait_until
from node_driver import FREE, Node, is_there


MOST = 60  # seconds that anything may take, also with sanitizers on a busy machine


# ---- refused --------------------------------------------------------------------------------------------------------------
def test_wrong_usage():
    for arguments in (["executor"], ["executor", "--scheduler", "x"], ["executor", "--scheduler", "127.0.0.1:1,127.0.0.1:2"],
                      ["scheduler", "--port", "x"], ["scheduler", "--port", "65536"], ["scheduler", "--state", "disk"],
                      ["server", "--threads", "0"], ["server", "--memory-limit", "lots"], ["scheduler", "operand"],
                      ["executor", "--scheduler", "127.0.0.1:1", "--drain-timeout", "5h"], ["server", "--control-port", "1"]):
        expect_failure(run(*arguments), 2, "arbalest: ")


def test_wrong_configuration():
    with tempfile.TemporaryDirectory() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        secret = pathlib.Path(folder, "secret")
        secret.write_text("abc\n")
        secret.chmod(0o644)
        empty = pathlib.Path(folder, "empty")
        empty.touch(0o600)
        shared = pathlib.Path(folder, "shared")
        shared.mkdir()
        shared.chmod(0o777)
        port = taken.getsockname()[1]
        base = ["scheduler", "--port", 0, "--control-port", 0, "--http-port", 0, "--state"]
        for arguments, piece in ((["memory", "--data", "/nowhere"], "/nowhere"), (["memory", "--host", "0.0.0.0"], "--insecure"),
                                 (["memory", "--data", "a=/tmp", "--data", "a=/usr"], '"a"'),
                                 (["sqlite", "--state-dir", shared], "others may write"),
                                 (["memory", "--join-token-file", secret], "others than its owner"),
                                 (["memory", "--join-token-file", empty], "no secret"),
                                 (["memory", "--join-token-file", folder + "/none"], "No such file"),
                                 (["memory", "--control-port", port], str(port))):
            expect_failure(run(*base, *arguments), 78, piece)
        expect_failure(run("scheduler", ARBALEST_SCHEDULER_PORT="many"), 78, "port")
        expect_failure(run("executor", "--scheduler", "127.0.0.1:1", "--http-port", 0, "--port", port), 78, str(port))


def test_insecure_is_true_or_false():
    base = ["scheduler", *FREE, "--control-port", 0, "--state", "memory", "--host", "0.0.0.0"]
    expect_failure(run(*base, ARBALEST_SCHEDULER_INSECURE="false"), 78, "--insecure")
    expect_failure(run(*base, ARBALEST_SCHEDULER_INSECURE="maybe"), 78, "insecure is true or false")


def test_failed_start_ends_nobody_else():
    with tempfile.TemporaryDirectory() as folder, Node("scheduler", *FREE, "--control-port", 0, "--state-dir", folder) as older:
        port = older.places["clients"].rsplit(":", 1)[1]
        again = ("scheduler", "--http-port", 0, "--control-port", 0, "--state-dir", folder, "--port")
        expect_failure(run(*again, port), 78, port)
        expect_failure(run(*again, 0, "--users-file", folder + "/none"), 78, "none")
        expect_failure(run(*again, 0, "--host", "0.0.0.0"), 78, "--insecure")
        expect_failure(run(*again, 0, "--insecure", "--host", "no such host"), 78, "no such host")
        expect_failure(run(*again, 0, "--write-root", folder + "/none"), 78, "none")
        with socket.socket() as other:  # a port that is free when it has ended
            other.bind(("127.0.0.1", 0))
            twice = other.getsockname()[1]
        expect_failure(run("scheduler", "--state-dir", folder, "--http-port", 0, "--port", twice, "--control-port", twice), 78, "twice")
        shared = pathlib.Path(folder, "shared")
        shared.mkdir()
        shared.chmod(0o777)
        server = ("server", *FREE, "--state-dir", folder)
        expect_failure(run(*server, "--work-dir", shared), 78, "others may write")
        expect(sql("--connect", "arbalest://" + older.places["clients"], "-c", "create table t (a int)")[0], 0)


# ---- beginning and end ------------------------------------------------------------------------------------------------------
def test_ends_well():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with tempfile.TemporaryDirectory() as folder, \
                Node("scheduler", "--port", 0, "--control-port", 0, "--http-port", 0, "--state", "memory") as scheduler:
            expect_in("listening ", scheduler.line)
            with Node("executor", "--scheduler", scheduler.places["control"], *FREE, TMPDIR=folder) as executor:
                expect_in("127.0.0.1:", executor.places["flight"])
                expect(executor.end(number), (0, ""))
            expect(os.listdir(folder), [])
            expect(scheduler.end(number), (0, ""))


def test_state_is_private():
    with tempfile.TemporaryDirectory() as folder:
        for arguments, environment in ((["--state-dir", folder + "/a/b"], {}), ([], {"XDG_STATE_HOME": folder + "/x"})):
            with Node("scheduler", "--port", 0, "--control-port", 0, "--http-port", 0, *arguments, **environment) as scheduler:
                expect(scheduler.end(), (0, ""))
        for made in (folder + "/a/b", folder + "/x/arbalest"):
            expect(oct(os.stat(made).st_mode & 0o777), "0o700")
            for path in pathlib.Path(made).rglob("*"):
                expect((str(path), path.stat().st_mode & 0o077), (str(path), 0))


def test_wrong_token():
    with tempfile.TemporaryDirectory() as folder:
        tokens = []
        for name in ("right", "wrong"):
            tokens.append(pathlib.Path(folder, name))
            tokens[-1].write_text(name + "\n")
            tokens[-1].chmod(0o600)
        with Node("scheduler", "--port", 0, "--control-port", 0, "--http-port", 0, "--state", "memory",
                  "--join-token-file", tokens[0]) as scheduler:
            with Node("executor", "--scheduler", scheduler.places["control"], "--port", 0, "--http-port", 0,
                      "--join-token-file", tokens[1]) as executor:
                wait_until(lambda: "does not take this executor" in executor.said(), MOST)
                expect(executor.end()[0], 0)


# ---- statements at a server ---------------------------------------------------------------------------------------------------
def test_statements_at_a_server():
    with node_driver.server("--state", "memory") as (_, url):
        expect(sql("--connect", url, "-c", "create table t as select x from range(10) r(x); select sum(x) as s, max(x) as m from t"),
               (0, "s,m\n45,9\n", ""))
        expect(sql("--connect", url, "--format", "json", "-c", "select null as a, 'é' as b, 1.50 as c, date '2020-02-29' as d")[1],
               '[{"a":null,"b":"é","c":1.50,"d":"2020-02-29"}]\n')
        status, out, err = sql("--connect", url, "-c", "select 1 as a; select 1/x as q from t")
        expect((status, out), (1, "a\n1\n"))
        expect_in("22012", err)
        status, out, err = sql("--connect", url, "-c", "select nonsense from t")
        expect_in("LINE 1: select nonsense from t\n               ^", err)
        expect(sql("--connect", url, "--set", "distribution=always", "-c", "show distribution")[1], "distribution\nalways\n")
        expect(sql("--connect", url, "--set", "nonsense=1", "-c", "")[0], 2)
        expect_failure(sql("--connect", url, "-c", "set memory_limit = '1GB'"), 1, "42501")
        expect_failure(sql("--connect", url, "--threads", "1", "-c", ""), 2, "--connect")
        expect(sql("--connect", url, stdin="select 1 as a; select 2 as b")[1], "a\n1\n\nb\n2\n")


def test_explain_shows_stages():
    with node_driver.cluster(2) as (_, _, url):
        text = "select x % 7 as k, count(*) as n from range(100000) r(x) group by k"
        at = lambda statement: sql("--connect", url, "--format", "tsv", "--set", "distribution=always", "-c", statement)[1]
        plan = at("explain " + text)
        expect_in("\nStages\nStage 0: ", plan)
        expect_in("partial aggregate", plan[plan.index("Stages"):])
        ran = at("explain analyze " + text)
        assert re.search(r"\nStage 0 ran: (\d+) of \1 tasks, \d+ rows in \d+ bytes, a task held at most [1-9]\d* bytes, "
                         r"median task \d+\.\d+ ms, all in \d+\.\d+ ms\n", ran), ran
        expect_in("\nRows: 7\n", ran)
        # Lines of orders lie together, which no statistics say: a look at them does. Numbers that come once are not worth it.
        at("create table lines as select div(x, 4) as line_of, x as line, x % 50 as n from range(400000) r(x)")
        stages = lambda key: (lambda plan: plan[plan.index("Stages"):])(at(f"explain select {key}, sum(n) from lines group by 1"))
        expect_in("partial aggregate", stages("line_of"))
        assert "partial aggregate" not in stages("line"), stages("line")
        for key, groups in ("line_of", 100000), ("line", 400000):
            expect_in(f"\n{groups}\t9800000\n", at(f"select count(*), sum(s) from (select sum(n) as s from lines group by {key})"))


def test_tasks_of_a_top_n_learn_from_each_other():
    # One thread, so most tasks begin when others have ended; the first rows are the least.
    with node_driver.cluster(1) as (_, _, url):
        at = lambda statement: sql("--connect", url, "--format", "csv", "--set", "distribution=always",
                                   "--set", "target_task_bytes=64kB", "-c", statement)[1]
        at("create table numbers as select x, (x * 7919) % 400000 as y from range(400000) r(x)")
        query = "select x from numbers order by x limit 10"
        expect(at(query), "x\n" + "".join(f"{i}\n" for i in range(10)))
        ran = at("explain analyze " + query)
        tasks, rows = map(int, re.search(r"Stage 0 ran: (\d+) of \1 tasks, (\d+) rows", ran).groups())
        assert tasks >= 5 and rows < 10 * tasks, (tasks, rows)
        # Of the tasks those are shown that took longest, the longest first.
        times = re.findall(r"  task \d+: \d+ rows in \d+ bytes, (\d+\.\d+) ms on executor [0-9a-f]{8}\"?\n", ran)
        assert len(times) == 3 and times == sorted(times, key=float, reverse=True), ran
        expect(at("select y from numbers order by y desc limit 3 offset 2"), "y\n399997\n399996\n399995\n")


def test_files_of_a_server():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("read", "write", "secret"):
            os.mkdir(f"{folder}/{name}")
            pathlib.Path(f"{folder}/{name}/a.csv").write_text("x\n1\n")
        os.symlink(folder + "/secret", folder + "/read/link")
        with node_driver.server("--state", "memory", "--data", folder + "/read", "--write-root", folder + "/write") as (_, url):
            at = lambda *statements: sql("--connect", url, *(piece for s in statements for piece in ("-c", s)))
            expect(at(f"select * from '{folder}/read/a.csv'", "select * from 'read/a.csv'")[1], "x\n1\n\nx\n1\n")
            for path in (f"{folder}/secret/a.csv", f"{folder}/read/../secret/a.csv", f"{folder}/read/link/a.csv", "/etc/passwd",
                         f"{folder}/write/a.csv"):
                expect_failure(at(f"select * from '{path}'"), 1, "42501")
            expect(at(f"copy (select 1 as y) to '{folder}/write/new.csv'")[0], 0)
            for path in (f"{folder}/read/new.csv", f"{folder}/write/../read/new.csv", "/tmp/new.csv"):
                expect_failure(at(f"copy (select 1 as y) to '{path}'"), 1, "42501")
            expect(sorted(os.listdir(folder + "/write") + os.listdir(folder + "/read")), ["a.csv", "a.csv", "link", "new.csv"])


def test_the_first_address_that_answers():
    with node_driver.server("--state", "memory") as (_, url):
        there = url.removeprefix("arbalest://")
        for addresses in (f"127.0.0.1:1,{there}", f"{there},127.0.0.1:1"):
            expect(sql("--connect", "arbalest://" + addresses, "-c", "select 1 as a"), (0, "a\n1\n", ""))


def test_interrupted_statement():
    with node_driver.server("--state", "memory") as (server, url):
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)):
            command = start("sql", "--connect", url, "-c", command_driver.LONG)
            wait_until(lambda: server.figures()["arbalest_scheduler_jobs"] == 1, MOST)
            begun = time.monotonic()
            command.send_signal(number)
            command.communicate(timeout=MOST)
            expect(command.returncode, status)
            assert time.monotonic() - begun < 5
        expect(sql("--connect", url, "-c", "select 1 as a")[1], "a\n1\n")


def test_tables_outlive_the_server():
    with tempfile.TemporaryDirectory() as folder:
        for number in range(3):
            with node_driver.server("--state-dir", folder + "/state") as (server, url):
                if number == 0:
                    expect(sql("--connect", url, "-c", "create table t as select x from range(1000) r(x);"
                               "create view v as select sum(x) as s from t; create temp table u as select 1 as a")[0], 0)
                else:
                    expect(sql("--connect", url, "-c", "select * from v; select count(*) as n from t")[1],
                           f"s\n{499500 - (number - 1)}\n\nn\n{999 + number}\n")
                    expect_failure(sql("--connect", url, "-c", "select * from u"), 1, "42P01")
                expect(sql("--connect", url, "-c", "insert into t values (-1)")[0], 0) if number else None
                expect(server.end(signal.SIGKILL), (-signal.SIGKILL, ""))


def test_newer_scheduler_of_one_state():
    with tempfile.TemporaryDirectory() as folder:
        begin = ("scheduler", *FREE, "--control-port", 0, "--state-dir", folder)
        with Node(*begin) as older, Node(*begin) as newer:
            expect_failure(sql("--connect", "arbalest://" + older.places["clients"], "-c", "create table t (a int)"), 1, "error: ")
            expect(sql("--connect", "arbalest://" + newer.places["clients"], "-c", "create table t (a int)")[0], 0)
            expect(newer.end(), (0, ""))


def test_login():
    with tempfile.TemporaryDirectory() as folder:
        with Node("scheduler", *FREE, "--control-port", 0, "--state", "memory", *node_driver.users(folder)) as scheduler:
            at = scheduler.places["clients"]
            expect_failure(sql("--connect", "arbalest://" + at, "-c", "select 1"), 1, "28000")
            for wrong in ("ann:wrong", "bob:p%40ss"):
                expect_failure(sql("--connect", f"arbalest://{wrong}@{at}", "-c", "select 1"), 1, "28000")
            expect(sql("--connect", f"arbalest://ann:p%40ss@{at}", "-c", "show distribution")[:2], (0, "distribution\nauto\n"))


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1000))


def test_more_connections_than_the_usual_descriptors():
    with Node("server", *FREE, "--state", "memory", popen={"preexec_fn": few_descriptors}) as server:
        host, port = server.places["clients"].rsplit(":", 1)
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(socket.create_connection((host, int(port)), MOST))
            wait_until(lambda: server.figures()["process_open_fds"] > 200, MOST)
        expect(sql("--connect", f"arbalest://{host}:{port}", "-c", "select 1 as a")[1], "a\n1\n")


# ---- a server and its executor ------------------------------------------------------------------------------------------------
def test_executor_comes_back():
    with Node("server", "--port", 0, "--http-port", 0, "--state", "memory") as server:
        wait_until(lambda: len(server.children()) == 1, MOST)
        first = server.children()[0]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: server.children() not in ([], [first]), MOST)
        second = server.children()[0]
        status, err = server.end()
        expect(status, 0)
        expect_in("signal 9", err)
        expect(is_there(second), False)


def test_executor_goes_with_its_server():
    with Node("server", "--port", 0, "--http-port", 0, "--state", "memory") as server:
        wait_until(lambda: len(server.children()) == 1, MOST)
        executor = server.children()[0]
        expect(server.end(signal.SIGKILL), (-signal.SIGKILL, ""))
        wait_until(lambda: not is_there(executor), MOST)


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
