/** What kube-crier reads of a cluster. */
export interface Access {
  /** Namespaces whose events are watched; empty: all of them. */
  readonly namespaces: readonly string[];
  readonly configMaps: readonly { readonly namespace: string; readonly name: string }[];
  /** Whose Pod it is. */
  readonly serviceAccount: string;
  readonly namespace: string;
}

const NAME = "kube-crier";
/** What Kubernetes takes for a name, and YAML for text. */
const PLAIN = /^[a-z]([a-z0-9.-]*[a-z0-9])?$/;
const WORDS = /^(true|false|null|yes|no|on|off|y|n)$/;

/** Names are the input's: what is none, or is a number to YAML, is a text and ends nothing. */
const quoted = (name: string): string =>
  PLAIN.test(name) && !WORDS.test(name) ? name : JSON.stringify(name);
const EVENTS = [
  '  - apiGroups: ["", events.k8s.io]',
  "    resources: [events]",
  "    verbs: [get, list, watch]",
];

/** Manifests for `kubectl apply`: events, the ConfigMaps that are named, and nothing else. */
export function rbacYaml(access: Access): string {
  const { namespaces, configMaps, namespace, serviceAccount } = access;
  const events =
    namespaces.length === 0
      ? role("ClusterRole", null, EVENTS, access)
      : namespaces.flatMap((one) => role("Role", one, EVENTS, access));
  const places = [...new Set(configMaps.map((one) => one.namespace))].toSorted();
  const bodies = places.flatMap((place) => {
    const names = configMaps.filter((one) => one.namespace === place).map(({ name }) => name);
    const rules = [
      '  - apiGroups: [""]',
      "    resources: [configmaps]",
      `    resourceNames: [${[...new Set(names)].toSorted().map(quoted).join(", ")}]`,
      "    verbs: [get]",
    ];
    return role("Role", place, rules, access, `${NAME}-configmaps`);
  });
  const account = [
    "apiVersion: v1",
    "kind: ServiceAccount",
    "metadata:",
    `  name: ${quoted(serviceAccount)}`,
    `  namespace: ${quoted(namespace)}`,
  ];
  return `${[account.join("\n"), ...events, ...bodies].join("\n---\n")}\n`;
}

function role(
  kind: "ClusterRole" | "Role",
  place: string | null,
  rules: readonly string[],
  { serviceAccount, namespace }: Access,
  name = NAME,
): readonly string[] {
  const metadata = [
    "metadata:",
    `  name: ${name}`,
    ...(place === null ? [] : [`  namespace: ${quoted(place)}`]),
  ];
  const apiVersion = "apiVersion: rbac.authorization.k8s.io/v1";
  return [
    [apiVersion, `kind: ${kind}`, ...metadata, "rules:", ...rules].join("\n"),
    [
      apiVersion,
      `kind: ${kind}Binding`,
      ...metadata,
      "roleRef:",
      "  apiGroup: rbac.authorization.k8s.io",
      `  kind: ${kind}`,
      `  name: ${name}`,
      "subjects:",
      "  - kind: ServiceAccount",
      `    name: ${quoted(serviceAccount)}`,
      `    namespace: ${quoted(namespace)}`,
    ].join("\n"),
  ];
}
