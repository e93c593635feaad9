import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import type { Config } from '../config.ts';
import { HtmEngineError } from '../errors.ts';
import type { Telemetry } from '../telemetry.ts';
import { SETTINGS } from './settings.ts';

/** What came of new settings. */
export interface ReloadOutcome {
  /** Settings that are in force now. */
  readonly changed: readonly string[];
  /** Settings that are other than those in force and wait for a restart. */
  readonly needsRestart: readonly string[];
}

/** Takes new settings over, or throws before it has changed anything. */
type Taker = (config: Config) => void;

/**
 * New settings while the engine runs: all of them are checked and those that can change are taken over, or nothing is
 * changed. Which can is said by the schema (`live`).
 */
export class Reloading {
  readonly #log: Logger;
  readonly #reloads: Counter<'outcome'>;
  #inForce: Config;
  #taker: Taker = () => undefined;

  constructor(config: Config, { log, registry }: Telemetry) {
    this.#inForce = config;
    this.#log = log;
    this.#reloads = new Counter({
      registers: [registry],
      name: 'htmengine_config_reloads_total',
      help: 'Times that settings were read again while running, by outcome',
      labelNames: ['outcome'],
    });
  }

  /** Says who takes the settings that can change. */
  onChange(taker: Taker): void {
    this.#taker = taker;
  }

  /** Takes what `load` gives. @returns null if it was refused: then nothing has changed, and the log says why */
  reload(load: () => Config): ReloadOutcome | null {
    try {
      const config = load();
      this.#taker(config);
      return this.#taken(config);
    } catch (error) {
      if (!(error instanceof HtmEngineError)) throw error;
      this.#reloads.inc({ outcome: 'refused' });
      this.#log.error(
        { event: 'config.reload_refused', err: error },
        'new settings are wrong: the old ones stay',
      );
      return null;
    }
  }

  #taken(config: Config): ReloadOutcome {
    const other = SETTINGS.filter(({ path }) => !isSame(valueAt(config, path), valueAt(this.#inForce, path)));
    const changed = other.filter(({ live }) => live).map(({ path }) => path);
    const needsRestart = other.filter(({ live }) => !live).map(({ path }) => path);
    // What waits for a restart goes on being told each time: it is compared with what is in force.
    this.#inForce = withValues(this.#inForce, config, changed);
    this.#reloads.inc({ outcome: needsRestart.length === 0 ? 'taken' : 'needs_restart' });
    this.#log.info(
      { event: 'config.reloaded', changed, needsRestart },
      needsRestart.length === 0
        ? 'settings were read again'
        : 'settings were read again; some need a restart',
    );
    return { changed, needsRestart };
  }
}

/** Calls `onChange` when one of the files was written. @returns what ends that */
export function watchFiles(files: readonly string[], everyMs: number, onChange: () => void): () => void {
  const stateOf = () => files.map(fileState).join();
  let state = stateOf();
  const timer = setInterval(() => {
    const present = stateOf();
    if (present === state) return;
    state = present;
    onChange();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Differs after a file was written, or has become one that cannot be looked at, or can be again. */
function fileState(file: string): string {
  try {
    const { mtimeMs, size } = statSync(file);
    return `${mtimeMs} ${size}`;
  } catch (error) {
    return String(error);
  }
}

function valueAt(config: Config, path: string): unknown {
  return path.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], config);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A copy of `config` with the values that `other` has at these paths. */
function withValues(config: Config, other: Config, paths: readonly string[]): Config {
  const copy = structuredClone(config);
  for (const path of paths) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    const section = names.reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], copy);
    (section as Record<string, unknown>)[last] = valueAt(other, path);
  }
  return copy;
}
