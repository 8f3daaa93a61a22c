import { describe, expect, it } from "vitest";
import { Tally } from "../../../src/delivery/tally.ts";
import { pump } from "../../../src/pipeline/pump.ts";
import type { Gap, Source, SourceItem } from "../../../src/source/source.ts";
import { anEvent } from "../../support/events.ts";
import { aLedger, never } from "../../support/ledger.ts";

/** What is said and counted of what comes, over a real ledger. */
async function pumped(...batches: readonly (readonly SourceItem[])[]) {
  const { outbox, recorded } = aLedger();
  const source: Source = {
    name: "kubernetes",
    async *batches() {
      yield* batches;
    },
  };
  const taken: string[] = [];
  await pump(
    source,
    {
      outbox,
      untold: () => [],
      route: ({ reason }) =>
        reason === "Boring"
          ? { kind: "drop", reason: "noSink" }
          : { kind: "owed", sinks: ["ding", "hook"] },
      observer: recorded.observer,
      cluster: "prod-a",
      sinks: ["ding", "hook"],
      singly: new Set(["hook"]),
      makeTally: () => new Tally(),
      taken: ({ uid }) => void taken.push(uid),
      synced: () => undefined,
    },
    never,
  );
  return { recorded, outbox, taken };
}

const found = (uid: string, listed: "young" | "old", reason?: string): SourceItem => ({
  kind: "event",
  event: anEvent(reason === undefined ? { uid } : { uid, reason }),
  checkpoint: null,
  listed,
});
const gap = (cause: Gap["cause"], listed: boolean): SourceItem => ({
  kind: "relisted",
  gap: { since: "2026-11-20T08:00:00Z", until: "2026-11-20T09:00:00Z", cause, listed },
});
const whole: SourceItem = { kind: "relisted", gap: null };

describe("the pump tells", () => {
  it("of a gap with what the list brought: new and wanted, and how much of it is too old", async () => {
    const { recorded } = await pumped([
      found("a", "young"),
      found("a", "young"),
      found("b", "old"),
      found("c", "young", "Boring"),
      gap("expired", true),
    ]);
    expect(recorded.of("sourceGap")).toEqual([
      [
        "kubernetes",
        {
          kind: "gap",
          cluster: "prod-a",
          since: "2026-11-20T08:00:00Z",
          until: "2026-11-20T09:00:00Z",
          cause: "expired",
          recovered: 2,
          tooOld: 1,
        },
      ],
    ]);
    expect(recorded.of("sourceRelisted"), "said once").toEqual([]);
  });

  it("of a gap without numbers where no list was made: nobody looked", async () => {
    const { recorded } = await pumped([gap("otherCluster", false)]);
    const [[, told] = []] = recorded.of("sourceGap");
    expect(told).toMatchObject({ cause: "otherCluster" });
    expect(told).not.toHaveProperty("recovered");
    expect(told).not.toHaveProperty("tooOld");
  });

  it("of a list that brought something where nothing is missing, and of no other", async () => {
    const { recorded } = await pumped(
      [whole],
      [found("a", "young"), found("b", "old")],
      [whole],
      [found("a", "young"), whole],
    );
    expect(recorded.of("sourceRelisted")).toEqual([["kubernetes", 2, 1]]);
    expect(recorded.of("sourceGap")).toEqual([]);
  });

  it("of a canary singly, however old, and counts it for nothing that a list has brought", async () => {
    const canary = { reporter: { component: "kube-crier" }, reason: "KubeCrierCanary" };
    const { recorded, outbox, taken } = await pumped([
      { ...found("c", "old"), event: anEvent({ uid: "c", ...canary }) } as SourceItem,
      whole,
    ]);
    expect(taken).toEqual(["c"]);
    expect(recorded.of("eventEnqueued").map(([sinks]) => sinks)).toEqual([["ding", "hook"]]);
    expect(recorded.of("sourceRelisted")).toEqual([]);
    expect(["ding", "hook"].every((sink) => outbox.nextAt(sink, 0) !== null)).toBe(true);
  });

  it("whoever follows each occurrence once, when the ledger has it; and the source's catching up", async () => {
    const event = (uid: string): SourceItem => ({
      kind: "event",
      event: anEvent({ uid }),
      checkpoint: null,
    });
    const { recorded, taken } = await pumped(
      [event("a"), { kind: "synced" }],
      [event("b"), event("a")],
    );
    expect(taken).toEqual(["a", "b"]);
    expect(recorded.of("eventDropped")).toEqual([["duplicate"]]);
    expect(recorded.of("sourceSynced")).toEqual([["kubernetes"]]);
  });
});
