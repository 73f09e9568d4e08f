import type { DieTopology } from './die-topology.ts';
import { FabricError } from './errors.ts';
import { CLASS_REDUCTION, CLASS_REQUEST, CLASS_RESPONSE, type MulticastPlan, type ReductionPlan } from './fabric.ts';
import { LOCAL, opposite, PORT_STRIDE } from './ports.ts';

/** `out` of a router that is not in a reduction tree. */
export const NO_OUTPUT = 255;

/** What a tree does with the packets in it. */
export const MULTICAST = 0;
export const REDUCTION = 1;
/** The reduction of answers of one flit to the sender of a multicast. */
export const ACKNOWLEDGEMENT = 2;

/** A tree that the kernel knows. Its id is its place in the list. */
export interface CollectiveTree {
  readonly kind: number;
  readonly trafficClass: number;
  /** Local tile. */
  readonly root: number;
  /** [routers] of a multicast: outputs (bits) that a packet takes. */
  readonly forks: Uint8Array;
  /** [routers] of a reduction: inputs (bits) that contribute, and the output of the result. */
  readonly inputs: Uint8Array;
  readonly out: Uint8Array;
  /** Tree that acknowledges what this multicast brings, or −1. */
  readonly acknowledgement: number;
  /** Multicast that the root sends when this reduction has reached it (a barrier), or −1. */
  readonly release: number;
}

const NONE = new Uint8Array(0);

export function multicastTree(topology: DieTopology, plan: MulticastPlan, acknowledgement = -1): CollectiveTree {
  checkMulticast(topology, plan);
  return { kind: MULTICAST, trafficClass: CLASS_REQUEST, root: plan.root, forks: plan.forks, inputs: NONE, out: NONE, acknowledgement, release: -1 };
}

export function reductionTree(topology: DieTopology, plan: ReductionPlan, release = -1): CollectiveTree {
  checkReduction(topology, plan);
  return { kind: REDUCTION, trafficClass: CLASS_REDUCTION, root: plan.root, forks: NONE, inputs: plan.inputs, out: plan.out, acknowledgement: -1, release };
}

export function acknowledgementTree(topology: DieTopology, plan: MulticastPlan): CollectiveTree {
  const { root, inputs, out } = mirror(topology, plan);
  return { kind: ACKNOWLEDGEMENT, trafficClass: CLASS_RESPONSE, root, forks: NONE, inputs, out, acknowledgement: -1, release: -1 };
}

/** The reduction whose contributions come from where a multicast delivers, the same way back. */
export function mirror(topology: DieTopology, plan: MulticastPlan): ReductionPlan {
  const out = new Uint8Array(topology.routers).fill(NO_OUTPUT);
  out[plan.root] = LOCAL;
  for (let router = 0; router < topology.routers; router++) {
    for (const { to, port } of branches(topology, router, plan.forks[router]!)) out[to] = opposite(port);
  }
  return { root: plan.root, inputs: plan.forks, out, contributors: plan.receivers };
}

/** Where the branches of a router that do not end there lead to. */
function branches({ peer }: DieTopology, router: number, forks: number): { to: number; port: number }[] {
  const found = [];
  for (let port = 0; port < LOCAL; port++) {
    if ((forks >>> port) % 2 === 0) continue;
    const to = peer[router * PORT_STRIDE + port]!;
    if (to < 0) throw bad(`Router ${router} of a tree has no link on port ${port} inside die.`, { router, port });
    found.push({ to: to >>> 3, port });
  }
  return found;
}

function checkMulticast(topology: DieTopology, { root, forks, receivers }: MulticastPlan): void {
  checkSize(topology, root, forks);
  const seen = new Uint8Array(topology.routers);
  const reached = [root];
  let delivered = 0;
  seen[root] = 1;
  for (let at = 0; at < reached.length; at++) {
    const router = reached[at]!;
    const bits = forks[router]!;
    if (bits === 0 || bits >= 2 ** (LOCAL + 1)) throw bad(`Router ${router} is reached by a multicast, but forwards it to the ports ${bits}; allowed are bits 0 to ${LOCAL}.`, { router, bits });
    if ((bits >>> LOCAL) % 2 === 1) delivered++;
    for (const { to } of branches(topology, router, bits)) {
      if (seen[to] === 1) throw bad(`A multicast reaches router ${to} twice.`, { router: to });
      seen[to] = 1;
      reached.push(to);
    }
  }
  const inTree = forks.reduce((count, bits) => count + (bits === 0 ? 0 : 1), 0);
  if (inTree !== reached.length) throw bad(`A multicast names ${inTree} routers, but reaches ${reached.length} from its root.`, { inTree, reached: reached.length });
  if (delivered !== receivers) throw bad(`A multicast delivers to ${delivered} tiles, but names ${receivers} receivers.`, { delivered, receivers });
}

function checkReduction(topology: DieTopology, { root, inputs, out, contributors }: ReductionPlan): void {
  checkSize(topology, root, inputs);
  checkSize(topology, root, out);
  if (out[root] !== LOCAL) throw bad(`The root of a reduction, tile ${root}, sends its result to port ${out[root]}, not to itself.`, { root });
  const forks = Uint8Array.from(inputs);
  for (let router = 0; router < topology.routers; router++) {
    const port = out[router]!;
    if ((port === NO_OUTPUT) !== (inputs[router] === 0)) throw bad(`Router ${router} of a reduction has ${inputs[router] === 0 ? 'an output but no input' : 'inputs but no output'}.`, { router });
    if (port === NO_OUTPUT || router === root) continue;
    if (port >= LOCAL) throw bad(`Router ${router} of a reduction, which is not its root, has the output ${port}; allowed are 0 to 3.`, { router, port });
    const { to } = branches(topology, router, 1 << port)[0]!;
    if ((inputs[to]! >>> opposite(port)) % 2 === 0) throw bad(`Router ${router} of a reduction sends to router ${to}, which expects nothing from there.`, { router, to });
  }
  // Turned round it must be a tree: every router reached once, from the root.
  checkMulticast(topology, { root, forks, receivers: contributors });
}

function checkSize({ tiles, routers }: DieTopology, root: number, column: Uint8Array): void {
  if (!(Number.isInteger(root) && root >= 0 && root < tiles)) throw bad(`The root of a tree is a tile from 0 to ${tiles - 1}, got ${root}.`, { root });
  if (column.length !== routers) throw bad(`A tree has a row for each of ${routers} routers, got ${column.length}.`, { rows: column.length });
}

function bad(message: string, details: Record<string, number>): FabricError {
  return new FabricError('FABRIC_BAD_TREE', message, details);
}
