import { closeSync, existsSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ConfigError } from "../config/config.ts";
import { DELIVERY_STATES } from "../event/delivery.ts";
import type { CheckReport, Contents, ExportRow, Finding } from "../ledger/care.ts";
import { checkLedger } from "../ledger/check.ts";
import { vacuumLedger } from "../ledger/vacuum.ts";
import { durationProblem, parseDuration } from "../sink/schema.ts";
import { EXIT, type ExitCode, type Io, READER_GONE } from "./io.ts";
import { tellProblems } from "./problems.ts";
import { databaseOf, exportAt } from "./place.ts";
import type { ExportOptions, Place } from "./program/commands.ts";
import { shorten, table } from "./table.ts";
import { counted } from "../observe/counted.ts";

/** Text is handed on in pieces of about this size. */
const PIECE = 65_536;

/** `kube-crier ledger check`: what the ledger holds, and what is wrong with it; 3 if anything is. */
export async function checkLedgerCommand(place: Place, io: Io): Promise<ExitCode> {
  try {
    const target = databaseOf(place, io);
    const report =
      target === null
        ? checkLedger(place.dataDir)
        : await (await import("../ledger/mysql/check.ts")).checkMysqlLedger(target);
    io.stdout.write(reportText(report));
    if (report.findings.length === 0) return EXIT.ok;
    if (target !== null) {
      io.stderr.write("\nkeep a copy of it; rows that are wrong `run` leaves alone\n");
      return EXIT.failed;
    }
    io.stderr.write(
      "\nkeep a copy of it; a file that cannot be read `run` sets aside by itself and begins a new one, rows that are wrong it leaves alone\n",
    );
    return EXIT.failed;
  } catch (error) {
    return tellProblems(error, io);
  }
}

/** `kube-crier ledger vacuum`: gives unused space back to the disk. */
export function vacuumLedgerCommand(place: Place, io: Io): ExitCode {
  const { dataDir } = place;
  try {
    if (place.ledger !== undefined)
      throw new ConfigError([
        {
          where: "--ledger",
          message: "a database gives its own space back",
          hint: "as its administrator: OPTIMIZE TABLE kube_crier_occurrence, kube_crier_delivery;",
        },
      ]);
    const { before, after } = vacuumLedger(dataDir);
    io.stdout.write(`${size(before)} before, ${size(after)} after\n`);
    return EXIT.ok;
  } catch (error) {
    return tellProblems(error, io);
  }
}

/** `kube-crier ledger export`: everything in it, one JSON object a line. */
export async function exportLedgerCommand(options: ExportOptions, io: Io): Promise<ExitCode> {
  const { output } = options;
  try {
    const rows = exportAt(options, io, sinceOf(options, io));
    const out = output === undefined ? null : openFile(output);
    try {
      const counts = await copy(rows, out?.write ?? ((piece) => written(io, piece)), io.signal);
      if (counts === null && out === null && io.signal.reason === READER_GONE) return EXIT.ok;
      if (counts === null) {
        io.stderr.write("told to stop: the export is not whole\n");
        return EXIT.failed;
      }
      out?.keep();
      io.stderr.write(
        `exported ${[
          counted(counts.event, "event", "events"),
          counted(counts.delivery, "delivery", "deliveries"),
          counted(counts.attempt, "attempt", "attempts"),
          counted(counts.checkpoint, "checkpoint", "checkpoints"),
        ].join(", ")}\n`,
      );
      return EXIT.ok;
    } finally {
      out?.close();
    }
  } catch (error) {
    return tellProblems(error, io);
  }
}

function reportText({ contents, findings }: CheckReport): string {
  const verdict =
    findings.length === 0 ? "sound: every page and every row is as it should be\n" : "";
  return [
    ...(contents === null ? [] : [contentsText(contents)]),
    verdict,
    ...findings.map(findingText),
  ].join("");
}

function contentsText(contents: Contents): string {
  const { version, bytes, freeBytes, events, attempts, checkpoints, deliveries } = contents;
  const rows = [...deliveries].map(([sink, of]) => [
    sink,
    ...DELIVERY_STATES.map((state) => String(of[state])),
  ]);
  return [
    `version ${version}, ${size(bytes)}, of which ${size(freeBytes)} are free\n`,
    `${events} events, ${attempts} attempts, ${checkpoints} checkpoints\n\n`,
    ...(rows.length === 0 ? [] : [table(["sink", ...DELIVERY_STATES], rows), "\n"]),
  ].join("");
}

function findingText({ what, count, examples }: Finding): string {
  const number = count === null ? "" : `${count} `;
  const some = examples.length === 0 ? "" : `: ${examples.map((id) => shorten(id, 60)).join(", ")}`;
  const more = count !== null && count > examples.length && examples.length > 0 ? ", …" : "";
  return `wrong: ${number}${what}${some}${more}\n`;
}

function size(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** @throws ConfigError on a time that cannot be read */
function sinceOf({ since }: ExportOptions, io: Io): number | null {
  if (since === undefined) return null;
  const ms = parseDuration(since);
  if (ms !== null) return io.clock.now() - ms;
  const message = durationProblem(since) ?? "";
  throw new ConfigError([{ where: "--since", message, hint: null }]);
}

/** Hands rows on as fast as they are taken; answers how many of each, or `null` when told to stop. */
async function copy(
  rows: AsyncIterable<ExportRow>,
  write: (piece: string) => Promise<void>,
  signal: AbortSignal,
): Promise<Record<ExportRow["type"], number> | null> {
  const counts = { ledger: 0, event: 0, delivery: 0, attempt: 0, checkpoint: 0 };
  let piece = "";
  for await (const row of rows) {
    counts[row.type] += 1;
    piece += `${JSON.stringify(row)}\n`;
    if (piece.length < PIECE) continue;
    await write(piece);
    piece = "";
    if (signal.aborted) return null;
  }
  await write(piece);
  return signal.aborted ? null : counts;
}

/** Resolves when there is room for more, or nobody is left to take it. */
async function written({ stdout, signal }: Io, piece: string): Promise<void> {
  if (stdout.write(piece) || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const go = () => resolve();
  stdout.once("drain", go);
  signal.addEventListener("abort", go, { once: true });
  await promise;
  stdout.off("drain", go);
  signal.removeEventListener("abort", go);
}

/** A file of that name only when it is whole. @throws ConfigError where it cannot be written */
function openFile(file: string) {
  const partial = `${file}.partial`;
  const told = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      const hint = "name a file in a directory that exists, may be written, and has room";
      throw new ConfigError([{ where: `--output ${file}`, message: error.message, hint }]);
    }
  };
  if (existsSync(file)) {
    const hint = "name another one, or remove it first";
    throw new ConfigError([{ where: `--output ${file}`, message: "is there already", hint }]);
  }
  const handle = told(() => openSync(partial, "w", 0o600));
  return {
    write: async (piece: string) => {
      told(() => writeFileSync(handle, piece));
      // So that a signal is heard.
      await nextTurn();
    },
    keep: () => told(() => renameSync(partial, file)),
    close: () => {
      closeSync(handle);
      rmSync(partial, { force: true });
    },
  };
}
