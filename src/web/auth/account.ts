import { langOf } from "./lang.ts";
import { type Hono, html } from "../server.ts";
import { callerOf, type GuardedEnv } from "./caller.ts";
import { framed } from "./refusal.ts";
import { WORDS } from "./words.ts";

/** `/account`: who one is, how that was proven, what one may see, and the way out. */
export function mountAccount(app: Hono<GuardedEnv>): void {
  app.get("/account", async (c) => {
    const lang = langOf(c);
    const words = WORDS[lang];
    const caller = callerOf(c);
    const { name, email, groups, by } = caller.identity;
    const [read, change] = [await caller.access("read", []), await caller.access("change", [])];
    const where = (access: typeof read): string => {
      if (!access.ok) return access.detail;
      return access.value.namespaces === "all" ? words.everywhere : words.byNamespace;
    };
    const leave =
      caller.session && caller.csrf !== null
        ? html`<form method="post" action="/logout">
            <input type="hidden" name="_csrf" value="${caller.csrf}" />
            <button type="submit">${words.leave}</button>
          </form>`
        : "";
    const row = (term: string, text: string) =>
      html`<dt>${term}</dt>
        <dd>${text}</dd>`;
    return c.html(
      framed(
        lang,
        `${words.account} · kube-crier`,
        html`<main>
          <h1>${words.account}</h1>
          <dl>
            ${row(words.name, email === null ? name : `${name} (${email})`)}
            ${groups.length === 0 ? "" : row(words.groups, groups.join(", "))}
            ${row(words.proven, words.ways[by])} ${row(words.reads, where(read))}
            ${row(words.changes, where(change))}
          </dl>
          ${leave}
        </main>`,
      ),
    );
  });
}
