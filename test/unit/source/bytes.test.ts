import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFileSource } from "../../../src/source/file/source.ts";
import { FakeClock } from "../../support/clock.ts";
import { recordingObserver, useServer } from "../../support/source.ts";

/** Bytes come as the network cuts them: in the middle of a line, of a word, of a character. What is read does not depend on it. */
const { server, watching } = useServer();

/** One to four bytes each in UTF-8, half of a pair, and what other readers take for the end of a line. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("a", "é", "你", "😀", "\u2028", "\u0085", "\\n", "\r", '"'),
  },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme" }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
);
const message = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
const messages = fc.array(message, { minLength: 1, maxLength: 12 });
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });

const object = (name: string, text: string, version: number) => ({
  kind: "Event",
  apiVersion: "v1",
  metadata: { name, namespace: "shop", uid: `uid-${name}`, resourceVersion: String(version) },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
  reason: "BackOff",
  message: text,
  count: 1,
  lastTimestamp: "2026-11-20T08:00:00Z",
});

/** In parts of these lengths, again and again. */
function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let part = 0; at < bytes.length; part += 1) {
    const length = lengths[part % lengths.length] ?? 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** As JSON carries it: halves of pairs are escaped, and stay what they are. */
const told = (text: string): string => JSON.parse(JSON.stringify(text)) as string;

describe("a watch", () => {
  it("brings the same events however its bytes are cut", { timeout: 60_000 }, async () => {
    const source = await watching();
    let version = Number(server().version);
    let arrived = 0;
    await fc.assert(
      fc.asyncProperty(messages, cuts, async (texts, lengths) => {
        const lines = texts.map((text) => {
          version += 1;
          const change = { type: "ADDED", object: object(`e${version}`, text, version) };
          return `${JSON.stringify(change)}\n`;
        });
        for (const part of cut(Buffer.from(lines.join("")), lengths)) {
          server().sendBytes(part);
          // So that each goes by itself.
          await turn();
        }
        await source.until(() => source.events.length >= arrived + texts.length);
        const found = source.events.slice(arrived);
        arrived = source.events.length;
        expect(found.map((one) => one.message)).toEqual(texts.map(told));
        expect(source.called("sourceGarbage")).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe("standard input", () => {
  const read = async (lengths: readonly number[], bytes: Buffer) => {
    const stdin = new PassThrough();
    const { observer } = recordingObserver();
    const clock = new FakeClock();
    const ports = { clock, observer, cluster: "demo", name: "file", stdin: () => stdin };
    const source = createFileSource({ type: "file", path: "-" }, ports);
    for (const part of cut(bytes, lengths)) stdin.write(part);
    stdin.end();
    const found: string[] = [];
    for await (const batch of source.batches(new Map(), new AbortController().signal))
      for (const item of batch) if (item.kind === "event") found.push(item.event.message);
    return found;
  };

  it("brings the same events however it is cut, one in a line or over several", async () => {
    await fc.assert(
      fc.asyncProperty(messages, cuts, fc.constantFrom(0, 2), async (texts, lengths, indent) => {
        const values = texts.map((text, n) =>
          JSON.stringify(object(`e${n}`, text, n), null, indent),
        );
        expect(await read(lengths, Buffer.from(values.join("\n")))).toEqual(texts.map(told));
      }),
      { numRuns: 40 },
    );
  });
});

describe("a file", () => {
  it("brings the same events wherever the reader's blocks of 64 KiB end, within a character too", async () => {
    const dir = mkdtempSync(path.join(tmpdir(), "kube-crier-bytes-"));
    const character = fc.constantFrom("é", "你", "😀");
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 65_100, max: 65_560 }),
        character,
        fc.integer({ min: 1, max: 300 }),
        async (filler, sign, count) => {
          const texts = ["x".repeat(filler), sign.repeat(200 + count), "end"];
          const place = path.join(dir, "events.ndjson");
          const lines = texts.map((text, n) => JSON.stringify(object(`e${n}`, text, n)));
          writeFileSync(place, lines.join("\n"));
          const { observer } = recordingObserver();
          const stdin = () => new PassThrough();
          const ports = { clock: new FakeClock(), observer, cluster: "demo", name: "file", stdin };
          const source = createFileSource({ type: "file", path: place }, ports);
          const found: string[] = [];
          for await (const batch of source.batches(new Map(), new AbortController().signal))
            for (const item of batch) if (item.kind === "event") found.push(item.event.message);
          expect(found).toEqual(texts);
        },
      ),
      { numRuns: 60 },
    );
  });
});
