import { describe, expect, it } from "vitest";
import { sinks } from "../../sinks/index.ts";
import type { SinkDefinition } from "../../src/sink/index.ts";
import { optionsOf } from "../../src/sink/schema.ts";
import { aMessage, problemsWith } from "../support/messages.ts";

/**
 * HTTP carries ASCII in headers, and the client leaves out the rest: a token that is not whole would be refused as a wrong one, and nobody
 * would see why. Asked of every sink and every secret there is.
 */
const NOW = Date.parse("2026-11-20T08:05:31Z");
const STRANGE = "fedcba98\u00e976543210\u5bb9\u5668\u{1f511}";
const PROBLEM = "has a character that no header can carry; expected ASCII";

const SECRETS = sinks.flatMap((sink) =>
  optionsOf(sink.options)
    .filter(({ form }) => form === "secret")
    .map(({ name }) => ({ title: `${sink.type}: ${name}`, sink, name })),
);
/** What the option is of no use without, or cannot be beside. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "slack: token": { channel: "C0123456789" },
  "elasticsearch: apiKey": { esUserName: undefined, esUserSecret: undefined },
  "elasticsearch: accessKeyId": keyAlone(),
  "elasticsearch: securityToken": keyAlone(),
};
function keyAlone() {
  return {
    esUserName: undefined,
    esUserSecret: undefined,
    sigv4: true,
    region: "eu-central-1",
    accessKeyId: "AKIA0123456789ABCDEF",
    accessKeySecret: "fedcba9876543210",
  };
}

const given = (sink: SinkDefinition, title: string, name: string, value: string) => ({
  ...sink.example.yaml,
  ...BESIDE[title],
  [name]: value,
});

describe("a secret that is not ASCII", () => {
  it.each(SECRETS)("goes into no header in part: $title", ({ title, sink, name }) => {
    const options = given(sink, title, name, STRANGE);
    if (problemsWith(sink, options).includes(`${name}: ${PROBLEM}`)) return;
    if (sink.transport !== "http") return;
    const { headers } = sink.request(sink.options.parse(options), aMessage(), NOW);
    for (const [header, value] of Object.entries(headers))
      expect(value, header).toMatch(/^[\t -~]*$/);
  });

  it.each([
    "slack: token",
    "influxdb: token",
    "honeycomb: writekey",
    "elasticsearch: apiKey",
    "elasticsearch: accessKeyId",
    "elasticsearch: securityToken",
    "sls: accessKeyId",
    "sls: securityToken",
    "eventbridge: accessKeyId",
    "eventbridge: securityToken",
  ])("is refused at the start, and not shown, where a header has it: %s", (title) => {
    const found = SECRETS.find((one) => one.title === title);
    if (found === undefined) throw new Error(`there is no ${title}`);
    const { sink, name } = found;
    const problems = problemsWith(sink, given(sink, title, name, STRANGE));
    expect(problems).toContain(`${name}: ${PROBLEM}`);
    expect(problems.join()).not.toContain("fedcba98\u00e9");
  });

  it.each(["fedcba98\n76543210", "fedcba98\u000076543210", "fedcba98\u007f76543210"])(
    "is refused with what would begin another header, or cannot be seen: %j",
    (token) => {
      const [slack] = sinks.filter(({ type }) => type === "slack");
      expect(problemsWith(slack as SinkDefinition, { token, channel: "C0123456789" })).toEqual([
        `token: ${PROBLEM}`,
      ]);
    },
  );

  it.each(["xoxb-fedcba98", " xoxb-fedcba98\r\n", "\ufeffxoxb-fedcba98\n"])(
    "is none for the white space that a file has around it: %j",
    (token) => {
      const slack = sinks.find(({ type }) => type === "slack");
      if (slack?.transport !== "http") throw new Error("slack speaks HTTP");
      const options = slack.options.parse({ token, channel: "C0123456789" });
      expect(slack.request(options, aMessage(), NOW).headers["authorization"]).toBe(
        "Bearer xoxb-fedcba98",
      );
    },
  );
});
