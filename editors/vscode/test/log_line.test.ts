import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLogLine } from '../src/log_line';

function check(line: string, level: string, text: string) {
  assert.deepEqual(parseLogLine(line), { level, text });
}

test('the level is read and the time left out', () => {
  check('2026-11-20T09:00:00.123456Z  INFO lsp: ready', 'info', 'lsp: ready');
  check(' WARN engine: no key', 'warn', 'engine: no key');
  check('ERROR lsp: panicked', 'error', 'lsp: panicked');
});

test('a line without a level is kept whole', () => {
  check("thread 'main' panicked at INFO", 'warn', "thread 'main' panicked at INFO");
  check('', 'warn', '');
});
