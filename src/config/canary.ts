import { s } from "../sink/schema.ts";
import { issueAt } from "./at.ts";
import type { CanaryConfig, ConfigIssue } from "./config.ts";
import { nameShown } from "./shown.ts";
import type { Tree } from "./tree.ts";

/** Where an Event of our own has to arrive, and who hears of it when it does not. */
export const canaryShape = {
  canary: s
    .duration({
      description:
        "How often to write an Event of our own and see whether it arrives, at least 10s; it needs the right to create and patch events in its namespace; without it: never",
      example: "5m",
    })
    .refine((ms) => ms >= 10_000, "expected at least 10s")
    .optional(),
  canarySink: s
    .text({
      description:
        "The sink that has to accept the canary, whatever its filter; without it: it has to be in the ledger, and no sink sees it",
      example: "my-stdout",
    })
    .optional(),
  canaryTell: s
    .text({
      description:
        "The sink that is told once when the canary does not arrive, and once when it does again",
      example: "my-stdout",
    })
    .optional(),
  canaryDeadline: s
    .duration({
      description:
        "How long a canary may take to arrive, at least 1s; without it: half the time between two, at most 1m",
      example: "30s",
    })
    .refine((ms) => ms >= 1_000, "expected at least 1s")
    .optional(),
};

/** Options of the canary as the schema read them. */
export interface RawCanary {
  readonly canary?: number | undefined;
  readonly canarySink?: string | undefined;
  readonly canaryTell?: string | undefined;
  readonly canaryDeadline?: number | undefined;
}

/** Within this time a canary has arrived, unless something is wrong; half the time between two of them, where that is less. */
const DEADLINE_MS = 60_000;

export function resolvedCanary(raw: RawCanary): CanaryConfig {
  const everyMs = raw.canary ?? null;
  return {
    everyMs,
    deadlineMs: raw.canaryDeadline ?? Math.min(DEADLINE_MS, (everyMs ?? DEADLINE_MS * 2) / 2),
    sink: raw.canarySink ?? null,
    tell: raw.canaryTell ?? null,
  };
}

/** What the options of the canary say together: mistakes, and what works but should be known. */
export function judgeCanary(
  raw: RawCanary,
  sinkNames: readonly string[],
  hasCluster: boolean,
  tree: Tree,
): { readonly issues: readonly ConfigIssue[]; readonly notes: readonly ConfigIssue[] } {
  const issues: ConfigIssue[] = [];
  const notes: ConfigIssue[] = [];
  const at = (option: keyof RawCanary, message: string, hint: string) =>
    issueAt(tree, option, message, hint);
  const { canary, canarySink, canaryTell, canaryDeadline } = raw;
  for (const option of ["canarySink", "canaryTell"] as const) {
    const name = raw[option];
    if (name !== undefined && !sinkNames.includes(name))
      issues.push(
        at(
          option,
          `there is no sink named "${nameShown(name)}"`,
          `the sinks: ${sinkNames.join(", ")}`,
        ),
      );
  }
  if (canary === undefined) {
    for (const option of ["canarySink", "canaryTell", "canaryDeadline"] as const)
      if (raw[option] !== undefined)
        notes.push(at(option, "does nothing without canary", "give canary: 5m, or leave it out"));
    return { issues, notes };
  }
  if (!hasCluster)
    issues.push(
      at(
        "canary",
        "there is no cluster to write it to",
        "it needs a kubernetes source; leave it out",
      ),
    );
  if (canaryDeadline !== undefined && canaryDeadline > canary)
    issues.push(
      at(
        "canaryDeadline",
        `is longer than the time between two canaries (${canary / 1000} s)`,
        "make it shorter, or canary longer",
      ),
    );
  if (canarySink !== undefined && canarySink === canaryTell)
    notes.push(
      at(
        "canaryTell",
        `"${canaryTell}" is the sink that the canary is followed to: when that fails, nobody is told`,
        "name another one",
      ),
    );
  return { issues, notes };
}
