#!/usr/bin/env python3
"""What the command leaves behind when it is stopped in the middle: by signals, by a reader that goes, by a full disk."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import command_driver
from command_driver import BINARY, ENVIRONMENT, LONG, Skip, expect, expect_in, sql, start, wait_until

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
WIDE = "select x, 'a text that takes some room ' || x as t from range(30000000) r(x)"
SPILLED = "select count(*) from range(3000000) a(x) join range(3000000) b(x) on 'key ' || a.x = 'key ' || b.x"


def ended_by(process, number):
    process.send_signal(number)
    sent = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - sent < 5, "slow to end"
    expect(process.returncode, 130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        expect_in(b"error: 57014", err)
    return out


def parts_of(folder):
    return [name for name in os.listdir(folder) if name.endswith(".part")]


def test_copy_is_stopped():
    for number in ENDINGS:
        for name in ("new.parquet", "new.csv"):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, name)
                process = start("sql", "-c", f"copy ({WIDE}) to '{path}'")
                wait_until(lambda: any(os.stat(f"{folder}/{part}").st_size > 100_000 for part in parts_of(folder)))
                ended_by(process, number)
                assert not path.exists(), f"half a file after signal {number}"
                if number != signal.SIGKILL:  # nobody is left to clean up then, but the rest is hidden and never read
                    expect(os.listdir(folder), [])
                expect(sql("--data", folder, "-c", "show tables"), (0, "schema,name,kind\n", ""))


def test_copy_over_a_file_is_stopped():
    for number in ENDINGS:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "old.csv")
            path.write_text("old\n1\n")
            process = start("sql", "-c", f"copy ({WIDE}) to '{path}'")
            wait_until(lambda: parts_of(folder))
            ended_by(process, number)
            expect(path.read_text(), "old\n1\n")


def test_spilling_is_stopped():
    for number in ENDINGS:
        with tempfile.TemporaryDirectory() as folder:
            process = start("sql", "--spill-dir", folder, "--set", "force_spill=true", "-c", SPILLED)

            def spills():
                """A file without a name lies in the folder."""
                for descriptor in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
                    try:
                        if os.readlink(descriptor).startswith(folder):
                            return True
                    except OSError:
                        pass
                return process.poll() is not None

            wait_until(spills)
            expect(process.poll(), None)
            expect(os.listdir(folder), [])
            ended_by(process, number)
            expect(os.listdir(folder), [])


def test_generate_is_stopped():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with tempfile.TemporaryDirectory() as folder:
            process = start("generate", "tpch", "--scale", "1", "--output", folder)
            wait_until(lambda: parts_of(folder))
            process.send_signal(number)
            process.communicate(timeout=30)
            expect(process.returncode, 130 if number == signal.SIGINT else -number)
            if number != signal.SIGKILL:
                expect(parts_of(folder), [])
            for name in os.listdir(folder):  # what has its name is whole
                if not name.startswith("."):
                    expect(sql("-c", f"select count(*) > 0 as some from '{folder}/{name}'"), (0, "some\ntrue\n", ""))


def test_query_is_stopped_before_and_after_its_first_row():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = start("sql", "-c", "select 1 as a", "-c", LONG)
        expect([process.stdout.readline(), process.stdout.readline()], [b"a\n", b"1\n"])  # earlier results stay
        time.sleep(0.1)
        expect(ended_by(process, number), b"")


def test_interrupt_while_the_reader_does_not_read():
    process = start("sql", "-c", "select * from range(100000000) r(x)")
    process.stdout.readline()
    time.sleep(0.5)  # the pipe is full by now
    process.send_signal(signal.SIGINT)
    expect(process.wait(timeout=5), 130)
    process.stdout.close()
    expect_in(b"error: 57014", process.stderr.read())
    process.stderr.close()


def test_signals_that_are_ignored_stay_so():
    """As nohup wants it."""
    process = subprocess.Popen([BINARY, "sql", "-c", "select count(*) as n from range(50000000) r(x) where x % 7 = 8"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    time.sleep(0.1)
    process.send_signal(signal.SIGHUP)
    expect((process.communicate(timeout=60), process.returncode), ((b"n\n0\n", b""), 0))


def test_reader_gone():
    for format in ("csv", "tsv", "json", "ndjson", "table", "arrow"):
        process = start("sql", "--format", format, "-c", "select x, 'text ' || x as t from range(100000000) r(x)")
        process.stdout.read(10)
        process.stdout.close()
        expect(process.wait(timeout=30), 141)
        expect(process.stderr.read(), b"")
        process.stderr.close()


def test_reader_gone_between_statements():
    process = start("sql", "-c", "select 1 as a", "-c", "select count(*) from range(3000000) r(x) where x % 7 = 8", "-c",
                    "copy (select 1) to '/dev/full'")
    process.stdout.read(4)
    process.stdout.close()
    expect(process.wait(timeout=30), 141)
    process.stderr.close()


def test_output_cannot_be_written():
    for arguments in (["sql", "-c", "select 1"], ["sql", "--format", "arrow", "-c", "select 1"],
                      ["sql", "-c", "select * from range(1000000) r(x)"], ["version"], ["help"], ["help", "sql"],
                      ["sql", "--help"]):
        with open("/dev/full", "wb") as full:
            process = start(*arguments, stdout=full)
            _, err = process.communicate(timeout=30)
        expect((arguments, process.returncode), (arguments, 1))
        if arguments[0] == "sql" and "--help" not in arguments:
            expect_in(b"error: 53100", err)


def test_copy_to_what_is_no_file():
    status, out, err = sql("-c", "copy (select 1 as a) to '/dev/full' (format csv)")
    expect((status, out), (1, ""))
    expect_in("error: 53100", err)
    expect(sql("-c", "copy (select 1 as a) to '/dev/null' (format csv)"), (0, "", ""))
    with tempfile.TemporaryDirectory() as folder:
        status, out, err = sql("-c", f"copy (select 1 as a) to '{folder}/none/x.csv'")
        expect((status, out), (1, ""))
        expect_in("error: 58P01", err)
        expect(sql("-c", f"copy (select 1 as a) to '{folder}'")[0], 1)
        expect(os.listdir(folder), [])


def test_disk_full():
    """On a file system of a few kilobytes."""
    with tempfile.TemporaryDirectory() as folder:
        script = f"""mount -t tmpfs -o size=200k tmpfs {folder} || exit 99
            '{BINARY}' sql -c "copy ({WIDE}) to '{folder}/x.csv'"; echo "status $?"
            '{BINARY}' sql -c "copy ({WIDE}) to '{folder}/x.parquet'"; echo "status $?"
            '{BINARY}' sql --spill-dir {folder} --set force_spill=true -c "{SPILLED}"; echo "status $?"
            ls -A {folder}"""
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
        if done.returncode != 0:
            raise Skip("no privilege: a file system of its own for the test of a full disk")
        expect(done.stdout, "status 1\nstatus 1\nstatus 1\n")
        expect(done.stderr.count("error: 53100"), 3)


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
