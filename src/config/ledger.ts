import type { Secret } from "../sink/index.ts";
import { issueAt } from "./at.ts";
import type { ConfigIssue } from "./config.ts";
import type { Tree } from "./tree.ts";

/** What works and should be known about the ledger's database. */
export function ledgerNotes(ledger: Secret | null, tree: Tree): readonly ConfigIssue[] {
  const notes: ConfigIssue[] = [];
  if (ledger === null && "ledgerAway" in tree.value)
    notes.push(
      issueAt(
        tree,
        "ledgerAway",
        "does nothing without ledger: a file on a disk that refuses is always bypassed",
        "give ledger: mysql://…, or leave it out",
      ),
    );
  if (ledger !== null && isSeen(ledger, tree))
    notes.push(
      issueAt(
        tree,
        "ledger",
        "this secret stands in the file itself",
        "write ${NAME}, { $env: NAME } or { $file: PATH } instead",
      ),
    );
  return notes;
}

/** A URL without a password is no secret. */
function isSeen(ledger: Secret, tree: Tree): boolean {
  const layer = tree.layerOf(["ledger"]);
  if (layer === null || layer.hidden(["ledger"]) || !layer.literalsAreSeen) return false;
  return /^[^/]*\/\/[^@/]*:[^@]*@/.test(ledger.reveal());
}
