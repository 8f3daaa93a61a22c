export interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** https://riemann.io/howto.html: 5555, and 5554 with TLS. */
const PORT = 5555;
const TLS_PORT = 5554;
/** The first two are kube-eventer's way of writing it: it never spoke HTTP. */
const SCHEMES: Readonly<Record<string, boolean>> = {
  "http:": false,
  "tcp:": false,
  "https:": true,
  "tls:": true,
};

/** `tcp://HOST:PORT`, `tls://HOST:PORT` or `HOST:PORT`; what is wrong with anything else. */
export function readAddress(text: string): Address | { readonly problem: string } {
  const expected = "expected tcp://HOST:PORT, or tls://HOST:PORT";
  const given = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `tcp://${text.replace(/^\/\//, "")}`;
  const scheme = given.slice(0, given.indexOf("//")).toLowerCase();
  const tls = SCHEMES[scheme];
  if (tls === undefined) return { problem: `has the scheme ${scheme.slice(0, -1)}; ${expected}` };
  // Read as one of a scheme that has no port of its own: it would be left out.
  const url = URL.parse(`tcp:${given.slice(scheme.length)}`);
  if (url === null || url.hostname === "") return { problem: `is no address; ${expected}` };
  if (url.username !== "" || url.password !== "")
    return { problem: `has a user in it; Riemann knows none: give cert and key` };
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "")
    return { problem: `has something behind the port; ${expected}` };
  const port = url.port === "" ? (tls ? TLS_PORT : PORT) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port, tls };
}
