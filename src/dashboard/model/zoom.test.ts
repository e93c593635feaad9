import { expect, it } from 'vitest';
import { around, moveBy, zoomBy } from './zoom.ts';

const bounds = { from: 0, to: 1000 };

it('zooms around the middle and out to everything', () => {
  expect(zoomBy(bounds, 0.5, bounds)).toEqual({ from: 250, to: 750 });
  expect(zoomBy({ from: 250, to: 750 }, 2, bounds)).toBeNull();
  expect(zoomBy({ from: 500, to: 504 }, 0.5, bounds)).toEqual({ from: 497, to: 507 });
});

it('moves without growing or leaving the data', () => {
  expect(moveBy({ from: 100, to: 200 }, 0.5, bounds)).toEqual({ from: 150, to: 250 });
  expect(moveBy({ from: 100, to: 200 }, -5, bounds)).toEqual({ from: 0, to: 100 });
  expect(moveBy({ from: 850, to: 950 }, 3, bounds)).toEqual({ from: 900, to: 1000 });
});

it('shows a span with what is around it', () => {
  expect(around({ from: 500, to: 500 }, 100, bounds)).toEqual({ from: 450, to: 550 });
  expect(around({ from: 400, to: 600 }, 100, bounds)).toEqual({ from: 200, to: 800 });
});
