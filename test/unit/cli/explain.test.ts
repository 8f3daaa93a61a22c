import { describe, expect, it } from "vitest";
import type { KubeEvent } from "../../../src/event/event.ts";
import { storedKey } from "../../../src/ledger/key.ts";
import { decision } from "../../../src/web/api/schemas.ts";
import { settle } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { cli } from "../../support/io.ts";
import { aLedger, anEntry, never, temporaryDirectory } from "../../support/ledger.ts";

const POD = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.17a", namespace: "shop", uid: "u1", resourceVersion: "7" },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web-1" },
  type: "Warning",
  reason: "BackOff",
  message: "Back-off restarting\u001b[31m failed container",
  count: 3,
  firstTimestamp: "2026-11-20T08:00:00Z",
  lastTimestamp: "2026-11-20T08:05:00Z",
  source: { component: "kubelet" },
};

const OPS = "--sink=webhook:http://127.0.0.1:1/ops?name=ops&namespaces=shop,data&reasons=Back*";
const NIGHT =
  "--sink=dingtalk:https://oapi.dingtalk.com/robot/send?access_token=secret-token-1&name=night&excludeNamespaces=shop";

const explain = (event: unknown, ...flags: string[]) =>
  cli(["explain", "--event=-", ...flags], { stdin: JSON.stringify(event) });

describe("explain", () => {
  it("says who is told of an event and why, test by test", async () => {
    const { code, stdout, stderr } = await explain(POD, OPS, NIGHT, "--level=Warning");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "Warning BackOff Pod shop/web-1: Back-off restarting [31m failed container",
      "  global filter: passes",
      '    ✓ level  "Warning"  is at least Warning',
      "  sink ops (webhook): told",
      '    ✓ reasons     "BackOff"  matches Back*',
      '    ✓ namespaces  "shop"     matches shop',
      "  sink night (dingtalk): not told",
      // A chat is told of warnings, unless it says otherwise.
      '    ✓ level               "Warning"  is at least Warning',
      '    ✗ exclude.namespaces  "shop"     is excluded by shop',
      "",
    ]);
  });

  it("tells a sink's own filter from the global one, and says where nobody is told", async () => {
    const { stdout } = await explain({ ...POD, type: "Normal" }, OPS, NIGHT, "--level=Warning");
    expect(stdout).toContain("  global filter: drops it for every sink\n");
    expect(stdout).toContain('    ✗ level  "Normal"  is less than Warning\n');
    expect(stdout).toContain("  sink ops (webhook): not told: the global filter\n");
    expect(stdout).toContain("  sink night (dingtalk): not told\n");
    expect(stdout).toContain("  nobody is told\n");
  });

  it("takes a list, and gives programs a line of JSON for each event", async () => {
    const other = { ...POD, metadata: { ...POD.metadata, uid: "u2" }, reason: "Scheduled" };
    const list = { apiVersion: "v1", kind: "List", items: [POD, other] };
    const { stdout } = await explain(list, OPS, "--json");
    const lines = stdout.trimEnd().split("\n");
    const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said).toMatchObject([
      { event: { uid: "u1" }, passed: true, sinks: [{ sink: "ops", owed: true }] },
      {
        event: { uid: "u2" },
        passed: true,
        sinks: [{ sink: "ops", owed: false, tests: [{ list: "reasons", matched: null }, {}] }],
      },
    ]);
  });

  it("knows a canary, which no filter is asked about", async () => {
    const canary = { ...POD, reason: "KubeCrierCanary", reportingComponent: "kube-crier" };
    const { stdout } = await explain({ ...canary, source: {} }, OPS);
    expect(stdout).toContain("a canary: it goes to where its own kube-crier follows it to");
  });

  it("shows no secret", async () => {
    for (const flags of [[], ["--json"]]) {
      const { stdout, stderr } = await explain(POD, NIGHT, ...flags);
      expect(stdout + stderr).not.toContain("secret-token-1");
    }
  });

  it("refuses what is no event, and names every mistake of the configuration", async () => {
    const wrong = await explain({ kind: "Pod" }, OPS);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--event standard input");
    const filters = await explain(POD, `${OPS}&kinds=/(/`, "--level=Loud");
    expect(filters.code).toBe(2);
    expect(filters.stderr).toContain("--level");
    expect(filters.stderr).toContain("--sink #1");
  });
});

describe("explain --id", () => {
  /** One event told after a refusal, one folded into a digest, one that was kept for history alone; the sinks were `ops` and `old`. */
  async function aPast() {
    const dataDir = temporaryDirectory();
    const { outbox, clock, db } = aLedger({ dataDir });
    const told = anEntry(1, ["ops", "old"]); // d1, d2
    await outbox.add([told, anEntry(2, ["ops"]), anEntry(3, ["ops"])], [], never); // d3, d4
    const tooOld = { ...anEntry(4, []), suppressed: "tooOld" } as const;
    await outbox.add([tooOld], [], never);
    const at = clock.now();
    outbox.settle("d1", {
      kind: "retry",
      at,
      notBefore: at,
      reason: "throttled",
      detail: "errcode 130101: \u001b[2Jsend too fast",
      counted: true,
    });
    outbox.settle("d1", { kind: "delivered", at: at + 60_000, sent: "{}", answer: "HTTP 200: ok" });
    const times = { from: "2026-11-20T08:05:30Z", to: "2026-11-20T08:05:30Z" };
    const digest = { kind: "digest", cluster: "", total: 2, lines: [], moreKinds: 0 } as const;
    outbox.fold("ops", ["d3", "d4"], { ...digest, ...times }, at); // d5
    outbox.written();
    const run = (id: string, ...argv: string[]) =>
      cli(["explain", `--id=${id}`, `--data-dir=${dataDir}`, ...argv], { clock });
    const idOf = ({ event }: { event: KubeEvent | null }) =>
      event === null ? "" : storedKey(event);
    return { run, told: idOf(told), tooOld: idOf(tooOld), folded: idOf(anEntry(2, [])), db };
  }

  it("adds to what is decided now what happened then, beside whoever has the ledger open", async () => {
    const { run, told } = await aPast();
    const { code, stdout } = await run(told, OPS, NIGHT);
    expect(code).toBe(0);
    expect(stdout.slice(stdout.indexOf("  what happened")).split("\n")).toEqual([
      `  what happened to ${told}`,
      "    it arrived at 2026-11-20T08:00:00.000Z",
      "    ops: delivered at 2026-11-20T08:01:00.000Z (delivery d1)",
      "      attempt 1 at 2026-11-20T08:00:00.000Z: throttled, errcode 130101:  [2Jsend too fast",
      "      attempt 2: accepted",
      "      answer: HTTP 200: ok",
      "    old: pending at 2026-11-20T08:00:00.000Z (delivery d2)",
      "      tried next at 2026-11-20T08:00:00.000Z",
      "  The configuration was another one then:",
      "    old was owed it then; it is no sink of the configuration any more",
      "",
    ]);
    expect(stdout).toContain("sink ops (webhook): told\n");
  });

  it("finds an event by any of its deliveries", async () => {
    const { run, told } = await aPast();
    const [byEvent, byDelivery] = [await run(told, OPS, "--json"), await run("d2", OPS, "--json")];
    expect(byDelivery.stdout).toBe(byEvent.stdout);
    expect(decision.parse(JSON.parse(byEvent.stdout))).toMatchObject({
      kind: "event",
      id: told,
      explanation: { passed: true, sinks: [{ sink: "ops", owed: true }] },
      deliveries: [
        { id: "d1", state: "delivered", tries: [{ reason: "throttled" }], answer: "HTTP 200: ok" },
        { id: "d2", state: "pending" },
      ],
      differences: [{ sink: "old", what: "gone" }],
    });
  });

  it("numbers attempts as they were made: those that a rate limit ended, and those before it was owed again", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock, history } = aLedger({ dataDir });
    await outbox.add([anEntry(1, ["ops"])], [], never);
    const at = clock.now();
    const ended = { at, reason: "throttled", detail: "slow down", counted: false } as const;
    for (let n = 0; n < 3; n += 1) outbox.settle("d1", { ...ended, kind: "retry", notBefore: at });
    outbox.settle("d1", { ...ended, kind: "dead", reason: "auth", counted: true });
    await settle();
    expect(history.retry(["d1"], null, at)).toBe(1);
    const numbers = async () =>
      [
        ...(
          await cli(["explain", "--id=d1", `--data-dir=${dataDir}`, OPS], { clock })
        ).stdout.matchAll(/attempt (\S+) ?(?:at|accepted)/g),
      ].map(([, n]) => n);
    expect(await numbers()).toEqual(["1", "2", "3", "4"]);
    outbox.settle("d1", { kind: "delivered", at, sent: "{}", answer: "ok" });
    await settle();
    expect(await numbers()).toEqual(["1", "2", "3", "4", "5:"]);
  });

  it("says what a digest tells of, and of what was folded, in which", async () => {
    const { run, folded } = await aPast();
    expect((await run(folded, OPS)).stdout).toContain("told in the digest d5\n");
    const { stdout } = await run("d5", OPS);
    expect(stdout).toMatch(/^Digest of 2, 2026-11-20T08:05:30Z to /);
    expect(stdout.match(/BackOff: Back-off restarting.*@1\)/g)).toHaveLength(2);
  });

  it("of an event that has happened before, of what was too old, and of a time that was not seen", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock } = aLedger({ dataDir });
    const again = anEvent({ uid: "u1", count: 7, firstSeen: "2026-11-19T08:00:00Z" });
    const alert = { kind: "event", event: again } as const;
    const times = { from: "2026-11-20T06:00:00Z", to: "2026-11-20T07:30:00Z" };
    const old = { kind: "digest", cluster: "prod-a", total: 812, lines: [], moreKinds: 0 } as const;
    const gap = {
      kind: "gap",
      cluster: "prod-a",
      since: "2026-11-20T05:00:00.000Z",
      until: "2026-11-20T07:00:00.000Z",
      cause: "downtime",
    } as const;
    await outbox.add(
      [
        { event: again, alert, sinks: ["ops"] },
        { event: null, alert: { ...old, ...times, tooOld: true }, sinks: ["ops"] },
        { event: null, alert: gap, sinks: ["ops"] },
      ],
      [],
      never,
    );
    const said = async (id: string) =>
      (await cli(["explain", `--id=${id}`, `--data-dir=${dataDir}`, OPS], { clock })).stdout;
    expect(await said("d1")).toMatch(/it arrived at \S+, .*7.*2026-11-19T08:00:00Z\n/);
    const [ofOld, ofGap] = [await said("d2"), await said("d3")];
    expect(ofOld).toMatch(/812.*, 2026-11-20T06:00:00Z to 2026-11-20T07:30:00Z\n/);
    expect(ofOld, "it is not one for want of budget").toMatch(/older|old/i);
    expect(ofGap).toMatch(/, 2026-11-20T05:00:00.000Z to 2026-11-20T07:00:00.000Z\n/);
  });

  it("lets nothing that an Event says steer a terminal, and is short about what is no id", async () => {
    const dataDir = temporaryDirectory();
    const { outbox, clock } = aLedger({ dataDir });
    const evil = "\u001b[2J\u202e\r\nops: delivered";
    await outbox.add(
      [1, 2].map((n) => anEntry(n, ["ops"], `Back${evil}`)),
      [],
      never,
    );
    const times = { from: "2026-11-20T08:05:30Z", to: evil };
    const digest = { kind: "digest", cluster: "", total: 2, lines: [], moreKinds: 0 } as const;
    outbox.fold("ops", ["d1", "d2"], { ...digest, ...times }, clock.now());
    await settle();
    for (const id of ["d1", "d3"]) {
      const { stdout } = await cli(["explain", `--id=${id}`, `--data-dir=${dataDir}`, OPS], {
        clock,
      });
      expect(stdout).toContain("Back");
      const steering = Array.from(stdout).filter(
        (one) => (one < " " && one !== "\n") || one === "\u202e",
      );
      expect(steering).toEqual([]);
      expect(stdout).not.toMatch(/^ops: delivered/m);
    }
    const none = await cli(["explain", `--id=${"x".repeat(5_000)}`, `--data-dir=${dataDir}`, OPS]);
    expect(none.stderr.length).toBeLessThan(600);
  });

  it("tells the configuration that changed from the age that no configuration changes", async () => {
    const { run, told, tooOld } = await aPast();
    const other = await run(told, `${OPS}&excludeReasons=BackOff`, NIGHT.replace("shop", "x"));
    expect(other.stdout).toContain(
      "    ops was owed it then; the configuration of now would not tell it\n    night was not owed it then; the configuration of now would tell it\n",
    );
    const old = await run(tooOld, OPS);
    expect(old.stdout).toContain("owed to nobody: a list after a break brought it");
    expect(old.stdout).not.toContain("The configuration was another one then");
  });

  it("says where there is nothing of that id, and what it takes instead", async () => {
    const { run } = await aPast();
    const { code, stderr, stdout } = await run("none", OPS);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain('no event and no delivery of the id "none"');
    for (const argv of [[], ["--id=a", "--event=-"]]) {
      const wrong = await cli(["explain", OPS, ...argv]);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toContain("expected --event FILE, or --id ID");
    }
    const away = await cli(["explain", "--id=a", "--ledger=mysql://u:p@127.0.0.1:1/crier"]);
    expect(away.code).toBe(2);
    expect(away.stderr).toMatch(
      /--ledger: the history in mysql:\/\/127\.0\.0\.1:1\/crier cannot be read: /,
    );
    expect(away.stderr).not.toContain("u:p@");
  });
});
