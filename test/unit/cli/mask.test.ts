import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskOptions, readable } from "../../../src/cli/mask.ts";
import { Secret } from "../../../src/sink/secret.ts";

/** Options as they would be shown by someone who reveals everything. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)]));
}

describe("masked options", () => {
  it("keep the host of an address, and nothing of what follows or stands before it", () => {
    const webhook = new Secret(
      "https://eve:pw@chat.example.com:8443/robot/send?access_token=abc#x",
    );
    expect(revealed(maskOptions({ webhook }))).toEqual({
      webhook: "https://chat.example.com:8443/<redacted>",
    });
  });

  it("replace every other secret whole, however deep it is, and leave the rest", () => {
    const options = {
      secret: new Secret("SEC123"),
      headers: { Authorization: new Secret("Bearer abc"), list: [new Secret("x"), "plain"] },
      msgType: "text",
      atAll: false,
      nothing: null,
    };
    expect(revealed(maskOptions(options))).toEqual({
      secret: "<redacted>",
      headers: { Authorization: "<redacted>", list: ["<redacted>", "plain"] },
      msgType: "text",
      atAll: false,
      nothing: null,
    });
  });

  it("stay secrets: printed by accident they still say nothing", () => {
    expect(JSON.stringify(maskOptions({ secret: new Secret("SEC123") }))).not.toContain("SEC123");
  });

  it("take what is no http address for a password, even if it looks like one", () => {
    const dsn = new Secret("mysql://crier:fedcba9876@db:3306/events");
    expect(revealed(maskOptions({ dsn }))).toEqual({ dsn: "<redacted>" });
  });

  it("never hold any part of a secret, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), (text) => {
        fc.pre(!"<redacted>".includes(text) && !/^https?:/i.test(text));
        const shown = JSON.stringify(revealed(maskOptions({ a: { b: [new Secret(text)] } })));
        expect(shown).toBe('{"a":{"b":["<redacted>"]}}');
      }),
    );
  });
});

it("what a URL has encoded is written as a person reads it", () => {
  expect(readable("https://chat.example.com/%3Credacted%3E?sign=%3credacted%3e&x=1%3C2")).toBe(
    "https://chat.example.com/<redacted>?sign=<redacted>&x=1%3C2",
  );
});
