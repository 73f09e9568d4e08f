import { expect, test } from 'vitest';
import { checkEvents, parseEvents } from './events.ts';

test('CSV in any order of columns and JSON lines give the same events', () => {
  const csv = parseEvents('bytes,cycle,source,destination\n64,0,1,2\n\n128,5,3,0\r\n', 4, 'a.csv');
  const json = parseEvents('{"cycle":0,"source":1,"destination":2,"bytes":64}\n{"cycle":5,"source":3,"destination":0,"bytes":128}\n', 4, 'a.jsonl');
  expect(csv).toEqual(json);
  expect(csv).toEqual({ cycle: Int32Array.of(0, 5), source: Int32Array.of(1, 3), destination: Int32Array.of(2, 0), bytes: Int32Array.of(64, 128) });
});

const heading = 'cycle,source,destination,bytes\n';
test.each([
  ['nothing', '', /holds no events/],
  ['a heading alone', heading, /holds no events/],
  ['a tile off the mesh', `${heading}0,1,2,8\n1,2,4,8\n`, /line 3: destination is a whole number from 0 to 3, got 4\. The mesh has 4 tiles/],
  ['a negative tile', `${heading}0,-1,2,8\n`, /line 2: source is a whole number from 0 to 3, got -1/],
  ['a step back in time', `${heading}7,1,2,8\n6,1,2,8\n`, /line 3: cycle 6 comes after cycle 7 of the row before/],
  ['no bytes', `${heading}0,1,2,0\n`, /bytes is a whole number from 1 to/],
  ['half a cycle', `${heading}0.5,1,2,8\n`, /cycle is a whole number from 0 to 1073741824, got 0.5/],
  ['an unknown column', 'cycle,source,destinatio,bytes\n0,1,2,8\n', /Did you mean "destination"/],
  ['a column twice', 'cycle,source,source,bytes\n0,1,2,8\n', /names the column source once, got 2 times/],
  ['a short row', `${heading}0,1,2\n`, /line 2: a row has 4 values, got 3/],
  ['a word', `${heading}0,one,2,8\n`, /source is a whole number, got "one"/],
  ['broken JSON', '{"cycle":0,\n', /line 1: one JSON object per line/],
  ['an unknown key', '{"cycle":0,"source":1,"destination":2,"byte":8}\n', /unknown key byte\. Did you mean "bytes"/],
])('%s is refused, with the line', (_, text, message) => {
  expect(() => parseEvents(text, 4, 'events')).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_EVENT', message: expect.stringMatching(message) as string }));
});

test('columns of other readers are checked by row', () => {
  expect(() => checkEvents({ cycle: [0n, 2n], source: [0, 9], destination: [0, 0], bytes: [1, 1] }, 4, 'a.arrow')).toThrow(/a\.arrow, row 2: source is a whole number from 0 to 3, got 9/);
});
