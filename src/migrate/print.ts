import type { Difference } from "../compat/differences.ts";
import { OPTION_GROUPS } from "../config/options.ts";
import { isMap } from "../config/tree.ts";
import { toYaml } from "../config/yaml.ts";
import type { Migration } from "./migrate.ts";
import { rbacYaml } from "./rbac.ts";
import type { MigratedSink } from "./sinks.ts";

const WIDTH = 100;
const SECRET = "kube-crier";
/** Where the input does not say one, as in deploy/kube-crier.yaml. */
const NAMESPACE = "kube-crier";

/** The configuration, with a comment wherever something differs from kube-eventer, and what else is needed in comments of its own. */
export function configurationText(migration: Migration): string {
  const { what, globals, sinks, differences, flags } = migration;
  const { filter, ...rest } = globals;
  return [
    ...comment(`kube-crier's configuration, made from kube-eventer's: ${what}.`),
    ...comment(
      "Check it: kube-crier check --config=FILE. Run it: kube-crier run --config=FILE --data-dir=DIR, with DIR on a volume.",
    ),
    "#",
    ...comment("What differs whatever the sinks:"),
    ...differences.flatMap((one) => item(`was: ${one.was}; now: ${one.is}`)),
    ...flags
      .filter(({ flag }) => !isAbout(flag, "digestEvery"))
      .flatMap(({ flag, text }) => item(`${flag}: ${text}`)),
    ...secretLines(migration),
    "",
    ...Object.entries(rest).flatMap(([key, value]) => [
      ...globalComment(key, migration),
      ...valueLines(key, value, ""),
    ]),
    ...(filter === undefined ? [] : filterLines(filter, "", () => [])),
    "",
    "sinks:",
    ...sinks.flatMap((sink) => sinkLines(sink)),
    ...comment(
      "The RBAC it needs (kube-crier migrate --rbac prints it alone, for kubectl apply); kube-eventer's own ClusterRole is enough as well:",
    ),
    ...rbacText(migration)
      .trimEnd()
      .split("\n")
      .map((line) => `# ${line}`),
    "",
  ].join("\n");
}

/** The list of what differs, alone. */
export function explanationText({ what, sinks, differences, flags }: Migration): string {
  const lines = (title: string, texts: readonly string[]) =>
    texts.length === 0
      ? []
      : [title, ...texts.flatMap((text) => wrapped(text, "  - ", "    ")), ""];
  return [
    ...wrapped(`What differs from kube-eventer for ${what}:`, "", ""),
    "",
    ...lines("the program", differences.map(told)),
    ...flags.flatMap(({ flag, text }) => lines(flag, [text])),
    ...sinks.flatMap((sink) =>
      lines(`the sink ${sink.name}`, [...sink.differences.map(told), ...sink.notes]),
    ),
  ].join("\n");
}

export function rbacText({ config, namespace, serviceAccount }: Migration): string {
  const watched = config.sources.flatMap((source) =>
    source.type === "kubernetes" ? [source.namespaces] : [],
  );
  const configMaps = config.sinks.flatMap(({ definition, options }) => {
    const place = definition.transport === "http" ? definition.bodyTemplate?.(options) : null;
    return place !== null && place !== undefined && "configMap" in place
      ? [{ namespace: place.namespace, name: place.configMap }]
      : [];
  });
  return rbacYaml({
    namespaces: watched.some((list) => list.length === 0) ? [] : [...new Set(watched.flat())],
    configMaps,
    serviceAccount: serviceAccount ?? "kube-crier",
    namespace: namespace ?? NAMESPACE,
  });
}

function told(difference: Difference): string {
  const { option, was, is, strict } = difference;
  const where = option === null ? "" : `${option}: `;
  return `${where}was: ${was}; now: ${is}${strict && hasCompat() ? " (compat: strict keeps it as it was)" : ""}`;
}

function hasCompat(): boolean {
  return OPTION_GROUPS.global.some(({ name }) => name === "compat");
}

function isAbout(flag: string, key: string): boolean {
  return key === "digestEvery" && flag === "--frequency";
}

function globalComment(key: string, { flags }: Migration): readonly string[] {
  if (key === "listen")
    return comment(
      "kube-eventer serves /healthz and /metrics there; here /livez and /readyz as well.",
    );
  const note = flags.find(({ flag }) => isAbout(flag, key));
  return note === undefined ? [] : comment(`${note.flag}: ${note.text}`);
}

function sinkLines({ name, entry, differences, notes }: MigratedSink): readonly string[] {
  const { filter, ...options } = entry;
  const isOfLine = ({ option }: Difference) =>
    option !== null &&
    (option in options || (isMap(filter) && option.replace(/^filter\./, "") in filter));
  const of = (option: string) =>
    differences.filter((one) => one.option === option).flatMap((one) => remark(one, "    "));
  const general = differences.filter((one) => !isOfLine(one));
  return [
    `  ${toYaml({ [name]: null }, true).replace(/: null$/, ":")}`,
    ...general.flatMap((one) => remark(one, "    ")),
    ...notes.flatMap((note) => comment(note, "    ")),
    ...Object.entries(options).flatMap(([key, value]) => [
      ...of(key),
      ...valueLines(key, value, "    "),
    ]),
    ...(filter === undefined ? [] : filterLines(filter, "    ", (key) => of(`filter.${key}`))),
    "",
  ];
}

function filterLines(
  filter: unknown,
  indent: string,
  of: (key: string) => readonly string[],
): readonly string[] {
  if (!isMap(filter)) return [];
  return [
    `${indent}filter:`,
    ...Object.entries(filter).flatMap(([key, value]) => [
      ...of(key).map((line) => `  ${line}`),
      ...valueLines(key, value, `${indent}  `),
    ]),
  ];
}

function valueLines(key: string, value: unknown, indent: string): readonly string[] {
  // Lists on one line, maps one line for each key.
  return toYaml({ [key]: value }, Array.isArray(value) && !value.some(isMap))
    .split("\n")
    .map((line) => indent + line);
}

/** Which variables to make, and how; never what is in them. */
function secretLines({ made, kept, namespace }: Migration): readonly string[] {
  if (made.length + kept.length === 0) return [];
  const into = namespace ?? NAMESPACE;
  // The command is for a shell, and the comment for one line.
  const place = `-n ${/^[a-z0-9-]+$/.test(into) ? into : "'…'"}`;
  return [
    "#",
    ...(made.length === 0
      ? []
      : [
          ...comment(
            `No secret stands here. Put them into a Secret "${SECRET}" and give it to the container by envFrom (as deploy/kube-crier.yaml does):`,
          ),
          `#   kubectl create secret generic ${SECRET} ${place} \\`,
          ...made.map(
            ({ name }, index) =>
              `#     --from-literal=${name}='…'${index === made.length - 1 ? "" : " \\"}`,
          ),
          ...made.flatMap(({ name, what }) => item(`${name}: ${what}`)),
        ]),
    ...(kept.length === 0 ? [] : comment("Variables that the container goes on needing:")),
    ...kept.flatMap(({ name, value, from }) =>
      item(
        `${name}: ${from ?? (value === null ? "nothing in the input sets it; kube-eventer has it in its env" : "stands in its env in plain text; if it is a secret, move it into the Secret")}`,
      ),
    ),
  ];
}

function remark(difference: Difference, indent: string): readonly string[] {
  return comment(told({ ...difference, option: null }), indent);
}

function comment(text: string, indent = ""): readonly string[] {
  return wrapped(text, `${indent}# `, `${indent}# `);
}

function item(text: string): readonly string[] {
  return wrapped(text, "# - ", "#   ");
}

function wrapped(text: string, first: string, next: string): readonly string[] {
  const lines: string[] = [];
  let line = first;
  // Names come from the input: a line of its own would be no comment any more.
  for (const word of text.split(/\s+/)) {
    const isEmpty = line === (lines.length === 0 ? first : next);
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = next + word;
    } else line += isEmpty ? word : ` ${word}`;
  }
  return [...lines, line];
}
