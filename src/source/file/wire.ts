/** What a value of an event file holds. */
export type Held =
  /** Something that should be an Event. */
  | { readonly kind: "object"; readonly object: unknown }
  /** A watch frame that is no occurrence (DELETED, BOOKMARK). */
  | { readonly kind: "skip" }
  /** What a watch was told instead of events. */
  | { readonly kind: "error"; readonly message: string };

const FRAMES = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);

/** Lists and arrays to their items, watch frames to their objects. */
export function* unwrap(value: unknown): Generator<Held> {
  if (Array.isArray(value)) {
    for (const item of value) yield* unwrap(item);
    return;
  }
  if (typeof value === "object" && value !== null) {
    const { kind, type, object, items } = value as Record<string, unknown>;
    if (
      Array.isArray(items) &&
      (kind === undefined || (typeof kind === "string" && kind.endsWith("List")))
    ) {
      for (const item of items) yield { kind: "object", object: item };
      return;
    }
    if (items === null && typeof kind === "string" && kind.endsWith("List")) return;
    // An Event has a type too, but never these, and no `object`.
    if (typeof type === "string" && FRAMES.has(type) && object !== undefined) {
      yield frame(type, object);
      return;
    }
  }
  yield { kind: "object", object: value };
}

function frame(type: string, object: unknown): Held {
  if (type === "ADDED" || type === "MODIFIED") return { kind: "object", object };
  if (type !== "ERROR") return { kind: "skip" };
  const message = (object as { message?: unknown } | null)?.message;
  return { kind: "error", message: typeof message === "string" ? message : "no reason given" };
}

/** What an object that is no Event is, for a message: `Pod shop/web`. */
export function nameOf(object: unknown): string {
  if (typeof object !== "object" || object === null) return JSON.stringify(object) ?? "nothing";
  const { kind, apiVersion, metadata } = object as Record<string, unknown>;
  const { name, namespace } = (metadata ?? {}) as Record<string, unknown>;
  const what = typeof kind === "string" ? kind : "an object without a kind";
  const group = what === "Event" && typeof apiVersion === "string" ? ` of ${apiVersion}` : "";
  const who = [namespace, name].filter((part) => typeof part === "string").join("/");
  return `${what}${group}${who === "" ? "" : ` ${who}`}`.slice(0, 200);
}
