import { describe, expect, it } from 'vitest';
import { SerialByKey } from './serial-by-key.ts';

describe('SerialByKey', () => {
  it('runs operations of a key one after the other and others meanwhile', async () => {
    const serial = new SerialByKey();
    const notes: string[] = [];
    const first = Promise.withResolvers<string>();
    const a1 = serial.run('a', () => {
      notes.push('a1');
      return first.promise;
    });
    const a2 = serial.run('a', () => {
      notes.push('a2');
      return Promise.resolve('second');
    });
    const b = serial.run('b', () => {
      notes.push('b');
      return Promise.resolve();
    });
    await b;
    expect(notes).toEqual(['a1', 'b']);
    first.resolve('first');
    expect(await Promise.all([a1, a2])).toEqual(['first', 'second']);
    expect(notes).toEqual(['a1', 'b', 'a2']);
  });

  it('goes on after one that failed, and tells only its caller', async () => {
    const serial = new SerialByKey();
    const failure = new Error('failed');
    const failing = serial.run('a', () => Promise.reject(failure));
    const next = serial.run('a', () => Promise.resolve('fine'));
    await expect(failing).rejects.toBe(failure);
    expect(await next).toBe('fine');
  });
});
