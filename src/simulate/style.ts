import { BUBBLE_STYLE } from "./bubble.ts";

/** Light and dark by the reader's system; nothing moves; 360 px wide is enough. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #eceef2; --window: #f7f8fa; --bubble: #ffffff; --line: #dfe2e8;
  --ink: #1c2130; --soft: #5d6579; --link: #1557d6; --code: #eef0f4; --quote: #c4c9d4;
  --red: #b42318; --orange: #b54708; --green: #067647; --blue: #1557d6; --alarm: #fee4e2; --call: #fdf0d9;
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101319; --window: #171b23; --bubble: #222834; --line: #2e3543;
    --ink: #e4e8f0; --soft: #9aa3b5; --link: #7fb0ff; --code: #2d3442; --quote: #4a5468;
    --red: #ff9c92; --orange: #fdb062; --green: #6ce9a6; --blue: #84b5ff; --alarm: #47201d; --call: #40301a;
  }
}
* { box-sizing: border-box; }
html, body { height: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); display: flex; flex-direction: column; }
h1, h2, p { margin: 0; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }

.top { display: flex; align-items: baseline; gap: 12px; padding: 12px 20px 4px; }
.top h1 { font-size: 16px; font-weight: 700; white-space: nowrap; }
.top h1 span { font-weight: 400; color: var(--soft); margin-left: 6px; }
.tagline { color: var(--soft); font-size: 13px; flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.state { color: var(--green); font-size: 12px; white-space: nowrap; }
.state::before { content: "●"; margin-right: 5px; font-size: 9px; vertical-align: 1px; }
.state.lost { color: var(--red); }
.lang { font-size: 13px; white-space: nowrap; }

main { flex: 1; min-height: 0; display: flex; flex-direction: column; padding: 8px 20px 20px; gap: 12px; }
.tabs { display: flex; gap: 6px; overflow-x: auto; flex: none; padding: 2px; scrollbar-width: none; }
.tabs a { padding: 3px 11px; border-radius: 99px; font-size: 13px; color: var(--soft); white-space: nowrap; }
.tabs a[aria-current] { background: var(--bubble); color: var(--ink); box-shadow: 0 0 0 1px var(--line); }

.chats { flex: 1; min-height: 0; display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(370px, 100%), 1fr)); grid-auto-rows: minmax(420px, 1fr); }
@media (min-width: 800px) and (max-width: 1599px) { .chats:has(> :nth-child(4):last-child) { grid-template-columns: 1fr 1fr; } }
.chats:empty { display: none; }
.chat { display: flex; flex-direction: column; min-height: 0; min-width: 0; background: var(--window); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.chat > header { display: flex; align-items: center; gap: 9px; padding: 10px 14px; background: var(--bubble); border-bottom: 1px solid var(--line); }
.chat > header h2 { font-size: 15px; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.platform { color: var(--soft); font-size: 12px; white-space: nowrap; }
.tally { margin-left: auto; color: var(--soft); font-size: 12px; white-space: nowrap; font-variant-numeric: tabular-nums; }
.scroll { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; display: flex; flex-direction: column-reverse; gap: 14px; padding: 16px 14px; }
.scroll > :first-child { margin-bottom: auto; }

.avatar { flex: none; display: grid; place-items: center; width: 34px; height: 34px; border-radius: 9px; background: #596275; color: #fff; font-size: 15px; font-weight: 600; }
.chat > header .avatar { width: 24px; height: 24px; border-radius: 7px; font-size: 12px; }
.dingtalk .avatar { background: #1677ff; }
.lark .avatar { background: #00856f; }
.wecom .avatar { background: #2b7a3f; }
.slack .avatar { background: #611f69; }

.message { display: flex; gap: 10px; align-items: flex-start; }
.column { min-width: 0; flex: 1; }
.meta { display: flex; align-items: center; gap: 6px; margin-bottom: 4px; font-size: 12px; color: var(--soft); }
.sender { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.badge { border: 1px solid var(--line); border-radius: 4px; padding: 0 4px; font-size: 11px; line-height: 16px; white-space: nowrap; }
time { font-variant-numeric: tabular-nums; }
.raw { margin-left: auto; color: var(--soft); font-family: ui-monospace, monospace; opacity: .75; }
${BUBBLE_STYLE}.notifies { width: fit-content; margin-top: 5px; padding: 0 8px; border-radius: 99px; font-size: 12px; background: var(--call); color: var(--orange); }
.notifies.all { background: var(--alarm); color: var(--red); font-weight: 600; }

.strip { align-self: center; max-width: 100%; padding: 3px 12px; border-radius: 99px; background: var(--code); color: var(--soft); font-size: 12px; text-align: center; overflow-wrap: anywhere; }
.strip.refused, .strip.failed { border-radius: 8px; background: var(--alarm); color: var(--red); }
.strip code { background: none; padding: 0; font-weight: 600; font-size: 12px; }

.empty { max-width: 620px; margin: 6vh auto 0; padding: 24px 28px; background: var(--bubble); border: 1px solid var(--line); border-radius: 12px; }
.empty h2 { font-size: 17px; margin-bottom: 6px; }
.empty p { color: var(--soft); margin-bottom: 12px; }
.empty ul { margin: 0; padding: 0; list-style: none; display: grid; gap: 6px; }

@media (max-width: 720px) {
  html, body { height: auto; }
  .top { padding: 10px 12px 2px; gap: 10px; }
  .tagline { display: none; }
  .top h1 { flex: 1; }
  main { padding: 6px 10px 14px; }
  .chats { grid-auto-rows: auto; }
  .chat { max-height: 82vh; }
  .message { gap: 8px; }
  .message .avatar { width: 28px; height: 28px; border-radius: 8px; font-size: 12px; }
  .scroll { padding: 12px 10px; }
}
`;
