"""How soon a cluster of processes reacts: to a cancel of its client, to an executor that dies, to one that freezes."""
import contextlib
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/command"))
import node_driver  # noqa: E402  # how tests start processes of a cluster, too
from command_driver import expect, wait_until  # noqa: E402

ENDLESS = "select count(*) from lineitem a, lineitem b where a.l_orderkey * b.l_partkey = -1"
REACTION_MOST = 60  # seconds; what takes longer hangs
INTERRUPTED = 130  # the command's status then


def percentile(values, percent):
    """The least of the values that so many in a hundred of them do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def report(what, seconds):
    print(f"{what}: median {percentile(seconds, 50):.3f} s, 99th percentile {percentile(seconds, 99):.3f} s, "
          f"most {max(seconds):.3f} s of {len(seconds)}", flush=True)


def running(executors):
    """Tasks that executors are at."""
    return sum(node.figures()["arbalest_executor_tasks_running"] for node in executors)


def is_idle(scheduler, executors):
    return not scheduler.figures()["arbalest_scheduler_jobs"] and not running(executors)


def cancel(client, scheduler, executors, pause):
    """Seconds until a client that is interrupted in the middle of a query has ended, and until nothing runs; None: it was faster."""
    wait_until(lambda: running(executors) or client.poll() is not None, REACTION_MOST)
    time.sleep(pause)
    start = time.monotonic()
    client.send_signal(signal.SIGINT)
    if client.wait(REACTION_MOST) == 0:
        return None
    ended = time.monotonic() - start
    expect(client.returncode, INTERRUPTED)
    wait_until(lambda: is_idle(scheduler, executors), REACTION_MOST)
    return ended, time.monotonic() - start


def cancels(cases, options, folder):
    """At random moments of heavy queries."""
    dice, seconds = random.Random(3), []
    heavy = [case.ours for case in cases if case.name in ("01", "09", "18", "21")]
    with node_driver.cluster(options.executors, "--data", f"tpch={folder}") as (scheduler, executors, url):
        while len(seconds) < options.times:
            query = dice.choice([*heavy, ENDLESS, ENDLESS, ENDLESS])
            with contextlib.ExitStack() as stack:
                client = stack.enter_context(subprocess.Popen(
                    [options.binary, "sql", "--connect", url, "--set", "distribution=always", "-c", ";".join([query] * 5)],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                stack.callback(client.kill)
                taken = cancel(client, scheduler, executors, dice.uniform(0, 0.65))
                seconds += [taken] if taken is not None else []
    report("cancel, until the client has ended", [ended for ended, _ in seconds])
    report("cancel, until no task runs and no job is there", [freed for _, freed in seconds])


def executors_of(scheduler):
    """How many it counts, in whichever state."""
    return sum(v for name, v in scheduler.figures().items() if name.startswith("arbalest_scheduler_executors{"))


def losses(number, options):
    """Until the scheduler no longer counts an executor that a signal hit."""
    seconds = []
    with node_driver.cluster(1) as (scheduler, _, _):
        for _ in range(options.times):
            with contextlib.ExitStack() as stack:
                node = node_driver.Node("executor", "--scheduler", scheduler.places["control"], *node_driver.FREE, "--threads", 1)
                stack.callback(node.end, signal.SIGKILL)
                wait_until(lambda: scheduler.figures()['arbalest_scheduler_executors{state="ready"}'] == 2, REACTION_MOST)
                start = time.monotonic()
                node.process.send_signal(number)
                wait_until(lambda: executors_of(scheduler) == 1, REACTION_MOST)
                seconds.append(time.monotonic() - start)
    report(f"an executor lost by {number.name}, until it is dead", seconds)


def measure(cases, options, folder):
    cancels(cases, options, folder)
    losses(signal.SIGKILL, options)
    losses(signal.SIGSTOP, options)
