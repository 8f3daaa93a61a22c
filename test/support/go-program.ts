import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** On two cores that others use, too. */
const BUILD_MS = 9 * 60_000;

export interface GoProgram {
  readonly name: string;
  /** The module: a folder beside this file names its version, and the sums by which Go knows that it got that and nothing else. */
  readonly module: string;
  /** In it: `./cmd/ferretdb`. */
  readonly command: string;
  readonly tags?: string;
  /** The file that its own release writes with the version in it, where it does not start without. */
  readonly versionFile?: string;
}

export type Found = { readonly program: string } | { readonly missing: string };

/**
 * A server to test against, which nobody has packaged: built from its Go module the first time, and kept in the user's cache.
 * Where there is no Go, or the module cannot be had, the words say so.
 */
export async function goProgram(wanted: GoProgram): Promise<Found> {
  const { name } = wanted;
  const sums = readFileSync(path.join(import.meta.dirname, name, "go.sum"), "utf8");
  const hash = createHash("sha256").update(sums).digest("hex").slice(0, 12);
  const cache = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
  const program = path.join(cache, "kube-crier", `${name}-${hash}`);
  if (existsSync(program)) return { program };
  try {
    mkdirSync(path.dirname(program), { recursive: true });
    await build(wanted, program);
    return { program };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { missing: `${name} cannot be built (it takes Go 1.24): ${words.slice(0, 500)}` };
  }
}

async function build(
  { name, module, command, tags, versionFile }: GoProgram,
  program: string,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), `kube-crier-${name}-`));
  const options = {
    timeout: BUILD_MS,
    maxBuffer: 64 * 1024 * 1024,
    env: {
      ...process.env,
      GOTOOLCHAIN: "local",
      PATH: `${process.env["PATH"] ?? ""}:/usr/local/go/bin:/usr/lib/go/bin`,
    },
  };
  try {
    const { stdout } = await run("go", ["mod", "download", "-json", module], {
      ...options,
      cwd: path.join(import.meta.dirname, name),
    });
    const { Dir, Version } = JSON.parse(stdout) as { Dir: string; Version: string };
    const source = path.join(folder, "source");
    cpSync(Dir, source, { recursive: true });
    await run("chmod", ["-R", "u+w", source]);
    if (versionFile !== undefined) writeFileSync(path.join(source, versionFile), `${Version}\n`);
    const made = `${program}.${process.pid}`;
    const flags = ["-buildvcs=false", ...(tags === undefined ? [] : [`-tags=${tags}`])];
    await run("go", ["build", ...flags, "-o", made, command], { ...options, cwd: source });
    renameSync(made, program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
