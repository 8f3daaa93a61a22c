import { execFileSync } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { temporaryDirectory } from "../../support/ledger.ts";

const DEPLOY = path.resolve(import.meta.dirname, "../../../deploy");

function haveKubectl(): boolean {
  try {
    execFileSync("kubectl", ["kustomize", "--help"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

interface Manifest {
  readonly kind: string;
  readonly spec?: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly { readonly name: string }[];
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly envFrom: readonly unknown[];
          readonly volumeMounts: readonly { readonly name: string }[];
        }[];
      };
    };
  };
}

/** What kustomize makes of a variant and the component, as docs/operating.md says; skipped without kubectl. */
describe.skipIf(!haveKubectl())("deploy/mysql-ledger", () => {
  it.each(["kube-crier.yaml", "kube-crier-namespaced.yaml"])(
    "beside %s: the ledger is the database of the Secret, and no volume is left",
    (variant) => {
      const dir = temporaryDirectory();
      for (const name of [variant, "mysql-ledger"])
        cpSync(path.join(DEPLOY, name), path.join(dir, name), { recursive: true });
      writeFileSync(
        path.join(dir, "kustomization.yaml"),
        `kind: Kustomization\nnamespace: kube-crier\nresources: [${variant}]\ncomponents: [mysql-ledger]\n`,
      );
      const made = execFileSync("kubectl", ["kustomize", dir], { encoding: "utf8" });
      const objects = parseAllDocuments(made).map((one) => one.toJS() as Manifest);
      expect(objects.map(({ kind }) => kind)).not.toContain("PersistentVolumeClaim");
      const deployment = objects.find(({ kind }) => kind === "Deployment");
      const pod = deployment?.spec?.template.spec;
      const [container] = pod?.containers ?? [];
      expect(container?.args).toContain("--ledger=${LEDGER_URL}");
      expect(container?.args.join(" ")).not.toContain("--data-dir");
      expect(container?.envFrom).toEqual([{ secretRef: { name: "kube-crier" } }]);
      expect(container?.volumeMounts.map(({ name }) => name)).toEqual(["config"]);
      expect(pod?.volumes.map(({ name }) => name)).toEqual(["config"]);
    },
  );
});
