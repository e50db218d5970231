"""What the tests of Flight SQL share: the server, and the protocol's messages as bytes."""
import ctypes
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from parquet_compare import with_packages  # noqa: E402

PACKAGES = ("pyarrow", "grpcio", "adbc-driver-manager", "adbc-driver-flightsql")
PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."
# One that ends by itself after hours only, and gives its only row then.
LONG = "select count(*) from generate_series(1, 100000) a(x), generate_series(1, 1000000) b(y) where a.x * b.y = -1"


def begin():
    """Returns in a Python that has the packages, or ends with a word on what is missing."""
    with_packages("venv-flight-sql", *PACKAGES)
    try:
        import adbc_driver_flightsql  # noqa: F401
        import grpc  # noqa: F401
        import pyarrow.flight  # noqa: F401
    except ImportError:
        print("skipped: no tool: clients of Flight SQL, which could not be installed")
        sys.exit(0)


class Server:
    """The program while it is used. Its last words tell whether all sessions ended."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.url = f"grpc://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            out, err = self.process.communicate("", timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if "Sanitizer" in err or "runtime error" in err:
            raise AssertionError(err[:5000])
        if kind is None:
            assert self.process.returncode == 0, (self.process.returncode, err[-3000:])
            assert "sessions 0" in out, out


# ---- Protocol Buffers ------------------------------------------------------------------------------------------------------


def varint(number):
    out = b""
    number &= (1 << 64) - 1
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def message(*fields):
    """A message of (number, value) pairs: numbers are varints, texts and bytes are themselves."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def parse(data):
    """The fields of a message: {number: [values]}."""
    fields, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        kind = key & 7
        if kind == 0:
            value = number()
        elif kind == 2:
            size = number()
            value = data[at:at + size]
            at += size
        else:
            size = 8 if kind == 1 else 4
            value = data[at:at + size]
            at += size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def any_of(name, *fields):
    return message((1, PREFIX + name), (2, message(*fields)))


def from_any(data, name):
    fields = parse(data)
    assert fields[1][0].decode() == PREFIX + name, fields
    return parse(fields.get(2, [b""])[0])


def summary(data):
    """An arbalest.sql.StatementSummary."""
    fields = parse(data)
    zigzag = fields[3][0]
    return {"tag": fields[1][0].decode(), "returns_rows": bool(fields[2][0]), "affected": zigzag >> 1 ^ -(zigzag & 1),
            "rows_sent": fields.get(4, [None])[0], "peak_memory": fields[5][0]}


def yescrypt(password):
    """A hash for a users' file."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt_gensalt.restype = library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), library.crypt_gensalt(b"$y$", 1, None, 0)).decode()


# ---- running tests ---------------------------------------------------------------------------------------------------------


def expect_fails(kind, pattern, call, *arguments, **options):
    try:
        result = call(*arguments, **options)
        if hasattr(result, "__next__") or hasattr(result, "read_chunk"):
            list(result)
    except kind as error:
        assert re.search(pattern, str(error)), str(error)
        return error
    raise AssertionError(f"{kind} was expected")


class Promised(threading.Thread):
    """A call in a thread of its own, whose failure is its caller's."""

    def __init__(self, call, *arguments, **options):
        super().__init__()
        self.call, self.failure, self.returned = lambda: call(*arguments, **options), None, None
        self.start()

    def run(self):
        try:
            self.returned = self.call()
        except BaseException as failure:  # noqa: BLE001
            self.failure = failure

    def result(self, seconds=20):
        self.join(seconds)
        assert not self.is_alive(), f"not over after {seconds} s"
        if self.failure is not None:
            raise self.failure
        return self.returned


def main(functions, only):
    tests = [(n, f) for n, f in sorted(functions.items()) if n.startswith("test_") and (not only or n in only)]
    failed = 0
    for name, run in tests:
        try:
            run()
        except Exception:  # noqa: BLE001
            failed += 1
            print(f"FAILED {name}: {traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


def make_data():
    """A folder with a table of orders and their lines, as Parquet; the caller removes it."""
    import datetime
    import decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tempfile.TemporaryDirectory()
    days = [datetime.date(1995, 1, 1) + datetime.timedelta(days=i % 1000) for i in range(10000)]
    orders = pa.table({"o_key": pa.array(range(10000), pa.int64()), "o_date": pa.array(days),
                       "o_state": pa.array(["FOP"[i % 3] for i in range(10000)])})
    lines = pa.table({"l_order": pa.array([i // 4 for i in range(40000)], pa.int64()),
                      "l_price": pa.array([decimal.Decimal(i % 1000) / 100 for i in range(40000)], pa.decimal128(15, 2)),
                      "l_comment": pa.array([f"line {i}" if i % 7 else None for i in range(40000)])})
    pq.write_table(orders, f"{folder.name}/orders.parquet")
    pq.write_table(lines, f"{folder.name}/lines.parquet")
    return folder
