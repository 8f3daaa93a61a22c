import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readAccessFile } from "../../../src/web/auth/access-file.ts";
import { load } from "../../support/config.ts";
import { find, manifests } from "../../support/manifests.ts";
import { snippetsOf } from "../../support/snippets.ts";

/** What docs/web-access.md tells people to write works as it stands there. */
const snippets = snippetsOf("web-access.md");
const yaml = (heading: string) =>
  snippets
    .filter((one) => one.language === "yaml" && one.heading === heading)
    .map(({ text }) => text);

describe("docs/web-access.md", () => {
  it("has a configuration that serves probes and page apart, with the cluster to ask", () => {
    const { config, warnings } = load({}, yaml("Who may see what")[0] ?? "");
    expect([config.listen?.port, config.web.listen?.port]).toEqual([8080, 8081]);
    expect([config.web.asksCluster, warnings]).toEqual([true, []]);
  });

  it("has a configuration for a proxy, with the defaults it says", () => {
    const { config, warnings } = load({}, yaml("Behind a proxy that signs people in")[0] ?? "");
    const { userHeader, groupsHeader, emailHeader } = load({}).config.web;
    expect(config.web).toMatchObject({ userHeader, groupsHeader, emailHeader });
    expect([config.web.proxies.length, warnings]).toEqual([2, []]);
  });

  it("has tokens and roles that are read without a mistake", () => {
    const tokens = readAccessFile("access.yaml", yaml("Tokens of your own")[0] ?? "");
    expect(tokens.issues).toEqual([]);
    expect(tokens.access.tokens.map(({ name }) => name)).toEqual(["grafana", "oncall"]);
    const roles = readAccessFile(
      "access.yaml",
      yaml("Behind a proxy that signs people in")[1] ?? "",
    );
    expect([roles.issues, roles.access.roles.length]).toEqual([[], 2]);
  });

  it("binds a role that is shipped, which grants the permission of the default", () => {
    const binding = parse(yaml("Tokens of the cluster")[0] ?? "") as { roleRef: { name: string } };
    const role = find(manifests("kube-crier-web.yaml"), "ClusterRole", binding.roleRef.name);
    const granted = (
      role["rules"] as { apiGroups: string[]; resources: string[]; verbs: string[] }[]
    ).map(
      ({ apiGroups, resources, verbs }) =>
        `${verbs.join()} ${resources.join()}${apiGroups[0] === "" ? "" : `.${apiGroups.join()}`}`,
    );
    expect(granted).toEqual(["list events", load({}).config.web.change]);
  });
});
