#!/usr/bin/env python3
"""The queries of TPC-H through drivers that nobody here wrote, ADBC's and JDBC's, at a scheduler with two executors: the rows must
be those of the embedded command.

    flight_sql_tpch.py SQL_TEST_SERVER ARBALEST [SCALE]

The first argument is not used here; the scale is 0.02 unless it is given.
"""
import datetime
import decimal
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "command")]
import sql_server  # noqa: E402

sql_server.begin()
import adbc_driver_flightsql.dbapi as dbapi  # noqa: E402
import pyarrow as pa  # noqa: E402

os.environ["BINARY"] = sys.argv[2]
import flight_sql_jdbc  # noqa: E402
import node_driver  # noqa: E402

ARBALEST = sys.argv[2]
SCALE = sys.argv[3] if len(sys.argv) > 3 else "0.02"
QUERIES = sorted((HERE.parent.parent / "bench/tpch").glob("q*.sql"))
DIGITS = 12  # of floats, whose sums depend on the order of addition


def comparable(value):
    if isinstance(value, float):
        return float(f"%.{DIGITS}g" % value)
    return value


def in_order(rows):
    """Rows that a query leaves in no order, or in one with ties, in an order of their own."""
    return sorted((tuple(map(comparable, row)) for row in rows), key=repr)


def rows_of(table):
    return list(zip(*(column.to_pylist() for column in table.columns))) if table.num_columns else []


def embedded(data, query):
    done = subprocess.run([ARBALEST, "sql", "--data", data, "--format", "arrow", "-f", query], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return pa.ipc.open_stream(done.stdout).read_all()


def through_adbc(url, query):
    with dbapi.connect("grpc://" + url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query.read_text())
        return cursor.fetch_arrow_table()


def parse(text, kind):
    """A value as TpchClient wrote it, as pyarrow gives it."""
    if text == "\\N":
        return None
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_floating(kind):
        return float(text)
    if pa.types.is_decimal(kind):
        return decimal.Decimal(text)
    if pa.types.is_date(kind):
        return datetime.date.fromisoformat(text)
    assert pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind), kind
    return text


def through_jdbc(url):
    """{name of a query: its rows, as lists of texts}"""
    with tempfile.TemporaryDirectory() as answers:
        done = subprocess.run(["java", "--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp", flight_sql_jdbc.JAR,
                               HERE / "TpchClient.java", f"jdbc:arrow-flight-sql://{url}/", QUERIES[0].parent, answers],
                              capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stderr[-3000:]
        return {path.stem: [line.split("\t") for line in path.read_text().splitlines()] for path in pathlib.Path(answers).iterdir()}


def compare(driver, name, got, wanted):
    if got == wanted:
        return True
    different = next((pair for pair in zip(got, wanted) if pair[0] != pair[1]), None)
    print(f"FAILED {name} through {driver}: {len(got)} rows, {len(wanted)} expected; the first that differ: {different}")
    return False


def main():
    passed = failed = 0
    missing = flight_sql_jdbc.find_driver()
    with tempfile.TemporaryDirectory() as folder:
        data = folder + "/tpch"
        subprocess.run([ARBALEST, "generate", "tpch", "--scale", SCALE, "--output", data], check=True, stdout=subprocess.DEVNULL)
        with node_driver.cluster(2, "--data", "tpch=" + data) as (_, _, url):
            url = url.removeprefix("arbalest://")
            jdbc = None if missing else through_jdbc(url)
            for query in QUERIES:
                name, expected = query.stem, embedded(data, query)
                wanted, kinds = in_order(rows_of(expected)), expected.schema.types
                answer = through_adbc(url, query)
                answers = [("ADBC", rows_of(answer) if answer.schema.names == expected.schema.names else [answer.schema.names])]
                if jdbc is not None:
                    answers.append(("JDBC", [[parse(*pair) for pair in zip(row, kinds, strict=True)] for row in jdbc[name]]))
                for driver, rows in answers:
                    right = compare(driver, name, in_order(rows), wanted)
                    passed, failed = passed + right, failed + (not right)
    if missing:
        print(f"skipped: no tool: {missing}")
    print(f"{passed} passed, {failed} failed, {1 if missing else 0} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
