#!/usr/bin/env python3
"""The benchmarks run, on small tables and without the peer: what they measure is nobody's business here."""
import pathlib
import re
import subprocess
import sys
import tempfile

import command_driver
from command_driver import ENVIRONMENT, ROOT, expect, expect_in

sys.path.insert(0, str(ROOT / "bench"))
import reaction_bench  # noqa: E402


def bench(*arguments):
    done = subprocess.run([ROOT / "bench/bench.py", "--no-peer", "--rounds", "1", *arguments], capture_output=True, text=True,
                          timeout=120, env=ENVIRONMENT)
    expect((arguments, done.returncode), (arguments, 0))
    expect_in("machine: ", done.stdout)
    return done.stdout


def test_suites():
    cases = {"tpch": 22, "csv": 5, "parquet": 27, "sort": 6, "aggregate": 9, "join": 9, "planning": 22}
    for suite, count in cases.items():
        expect((suite, len(re.findall(r"\d\.\d{4} s$", bench(suite, "--scale", "0.01"), re.M))), (suite, count))


def test_choice_of_cases():
    out = bench("tpch", "--scale", "0.01", "--only", "01", "06", "--", "--set", "batch_rows=100")
    expect(re.findall(r"^(\d\d) ", out, re.M), ["01", "06"])


def test_start():
    expect_in("median", bench("start"))


def test_cancel():
    out = bench("cancel", "--scale", "0.01", "--cancels", "2", "--only", "sort", "range")
    expect(len(re.findall(r"^(sort|range|all) ", out, re.M)), 3)


def test_reaction():
    out = bench("reaction", "--scale", "0.01", "--times", "1")
    expect(re.findall(r"median \d+\.\d{3} s, 99th percentile \d+\.\d{3} s, most \d+\.\d{3} s of (\d+)$", out, re.M), ["1"] * 4)


FAKE = """#!/usr/bin/env python3
import pathlib, re, signal, socket, sys
ports = [int(sys.argv[at + 1]) for at, flag in enumerate(sys.argv) if flag in ("-p", "--bind-grpc-port", "--bind-health-port")]
listeners = [socket.create_server(("127.0.0.1", port)) for port in ports]
if listeners:
    signal.pause()
number, fails = 0, False
for line in pathlib.Path(sys.argv[sys.argv.index("-f") + 1]).read_text().split(";\\n")[:-1]:
    name = re.match("SELECT '(case .*)'", line)
    number = 0 if name else number + 1
    fails = name[1] == "case 1" if name else fails
    print((name[1] + chr(10) if name else "") + ("an error" if fails and number == 2 else f"Elapsed {number}.5 seconds."))
"""


def test_ballista():
    """Programs that do as Ballista's do; they fail at the second query, the second time."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("scheduler", "executor", "cli"):
            program = pathlib.Path(folder, "ballista-" + name)
            program.write_text(FAKE)
            program.chmod(0o755)
        out = bench("ballista", "--ballista", folder, "--setting", "a.b=c", "--scale", "0.01", "--only", "01", "06", "12")
        expect_in("left out, as Ballista failed at it: 06", out)
        expect(re.findall(r"^(\d\d) +2\.5000 +\d+\.\d{4} +\d+\.\d\d$", out, re.M), ["01", "12"])
        expect_in("ratio of the executors' ", out)
    done = subprocess.run([ROOT / "bench/bench.py", "ballista"], capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    expect(done.returncode, 2)
    expect_in("needs --ballista FOLDER", done.stderr)


def test_percentiles():
    values = list(range(100, 0, -1))
    expect([reaction_bench.percentile(values, percent) for percent in (0, 1, 50, 99, 100)], [1, 1, 50, 99, 100])
    expect([reaction_bench.percentile(values[:3], percent) for percent in (1, 34, 50, 99)], [98, 99, 99, 100])


if __name__ == "__main__":
    sys.exit(command_driver.main(globals()))
