import { type MiddlewareHandler, secureHeaders } from "../server.ts";

const SELF = ["'self'"];
const NONE = ["'none'"];

/**
 * No script or style that is not a file of ours, no frame around us, nothing loaded from elsewhere. The referrer stays on our own pages:
 * with `no-referrer` a browser would call the origin of its own form `null`.
 */
export function strictHeaders(): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: NONE,
      scriptSrc: SELF,
      styleSrc: SELF,
      imgSrc: [...SELF, "data:"],
      connectSrc: SELF,
      fontSrc: SELF,
      manifestSrc: SELF,
      formAction: SELF,
      baseUri: NONE,
      frameAncestors: NONE,
    },
    referrerPolicy: "same-origin",
    xFrameOptions: "DENY",
    crossOriginResourcePolicy: "same-origin",
    crossOriginOpenerPolicy: "same-origin",
    // We cannot know whether the whole host speaks TLS: that is for the proxy to say.
    strictTransportSecurity: false,
  });
}

/** Unless a handler says otherwise (its own style and script), nothing is kept by anybody: it is for one reader. */
export const noStore: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
};
