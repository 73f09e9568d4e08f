import { dieLinkCycles, DIRECTIONS, opposite, type ItemList } from '@kerf/fabric';
import { dies, type Hardware } from '@kerf/hardware';
import type { ProgramTable } from '@kerf/program';
import { DieEngine, type DieSnapshot, type EngineOptions } from './die-engine.ts';

/** A die edge whose other side is simulated elsewhere. */
export interface RegionPort {
  /** The die on this side, the direction in which it lies open, and the die beyond. */
  readonly dieId: number;
  readonly direction: number;
  readonly neighbourDie: number;
  /** Items that left over this edge since the owner last took them. */
  readonly packets: ItemList;
  readonly credits: ItemList;
}

/**
 * Some dies of a wafer under one event loop. Each die runs through a whole safe window before the next one does, since
 * nothing crosses between dies in less than a link's latency; so a die sees the same whether its neighbour is in this
 * region or in another process.
 */
export class Region {
  readonly engines: readonly DieEngine[];
  /** Fewest cycles that anything needs from one die to the next. */
  readonly lookaheadCycles: number;
  /** Edges to dies outside. */
  readonly ports: readonly RegionPort[];
  readonly #byDie = new Map<number, DieEngine>();
  /** [engines][direction] the engine there, or undefined. */
  readonly #neighbours: (DieEngine | undefined)[][] = [];

  constructor(hardware: Hardware, dieIds: readonly number[], options: EngineOptions) {
    this.engines = dieIds.map((dieId) => new DieEngine(hardware, dieId, options));
    this.lookaheadCycles = dieLinkCycles(hardware);
    for (const engine of this.engines) this.#byDie.set(engine.dieId, engine);
    const { diesX } = hardware.wafer;
    const offsets = [1, -1, -diesX, diesX];
    const ports: RegionPort[] = [];
    for (const engine of this.engines) {
      const row: (DieEngine | undefined)[] = [];
      for (let direction = 0; direction < DIRECTIONS; direction++) {
        if (!engine.fabric.topology.hasNeighbour[direction]) {
          row.push(undefined);
          continue;
        }
        const neighbourDie = engine.dieId + offsets[direction]!;
        if (neighbourDie < 0 || neighbourDie >= dies(hardware)) throw new Error(`Die ${engine.dieId} has no neighbour ${neighbourDie}.`);
        const neighbour = this.#byDie.get(neighbourDie);
        row.push(neighbour);
        if (neighbour === undefined) {
          ports.push({ dieId: engine.dieId, direction, neighbourDie, packets: engine.fabric.packetsOut[direction]!, credits: engine.fabric.creditsOut[direction]! });
        }
      }
      this.#neighbours.push(row);
    }
    this.ports = ports;
  }

  engineOf(dieId: number): DieEngine {
    const engine = this.#byDie.get(dieId);
    if (engine === undefined) throw new Error(`Die ${dieId} is not in this region.`);
    return engine;
  }

  /** Begins a kernel with one program per die of the region, in its order. */
  startKernel(programs: readonly ProgramTable[]): void {
    this.engines.forEach((engine, index) => engine.startKernel(programs[index]!));
  }

  /** The next cycle with something to do in the region, or Infinity. */
  nextCycle(): number {
    let next = Infinity;
    for (const engine of this.engines) next = Math.min(next, engine.nextCycle());
    return next;
  }

  /** Is every operation of every die done? */
  get done(): boolean {
    return this.engines.every((engine) => engine.done);
  }

  get linkHops(): number {
    return this.engines.reduce((sum, engine) => sum + engine.fabric.linkHops, 0);
  }

  /**
   * Runs one window: from the next event for at most the lookahead, never to `limit` or past it. Items for dies of the
   * region are handed over, those for others wait in {@link ports}.
   *
   * @returns false when nothing is left to do before `limit`
   */
  runWindow(limit: number, maxWindowCycles: number): boolean {
    const from = this.nextCycle();
    if (from >= limit || from === Infinity) return false;
    const until = Math.min(limit, from + Math.min(this.lookaheadCycles, maxWindowCycles));
    for (const engine of this.engines) engine.runUntil(until);
    this.engines.forEach((engine, index) => {
      for (let direction = 0; direction < DIRECTIONS; direction++) {
        const neighbour = this.#neighbours[index]![direction];
        if (neighbour === undefined) continue;
        const packets = engine.fabric.packetsOut[direction]!;
        const credits = engine.fabric.creditsOut[direction]!;
        if (packets.rows > 0) neighbour.fabric.acceptPackets(opposite(direction), packets);
        if (credits.rows > 0) neighbour.fabric.acceptCredits(opposite(direction), credits);
        packets.clear();
        credits.clear();
      }
    });
    return true;
  }

  /** Takes what came over the edge of `dieId` that lies in `direction`. */
  accept(dieId: number, direction: number, packets: ItemList, credits: ItemList): void {
    const { fabric } = this.engineOf(dieId);
    if (packets.rows > 0) fabric.acceptPackets(direction, packets);
    if (credits.rows > 0) fabric.acceptCredits(direction, credits);
  }

  /**
   * Ends a kernel, in which every operation must be done. Returns the last cycle of any operation. That every packet is
   * delivered and every credit back is checked when the next one begins, and by {@link assertQuiescent} after the last.
   */
  finishKernel(): number {
    let end = 0;
    for (const engine of this.engines) {
      if (!engine.done) throw new Error(`Deadlock: ${engine.explainWaiting(5).join('; ')}`);
      end = Math.max(end, engine.lastEndCycle);
      engine.finishKernel();
    }
    return end;
  }

  /** The last cycle at which any operation of the region has ended so far. */
  lastEndCycle(): number {
    return this.engines.reduce((last, engine) => Math.max(last, engine.lastEndCycle), 0);
  }

  /** Flits and credits are where they were at the start, or this throws. */
  assertQuiescent(): void {
    for (const engine of this.engines) engine.fabric.assertQuiescent();
  }

  /** Between windows, with no items waiting in {@link ports}. */
  save(): DieSnapshot[] {
    if (this.ports.some((port) => port.packets.rows > 0 || port.credits.rows > 0)) throw new Error('A region is saved when its boundary items have been sent.');
    return this.engines.map((engine) => engine.save());
  }

  restore(programs: readonly ProgramTable[], snapshots: readonly DieSnapshot[]): void {
    this.engines.forEach((engine, index) => engine.restore(programs[index]!, snapshots[index]!));
  }
}
