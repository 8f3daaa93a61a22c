/**
 * What a workload makes bears its name: the API server appends letters and digits that spell no words to it, a StatefulSet and a CronJob
 * numbers. An Event says nothing of owners, and the objects may be gone: so this is told by names alone.
 * @see https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go (the alphabet)
 */
const SAFE = "[bcdfghjklmnpqrstvwxz2456789]";
const HASH = `-${SAFE}{1,10}`;
const RANDOM = `-${SAFE}{5}`;
const ORDINAL = "-\\d{1,6}";
/** Minutes since 1970. */
const SCHEDULED = "-\\d{8,10}";

interface Part {
  readonly kind: string;
  readonly suffix: string;
}

/** Maps: a kind is what somebody wrote, and may be `constructor`. */
const PARTS: ReadonlyMap<string, readonly Part[]> = new Map(
  Object.entries({
    Deployment: [
      { kind: "ReplicaSet", suffix: HASH },
      { kind: "Pod", suffix: HASH + RANDOM },
    ],
    ReplicaSet: [{ kind: "Pod", suffix: RANDOM }],
    ReplicationController: [{ kind: "Pod", suffix: RANDOM }],
    StatefulSet: [{ kind: "Pod", suffix: ORDINAL }],
    DaemonSet: [{ kind: "Pod", suffix: RANDOM }],
    Job: [{ kind: "Pod", suffix: `(?:${ORDINAL})?${RANDOM}` }],
    CronJob: [
      { kind: "Job", suffix: SCHEDULED },
      { kind: "Pod", suffix: `${SCHEDULED}(?:${ORDINAL})?${RANDOM}` },
    ],
  }),
);

export interface Named {
  readonly kind: string;
  readonly name: string;
}

/** Kinds of what such a workload makes, its own not among them; empty: it makes nothing. */
export function kindsMadeBy(kind: string): readonly string[] {
  return (PARTS.get(kind) ?? []).map((part) => part.kind);
}

/** Whether an object is the workload itself or bears the name of what it makes. */
export function belongsTo(workload: Named, { kind, name }: Named): boolean {
  if (kind === workload.kind) return name === workload.name;
  if (!name.startsWith(`${workload.name}-`)) return false;
  const suffix = name.slice(workload.name.length);
  const parts = PARTS.get(workload.kind) ?? [];
  return parts.some((part) => part.kind === kind && wholly(part.suffix).test(suffix));
}

/** By what an object was made, as far as its name says; `null`: by nothing, or by one of several. */
export function makerOf({ kind, name }: Named): Named | null {
  for (const [maker, suffix] of MAKERS.get(kind) ?? []) {
    const found = new RegExp(`^(.+?)${suffix}$`).exec(name)?.[1];
    if (found !== undefined) return { kind: maker, name: found };
  }
  return null;
}

/** The least ambiguous first. Of a Pod with nothing but five characters behind its maker's name nobody knows what that is. */
const MAKERS = new Map<string, readonly (readonly [maker: string, suffix: string])[]>([
  [
    "Pod",
    [
      ["CronJob", `${SCHEDULED}(?:${ORDINAL})?${RANDOM}`],
      // A hash of ten figures is hardly ever shorter than eight.
      ["Deployment", `-${SAFE}{8,10}${RANDOM}`],
      ["StatefulSet", ORDINAL],
    ],
  ],
  ["ReplicaSet", [["Deployment", `-${SAFE}{8,10}`]]],
  ["Job", [["CronJob", SCHEDULED]]],
]);

const wholly = (pattern: string): RegExp => new RegExp(`^${pattern}$`);
