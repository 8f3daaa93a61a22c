import { describe, expect, it } from "vitest";
import { sinks } from "../../../sinks/index.ts";
import { leavesRoom, roomProblem } from "../../../src/sink/room.ts";
import { anEvent } from "../../support/events.ts";
import { mustRender, variantsOf } from "../../support/rendering.ts";

/** The configuration's own part of every message leaves enough of it for what the message tells. */
describe("what the configuration puts into every message", () => {
  it.each([
    [0, 4096, true],
    [2048, 4096, true],
    [2049, 4096, false],
    [5000, 4096, false],
  ])("of %i bytes, of %i, leaves enough: %s", (taken, max, enough) => {
    expect(roomProblem(taken, max)).toBe(
      enough
        ? null
        : `take ${taken} of the ${max} bytes of a message; expected at most 2048, so that it can tell what happened`,
    );
  });
});

describe("labels", () => {
  it.each([
    ["none", [], true],
    ["as much as there may be", ["x".repeat(1024)], true],
    ["a byte more", ["x".repeat(1025)], false],
    ["what stands between two counts", ["x".repeat(512), "y".repeat(512)], false],
    ["bytes, not characters", ["容".repeat(342)], false],
    ["characters of three bytes", ["容".repeat(341)], true],
  ])("%s", (_, labels, enough) => {
    expect(leavesRoom(labels)).toBe(enough);
  });

  const chats = sinks
    .filter(({ facts }) => facts.kind === "chat")
    .flatMap((sink) =>
      variantsOf(sink, sink.example.yaml[sink.uri.target ?? ""] as string).map(
        ({ name, given }) => ({
          title: `${sink.type}, ${name}`,
          sink,
          given,
        }),
      ),
    );

  it.each(chats)(
    "as many as there may be leave a chat what happened, and to whom: $title",
    ({ sink, given }) => {
      const labels = ["团队".repeat(170)];
      expect(leavesRoom(labels)).toBe(true);
      const event = anEvent({
        message: `Back-off restarting failed container ${"x".repeat(30_000)}`,
      });
      for (const strict of [false, true])
        for (const lang of ["en", "zh"] as const) {
          const { message } = mustRender(sink, given, { kind: "event", event }, lang, {
            labels,
            strict,
          });
          const told = Object.values(message.blocks).join("\n");
          expect(told).toContain("web-7d4b9c");
          expect(told).toContain("Back-off restarting failed container");
        }
    },
  );
});
