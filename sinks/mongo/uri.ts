/** https://www.mongodb.com/docs/manual/reference/connection-string-options/, as far as the driver knows them, and those of Go's driver. */
const KNOWN = [
  "appName authMechanism authMechanismProperties authSource compressors directConnection heartbeatFrequencyMS j journal",
  "loadBalanced localThresholdMS maxIdleTimeMS maxStalenessSeconds proxyHost proxyPassword proxyPort proxyUsername",
  "readConcernLevel readPreference readPreferenceTags replicaSet retryReads retryWrites serverMonitoringMode socketTimeoutMS",
  "srvMaxHosts srvServiceName ssl timeoutMS tls tlsAllowInvalidCertificates tlsAllowInvalidHostnames tlsCAFile",
  "tlsCertificateFile tlsCertificateKeyFile tlsCertificateKeyFilePassword tlsCRLFile tlsInsecure tlsPrivateKeyFile w",
  "waitQueueTimeoutMS wtimeout wtimeoutMS zlibCompressionLevel",
].flatMap((line) => line.split(" "));

/** What Go's driver, which kube-eventer has, calls otherwise. */
const GO: Readonly<Record<string, string>> = {
  heartbeatintervalms: "heartbeatFrequencyMS",
  maxstaleness: "maxStalenessSeconds",
  sslcertificateauthorityfile: "tlsCAFile",
  sslclientcertificatekeyfile: "tlsCertificateKeyFile",
  sslclientcertificatekeypassword: "tlsCertificateKeyFilePassword",
  sslinsecure: "tlsInsecure",
};

const BOUNDED = "`timeout` bounds an attempt, and this program the rest";
const ONE = "one insert at a time needs no more";
/** What changes nothing of what is written, and why. */
export const IDLE: Readonly<Record<string, string>> = {
  connecttimeoutms: BOUNDED,
  serverselectiontimeoutms: BOUNDED,
  maxconnecting: ONE,
  maxpoolsize: ONE,
  minpoolsize: ONE,
  tlsdisableocspendpointcheck: "no OCSP responder is ever asked",
  uuidrepresentation: "no document has a UUID in it",
  zstdcompressionlevel: "what is sent is compressed with zlib or not at all",
};

/** Names a `--sink` may have behind the connection string's question mark that belong to it. */
export const PARAMETERS: readonly string[] = [...KNOWN, ...Object.keys(GO), "connect"];

/**
 * A MongoDB connection string (https://www.mongodb.com/docs/manual/reference/connection-string/), with the question mark that kube-eventer puts
 * before it or without, in the words of Node's driver.
 */
export function normalUri(text: string): { readonly text: string } | { readonly problem: string } {
  const uri = text.trim().replace(/^\?/, "");
  const [, start = "", authority = "", path = "", query = ""] =
    /^(mongodb(?:\+srv)?:\/\/)([^/?]*)([^?]*)(?:\?(.*))?$/is.exec(uri) ?? [];
  if (start === "")
    return { problem: "is no connection string; expected mongodb://USER:PASSWORD@HOST:27017/" };
  const at = authority.indexOf("@");
  const [credentials, hosts] = [authority.slice(0, Math.max(at, 0)), authority.slice(at + 1)];
  // A password with a slash in it ends the part where hosts are looked for.
  if (
    /[@#]/.test(hosts) ||
    credentials.includes("#") ||
    path.includes("@") ||
    !isEncoded(credentials)
  )
    return {
      problem:
        "has a user or password with a / ? # @ or % in it; percent-encode them (%2F %3F %23 %40 %25)",
    };
  if (!isEncoded(query)) return { problem: "has a % behind its ? that begins no %41" };
  if (hosts === "" || /\s/.test(hosts))
    return { problem: "names no host; expected mongodb://HOST:27017/" };
  const parameters = query.split("&").flatMap(inNodesWords);
  const rest = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return { text: `${start}${authority}${path === "" ? "/" : path}${rest}` };
}

function inNodesWords(parameter: string): readonly string[] {
  const [name = "", ...values] = parameter.split("=");
  const known = name.toLowerCase();
  if (name === "" || IDLE[known] !== undefined) return [];
  const value = values.join("=");
  if (known === "connect") return value.toLowerCase() === "direct" ? ["directConnection=true"] : [];
  return [values.length === 0 ? name : `${GO[known] ?? name}=${value}`];
}

export interface Adapted {
  readonly uri: string;
  readonly namesApp: boolean;
  /** Files, which Node's driver takes together in one and Go's apart, as a Secret of Kubernetes has them. */
  readonly certificate: string | null;
  readonly key: string | null;
  /** What is done otherwise than it says. */
  readonly notes: readonly string[];
}

/** What of a normal connection string Node's driver can do, and what is done in place of the rest. */
export function adapted(uri: string): Adapted {
  const [start = "", query = ""] = uri.split("?");
  const parameters = new Map(
    query
      .split("&")
      .filter((one) => one !== "")
      .map((one) => [one, one.split("=")[0]?.toLowerCase() ?? ""] as const),
  );
  const notes: string[] = [];
  const take = (name: string) => {
    const found = [...parameters].find(([, known]) => known === name)?.[0];
    if (found === undefined) return null;
    parameters.delete(found);
    return decodeURIComponent(found.slice(found.indexOf("=") + 1));
  };
  const compressors = take("compressors")?.toLowerCase().split(",") ?? [];
  if (compressors.includes("zlib")) parameters.set("compressors=zlib", "compressors");
  else if (compressors.length > 0)
    notes.push(
      "compressors= names none that this program has, which is zlib: nothing is compressed",
    );
  const w = take("w");
  if (w === "0")
    notes.push("w=0 is taken as w=1: what nobody acknowledges nobody knows to be written");
  else if (w !== null) parameters.set(`w=${encodeURIComponent(w)}`, "w");
  const [certificate, key] = [take("tlscertificatefile"), take("tlsprivatekeyfile")];
  const namesApp = [...parameters.values()].includes("appname");
  const rest = [...parameters.keys()].join("&");
  return { uri: rest === "" ? start : `${start}?${rest}`, namesApp, certificate, key, notes };
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
