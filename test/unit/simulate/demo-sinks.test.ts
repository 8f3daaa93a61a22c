import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sinkOf } from "../../../sinks/index.ts";
import { normalize } from "../../../src/event/normalize.wire.ts";
import { mustRender } from "../../support/rendering.ts";
import { play } from "./support.ts";

const events = readFileSync(new URL("../../../src/demo/events.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => {
    const { object } = JSON.parse(line) as { object: unknown };
    const event = normalize(object, "prod-a", "1970-01-01T00:00:00Z");
    if (event === null) throw new Error(`not an Event: ${line}`);
    return event;
  });

describe("the demo's hour, by the strict platforms", () => {
  it.each([
    ["dingtalk", "ops", "zh"],
    ["lark", "sre", "en"],
    ["wecom", "data", "zh"],
    ["slack", "T0/B0/alerts", "en"],
  ] as const)(
    "is shown by %s to the last message, notifies nobody and leads nowhere",
    async (platform, token, lang) => {
      const { sim } = await play();
      const sink = sinkOf(platform);
      if (sink === undefined) throw new Error(`no sink ${platform}`);
      const given = { [sink.uri.target ?? ""]: sim.webhook(platform, token) };
      for (const event of events) {
        const { request } = mustRender(sink, given, { kind: "event", event }, lang);
        if (request === null) throw new Error(`${platform} made no request`);
        sim.control({ resetLimits: true });
        const { url, method, headers, body } = request;
        await (await fetch(url, { method, headers, body })).arrayBuffer();
      }
      const messages = sim.messages();
      expect(messages).toHaveLength(events.length);
      const unlike = messages.filter(
        ({ state, mentionsEveryone, mentions, links }) =>
          state !== "shown" || mentionsEveryone || mentions.length > 0 || links.length > 0,
      );
      expect(
        unlike.map(({ refusal, text, mentions, links }) => ({ refusal, text, mentions, links })),
      ).toEqual([]);
      messages.forEach((message, index) => {
        expect(message.text).toContain(events[index]?.object.name.slice(-5));
      });
    },
  );
});
