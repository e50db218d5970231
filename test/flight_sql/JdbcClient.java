import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

/** Flight SQL through its JDBC driver, as database tools use it. Arguments: the URL. Each method that begins with test is one test. */
public class JdbcClient {
    static String url;

    interface Body {
        void run(Connection c) throws Exception;
    }

    static Connection connect() throws SQLException {
        Properties properties = new Properties();
        properties.put("useEncryption", "false");
        return DriverManager.getConnection(url, properties);
    }

    static void check(boolean right, Object what) {
        if (!right) {
            throw new AssertionError(String.valueOf(what));
        }
    }

    static void same(Object expected, Object got) {
        boolean equal = expected instanceof byte[] ? Arrays.equals((byte[]) expected, (byte[]) got)
                                                   : expected == null ? got == null : expected.equals(got);
        check(equal, "expected " + expected + ", got " + got);
    }

    static List<List<Object>> rows(ResultSet result) throws SQLException {
        List<List<Object>> rows = new ArrayList<>();
        int count = result.getMetaData().getColumnCount();
        while (result.next()) {
            List<Object> row = new ArrayList<>();
            for (int i = 1; i <= count; i++) {
                row.add(result.getObject(i));
            }
            rows.add(row);
        }
        result.close();
        return rows;
    }

    static List<String> strings(ResultSet result, String column) throws SQLException {
        List<String> values = new ArrayList<>();
        while (result.next()) {
            values.add(result.getString(column));
        }
        result.close();
        return values;
    }

    static void testStatements(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            same(0, Math.max(0, s.executeUpdate("create table t (a integer primary key, b varchar)")));
            same(2, s.executeUpdate("insert into t values (1, 'one'), (2, null)"));
            same("[[1, one], [2, null]]", rows(s.executeQuery("select a, b from t order by a")).toString());
            check(s.execute("select count(*) as n from t"), "a query has a result");
            try (ResultSet r = s.getResultSet()) {
                check(r.next(), "a row");
                same(2L, r.getLong("n"));
                check(!r.next(), "one row");
            }
            check(!s.execute("insert into t values (3, 'three')"), "an update has none");
            same(3, rows(s.executeQuery("select * from t")).size());
            int count = 0;
            try (ResultSet r = s.executeQuery("select i from generate_series(1, 200000) s(i)")) {
                while (r.next()) {
                    same((long) ++count, r.getLong(1));
                }
            }
            same(200000, count);
        }
    }

    static void testTypes(Connection c) throws Exception {
        try (Statement s = c.createStatement();
             ResultSet r = s.executeQuery("select true as o, 1::tinyint as t, 2::smallint as s, 3 as i, 4::bigint as b, 1.5::real as f, "
                                          + "2.5::double as d, 1.25 as p, 'text' as v, '\\x00ff'::blob as x, date '2020-02-29' as day, "
                                          + "timestamp '2020-02-29 12:34:56.789' as ts, null::integer as n")) {
            check(r.next(), "a row");
            same(true, r.getBoolean("o"));
            same((byte) 1, r.getByte("t"));
            same((short) 2, r.getShort("s"));
            same(3, r.getInt("i"));
            same(4L, r.getLong("b"));
            same(1.5f, r.getFloat("f"));
            same(2.5, r.getDouble("d"));
            same(new BigDecimal("1.25"), r.getBigDecimal("p"));
            same("text", r.getString("v"));
            same(new byte[] {0, (byte) 255}, r.getBytes("x"));
            same("2020-02-29", r.getDate("day").toLocalDate().toString());
            check(r.getObject("n") == null && r.wasNull(), "NULL");
            ResultSetMetaData m = r.getMetaData();
            same(Types.DECIMAL, m.getColumnType(8));
            same(Types.VARCHAR, m.getColumnType(9));
            same("o", m.getColumnLabel(1));
        }
    }

    static void testParameters(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.executeUpdate("create table p (i integer, b bigint, d double, m decimal(10,2), v varchar, o boolean, day date, "
                            + "ts timestamp, x blob)");
        }
        Date day = Date.valueOf("2020-02-29");
        Timestamp time = Timestamp.valueOf("2020-02-29 12:34:56");
        try (PreparedStatement s = c.prepareStatement("insert into p values (?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            same(9, s.getParameterMetaData().getParameterCount());
            same(Types.INTEGER, s.getParameterMetaData().getParameterType(1));
            s.setInt(1, 42);
            s.setLong(2, 1L << 40);
            s.setDouble(3, 2.5);
            s.setBigDecimal(4, new BigDecimal("12.34"));
            s.setString(5, "täxt");
            s.setBoolean(6, true);
            s.setDate(7, day);
            s.setTimestamp(8, time);
            s.setBytes(9, new byte[] {0, (byte) 255});
            same(1, s.executeUpdate());
            for (int i = 1; i <= 9; i++) {
                s.setNull(i, s.getParameterMetaData().getParameterType(i));
            }
            same(1, s.executeUpdate());
        }
        String[] columns = {"i", "b", "d", "m", "v", "o"};
        Object[] values = {42, 1L << 40, 2.5, new BigDecimal("12.34"), "täxt", true};
        for (int i = 0; i < columns.length; i++) {
            try (PreparedStatement s = c.prepareStatement("select " + columns[i] + " from p where " + columns[i] + " = ?")) {
                s.setObject(1, values[i]);
                List<List<Object>> found = rows(s.executeQuery());
                same(1, found.size());
                same(values[i], found.get(0).get(0));
            }
        }
        try (PreparedStatement s = c.prepareStatement("select v from p where day = ? and x = ?")) {
            s.setDate(1, day);
            s.setBytes(2, new byte[] {0, (byte) 255});
            same("[[täxt]]", rows(s.executeQuery()).toString());
        }
        try (PreparedStatement s = c.prepareStatement("select i from p where i is null or i > ?")) {
            s.setInt(1, 41);
            same(2, rows(s.executeQuery()).size());
            s.setInt(1, 42);
            same(1, rows(s.executeQuery()).size());
        }
    }

    static void testBatches(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.executeUpdate("create table n (a integer, b varchar)");
        }
        try (PreparedStatement s = c.prepareStatement("insert into n values (?, ?)")) {
            for (int i = 0; i < 100; i++) {
                s.setInt(1, i);
                s.setString(2, "row " + i);
                s.addBatch();
            }
            s.executeBatch();
        }
        try (Statement s = c.createStatement()) {
            same("[[100, 4950]]", rows(s.executeQuery("select count(*), sum(a) from n")).toString());
        }
    }

    static void testMetadata(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.executeUpdate("create table k (a integer, b varchar, m decimal(10,2), primary key (a, b))");
            s.executeUpdate("create view w as select a from k");
            s.executeUpdate("create schema other");
        }
        DatabaseMetaData m = c.getMetaData();
        same("Arbalest", m.getDatabaseProductName());
        same("0.1", m.getDatabaseProductVersion());
        same("\"", m.getIdentifierQuoteString());
        same("[arbalest]", strings(m.getCatalogs(), "TABLE_CAT").toString());
        same("[main, other]", strings(m.getSchemas(), "TABLE_SCHEM").toString());
        same("[TABLE, VIEW]", strings(m.getTableTypes(), "TABLE_TYPE").toString());
        same("[k]", strings(m.getTables(null, "main", "k%", new String[] {"TABLE"}), "TABLE_NAME").toString());
        same("[w]", strings(m.getTables("arbalest", "%", "%", new String[] {"VIEW"}), "TABLE_NAME").toString());
        check(strings(m.getTables(null, null, "%", null), "TABLE_NAME").containsAll(List.of("k", "w")), "all tables");
        try (ResultSet r = m.getColumns(null, "main", "k", "%")) {
            List<String> found = new ArrayList<>();
            while (r.next()) {
                found.add(r.getString("COLUMN_NAME") + " " + r.getInt("DATA_TYPE") + " " + r.getString("TYPE_NAME") + " "
                          + r.getInt("ORDINAL_POSITION"));
            }
            same("[a 4 integer 1, b 12 varchar 2, m 3 decimal(10,2) 3]", found.toString());
        }
        same("[a]", strings(m.getColumns(null, null, "w", null), "COLUMN_NAME").toString());
        same("[a, b]", strings(m.getPrimaryKeys(null, "main", "k"), "COLUMN_NAME").toString());
        same("[]", strings(m.getImportedKeys(null, "main", "k"), "FKTABLE_NAME").toString());
        same("[]", strings(m.getExportedKeys(null, "main", "k"), "FKTABLE_NAME").toString());
        same("[]", strings(m.getCrossReference(null, "main", "k", null, "main", "w"), "FKTABLE_NAME").toString());
        m.getTypeInfo().close(); // the driver does not ask the server for them
        check(m.getSQLKeywords().contains("QUALIFY"), m.getSQLKeywords());
        check(m.getNumericFunctions().contains("abs") && m.getStringFunctions().contains("upper")
                  && m.getTimeDateFunctions().contains("date_trunc"), "functions");
        check(!m.supportsTransactions() && m.supportsGroupBy() && m.supportsFullOuterJoins() && m.supportsUnionAll()
                  && m.supportsCorrelatedSubqueries() && m.supportsColumnAliasing(),
              "what is offered");
        same("false true", m.isReadOnly() + " " + m.isCatalogAtStart());
        same("schema", m.getSchemaTerm());
        m.getMaxColumnNameLength();
        m.getDefaultTransactionIsolation();
        m.supportsResultSetType(ResultSet.TYPE_FORWARD_ONLY);
        m.supportsConvert();
        m.supportsBatchUpdates();
        m.getExtraNameCharacters();
        m.getSearchStringEscape();
        m.getSystemFunctions();
        m.getMaxStatements();
    }

    static void testErrors(Connection c) throws Exception {
        for (String sql : new String[] {"selec", "select * from nowhere", "select 1 / 0"}) {
            try (Statement s = c.createStatement()) {
                rows(s.executeQuery(sql));
                throw new AssertionError(sql + " has to fail");
            } catch (SQLException expected) {
                check(expected.getMessage() != null, sql);
            }
        }
        try (Statement s = c.createStatement()) {
            same("[[1]]", rows(s.executeQuery("select 1")).toString());
        }
    }

    static void testSessions(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.execute("set time_zone = 'Asia/Tokyo'");
            same("[[Asia/Tokyo]]", rows(s.executeQuery("show time_zone")).toString());
        }
    }

    public static void main(String[] arguments) throws Exception {
        url = arguments[0];
        int passed = 0, failed = 0;
        for (java.lang.reflect.Method method : JdbcClient.class.getDeclaredMethods()) {
            if (!method.getName().startsWith("test")) {
                continue;
            }
            try (Connection c = connect()) {
                method.invoke(null, c);
                passed++;
            } catch (Throwable thrown) {
                Throwable why = thrown instanceof java.lang.reflect.InvocationTargetException ? thrown.getCause() : thrown;
                System.out.println("FAILED " + method.getName() + ": " + why);
                why.printStackTrace(System.out);
                failed++;
            }
        }
        System.out.println(passed + " passed, " + failed + " failed, 0 skipped");
        System.exit(failed == 0 ? 0 : 1);
    }
}
