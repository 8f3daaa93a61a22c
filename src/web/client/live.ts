const KEPT = 500;

/**
 * Follows what arrives, as the server draws it: rows come as HTML of our own page, over server-sent events. Paused, it counts what waits;
 * going on shows it. While nobody looks at the page there is no connection; what came meanwhile comes when it is looked at again.
 */
export function offerLive(page: Document): void {
  const button = page.querySelector<HTMLButtonElement>("#live");
  const rows = page.querySelector<HTMLElement>("#rows");
  const list = page.querySelector<HTMLElement>("#list");
  const address = button?.dataset["tail"];
  if (button === null || rows === null || address === undefined) return;
  const words = {
    live: button.textContent?.trim() ?? "",
    pause: button.dataset["pause"] ?? "",
    waiting: button.dataset["waiting"] ?? "",
  };
  let source: EventSource | null = null;
  let showing = false;
  let mark = "";
  let waiting: string[] = [];
  button.hidden = false;

  const tell = (): void => {
    button.setAttribute("aria-pressed", String(showing));
    const more =
      waiting.length === 0 ? "" : ` (${words.waiting.replace("%", String(waiting.length))})`;
    button.textContent = showing ? words.pause : words.live + more;
  };
  const show = (drawn: string): void => {
    page.querySelector("#empty")?.remove();
    list?.removeAttribute("hidden");
    // Drawn by our own server, which has escaped every text of an event.
    const template = page.createElement("template");
    template.innerHTML = drawn;
    for (const row of template.content.querySelectorAll<HTMLElement>("tr")) {
      const id = row.dataset["id"];
      if (id !== undefined) rows.querySelector(`tr[data-id="${CSS.escape(id)}"]`)?.remove();
      row.classList.add("fresh");
      rows.prepend(row);
    }
    while (rows.children.length > KEPT) rows.lastElementChild?.remove();
  };
  const connect = (): void => {
    const url = new URL(address, page.location.href);
    if (mark !== "") url.searchParams.set("after", mark);
    const stream = new EventSource(url);
    source = stream;
    const take = (event: MessageEvent<string>): void => {
      if (event.lastEventId !== "") mark = event.lastEventId;
      if (event.data === "") return;
      if (showing) show(event.data);
      else waiting = [...waiting, event.data].slice(-KEPT);
      tell();
    };
    for (const kind of ["row", "gap", "mark"]) stream.addEventListener(kind, take);
    stream.addEventListener("end", (event: MessageEvent<string>) => {
      disconnect();
      showing = false;
      show(event.data);
      tell();
      button.disabled = true;
    });
    stream.addEventListener("error", () => {
      // A connection that was cut is made again by the browser; one that was refused is not.
      if (stream.readyState !== EventSource.CLOSED || source !== stream) return;
      disconnect();
      showing = false;
      tell();
    });
  };
  const disconnect = (): void => {
    source?.close();
    source = null;
  };
  button.addEventListener("click", () => {
    showing = !showing;
    if (source === null) connect();
    if (showing) for (const drawn of waiting) show(drawn);
    if (showing) waiting = [];
    tell();
  });
  page.addEventListener("visibilitychange", () => {
    if (page.hidden) disconnect();
    else if (source === null && showing) connect();
  });
}
