/** Asked now and then during a run: true when its caller wants to be heard before it goes on. */
export type Pause = () => boolean;

export const neverPause: Pause = () => false;

/** Work, in packets moved, between two such questions: some milliseconds. */
const WORK_BETWEEN = 40_000;
/** A cycle costs something even when nothing is under way. */
const WORK_OF_A_CYCLE = 8;

/** Counts work, so that a clock need not be read in every cycle of a small network and is read in every one of a large. */
export class WorkMeter {
  #work = 0;

  /** After a cycle with so many packets under way: whether to stop here for now. */
  isTime(livePackets: number, pause: Pause): boolean {
    this.#work += WORK_OF_A_CYCLE + livePackets;
    if (this.#work < WORK_BETWEEN) return false;
    this.#work = 0;
    return pause();
  }
}
