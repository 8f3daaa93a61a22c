import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fileEvents, mulberry32 } from "../../../bench/file/events.ts";
import { makeFile } from "../../../bench/file/run.ts";
import { parseStat, usageOf } from "../../../bench/file/usage.ts";
import { readEvents } from "../../../src/source/file/read.ts";

const from = new Date("2026-01-01T00:00:00Z");
const text = (count: number, seed: number) => [...fileEvents({ count, seed, from })].join("");

describe("a generated file of events", () => {
  it("is the same for the same seed, and another one for another", () => {
    expect(text(1_200, 7)).toBe(text(1_200, 7));
    expect(text(1_200, 7)).not.toBe(text(1_200, 8));
  });

  it("has one Event a line, as many as were asked for, which kube-crier reads", () => {
    for (const count of [1, 499, 500, 1_234]) {
      const lines = text(count, 1).trimEnd().split("\n");
      expect(lines).toHaveLength(count);
      expect(readEvents(lines.join("\n"), "demo", from.toISOString())).toHaveLength(count);
    }
  });

  it("has no occurrence twice, every tenth a further one of an Event before it", () => {
    const events = readEvents(text(5_000, 1), "demo", from.toISOString());
    expect(new Set(events.map(({ key }) => key)).size).toBe(5_000);
    expect(new Set(events.map(({ uid }) => uid)).size).toBe(4_500);
    const again = events.filter(({ count }) => count === 2);
    expect(again).toHaveLength(500);
    for (const event of again) expect(event.firstSeen <= event.lastSeen).toBe(true);
  });

  it("is like a cluster's: sizes, types, namespaces", () => {
    const whole = text(5_000, 1);
    const events = readEvents(whole, "demo", from.toISOString());
    const warnings = events.filter(({ type }) => type === "Warning").length;
    expect(warnings / events.length).toBeGreaterThan(0.6);
    expect(warnings / events.length).toBeLessThan(0.75);
    expect(new Set(events.map(({ object }) => object.namespace)).size).toBe(400);
    expect(whole.length / events.length).toBeGreaterThan(700);
    expect(whole.length / events.length).toBeLessThan(1_100);
    for (const { object, message } of events.slice(0, 50)) {
      expect(object.uid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(message).toContain(object.name);
    }
  });

  it("is made on the disk, and read by the least program there is", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-bench-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, "events.jsonl");
    await makeFile(file, 1_500, 3);
    expect(readFileSync(file, "utf8")).toBe(text(1_500, 3));
    const lines = path.resolve(import.meta.dirname, "../../../bench/file/lines.ts");
    expect(execFileSync(process.execPath, [lines, file], { encoding: "utf8" })).toBe("1500\n");
  });
});

describe("chance with a seed", () => {
  it("is even, within [0, 1), and the same each time", () => {
    const random = mulberry32(42);
    const numbers = Array.from({ length: 10_000 }, random);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(new Set(numbers).size).toBeGreaterThan(9_990);
    const again = mulberry32(42);
    expect(numbers.slice(0, 100)).toEqual(Array.from({ length: 100 }, again));
  });
});

describe("what a process takes", () => {
  it("is read from its stat, whatever it is called", () => {
    // proc_pid_stat(5): utime 14, stime 15, rss 24, from 1.
    const stat =
      "4711 (a) b (c) S 1 4711 4711 0 -1 4194560 9 0 0 0 123 45 0 0 20 0 7 0 99 1234567 2560 18446744073709551615 1";
    expect(parseStat(stat)).toEqual({ rssKiB: 10_240, cpuSeconds: 1.68 });
  });

  it("is nothing once it is gone, and something while it is there", () => {
    expect(usageOf(2 ** 30)).toBeNull();
    expect(usageOf(process.pid)?.rssKiB).toBeGreaterThan(10_000);
  });
});
