import { langOf } from "./lang.ts";
import { html, type Context, type Html } from "../server.ts";
import { framed } from "./refusal.ts";
import { WORDS } from "./words.ts";

/** The form for a pasted token: works without a script, and never shows the token again. */
export function drawLogin(c: Context, next: string, problem: string | null): Html {
  const lang = langOf(c);
  const words = WORDS[lang];
  const other = lang === "zh" ? "en" : "zh";
  const query = new URLSearchParams({ lang: other, next }).toString();
  const [described, alert] =
    problem === null
      ? ["hint", ""]
      : ["problem hint", html`<p id="problem" role="alert">${problem}</p>`];
  return framed(
    lang,
    `${words.title} · kube-crier`,
    html`<main>
      <h1>kube-crier</h1>
      ${alert}
      <form method="post" action="/login?lang=${lang}">
        <input type="hidden" name="next" value="${next}" />
        <label for="token">${words.token}</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          spellcheck="false"
          required
          autofocus
          aria-describedby="${described}"
        />
        <button type="submit">${words.enter}</button>
      </form>
      <p id="hint">${words.hint} <code>kubectl create token NAME --duration=8h</code></p>
      <p><a href="/login?${query}" lang="${other === "zh" ? "zh-CN" : "en"}">${words.other}</a></p>
    </main>`,
  );
}

/** Goes on to a place of our own at once, as a page of ours. */
export function refreshTo(place: string): Html {
  return html`<meta http-equiv="refresh" content="0; url=${place}" />`;
}

export const LOGIN_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; background: light-dark(#ffffff, #12151c); color: light-dark(#1b2030, #e3e7ef); }
a { color: light-dark(#0f4fc4, #86b1ff); }
main { max-width: 26rem; margin: 12vh auto 2rem; padding: 0 1rem; }
h1 { font-size: 1.25rem; }
form { display: grid; gap: .5rem; }
input, button { font: inherit; padding: .5rem .75rem; border: 1px solid GrayText; border-radius: .25rem; }
button { cursor: pointer; }
[role=alert] { border-left: .25rem solid light-dark(#a3180e, #ff9d94); padding-left: .75rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
`;
