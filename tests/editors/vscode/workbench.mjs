// VS Code as a user meets it: keys are pressed and what is on the screen is read.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { patience, until } from './until.mjs';

/** Right of the tabs, where the mouse points at nothing. */
const emptyPlace = [1000, 53];

export class Workbench {
  constructor(page, folder) {
    this.page = page;
    this.folder = folder;
    /** The file in front, relative to the folder. */
    this.file = undefined;
  }

  static async open(page, url, folder) {
    page.setDefaultTimeout(patience);
    await page.goto(`${url}?folder=${encodeURIComponent(folder)}`);
    await page.locator('.monaco-workbench .part.statusbar').waitFor();
    return new Workbench(page, folder);
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Opens a file through quick open, as it finds files by name. */
  async openFile(file) {
    const name = path.basename(file);
    const input = this.page.locator('.quick-input-widget:visible input.input');
    await until(`${file} in quick open`, async (note) => {
      if ((await input.count()) === 0) await this.press('Control+p');
      await input.fill(file);
      const row = this.page.locator('.quick-input-list .monaco-list-row').filter({
        has: this.page.locator('.label-name', { hasText: name }),
      });
      note(await this.texts('.quick-input-list .monaco-list-row'));
      if ((await row.count()) === 0) return undefined;
      await row.first().click();
      return true;
    });
    await this.page.locator('.tabs-container .tab.active', { hasText: name }).waitFor();
    await this.page.locator('.editor-instance .view-line').first().waitFor();
    this.file = file;
  }

  /** Puts the cursor behind the `nth` occurrence of a text of the saved file. */
  async cursor(text, nth = 1) {
    const content = await this.saved();
    let end = -1;
    for (let found = 0, from = 0; found < nth; found += 1) {
      const start = content.indexOf(text, from);
      if (start < 0) throw new Error(`${this.file} does not contain ${JSON.stringify(text)}`);
      end = start + text.length;
      from = start + 1;
    }
    const before = content.slice(0, end).split('\n');
    await this.goTo(before.length, before.at(-1).length + 1);
  }

  async goTo(line, column) {
    await this.focusEditor();
    const input = this.page.locator('.quick-input-widget:visible input.input');
    await this.press('Control+g');
    await input.fill(`:${line}:${column}`);
    await this.press('Enter');
    await input.waitFor({ state: 'hidden' });
    const selection = this.page.locator('[id="status.editor.selection"]');
    await until(`the cursor at line ${line}, column ${column}`, async (note) => {
      const text = await selection.innerText();
      note(text);
      return text.includes(`Ln ${line},`) ? true : undefined;
    });
    await this.focusEditor();
  }

  /** Whatever else has the focus, such as a menu that an earlier request opened late, loses it. */
  async focusEditor() {
    await this.page.mouse.move(...emptyPlace);
    const focused = this.page.locator('.editor-instance .monaco-editor.focused');
    await until('the editor in focus', async () => {
      if ((await focused.count()) > 0) return true;
      await this.closeMenu();
      await this.press('Control+1');
      return undefined;
    });
  }

  /** Opens the menu of code actions and returns the titles, once they match all of `expected`. */
  async codeActions(expected) {
    const overlay = this.page.locator('.monaco-editor-overlaymessage');
    return until(`code actions that match ${expected.join(' and ')}`, async (note) => {
      await this.closeMenu();
      await this.focusEditor();
      await this.press('Control+.');
      await this.page
        .locator('.action-widget .monaco-list-row.action')
        .or(overlay)
        .first()
        .waitFor();
      const titles = await this.texts('.action-widget .monaco-list-row.action .title');
      note(titles);
      return expected.every((pattern) => titles.some((title) => pattern.test(title)))
        ? titles
        : undefined;
    });
  }

  /** With the keyboard: the menu lets no click through before the mouse has moved. */
  async pickAction(pattern) {
    const focused = this.page.locator('.action-widget .monaco-list-row.action.focused .title');
    await until(`a code action that matches ${pattern} to be in focus`, async (note) => {
      const titles = (await focused.allInnerTexts()).map(clean);
      note(titles);
      if (titles.some((title) => pattern.test(title))) return true;
      await this.press('ArrowDown');
      return undefined;
    });
    await this.press('Enter');
    await this.page.locator('.action-widget').waitFor({ state: 'hidden' });
  }

  async closeMenu() {
    const widget = this.page.locator('.action-widget');
    if (await widget.isVisible()) {
      await this.press('Escape');
      await widget.waitFor({ state: 'hidden' });
    }
  }

  /** The text of the hover at the cursor, once it matches all of `expected`. */
  async hover(expected) {
    const hover = this.page.locator('.monaco-editor .monaco-hover:visible');
    return until(`a hover that matches ${expected.join(' and ')}`, async (note) => {
      await this.focusEditor();
      await this.press('Control+k', 'Control+i');
      await hover.first().waitFor();
      const text = clean((await hover.allInnerTexts()).join('\n'));
      note(text);
      if (expected.every((pattern) => pattern.test(text))) return text;
      await this.press('Escape');
      return undefined;
    });
  }

  /** The code lenses in view, once they match all of `expected`. */
  async lenses(expected) {
    return until(`code lenses that match ${expected.join(' and ')}`, async (note) => {
      const lenses = await this.texts('.codelens-decoration');
      note(lenses);
      return expected.every((pattern) => lenses.some((lens) => pattern.test(lens)))
        ? lenses
        : undefined;
    });
  }

  async pickLens(pattern, nth = 1) {
    await this.page
      .locator('.codelens-decoration a', { hasText: pattern })
      .nth(nth - 1)
      .click();
  }

  /** The rows of the Problems view, once they match all of `expected` and none of `absent`. */
  async problems(expected, absent) {
    await this.command('Problems: Focus on Problems View');
    await this.page.locator('.markers-panel').waitFor();
    const found = await until(`problems that match ${expected.join(' and ')}`, async (note) => {
      const rows = await this.texts('.markers-panel .monaco-list-row');
      note(rows);
      const wanted = expected.every((pattern) => rows.some((row) => pattern.test(row)));
      return wanted && !absent.some((pattern) => rows.some((row) => pattern.test(row)))
        ? rows
        : undefined;
    });
    return found;
  }

  async closePanel() {
    await this.command('View: Hide Panel');
    await this.page.locator('.part.panel').waitFor({ state: 'hidden' });
  }

  /** Farthing's item in the status bar, once it matches. */
  async status(pattern) {
    const item = this.statusItem();
    return until(`a status bar item that matches ${pattern}`, async (note) => {
      const text = clean((await item.allInnerTexts()).join('')).trim();
      note(text);
      return pattern.test(text) ? text : undefined;
    });
  }

  async statusTooltip(expected) {
    const hover = this.page.locator('.workbench-hover-container .monaco-hover:visible');
    return until(`a tooltip that matches ${expected.join(' and ')}`, async (note) => {
      await this.statusItem().hover();
      await hover.first().waitFor();
      const text = clean((await hover.allInnerTexts()).join('\n'));
      note(text);
      return expected.every((pattern) => pattern.test(text)) ? text : undefined;
    });
  }

  async clickStatus() {
    await this.statusItem().click();
  }

  statusItem() {
    return this.page.locator('.statusbar-item[id*="farthing.spending"]');
  }

  /** What the Markdown preview in front shows; it is a frame in a frame. */
  async preview(expected) {
    const body = this.page
      .frameLocator('iframe.webview')
      .frameLocator('iframe#active-frame')
      .locator('body');
    return until(`a preview that matches ${expected.join(' and ')}`, async (note) => {
      // The frames are replaced while the preview is drawn.
      const texts = await body.allInnerTexts().catch(() => []);
      const text = clean(texts.join('\n'));
      note(text);
      return expected.every((pattern) => pattern.test(text)) ? text : undefined;
    });
  }

  async command(title) {
    const input = this.page.locator('.quick-input-widget:visible input.input');
    await this.press('F1');
    await input.fill(`>${title}`);
    await this.page
      .locator('.quick-input-list .monaco-list-row', { hasText: title })
      .first()
      .click();
  }

  /** Lines on the screen, once they match all of `expected`. */
  async screen(expected) {
    await until(`lines on the screen that match ${expected.join(' and ')}`, async (note) => {
      const lines = await this.texts('.editor-instance .view-lines .view-line');
      note(lines);
      return expected.every((pattern) => lines.some((line) => pattern.test(line)))
        ? true
        : undefined;
    });
  }

  /** What is on the disk, once the editor has saved something that `accept` accepts. */
  async savedUntil(awaited, accept) {
    const dirty = this.page.locator('.tabs-container .tab.active.dirty');
    return until(awaited, async (note) => {
      if ((await dirty.count()) > 0) await this.press('Control+s');
      const content = await this.saved();
      note(content);
      return accept(content) && (await dirty.count()) === 0 ? content : undefined;
    });
  }

  async saved() {
    return readFile(path.join(this.folder, this.file), 'utf8');
  }

  async texts(selector) {
    return (await this.page.locator(selector).allInnerTexts()).map((text) =>
      clean(text)
        .replace(/\s*\n\s*/g, ' ')
        .trim(),
    );
  }
}

/** The editor draws spaces as no-break spaces. */
function clean(text) {
  return text.replaceAll('\u00a0', ' ');
}
