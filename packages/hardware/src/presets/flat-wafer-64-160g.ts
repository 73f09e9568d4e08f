import { rateOf } from '../rational.ts';
import { bytesPerCycleFromGigabytesPerSecond } from '../units.ts';
import { flatWafer64 } from './flat-wafer-64.ts';
import type { Preset } from './preset.ts';

const { d2d } = flatWafer64.hardware;
if (d2d?.shape !== 'hub') throw new Error('flat-wafer-64 joins its dies by hubs');

/** The wafer of the second FlatAttention paper with the links of the system that it compares with, "Ours2". */
export const flatWafer64With160G: Preset = {
  hardware: {
    ...flatWafer64.hardware,
    name: 'flat-wafer-64-160g',
    description: 'FlatAttention on a wafer (arXiv 2604.02110), Table II "Ours2": flat-wafer-64 with 160 GB/s between dies.',
    d2d: { ...d2d, link: { ...d2d.link, bytesPerCycle: rateOf(bytesPerCycleFromGigabytesPerSecond(160, flatWafer64.hardware.clockMegahertz)) } }, // 16000/193
  },
  sources: {
    ...flatWafer64.sources,
    'd2d.link.bytesPerCycle': 'arXiv 2604.02110, Table II "Ours2": 160 GB/s, over 1.93 GHz',
    'd2d.link.cycles': 'arXiv 2604.02110, Table II: 256 ns as for "Ours1", at 1.93 GHz, rounded up',
  },
};
