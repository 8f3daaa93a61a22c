import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { haveCluster } from "../support/cluster.ts";
import { ROOT } from "../support/manifests.ts";

/**
 * The soak, for SOAK_MINUTES; skipped without, for it takes as long as it is told to. It checks itself: nothing lost, nothing twice,
 * neither memory nor open files rise.
 */
const minutes = Number(process.env["SOAK_MINUTES"] ?? 0);

describe.skipIf(!haveCluster || !(minutes > 0))("the soak", () => {
  it(
    `of ${minutes} minutes loses nothing, tells nothing twice, and stays as small as it was`,
    { timeout: (minutes + 5) * 60_000 },
    async () => {
      const csv = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-soak-")), "soak.csv");
      const args = ["bench/soak.ts", `--minutes=${minutes}`, `--csv=${csv}`];
      const { code, said } = await new Promise<{ code: unknown; said: string }>((resolve) => {
        execFile(process.execPath, args, { cwd: ROOT }, (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : error.code, said: `${stdout}${stderr}` }),
        );
      });
      const table = `${said}\n${readFileSync(csv, "utf8")}`;
      expect(code, table).toBe(0);
      expect(said).toMatch(/\| 0, 0 \|/);
      process.stdout.write(said);
    },
  );
});
