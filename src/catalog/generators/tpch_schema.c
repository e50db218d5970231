/* The tables and columns of TPC-H, in the specification's order. */
#include "catalog/generators/tpch_internal.h"

/* clang-format off */
#define COLUMN(title, ...) {.name = {title, sizeof(title) - 1}, __VA_ARGS__}
#define INT64(title) COLUMN(title, .type = ARB_TPCH_INT64)
#define INT32(title) COLUMN(title, .type = ARB_TPCH_INT32)
#define DECIMAL(title) COLUMN(title, .type = ARB_TPCH_DECIMAL)
#define DATE(title) COLUMN(title, .type = ARB_TPCH_DATE)
#define WORD(title, list) COLUMN(title, .type = ARB_TPCH_WORD, .words = &arb_tpch_##list)
#define TEXT(title, bytes) COLUMN(title, .type = ARB_TPCH_TEXT, .text_bytes_max = (bytes))
#define COMMENT(title, average) TEXT(title, ARB_TPCH_SIZE_MAX(average))
/* clang-format on */

static const arb_tpch_column region[] = {
    INT64("r_regionkey"),
    WORD("r_name", regions),
    COMMENT("r_comment", ARB_TPCH_REGION_COMMENT),
};

static const arb_tpch_column nation[] = {
    INT64("n_nationkey"),
    WORD("n_name", nations),
    INT64("n_regionkey"),
    COMMENT("n_comment", ARB_TPCH_NATION_COMMENT),
};

static const arb_tpch_column supplier[] = {
    INT64("s_suppkey"),
    TEXT("s_name", sizeof "Supplier#000000000"),
    TEXT("s_address", ARB_TPCH_SIZE_MAX(ARB_TPCH_ADDRESS)),
    INT64("s_nationkey"),
    TEXT("s_phone", ARB_TPCH_PHONE_BYTES),
    DECIMAL("s_acctbal"),
    COMMENT("s_comment", ARB_TPCH_SUPPLIER_COMMENT),
};

static const arb_tpch_column customer[] = {
    INT64("c_custkey"),
    TEXT("c_name", sizeof "Customer#000000000"), /* one more than it says: keys have ten digits at large scales */
    TEXT("c_address", ARB_TPCH_SIZE_MAX(ARB_TPCH_ADDRESS)),
    INT64("c_nationkey"),
    TEXT("c_phone", ARB_TPCH_PHONE_BYTES),
    DECIMAL("c_acctbal"),
    WORD("c_mktsegment", segments),
    COMMENT("c_comment", ARB_TPCH_CUSTOMER_COMMENT),
};

static const arb_tpch_column part[] = {
    INT64("p_partkey"),
    TEXT("p_name", ARB_TPCH_PART_NAME_BYTES),
    WORD("p_mfgr", manufacturers),
    WORD("p_brand", brands),
    WORD("p_type", part_types),
    INT32("p_size"),
    WORD("p_container", containers),
    DECIMAL("p_retailprice"),
    COMMENT("p_comment", ARB_TPCH_PART_COMMENT),
};

static const arb_tpch_column partsupp[] = {
    INT64("ps_partkey"),
    INT64("ps_suppkey"),
    INT32("ps_availqty"),
    DECIMAL("ps_supplycost"),
    COMMENT("ps_comment", ARB_TPCH_PARTSUPP_COMMENT),
};

static const arb_tpch_column orders[] = {
    INT64("o_orderkey"),
    INT64("o_custkey"),
    WORD("o_orderstatus", order_states),
    DECIMAL("o_totalprice"),
    DATE("o_orderdate"),
    WORD("o_orderpriority", priorities),
    TEXT("o_clerk", sizeof "Clerk#000000000"),
    INT32("o_shippriority"),
    COMMENT("o_comment", ARB_TPCH_ORDERS_COMMENT),
};

static const arb_tpch_column lineitem[] = {
    INT64("l_orderkey"),
    INT64("l_partkey"),
    INT64("l_suppkey"),
    INT32("l_linenumber"),
    DECIMAL("l_quantity"),
    DECIMAL("l_extendedprice"),
    DECIMAL("l_discount"),
    DECIMAL("l_tax"),
    WORD("l_returnflag", return_flags),
    WORD("l_linestatus", line_states),
    DATE("l_shipdate"),
    DATE("l_commitdate"),
    DATE("l_receiptdate"),
    WORD("l_shipinstruct", instructions),
    WORD("l_shipmode", ship_modes),
    COMMENT("l_comment", ARB_TPCH_LINEITEM_COMMENT),
};

#define TABLE(columns, unit_rows)                                                  \
    {                                                                              \
        {#columns, sizeof #columns - 1}, columns, ARB_COUNT_OF(columns), unit_rows \
    }

const arb_tpch_table arb_tpch_tables[ARB_TPCH_TABLE_COUNT] = {
    [ARB_TPCH_REGION] = TABLE(region, 1),     [ARB_TPCH_NATION] = TABLE(nation, 1),
    [ARB_TPCH_SUPPLIER] = TABLE(supplier, 1), [ARB_TPCH_CUSTOMER] = TABLE(customer, 1),
    [ARB_TPCH_PART] = TABLE(part, 1),         [ARB_TPCH_PARTSUPP] = TABLE(partsupp, ARB_TPCH_PART_SUPPLIERS),
    [ARB_TPCH_ORDERS] = TABLE(orders, 1),     [ARB_TPCH_LINEITEM] = TABLE(lineitem, ARB_TPCH_LINES_MAX),
};
