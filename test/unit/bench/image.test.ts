import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { imageEnvironment, imageSettings } from "../../../bench/image.ts";

const DOCKERFILE = path.resolve(import.meta.dirname, "../../../deploy/Dockerfile");

describe("what a benchmark starts a program with", () => {
  it("is what the image has in its environment, all of it", () => {
    const said = readFileSync(DOCKERFILE, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("ENV "));
    expect(said.length).toBeGreaterThan(0);
    expect(imageSettings().map((setting) => `ENV ${setting}`)).toEqual(said);
  });

  // mallopt(3): M_ARENA_MAX, M_TRIM_THRESHOLD; setting the latter ends its growing by itself.
  it("keeps the C library's heap small: one for all threads, and what is free at its end goes back", () => {
    expect(imageEnvironment()).toEqual({
      MALLOC_ARENA_MAX: "1",
      MALLOC_TRIM_THRESHOLD_: String(128 * 1024),
    });
  });

  it("leaves out what only looks like it", () => {
    const dockerfile = "# ENV A=1\nRUN echo ENV B=2\nENV C=3\nLABEL x=y\nENV D_=four\n";
    expect(imageEnvironment(dockerfile)).toEqual({ C: "3", D_: "four" });
  });

  it("arrives in the program that `env` starts", () => {
    const script = "process.stdout.write(process.env.MALLOC_TRIM_THRESHOLD_ ?? '')";
    const { stdout } = spawnSync("env", [...imageSettings(), process.execPath, "-e", script], {
      encoding: "utf8",
    });
    expect(stdout).toBe("131072");
  });
});
