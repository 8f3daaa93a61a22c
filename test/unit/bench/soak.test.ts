import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { localServer } from "../../../bench/soak/cluster.ts";
import { complaints, HEADING, row, settled, type Soaked } from "../../../bench/soak/judge.ts";
import { Receiver } from "../../../bench/soak/receiver.ts";
import { type Measured, measure, Record, sumOf } from "../../../bench/soak/sample.ts";
import { filledLedger } from "../../support/damage.ts";
import { startInbox } from "../../support/inbox.ts";

const folder = () => mkdtempSync(path.join(tmpdir(), "kube-crier-soak-test-"));

const samples = (minutes: number, of: (seconds: number) => Partial<Measured>): Measured[] =>
  Array.from({ length: minutes * 6 }, (_, index) => {
    const seconds = (index + 1) * 10;
    const rest = { ledger: 5, wal: 4, occurrences: seconds, deliveries: seconds * 2, pending: 0 };
    return { seconds, rss: 95, anon: 45, heap: 30, fds: 27, ...rest, ...of(seconds) };
  });

const good: Soaked = {
  samples: samples(120, () => ({})),
  created: 1_000,
  accounts: [
    { sink: "/well", lost: 0, twice: 0 },
    { sink: "/unwell", lost: 0, twice: 0 },
  ],
  dead: 0,
  pending: 0,
  exitCode: 0,
  ledger: { code: 0, said: "sound" },
};

describe("the judgement of a soak", () => {
  it("passes what is flat, however it swings", () => {
    expect(complaints(good)).toEqual([]);
    const swinging = samples(120, (s) => ({
      rss: 90 + ((s / 10) % 7),
      fds: s % 30 === 0 ? 44 : 27,
    }));
    expect(complaints({ ...good, samples: swinging })).toEqual([]);
  });

  it("lets it grow for five minutes, and not longer", () => {
    const warm = samples(120, (s) => ({ rss: Math.min(110, 60 + s / 6) }));
    expect(complaints({ ...good, samples: warm })).toEqual([]);
    const leaking = samples(120, (s) => ({ rss: 90 + s / 600 }));
    expect(complaints({ ...good, samples: leaking })).toEqual([
      "rss rises: +6.0 MiB an hour, at least 11.5 over the time judged (allowed: 4)",
    ]);
  });

  it("sees files that are never closed", () => {
    const open = samples(120, (s) => ({ fds: 27 + Math.floor(s / 600) }));
    expect(complaints({ ...good, samples: open })).toEqual([
      expect.stringMatching(/^fds rises: \+\d\.\d open files an hour/),
    ]);
  });

  it("judges the last three fifths of five minutes, and nothing shorter than three", () => {
    expect(settled(samples(5, () => ({})))[0]?.seconds).toBe(120);
    expect(settled(samples(120, () => ({})))[0]?.seconds).toBe(300);
    const leak = samples(5, (s) => ({ rss: 90 + s / 5 }));
    expect(complaints({ ...good, samples: leak })).toEqual([expect.stringMatching(/^rss rises/)]);
    // A slow machine is still at its beginning then.
    const beginning = samples(5, (s) => ({ rss: 90 + s / 20 }));
    expect(complaints({ ...good, samples: beginning })).toEqual([]);
    const longer = samples(20, (s) => ({ rss: 90 + s / 100 }));
    expect(complaints({ ...good, samples: longer })).toEqual([expect.stringMatching(/^rss rises/)]);
    expect(complaints({ ...good, samples: samples(1, () => ({})) })).toEqual([
      expect.stringMatching(/too few/),
    ]);
  });

  it.each([
    [{ accounts: [{ sink: "/well", lost: 2, twice: 0 }] }, "/well: 2 lost"],
    [{ accounts: [{ sink: "mysql", lost: 0, twice: 1 }] }, "mysql: 1 twice"],
    [{ created: 0 }, "no event was created"],
    [{ dead: 3 }, "3 deliveries were given up"],
    [{ pending: 4 }, "4 deliveries are still owed"],
    [{ exitCode: 3 }, "it ended with 3 instead of 0"],
    [{ ledger: { code: 1, said: "2 orphans" } }, "kube-crier ledger check: 2 orphans"],
  ])("%j does not pass", (change, complaint) => {
    expect(complaints({ ...good, ...change })).toEqual([complaint]);
  });

  it("is one row under its heading", () => {
    const cells = (line: string) => line.split("|").length;
    const text = row(good);
    expect(cells(text)).toBe(cells(HEADING.split("\n")[0] ?? ""));
    expect(text).toMatch(/^\| 120 min \| 1000 \| 0, 0 \| 95, 95, 95 MiB \| \+0\.0 /);
  });
});

describe("what a soak measures", () => {
  it("is a process's memory, its files, and the ledger it keeps", async () => {
    const dir = folder();
    await filledLedger(dir, 60);
    const inbox = await startInbox();
    onTestFinished(() => inbox.close());
    const metrics = `# HELP x y\nnodejs_heap_size_used_bytes 31457280\nkube_crier_deliveries_pending{sink="a"} 2\nkube_crier_deliveries_pending{sink="b"} 5\nkube_crier_deliveries_pending_other 9\n`;
    inbox.reply({ status: 200, body: metrics });
    const found = await measure(process.pid, inbox.url, dir, 12.4);
    expect(found).toMatchObject({
      seconds: 12,
      heap: 30,
      occurrences: 60,
      deliveries: 60,
      pending: 7,
    });
    expect(found.anon).toBeGreaterThan(20);
    expect(found.rss).toBeGreaterThan(found.anon);
    expect(found.fds).toBeGreaterThan(2);
    expect(found.ledger).toBeGreaterThan(0);
    expect(sumOf(metrics, "kube_crier_nothing")).toBe(0);
  });

  it("is a CSV from the first sample on", () => {
    const file = path.join(folder(), "soak.csv");
    const record = new Record(file);
    for (const sample of samples(1, () => ({})).slice(0, 2)) record.add(sample);
    expect(readFileSync(file, "utf8").trim().split("\n")).toEqual([
      "seconds,rss,anon,heap,fds,ledger,wal,occurrences,deliveries,pending",
      "10,95,45,30,27,5,4,10,20,0",
      "20,95,45,30,27,5,4,20,40,0",
    ]);
  });
});

describe("the receiver of a soak", () => {
  const post = (url: string, eventName: string, count = 1) =>
    fetch(url, { method: "POST", body: JSON.stringify({ event: { eventName, count } }) }).then(
      ({ status }) => status,
      () => 0,
    );

  it("books what it took, and nothing that it refused", async () => {
    const receiver = new Receiver();
    const url = await receiver.start();
    onTestFinished(() => receiver.close());
    const created = new Set(["a@1", "a@2", "b@1"]);
    expect(await post(`${url}/unwell`, "a")).toBe(200);
    for (const [hiccup, status] of [
      ["500", 500],
      ["429", 429],
      ["reset", 0],
    ] as const) {
      receiver.hiccup = hiccup;
      expect(await post(`${url}/unwell`, "b")).toBe(status);
      expect(await post(`${url}/well`, hiccup)).toBe(200);
    }
    expect(receiver.refused).toBe(3);
    expect(receiver.account("/unwell", created)).toEqual({ sink: "/unwell", lost: 2, twice: 0 });
    receiver.hiccup = "slow";
    for (const occurrence of ["a", "b"]) expect(await post(`${url}/unwell`, occurrence)).toBe(200);
    expect(await post(`${url}/unwell`, "a", 2)).toBe(200);
    expect(receiver.account("/unwell", created)).toEqual({ sink: "/unwell", lost: 0, twice: 1 });
  });
});

describe("the way to the API server", () => {
  it("can be changed where it is on this machine", () => {
    const file = path.join(folder(), "kubeconfig");
    writeFileSync(file, 'clusters: [{cluster: {server: "https://127.0.0.1:6443"}}]');
    const server = localServer(file);
    expect(server?.port).toBe(6443);
    expect(server?.by(7000)).toBe('clusters: [{cluster: {server: "https://127.0.0.1:7000"}}]');
    writeFileSync(file, "clusters: [{cluster: {server: https://prod.example.com:6443}}]");
    expect(localServer(file)).toBeNull();
  });
});

describe("npm run soak", () => {
  it.each([
    [{}, [], "KUBECONFIG is not set"],
    [{ KUBECONFIG: "x" }, ["--minutes=0"], "--minutes=0: from 1 to 1440"],
    [{ KUBECONFIG: "x" }, ["--minutes=long"], "--minutes=long: from 1 to 1440"],
    [{ KUBECONFIG: "x" }, ["--rate=-1"], "--rate=-1: from 1 to 1000"],
    [{ KUBECONFIG: "x" }, ["--seed=x"], "--seed=x: a whole number"],
  ])("with %j and %j says what is wrong, with exit code 2", (env, args, words) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [path.resolve(import.meta.dirname, "../../../bench/soak.ts"), ...args],
      { env: { ...process.env, KUBECONFIG: "", ...env }, encoding: "utf8" },
    );
    expect(status).toBe(2);
    expect(stderr).toContain(words);
  });
});
