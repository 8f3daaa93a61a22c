import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import { type RunningSimulator, startSimulator } from "../../src/simulate/index.ts";
import { clusterControl, coreEvent, haveControl, kubeconfig, kubectl } from "../support/cluster.ts";
import { Crier, until } from "../support/crier.ts";
import { CuttableWay } from "../support/cuttable.ts";

/** What a real API server does with what was missed; needs KUBECONFIG and E2E_CLUSTER, see test/support/cluster.ts. */
const ended: (() => Promise<unknown>)[] = [];
let simulator: RunningSimulator;
let dir: string;
/** Longer than the longest wait between two tries, so that what is young is so still when it is listed. */
const MAX_AGE_MS = 35_000;
const run = `g${Date.now().toString(36)}`;

beforeEach(async () => {
  simulator = await startSimulator();
  dir = mkdtempSync(path.join(tmpdir(), "kube-crier-gap-"));
});

afterEach(async () => {
  for (const end of ended.splice(0)) await end();
  await simulator.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The kubeconfig, by way of something that can be cut. */
async function byWayOf(): Promise<{ readonly file: string; readonly way: CuttableWay }> {
  const text = readFileSync(kubeconfig, "utf8");
  const server = /https:\/\/127\.0\.0\.1:(\d+)/.exec(text);
  if (server === null) throw new Error("the kubeconfig names no API server of 127.0.0.1");
  const way = await CuttableWay.to(Number(server[1]));
  ended.push(() => way.close());
  const file = path.join(dir, "kubeconfig");
  writeFileSync(file, text.replaceAll(server[0], `https://127.0.0.1:${way.port}`));
  return { file, way };
}

async function create(count: number, name: string): Promise<void> {
  const items = Array.from({ length: count }, (_, index): unknown =>
    JSON.parse(coreEvent(`${run}-${name}-${index}`, { message: `message of ${name}-${index}` })),
  );
  const list = { apiVersion: "v1", kind: "List", items };
  await kubectl(["create", "-f", "-"], JSON.stringify(list));
}

describe.skipIf(!haveControl)("cut off from a real cluster that forgets meanwhile", () => {
  it("says between when, how many it found again, and sends only what is young singly", async () => {
    const { file, way } = await byWayOf();
    const crier = new Crier(
      [
        "run",
        `--source=kubernetes:?kubeconfig=${file}&namespaces=shop`,
        `--data-dir=${dir}`,
        "--listen=127.0.0.1:0",
        "--cluster-name=prod-a",
        `--max-age=${MAX_AGE_MS / 1000}s`,
        `--names=web-7d4b9c`,
        `--sink=dingtalk:${simulator.webhook("dingtalk", "ops")}&lang=zh`,
        `--sink=wecom:${simulator.webhook("wecom", "ops")}`,
      ],
      { env: { KUBECONFIG: "" } },
    );
    ended.push(() => crier.destroy());
    const url = await crier.ready();
    // Whatever earlier tests left would tell that nothing is forgotten.
    await kubectl(["-n", "shop", "delete", "events", "--all"]);
    await create(1, "seen");
    await simulator.shown(2);

    way.cut();
    await kubectl(["-n", "shop", "delete", "events", "--all"]);
    await create(40, "old");
    // No Event is older than its object: so they have to grow old.
    const grown = Date.now() + MAX_AGE_MS;
    await clusterControl("force-410", "stale");
    await until(() => (Date.now() > grown ? true : undefined), "them to be old", 2 * MAX_AGE_MS);
    await create(3, "young");
    way.mend();

    const shown = await until(
      () => {
        const of = (robot: string) => simulator.messages(robot);
        const all = [of("dingtalk/ops"), of("wecom/ops")];
        return all.every((messages) => messages.length >= 6) ? all : undefined;
      },
      "six messages in each chat",
      60_000,
    );
    for (const messages of shown) {
      const text = messages.map((message) => `${message.title}\n${message.text}`).join("\n");
      expect(messages).toHaveLength(6);
      expect(text.match(/message of young-\d/g)?.toSorted()).toEqual(
        expect.arrayContaining(["message of young-0", "message of young-1", "message of young-2"]),
      );
      expect(text).not.toMatch(/message of old/);
      expect(text).toContain("resourceVersion");
    }
    const [zh = "", en = ""] = shown.map((messages) =>
      messages.map((message) => `${message.title}\n${message.text}`).join("\n"),
    );
    expect(zh).toMatch(/⚪ 事件缺失 \d\d:\d\d–\d\d:\d\d · prod-a/);
    expect(zh).toContain("重新列出后找回 43 条，更早的未知。其中 40 条合并为一条汇总。");
    expect(zh).toContain("较早 40 条：shop BackOff 40 次");
    expect(en).toMatch(/⚪ Blind \d\d:\d\d–\d\d:\d\d · prod-a/);
    expect(en).toContain("43 recovered by a relist, older ones unknown. 40 of them come as one");
    expect(en).toContain("40 older: 40 × BackOff in shop");

    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const line of [
      'kube_crier_source_gaps_total{source="kubernetes",cause="expired"} 1',
      'kube_crier_source_gaps_total{source="kubernetes",cause="downtime"} 0',
      'kube_crier_source_recovered_total{source="kubernetes"} 43',
      'kube_crier_events_suppressed_total{reason="tooOld"} 40',
      "kube_crier_events_enqueued_total 4",
    ])
      expect(metrics).toContain(line);
    crier.kill("SIGTERM");
    await crier.ended();
    const history = openHistory(dir, "read");
    const rows = history.events({ limit: 1_000 });
    history.close();
    expect(rows.filter(({ suppressed }) => suppressed === "tooOld")).toHaveLength(40);
    expect(
      rows.filter(({ event }) => event.reason === "HistoryGap").map(({ event }) => event.message),
    ).toEqual([
      expect.stringContaining("43 recovered by a relist (40 of them too old to be told singly)"),
      expect.stringContaining("the first start, or the ledger was lost"),
    ]);
  }, 240_000);
});
