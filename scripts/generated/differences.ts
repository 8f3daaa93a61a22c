import { ALL_DIFFERENCES } from "../../src/compat/differences.ts";

/** docs/differences.md. */
export function differencesPage(): Promise<string> {
  const sinks = [...new Set(ALL_DIFFERENCES.map(({ sink }) => sink))];
  const sections = sinks.flatMap((sink) => [
    sink === null ? "## Whatever the sinks" : `## ${sink}`,
    "",
    "| option | kube-eventer | kube-crier | `compat: strict` |",
    "|---|---|---|---|",
    ...ALL_DIFFERENCES.filter((one) => one.sink === sink).map(
      ({ option, was, is, strict }) =>
        `| ${option === null ? "" : `\`${option}\``} | ${cell(was)} | ${cell(is)} | ${strict ? "as it was" : ""} |`,
    ),
    "",
  ]);
  return Promise.resolve(
    [
      "# What differs from kube-eventer",
      "",
      "<!-- Written by `npm run gen` from src/compat/rules.ts; do not edit. -->",
      "",
      "kube-eventer as it really behaves, and what happens here instead. `kube-crier migrate FILE --explain` prints what concerns you; a command line of kube-eventer's gets it in the log. How to move: [migrating](migrating.md).",
      "",
      ...sections,
    ].join("\n"),
  );
}

const cell = (text: string) => text.replaceAll("|", "\\|");
