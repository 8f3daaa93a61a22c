import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import { Occurrences } from "../../../src/source/kubernetes/occurrences.ts";
import { relist } from "../../../src/source/kubernetes/relist.ts";
import type { KubeClient } from "../../../src/source/kubernetes/transport.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { kubeconfigFor } from "../../support/source.ts";

let server: FakeApiServer;
let client: KubeClient;

beforeEach(async () => {
  server = await FakeApiServer.start();
  client = createKubeClient(
    { kubeconfig: kubeconfigFor(server), context: null },
    { clock: new FakeClock() },
  );
});

afterEach(async () => {
  client.close();
  await server.close();
});

/** A list of which each page takes this long, and what is told of it meanwhile. */
async function listed(pageMs: number): Promise<{ told: unknown[]; events: number }> {
  const told: unknown[] = [];
  let events = 0;
  await relist(
    {
      client,
      path: "/api/v1/events",
      query: {},
      cluster: "prod-a",
      clock: Object.assign(new FakeClock(), {
        now: () => server.asked("list").length * pageMs,
      }),
      newerThan: null,
      seenSince: 0,
      oldBefore: 0,
      witness: null,
      occurrences: new Occurrences(),
      garbage: () => undefined,
      listed: (read, remaining) => void told.push({ read, remaining }),
    },
    () => {
      events += 1;
      return Promise.resolve();
    },
    new AbortController().signal,
  );
  return { told, events };
}

describe("a list of 1,900 Events", () => {
  beforeEach(() => {
    for (let index = 0; index < 1_900; index += 1) server.create(`web-${index}`);
  });

  it("says about every 5 seconds how far it is", async () => {
    expect(await listed(3_000)).toEqual({
      told: [
        { read: 1_000, remaining: 900 },
        { read: 1_900, remaining: 0 },
      ],
      events: 1_900,
    });
  });

  it("says nothing where it is quick", async () => {
    expect(await listed(1_000)).toEqual({ told: [], events: 1_900 });
  });
});
