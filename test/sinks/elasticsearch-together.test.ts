import { afterEach, beforeEach, describe, expect, it } from "vitest";
import elasticsearch from "../../sinks/elasticsearch.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { type OpenSink, openSink } from "../../src/sink/open.ts";
import {
  CRIER_ALONE,
  type SearchContract,
  startSearchContract,
} from "../support/elasticsearch-contract.ts";
import { anEvent } from "../support/events.ts";
import type { Received } from "../support/inbox.ts";
import { aMessage, optionsFor } from "../support/messages.ts";
import { quietIo } from "../support/sinks.ts";

/** What deliveries of one sink do together harms none of them: an index that is made for all, and a bulk answer about all. */
const INDEX = "/heapster-2026.11.20";
const never = new AbortController().signal;

let server: SearchContract;
let client: HttpClient;
let sink: OpenSink;

const opened = (given: Record<string, unknown> = {}) => {
  const options = optionsFor(elasticsearch, {
    url: server.url,
    esUserName: "crier",
    esUserSecret: "fedcba98",
    ...given,
  });
  return openSink(elasticsearch, options, { client, timeoutMs: 60_000, ...quietIo() });
};
const tell = (version: number, signal = never) =>
  sink.tell(aMessage({ event: anEvent({ resourceVersion: String(version) }) }), 0, signal);

beforeEach(async () => {
  server = await startSearchContract(CRIER_ALONE);
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
  sink = opened();
});
afterEach(async () => {
  await sink.close();
  client.close();
  await server.close();
});

/** The server says nothing when an index is to be made; resolves with each request once it has come. */
function silentAboutIndices(): () => Promise<Received> {
  const came: Received[] = [];
  let wake: (() => void) | null = null;
  server.refuse((request) => {
    if (request.method !== "PUT") return null;
    came.push(request);
    wake?.();
    return "hang";
  });
  return async () => {
    while (came.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return came.shift() as Received;
  };
}

describe("an index that is made for all", () => {
  const made = { status: 200, body: { acknowledged: true } } as const;

  it("is made to the end although the delivery that was the first has ended", async () => {
    const asked = silentAboutIndices();
    const stop = new AbortController();
    const first = tell(1, stop.signal);
    const others = [tell(2), tell(3)];
    const request = await asked();
    stop.abort();
    expect(await first).toMatchObject({ aborted: true, verdict: { kind: "retryable" } });
    request.answer(made);
    const verdicts = await Promise.all(others);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([
      { kind: "accepted" },
      { kind: "accepted" },
    ]);
    expect(server.asked).toEqual([`PUT ${INDEX}`, "POST /_bulk"]);
    expect(server.documents.map(({ id }) => id.split("-").at(-1))).toEqual(["2", "3"]);
  });

  it("is made for who comes next, too, although nobody waited for it any more", async () => {
    const asked = silentAboutIndices();
    const stop = new AbortController();
    const only = tell(1, stop.signal);
    const request = await asked();
    stop.abort();
    await only;
    request.answer(made);
    server.refuse(null);
    expect((await tell(2)).verdict).toEqual({ kind: "accepted" });
    expect(server.asked).toEqual([`PUT ${INDEX}`, "POST /_bulk"]);
    expect(server.documents).toHaveLength(1);
  });

  it("is not begun for a delivery that is over already", async () => {
    const stop = new AbortController();
    stop.abort();
    expect((await tell(1, stop.signal)).aborted).toBe(true);
    await tell(2);
    // Its own, and nothing of the first's.
    expect(server.asked).toEqual([`PUT ${INDEX}`, "POST /_bulk"]);
    expect(server.documents.map(({ id }) => id.split("-").at(-1))).toEqual(["2"]);
  });

  it("is given up when the sink is closed, and its connection with it", async () => {
    const asked = silentAboutIndices();
    const telling = tell(1);
    const request = await asked();
    await sink.close();
    expect((await telling).verdict).toMatchObject({ kind: "retryable", reason: "network" });
    await request.closed;
  });

  it("tells all who wait for it why it was refused, and is asked for again by the next", async () => {
    const asked = silentAboutIndices();
    const telling = [tell(1), tell(2)];
    const request = await asked();
    request.answer({
      status: 400,
      body: {
        error: {
          type: "validation_exception",
          reason: "this cluster currently has [1000]/[1000] maximum normal shards open;",
        },
      },
    });
    for (const { verdict } of await Promise.all(telling))
      expect(verdict).toMatchObject({
        kind: "retryable",
        detail: expect.stringContaining("delete old indices") as unknown,
      });
    server.refuse(null);
    expect((await tell(1)).verdict).toEqual({ kind: "accepted" });
    expect(server.asked).toEqual([`PUT ${INDEX}`, `PUT ${INDEX}`, "POST /_bulk"]);
  });

  it("that cannot have the alias takes nothing, and says which privilege is missing", async () => {
    expect((await opened({ alias: false }).tell(aMessage(), 0, never)).verdict.kind).toBe(
      "accepted",
    );
    const error = { type: "security_exception", reason: "action [indices:admin/aliases]" };
    server.refuse(({ url }) => (url === "/_aliases" ? { status: 403, body: { error } } : null));
    expect((await tell(2)).verdict).toMatchObject({
      kind: "permanent",
      reason: "auth",
      detail: expect.stringContaining("for the alias, manage") as unknown,
    });
    expect(server.documents).toHaveLength(1);
  });
});

describe("an answer about many that is too long to be read to its end", () => {
  /** As Elasticsearch words a field that is mapped in another way: with what was in it, which may be long. */
  const longWord = (id: string) => ({
    status: 400,
    error: {
      type: "document_parsing_exception",
      reason: `failed to parse field [Message] of type [date] in document with id '${id}'. Preview of field's value: '${"x".repeat(2000)}'`,
    },
  });

  it("is asked for in halves: each hears of its own, and none is written twice", async () => {
    sink = opened({ alias: false });
    server.refuseItems((id) => (Number(id.split("-").at(-1)) % 10 === 0 ? null : longWord(id)));
    const verdicts = await Promise.all(Array.from({ length: 1000 }, (_, n) => tell(n)));
    const kinds = verdicts.map(({ verdict }) => verdict.kind);
    expect(kinds).toEqual(
      Array.from({ length: 1000 }, (_, n) => (n % 10 === 0 ? "accepted" : "permanent")),
    );
    expect(verdicts[1]?.verdict).toMatchObject({
      reason: "rejected",
      detail: expect.stringContaining("the index maps a field in another way") as unknown,
    });
    expect(server.documents).toHaveLength(100);
    expect(server.asked.length).toBeLessThan(10);
  });

  it("of one document is that one's, and no reason to ask for the others again", async () => {
    sink = opened({ alias: false });
    server.refuse({ status: 500, body: "y".repeat(2 * 1024 * 1024) });
    const verdicts = await Promise.all([tell(1), tell(2), tell(3)]);
    for (const { verdict } of verdicts)
      expect(verdict).toMatchObject({ kind: "retryable", reason: "server" });
    expect(server.asked).toEqual(["POST /_bulk"]);
  });
});
