import { describe, expect, it } from 'vitest';
import { parseCpuTimes, parseInterfaces, parseMemory } from './proc.ts';

describe('/proc/stat', () => {
  it('gives the times of all processors, the guests not counted twice', () => {
    const text = 'cpu  100 20 30 800 40 5 4 1 50 7\ncpu0 50 10 15 400 20 2 2 0 25 3\nintr 12345\n';
    expect(parseCpuTimes(text)).toEqual({ busy: 160, total: 1000 });
  });

  it('may come from an old kernel with four times', () => {
    expect(parseCpuTimes('cpu 10 0 10 80\n')).toEqual({ busy: 20, total: 100 });
  });

  it.each(['', 'cpu0 1 2 3 4\n', 'cpu a b c d\n', 'cpu 1 2\n'])('is an error as %j', (text) => {
    expect(() => parseCpuTimes(text)).toThrow('/proc/stat');
  });
});

describe('/proc/meminfo', () => {
  it('gives what programs use', () => {
    const text = 'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    700 kB\nBuffers: 5 kB\n';
    expect(parseMemory(text)).toEqual({ used: 300, total: 1000 });
  });

  it('is an error without one of the fields', () => {
    expect(() => parseMemory('MemTotal: 1000 kB\nMemFree: 100 kB\n')).toThrow('MemAvailable');
  });
});

describe('/proc/net/dev', () => {
  it('gives the bytes of every interface but the loopback', () => {
    const text = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0',
      '  eth0: 398288493   12542    0    0    0     0          0         0   972046    8396    0    0    0     0       0          0',
      'wlan0:5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0',
      '',
    ].join('\n');
    expect(Array.from(parseInterfaces(text))).toEqual([
      ['eth0', { receivedBytes: 398_288_493, sentBytes: 972_046 }],
      ['wlan0', { receivedBytes: 5, sentBytes: 6 }],
    ]);
  });
});
