"""A cluster that faults are done to: its scheduler and executors may be killed, frozen and begun again, each with failpoints of its
own, and at the end nothing may be left over."""
import os
import pathlib
import signal
import threading
import time
import urllib.error
import urllib.request

from command_driver import BINARY
import node_driver
from node_driver import Node
from proxy import Proxy

SANITIZED = "asan" in str(BINARY) or "tsan" in str(BINARY)  # slower, and what is freed stays for a while
CALM_MOST = 100  # seconds until nothing is left over: a job whose client is gone ends with its lease of 60 s
# Than at the start: the eight tables' files, one channel to each other executor, and what a connection that ends holds for a moment.
MORE_DESCRIPTORS = 16
MORE_MEMORY = 96 << 20  # the allocator keeps some of what a query took
ENDED = ("succeeded", "failed", "cancelled")
NEEDED = {"arbalest_scheduler_jobs": 0, "arbalest_scheduler_tasks_pending": 0, "arbalest_scheduler_tasks_running": 0,
          "arbalest_scheduler_tasks_committing": 0, "arbalest_scheduler_slots_taken": 0, "arbalest_scheduler_outputs": 0,
          "arbalest_scheduler_output_bytes": 0, "arbalest_scheduler_executor_memory_taken_bytes": 0,
          "arbalest_executor_tasks_waiting": 0, "arbalest_executor_tasks_running": 0, "arbalest_executor_outputs": 0,
          'arbalest_executor_output_bytes{place="memory"}': 0, 'arbalest_executor_output_bytes{place="file"}': 0,
          "arbalest_executor_joined": 1, "arbalest_executor_draining": 0}


def is_stopped(process):
    return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1][0] == "T"


class Cluster:
    """Whoever ends one of its processes begins it again, at the same ports and in the same folder.

    `failpoints`: what the environment says to the executors (a list, one text each) and to the scheduler (a text). They act
    while `armed`; `marks` gives what has acted. With `proxied`, the control streams and the clients' door have proxies."""

    def __init__(self, folder, executors, data=(), executor_arguments=("--threads", 1, "--memory-limit", "200MB"),
                 executor_failpoints=(), scheduler_failpoints="", proxied=False, work_folders=None, **popen):
        self.folder, self.data, self.executor_arguments = folder, data, executor_arguments
        self.executor_failpoints, self.scheduler_failpoints = executor_failpoints, scheduler_failpoints
        self.popen = popen
        self.work_folders = work_folders or [f"{folder}/work-{number}" for number in range(executors)]
        self.ports = [node_driver.lasting_port() for _ in range(3)]
        self.lock = threading.RLock()
        self.problems = []  # what ended by itself, or said what nobody expected
        self.scheduler, self.executors, self.proxies, self.door = None, [None] * executors, [], None
        try:
            self.start(proxied)
        except BaseException:
            for node in [self.scheduler, *self.executors]:
                if node is not None and not node.ended:
                    node.end(signal.SIGKILL)
            raise

    def start(self, proxied):
        self.start_scheduler()
        self.proxies = [Proxy(("127.0.0.1", self.ports[1])) for _ in self.executors] if proxied else []
        self.door = Proxy(("127.0.0.1", self.ports[0])) if proxied else None
        for number in range(len(self.executors)):
            self.start_executor(number)
        self.at_first = {node: node.figures() for node in [self.scheduler, *self.executors]}
        self.held_bytes = 0  # by tables in the scheduler, at most: its allocator keeps what they took when they are dropped

    # ---- failpoints --------------------------------------------------------------------------------------------------------
    def environment(self, text):
        return {"ARBALEST_FAILPOINTS": text, "ARBALEST_FAILPOINTS_WHILE": self.folder + "/armed",
                "ARBALEST_FAILPOINTS_MARKER": self.folder + "/marks"} if text else {}

    def arm(self):
        pathlib.Path(self.folder, "armed").touch()

    def disarm(self):
        pathlib.Path(self.folder, "armed").unlink(missing_ok=True)

    def marks(self):
        """[[place, action, process]…] of all that has acted."""
        path = pathlib.Path(self.folder, "marks")
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    # ---- processes ---------------------------------------------------------------------------------------------------------
    def start_scheduler(self):
        self.scheduler = Node("scheduler", "--port", self.ports[0], "--control-port", self.ports[1], "--http-port", self.ports[2],
                              "--state-dir", self.folder + "/state", *self.data, **self.environment(self.scheduler_failpoints))

    def start_executor(self, number):
        work = self.work_folders[number]
        os.makedirs(work, mode=0o700, exist_ok=True)
        control = self.proxies[number].port if self.proxies else self.ports[1]
        text = self.executor_failpoints[number] if number < len(self.executor_failpoints) else ""
        self.executors[number] = Node("executor", "--scheduler", f"127.0.0.1:{control}", "--port", 0, "--http-port", 0,
                                      "--work-dir", work, "--drain-timeout", "20s", *self.executor_arguments, *self.data,
                                      popen=self.popen, **self.environment(text))

    def end_of(self, node, number, status):
        """End it by a signal (or it has ended): it must say nothing, and end as it should."""
        ended = node.end(number)
        if ended != (status, ""):
            self.problems.append(f"{node.name} {node.process.pid} ended with {ended[0]} and said: {ended[1]}")
        return ended[0] == status

    def kill(self, node):
        return self.end_of(node, signal.SIGKILL, -signal.SIGKILL)

    def look_for_deaths(self):
        """Nothing ends by itself."""
        with self.lock:
            for node in [self.scheduler, *self.executors]:
                if not node.ended and node.process.poll() is not None:
                    status, said = node.end()
                    self.problems.append(f"{node.name} {node.process.pid} ended by itself with {status}: {said}")

    def url(self, through_proxy=False):
        return f"arbalest://127.0.0.1:{self.door.port if through_proxy else self.ports[0]}"

    def api(self, path):
        return self.scheduler.api(path)

    def cancel(self, job):
        """By the API; it may have ended meanwhile."""
        token = pathlib.Path(self.folder, "state/http-token").read_text().strip()
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[2]}/api/job/{job}", method="PATCH",
                                         headers={"Authorization": "Bearer " + token})
        try:
            urllib.request.urlopen(request, timeout=5)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise

    def ready(self):
        """How many executors may be given tasks."""
        return self.scheduler.figures()['arbalest_scheduler_executors{state="ready"}']

    def end(self):
        """What was wrong with the processes, in all the time."""
        for node in [*self.executors, self.scheduler]:
            if not node.ended:
                self.end_of(node, signal.SIGTERM, 0)
        for proxy in [*self.proxies, *([self.door] if self.door else [])]:
            proxy.end()
        return self.problems

    # ---- nothing left over -------------------------------------------------------------------------------------------------
    def left_over(self):
        """What is there that nobody needs any more."""
        found = []
        for node in [self.scheduler, *self.executors]:
            here = node.figures()
            found += [f"{node.name} {node.process.pid}: {name} {here[name]:.0f}" for name, needed in NEEDED.items()
                      if here.get(name, needed) != needed]
            first = self.at_first.get(node)
            if first is None:  # it was begun again: what the others have at their start is the measure
                first = next(f for n, f in self.at_first.items() if n.name == node.name)
            open_now = len(os.listdir(f"/proc/{node.process.pid}/fd"))
            if open_now > first["process_open_fds"] + MORE_DESCRIPTORS:
                found.append(f"{node.name} {node.process.pid}: {open_now} descriptors, {first['process_open_fds']:.0f} at first")
            more = here["process_resident_memory_bytes"] - first["process_resident_memory_bytes"]
            if more > MORE_MEMORY + (self.held_bytes if node is self.scheduler else 0) and not SANITIZED:
                found.append(f"{node.name} {node.process.pid}: {more / 1e6:.0f} MB more than at first")
        if self.ready() != len(self.executors):
            found.append("not all executors are ready")
        found += [f"job {job['job_id']} is {job['state']}" for job in self.api("jobs") if job["state"] not in ENDED]
        found += [f"/api/executors: {e['id']} has {e['running_tasks']} tasks, {e['outputs']} outputs, {e['memory_taken_bytes']} bytes"
                  for e in self.api("executors") if e["running_tasks"] or e["outputs"] or e["memory_taken_bytes"]]
        for work in self.work_folders:
            found += [f"{work}: {name}" for name in os.listdir(work)]
        return found

    def wait_for_calm(self, seconds=CALM_MOST):
        """What is left over when it should have gone."""
        end = time.monotonic() + seconds
        while True:
            try:
                found = self.left_over()
            except OSError as error:
                found = [f"no figures: {error}"]
            if not found or time.monotonic() > end:
                return [f"left over: {one}" for one in found]
            time.sleep(0.1)
