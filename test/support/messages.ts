import type { Message, SinkDefinition } from "../../src/sink/index.ts";
import { anEvent } from "./events.ts";

/** A rendered alert about `anEvent()`, with the blocks the test names. */
export function aMessage(changes: Partial<Message> = {}): Message {
  const event = changes.event === undefined ? anEvent() : changes.event;
  return {
    id: "0d9f6f0e-5a5f-4f0c-9a43-3a1c2f7b9d10",
    severity: "warning",
    lang: "en",
    blocks: {},
    event,
    alert:
      event === null
        ? {
            kind: "gap",
            cluster: "prod-a",
            since: "2026-11-20T08:00:00Z",
            until: "2026-11-20T08:07:00Z",
            cause: "downtime",
          }
        : { kind: "event", event },
    ...changes,
  };
}

/** Options as the configuration would hand them over. */
export function optionsFor(
  definition: SinkDefinition,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return definition.options.parse(given);
}

/** What is wrong with the options, as `path: message`. */
export function problemsWith(
  definition: SinkDefinition,
  given: Readonly<Record<string, unknown>>,
): readonly string[] {
  const result = definition.options.safeParse(given);
  if (result.success) return [];
  return result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
}

/** The request of an HTTP sink at a time, its JSON body read. */
export function requestOf(
  definition: SinkDefinition,
  given: Readonly<Record<string, unknown>>,
  message: Message,
  now = 1_700_000_000_000,
) {
  if (definition.transport !== "http") throw new Error(`${definition.type} speaks no HTTP`);
  const request = definition.request(optionsFor(definition, given), message, now);
  return { ...request, json: () => JSON.parse(request.body) as unknown };
}
