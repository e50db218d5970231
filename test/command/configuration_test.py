#!/usr/bin/env python3
"""What the command is told from outside: flags, variables, files; which of them counts; what is wrong usage (exit status 2)
and what is wrong configuration (78)."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import command_driver
from command_driver import BINARY, ENVIRONMENT, ROOT, Skip, expect, expect_failure, expect_in, run, sql


def test_sizes():
    for text, shown in (("64MiB", "64MiB"), ("64000kB", "64MB"), ("1GB", "1GB"), ("1GiB", "1GiB"), ("1.5GB", "1500MB"),
                        ("100000000", "100MB"), ("123456789", "123456789"), ("2TB", "2TB"), ("0.5 GiB", "512MiB")):
        expect((text, *sql("--memory-limit", text, "-c", "show memory_limit")), (text, 0, f"memory_limit\n{shown}\n", ""))
        expect(sql("-c", f"set memory_limit = '{text}'; show memory_limit")[1], f"memory_limit\n{shown}\n")
    for text in ("", "MB", "1 parsec", "64KB", "64mb", "64 m", "-1MB", "1e9", "0", "0MB", "99999999999999999999", "1.5"):
        expect_failure(sql("--memory-limit", text, "-c", ""), 2, "arbalest: ")
        expect_failure(sql("-c", "", ARBALEST_SQL_MEMORY_LIMIT=text), 78, "arbalest: ")


def test_threads():
    for text in ("0", "1025", "-1", "two", "1.5", "", "99999999999999999999"):
        expect_failure(sql("--threads", text, "-c", ""), 2, "arbalest: threads")
        expect_failure(sql("-c", "", ARBALEST_SQL_THREADS=text), 78, "arbalest: threads")
    expect(sql("--threads", "1024", "-c", "show threads")[1], "threads\n1024\n")


def test_forms_of_flags():
    for arguments in (["--threads", "3", "-c", "show threads"], ["--threads=3", "-c", "show threads"],
                      ["-cshow threads", "--threads", "3"], ["--threads", "5", "--threads", "3", "-c", "show threads"]):
        expect(sql(*arguments), (0, "threads\n3\n", ""))
    for arguments in (["-threads", "3"], ["--c", "select 1"], ["--thread", "3"], ["--threads"], ["-c"], ["-"], ["select 1"],
                      ["--", "select 1"], ["--timing=true", "-c", ""], ["-x"], ["--format", "CSV", "-c", ""],
                      ["--connect", "http://x", "-c", ""], ["--set", "threads", "-c", ""], ["--set", "nonsense=1", "-c", ""],
                      ["--set", "batch_rows=0", "-c", ""]):
        expect_failure(sql(*arguments), 2)
    expect(sql("--set", "batch_rows=7", "--set", "batch_rows=9", "-c", "show batch_rows")[1], "batch_rows\n9\n")


def test_commands():
    expect_failure(run(), 2, "usage:")
    expect_failure(run("nonsense"), 2, "nonsense", "usage:")
    expect(run("--version"), run("version"))
    expect(run("--help"), run("help"))
    expect(run("sql", "--help"), run("help", "sql"))
    for command in ("sql", "server", "scheduler", "executor", "generate"):
        expect_in(f"ARBALEST_{command.upper()}_SOME_FLAG", run("help", command)[1])
    expect_failure(run("version", "operand"), 2)
    expect_failure(run("help", "sql", "more"), 2)
    for arguments in (["generate"], ["generate", "tpch", "--scale", "1"], ["generate", "tpch", "--output", "/tmp/x"],
                      ["generate", "tpcx", "--scale", "1", "--output", "/tmp/x"],
                      ["generate", "tpch", "--scale", "big", "--output", "/tmp/x"],
                      ["generate", "tpch", "--scale", "-1", "--output", "/tmp/x"],
                      ["generate", "tpch", "--scale", "1", "--output", "/tmp/x", "--format", "xml"]):
        expect_failure(run(*arguments), 2)
    expect_failure(run("generate", "tpch", "--scale", "0.01", "--output", "/dev/null/x"), 1, "error: ")


def test_variables():
    expect(sql("-c", "show threads", ARBALEST_SQL_THREADS="3")[1], "threads\n3\n")
    expect(sql("--threads", "2", "-c", "show threads", ARBALEST_SQL_THREADS="3")[1], "threads\n2\n")
    expect(sql("-c", "select 1 as a", ARBALEST_SQL_FORMAT="ndjson"), (0, '{"a":1}\n', ""))
    expect_in('"statement":1', sql("-c", "select 1", ARBALEST_SQL_TIMING="true")[2])
    expect(sql("-c", "select 1", ARBALEST_SQL_TIMING="false")[2], "")
    expect(sql("-c", "show spill_dir", ARBALEST_SQL_SPILL_DIR="/var/tmp")[1], "spill_dir\n/var/tmp\n")
    expect(sql("-c", "show batch_rows", ARBALEST_SQL_SET="batch_rows=7")[1], "batch_rows\n7\n")
    # values of a flag that may repeat are replaced all at once
    expect(sql("--set", "verify_plans=true", "-c", "show batch_rows", ARBALEST_SQL_SET="batch_rows=7")[1], "batch_rows\n2048\n")
    for name, value in (("ARBALEST_NONSENSE", "1"), ("ARBALEST_", "1"), ("ARBALEST_SQL_NONSENSE", "1"), ("ARBALEST_SQL_C", "select 1"),
                        ("ARBALEST_sql_THREADS_", "1"), ("ARBALEST_SQL", "1"), ("ARBALEST_SQL_TIMING", "yes"),
                        ("ARBALEST_SQL_FORMAT", "xml"), ("ARBALEST_SQL_SET", "nonsense=1"), ("ARBALEST_CPU", "v9"),
                        ("ARBALEST_SQL_DATA", f"{ROOT}/there_is_no_such_folder")):
        expect_failure(sql("-c", "select 1", **{name: value}), 78)
    # those of other commands are known, and not looked at
    expect(sql("-c", "select 1 as a", ARBALEST_SCHEDULER_PORT="nonsense")[0], 0)
    expect(sql("-c", "select 1 as a", ARBALEST_EXECUTOR_WORK_DIR="/x", ARBALEST_GENERATE_SCALE="x")[0], 0)
    expect_failure(run("version", ARBALEST_NONSENSE="1"), 78)
    expect_failure(run("generate", "tpch", "--output", "/tmp/x", ARBALEST_GENERATE_SCALE="x"), 78)


def with_files(files, *arguments, **environment):
    """The command with /etc/arbalest of its own, which needs a mount namespace: (status, output, errors)."""
    with tempfile.TemporaryDirectory() as folder:
        etc = pathlib.Path(folder, "etc")
        pathlib.Path(etc, "arbalest").mkdir(parents=True)
        for name, text in files.items():
            pathlib.Path(etc, "arbalest", name).write_text(text)
        if pathlib.Path("/etc/ld.so.cache").exists():
            shutil.copy("/etc/ld.so.cache", etc)
        script = 'mount --bind "$1" /etc && shift && exec "$@" || exit 99'
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", etc, BINARY, *arguments], capture_output=True, text=True,
                              timeout=60, env={**ENVIRONMENT, **environment})
    if done.returncode in (1, 99, 127) and ("unshare" in done.stderr or "mount" in done.stderr):
        raise Skip("no privilege: a mount namespace, for /etc/arbalest")
    return done.returncode, done.stdout, done.stderr


def test_files():
    base = {"10-base.conf": "# for all\n[sql]\nthreads = 5\n  format=ndjson\n; a note\n\n[scheduler]\nport = 1\n"}
    more = {**base, "20-more.conf": "[sql]\nthreads = 6\nset = batch_rows=7\nset = verify_plans=true\n"}
    show = ("sql", "-c", "show threads")
    expect(with_files(base, *show), (0, '{"threads":"5"}\n', ""))
    expect(with_files(more, *show), (0, '{"threads":"6"}\n', ""))
    expect(with_files(more, "sql", "-c", "show batch_rows")[1], '{"batch_rows":"7"}\n')
    expect(with_files(more, *show, ARBALEST_SQL_THREADS="7")[1], '{"threads":"7"}\n')
    expect(with_files(more, *show, "--threads", "8", ARBALEST_SQL_THREADS="7")[1], '{"threads":"8"}\n')
    expect(with_files({"x.txt": "nonsense"}, *show, "--threads", "2")[1], "threads\n2\n")
    for text in ("[sql]\nnonsense = 1\n", "[nonsense]\n", "threads = 1\n", "[sql]\nthreads\n", "[sql]\nthreads = many\n",
                 "[sql]\nc = select 1\n", "[scheduler]\nnonsense = 1\n"):
        expect_failure(with_files({"bad.conf": text}, *show), 78)
    status, _, err = with_files({"bad.conf": "\n[sql]\nnonsense = 1\n"}, *show)
    expect_in("bad.conf:3", err)


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
