import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Spending } from '../src/lsp_ext';
import { escapeMarkdown, statusText, titleMarkdown, type StatusInput } from '../src/status_text';

const spending: Spending = {
  today: '$0.13',
  month: '$2.10',
  todayPicodollars: 130_000_000_000,
  exhausted: false,
};

function check(input: Partial<StatusInput>, expected: string) {
  const { text, tooltip, severity, click } = statusText({
    server: { kind: 'running' },
    trusted: true,
    spending: undefined,
    runs: [],
    ...input,
  });
  assert.equal(`${text} [${severity}, ${click}]\n${tooltip}`, expected);
}

test('before anything is known there is no figure', () => {
  check({}, '$(tag) Farthing [none, cost]\nClick for the cost report.');
});

test('the figure is the one the server wrote', () => {
  check(
    {
      spending: {
        ...spending,
        limitDay: '$5.00',
        lastRun: { title: 'Make `parse_header` faster', cost: '$0.021', state: 'completed' },
      },
    },
    [
      '$(tag) $0.13 today [none, cost]',
      '| | |',
      '|:--|--:|',
      '| Today | \\$0.13 of \\$5.00 |',
      '| This month | \\$2.10 |',
      '',
      'Last run: Make `parse_header` faster  ',
      '\\$0.021, completed',
      '',
      'Click for the cost report.',
    ].join('\n'),
  );
});

test('a used-up budget is a warning', () => {
  const { severity, tooltip } = statusText({
    server: { kind: 'running' },
    trusted: true,
    spending: { ...spending, exhausted: true },
    runs: [],
  });
  assert.equal(severity, 'warning');
  assert.match(tooltip, /A budget is used up: no run starts until it is raised\./);
});

test('the runs in progress are listed', () => {
  check(
    { runs: [{ token: 1, title: 'Document main', message: '$0.002 of est. $0.01' }] },
    [
      '$(tag) Farthing [none, cost]',
      '$(sync) Document main  ',
      '\\$0.002 of est. \\$0.01',
      '',
      'Click for the cost report.',
    ].join('\n'),
  );
});

test('a workspace that is not trusted is named as such', () => {
  check(
    { trusted: false },
    [
      '$(tag) Farthing [none, cost]',
      'This workspace is not trusted: nothing is sent to a model until it is.',
      '',
      'Click for the cost report.',
    ].join('\n'),
  );
});

test('a server that is not there leads to the log', () => {
  check(
    { server: { kind: 'failed', reason: 'no farthing in PATH' }, spending },
    '$(error) Farthing [error, log]\nno farthing in PATH\n\nClick for the log.',
  );
  check(
    { server: { kind: 'starting' } },
    '$(loading~spin) Farthing [none, log]\nThe server is starting.\n\nClick for the log.',
  );
});

test('a name cannot place a link, a table cell, an icon or a line of its own', () => {
  assert.equal(
    escapeMarkdown('[a](command:x) | <b>\n$(bug)&'),
    '\\[a\\]\\(command:x\\) \\| \\<b\\> \\$\\(bug\\)&amp;',
  );
});

test('only whole pairs of back quotes make code of a name', () => {
  assert.equal(titleMarkdown('Make `a_b` faster'), 'Make `a_b` faster');
  assert.equal(titleMarkdown('Fix: odd ` quote_'), 'Fix: odd \\` quote\\_');
  assert.equal(titleMarkdown('`a`[x](command:y)`'), '`a`\\[x\\]\\(command:y\\)\\`');
});
