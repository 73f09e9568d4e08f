import type { ByteSource } from '@kerf/arrow';
import { TraceError } from './errors.ts';

/** Part of every JavaScript engine, but of no library that a pure package compiles against. */
declare const TextDecoder: new (encoding: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string };

/** JSON of a recorder is small beside its arrays; what is larger is something else. */
const LARGEST_JSON_BYTES = 256 * 2 ** 20;

/** @throws TraceError `TRACE_JSON` with the name of the file, unless it holds JSON in UTF-8 */
export function readJson(source: ByteSource): unknown {
  const fail = (problem: string, cause?: unknown): never => {
    throw new TraceError('TRACE_JSON', `${source.name}: expected JSON in UTF-8, ${problem}.`, { file: source.name, bytes: source.byteLength }, cause);
  };
  if (source.byteLength > LARGEST_JSON_BYTES) fail(`got ${source.byteLength} bytes, more than ${LARGEST_JSON_BYTES}`);
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(source.read(0, source.byteLength));
  } catch (error) {
    fail('got other bytes', error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(`got something else: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
