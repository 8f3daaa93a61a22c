import { afterEach, beforeEach, describe, expect, it } from "vitest";
import elasticsearch from "../../sinks/elasticsearch.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import {
  CRIER_ALONE,
  type SearchContract,
  startSearchContract,
} from "../support/elasticsearch-contract.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor } from "../support/messages.ts";
import { quietIo } from "../support/sinks.ts";

const never = new AbortController().signal;

let server: SearchContract;
let client: HttpClient;
let cuts: number;
beforeEach(async () => {
  cuts = 0;
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
  server = await startSearchContract(CRIER_ALONE);
});
afterEach(async () => {
  client.close();
  await server.close();
});

const opened = () => {
  const options = optionsFor(elasticsearch, {
    url: server.url,
    esUserName: "crier",
    esUserSecret: "fedcba98",
  });
  const io = { ...quietIo(), messageCut: () => void (cuts += 1) };
  return openSink(elasticsearch, options, { client, timeoutMs: 5000, ...io });
};

/** The index takes no document whose body has this text, and says so as a server does. */
const refuseWhere = (part: string, type: string, reason: string) =>
  server.refuse(({ body }) =>
    body.includes(part)
      ? {
          status: 200,
          body: { errors: true, items: [{ create: { status: 400, error: { type, reason } } }] },
        }
      : null,
  );

const LABELLED = anEvent({
  core: {
    labels: { "app.kubernetes.io/name": "web" },
    annotations: { "example.com/cause": "probe" },
    objectVersion: "811",
  },
});

describe("an Event with labels that its index cannot have", () => {
  it.each([
    [
      "mapper_parsing_exception",
      "Could not dynamically add mapping for field [app.kubernetes.io/name]. Existing mapping for [Metadata.labels.app] must be of type object but found [text].",
    ],
    ["document_parsing_exception", "[1:412] failed to parse field [Metadata.labels.app]"],
    [
      "illegal_argument_exception",
      "can't merge a non object mapping [Metadata.labels.app] with an object mapping",
    ],
    ["illegal_argument_exception", "Limit of total fields [1000] has been exceeded"],
    ["strict_dynamic_mapping_exception", "dynamic introduction of [app] is not allowed"],
  ])("%s: %s: is written without them, and that is counted", async (type, reason) => {
    refuseWhere('"labels"', type, reason);
    const { verdict } = await opened().tell(aMessage({ event: LABELLED }), 0, never);
    expect(verdict).toEqual({ kind: "accepted" });
    expect(server.documents).toHaveLength(1);
    const { Metadata: metadata, ...others } = server.documents[0]?.source ?? {};
    expect(metadata).not.toHaveProperty("labels");
    expect(metadata).not.toHaveProperty("annotations");
    expect(metadata).toMatchObject({ uid: LABELLED.uid });
    expect(others).toMatchObject({
      Message: LABELLED.message,
      InvolvedObject: { resourceVersion: "811" },
    });
    expect(cuts).toBe(1);
  });

  it("is dead where they are not what it is refused for, and asked for once where it has none", async () => {
    const sink = opened();
    const asked = () => server.asked.filter((one) => one.endsWith("/_bulk")).length;
    refuseWhere("create", "mapper_parsing_exception", "object mapping for [Source] tried to parse");
    const { verdict } = await sink.tell(aMessage({ event: LABELLED }), 0, never);
    expect(verdict).toMatchObject({ kind: "permanent", reason: "rejected" });
    expect(asked()).toBe(2);
    await sink.tell(aMessage({ event: anEvent() }), 0, never);
    expect(asked()).toBe(3);
    refuseWhere("create", "illegal_argument_exception", "pipeline with id [none] does not exist");
    await sink.tell(aMessage({ event: LABELLED }), 0, never);
    expect(asked()).toBe(4);
    expect(cuts).toBe(0);
  });

  it("has them where the index can have them", async () => {
    await opened().tell(aMessage({ event: LABELLED }), 0, never);
    expect(server.documents).toMatchObject([
      { source: { Metadata: { labels: { "app.kubernetes.io/name": "web" } } } },
    ]);
    expect(cuts).toBe(0);
  });
});
