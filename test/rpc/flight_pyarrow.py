#!/usr/bin/env python3
"""Arrow Flight as another library speaks it: pyarrow against flight_test_server. The argument is that program.

Each function whose name begins with test_ is one test.
"""
import pathlib
import signal
import socket
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from parquet_compare import pa, with_pyarrow  # noqa: E402

with_pyarrow()
if pa is None:
    print("skipped: no tool: pyarrow, which could not be installed")
    sys.exit(0)
import pyarrow.flight as flight  # noqa: E402

PROGRAM = sys.argv[1]


class Server:
    """The program while it is used. Its last words tell whether all calls ended."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def __enter__(self):
        return self

    def client(self, **options):
        return flight.FlightClient(f"grpc://127.0.0.1:{self.port}", **options)

    def __exit__(self, kind, *_):
        try:
            out, _ = self.process.communicate("", timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if kind is None:
            assert self.process.returncode == 0, self.process.returncode
            assert out.startswith("done "), out


def table(rows):
    return pa.table({
        "n": pa.array(range(rows), pa.int64()),
        "text": pa.array([None if i % 7 == 0 else f"row {i}" for i in range(rows)]),
        "tag": pa.array([f"tag {i % 5}" for i in range(rows)]).dictionary_encode(),
        "list": pa.array([[i, i + 1] if i % 3 else None for i in range(rows)], pa.list_(pa.int32())),
        "price": pa.array([i * 1.5 for i in range(rows)], pa.float64()),
    })


def upload(client, name, data, **options):
    writer, reader = client.do_put(flight.FlightDescriptor.for_path(name), data.schema)
    writer.write_table(data, **options)
    writer.done_writing()
    answers = []
    while (answer := reader.read()) is not None:
        answers.append(answer.to_pybytes())
    writer.close()
    return answers


def expect_fails(kind, piece, call, *arguments, **options):
    try:
        result = call(*arguments, **options)
        if hasattr(result, "__next__") or hasattr(result, "read_chunk"):
            list(result)
    except kind as error:
        assert piece in str(error), str(error)
        return
    raise AssertionError(f"{kind.__name__} was expected")


def test_what_is_put_is_got():
    with Server() as server, server.client() as client:
        for rows, chunk in ((0, 1), (1, 1), (1000, 1000), (10007, 64)):
            data = table(rows)
            answers = upload(client, "sample", data, max_chunksize=chunk)
            assert len(answers) >= -(-rows // chunk), (rows, len(answers))
            back = client.do_get(flight.Ticket(b"sample")).read_all()
            assert back.equals(data), rows
            back.validate(full=True)
        info = client.get_flight_info(flight.FlightDescriptor.for_path("sample"))
        assert info.schema == data.schema and info.total_records == -1 and info.total_bytes > 100000
        assert client.do_get(info.endpoints[0].ticket).read_all().equals(data)
        assert client.get_flight_info(flight.FlightDescriptor.for_command(b"sample")).schema == data.schema
        assert client.get_schema(flight.FlightDescriptor.for_path("sample")).schema == data.schema
        assert [i.descriptor.path for i in client.list_flights()] == [[b"sample"]]


def test_batches_with_metadata():
    with Server() as server, server.client() as client:
        data = table(10)
        writer, reader = client.do_put(flight.FlightDescriptor.for_path("noted"), data.schema)
        for i, batch in enumerate(data.combine_chunks().to_batches()):
            writer.write_with_metadata(batch, f"note {i}".encode())
        writer.done_writing()
        while reader.read() is not None:
            pass
        writer.close()
        chunks = list(client.do_get(flight.Ticket(b"noted")))
        assert [c.app_metadata.to_pybytes() for c in chunks if c.app_metadata is not None] == [b"note 0"]


def test_exchange():
    with Server() as server, server.client() as client:
        writer, reader = client.do_exchange(flight.FlightDescriptor.for_path("x"))
        data = table(100)
        writer.begin(data.schema)
        for batch in data.to_batches():
            writer.write_batch(batch)
        writer.done_writing()
        back = reader.read_all()
        assert back.equals(data), (back.num_rows, back.schema)
        writer.close()


def test_actions():
    with Server() as server, server.client() as client:
        types = {a.type for a in client.list_actions()}
        assert types == {"ping", "calls", "drop", "slow", "fail"}, types
        assert [r.body.to_pybytes() for r in client.do_action(flight.Action("ping", b"\0\xff"))] == [b"pong", b"\0\xff"]
        expect_fails(pa.ArrowNotImplementedError, "there is no action", client.do_action, flight.Action("dance", b""))


def test_errors_keep_code_and_message():
    with Server() as server, server.client() as client:
        expect_fails(pa.ArrowKeyError, 'there is no set "größe"', client.do_action, flight.Action("fail", "größe".encode()))
        expect_fails(pa.ArrowKeyError, 'there is no set "nothing"', client.do_get, flight.Ticket(b"nothing"))
        expect_fails(pa.ArrowKeyError, "there is no set", client.get_flight_info, flight.FlightDescriptor.for_path("a"))


def test_login():
    with Server("--locked") as server:
        with server.client() as client:
            expect_fails(flight.FlightUnauthenticatedError, "log in first", client.list_actions)
            expect_fails(flight.FlightUnauthenticatedError, "user or password is wrong", client.authenticate_basic_token, "user", "x")
            name, value = client.authenticate_basic_token("user", "secret")
            assert (name, value) == (b"authorization", b"Bearer token-of-user"), (name, value)
            options = flight.FlightCallOptions(headers=[(name, value)])
            assert len(list(client.list_actions(options))) == 5
            wrong = flight.FlightCallOptions(headers=[(name, value + b"x")])
            expect_fails(flight.FlightUnauthenticatedError, "log in first", client.list_actions, wrong)


def test_timeouts_and_cancelling():
    with Server() as server, server.client() as client:
        before = time.monotonic()
        expect_fails(flight.FlightTimedOutError, "", client.do_action, flight.Action("slow", b""),
                     flight.FlightCallOptions(timeout=0.2))
        assert time.monotonic() - before < 10
        upload(client, "large", table(100000))
        reader = client.do_get(flight.Ticket(b"1000000 large"))
        for _ in range(3):
            reader.read_chunk()
        reader.cancel()
        expect_fails(flight.FlightCancelledError, "", lambda: [reader.read_chunk() for _ in range(1000000)])
        for _ in range(200):  # the server knows soon
            if [r.body.to_pybytes() for r in client.do_action(flight.Action("calls", b""))] == [b"0"]:
                return
            time.sleep(0.05)
        raise AssertionError("calls still run")


def running(client):
    return [r.body.to_pybytes() for r in client.do_action(flight.Action("calls", b""))] == [b"1"]


def test_a_dead_client_is_noticed():
    script = "import sys, pyarrow.flight as f; c = f.FlightClient(sys.argv[1]); list(c.do_action(f.Action('slow', b'')))"
    with Server("--keepalive-ms", "300") as server, server.client() as client:
        other = subprocess.Popen([sys.executable, "-c", script, f"grpc://127.0.0.1:{server.port}"], stderr=subprocess.DEVNULL)
        try:
            for _ in range(400):
                if running(client):
                    break
                time.sleep(0.05)
            assert running(client)
            other.send_signal(signal.SIGSTOP)  # its connection stays, but nobody answers
            before = time.monotonic()
            while running(client):
                assert time.monotonic() - before < 15, "the call still runs"
                time.sleep(0.05)
        finally:
            other.kill()
            other.wait()


def test_clients_may_ask_more_often_than_the_server():
    asking = [("grpc.keepalive_time_ms", 1200), ("grpc.http2.max_pings_without_data", 0)]
    with Server("--keepalive-ms", "60000") as server, server.client(generic_options=asking) as client:
        expect_fails(flight.FlightTimedOutError, "", client.do_action, flight.Action("slow", b""),
                     flight.FlightCallOptions(timeout=8))


def test_large_batches():
    with Server() as server, server.client(generic_options=[("grpc.max_receive_message_length", -1)]) as client:
        rows = 100_000_000 // 8
        column = pa.array(range(0, rows, 1), pa.int64()) if rows < 1000 else pa.Array.from_buffers(
            pa.int64(), rows, [None, pa.py_buffer(bytes(range(256)) * (rows * 8 // 256))])
        data = pa.table({"n": column})
        assert upload(client, "huge", data, max_chunksize=rows) == [str(rows * 8).encode()]
        reader = client.do_get(flight.Ticket(b"huge"))
        chunk = reader.read_chunk().data
        assert chunk.num_rows == rows and chunk.column(0).equals(column)


def test_too_large_is_refused():
    with Server("--message-bytes", "1000000") as server, server.client() as client:
        expect_fails((flight.FlightError, pa.ArrowException), "larger than max", upload, client, "huge", table(100000))
        upload(client, "small", table(10))  # the server lives


def test_compressed_messages_are_refused():
    """Before they are unpacked: what is too large then has been in memory already."""
    with Server("--message-bytes", "1000000") as server:
        with server.client(generic_options=[("grpc.default_compression_algorithm", 2)]) as client:
            zeros = pa.table({"n": pa.array([0] * 1_000_000, pa.int64())})
            expect_fails(pa.ArrowNotImplementedError, "ompress", upload, client, "bomb", zeros)
        with server.client() as client:
            upload(client, "small", table(10))  # the server lives


def test_what_is_no_grpc():
    with Server() as server, server.client() as client:
        for garbage in (b"", b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 4096, b"\0" * 100):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(garbage)
                connection.settimeout(0.3)
                try:
                    while connection.recv(4096):
                        pass
                except OSError:
                    pass
        assert len(list(client.list_actions())) == 5


def test_many_clients():
    with Server() as server:
        clients = [server.client(generic_options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(30)]
        upload(clients[0], "shared", table(5000))
        readers = [c.do_get(flight.Ticket(b"20 shared")) for c in clients]
        assert {r.read_all().num_rows for r in readers} == {100000}
        for c in clients:
            c.close()


def main():
    tests = [(n, f) for n, f in sorted(globals().items()) if n.startswith("test_")]
    failed = 0
    for name, run in tests:
        try:
            run()
        except Exception:  # noqa: BLE001
            failed += 1
            print(f"FAILED {name}: {traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
