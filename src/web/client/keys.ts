/** `/` search, `j` and `k` rows, Enter opens, `l` live, `?` help; nothing where a text is being typed. */
export function followKeys(page: Document, help: () => void): void {
  let chosen = -1;
  const rows = (): HTMLElement[] => [...page.querySelectorAll<HTMLElement>("#rows tr")];
  const choose = (index: number): void => {
    const all = rows();
    if (all.length === 0) return;
    all[chosen]?.classList.remove("chosen");
    chosen = Math.min(all.length - 1, Math.max(0, index));
    const row = all[chosen];
    row?.classList.add("chosen");
    row?.querySelector<HTMLElement>("td.message a")?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  };
  const acts: Readonly<Record<string, () => void>> = {
    "/": () => page.querySelector<HTMLInputElement>('input[name="q"]')?.focus(),
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    l: () => page.querySelector<HTMLButtonElement>("#live")?.click(),
    "?": help,
  };
  page.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}
