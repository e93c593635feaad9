import { availableParallelism } from 'node:os';
import { z } from 'zod';

/**
 * What may be said of a setting. Each has a description, from which docs/configuration.md and the help of the command
 * line are made (`npm run docs`).
 */
interface SettingMeta {
  readonly description: string;
  /** What the documents say of a default that differs from machine to machine. */
  readonly defaultText?: string;
  /** Taken over while the engine runs (SIGHUP, or the file has changed); all others need a restart. */
  readonly live?: boolean;
  /** Never printed: passwords, and addresses that hold them. */
  readonly secret?: boolean;
}

export const meta = (given: SettingMeta) => ({ ...given });
export const port = z.int().min(0).max(65_535);
export const positive = z.int().min(1);
export const MIB = 2 ** 20;
/**
 * The main thread needs little of a core. Two workers on two cores carried 10,000 models at one sample in five minutes with a
 * p99 lag of 0.7 s, where one was never done (docs/benchmarks.md).
 */
export const DEFAULT_WORKERS = Math.max(Math.min(2, availableParallelism()), availableParallelism() - 1);
export const sweepMs = (what: string) =>
  positive.default(5_000).describe(`How often ${what} that a lost wake-up left behind.`);
