/**
 * Who a text would notify. Read from the raw text and on purpose stricter than any client: markup inside a code span
 * counts too, because no platform documents that it does not.
 */
export interface Mentions {
  readonly everyone: boolean;
  readonly who: readonly string[];
}

export const NOBODY: Mentions = { everyone: false, who: [] };

export function joinMentions(all: readonly Mentions[]): Mentions {
  return {
    everyone: all.some((one) => one.everyone),
    who: [...new Set(all.flatMap((one) => one.who))],
  };
}

/** Lark: `<at user_id="…">` in text, `<at id=…>`, `<at ids=a,b>`, `<at email=…>` in cards; `all` is everyone. */
export function larkMentions(text: string): Mentions {
  const ids = [
    ...text.matchAll(/<at\b[^<>]*?\b(?:id|ids|user_id|email)\s*=\s*["']?([^\s"'<>]+)/gi),
  ].flatMap((match) => (match[1] ?? "").replace(/\/$/, "").split(","));
  return fromIds(ids, (id) => id === "all");
}

/** WeCom: `<@userid>` in text and markdown. */
export function wecomMentions(text: string): Mentions {
  const ids = [...text.matchAll(/<@([^\s<>]+)>/g)].map((match) => match[1] ?? "");
  return fromIds(ids, (id) => id === "all");
}

/** Slack: `<!channel>`, `<!here>`, `<!everyone>`, `<!subteam^S1>`, `<@U1>`, each with an optional `|label`. */
export function slackMentions(text: string): Mentions {
  const ids = [...text.matchAll(/<([!@][^<>|\n]+)(?:\|[^<>\n]*)?>/g)]
    .map((match) => match[1] ?? "")
    .filter((id) => !id.startsWith("!date^"));
  return {
    everyone: ids.some((id) => /^!(?:channel|here|everyone|group)$/i.test(id)),
    who: [
      ...new Set(
        ids
          .filter((id) => id.startsWith("@") || id.startsWith("!subteam^"))
          .map((id) => id.slice(1)),
      ),
    ],
  };
}

/** Ids given as data, not as text. */
export function fromIds(ids: readonly string[], isEveryone: (id: string) => boolean): Mentions {
  return {
    everyone: ids.some(isEveryone),
    who: [...new Set(ids.filter((id) => id !== "" && !isEveryone(id)))],
  };
}
