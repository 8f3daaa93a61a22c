import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * Preloaded (`node --import`) into the program under test, which knows nothing of it: counts what changes the ledger, a point before and a point
 * after each, and dies at the one that DIE_AT names, as by kill -9. DIE_LOG names a file that gets a line for each point, so that they can be
 * counted beforehand.
 */
const at = Number(process.env["DIE_AT"] ?? Number.NaN);
const log = process.env["DIE_LOG"] ?? "";
const CHANGES = /^\s*(BEGIN|COMMIT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA\s+\w+\s*=)/i;
const points = { count: 0 };

function point(what: string): void {
  if (log !== "") fs.appendFileSync(log, `${points.count} ${what}\n`);
  if (points.count === at) {
    process.kill(process.pid, "SIGKILL");
    // Whatever thread gets the signal: this one does nothing more.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  points.count += 1;
}

function around<T>(what: string, work: () => T): T {
  const short = what.replaceAll(/\s+/g, " ").trim().slice(0, 60);
  point(`before ${short}`);
  const result = work();
  point(`after ${short}`);
  return result;
}

type Method = (this: unknown, ...args: never[]) => unknown;

/** @param textOf the SQL of a call; `null`: it changes nothing */
function wrap(owner: object, name: string, textOf: (self: unknown, args: unknown[]) => string) {
  const methods = owner as Record<string, Method>;
  const original = methods[name];
  if (original === undefined) throw new Error(`there is no ${name} to wrap`);
  methods[name] = function wrapped(this: unknown, ...args: never[]): unknown {
    const text = textOf(this, args);
    const work = () => original.apply(this, args);
    return CHANGES.test(text) ? around(text, work) : work();
  };
}

wrap(DatabaseSync.prototype, "exec", (_, [sql]) => String(sql));
for (const name of ["run", "get", "all"])
  wrap(StatementSync.prototype, name, (self) => (self as StatementSync).sourceSQL);
for (const name of ["renameSync", "chmodSync"] as const)
  wrap(fs, name, (_, [file]) => (String(file).includes("ledger.db") ? `ALTER by ${name}` : ""));
syncBuiltinESMExports();
