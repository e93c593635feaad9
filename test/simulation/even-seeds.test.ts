import { describe } from 'vitest';
import { playSeeds } from './seeds.ts';

describe('rows, scores and published results are those of a run without faults: even seeds', () =>
  playSeeds(0));
