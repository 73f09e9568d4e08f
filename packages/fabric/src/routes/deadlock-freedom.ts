import { dies, tilesPerDie, type Hardware } from '@kerf/hardware';
import { FabricError } from '../errors.ts';
import { DIRECTIONS } from '../ports.ts';
import { addTurnsOfColumn, reversedTurns, turnsOfOffsets, type Turns } from './channel-dependencies.ts';
import { xThenY, yThenX, type OffsetRouting } from './dimension-order.ts';
import { meshGraph, type MeshGraph } from './mesh-graph.ts';
import { dieName, tileName } from './names.ts';
import { areDiesApart, damagedMeshes, tileNumbers, type Columns, type DamagedMeshes } from './route-table.ts';
import { permittedTurns } from './up-down.ts';

/** Traffic classes by number, in reports. */
export const classNames = ['request', 'response', 'reduction', 'to-hub', 'from-hub'] as const;
const directionNames = ['east', 'west', 'north', 'south'] as const;

const TO_HUB = 3;
const FROM_HUB = 4;

/** Up to so many (router, target) pairs of damaged meshes are walked one by one, beside the rule that all of them keep. */
const PAIRS_WALKED = 2 ** 22;

const CHANNELS_BETWEEN_YIELDS = 2 ** 17;

/** What the check found. A channel is the buffer of one traffic class behind one link; virtual channels of a class stand as one. */
export interface DeadlockReport {
  readonly channels: number;
  /** Pairs of channels of which a packet can hold the first while it waits for the second. */
  readonly dependencies: number;
  readonly classes: readonly string[];
  /** The rule of the routes. */
  readonly routing: 'dimension-order' | 'up-down';
  readonly acyclic: boolean;
  /** Channels that wait for each other in a circle, each for the next and the last for the first. */
  readonly cycle?: readonly string[];
}

/** Other rules than those of the fabric, to see what they would do. */
export interface DeadlockOptions {
  /** Routing functions of unicasts on whole meshes. */
  readonly unicast?: readonly OffsetRouting[];
  /** Let reductions use the channels of requests. */
  readonly reductionsAsRequests?: boolean;
  /** Let responses go along x first, like requests, although acknowledgements join along y first. */
  readonly responsesAsRequests?: boolean;
}

/**
 * Looks for channels that could wait for each other in a circle: the channel-dependency graph over all traffic classes,
 * built from the routing functions that the kernels use, sorted topologically. Without a circle there is no deadlock,
 * since tiles take whatever arrives, branches of a multicast advance on their own, and what a router joins waits in a
 * table that {@link checkConcurrentReductions} keeps from running over.
 *
 * Whole meshes: requests and multicasts along x first, responses, acknowledgements and reductions along y first, which are
 * the same ways gone backwards. With defects: all turns that up*\/down*
 * permits, hence those of every tree too, and the next hops of every pair of routers, up to 2^22 pairs in all.
 *
 * @see Dally & Seitz, Deadlock-free message routing in multiprocessor interconnection networks (IEEE ToC C-36(5), 1987)
 */
export function checkDeadlockFreedom(hardware: Hardware, options: DeadlockOptions = {}): DeadlockReport {
  return atOnce(checkingDeadlockFreedom(hardware, options));
}

/** {@link checkDeadlockFreedom} in pieces of some milliseconds, for machines of a million tiles and callers that want to be heard in between. */
export function* checkingDeadlockFreedom(hardware: Hardware, options: DeadlockOptions = {}): Generator<void, DeadlockReport> {
  const wide = yield* checkNetwork(hardware, options);
  if (hardware.syncLink === undefined || !wide.acyclic) return wide;
  // The narrow network has the same routes, in every die alone: on a wafer of one die the same graph again.
  const narrow = dies(hardware) === 1 && hardware.d2d === null ? wide : yield* checkNetwork({ ...hardware, d2d: null }, options);
  return { ...narrow, channels: wide.channels + narrow.channels, dependencies: wide.dependencies + narrow.dependencies, classes: wide.classes };
}

function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

function* checkNetwork(hardware: Hardware, options: DeadlockOptions): Generator<void, DeadlockReport> {
  const network = yield* networkOf(hardware, options);
  yield;
  const { channels, dependencies, left } = yield* sortOut(network);
  const report = {
    channels,
    dependencies,
    classes: classNames.slice(0, network.classes),
    routing: damagedMeshes(hardware) === null ? 'dimension-order' as const : 'up-down' as const,
    acyclic: left === null,
  };
  return left === null ? report : { ...report, cycle: findCycle(network, left).map((channel) => channelName(hardware, network, channel)) };
}

/**
 * {@link checkDeadlockFreedom}, for machines that are about to be used.
 *
 * @throws FabricError `FABRIC_CYCLIC_ROUTES` with the circle
 */
export function requireDeadlockFreedom(hardware: Hardware): DeadlockReport {
  return atOnce(requiringDeadlockFreedom(hardware));
}

/** {@link requireDeadlockFreedom} in pieces, as {@link checkingDeadlockFreedom}. */
export function* requiringDeadlockFreedom(hardware: Hardware): Generator<void, DeadlockReport> {
  const report = yield* checkingDeadlockFreedom(hardware);
  if (!report.acyclic) {
    const message = `The routes of ${hardware.name} can deadlock: ${report.cycle!.join(' waits for ')} waits for the first.`;
    throw new FabricError('FABRIC_CYCLIC_ROUTES', message, { channels: report.channels, length: report.cycle!.length });
  }
  return report;
}

/**
 * All channels of a machine, numbered: those of the tile links by (class, tile, direction), then for every die those from
 * its gateways to its router, between routers by direction, and from its router to its gateways.
 */
interface Network {
  readonly classes: number;
  readonly tiles: number;
  readonly perDie: number;
  /** Links between tiles of the wafer. */
  readonly mesh: MeshGraph;
  /** [classes] */
  readonly turns: readonly Turns[];
  /** `hub`: the routers of the dies, their turns, and the local tiles of the gateways. */
  readonly hub: { readonly mesh: MeshGraph; readonly turns: Turns; readonly gateways: readonly number[]; readonly gatewayOfTile: Int8Array } | null;
  readonly firstHubChannel: number;
  readonly hubStride: number;
  readonly size: number;
}

function* networkOf(hardware: Hardware, options: DeadlockOptions): Generator<void, Network> {
  const unicast = options.unicast ?? [xThenY];
  const { wafer, die } = hardware;
  const perDie = tilesPerDie(hardware);
  const allDies = dies(hardware);
  const tiles = allDies * perDie;
  const meshes = damagedMeshes(hardware);
  const classes = hardware.d2d?.shape === 'hub' ? 5 : 3;
  const budget = { pairs: PAIRS_WALKED };
  const { mesh, requests, responses, reductions } = areDiesApart(hardware)
    ? yield* diesApart(hardware, meshes, unicast, budget)
    : meshes === null
      ? yield* wholeTurns(unicast, wafer.diesX * die.tilesX, wafer.diesY * die.tilesY, tileNumbers(hardware))
      : damagedTurns(meshes.wafer!, budget);
  // What goes to hubs and comes from them are unicasts that go along x first, like requests.
  const turns = [requests, responses, reductions, requests, requests].slice(0, classes);
  if (options.reductionsAsRequests === true) turns[0] = either(requests, reductions);
  if (options.responsesAsRequests === true) turns[1] = either(requests, responses);
  const firstHubChannel = classes * tiles * DIRECTIONS;
  if (hardware.d2d?.shape !== 'hub') return { classes, tiles, perDie, mesh, turns, hub: null, firstHubChannel, hubStride: 0, size: firstHubChannel };
  const gateways = hardware.d2d.gateways.map(({ x, y }) => y * die.tilesX + x);
  const gatewayOfTile = new Int8Array(perDie).fill(-1);
  gateways.forEach((tile, gateway) => (gatewayOfTile[tile] = gateway));
  const nodeAt = (x: number, y: number): number => y * wafer.diesX + x;
  const hubMesh = meshes === null ? meshGraph(wafer.diesX, wafer.diesY, null, nodeAt) : meshes.hubs!.labels.graph;
  const hubTurns = meshes === null ? turnsOfOffsets(unicast, wafer.diesX, wafer.diesY, nodeAt) : turnsOfColumns(meshes.hubs!, budget);
  const hubStride = 2 * gateways.length + DIRECTIONS;
  return { classes, tiles, perDie, mesh, turns, hub: { mesh: hubMesh, turns: hubTurns, gateways, gatewayOfTile }, firstHubChannel, hubStride, size: firstHubChannel + allDies * hubStride };
}

/** The turns of every class on the tiles of a wafer or a die. */
interface WaferTurns {
  readonly mesh: MeshGraph;
  /** Unicasts and multicasts. */
  readonly requests: Turns;
  /** Unicasts back the way that requests came, and acknowledgements that join on the way back of a multicast. */
  readonly responses: Turns;
  readonly reductions: Turns;
}

function* wholeTurns(unicast: readonly OffsetRouting[], width: number, height: number, nodeAt: (x: number, y: number) => number): Generator<void, WaferTurns> {
  const mesh = meshGraph(width, height, null, nodeAt);
  yield;
  const trees = turnsOfOffsets([xThenY], width, height, nodeAt);
  yield;
  const mirrored = reversedTurns(trees, mesh);
  yield;
  const back = turnsOfOffsets([yThenX], width, height, nodeAt);
  yield;
  return {
    mesh,
    requests: unicast.every((routing) => routing === xThenY) ? trees : turnsOfOffsets([...unicast, xThenY], width, height, nodeAt),
    responses: either(back, mirrored),
    reductions: mirrored,
  };
}

function damagedTurns(columns: Columns, budget: { pairs: number }): WaferTurns {
  const requests = turnsOfColumns(columns, budget);
  const mesh = columns.labels.graph;
  const reductions = reversedTurns(permittedTurns(columns.labels), mesh);
  return { mesh, requests, responses: either(requests, reductions), reductions };
}

function either(some: Turns, others: Turns): Turns {
  return some.map((onward, at) => onward | others[at]!);
}

function turnsOfColumns(columns: Columns, budget: { pairs: number }): Turns {
  const { labels } = columns;
  const { graph } = labels;
  const turns = permittedTurns(labels);
  if (graph.nodes ** 2 > budget.pairs) return turns;
  budget.pairs -= graph.nodes ** 2;
  for (let target = 0; target < graph.nodes; target++) if (graph.present[target] === 1) addTurnsOfColumn(turns, columns.column(target), graph);
  return turns;
}

/** Dies that are meshes of their own; whole ones are all alike. */
function* diesApart(hardware: Hardware, meshes: DamagedMeshes | null, unicast: readonly OffsetRouting[], budget: { pairs: number }): Generator<void, WaferTurns> {
  const { tilesX, tilesY } = hardware.die;
  const perDie = tilesX * tilesY;
  const tiles = dies(hardware) * perDie;
  const mesh: MeshGraph = { nodes: tiles, present: new Uint8Array(tiles), next: new Int32Array(tiles * DIRECTIONS).fill(-1) };
  const all: WaferTurns = { mesh, requests: new Uint8Array(tiles * DIRECTIONS), responses: new Uint8Array(tiles * DIRECTIONS), reductions: new Uint8Array(tiles * DIRECTIONS) };
  const nodeAt = (x: number, y: number): number => y * tilesX + x;
  const whole = yield* wholeTurns(unicast, tilesX, tilesY, nodeAt);
  for (let dieId = 0; dieId < dies(hardware); dieId++) {
    if (meshes?.damage.dies.absent[dieId] === 1) continue;
    const columns = meshes?.die(dieId) ?? null;
    const here = columns === null ? whole : damagedTurns(columns, budget);
    const first = dieId * perDie;
    mesh.present.set(here.mesh.present, first);
    for (let at = 0; at < perDie * DIRECTIONS; at++) {
      const to = here.mesh.next[at]!;
      if (to >= 0) mesh.next[first * DIRECTIONS + at] = first + to;
    }
    for (const kind of ['requests', 'responses', 'reductions'] as const) all[kind].set(here[kind], first * DIRECTIONS);
  }
  return all;
}

/** Writes the channels that a packet in `channel` may wait for into `into`; returns how many. −1: there is no such channel. */
function successors(network: Network, channel: number, into: Int32Array): number {
  const { tiles, perDie, mesh, turns, hub, firstHubChannel, hubStride } = network;
  const { next } = mesh;
  let count = 0;
  if (channel < firstHubChannel) {
    const classStride = tiles * DIRECTIONS;
    const trafficClass = Math.floor(channel / classStride);
    const link = channel - trafficClass * classStride;
    const node = next[link]!;
    if (node < 0) return -1;
    const base = node * DIRECTIONS;
    const onward = turns[trafficClass]![base + (link & 3)]!;
    const target = trafficClass * classStride + base;
    for (let out = 0; out < DIRECTIONS; out++) if ((onward >> out) % 2 === 1 && next[base + out]! >= 0) into[count++] = target + out;
    if (trafficClass === TO_HUB) {
      const gateway = hub!.gatewayOfTile[node % perDie]!;
      if (gateway >= 0) into[count++] = firstHubChannel + Math.floor(node / perDie) * hubStride + gateway;
    }
    return count;
  }
  const { gateways, mesh: dieMesh, turns: dieTurns } = hub!;
  const die = Math.floor((channel - firstHubChannel) / hubStride);
  const kind = channel - firstHubChannel - die * hubStride;
  const between = gateways.length;
  if (kind < between) {
    // From a gateway to the die's router: on to any neighbour.
    if (dieMesh.present[die] === 0) return -1;
    for (let out = 0; out < DIRECTIONS; out++) if (dieMesh.next[die * DIRECTIONS + out]! >= 0) into[count++] = firstHubChannel + die * hubStride + between + out;
    return count;
  }
  if (kind < between + DIRECTIONS) {
    const travel = kind - between;
    const beyond = dieMesh.next[die * DIRECTIONS + travel]!;
    if (beyond < 0) return -1;
    const base = firstHubChannel + beyond * hubStride;
    const onward = dieTurns[beyond * DIRECTIONS + travel]!;
    for (let out = 0; out < DIRECTIONS; out++) if ((onward >> out) % 2 === 1 && dieMesh.next[beyond * DIRECTIONS + out]! >= 0) into[count++] = base + between + out;
    for (let gateway = 0; gateway < gateways.length; gateway++) into[count++] = base + between + DIRECTIONS + gateway;
    return count;
  }
  // From the die's router to a gateway: on to any neighbouring tile.
  if (dieMesh.present[die] === 0) return -1;
  const gateway = die * perDie + gateways[kind - between - DIRECTIONS]!;
  for (let out = 0; out < DIRECTIONS; out++) if (next[gateway * DIRECTIONS + out]! >= 0) into[count++] = FROM_HUB * tiles * DIRECTIONS + gateway * DIRECTIONS + out;
  return count;
}

/** Takes away channels that wait for nothing left, until none or only circles and what waits for them are left. */
function* sortOut(network: Network): Generator<void, { channels: number; dependencies: number; left: Uint8Array | null }> {
  const { size } = network;
  const waiting = new Uint8Array(size);
  const into = new Int32Array(64);
  let channels = 0;
  let dependencies = 0;
  for (let channel = 0; channel < size; channel++) {
    if (channel % CHANNELS_BETWEEN_YIELDS === 0) yield;
    const count = successors(network, channel, into);
    if (count < 0) continue;
    channels++;
    dependencies += count;
    for (let at = 0; at < count; at++) waiting[into[at]!]!++;
  }
  // `waiting` counts what leads to a channel: the sources go first.
  const queue = new Int32Array(channels);
  let tail = 0;
  for (let channel = 0; channel < size; channel++) {
    if (channel % CHANNELS_BETWEEN_YIELDS === 0) yield;
    if (waiting[channel] === 0 && successors(network, channel, into) >= 0) queue[tail++] = channel;
  }
  for (let head = 0; head < tail; head++) {
    if (head % CHANNELS_BETWEEN_YIELDS === 0) yield;
    const count = successors(network, queue[head]!, into);
    for (let at = 0; at < count; at++) if (--waiting[into[at]!]! === 0) queue[tail++] = into[at]!;
  }
  return { channels, dependencies, left: tail === channels ? null : waiting };
}

/** Channels of a circle among those that are left, in the order of waiting. */
function findCycle(network: Network, left: Uint8Array): number[] {
  // Each channel that is left has one before it that is left: going back ends in a circle.
  const before = new Int32Array(network.size).fill(-1);
  const into = new Int32Array(64);
  let at = -1;
  for (let channel = 0; channel < network.size; channel++) {
    if (left[channel] === 0) continue;
    at = channel;
    const count = successors(network, channel, into);
    for (let next = 0; next < count; next++) before[into[next]!] = channel;
  }
  const seen = new Set<number>();
  while (!seen.has(at)) {
    seen.add(at);
    at = before[at]!;
  }
  const cycle: number[] = [];
  const start = at;
  do {
    cycle.push(at);
    at = before[at]!;
  } while (at !== start);
  return cycle.reverse();
}

function channelName(hardware: Hardware, network: Network, channel: number): string {
  const { tiles, hub, firstHubChannel, hubStride } = network;
  if (channel < firstHubChannel) {
    const trafficClass = Math.floor(channel / (tiles * DIRECTIONS));
    const link = channel % (tiles * DIRECTIONS);
    return `tile ${tileName(hardware, link >> 2)} ${directionNames[link & 3]!} (${classNames[trafficClass]!})`;
  }
  const die = Math.floor((channel - firstHubChannel) / hubStride);
  const kind = (channel - firstHubChannel) % hubStride;
  const between = hub!.gateways.length;
  const name = `router of ${dieName(hardware, die)}`;
  if (kind < between) return `gateway ${kind} to ${name} (${classNames[TO_HUB]})`;
  if (kind < between + DIRECTIONS) return `${name} ${directionNames[kind - between]!} (${classNames[0]})`;
  return `${name} to gateway ${kind - between - DIRECTIONS} (${classNames[FROM_HUB]})`;
}
