import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readTokens, Tokens } from './tokens.ts';

const SECRET = 'a-long-secret-of-its-own';

describe('tokens', () => {
  it('are known by what they are or by their hash, with name and scope', () => {
    const hash = createHash('sha256').update('another-long-secret').digest('hex');
    const tokens = new Tokens([`# ours\nread grafana ${SECRET}\n\n`, `write me sha256:${hash};`]);
    expect(tokens.size).toBe(2);
    expect(tokens.holderOf(SECRET)).toMatchObject({ name: 'grafana', scope: 'read' });
    expect(tokens.holderOf('another-long-secret')).toMatchObject({ name: 'me', scope: 'write' });
    for (const other of ['', `${SECRET} `, SECRET.slice(1), hash, `sha256:${hash}`]) {
      expect(tokens.holderOf(other), other).toBeNull();
    }
  });

  it('that break a rule are refused without being shown', () => {
    for (const text of ['admin x 0123456789abcdef', 'read 0123456789abcdef', 'read x short-secret']) {
      expect(() => new Tokens([text])).toThrow(/^api\.tokens/);
      try {
        new Tokens([text]);
      } catch (error) {
        expect(String(error)).not.toMatch(/0123456789abcdef|short-secret/);
      }
    }
    expect(() => readTokens('/nonexistent/tokens')).toThrow(/nonexistent/);
    expect(readTokens('')).toBe('');
  });
});
