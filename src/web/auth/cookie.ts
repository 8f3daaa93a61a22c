import { SESSION_MS } from "./sessions.ts";

/** With `__Host-` a browser takes it over TLS only, for this host and no other, so that no neighbour under the same domain can plant one. */
function nameOf(secure: boolean): string {
  return secure ? "__Host-kube-crier" : "kube-crier";
}

/** The id that the browser brought along; `null`: none, or more than one, of which somebody else planted at least one. */
export function sessionIdOf(header: string | undefined, secure: boolean): string | null {
  const name = `${nameOf(secure)}=`;
  const found = (header ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(name))
    .map((part) => part.slice(name.length));
  const [id] = found;
  return found.length === 1 && id !== undefined && /^[\w-]{43}$/.test(id) ? id : null;
}

/** `null` takes it away. */
export function sessionCookie(id: string | null, secure: boolean): string {
  const age = id === null ? 0 : SESSION_MS / 1000;
  return `${nameOf(secure)}=${id ?? ""}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}
