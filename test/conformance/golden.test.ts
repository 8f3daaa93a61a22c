import path from "node:path";
import { describe, expect, it } from "vitest";
import { sinks } from "../../sinks/index.ts";
import type { Alert } from "../../src/event/alert.ts";
import type { SinkDefinition } from "../../src/sink/index.ts";
import { anEvent } from "../support/events.ts";
import { mustRender, variantsOf } from "../support/rendering.ts";

/**
 * What leaves the house, byte for byte, for a person to read before it is accepted: `npx vitest run test/conformance/golden.test.ts -u`, then
 * read the difference.
 */
const GOLDEN = path.resolve(import.meta.dirname, "../fixtures/golden");

const ALERTS: Readonly<Record<string, Alert>> = {
  "a crash loop": { kind: "event", event: anEvent() },
  "a node that is gone, seen once": {
    kind: "event",
    event: anEvent({
      reason: "NodeNotReady",
      count: 1,
      message: "Node node-3 status is now: NodeNotReady",
      firstSeen: "2026-11-20T08:05:30Z",
      object: { kind: "Node", namespace: null, name: "node-3", fieldPath: null },
    }),
  },
  "an image that cannot be pulled, quoted and long": {
    kind: "event",
    event: anEvent({
      reason: "Failed",
      count: 3,
      message: `Failed to pull image "registry.example.com/shop/web@sha256:${"0123456789abcdef".repeat(4)}": rpc error: code = NotFound desc = 镜像不存在\n\tGET "https://registry.example.com/v2/": 404 <at id=all></at> <!channel> [help](https://evil.example)`,
    }),
  },
  "a start, which is normal": {
    kind: "event",
    event: anEvent({
      type: "Normal",
      reason: "Started",
      count: 1,
      message: "Started container web",
      firstSeen: "2026-11-20T08:05:30Z",
    }),
  },
  "a digest": {
    kind: "digest",
    cluster: "prod-a",
    total: 37,
    from: "2026-11-20T08:00:00Z",
    to: "2026-11-20T08:05:30Z",
    lines: [
      {
        count: 21,
        severity: "warning",
        reason: "BackOff",
        namespace: "shop",
        kind: "Pod",
        workload: "web",
        objects: 3,
      },
      {
        count: 2,
        severity: "info",
        reason: "Killing",
        namespace: null,
        kind: "Node",
        workload: "node-3",
        objects: 1,
      },
    ],
    moreKinds: 14,
  },
  "a gap": {
    kind: "gap",
    cluster: "prod-a",
    since: "2026-11-20T02:02:00Z",
    until: "2026-11-20T02:09:00Z",
    cause: "downtime",
  },
};

const addressOf = (sink: SinkDefinition) =>
  sink.uri.target === null ? null : (sink.example.yaml[sink.uri.target] as string);

/** Blocks as a person reads them, then the request as it goes out. */
function shown(...args: Parameters<typeof mustRender>): string {
  const { message, request } = mustRender(...args);
  const blocks = Object.entries(message.blocks).map(([name, text]) => `--- ${name}\n${text}`);
  if (request === null) return blocks.join("\n");
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  const body = JSON.stringify(JSON.parse(request.body), null, 2);
  return [...blocks, `--- ${request.method} ${request.url}`, ...headers, body].join("\n");
}

/** A record has no words of ours in it. */
const speaking = sinks.filter((sink) => sink.isRecord !== true);

describe.each(speaking.map((sink) => [sink.type, sink] as const))("%s", (type, sink) => {
  it.each(variantsOf(sink, addressOf(sink)).map(({ name, given }) => [name, given] as const))(
    "sends what a person has read: %s",
    async (variant, given) => {
      const languages = variant === "default" ? (["en", "zh"] as const) : (["en"] as const);
      const pages = languages.flatMap((lang) =>
        Object.entries(ALERTS).map(
          ([title, alert]) => `===== ${title} (${lang})\n${shown(sink, given, alert, lang)}\n`,
        ),
      );
      await expect(pages.join("\n")).toMatchFileSnapshot(path.join(GOLDEN, type, `${variant}.txt`));
    },
  );

  it("sends the same request for the same alert, always", () => {
    const given = variantsOf(sink, addressOf(sink))[0]?.given ?? {};
    for (const alert of Object.values(ALERTS)) {
      expect(mustRender(sink, given, alert)).toEqual(mustRender(sink, given, alert));
    }
  });
});
