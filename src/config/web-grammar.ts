import { isIP } from "node:net";

/** A Kubernetes permission without its namespace. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
}

/** A resource that no API server has to serve: RBAC grants it all the same. */
export const CHANGE_DELIVERIES = "update deliveries.kube-crier.io";

/** `update deliveries.kube-crier.io`, `delete events`, `patch pods/status`: as `kubectl auth can-i` takes it. `null`: it is none. */
export function parsePermission(text: string): Permission | null {
  const match =
    /^([a-z]+) ([a-z][a-z0-9-]*)((?:\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)(?:\/([a-z]+))?$/.exec(
      text.trim(),
    );
  const [, verb, resource, group = "", , subresource] = match ?? [];
  if (verb === undefined || resource === undefined) return null;
  return {
    verb,
    resource,
    group: group.slice(1),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** What is wrong with an address or CIDR of a proxy; `null`: nothing. */
export function addressProblem(text: string): string | null {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  if (family === 0 || more.length > 0)
    return `"${text.slice(0, 60)}" is not an address; expected one like 10.0.0.7, 10.0.0.0/24 or fd00::/8`;
  if (bits === undefined) return null;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most)
    return `"${text.slice(0, 60)}" has a prefix that is none; expected 0 to ${most}`;
  return Number(bits) === 0 ? `"${text}" pins nothing: everybody would be believed` : null;
}

/** Links are within the limits of every platform with it. */
const URL_MAX = 200;

/** What is wrong with the address where people find the page; `null`: nothing. Only letters that mean nothing in a chat's markup. */
export function externalUrlProblem(text: string): string | null {
  const found = `"${text.slice(0, 80)}"`;
  const expected = "expected one like https://events.example.com";
  if (/\/\/[^/]*@/.test(text)) return "a password stands in it, which would be in every message";
  if (
    !/^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?(\/.*)?$/i.test(text) ||
    !URL.canParse(text)
  )
    return `${found} is not the address of a page; ${expected}`;
  if (!/^https?:\/\/[^/]+\/*$/i.test(text))
    return `${found} has a path, and the page is served at the root of its host; ${expected}`;
  return text.length > URL_MAX ? `${found}… is longer than ${URL_MAX} characters` : null;
}

/** What is wrong with the name of a header; `null`: nothing. */
export function headerProblem(name: string): string | null {
  return /^[A-Za-z0-9-]{1,80}$/.test(name)
    ? null
    : `"${name.slice(0, 80)}" is not the name of a header; expected letters, digits and dashes, like X-Forwarded-User`;
}

/** Whether an address to listen on is out of reach for other machines. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/i.test(host);
}
