import { onTestFinished } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { EVERYTHING, type EventRow } from "../../src/history/history.ts";
import { openReaderOver } from "../../src/history/open.ts";
import type { Following, Outlet, Sight } from "../../src/web/page/follower.ts";
import { block } from "../../src/web/page/sse.ts";
import { TailHub } from "../../src/web/page/tail.ts";
import { FakeClock, settle } from "./clock.ts";
import { NOON } from "./history.ts";
import { aLedger } from "./ledger.ts";

/** A client in memory, which has what it was given. */
export class Client implements Outlet {
  readonly chunks: Uint8Array[] = [];
  room = true;
  ended = false;

  hasRoom(): boolean {
    return this.room;
  }

  write(chunk: Uint8Array): void {
    if (this.ended) throw new Error("it is closed");
    this.chunks.push(chunk);
  }

  end(): void {
    this.ended = true;
  }

  get text(): string {
    return this.chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
  }

  /** As a browser counts them: event, data and the id it would come back with. */
  get blocks(): readonly { event: string; data: string; id: number | null }[] {
    let id: number | null = null;
    return this.text.split("\n\n").flatMap((lines) => {
      const field = (name: string) =>
        lines
          .split("\n")
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2))
          .join("\n");
      id = field("id") === "" ? id : Number(field("id"));
      return field("event") === "" ? [] : [{ event: field("event"), data: field("data"), id }];
    });
  }

  /** Names of the objects in the rows it got. */
  get names(): readonly string[] {
    return this.blocks.filter(({ event }) => event === "row").map(({ data }) => data);
  }

  /** What it would ask to go on from. */
  get last(): number | null {
    return this.blocks.at(-1)?.id ?? null;
  }
}

/** A hub over a ledger in memory. */
export function aHub() {
  const clock = new FakeClock(new Date(NOON).toISOString());
  const ledger = aLedger({ clock });
  const reader = { ...openReaderOver(ledger.db, systemClock) };
  const hub = new TailHub(reader, clock);
  onTestFinished(async () => {
    hub.close();
    await reader.close();
  });
  const written: string[] = [];
  const writing = {
    key: "names",
    row: ({ event }: EventRow) => {
      written.push(event.object.name);
      return block("row", event.object.name);
    },
    gap: (cause: string) => block("gap", cause),
    end: ({ message }: Error) => block("end", message),
  };
  const follow = (changes: Partial<Following> = {}) => {
    const client = new Client();
    const leave = hub.follow({
      asker: "somebody",
      filter: EVERYTHING,
      visible: "all",
      writing,
      outlet: client,
      after: null,
      look: (): Promise<Sight> => Promise.resolve({ kind: "sees", visible: "all" }),
      ...changes,
    });
    return Object.assign(client, { leave });
  };
  /** Long enough for everybody to get what there is: each is given theirs in a turn of its own. */
  const tick = async () => {
    await clock.advance(500);
    for (let turn = 0; turn < 10 + hub.size; turn += 1) await settle();
  };
  return { ...ledger, clock, hub, reader, follow, tick, written };
}
