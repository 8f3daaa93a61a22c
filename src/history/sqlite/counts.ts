import type { DatabaseSync } from "node:sqlite";
import { eachPacked, packed } from "../varints.ts";

/** How often each class occurred in one span of time: a class and its count in turn. */
export type Packed = Uint8Array;

export function pack(counts: ReadonlyMap<number, number>): Packed {
  return packed([...counts].flat());
}

/** `each` ends it by answering true. */
export function unpack(pairs: Packed, each: (of: number, n: number) => boolean | void): void {
  let of = -1;
  eachPacked(pairs, (one) => {
    if (of < 0) {
      of = one;
      return false;
    }
    const ended = each(of, one);
    of = -1;
    return ended;
  });
}

/** Whether any of the classes occurred; `null`: any class at all. */
export function holds(pairs: Packed, classes: ReadonlySet<number> | null): boolean {
  if (classes === null) return pairs.length > 0;
  let found = false;
  unpack(pairs, (of) => (found = classes.has(of)));
  return found;
}

export const SPANS = ["minute", "hour"] as const;
export type Span = (typeof SPANS)[number];

/** What is to be added to the counts, gathered over a batch: each span of time is written once. */
export class Additions {
  readonly #sql;
  readonly #gathered = new Map<Span, Map<number, Map<number, number>>>();

  constructor(db: DatabaseSync) {
    const statements = (span: Span) => ({
      get: db.prepare(`SELECT counts FROM ${span} WHERE bucket = ?`),
      set: db.prepare(`INSERT OR REPLACE INTO ${span} (bucket, counts) VALUES (?, ?)`),
      forget: db.prepare(`DELETE FROM ${span} WHERE bucket = ?`),
    });
    this.#sql = { minute: statements("minute"), hour: statements("hour") };
  }

  add(span: Span, bucket: number, of: number, n: number): void {
    const spans = this.#gathered.get(span) ?? new Map<number, Map<number, number>>();
    const counts = spans.get(bucket) ?? new Map<number, number>();
    counts.set(of, (counts.get(of) ?? 0) + n);
    spans.set(bucket, counts);
    this.#gathered.set(span, spans);
  }

  /** Within a transaction. */
  write(): void {
    for (const [span, buckets] of this.#gathered)
      for (const [bucket, added] of buckets) this.#merge(span, bucket, added);
    this.#gathered.clear();
  }

  /** After a transaction that was undone. */
  forget(): void {
    this.#gathered.clear();
  }

  #merge(span: Span, bucket: number, added: ReadonlyMap<number, number>): void {
    const { get, set, forget } = this.#sql[span];
    const counts = new Map<number, number>();
    const before = get.get(bucket)?.["counts"];
    if (before instanceof Uint8Array) unpack(before, (of, n) => void counts.set(of, n));
    for (const [of, n] of added) {
      const sum = (counts.get(of) ?? 0) + n;
      if (sum > 0) counts.set(of, sum);
      else counts.delete(of);
    }
    if (counts.size === 0) forget.run(bucket);
    else set.run(bucket, pack(counts));
  }
}
