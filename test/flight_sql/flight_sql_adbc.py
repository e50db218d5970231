#!/usr/bin/env python3
"""Flight SQL through ADBC's driver, as Python programs use it, against sql_test_server, whose path is the first argument.

Each function whose name begins with test_ is one test.
"""
import datetime
import decimal
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sql_server  # noqa: E402
from sql_server import LONG, Server, expect_fails, make_data, yescrypt  # noqa: E402

sql_server.begin()
import adbc_driver_flightsql.dbapi as dbapi  # noqa: E402
import pyarrow as pa  # noqa: E402

PROGRAM = sys.argv[1]
COOKIES = {"adbc.flight.sql.rpc.with_cookie_middleware": "true"}


class Connection:
    """A server with a connection that has a session."""

    def __init__(self, *arguments):
        self.server = Server(PROGRAM, *arguments)
        self.connection = dbapi.connect(self.server.url, db_kwargs=COOKIES, autocommit=True)

    def __enter__(self):
        rows(self.connection, "select 1")  # the answer brings the cookie
        return self.connection

    def __exit__(self, *why):
        self.connection.close()
        self.server.__exit__(*why)


def rows(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def test_queries_over_files():
    with make_data() as folder, Connection("--data", folder) as c:
        assert rows(c, "select count(*), sum(l_price) from lines") == [(40000, decimal.Decimal("199800.00"))]
        by_state = rows(c, "select o_state, count(*) as n, sum(l_price) as price, avg(l_price) as mean from orders join lines "
                           "on o_key = l_order where o_date < date '1996-01-01' group by o_state order by o_state")
        assert [r[0] for r in by_state] == ["F", "O", "P"] and sum(r[1] for r in by_state) == 4 * 3650
        late = rows(c, "select o_key from orders where not exists (select 1 from lines where l_order = o_key and l_comment is null) "
                       "order by o_date desc, o_key limit 5")
        assert late == [(1999,), (3999,), (6999,), (8999,), (998,)], late
        with c.cursor() as cursor:
            cursor.execute("select * from lines")
            table = cursor.fetch_arrow_table()
            assert table.num_rows == 40000 and table.column("l_comment").null_count == 5715
            cursor.execute("select l_order from lines order by l_order")
            assert sum(len(b) for b in cursor.fetch_record_batch()) == 40000


def test_a_parameter_of_each_type():
    values = [("integer", 42), ("bigint", 1 << 40), ("double", 2.5), ("decimal(10,2)", decimal.Decimal("12.34")),
              ("varchar", "täxt"), ("boolean", True), ("date", datetime.date(2020, 2, 29)),
              ("timestamp", datetime.datetime(2020, 2, 29, 12, 34, 56, 789)), ("blob", b"\x00\xff"),
              ("time", datetime.time(12, 34, 56))]
    with Connection() as c:
        names = ", ".join(f"c{i} {t}" for i, (t, _) in enumerate(values))
        rows(c, f"create table t ({names})")
        places = ", ".join("?" * len(values))
        with c.cursor() as cursor:
            cursor.executemany(f"insert into t values ({places})", [[v for _, v in values], [None] * len(values)])
        stored = rows(c, "select * from t where c0 is not null")
        assert stored == [tuple(v for _, v in values)], stored
        for i, (kind, value) in enumerate(values):
            assert rows(c, f"select c{i} from t where c{i} = ?", (value,)) == [(value,)], kind
            assert rows(c, f"select count(*) from t where c{i} <> ?", (value,)) == [(0,)], kind
            assert rows(c, f"select ?::{kind} as v", (value,)) == [(value,)], kind
            assert rows(c, f"select c{i} from t where c{i} = ?", (None,)) == [], kind
        assert rows(c, "select c0 + $1, $1 * 2 from t where c1 > $2 and c4 like $3", (1, 5, "t%")) == [(43, 2)]
        # Not to be rounded to the column's type.
        assert rows(c, "select count(*) from t where c0 > ?", (41.5,)) == [(1,)]
        assert rows(c, "select count(*) from t where c0 > ?", (42.5,)) == [(0,)]
        assert rows(c, "select count(*) from t where c3 < ?", (decimal.Decimal("12.345"),)) == [(1,)]


def test_prepared_statements_know_their_parameters():
    with Connection() as c:
        rows(c, "create table t (a integer, b varchar, d decimal(10,2), day date)")
        with c.cursor() as cursor:
            schema = cursor.adbc_prepare("select a from t where a = ? and b = ? and d < ? and day = ?")
            assert schema.types == [pa.int32(), pa.string(), pa.decimal128(10, 2), pa.date32()], schema
            assert cursor.adbc_execute_schema("select a, d from t").types == [pa.int32(), pa.decimal128(10, 2)]
            cursor.execute("insert into t values (?, ?, ?, ?)", (1, "x", decimal.Decimal("1.50"), datetime.date(2020, 1, 1)))
            assert cursor.rowcount in (1, -1)
        assert rows(c, "select b from t where a = ?", (1,)) == [("x",)]


def test_updates_tell_how_many():
    with Connection() as c:
        with c.cursor() as cursor:
            cursor.execute("create table t (a integer)")
            cursor.executemany("insert into t values (?)", [(i,) for i in range(100)])
            assert cursor.rowcount == 100, cursor.rowcount
        assert rows(c, "select count(*), sum(a) from t") == [(100, 4950)]


def test_metadata():
    with make_data() as folder, Connection("--data", folder) as c:
        info = c.adbc_get_info()
        assert info["vendor_name"] == "Arbalest" and info["vendor_version"] == "0.1"
        rows(c, "create view v as select o_key as k from orders")
        rows(c, "create table keyed (a integer primary key, b varchar)")
        rows(c, "create schema other")
        rows(c, "create table other.t (a integer)")
        objects = c.adbc_get_objects(depth="all").read_all().to_pylist()
        assert [o["catalog_name"] for o in objects] == ["arbalest"]
        schemas = {s["db_schema_name"]: {t["table_name"]: t for t in s["db_schema_tables"]} for s in objects[0]["catalog_db_schemas"]}
        assert set(schemas) == {"main", "other"} and set(schemas["other"]) == {"t"}
        assert set(schemas["main"]) == {"orders", "lines", "v", "keyed"}
        assert schemas["main"]["v"]["table_type"] == "VIEW"
        assert [x["column_name"] for x in schemas["main"]["v"]["table_columns"]] == ["k"]
        assert [x["column_name"] for x in schemas["main"]["lines"]["table_columns"]] == ["l_order", "l_price", "l_comment"]
        some = c.adbc_get_objects(depth="tables", table_name_filter="l_n%", table_types_filter=["TABLE"]).read_all().to_pylist()
        found = [t["table_name"] for s in some[0]["catalog_db_schemas"] for t in s["db_schema_tables"]]
        assert found == ["lines"], found
        assert c.adbc_get_table_schema("orders").names == ["o_key", "o_date", "o_state"]
        assert c.adbc_get_table_types() == ["TABLE", "VIEW"]
        expect_fails(Exception, "", c.adbc_get_table_schema, "nowhere")


def test_errors():
    with Connection() as c:
        expect_fails(Exception, "syntax error", rows, c, "selec")
        expect_fails(Exception, "nowhere", rows, c, "select * from nowhere")
        expect_fails(Exception, "division by zero", rows, c, "select 1 / (i - 500) from generate_series(1, 1000) s(i)")
        expect_fails(Exception, "integer", rows, c, "select 1 where 1 = ?", ("one",))
        assert rows(c, "select 1") == [(1,)]


def test_cancelling():
    with Connection("--workers", 2) as c:
        with c.cursor() as cursor:
            threading.Timer(0.5, cursor.adbc_cancel).start()
            before = time.monotonic()
            expect_fails(Exception, "(?i)cancel", lambda: cursor.execute(LONG).fetchall())
            assert time.monotonic() - before < 10
        assert rows(c, "select 1") == [(1,)]


def test_login():
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write(f"anna:{yescrypt('secret')}\n")
        file.flush()
        with Server(PROGRAM, "--users-file", file.name) as server:
            known = {"username": "anna", "password": "secret"}
            with dbapi.connect(server.url, db_kwargs=known, autocommit=True) as c:
                rows(c, "set time_zone = 'Asia/Tokyo'")
                assert rows(c, "show time_zone") == [("Asia/Tokyo",)]
            for wrong in ({}, {**known, "password": "x"}):
                def connect(wrong=wrong):
                    with dbapi.connect(server.url, db_kwargs=wrong, autocommit=True) as c:
                        rows(c, "select 1")
                expect_fails(Exception, "log in first|wrong", connect)


def test_a_result_that_is_left():
    with Connection("--workers", 1, "--window", 100000) as c:
        for _ in range(3):
            with c.cursor() as cursor:
                cursor.execute("select * from generate_series(1, 1000000000) s(i)")
                assert cursor.fetchone() == (1,)
        assert rows(c, "select 1") == [(1,)]


if __name__ == "__main__":
    sys.exit(sql_server.main(globals(), sys.argv[3:]))
