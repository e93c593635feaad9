import { HtmEngineError } from '../errors.ts';
import type { Sample } from '../metric.ts';

/** Publishers that wait for room at the most; the next one is told to try again. */
const MAX_WAITING_PUBLISHERS = 10_000;

/**
 * Lets publications in, in their order, as long as no more than so many samples are inside. One that is larger than
 * that is let in when nothing else is inside.
 */
export class Door<Publication extends { readonly samples: readonly Sample[] }> {
  readonly #maxSamples: number;
  readonly #enter: (publication: Publication) => void;
  readonly #waiting: Publication[] = [];
  #samplesInside = 0;

  /** @param enter told of each publication that there is room for now */
  constructor(maxSamples: number, enter: (publication: Publication) => void) {
    this.#maxSamples = maxSamples;
    this.#enter = enter;
  }

  get samplesInside(): number {
    return this.#samplesInside;
  }

  get waitingPublishers(): number {
    return this.#waiting.length;
  }

  /** @throws HtmEngineError `overloaded` */
  checkRoom(): void {
    if (this.#waiting.length < MAX_WAITING_PUBLISHERS) return;
    throw new HtmEngineError(
      'overloaded',
      `${MAX_WAITING_PUBLISHERS} publishers wait already: try again later`,
    );
  }

  arrive(publication: Publication): void {
    this.#waiting.push(publication);
    this.#admit();
  }

  /** Says that a publication that was let in is dealt with. */
  leave(publication: Publication): void {
    this.#samplesInside -= publication.samples.length;
    this.#admit();
  }

  /** Takes away everything that still waits. */
  turnAway(): Publication[] {
    return this.#waiting.splice(0);
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const samples = this.#samplesInside + next.samples.length;
      if (this.#samplesInside > 0 && samples > this.#maxSamples) return;
      this.#waiting.shift();
      this.#samplesInside = samples;
      this.#enter(next);
    }
  }
}
