import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import stdout from "../../sinks/stdout.ts";
import { quietIo } from "../support/sinks.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor } from "../support/messages.ts";

const never = new AbortController().signal;
const open = (given: Record<string, unknown>, out: NodeJS.WritableStream) =>
  stdout.create(optionsFor(stdout, given), { ...quietIo(), stdout: out });

describe("standard output", () => {
  it("gets one line of text for each alert", async () => {
    const out = new PassThrough();
    const sink = open({}, out);
    const blocks = { line: "🟠 Back-off · web" };
    expect(await sink.deliver(aMessage({ blocks }), never)).toEqual({ kind: "accepted" });
    await sink.deliver(aMessage({ blocks }), never);
    expect(String(out.read())).toBe("🟠 Back-off · web\n🟠 Back-off · web\n");
    await sink.close();
  });

  it("gets one JSON object in each line, from which the event reads back whole", async () => {
    const out = new PassThrough();
    const event = anEvent({ message: 'a "b"\n\u2028\u009b31m\u202e<!channel>' });
    const message = aMessage({ event, blocks: { title: "t", text: "x\ny" } });
    await open({ format: "json" }, out).deliver(message, never);
    const text = String(out.read());
    expect(text.split("\n")).toHaveLength(2);
    expect(text).not.toMatch(/[\u007f-\u009f\u2028\u202e]/);
    expect(JSON.parse(text)).toEqual({
      id: message.id,
      kind: "event",
      severity: "warning",
      title: "t",
      text: "x\ny",
      event,
      digest: null,
      gap: null,
    });
  });

  it("waits for a reader that is slow, and ends when told to", async () => {
    const stuck = new Writable({ highWaterMark: 1, write: () => undefined });
    const stop = new AbortController();
    const delivering = open({}, stuck).deliver(aMessage({ blocks: { line: "x" } }), stop.signal);
    stop.abort();
    expect(await delivering).toMatchObject({ kind: "retryable" });
  });

  it("loses nothing when its reader has gone: the alert stays owed", async () => {
    const broken = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error("EPIPE"), { code: "EPIPE" })),
    });
    broken.on("error", () => undefined);
    const verdict = await open({}, broken).deliver(aMessage({ blocks: { line: "x" } }), never);
    expect(verdict).toMatchObject({ kind: "retryable", reason: "network" });
  });

  it("says what else it is that keeps it from being written", async () => {
    const message = "ENOSPC: no space left on device, write";
    const full = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error(message), { code: "ENOSPC" })),
    });
    full.on("error", () => undefined);
    expect(await open({}, full).deliver(aMessage({ blocks: { line: "x" } }), never)).toMatchObject({
      kind: "retryable",
      detail: `standard output cannot be written: ${message}`,
    });
  });
});
