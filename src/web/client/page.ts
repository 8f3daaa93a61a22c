import { offerHelp } from "./help.ts";
import { offerPreview } from "./editor.ts";
import { followKeys } from "./keys.ts";
import { offerLive } from "./live.ts";
import { offerZoom } from "./zoom.ts";

/** What the page gains where scripts run: nothing of it is needed to read or to filter. */
offerZoom(document);
offerLive(document);
offerPreview(document);
followKeys(document, offerHelp(document));
