#!/usr/bin/env python3
"""Real processes, real faults: a scheduler on SQLite and executors, clients that ask all the time, and something that goes wrong
every moment: killed, frozen, told to go, cut off, slowed down, cancelled. Every statement must end in the right answer, or in an
error that a fault in its time allows; rows that were written are there once; when it is calm again nothing may be left over.

    chaos.py [--faults 40] [--seed 1] [--executors 3] [--clients 2] [--only FAULT…]

The seed chooses faults and statements; time is the machine's own, so a run cannot be repeated exactly. Each fault is counted
when it was seen to happen. Last line: `N passed, N failed, N skipped`, of statements and checks.
"""
import argparse
import collections
import contextlib
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test/command"))
import command_driver  # noqa: E402
from chaos_cluster import Cluster, is_stopped  # noqa: E402
from command_driver import BINARY, ENVIRONMENT  # noqa: E402

STATEMENT_MOST = 90  # seconds; what takes longer hangs
BEGIN_MOST = 1  # until the command has caught signals
AFTER = 8  # how long what a fault did may be felt: an executor is given up after 4.5 s
SCALE = "0.1"
PARTS = 20000  # rows of that table
QUERIES = {path.stem: path.read_text() for path in sorted((ROOT / "bench/tpch").glob("q*.sql"))}
SETTINGS = ([], ["distribution=always"], ["distribution=always", "exchange_memory=0"],
            ["distribution=always", "broadcast_limit=0", "target_task_bytes=64kB"])
GIVEN_UP = 4.5  # seconds after which a silent executor may be given up for dead
GONE = {"08001", "08007"}  # the scheduler, or the way to it, is gone; with the second it is not known what became of an update
LOST_AFTER_ROWS = "58000"  # of what is left when an executor goes: rows that the client has cannot be taken back


class Fault:
    """Something that was done, from when to when, and what a statement of that time may end with. All others end well."""

    def __init__(self, name, allows=(), through_proxy=False):
        self.name, self.allows, self.through_proxy = name, allows, through_proxy
        self.begun, self.ended = time.monotonic(), None

    def explains(self, state, statement):
        """Whoever had begun to ask before the scheduler died, and had no rows yet, waits for it, and gets them."""
        if self.name == "scheduler_killed" and statement.name in QUERIES and statement.begun < self.begun - BEGIN_MOST and \
                not statement.through_proxy and not statement.out:
            return False
        return (state in self.allows and (statement.through_proxy or not self.through_proxy) and
                (self.ended is None or self.ended + AFTER > statement.begun))


class Faults:
    """Each method does one, waits as long as it lasts, and gives what was seen of it; empty: it did not happen."""

    def __init__(self, cluster, clients, dice):
        self.cluster, self.clients, self.dice = cluster, clients, dice

    def executor_killed(self):
        with self.cluster.lock, self.clients.hit_by(Fault("executor_killed", {LOST_AFTER_ROWS})):
            number = self.dice.randrange(len(self.cluster.executors))
            happened = self.cluster.kill(self.cluster.executors[number])
            time.sleep(self.dice.random() * 2)
            self.cluster.start_executor(number)
        return happened

    def executor_frozen(self):
        node, seconds = self.dice.choice(self.cluster.executors), self.dice.choice((0.3, 1.5, 3, 7))
        with self.clients.hit_by(Fault("executor_frozen", {LOST_AFTER_ROWS} if seconds > GIVEN_UP else ())):
            node.process.send_signal(signal.SIGSTOP)
            time.sleep(0.05)
            stopped = is_stopped(node.process.pid)
            time.sleep(seconds)
            node.process.send_signal(signal.SIGCONT)
        return stopped

    def executor_drained(self):
        """It goes when nobody needs it any more."""
        with self.cluster.lock, self.clients.hit_by(Fault("executor_drained")):
            number = self.dice.randrange(len(self.cluster.executors))
            happened = self.cluster.end_of(self.cluster.executors[number], signal.SIGTERM, 0)
            self.cluster.start_executor(number)
        return happened

    def scheduler_killed(self):
        with self.cluster.lock, self.clients.hit_by(Fault("scheduler_killed", GONE)):
            happened = self.cluster.kill(self.cluster.scheduler)
            time.sleep(self.dice.random())
            self.cluster.start_scheduler()
        return happened

    def scheduler_frozen(self):
        """Who is connected waits; who connects does so for some seconds."""
        process, seconds = self.cluster.scheduler.process, self.dice.choice((0.3, 3, 7))
        with self.cluster.lock, self.clients.hit_by(Fault("scheduler_frozen", GONE if seconds > GIVEN_UP else ())):
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.05)
            stopped = is_stopped(process.pid)
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)
        return stopped

    def control_cut(self):
        proxy = self.dice.choice(self.cluster.proxies)
        before = proxy.cut_count
        with self.clients.hit_by(Fault("control_cut")):
            proxy.cut()
            time.sleep(0.2)
        return proxy.cut_count > before

    def control_stalled(self):
        proxy, seconds = self.dice.choice(self.cluster.proxies), self.dice.choice((0.5, 3, 7))
        before = proxy.stalled_count
        with self.clients.hit_by(Fault("control_stalled", {LOST_AFTER_ROWS} if seconds > GIVEN_UP else ())):
            proxy.stall(seconds)
            time.sleep(seconds)
        return proxy.stalled_count > before

    def control_slow(self):
        proxy = self.dice.choice(self.cluster.proxies)
        before = proxy.held_back
        with self.clients.hit_by(Fault("control_slow")):
            proxy.slow(2, self.dice.choice((0.02, 0.1, 0.3)))
            time.sleep(2)
        return proxy.held_back > before

    def client_cut(self):
        before = self.cluster.door.cut_count
        with self.clients.hit_by(Fault("client_cut", GONE, through_proxy=True)):
            self.cluster.door.cut()
            time.sleep(0.2)
        return self.cluster.door.cut_count > before

    def client_slow(self):
        before = self.cluster.door.held_back
        with self.clients.hit_by(Fault("client_slow")):
            self.cluster.door.slow(1, 0.1)
            time.sleep(1)
        return self.cluster.door.held_back > before

    def client_killed(self):
        return self.clients.hit(self.dice, signal.SIGKILL)

    def client_cancels(self):
        return self.clients.hit(self.dice, signal.SIGINT)

    def all(self):
        return [getattr(self, name) for name in ("executor_killed", "executor_frozen", "executor_drained", "scheduler_killed",
                                                 "scheduler_frozen", "control_cut", "control_stalled", "control_slow", "client_cut",
                                                 "client_slow", "client_killed", "client_cancels")]


class Statement:
    def __init__(self, name, expected, process, through_proxy):
        self.name, self.expected, self.process, self.through_proxy = name, expected, process, through_proxy
        self.begun, self.hit, self.hit_at = time.monotonic(), None, None  # by which signal
        self.out = ""


class Clients:
    """Threads that ask one statement after the other, and one that writes."""

    def __init__(self, cluster, expected, count, seed):
        self.cluster, self.expected = cluster, expected
        self.lock = threading.Lock()
        self.running, self.faults = set(), []
        self.outcomes, self.failures = collections.Counter(), []
        self.cancel_seconds = []
        self.resting = False
        self.written = {}  # by the number of an INSERT: its rows, and whether it was said to be done
        self.threads = [threading.Thread(target=self.go_on, args=(self.ask_one, random.Random(seed * 1000 + i))) for i in range(count)]
        self.threads.append(threading.Thread(target=self.go_on, args=(self.write_one, random.Random(seed))))
        for thread in self.threads:
            thread.start()

    @contextlib.contextmanager
    def hit_by(self, fault):
        with self.lock:
            self.faults.append(fault)
        try:
            yield
        finally:
            fault.ended = time.monotonic()

    def hit(self, dice, number):
        """A signal for a statement that runs; whether one did."""
        for _ in range(50):
            with self.lock:
                running = [s for s in self.running if s.hit is None]
                if running:
                    chosen = dice.choice(running)
                    chosen.hit, chosen.hit_at = number, time.monotonic()
                    chosen.process.send_signal(number)
                    return True
            time.sleep(0.02)
        return False

    def go_on(self, do_one, dice):
        try:
            while not self.resting:
                do_one(dice)
        except Exception as failure:
            self.fail(f"a client ended: {failure!r}")

    def ask_one(self, dice):
        query = dice.choice(sorted(self.expected))
        self.ask(query, QUERIES[query], self.expected[query], dice.choice(SETTINGS), dice.random() < 0.5)

    def write_one(self, dice):
        """What was said to be done is there, once; what was not is there wholly or not at all: `check_written`."""
        number = len(self.written)
        rows, source = dice.choice(((1, "range(1)"), (18750, "orders where o_orderkey % 8 = 1"), (5000, "part where p_partkey % 4 = 1")))
        done = self.ask("an INSERT", f"insert into written select {number} from {source}", "", dice.choice(SETTINGS), dice.random() < 0.5)
        self.written[number] = (rows, done)
        if dice.random() < 0.2:
            name = f"made_{number}"
            made = self.ask("a CREATE TABLE", f"create table {name} as select p_partkey from part", "", dice.choice(SETTINGS), False)
            if made and self.ask("a count", f"select count(*) as n from {name}", f"n\n{PARTS}\n", [], False):
                self.ask("a DROP", f"drop table {name}", "", [], False)

    def tell(self, text):
        """When the scheduler answers: nothing disturbs it any more."""
        command_driver.wait_until(lambda: command_driver.sql("--connect", self.cluster.url(), "-c", "select 1")[0] == 0, STATEMENT_MOST)
        return command_driver.sql("--connect", self.cluster.url(), "-c", text)

    def check_written(self):
        status, out, err = self.tell("select n, count(*) from written group by n")
        if status != 0:
            return [f"what was written cannot be read: {err}"]
        found = dict(tuple(map(int, line.split(","))) for line in out.splitlines()[1:])
        wrong = [f"INSERT {number} of {rows} rows, {'done' if done else 'not known to be done'}: {found.get(number, 0)} rows"
                 for number, (rows, done) in self.written.items() if found.get(number, 0) not in ((rows,) if done else (0, rows))]
        return wrong + [f"rows of an INSERT {number} that never was" for number in found if number not in self.written]

    def clear_written(self):
        """What clients wrote is theirs, not left over: it goes, before the memory of those who hold it is looked at."""
        texts = ["drop table written", "create table written (n bigint)", *(f"drop table if exists made_{n}" for n in self.written)]
        self.cluster.held_bytes = 2 * 8 * sum(rows for rows, _ in self.written.values())  # and once more while a blob is read
        status, _, err = self.tell("; ".join(texts))
        self.written = {}
        return [f"what was written cannot be dropped: {err}"] if status != 0 else []

    def ask(self, name, text, expected, settings, through_proxy):
        """True: it has ended well."""
        command = [BINARY, "sql", "--connect", self.cluster.url(through_proxy), "-c", text]
        for setting in settings:
            command += ["--set", setting]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        statement = Statement(name, expected, process, through_proxy)
        with self.lock:
            self.running.add(statement)
        try:
            out, err = process.communicate(timeout=STATEMENT_MOST)
        except subprocess.TimeoutExpired:
            self.fail(f"{name} with {settings} has not ended after {STATEMENT_MOST} s")
            process.kill()
            process.communicate()
            return False
        finally:
            with self.lock:
                self.running.discard(statement)
        self.judge(statement, settings, out, err)
        return process.returncode == 0

    def judge(self, statement, settings, out, err):
        status, statement.out = statement.process.returncode, out
        state = err.split(": ")[1] if err.startswith("error: ") else ""
        with self.lock:
            faults = [fault.name for fault in self.faults if fault.explains(state, statement)]
            others = [fault.name for fault in self.faults if fault.ended is None or fault.ended + AFTER > statement.begun]
        if statement.hit == signal.SIGINT:
            self.cancel_seconds.append(time.monotonic() - statement.hit_at)
        if status == 0 and out == statement.expected:
            self.count("right")
        elif status == 0:
            self.fail(f"{statement.name} with {settings}: wrong answer in the time of {others}\n{out[:600]}")
        elif statement.hit == signal.SIGKILL and status == -signal.SIGKILL:
            self.count("client killed")
        elif statement.hit == signal.SIGINT and status == 130:
            self.count("cancelled")
        elif statement.hit == signal.SIGINT and status == -signal.SIGINT and statement.hit_at - statement.begun < BEGIN_MOST:
            self.count("cancelled before it had begun")
        elif status == 1 and faults:
            self.count(f"{state} with {' or '.join(sorted(set(faults)))}")
        else:
            self.fail(f"{statement.name} with {settings}: ended with {status}, in the time of {others}: {err[:600]}")

    def count(self, what):
        with self.lock:
            self.outcomes[what] += 1

    def fail(self, what):
        print("FAILED", what, flush=True)
        with self.lock:
            self.failures.append(what)

    def rest(self):
        self.resting = True
        for thread in self.threads:
            thread.join()


# ---- when it is calm again --------------------------------------------------------------------------------------------------
def check_calm(cluster, clients):
    """Nothing is left over, all answers are right, and then again nothing is."""
    problems = clients.check_written() + clients.clear_written() + cluster.wait_for_calm()
    for query in sorted(QUERIES):
        clients.ask(query, QUERIES[query], clients.expected[query], [], False)
    return problems + cluster.wait_for_calm()


def answers(data):
    found = {}
    for name, text in QUERIES.items():
        found[name] = subprocess.run([BINARY, "sql", "--data", data, "-c", text], capture_output=True, text=True, check=True,
                                     timeout=STATEMENT_MOST, env=ENVIRONMENT).stdout
    return found


def do_faults(cluster, faults, options, dice):
    """(what happened, what did not), counted by name."""
    seen, vain = collections.Counter(), collections.Counter()
    chosen = [f for f in faults.all() if not options.only or f.__name__ in options.only]
    while sum(seen.values()) < options.faults and sum(vain.values()) < options.faults * 3:
        fault = dice.choice(chosen)
        cluster.look_for_deaths()
        (seen if fault() else vain)[fault.__name__] += 1
        time.sleep(dice.random() * 0.5)
    return seen, vain


def run(options, folder):
    """(failures, statements' outcomes, faults that happened, …that did not, seconds of cancelling)"""
    dice, data = random.Random(options.seed), folder + "/tpch"
    subprocess.run([BINARY, "generate", "tpch", "--scale", SCALE, "--output", data], check=True, timeout=STATEMENT_MOST,
                   env=ENVIRONMENT)
    expected = answers(data)
    cluster = Cluster(folder, options.executors, data=("--data", "tpch=" + data), proxied=True)
    command_driver.wait_until(lambda: cluster.ready() == options.executors, STATEMENT_MOST)
    command_driver.expect(command_driver.sql("--connect", cluster.url(), "-c", "create table written (n bigint)"), (0, "", ""))
    clients = Clients(cluster, expected, options.clients, options.seed)
    try:
        seen, vain = do_faults(cluster, Faults(cluster, clients, dice), options, dice)
    finally:
        for proxy in [*cluster.proxies, cluster.door]:
            proxy.heal()
        clients.rest()
    cluster.look_for_deaths()
    problems = check_calm(cluster, clients)
    problems += cluster.end()
    if sum(seen.values()) < options.faults:
        problems.append("too few faults happened")
    for problem in problems:
        print("FAILED", problem)
    return problems + clients.failures, clients.outcomes, seen, vain, clients.cancel_seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--executors", type=int, default=3)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--only", nargs="+", help="names of faults")
    with tempfile.TemporaryDirectory() as folder:
        failures, outcomes, seen, vain, times = run(parser.parse_args(), folder)
    print("faults:", ", ".join(f"{name} {count}" for name, count in sorted(seen.items())), "; in vain:", dict(vain))
    print("statements:", ", ".join(f"{what} {count}" for what, count in outcomes.most_common()))
    if times:
        times.sort()
        print(f"cancelled: until the client had ended median {times[len(times) // 2]:.2f} s, most {times[-1]:.2f} s")
    print(f"{sum(outcomes.values()) + sum(seen.values())} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
