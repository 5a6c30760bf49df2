import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutUnset } from '../src/unset';

test('an empty amount is no amount, and everything else stays', () => {
  const section = {
    budget: { perRun: '', perDay: '$0', perMonth: null },
    hover: { enable: false },
    scope: { deny: [''] },
    server: { path: '', extraArgs: [] },
  };
  assert.deepEqual(withoutUnset(section), {
    budget: { perDay: '$0' },
    hover: { enable: false },
    scope: { deny: [''] },
    server: { extraArgs: [] },
  });
});

test('what is no section is left alone', () => {
  for (const value of [null, undefined, '', 'x', 0, [1, '']]) {
    assert.deepEqual(withoutUnset(value), value);
  }
});
