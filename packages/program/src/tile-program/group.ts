import type { Collective, Peer, RootRule, TileProgram } from './tile-program.ts';
import type { CollectiveScope } from './vocabulary.ts';

/*
 * Who belongs to whom inside a group. Places are numbered y × width + x. A scope is one row, one column, or the whole
 * group; the scopes of a collective are numbered y, x and 0.
 */

type Group = TileProgram['group'];

/** How many scopes of this sort a group has. */
export function scopesOf(group: Group, scope: CollectiveScope): number {
  return scope === 'row' ? group.height : scope === 'column' ? group.width : 1;
}

/** Tiles of one scope. */
export function membersOf(group: Group, scope: CollectiveScope): number {
  return scope === 'row' ? group.width : scope === 'column' ? group.height : group.width * group.height;
}

/** The scope that the tile at (x, y) belongs to. */
export function scopeAt(scope: CollectiveScope, x: number, y: number): number {
  return scope === 'row' ? y : scope === 'column' ? x : 0;
}

/** Place of member `index` of a scope; members are counted from the west and the north, row by row. */
export function memberPlace(group: Group, scope: CollectiveScope, scopeIndex: number, index: number): number {
  return scope === 'row' ? scopeIndex * group.width + index : scope === 'column' ? index * group.width + scopeIndex : index;
}

/** Place of the root of one scope; −1 without a root. */
export function rootPlace(group: Group, { scope, root }: { readonly scope: CollectiveScope; readonly root: RootRule | null }, scopeIndex: number): number {
  if (root === null) return -1;
  const { width, height } = group;
  if (scope === 'row') return scopeIndex * width + (root === 'diagonal' ? scopeIndex % width : root.x);
  if (scope === 'column') return (root === 'diagonal' ? scopeIndex % height : root.y) * width + scopeIndex;
  return root === 'diagonal' ? 0 : root.y * width + root.x;
}

/** Whether the tile at (x, y) is the root of its scope. */
export function isRoot(group: Group, collective: Collective, x: number, y: number): boolean {
  return rootPlace(group, collective, scopeAt(collective.scope, x, y)) === y * group.width + x;
}

/** Place that a send from (x, y) goes to in the same group: −1 outside of it, or when the peer is a tile of the wafer. */
export function peerPlace({ width, height }: Group, peer: Peer, x: number, y: number): number {
  if (peer.kind === 'tile') return -1;
  let px = x + peer.dx;
  let py = y + peer.dy;
  if (peer.kind === 'wrapped') {
    px = ((px % width) + width) % width;
    py = ((py % height) + height) % height;
  }
  return px < 0 || py < 0 || px >= width || py >= height ? -1 : py * width + px;
}
