import { livez, readyz, type HealthState } from "../web/health.ts";
import { Hono, listen, type Listening } from "../web/server.ts";

export interface ServePorts {
  readonly health: HealthState;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** A request could not be answered, for a fault of ours. */
  readonly failed: (detail: string) => void;
}

/** `/livez` (and `/healthz`, `/healtz`), `/readyz` and `/metrics`. @throws Error that says why the address cannot be had */
export function serve(
  address: { readonly host: string; readonly port: number },
  ports: ServePorts,
): Promise<Listening> {
  const app = new Hono();
  // Probes made for kube-eventer ask for /healthz, or for /healtz, as it spells its other one.
  for (const path of ["/livez", "/healthz", "/healtz"])
    app.get(path, (context) => {
      const { status, text } = livez();
      return context.text(text, status);
    });
  app.get("/readyz", (context) => {
    const { status, text } = readyz(ports.health);
    return context.text(text, status);
  });
  app.get("/metrics", async (context) =>
    context.body(await ports.metrics.text(), 200, { "content-type": ports.metrics.contentType }),
  );
  // Without a host Node takes IPv6 and IPv4, or IPv4 alone where the node has no IPv6.
  // Otherwise the stack would go to the log as it is.
  app.onError((error, context) => {
    ports.failed(`${context.req.path} could not be answered: ${error.message}`);
    return context.text("internal error\n", 500);
  });
  return listen({ host: address.host, port: address.port, app });
}
