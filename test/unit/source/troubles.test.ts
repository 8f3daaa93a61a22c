import { beforeEach, describe, expect, it } from "vitest";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import { createKubernetesSource } from "../../../src/source/kubernetes/source.ts";
import {
  type Answer,
  type FakeApiServer,
  isWatch,
  recorded,
  type Request,
} from "../../support/apiserver.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { kubeconfigFor, recordingObserver, useServer } from "../../support/source.ts";

const { server: current, watching } = useServer();
let server: FakeApiServer;
beforeEach(() => {
  server = current();
});

const inCore = ({ path }: Request) => path.startsWith("/api/v1");
const FORBIDDEN = recorded("list-403-anonymous");
const ALWAYS = 1_000_000;

describe("an answer to a watch that is no watch", () => {
  const page = (body: string): Answer => ({
    status: 200,
    headers: { "Content-Type": "text/html" },
    body,
  });
  const bookmark = (version: string) =>
    `${JSON.stringify({ type: "BOOKMARK", object: { kind: "Event", metadata: { resourceVersion: version } } })}\n`;

  it.each([
    ["a login page of several lines", page("<html>\n<title>Log in</title>\n</html>\n")],
    ["one without a line break", page("<html>Log in</html>")],
    ["nothing", page("")],
    ["empty lines", page("\n\n\r\n\n")],
    ["a bookmark and its end", page(bookmark("100"))],
  ])("%s: is asked for again after longer and longer pauses", async (_, answer) => {
    const source = await watching();
    server.answer(answer, isWatch, ALWAYS);
    server.closeWatches();
    await source.until(() => source.called("sourceFailed").length === 6);
    // The first is that of the watch itself, which did not live for a second.
    expect(source.called("sourceFailed").map((call) => call[4])).toEqual([
      800, 1600, 3200, 6400, 12_800, 25_600,
    ]);
    expect(source.called("sourceFailed").every((call) => call[2] === "closed")).toBe(true);
    server.takeEverything();
    server.create("at-last");
    await source.until(() => source.events.length === 1);
  });

  it("says nothing of what happened meanwhile: the checkpoint stays as old as it is", async () => {
    const source = await watching();
    const [before] = source.checkpoints;
    server.answer(page("<html>\nLog in\n</html>\n"), isWatch, ALWAYS);
    server.closeWatches();
    await source.until(() => source.called("sourceFailed").length === 4);
    expect(source.clock.now()).toBeGreaterThan(before?.at ?? 0);
    expect(source.checkpoints).toEqual([before]);
  });

  it("is one where it told of an Event, however soon it ends", async () => {
    const source = await watching();
    for (let index = 1; index <= 20; index += 1) {
      server.create(`e${index}`);
      server.closeWatches();
      await source.until(() => source.events.length === index);
      await server.until(() => server.watching === 1);
    }
    expect(source.called("sourceFailed")).toEqual([]);
  });
});

describe("an ERROR in the stream", () => {
  const error = (status: Record<string, unknown>) =>
    `${JSON.stringify({ type: "ERROR", object: { kind: "Status", status: "Failure", ...status } })}\n`;

  it.each([
    [
      "429, to come back in 7 s",
      { code: 429, reason: "TooManyRequests", details: { retryAfterSeconds: 7 } },
      "throttled",
      7_000,
    ],
    ["500", { code: 500, reason: "InternalError", message: "etcd timed out" }, "server", 800],
    ["500, and no time at all", { code: 500, details: { retryAfterSeconds: 0 } }, "server", 800],
    ["a time in the past", { code: 503, details: { retryAfterSeconds: -9 } }, "server", 800],
    ["no code", { message: "something" }, "server", 800],
  ])("that says %s is heeded, and nothing is lost or doubled", async (_, status, cause, waitMs) => {
    const source = await watching();
    server.create("before");
    await source.until(() => source.events.length === 1);
    server.send(error(status));
    await source.until(() => source.called("sourceFailed").length === 1);
    expect(source.called("sourceFailed")[0]).toMatchObject([
      "sourceFailed",
      "kubernetes",
      cause,
      expect.stringContaining("the API server answered"),
      waitMs,
    ]);
    server.create("after");
    await source.until(() => source.events.length === 2);
    expect(source.names).toEqual(["before@1", "after@1"]);
  });

  it.each(["null", "[]", '"gone"', "{}"])("may be %s", async (object) => {
    const source = await watching();
    server.send(`{"type":"ERROR","object":${object}}\n`);
    server.create("after");
    await source.until(() => source.events.length === 1);
    expect(source.called("sourceFailed")).toHaveLength(1);
  });

  it("is the end of what that watch may say", async () => {
    const source = await watching();
    const forged = { kind: "Event", metadata: { name: "forged", uid: "f" }, reason: "x" };
    server.send(`${error({ code: 500 })}${JSON.stringify({ type: "ADDED", object: forged })}\n`);
    server.create("after");
    await source.until(() => source.events.length === 1);
    expect(source.names).toEqual(["after@1"]);
  });
});

describe("a Role that is changed while we run", () => {
  it("to the other group of Events is followed there, and nothing is lost", async () => {
    const source = await watching();
    server.create("before");
    await source.until(() => source.events.length === 1);
    server.answer(FORBIDDEN, inCore, ALWAYS);
    server.closeWatches();
    server.create("between");
    await source.until(() => source.events.length === 2);
    expect(server.asked("watch").at(-1)?.path).toBe("/apis/events.k8s.io/v1/events");
    expect(source.names).toEqual(["before@1", "between@1"]);
    expect(source.gaps).toEqual([]);
  });

  it("is not looked for in a group that was not asked for", async () => {
    const source = await watching({ config: { api: "core" } });
    server.answer(FORBIDDEN, inCore, 5);
    server.closeWatches();
    server.create("between");
    await source.until(() => source.events.length === 1);
    expect(server.requests.filter((request) => !inCore(request))).toEqual([]);
  });

  it("to nothing says which rule is missing, and goes on once it is back", async () => {
    const source = await watching({ config: { namespaces: ["shop"] } });
    server.answer(FORBIDDEN, ({ path }) => path.endsWith("/events"), 6);
    server.resetConnections();
    server.create("between");
    await source.until(() => source.events.length === 1);
    const [, second] = source.called("sourceFailed").map((call) => String(call[3]));
    expect(second).toContain(
      'bind a Role in namespace shop, or a ClusterRole, with {apiGroups: ["", "events.k8s.io"], resources: ["events"]',
    );
    expect(source.gaps).toEqual([]);
  });

  it("while a list is asked for, after a 410, is waited for", async () => {
    const source = await watching();
    server.create("seen");
    await source.until(() => source.events.length === 1);
    server.answer(FORBIDDEN, (request) => request.query.get("limit") === "500", 3);
    server.fallSilent();
    server.create("unseen");
    server.speakAgain();
    server.expireWatches();
    await source.until(() => source.events.length === 2);
    expect(source.called("sourceFailed").map((call) => call[4])).toEqual([800, 1600, 3200]);
    expect(source.names).toEqual(["seen@1", "unseen@1"]);
  });
});

describe("a mistake of ours", () => {
  /** A source whose observer fails at the first unreadable line. */
  function failing(namespaces: readonly string[]) {
    const clock = new FakeClock();
    const client = createKubeClient(
      { kubeconfig: kubeconfigFor(server), context: null },
      { clock },
    );
    const { observer } = recordingObserver((call) => {
      if (call[0] === "sourceGarbage") throw new TypeError("x is not a function");
    });
    const source = createKubernetesSource(
      {
        type: "kubernetes",
        kubeconfig: null,
        context: null,
        api: "auto",
        namespaces,
        replayMs: 0,
        maxAgeMs: 3_600_000,
      },
      {
        client,
        clock,
        random: () => 0,
        observer,
        cluster: "prod-a",
        name: "kubernetes",
        onlyNotNormal: false,
      },
    );
    const { signal } = new AbortController();
    const batches = source.batches(new Map(), signal)[Symbol.asyncIterator]();
    return { batches, clock, close: () => client.close() };
  }

  it("is not taken for a trouble of the network, which would be tried again for ever", async () => {
    const { batches, close } = failing([]);
    const ended = (async () => {
      for (;;) if ((await batches.next()).done === true) return null;
    })().catch((error: unknown) => error);
    await server.until(() => server.watching === 1);
    server.send("rubbish\n");
    expect(await ended).toEqual(new TypeError("x is not a function"));
    expect(server.asked("watch")).toHaveLength(1);
    close();
  });

  it("in one namespace ends all of them, also those that wait for room", async () => {
    const { batches, clock, close } = failing(["shop", "pay"]);
    // Nobody takes any more: the channel holds 1,000, and the stream of one namespace waits with the next.
    await batches.next();
    await server.until(() => server.watching === 2);
    for (let index = 0; index < 1_100; index += 1) server.create(`e${index}`, {}, "pay");
    await clock.advance(0);
    server.send("rubbish\n");
    const ended = (async () => {
      // Whoever takes has other things to wait for, too.
      while ((await batches.next()).done !== true) await settle();
    })();
    await expect(ended).rejects.toThrow("x is not a function");
    await server.until(() => server.watching === 0);
    expect(clock.sleeping).toBe(0);
    close();
  });
});
