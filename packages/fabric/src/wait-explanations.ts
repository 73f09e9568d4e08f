import { MULTICAST, type CollectiveTree } from './collective-trees.ts';
import { boundaryDirection, NO_LINK, type DieTopology } from './die-topology.ts';
import {
  BLOCKED, COMBINER_FIELDS, CREDITS, FINAL, FIRST_JOIN, FIRST_QUEUE, HEAD_SINCE, JOIN_MISSING, JOIN_NEXT, JOIN_SEQUENCE, JOIN_TREE, laneWords, META, OUTPUT_FREE, PACKET_STRIDE, portShift, QUEUE_FIELDS,
  QUEUE_HEAD, requestsAt, ROUTER_FIELDS, SOURCE, TABLE_USED, WANTED, type KernelColumns,
} from './kernel-state.ts';
import { EJECTION } from './link-type.ts';
import { FIRST_GATEWAY, JOIN, LOCAL, PORT_STRIDE } from './ports.ts';

/** What of a kernel its explanations look at. */
export interface KernelView {
  readonly topology: DieTopology;
  readonly columns: KernelColumns;
  readonly trees: readonly CollectiveTree[];
  readonly lanes: number;
  readonly virtualChannels: number;
  /** [link kinds × lanes] first lane of the class that a packet is in behind such a link. */
  readonly lanesBehind: Uint8Array;
  readonly now: number;
}

/** The first packet of an input queue. */
interface Head {
  readonly port: number;
  readonly lane: number;
  readonly router: number;
  readonly offset: number;
}

interface Wait {
  readonly head: Head;
  /** What it waits for, after "waits for". */
  readonly what: string;
  /** Key of the queue whose first packet must move on before, or −1. */
  readonly holder: number;
}

/**
 * Who waits for what, at most `limit` sentences: first the packets that wait for each other in a circle, if some do; then
 * others, each followed by those that it waits for.
 */
export function explainWaits(view: KernelView, limit: number): string[] {
  const waits = new Map<number, Wait>();
  for (const head of heads(view)) waits.set(keyOf(view, head.port, head.lane), waitOf(view, head));
  const lines: string[] = [];
  const said = new Set<number>();
  const say = (key: number): void => {
    if (said.has(key) || lines.length >= limit) return;
    said.add(key);
    lines.push(sentence(view, waits.get(key)!, waits));
  };
  const circle = circleOf(waits);
  if (circle.length > 0 && limit > 0) lines.push(`${circle.length} packets wait for each other in a circle`);
  circle.forEach(say);
  for (const key of waits.keys()) {
    for (let at = key; at >= 0 && !said.has(at) && lines.length < limit; at = waits.get(at)?.holder ?? -1) {
      if (!waits.has(at)) break;
      say(at);
    }
  }
  for (const line of openJoins(view)) if (lines.length < limit) lines.push(line);
  return lines;
}

/**
 * Packets that have been first in their queue for more than `cycles` while the output that they want served others: at most
 * `limit` sentences. Costs a look at every port, so once in many cycles is enough.
 */
export function explainStarvation(view: KernelView, cycles: number, limit: number): string[] {
  const { columns: { ports }, now, lanes } = view;
  const shift = portShift(lanes);
  const lines: string[] = [];
  for (const head of heads(view)) {
    if (lines.length >= limit) break;
    const since = ports[(head.port << shift) + FIRST_QUEUE + head.lane * QUEUE_FIELDS + HEAD_SINCE]!;
    if (now - since <= cycles) continue;
    const passed = outputsOf(view, head).find((out) => out !== JOIN && ports[((head.router * PORT_STRIDE + out) << shift) + OUTPUT_FREE]! > since);
    if (passed === undefined) continue;
    lines.push(`${placeOf(view, head)}: ${packetName(view, head.offset)} has waited ${now - since} cycles for ${outputName(view.topology, head.router, passed)}, which served others meanwhile`);
  }
  return lines;
}

function keyOf({ lanes }: KernelView, port: number, lane: number): number {
  return port * lanes + lane;
}

/** The first packets of all queues, in the order of ports and lanes. */
function* heads({ topology, columns: { ports }, lanes }: KernelView): Generator<Head> {
  const shift = portShift(lanes);
  for (let port = 0; port < topology.ports; port++) {
    const router = Math.min(port >>> 3, topology.routers - 1);
    for (let lane = 0; lane < lanes; lane++) {
      const offset = ports[(port << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS + QUEUE_HEAD]!;
      if (offset >= 0) yield { port, lane, router, offset };
    }
  }
}

/** Outputs of its router that a packet still wants. */
function outputsOf({ topology: { hubRouter }, columns: { routers, requests }, lanes }: KernelView, { port, lane, router }: Head): number[] {
  const words = laneWords(lanes);
  const base = router * PORT_STRIDE;
  const isHub = router === hubRouter;
  const bit = isHub ? port - base : (port - base) * words + (lane >>> 5);
  const found = [];
  for (let out = 0; out < (isHub ? 32 : PORT_STRIDE); out++) {
    if ((routers[router * ROUTER_FIELDS + WANTED + out]! >>> bit) % 2 === 0) continue;
    if (lanes === 1 || (requests[requestsAt(router, out, words, hubRouter) + bit]! >>> (lane & 31)) % 2 === 1) found.push(out);
  }
  return found;
}

function waitOf(view: KernelView, head: Head): Wait {
  const { topology, columns: { ports, packets, combiners }, lanes, virtualChannels, now } = view;
  const shift = portShift(lanes);
  const flits = packets[head.offset + META]! & 0xffff;
  const base = head.router * PORT_STRIDE;
  let turn = 'nothing';
  for (const out of outputsOf(view, head)) {
    const port = base + out;
    const name = outputName(topology, head.router, out);
    turn = `its turn on ${name}`;
    if (out === JOIN && head.router !== topology.hubRouter) {
      if (ports[(port << shift) + BLOCKED] === 0) continue;
      const used = combiners[head.router * COMBINER_FIELDS + TABLE_USED]!;
      const holder = Array.from({ length: lanes }, (_, lane) => lane).find((lane) => ports[(port << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS + QUEUE_HEAD]! >= 0);
      return { head, what: `room in the table of reductions, where ${used} are open`, holder: holder === undefined ? -1 : keyOf(view, port, holder) };
    }
    const kind = topology.types[topology.type[port]!]!.kind;
    if (kind === EJECTION || ports[(port << shift) + OUTPUT_FREE]! > now) continue;
    const first = view.lanesBehind[kind * lanes + head.lane]!;
    const behind = Array.from({ length: virtualChannels }, (_, channel) => first + channel);
    const peer = topology.peer[port]!;
    const room = (lane: number): number => ports[((peer >= 0 ? peer : port) << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS + CREDITS]!;
    if (behind.some((lane) => room(lane) >= flits)) continue;
    const what = `a credit on ${name} (needs ${flits}, has ${Math.max(...behind.map(room))})`;
    if (peer < NO_LINK) return { head, what: `${what} of the die to the ${['east', 'west', 'north', 'south'][boundaryDirection(peer)]}`, holder: -1 };
    const holder = behind.find((lane) => ports[(peer << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS + QUEUE_HEAD]! >= 0);
    return { head, what, holder: holder === undefined ? -1 : keyOf(view, peer, holder) };
  }
  return { head, what: turn, holder: -1 };
}

/** Keys of packets of which each waits for the next, and the last for the first; empty when there is no such circle. */
function circleOf(waits: ReadonlyMap<number, Wait>): number[] {
  const done = new Set<number>();
  for (const start of waits.keys()) {
    const way: number[] = [];
    for (let at = start; at >= 0 && !done.has(at); at = waits.get(at)?.holder ?? -1) {
      done.add(at);
      way.push(at);
      const next = waits.get(at)?.holder ?? -1;
      if (way.includes(next)) return way.slice(way.indexOf(next));
    }
  }
  return [];
}

function sentence(view: KernelView, { head, what, holder }: Wait, waits: ReadonlyMap<number, Wait>): string {
  const by = waits.get(holder);
  const held = by === undefined ? '' : `, held by ${packetName(view, by.head.offset)} at ${placeOf(view, by.head)}`;
  return `${placeOf(view, head)}: ${packetName(view, head.offset)} waits for ${what}${held}`;
}

/** Joins that lack contributions. */
function* openJoins({ topology, columns: { combiners, joins }, trees }: KernelView): Generator<string> {
  for (let router = 0; router * COMBINER_FIELDS < combiners.length; router++) {
    for (let join = combiners[router * COMBINER_FIELDS + FIRST_JOIN]!; join >= 0; join = joins[join + JOIN_NEXT]!) {
      const missing = joins[join + JOIN_MISSING]!;
      const from = Array.from({ length: LOCAL + 1 }, (_, port) => port).filter((port) => (missing >>> port) % 2 === 1).map((port) => (port === LOCAL ? 'the tile itself' : outputName(topology, router, port)));
      const { root } = trees[joins[join + JOIN_TREE]!]!;
      yield `${routerName(topology, router)}: packet ${joins[join + JOIN_SEQUENCE]! >>> 0} of the reduction ${joins[join + JOIN_TREE]} to tile ${topology.dieId * topology.tiles + root} waits for the contribution of ${from.join(' and ')}`;
    }
  }
}

function packetName({ columns: { packets, sequence }, trees }: KernelView, offset: number): string {
  const final = packets[offset + FINAL]!;
  const number = sequence[offset / PACKET_STRIDE]!;
  if (final >= 0) return `packet ${number} of tile ${packets[offset + SOURCE]}`;
  return trees[~final]!.kind === MULTICAST ? `packet ${number} of the multicast ${~final} of tile ${packets[offset + SOURCE]}` : `packet ${number} of the reduction ${~final} to tile ${packets[offset + SOURCE]}`;
}

function placeOf({ topology, lanes }: KernelView, { port, lane, router }: Head): string {
  const input = port - router * PORT_STRIDE;
  const from = router !== topology.hubRouter && input === LOCAL ? '' : router !== topology.hubRouter && input === JOIN ? ', combine unit' : `, from ${portName(input)}`;
  return `${routerName(topology, router)}${from}${lanes === 1 ? '' : `, lane ${lane}`}`;
}

function routerName({ hubRouter, dieId, coordinates }: DieTopology, router: number): string {
  return router === hubRouter ? `die router ${dieId}` : `tile (${coordinates[router]! & 0xffff},${coordinates[router]! >>> 16})`;
}

function outputName({ hubRouter }: DieTopology, router: number, out: number): string {
  return out === JOIN && router !== hubRouter ? 'the combine unit' : router === hubRouter && out >= FIRST_GATEWAY ? `gateway${out - FIRST_GATEWAY}` : portName(out);
}

/** The name of a port in messages and tables. */
export function portName(port: number): string {
  return ['east', 'west', 'north', 'south', 'local', 'hub'][port] ?? `gateway${port - FIRST_GATEWAY}`;
}
