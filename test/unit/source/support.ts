import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { expect } from "vitest";
import type { KubeEvent } from "../../../src/event/event.ts";
import { createFileSource } from "../../../src/source/file/source.ts";
import type { Checkpoint, PreflightSource, SourceItem } from "../../../src/source/source.ts";
import type { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { type Observed, recordingObserver, type RunningSource } from "../../support/source.ts";

export const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-file-"));
export const NOW = "2026-11-20T08:00:00Z";

export const event = (
  name: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> => ({
  kind: "Event",
  apiVersion: "v1",
  metadata: { name, namespace: "shop", uid: `uid-${name}` },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
  message: `message of ${name}`,
  lastTimestamp: "2019-01-01T00:00:00Z",
  ...more,
});

let files = 0;
export function file(text: string | Buffer): string {
  files += 1;
  const place = path.join(folder, `${files}.json`);
  writeFileSync(place, text);
  return place;
}

export interface Opened {
  readonly source: PreflightSource;
  readonly calls: readonly Observed[];
  readonly stdin: PassThrough;
}

export function open(place: string): Opened {
  const stdin = new PassThrough();
  const { observer, calls } = recordingObserver();
  const ports = {
    clock: new FakeClock(NOW),
    observer,
    cluster: "demo",
    name: "file",
    stdin: () => stdin,
  };
  return { source: createFileSource({ type: "file", path: place }, ports), calls, stdin };
}

export async function all(
  opened: Opened,
  signal = new AbortController().signal,
): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for await (const batch of opened.source.batches(new Map(), signal)) {
    expect(batch.length).toBeGreaterThan(0);
    expect(batch.length).toBeLessThanOrEqual(100);
    items.push(...batch);
  }
  return items;
}

export const eventsOf = (items: readonly SourceItem[]): KubeEvent[] =>
  items.flatMap((item) => (item.kind === "event" ? [item.event] : []));

/** What a ledger holds after a run that saw these, the last one last. */
export async function afterSeeing(
  server: FakeApiServer,
  watching: () => Promise<RunningSource>,
  ...names: readonly string[]
): Promise<Checkpoint> {
  const source = await watching();
  for (const name of names) server.create(name);
  await source.until(() => source.events.length === names.length);
  const [checkpoint] = source.checkpoints;
  await source.stop();
  if (checkpoint === undefined) throw new Error("a run leaves a checkpoint");
  return checkpoint;
}
