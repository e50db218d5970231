"""Processes of a cluster for tests: started, waited for until they listen, ended with the test.

A process that ends otherwise than it should, or says something on standard error that nobody asked for, fails its test: whoever
expects that ends it with `end()` and looks at what that gives."""
import contextlib
import itertools
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from command_driver import BINARY, ENVIRONMENT

FREE = ("--port", 0, "--http-port", 0)  # ports that nobody else has
BEGIN_MOST = 60  # seconds until a process listens
END_MOST = 90  # and until one has ended that was told to
HTTP_MOST = 20  # of an answer to a monitor


class Node:
    """A process of a cluster, once it listens; ended at the end of a `with`, which fails unless it ended well and in silence."""

    def __init__(self, *arguments, popen=None, **environment):
        self.name = str(arguments[0])
        self.ended = False
        self.errors = tempfile.TemporaryFile()  # no pipe: who says much must not wait for a reader
        self.process = subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.errors, env={**ENVIRONMENT, **environment}, **(popen or {}))
        self.line = self.first_line()
        self.places = dict(piece.split("=", 1) for piece in self.line.split()[1:])

    def first_line(self):
        until, line, pipe = time.monotonic() + BEGIN_MOST, b"", self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            ready = select.select([pipe], [], [], max(0, until - time.monotonic()))[0]
            piece = os.read(pipe, 4096) if ready else b""
            if not piece:
                status, said = self.end(signal.SIGKILL)
                why = f"closed its output (status {status})" if ready else f"did not say where it listens in {BEGIN_MOST} s"
                raise AssertionError(f"{self.name} {why}: {said}")
            line += piece
        return line.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.ended:
            return
        status, said = self.end()
        if (status, said) != (0, ""):
            raise AssertionError(f"{self.name} ended with status {status} and said: {said}")

    def end(self, number=signal.SIGTERM):
        """(exit status, what it said on standard error), of which the caller makes what it will."""
        self.ended = True
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(timeout=END_MOST)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} has not ended {END_MOST} s after signal {number}: {self.said()}") from None
        finally:
            self.process.stdout.close()
        return self.process.returncode, self.said()

    def said(self):
        """What it has said on standard error: the end of it."""
        size = os.fstat(self.errors.fileno()).st_size
        return os.pread(self.errors.fileno(), 4000, max(0, size - 4000)).decode(errors="replace")

    def http(self, path):
        with urllib.request.urlopen(f"http://{self.places['http']}{path}", timeout=HTTP_MOST) as answer:
            return answer.read().decode()

    def api(self, path):
        """What it says of jobs, stages, executors."""
        return json.loads(self.http("/api/" + path))

    def figures(self):
        """{name with labels: value} of what it tells a monitor."""
        text = self.http("/metrics")
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def children(self):
        return children_of(self.process.pid)


lasting_ports = itertools.count(20000 + os.getpid() % 1000 * 11)


def lasting_port():
    """One for a process that will be started at it again: none that the system gives to others meanwhile, nor given here before."""
    for port in lasting_ports:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


YESCRYPT_OF_PASS = "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$JhtW838Nju/L6SECRvSPF4xJbtPX0sPcmBltURzGFh8"  # of p@ss


def users(folder):
    """The flags for a scheduler that lets in "ann:p%40ss@"."""
    file = pathlib.Path(folder, "users")
    file.write_text("ann:" + YESCRYPT_OF_PASS + "\n")
    file.chmod(0o600)
    return "--users-file", file


def children_of(process):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_there(process):
    try:
        return " Z " not in pathlib.Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def cluster(executors, *folders, scheduler=("--state", "memory"), executor=("--threads", 1)):
    """A scheduler and executors; (scheduler, [executor…], URL). `folders` go to all: "--data", "name=folder" …"""
    with contextlib.ExitStack() as stack:
        head = stack.enter_context(Node("scheduler", *FREE, "--control-port", 0, *scheduler, *folders))
        rest = [stack.enter_context(Node("executor", "--scheduler", head.places["control"], *FREE, *executor, *folders))
                for _ in range(executors)]
        yield head, rest, "arbalest://" + head.places["clients"]


@contextlib.contextmanager
def server(*arguments):
    """A server with its executor; (server, URL)."""
    with Node("server", *FREE, *arguments) as node:
        yield node, "arbalest://" + node.places["clients"]
