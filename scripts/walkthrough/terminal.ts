import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Film } from './film.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
/** Characters that appear together while somebody types, and for how long. */
const TYPED = 4;
const TYPING_MS = 70;
const AFTER_COMMAND_MS = 400;
const AFTER_OUTPUT_MS = 900;
const LINES = 25;
const COLUMNS = 95;

const PROMPT = '<span class="prompt">$</span> ';
const CURSOR = '<span class="cursor"> </span>';
const STYLE = `
  body { margin: 0; padding: 22px 26px; background: #15191c; color: #dde3e7; height: 716px; overflow: hidden; }
  pre { margin: 0; font: 18px/28px 'DejaVu Sans Mono', monospace; white-space: pre-wrap; }
  .prompt { color: #7fb3ff; } .said { color: #8f9aa3; } .cursor { background: #dde3e7; color: #15191c; }
`;

/** A terminal that is drawn as a page: commands are typed, and what they print is what the program printed. */
export class Terminal {
  readonly #page: Page;
  readonly #film: Film;
  readonly #settings: TerminalSettings;
  #lines: string[] = [];

  private constructor(page: Page, film: Film, settings: TerminalSettings) {
    this.#page = page;
    this.#film = film;
    this.#settings = settings;
  }

  static async open(
    browser: Browser,
    view: BrowserContextOptions,
    film: Film,
    settings: TerminalSettings,
  ): Promise<Terminal> {
    const page = await (await browser.newContext(view)).newPage();
    await page.setContent(`<style>${STYLE}</style><pre></pre>`);
    return new Terminal(page, film, settings);
  }

  /** A comment, on an empty terminal. */
  async say(words: string): Promise<void> {
    this.#lines = [`<span class="said"># ${escapeHtml(words)}</span>`];
    await this.#show('', AFTER_COMMAND_MS);
  }

  /** @throws Error if the command fails */
  async run(command: string): Promise<void> {
    await this.#type(command);
    await this.#print(command, await this.#output(command));
  }

  /** A command that runs already, and what it printed. */
  async show(command: string, output: string): Promise<void> {
    await this.#type(command);
    await this.#print(command, output, '');
  }

  async #type(command: string): Promise<void> {
    for (let end = TYPED; end < command.length + TYPED; end += TYPED) {
      const typed = escapeHtml(command.slice(0, end));
      await this.#show(`${PROMPT}${typed}${CURSOR}`, TYPING_MS);
    }
    this.#film.hold(AFTER_COMMAND_MS);
  }

  async #print(command: string, output: string, next = PROMPT + CURSOR): Promise<void> {
    this.#lines.push(PROMPT + escapeHtml(command), ...output.trimEnd().split('\n').map(escapeHtml));
    await this.#show(next, AFTER_OUTPUT_MS);
  }

  async #output(command: string): Promise<string> {
    const { directory, environment } = this.#settings;
    const script = `exec 2>&1; htmengine() { '${process.execPath}' '${MAIN}' "$@"; }; ${command}`;
    const child = spawn('bash', ['-c', script], {
      cwd: directory,
      env: { ...process.env, ...environment, NO_COLOR: '1', COLUMNS: String(COLUMNS) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed, [code]] = await Promise.all([
      text(child.stdout),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(`"${command}" failed: ${printed}`);
    return printed;
  }

  async #show(line: string, milliseconds: number): Promise<void> {
    const lines = [...this.#lines, line].slice(-LINES).join('\n');
    await this.#page.evaluate(`document.querySelector('pre').innerHTML = ${JSON.stringify(lines)}`);
    await this.#film.take(this.#page, milliseconds);
  }
}

interface TerminalSettings {
  /** Where commands run. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

function escapeHtml(given: string): string {
  return given.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
