import { livez, readyz, type HealthState } from "../web/health.ts";
import { listen, type Listening } from "../web/listen.ts";

export interface ServePorts {
  readonly health: HealthState;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** A request could not be answered, for a fault of ours. */
  readonly failed: (detail: string) => void;
}

interface Page {
  readonly status: number;
  readonly text: string;
  /** Plain text where none is given. */
  readonly type?: string;
}

const PLAIN = "text/plain; charset=UTF-8";
const NOT_FOUND: Page = { status: 404, text: "404 Not Found" };
const BROKEN: Page = { status: 500, text: "internal error\n" };

/** `/livez` (and `/healthz`, `/healtz`), `/readyz` and `/metrics`. @throws Error that says why the address cannot be had */
export function serve(
  address: { readonly host: string; readonly port: number },
  ports: ServePorts,
): Promise<Listening> {
  const { health, metrics, failed } = ports;
  const pages = new Map<string, () => Page | Promise<Page>>([
    ["/livez", livez],
    // Probes made for kube-eventer ask for /healthz, or for /healtz, as it spells its other one.
    ["/healthz", livez],
    ["/healtz", livez],
    ["/readyz", () => readyz(health)],
    [
      "/metrics",
      async () => ({ status: 200, text: await metrics.text(), type: metrics.contentType }),
    ],
  ]);
  const answer = async (method: string, path: string): Promise<Page> => {
    const page = method === "GET" || method === "HEAD" ? pages.get(path) : undefined;
    try {
      return page === undefined ? NOT_FOUND : await page();
    } catch (error) {
      failed(
        `${path} could not be answered: ${error instanceof Error ? error.message : String(error)}`,
      );
      return BROKEN;
    }
  };
  return listen(address, ({ method = "", url = "" }, response) => {
    const [path = ""] = url.split("?", 1);
    void answer(method, path).then(({ status, text, type = PLAIN }) =>
      response
        .writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) })
        .end(text),
    );
  });
}
