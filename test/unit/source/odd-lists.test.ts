import { beforeEach, describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../src/source/source.ts";
import { type FakeApiServer, isList, recorded, type Request } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { useServer } from "../../support/source.ts";
import { afterSeeing } from "./support.ts";

/** Lists after a break that are not what one hopes for. */
describe("a list after a break", () => {
  const { server: current, run, watching } = useServer();
  let server: FakeApiServer;
  beforeEach(() => {
    server = current();
  });

  /** Goes on from there; history is compacted, so that a list is all there is. */
  function tenMinutesAfter(checkpoint: Checkpoint) {
    server.compact();
    const clock = new FakeClock(new Date(checkpoint.at + 600_000).toISOString());
    return run({ resume: [checkpoint], clock });
  }

  const firstPage = (request: Request) =>
    isList(request) && request.query.get("limit") === "500" && !request.query.has("continue");
  const laterPage = (request: Request) => isList(request) && request.query.has("continue");
  const page = (items: readonly unknown[], token = "") => ({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      kind: "EventList",
      apiVersion: "v1",
      // After the compaction that makes a list necessary.
      metadata: { resourceVersion: String(Number(server.version) + 1), continue: token },
      items,
    }),
  });

  it.each<[string, unknown]>([
    ["a Pod", { kind: "Pod", metadata: { name: "web-0", uid: "u", resourceVersion: "7" } }],
    ["null", null],
    ["a text", "Event"],
  ])("may hold what is no Event (%s): told, and the rest comes", async (_, odd) => {
    const checkpoint = await afterSeeing(server, watching, "before");
    const [a, b] = [server.create("a"), server.create("b")];
    server.answer(page([a, odd, b]), firstPage);
    const source = tenMinutesAfter(checkpoint);
    await source.until(() => source.synced === 1);
    expect(source.names).toEqual(["a@1", "b@1"]);
    expect(source.called("sourceGarbage")).toEqual([
      ["sourceGarbage", "kubernetes", "an item of the list is no Event"],
    ]);
    expect(source.called("sourceFailed")).toEqual([]);
  });

  it("may show an Event on two pages, when it changes in between: each occurrence comes once", async () => {
    const checkpoint = await afterSeeing(server, watching, "before");
    const [a, b, c] = [server.create("a"), server.create("b"), server.create("c")];
    const again = server.update("a");
    server.answer(page([a, b], "next"), firstPage);
    server.answer(page([b, again, c]), laterPage);
    const source = tenMinutesAfter(checkpoint);
    await source.until(() => source.synced === 1);
    expect(source.names).toEqual(["a@1", "b@1", "c@1", "a@2"]);
  });

  it("of nothing is one: Go writes it as null", async () => {
    const checkpoint = await afterSeeing(server, watching, "before");
    server.remove("before");
    server.answer(
      { ...page([]), body: page([]).body.replace('"items":[]', '"items":null') },
      firstPage,
    );
    const source = tenMinutesAfter(checkpoint);
    await source.until(() => source.synced === 1);
    expect(source.names).toEqual([]);
    server.create("after");
    await source.until(() => source.events.length === 1);
  });

  it("tells no gap where the Event seen last has counted on, and all others were forgotten", async () => {
    const checkpoint = await afterSeeing(server, watching, "older", "last");
    server.update("last");
    server.remove("older");
    const source = tenMinutesAfter(checkpoint);
    await source.until(() => source.synced === 1);
    expect(source.gaps).toEqual([]);
    expect(source.names).toEqual(["last@2"]);
  });

  it("tells no gap where the Event seen last was deleted, and one from before it is still there", async () => {
    const checkpoint = await afterSeeing(server, watching, "older", "last");
    server.remove("last");
    server.create("unseen");
    const source = tenMinutesAfter(checkpoint);
    await source.until(() => source.synced === 1);
    expect(source.gaps).toEqual([]);
    expect(source.names).toEqual(["unseen@1"]);
  });

  it("tells the gap where neither is, whatever has come since", async () => {
    const checkpoint = await afterSeeing(server, watching, "older", "last");
    server.remove("older");
    server.remove("last");
    server.create("unseen");
    const source = tenMinutesAfter(checkpoint);
    await source.until(() => source.synced === 1);
    expect(source.gaps).toEqual(["expired"]);
  });

  it("whose pages expire as fast as they are offered is asked for again after a pause, not at once for ever", async () => {
    const checkpoint = await afterSeeing(server, watching, "before");
    for (let index = 0; index < 700; index += 1) server.create(`many-${index}`);
    server.answer(recorded("list-410-continue"), laterPage, Infinity);
    const source = tenMinutesAfter(checkpoint);
    await source.until(() => source.called("sourceFailed").length === 3);
    expect(source.called("sourceFailed").map((call) => [call[2], call[4]])).toEqual([
      ["expired", 800],
      ["expired", 1600],
      ["expired", 3200],
    ]);
    // The page, and the one that was offered in its place.
    expect(server.requests.filter(laterPage).length).toBeLessThanOrEqual(2 * 4);
    expect(source.synced).toBe(0);
    server.takeEverything();
    await source.until(() => source.synced === 1);
    expect(new Set(source.names).size).toBe(700);
    expect(source.names, "none twice within one run").toHaveLength(700);
  });
});
