/** The map: routes as lines over roughly drawn land, all of it made here. */

const WIDTH = 900;
const MARGIN = 40;
const MAX_HEIGHT = 720;
/** Corners of land, [latitude, longitude], drawn by hand: enough to know where one is. */
const LAND = [
  // Manhattan
  [
    [40.701, -74.016],
    [40.71, -73.978],
    [40.735, -73.974],
    [40.775, -73.942],
    [40.8, -73.929],
    [40.835, -73.935],
    [40.873, -73.911],
    [40.878, -73.926],
    [40.85, -73.947],
    [40.77, -73.997],
    [40.74, -74.011],
  ],
  // Bronx
  [
    [40.805, -73.928],
    [40.8, -73.9],
    [40.815, -73.85],
    [40.807, -73.8],
    [40.86, -73.785],
    [40.905, -73.83],
    [40.912, -73.905],
    [40.875, -73.905],
    [40.835, -73.931],
  ],
  // Brooklyn and Queens
  [
    [40.785, -73.935],
    [40.765, -73.905],
    [40.785, -73.88],
    [40.77, -73.85],
    [40.797, -73.79],
    [40.75, -73.73],
    [40.66, -73.73],
    [40.62, -73.82],
    [40.585, -73.9],
    [40.572, -74.0],
    [40.61, -74.04],
    [40.65, -74.022],
    [40.69, -74.003],
    [40.707, -73.97],
    [40.745, -73.958],
  ],
  // Staten Island
  [
    [40.645, -74.075],
    [40.605, -74.055],
    [40.55, -74.11],
    [40.5, -74.245],
    [40.56, -74.215],
    [40.635, -74.2],
  ],
  // New Jersey
  [
    [40.89, -73.945],
    [40.82, -73.976],
    [40.76, -74.02],
    [40.7, -74.04],
    [40.652, -74.07],
    [40.652, -74.19],
    [40.64, -74.28],
    [40.89, -74.28],
  ],
];
const PLACES = [
  ['Manhattan', 40.787, -73.968],
  ['Bronx', 40.852, -73.845],
  ['Queens', 40.708, -73.8],
  ['Brooklyn', 40.648, -73.945],
  ['Staten Island', 40.58, -74.15],
  ['New Jersey', 40.8, -74.12],
];
const LEVELS = { learning: 'still learning', usual: 'usual', remarkable: 'remarkable', alarm: 'alarm' };

/** @param {string} name @param {Record<string, string | number>} attributes */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** Draws routes into `map`; `choose` is called with the id of one that was chosen. */
export class RouteMap {
  #map;
  #choose;
  #drawn = new Map();

  constructor(map, choose) {
    this.#map = map;
    this.#choose = choose;
  }

  show(routes, chosen) {
    if (routes.length === 0) return;
    if (routes.length !== this.#drawn.size || routes.some(({ id }) => !this.#drawn.has(id)))
      this.#draw(routes);
    for (const { id, name, level, speed } of routes) {
      const group = this.#drawn.get(id);
      group.setAttribute('class', `route ${level}${id === chosen ? ' chosen' : ''}`);
      group.setAttribute('aria-pressed', String(id === chosen));
      const now = speed === null ? '' : `, ${speed.toFixed(0)} mph`;
      group.setAttribute('aria-label', `${name}: ${LEVELS[level]}${now}`);
    }
  }

  #draw(routes) {
    const place = projection(routes.flatMap(({ points }) => points));
    const line = (points) =>
      points
        .map((point) =>
          place(point)
            .map((x) => x.toFixed(1))
            .join(),
        )
        .join(' ');
    this.#drawn = new Map(routes.map((route) => [route.id, this.#route(route, line(route.points))]));
    this.#map.setAttribute('viewBox', `0 0 ${WIDTH} ${place.height}`);
    this.#map.replaceChildren(
      ...LAND.map((corners) => svg('polygon', { class: 'land', points: line(corners) })),
      ...PLACES.map(([name, ...point]) => {
        const [x, y] = place(point);
        return svg('text', { class: 'place', x, y, 'aria-hidden': 'true' }, name);
      }),
      ...this.#drawn.values(),
    );
  }

  #route({ id, name }, points) {
    const parts = ['halo', 'road', 'touch'].map((part) => svg('polyline', { class: part, points }));
    const group = svg(
      'g',
      { role: 'button', tabindex: 0, 'data-route': id },
      svg('title', {}, name),
      ...parts,
    );
    group.addEventListener('click', () => this.#choose(id));
    group.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      this.#choose(id);
    });
    return group;
  }
}

/** From latitude and longitude to the picture, so that all points fit in. */
function projection(points) {
  const south = Math.min(...points.map(([latitude]) => latitude));
  const north = Math.max(...points.map(([latitude]) => latitude));
  const west = Math.min(...points.map(([, longitude]) => longitude));
  const east = Math.max(...points.map(([, longitude]) => longitude));
  const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = Math.min(
    (WIDTH - 2 * MARGIN) / Math.max((east - west) * narrow, 0.01),
    (MAX_HEIGHT - 2 * MARGIN) / Math.max(north - south, 0.01),
  );
  const left = (WIDTH - (east - west) * narrow * scale) / 2;
  const place = ([latitude, longitude]) => [
    left + (longitude - west) * narrow * scale,
    MARGIN + (north - latitude) * scale,
  ];
  return Object.assign(place, { height: Math.round(2 * MARGIN + (north - south) * scale) });
}
