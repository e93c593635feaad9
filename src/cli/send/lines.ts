import { setTimeout as sleep } from 'node:timers/promises';
import { HtmEngineError } from '../../errors.ts';

/** A longer line is none that holds a sample. */
const MAX_LINE_CHARACTERS = 65_536;

/** The lines of UTF-8 text as they come, without their ends. @throws HtmEngineError `invalid_argument` for a line without end */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS)
      throw new HtmEngineError(
        'invalid_argument',
        `a line is longer than ${MAX_LINE_CHARACTERS} characters: each line holds one value`,
      );
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

/** Items together as they come: at most `maxItems`, none held back longer than `maxWaitMs`. */
export async function* batched<T>(
  items: AsyncIterable<T>,
  maxItems: number,
  maxWaitMs: number,
): AsyncGenerator<T[]> {
  const iterator = items[Symbol.asyncIterator]();
  let next = iterator.next();
  for (let batch: T[] = []; ; batch = []) {
    const first = await next;
    if (first.done === true) return;
    batch.push(first.value);
    next = iterator.next();
    next.catch(() => undefined); // whoever awaits it next is told
    const timer = new AbortController();
    const waited = sleep(maxWaitMs, 'waited' as const, { signal: timer.signal }).catch(
      () => 'waited' as const,
    );
    while (batch.length < maxItems) {
      const outcome = await Promise.race([next, waited]);
      if (outcome === 'waited' || outcome.done === true) break;
      batch.push(outcome.value);
      next = iterator.next();
      next.catch(() => undefined);
    }
    timer.abort();
    yield batch;
  }
}
