import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Desk } from "../../../../src/web/page/desk.ts";
import { FakeClock } from "../../../support/clock.ts";
import { accessFile, fileProver, sha256 } from "../../../support/guarded.ts";
import { NOON, seen, take } from "../../../support/history.ts";
import { Contract } from "../../../support/openapi.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";
import { snippetsOf } from "../../../support/snippets.ts";

/** What docs/api.md shows works as it stands there: in a shell, by curl, with a token. */
const examples = new Map(
  snippetsOf("api.md")
    .filter(({ language }) => language === "sh")
    .map(({ heading, text }) => [heading, text]),
);

const EVENT = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.17a1", namespace: "shop", uid: "u" },
  involvedObject: { kind: "Pod", name: "web", namespace: "shop" },
  type: "Warning",
  reason: "BackOff",
  message: "Back-off",
  lastTimestamp: "2026-11-20T11:00:00Z",
};

const haveCurl = (() => {
  try {
    execFileSync("curl", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

async function aSite(): Promise<PageSite> {
  const token = `tokens: [{ name: ann, sha256: ${sha256("secret")}, namespaces: ["*"], may: [read, change] }]`;
  const prover = fileProver(accessFile(token), new FakeClock("2026-11-20T12:00:00Z"));
  let site: PageSite | null = null;
  const delivery: Desk["delivery"] = async (id) =>
    site?.history.deliveries({ state: "dead" }).find((one) => one.id === id) ?? null;
  site = await aPageSite({ delivery }, { tokens: [prover], proxy: null, open: false });
  await take(site, [seen(1, NOON - 60_000)], ["ops"]);
  site.outbox.settle("d1", { kind: "dead", at: NOON, counted: true, reason: "auth", detail: "no" });
  site.outbox.written();
  return site;
}

/** A shell in which the examples run: with a kubectl that prints one Event, for it is not kubectl that is tested. */
function shell(site: PageSite): NodeJS.ProcessEnv {
  const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-examples-"));
  const kubectl = path.join(folder, "kubectl");
  writeFileSync(kubectl, `#!/bin/sh\ncat <<'EOF'\n${JSON.stringify(EVENT)}\nEOF\n`);
  chmodSync(kubectl, 0o755);
  return {
    PATH: `${folder}:${process.env["PATH"] ?? ""}`,
    HOME: folder,
    PAGE: site.url,
    TOKEN: "secret",
    ID: "d1",
    EVENT: "web.17a1",
  };
}

function run(script: string, env: NodeJS.ProcessEnv) {
  const child = spawn("bash", ["-c", script], { env, detached: true });
  const end = () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid);
  };
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) end();
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (stdout += part));
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { closed, end, text: () => stdout };
}

describe.skipIf(!haveCurl)("docs/api.md (apt-get install curl)", () => {
  it("has an example of each kind of call", () => {
    expect([...examples.keys()]).toEqual(
      expect.arrayContaining([
        "GET /api/v1/events",
        "GET /api/v1/tail",
        "POST /api/v1/deliveries/{id}/retry",
        "POST /api/v1/explain",
        "POST /api/v1/templates/preview",
      ]),
    );
  });

  it.each(
    [...examples].filter(([heading]) => heading.includes("/api/v1/") && !heading.endsWith("/tail")),
  )("%s is answered as it is described", async (heading, script) => {
    const site = await aSite();
    const { closed, text } = run(script, shell(site));
    expect([await closed, text()]).toEqual([0, expect.anything()]);
    const [method = "", template = ""] = heading.split(" ");
    const body = text();
    const status = body === "" ? 204 : 200;
    const headers = new Headers({ "content-type": "application/json" });
    const answer = { status, headers, body };
    expect(new Contract().problems(method, template.replace("{id}", "d1"), answer)).toEqual([]);
  });

  it("GET /api/v1/tail prints what arrives while it arrives, and goes on from where it was", async () => {
    const site = await aSite();
    const env = shell(site);
    const script = examples.get("GET /api/v1/tail") ?? "";
    const first = run(script, env);
    await expect.poll(first.text).toContain(": following\n\n");
    // Where now is was asked: what comes from here on is shown.
    await expect.poll(() => site.clock.sleeping).toBeGreaterThan(0);
    await take(site, [seen(2, NOON, { reason: "Killing" }), seen(3, NOON, { type: "Normal" })]);
    await site.clock.advance(500);
    await expect.poll(first.text).toMatch(/^data: .*"Killing".*\n\n/m);
    expect(first.text()).not.toContain('"Normal"');
    const id = /^id: (\d+)$/m.exec(first.text())?.[1] ?? "";
    first.end();
    await first.closed;

    await take(site, [seen(4, NOON, { reason: "Evicted" })]);
    const again = run(`${script} -H "Last-Event-ID: ${id}"`, env);
    await expect
      .poll(async () => {
        await site.clock.advance(500);
        return again.text();
      })
      .toMatch(/^data: .*"Evicted".*\n\n/m);
    again.end();
    await again.closed;
  });
});
