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
      `    resourceNames: [${[...new Set(names)].toSorted().join(", ")}]`,
      "    verbs: [get]",
    ];
    return role("Role", place, rules, access, `${NAME}-configmaps`);
  });
  const account = [
    "apiVersion: v1",
    "kind: ServiceAccount",
    "metadata:",
    `  name: ${serviceAccount}`,
    `  namespace: ${namespace}`,
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
    ...(place === null ? [] : [`  namespace: ${place}`]),
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
      `    name: ${serviceAccount}`,
      `    namespace: ${namespace}`,
    ].join("\n"),
  ];
}
