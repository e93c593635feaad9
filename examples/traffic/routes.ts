/** A stretch of road in one direction: what a metric is about. */
export interface Route {
  /** Also the name of its metric of speeds. */
  readonly id: string;
  readonly name: string;
  readonly borough: string;
  /** Corners from its beginning to its end: [latitude, longitude] in degrees. */
  readonly points: readonly (readonly [number, number])[];
  /** What moves there when the road is empty, miles per hour. */
  readonly freeSpeed: number;
  /** Shares of that speed which the morning's and the evening's rush take away at their heights, 0..1. */
  readonly morning: number;
  readonly evening: number;
}

/** Stretches that exist, drawn roughly by hand; their speeds are invented. */
export const ROUTES: readonly Route[] = [
  route(
    'fdr-south',
    'FDR Drive south: 96th St to Houston St',
    'Manhattan',
    [52, 0.5, 0.28],
    [
      [40.785, -73.943],
      [40.77, -73.945],
      [40.752, -73.962],
      [40.735, -73.974],
      [40.719, -73.974],
    ],
  ),
  route(
    'fdr-north',
    'FDR Drive north: Houston St to 96th St',
    'Manhattan',
    [52, 0.25, 0.52],
    [
      [40.718, -73.971],
      [40.734, -73.971],
      [40.751, -73.959],
      [40.769, -73.942],
      [40.784, -73.94],
    ],
  ),
  route(
    'west-side',
    'West Side Highway south: 125th St to 42nd St',
    'Manhattan',
    [46, 0.46, 0.3],
    [
      [40.818, -73.961],
      [40.799, -73.975],
      [40.78, -73.99],
      [40.761, -74.002],
    ],
  ),
  route(
    'lincoln',
    'Lincoln Tunnel to Manhattan',
    'Manhattan',
    [38, 0.6, 0.35],
    [
      [40.765, -74.026],
      [40.763, -74.012],
      [40.757, -73.996],
    ],
  ),
  route(
    'brooklyn-bridge',
    'Brooklyn Bridge to Manhattan',
    'Brooklyn',
    [40, 0.5, 0.32],
    [
      [40.697, -73.984],
      [40.706, -73.996],
      [40.712, -74.004],
    ],
  ),
  route(
    'gowanus',
    'Gowanus Expressway north: Shore Pkwy to BQE',
    'Brooklyn',
    [50, 0.55, 0.3],
    [
      [40.62, -74.025],
      [40.641, -74.018],
      [40.66, -74.0],
      [40.68, -74.003],
    ],
  ),
  route(
    'bqe',
    'Brooklyn-Queens Expressway east: Atlantic Ave to LIE',
    'Brooklyn',
    [47, 0.35, 0.5],
    [
      [40.688, -73.999],
      [40.701, -73.988],
      [40.706, -73.957],
      [40.72, -73.944],
      [40.735, -73.922],
    ],
  ),
  route(
    'lie',
    'Long Island Expressway west: Van Wyck to Midtown Tunnel',
    'Queens',
    [53, 0.55, 0.36],
    [
      [40.742, -73.842],
      [40.733, -73.87],
      [40.734, -73.9],
      [40.739, -73.935],
      [40.744, -73.96],
    ],
  ),
  route(
    'grand-central',
    'Grand Central Parkway east: Triborough to Kew Gardens',
    'Queens',
    [51, 0.3, 0.5],
    [
      [40.776, -73.922],
      [40.767, -73.89],
      [40.765, -73.862],
      [40.745, -73.846],
      [40.714, -73.828],
    ],
  ),
  route(
    'bruckner',
    'Bruckner Expressway west: Throgs Neck to Willis Ave',
    'Bronx',
    [50, 0.52, 0.32],
    [
      [40.827, -73.83],
      [40.828, -73.86],
      [40.82, -73.89],
      [40.806, -73.92],
    ],
  ),
  route(
    'cross-bronx',
    'Cross Bronx Expressway west: Parkchester to Hudson',
    'Bronx',
    [44, 0.45, 0.5],
    [
      [40.836, -73.865],
      [40.843, -73.89],
      [40.846, -73.915],
      [40.849, -73.94],
    ],
  ),
  route(
    'staten-island',
    'Staten Island Expressway east: Goethals to Verrazzano',
    'Staten Island',
    [56, 0.48, 0.26],
    [
      [40.628, -74.177],
      [40.613, -74.15],
      [40.608, -74.11],
      [40.605, -74.07],
    ],
  ),
];

const MILES_PER_DEGREE = 69.05;

/** Miles along its corners. */
export function lengthMiles({ points }: Pick<Route, 'points'>): number {
  let miles = 0;
  for (const [i, [latitude, longitude]] of points.entries()) {
    const before = points[i - 1];
    if (before === undefined) continue;
    const east = (longitude - before[1]) * Math.cos((latitude * Math.PI) / 180);
    miles += Math.hypot(latitude - before[0], east) * MILES_PER_DEGREE;
  }
  return miles;
}

/** Seconds from its beginning to its end; at a standstill as at one mile per hour. @param speed miles per hour */
export function travelSeconds(route: Pick<Route, 'points'>, speed: number): number {
  return Math.round((lengthMiles(route) / Math.max(speed, 1)) * 3600);
}

function route(
  id: string,
  name: string,
  borough: string,
  [freeSpeed, morning, evening]: readonly [number, number, number],
  points: Route['points'],
): Route {
  return { id, name, borough, points, freeSpeed, morning, evening };
}
