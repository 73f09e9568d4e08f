import { CostError } from './errors.ts';

/** How an address space is spread over the channels behind it. */
export interface MemoryMap {
  /** Channels, which are rows `firstChannel` and on of the memory. */
  readonly channels: number;
  readonly firstChannel: number;
  /** Lines of so many bytes go to one channel after the other. */
  readonly interleaveBytes: number;
  /** Channel = exclusive or of all groups of log2(channels) bits of the line's number, so that no power-of-two stride stays on one. */
  readonly scramble: boolean;
}

/** Throws unless lines can be dealt out as the map says. */
export function checkMemoryMap(map: MemoryMap): void {
  const { channels, scramble } = map;
  if (scramble && (channels & (channels - 1)) !== 0) {
    throw new CostError('COST_BAD_TIMING', `Scrambling needs a power of two of channels, got ${channels}.`, { channels });
  }
}

/** Channel of a line, counted from `firstChannel` of its map. */
export function channelOf(map: MemoryMap, line: number): number {
  const { channels } = map;
  if (channels === 1) return map.firstChannel;
  if (!map.scramble) return map.firstChannel + (line % channels);
  let channel = 0;
  for (let rest = line; rest > 0; rest = Math.floor(rest / channels)) channel ^= rest % channels;
  return map.firstChannel + channel;
}

/** Address inside the channel of a byte `offset` of a line. */
export function channelAddressOf(map: MemoryMap, line: number, offset: number): number {
  return Math.floor(line / map.channels) * map.interleaveBytes + offset;
}
