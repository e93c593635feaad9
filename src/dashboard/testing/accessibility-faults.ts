/**
 * Runs in the browser (test/support/browser.ts).
 *
 * What a person with a screen reader or weak eyes would stumble over, one line each: controls without a name, images without a
 * text, repeated ids, a missing language or title, more or less than one main heading, text with too little contrast
 * (WCAG 2.2 AA: 4.5, large text 3), and a page wider than its window.
 */
export function accessibilityFaults(): string[] {
  const faults: string[] = [];
  const shown = (element: Element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const tag = (element: Element) => element.outerHTML.slice(0, 90);

  if (document.documentElement.lang === '') faults.push('the page has no language');
  if (document.title === '') faults.push('the page has no title');
  const headings = [...document.querySelectorAll('h1')].filter(shown).length;
  if (headings !== 1) faults.push(`${headings} main headings`);
  if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than the window');

  for (const control of document.querySelectorAll('button, a[href], input, select, [role=application]')) {
    const labels = control instanceof HTMLInputElement ? [...(control.labels ?? [])] : [];
    const name = [
      control.getAttribute('aria-label'),
      control.textContent,
      ...labels.map((l) => l.textContent),
    ];
    if (shown(control) && !name.some((text) => text !== null && text.trim() !== ''))
      faults.push(`no name: ${tag(control)}`);
  }
  for (const image of document.querySelectorAll('img:not([alt]), [role=img]:not([aria-label])'))
    faults.push(`no text: ${tag(image)}`);
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) faults.push(`repeated id ${id}`);

  // Colours by way of a canvas, which understands every way to write one.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour: string): [number, number, number, number] => {
    if (canvas === null) return [0, 0, 0, 0];
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const luminance = ([r, g, b]: readonly number[]) => {
    const [red = 0, green = 0, blue = 0] = [r, g, b].map((channel = 0) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element: Element | null): readonly number[] => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const element = node.parentElement;
    if (element === null || node.textContent?.trim() === '' || !shown(element)) continue;
    if (element.closest('svg, option, :disabled, noscript') !== null) continue;
    const style = getComputedStyle(element);
    const [light = 0, dark = 0] = [luminance(rgba(style.color)), luminance(ground(element))].sort(
      (a, b) => b - a,
    );
    const contrast = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (large ? 3 : 4.5)) faults.push(`contrast ${contrast.toFixed(2)}: ${tag(element)}`);
  }
  return faults;
}
