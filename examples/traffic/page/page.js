// The page of the traffic application: a map of routes coloured by anomaly, one route's last two days, the last anomalies.
const SVG = 'http://www.w3.org/2000/svg';
const EVERY_MS = 2000;
const HOURS = 48;
/** Log-likelihoods from which on a route is odd, and anomalous. */
const ODD = 0.4;
const WRONG = 0.5;
const MAX_SPEED = 80;
const WIDTH = 600;
const HEIGHT = 260;
const LEFT = 34;
const BOTTOM = 24;

const byId = (id) => document.getElementById(id);
const answer = async (path) => {
  const response = await fetch(path);
  const data = await response.json();
  if (!response.ok) throw new Error(data.problem ?? `${path} answered ${response.status}`);
  return data;
};
/** Times are those of the city, whose clock is UTC when it is simulated. */
let timeZone = 'UTC';
const timeText = (second) =>
  new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
  }).format(1000 * second);

let routes = new Map();
let chosen = decodeURIComponent(location.hash.slice(1));
let state = { now: 0, routes: {}, anomalies: [] };

function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function conditionOf({ learning, anomaly } = { learning: {}, anomaly: 0 }) {
  if (learning) return 'learning';
  return anomaly >= WRONG ? 'wrong' : anomaly >= ODD ? 'odd' : 'usual';
}

const WORDS = { usual: 'as usual', odd: 'odd', wrong: 'anomalous', learning: 'still learning' };

function drawMap(city) {
  for (const { id, points } of city.routes) {
    const line = points.map((point) => point.join(',')).join(' ');
    const group = element(
      'g',
      { class: 'route learning', tabindex: '0', role: 'button', 'data-route': id },
      element('title'),
      element('polyline', { class: 'reach', points: line }),
      element('polyline', { class: 'road', points: line }),
    );
    group.addEventListener('click', () => choose(id));
    group.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      choose(id);
    });
    byId('map').append(group);
  }
}

function showMap() {
  for (const group of document.querySelectorAll('.route')) {
    const id = group.dataset.route;
    const { name } = routes.get(id);
    const now = state.routes[id];
    const condition = conditionOf(now);
    group.setAttribute('class', `route ${condition}`);
    group.setAttribute('aria-pressed', String(id === chosen));
    const speed = now?.speed == null ? '' : `, ${now.speed.toFixed(0)} mph`;
    group.setAttribute('aria-label', `${name}: ${WORDS[condition]}${speed}`);
    group.querySelector('title').textContent = group.getAttribute('aria-label');
  }
}

function showAnomalies() {
  const items = state.anomalies.map(({ route, from, open, cause }) => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    const [name, time, why] = ['strong', 'time', 'span'].map((tag) => document.createElement(tag));
    name.textContent = routes.get(route).name;
    time.textContent = timeText(from) + (open ? ', goes on' : '');
    why.className = 'cause';
    why.textContent = cause === null ? '' : `${cause} (planted)`;
    button.append(name, time, why);
    button.addEventListener('click', () => choose(route));
    item.append(button);
    return item;
  });
  if (items.length === 0) {
    const none = document.createElement('li');
    none.textContent = 'None so far.';
    items.push(none);
  }
  byId('last').replaceChildren(...items);
}

async function showChart() {
  const route = routes.get(chosen);
  if (route === undefined) return;
  byId('chart-title').textContent = `${route.name}, ${route.borough}`;
  const now = state.routes[chosen];
  const learning = now?.learning ? ` (${now.learning.rows} of ${now.learning.of} rows)` : '';
  byId('reading').textContent =
    now?.speed == null
      ? 'No reading yet.'
      : `${now.speed.toFixed(1)} mph, ${WORDS[conditionOf(now)]}${learning}`;
  const { buckets } = await answer(`/series.json?route=${encodeURIComponent(chosen)}&hours=${HOURS}`);
  const end = buckets.at(-1)?.lastTimestamp ?? 0;
  const x = (second) => LEFT + ((WIDTH - LEFT) * (second - end + 3600 * HOURS)) / (3600 * HOURS);
  const y = (speed) => (HEIGHT - BOTTOM) * (1 - speed / MAX_SPEED);
  const parts = [];
  for (const speed of [0, 20, 40, 60, 80]) {
    parts.push(element('line', { class: 'grid', x1: LEFT, x2: WIDTH, y1: y(speed), y2: y(speed) }));
    parts.push(element('text', { x: 0, y: Math.max(11, y(speed) + 4) }, `${speed}`));
  }
  for (let hour = 6 - HOURS; hour < 0; hour += 12) {
    const second = end + 3600 * hour;
    parts.push(
      element('text', { x: x(second), y: HEIGHT - 6, 'text-anchor': 'middle' }, timeText(second).slice(-5)),
    );
  }
  for (const { firstTimestamp, lastTimestamp, logLikelihood } of buckets) {
    if ((logLikelihood ?? 0) < WRONG) continue;
    const width = Math.max(2, x(lastTimestamp + 300) - x(firstTimestamp));
    parts.push(
      element('rect', { class: 'anomalous', x: x(firstTimestamp), y: 0, width, height: HEIGHT - BOTTOM }),
    );
  }
  const points = buckets.map(
    ({ firstTimestamp, lowest, highest }) => `${x(firstTimestamp)},${y((lowest + highest) / 2)}`,
  );
  parts.push(element('polyline', { class: 'speed', points: points.join(' ') }));
  byId('chart').replaceChildren(...parts);
}

function choose(id) {
  chosen = id;
  history.replaceState(null, '', `#${encodeURIComponent(id)}`);
  showMap();
  void showChart();
}

async function refresh() {
  try {
    state = await answer('/state.json');
    byId('clock').textContent = state.now === 0 ? 'No sample yet' : `${timeText(state.now)} in the city`;
    showMap();
    showAnomalies();
    await showChart();
    byId('problem').hidden = true;
  } catch (error) {
    byId('problem').textContent = `The engine cannot be asked: ${error.message}. Trying again.`;
    byId('problem').hidden = false;
  }
  setTimeout(() => void refresh(), EVERY_MS);
}

const city = await answer('/city.json');
if (!city.simulated) timeZone = 'America/New_York';
routes = new Map(city.routes.map((route) => [route.id, route]));
byId('source').textContent = city.title;
if (!routes.has(chosen)) chosen = city.routes[0]?.id ?? '';
drawMap(city);
await refresh();
