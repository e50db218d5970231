import java.math.BigDecimal;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/**
 * Runs the queries of a folder through the JDBC driver of Flight SQL. Arguments: the URL, the folder of .sql files, the folder where
 * each one's rows go, as .tsv: a row a line, NULL as \N, decimals without an exponent.
 */
public class TpchClient {
    static String text(Object value) {
        return value == null ? "\\N" : value instanceof BigDecimal d ? d.toPlainString() : value.toString();
    }

    static List<String> lines(ResultSet result) throws Exception {
        List<String> lines = new ArrayList<>();
        int count = result.getMetaData().getColumnCount();
        while (result.next()) {
            List<String> row = new ArrayList<>();
            for (int i = 1; i <= count; i++) {
                row.add(text(result.getObject(i)));
            }
            lines.add(String.join("\t", row));
        }
        return lines;
    }

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("useEncryption", "false");
        try (Connection connection = DriverManager.getConnection(arguments[0], properties);
             DirectoryStream<Path> queries = Files.newDirectoryStream(Path.of(arguments[1]), "*.sql")) {
            for (Path query : queries) {
                String name = query.getFileName().toString().replace(".sql", ".tsv");
                try (Statement statement = connection.createStatement();
                     ResultSet result = statement.executeQuery(Files.readString(query))) {
                    Files.write(Path.of(arguments[2], name), lines(result));
                }
            }
        }
    }
}
