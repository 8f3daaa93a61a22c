import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs } from "../../../src/delivery/backoff.ts";
import { Circuit } from "../../../src/delivery/circuit.ts";

const ALMOST_ONE = 0.999_999;

describe("a delivery's backoff", () => {
  test("at most a second after the first failure, twice as much after each, at most five minutes", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 1_000].map((attempt) =>
      Math.ceil(backoffMs(attempt, ALMOST_ONE) / 1_000),
    );
    expect(longest).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  });

  test("is spread evenly over the whole time", () => {
    expect([0, 0.25, 0.5, 0.75].map((chance) => backoffMs(4, chance))).toEqual([
      0, 2_000, 4_000, 6_000,
    ]);
  });

  test("is a whole number of milliseconds for every attempt and chance", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: ALMOST_ONE, noNaN: true }),
        (attempt, chance) => {
          const ms = backoffMs(attempt, chance);
          expect(Number.isInteger(ms)).toBe(true);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThan(300_000);
        },
      ),
    );
  });
});

describe("a sink's circuit", () => {
  test("opens at the first sign of an outage, and closes when the sink answers", () => {
    const circuit = new Circuit();
    expect(circuit.open).toBe(false);
    circuit.failed("network", 0, 10, 0.5);
    expect(circuit.open).toBe(true);
    circuit.succeeded();
    expect(circuit.open).toBe(false);
  });

  test("what is the message's own fault does not open it", () => {
    const circuit = new Circuit();
    for (const reason of ["rejected", "template", "unknown", "auth"] as const) {
      expect(circuit.failed(reason, 0, 10, 0.5)).toBeNull();
    }
    expect(circuit.open).toBe(false);
  });

  test("probes at growing intervals, never further apart than five seconds", () => {
    const circuit = new Circuit();
    let now = 0;
    const waits = Array.from({ length: 8 }, () => {
      circuit.failed("server", now, now, ALMOST_ONE);
      const wait = circuit.probeAt(now) - now;
      now = circuit.probeAt(now);
      return wait;
    });
    expect(waits).toEqual([249, 499, 999, 1_999, 3_999, 4_999, 4_999, 4_999]);
  });

  test("chance shortens a wait by half at most", () => {
    const circuit = new Circuit();
    circuit.failed("timeout", 0, 1_000, 0);
    expect(circuit.probeAt(1_000)).toBe(1_125);
  });

  test("requests that were under way together are one sign, not many", () => {
    const circuit = new Circuit();
    circuit.failed("network", 0, 100, 0);
    const first = circuit.probeAt(100);
    for (let request = 0; request < 7; request += 1) circuit.failed("network", 50, 101, 0);
    expect(circuit.probeAt(101)).toBe(first);
  });

  test("the first failure may be the delivery's own; from the second in a row the sink is down", () => {
    const circuit = new Circuit();
    expect(circuit.failed("server", 0, 0, 0.5)).toBeNull();
    expect(circuit.failed("server", 200, 200, 0.5)).toBe(circuit.probeAt(200));
    circuit.succeeded();
    expect(circuit.failed("server", 300, 300, 0.5)).toBeNull();
  });
});
