/** What stands in a message, drawn as the chats do; the page that shows it has the colours. */
export const BUBBLE_STYLE = `
.bubble { position: relative; width: fit-content; max-width: 100%; background: var(--bubble); border: 1px solid var(--line); border-radius: 4px 12px 12px 12px; overflow: hidden; }
.body { padding: 9px 13px; display: grid; gap: 7px; min-width: 0; }
.body > * { min-width: 0; }
.card { width: 100%; max-width: 560px; border-radius: 10px; }
.cardhead { position: relative; padding: 9px 13px; color: #fff; font-weight: 600; }
.cardhead p { position: relative; overflow-wrap: anywhere; }
.fill { position: absolute; inset: 0; width: 100%; height: 100%; }
.bar { position: absolute; left: 0; top: 0; bottom: 0; width: 4px; }
.barred .body { padding-left: 17px; }
.slack .bubble { border-radius: 6px; }

.prose, .fine { display: grid; gap: 6px; overflow-wrap: anywhere; }
.prose > *, .fine > * { min-width: 0; margin: 0; }
.fine { color: var(--soft); font-size: 12.5px; }
.lead, .h1, .h2, .h3, .h4 { font-weight: 700; overflow-wrap: anywhere; }
.h1 { font-size: 19px; } .h2 { font-size: 17.5px; } .h3 { font-size: 16px; } .h4, .lead { font-size: 15px; }
.h5, .h6 { font-weight: 600; }
blockquote { border-left: 3px solid var(--quote); padding-left: 10px; color: var(--soft); display: grid; gap: 4px; }
code { background: var(--code); border-radius: 4px; padding: 1px 4px; font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--code); border-radius: 6px; padding: 8px 10px; white-space: pre-wrap; max-height: 420px; overflow-y: auto; }
pre code { background: none; padding: 0; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2px 0; width: 100%; }
ul { padding-left: 20px; } ul.ordered { list-style: decimal; }
.columns { display: flex; flex-wrap: wrap; gap: 6px 18px; }
.columns > div { flex: 1 1 120px; min-width: 0; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; }
.button { border: 1px solid var(--line); border-radius: 7px; padding: 3px 12px; }
.dead { border-bottom: 1px dotted var(--soft); }
.mention { color: var(--link); background: var(--call); border-radius: 4px; padding: 0 3px; }
.ink-red { color: var(--red); } .ink-orange { color: var(--orange); } .ink-green { color: var(--green); }
.ink-blue { color: var(--blue); } .ink-grey { color: var(--soft); }
`;

/** The same below `.chat`, with the colours of a chat, for a page that has rules of its own. */
export const CHAT_STYLE = `
.chat {
  --bubble: #ffffff; --code: #eef0f4; --quote: #c4c9d4; --red: #b42318; --orange: #b54708; --green: #067647; --blue: #1557d6; --alarm: #fee4e2; --call: #fdf0d9;
  background: light-dark(#eceef2, #101319); padding: 14px; border-radius: 6px; font-size: 14px;
  @media (prefers-color-scheme: dark) {
    --bubble: #222834; --code: #2d3442; --quote: #4a5468; --red: #ff9c92; --orange: #fdb062; --green: #6ce9a6; --blue: #84b5ff; --alarm: #47201d; --call: #40301a;
  }
  ${BUBBLE_STYLE}
}
`;
