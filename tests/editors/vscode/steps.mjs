// What a story may do. A step is an object of story.json; patterns are regular expressions.

export const steps = {
  /** { file }: opens it. */
  async open(workbench, { file }) {
    await workbench.openFile(file);
    return file;
  },

  /** { at, nth? }: puts the cursor behind a text. */
  async cursor(workbench, { at, nth }) {
    await workbench.cursor(at, nth);
    return at;
  },

  /** { at?, nth?, titles, absent? }: the code actions at the cursor; the menu stays open. */
  async actions(workbench, { at, nth, titles, absent = [] }) {
    if (at !== undefined) await workbench.cursor(at, nth);
    const found = await workbench.codeActions(titles.map(pattern));
    for (const unwanted of absent.map(pattern)) {
      const title = found.find((candidate) => unwanted.test(candidate));
      if (title !== undefined) throw new Error(`the menu offers ${title}`);
    }
    return found.join(' | ');
  },

  /** { title }: picks from the open menu. */
  async pick(workbench, { title }) {
    await workbench.pickAction(pattern(title));
    return title;
  },

  /** { text, at: "top" | "bottom" }: types while whatever is going on goes on. */
  async type(workbench, { text, at }) {
    await workbench.focusEditor();
    await workbench.press(at === 'top' ? 'Control+Home' : 'Control+End');
    await workbench.page.keyboard.type(text);
    return text.trim();
  },

  /** { contains?, lacks?, original? }: saves until the file on the disk is as described. */
  async file(workbench, { contains = [], lacks = [], original = false }, { originals }) {
    const before = originals.get(workbench.file);
    const content = await workbench.savedUntil(
      `${workbench.file} with ${JSON.stringify(contains)} and without ${JSON.stringify(lacks)}`,
      (text) =>
        contains.every((part) => text.includes(part)) &&
        !lacks.some((part) => text.includes(part)) &&
        (!original || text === before),
    );
    return `${content.length} characters`;
  },

  /** { lines }: what the editor draws. */
  async screen(workbench, { lines }) {
    await workbench.screen(lines.map(pattern));
    return lines.join(' | ');
  },

  /** { at?, nth?, shows }: the hover at the cursor. */
  async hover(workbench, { at, nth, shows }) {
    if (at !== undefined) await workbench.cursor(at, nth);
    return (await workbench.hover(shows.map(pattern))).replace(/\s+/g, ' ').slice(0, 200);
  },

  /** { shows, click?, nth? }: the code lenses in view, and a click on one. */
  async lenses(workbench, { shows, click, nth }) {
    const found = await workbench.lenses(shows.map(pattern));
    if (click !== undefined) await workbench.pickLens(pattern(click), nth);
    return found.join(' | ');
  },

  /** { shows?, absent? }: the Problems view; it stays open. */
  async problems(workbench, { shows = [], absent = [] }) {
    const rows = await workbench.problems(shows.map(pattern), absent.map(pattern));
    return rows.join(' | ');
  },

  async closePanel(workbench) {
    await workbench.closePanel();
    return '';
  },

  /** { shows, tooltip?, click? }: today's spending. */
  async status(workbench, { shows, tooltip, click = false }) {
    const text = await workbench.status(pattern(shows));
    if (tooltip) await workbench.statusTooltip(tooltip.map(pattern));
    if (click) await workbench.clickStatus();
    return text;
  },

  /** { shows }: the report in front, as the Markdown preview draws it. */
  async preview(workbench, { shows }) {
    const text = await workbench.preview(shows.map(pattern));
    return text.replace(/\s+/g, ' ').slice(0, 200);
  },

  /** { title }: runs a command of the palette. */
  async command(workbench, { title }) {
    await workbench.command(title);
    return title;
  },

  /** { keys }: presses keys, such as "Control+z". */
  async keys(workbench, { keys }) {
    await workbench.press(...keys);
    return keys.join(' ');
  },

  /**
   * { cost: "exactly" | "at least" }: the ledger holds what the provider billed. An answer that was cut
   * short is booked at its reservation, which is more. No run can follow.
   */
  async ledger(_workbench, { cost: relation }, { ledger }) {
    const { rows } = await ledger.cost();
    const { billed, failures } = await ledger.provided();
    if (failures.length > 0) throw new Error(`the script was not followed: ${failures.join('; ')}`);
    const booked = rows.reduce((sum, row) => sum + BigInt(row.cost), 0n);
    const due = price(billed);
    if (relation === 'exactly' ? booked !== due : booked < due || due === 0n)
      throw new Error(`the ledger holds ${booked} picodollars, and ${due} were billed`);
    return `${booked} picodollars booked, ${due} billed`;
  },

  /** { selector, shows, click? }: anything else on the screen. */
  async element(workbench, { selector, shows, click = false }) {
    const element = workbench.page.locator(selector, { hasText: drawn(shows) }).first();
    await element.waitFor();
    if (click) await element.click();
    return shows;
  },
};

/** Picodollars for one token of claude-sonnet-5-5. */
const picodollars = {
  input: 2_000_000n,
  cache_write_5m: 2_500_000n,
  cache_write_1h: 4_000_000n,
  cache_read: 100_000n,
  output: 10_000_000n,
};

function price(usage) {
  return Object.entries(picodollars).reduce(
    (sum, [kind, each]) => sum + BigInt(usage[kind]) * each,
    0n,
  );
}

/** Where the editor may have drawn spaces as no-break spaces. */
function drawn(source) {
  return pattern(source.replaceAll(' ', '\\s'));
}

function pattern(source) {
  return new RegExp(source);
}
