import { onTestFinished } from "vitest";
import mysql from "../../sinks/mysql.ts";
import type { DirectSink, Verdict } from "../../src/sink/index.ts";
import { FakeClock } from "./clock.ts";
import { anEvent } from "./events.ts";
import { aMessage, optionsFor } from "./messages.ts";
import { type Described, OWN, saysOf } from "./mysql-tables.ts";
import {
  type MysqlWire,
  type Said,
  startMysqlWire,
  type Statement,
  type WireOptions,
} from "./mysql-wire.ts";
import { quietIo } from "./sinks.ts";

/** The MySQL sink against a server that speaks its protocol and has no database behind it. */
export const never = new AbortController().signal;
export const accepted: Verdict = { kind: "accepted" };

export interface Bench {
  readonly wire: MysqlWire;
  readonly sink: DirectSink;
  readonly clock: FakeClock;
  readonly told: string[];
}

/** A sink, and the server that it speaks to: `besides` answers what the test is about. */
export async function bench(
  besides: (statement: Statement) => Said | null = () => null,
  {
    table = OWN,
    given = {},
    ...rest
  }: {
    readonly table?: Described | null;
    readonly given?: Readonly<Record<string, unknown>>;
  } & Omit<WireOptions, "answer"> = {},
): Promise<Bench> {
  const wire = await startMysqlWire({ answer: saysOf(table, besides), ...rest });
  onTestFinished(() => wire.close());
  const clock = new FakeClock();
  const told: string[] = [];
  if (mysql.transport !== "direct") throw new Error("mysql speaks no HTTP");
  const dsn = `root@tcp(127.0.0.1:${wire.port})/crier`;
  const sink = mysql.create(optionsFor(mysql, { dsn, ...given }), {
    ...quietIo(),
    clock,
    notice: (text) => told.push(text),
    warning: (text) => told.push(text),
  });
  onTestFinished(() => sink.close());
  return { wire, sink, clock, told };
}

export const numbered = (n: number) =>
  aMessage({ id: `d${n}`, event: anEvent({ uid: `uid-${String(n).padStart(4, "0")}` }) });
export const many = (count: number) => Array.from({ length: count }, (_, n) => numbered(n));
export const deliver = (sink: DirectSink, count: number, signal = never) =>
  Promise.all(many(count).map((message) => sink.deliver(message, signal)));
export const inserts = (wire: MysqlWire) =>
  wire.statements.filter(({ sql }) => sql.startsWith("INSERT"));
/** Events of a statement. */
export const uids = ({ values }: Statement) => values.filter((value) => value.startsWith("uid-"));
export const isInsert = ({ sql }: Statement) => sql.startsWith("INSERT");
