import type { DieTopology } from '../die-topology.ts';
import { FabricError } from '../errors.ts';
import { flitsOf } from '../latency.ts';
import { INJECTION, TILE_LINK, type LinkType } from '../link-type.ts';
import { EAST, LOCAL, NORTH, opposite, SOUTH, WEST } from '../ports.ts';
import type { TrafficPattern } from '../traffic/patterns.ts';

/** What open-loop traffic will do, without simulating it. */
export interface TrafficEstimate {
  /** Mean latency of packets that meet nobody, cycles. */
  readonly zeroLoadLatencyCycles: number;
  /** With waiting, from creation to the arrival of the tail; null past saturation. */
  readonly packetLatencyCycles: number | null;
  /** The same from leaving the source queue. */
  readonly networkLatencyCycles: number | null;
  /** Mean routers traversed: links + 1. */
  readonly hops: number;
  readonly offeredFlitRate: number;
  /** Flits per tile and cycle that can be accepted. */
  readonly acceptedFlitRate: number;
  readonly status: 'stable' | 'saturated';
  /** Offered flits per tile and cycle at which the busiest link is always busy. An upper bound: buffers and turns can saturate earlier. */
  readonly saturationFlitRate: number;
  /** Local tile and output port of that link; port LOCAL with the tile −1 is the injection link of every sender. */
  readonly busiest: { readonly tile: number; readonly port: number };
}

const INPUTS = 5;
const LINKS_BETWEEN_YIELDS = 500_000;

/**
 * Estimates open-loop traffic on one whole die with dimension-order routes: the zero-load latency of its mean distance, the
 * saturation bound of its busiest link, and the waiting of independent output queues.
 *
 * An output that serves packets of S cycles at utilisation ρ, of which the share fᵢ comes from input i, makes them wait
 * S ρ (1 − Σ fᵢ²) / (2 (1 − ρ)): M/D/1, less the packets of the same input, which come one after the other already. With equal
 * shares it is Karol, Hluchyj & Morgan's output queue, (n − 1)/n · ρ / (2 (1 − ρ)). The source is a Geo/D/1 queue:
 * λ S (S − 1) / (2 (1 − λ S)). Left out: packets that wait behind one for another output, and full buffers; so it is too low
 * from about half of saturation on.
 *
 * @param rate flits per sending tile and cycle, > 0
 * @param bytes of a packet
 * @throws FabricError `FABRIC_BAD_OPTION` for hardware with several dies or missing tiles, which have to be simulated
 * @see Karol, Hluchyj & Morgan, Input versus output queueing on a space-division packet switch, IEEE Trans. Communications 35 (1987)
 * @see Kleinrock, Queueing Systems I (1975), section 5.6, on M/D/1
 */
export function estimateTraffic(topology: DieTopology, pattern: TrafficPattern, rate: number, bytes: number): TrafficEstimate {
  const work = estimatingTraffic(topology, pattern, rate, bytes);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** {@link estimateTraffic} in pieces of some milliseconds, for large meshes and callers that want to be heard in between. */
export function* estimatingTraffic(topology: DieTopology, pattern: TrafficPattern, rate: number, bytes: number): Generator<void, TrafficEstimate> {
  const { tilesX: width, tilesY: height, tiles, types, type, flitBytes } = topology;
  if (topology.waferTiles !== tiles || topology.routes !== null) {
    throw new FabricError('FABRIC_BAD_OPTION', 'The estimate without simulation is for a single die without defects; simulate others at analytic fidelity.', { tiles: topology.waferTiles });
  }
  const flits = flitsOf(bytes, flitBytes);
  const link = types[TILE_LINK]!;
  const injection = types[INJECTION]!;
  const ejection = types[type[LOCAL]!]!;
  const linkService = serviceCycles(link, flits, topology, true);
  const ejectionService = serviceCycles(ejection, flits, topology, false);
  const injectionService = serviceCycles(injection, flits, topology, false);

  // Packets per cycle for one packet per sender and cycle, [tiles, outputs, inputs]; inputs and outputs in the order of ports.
  const flow = pattern.fixed === null && pattern.name === 'uniform' && pattern.senders === tiles ? uniformFlow(width, height) : yield* walkedFlow(pattern, width, tiles);

  const packets = rate / flits;
  let links = 0;
  let most = injectionService;
  let busiest = { tile: -1, port: LOCAL };
  let waiting = 0;
  for (let tile = 0; tile < tiles; tile++) {
    for (let port = 0; port < INPUTS; port++) {
      const at = (tile * INPUTS + port) * INPUTS;
      let sum = 0;
      let squares = 0;
      for (let input = 0; input < INPUTS; input++) {
        const part = flow[at + input]!;
        sum += part;
        squares += part * part;
      }
      if (sum === 0) continue;
      if (port !== LOCAL) links += sum;
      const service = port === LOCAL ? ejectionService : linkService;
      if (sum * service > most) {
        most = sum * service;
        busiest = { tile, port };
      }
      const busy = packets * sum * service;
      if (busy < 1) waiting += (sum * service * busy * (1 - squares / (sum * sum))) / (2 * (1 - busy));
    }
  }
  const meanLinks = links / pattern.senders;
  const tailCycles = Math.max(flits * cyclesPerFlit(ejection), (meanLinks > 0 ? flits : 0) * cyclesPerFlit(link), flits * cyclesPerFlit(injection)) - 1;
  const zeroLoad = injection.cycles + meanLinks * link.cycles + ejection.cycles + tailCycles;
  const saturation = flits / most;
  const stable = rate < saturation;
  const inNetwork = zeroLoad + waiting / pattern.senders;
  const atSource = (packets * injectionService * (injectionService - 1)) / (2 * (1 - packets * injectionService));
  const perTile = pattern.senders / tiles;
  return {
    zeroLoadLatencyCycles: zeroLoad,
    packetLatencyCycles: stable ? inNetwork + atSource : null,
    networkLatencyCycles: stable ? inNetwork : null,
    hops: meanLinks + 1,
    offeredFlitRate: rate * perTile,
    acceptedFlitRate: Math.min(rate, saturation) * perTile,
    status: stable ? 'stable' : 'saturated',
    saturationFlitRate: saturation,
    busiest,
  };
}

function cyclesPerFlit({ flitNumerator, flitDenominator }: LinkType): number {
  return flitNumerator / flitDenominator;
}

/** Cycles from one packet of a saturated link to the next: its flits, the rest of a lane, and the wait for credits. */
function serviceCycles(link: LinkType, flits: number, { virtualChannels, setupCycles }: DieTopology, buffered: boolean): number {
  const hold = Math.max(1, flits * cyclesPerFlit(link));
  if (!buffered) return Math.max(hold, (hold + setupCycles) / virtualChannels);
  const roundTrip = link.cycles + hold + link.creditCycles;
  return Math.max(hold, (hold + setupCycles) / virtualChannels, roundTrip / (virtualChannels * Math.max(1, Math.floor(link.creditFlits / flits))));
}

/** Uniform traffic in closed form: on each link the senders on one side times the share of destinations on the other. */
function uniformFlow(width: number, height: number): Float64Array {
  const tiles = width * height;
  const flow = new Float64Array(tiles * INPUTS * INPUTS);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * INPUTS * INPUTS;
      const add = (output: number, input: number, packets: number): void => {
        flow[at + output * INPUTS + input] = packets;
      };
      const [west, east, north, south] = [x, width - 1 - x, y, height - 1 - y];
      add(EAST, WEST, (west * east) / width);
      add(EAST, LOCAL, east / width);
      add(WEST, EAST, (east * west) / width);
      add(WEST, LOCAL, west / width);
      for (const [output, input, behind, ahead] of [[SOUTH, NORTH, north, south], [NORTH, SOUTH, south, north]] as const) {
        add(output, input, (behind * ahead) / height);
        add(output, WEST, (west * ahead) / tiles);
        add(output, EAST, (east * ahead) / tiles);
        add(output, LOCAL, ahead / tiles);
      }
      add(LOCAL, NORTH, north / height);
      add(LOCAL, SOUTH, south / height);
      add(LOCAL, WEST, west / tiles);
      add(LOCAL, EAST, east / tiles);
      add(LOCAL, LOCAL, 1 / tiles);
    }
  }
  return flow;
}

/** Any other pattern: every sender's ways, walked. */
function* walkedFlow({ fixed, among, sends }: TrafficPattern, width: number, tiles: number): Generator<void, Float64Array> {
  const flow = new Float64Array(tiles * INPUTS * INPUTS);
  const step = [1, -1, -width, width];
  const walk = (from: number, to: number, packets: number): void => {
    let at = from;
    let input = LOCAL;
    for (;;) {
      const dx = (to % width) - (at % width);
      const output = dx !== 0 ? (dx > 0 ? EAST : WEST) : to > at ? SOUTH : to < at ? NORTH : LOCAL;
      flow[(at * INPUTS + output) * INPUTS + input]! += packets;
      links++;
      if (output === LOCAL) return;
      at += step[output]!;
      input = opposite(output);
    }
  };
  let links = 0;
  for (let tile = 0; tile < tiles; tile++) {
    if (links > LINKS_BETWEEN_YIELDS) {
      yield;
      links = 0;
    }
    if (sends[tile] === 0) continue;
    if (fixed !== null) walk(tile, fixed[tile]!, 1);
    else for (const to of among) walk(tile, to, 1 / among.length);
  }
  return flow;
}
