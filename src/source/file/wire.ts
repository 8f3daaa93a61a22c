/** What a value of an event file holds. */
export type Held =
  /** Something that should be an Event. */
  | { readonly kind: "object"; readonly object: unknown }
  /** A watch frame that is no occurrence (DELETED, BOOKMARK). */
  | { readonly kind: "skip" }
  /** What a watch was told instead of events. */
  | { readonly kind: "error"; readonly message: string };

const FRAMES = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);

/** Arrays within arrays that are looked into, as `jq -s` nests them; deeper ones would take the stack, and hold no events. */
const DEEPEST = 8;

/** Lists and arrays to their items, watch frames to their objects. */
export function unwrap(value: unknown, depth = 0): Iterable<Held> {
  if (Array.isArray(value) && depth < DEEPEST)
    return flat(value, (item) => unwrap(item, depth + 1));
  if (typeof value === "object" && value !== null) {
    const { kind, type, object, items } = value as Record<string, unknown>;
    if (
      Array.isArray(items) &&
      (kind === undefined || (typeof kind === "string" && kind.endsWith("List")))
    )
      return flat(items, (object) => [{ kind: "object", object }]);
    if (items === null && typeof kind === "string" && kind.endsWith("List")) return [];
    // An Event has a type too, but never these, and no `object`.
    if (typeof type === "string" && FRAMES.has(type) && object !== undefined)
      return [frame(type, object)];
  }
  return [{ kind: "object", object: value }];
}

/** One by one: a list may be long. */
function* flat(
  items: readonly unknown[],
  held: (item: unknown) => Iterable<Held>,
): Generator<Held> {
  for (const item of items) yield* held(item);
}

function frame(type: string, object: unknown): Held {
  if (type === "ADDED" || type === "MODIFIED") return { kind: "object", object };
  if (type !== "ERROR") return { kind: "skip" };
  const message = (object as { message?: unknown } | null)?.message;
  return {
    kind: "error",
    message: typeof message === "string" ? inline(message) : "no reason given",
  };
}

/** What an object that is no Event is, for a message: `Pod shop/web`. */
export function nameOf(object: unknown): string {
  if (Array.isArray(object)) return "a list within lists";
  if (typeof object !== "object" || object === null)
    return inline(JSON.stringify(object) ?? "nothing");
  const { kind, apiVersion, metadata } = object as Record<string, unknown>;
  const { name, namespace } = (metadata ?? {}) as Record<string, unknown>;
  const what = typeof kind === "string" ? kind : "an object without a kind";
  const group = what === "Event" && typeof apiVersion === "string" ? ` of ${apiVersion}` : "";
  const who = [namespace, name].filter((part) => typeof part === "string").join("/");
  return inline(`${what}${group}${who === "" ? "" : ` ${who}`}`);
}

/** Short and in one line: a terminal must not obey what a stranger's file says. */
function inline(text: string): string {
  return text
    .slice(0, 200)
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replaceAll(/\p{Cf}/gu, "");
}
