"""What the tests of the command share: running it, with and without a terminal, and saying what was expected.

A test file ends with `sys.exit(command_driver.main(globals()))`: each function whose name begins with test_ is one test; the
names of some on the command line run those alone. Last line: `N passed, N failed, N skipped`.
"""
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("BINARY", ROOT / "build/arbalest"))
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("ARBALEST_")}
LONG = "select count(*) from range(100000) a(x), range(1000000) b(y) where a.x * b.y = -1"

# Whoever runs the tests may have signals ignored (nohup, a shell's background), which every process below would inherit.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


class Skip(Exception):
    """A test that cannot run here; its text begins with a class that ./dev knows: `no tool`, `no privilege`."""


def run(*arguments, stdin="", **environment):
    """(exit status, standard output, standard error)"""
    done = subprocess.run([BINARY, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=120,
                          env={**ENVIRONMENT, **environment})
    return done.returncode, done.stdout, done.stderr


def sql(*arguments, **more):
    return run("sql", *arguments, **more)


def start(*arguments, stdout=subprocess.PIPE, **more):
    """The command in the background, its output as bytes."""
    return subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                            env=ENVIRONMENT, **more)


def short(value):
    text = repr(value)
    return text if len(text) < 2000 else f"{text[:900]} … {text[-900:]}"


def expect(got, wanted):
    if got != wanted:
        raise AssertionError(f"expected {short(wanted)}, got {short(got)}")


def expect_in(piece, text):
    if piece not in text:
        raise AssertionError(f"no {piece!r} in {short(text)}")


def expect_failure(result, status, *pieces):
    """The exit status, nothing on standard output, and what is said."""
    expect(result[:2], (status, ""))
    for piece in pieces:
        expect_in(piece, result[2])


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.005)


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *arguments, stdin=None, stdout=None, **environment):
        self.leader, follower = pty.openpty()
        self.home = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [BINARY, *map(str, arguments)], stdin=follower if stdin is None else stdin,
            stdout=follower if stdout is None else stdout, stderr=follower, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(2, __import__("termios").TIOCSCTTY, 0),
            env={**ENVIRONMENT, "TERM": "vt100", "HOME": self.home.name, "XDG_STATE_HOME": self.home.name, **environment})
        os.close(follower)

    def type(self, text):
        os.write(self.leader, text.encode())

    def wait(self, pattern, seconds=20):
        """What is shown from now on until it fits the pattern."""
        end = time.monotonic() + seconds
        text = ""
        while time.monotonic() < end:
            if select.select([self.leader], [], [], 0.1)[0]:
                try:
                    text += os.read(self.leader, 65536).decode(errors="replace")
                except OSError:  # all ends of the terminal are closed
                    break
            if re.search(pattern, text):
                return text
        if re.search(pattern, text):
            return text
        raise AssertionError(f"no {pattern!r} in {short(text)}")

    def talk(self, text, pattern, seconds=20):
        self.type(text)
        return self.wait(pattern, seconds)

    def status(self, seconds=20):
        return self.process.wait(timeout=seconds)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.leader)
        self.home.cleanup()


def main(functions):
    # A shell gives what it runs in the background ignored interrupts, and the command would inherit them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    chosen = [f for name, f in functions.items() if name.startswith("test_") and (not sys.argv[1:] or name in sys.argv[1:])]
    failed = skipped = 0
    for test in chosen:
        try:
            test()
        except Skip as why:
            skipped += 1
            print(f"skipped: {why}")
        except Exception as failure:
            failed += 1
            at = traceback.extract_tb(failure.__traceback__)[-1]
            print(f"FAILED {test.__name__}: {type(failure).__name__} at {at.name}, line {at.lineno}: {str(failure)[:500]!r}")
            traceback.print_exc(limit=-3, file=sys.stdout)
    print(f"{len(chosen) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not chosen else 0
