/** How long nothing is typed before the preview is made anew. */
const QUIET_MS = 250;

/** Shows what a template makes while it is being written. */
export function offerPreview(page: Document): void {
  const form = page.querySelector<HTMLFormElement>("#editor");
  const preview = page.querySelector<HTMLElement>("#preview");
  const text = page.querySelector<HTMLTextAreaElement>("#text");
  const address = form?.dataset["preview"];
  if (form === null || preview === null || address === undefined) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | null = null;

  const show = async (): Promise<void> => {
    asking?.abort();
    const own = new AbortController();
    asking = own;
    try {
      const body = new URLSearchParams();
      for (const [name, value] of new FormData(form))
        if (typeof value === "string") body.append(name, value);
      const answer = await fetch(address, { method: "POST", body, signal: own.signal });
      // Drawn by our own server, which has escaped every text.
      if (!answer.ok) return;
      preview.innerHTML = await answer.text();
      const isWrong = preview.querySelector("#lint .failed") !== null;
      text?.setAttribute("aria-invalid", String(isWrong));
    } catch {
      // Typed on meanwhile, or not reachable: the last preview stays.
    }
  };
  preview.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const line = Number(link?.dataset["line"] ?? 0);
    if (text === null || line === 0) return;
    event.preventDefault();
    const before = text.value.split("\n").slice(0, line - 1);
    const start = before.reduce((sum, one) => sum + one.length + 1, 0);
    const end = text.value.indexOf("\n", start);
    text.focus();
    text.setSelectionRange(start, end === -1 ? text.value.length : end);
  });
  const sink = form.querySelector("select");
  // Another sink may have another template: the server knows it.
  sink?.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("input", (event) => {
    if (event.target === sink) return;
    clearTimeout(timer);
    timer = setTimeout(() => void show(), QUIET_MS);
  });
}
