import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseReport, parseSpending } from '../src/lsp_ext';

const spending = { today: '$0.13', month: '$2.10', todayPicodollars: 130_000_000_000 };

test('spending is read with and without its optional parts', () => {
  assert.deepEqual(parseSpending(spending), { ...spending, exhausted: false });
  const full = {
    ...spending,
    limitDay: '$5.00',
    limitMonth: '$50.00',
    exhausted: true,
    lastRun: { title: 'Make `parse` faster', cost: '$0.021', state: 'completed' },
  };
  assert.deepEqual(parseSpending(full), full);
});

test('fields this extension does not know are left out', () => {
  assert.deepEqual(parseSpending({ ...spending, currency: 'USD', lastRun: { title: 'x' } }), {
    ...spending,
    exhausted: false,
  });
});

test('what is not spending is not taken for it', () => {
  for (const params of [undefined, null, [], 'x', {}, { ...spending, today: 0.13 }]) {
    assert.equal(parseSpending(params), undefined);
  }
});

test('a report is Markdown or nothing', () => {
  assert.deepEqual(parseReport({ markdown: '# Cost', rows: [] }), { markdown: '# Cost' });
  for (const result of [undefined, null, '# Cost', { markdown: 1 }]) {
    assert.equal(parseReport(result), undefined);
  }
});
