import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

/**
 * The smallest product in Java. server.jar is made of it:
 * javac --release 17 Server.java && jar --create --file server.jar --main-class Server --date 2026-01-01T00:00:00Z *.class
 */
public class Server {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", exchange -> {
            boolean known = exchange.getRequestURI().getPath().equals("/health");
            byte[] body = ("{\"runtime\": \"java " + Runtime.version() + "\"}").getBytes();
            exchange.sendResponseHeaders(known ? 200 : 404, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
