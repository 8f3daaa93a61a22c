import type { ObjectRef } from "../event/event.ts";
import { markdownTable } from "./markdown-table.ts";
import type { View } from "./view.ts";

/** What a template may name, with its meaning: the lint reads it, and the table of docs/templates.md is made from it. */
export type Field =
  | { readonly kind: "text" | "number"; readonly nullable: boolean; readonly about: string }
  | { readonly kind: "list"; readonly of: Field; readonly about: string }
  | {
      readonly kind: "object";
      readonly nullable: boolean;
      readonly fields: Readonly<Record<string, Field>>;
      readonly about: string;
    };

type FieldOf<T> = [T] extends [number]
  ? Extract<Field, { kind: "text" | "number" }> & {
      readonly kind: "number";
      readonly nullable: false;
    }
  : [T] extends [string]
    ? Extract<Field, { kind: "text" | "number" }> & {
        readonly kind: "text";
        readonly nullable: false;
      }
    : [T] extends [string | null]
      ? Extract<Field, { kind: "text" | "number" }> & {
          readonly kind: "text";
          readonly nullable: true;
        }
      : [T] extends [readonly (infer Item)[]]
        ? { readonly kind: "list"; readonly of: FieldOf<Item>; readonly about: string }
        : {
            readonly kind: "object";
            readonly nullable: null extends T ? true : false;
            readonly fields: FieldsOf<NonNullable<T>>;
            readonly about: string;
          };

/** For bodies in Go's language, which have no view. */
const UNSEEN = "core";

/** Keeps the list and the type it describes equal: a field missing here, or too many, does not compile. */
type FieldsOf<T> = { readonly [Key in Exclude<keyof T, typeof UNSEEN>]-?: FieldOf<T[Key]> };

const text = (about: string) => ({ kind: "text", nullable: false, about }) as const;
const maybe = (about: string) => ({ kind: "text", nullable: true, about }) as const;
const number = (about: string) => ({ kind: "number", nullable: false, about }) as const;
const list = <T extends Field>(of: T, about: string) => ({ kind: "list", of, about }) as const;
const object = <T extends Readonly<Record<string, Field>>>(fields: T, about: string) =>
  ({ kind: "object", nullable: false, fields, about }) as const;
const maybeObject = <T extends Readonly<Record<string, Field>>>(fields: T, about: string) =>
  ({ kind: "object", nullable: true, fields, about }) as const;

const OBJECT_FIELDS: FieldsOf<ObjectRef> = {
  kind: text("`Pod`"),
  apiVersion: maybe("`v1`, `apps/v1`"),
  namespace: maybe("null for cluster-scoped objects"),
  name: text("the object's name"),
  uid: maybe("the object's uid"),
  fieldPath: maybe("`spec.containers{web}`"),
};

export const VIEW_FIELDS: FieldsOf<View> = {
  id: text("the delivery's id: the same over every retry"),
  alertKind: text("`event`, `digest` or `gap`"),
  lang: text("`en` or `zh`"),
  severity: text("`critical`, `warning`, `info`, or `notice` for a digest or gap"),
  mark: text("the severity as a circle: red, orange, blue, or white for a digest or gap"),
  cluster: text("the cluster's configured name; may be empty"),
  title: text("mark, reason in words, object; at most 60 characters"),
  place: text("`prod-a · shop · Pod web-7d4b9c`"),
  scope: text("the place without the object's name: `prod-a · shop · Pod`"),
  times: text("`12 × in 5 min 30 s · last 16:05:30`"),
  message: text(
    "the event's message made safe to look at and cut to the platform's size; a digest's lines; what is missing in a gap",
  ),
  command: text("the command to run next; empty where there is none"),
  link: text(
    "the address of it on the page, of a digest the list of its events; empty without `externalUrl`",
  ),
  linkText: text("what a link there says: `Open in kube-crier`"),
  labels: list(text("one label"), "the sink's labels, in order"),
  type: text("`Normal`, `Warning`, or what the cluster says"),
  reason: text("`BackOff`"),
  reasonText: text("the reason in words: `Back-off restarting container`"),
  reasonCode: text("the reason as Kubernetes writes it, unless the title has it already"),
  namespace: maybe("the object's namespace; null for cluster-scoped objects"),
  kind: text("the object's kind: `Pod`"),
  name: text("the object's name"),
  object: object(OBJECT_FIELDS, "the object as the event names it, untouched"),
  component: maybe("who reported it: `kubelet`"),
  host: maybe("the node it was reported from"),
  count: number("how often it happened; how many a digest stands for"),
  firstSeen: text("ISO-8601 UTC"),
  lastSeen: text("ISO-8601 UTC"),
  firstText: text("`16:00:00` in the reader's time zone, with the date when it is not today"),
  lastText: text("`16:05:30` in the reader's time zone, with the date when it is not today"),
  event: maybeObject(
    {
      key: text("uid and count: the unit of de-duplication"),
      uid: text("the Event's uid"),
      resourceVersion: text("the Event's resourceVersion"),
      eventName: text("the Event's own name: `web-7d4b9c.17a1f2`"),
      eventNamespace: text("the namespace the Event is stored in"),
      cluster: text("the cluster's configured name"),
      type: text("as the API gives it"),
      reason: text("as the API gives it"),
      message: text("as the API gives it: neither cleaned nor cut"),
      action: maybe("events.k8s.io `action`"),
      object: object(OBJECT_FIELDS, "`involvedObject` or `regarding`"),
      related: maybeObject(OBJECT_FIELDS, "the second object, where there is one"),
      reporter: object(
        {
          component: maybe("`kubelet`"),
          host: maybe("`node-1`"),
          instance: maybe("`kubelet-node-1`"),
        },
        "who reported it",
      ),
      count: number("how often, at least 1"),
      firstSeen: text("ISO-8601 UTC"),
      lastSeen: text("ISO-8601 UTC"),
    },
    "the occurrence itself, untouched; null in a digest or gap",
  ),
  digest: maybeObject(
    {
      total: number("how many occurrences"),
      lines: list(
        object(
          {
            count: number("how many occurrences"),
            mark: text("the severity as a circle"),
            reason: text("`BackOff`"),
            reasonText: text("the reason in words"),
            where: text("`shop/web (3 pods)`"),
          },
          "one reason on one workload",
        ),
        "at most ten, the worst and most frequent first",
      ),
      more: text("`and 14 more kinds`; may be empty"),
    },
    "null unless `alertKind` is `digest`",
  ),
  gap: maybeObject(
    {
      since: text("ISO-8601 UTC"),
      until: text("ISO-8601 UTC"),
      sinceText: text("in the reader's time zone"),
      untilText: text("in the reader's time zone"),
      causeText: text("why events may be missing"),
      recoveredText: text("how many a list has brought back afterwards; empty without one"),
    },
    "null unless `alertKind` is `gap`",
  ),
};

/** The view as one field: where the lint begins. */
export const VIEW: Field = {
  kind: "object",
  nullable: false,
  fields: VIEW_FIELDS,
  about: "the view",
};

/** Every path with its type and meaning, in the order of declaration; items of a list as `path[]`. */
export function fieldPaths(
  field: Field = VIEW,
  path = "",
): readonly { readonly path: string; readonly type: string; readonly about: string }[] {
  const own = path === "" ? [] : [{ path, type: typeText(field), about: field.about }];
  switch (field.kind) {
    case "text":
    case "number":
      return own;
    case "list":
      return [
        ...own,
        ...(field.of.kind === "object" ? fieldPaths(field.of, `${path}[]`).slice(1) : []),
      ];
    case "object":
      return [
        ...own,
        ...Object.entries(field.fields).flatMap(([name, inner]) =>
          fieldPaths(inner, path === "" ? name : `${path}.${name}`),
        ),
      ];
  }
}

function typeText(field: Field): string {
  if (field.kind === "list") return `list of ${field.of.kind}s`;
  return field.nullable ? `${field.kind} or null` : field.kind;
}

/** The table of docs/templates.md. */
export function viewFieldsMarkdown(): string {
  const rows = fieldPaths().map(({ path, type, about }) => [`\`${path}\``, type, about]);
  return markdownTable([["field", "type", "what it is"], ...rows]);
}
