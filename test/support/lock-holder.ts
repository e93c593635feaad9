/** Holds SQLite's write lock of the database named by the argument from when it prints "locked" until its standard input ends. */
import { once } from 'node:events';
import Database from 'better-sqlite3';

const db = new Database(process.argv[2] ?? '', { fileMustExist: true, timeout: 60_000 });
db.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
process.stdin.resume();
await once(process.stdin, 'end');
db.exec('ROLLBACK');
db.close();
