import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Clock } from "../../clock.ts";
import type { ConfigIssue } from "../../config/config.ts";
import { type AccessFile, readAccessFile, type Role } from "./access-file.ts";
import {
  type Access,
  EVERYWHERE,
  type Identity,
  type Namespaces,
  type Proven,
  type Purpose,
  type TokenProver,
} from "./identity.ts";

/** How long a changed file waits to be seen. */
const LOOK_EVERY_MS = 1_000;
const MOST_BYTES = 1024 * 1024;

const NOBODY: AccessFile = { tokens: [], roles: [] };

/** Tokens and roles of a file, read again when it changes. */
export type AccessFiles = TokenProver & {
  /** What is wrong with it now; the start is refused for these. */
  readonly issues: readonly ConfigIssue[];
  /** Whether it holds roles, without which nobody who comes by the proxy may see anything by it. */
  readonly hasRoles: boolean;
  vouchedFor(identity: Identity): Proven;
};

/**
 * A file with mistakes leaves the last good one in use, which is told; one that is gone lets nobody in.
 * @param told the mistakes of a changed file, each time it changes, and whether it is gone; none: it is good again
 */
export function openAccessFile(
  file: string,
  { clock, told }: { clock: Clock; told: (issues: readonly ConfigIssue[], gone: boolean) => void },
): AccessFiles {
  let mark = "";
  let lookedAt = clock.now();
  let issues: readonly ConfigIssue[] = [];
  let gone = false;
  let current = NOBODY;
  look();

  function look(): boolean {
    const now = markOf(file);
    if (now === mark) return false;
    mark = now;
    const read = readNow(file);
    ({ issues, gone } = read);
    if (gone || issues.length === 0) current = read.access;
    return true;
  }

  function fresh(): AccessFile {
    const now = clock.now();
    // Before that moment: the clock was set back.
    if (now < lookedAt || now - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = now;
      if (look()) told(issues, gone);
    }
    return current;
  }

  function owner(token: string) {
    const given = createHash("sha256").update(token).digest();
    // All of them are looked at, so that the time it takes says nothing.
    const found = fresh().tokens.filter(({ sha256 }) => timingSafeEqual(sha256, given));
    return found[0] ?? null;
  }

  return {
    get issues() {
      return issues;
    },
    get hasRoles() {
      return fresh().roles.length > 0;
    },
    knows: (token) => owner(token) !== null,
    prove(token) {
      const found = owner(token);
      if (found === null) return Promise.resolve({ ok: true, value: null });
      const identity = { name: found.name, groups: [], email: null, by: "tokenFile" } as const;
      const roles = () => fresh().tokens.filter(({ name }) => name === found.name);
      return Promise.resolve({
        ok: true,
        value: provenBy(identity, file, () => roles().map(({ role }) => role)),
      });
    },
    vouchedFor: (identity) =>
      provenBy(identity, file, () =>
        fresh()
          .roles.filter(({ groups }) => identity.groups.some((group) => groups.has(group)))
          .map(({ role }) => role),
      ),
  };
}

function provenBy(identity: Identity, file: string, roles: () => readonly Role[]): Proven {
  return {
    identity,
    access: (purpose, namespaces) =>
      Promise.resolve({ ok: true, value: accessOf(roles(), purpose, namespaces) }),
    lacks: (purpose, namespace) =>
      `${identity.name} may not ${purpose} ${placeText(namespace)}; give it in ${file}: namespaces: [${namespace === EVERYWHERE ? '"*"' : (namespace ?? "NAMESPACE")}], may: [${purpose === "read" ? "read" : "read, change"}]`,
  };
}

function placeText(namespace: string | null): string {
  if (namespace === null) return "in any namespace";
  return namespace === EVERYWHERE ? "in all namespaces" : `in namespace ${namespace}`;
}

function accessOf(roles: readonly Role[], purpose: Purpose, namespaces: readonly string[]): Access {
  const given = roles.filter(({ may }) => may.has(purpose));
  const seen: Namespaces = given.some(({ everywhere }) => everywhere)
    ? "all"
    : new Set(namespaces.filter((one) => given.some(({ matches }) => matches(one))));
  return { namespaces: seen, complete: true };
}

/** Changes whenever the file may have; ConfigMaps and Secrets are exchanged by a symbolic link, which the inode shows. */
function markOf(file: string): string {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function readNow(file: string): {
  readonly access: AccessFile;
  readonly issues: readonly ConfigIssue[];
  readonly gone: boolean;
} {
  const hint = "give a file that this process may read";
  try {
    if (statSync(file).size > MOST_BYTES) {
      const message = `is larger than ${MOST_BYTES / 1024 / 1024} MiB`;
      return { access: NOBODY, issues: [{ where: file, message, hint: null }], gone: false };
    }
    return { ...readAccessFile(file, readFileSync(file, "utf8")), gone: false };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = `cannot be read: ${code === "ENOENT" ? "there is no such file" : message}`;
    return { access: NOBODY, issues: [{ where: file, message: problem, hint }], gone: true };
  }
}
