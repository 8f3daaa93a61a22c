import type { DatabaseSync } from "node:sqlite";
import type { Delivery } from "../../src/event/delivery.ts";
import type { KubeEvent } from "../../src/event/event.ts";
import { SqliteStore } from "../../src/ledger/sqlite.ts";
import { settlement, type Write } from "../../src/ledger/store.ts";
import { Happenings, seeded } from "./events.ts";

/** Events of one transaction, as the pump hands them over. */
export const BATCH = 100;

/** Takes and settles events as `run` does: Warnings go to a chat and an audit store, the rest is kept for the audit store alone. */
export class Filler {
  readonly #store: SqliteStore;
  readonly #happenings: Happenings;
  readonly #random: () => number;
  readonly #salt: string;
  #made = 0;

  constructor(db: DatabaseSync, seed: number) {
    this.#store = new SqliteStore(db);
    this.#happenings = new Happenings(seed);
    this.#random = seeded(seed + 1);
    this.#salt = seed.toString(16);
  }

  /** One batch; the time of each is `at` of its number in the batch. */
  batch(size: number, at: (index: number) => number): void {
    const owed: Write[] = [];
    const settled: Write[] = [];
    for (let index = 0; index < size; index += 1) {
      const now = at(index);
      const event = this.#happenings.next(now);
      const deliveries = sinksOf(event).map((sink) => this.#owe(sink, event, now));
      owed.push({ kind: "take", event, receivedAt: now + 120, deliveries, force: false });
      for (const delivery of deliveries) settled.push(this.#settle(delivery, now));
    }
    this.#store.write(owed);
    this.#store.write(settled);
  }

  #owe(sink: string, event: KubeEvent, now: number): Delivery {
    this.#made += 1;
    const id = `${this.#salt.padStart(8, "0")}-0000-4000-8000-${this.#made.toString(16).padStart(12, "0")}`;
    return { id, sink, alert: { kind: "event", event }, attempts: 0, owedAt: now, notBefore: now };
  }

  #settle({ id }: Delivery, now: number): Write {
    const at = now + 400;
    if (this.#random() < 0.001)
      return settlement(id, {
        kind: "dead",
        at,
        reason: "rejected",
        detail: "HTTP 400: 310000 keywords not in content",
        counted: true,
      });
    return settlement(id, {
      kind: "delivered",
      at,
      sent: "",
      answer: 'HTTP 200: {"errcode":0,"errmsg":"ok"}',
    });
  }
}

function sinksOf({ type, object }: KubeEvent): readonly string[] {
  if (object.kind === "Node") return ["audit", "ding-oncall", "nodes"];
  return type === "Warning" ? ["audit", "ding-oncall"] : ["audit"];
}
