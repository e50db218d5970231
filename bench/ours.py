"""Statements through `arbalest sql`, timed by the command itself: what the benchmark and the demo share."""
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def terminated(text):
    return text.strip().rstrip(";") + ";\n"


class Run:
    """One process of the command. Iterating over it gives, as each statement ends, what --timing says of it; `finish` waits for
    the end, and from then on `status`, `peak_bytes` (the largest resident set) and `messages` are known."""

    def __init__(self, statements, data=(), threads=None, binary=ROOT / "build/arbalest", more=()):
        self.script = tempfile.NamedTemporaryFile("w", suffix=".sql")
        self.script.write("".join(map(terminated, statements)))
        self.script.flush()
        command = [str(binary), "sql", "--format", "csv", "--timing", *more]
        for folder in data:
            command += ["--data", str(folder)]
        command += ["--threads", str(threads)] if threads else []
        self.process = subprocess.Popen([*command, "-f", self.script.name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.messages = ""

    def __iter__(self):
        for line in self.process.stderr:
            if line.startswith("{"):
                yield json.loads(line)
            else:
                self.messages += line

    def finish(self):
        for _ in self:
            pass
        _, status, usage = os.wait4(self.process.pid, 0)
        self.status = self.process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_bytes = usage.ru_maxrss * 1024
        self.process.stderr.close()
        self.script.close()
        return self


def version(binary=ROOT / "build/arbalest"):
    return subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout.strip()
