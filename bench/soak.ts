import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { haveMariadb } from "../test/support/mariadb.ts";
import { complaints, HEADING, row } from "./soak/judge.ts";

/**
 * `npm run soak -- --minutes=120 --rate=20`: kube-crier under bursts, watches that break and sinks that are unwell, and whether it stays as it is.
 * Needs KUBECONFIG of a cluster whose namespace kube-crier-soak may be filled. Exit code 1 where something was lost, came twice, or grew.
 */
const MAX_MINUTES = 24 * 60;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "120" },
    /** Occurrences in a second, on average. */
    rate: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    csv: { type: "string", default: path.join(tmpdir(), "kube-crier-soak.csv") },
    /** A MariaDB of the soak's own, as a further sink. */
    mysql: { type: "boolean", default: false },
  },
});

function problem(minutes: number, rate: number, seed: number): string | null {
  if ((process.env["KUBECONFIG"] ?? "") === "")
    return "KUBECONFIG is not set; export one of a cluster that may be filled with events";
  if (!(minutes >= 1 && minutes <= MAX_MINUTES))
    return `--minutes=${values.minutes}: from 1 to ${MAX_MINUTES}`;
  if (!(rate >= 1 && rate <= 1_000)) return `--rate=${values.rate}: from 1 to 1000 in a second`;
  if (!Number.isInteger(seed)) return `--seed=${values.seed}: a whole number`;
  if (values.mysql && !haveMariadb) return "--mysql: there is no mariadbd on this machine";
  return null;
}

const [minutes = 0, rate = 0, seed = 0] = [values.minutes, values.rate, values.seed].map(Number);
const wrong = problem(minutes, rate, seed);
if (wrong !== null) {
  process.stderr.write(`soak: ${wrong}\n`);
  process.exitCode = 2;
} else {
  const note = (text: string) => process.stderr.write(`soak: ${text}\n`);
  const csv = path.resolve(values.csv);
  const { mysql } = values;
  const { soak } = await import("./soak/run.ts");
  const run = await soak({ minutes, rate, seed, csv, mysql, further: positionals, note });
  const found = complaints(run);
  process.stdout.write(`${HEADING}\n${row(run)}\n`);
  for (const complaint of found) process.stdout.write(`failed: ${complaint}\n`);
  process.stdout.write(`${found.length === 0 ? "passed" : "failed"}; samples in ${csv}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
