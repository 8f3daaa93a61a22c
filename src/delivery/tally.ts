import type { DigestLine } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";
import { type DigestAlert, extreme, lineOf, MAX_LINES, worstFirst } from "./digest.ts";

/** Kinds kept apart for one digest; and names of objects, to count each once. What comes beyond is still counted, less finely. */
const KINDS = 2_000;
const NAMES = 20_000;

/** A digest made one occurrence at a time, within bounded memory, of however many there are. */
export class Tally {
  readonly #kinds = new Map<string, { line: DigestLine; readonly names: Set<string> }>();
  readonly #clusters = new Set<string>();
  #names = 0;
  #total = 0;
  #beyond = 0;
  #from = "";
  #to = "";

  add(event: KubeEvent): void {
    this.#total += 1;
    this.#clusters.add(event.cluster);
    this.#from = extreme([this.#from || event.lastSeen, event.lastSeen], -1);
    this.#to = extreme([this.#to || event.lastSeen, event.lastSeen], 1);
    const line = lineOf(event);
    const key = JSON.stringify([
      line.severity,
      line.reason,
      line.namespace,
      line.kind,
      line.workload,
    ]);
    const known = this.#kinds.get(key);
    if (known === undefined && this.#kinds.size >= KINDS) {
      this.#beyond += 1;
      return;
    }
    const { name } = event.object;
    const names = known?.names ?? new Set<string>();
    const isNew = !names.has(name);
    if (isNew && this.#names < NAMES) {
      names.add(name);
      this.#names += 1;
    }
    const count = (known?.line.count ?? 0) + 1;
    const objects = (known?.line.objects ?? 0) + (isNew ? 1 : 0);
    this.#kinds.set(key, { line: { ...line, count, objects }, names });
  }

  digest(): DigestAlert {
    const sorted = [...this.#kinds.values()].map(({ line }) => line).toSorted(worstFirst);
    return {
      kind: "digest",
      cluster: this.#clusters.size === 1 ? ([...this.#clusters][0] ?? "") : "",
      total: this.#total,
      from: this.#from,
      to: this.#to,
      lines: sorted.slice(0, MAX_LINES),
      moreKinds: Math.max(0, sorted.length - MAX_LINES) + this.#beyond,
      tooOld: true,
    };
  }
}
