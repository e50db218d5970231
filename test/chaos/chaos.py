#!/usr/bin/env python3
"""Real processes, real faults: a scheduler on SQLite and executors, clients that ask all the time, and something that goes wrong
every moment: killed, frozen, told to go, cut off, slowed down, cancelled. Every statement must end in the right answer or in one
error that says why; when it is calm again nothing may be left over.

    chaos.py [--faults 40] [--seed 1] [--executors 3] [--clients 2]

The seed chooses faults and statements; time is the machine's own, so a run cannot be repeated exactly. Each fault is counted
when it was seen to happen. Last line: `N passed, N failed, N skipped`, of statements and checks.
"""
import argparse
import collections
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test/command"))
from command_driver import BINARY, ENVIRONMENT  # noqa: E402
from node_driver import Node, is_there  # noqa: E402
from proxy import Proxy  # noqa: E402

STATEMENT_MOST = 90  # seconds; what takes longer hangs
CALM_MOST = 100  # until nothing is left over: a job whose client is gone ends with its lease of 60 s
SCALE = "0.1"
QUERIES = {path.stem: path.read_text() for path in sorted((ROOT / "bench/tpch").glob("q*.sql"))}
SETTINGS = ([], ["distribution=always"], ["distribution=always", "exchange_memory=0"],
            ["distribution=always", "broadcast_limit=0", "target_task_bytes=64kB"])
# Errors that say that something outside of the statement went wrong, for when its client or its scheduler was hit.
OUTSIDE = {"08001", "57014", "57P02", "57P03", "58000", "53000"}
LOST_AFTER_ROWS = "58000"  # of what is left when an executor goes: rows that the client has cannot be taken back


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """The processes; whoever kills one starts it again."""

    def __init__(self, folder, data, executors):
        self.folder, self.data = folder, data
        self.ports = [free_port() for _ in range(3)]
        self.lock = threading.RLock()
        self.scheduler = None
        self.deaths = []  # of processes that ended by themselves
        self.start_scheduler()
        self.proxies = [Proxy(("127.0.0.1", self.ports[1])) for _ in range(executors)]
        self.door = Proxy(("127.0.0.1", self.ports[0]))
        self.executors = [None] * executors
        for number in range(executors):
            self.start_executor(number)

    def start_scheduler(self):
        self.scheduler = Node("scheduler", "--port", self.ports[0], "--control-port", self.ports[1], "--http-port", self.ports[2],
                              "--state-dir", self.folder + "/state", "--data", "tpch=" + self.data)
        assert self.scheduler.line, self.scheduler.process.stderr.read()

    def start_executor(self, number):
        work = f"{self.folder}/work-{number}"
        os.makedirs(work, mode=0o700, exist_ok=True)
        self.executors[number] = Node("executor", "--scheduler", f"127.0.0.1:{self.proxies[number].port}", "--port", 0,
                                      "--http-port", 0, "--threads", 1, "--memory-limit", "200MB", "--work-dir", work,
                                      "--drain-timeout", "20s", "--data", "tpch=" + self.data)

    def url(self, through_proxy=False):
        return f"arbalest://127.0.0.1:{self.door.port if through_proxy else self.ports[0]}"

    def look_for_deaths(self):
        """Nothing ends by itself."""
        with self.lock:
            for node in [self.scheduler, *self.executors]:
                if node is not None and node.process.poll() is not None:
                    err = node.process.stderr.read()[-2000:] if not node.process.stderr.closed else ""
                    self.deaths.append(f"process {node.process.pid} ended with {node.process.returncode}: {err}")

    def end(self):
        statuses = [node.end()[0] for node in [*self.executors, self.scheduler]]
        for proxy in [*self.proxies, self.door]:
            proxy.end()
        return statuses


class Faults:
    """Each method does one, waits as long as it lasts, and gives what was seen of it; empty: it did not happen."""

    def __init__(self, cluster, clients, dice):
        self.cluster, self.clients, self.dice = cluster, clients, dice

    def executor_killed(self):
        with self.cluster.lock:
            number = self.dice.randrange(len(self.cluster.executors))
            status = self.cluster.executors[number].end(signal.SIGKILL)[0]
            time.sleep(self.dice.random() * 2)
            self.cluster.start_executor(number)
        return status == -signal.SIGKILL

    def executor_frozen(self):
        node = self.dice.choice(self.cluster.executors)
        seconds = self.dice.choice((0.3, 1.5, 3, 7))
        node.process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        stopped = " T " in pathlib.Path(f"/proc/{node.process.pid}/stat").read_text()
        time.sleep(seconds)
        node.process.send_signal(signal.SIGCONT)
        return stopped

    def executor_drained(self):
        with self.cluster.lock:
            number = self.dice.randrange(len(self.cluster.executors))
            status, err = self.cluster.executors[number].end(signal.SIGTERM)
            self.cluster.start_executor(number)
        return status == 0

    def scheduler_killed(self):
        with self.cluster.lock:
            self.clients.scheduler_hit(time.monotonic())
            status = self.cluster.scheduler.end(signal.SIGKILL)[0]
            time.sleep(self.dice.random())
            self.cluster.start_scheduler()
            self.clients.scheduler_hit(time.monotonic())
        return status == -signal.SIGKILL

    def control_cut(self):
        proxy = self.dice.choice(self.cluster.proxies)
        before = proxy.cut_count
        proxy.cut()
        time.sleep(0.2)
        return proxy.cut_count > before

    def control_stalled(self):
        proxy = self.dice.choice(self.cluster.proxies)
        proxy.stall(self.dice.choice((0.5, 3, 7)))
        time.sleep(0.5)
        return True

    def control_slow(self):
        proxy = self.dice.choice(self.cluster.proxies)
        before = proxy.held_back
        proxy.slow(2, self.dice.choice((0.02, 0.1, 0.3)))
        time.sleep(2)
        return proxy.held_back > before

    def client_cut(self):
        before = self.cluster.door.cut_count
        self.cluster.door.cut()
        time.sleep(0.2)
        return self.cluster.door.cut_count > before

    def client_slow(self):
        before = self.cluster.door.held_back
        self.cluster.door.slow(1, 0.1)
        time.sleep(1)
        return self.cluster.door.held_back > before

    def client_killed(self):
        return self.clients.hit(self.dice, signal.SIGKILL)

    def client_cancels(self):
        return self.clients.hit(self.dice, signal.SIGINT)

    def all(self):
        return [getattr(self, name) for name in ("executor_killed", "executor_frozen", "executor_drained", "scheduler_killed",
                                                 "control_cut", "control_stalled", "control_slow", "client_cut", "client_slow",
                                                 "client_killed", "client_cancels")]


class Statement:
    def __init__(self, query, process, through_proxy):
        self.query, self.process, self.through_proxy = query, process, through_proxy
        self.begun, self.hit = time.monotonic(), None  # by which signal


class Clients:
    """Threads that ask one statement after the other."""

    def __init__(self, cluster, expected, count, seed):
        self.cluster, self.expected = cluster, expected
        self.lock = threading.Lock()
        self.running, self.scheduler_hits = set(), []
        self.outcomes, self.failures = collections.Counter(), []
        self.cancel_seconds = []
        self.resting = False
        self.threads = [threading.Thread(target=self.ask_all, args=(random.Random(seed * 1000 + i),)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def scheduler_hit(self, when):
        with self.lock:
            self.scheduler_hits.append(when)

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

    def ask_all(self, dice):
        while not self.resting:
            self.ask(dice.choice(sorted(self.expected)), dice.choice(SETTINGS), dice.random() < 0.5)

    def ask(self, query, settings, through_proxy):
        command = [BINARY, "sql", "--connect", self.cluster.url(through_proxy), "-c", QUERIES[query]]
        for setting in settings:
            command += ["--set", setting]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        statement = Statement(query, process, through_proxy)
        with self.lock:
            self.running.add(statement)
        try:
            out, err = process.communicate(timeout=STATEMENT_MOST)
        except subprocess.TimeoutExpired:
            self.fail(f"{query} with {settings} has not ended after {STATEMENT_MOST} s")
            process.kill()
            process.communicate()
            return
        finally:
            with self.lock:
                self.running.discard(statement)
        self.judge(statement, settings, out, err)

    def judge(self, statement, settings, out, err):
        status = statement.process.returncode
        state = err.split(": ")[1] if err.startswith("error: ") else ""
        with self.lock:
            scheduler_hit = any(when > statement.begun - 1 for when in self.scheduler_hits)
        if statement.hit == signal.SIGINT:
            self.cancel_seconds.append(time.monotonic() - statement.hit_at)
        if status == 0 and out == self.expected[statement.query]:
            self.count("right")
        elif status == 0:
            self.fail(f"{statement.query} with {settings}: wrong answer\n{out[:600]}")
        elif statement.hit == signal.SIGKILL and status == -signal.SIGKILL:
            self.count("client killed")
        elif statement.hit == signal.SIGINT and status in (130, -signal.SIGINT):  # the latter before it has caught signals
            self.count("cancelled")
        elif status == 1 and state in OUTSIDE and (scheduler_hit or statement.through_proxy):
            self.count(f"{state} when the scheduler or the connection was hit")
        elif status == 1 and state == LOST_AFTER_ROWS:
            self.count("result lost after rows had been sent")
        else:
            self.fail(f"{statement.query} with {settings}: ended with {status}: {err[:600]}")

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
def figures(port):
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and not line.startswith("#")}


def left_over(cluster):
    """What is there that nobody needs any more."""
    found = []
    head = figures(cluster.ports[2])
    for name in ("arbalest_scheduler_jobs", "arbalest_scheduler_tasks_running"):
        if head.get(name, 0):
            found.append(f"{name} {head[name]:.0f}")
    if head['arbalest_scheduler_executors{state="ready"}'] != len(cluster.executors):
        found.append("not all executors are ready")
    for node in cluster.executors:
        here = figures(node.places["http"].rsplit(":", 1)[1])
        for name, value in here.items():
            if value and name.startswith(("arbalest_executor_tasks_running", "arbalest_executor_output")):
                found.append(f"executor {node.process.pid}: {name} {value:.0f}")
    return found


def wait_for_calm(cluster):
    end = time.monotonic() + CALM_MOST
    while True:
        try:
            found = left_over(cluster)
        except OSError as error:
            found = [f"no figures: {error}"]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.2)


def check_calm(cluster, clients):
    problems = [f"left over: {one}" for one in wait_for_calm(cluster)]
    for node in cluster.executors:
        here = figures(node.places["http"].rsplit(":", 1)[1])
        if here["process_resident_memory_bytes"] > 260e6:
            problems.append(f"executor {node.process.pid} has {here['process_resident_memory_bytes'] / 1e6:.0f} MB")
        if here["process_open_fds"] > 100:
            problems.append(f"executor {node.process.pid} has {here['process_open_fds']:.0f} open files")
    for number in range(len(cluster.executors)):
        names = os.listdir(f"{cluster.folder}/work-{number}")
        if names:
            problems.append(f"files in work-{number}: {names[:5]}")
    for query in sorted(QUERIES):
        clients.ask(query, [], False)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--executors", type=int, default=3)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--only", nargs="+", help="names of faults")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        data = folder + "/tpch"
        subprocess.run([BINARY, "generate", "tpch", "--scale", SCALE, "--output", data], check=True, env=ENVIRONMENT)
        expected = {name: subprocess.run([BINARY, "sql", "--data", data, "-c", text], capture_output=True, text=True, check=True,
                                         env=ENVIRONMENT).stdout for name, text in QUERIES.items()}
        cluster = Cluster(folder, data, options.executors)
        clients = Clients(cluster, expected, options.clients, options.seed)
        faults = Faults(cluster, clients, dice)
        chosen = [f for f in faults.all() if not options.only or f.__name__ in options.only]
        seen, vain = collections.Counter(), collections.Counter()
        while sum(seen.values()) < options.faults and sum(vain.values()) < options.faults * 3:
            fault = dice.choice(chosen)
            cluster.look_for_deaths()
            happened = fault()
            (seen if happened else vain)[fault.__name__] += 1
            time.sleep(dice.random() * 0.5)
        for proxy in [*cluster.proxies, cluster.door]:
            proxy.heal()
        clients.rest()
        cluster.look_for_deaths()
        problems = cluster.deaths + check_calm(cluster, clients)
        statuses = cluster.end()
        problems += [f"a process ended with {status}" for status in statuses if status != 0]
    for problem in problems:
        print("FAILED", problem)
    print("faults:", ", ".join(f"{name} {count}" for name, count in sorted(seen.items())), "; in vain:", dict(vain))
    print("statements:", ", ".join(f"{what} {count}" for what, count in clients.outcomes.most_common()))
    if clients.cancel_seconds:
        times = sorted(clients.cancel_seconds)
        print(f"cancelled: until the client had ended median {times[len(times) // 2]:.2f} s, most {times[-1]:.2f} s")
    if sum(seen.values()) < options.faults:
        problems.append("too few faults")
        print("FAILED too few faults happened")
    failed = len(problems) + len(clients.failures)
    print(f"{sum(clients.outcomes.values()) + sum(seen.values())} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
