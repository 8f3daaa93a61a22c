import { describe, expect, it } from "vitest";
import { References } from "../../../src/migrate/references.ts";

const through = (text: string, known: readonly string[] | null = null) => {
  const references = new References(known === null ? null : new Set(known));
  const marked = references.marked({ text, where: "" }).text;
  return { written: references.written(marked), names: references.names, marked };
};

describe("a reference", () => {
  it.each([
    ["a$(NAME)b", "a${NAME}b"],
    ["a${NAME}b", "a${NAME}b"],
    ["a$NAME/b", "a${NAME}/b"],
    ["$A$(A)${B}", "${A}${A}${B}"],
    ["$$(NAME)", "$(NAME)"],
    // Kubernetes makes one dollar sign of two, and kube-eventer fills in what follows it.
    ["a$${NAME}b", "a${NAME}b"],
    ["a$$NAME/b", "a${NAME}/b"],
    ["$$name", "$$name"],
    ["100%$", "100%$"],
    ["$1 $-", "$1 $-"],
  ])("%s is written as %s", (text, expected) => {
    expect(through(text).written).toBe(expected);
  });

  it("is text where nobody sets the variable, but for braces, which kube-eventer fills in anyhow", () => {
    expect(through("$(A) $B ${C} $D", ["D"])).toMatchObject({
      written: "$(A) $B ${C} ${D}",
      names: ["C", "D"],
    });
  });

  it("passes through the parsers of a URI unchanged", () => {
    const { marked } = through("https://host/${A}/x?y=$(B)");
    expect(new URL(marked).href).toBe(marked);
    const value = marked.slice(marked.indexOf("=") + 1);
    expect(new URL(marked).searchParams.get("y")).toBe(value);
  });

  it("is told what stands before it when it is filled in", () => {
    const references = new References(null);
    const { text } = references.marked({ text: "log:$A/$B", where: "" });
    const filled = references.filled(
      text,
      (name, before) => `<${name} after ${before.slice(0, 4)}>`,
    );
    expect(filled).toBe("log:<A after log:>/<B after log:>");
    expect(references.isIn(text)).toBe(true);
    expect(references.isIn("log:")).toBe(false);
  });

  it("is no text that only looks like what stands for one", () => {
    const references = new References(null);
    const { text } = references.marked({ text: "KCREF1X $A KCREF12X", where: "" });
    expect(references.written(text)).toBe("KCREF1X ${A} KCREF12X");
    expect(references.isIn("KCREF1X")).toBe(false);
    expect(references.isIn(text)).toBe(true);
  });

  it("that is none is kept as text by the configuration's own escape", () => {
    const references = new References(null);
    expect(references.written("a${b c}")).toBe("a$${b c}");
  });
});
