import { pino } from "pino";
import { redact } from "./redact.ts";

export type Level = "debug" | "info" | "warn" | "error";
export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  write(level: Level, message: string, fields?: Fields): void;
}

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

function clean(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, withoutSecrets(value)]),
  );
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  return isPlain(value) ? clean(value) : value;
}

function isPlain(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** JSON lines, one object a line: `{"time":…,"level":"info","msg":…}`. */
export function jsonLog(level: Level, out: { write(text: string): unknown }): Log {
  const logger = pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    { write: (line) => void out.write(line) },
  );
  return {
    write(at, message, fields = {}) {
      // What is not logged need not be cleaned: that is done for each delivery.
      if (RANK[at] >= RANK[level]) logger[at](clean(fields), redact(message));
    },
  };
}

const COLOUR: Readonly<Record<Level, string>> = { debug: "2", info: "36", warn: "33", error: "31" };

/** For a person at a terminal: time, level where it matters, sentence, fields. */
export function textLog(level: Level, out: { write(text: string): unknown }, colour: boolean): Log {
  return {
    write(at, message, fields = {}) {
      if (RANK[at] < RANK[level]) return;
      const time = new Date().toTimeString().slice(0, 8);
      const label = at === "info" ? "" : `${at}: `;
      const rest = Object.entries(clean(fields))
        .map(
          ([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
        )
        .join("");
      const line = `${time} ${label}${inline(redact(message))}`;
      out.write(`${colour ? `\u001B[${COLOUR[at]}m${line}\u001B[0m` : line}${inline(rest)}\n`);
    },
  };
}

/** A terminal must not obey what a stranger's file or server says, nor show a line that was never logged. */
function inline(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").replaceAll(/\p{Cf}/gu, "");
}
