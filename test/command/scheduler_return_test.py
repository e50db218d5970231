#!/usr/bin/env python3
"""A scheduler that is killed and started again: who asked for rows gets them; who changed something hears what is known of it."""
import contextlib
import os
import signal
import sys
import tempfile
import time

import command_driver
import node_driver
from command_driver import expect, expect_failure, expect_in, sql, start, wait_until

MOST = 90  # seconds
# Some seconds on two executors, in many tasks.
SLOW = "select x % 1000 as k, count(*) as n, sum(x * 3 % 1001) as s from range(60000000) r(x) group by k order by k"
MANY_TASKS = ("--set", "distribution=always", "--set", "target_task_bytes=16MB")


class Place:
    """A scheduler at ports that stay, two executors, and whoever asks."""

    def __init__(self, folder, login):
        self.folder = folder
        self.ports = [node_driver.lasting_port() for _ in range(3)]
        self.url = f"arbalest://{'ann:p%40ss@' if login else ''}127.0.0.1:{self.ports[0]}"
        self.users = node_driver.users(folder) if login else ()
        self.scheduler, self.executors, self.clients = None, [], []

    def begin(self):
        self.scheduler = node_driver.Node("scheduler", "--port", self.ports[0], "--control-port", self.ports[1], "--http-port",
                                          self.ports[2], "--state-dir", os.path.join(self.folder, "state"), *self.users)

    def kill(self):
        expect(self.scheduler.end(signal.SIGKILL)[0], -signal.SIGKILL)

    def stop(self, number):
        """Executors stand still, so that what they run has not ended, or go on."""
        for node in self.executors:
            node.process.send_signal(number)

    def running(self):
        """Tasks that executors are at."""
        return sum(node.figures()["arbalest_executor_tasks_running"] for node in self.executors)

    def ask(self, *arguments):
        self.clients.append(start("sql", "--connect", self.url, "--format", "csv", *arguments, text=True))
        return self.clients[-1]

    def end(self):
        for client in self.clients:
            client.kill()
            client.wait()
        for node in [*self.executors, *([self.scheduler] if self.scheduler else [])]:
            node.end(signal.SIGKILL)


@contextlib.contextmanager
def place(login=False):
    with tempfile.TemporaryDirectory() as folder:
        it = Place(folder, login)
        try:
            it.begin()
            for _ in range(2):
                it.executors.append(node_driver.Node("executor", "--scheduler", f"127.0.0.1:{it.ports[1]}", *node_driver.FREE,
                                                     "--threads", 1))
            yield it
        finally:
            it.end()


def under_way(it, *arguments):
    """A client whose query is: both executors are at it, and stand still."""
    wait_until(lambda: it.running() == 0, MOST)
    client = it.ask(*MANY_TASKS, "-c", *arguments)
    wait_until(lambda: it.running() >= 2, MOST)
    it.stop(signal.SIGSTOP)
    return client


def die_and_come_back(it, client, before=0.5, away=0):
    """`before`: seconds until the scheduler is killed, in which the client gets its handle; `away`: until it is started again."""
    time.sleep(before)
    expect(client.poll(), None)
    it.kill()
    time.sleep(away)
    it.begin()
    it.stop(signal.SIGCONT)


def result_of(client):
    out, err = client.communicate(timeout=MOST)
    return client.returncode, out, err


def test_queries_go_on():
    wanted = sql("--format", "csv", "-c", SLOW)[1]
    with place() as it:
        for again in range(4):
            client = under_way(it, SLOW)
            # at last maybe before the client has a handle: then it is begun once more
            die_and_come_back(it, client, 0.5 if again < 3 else 0, again % 2)
            expect(result_of(client), (0, wanted, ""))
            if again < 3:  # none of them was begun anew
                expect(len(it.scheduler.api("jobs")), again + 1)


def test_statements_behind_it_go_on():
    """In the session that the server has forgotten nothing was but what the command was started with."""
    with place() as it:
        client = under_way(it, f"select count(*) as n from ({SLOW}) q; show time_zone", "--set", "time_zone=Asia/Tokyo")
        die_and_come_back(it, client)
        status, out, err = result_of(client)
        expect((status, err), (0, ""))
        expect_in("n\n1000\n", out)
        expect_in("Asia/Tokyo", out)


def test_it_goes_again():
    """Each time it is waited for as long as the first time: 15 s, which have passed since then."""
    wanted = sql("--format", "csv", "-c", SLOW)[1]
    with place() as it:
        client = under_way(it, SLOW)
        time.sleep(0.5)
        it.kill()
        it.begin()
        time.sleep(16)
        die_and_come_back(it, client, 0, 1)
        expect(result_of(client), (0, wanted, ""))


def test_who_has_logged_in_goes_on():
    wanted = sql("--format", "csv", "-c", SLOW)[1]
    with place(login=True) as it:
        client = under_way(it, f"{SLOW}; select 1 as a")
        die_and_come_back(it, client)
        status, out, err = result_of(client)
        expect((status, err), (0, ""))
        expect(out, wanted + "\na\n1\n")
        expect(len(it.scheduler.api("jobs")), 2)  # none of them was begun anew


def test_what_the_session_held_is_not_missed_in_silence():
    with place() as it:
        client = under_way(it, f"create temporary table t as select 1 as x; {SLOW}; select * from t")
        die_and_come_back(it, client)
        status, out, err = result_of(client)
        expect(status, 1)
        expect_in("the session has ended", err)


def test_an_update_is_not_repeated():
    with place() as it:
        client = under_way(it, f"create table t as {SLOW}")
        die_and_come_back(it, client)
        status, out, err = result_of(client)
        expect((status, out), (1, ""))
        expect_in("08007", err)
        expect_failure(sql("--connect", it.url, "-c", "select * from t"), 1, "42P01")


def test_one_that_stays_away():
    with place() as it:
        client = under_way(it, SLOW)
        time.sleep(0.5)
        it.kill()
        status, out, err = result_of(client)
        expect((status, out), (1, ""))
        expect_in("08001", err)
        expect_in("has not come back", err)


def test_who_does_not_want_to_wait():
    with place() as it:
        client = under_way(it, SLOW)
        time.sleep(0.5)
        it.kill()
        time.sleep(1)
        expect(client.poll(), None)
        client.send_signal(signal.SIGINT)
        client.communicate(timeout=5)
        expect(client.returncode, 130)


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
