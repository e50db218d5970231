#!/usr/bin/env python3
"""Real processes that die, stand still, fail or do harm at each failpoint (src/base/failpoint.h). For each place and each thing
that can happen there: a cluster, a statement, the fault, which must be seen to have happened, and then the right answer or the
one error that the fault allows; a second statement, which must be right; and nothing left over.

    failpoints.py [--all] [--jobs 4] [--only PART…] [--case TEXT]

A slice without --all. Needs a build with failpoints: BINARY=build-asan/arbalest. Last line: `N passed, N failed, N skipped`."""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "test/command"))
os.environ.setdefault("BINARY", str(ROOT / "build-asan/arbalest"))
import command_driver  # noqa: E402
from chaos_cluster import ENDED, Cluster, is_stopped  # noqa: E402
from chaos_statements import STATEMENT_MOST, ask, spread, tables  # noqa: E402
from command_driver import Skip, expect, expect_in  # noqa: E402
from node_driver import FREE, Node  # noqa: E402

TABLES = tables(30000)
GROUPS = ("select n.name, count(*) as n, sum(f.v) as s from facts f join names n on f.g = n.g group by n.name order by n.name")
ROWS = "select f.k * 10 + r.x as k, f.v from facts f, range(10) r(x) order by k"  # many blocks
SPREAD = spread("32kB")
IN_FILES = (*SPREAD, "exchange_memory=0")
AS_PLANNED = ()
RIGHT, LOST, UNREACHABLE, UNKNOWN = "right", "58000", "08001", "08007"


def embedded():
    """{statement: what it gives}, of a session without a cluster."""
    answers = {}
    for text in (GROUPS, ROWS):
        status, out, err = command_driver.sql("-c", f"{TABLES}; {text}")
        expect((status, err), (0, ""))
        answers[text] = out
    return answers


def outcome(result, right):
    """RIGHT, or the SQLSTATE of the one error."""
    status, out, err = result
    if status == 0:
        expect((out, err), (right, ""))
        return RIGHT
    found = re.match(r"error: ([0-9A-Z]{5}): ", err)
    if status != 1 or found is None:
        raise AssertionError(f"ended with {status}: {err}")
    return found.group(1)


class Keeper:
    """Looks after a cluster while a statement runs: who was killed begins again (without failpoints) after a while, who was
    stopped goes on."""

    lasting = False

    def __init__(self, cluster, pause):
        self.cluster, self.pause, self.seen, self.failure = cluster, pause, 0, None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def run(self):
        try:
            while not self.ended.wait(0.02):
                self.look()
            self.look()
        except Exception as failure:
            self.failure = failure

    def look(self):
        cluster = self.cluster
        for node in [cluster.scheduler, *cluster.executors]:
            if node.ended:
                continue
            if node.process.poll() is not None:
                self.came_down(node)
            elif is_stopped(node.process.pid):
                self.seen += 1
                self.before_going_on(node)
                time.sleep(self.pause)
                node.process.send_signal(signal.SIGCONT)

    def before_going_on(self, node):
        pass

    def came_down(self, node):
        marks = [action for _, action, process in self.cluster.marks() if int(process) == node.process.pid]
        status = {"kill": -signal.SIGKILL, "abort": -signal.SIGABRT}.get(marks[-1] if marks else "", 0)
        self.cluster.end_of(node, signal.SIGKILL, status)
        self.seen += 1
        time.sleep(self.pause)
        if node is self.cluster.scheduler:
            self.cluster.scheduler_failpoints = ""
            self.cluster.start_scheduler()
        else:
            number = self.cluster.executors.index(node)
            if not self.lasting:
                self.cluster.executor_failpoints[number] = ""
            self.cluster.start_executor(number)


class LastingKeeper(Keeper):
    """Who begins again has its failpoints again."""
    lasting = True


class Run:
    """A cluster with its tables, and at its end what must be."""

    def __init__(self, executors=2, **options):
        self.folder = tempfile.TemporaryDirectory()
        options.setdefault("executor_failpoints", [""] * executors)
        self.cluster = Cluster(self.folder.name, executors, **options)

    def __enter__(self):
        return self.cluster

    def __exit__(self, kind, *_):
        problems = []
        self.cluster.disarm()
        if kind is None:
            problems += self.cluster.wait_for_calm()
        problems += self.cluster.end()
        self.folder.cleanup()
        if kind is None:
            expect(problems, [])


def make_tables(cluster):
    command_driver.wait_until(lambda: cluster.ready() == len(cluster.executors), 60)
    expect(ask(cluster, TABLES), (0, "", ""))


def with_fault(answers, place, action, times, who, text=GROUPS, settings=SPREAD, pause=0.5, allowed=(RIGHT,), least=1, keeper=Keeper):
    """`who`: numbers of executors, or "scheduler". `times`: which passage of it, or 0: each. At `least` so often it must have
    happened."""
    spec = f"{place}={action}" + (f"@{times}" if times else "")
    points = {"scheduler_failpoints": spec} if who == "scheduler" else \
        {"executor_failpoints": [spec if number in who else "" for number in range(2)]}
    with Run(**points) as cluster:
        make_tables(cluster)
        with keeper(cluster, pause) as kept:
            cluster.arm()
            result = ask(cluster, text, settings)
            if action in ("kill", "abort", "stop"):  # who died may be found only now
                command_driver.wait_until(lambda: kept.seen >= least or kept.failure, 10)
            cluster.disarm()
        if kept.failure:
            raise kept.failure
        fired = [mark for mark in cluster.marks() if mark[:2] == [place, action.split(":")[0]]]
        if len(fired) < least:
            raise AssertionError(f"{spec} happened {len(fired)} times, not {least}")
        got = outcome(result, answers[text])
        if who == "scheduler" and action == "kill":  # a job whose client had no handle yet goes on: do not wait until its lease is over
            for job in cluster.api("jobs"):
                if job["state"] not in ENDED:
                    cluster.cancel(job["job_id"])
        if got not in allowed:
            raise AssertionError(f"{got} is not of {allowed}: {result[2]}")
        expect(ask(cluster, GROUPS, SPREAD), (0, answers[GROUPS], ""))
        return got


# ---- executors ------------------------------------------------------------------------------------------------------------
PLACES = ("executor.launch_received", "executor.task_start", "exchange.last_row", "exchange.sealed", "executor.before_commit",
          "executor.after_commit", "executor.output_read")


def executor_cases(answers, everything):
    """Each place of an executor, killed and frozen: the other one, and who comes back, give the right answer."""
    for place in PLACES:
        for times in (1, 4) if everything else (1,):
            yield f"{place} kill@{times}", lambda p=place, t=times: with_fault(answers, p, "kill", t, (0,))
            for pause in (0.5, 3, 8) if everything else ():
                yield f"{place} stop@{times}, {pause} s", lambda p=place, t=times, s=pause: with_fault(answers, p, "stop", t, (0,),
                                                                                                     pause=s)
    for place in PLACES if everything else ("executor.before_commit",):
        yield f"{place} kill, two at once", lambda p=place: with_fault(answers, p, "kill", 2, (0, 1), least=2)
        yield f"{place} kill, in files", lambda p=place: with_fault(answers, p, "kill", 2, (0,), settings=IN_FILES)
    for times in (1, 2, 3) if everything else (2,):
        # Rows that have left cannot be taken back; what has not left comes again.
        yield f"killed while its output is read @{times}", lambda t=times: with_fault(
            answers, "executor.output_read", "kill", t, (0, 1), text=ROWS, settings=AS_PLANNED, allowed=(RIGHT, LOST))
    if not everything:
        yield "executor.task_start stop, 7 s", lambda: with_fault(answers, "executor.task_start", "stop", 2, (0,), pause=7)
        yield "executor.output_read stop", lambda: with_fault(answers, "executor.output_read", "stop", 1, (0,), pause=3)


def draining(answers, action):
    """An executor that was told to go, and dies or stands still over it."""
    slow = "executor.task_start=delay:100"
    with Run(executor_failpoints=[f"{slow},executor.draining={action}", slow]) as cluster:
        make_tables(cluster)
        node = cluster.executors[0]
        cluster.arm()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, cluster, GROUPS, SPREAD)
            command_driver.wait_until(lambda: node.figures()["arbalest_executor_tasks_running"] > 0, 30)
            node.process.send_signal(signal.SIGTERM)
            if action == "stop":
                command_driver.wait_until(lambda: is_stopped(node.process.pid), 30)
                time.sleep(3)
                node.process.send_signal(signal.SIGCONT)
            result = asked.result()
        node.process.wait(60)
        cluster.end_of(node, signal.SIGTERM, -signal.SIGKILL if action == "kill" else 0)
        expect([mark for mark in cluster.marks() if mark[0] == "executor.draining"],
               [["executor.draining", action.split(":")[0], str(node.process.pid)]])
        cluster.disarm()
        cluster.start_executor(0)
        expect(result, (0, answers[GROUPS], ""))
        expect(ask(cluster, GROUPS, SPREAD), (0, answers[GROUPS], ""))


def draining_cases(answers, everything):
    for action in ("kill", "stop", "delay:1000") if everything else ("kill",):
        yield f"executor.draining {action}", lambda a=action: draining(answers, a)


def explained(answers):
    """EXPLAIN ANALYZE names the task that failed, though others took longer."""
    with Run(executor_failpoints=["executor.task_start=error:58030@2", ""]) as cluster:
        make_tables(cluster)
        cluster.arm()
        status, out, err = ask(cluster, "explain analyze " + GROUPS, SPREAD)
        cluster.disarm()
        expect((status, err), (0, ""))
        found = re.search(r"Stage \d+ ran: (\d+) of \1 tasks in (\d+) attempts, [^\n]*\n\W+task \d+: [^\n]* ms on executor "
                          r"[0-9a-f]{8}, 2 attempts, failed before on executor [0-9a-f]{8}: 58030", out)
        assert found and int(found[2]) == int(found[1]) + 1, out


def error_cases(answers, everything):
    """What may pass is tried again; what fails each time, or would fail again, is the one error that the client sees."""
    places = ("executor.task_start", "exchange.last_row", "executor.output_read")
    for place in places:
        yield f"{place} error once", lambda p=place: with_fault(answers, p, "error:58030", 2, (0, 1))
    yield "an error once, explained", lambda: explained(answers)
    for place in places[:2]:
        yield f"{place} error each time", lambda p=place: with_fault(answers, p, "error:58030", 0, (0, 1), allowed=("58030",), least=4)
        if everything:
            yield f"{place} error of the statement", lambda p=place: with_fault(answers, p, "error:22012", 1, (0,), allowed=("22012",))
    yield "scheduler.before_launch error", lambda: with_fault(answers, "scheduler.before_launch", "error:53200", 2, "scheduler")


# ---- damage ---------------------------------------------------------------------------------------------------------------
class FileSpoiler(Keeper):
    """Who was stopped finds its files changed: one byte in each 512, in whatever it has in its work folder."""
    changed = 0

    def before_going_on(self, node):
        folder = pathlib.Path(f"/proc/{node.process.pid}/fd")
        work = self.cluster.work_folders[self.cluster.executors.index(node)]
        for link in folder.iterdir():
            if not os.readlink(link).startswith(work + "/"):
                continue
            with open(link, "r+b", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                for at in range(0, size, 512):
                    byte = os.pread(file.fileno(), 1, at)
                    os.pwrite(file.fileno(), bytes([byte[0] ^ 0x10]), at)
                    type(self).changed += 1


def spoiled_files(answers):
    before = FileSpoiler.changed
    with_fault(answers, "executor.output_read", "stop", 1, (0,), settings=IN_FILES, pause=0, keeper=FileSpoiler)
    if FileSpoiler.changed == before:
        raise AssertionError("there was no file to change")


def damage_cases(answers, everything):
    """Found by the checksum, and made again by who made it."""
    for times in (1, 3, 6) if everything else (2,):
        yield f"a block changed on its way @{times}", lambda t=times: with_fault(answers, "exchange.arrived", "corrupt", t, (0, 1))
        yield f"a block changed before it went to a file @{times}", lambda t=times: with_fault(
            answers, "exchange.sealed", "corrupt", t, (0,), settings=IN_FILES)
    yield "files changed", lambda: spoiled_files(answers)


# ---- the scheduler --------------------------------------------------------------------------------------------------------
def scheduler_cases(answers, everything):
    """Killed or frozen: the answer comes when it is there again."""
    places = ("scheduler.before_launch", "scheduler.after_launch", "scheduler.done_received")
    for place in places if everything else places[2:]:
        for times in (1, 6) if everything else (3,):
            yield f"{place} kill@{times}", lambda p=place, t=times: with_fault(answers, p, "kill", t, "scheduler")
            for pause in (1, 4, 9) if everything else (7,):
                yield f"{place} stop@{times}, {pause} s", lambda p=place, t=times, s=pause: with_fault(
                    answers, p, "stop", t, "scheduler", pause=s)


STATEMENTS = ("create table t (a bigint)",
              "insert into t select x from range(1000) r(x)",
              "create table u as select a, a * 2 as b from t where a % 3 = 0",
              "select count(*) as n from u",
              "insert into t values (-1), (-2)",
              "drop table u",
              "create table w as select a from t where a < 10")
LOOK = {table: f"select count(*) as n, sum(a) as s from {table}" for table in "tuw"}


def state_of(answer):
    """{table: its answer, or the error} by a function that gives (status, out, err) for a text."""
    state = {}
    for table, text in LOOK.items():
        status, out, err = answer(text)
        state[table] = out if status == 0 else re.match(r"error: (\S+): ", err).group(1)
    return state


def states():
    """What the tables are before the first statement and after each."""
    found = []
    for count in range(len(STATEMENTS) + 1):
        found.append(state_of(lambda text, n=count: (lambda r: (r[0], r[1].split("\n\n")[-1] if r[0] == 0 else "", r[2]))(
            command_driver.sql("-c", "; ".join([*[s for s in STATEMENTS[:n] if not s.startswith("select")], text])))))
    return found


def count_passages(place):
    """How often the work below passes a place."""
    with Run(1, scheduler_failpoints=f"{place}=delay:0") as cluster:
        command_driver.wait_until(lambda: cluster.ready() == 1, 60)
        cluster.arm()
        for text in STATEMENTS:
            expect(ask(cluster, text)[0::2], (0, ""))
        # Ends of jobs are written behind the answer. A second is less than the time in which a scheduler asks for its term.
        command_driver.wait_until(lambda: cluster.scheduler.figures()["arbalest_scheduler_jobs"] == 0, STATEMENT_MOST)
        for _ in range(STATEMENT_MOST):
            number = len(cluster.marks())
            time.sleep(1)
            if len(cluster.marks()) == number:
                return number
        raise AssertionError(f"{place} is passed all the time")


def killed_at_write(place, times, known):
    """The scheduler dies at one passage; the statement under way has been done or not, and all before it have."""
    with Run(1, scheduler_failpoints=f"{place}=kill@{times}") as cluster:
        command_driver.wait_until(lambda: cluster.ready() == 1, 60)
        cluster.arm()
        done = 0
        for text in STATEMENTS:
            status, _, err = ask(cluster, text)
            if status != 0:
                expect(status, 1)
                expect(re.match(r"error: (\S+): ", err).group(1) in (UNREACHABLE, UNKNOWN), True)
                break
            done += 1
        try:
            cluster.scheduler.process.wait(10)  # it may be written when the answer is there
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{place} was not passed {times} times") from None
        expect(cluster.marks(), [[place, "kill", str(cluster.scheduler.process.pid)]])
        cluster.kill(cluster.scheduler)
        cluster.disarm()
        cluster.scheduler_failpoints = ""
        cluster.start_scheduler()
        command_driver.wait_until(lambda: cluster.ready() == 1, 60)
        now = state_of(lambda text: ask(cluster, text))
        if now not in known[done:done + 2]:
            raise AssertionError(f"after {done} statements: {now}, neither {known[done]} nor {known[done + 1]}")
        expect(ask(cluster, "create table well as select 1 as a; insert into well values (2); select sum(a) as s from well"),
               (0, "s\n3\n", ""))


def write_cases(answers, everything):
    known = states()
    for place in ("state.before_commit", "state.after_commit", "state.before_blob", "state.after_blob"):
        number = count_passages(place)
        expect(number > 0, True)
        for times in range(1, number + 1) if everything else sorted({1 + number // 3, number}):
            yield f"{place} kill@{times} of {number}", lambda p=place, t=times: killed_at_write(p, t, known)


def failed_writes(answers, place, code):
    """A state that cannot be written is an error of the statement, and no half of it is there."""
    with Run(1, scheduler_failpoints=f"{place}=error:{code}") as cluster:
        command_driver.wait_until(lambda: cluster.ready() == 1, 60)
        expect(ask(cluster, "create table t as select 1 as a"), (0, "", ""))
        cluster.arm()
        status, _, err = ask(cluster, "create table u as select 2 as a")
        expect((status, re.match(r"error: (\S+): ", err).group(1)), (1, code))
        cluster.disarm()
        expect(len(cluster.marks()) > 0, True)
        expect(ask(cluster, "select a from u")[2][:12], "error: 42P01")
        expect(ask(cluster, "insert into t values (3); create table u as select 4 as a; select sum(x.a) + sum(u.a) as s from t x, u"),
               (0, "s\n12\n", ""))


def failed_write_cases(answers, everything):
    for place in ("state.before_commit", "state.before_blob"):
        yield f"{place} error", lambda p=place: failed_writes(answers, p, "53100")


# ---- poison ---------------------------------------------------------------------------------------------------------------
def poison(answers, how):
    """A statement whose tasks bring their executors down fails, though a kill, as by the system for want of memory, leaves no
    record; the cluster stays."""
    with Run(executor_failpoints=[f"executor.task_start={how}"] * 2) as cluster:
        make_tables(cluster)
        with LastingKeeper(cluster, 0.1) as kept:
            cluster.arm()
            result = ask(cluster, GROUPS, SPREAD)
            cluster.disarm()
        if kept.failure:
            raise kept.failure
        expect(outcome(result, None), "57P02")
        expect_in("with nothing beside it", result[2])
        expect(ask(cluster, GROUPS, SPREAD), (0, answers[GROUPS], ""))


def poison_at_a_server(answers):
    """A server begins its executor again each time, and the one that comes is told what the last one did."""
    with tempfile.TemporaryDirectory() as folder:
        armed = pathlib.Path(folder, "armed")
        with Node("server", *FREE, "--state", "memory", TMPDIR=folder, ARBALEST_FAILPOINTS="executor.task_start=abort",
                  ARBALEST_FAILPOINTS_WHILE=str(armed)) as server:
            url = "arbalest://" + server.places["clients"]
            expect(command_driver.sql("--connect", url, "-c", TABLES), (0, "", ""))
            armed.touch()
            status, _, err = command_driver.sql("--connect", url, "-c", GROUPS)
            armed.unlink()
            expect((status, err[:12]), (1, "error: 57P02"))
            expect(command_driver.sql("--connect", url, "-c", GROUPS), (0, answers[GROUPS], ""))
            status, said = server.end()
            expect((status, [line for line in said.splitlines() if "signal 6 (Aborted)" not in line]), (0, []))
            expect(said.count("\n") >= 4, True)
        expect(os.listdir(folder), [])


def poison_cases(answers, everything):
    yield "one crash", lambda: with_fault(answers, "executor.task_start", "abort", 2, (0,))
    yield "poison", lambda: poison(answers, "abort")
    if everything:  # each of a dozen deaths is noticed after some seconds
        yield "poison that leaves no record", lambda: poison(answers, "kill")
    yield "poison at a server", lambda: poison_at_a_server(answers)


# ---- full disks -----------------------------------------------------------------------------------------------------------
BIG = "select count(*) as n, sum(a.v + b.v) as s from big a join big b on a.k = b.k"


def full_disks(answers, limited):
    """Outputs and spilled rows find no room: the one error, and then all is well. `limited`: a list of what each has."""
    with Run(executor_arguments=("--threads", 1, "--memory-limit", "200MB"), **limited) as cluster:
        make_tables(cluster)
        expect(ask(cluster, "create table big as select x as k, x * 2654435761 % 4294967291 as v from range(400000) r(x)"), (0, "", ""))
        status, _, err = ask(cluster, BIG, IN_FILES)
        expect((status, err[:13]), (1, "error: 53100:"))
        expect(ask(cluster, GROUPS, SPREAD), (0, answers[GROUPS], ""))


@contextlib.contextmanager
def small_disk(size):
    """A folder with so much room."""
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", folder], capture_output=True).returncode:
            raise Skip("no privilege: a small file system of a test's own cannot be mounted")
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


def small_disks(answers):
    with small_disk("1m") as first, small_disk("1m") as second:
        full_disks(answers, {"work_folders": [first, second]})


def full_state(answers):
    """Tables fill the disk of the state: no more can be made, until one is dropped, which can be written."""
    with small_disk("16m") as folder:
        arguments = ("server", *FREE, "--state-dir", folder + "/state")
        with Node(*arguments) as server:
            def tell(text):
                return command_driver.sql("--connect", "arbalest://" + server.places["clients"], "-c", text)

            def make(number):
                return tell(f"create table t{number} as select x * 2654435761 % 4294967291 + {number} as v from range(60000) r(x)")

            made = 0
            while made < 60 and make(made)[0] == 0:
                made += 1
            status, _, err = make(1000)
            expect((status, err[:13]), (1, "error: 53100:"))
            expect(made > 5, True)
            expect(tell("drop table t0; drop table t1; drop table t2"), (0, "", ""))
            expect(make(1000), (0, "", ""))
        with Node(*arguments) as server:
            expect(tell(f"select count(*) as n from t{made - 1}"), (0, "n\n60000\n", ""))
            expect(tell("select count(*) as n from t1000"), (0, "n\n60000\n", ""))
            expect(tell("select count(*) from t2")[2][:12], "error: 42P01")


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (128 << 10, 128 << 10))


def refused(text, *arguments):
    """A process that is told of a failpoint that there is not does not begin."""
    status, out, err = command_driver.run(*arguments, ARBALEST_FAILPOINTS=text)
    expect((status, out), (78, ""))
    expect_in(f'ARBALEST_FAILPOINTS: "{text}": ', err)


def refused_cases(answers, everything):
    for text in ("executor.nowhere=kill", "executor.task_start=explode", "executor.task_start", "executor.after_commit=error:58030",
                 "executor.task_start=kill@0"):
        for arguments in (("sql", "-c", "select 1"), ("scheduler", "--port", 0, "--control-port", 0, "--http-port", 0)):
            yield f"{arguments[0]} with {text}", lambda t=text, a=arguments: refused(t, *a)


def expect_failpoints():
    """That the command is of a build which has them: there a place that does not exist is what is wrong."""
    _, _, said = command_driver.run("version", ARBALEST_FAILPOINTS="nowhere=kill")
    if "there is no such place" not in said:
        sys.exit(f"{command_driver.BINARY} was built without failpoints (those of ./dev build asan have them): {said.strip()}")


PARTS = {"refused": refused_cases, "executors": executor_cases, "draining": draining_cases, "errors": error_cases, "damage": damage_cases,
         "scheduler": scheduler_cases, "writes": write_cases, "failed_writes": failed_write_cases,
         "poison": poison_cases,
         "disk": lambda answers, _: [("small disks", lambda: small_disks(answers)),
                                     ("a full disk of the state", lambda: full_state(answers)),
                                     ("a limit of file sizes", lambda: full_disks(answers, {"preexec_fn": limit_files}))]}


def run_case(name, case):
    begun = time.monotonic()
    try:
        got = case()
        return name, None, f"{time.monotonic() - begun:.1f} s{': ' + got if got else ''}"
    except Skip as why:
        return name, why, ""
    except Exception as failure:
        at = traceback.extract_tb(failure.__traceback__)
        place = next((f"{frame.name}, line {frame.lineno}" for frame in reversed(at) if frame.filename == __file__), "")
        return name, failure, f"{type(failure).__name__} at {place}: {str(failure)[:1500]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=4, help="cases at the same time: most of them wait")
    parser.add_argument("--only", nargs="+", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--case", help="those whose names have this in them")
    options = parser.parse_args()
    expect_failpoints()
    sums = {"passed": 0, "failed": 0, "skipped": 0}
    answers = embedded()
    cases = [case for part in options.only for case in PARTS[part](answers, options.all)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(run_case, *case) for case in cases if not options.case or options.case in case[0]]
        for done in concurrent.futures.as_completed(running):
            name, trouble, text = done.result()
            kind = "passed" if trouble is None else "skipped" if isinstance(trouble, Skip) else "failed"
            sums[kind] += 1
            print({"passed": f"passed {name} {text}", "skipped": f"skipped: {trouble}", "failed": f"FAILED {name}: {text}"}[kind],
                  flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in sums.items()))
    return 1 if sums["failed"] or not sums["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
