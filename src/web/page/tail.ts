import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../clock.ts";
import type { EventRow, Filter, HistoryReader, Tail, Visible } from "../../history/history.ts";
import { EVERYTHING } from "../../history/history.ts";
import { fits, says, toldSo, traitsOf } from "../../history/match.ts";
import { type Following, type Group, groupKey, type Member } from "./follower.ts";
import { BEGIN, block, encode, idLine } from "./sse.ts";

/** How often new rows are looked for while somebody follows. */
const EVERY_MS = 500;
const BATCH = 500;
const DEADLINE_MS = 2_000;
/** A sign of life, and the newest mark, where there is nothing else to say. */
export const HEARTBEAT_MS = 15_000;
/** How often it is asked anew what a follower may see: what was granted is remembered for a minute besides. */
export const LOOK_MS = 30_000;
const LOOK_AGAIN_MS = 10_000;
/** Whoever was away for longer than this many events is told so, and goes on with the newest of them. */
export const CATCH_UP = 5_000;

/**
 * What arrives, for all who follow: the store is asked once for all of them. Those who see the same get the same bytes, written once.
 * Nobody is waited for: whoever does not take what is written is let go with a word about it, and goes on from there when they come back.
 */
export class TailHub {
  readonly #reader: HistoryReader;
  readonly #clock: Clock;
  readonly #members = new Set<Member>();
  readonly #groups = new Map<string, Group>();
  #stop: AbortController | null = null;
  #mark: number | null = null;

  constructor(reader: HistoryReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  get size(): number {
    return this.#members.size;
  }

  sizeOf(asker: string): number {
    return [...this.#members].filter(({ who }) => who.asker === asker).length;
  }

  /** Writes to the outlet until the answer is called. */
  follow(who: Following): () => void {
    const now = this.#clock.now();
    const member: Member = {
      who,
      visible: who.visible,
      mark: who.after ?? this.#mark,
      state: "behind",
      had: new Set(),
      writtenAt: now,
      lookAt: now + LOOK_MS,
    };
    who.outlet.write(encode(BEGIN));
    this.#members.add(member);
    if (who.after === null) this.#goLive(member);
    if (this.#stop === null) {
      this.#stop = new AbortController();
      void this.#run(this.#stop.signal);
    }
    return () => this.#leave(member);
  }

  close(): void {
    for (const { who } of this.#members) who.outlet.end();
    this.#members.clear();
    this.#groups.clear();
    this.#rest();
  }

  #leave(member: Member): void {
    this.#ungroup(member);
    this.#members.delete(member);
    if (this.#members.size === 0) this.#rest();
  }

  #rest(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#mark = null;
  }

  #goLive(member: Member): void {
    member.state = "live";
    const { visible, who } = member;
    const key = groupKey(member);
    const group = this.#groups.get(key) ?? {
      filter: who.filter,
      writing: who.writing,
      visible,
      members: new Set(),
    };
    group.members.add(member);
    this.#groups.set(key, group);
  }

  #ungroup(member: Member): void {
    const key = groupKey(member);
    const group = this.#groups.get(key);
    group?.members.delete(member);
    if (group?.members.size === 0) this.#groups.delete(key);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const ask = { visible: "all", deadlineMs: DEADLINE_MS, signal } as const;
    while (!signal.aborted) {
      let more = false;
      try {
        await this.#catchUpAll(signal);
        const tail = await this.#reader.tail(EVERYTHING, this.#mark, BATCH, ask);
        if (signal.aborted) return;
        this.#mark = tail.mark;
        await this.#handOut(tail);
        more = tail.rows.length === BATCH;
      } catch {
        // The page says by itself that the store cannot be read; it is asked again.
      }
      this.#careForAll();
      if (!more) await this.#clock.sleep(EVERY_MS, signal);
    }
  }

  async #handOut({ rows, mark }: Tail): Promise<void> {
    const written = new Map<string, Map<EventRow, string>>();
    const traits = new Map(
      rows.map((row) => {
        const sinks = row.deliveries.map(({ sink }) => sink);
        return [row, traitsOf(row.event, row.suppressed, sinks)] as const;
      }),
    );
    for (const { filter, visible, writing, members } of this.#groups.values()) {
      const found = rows.filter((row) => {
        const of = traits.get(row);
        return of !== undefined && fits(of, filter, visible) && tells(row, filter);
      });
      const texts = written.get(writing.key) ?? new Map<EventRow, string>();
      written.set(writing.key, texts);
      for (const row of found) {
        if (texts.has(row)) continue;
        texts.set(row, writing.row(row));
        // After each row and each chunk everything else has its turn: what is delivered matters more.
        await nextTurn();
      }
      const textOf = (row: EventRow) => texts.get(row) ?? "";
      const chunk = found.length === 0 ? null : encode(chunkOf(found.map(textOf), mark));
      for (const member of members) {
        const { had } = member;
        member.mark = mark;
        member.had = new Set();
        if (chunk === null) continue;
        const rest = found.filter(({ id }) => !had.has(id));
        if (rest.length === found.length) this.#write(member, chunk);
        else if (rest.length > 0) this.#write(member, encode(chunkOf(rest.map(textOf), mark)));
        await nextTurn();
      }
    }
  }

  /** One for whom it cannot be read holds up nobody: the others are asked for first the next time. */
  async #catchUpAll(signal: AbortSignal): Promise<void> {
    for (const member of this.#members) {
      if (member.state !== "behind") continue;
      try {
        await this.#catchUp(member, signal);
      } catch {
        if (this.#members.delete(member)) this.#members.add(member);
        return;
      }
    }
  }

  /** What came since the client was here last, as far as that is not too much. */
  async #catchUp(member: Member, signal: AbortSignal): Promise<void> {
    const { who } = member;
    this.#mark ??= (await this.#reader.tail(EVERYTHING, null, 1, this.#ask("all", signal))).mark;
    const now = this.#mark;
    member.mark ??= now;
    // Too long ago, or another ledger's.
    if (member.mark > now || now - member.mark > CATCH_UP) {
      this.#write(member, encode(who.writing.gap("missed")));
      member.mark = Math.max(0, now - CATCH_UP);
    }
    while (member.mark < now && member.state === "behind" && this.#members.has(member)) {
      const ask = this.#ask(member.visible, signal);
      const limit = Math.min(BATCH, now - member.mark);
      const { rows, mark } = await this.#reader.tail(who.filter, member.mark, limit, ask);
      // Nothing is there any more of what was.
      member.mark = mark === member.mark ? now : mark;
      member.had = new Set(rows.map(({ id }) => id));
      if (rows.length === 0) continue;
      const texts = rows.map((row) => who.writing.row(row));
      this.#write(member, encode(chunkOf(texts, member.mark)));
      await nextTurn();
    }
    if (member.mark <= now) member.had = new Set();
    if (member.state === "behind" && this.#members.has(member)) this.#goLive(member);
  }

  #ask(visible: Visible, signal: AbortSignal) {
    return { visible, deadlineMs: DEADLINE_MS, signal } as const;
  }

  #write(member: Member, chunk: Uint8Array): void {
    if (!this.#members.has(member)) return;
    const { outlet, writing } = member.who;
    member.writtenAt = this.#clock.now();
    if (outlet.hasRoom()) {
      outlet.write(chunk);
      return;
    }
    this.#end(member, writing.gap("slow"));
  }

  #end(member: Member, last: string): void {
    this.#leave(member);
    member.who.outlet.write(encode(last));
    member.who.outlet.end();
  }

  #careForAll(): void {
    const now = this.#clock.now();
    for (const member of this.#members) {
      // Set back, the clock must not put off either for as long.
      member.writtenAt = Math.min(member.writtenAt, now);
      if (member.lookAt !== Infinity) member.lookAt = Math.min(member.lookAt, now + LOOK_MS);
      if (now >= member.lookAt) void this.#look(member);
      if (now - member.writtenAt < HEARTBEAT_MS || member.mark === null) continue;
      this.#write(member, encode(block("mark", "", member.mark)));
    }
  }

  /** A right that was taken away ends what is followed, or makes it less; where nobody can say, nothing is shown until somebody can. */
  async #look(member: Member): Promise<void> {
    member.lookAt = Infinity;
    const sight = await member.who.look();
    if (!this.#members.has(member)) return;
    const now = this.#clock.now();
    member.lookAt = now + (sight.kind === "unknown" ? LOOK_AGAIN_MS : LOOK_MS);
    if (sight.kind === "refused") {
      this.#end(member, member.who.writing.end(sight.refusal));
      return;
    }
    const same =
      sight.kind === "sees" && JSON.stringify(sight.visible) === JSON.stringify(member.visible);
    if (same && member.state !== "blind") return;
    this.#ungroup(member);
    if (sight.kind === "sees") member.visible = sight.visible;
    // From its own mark on, whatever is being handed out just now.
    member.state = sight.kind === "sees" ? "behind" : "blind";
  }
}

/** Blocks with the mark on the last one, so that a client that got a part of them asks for all of them again. */
function chunkOf(texts: readonly string[], mark: number): string {
  const last = texts.at(-1) ?? "";
  return `${texts.slice(0, -1).join("")}${idLine(mark)}${last}`;
}

function tells(row: EventRow, filter: Filter): boolean {
  return toldSo(filter, row.deliveries) && says(row.event, filter);
}
