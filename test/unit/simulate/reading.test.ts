import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DINGTALK, LARK, WECOM, WECOM_V2 } from "../../../src/simulate/dialect.ts";
import { parseMarkdown } from "../../../src/simulate/markdown.ts";
import { type Block, blockText, linksIn } from "../../../src/simulate/marks.ts";
import { parseMrkdwn } from "../../../src/simulate/mrkdwn.ts";
import { Robot } from "../../../src/simulate/robot.ts";
import { unlimited } from "../../../src/simulate/limit.ts";
import { last, play, post } from "./support.ts";

const READERS: readonly (readonly [string, (source: string) => readonly Block[]])[] = [
  ["DingTalk's markdown", (source) => parseMarkdown(source, DINGTALK)],
  ["Lark's markdown", (source) => parseMarkdown(source, LARK)],
  ["WeCom's markdown", (source) => parseMarkdown(source, WECOM)],
  ["WeCom's second markdown", (source) => parseMarkdown(source, WECOM_V2)],
  ["Slack's mrkdwn", parseMrkdwn],
];

/** What makes markup, in any order, with words between. */
const PIECES =
  "* ** _ ~~ ~ ` `` ``` [ ]( ) ![ < > </font> <br> \\ # | - 1. > a é 😀 www <https://a.example> <@U1> <!here>".split(
    " ",
  );
const source = fc
  .array(fc.constantFrom(...PIECES, " ", "\n", "\n\n", "\n> ", "\n- ", '<font color="info">'), {
    maxLength: 60,
  })
  .map((pieces) => pieces.join(""));

/** Whether one is left of the other when characters are taken away from it. */
function isWithin(part: string, whole: string): boolean {
  let at = 0;
  for (const character of part) {
    at = whole.indexOf(character, at);
    if (at === -1) return false;
    at += character.length;
  }
  return true;
}

describe("whatever a message says", () => {
  it.each(READERS)("%s shows nothing that was not written, in its order", (_, parse) => {
    fc.assert(
      fc.property(source, (written) => {
        // What stands for somebody, and the lines, are the reader's own.
        const shown = parse(written).map(blockText).join("").replaceAll(/[@\s]/g, "");
        expect(isWithin(shown, written.replaceAll(/[@\s]/g, "")), `${written} ▸ ${shown}`).toBe(
          true,
        );
      }),
      { numRuns: 500 },
    );
  });

  it.each(READERS)("%s keeps words that are no markup, each and every one", (_, parse) => {
    const word = fc.stringMatching(/^[a-zA-Z0-9中文é.,:;?%@$^+]{1,12}$/u);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 30 }), (words) => {
        fc.pre(!/^\d+[.)]?$/.test(words[0] ?? "") && !(words[0] ?? "").startsWith("+"));
        const shown = parse(words.join(" ")).map(blockText).join("\n");
        expect(shown.split(/\s+/)).toEqual(words);
      }),
    );
  });

  it.each(READERS)("%s names every address that is behind something else", (_, parse) => {
    const evil = "https://evil.example/x";
    fc.assert(
      fc.property(source, source, (before, after) => {
        for (const link of [`[ok](${evil})`, `<${evil}|ok>`, `<${evil}>`]) {
          // On a line of its own: what follows the beginning of a fence is shown nowhere.
          const blocks = parse(`${before}\n${link}${after}`);
          const shown = blocks.map(blockText).join("");
          // Either it can be read, or it is told as the target of what can.
          expect(`${shown} ${linksIn(blocks).join(" ")}`).toContain("evil.example");
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each(["[a](", "![", "<font color=x>", "**a", "> ", "- ", "\\", "<at id=", "&#1;", "`` "])(
    "a flood of %j is read in time that grows with it",
    (piece) => {
      for (const [name, parse] of READERS) {
        const flood = piece.repeat(20_000 / piece.length);
        const began = performance.now();
        parse(flood);
        expect(performance.now() - began, name).toBeLessThan(3_000);
      }
    },
  );
});

describe("a robot", () => {
  it("remembers the last ten thousand keys, and no more", () => {
    const robot = new Robot({ platform: "dingtalk", token: "ops" }, unlimited);
    for (let n = 0; n <= 10_000; n += 1) robot.remember(`key-${n}`);
    expect(robot.seen.size).toBe(10_000);
    expect(["key-0", "key-1", "key-10000"].map((key) => robot.seen.has(key))).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe("DingTalk's cards", () => {
  const button = { title: "open", actionURL: "https://a.example" };
  const card = (actionCard: object) => ({ msgtype: "actionCard", actionCard });
  const feed = (links: readonly object[]) => ({ msgtype: "feedCard", feedCard: { links } });

  it.each([
    ["no title", card({ text: "x", btns: [button] }), "actionCard.title"],
    ["no text", card({ title: "t", btns: [button] }), "actionCard.text"],
    ["no button", card({ title: "t", text: "x" }), "actionCard.singleTitle or btns"],
    [
      "a button that leads nowhere",
      card({ title: "t", text: "x", singleTitle: "s" }),
      "actionCard.singleURL",
    ],
    [
      "one of several that does",
      card({ title: "t", text: "x", btns: [button, { title: "y" }] }),
      "btns[].title, actionURL",
    ],
    ["no link", feed([]), "feedCard.links"],
    ["a link that leads nowhere", feed([{ title: "t" }]), "feedCard.links[].title, messageURL"],
  ])("with %s are refused, and told what is missing", async (_, body, what) => {
    const { sim } = await play();
    const answer = await post(sim.webhook("dingtalk", "ops"), body);
    expect(answer.json).toEqual({ errcode: 40035, errmsg: `missing parameter ${what}` });
    expect(last(sim)).toMatchObject({ state: "refused", refusal: { code: "40035" } });
  });

  it("show their buttons, whose targets are links", async () => {
    const { sim } = await play();
    await post(
      sim.webhook("dingtalk", "ops"),
      card({ title: "t", text: "**x**", btns: [button, button] }),
    );
    expect(last(sim)).toMatchObject({
      state: "shown",
      text: "x\nopen open",
      links: ["https://a.example", "https://a.example"],
    });
  });
});
