import type Database from 'better-sqlite3';
import type { Attempt, Db, Session } from '../sql/session.ts';
import { toStoreError } from './faults.ts';

/** Writes that share one commit at the most. */
const MAX_GROUP_WRITES = 256;
/** A group is closed when it has worked so long, so that reads and the first of the group do not wait for ever. */
const MAX_GROUP_MS = 25;

interface Operation {
  readonly run: (db: Db, attempt: Attempt) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One connection, used by one operation after the other. Writes that wait are run in one transaction and answered
 * after its commit, because the disk's sync at a commit costs more than most of them; each has a savepoint of its
 * own, so one that fails leaves the others alone. Reads that wait go before the next group.
 */
export class GroupCommitSession implements Session {
  readonly #connection: Database.Database;
  readonly #db: Db;
  readonly #nowMs: () => number;
  readonly #reads: Operation[] = [];
  readonly #writes: Operation[] = [];
  #running: Promise<void> | undefined;

  constructor(connection: Database.Database, db: Db, nowMs: () => number = () => performance.now()) {
    this.#connection = connection;
    this.#db = db;
    this.#nowMs = nowMs;
  }

  query<T>(run: (db: Db) => Promise<T>): Promise<T> {
    return this.read(run);
  }

  read<T>(run: (db: Db) => Promise<T>): Promise<T> {
    return this.#enqueue(this.#reads, run);
  }

  write<T>(run: (db: Db, attempt: Attempt) => Promise<T>): Promise<T> {
    return this.#enqueue(this.#writes, run);
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #enqueue<T>(queue: Operation[], run: (db: Db, attempt: Attempt) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    queue.push({ run, resolve: resolve as (value: unknown) => void, reject });
    this.#running ??= this.#runAll();
    return promise;
  }

  async #runAll(): Promise<void> {
    do {
      // Lets in what has arrived meanwhile, so that it joins the group.
      await nextTurn();
      await this.#runReads();
      await this.#runGroup();
    } while (this.#reads.length > 0 || this.#writes.length > 0);
    // In one go with that check: what is enqueued later must find that nobody runs.
    this.#running = undefined;
  }

  async #runReads(): Promise<void> {
    for (const { run, resolve, reject } of this.#reads.splice(0)) {
      try {
        resolve(await run(this.#db, ONLY_ATTEMPT));
      } catch (error) {
        reject(toStoreError(error));
      }
    }
  }

  async #runGroup(): Promise<void> {
    if (this.#writes.length === 0 || !this.#begin()) return;
    const closesAt = this.#nowMs() + MAX_GROUP_MS;
    const begun: Operation[] = [];
    const answers: (() => void)[] = [];
    try {
      while (begun.length < MAX_GROUP_WRITES && this.#nowMs() < closesAt) {
        const operation = this.#writes.shift();
        if (operation === undefined) break;
        begun.push(operation);
        answers.push(await this.#runAlone(operation));
      }
      this.#connection.exec('COMMIT');
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
      const fault = toStoreError(error);
      for (const { reject } of begun) reject(fault);
      return;
    }
    for (const answer of answers) answer();
  }

  /** A database that does not let us write now does not for the next one either: all that wait are told. */
  #begin(): boolean {
    try {
      this.#connection.exec('BEGIN IMMEDIATE');
      return true;
    } catch (error) {
      const fault = toStoreError(error);
      for (const { reject } of this.#writes.splice(0)) reject(fault);
      return false;
    }
  }

  /**
   * Runs one operation so that nothing of it is left if it fails.
   * @returns what tells its caller. Even a failure is told after the commit only: it may be due to what another
   * operation of the group has written.
   * @throws what makes the whole transaction void: SQLite gives it up by itself after some faults of storage.
   */
  async #runAlone({ run, resolve, reject }: Operation): Promise<() => void> {
    this.#connection.exec('SAVEPOINT operation');
    try {
      const value = await run(this.#db, ONLY_ATTEMPT);
      this.#connection.exec('RELEASE operation');
      return () => resolve(value);
    } catch (error) {
      if (!this.#connection.inTransaction) throw error;
      this.#connection.exec('ROLLBACK TO operation');
      this.#connection.exec('RELEASE operation');
      return () => reject(toStoreError(error));
    }
  }
}

/** A commit here either happened or did not; no connection can be lost. */
const ONLY_ATTEMPT: Attempt = { mayHaveLanded: false };

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
