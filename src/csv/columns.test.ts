import { describe, expect, it } from 'vitest';
import { chooseColumns } from './columns.ts';

const TIME = '2020-09-13 12:30:00';

describe('columns', () => {
  it.each([
    ['timestamp,value', `${TIME},1`, 0, 1],
    ['host,cpu,when', `web1,0.5,1600000200`, 2, 1],
    ['Date,Load', `${TIME},1`, 0, 1],
    ['c0,c1', `${TIME},1`, 0, 1],
    ['created_at,timestamp,value', `${TIME},${TIME},1`, 1, 2],
    ['timestamp,value,limit', `${TIME},1,100`, 0, 1],
    ['timestamp,value', `${TIME},`, 0, 1],
  ])('of %s are guessed', (header, row, time, value) => {
    expect(chooseColumns(header.split(','), row.split(','), {})).toEqual({ time, value });
  });

  it('are those that were asked for', () => {
    const names = { timestamp: 'end', value: 'b' };
    expect(chooseColumns(['start', 'end', 'a', 'b'], [TIME, TIME, '1', '2'], names)).toEqual({
      time: 1,
      value: 3,
    });
  });

  it.each([
    [
      'start_time,end_time,x',
      `${TIME},${TIME},1`,
      {},
      '2 columns could hold the time: choose one with --timestamp',
    ],
    ['timestamp,a,b', `${TIME},1,2`, {}, '2 columns could hold the number: choose one with --value'],
    ['a,b', '1,2', {}, 'no column seems to hold a time: name it with --timestamp'],
    ['timestamp,host', `${TIME},web1`, {}, 'no column seems to hold a number: name it with --value'],
    ['timestamp,value', `${TIME},1`, { value: 'cpu' }, 'there is no column "cpu" (--value)'],
    ['timestamp,x,x', `${TIME},1,2`, { value: 'x' }, 'there are several columns "x" (--value)'],
    ['timestamp,value', `${TIME},1`, { value: 'timestamp' }, 'cannot both be in "timestamp"'],
    [`${TIME},1`, `${TIME},1`, {}, 'the first line must name the columns'],
    ['timestamp;value', `${TIME};1`, {}, 'separate them with commas, not with ";"'],
  ])('of %s, %s with %j: refused, naming the header', (header, row, names, message) => {
    const choose = () => chooseColumns(header.split(','), row.split(','), names);
    expect(choose).toThrow(message);
    expect(choose).toThrow(`the header is ${JSON.stringify(header.split(',')[0])}`);
  });
});
