import { describe, expect, it } from "vitest";
import { sinks as registry } from "../../../sinks/index.ts";
import { ConfigError } from "../../../src/config/config.ts";
import type { Env } from "../../../src/config/secrets.ts";
import { type Loaded, loadConfig } from "../../../src/config/load.ts";
import { optionsOf, variableOf } from "../../../src/sink/schema.ts";
import { memoryFiles } from "../../support/config.ts";
import { bare } from "../../support/sinks.ts";

/** Options that the environment gives where nothing else does, as kube-eventer and the platforms' own tools have it. */
const SLS = "sls:?project=k8s-audit&log_store=events";
const KEY = { AccessKeyId: "LTAI0123456789abcdef", AccessKeySecret: "fedcba9876543210" };

function loaded(env: Env, sink: string, yaml?: string): Loaded {
  return loadConfig({
    flags: yaml === undefined ? { sink: [sink] } : { config: ["c.yaml"] },
    registry,
    env: { TZ: "UTC", ...env },
    files: memoryFiles({ "c.yaml": yaml ?? "" }),
  });
}

const optionsWith = (env: Env, sink: string) => bare(loaded(env, sink).config.sinks[0]?.options);

function problems(env: Env, sink: string, yaml?: string): readonly string[] {
  try {
    loaded(env, sink, yaml);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
}

describe("a variable that stands for an option", () => {
  it("is taken where nothing else gives it, without the line break that `echo` leaves", () => {
    const env = { ...KEY, RegionId: "cn-hangzhou\n", AccessKeySecret: "fedcba9876543210\r\n" };
    expect(optionsWith(env, SLS)).toMatchObject({
      regionId: "cn-hangzhou",
      accessKeyId: { secret: KEY.AccessKeyId },
      accessKeySecret: { secret: "fedcba9876543210" },
    });
  });

  it("gives way to what is written, in a URI and in a file", () => {
    const env = { ...KEY, RegionId: "cn-hangzhou" };
    expect(optionsWith(env, `${SLS}&region_id=cn-beijing`)).toMatchObject({
      regionId: "cn-beijing",
    });
    const yaml =
      "sinks: {ops: {type: sls, project: k8s-audit, logStore: events, regionId: cn-beijing}}";
    expect(bare(loaded(env, "", yaml).config.sinks[0]?.options)).toMatchObject({
      regionId: "cn-beijing",
      accessKeyId: { secret: KEY.AccessKeyId },
    });
  });

  it.each([
    ["empty", ""],
    ["a line break alone", "\n"],
  ])("is none where it is %s", (_, value) => {
    expect(problems({ ...KEY, RegionId: value }, SLS)).toEqual([
      expect.stringMatching(/^--sink #1: regionId: is missing; /),
    ]);
  });

  it.each([
    ["SLS_ENDPOINT", "endpoint", "https://crier:made-up-password@nowhere.example.com/"],
    ["RegionId", "regionId", "cn hangzhou made-up-password"],
  ])(
    "is named where its value is none, and the value is not said: %s",
    (variable, option, value) => {
      const found = problems({ ...KEY, RegionId: "cn-hangzhou", [variable]: value }, SLS);
      expect(found).toEqual([
        expect.stringMatching(new RegExp(`^\\$${variable}: ${option}: is no `)),
      ]);
      expect(found.join()).not.toContain("made-up");
    },
  );

  it("is named for a sink of a file, too", () => {
    const yaml = "sinks: {ops: {type: sls, project: k8s-audit, logStore: events}}";
    expect(problems({ ...KEY, RegionId: "??" }, "", yaml)).toEqual([
      expect.stringMatching(/^\$RegionId: sinks\.ops\.regionId: is no ID of a region/),
    ]);
  });

  it("of a token is taken only beside its key", () => {
    const es = "elasticsearch:https://es.example.com?sigv4&region=us-east-1";
    const token = { AWS_SESSION_TOKEN: "made-up-token" };
    const keys = { AWS_ACCESS_KEY_ID: "AKIAMADEUP", AWS_SECRET_ACCESS_KEY: "made-up" };
    expect(optionsWith({ ...token, ...keys }, es)).toMatchObject({
      securityToken: { secret: "made-up-token" },
    });
    const own = `${es}&access_key_id=AKIAOTHER&access_key_secret=other`;
    expect(optionsWith({ ...token, ...keys }, own)).not.toHaveProperty("securityToken");
  });

  it("is shown as where the value comes from, secret or not", () => {
    const env = { ...KEY, RegionId: "cn-hangzhou" };
    const shown = loaded(env, SLS).options();
    const of = (name: string) =>
      shown.find((one) => one.section === "sinks.sls" && one.name === name);
    expect(of("regionId")).toMatchObject({
      value: "cn-hangzhou",
      where: "$RegionId",
      referred: true,
    });
    expect(of("accessKeySecret")).toMatchObject({ value: "<redacted>", where: "$AccessKeySecret" });
  });
});

it("every such variable is of one option of its sink", () => {
  for (const { type, options } of registry) {
    const infos = optionsOf(options);
    for (const provider of ["aliyun", "aws"]) {
      const variables = infos.flatMap((info) => variableOf(info, { provider }, infos) ?? []);
      expect(new Set(variables).size, type).toBe(variables.length);
    }
  }
});
