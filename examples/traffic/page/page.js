import { chartOf } from './chart.js';
import { RouteMap } from './map.js';

const EVERY_MS = 1000;
const LEVELS = { learning: 'still learning', usual: 'usual', remarkable: 'remarkable', alarm: 'alarm' };
const CLOCK = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  weekday: 'short',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

const find = (id) => document.getElementById(id);
const map = new RouteMap(find('map'), choose);
let chosen = decodeURIComponent(location.hash.slice(1)) || null;
let state = null;

function choose(id) {
  chosen = id;
  history.replaceState(null, '', `#${encodeURIComponent(id)}`);
  find('planted').textContent = '';
  show();
  void showChart();
}

/** What the application tells, as JSON. */
async function ask(path, options) {
  const response = await fetch(path, options);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}

async function refresh() {
  try {
    state = await ask('api/state');
    if (!state.routes.some(({ id }) => id === chosen)) chosen = state.routes[0]?.id ?? null;
    show();
    await showChart();
    find('trouble').hidden = true;
  } catch (error) {
    find('trouble').hidden = false;
    find('trouble').textContent = `The application does not answer: ${error.message}`;
  }
  setTimeout(refresh, EVERY_MS);
}

function show() {
  if (state === null) return;
  const { label, simulated, engine, timestamp, routes, alarms } = state;
  find('source').textContent = label;
  find('clock').textContent =
    timestamp === null ? '' : `${simulated ? 'Simulated ' : ''}${CLOCK.format(timestamp * 1000)}`;
  find('engine').href = engine;
  map.show(routes, chosen);
  fill(find('routes'), routes, ({ id, name, level, speed, travelSeconds }) => [
    id,
    level,
    name,
    speed === null ? 'no value yet' : `${LEVELS[level]} · ${minutes(travelSeconds)}`,
    speed === null ? '' : `${speed.toFixed(0)} mph`,
  ]);
  fill(find('alarms'), alarms, ({ routeId, name, from, to }) => [
    routeId,
    'alarm',
    name,
    `${CLOCK.format(from * 1000)}, ${Math.round((to - from) / 60) + 5} minutes`,
    '',
  ]);
  if (alarms.length === 0) find('alarms').replaceChildren(element('li', 'quiet', 'None yet.'));
  const route = routes.find(({ id }) => id === chosen);
  if (route === undefined) return;
  find('route-title').textContent = route.name;
  find('route-facts').textContent =
    route.speed === null
      ? 'No value yet.'
      : `${route.borough} · ${route.speed.toFixed(1)} mph · ${minutes(route.travelSeconds)} · ${LEVELS[route.level]}`;
  find('plant').hidden = !simulated;
}

async function showChart() {
  if (chosen === null) return;
  const id = chosen;
  const rows = await ask(`api/routes/${encodeURIComponent(id)}/rows`);
  const route = state?.routes.find((one) => one.id === id);
  if (id !== chosen || route === undefined || rows.length === 0) return;
  find('chart').replaceChildren(chartOf(route.name, rows));
}

/** Buttons that choose a route. They stay the same elements, so that the keyboard's focus stays where it is. */
function fill(list, items, describe) {
  while (list.children.length > items.length) list.lastElementChild.remove();
  for (const [i, item] of items.entries()) {
    const [id, level, name, detail, value] = describe(item);
    let row = list.children[i];
    if (row?.firstElementChild?.tagName !== 'BUTTON') {
      const made = listRow();
      if (row === undefined) list.append(made);
      else row.replaceWith(made);
      row = made;
    }
    const button = row.firstElementChild;
    button.dataset.id = id;
    button.setAttribute('aria-pressed', String(id === chosen));
    const [dot, nameText, valueText, detailText] = button.children;
    dot.className = `dot ${level}`;
    for (const [part, text] of [
      [nameText, name],
      [valueText, value],
      [detailText, detail],
    ]) {
      if (part.textContent !== text) part.textContent = text;
    }
  }
}

function listRow() {
  const row = element('li', '', '');
  const button = element('button', '', '');
  button.type = 'button';
  const dot = element('span', 'dot', '');
  dot.setAttribute('aria-hidden', 'true');
  button.append(
    dot,
    element('span', 'name', ''),
    element('span', 'value', ''),
    element('span', 'detail', ''),
  );
  button.addEventListener('click', () => choose(button.dataset.id));
  row.append(button);
  return row;
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function minutes(seconds) {
  return seconds === null ? '' : `${(seconds / 60).toFixed(1)} min`;
}

find('plant').addEventListener('click', async () => {
  try {
    const { from } = await ask(`api/routes/${encodeURIComponent(chosen)}/incident`, { method: 'POST' });
    find('planted').textContent = `An incident begins at ${CLOCK.format(from * 1000)}.`;
  } catch (error) {
    find('planted').textContent = `It was not planted: ${error.message}`;
  }
});
await refresh();
