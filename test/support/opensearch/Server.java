import java.nio.file.Path;
import java.util.List;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.security.OpenSearchSecurityPlugin;

/**
 * One node of OpenSearch with its security plugin, out of the artifacts of pom.xml: the start script of the distribution is not among them, and
 * refuses to run as root. Says its port, and ends when its standard input does, so that it never outlives who started it.
 */
public final class Server {
  private static final class WithPlugins extends Node {
    WithPlugins(Environment environment, List<Class<? extends Plugin>> plugins) {
      super(environment, plugins, false);
    }
  }

  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Path config = home.resolve("config");
    Settings settings =
        Settings.builder()
            .loadFromPath(config.resolve("opensearch.yml"))
            .put("path.home", home.toString())
            .build();
    Node node = new WithPlugins(new Environment(settings, config), List.of(OpenSearchSecurityPlugin.class));
    node.start();
    HttpServerTransport http = node.injector().getInstance(HttpServerTransport.class);
    System.out.println("listens on " + http.boundAddress().publishAddress().getPort());
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}
