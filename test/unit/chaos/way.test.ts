import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { without } from "../../chaos/gateway.ts";
import { Way } from "../../chaos/way.ts";

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

/** Somebody who says everything again, and a way to them. */
async function way(): Promise<Way> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ended.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const made = await Way.to(typeof address === "string" || address === null ? 0 : address.port);
  ended.push(() => made.close());
  return made;
}

async function call(to: Way) {
  const socket = connect(to.port, "127.0.0.1");
  ended.push(() => socket.destroy());
  let heard = "";
  let gone = false;
  let wake: () => void = () => undefined;
  const news = () => wake();
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString();
    news();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    gone = true;
    news();
  });
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise<void>((resolve) => (wake = resolve));
  };
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  return {
    say: (text: string) => socket.write(text),
    hears: (text: string) => until(() => heard === text),
    isGone: () => until(() => gone),
    get heard() {
      return heard;
    },
  };
}

describe("a way on which things go wrong", () => {
  it("passes everything on while nothing is wrong", async () => {
    const to = await way();
    const one = await call(to);
    one.say("hello");
    await one.hears("hello");
    expect(to.faults).toEqual([]);
  });

  it("that stalls passes nothing, and all of it afterwards", async () => {
    const to = await way();
    const one = await call(to);
    to.begin("stall");
    one.say("hello");
    // Somebody else comes meanwhile, and waits as well.
    const other = await call(to);
    other.say("and me");
    expect(one.heard).toBe("");
    to.end();
    await one.hears("hello");
    await other.hears("and me");
    expect(to.faults).toHaveLength(1);
  });

  it("that is half-open passes nothing, and is gone", async () => {
    const to = await way();
    const one = await call(to);
    to.begin("half-open");
    one.say("hello");
    to.end();
    await one.isGone();
    expect(one.heard).toBe("");
  });

  it("that is cut resets what is open and whoever comes, until it is mended", async () => {
    const to = await way();
    const one = await call(to);
    to.begin("cut");
    await one.isGone();
    await (await call(to)).isGone();
    to.end();
    const next = await call(to);
    next.say("hello");
    await next.hears("hello");
    expect(to.faults).toHaveLength(1);
  });

  it("that truncates ends in the middle of a word", async () => {
    const to = await way();
    const one = await call(to);
    one.say("hello ");
    await one.hears("hello ");
    to.begin("truncate", 3);
    one.say("world");
    await one.isGone();
    expect("hello world").toContain(one.heard);
    expect(one.heard).not.toContain("world");
  });

  it("that drips passes everything all the same", async () => {
    const to = await way();
    const one = await call(to);
    to.begin("drip");
    const much = "x".repeat(3_000);
    one.say(much);
    await one.hears(much);
    expect(to.faults).toHaveLength(1);
  });
});

describe("what is left of a time in which something was wrong", () => {
  const spans = [{ from: 10, to: 20, namespace: "shop" }];
  it.each<
    [string, readonly { from: number; to: number }[], readonly (readonly [number, number])[]]
  >([
    ["nothing was", [], [[10, 20]]],
    [
      "before and after",
      [
        { from: 0, to: 10 },
        { from: 20, to: 30 },
      ],
      [[10, 20]],
    ],
    [
      "in the middle",
      [{ from: 12, to: 14 }],
      [
        [10, 12],
        [14, 20],
      ],
    ],
    ["at its beginning", [{ from: 5, to: 14 }], [[14, 20]]],
    ["to its end", [{ from: 15, to: Infinity }], [[10, 15]]],
    ["all the time", [{ from: 5, to: 25 }], []],
    [
      "again and again",
      [
        { from: 11, to: 12 },
        { from: 13, to: 19 },
      ],
      [
        [10, 11],
        [12, 13],
        [19, 20],
      ],
    ],
  ])("%s", (_, faults, left) => {
    expect(without(spans, faults)).toEqual(
      left.map(([from, to]) => ({ from, to, namespace: "shop" })),
    );
  });
});
