import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

/**
 * `node scripts/image-content.ts DIR`, after `npm run build`: everything the image holds besides its base, as it will lie under `/`.
 * Fails where that is more than the image may weigh.
 */
/** Who runs it: USER of the Dockerfile. */
const USER_ID = 65532;
const LIMIT_BYTES = 60_000_000;
const ROOT = path.resolve(import.meta.dirname, "..");

/** kube-eventer is started with flags alone, which mean `run`, and answers on its own port unless they say otherwise. */
const KUBE_EVENTER = '#!/bin/sh\nexec kube-crier run --healthz-port=8084 "$@"\n';

const target = process.argv[2];
if (target === undefined) {
  process.stderr.write("usage: node scripts/image-content.ts DIR\n");
  process.exitCode = 2;
} else {
  const bytes = assemble(path.resolve(target));
  process.stdout.write(`${target}: ${(bytes / 1e6).toFixed(1)} MB\n`);
  if (bytes > LIMIT_BYTES) {
    process.stderr.write(
      `the image's content may be ${LIMIT_BYTES / 1e6} MB at most; look for what the bundle has taken in\n`,
    );
    process.exitCode = 1;
  }
}

function assemble(out: string): number {
  rmSync(out, { recursive: true, force: true });
  const app = path.join(out, "app");
  for (const name of ["dist", "templates", "package.json", "LICENSE"])
    cpSync(path.join(ROOT, name), path.join(app, name), { recursive: true });
  handOver(path.join(app, "dist/cache"));
  writeFileSync(path.join(app, "sbom.cdx.json"), billOfMaterials());

  mkdirSync(path.join(out, "usr/local/bin"), { recursive: true });
  symlinkSync("/app/dist/kube-crier.js", path.join(out, "usr/local/bin/kube-crier"));
  writeFileSync(path.join(out, "kube-eventer"), KUBE_EVENTER);
  chmodSync(path.join(out, "kube-eventer"), 0o755);
  return sizeOf(out);
}

/** Node keeps compiled code by user, for nobody else to read: the build's becomes that of whom the image runs as. */
function handOver(cache: string): void {
  for (const name of readdirSync(cache)) {
    const mine = path.join(cache, name);
    for (const file of readdirSync(mine)) chmodSync(path.join(mine, file), 0o644);
    chmodSync(mine, 0o755);
    renameSync(mine, path.join(cache, name.replace(/-\d+$/, `-${USER_ID}`)));
  }
}

interface BillOfMaterials {
  readonly components: readonly { readonly "bom-ref": string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * CycloneDX: the packages that the bundle is made from, by the lock file.
 * `npm sbom --omit=dev` leaves out whatever a development dependency needs as well (yaml, for instance), so the choice is made here.
 */
function billOfMaterials(): string {
  const form = ["--sbom-format=cyclonedx", "--sbom-type=application"];
  const all = JSON.parse(
    execFileSync("npm", ["sbom", "--package-lock-only", ...form], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as BillOfMaterials;
  const lock = JSON.parse(readFileSync(path.join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<
      string,
      { name?: string; version: string; dev?: true; optional?: true; devOptional?: true }
    >;
  };
  const shipped = new Set(
    Object.entries(lock.packages)
      .filter(([, entry]) => !entry.dev && !entry.optional && !entry.devOptional)
      .map(
        ([place, entry]) =>
          `${entry.name ?? place.replace(/.*node_modules\//, "")}@${entry.version}`,
      ),
  );
  const components = all.components.filter((component) => shipped.has(component["bom-ref"]));
  const dependencies = all.dependencies
    .filter(({ ref }) => shipped.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => shipped.has(on)) }));
  return `${JSON.stringify({ ...all, components, dependencies }, null, 2)}\n`;
}

function sizeOf(place: string): number {
  const { size } = lstatSync(place);
  if (!lstatSync(place).isDirectory()) return size;
  return readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name)), 0);
}
