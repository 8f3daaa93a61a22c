import { describe, expect, it } from "vitest";
import { describeConfig } from "../../../src/config/describe.ts";
import { load, problemsOf } from "../../support/config.ts";

const URL_OF = "mysql://crier:hunter2@db.example.com:3306/kube_crier?tls=true";
const env = { TZ: "UTC", LEDGER_URL: URL_OF, PASSWORD: "hunter2" };

describe("a ledger in MySQL", () => {
  it("is a secret, wherever it is given, and says no more of itself than where it is", () => {
    for (const { config, warnings } of [
      load({ env }, "ledger: { $env: LEDGER_URL }\n"),
      load({ env }, "ledger: ${LEDGER_URL}\n"),
      load({ env }, "ledger: mysql://crier:${PASSWORD}@db.example.com/kube_crier?tls=true\n"),
      load({ env, flags: { ledger: "${LEDGER_URL}" } }),
      load({ env, flags: { ledger: URL_OF } }),
      load(
        { env, files: { "/secrets/ledger": `${URL_OF}\n` } },
        "ledger: { $file: /secrets/ledger }\n",
      ),
    ]) {
      expect(config.ledger?.reveal()).toBe(URL_OF);
      expect(JSON.stringify(config)).not.toContain("hunter2");
      expect(warnings).toEqual([]);
      const text = describeConfig(config);
      expect(text).toMatch(
        /^ledger +in mysql:\/\/db\.example\.com:3306\/kube_crier, at most 1 GiB/m,
      );
      expect(text).not.toMatch(/hunter2|crier:/);
    }
  });

  it("that stands in a file with its password is told of, without a word of it", () => {
    expect(load({}, `ledger: "${URL_OF}"\n`).warnings).toEqual([
      {
        where: "file1.yaml:1:9",
        message: "ledger: this secret stands in the file itself",
        hint: "write ${NAME}, { $env: NAME } or { $file: PATH } instead",
      },
    ]);
    expect(load({}, "ledger: mysql://crier@db.example.com/kube_crier\n").warnings).toEqual([]);
  });

  it("that is none is a mistake, and not repeated", () => {
    const said = problemsOf({}, "ledger: mysql://crier:hunter2@db.example.com\n");
    expect(said).toContain("file1.yaml:1:9: ledger");
    expect(said).toContain("expected mysql://USER:PASSWORD@HOST:PORT/DATABASE");
    expect(said).not.toContain("hunter2");
    expect(problemsOf({ flags: { ledger: "sqlite:hunter2" } })).toMatch(/^--ledger/m);
    expect(problemsOf({ flags: { ledger: "sqlite:hunter2" } })).not.toContain("hunter2");
  });

  it("is needed for what is to be done while it is away", () => {
    const [note, ...more] = load({}, "ledgerAway: block\n").warnings;
    expect(note?.message).toMatch(/^ledgerAway: does nothing without ledger/);
    expect(more).toEqual([]);
    const { config, warnings } = load({ env }, "ledgerAway: block\nledger: ${LEDGER_URL}\n");
    expect(warnings).toEqual([]);
    expect(config.ledgerAway).toBe("block");
    expect(describeConfig(config)).toContain("nothing is sent while it is away");
  });
});
