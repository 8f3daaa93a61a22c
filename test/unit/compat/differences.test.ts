import { describe, expect, it } from "vitest";
import { differencesOf, differenceText } from "../../../src/compat/differences.ts";
import type { SinkEntry } from "../../../src/compat/rules.ts";
import { sinks } from "../../../sinks/index.ts";
import { cli } from "../../support/io.ts";

// What kube-eventer does: read from its source at 0974bca.

const of = (entry: SinkEntry, isStrict = false) =>
  differencesOf([entry], isStrict).filter(({ sink }) => sink !== null);
const options = (entry: SinkEntry, isStrict = false) =>
  of(entry, isStrict).map(({ option }) => option);
const hook = (entry: SinkEntry) => ({
  type: "webhook",
  url: "https://hooks.example.com",
  ...entry,
});

describe("what differs from kube-eventer", () => {
  it("is said of the program whatever the sinks, and of no sink that is not there", () => {
    const general = differencesOf([], false);
    expect(general.length).toBeGreaterThan(2);
    expect(general.every(({ sink }) => sink === null)).toBe(true);
    expect(of({ type: "stdout" })).toEqual([]);
  });

  it("is said once, however many sinks it is about", () => {
    const two = differencesOf([{ type: "dingtalk" }, { type: "dingtalk" }], false);
    expect(two).toEqual(differencesOf([{ type: "dingtalk" }], false));
    expect(new Set(two.map(differenceText)).size).toBe(two.length);
  });

  it("is about the options that are there", () => {
    expect(options(hook({}))).not.toContain("headers");
    expect(options(hook({ headers: { "X-Token": "a" } }))).toContain("headers");
    expect(options(hook({ filter: { reasons: ["BackOff", "OOM"] } }))).toContain("filter.reasons");
  });

  it("is about those that are missed", () => {
    expect(options(hook({}))).toEqual(expect.arrayContaining(["method", "filter.level"]));
    const told = options(hook({ method: "POST", filter: { level: "Warning" } }));
    expect(told).not.toContain("method");
    expect(told).not.toContain("filter.level");
  });

  it("tells of the default body or of the ConfigMap's, as it is used", () => {
    const said = (entry: SinkEntry) => of(hook(entry)).map(differenceText).join("\n");
    expect(said({})).toContain("EventType, EventKind, EventReason, EventTime and EventMessage");
    const own = said({ customBodyConfigmap: "custom-body" });
    expect(own).not.toContain("EventType");
    expect(own).toContain("quotes are deleted from the message");
    expect(own).toContain("a ConfigMap that cannot be read is replaced by another body");
  });

  it("with --compat=strict leaves out what stays as it was", () => {
    expect(options(hook({}))).toContain("method");
    expect(options(hook({}), true)).not.toContain("method");
    expect(options(hook({}), true)).toContain("url");
    expect(options({ type: "dingtalk", labels: ["a"] }, true)).not.toContain("labels");
  });

  it("knows kube-eventer's sinks by the types they have here", () => {
    const types = sinks.map(({ type }) => type);
    for (const type of types) for (const { sink } of of({ type })) expect(sink).toBe(type);
    expect(types.filter((type) => of({ type }).length > 0)).toEqual(
      expect.arrayContaining(["dingtalk", "webhook", "mysql", "elasticsearch", "influxdb", "log"]),
    );
  });

  it("names an option by its name in the configuration", () => {
    const everything = (type: string) => ({
      type,
      labels: ["a"],
      table: "t",
      headers: {},
      customBodyConfigmap: "b",
      filter: { level: "Warning", reasons: [], namespaces: [] },
    });
    for (const { type, options: schema } of sinks)
      for (const { option } of of(everything(type))) {
        const [name = ""] = (option ?? "").split(".");
        if (option === null || ["filter", "labels"].includes(name)) continue;
        expect(Object.keys(schema.shape), `${type}.${option}`).toContain(option);
      }
  });
});

describe("check", () => {
  const sink = "--sink=webhook:http://127.0.0.1:1/hook?level=Warning";

  it("prints the list for a command line of kube-eventer's", async () => {
    const { stdout } = await cli(["check", sink, "--frequency=30s"]);
    expect(stdout).toMatch(/other than kube-eventer: there events are sent every --frequency/);
    expect(stdout).toMatch(/other than kube-eventer, webhook: there without method= the request/);
    expect(stdout.match(/other than kube-eventer, webhook: there without method=/g)).toHaveLength(
      1,
    );
  });

  it("and for no other", async () => {
    const { stdout } = await cli(["check", sink]);
    expect(stdout).not.toContain("kube-eventer");
  });
});
