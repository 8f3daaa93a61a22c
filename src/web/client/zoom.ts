/** Zoom by dragging over the timeline: its two ends become the page's time. */
export function offerZoom(page: Document): void {
  const strip = page.querySelector<HTMLElement>(".strip[data-from]");
  const svg = strip?.querySelector("svg");
  if (strip === null || svg === null || svg === undefined) return;
  const from = Number(strip.dataset["from"]);
  const to = Number(strip.dataset["to"]);
  const step = Number(strip.dataset["step"]);
  const plot = page.createElement("div");
  plot.className = "plot";
  svg.before(plot);
  plot.append(svg);
  const selected = page.createElement("div");
  selected.className = "selected";
  selected.hidden = true;
  plot.append(selected);
  let start: number | null = null;
  let dragged = false;

  const place = (event: PointerEvent): number => {
    const box = plot.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = place(event);
    dragged = false;
  });
  plot.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const here = place(event);
    // Less is a click that trembles.
    if (!dragged && Math.abs(here - start) * plot.clientWidth < 5) return;
    if (!dragged) plot.setPointerCapture(event.pointerId);
    dragged = true;
    selected.hidden = false;
    selected.style.setProperty("left", `${Math.min(start, here) * 100}%`);
    selected.style.setProperty("width", `${Math.abs(here - start) * 100}%`);
  });
  plot.addEventListener("pointerup", (event) => {
    const begun = start;
    start = null;
    if (begun === null || !dragged) return;
    const ends = [begun, place(event)].toSorted((a, b) => a - b);
    const [first = 0, last = 1] = ends.map((part) => from + part * (to - from));
    const url = new URL(page.location.href);
    for (const field of ["since", "cursor"]) url.searchParams.delete(field);
    // Whole bars, at least one.
    const begin = Math.floor(first / step) * step;
    const end = Math.max(begin + step, Math.ceil(last / step) * step);
    url.searchParams.set("from", new Date(begin).toISOString());
    url.searchParams.set("to", new Date(end).toISOString());
    page.location.assign(url.href);
  });
  plot.addEventListener("pointercancel", () => {
    start = null;
    selected.hidden = true;
  });
  // The click that ends a drag is none on the bar below it.
  plot.addEventListener(
    "click",
    (event) => {
      if (dragged) event.preventDefault();
    },
    true,
  );
  svg.addEventListener("dragstart", (event) => event.preventDefault());
}
