#!/usr/bin/env python3
"""Processes of a cluster as the command starts them: what is refused and how, what they say, how they end, who goes with whom."""
import os
import pathlib
import signal
import socket
import sys
import tempfile
import time

import command_driver
from command_driver import expect, expect_failure, expect_in, run, wait_until
from node_driver import Node, is_there


# ---- refused --------------------------------------------------------------------------------------------------------------
def test_wrong_usage():
    for arguments in (["executor"], ["executor", "--scheduler", "x"], ["executor", "--scheduler", "127.0.0.1:1,127.0.0.1:2"],
                      ["scheduler", "--port", "x"], ["scheduler", "--port", "65536"], ["scheduler", "--state", "disk"],
                      ["server", "--threads", "0"], ["server", "--memory-limit", "lots"], ["scheduler", "operand"],
                      ["executor", "--scheduler", "127.0.0.1:1", "--drain-timeout", "5h"], ["server", "--control-port", "1"]):
        expect_failure(run(*arguments), 2, "arbalest: ")


def test_wrong_configuration():
    with tempfile.TemporaryDirectory() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        secret = pathlib.Path(folder, "secret")
        secret.write_text("abc\n")
        secret.chmod(0o644)
        empty = pathlib.Path(folder, "empty")
        empty.touch(0o600)
        shared = pathlib.Path(folder, "shared")
        shared.mkdir()
        shared.chmod(0o777)
        port = taken.getsockname()[1]
        base = ["scheduler", "--port", 0, "--control-port", 0, "--http-port", 0, "--state"]
        for arguments, piece in ((["memory", "--data", "/nowhere"], "/nowhere"), (["memory", "--host", "0.0.0.0"], "--insecure"),
                                 (["memory", "--data", "a=/tmp", "--data", "a=/usr"], '"a"'),
                                 (["sqlite", "--state-dir", shared], "others may write"),
                                 (["memory", "--join-token-file", secret], "others than its owner"),
                                 (["memory", "--join-token-file", empty], "no secret"),
                                 (["memory", "--join-token-file", folder + "/none"], "No such file"),
                                 (["memory", "--control-port", port], str(port))):
            expect_failure(run(*base, *arguments), 78, piece)
        expect_failure(run("scheduler", ARBALEST_SCHEDULER_PORT="many"), 78, "port")
        expect_failure(run("executor", "--scheduler", "127.0.0.1:1", "--http-port", 0, "--port", port), 78, str(port))


# ---- beginning and end ------------------------------------------------------------------------------------------------------
def test_ends_well():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with tempfile.TemporaryDirectory() as folder, \
                Node("scheduler", "--port", 0, "--control-port", 0, "--http-port", 0, "--state", "memory") as scheduler:
            expect_in("listening ", scheduler.line)
            executor = Node("executor", "--scheduler", scheduler.places["control"], "--port", 0, "--http-port", 0,
                            TMPDIR=folder)
            expect_in("127.0.0.1:", executor.places["flight"])
            expect(executor.end(number), (0, ""))
            expect(os.listdir(folder), [])
            expect(scheduler.end(number), (0, ""))


def test_state_is_private():
    with tempfile.TemporaryDirectory() as folder:
        for arguments, environment in ((["--state-dir", folder + "/a/b"], {}), ([], {"XDG_STATE_HOME": folder + "/x"})):
            with Node("scheduler", "--port", 0, "--control-port", 0, "--http-port", 0, *arguments, **environment) as scheduler:
                expect(scheduler.end(), (0, ""))
        for made in (folder + "/a/b", folder + "/x/arbalest"):
            expect(oct(os.stat(made).st_mode & 0o777), "0o700")
            for path in pathlib.Path(made).rglob("*"):
                expect((str(path), path.stat().st_mode & 0o077), (str(path), 0))


def test_wrong_token():
    with tempfile.TemporaryDirectory() as folder:
        tokens = []
        for name in ("right", "wrong"):
            tokens.append(pathlib.Path(folder, name))
            tokens[-1].write_text(name + "\n")
            tokens[-1].chmod(0o600)
        with Node("scheduler", "--port", 0, "--control-port", 0, "--http-port", 0, "--state", "memory",
                  "--join-token-file", tokens[0]) as scheduler:
            with Node("executor", "--scheduler", scheduler.places["control"], "--port", 0, "--http-port", 0,
                      "--join-token-file", tokens[1]) as executor:
                time.sleep(1)
                status, err = executor.end()
                expect(status, 0)
                expect_in("does not take this executor", err)


# ---- a server and its executor ------------------------------------------------------------------------------------------------
def test_executor_comes_back():
    with Node("server", "--port", 0, "--http-port", 0, "--state", "memory") as server:
        wait_until(lambda: len(server.children()) == 1)
        first = server.children()[0]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: server.children() not in ([], [first]))
        second = server.children()[0]
        status, err = server.end()
        expect(status, 0)
        expect_in("signal 9", err)
        expect(is_there(second), False)


def test_executor_goes_with_its_server():
    with Node("server", "--port", 0, "--http-port", 0, "--state", "memory") as server:
        wait_until(lambda: len(server.children()) == 1)
        executor = server.children()[0]
        server.end(signal.SIGKILL)
        wait_until(lambda: not is_there(executor))


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
