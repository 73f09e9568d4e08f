import type { Fidelity } from '@kerf/fabric';
import { duration } from '../progress.ts';
import { nextRate, saturationOf, type Point } from './sweep-points.ts';

/** A curve of a sweep, as far as it has been measured. */
export interface SweptCurve {
  readonly name: string;
  /** What has been measured; grows. */
  readonly points: readonly Point[];
  readonly fidelity: Fidelity;
  /** Rate at which the busiest link would be full, if that is known. */
  readonly bound: number | undefined;
  /** Highest rate there is. */
  readonly most: number;
  /** The rates to measure, where they were given. */
  readonly rates: readonly number[] | undefined;
}

/** Time of a run of a full network, relative to packet fidelity. */
const RELATIVE_TIME: Readonly<Record<Fidelity, number>> = { flit: 3, packet: 1, analytic: 0.01 };
/** What an idle network costs, as a share of a full one. */
const IDLE = 0.2;
/** Networks saturate at about this share of their bound. */
const USUAL_SATURATION = 0.8;
/** Measurements that are foreseen for a curve at most. */
const MOST_POINTS = 50;

/**
 * How far a whole sweep is: of the runs that are to come on each curve the rates are foreseen by the rule that chooses them, and a run is
 * taken to cost what its load does. The time left is that of the work left at the pace so far.
 */
export class SweepProgress {
  readonly #curves: readonly SweptCurve[];
  readonly #now: () => number;
  readonly #started: number;

  /** @param now a clock in milliseconds that never goes back */
  constructor(curves: readonly SweptCurve[], now: () => number) {
    this.#curves = curves;
    this.#now = now;
    this.#started = now();
  }

  /** Share of the sweep that has been done. @param share of the run at `rate` of a curve, which goes on now */
  share(curve: number, rate: number, share: number): number {
    let done = share * workOf(this.#curves[curve]!, rate);
    let left = (1 - share) * workOf(this.#curves[curve]!, rate);
    for (const [index, one] of this.#curves.entries()) {
      for (const point of one.points) done += workOf(one, point.rate);
      for (const coming of index < curve ? [] : foreseen(one, index === curve ? rate : undefined)) left += workOf(one, coming);
    }
    return done / (done + left);
  }

  text(curve: number, rate: number, share: number): string {
    const whole = this.share(curve, rate, share);
    const seconds = (this.#now() - this.#started) / 1000;
    const left = whole > 0.02 && seconds > 0.5 ? ` · about ${duration((seconds / whole) * (1 - whole))} left` : '';
    return `sweep ${Math.floor(whole * 100)} %${left} · curve ${curve + 1}/${this.#curves.length}, ${this.#curves[curve]!.name}, rate ${rate}: ${Math.floor(share * 100)} %`;
  }
}

function workOf({ fidelity, bound, most }: SweptCurve, rate: number): number {
  return RELATIVE_TIME[fidelity] * (IDLE + Math.min(1, rate / (bound ?? most)));
}

/** Rates that a curve will be measured at after those it has been, and after the one that is being measured. */
function foreseen({ points, bound, most, rates }: SweptCurve, now: number | undefined): number[] {
  if (rates !== undefined) return rates.slice(points.length + (now === undefined ? 0 : 1));
  const { stable, saturated } = saturationOf(points);
  const usual = USUAL_SATURATION * (bound ?? most);
  const edge = saturated === null ? Math.max(usual, (stable ?? 0) * 1.01) : ((stable ?? 0) + saturated) / 2;
  const all: Point[] = [...points];
  const coming: number[] = [];
  if (now !== undefined) all.push({ rate: now, saturated: now > edge });
  for (let rate = nextRate(all, bound, most); rate !== undefined && all.length < MOST_POINTS; rate = nextRate(all, bound, most)) {
    coming.push(rate);
    all.push({ rate, saturated: rate > edge });
  }
  return coming;
}
