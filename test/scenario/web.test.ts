import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeApiServer } from "../support/apiserver.ts";
import { Crier, crier } from "../support/crier.ts";
import { accessFile, sha256 } from "../support/guarded.ts";
import { temporaryDirectory } from "../support/ledger.ts";
import { ROOT } from "../support/manifests.ts";
import { kubeconfigFor } from "../support/source.ts";

/** The page beside probes and metrics, in a process as a user starts it. */
const EVENTS = `--source=file:${path.join(ROOT, "src/demo/events.jsonl")}`;
const ACCESS = `tokens: [{ name: grafana, sha256: ${sha256("s3cret-of-grafana")}, namespaces: ["*"], may: [read] }]\n`;
const MINUTES = 120_000;

let folder: string;
let server: FakeApiServer;
const started: Crier[] = [];

beforeEach(async () => {
  folder = temporaryDirectory();
  server = await FakeApiServer.start();
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.destroy()));
  await server.close();
});

const args = (...more: readonly string[]) => [
  "run",
  `--data-dir=${folder}`,
  "--sink=stdout:",
  ...more,
];

function start(...more: readonly string[]): Crier {
  const process = new Crier(args(...more));
  started.push(process);
  return process;
}

describe("the page of a process", () => {
  it(
    "has its own port: probes and metrics go on without authentication, and show no page",
    { timeout: MINUTES },
    async () => {
      const process = start(
        EVENTS,
        "--stay",
        "--listen=127.0.0.1:0",
        "--web-listen=127.0.0.1:0",
        `--web-access-file=${accessFile(ACCESS)}`,
      );
      const probes = await process.ready();
      const page = await process.page();
      expect(new URL(page).port).not.toBe(new URL(probes).port);
      for (const place of ["/livez", "/readyz", "/metrics", "/healthz"]) {
        expect((await fetch(`${probes}${place}`)).status).toBe(200);
        expect((await fetch(`${page}${place}`)).status).toBe(401);
      }
      for (const place of ["/", "/login", "/account", "/api/v1/whoami", "/api/v1/events"])
        expect((await fetch(`${probes}${place}`, { redirect: "manual" })).status).toBe(404);

      const entered = await fetch(`${page}/login`, {
        method: "POST",
        body: new URLSearchParams({ token: "s3cret-of-grafana" }),
        redirect: "manual",
      });
      const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
      const account = await fetch(`${page}/account`, { headers: { cookie } });
      expect(await account.text()).toContain("<dd>grafana</dd>");
      await fetch(`${page}/api/v1/whoami`, {
        headers: { authorization: "Bearer s3cret-of-mallory" },
      });
      const metrics = await (await fetch(`${probes}/metrics`)).text();

      process.kill("SIGTERM");
      expect(await process.ended()).toBe(0);
      const told = `${process.stdout}${process.stderr}${metrics}`;
      expect(told).toContain("audit: grafana login session: done");
      expect(told).not.toContain("s3cret");
      expect(told).not.toContain(cookie.split("=")[1] ?? "no cookie");
    },
  );

  it(
    "is not started where strangers could look: exit code 2, with what to set",
    { timeout: MINUTES },
    async () => {
      const { code, stderr } = await crier(args(EVENTS, "--web-listen=:0"));
      expect(code).toBe(2);
      expect(stderr).toContain(
        "--web-listen: can be reached from elsewhere, and nothing says who may look",
      );
      expect(stderr).toContain("webAccessFile; or listen on 127.0.0.1:0");
    },
  );

  it(
    "is not started with mistakes in the access file: exit code 2, with their places",
    { timeout: MINUTES },
    async () => {
      const file = accessFile(
        "tokens:\n  - name: grafana\n    sha256: hunter2\n    namespaces: [shop]\n    may: [read]\n",
      );
      const { code, stderr } = await crier(
        args(EVENTS, "--web-listen=127.0.0.1:0", `--web-access-file=${file}`),
      );
      expect(code).toBe(2);
      expect(stderr).toContain(`${file}:3:13`);
      expect(stderr).toContain("64 hex digits");
      expect(stderr).not.toContain("hunter2");
    },
  );

  it(
    "is not started without the right to ask the API server; check says so as well",
    { timeout: MINUTES },
    async () => {
      const kubernetes = `--source=kubernetes:?kubeconfig=${kubeconfigFor(server)}`;
      const denied = { kind: "SelfSubjectAccessReview", status: { allowed: false } };
      const answer = { status: 201, headers: {}, body: JSON.stringify(denied) };
      server.answer(answer, ({ path }) => path.endsWith("/selfsubjectaccessreviews"), 99);
      const { code, stderr } = await crier(args(kubernetes, "--web-listen=:0"));
      expect(code).toBe(2);
      expect(stderr).toContain("create is not allowed on tokenreviews.authentication.k8s.io");
      expect(stderr).toContain("apply deploy/kube-crier-web.yaml");
      const [, ...flags] = args(kubernetes, "--web-listen=:0");
      const checked = await crier(["check", ...flags]);
      expect(checked.code).toBe(2);
      expect(checked.stdout).toMatch(
        /^page +the API server says who sees what +cannot be served$/m,
      );
      const [, ...fine] = args(EVENTS, "--web-listen=127.0.0.1:0");
      const good = await crier(["check", ...fine]);
      expect(good.stdout).toMatch(
        /^page +without authentication, for this machine only +can be served$/m,
      );
      expect(good.code).toBe(0);
    },
  );
});
