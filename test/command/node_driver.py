"""Processes of a cluster for tests: started, waited for until they listen, ended with the test."""
import contextlib
import os
import pathlib
import signal
import subprocess

from command_driver import BINARY, ENVIRONMENT

FREE = ("--port", 0, "--http-port", 0)  # ports that nobody else has


class Node:
    """A process of a cluster, once it listens; ended at the end of a `with`."""

    def __init__(self, *arguments, **environment):
        self.process = subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, **environment})
        self.line = self.process.stdout.readline()
        self.places = dict(piece.split("=", 1) for piece in self.line.split()[1:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self, number=signal.SIGTERM):
        """(exit status, what it said on standard error)"""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            _, err = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, err

    def children(self):
        return children_of(self.process.pid)


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
