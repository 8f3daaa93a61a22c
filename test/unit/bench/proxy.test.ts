import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { watchProxy } from "../../../bench/harness/proxy.ts";

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
  }[];
}

/** An API server that answers lists at once, refuses the watch of secrets, and keeps that of Events open. */
async function before() {
  const asked: { readonly url: string; readonly authorization: string | undefined }[] = [];
  const server = http.createServer((request, response) => {
    asked.push({ url: request.url ?? "", authorization: request.headers.authorization });
    if (request.url?.includes("secrets")) {
      response.writeHead(403).end();
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    if (request.url?.includes("watch=")) response.write('{"type":"ADDED"}\n');
    else response.end('{"items":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-proxy-"));
  const proxy = await watchProxy({ server: `http://127.0.0.1:${port}`, token: "real" }, folder);
  onTestFinished(async () => {
    await proxy.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const config = JSON.parse(readFileSync(proxy.kubeconfig, "utf8")) as Kubeconfig;
  const { server: address = "", "certificate-authority-data": ca = "" } =
    config.clusters[0]?.cluster ?? {};
  const get = (url: string) =>
    new Promise<{ readonly status: number; readonly first: string }>((resolve, reject) => {
      const headers = { authorization: "Bearer none" };
      const options = { ca: Buffer.from(ca, "base64"), headers, agent: false };
      https
        .get(`${address}${url}`, options, (answer) => {
          answer.once("data", (chunk: Buffer) =>
            resolve({ status: answer.statusCode ?? 0, first: String(chunk) }),
          );
          answer.once("end", () => resolve({ status: answer.statusCode ?? 0, first: "" }));
          answer.on("error", () => undefined);
        })
        .on("error", reject);
    });
  return { proxy, asked, get };
}

it("a proxy before the API server sees when a watch of Events is established, and nothing else", async () => {
  const { proxy, asked, get } = await before();
  const started = Date.now();
  const next = proxy.next();
  expect(await get("/api/v1/events?limit=1")).toEqual({ status: 200, first: '{"items":[]}' });
  expect((await get("/api/v1/secrets?watch=1")).status).toBe(403);
  expect(proxy.watches).toEqual([]);
  expect(await get("/api/v1/events?resourceVersion=7&watch=true")).toEqual({
    status: 200,
    first: '{"type":"ADDED"}\n',
  });
  expect(proxy.watches).toHaveLength(1);
  expect(await next).toBe(proxy.watches[0]);
  expect(proxy.watches[0]).toBeGreaterThanOrEqual(started);
  expect(asked.map(({ url }) => url)).toEqual([
    "/api/v1/events?limit=1",
    "/api/v1/secrets?watch=1",
    "/api/v1/events?resourceVersion=7&watch=true",
  ]);
  expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(
    new Set(["Bearer real"]),
  );
});

it("such a proxy lets go of watches that are open when it is closed", async () => {
  const { proxy, get } = await before();
  await get("/apis/events.k8s.io/v1/namespaces/shop/events?watch=1");
  expect(proxy.watches).toHaveLength(1);
  await proxy.close();
  await expect(get("/api/v1/events")).rejects.toThrow("ECONNREFUSED");
});
