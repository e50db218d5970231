#!/usr/bin/env python3
"""A scheduler and two executors, each in a network name space of its own, and the ways between them cut: packets go out and nobody
takes them, as when a cable is pulled. One executor cannot reach the other, while both reach the scheduler; or the scheduler cannot
be reached, while they reach one another. Every statement ends in the right answer or in the one error of a cluster without
executors, and when the ways are whole again so is the cluster.

    partitions.py [--all] [--only TEXT]

Needs the privilege to make name spaces. Last line: `N passed, N failed, N skipped`."""
import argparse
import concurrent.futures
import contextlib
import ctypes
import os
import shutil
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test/command"))
import command_driver  # noqa: E402
from chaos_statements import ask, spread, tables  # noqa: E402
from command_driver import expect, wait_until  # noqa: E402
from node_driver import FREE, Node  # noqa: E402

STATEMENT_MOST = 110  # seconds; some wait for executors first
NOBODY = "02:00:00:00:00:99"  # an address that no card here has
SPREAD = spread("64kB")
TABLES = tables(400000)
GROUPS = ("select n.name, count(*) as n, sum(f.v) as s from facts f join (select a.g, a.name from names a join facts b on a.g = b.k) n "
          "on f.g = n.g group by n.name order by n.name")
RIGHT, NO_EXECUTOR = "right", "57P03"


def ip(*arguments, space=None):
    subprocess.run([*(["ip", "netns", "exec", space] if space else []), "ip", *arguments], check=True, capture_output=True, timeout=30)


class Network:
    """This process's own name space, in which the scheduler is, and one for each executor, on a bridge."""

    def __init__(self, executors):
        self.spaces = [f"arbalest-{os.getpid()}-{number}" for number in range(executors)]
        self.addresses = [f"10.77.0.{number + 2}" for number in range(executors)]
        self.scheduler = "10.77.0.1"
        ip("link", "set", "lo", "up")
        ip("link", "add", "bridge", "type", "bridge")
        ip("addr", "add", self.scheduler + "/24", "dev", "bridge")
        ip("link", "set", "bridge", "up")
        for number, space in enumerate(self.spaces):
            ip("netns", "add", space)
            ip("link", "add", f"port{number}", "type", "veth", "peer", "name", "card", "netns", space)
            ip("link", "set", f"port{number}", "master", "bridge", "up")
            ip("addr", "add", self.addresses[number] + "/24", "dev", "card", space=space)
            ip("link", "set", "card", "up", space=space)
            ip("link", "set", "lo", "up", space=space)

    def end(self):
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True)

    def way(self, space, to):
        """From a space (None: the scheduler's) to an address: arguments of what changes it."""
        return ("neigh", "replace", to, "lladdr", NOBODY, "dev", "card" if space else "bridge", "nud", "permanent"), \
            ("neigh", "del", to, "dev", "card" if space else "bridge")

    @contextlib.contextmanager
    def cut(self, ways):
        """Those ways lead nowhere, meanwhile. A way: (space, address)."""
        for space, to in ways:
            ip(*self.way(space, to)[0], space=space)
        try:
            yield
        finally:
            for space, to in ways:
                ip(*self.way(space, to)[1], space=space)

    def between(self, one, other):
        """Both directions of two executors."""
        return [(self.spaces[one], self.addresses[other]), (self.spaces[other], self.addresses[one])]

    def from_scheduler(self, number):
        return [(self.spaces[number], self.scheduler), (None, self.addresses[number])]

    def enter(self, number):
        """For a process: begin in an executor's space."""
        path = f"/run/netns/{self.spaces[number]}"

        def change():
            with open(path) as space:
                if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), 0) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
        return change


class Place:
    """The cluster on a network; `dropped` says what one of its cards has lost."""

    def __init__(self, stack, network, folder):
        token = folder + "/token"
        pathlib.Path(token).write_text("a token of these tests\n")
        os.chmod(token, 0o600)
        beyond = ("--insecure", "--join-token-file", token)
        self.network = network
        self.scheduler = stack.enter_context(Node("scheduler", *FREE, "--control-port", 0, "--state", "memory", "--host", "0.0.0.0",
                                                  *beyond))
        control = self.scheduler.places["control"].rsplit(":", 1)[1]
        self.executors = [stack.enter_context(Node("executor", *FREE, "--scheduler", f"{network.scheduler}:{control}", "--threads", 1,
                                                   "--host", network.addresses[number], *beyond,
                                                   popen={"preexec_fn": network.enter(number)}))
                          for number in range(len(network.spaces))]
        self.scheduler.places["http"] = "127.0.0.1:" + self.scheduler.places["http"].rsplit(":", 1)[1]
        self.wait_until_well()

    def figure(self, name):
        return self.scheduler.figures()[name]

    def wait_until_well(self):
        """All executors may have tasks, and none has one."""
        wait_until(lambda: self.figure('arbalest_scheduler_executors{state="ready"}') == len(self.executors) and
                   self.figure("arbalest_scheduler_jobs") == self.figure("arbalest_scheduler_outputs") == 0, 90)

    def url(self):
        return "arbalest://127.0.0.1:" + self.scheduler.places["clients"].rsplit(":", 1)[1]

    def ask(self):
        return ask(self, GROUPS, SPREAD, STATEMENT_MOST)


def with_cut(place, answer, ways, seconds, allowed):
    """Cut while a statement runs: for so many seconds, None: until the statement has ended."""
    launched = place.figure("arbalest_scheduler_attempts_launched_total")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(place.ask)
        wait_until(lambda: place.figure("arbalest_scheduler_attempts_launched_total") > launched or asked.done(), 30)
        if asked.done():
            raise AssertionError("the statement was faster than the cut")
        with place.network.cut(ways):
            if seconds is None:
                concurrent.futures.wait([asked], STATEMENT_MOST)
            else:
                time.sleep(seconds)
        status, out, err = asked.result()
    got = RIGHT if (status, out, err) == (0, answer, "") else err.split(": ")[1] if status == 1 and err.startswith("error: ") else \
        f"status {status}: {out[:300]} {err[:300]}"
    if got not in allowed:
        raise AssertionError(f"{got} is not of {allowed}: {err}")
    place.wait_until_well()
    expect(place.ask(), (0, answer, ""))
    return got


def cases(network, everything):
    """(name, ways that are cut, how long, what may be)"""
    lost = [way for number in range(2) for way in network.from_scheduler(number)]
    yield "executors from one another, until the end", network.between(0, 1), None, (RIGHT,)
    yield "an executor from the scheduler, 8 s", network.from_scheduler(0), 8, (RIGHT,)
    if not everything:
        return
    yield "executors from one another, 4 s", network.between(0, 1), 4, (RIGHT,)
    yield "executors from one another, 15 s", network.between(0, 1), 15, (RIGHT,)
    yield "one direction between executors, until the end", network.between(0, 1)[:1], None, (RIGHT,)
    yield "an executor from the scheduler, 3 s", network.from_scheduler(1), 3, (RIGHT,)
    yield "the way to the scheduler alone, 8 s", network.from_scheduler(0)[:1], 8, (RIGHT,)
    yield "the way from the scheduler alone, 8 s", network.from_scheduler(0)[1:], 8, (RIGHT,)
    yield "an executor from all, until the end", network.from_scheduler(0) + network.between(0, 1), None, (RIGHT,)
    yield "both executors from the scheduler, 8 s", lost, 8, (RIGHT,)
    yield "both executors from the scheduler, until the end", lost, None, (NO_EXECUTOR,)


def run_all(options):
    sums = {"passed": 0, "failed": 0}
    network = Network(2)
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            place = Place(stack, network, folder)
            expect(command_driver.sql("--connect", place.url(), "-c", TABLES), (0, "", ""))
            answer = command_driver.sql("-c", f"{TABLES}; {GROUPS}")[1]
            expect(place.ask(), (0, answer, ""))
            for name, *case in cases(network, options.all):
                if options.only not in name:
                    continue
                begun = time.monotonic()
                try:
                    text = with_cut(place, answer, *case)
                except (AssertionError, subprocess.TimeoutExpired) as failure:
                    text, name = str(failure)[:1500], "FAILED " + name
                sums["failed" if name.startswith("FAILED") else "passed"] += 1
                print(f"{name}: {text}, {time.monotonic() - begun:.1f} s", flush=True)
    except AssertionError as failure:  # of the processes
        sums["failed"] += 1
        print("FAILED", failure)
    finally:
        network.end()
    print(f"{sums['passed']} passed, {sums['failed']} failed, 0 skipped")
    return 1 if sums["failed"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", default="", help="those whose names have this in them")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return run_all(options)
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        print("skipped: no tool: unshare and ip\n0 passed, 0 failed, 1 skipped")
        return 0
    probe = f"arbalest-{os.getpid()}-probe"
    made = subprocess.run(["unshare", "-n", "ip", "netns", "add", probe], capture_output=True)
    subprocess.run(["ip", "netns", "del", probe], capture_output=True)
    if made.returncode != 0:
        print(f"skipped: no privilege: network name spaces: {made.stderr.decode().strip()}\n0 passed, 0 failed, 1 skipped")
        return 0
    return subprocess.run(["unshare", "-n", sys.executable, __file__, "--inside", *sys.argv[1:]]).returncode


if __name__ == "__main__":
    sys.exit(main())
