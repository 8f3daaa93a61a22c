import type { KubeEvent } from "../../event/event.ts";
import { normalize } from "../../event/normalize.wire.ts";
import { FormatError, ValueSplitter } from "./values.ts";
import { nameOf, unwrap } from "./wire.ts";

/**
 * The Events of a text: one Event of core/v1 or events.k8s.io/v1, a List, an array, a watch stream, or several of these.
 * Throws FormatError where it is not JSON, holds something else than Events, or holds none.
 * @param receivedAt ISO-8601 UTC: stands in for an Event that names no time
 */
export function readEvents(
  text: string,
  cluster: string,
  receivedAt: string,
): readonly KubeEvent[] {
  return readEach(text, (object) => normalize(object, cluster, receivedAt));
}

/** The Events of a text as they were written. Throws as `readEvents` does. */
export function readObjects(text: string): readonly unknown[] {
  return readEach(text, (object) => (normalize(object, "", "") === null ? null : object));
}

/** @param read gives `null` for what is no Event */
function readEach<T>(text: string, read: (object: unknown) => T | null): readonly T[] {
  const splitter = new ValueSplitter();
  const events: T[] = [];
  for (const { value, line, column } of splitter.push(text)) {
    for (const held of unwrap(value)) {
      if (held.kind === "error")
        throw new FormatError(`the watch was refused: ${held.message}`, line, column);
      if (held.kind === "skip") continue;
      const event = read(held.object);
      if (event === null)
        throw new FormatError(`expected an Event, found ${nameOf(held.object)}`, line, column);
      events.push(event);
    }
  }
  splitter.end();
  if (events.length === 0) throw new FormatError("expected an Event, found none", 1, 1);
  return events;
}
