import type { RefusalReason, Sample } from '../metric.ts';
import { GraphiteParser } from './graphite.ts';

/** What one Graphite line is: a sample, or why not; null for a blank one. */
export type ReadLine = (line: Buffer) => Sample | RefusalReason | null;

/**
 * Reads lines that come one by one and not as a stream of bytes (a body's, each with its number), by the rules of the
 * Graphite listener.
 */
export function createLineReader(maxLineBytes: number, nowSeconds: () => number): ReadLine {
  return (line) => {
    let found: Sample | RefusalReason | null = null;
    const sink = {
      full: false,
      sample: (sample: Sample) => {
        found ??= sample;
      },
      refused: (reason: RefusalReason) => {
        found ??= reason;
      },
    };
    if (line.includes('\n')) return 'malformed';
    const parser = new GraphiteParser(maxLineBytes, nowSeconds);
    parser.parse(line, 0, sink);
    parser.end(sink);
    return found;
  };
}
