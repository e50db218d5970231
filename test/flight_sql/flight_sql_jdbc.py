#!/usr/bin/env python3
"""Flight SQL through its JDBC driver: JdbcClient.java against sql_test_server, whose path is the first argument.

The driver comes from Maven's repository, once, into build/.
"""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from sql_server import Server  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
DRIVER = "org.apache.arrow:flight-sql-jdbc-driver:18.3.0"
JAR = HERE.parent.parent / "build" / "jdbc" / "flight-sql-jdbc-driver-18.3.0.jar"


def find_driver():
    if shutil.which("java") is None or shutil.which("javac") is None:
        return "java"
    if not JAR.exists():
        try:
            subprocess.run(["mvn", "-q", "dependency:copy", f"-Dartifact={DRIVER}", f"-DoutputDirectory={JAR.parent}"], check=True,
                           timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError):
            return "the JDBC driver of Flight SQL, which could not be had"
    return None


def main():
    missing = find_driver()
    if missing is not None:
        print(f"skipped: no tool: {missing}")
        return 0
    with Server(sys.argv[1]) as server:
        done = subprocess.run(["java", "--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp", JAR, HERE / "JdbcClient.java",
                               f"jdbc:arrow-flight-sql://127.0.0.1:{server.port}/"], capture_output=True, text=True, timeout=300)
        print(done.stdout, end="")
        if done.returncode != 0:
            print(done.stderr[-3000:])
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
