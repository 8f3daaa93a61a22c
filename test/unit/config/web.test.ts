import { describe, expect, it } from "vitest";
import { describeConfig } from "../../../src/config/describe.ts";
import { isLoopback } from "../../../src/config/web-grammar.ts";
import { load, problemsOf } from "../../support/config.ts";

type Flags = Readonly<Record<string, string | readonly string[]>>;

const webOf = (flags: Flags) => load({ flags }).config.web;
const wrong = (flags: Flags, ...yaml: readonly string[]) => problemsOf({ flags }, ...yaml);
const notes = (flags: Flags, ...yaml: readonly string[]) =>
  load({ flags }, ...yaml).warnings.map(({ where, message }) => `${where}: ${message}`);
const page = (flags: Flags) => /^page +(.*)$/m.exec(describeConfig(load({ flags }).config))?.[1];
const FILE = "file:events.json";

describe("where people find the page", () => {
  it("is told once there is one, without a slash at its end", () => {
    const externalUrl = "https://events.example.com/";
    expect(webOf({ webListen: ":0", webKubernetes: "on", externalUrl }).externalUrl).toBe(
      "https://events.example.com",
    );
    for (const url of ["http://10.0.0.1:8081", "https://[fd00::1]:8443"])
      expect(webOf({ webListen: "127.0.0.1:0", externalUrl: url }).externalUrl).toBe(url);
  });

  it("counts for nothing without a page, which is said", () => {
    const externalUrl = "https://events.example.com";
    expect(webOf({ externalUrl }).externalUrl).toBeNull();
    expect(notes({ externalUrl })).toEqual(["--external-url: does nothing without webListen"]);
  });

  it.each([
    "ftp://events.example.com",
    "https://events.example.com/(x)",
    "https://events.example.com/#x",
    "https://events example.com",
    "https://evil.example|x",
    `https://${"e".repeat(250)}.example.com`,
  ])("is refused where it is none: %s", (externalUrl) => {
    expect(wrong({ webListen: "127.0.0.1:0", externalUrl })).toContain("--external-url");
  });
});

describe("who is asked for the page", () => {
  it.each([
    ["nobody on loopback", { webListen: "127.0.0.1:8081" }, false],
    ["nobody on localhost", { webListen: "localhost:8081" }, false],
    ["nobody on ::1", { webListen: "[::1]:8081" }, false],
    ["the cluster beyond loopback", { webListen: ":8081" }, true],
    ["the cluster on an address of this machine", { webListen: "10.0.0.1:8081" }, true],
    ["the cluster, beside a file", { webListen: ":8081", webAccessFile: "a.yaml" }, true],
    [
      "the cluster on loopback, if one wants",
      { webListen: "127.0.0.1:0", webKubernetes: "on" },
      true,
    ],
    [
      "the file alone",
      { webListen: ":8081", webKubernetes: "off", webAccessFile: "a.yaml" },
      false,
    ],
    [
      "the file, where no cluster is watched",
      { webListen: ":8081", source: [FILE], webAccessFile: "a" },
      false,
    ],
  ] as const)("is %s", (_, flags, asksCluster) => {
    expect(webOf(flags).asksCluster).toBe(asksCluster);
  });

  it.each(["127.0.0.1", "127.255.0.1", "localhost", "LOCALHOST", "::1", "::ffff:127.0.0.1"])(
    "%s is out of reach for others",
    (host) => expect(isLoopback(host)).toBe(true),
  );

  it.each([
    "",
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "128.0.0.1",
    "localhost.example.org",
    "127.0.0.1.evil.example",
  ])("%j is not", (host) => expect(isLoopback(host)).toBe(false));

  it("is said in plain words", () => {
    expect(page({})).toBeUndefined();
    expect(page({ webListen: "127.0.0.1:8081" })).toBe(
      "127.0.0.1:8081; without authentication, for this machine only",
    );
    expect(page({ webListen: ":8081", webProxies: "10.0.0.7", webAccessFile: "a.yaml" })).toBe(
      "all interfaces, port 8081; the API server says who sees what; tokens and roles of a.yaml; users as the proxies at 10.0.0.7 name them",
    );
  });
});

describe("a start is refused", () => {
  it("where strangers could look and nobody is asked, with what to set", () => {
    expect(wrong({ webListen: ":8081", webKubernetes: "off" })).toBe(
      "--web-listen: can be reached from elsewhere, and nothing says who may look (set webKubernetes: on where a cluster is watched, or webAccessFile; or listen on 127.0.0.1:8081)",
    );
    expect(wrong({ webListen: "0.0.0.0:8081", source: [FILE] })).toMatch(
      /^--web-listen: can be reached from elsewhere/,
    );
    expect(wrong({}, "webListen: ':8081'\nwebKubernetes: off")).toMatch(
      /^file1\.yaml:1:12: webListen: can be reached from elsewhere/,
    );
  });

  it("where proxies name users of whom nothing is known", () => {
    expect(wrong({ webListen: "127.0.0.1:8081", webProxies: "127.0.0.1" })).toMatch(
      /^--web-proxies: nothing says what their users may see \(set webKubernetes: on/,
    );
  });

  it("where a cluster is to be asked and none is watched", () => {
    expect(wrong({ webListen: ":8081", webKubernetes: "on", source: [FILE] })).toBe(
      "--web-kubernetes: there is no cluster to ask (it needs a kubernetes source; leave it out)",
    );
  });

  it("where one cluster is to say what somebody may see in several", () => {
    const source = ["kubernetes:?context=a", "kubernetes:?context=b&namespaces=x"];
    expect(wrong({ webListen: ":8081", webKubernetes: "on", source })).toMatch(
      /^--web-kubernetes: one API server can say/,
    );
    expect(wrong({ webListen: ":8081", source })).toBe(
      "--web-listen: one API server can say what somebody may see, and 2 clusters are watched (run one kube-crier for each, or set webKubernetes: off and webAccessFile)",
    );
    const same = ["kubernetes:?namespaces=a", "kubernetes:?namespaces=b"];
    expect(wrong({ webListen: ":8081", source: same })).toBe("");
    expect(wrong({ webListen: ":8081", webKubernetes: "off", webAccessFile: "a", source })).toBe(
      "",
    );
  });

  it("where probes are served already", () => {
    expect(wrong({ webListen: ":8080", listen: ":8080" })).toBe(
      "--web-listen: is where probes and metrics are served, which everybody may read (give it a port of its own, like 8081)",
    );
    expect(wrong({ webListen: "127.0.0.1:0", listen: "127.0.0.1:0" })).toBe("");
  });
});

describe("an option of the page that does nothing", () => {
  it("is told of: without webListen all of them", () => {
    expect(notes({ webAccessFile: "a.yaml", webProxies: "10.0.0.7" })).toEqual([
      "--web-access-file: does nothing without webListen",
      "--web-proxies: does nothing without webListen",
    ]);
    expect(notes({}, "webChange: delete events")).toEqual([
      "file1.yaml:1:12: webChange: does nothing without webListen",
    ]);
  });

  it("is told of: headers without proxies, permissions that nobody is asked about", () => {
    expect(
      notes({ webListen: "127.0.0.1:0" }, "webUserHeader: Remote-User\nwebAudiences: [a]"),
    ).toEqual([
      "file1.yaml:1:16: webUserHeader: does nothing without webProxies",
      "file1.yaml:2:15: webAudiences: does nothing, for the API server is not asked",
    ]);
  });

  it("is none where all is given", () => {
    expect(
      notes({ webListen: ":8081", webProxies: "10.0.0.7" }, "webUserHeader: Remote-User"),
    ).toEqual([]);
    expect(notes({})).toEqual([]);
  });
});
