import { describe, expect, it } from "vitest";
import { Channel } from "../../../src/source/channel.ts";
import { within } from "../../../src/source/kubernetes/deadline.ts";
import { type Frame, readFrame } from "../../../src/source/kubernetes/frames.ts";
import { Outlet } from "../../../src/source/kubernetes/outlet.ts";
import { Progress } from "../../../src/source/kubernetes/progress.ts";
import type { SourceItem } from "../../../src/source/source.ts";
import { FakeClock, settle } from "../../support/clock.ts";

const clock = new FakeClock();

function begun(version = "100"): Progress {
  const progress = new Progress({ scope: "kubernetes:*", cluster: "prod-a", clock });
  progress.begin("uid=u;address=a");
  progress.reached(version);
  return progress;
}

const object = (version: unknown, count = 1, uid = "u"): Record<string, unknown> => ({
  kind: "Event",
  metadata: { name: "e", namespace: "shop", uid, resourceVersion: version },
  involvedObject: { kind: "Pod", name: "web" },
  count,
});
const changed = (version: unknown, count = 1): Frame => ({
  kind: "changed",
  object: object(version, count),
});

describe("how far a stream has come", () => {
  it("is written on each event", () => {
    expect(begun().read(changed("101"))).toMatchObject({
      kind: "item",
      item: {
        kind: "event",
        event: { key: "u@1" },
        checkpoint: {
          scope: "kubernetes:*",
          cluster: "uid=u;address=a",
          resourceVersion: "101",
          at: clock.now(),
        },
      },
    });
  });

  it("moves with what is no occurrence: metadata, deletion, bookmark", () => {
    const progress = begun();
    progress.read(changed("101"));
    const readings = [
      progress.read(changed("102")),
      progress.read({ kind: "deleted", object: object("103") }),
      progress.read({ kind: "bookmark", resourceVersion: "104" }),
    ];
    expect(readings).toMatchObject(
      ["102", "103", "104"].map((resourceVersion) => ({
        item: { kind: "checkpoint", checkpoint: { resourceVersion } },
      })),
    );
    expect(progress.version).toBe("104");
  });

  describe("is known up to when the Event read last was written, however late that is read: others are behind it", () => {
    const minutes = (n: number) => clock.now() + n * 60_000;
    const written = (at: number, version = "101") =>
      ({
        kind: "changed",
        object: { ...object(version), lastTimestamp: new Date(at).toISOString() },
      }) as const;
    const behind = () => {
      const progress = begun();
      progress.resume({ scope: "", cluster: "", resourceVersion: "100", at: minutes(-10) });
      return progress;
    };

    it.each<[string, number, number]>([
      ["long on its way", -4, -4],
      ["by a clock that goes wrong by hours: not before what was known already", -200, -10],
      ["by a clock that is ahead: not after now", 30, 0],
    ])("%s", (_, lastSeen, at) => {
      const progress = behind();
      const reading = progress.read(written(minutes(lastSeen)));
      expect(progress.at).toBe(minutes(at));
      expect(reading).toMatchObject({ item: { checkpoint: { at: minutes(at) } } });
    });

    it("an Event's end, which says no time, moves nothing but the version", () => {
      const progress = behind();
      progress.read({ kind: "deleted", object: object("103") });
      expect([progress.version, progress.at]).toEqual(["103", minutes(-10)]);
    });

    it("a bookmark, or the end of a watch, says that all is read", () => {
      const progress = behind();
      progress.read({ kind: "bookmark", resourceVersion: "104" });
      expect(progress.at).toBe(minutes(0));
      const ended = behind();
      ended.reached(ended.version);
      expect(ended.at).toBe(minutes(0));
    });
  });

  it("never moves back, unless the cluster itself has", () => {
    const progress = begun("200");
    progress.read(changed("150"));
    expect(progress.version).toBe("200");
    progress.reached("50");
    expect(progress.version).toBe("50");
  });

  it("stands where a line names no version", () => {
    const progress = begun();
    expect(progress.read({ kind: "bookmark", resourceVersion: "" })).toEqual({ kind: "nothing" });
    expect(progress.read({ kind: "deleted", object: null })).toEqual({ kind: "nothing" });
    expect(progress.read(changed(7.5))).toMatchObject({
      item: { event: { resourceVersion: "7.5" } },
    });
    expect(progress.read({ kind: "changed", object: object(undefined, 2) })).toMatchObject({
      item: { kind: "event", checkpoint: null },
    });
  });

  it("takes a new Event of an old name for what it is", () => {
    const progress = begun();
    progress.read(changed("101", 3));
    progress.read({ kind: "deleted", object: object("102", 3) });
    expect(progress.read(changed("103", 1))).toMatchObject({ item: { kind: "event" } });
  });

  it("is told of refusals and garbage as such", () => {
    const progress = begun();
    expect(progress.read(readFrame("}"))).toMatchObject({ kind: "garbage" });
    expect(progress.read(readFrame('{"type":"ERROR","object":{"code":410}}'))).toMatchObject({
      kind: "refused",
      error: { gone: true },
    });
    expect(progress.read(readFrame('{"type":"ERROR"}'))).toMatchObject({
      kind: "refused",
      error: { gone: false },
    });
    expect(progress.read({ kind: "changed", object: 7 })).toMatchObject({ kind: "garbage" });
  });

  it("shows only the beginning of a line it cannot read, in one line", () => {
    const frame = readFrame(`\u0007\n${"x".repeat(1_000)}`);
    expect(frame.kind === "garbage" && frame.detail.length).toBeLessThan(120);
    expect(frame.kind === "garbage" && frame.detail).toContain("\\u0007\\n");
  });
});

describe("the way into the channel", () => {
  const item = begun().reached("1");
  const full = (): Channel<SourceItem> => {
    const channel = new Channel<SourceItem>(1);
    channel.offer({ kind: "synced" });
    return channel;
  };

  it("is free at once where there is room", () => {
    const outlet = new Outlet(new Channel<SourceItem>(1), clock);
    expect(outlet.offer(item, new AbortController().signal)).toBe(true);
  });

  it("is waited for, but not for more than half a minute", async () => {
    const channel = full();
    const taken = new Outlet(channel, clock).offer(item, new AbortController().signal);
    await clock.advance(29_000);
    await channel.take(1);
    expect(await taken).toBe(true);
    const refused = new Outlet(channel, clock).offer(item, new AbortController().signal);
    await clock.advance(31_000);
    expect(await refused).toBe(false);
    expect(clock.sleeping).toBe(0);
  });

  it("is given up on abort", async () => {
    const abort = new AbortController();
    const channel = full();
    const outlet = new Outlet(channel, clock);
    const [patient, endless] = [
      outlet.offer(item, abort.signal),
      outlet.put(item, abort.signal).catch(() => "aborted"),
    ];
    abort.abort();
    channel.close();
    expect([await patient, await endless]).toEqual([false, "aborted"]);
  });
});

describe("a deadline", () => {
  const late = (): Error => new Error("too late");
  const never = (): Promise<never> => new Promise<never>(() => undefined);

  it("ends work that heeds it and work that does not", async () => {
    const seen: AbortSignal[] = [];
    const work = (signal: AbortSignal): Promise<never> => {
      seen.push(signal);
      return never();
    };
    const outcome = within(clock, 1_000, new AbortController().signal, late, work).catch(
      (error: unknown) => error,
    );
    await clock.advance(1_001);
    expect(await outcome).toMatchObject({ message: "too late" });
    expect(seen[0]?.aborted).toBe(true);
  });

  it("leaves nothing behind when the work is done in time", async () => {
    const { signal } = new AbortController();
    expect(await within(clock, 1_000, signal, late, () => Promise.resolve(7))).toBe(7);
    await settle();
    expect(clock.sleeping).toBe(0);
  });

  it("gives way to an abort, which is no lateness", async () => {
    const abort = new AbortController();
    const outcome = within(clock, 1_000, abort.signal, late, never).catch(
      (error: unknown) => error,
    );
    abort.abort();
    expect(await outcome).toMatchObject({ name: "AbortError" });
    await expect(within(clock, 1_000, abort.signal, late, never)).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});
