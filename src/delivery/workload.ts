/** The letters Kubernetes makes random names of: no vowels, none that look alike. */
const SAFE = "[bcdfghjklmnpqrstvwxz2456789]";
const SUFFIX = new RegExp(`^(.+)-${SAFE}{5}$`, "u");
const HASHED = /^(.+)-([a-z0-9]{8,10})-[a-z0-9]{5}$/u;
const REPLICA_SET = /^(.+)-([a-z0-9]{6,10})$/u;
const ALL_SAFE = new RegExp(`^${SAFE}+$`, "u");
/** A CronJob's Job carries the minute it was due, counted from 1970. */
const SCHEDULED = /^(.+)-\d{8,10}$/u;
const ORDINAL = /^(.+)-\d{1,5}$/u;

/**
 * The workload as far as an object's name tells it: `web` for Pod `web-7d4b9c6f5d-x2x9z` (Deployment), `web-7d4b9` (DaemonSet,
 * Job), `web-0` (StatefulSet) and `web-28912345-x2x9z` (CronJob). Names of other kinds are left as they are.
 */
export function workloadOf(kind: string, name: string): string {
  switch (kind) {
    case "Pod":
      return ofPod(name);
    case "ReplicaSet":
      return hashed(name.match(REPLICA_SET)) ?? name;
    case "Job":
      return name.match(SCHEDULED)?.[1] ?? name;
    case "PersistentVolumeClaim":
      return name.match(ORDINAL)?.[1] ?? name;
    default:
      return name;
  }
}

function ofPod(name: string): string {
  const deployment = hashed(name.match(HASHED));
  if (deployment !== null) return deployment;
  return name.match(SUFFIX)?.[1] ?? name.match(ORDINAL)?.[1] ?? name;
}

/** A word of the name (`frontend`) is no hash: a hash has digits, or at least none of the vowels. */
function hashed(match: RegExpMatchArray | null): string | null {
  const [, owner, hash] = match ?? [];
  if (owner === undefined || hash === undefined) return null;
  return /\d/u.test(hash) || ALL_SAFE.test(hash) ? owner : null;
}
