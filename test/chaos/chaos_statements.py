"""What failpoints.py and partitions.py ask of a cluster: two tables, and queries over them that become many tasks."""
import subprocess

import command_driver

STATEMENT_MOST = 90  # seconds; what takes longer hangs


def tables(rows):
    """SQL that makes `facts` of so many rows, and the `names` of their 500 groups."""
    return (f"create table facts as select x as k, (x * 7919) % 500 as g, x * 3 as v from range({rows}) r(x); "
            "create table names as select x as g, 'name ' || (x % 37) as name from range(500) r(x)")


def spread(task_bytes):
    """Settings with which each stage has a task for so many bytes."""
    return "distribution=always", "broadcast_limit=0", f"target_task_bytes={task_bytes}"


def ask(cluster, text, settings=(), seconds=STATEMENT_MOST):
    """(exit status, standard output, standard error); a statement that hangs is an error. `cluster`: who has a url()."""
    sets = [piece for setting in settings for piece in ("--set", setting)]
    try:
        done = subprocess.run([command_driver.BINARY, "sql", "--connect", cluster.url(), *sets, "-c", text], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=seconds, env=command_driver.ENVIRONMENT)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"has not ended after {seconds} s: {text}") from None
    return done.returncode, done.stdout, done.stderr
