import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Http } from '../src/client/http.ts';
import { resultEvents } from '../src/client/result-stream.ts';
import type { FleetMetric } from './fleet-installation.ts';
import { FIRST_SECOND, ROW_SECONDS } from './fleet-rows.ts';

const TICK_MS = 50;

export interface Ports {
  readonly graphitePort: number;
  readonly httpPort: number;
}

/**
 * Sends each metric its sample every `intervalSeconds` over one Graphite connection, the metrics spread evenly over
 * the interval, and sees in the live stream when each is scored.
 */
export class FleetTraffic {
  sent = 0;
  /** From sending to the scored result in this process, milliseconds. */
  readonly lagMs: number[] = [];
  readonly #metrics: readonly FleetMetric[];
  readonly #intervalSeconds: number;
  readonly #ports: Ports;
  /** When samples were sent that are not scored yet, by metric and time. */
  readonly #pending = new Map<string, number>();
  readonly #ending = new AbortController();
  #stream: Promise<void> = Promise.resolve();

  constructor(metrics: readonly FleetMetric[], intervalSeconds: number, ports: Ports) {
    this.#metrics = metrics;
    this.#intervalSeconds = intervalSeconds;
    this.#ports = ports;
  }

  /** Samples that were sent and are not scored. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Resolves when the stream of results is open. */
  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#stream = this.#watch(resolve);
      this.#stream.catch(reject);
    });
  }

  /** Sends until it is over. @param isOver is told the seconds since it began */
  async send(isOver: (seconds: number) => boolean): Promise<void> {
    const socket = connect({ port: this.#ports.graphitePort, host: '127.0.0.1' });
    await once(socket, 'connect');
    const started = performance.now();
    const { length } = this.#metrics;
    let next = 0;
    for (;;) {
      const elapsed = (performance.now() - started) / 1000;
      const due = Math.floor((elapsed / this.#intervalSeconds) * length);
      let lines = '';
      for (; next < due; next++) lines += this.#line(next % length);
      if (lines !== '' && !socket.write(lines)) await once(socket, 'drain');
      if (isOver(elapsed)) break;
      await sleep(TICK_MS);
    }
    socket.end();
  }

  /** Waits until all is scored, at most so long. */
  async drain(seconds: number): Promise<void> {
    const until = performance.now() + 1000 * seconds;
    while (this.#pending.size > 0 && performance.now() < until) await sleep(TICK_MS);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#stream;
  }

  #line(index: number): string {
    const metric = this.#metrics[index];
    if (metric === undefined) throw new RangeError(`there is no metric ${index}`);
    const second = Math.floor(Date.now() / 1000);
    // However fast samples come, they are five minutes apart for what they show.
    const turn = Math.floor(second / this.#intervalSeconds);
    const row =
      this.#intervalSeconds === ROW_SECONDS ? Math.round((second - FIRST_SECOND) / ROW_SECONDS) : turn;
    this.#pending.set(key(metric.name, second), performance.now());
    this.sent++;
    return `${metric.name} ${metric.shape.value(row, metric.seed)} ${second}\n`;
  }

  async #watch(opened: () => void): Promise<void> {
    const http = new Http(`http://127.0.0.1:${this.#ports.httpPort}`);
    for await (const event of resultEvents(http, { metrics: [], signal: this.#ending.signal })) {
      if (event.type === 'connected') opened();
      if (event.type === 'reset') process.stderr.write(`results were missed: ${event.reason}\n`);
      if (event.type !== 'result') continue;
      const { name, timestamp } = event.result;
      const sentMs = this.#pending.get(key(name, timestamp));
      if (sentMs === undefined) continue;
      this.#pending.delete(key(name, timestamp));
      this.lagMs.push(performance.now() - sentMs);
    }
  }
}

function key(name: string, second: number): string {
  return `${name} ${second}`;
}
