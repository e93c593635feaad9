import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { accessibilityFaults } from '../support/browser.ts';
import type { EngineProcess } from '../support/engine-process.ts';

const TIMEOUT_MS = 30_000;

export interface EngineWithPage {
  readonly engine: EngineProcess;
  /** Opens the page at a fragment. */
  readonly open: (fragment: string) => Promise<Page>;
}

const section = (page: Page, name: string) => page.getByRole('region', { name });
const article = (page: Page, where: string, name: string) =>
  section(page, where).getByRole('article', { name }).first();

/** The incidents of a running engine: `web/past` has been anomalous, `db.open` is. */
export function incidentTests(current: () => EngineWithPage): void {
  it('lists the open ones before the past ones, each with its metric, and leads to the chart', async () => {
    const page = await current().open('#/');
    await page.getByRole('navigation').getByRole('link', { name: 'Incidents' }).press('Enter');
    await article(page, 'Open incidents', 'db.open').waitFor();
    await article(page, 'Past incidents', 'web/past').waitFor();
    const headings = await page.getByRole('heading', { level: 2 }).allTextContents();
    expect(headings.map((text) => text.replace(/\d+/, '').trim())).toEqual([
      'Open now',
      'Past',
      'Mutes',
      'Usual patterns',
    ]);
    expect(await accessibilityFaults(page)).toEqual([]);
    await article(page, 'Past incidents', 'web/past').getByRole('link', { name: 'web/past' }).click();
    expect(page.url()).toMatch(/#\/metric\/web%2Fpast\?from=\d+&to=\d+$/);
    await section(page, 'Anomalous spans').getByRole('listitem').first().waitFor();
    await page.getByRole('link', { name: /^Its incidents/ }).click();
    await article(page, 'Past incidents', 'web/past').waitFor();
    expect(await page.getByRole('article', { name: 'db.open' }).count()).toBe(0);
  });

  it('keeps the period and the metric in an address that can be shared', async () => {
    const page = await current().open('#/incidents?metric=db.open');
    await article(page, 'Open incidents', 'db.open').waitFor();
    const asked = page.waitForRequest(/incidents\?from=\d+&metric=db\.open$/);
    await page.getByLabel('Period').selectOption('day');
    const from = Number(new URL((await asked).url()).searchParams.get('from'));
    expect(Math.abs(Date.now() / 1000 - 86_400 - from)).toBeLessThan(60);
    expect(page.url()).toMatch(/#\/incidents\?period=day&metric=db\.open$/);
    await article(page, 'Open incidents', 'db.open').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    expect(page.url()).toMatch(/#\/incidents\?period=day$/);
    await article(page, 'Open incidents', 'db.open').waitFor();
  });

  it('acknowledges with a note', async () => {
    const page = await current().open('#/incidents?metric=db.open');
    await article(page, 'Open incidents', 'db.open').getByRole('button', { name: 'Acknowledge…' }).click();
    await page.getByLabel('Note').fill('on call has it');
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText(/^Acknowledged .*: on call has it$/).waitFor();
    await article(page, 'Open incidents', 'db.open').getByText('acknowledged', { exact: true }).waitFor();
  });

  it('silences what somebody calls fine, says what that records, and takes it back', async () => {
    const page = await current().open('#/incidents?metric=web%2Fpast');
    const past = section(page, 'Past incidents').getByRole('article');
    await past.first().waitFor();
    const before = await past.count();
    await past.last().getByRole('button', { name: 'This was fine: web/past…' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/^It records that for this metric values of about/).waitFor();
    await dialog.getByLabel('At any time of day').check();
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'This was fine' }).click();
    await page.locator('summary', { hasText: 'Silenced' }).waitFor();
    const pattern = section(page, 'Usual patterns').getByRole('listitem');
    expect(await pattern.textContent()).toMatch(/^web\/pastvalues .*, any time of day/);

    await pattern.getByRole('button', { name: 'Take back what is usual for web/past…' }).click();
    await dialog.getByRole('button', { name: 'Take back' }).click();
    await pattern.waitFor({ state: 'detached' });
    await expect.poll(() => past.count(), { timeout: TIMEOUT_MS }).toBe(before);
    expect(await page.locator('details').count()).toBe(0);
  });

  it('mutes by a pattern for a time, and lets it be heard again', async () => {
    const page = await current().open('#/incidents');
    await page.getByRole('button', { name: 'Mute metrics…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name, or pattern').fill('db.*');
    await dialog.getByRole('combobox').selectOption('8 hours');
    await dialog.getByRole('button', { name: 'Mute' }).click();
    const mute = section(page, 'Mutes').getByRole('listitem');
    await mute.getByText('db.*').waitFor();
    const { mutes } = await current().engine.json<{
      mutes: { pattern: string; from: number; until: number }[];
    }>('/api/v1/mutes');
    expect(mutes.map(({ pattern }) => pattern)).toEqual(['db.*']);
    expect(Math.abs((mutes[0]?.until ?? 0) - (mutes[0]?.from ?? 0) - 8 * 3600)).toBeLessThan(60);
    await mute.getByRole('button', { name: 'Remove the mute of db.*…' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await mute.waitFor({ state: 'detached' });
    expect(await current().engine.json('/api/v1/mutes')).toEqual({ mutes: [] });
  });
}
