#!/usr/bin/env python3
"""Flight SQL as it goes over the wire: pyarrow.flight and bare gRPC against sql_test_server. The arguments are that program and
the command, which has to give the same rows.

Each function whose name begins with test_ is one test.
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "command")]
import sql_server  # noqa: E402
from sql_server import LONG, Promised, Server, any_of, expect_fails, from_any, message, parse, summary, varint, yescrypt  # noqa: E402

sql_server.begin()
import grpc  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.flight as flight  # noqa: E402

PROGRAM, COMMAND = sys.argv[1:3]
os.environ["BINARY"] = COMMAND
import node_driver  # noqa: E402

SERVICE = "/arrow.flight.protocol.FlightService/"
ERRORS = (flight.FlightError, pa.ArrowException, KeyError, NotImplementedError)


class Cookies(flight.ClientMiddlewareFactory):
    """Keeps the server's cookies, as clients with sessions do."""

    def __init__(self):
        self.kept = {}

    def start_call(self, info):
        return CookiesOfCall(self)


class CookiesOfCall(flight.ClientMiddleware):
    def __init__(self, jar):
        self.jar = jar

    def sending_headers(self):
        return {"cookie": "; ".join(f"{k}={v}" for k, v in self.jar.kept.items())} if self.jar.kept else {}

    def received_headers(self, headers):
        for name, values in headers.items():
            if name.lower() == "set-cookie":
                key, value = values[0].split(";")[0].split("=", 1)
                self.jar.kept[key] = value


def connect(server, cookies=False):
    return flight.FlightClient(server.url, middleware=[Cookies()] if cookies else [])


def with_session(server):
    """A client whose next call has a cookie."""
    jar = Cookies()
    client = flight.FlightClient(server.url, middleware=[jar])
    JARS[client] = jar
    run(client, "select 1")
    return client


JARS = weakref.WeakKeyDictionary()


def client_cookies(client):
    return "; ".join(f"{k}={v}" for k, v in JARS[client].kept.items())


def command(name, *fields):
    return flight.FlightDescriptor.for_command(any_of(name, *fields))


def ask(client, sql):
    return client.get_flight_info(command("CommandStatementQuery", (1, sql)))


def run(client, sql):
    return client.do_get(ask(client, sql).endpoints[0].ticket).read_all()


def update(client, sql):
    writer, reader = client.do_put(command("CommandStatementUpdate", (1, sql)), pa.schema([]))
    answer = reader.read()
    writer.close()  # raises what went wrong
    number = parse(answer.to_pybytes()).get(1, [0])[0]
    return number - (1 << 64) if number >> 63 else number


def action(client, name, body):
    return [r.body.to_pybytes() for r in client.do_action(flight.Action(name, body))]


def test_a_query_gives_rows():
    with Server(PROGRAM) as server, connect(server) as client:
        info = ask(client, "select i, i * 2 as twice, 'x' || i as t from generate_series(1, 100000) s(i)")
        assert len(info.endpoints) == 1 and not info.endpoints[0].locations and info.ordered
        assert info.total_records == -1 and info.endpoints[0].expiration_time is not None
        said = summary(info.app_metadata)
        assert said["tag"] == "SELECT" and said["returns_rows"] and said["affected"] == -1 and said["rows_sent"] is None
        table = client.do_get(info.endpoints[0].ticket).read_all()
        table.validate(full=True)
        assert table.schema == info.schema and table.num_rows == 100000
        assert table.column("twice").to_pylist() == list(range(2, 200002, 2))
        # Rows are given once.
        expect_fails(ERRORS, "no such statement", lambda: client.do_get(info.endpoints[0].ticket).read_all())


def test_types_are_those_of_the_command():
    queries = ["select true, 1::tinyint, 2::smallint, 3, 4::bigint, 1.5::real, 2.5::double, 1.25, 'text', '\\x00ff'::blob",
               "select date '2020-02-29', time '12:34:56.789', timestamp '2020-01-01 00:00:00.000001', "
               "timestamptz '2020-01-01 00:00:00+02', interval '1 month 2 days 3 seconds'",
               "select null, null::integer, null::varchar, 12345678901234567890123456789.123456789 as big",
               "select * from generate_series(1, 5000) s(i) where i % 2 = 0",
               "select 'none' as a where false"]
    with Server(PROGRAM) as server, connect(server) as client:
        for sql in queries:
            done = subprocess.run([COMMAND, "sql", "--format", "arrow", "-c", sql], capture_output=True, timeout=60)
            expected = pa.ipc.open_stream(done.stdout).read_all()
            got = run(client, sql)
            assert got.schema.equals(expected.schema) and got.equals(expected), sql


def test_large_rows_travel_in_small_messages():
    with Server(PROGRAM) as server, connect(server) as client:
        reader = client.do_get(ask(client, "select i, repeat('x', 20000) as t from generate_series(1, 3000) s(i)").endpoints[0].ticket)
        rows, largest = 0, 0
        for chunk in reader:
            rows += chunk.data.num_rows
            largest = max(largest, chunk.data.nbytes)
        assert rows == 3000 and largest < 4 << 20, (rows, largest)


def test_statements_that_change_something_run_once():
    with Server(PROGRAM) as server, with_session(server) as client:
        said = summary(ask(client, "create table t (a integer primary key, b varchar)").app_metadata)
        assert said["tag"] == "CREATE TABLE" and not said["returns_rows"]
        info = ask(client, "insert into t values (1, 'one'), (2, 'two')")  # has run, without its rows being asked for
        assert summary(info.app_metadata)["affected"] == 2
        assert run(client, "select count(*) as n from t").column("n").to_pylist() == [2]
        assert client.do_get(info.endpoints[0].ticket).read_all().num_columns == 0
        assert update(client, "insert into t values (3, 'three')") == 1
        assert update(client, "create table u as select * from t") == 3
        assert run(client, "select b from u order by a").column("b").to_pylist() == ["one", "two", "three"]
        expect_fails(ERRORS, "it has rows", update, client, "select 1")


def test_sessions_by_cookie():
    with Server(PROGRAM) as server, with_session(server) as one, with_session(server) as two, connect(server) as none:
        update(one, "create table mine as select 1 as a")
        assert run(one, "select a from mine").num_rows == 1
        expect_fails(ERRORS, "mine", run, two, "select a from mine")
        update(one, "set time_zone = 'Europe/Paris'")
        assert run(one, "show time_zone").column(0).to_pylist() == ["Europe/Paris"]
        assert run(two, "show time_zone").column(0).to_pylist() != ["Europe/Paris"]
        for sql in ("set time_zone = 'Europe/Paris'", "use main", "create temp table x as select 1"):
            expect_fails(ERRORS, "needs a session", update, none, sql)
            expect_fails(ERRORS, "needs a session", run, none, sql)
        for sql in ("set memory_limit = '1GB'", "set threads = 1", "reset spill_dir"):
            expect_fails(ERRORS, "server's own", update, one, sql)
        update(one, "reset all")
        answer = action(one, "CloseSession", b"")
        assert parse(answer[0]) == {1: [1]}
        expect_fails(ERRORS, "mine", run, one, "select a from mine")
        # What runs ends with its session.
        info = ask(two, LONG)
        reader = two.do_get(info.endpoints[0].ticket)
        action(two, "CloseSession", b"")
        expect_fails(ERRORS, "ancel", reader.read_chunk)
        # A session that is made by asking for one.
        with connect(server, cookies=True) as three:
            action(three, "SetSessionOptions", b"")
            update(three, "set time_zone = 'Europe/Paris'")


def test_sessions_by_token():
    with Server(PROGRAM) as server, connect(server) as client:
        def with_token(token):
            return flight.FlightCallOptions(headers=[(b"authorization", b"Bearer " + token)])

        def all_of(sql, options):
            info = client.get_flight_info(command("CommandStatementQuery", (1, sql)), options)
            return client.do_get(info.endpoints[0].ticket, options).read_all()

        all_of("set time_zone = 'Asia/Tokyo'", with_token(b"a"))
        assert all_of("show time_zone", with_token(b"a")).column(0).to_pylist() == ["Asia/Tokyo"]
        assert all_of("show time_zone", with_token(b"b")).column(0).to_pylist() != ["Asia/Tokyo"]


def test_session_options():
    with Server(PROGRAM) as server, connect(server, cookies=True) as client:
        def option(key, value):
            return (1, message((1, key), (2, message((1, value)))))

        answer = parse(action(client, "SetSessionOptions", message(option("time_zone", "Asia/Tokyo"), option("schema", "main"),
                                                                  option("nothing", "x"), option("catalog", "other")))[0])
        errors = {parse(e)[1][0]: parse(parse(e)[2][0])[1][0] for e in answer[1]}
        assert errors == {b"nothing": 1, b"catalog": 2}, errors
        options = {parse(o)[1][0]: parse(parse(o)[2][0])[1][0] for o in parse(action(client, "GetSessionOptions", b"")[0])[1]}
        assert options[b"time_zone"] == b"Asia/Tokyo"
        assert run(client, "show time_zone").column(0).to_pylist() == ["Asia/Tokyo"]


def test_what_nobody_asks_for_is_cancelled():
    with Server(PROGRAM, "--lease-ms", 3000) as server, connect(server) as client:
        forgotten, kept = ask(client, "select 1 as a"), ask(client, "select 2 as a")
        for _ in range(10):
            time.sleep(0.5)
            endpoint = message((1, message((1, kept.endpoints[0].ticket.ticket))))
            renewed = parse(action(client, "RenewFlightEndpoint", message((1, endpoint)))[0])
            assert 3 in renewed
        assert client.do_get(kept.endpoints[0].ticket).read_all().column("a").to_pylist() == [2]
        expect_fails(ERRORS, "no such statement", lambda: client.do_get(forgotten.endpoints[0].ticket).read_all())


def test_idle_sessions_end():
    """And their clients hear of it, once, before anything runs as if their tables and settings were there."""
    with Server(PROGRAM, "--session-ms", 300) as server, with_session(server) as client:
        update(client, "create table mine as select 1 as a")
        time.sleep(1.5)
        expect_fails(ERRORS, "session has ended", run, client, "select 1 as mine")
        expect_fails(ERRORS, "mine", run, client, "select a from mine")
        token = flight.FlightCallOptions(headers=[(b"authorization", b"Bearer mine")])
        with connect(server) as other:
            def run_with_token(sql):
                info = other.get_flight_info(command("CommandStatementQuery", (1, sql)), token)
                return other.do_get(info.endpoints[0].ticket, token).read_all()

            run_with_token("set time_zone = 'Asia/Tokyo'")
            time.sleep(1.5)
            expect_fails(ERRORS, "session has ended", run_with_token, "show time_zone")
            assert run_with_token("show time_zone").column(0).to_pylist() != ["Asia/Tokyo"]


def test_sessions_of_another_process_have_ended():
    with Server(PROGRAM) as server, connect(server, cookies=True) as client:
        run(client, "select 1")
    with Server(PROGRAM) as server, flight.FlightClient(server.url, middleware=[Cookies()]) as client:
        offered = {"cookie": "arrow_flight_session_id=o1234"}
        call(server, "GetFlightInfo", descriptor("CommandStatementQuery", (1, "select 1")), metadata=tuple(offered.items()))
        begun = (("cookie", "arrow_flight_session_id=b1234"),)
        error = expect_fails(grpc.RpcError, "session has ended", call, server, "GetFlightInfo",
                             descriptor("CommandStatementQuery", (1, "select 1")), metadata=begun)
        assert "Max-Age=0" in dict(error.initial_metadata())["set-cookie"]
        assert b"08003" in dict(error.trailing_metadata())["grpc-status-details-bin"]


def test_no_session_is_lost_to_another_users():
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write(f"anna:{yescrypt('a')}\nbert:{yescrypt('b')}\n")
        file.flush()
        with Server(PROGRAM, "--users-file", file.name, "--sessions", 8) as server, connect(server) as client:
            def log_in(user, password):
                return flight.FlightCallOptions(headers=[client.authenticate_basic_token(user, password)])

            def show(options, sql="show time_zone"):
                info = client.get_flight_info(command("CommandStatementQuery", (1, sql)), options)
                return client.do_get(info.endpoints[0].ticket, options).read_all()

            anna = log_in("anna", "a")
            show(anna, "set time_zone = 'Asia/Tokyo'")
            berts = [log_in("bert", "b") for _ in range(7)]
            for options in berts:  # six of them are his share
                show(options, "set time_zone = 'Europe/Paris'")
            expect_fails(ERRORS, "session has ended", show, berts[0])
            assert show(anna).column(0).to_pylist() == ["Asia/Tokyo"]
            assert show(berts[6]).column(0).to_pylist() == ["Europe/Paris"]


def cancel_info(info):
    """A CancelFlightInfoRequest."""
    return message((1, message((3, message((1, message((1, info.endpoints[0].ticket.ticket))))))))


def test_cancelling():
    with Server(PROGRAM) as server, connect(server) as client:
        for old in (False, True):
            info = ask(client, LONG)
            failures = []

            def read():
                # not read_all, which takes CANCELLED for Ctrl-C
                failures.append(expect_fails(ERRORS, "ancel", client.do_get(info.endpoints[0].ticket).read_chunk))

            reader = threading.Thread(target=read)
            reader.start()
            time.sleep(0.3)
            before = time.monotonic()
            if old:
                body = any_of("ActionCancelQueryRequest", (1, parse(cancel_info(info))[1][0]))
                assert from_any(action(client, "CancelQuery", body)[0], "ActionCancelQueryResult") == {1: [1]}
            else:
                assert parse(action(client, "CancelFlightInfo", cancel_info(info))[0]) == {1: [1]}
            reader.join(20)
            assert failures and time.monotonic() - before < 20
            assert parse(action(client, "CancelFlightInfo", cancel_info(info))[0]) == {1: [3]}


def test_a_statement_that_begins_ends_with_its_call():
    """One worker: as long as what nobody waits for any more goes on, nothing else begins."""
    with Server(PROGRAM, "--workers", 1) as server, connect(server) as client:
        options = flight.FlightCallOptions(timeout=0.5)
        slow = f"create table x as {LONG}"
        before = time.monotonic()
        expect_fails(ERRORS, "", client.get_flight_info, command("CommandStatementQuery", (1, slow)), options)
        assert run(client, "select 1 as a").num_rows == 1
        info = ask(client, LONG)
        expect_fails(ERRORS, "", lambda: client.do_get(info.endpoints[0].ticket, options).read_all())
        assert run(client, "select 1 as a").num_rows == 1
        assert time.monotonic() - before < 20


def test_a_client_that_vanishes():
    script = ("import sys, pyarrow.flight as f\nc = f.FlightClient(sys.argv[1])\n"
              "i = c.get_flight_info(f.FlightDescriptor.for_command(bytes.fromhex(sys.argv[2])))\n"
              "r = c.do_get(i.endpoints[0].ticket)\nprint('reads', flush=True)\nr.read_chunk()\n"
              "import time\ntime.sleep(100)")
    for sql in (LONG, "select * from generate_series(1, 1000000000) s(i)"):
        with Server(PROGRAM, "--workers", 1) as server, connect(server) as client:
            packed = any_of("CommandStatementQuery", (1, sql)).hex()
            other = subprocess.Popen([sys.executable, "-c", script, server.url, packed], stdout=subprocess.PIPE, text=True)
            assert other.stdout.readline() == "reads\n"
            time.sleep(0.3)
            other.send_signal(signal.SIGKILL)
            other.wait()
            before = time.monotonic()
            assert run(client, "select 1 as a").num_rows == 1
            assert time.monotonic() - before < 20


def test_rows_that_wait_hold_up_nothing():
    with Server(PROGRAM, "--workers", 1, "--window", 100000) as server, with_session(server) as client:
        readers = [client.do_get(ask(client, f"select i + {k} as n from generate_series(1, 3000000) s(i)").endpoints[0].ticket)
                   for k in range(3)]
        firsts = [r.read_chunk().data for r in readers]
        time.sleep(0.5)
        for i in range(5):
            assert run(client, f"select {i} as a").column("a").to_pylist() == [i]
        for k, (first, reader) in enumerate(zip(firsts, readers)):
            rest = reader.read_all().column("n").to_pylist()
            assert first.column(0).to_pylist() + rest == list(range(1 + k, 3000001 + k))


def begin_reading(client, info):
    """A thread that waits for the statement's first rows; what came of it is in the list."""
    outcome = []

    def read():
        try:
            outcome.append(client.do_get(info.endpoints[0].ticket).read_chunk())
        except Exception as error:  # noqa: BLE001
            outcome.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    return thread, outcome


def test_statements_that_last_hold_up_nothing_else():
    """As many of them as there are threads: what is short is answered, and what waits for a thread can be cancelled."""
    quick = flight.FlightCallOptions(timeout=20)
    with Server(PROGRAM, "--workers", 3) as server, connect(server) as client:
        readers = [(info, *begin_reading(client, info)) for info in [ask(client, LONG) for _ in range(3)]]
        time.sleep(0.5)
        _, again, _ = poll(server, descriptor("CommandStatementQuery", (1, "select 1")))
        assert again is not None  # no thread for it
        assert list(client.do_action(flight.Action("GetSessionOptions", b""), quick))
        body = any_of("ActionCreatePreparedStatementRequest", (1, "select 1"))
        assert list(client.do_action(flight.Action("CreatePreparedStatement", body), quick))
        listing = client.get_flight_info(command("CommandGetCatalogs"), quick)
        assert client.do_get(listing.endpoints[0].ticket, quick).read_all().num_rows == 1
        waiter = Promised(expect_fails, grpc.RpcError, "ancel", call, server, "PollFlightInfo", again)
        time.sleep(0.2)
        assert parse(action(client, "CancelFlightInfo", message((1, message((2, again)))))[0]) == {1: [1]}
        waiter.result()
        assert all(t.is_alive() for _, t, _ in readers)
        for info, thread, outcome in readers:
            assert parse(action(client, "CancelFlightInfo", cancel_info(info))[0]) == {1: [1]}
            thread.join(20)
            assert "ancel" in str(outcome), outcome


def test_waiting_for_executors_has_no_thread():
    """A scheduler without executors: more statements wait for some than there are threads, and others are carried out."""
    with node_driver.Node("scheduler", *node_driver.FREE, "--control-port", 0, "--state", "memory") as scheduler, \
            flight.FlightClient(f"grpc://{scheduler.places['clients']}") as client:
        run_none = command("CommandStatementQuery", (1, "select count(*) from generate_series(1, 10)"))
        infos = []
        for i in range(100):
            own_session = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {i}".encode())])
            infos.append(client.get_flight_info(run_none, own_session))
        readers = [begin_reading(client, info) for info in infos]
        time.sleep(1)
        assert not any(outcome for _, outcome in readers)
        quick = flight.FlightCallOptions(timeout=20)
        shown = client.get_flight_info(command("CommandStatementQuery", (1, "show time_zone")), quick)
        assert client.do_get(shown.endpoints[0].ticket, quick).read_all().num_rows == 1
        for info in infos:
            assert parse(action(client, "CancelFlightInfo", cancel_info(info))[0]) == {1: [1]}
        for thread, outcome in readers:
            thread.join(20)
            assert "ancel" in str(outcome), outcome


def test_a_user_with_many_statements_keeps_others_from_nothing():
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write(f"anna:{yescrypt('a')}\nbert:{yescrypt('b')}\n")
        file.flush()
        with Server(PROGRAM, "--users-file", file.name, "--workers", 2) as server, connect(server) as client:
            def log_in(user, password, timeout):
                return flight.FlightCallOptions(headers=[client.authenticate_basic_token(user, password)], timeout=timeout)

            slow = command("CommandStatementQuery", (1, f"create table x as {LONG}"))
            waiters = []
            for _ in range(6):  # each in a session of its own
                waiters.append(Promised(expect_fails, ERRORS, "", client.get_flight_info, slow, log_in("anna", "a", 10)))
            time.sleep(0.5)
            bert = log_in("bert", "b", 5)
            info = client.get_flight_info(command("CommandStatementQuery", (1, "select 1 as a")), bert)
            assert client.do_get(info.endpoints[0].ticket, bert).read_all().column("a").to_pylist() == [1]
            assert all(w.is_alive() for w in waiters)
            for waiter in waiters:
                waiter.result(30)


def test_errors_on_the_way():
    with Server(PROGRAM) as server, connect(server) as client:
        expect_fails(ERRORS, "syntax error", ask, client, "selec 1")
        expect_fails(ERRORS, "nowhere", ask, client, "select * from nowhere")
        info = ask(client, "select 10 / (100000 - i) as q from generate_series(1, 200000) s(i)")
        expect_fails(ERRORS, "division by zero", lambda: client.do_get(info.endpoints[0].ticket).read_all())
        expect_fails(ERRORS, "not offered|cannot be asked", client.get_flight_info, command("CommandStatementUpdate", (1, "select 1")))
        expect_fails(ERRORS, "not offered", client.get_flight_info, command("CommandStatementSubstraitPlan", (1, "x")))
        expect_fails(ERRORS, "not by paths", client.get_flight_info, flight.FlightDescriptor.for_path("a"))
        expect_fails(ERRORS, "no action", action, client, "dance", b"")


def test_listings():
    with Server(PROGRAM) as server, with_session(server) as client:
        update(client, "create table t (a integer primary key, b varchar)")
        update(client, "create table \"we_ird\" (\"x\"\"y\" integer)")
        update(client, "create view v as select a as k from t")

        def listed(name, *fields):
            info = client.get_flight_info(command(name, *fields))
            table = client.do_get(info.endpoints[0].ticket).read_all()
            table.validate(full=True)
            assert table.schema == info.schema == client.get_schema(command(name, *fields)).schema, name
            return table

        def names(*fields):
            return listed("CommandGetTables", *fields).column("table_name").to_pylist()

        assert listed("CommandGetCatalogs").to_pylist() == [{"catalog_name": "arbalest"}]
        assert listed("CommandGetDbSchemas").to_pylist() == [{"catalog_name": "arbalest", "db_schema_name": "main"}]
        assert listed("CommandGetDbSchemas", (2, "x%")).num_rows == 0 and listed("CommandGetDbSchemas", (1, "other")).num_rows == 0
        assert listed("CommandGetTableTypes").column(0).to_pylist() == ["TABLE", "VIEW"]
        assert names() == ["t", "v", "we_ird"] and names((3, "we\\_%")) == ["we_ird"] and names((3, "_")) == ["t", "v"]
        assert names((4, "VIEW")) == ["v"] and names((1, "")) == [] and names((2, "main"), (3, "")) == []
        schemas = listed("CommandGetTables", (5, 1)).to_pylist()
        fields = {r["table_name"]: pa.ipc.read_schema(pa.py_buffer(r["table_schema"])) for r in schemas}
        assert fields["v"].names == ["k"] and fields["we_ird"].names == ['x"y'] and fields["t"].types == [pa.int32(), pa.string()]
        assert fields["t"].field("a").metadata[b"ARROW:FLIGHT:SQL:TYPE_NAME"] == b"integer"
        keys = listed("CommandGetPrimaryKeys", (3, "t")).to_pylist()
        assert [(k["column_name"], k["key_sequence"]) for k in keys] == [("a", 1)]
        assert listed("CommandGetPrimaryKeys", (3, "nothing")).num_rows == 0
        for name in ("CommandGetImportedKeys", "CommandGetExportedKeys"):
            assert listed(name, (3, "t")).num_rows == 0
        assert listed("CommandGetCrossReference", (3, "t"), (6, "t")).num_rows == 0
        types = {t["type_name"]: t for t in listed("CommandGetXdbcTypeInfo").to_pylist()}
        assert types["INTEGER"]["data_type"] == 4 and types["DECIMAL"]["create_params"] == ["precision", "scale"]
        assert listed("CommandGetXdbcTypeInfo", (1, 12)).column("type_name").to_pylist() == ["VARCHAR"]
        info = {r["info_name"]: r["value"] for r in listed("CommandGetSqlInfo").to_pylist()}
        assert info[0] == "Arbalest" and info[4] is True and info[8] == 0 and "SELECT" in info[508] and info[517] == []
        assert "abs" in info[509] and "upper" in info[510] and "date_trunc" in info[512] and info[541] == 0
        some = listed("CommandGetSqlInfo", (1, b"\x00\x09\xe7\x07")).to_pylist()  # 0, 9 and one that does not exist
        assert [r["info_name"] for r in some] == [0, 9]


def test_large_listings_are_many_messages():
    with Server(PROGRAM) as server, with_session(server) as client:
        columns = ", ".join(f"a_column_with_a_long_name_{i} bigint" for i in range(200))
        for i in range(60):
            update(client, f"create table t{i} ({columns})")
        info = client.get_flight_info(command("CommandGetTables", (5, 1)))
        chunks = [c.data for c in client.do_get(info.endpoints[0].ticket)]
        assert sum(c.num_rows for c in chunks) == 60 and len(chunks) > 1, len(chunks)
        assert max(c.nbytes for c in chunks) < 2 << 20
        assert sorted(n for c in chunks for n in c.column(2).to_pylist()) == sorted(f"t{i}" for i in range(60))


def test_a_table_that_cannot_be_opened_is_an_error_where_it_is_asked_for():
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/broken.parquet", "wb") as file:
            file.write(b"PAR1 and nothing else")
        with Server(PROGRAM, "--data", folder) as server, connect(server) as client:
            info = client.get_flight_info(command("CommandGetPrimaryKeys", (3, "broken")))
            expect_fails(ERRORS, "broken", lambda: client.do_get(info.endpoints[0].ticket).read_all())
            info = client.get_flight_info(command("CommandGetTables", (5, 1)))
            assert client.do_get(info.endpoints[0].ticket).read_all().num_rows == 1


# ---- prepared statements ---------------------------------------------------------------------------------------------------


def prepare(client, sql):
    answer = from_any(action(client, "CreatePreparedStatement", any_of("ActionCreatePreparedStatementRequest", (1, sql)))[0],
                      "ActionCreatePreparedStatementResult")
    schema = {k: pa.ipc.read_schema(pa.py_buffer(answer[k][0])) if k in answer else None for k in (2, 3)}
    return answer[1][0], schema[2], schema[3], answer.get(4, [0])[0]


def bind(client, name, handle, table):
    writer, reader = client.do_put(command(name, (1, handle)), table.schema)
    writer.write_table(table)
    writer.done_writing()
    answer = reader.read()
    writer.close()
    return parse(answer.to_pybytes())


def test_prepared_statements():
    with Server(PROGRAM) as server, with_session(server) as client:
        update(client, "create table t (a integer, b varchar)")
        handle, rows, parameters, is_update = prepare(client, "insert into t values (?, ?)")
        assert rows is None and is_update == 1
        assert parameters == pa.schema([("$1", pa.int32()), ("$2", pa.string())]), parameters
        values = pa.table({"x": pa.array([1, 2, None], pa.int64()), "y": ["a", None, "c"]})
        assert bind(client, "CommandPreparedStatementUpdate", handle, values) == {1: [3]}
        handle, rows, parameters, is_update = prepare(client, "select a, b from t where a = $1 or b = $2 order by b")
        assert rows == pa.schema([("a", pa.int32()), ("b", pa.string())]) and is_update == 0
        info = command("CommandPreparedStatementQuery", (1, handle))
        expect_fails(ERRORS, "2 parameters, but there are 0", client.get_flight_info, info)
        assert client.get_schema(info).schema == rows
        bound = bind(client, "CommandPreparedStatementQuery", handle, pa.table({"x": [1], "y": ["c"]}))[1][0]
        info = client.get_flight_info(command("CommandPreparedStatementQuery", (1, bound)))
        assert client.do_get(info.endpoints[0].ticket).read_all().column("b").to_pylist() == ["a", "c"]
        two = bind(client, "CommandPreparedStatementQuery", handle, pa.table({"x": [1, 2], "y": ["c", "d"]}))[1][0]
        expect_fails(ERRORS, "one row of values", client.get_flight_info, command("CommandPreparedStatementQuery", (1, two)))
        assert action(client, "ClosePreparedStatement", any_of("ActionClosePreparedStatementRequest", (1, handle))) == []
        # Preparing runs nothing.
        prepare(client, "drop table t")
        prepare(client, f"create table x as {LONG}")
        assert run(client, "select * from t").num_rows == 3


def test_an_update_stops_at_its_first_failure():
    with Server(PROGRAM) as server, with_session(server) as client:
        update(client, "create table t (a integer primary key)")
        handle = prepare(client, "insert into t values (?)")[0]
        expect_fails(ERRORS, "row 3 of the values: .*is there twice", bind, client, "CommandPreparedStatementUpdate", handle,
                     pa.table({"x": [1, 2, 1, 3]}))
        assert run(client, "select a from t order by a").column("a").to_pylist() == [1, 2]


def test_values_of_a_query_fit_into_its_handle():
    with Server(PROGRAM) as server, with_session(server) as client:
        handle = prepare(client, "select length(?) as n")[0]
        bind(client, "CommandPreparedStatementQuery", handle, pa.table({"x": ["x" * 4000000]}))
        expect_fails(ERRORS, "8388608 bytes of values for one query", bind, client, "CommandPreparedStatementQuery", handle,
                     pa.table({"x": ["x" * 9000000]}))


# ---- below pyarrow ---------------------------------------------------------------------------------------------------------


def call(server, method, request, stream=False, metadata=()):
    """(messages, trailers) of a call; a message is its bytes."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        make = channel.unary_stream if stream else channel.unary_unary
        begun = make(SERVICE + method)
        if stream:
            running = begun(request, metadata=metadata, timeout=60)
            return list(running), dict(running.trailing_metadata())
        answer, done = begun.with_call(request, metadata=metadata, timeout=60)
        return [answer], dict(done.trailing_metadata())


def descriptor(name, *fields):
    return message((1, 2), (2, any_of(name, *fields)))


def ticket_of(info):
    return parse(parse(parse(info)[3][0])[1][0])[1][0]


def test_the_summary_at_the_end():
    with Server(PROGRAM) as server:
        info = call(server, "GetFlightInfo", descriptor("CommandStatementQuery", (1, "select * from generate_series(1, 1000)")))[0][0]
        _, trailers = call(server, "DoGet", message((1, ticket_of(info))), stream=True)
        said = summary(trailers["arbalest-statement-bin"])
        assert said["tag"] == "SELECT" and said["rows_sent"] == 1000 and said["affected"] == -1


def test_errors_have_all_their_fields():
    with Server(PROGRAM) as server:
        try:
            call(server, "GetFlightInfo", descriptor("CommandStatementQuery", (1, "select nothing from generate_series(1, 3) s(noting)")))
        except grpc.RpcError as error:
            details = dict(error.trailing_metadata())["grpc-status-details-bin"]
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT and b"42703" in details and b"noting" in details
            return
        raise AssertionError("an error was expected")


def test_a_named_update_runs_once():
    with Server(PROGRAM) as server, with_session(server) as client:
        run(client, "select 1")
        jar = client_cookies(client)

        def named(name, sql, method="GetFlightInfo"):
            metadata = (("cookie", jar), ("operation-id", name))
            return call(server, method, descriptor("CommandStatementQuery", (1, sql)), metadata=metadata)[0][0]

        def affected(info):
            return summary(parse(info)[7][0])["affected"]

        def count(table):
            return run(client, f"select count(*) as n from {table}").column("n").to_pylist()[0]

        update(client, "create table t (a bigint)")
        for _ in range(3):
            assert affected(named("one", "insert into t values (1), (2)")) == 2
            assert affected(parse(named("one", "insert into t values (1), (2)", "PollFlightInfo"))[1][0]) == 2
        assert count("t") == 2
        expect_fails(grpc.RpcError, "another statement", named, "one", "insert into t values (3)")
        assert affected(named("two", "insert into t values (1), (2)")) == 2 and count("t") == 4
        # While it runs both have its end; one that has failed has left nothing, and runs.
        slow = "create table u as select count(*) as n from generate_series(1, 20000) a(x), generate_series(1, 20000) b(y) where a.x * b.y % 7 = 3"
        first = Promised(expect_fails, grpc.RpcError, "repeated", named, "slow", slow)
        time.sleep(0.3)
        assert first.is_alive(), "it is to run for longer"
        assert affected(named("slow", slow)) == 1 and count("u") == 1
        first.result()
        for _ in range(2):
            expect_fails(grpc.RpcError, "division by zero", named, "bad", "insert into u select 1 / 0")
        # A query is carried out each time.
        for _ in range(2):
            info = named("query", "select 5 as a")
            assert client.do_get(flight.Ticket(ticket_of(info))).read_all().num_rows == 1
        expect_fails(grpc.RpcError, "needs a session", call, server, "GetFlightInfo", descriptor("CommandStatementQuery", (1, "drop table t")),
                     metadata=(("operation-id", "x"),))
        expect_fails(grpc.RpcError, "at most 64", named, "x" * 65, "drop table t")
        # Another session's operations are others.
        with with_session(server) as other:
            update(other, "create table t (a bigint)")
            metadata = (("cookie", client_cookies(other)), ("operation-id", "one"))
            call(server, "GetFlightInfo", descriptor("CommandStatementQuery", (1, "insert into t values (7)")), metadata=metadata)
            assert run(other, "select a from t").num_rows == 1


def poll(server, request):
    answer = parse(call(server, "PollFlightInfo", request)[0][0])
    return parse(answer[1][0]), answer.get(2, [None])[0], answer


def test_polling():
    with Server(PROGRAM) as server, connect(server) as client:
        info, again, _ = poll(server, descriptor("CommandStatementQuery", (1, "select 7 as a")))
        assert again is None
        rows = client.do_get(flight.Ticket(parse(parse(info[3][0])[1][0])[1][0])).read_all()
        assert rows.column("a").to_pylist() == [7]
        # A second or so of work: polls say so until it is done.
        sql = "select count(*) as n from generate_series(1, 20000) a(x), generate_series(1, 20000) b(y) where a.x * b.y % 7 = 3"
        request, polls = descriptor("CommandStatementQuery", (1, sql)), 0
        while request is not None:
            info, request, answer = poll(server, request)
            assert 4 in answer
            polls += 1
            assert polls < 200
        assert client.do_get(flight.Ticket(parse(parse(info[3][0])[1][0])[1][0])).read_all().num_rows == 1
        # One that was begun without polling.
        begun = ask(client, "select 8 as a")
        info, again, _ = poll(server, message((1, 2), (2, begun.endpoints[0].ticket.ticket)))
        assert again is None and parse(parse(info[3][0])[1][0])[1][0] == begun.endpoints[0].ticket.ticket
        assert client.do_get(begun.endpoints[0].ticket).read_all().column("a").to_pylist() == [8]
        _, again, _ = poll(server, descriptor("CommandStatementQuery", (1, LONG)))
        assert again is not None
        body = message((1, message((2, again))))
        assert parse(action(client, "CancelFlightInfo", body)[0]) == {1: [1]}
        expect_fails(grpc.RpcError, "no such statement", poll, server, again)
        expect_fails(grpc.RpcError, "syntax", poll, server, descriptor("CommandStatementQuery", (1, "selec")))
        _, again, _ = poll(server, descriptor("CommandGetCatalogs"))
        assert again is None


def test_hostile_bytes():
    """Whatever comes is refused with an error that says so; the server goes on."""
    chance = random.Random(7)
    with Server(PROGRAM, "--lease-ms", 5000) as server, connect(server) as client:
        info = ask(client, "select 1")
        handle = prepare(client, "select ?")[0]
        samples = [any_of("CommandStatementQuery", (1, "select 1")), info.endpoints[0].ticket.ticket,
                   any_of("CommandPreparedStatementQuery", (1, handle)), any_of("CommandGetTables", (2, "%"), (5, 1)),
                   any_of("CommandGetSqlInfo", (1, b"\x01\x02\xff\xff\xff\xff\x0f")), any_of("TicketStatementQuery", (1, b"x" * 40)),
                   any_of("ActionCreatePreparedStatementRequest", (1, "select 1")), cancel_info(info), b"", b"\xff" * 100]
        for round in range(400):
            data = bytearray(chance.choice(samples))
            for _ in range(chance.randrange(4)):
                if data:
                    at = chance.randrange(len(data))
                    kind = chance.randrange(3)
                    if kind == 0:
                        data[at] = chance.randrange(256)
                    elif kind == 1:
                        del data[at:at + chance.randrange(1, 9)]
                    else:
                        data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9)))
            data, way = bytes(data), round % 5
            try:
                if way == 0:
                    client.get_flight_info(flight.FlightDescriptor.for_command(data))
                elif way == 1:
                    client.get_schema(flight.FlightDescriptor.for_command(data))
                elif way == 2:
                    client.do_get(flight.Ticket(data)).read_all()
                elif way == 3:
                    action(client, chance.choice(["CreatePreparedStatement", "ClosePreparedStatement", "CancelFlightInfo",
                                                  "CancelQuery", "RenewFlightEndpoint", "SetSessionOptions"]), data)
                else:
                    writer, reader = client.do_put(flight.FlightDescriptor.for_command(data), pa.schema([("a", pa.int64())]))
                    writer.write_table(pa.table({"a": [1, 2]}))
                    writer.done_writing()
                    reader.read()
                    writer.close()
            except flight.FlightInternalError as error:
                raise AssertionError(f"{data!r}: {error}")
            except ERRORS + (StopIteration, OSError):
                pass
        assert run(client, "select 1 as a").num_rows == 1


def test_values_that_are_none():
    with Server(PROGRAM) as server, connect(server) as client:
        handle = prepare(client, "select ?::integer as a")[0]
        for values in (pa.table({"a": [[1, 2]]}), pa.table({"a": [1], "b": [2]}), pa.table({"a": ["one"]}),
                       pa.table({"a": pa.array([1], pa.decimal256(50, 3))})):
            def ask_with(values=values):
                bound = bind(client, "CommandPreparedStatementQuery", handle, values)[1][0]
                return client.get_flight_info(command("CommandPreparedStatementQuery", (1, bound)))
            expect_fails(ERRORS, "", ask_with)


def test_login():
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write(f"# who may come in\n\nanna:{yescrypt('secret')}\nbert:{yescrypt('')}\n")
        file.flush()
        with Server(PROGRAM, "--users-file", file.name, "--token-ms", 60000) as server, connect(server) as client:
            expect_fails(flight.FlightUnauthenticatedError, "log in first", ask, client, "select 1")
            expect_fails(flight.FlightUnauthenticatedError, "log in first", lambda: list(client.list_actions()))
            for user, password in (("anna", "secre"), ("anna", ""), ("carl", "secret"), ("", ""), ("anna", "x" * 5000),
                                   ("bert", "secret"), ("bert\0", "")):
                expect_fails(flight.FlightUnauthenticatedError, "wrong", client.authenticate_basic_token, user, password)
            anna = flight.FlightCallOptions(headers=[client.authenticate_basic_token("anna", "secret")])
            bert = flight.FlightCallOptions(headers=[client.authenticate_basic_token("bert", "")])

            def info_of(sql, options):
                return client.get_flight_info(command("CommandStatementQuery", (1, sql)), options)

            info = info_of("select 1 as a", anna)
            # Another user's handles are nobody's.
            expect_fails(flight.FlightUnauthorizedError, "handle", lambda: client.do_get(info.endpoints[0].ticket, bert).read_all())
            assert client.do_get(info.endpoints[0].ticket, anna).read_all().num_rows == 1
            info_of("set time_zone = 'Asia/Tokyo'", anna)  # a token is a session too
            shown = client.do_get(info_of("show time_zone", anna).endpoints[0].ticket, anna).read_all()
            assert shown.column(0).to_pylist() == ["Asia/Tokyo"]
            name, value = client.authenticate_basic_token("anna", "secret")
            forged = flight.FlightCallOptions(headers=[(name, value[:-1] + (b"0" if value[-1:] != b"0" else b"1"))])
            expect_fails(flight.FlightUnauthenticatedError, "log in first", info_of, "select 1", forged)
            # The file counts as it is now.
            file.write(f"dora:{yescrypt('new')}\n")
            file.flush()
            client.authenticate_basic_token("dora", "new")
            info_of("select 1", anna)
            # So it does for those who are in: one who is gone from it, or has another password, is out.
            with open(file.name, "w") as changed:
                changed.write(f"anna:{yescrypt('another')}\nbert:{yescrypt('')}\ndora:{yescrypt('new')}\n")
            until = time.monotonic() + 10
            while time.monotonic() < until:
                try:
                    info_of("select 1", anna)
                    time.sleep(0.1)
                except flight.FlightUnauthenticatedError:
                    break
            expect_fails(flight.FlightUnauthenticatedError, "log in first", info_of, "select 1", anna)
            expect_fails(flight.FlightUnauthenticatedError, "log in first", info_of, "select 1", bert)  # another salt
            client.authenticate_basic_token("anna", "another")
        with Server(PROGRAM, "--users-file", file.name, "--token-ms", 200) as server, connect(server) as client:
            options = flight.FlightCallOptions(headers=[client.authenticate_basic_token("dora", "new")])
            time.sleep(0.5)
            expect_fails(flight.FlightUnauthenticatedError, "log in first", lambda: list(client.list_actions(options)))
    with Server(PROGRAM) as server, connect(server) as client:  # nobody has to log in, but who does gets a session
        options = flight.FlightCallOptions(headers=[client.authenticate_basic_token("anybody", "")])
        client.get_flight_info(command("CommandStatementQuery", (1, "set time_zone = 'Asia/Tokyo'")), options)


def test_who_stays_in_the_users_file_stays_in():
    with tempfile.NamedTemporaryFile("w+") as file:
        line = f"anna:{yescrypt('a')}\n"
        file.write(line)
        file.flush()
        with Server(PROGRAM, "--users-file", file.name) as server, connect(server) as client:
            anna = flight.FlightCallOptions(headers=[client.authenticate_basic_token("anna", "a")])
            for text in (f"{line}bert:{yescrypt('b')}\n", "anna:$y", line):  # what cannot be read changes nothing
                with open(file.name, "w") as changed:
                    changed.write(text)
                until = time.monotonic() + 3
                while time.monotonic() < until:
                    client.get_flight_info(command("CommandGetCatalogs"), anna)
                    time.sleep(0.1)


def test_users_files_that_are_none():
    good = f"anna:{yescrypt('secret')}"
    for text, mode in (("anna", 0o600), (":x", 0o600), ("anna:secret", 0o600), (good, 0o622), (good + "\n" + "x" * (1 << 20), 0o600)):
        with tempfile.NamedTemporaryFile("w+") as file:
            file.write(text)
            file.flush()
            os.chmod(file.name, mode)
            done = subprocess.run([PROGRAM, "--users-file", file.name], input="", capture_output=True, text=True, timeout=60)
            assert done.returncode == 1 and "users' file" in done.stderr, (text[:20], done)


def test_what_clients_send_is_bounded():
    with Server(PROGRAM, "--held", 1000000) as server, with_session(server) as client:
        update(client, "create table t (a varchar)")
        handle = prepare(client, "insert into t values (?)")[0]
        for _ in range(3):
            expect_fails(ERRORS, "values that are not over have more than 500000", bind, client, "CommandPreparedStatementUpdate", handle,
                         pa.table({"a": ["x" * 1000] * 1200}))
            expect_fails(ERRORS, "values that are not over have more than 500000", ask, client, "select '" + "x" * 2000000 + "'")
        for _ in range(20):  # nothing of those that are over is counted
            bind(client, "CommandPreparedStatementUpdate", handle, pa.table({"a": ["x" * 1000] * 100}))
        assert run(client, "select count(*) as n from t").column("n").to_pylist() == [2000]


def stalled_upload(server, handle, rows, failures, metadata=()):
    """A thread with a DoPut that sends values and then nothing."""
    go_on = threading.Event()
    sink = pa.BufferOutputStream()
    table = pa.table({"a": ["x" * 1000] * rows})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    reader = pa.ipc.MessageReader.open_stream(sink.getvalue())

    def messages():
        command = any_of("CommandPreparedStatementUpdate", (1, handle))
        first = message((1, message((1, 2), (2, command))))
        for m in reader:
            if m.type == "schema":
                yield first + message((2, m.metadata.to_pybytes()))
            else:
                yield message((2, m.metadata.to_pybytes())) + varint(1000 << 3 | 2) + varint(m.body.size) + m.body.to_pybytes()
        go_on.wait(30)

    def send():
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            try:
                list(channel.stream_stream(SERVICE + "DoPut")(messages(), timeout=30, metadata=metadata))
            except grpc.RpcError as error:
                failures.append(error)
            go_on.set()

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_uploads_that_stall_end():
    with Server(PROGRAM, "--stall-ms", 1000, "--held", 2000000) as server, with_session(server) as client:
        update(client, "create table t (a varchar)")
        handle = prepare(client, "insert into t values (?)")[0]
        failures = []
        thread = stalled_upload(server, handle, 900, failures)
        time.sleep(0.5)
        few = pa.table({"a": ["x" * 1000] * 200})
        error = expect_fails(ERRORS, "more than 1000000", bind, client, "CommandPreparedStatementUpdate", handle, few)
        thread.join(20)
        assert failures and failures[0].code() == grpc.StatusCode.DEADLINE_EXCEEDED and "in time" in failures[0].details(), (failures, error)
        bind(client, "CommandPreparedStatementUpdate", handle, few)
        assert run(client, "select count(*) as n from t").column("n").to_pylist() == [200]


def test_readers_that_stall_end():
    with Server(PROGRAM, "--stall-ms", 1000, "--window", 100000) as server, connect(server) as client:
        sql = "select i from generate_series(1, 1000000000) s(i)"
        slow, frozen = (client.do_get(ask(client, sql).endpoints[0].ticket) for _ in range(2))
        frozen.read_chunk()
        until = time.monotonic() + 4
        while time.monotonic() < until:  # slow, not stalled
            for _ in range(20):
                slow.read_chunk()
            time.sleep(0.3)
        expect_fails(ERRORS, "took none", lambda: [c for c in frozen])
        slow.cancel()


def test_many_clients():
    with Server(PROGRAM, "--workers", 4) as server:
        wrong = []

        def work(number):
            try:
                with with_session(server) as client:
                    for i in range(10):
                        n = number * 100 + i
                        assert run(client, f"select sum(i) + {n} as s from generate_series(1, 1000) t(i)").column("s").to_pylist() == [500500 + n]
            except Exception as error:  # noqa: BLE001
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(k,)) for k in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not wrong, wrong


if __name__ == "__main__":
    sys.exit(sql_server.main(globals(), sys.argv[3:]))
