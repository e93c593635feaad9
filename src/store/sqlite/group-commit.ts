import type Database from 'better-sqlite3';
import type { Db, Session } from '../sql/session.ts';
import { toStoreError } from './faults.ts';

/** Writes that share one commit at the most. */
const MAX_GROUP_WRITES = 256;
/** A group is closed when it has worked so long, so that reads and the first of the group do not wait for ever. */
const MAX_GROUP_MS = 25;

interface Operation {
  readonly run: (db: Db) => Promise<unknown>;
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
  readonly #reads: Operation[] = [];
  readonly #writes: Operation[] = [];
  #running: Promise<void> | undefined;

  constructor(connection: Database.Database, db: Db) {
    this.#connection = connection;
    this.#db = db;
  }

  read<T>(run: (db: Db) => Promise<T>): Promise<T> {
    return this.#enqueue(this.#reads, run);
  }

  write<T>(run: (db: Db) => Promise<T>): Promise<T> {
    return this.#enqueue(this.#writes, run);
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #enqueue<T>(queue: Operation[], run: (db: Db) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    queue.push({ run, resolve: resolve as (value: unknown) => void, reject });
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined;
    });
    return promise;
  }

  async #runAll(): Promise<void> {
    do {
      // Lets in what has arrived meanwhile, so that it joins the group.
      await nextTurn();
      await this.#runReads();
      await this.#runGroup();
    } while (this.#reads.length > 0 || this.#writes.length > 0);
  }

  async #runReads(): Promise<void> {
    for (const { run, resolve, reject } of this.#reads.splice(0)) {
      await run(this.#db).then(resolve, (error: unknown) => reject(toStoreError(error)));
    }
  }

  async #runGroup(): Promise<void> {
    if (this.#writes.length === 0) return;
    const group = new Group(this.#connection, this.#db);
    const closesAt = performance.now() + MAX_GROUP_MS;
    for (let writes = 0; writes < MAX_GROUP_WRITES; writes += 1) {
      const operation = this.#writes.shift();
      if (operation === undefined) break;
      await group.run(operation);
      if (performance.now() >= closesAt) break;
    }
    group.commit();
  }
}

/** The writes of one transaction, and what they are to be told after its commit. */
class Group {
  readonly #connection: Database.Database;
  readonly #db: Db;
  readonly #done: { operation: Operation; value: unknown }[] = [];

  constructor(connection: Database.Database, db: Db) {
    this.#connection = connection;
    this.#db = db;
  }

  /** Never throws: the operation is told. */
  async run(operation: Operation): Promise<void> {
    try {
      if (!this.#connection.inTransaction) this.#connection.exec('BEGIN IMMEDIATE');
      this.#connection.exec('SAVEPOINT operation');
      const value = await operation.run(this.#db);
      this.#connection.exec('RELEASE operation');
      this.#done.push({ operation, value });
    } catch (error) {
      this.#undo(operation, error);
    }
  }

  commit(): void {
    try {
      if (this.#connection.inTransaction) this.#connection.exec('COMMIT');
    } catch (error) {
      this.#rollBack(error);
      return;
    }
    for (const { operation, value } of this.#done) operation.resolve(value);
  }

  #undo(operation: Operation, error: unknown): void {
    try {
      if (this.#connection.inTransaction) {
        this.#connection.exec('ROLLBACK TO operation');
        this.#connection.exec('RELEASE operation');
      } else {
        // A fault of storage made SQLite give up the whole transaction.
        this.#failAll(error);
      }
    } catch (fault) {
      this.#rollBack(fault);
    }
    operation.reject(toStoreError(error));
  }

  #rollBack(error: unknown): void {
    if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
    this.#failAll(error);
  }

  #failAll(error: unknown): void {
    const fault = toStoreError(error);
    for (const { operation } of this.#done.splice(0)) {
      operation.reject(fault);
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
