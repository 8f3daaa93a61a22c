import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { allowanceOf } from "../../../src/explain/allowance.ts";
import { findDecision, narrowedDecision } from "../../../src/explain/decision.ts";
import { differencesOf } from "../../../src/explain/then.ts";
import { openReaderOver } from "../../../src/history/open.ts";
import { storedKey } from "../../../src/ledger/key.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { aDigestOf } from "../../support/alerts.ts";
import { anyone, NOON, seen, take, written } from "../../support/history.ts";
import { aLedger, never } from "../../support/ledger.ts";

const configOf = (...sink: string[]) =>
  loadConfig({ flags: { sink, excludeNamespaces: "secret-*,kube-*" }, registry, env: {} }).config;

const OPS = "webhook:http://127.0.0.1:1/ops?name=ops&namespaces=pay,shop,data-*";
const AUDIT = "webhook:http://127.0.0.1:1/audit?name=audit&excludeNamespaces=shop";

function aHistory() {
  const { db, outbox } = aLedger();
  const reader = openReaderOver(db, systemClock);
  onTestFinished(() => reader.close());
  return { reader, outbox };
}

const forOne = (...visible: string[]) => ({ ...anyone, visible });

describe("a decision that is looked for", () => {
  const config = configOf(OPS, AUDIT);

  it("is found by the event's id and by that of each of its deliveries, and is the same", async () => {
    const kept = aHistory();
    const event = seen(1, NOON);
    await take(kept, [event], ["ops", "audit"]);
    const found = await findDecision(kept.reader, config, storedKey(event), anyone);
    expect(found).toMatchObject({
      kind: "event",
      explanation: { passed: true, sinks: [{ owed: true }, { owed: false }] },
      // It was owed to both then; this configuration leaves the namespace out for the second.
      differences: [{ sink: "audit", what: "owedThen" }],
    });
    for (const id of ["d1", "d2"])
      expect(await findDecision(kept.reader, config, id, anyone)).toEqual(found);
  });

  it("is of nothing for an id that never was, and for who may not see the namespace", async () => {
    const kept = aHistory();
    const event = seen(1, NOON);
    await take(kept, [event]);
    for (const id of [
      "",
      "d9",
      "0",
      "x".repeat(4_000),
      "' OR 1=1 --",
      "\u0000",
      `${storedKey(event)} `,
    ])
      expect(await findDecision(kept.reader, config, id, anyone)).toBeNull();
    for (const id of [storedKey(event), "d1"]) {
      expect(await findDecision(kept.reader, config, id, forOne("data"))).toBeNull();
      expect(await findDecision(kept.reader, config, id, forOne())).toBeNull();
      expect(await findDecision(kept.reader, config, id, forOne("data", "shop"))).not.toBeNull();
    }
  });

  it("of a digest is what it tells of, and says as much to who may see some of the namespaces", async () => {
    const kept = aHistory();
    await take(kept, [seen(1, NOON), seen(2, NOON)]);
    kept.outbox.fold("ops", ["d1", "d2"], aDigestOf(2), NOON);
    await written(kept);
    const found = await findDecision(kept.reader, config, "d3", anyone);
    expect(found).toMatchObject({ kind: "summary", delivery: { row: { id: "d3" }, event: null } });
    if (found === null) throw new Error("there is a digest");
    expect(narrowedDecision(found)).toEqual(found);
    // What was folded has a decision of its own, each by itself.
    expect(await findDecision(kept.reader, config, "d2", anyone)).toMatchObject({
      kind: "event",
      story: { row: { event: { object: { name: "web-2" } } } },
    });
  });

  it("names of each list to who may see some namespaces only the pattern that decided", async () => {
    const kept = aHistory();
    await take(kept, [seen(1, NOON)]);
    const found = await findDecision(kept.reader, config, "d1", anyone);
    if (found?.kind !== "event") throw new Error("there is an event");
    const narrow = narrowedDecision(found);
    expect(JSON.stringify(found)).toMatch(/secret-\*.*"pay"/);
    const text = JSON.stringify(narrow);
    for (const name of ["secret-", "kube-*", "pay", "data-"]) expect(text).not.toContain(name);
    expect(narrow).toMatchObject({
      explanation: {
        passed: true,
        global: [{ list: "exclude.namespaces", wanted: [], matched: null, passed: true }],
        sinks: [
          { sink: "ops", tests: [{ list: "namespaces", wanted: ["shop"], matched: "shop" }] },
          { sink: "audit", tests: [{ list: "exclude.namespaces", wanted: ["shop"] }] },
        ],
      },
      differences: found.differences,
    });
  });

  it("of what is kept for history alone differs where a sink would be owed it now, unless its age decided", async () => {
    const kept = aHistory();
    const [dropped, old] = [seen(1, NOON), seen(2, NOON)];
    const entryOf = (event: typeof old) => ({ event, alert: { kind: "event", event } as const });
    await kept.outbox.add(
      [
        { ...entryOf(dropped), sinks: [], suppressed: "noSink" },
        { ...entryOf(old), sinks: [], suppressed: "tooOld" },
      ],
      [],
      never,
    );
    expect(await findDecision(kept.reader, config, storedKey(dropped), anyone)).toMatchObject({
      differences: [{ sink: "ops", what: "owedNow" }],
    });
    expect(await findDecision(kept.reader, config, storedKey(old), anyone)).toMatchObject({
      differences: [],
    });
  });
});

describe("what was decided otherwise then", () => {
  const { sinks } = configOf(OPS, AUDIT);
  const decided = (...owed: string[]) => ({
    canary: false,
    sinks: sinks.map((sink) => ({
      sink: sink.name,
      type: "webhook",
      tests: [],
      passed: true,
      owed: owed.includes(sink.name),
      allowance: allowanceOf(sink),
    })),
  });

  it.each([
    ["nobody was told, nobody would be", [], [], null, []],
    ["both were told, both would be", ["ops", "audit"], ["ops", "audit"], null, []],
    ["another one", ["ops"], ["audit"], null, ["ops owedNow", "audit owedThen"]],
    ["a sink that is gone, told twice of it", [], ["old", "old"], null, ["old gone"]],
    ["what was seen before", ["ops", "audit"], [], "duplicate", []],
    ["what no filter wanted", ["ops"], [], "globalFilter", ["ops owedNow"]],
    ["too old for one, told to another", ["ops"], ["audit"], "tooOld", ["audit owedThen"]],
  ] as const)("is told sink by sink: %s", (_, owed, told, suppressed, expected) => {
    const found = differencesOf(decided(...owed), told, suppressed);
    expect(found.map(({ sink, what }) => `${sink} ${what}`)).toEqual(expected);
  });

  it("is nothing of a canary, wherever it went", () => {
    const canary = { ...decided("ops"), canary: true };
    expect(differencesOf(canary, ["audit", "old"], null)).toEqual([]);
  });
});
