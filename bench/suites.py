"""What is measured: for each suite its cases, made of TPC-H's tables."""
import pathlib

from rounds import Case

HERE = pathlib.Path(__file__).resolve().parent


def tpch():
    return [Case(path.stem.lstrip("q"), path.read_text()) for path in sorted((HERE / "tpch").glob("q*.sql"))]


def planning():
    """EXPLAIN alone: what a query costs before its first row."""
    return [Case(case.name, f"EXPLAIN {case.ours}", is_query=False) for case in tpch()]


def parquet(folder):
    """Each column read to its end, in a way that no statistics answer."""
    numbers = {"lineitem": "l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax",
               "orders": "o_orderkey o_custkey o_totalprice"}
    dates = {"lineitem": "l_shipdate l_commitdate l_receiptdate", "orders": "o_orderdate"}
    texts = {"lineitem": "l_returnflag l_linestatus l_shipinstruct l_shipmode l_comment",
             "orders": "o_orderstatus o_orderpriority o_clerk o_comment"}
    ways = ((numbers, "SELECT sum({0}) FROM {1}"), (dates, "SELECT count(*) FROM {1} WHERE {0} <> DATE '1995-06-17'"),
            (texts, "SELECT sum(length({0})) FROM {1}"))
    cases = [Case(name, query.format(name, table)) for columns, query in ways for table, names in columns.items()
             for name in names.split()]
    return [*cases, Case("filter", "SELECT sum(l_tax) FROM lineitem WHERE l_comment LIKE '%special%' AND l_shipmode = 'AIR'"),
            Case("all columns", "SELECT count(*) FROM (SELECT * FROM lineitem) l WHERE l_orderkey + l_partkey + l_suppkey + l_linenumber "
                                "+ l_quantity + l_extendedprice + l_discount + l_tax > 0 AND length(l_comment) + length(l_shipmode) > 0"),
            Case("write", f"COPY lineitem TO '{folder}/ours.parquet'", f"COPY lineitem TO '{folder}/theirs.parquet' (FORMAT parquet)",
                 is_query=False)]


def csv(path):
    ours, theirs = f"'{path}'", f"read_csv('{path}')"
    queries = {"count": "SELECT count(*) FROM {}",
               "filter": "SELECT count(*) FROM {} WHERE l_shipdate < DATE '1993-01-01' AND l_comment LIKE '%express%'",
               "one column": "SELECT sum(l_extendedprice) FROM {}",
               "aggregate": "SELECT l_returnflag, l_linestatus, count(*), sum(l_quantity), avg(l_extendedprice) FROM {} "
                            "GROUP BY l_returnflag, l_linestatus",
               "all columns": "SELECT " + ", ".join(f"max({c})" for c in (
                   "l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax l_returnflag "
                   "l_linestatus l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment").split()) + " FROM {}"}
    return [Case(name, query.format(ours), query.format(theirs)) for name, query in queries.items()]


def sort(rows):
    """The last few rows: all are sorted, and hardly any written."""
    last = f"LIMIT 5 OFFSET {rows - 5}"
    orders = {"one number": ("l_extendedprice", "l_extendedprice"),
              "two numbers": ("l_partkey, l_extendedprice", "l_partkey, l_extendedprice DESC"),
              "dates": ("l_shipdate, l_orderkey", "l_shipdate DESC, l_orderkey"),
              "few texts": ("l_shipmode, l_orderkey", "l_shipmode, l_orderkey"),
              "long texts": ("l_comment", "l_comment"),
              "whole rows": ("*", "l_shipdate, l_extendedprice")}
    return [Case(name, f"SELECT {what} FROM lineitem ORDER BY {order} {last}") for name, (what, order) in orders.items()]


def aggregate():
    def groups(keys, what="count(*)"):
        return f"SELECT count(*), sum(s) FROM (SELECT {keys}, {what} AS s FROM lineitem GROUP BY {keys}) g"
    return [Case("orders", groups("l_orderkey", "sum(l_quantity)")),
            Case("parts and suppliers", groups("l_partkey, l_suppkey", "sum(l_extendedprice)")),
            Case("every row", groups("l_orderkey, l_linenumber")),
            Case("long texts", groups("l_comment")),
            Case("texts and numbers", groups("l_shipmode, l_partkey")),
            Case("four aggregates", groups("l_partkey", "count(*) + sum(l_linenumber) + min(l_suppkey) + max(l_orderkey)")),
            Case("distinct numbers", "SELECT count(DISTINCT l_partkey), count(DISTINCT l_extendedprice) FROM lineitem"),
            Case("distinct in groups", "SELECT l_shipmode, count(DISTINCT l_suppkey) FROM lineitem GROUP BY l_shipmode"),
            Case("median in groups", "SELECT l_shipmode, median(l_extendedprice) FROM lineitem GROUP BY l_shipmode")]


def join():
    return [Case("key to key", "SELECT count(*) FROM orders JOIN lineitem ON o_orderkey = l_orderkey"),
            Case("with columns", "SELECT max(o_comment), sum(l_tax) FROM orders JOIN lineitem ON o_orderkey = l_orderkey"),
            Case("large build", "SELECT count(*), max(a.l_comment) FROM lineitem a JOIN lineitem b ON a.l_orderkey = b.l_orderkey "
                                "AND a.l_linenumber = b.l_linenumber"),
            Case("many to many", "SELECT count(*) FROM lineitem a JOIN lineitem b ON a.l_partkey = b.l_partkey AND a.l_tax < b.l_tax"),
            Case("long texts", "SELECT count(*) FROM orders JOIN lineitem ON o_comment = l_comment"),
            Case("left", "SELECT count(o_orderkey) FROM customer LEFT JOIN orders ON c_custkey = o_custkey AND o_totalprice > 100000"),
            Case("semi", "SELECT count(*) FROM orders WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem WHERE l_tax = 0.08)"),
            Case("anti", "SELECT count(*) FROM customer WHERE NOT EXISTS (SELECT 1 FROM orders WHERE o_custkey = c_custkey)"),
            Case("full", "SELECT count(*), count(c_custkey) FROM customer FULL JOIN orders ON c_custkey = o_custkey")]
