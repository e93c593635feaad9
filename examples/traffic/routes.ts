/** A stretch of road with one model. All of it is made up: names sound like New York, coordinates are of the drawing. */
export interface Route {
  /** Also the name of its metric, as the original tutorial had it: `PUT /<id>`. */
  readonly id: string;
  readonly name: string;
  readonly borough: string;
  readonly miles: number;
  /** Miles per hour when nobody is in the way. */
  readonly freeSpeed: number;
  /** How much of it the morning and the evening rush take, 0..1: inbound roads are full in the morning. */
  readonly morning: number;
  readonly evening: number;
  /** Where it is drawn, 0..100 by 0..100. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Highest value of any route, miles per hour: the range that the original tutorial gives its models. */
export const MAX_SPEED = 80;

export const ROUTES: readonly Route[] = [
  route('1001', 'West Side south', 'Manhattan', 4.1, 48, 0.62, 0.4, [32, 12, 30, 30, 27, 48, 26, 66]),
  route('1002', 'West Side north', 'Manhattan', 4.1, 48, 0.35, 0.6, [29, 66, 30, 48, 33, 30, 35, 12]),
  route('1003', 'East River Drive south', 'Manhattan', 5.2, 45, 0.58, 0.45, [46, 14, 43, 34, 39, 52, 33, 70]),
  route('1004', 'Harlem Crossing', 'Bronx', 2.6, 42, 0.5, 0.5, [37, 8, 46, 6, 55, 9, 63, 8]),
  route('1005', 'Sound Parkway in', 'Bronx', 6.4, 55, 0.55, 0.25, [86, 4, 75, 10, 63, 12, 50, 14]),
  route('1006', 'Midtown Tunnel in', 'Queens', 2.2, 40, 0.66, 0.48, [62, 40, 55, 38, 49, 37, 43, 37]),
  route('1007', 'Island Expressway in', 'Queens', 9.3, 58, 0.6, 0.3, [96, 46, 86, 42, 76, 43, 64, 41]),
  route('1008', 'Island Expressway out', 'Queens', 9.3, 58, 0.25, 0.62, [64, 45, 76, 47, 86, 46, 96, 50]),
  route('1009', 'Airport Connector', 'Queens', 5.0, 52, 0.35, 0.42, [80, 70, 74, 62, 70, 54, 67, 47]),
  route('1010', 'Brooklyn Heights Way', 'Brooklyn', 3.7, 44, 0.55, 0.52, [50, 90, 46, 82, 42, 76, 36, 72]),
  route('1011', 'Shore Belt east', 'Brooklyn', 8.8, 54, 0.3, 0.5, [40, 96, 54, 95, 66, 88, 78, 76]),
  route('1012', 'Narrows Bridge in', 'Staten Island', 2.9, 47, 0.6, 0.38, [10, 92, 18, 88, 27, 90, 38, 92]),
];

function route(
  id: string,
  name: string,
  borough: string,
  miles: number,
  freeSpeed: number,
  morning: number,
  evening: number,
  flat: readonly number[],
): Route {
  const points = Array.from(
    { length: flat.length / 2 },
    (_, i) => [flat[2 * i] ?? 0, flat[2 * i + 1] ?? 0] as const,
  );
  return { id, name, borough, miles, freeSpeed, morning, evening, points };
}
