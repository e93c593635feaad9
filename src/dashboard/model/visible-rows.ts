/** What a long list shows of itself. Lengths in CSS pixels. */
export interface Viewport {
  /** Of the list's upper edge above the window's: negative while the list begins below it. */
  readonly scrolled: number;
  readonly height: number;
}

/** Rows rendered beyond the window on each side, so that scrolling shows no gaps. */
const OVERSCAN_ROWS = 8;

/** Rows `[first, end)` of a list that are to be rendered. */
export function visibleRows(
  { scrolled, height }: Viewport,
  rowHeight: number,
  rows: number,
): { first: number; end: number } {
  const first = Math.floor(scrolled / rowHeight) - OVERSCAN_ROWS;
  const end = Math.ceil((scrolled + height) / rowHeight) + OVERSCAN_ROWS;
  return {
    first: Math.min(Math.max(0, first), rows),
    end: Math.min(Math.max(0, end), rows),
  };
}
