import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Runs } from '../src/runs';

test('a run is listed from its begin to its end with its latest message', () => {
  const runs = new Runs();
  runs.observe('r1', { kind: 'begin', title: 'Make parse faster', cancellable: true });
  runs.observe('r1', { kind: 'report', message: '$0.013 of est. $0.04' });
  runs.observe('r1', { kind: 'report' });
  assert.deepEqual(runs.list(), [
    { token: 'r1', title: 'Make parse faster', message: '$0.013 of est. $0.04' },
  ]);
  runs.observe('r1', { kind: 'end', message: 'completed' });
  assert.deepEqual(runs.list(), []);
});

test('what cannot be cancelled is no run', () => {
  const runs = new Runs();
  runs.observe(1, { kind: 'begin', title: 'Indexing' });
  runs.observe(1, { kind: 'report', message: '40 of 100 files' });
  assert.deepEqual(runs.list(), []);
});
