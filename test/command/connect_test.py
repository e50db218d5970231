#!/usr/bin/env python3
"""`arbalest sql --connect` as its user sees it: progress on a terminal, Ctrl-C, what it says when the server is gone.

Each function whose name begins with test_ is one test.
"""
import json
import os
import re
import signal
import sys
import tempfile
import time

import command_driver
import node_driver
from command_driver import Terminal, expect, expect_failure, expect_in, sql, start, wait_until

# Two small stages, then many tasks that take hours in sum.
STAGES = ("select count(*) from (select x % 10 as g, count(*) as c from range(100000) r(x) group by g) a, "
          "range(3000000000) b(y) where a.g * b.y = -1")
BAR = r"\[[# ]{20}\] +\d+%  (\d+)/(\d+) stages, stage (\d+): (\d+)/(\d+) tasks, (\d+) running"


def stages_of(head, job):
    stages = head.api(f"job/{job}/stages")["stages"]
    return [(int(s["stage_id"]), s["num_tasks"], s["completed_tasks"], s["running_tasks"], s["stage_status"]) for s in stages]


def end(process):
    """(exit status, standard output, standard error)"""
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


def states(head):
    return [job["state"] for job in head.api("jobs")]


def test_progress_by_stage():
    with node_driver.cluster(2) as (head, _, url), tempfile.TemporaryFile() as out, \
            Terminal("sql", "--connect", url, "--set", "distribution=always", "-c", STAGES, stdout=out) as t:
        t.wait(BAR)
        job = head.api("jobs")[0]["job_id"]
        # What is shown is what the REST API says, at one moment or another.
        seen = set()

        def shown_is_true():
            seen.update((stage, tasks, done, running) for stage, tasks, done, running, _ in stages_of(head, job))
            complete = sum(s[4] == "Successful" for s in stages_of(head, job))
            found = re.findall(BAR, t.wait(BAR, 5))
            return any((int(s), int(tasks), int(done), int(running)) in seen and (int(c), int(n)) == (complete, len(stages_of(head, job)))
                       for c, n, s, done, tasks, running in found)

        wait_until(shown_is_true)
        t.process.send_signal(signal.SIGINT)
        t.wait("error: 57014")
        expect(t.status(), 130)
        wait_until(lambda: states(head) == ["cancelled"], 5)


def test_no_progress_where_nobody_looks():
    with node_driver.server("--state", "memory") as (node, url):
        process = start("sql", "--connect", url, "--timing", "-c", command_driver.LONG)
        wait_until(lambda: "running" in states(node), 60)
        time.sleep(1.5)  # when a terminal would have seen the bar
        process.send_signal(signal.SIGINT)
        status, out, err = end(process)
        expect((status, out), (130, ""))
        assert "%" not in err, err
        status, out, err = sql("--connect", url, "--timing", "-c", "select 1 as a union all select 2; create table t as select 1 as a")
        expect((status, out), (0, "a\n1\n2\n"))
        expect([(t["statement"], t["rows"]) for t in map(json.loads, err.splitlines())], [(1, 2), (2, 1)])


def test_the_bar_goes_before_the_rows():
    slow = "select count(*) as n from range(200000) a(x), range(2500) b(y) where x * y % 7 = 8"
    with node_driver.cluster(1) as (_, _, url), Terminal("sql", "--connect", url, "-c", slow) as t:
        text = t.wait(r"\(1 row\)", 90)
        expect_in("%", text)
        for line in text.replace("\r\n", "\n").split("\n"):
            assert not re.search(r"%\s*\d", line.split("\x1b[K")[-1]), text
        expect(t.status(), 0)


def test_interrupt_while_the_server_is_frozen():
    for sql_text in (command_driver.LONG, f"create table t as {command_driver.LONG}"):
        with node_driver.server("--state", "memory") as (node, url):
            for pause in (0, 1.5):  # before and after the first answer
                process = start("sql", "--connect", url, "-c", sql_text)
                wait_until(lambda: "running" in states(node))
                time.sleep(pause)
                node.process.send_signal(signal.SIGSTOP)
                try:
                    time.sleep(0.3)
                    begun = time.monotonic()
                    process.send_signal(signal.SIGINT)
                    status, _, err = end(process)
                    took = time.monotonic() - begun
                finally:
                    node.process.send_signal(signal.SIGCONT)
                expect(status, 130)
                expect_in("57014", err)
                assert took < 1.5, took


def test_a_client_that_is_killed_ends_its_statement():
    with node_driver.cluster(1) as (head, _, url):
        process = start("sql", "--connect", url, "-c", command_driver.LONG)
        wait_until(lambda: "running" in states(head), 60)
        process.kill()
        process.communicate()
        wait_until(lambda: states(head) == ["cancelled"], 15)


def test_the_outcome_of_an_update_may_be_unknown():
    for text, code in ((f"create table t as {command_driver.LONG}", "08007"), (command_driver.LONG, "08001")):
        with node_driver.server("--state", "memory") as (node, url):
            process = start("sql", "--connect", url, "-c", text)
            wait_until(lambda: "running" in states(node), 60)
            for child in node.children():
                os.kill(child, signal.SIGKILL)
            node.end(signal.SIGKILL)
            result = end(process)
            err = result[2]
            expect_failure(result, 1, code)
            if code == "08007":
                assert re.search(r"outcome of job [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} is unknown", err), err
                expect_in("HINT", err.upper())


def test_a_server_that_ends_is_no_interrupt():
    for text, code in ((command_driver.LONG, "08001"), (f"create table t as {command_driver.LONG}", "08007")):
        with node_driver.server("--state", "memory") as (node, url):
            process = start("sql", "--connect", url, "-c", text)
            wait_until(lambda: states(node) == ["running"])
            begun = time.monotonic()
            expect(node.end()[0], 0)
            assert time.monotonic() - begun < 10
            expect_failure(end(process), 1, code, "about to end")


def test_a_session_that_has_ended_says_so():
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        arguments = ("--state-dir", folder + "/state")
        with node_driver.server(*arguments) as (node, url), Terminal("sql", "--connect", url, XDG_STATE_HOME=home) as t:
            port = node.places["clients"].split(":")[1]
            t.wait("> ")
            t.talk("create temp table mine as select 1 as a;\n", "CREATE TABLE")
            node.end()
            with node_driver.Node("server", "--port", port, "--http-port", 0, *arguments):
                t.talk("select a from mine;\n", "08003")
                t.talk("select 42 as a;\n", "42")
                t.type("quit\n")


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
