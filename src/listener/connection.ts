import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { RefusalReason, Sample } from '../metric.ts';
import type { RefusalCounter } from '../refusals.ts';
import { GraphiteParser, type LineSink } from './graphite.ts';
import { publishUntilAccepted } from './publish.ts';

/** How a connection reads. */
export interface ConnectionOptions {
  /** A longer line is refused whole. */
  readonly maxLineBytes: number;
  /** This many lines are sent on without waiting for a pause. */
  readonly batchLines: number;
  /** A sender that is silent this long has its lines sent on. */
  readonly pauseMs: number;
  /** So many batches of a connection may wait for the bus in any case. */
  readonly maxBatchesInFlight: number;
}

/** What a way in for bytes is given by its listener. */
export interface ReceiverServices {
  readonly bus: Pick<Bus, 'publishSamples'>;
  readonly refusals: Pick<RefusalCounter, 'count'>;
  readonly log: Logger;
  readonly nowSeconds: () => number;
  /** Told how many samples were accepted, or given up, after they had been received. */
  readonly accepted: (samples: number) => void;
  readonly lost: (samples: number) => void;
}

/**
 * One Graphite sender. Its samples are published in order, one publication at a time, so that none overtakes
 * another that failed and is tried again. While one is under way further lines are parsed and make the next, up to
 * `maxBatchesInFlight` batches in all or to its share, if that is more; then the socket is not read and TCP holds the
 * sender back. So a connection holds at most that many samples and what its stream buffers.
 */
export class TcpConnection implements LineSink {
  /** Resolves, never rejects, when the socket is closed and everything received is accepted or given up. */
  readonly done: Promise<void>;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #services: ReceiverServices;
  readonly #share: () => number;
  readonly #parser: GraphiteParser;
  readonly #abandoned = new AbortController();

  /** Bytes that are not parsed yet, from `#offset` on. */
  #chunk: Buffer | null = null;
  #offset = 0;
  /** Samples that wait for their publication, and the number in the one that is under way. */
  #pending: Sample[] = [];
  #inFlight = 0;
  /** Whether more bytes may come, the sender closed properly after them, or they stop anywhere (reset, or we stop). */
  #input: 'open' | 'ended' | 'cut' = 'open';
  /** Ends the wait for the sender. */
  #notify: () => void = () => undefined;

  /** @param share samples that it may hold for the bus: its part of what all connections may */
  constructor(socket: Socket, options: ConnectionOptions, services: ReceiverServices, share: () => number) {
    this.#share = share;
    this.#socket = socket;
    this.#options = options;
    this.#services = services;
    this.#parser = new GraphiteParser(options.maxLineBytes, services.nowSeconds);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('readable', () => {
      this.#receive();
      this.#notify();
    });
    socket.on('end', () => this.#inputEnds('ended'));
    socket.on('close', () => this.#cut());
    socket.on('error', (error) =>
      services.log.debug({ event: 'graphite.connection_failed', err: error }, 'a connection broke'),
    );
    const abandoned = once(this.#abandoned.signal, 'abort');
    const run = this.#run().catch((error: unknown) => this.abandon(error));
    this.done = Promise.race([run, abandoned]).then(() => closed);
  }

  /** As many samples as may wait are waiting. */
  get full(): boolean {
    const { batchLines, maxBatchesInFlight } = this.#options;
    const held = this.#pending.length + this.#inFlight;
    return held >= batchLines * maxBatchesInFlight && held >= this.#share();
  }

  sample(sample: Sample): void {
    this.#pending.push(sample);
  }

  refused(reason: RefusalReason, example: string): void {
    this.#services.refusals.count(reason, 1, example);
  }

  /** Reads no more: what was received is still published, but for a line whose end has not come; then the socket is closed. */
  drain(): void {
    this.#cut();
  }

  /** Gives up what is not accepted, for `reason`, and closes the socket at once. */
  abandon(reason: unknown): void {
    if (this.#abandoned.signal.aborted) return;
    this.#abandoned.abort();
    const samples = this.#pending.length + this.#inFlight;
    this.#services.lost(samples);
    this.#services.log.error(
      { event: 'graphite.connection_abandoned', samples, err: reason },
      'a connection was given up, and with it what was not accepted',
    );
    this.#socket.destroy();
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#receive();
      const waiting = this.#pending.length;
      if (waiting >= this.#options.batchLines || (waiting > 0 && this.#input !== 'open')) {
        await this.#publishPending();
      } else if (this.#input !== 'open') {
        break;
      } else if (await this.#paused()) {
        await this.#publishPending();
      }
    }
    this.#socket.destroy();
  }

  /** Parses what has come, as far as there is room for it. */
  #receive(): void {
    while (!this.full) {
      if (this.#chunk === null) {
        if (this.#input === 'ended') this.#parser.end(this);
        if (this.#input !== 'open') return;
        this.#chunk = this.#readAll();
        this.#offset = 0;
        if (this.#chunk === null) return;
      }
      this.#offset = this.#parser.parse(this.#chunk, this.#offset, this);
      if (this.#offset === this.#chunk.length) this.#chunk = null;
    }
  }

  /** Everything the socket has buffered, or null. */
  #readAll(): Buffer | null {
    return this.#socket.read() as Buffer | null;
  }

  /** No more bytes are taken from the socket than it has buffered now. */
  #cut(): void {
    if (this.#input !== 'open') return;
    const rest = this.#readAll();
    if (rest !== null) {
      this.#chunk = this.#chunk === null ? rest : Buffer.concat([this.#chunk.subarray(this.#offset), rest]);
      this.#offset = 0;
    }
    this.#inputEnds('cut');
  }

  #inputEnds(how: 'ended' | 'cut'): void {
    if (this.#input === 'open') this.#input = how;
    this.#notify();
  }

  /** Waits for the sender. @returns true if it was silent for the time of a pause while samples are pending */
  async #paused(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const paused = await new Promise<boolean>((resolve) => {
      this.#notify = () => resolve(false);
      if (this.#pending.length > 0) timer = setTimeout(resolve, this.#options.pauseMs, true);
    });
    clearTimeout(timer);
    return paused;
  }

  /** Publishes all that is pending; resolves when it is accepted. */
  async #publishPending(): Promise<void> {
    const samples = this.#pending;
    this.#pending = [];
    this.#inFlight = samples.length;
    await publishUntilAccepted(samples, { ...this.#services, signal: this.#abandoned.signal });
    this.#inFlight = 0;
    this.#services.accepted(samples.length);
  }
}
