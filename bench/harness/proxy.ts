import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";

/** Where the API server is, and by what it is asked. */
export interface Upstream {
  readonly server: string;
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  readonly token?: string | undefined;
}

export interface WatchProxy {
  /** For the program that is measured: it leads here, by TLS. */
  readonly kubeconfig: string;
  /** When the API server answered a watch of Events with 200, in milliseconds since the epoch. */
  readonly watches: readonly number[];
  /** Resolves with the next of them. */
  next(): Promise<number>;
  close(): Promise<void>;
}

/** Stands before an API server and sees when a watch is established: the moment its answer begins. Its certificate is made in `dir`. */
export async function watchProxy(upstream: Upstream, dir: string): Promise<WatchProxy> {
  const [key, cert] = ["proxy.key", "proxy.crt"].map((name) => path.join(dir, name));
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["-keyout", key ?? "", "-out", cert ?? ""];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", ...subject, ...made],
    { stdio: "ignore" },
  );
  const tls = { key: readFileSync(key ?? ""), cert: readFileSync(cert ?? "") };
  const { server: base, ca, cert: client, key: clientKey, token } = upstream;
  const agent = new https.Agent({ keepAlive: true, ca, cert: client, key: clientKey });
  const watches: number[] = [];
  let waiting: ((at: number) => void)[] = [];
  const established = () => {
    watches.push(Date.now());
    for (const resolve of waiting) resolve(watches.at(-1) ?? 0);
    waiting = [];
  };
  const open = new Set<Duplex>();
  const proxy = https.createServer(tls, (request, response) => {
    const url = new URL(request.url ?? "/", base);
    const isWatch = /^(1|t|true)$/i.test(url.searchParams.get("watch") ?? "");
    const { authorization: _, host: __, ...headers } = request.headers;
    const options = {
      ...(url.protocol === "https:" ? { agent } : {}),
      method: request.method,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    };
    const asked = (url.protocol === "https:" ? https : http).request(url, options, (answer) => {
      if (isWatch && url.pathname.endsWith("/events") && answer.statusCode === 200) established();
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    asked.on("error", () => response.destroy());
    response.on("close", () => asked.destroy());
    request.pipe(asked);
  });
  proxy.on("connection", (socket: Duplex) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const kubeconfig = path.join(dir, "proxy.kubeconfig");
  writeFileSync(kubeconfig, kubeconfigOf(`https://127.0.0.1:${port}`, tls.cert));
  return {
    kubeconfig,
    watches,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      for (const socket of open) socket.destroy();
      agent.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

function kubeconfigOf(server: string, ca: Buffer): string {
  return `${JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "proxy",
      clusters: [
        {
          name: "proxy",
          cluster: { server, "certificate-authority-data": ca.toString("base64") },
        },
      ],
      users: [{ name: "proxy", user: { token: "none" } }],
      contexts: [{ name: "proxy", context: { cluster: "proxy", user: "proxy" } }],
    },
    null,
    1,
  )}\n`;
}
