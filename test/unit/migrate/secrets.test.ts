import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cli } from "../../support/io.ts";
import {
  deployment,
  DOCUMENTED,
  loadPrinted,
  plainSinks,
  SECRETS,
  secretsOf,
  sinksOfFlags,
} from "../../support/kube-eventer.ts";

/** What means something to YAML, to a URL, to a shell, to Kubernetes or to variables. */
const ODD = [
  "${A} $$ $ { } $(B) $C $$(D) : # - ' \" \\ % %2F true null 0x1f 1e3 ~ | > @ ` é 内 & = a * ! [ ] , / ? ( ) KCREF0X 😀",
  " ",
].flatMap((words) => (words === " " ? [words, ": ", " #", "- "] : words.split(" ")));
const odd = fc
  .array(fc.constantFrom(...ODD), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(""));
// Control characters are a mistake where they would go into a header.
const any = fc
  .string({ unit: "binary", minLength: 1 })
  .map((text) => text.toWellFormed().replaceAll(/\p{Cc}/gu, " "));

/** Whose secrets go into a header as they are: what is not ASCII is a mistake. */
const TOKENS = new Set(["honeycomb", "sls", "eventbridge"]);

/** As a URI has it, and a Deployment or a shell's line has that. */
const encoded = (text: string) => encodeURIComponent(text).replaceAll("'", "%27");
const asInput = (uri: string, isLine: boolean) =>
  isLine ? `kube-eventer '--sink=${uri}'` : deployment([`--sink=${uri}`]);

async function printed(stdin: string, ...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(["migrate", "-", ...flags], { stdin });
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

describe("whatever characters are in it", () => {
  it.each(Object.entries(DOCUMENTED))(
    "a secret of %s arrives and is not printed",
    async (type, uri) => {
      await fc.assert(
        fc.asyncProperty(fc.oneof(odd, any), fc.boolean(), async (text, isLine) => {
          const secret = `qz${TOKENS.has(type) ? text.replaceAll(/[^ -~]/gu, "x") : text}zq`;
          const given = SECRETS.reduce<string>(
            (all, one) => all.replaceAll(one, encoded(secret)),
            uri,
          );
          const sinks = sinksOfFlags([given]);
          const input = asInput(given, isLine);
          const configuration = await printed(input);
          const { config, warnings } = loadPrinted(configuration, secretsOf(sinks));
          expect(plainSinks(config.sinks)).toEqual(plainSinks(sinks));
          expect(warnings).toEqual([]);
          for (const said of [configuration, await printed(input, "--explain")]) {
            expect(said).not.toContain(secret);
            expect(said).not.toContain(encoded(secret));
          }
        }),
        { numRuns: 8 },
      );
    },
  );

  it("labels, filters and headers are the same as by the flag", async () => {
    const texts = fc.array(fc.oneof(odd, any), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(texts, odd, texts, fc.boolean(), async (labels, header, kinds, isLine) => {
        const uri = [
          "webhook:https://h.example.com/in?method=POST",
          `header=X-A=s${encoded(header)}e`,
          ...labels.map((label) => `label=${encoded(label)}`),
          // A pattern that begins with a slash is a regular expression, and may be none.
          ...kinds.map((kind) => `kinds=a${encoded(kind)}`),
        ].join("&");
        const sinks = sinksOfFlags([uri]);
        const configuration = await printed(asInput(uri, isLine));
        const { config } = loadPrinted(configuration, secretsOf(sinks));
        expect(plainSinks(config.sinks)).toEqual(plainSinks(sinks));
      }),
      { numRuns: 80 },
    );
  });

  it("a Deployment's names change nothing", async () => {
    const plain = await printed(deployment([`--sink=${DOCUMENTED.dingtalk}`]));
    const configured = loadPrinted(plain, {
      DINGTALK_WEBHOOK: "https://oapi.dingtalk.com/robot/send?access_token=a",
      DINGTALK_SECRET: "SECa",
    }).config;
    await fc.assert(
      fc.asyncProperty(fc.oneof(odd, any), async (name) => {
        const text = deployment([`--sink=${DOCUMENTED.dingtalk}`])
          .replaceAll("name: kube-eventer", () => `name: ${JSON.stringify(name)}`)
          .replaceAll("namespace: kube-system", () => `namespace: ${JSON.stringify(name)}`);
        const { config } = loadPrinted(await printed(text), {
          DINGTALK_WEBHOOK: "https://oapi.dingtalk.com/robot/send?access_token=a",
          DINGTALK_SECRET: "SECa",
        });
        expect(JSON.stringify(config)).toBe(JSON.stringify(configured));
      }),
      { numRuns: 60 },
    );
  });
});

describe("an API server's address", () => {
  it.each([
    "--source=kubernetes:https://10.0.0.1:6443?inClusterConfig=false&auth=https://u:s3cr3t@h/config",
    "--source=kubernetes:https://u:s3cr3t@10.0.0.1:6443",
  ])("with a password in it is refused: %s", async (source) => {
    const stdin = deployment([source, "--sink=log:"]);
    const { code, stdout, stderr } = await cli(["migrate", "-"], { stdin });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/standard input:25:15 \(--source #1\): a password stands in the API/);
    expect(stderr).not.toContain("s3cr3t");
  });
});
