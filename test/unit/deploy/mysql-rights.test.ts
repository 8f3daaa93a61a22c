import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { cli } from "../../support/io.ts";
import { ROOT } from "../../support/manifests.ts";
import { haveMariadb, Mariadb } from "../../support/mariadb.ts";
import { snippetsOf } from "../../support/snippets.ts";

const [grants = ""] = snippetsOf("operating.md")
  .filter(({ language }) => language === "sql")
  .map(({ text }) => text);

describe.skipIf(!haveMariadb)(
  "the account that docs/operating.md makes (apt-get install mariadb-server)",
  () => {
    it("suffices for a ledger: to begin it, to fill it, to ask it and to retry", async () => {
      const mariadb = await Mariadb.start();
      onTestFinished(() => mariadb.destroy());
      await mariadb.sql(grants.replaceAll("…", "a-word"));
      const ledger = `--ledger=mysql://crier:a-word@127.0.0.1:${mariadb.port}/kube_crier`;
      const run = await cli([
        "run",
        `--source=file:${path.join(ROOT, "src/demo/events.jsonl")}`,
        "--sink=stdout:",
        ledger,
      ]);
      expect([run.code, run.stdout.trim().split("\n").length]).toEqual([0, 191]);
      const history = await cli(["history", ledger, "--json", "--limit=1000", "--search=web"]);
      expect([history.code, history.stdout]).toEqual([
        0,
        expect.stringContaining("web-7d4b9c6f5d"),
      ]);
      for (const command of [
        ["dead", "list"],
        ["dead", "retry", "--sink=stdout"],
        ["ledger", "check"],
      ])
        expect(await cli([...command, ledger]), command.join(" ")).toMatchObject({ code: 0 });
    }, 120_000);
  },
);
