import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";

/** Where Debian's package `faketime` keeps it. */
const LIBRARIES = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(
  (arch) => `/usr/lib/${arch}/faketime/libfaketimeMT.so.1`,
);
export const faketime = LIBRARIES.find((file) => existsSync(file)) ?? null;

/** The clock of a process, which can jump; its timers go on as they were. */
export class JumpingClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string | null;

  constructor(dir: string) {
    this.#file = faketime === null ? null : path.join(dir, "clock");
    this.env =
      faketime === null || this.#file === null
        ? {}
        : {
            LD_PRELOAD: faketime,
            FAKETIME_TIMESTAMP_FILE: this.#file,
            FAKETIME_CACHE_DURATION: "1",
            FAKETIME_DONT_FAKE_MONOTONIC: "1",
          };
    this.jump(0);
  }

  /** @param seconds away from this machine's clock */
  jump(seconds: number): void {
    if (this.#file !== null) writeFileSync(this.#file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }
}

const SIZE_MIB = 24;

/** Why no small disk can be had here; `null`: it can. */
export function whyNoSmallDisk(): string | null {
  const dir = mkdtempSync(path.join(tmpdir(), "kube-crier-disk-"));
  const disk = new SmallDisk(path.join(dir, "disk"));
  disk.destroy();
  rmSync(dir, { recursive: true });
  return disk.why;
}

/** A small disk of its own that can be filled; a folder, and nothing to be filled, where none may be mounted. */
export class SmallDisk {
  readonly dir: string;
  /** Why it cannot be filled; `null`: it can. */
  readonly why: string | null;

  constructor(dir: string) {
    this.dir = dir;
    mkdirSync(dir);
    this.why = userInfo().uid === 0 ? this.#mount() : "mounting a small disk takes root";
  }

  fill(): void {
    for (const bytes of [1 << 16, 1 << 12]) {
      try {
        for (;;) writeFileSync(this.#ballast, Buffer.alloc(bytes), { flag: "a" });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  }

  makeRoom(): void {
    rmSync(this.#ballast, { force: true });
  }

  destroy(): void {
    if (this.why === null) execFileSync("umount", ["--lazy", this.dir]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  get #ballast(): string {
    return path.join(this.dir, "ballast");
  }

  #mount(): string | null {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MIB}m`, "tmpfs", this.dir], {
        stdio: "ignore",
      });
      return null;
    } catch {
      return "this machine mounts no tmpfs";
    }
  }
}
