"""Beside Ballista: the same queries on the same files, through its scheduler and executors of one core and through ours, in turn.

Its programs come from `cargo install --root FOLDER ballista-scheduler ballista-executor ballista-cli`; --ballista names FOLDER/bin. A
statement that it fails at is said and left out on both sides."""
import contextlib
import math
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

import cluster_bench
import rounds

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test/command"))
import node_driver  # noqa: E402  # how tests start processes of a cluster, too

START_MOST, END_MOST, RUN_MOST = 30, 30, 3600  # seconds
MESSAGE_MOST = str(1 << 30)  # bytes; 16 MiB are too few for some results


def wait_for(port):
    until = time.monotonic() + START_MOST
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit(f"nobody listens at port {port} after {START_MOST} s")


def begin(stack, command, folder, *ports):
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               cwd=folder)
    stack.callback(process.wait, END_MOST)
    stack.callback(process.terminate)
    for port in ports:
        wait_for(port)
    return process


def begin_cluster(stack, options, folder):
    """(scheduler, [executor…], the scheduler's port)."""
    here = ("--bind-host", "127.0.0.1", "--external-host", "127.0.0.1")
    sizes = ("--grpc-server-max-decoding-message-size", MESSAGE_MOST, "--grpc-server-max-encoding-message-size", MESSAGE_MOST)
    at = node_driver.lasting_port()
    head = begin(stack, [options.ballista / "ballista-scheduler", *here, "-p", at, *sizes, "--grpc-client-max-message-size",
                         MESSAGE_MOST], folder, at)
    rest = []
    for number in range(options.executors):
        ports = [node_driver.lasting_port() for _ in range(3)]
        work = folder / str(number)
        work.mkdir()
        rest.append(begin(stack, [options.ballista / "ballista-executor", *here, "--scheduler-host", "127.0.0.1", "--scheduler-port", at,
                                  "-p", ports[0], "--bind-grpc-port", ports[1], "--bind-health-port", ports[2], "-c", 1,
                                  "--work-dir", work, *sizes], folder, *ports))
    return head, rest, at


def script(cases, options, tables):
    """Each statement twice, behind the name of its case: one that fails says no time."""
    lines = [f"CREATE EXTERNAL TABLE {path.stem} STORED AS PARQUET LOCATION '{path}';" for path in tables]
    lines += [f"SET {setting.replace('=', ' = ', 1)};" for setting in options.setting]
    for number, case in enumerate(cases):
        text = case.ours.strip().rstrip(";") + ";"
        lines += [f"SELECT 'case {number}' AS name;", text, text]
    return "\n".join(lines) + "\n"


def run_theirs(cases, options, folder):
    """([seconds or inf], peaks of the executors, peak of the scheduler)."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        place = pathlib.Path(place)
        head, nodes, port = begin_cluster(stack, options, place)
        file = place / "script.sql"
        file.write_text(script(cases, options, sorted(folder.glob("*.parquet"))))
        done = subprocess.run([options.ballista / "ballista-cli", "--host", "127.0.0.1", "--port", str(port), "-f", file, "--format",
                               "csv"], capture_output=True, text=True, timeout=RUN_MOST, cwd=place)
        seconds = [math.inf] * len(cases)
        for part in re.split(r"^case ", done.stdout, flags=re.M)[1:]:
            times = re.findall(r"^Elapsed ([0-9.]+) seconds", part, flags=re.M)  # the name's, the first time, the second time
            if len(times) == 3:
                seconds[int(part.split("\n", 1)[0])] = float(times[2])
        return seconds, [cluster_bench.peak_bytes(node) for node in nodes], cluster_bench.peak_bytes(head)


def run_ours(cases, options, folder):
    flags = ("--threads", 1, *(("--memory-limit", options.memory_limit) if options.memory_limit else ()))
    with node_driver.cluster(options.executors, "--data", f"tpch={folder}", executor=flags) as (head, nodes, url):
        seconds, _ = rounds.run_ours(cases, options, (), None, ["--connect", url])
        return seconds, [cluster_bench.peak_bytes(node.process) for node in nodes], cluster_bench.peak_bytes(head.process)


class Side(rounds.Side):
    """Of a cluster; its memory is the most of the rounds."""

    def __init__(self, cases):
        super().__init__([math.inf] * len(cases), 0)
        self.executors, self.scheduler = [], 0

    def take_run(self, seconds, executors, scheduler):
        self.seconds = list(map(min, self.seconds, seconds))
        self.executors = list(map(max, self.executors or executors, executors))
        self.scheduler = max(self.scheduler, scheduler)

    def memory(self):
        return f"executors {', '.join(f'{m / 1e6:.0f} MB' for m in self.executors)}, scheduler {self.scheduler / 1e6:.0f} MB"


def measure(cases, options, folder):
    mine, other = Side(cases), Side(cases)
    for number in range(options.rounds):
        turns = [lambda: mine.take_run(*run_ours(cases, options, folder)), lambda: other.take_run(*run_theirs(cases, options, folder))]
        for turn in turns if number % 2 else turns[::-1]:
            turn()
    done = [number for number, seconds in enumerate(other.seconds) if math.isfinite(seconds)]
    if len(done) < len(cases):
        failed = [case.name for number, case in enumerate(cases) if number not in done]
        print(f"left out, as Ballista failed at it: {', '.join(failed)}")
    if not done:
        sys.exit("no query is left")
    for side in (mine, other):
        side.seconds = [side.seconds[number] for number in done]
    mean = rounds.print_ratios([cases[number] for number in done], other, mine, "ballista s", "arbalest s")
    print(f"geometric mean of ratios {mean:.2f} (above 1: we are faster); memory at most: ours {mine.memory()}; theirs "
          f"{other.memory()}; ratio of the executors' {sum(mine.executors) / sum(other.executors):.3f}")
