/** How long nothing is typed before the preview is made anew. */
const QUIET_MS = 250;

/** Shows what a template makes while it is being written. */
export function offerPreview(page: Document): void {
  const form = page.querySelector<HTMLFormElement>("#editor");
  const preview = page.querySelector<HTMLElement>("#preview");
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
      if (answer.ok) preview.innerHTML = await answer.text();
    } catch {
      // Typed on meanwhile, or not reachable: the last preview stays.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void show(), QUIET_MS);
  });
}
