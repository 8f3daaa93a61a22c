import type { Clock } from "../../clock.ts";
import { keepLang, langOf } from "./lang.ts";
import { bodyLimit, type Context, Hono, html } from "../server.ts";
import type { AuditEntry, AuditTrail } from "./audit.ts";
import { callerOf, type Caller, type GuardedEnv } from "./caller.ts";
import { sessionCookie } from "./cookie.ts";
import { formOf } from "./form.ts";
import { noStore, strictHeaders } from "./headers.ts";
import { Limiter } from "./limiter.ts";
import { drawLogin, LOGIN_STYLE, refreshTo } from "./login.ts";
import { safeNext } from "./next.ts";
import { originOf, type Origin } from "./proxy.ts";
import { proveRequest, type Provers, proveToken } from "./prove.ts";
import { answerRefusal, framed, Refusal, wantsJson } from "./refusal.ts";
import { isFromHere } from "./same-site.ts";
import { Sessions } from "./sessions.ts";
import { WORDS } from "./words.ts";

export interface GuardPorts {
  readonly clock: Clock;
  readonly audit: AuditTrail;
  /** A request could not be answered, for a fault of ours. */
  readonly failed: (detail: string) => void;
  /** What handlers throw besides, as a problem of the request or of the moment; `null`: it is a fault of ours. */
  readonly refusalOf?: (error: unknown) => Refusal | null;
}

const MOST_BYTES = 256 * 1024;
const SAFE = ["GET", "HEAD", "OPTIONS"];

/**
 * An app whose every route is behind the guard: what is added to it is reached by callers who proved who they are, and what changes
 * something by nobody else's page. The login, the headers and the form of a refusal are its own.
 */
export function createGuardedApp(provers: Provers, ports: GuardPorts): Hono<GuardedEnv> {
  const { clock } = ports;
  const app = new Hono<GuardedEnv>();
  const sessions = new Sessions(clock);
  const limiter = new Limiter(clock);
  const trusted = provers.proxy?.trusted ?? null;
  const originOfRequest = (c: Context<GuardedEnv>) => originOf(c.env.incoming, trusted);
  const hasLogin = provers.tokens.length > 0;

  app.use(strictHeaders());
  app.use(noStore);
  app.use(
    bodyLimit(MOST_BYTES, (c) =>
      answerRefusal(c, new Refusal(413, `a request may hold at most ${MOST_BYTES / 1024} KiB`)),
    ),
  );
  app.onError((error, c) => {
    const refusal = error instanceof Refusal ? error : (ports.refusalOf?.(error) ?? null);
    if (refusal !== null) return answerRefusal(c, refusal);
    ports.failed(`${c.req.path} could not be answered: ${error.message}`);
    return answerRefusal(c, new Refusal(500, "this is a fault of kube-crier; its log says more"));
  });
  app.notFound((c) => answerRefusal(c, wrongMethod(app, c) ?? NO_SUCH_PAGE));

  app.get("/login/style.css", (c) => {
    c.header("cache-control", "public, max-age=3600");
    return c.body(LOGIN_STYLE, 200, { "content-type": "text/css; charset=utf-8" });
  });
  if (hasLogin) {
    app.get("/login", async (c) => {
      const next = safeNext(c.req.query("next"));
      const found = await proveRequest(c.env.incoming, provers, { sessions, limiter });
      keepLang(c);
      return found === null ? c.html(drawLogin(c, next, null)) : c.redirect(next, 303);
    });
    app.post("/login", (c) => logIn(c));
  }

  app.use(async (c, next) => {
    const prove = () => proveRequest(c.env.incoming, provers, { sessions, limiter });
    const found = await prove();
    if (found === null) return unproven(c, hasLogin);
    const { caller, ambient, session } = found;
    c.set("caller", caller);
    c.set("again", async () => (await prove())?.caller ?? null);
    if (!SAFE.includes(c.req.method) && ambient !== null)
      await mustBeMeant(c, caller.origin, (given) => sessions.isCsrfToken(ambient, given));
    if (c.req.path === "/logout" && c.req.method === "POST") {
      if (session !== null) {
        sessions.end(session);
        tell(caller, "logout");
      }
      c.header("set-cookie", sessionCookie(null, caller.origin.secure));
      return c.redirect(hasLogin ? "/login" : "/", 303);
    }
    return next();
  });

  app.get("/api/v1/whoami", (c) => {
    const { identity, csrf } = callerOf(c);
    return c.json({ ...identity, csrf });
  });
  return app;

  async function logIn(c: Context<GuardedEnv>): Promise<Response> {
    const words = WORDS[langOf(c)];
    const form = await formOf(c);
    const next = safeNext(form.get("next"));
    const token = (form.get("token") ?? "").trim();
    const origin = originOfRequest(c);
    const again = (status: 400 | 401 | 403 | 429 | 503, problem: string) =>
      c.html(drawLogin(c, next, problem), status);
    if (!isFromHere((name) => c.req.header(name), origin.host)) return again(403, words.foreign);
    if (token === "") return again(400, words.empty);
    try {
      const proven = await proveToken(token, origin, provers.tokens, limiter);
      if (proven === null) return again(401, words.wrong);
      // Whatever session the browser brought along, somebody else may have put it there.
      const before = await proveRequest(c.env.incoming, provers, { sessions, limiter }).catch(
        () => null,
      );
      if (before !== null && before.session !== null) sessions.end(before.session);
      const id = sessions.begin(proven.identity.name, token);
      c.header("set-cookie", sessionCookie(id, origin.secure));
      tell({ identity: proven.identity, origin }, "login");
      return c.redirect(next, 303);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
      return error.status === 429
        ? again(429, words.wait(Number(error.headers["Retry-After"])))
        : again(503, `${words.away} ${error.message}`);
    }
  }

  function tell({ identity, origin }: Pick<Caller, "identity" | "origin">, action: string): void {
    ports.audit.record(entryOf({ identity, origin }, clock, action, "session", "done", null));
  }
}

const NO_SUCH_PAGE = new Refusal(404, "there is no such page");

/** `null`: the place is none by any method, or has nothing of what was asked for by this one. */
function wrongMethod(
  app: Hono<GuardedEnv>,
  { req: { method, path } }: Context<GuardedEnv>,
): Refusal | null {
  const served = ["GET", "POST"].filter((one) =>
    // What stands before the routes is for every method.
    app.router.match(one, path)[0].some(([[, route]]) => route.method === one),
  );
  if (served.length === 0 || served.includes(method === "HEAD" ? "GET" : method)) return null;
  const list = served.flatMap((one) => (one === "GET" ? ["GET", "HEAD"] : one)).join(", ");
  return new Refusal(405, `found ${method}, expected ${list}`, { Allow: list });
}

/** Does what changes something, and records it: also that it failed. */
export async function changing<T>(
  c: Context<GuardedEnv>,
  { audit, clock }: Pick<GuardPorts, "audit" | "clock">,
  { action, target }: { readonly action: string; readonly target: string },
  change: () => T | Promise<T>,
): Promise<T> {
  const record = (outcome: AuditEntry["outcome"], detail: string | null) =>
    audit.record(entryOf(callerOf(c), clock, action, target, outcome, detail));
  try {
    const done = await change();
    record("done", null);
    return done;
  } catch (error) {
    const refused = error instanceof Refusal;
    record(refused ? "refused" : "failed", error instanceof Error ? error.message : "unknown");
    throw error;
  }
}

function entryOf(
  { identity, origin }: Pick<Caller, "identity" | "origin">,
  clock: Clock,
  action: string,
  target: string,
  outcome: AuditEntry["outcome"],
  detail: string | null,
): AuditEntry {
  const at = new Date(clock.now()).toISOString();
  const { name: who, by } = identity;
  return { at, who, by, from: origin.address, action, target, outcome, detail };
}

/** A program is told how to prove who it is, a person is taken to the form. */
function unproven(c: Context<GuardedEnv>, hasLogin: boolean): Response | Promise<Response> {
  if (wantsJson(c) || !hasLogin || !SAFE.includes(c.req.method))
    throw new Refusal(
      401,
      hasLogin
        ? "no proof of who you are; expected an Authorization: Bearer header with a token, or a session of /login"
        : "no proof of who you are; this page is reached through its proxy only",
      hasLogin ? { "WWW-Authenticate": 'Bearer realm="kube-crier"' } : {},
    );
  const { pathname, search } = new URL(c.req.url);
  const here = safeNext(`${pathname}${search}`);
  // A strict cookie is not sent along when a link in a chat is followed. Once we ask for ourselves it is.
  const site = c.req.header("sec-fetch-site");
  if (site === "cross-site" || site === "same-site")
    return c.html(
      framed(langOf(c), "kube-crier", html`<a href="${here}">kube-crier</a>`, refreshTo(here)),
    );
  return c.redirect(`/login?${new URLSearchParams({ next: here }).toString()}`, 303);
}

/** @throws Refusal 403 where another page could have made the browser send this */
async function mustBeMeant(
  c: Context<GuardedEnv>,
  { host }: Origin,
  isToken: (given: string) => boolean,
): Promise<void> {
  const given = c.req.header("x-csrf-token") ?? (await formOf(c)).get("_csrf") ?? "";
  if (isFromHere((name) => c.req.header(name), host) && isToken(given)) return;
  throw new Refusal(
    403,
    "this change was not sent from a page of this session; load the page anew and try again (programs: send the X-CSRF-Token of /api/v1/whoami, or a bearer token)",
  );
}
