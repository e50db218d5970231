"""How soon a cluster of processes reacts: to a cancel of its client, to an executor that dies, to one that freezes."""
import pathlib
import random
import signal
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/command"))
import node_driver  # noqa: E402  # how tests start processes of a cluster, too

ENDLESS = "select count(*) from lineitem a, lineitem b where a.l_orderkey * b.l_partkey = -1"


def figures(node):
    """{name: value} of what a process tells a monitor."""
    text = urllib.request.urlopen(f"http://{node.places['http']}/metrics", timeout=10).read().decode()
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def report(what, seconds):
    print(f"{what}: median {percentile(seconds, .5):.3f} s, 99th percentile {percentile(seconds, .99):.3f} s, "
          f"most {max(seconds):.3f} s of {len(seconds)}", flush=True)


def is_idle(scheduler, executors):
    return not figures(scheduler)["arbalest_scheduler_jobs"] and \
        not any(figures(node)["arbalest_executor_tasks_running"] for node in executors)


def cancels(cases, options, folder):
    """Clients that are interrupted at random moments of heavy queries: until they have ended, and until nothing runs."""
    dice, ended, freed = random.Random(3), [], []
    heavy = [case.ours for case in cases if case.name in ("01", "09", "18", "21")]
    with node_driver.cluster(options.executors, "--data", f"tpch={folder}") as (scheduler, executors, url):
        while len(ended) < options.times:
            query = dice.choice([*heavy, ENDLESS, ENDLESS, ENDLESS])
            client = subprocess.Popen([options.binary, "sql", "--connect", url, "--set", "distribution=always", "-c",
                                       ";".join([query] * 5)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(dice.uniform(0.15, 0.8))
            if client.poll() is not None:
                continue
            start = time.monotonic()
            client.send_signal(signal.SIGINT)
            client.wait()
            ended.append(time.monotonic() - start)
            while not is_idle(scheduler, executors):
                time.sleep(0.005)
            freed.append(time.monotonic() - start)
    report("cancel, until the client has ended", ended)
    report("cancel, until no task runs and no job is there", freed)


def losses(number, options):
    """Until the scheduler no longer counts an executor that a signal hit."""
    seconds = []
    with node_driver.cluster(1) as (scheduler, _, _):
        while len(seconds) < options.times:
            node = node_driver.Node("executor", "--scheduler", scheduler.places["control"], *node_driver.FREE, "--threads", 1)
            while figures(scheduler)['arbalest_scheduler_executors{state="ready"}'] != 2:
                time.sleep(0.01)
            start = time.monotonic()
            node.process.send_signal(number)
            while sum(v for name, v in figures(scheduler).items() if name.startswith("arbalest_scheduler_executors{")) != 1:
                time.sleep(0.01)
            seconds.append(time.monotonic() - start)
            node.end(signal.SIGKILL)
    report(f"an executor lost by {number.name}, until it is dead", seconds)


def measure(cases, options, folder):
    cancels(cases, options, folder)
    losses(signal.SIGKILL, options)
    losses(signal.SIGSTOP, options)
