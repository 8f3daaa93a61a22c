import type { Dimension, Timeline } from "./history.ts";
import type { Traits } from "./match.ts";
import { DAY_MS, MINUTE_MS } from "./numbers.ts";

const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
/** Bars that fit a page's width, where none are asked for; and the most there can be. */
const BARS = 120;
const BARS_MAX = 2_000;

export interface Frame {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** Whole bars. */
export function frameOf(asked: number | null, from: number, to: number): Frame {
  const step = stepOf(asked, to - from);
  return { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step, step };
}

/** The length that was asked for, or the shortest that makes no more bars than fit; never more than can be drawn. */
function stepOf(asked: number | null, range: number): number {
  const most = asked === null ? BARS : BARS_MAX;
  if (asked !== null && range / asked <= most) return asked;
  const minutes = MINUTES.find((step) => range / (step * MINUTE_MS) <= most);
  return minutes === undefined ? Math.ceil(range / most / DAY_MS) * DAY_MS : minutes * MINUTE_MS;
}

/** What a dimension says of events of a class. */
export function valueOf(traits: Traits | undefined, by: Dimension): string {
  return traits?.[by] ?? "-";
}

/** How often each value was there in each bar; what is not there takes no room, for namespaces may be thousands. */
export class Bars {
  readonly frame: Frame;
  readonly #counts = new Map<string, Map<number, number>>();

  constructor(frame: Frame) {
    this.frame = frame;
  }

  add(value: string, at: number, n: number): void {
    const { from, to, step } = this.frame;
    if (at < from || at >= to) return;
    const bar = Math.floor((at - from) / step);
    const of = this.#counts.get(value) ?? new Map<number, number>();
    of.set(bar, (of.get(bar) ?? 0) + n);
    this.#counts.set(value, of);
  }

  /** Largest first; those after the first `top` as one. */
  shaped(top: number): Pick<Timeline, "from" | "to" | "step" | "total" | "series"> {
    const all = [...this.#counts]
      .map(([value, of]) => ({ value, of, total: sum([...of.values()]) }))
      .toSorted((a, b) => b.total - a.total || a.value.localeCompare(b.value));
    const rest = all.slice(top);
    const series = all
      .slice(0, top)
      .map(({ value, of, total }) => ({ value, total, counts: this.#counted([of]) }));
    const other = { value: null, total: sum(rest.map(({ total }) => total)) };
    return {
      ...this.frame,
      total: sum(all.map(({ total }) => total)),
      series:
        rest.length === 0
          ? series
          : [...series, { ...other, counts: this.#counted(rest.map(({ of }) => of)) }],
    };
  }

  /** One number for each bar. */
  #counted(all: readonly ReadonlyMap<number, number>[]): readonly number[] {
    const { from, to, step } = this.frame;
    const counts = Array.from({ length: Math.round((to - from) / step) }, () => 0);
    for (const of of all) for (const [bar, n] of of) counts[bar] = (counts[bar] ?? 0) + n;
    return counts;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
