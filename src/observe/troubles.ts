import type { GapAlert } from "../event/alert.ts";
import type { Observer } from "./observer.ts";
import { redact } from "./redact.ts";

/** How long what is over is still told of: whoever looks at last night's history should know what is missing in it. */
const TOLD_MS = 24 * 3_600_000;
/** Of what is over. */
const KEPT = 20;

/** What does not work now, or left something out lately. Times are milliseconds since the epoch. */
export type Trouble =
  | {
      readonly kind: "source";
      readonly source: string;
      readonly since: number;
      readonly detail: string;
    }
  | { readonly kind: "ledger"; readonly since: number; readonly detail: string }
  | { readonly kind: "templates"; readonly since: number; readonly problems: readonly string[] }
  | {
      readonly kind: "gap";
      readonly source: string;
      readonly at: number;
      readonly gap: Pick<GapAlert, "since" | "until" | "cause">;
    }
  | {
      readonly kind: "replaced";
      readonly at: number;
      readonly aside: string;
      readonly owed: number | null;
    }
  | { readonly kind: "page"; readonly at: number; readonly detail: string };

type Over = Extract<Trouble, { readonly at: number }>;

/** Remembers what is wrong until it is not any more; the observer does all it did. */
export function rememberTroubles(
  observer: Observer,
  now: () => number,
): { readonly observer: Observer; readonly current: () => readonly Trouble[] } {
  const sources = new Map<string, Extract<Trouble, { kind: "source" }>>();
  const present: { ledger: Trouble | null; templates: Trouble | null } = {
    ledger: null,
    templates: null,
  };
  const over: Over[] = [];
  const happened = (trouble: Over) => {
    over.push(trouble);
    if (over.length > KEPT) over.shift();
  };
  return {
    observer: {
      ...observer,
      sourceFailed(source, cause, detail, retryMs) {
        const since = sources.get(source)?.since ?? now();
        sources.set(source, { kind: "source", source, since, detail: redact(detail) });
        observer.sourceFailed(source, cause, detail, retryMs);
      },
      sourceSynced(source) {
        sources.delete(source);
        observer.sourceSynced(source);
      },
      sourceResumed(source, cause) {
        sources.delete(source);
        observer.sourceResumed(source, cause);
      },
      sourceGap(source, gap) {
        // Of before the first start nobody expects anything.
        if (gap.cause !== "firstStart") happened({ kind: "gap", source, at: now(), gap });
        observer.sourceGap(source, gap);
      },
      ledgerTrouble(detail, away) {
        present.ledger ??= { kind: "ledger", since: now(), detail: redact(detail) };
        observer.ledgerTrouble(detail, away);
      },
      ledgerRecovered(written) {
        present.ledger = null;
        observer.ledgerRecovered(written);
      },
      ledgerReplaced(detail, aside, owed) {
        happened({ kind: "replaced", at: now(), aside, owed });
        observer.ledgerReplaced(detail, aside, owed);
      },
      pageEnded(why, retryMs) {
        happened({ kind: "page", at: now(), detail: redact(why) });
        observer.pageEnded(why, retryMs);
      },
      templatesStale(problems) {
        present.templates = { kind: "templates", since: now(), problems: problems.map(redact) };
        observer.templatesStale(problems);
      },
      templatesChanged() {
        present.templates = null;
        observer.templatesChanged();
      },
    },
    current: () => [
      ...[present.ledger, ...sources.values(), present.templates].filter((one) => one !== null),
      ...over.filter(({ at }) => now() - at < TOLD_MS),
    ],
  };
}
