import { PROGRAM, type Rule, type SinkEntry, SINKS } from "./rules.ts";

/** What differs, once: said at the start of a command line that is kube-eventer's, and by `kube-crier migrate` at the line it is about. */
export interface Difference extends Pick<Rule, "sink" | "option" | "was" | "is"> {
  readonly strict: boolean;
}

/** What differs for these sinks, the program's own first; each once. */
export function differencesOf(
  entries: readonly SinkEntry[],
  isStrict: boolean,
): readonly Difference[] {
  const rules = [
    ...PROGRAM,
    ...SINKS.filter(({ sink, when }) =>
      entries.some((entry) => entry["type"] === sink && (when?.(entry) ?? true)),
    ),
  ];
  return rules.map(asDifference).filter(({ strict }) => !(isStrict && strict));
}

function asDifference({ sink, option, was, is, strict }: Rule): Difference {
  return { sink, option, was, is, strict: strict === true };
}

/** Every one there is, by sink. */
export const ALL_DIFFERENCES: readonly Difference[] = [...PROGRAM, ...SINKS]
  .map((rule) => asDifference(rule))
  .toSorted((a, b) => (a.sink ?? "").localeCompare(b.sink ?? ""));

/** One line of the log. */
export function differenceText({ sink, was, is }: Difference): string {
  return `other than kube-eventer${sink === null ? "" : `, ${sink}`}: there ${was}; here ${is}`;
}
