import { setTimeout as delay } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { HtmEngineError } from '../../errors.ts';
import type { Schema } from '../sql/schema.ts';
import type { Attempt, Db, Session } from '../sql/session.ts';
import { NotConnected } from './not-connected.ts';

/**
 * What an error of a database server means for the transaction it ended:
 * - `conflict`: rolled back because another transaction was in the way; running it again may succeed.
 * - `lost`: the connection is gone. Before the commit nothing was written; while committing, nobody knows.
 * - `unavailable`: rolled back because the server cannot now (disk full, read-only, a lock held too long).
 * - `null`: the error is the operation's own.
 */
export type ServerFault = 'conflict' | 'lost' | 'unavailable' | null;

/** A connection pool and what its server's dialect says differently. */
export interface ServerDatabase {
  readonly db: Kysely<Schema>;
  /** Begins a serializable transaction. */
  readonly begin: string;
  /** Begins a transaction that sees one state and writes nothing. */
  readonly beginReading: string;
  faultOf(error: unknown): ServerFault;
  /** Closes all connections; running statements end. */
  close(): Promise<void>;
}

/** Why an operation was run again; for the log and the metrics. */
export type Repetition = Exclude<ServerFault, null> | 'ambiguous';

export interface ServerSessionOptions {
  /** Operations that may wait for a connection; each caller has a bound of its own, this one ends a runaway. */
  readonly maxPending?: number;
  /** Told before an operation is run again. */
  readonly onRepeat?: (why: Repetition, error: unknown) => void;
}

const MAX_PENDING = 10_000;
/** A conflict is repeated for so long; what still conflicts then is told as `store_unavailable`. */
const CONFLICT_LIMIT_MS = 30_000;
/** A lost connection is most often an idle one that the server has closed: a new one is tried at once, so often. */
const MAX_LOSSES = 3;
const FIRST_DELAY_MS = 2;
const LONGEST_DELAY_MS = 500;

/**
 * Runs operations in transactions of a database server with several writers. Repeats what is safe to repeat, and an
 * operation whose commit got no answer until it is known what became of it.
 */
export class ServerSession implements Session {
  readonly #database: ServerDatabase;
  readonly #maxPending: number;
  readonly #onRepeat: (why: Repetition, error: unknown) => void;
  readonly #closing = new AbortController();
  readonly #pending = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(database: ServerDatabase, options: ServerSessionOptions = {}) {
    this.#database = database;
    this.#maxPending = options.maxPending ?? MAX_PENDING;
    this.#onRepeat = options.onRepeat ?? (() => undefined);
  }

  query<T>(operation: (db: Db) => Promise<T>): Promise<T> {
    return this.#admit(() => this.#repeatReading(() => operation(this.#database.db)));
  }

  read<T>(operation: (db: Db) => Promise<T>): Promise<T> {
    return this.#admit(() =>
      this.#repeatReading(() =>
        this.#database.db.connection().execute(async (connection) => {
          await run(connection, this.#database.beginReading);
          try {
            return await operation(connection);
          } finally {
            await run(connection, 'rollback').catch(() => undefined);
          }
        }),
      ),
    );
  }

  write<T>(operation: (db: Db, attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#admit(() => this.#repeatWriting(operation));
  }

  /** Finishes what was begun, at most `timeoutMs`, then closes the connections. Later calls are refused. */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  async #close(timeoutMs: number): Promise<void> {
    const given = delay(timeoutMs, undefined, { ref: false });
    await Promise.race([Promise.allSettled(this.#pending), given]);
    this.#closing.abort();
    await this.#database.close();
    await Promise.allSettled(this.#pending);
  }

  #admit<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(stopped());
    if (this.#pending.size >= this.#maxPending) {
      return Promise.reject(
        new HtmEngineError('store_unavailable', `${this.#maxPending} calls wait for the database already`),
      );
    }
    const running = operation();
    this.#pending.add(running);
    const settled = () => this.#pending.delete(running);
    running.then(settled, settled);
    return running;
  }

  async #repeatReading<T>(attempt: () => Promise<T>): Promise<T> {
    const patience = new Patience();
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        await this.#repeatOrThrow(patience, error, this.#faultOf(error));
      }
    }
  }

  async #repeatWriting<T>(operation: (db: Db, attempt: Attempt) => Promise<T>): Promise<T> {
    const patience = new Patience();
    let mayHaveLanded = false;
    for (;;) {
      const progress = { isCommitting: false };
      try {
        return await this.#database.db.connection().execute(async (connection) => {
          await run(connection, this.#database.begin);
          let value: T;
          try {
            value = await operation(connection, { mayHaveLanded });
          } catch (error) {
            // On a lost connection this fails too, and there is nothing to roll back.
            await run(connection, 'rollback').catch(() => undefined);
            throw error;
          }
          progress.isCommitting = true;
          await run(connection, 'commit');
          return value;
        });
      } catch (error) {
        const fault = this.#faultOf(error);
        if (progress.isCommitting && fault !== 'conflict') mayHaveLanded = true;
        if (mayHaveLanded && (fault !== null || progress.isCommitting))
          await this.#repeat(patience, 'ambiguous', error);
        else await this.#repeatOrThrow(patience, error, fault);
      }
    }
  }

  #faultOf(error: unknown): ServerFault {
    if (error instanceof NotConnected) return this.#database.faultOf(error.cause) ?? 'unavailable';
    return this.#database.faultOf(error);
  }

  async #repeatOrThrow(patience: Patience, error: unknown, fault: ServerFault): Promise<void> {
    if (fault === null) throw error;
    if (!patience.allows(fault)) throw unavailable(error);
    await this.#repeat(patience, fault, error);
  }

  async #repeat(patience: Patience, why: Repetition, error: unknown): Promise<void> {
    const { signal } = this.#closing;
    if (!signal.aborted) this.#onRepeat(why, error);
    await delay(patience.nextDelayMs(), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw stopped();
  }
}

/** How long one operation has been tried, and how long it may be. */
class Patience {
  readonly #startedAt = performance.now();
  #losses = 0;
  #delayMs = FIRST_DELAY_MS;

  allows(fault: Exclude<ServerFault, null>): boolean {
    if (fault === 'unavailable') return false;
    if (fault === 'lost') return ++this.#losses <= MAX_LOSSES;
    return performance.now() - this.#startedAt < CONFLICT_LIMIT_MS;
  }

  /** Doubles each time; drawn, so that those that were in each other's way come back at different times. */
  nextDelayMs(): number {
    const delayMs = this.#delayMs * (0.5 + Math.random());
    this.#delayMs = Math.min(LONGEST_DELAY_MS, this.#delayMs * 2);
    return delayMs;
  }
}

async function run(db: Db, statement: string): Promise<void> {
  await sql.raw(statement).execute(db);
}

function stopped(): HtmEngineError {
  return new HtmEngineError('stopped', 'the store is closed');
}

function unavailable(error: unknown): HtmEngineError {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new HtmEngineError(
    'store_unavailable',
    `the database did not take this (${reason}); nothing was written`,
    { databaseCode: code },
  );
}
