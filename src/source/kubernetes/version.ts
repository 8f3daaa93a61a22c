const DIGITS = /^\d+$/;

/**
 * Which of two resourceVersions is later: negative, zero or positive, as for sorting. `null` where they are no numbers:
 * the API calls them opaque, though kube-apiserver's are etcd revisions, and "newer than" is needed after a 410.
 */
export function compareVersions(a: string, b: string): number | null {
  if (!DIGITS.test(a) || !DIGITS.test(b)) return null;
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether `version` is after `since`; where that cannot be told, yes: a doubled occurrence is dropped later, a lost one is lost. */
export function isNewer(version: string, since: string | null): boolean {
  if (since === null) return true;
  const order = compareVersions(version, since);
  return order === null || order > 0;
}
