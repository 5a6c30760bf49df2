import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coalesce } from '../src/coalesce';

/** A task whose runs end when the test says so. */
function controlled() {
  const runs: { end: () => void; fail: () => void }[] = [];
  const task = () =>
    new Promise<void>((resolve, reject) => {
      runs.push({
        end: resolve,
        fail: () => {
          reject(new Error('failed'));
        },
      });
    });
  return { runs, task };
}

test('asking ten times during a run makes one more run', async () => {
  const { runs, task } = controlled();
  const run = coalesce(task);
  const first = run();
  const later = Array.from({ length: 10 }, run);
  runs[0]?.end();
  await first;
  await Promise.resolve();
  assert.equal(runs.length, 2);
  runs[1]?.end();
  await Promise.all(later);
  assert.equal(runs.length, 2);
});

test('a run that failed does not keep the next from running', async () => {
  const { runs, task } = controlled();
  const run = coalesce(task);
  const first = run();
  const second = run();
  runs[0]?.fail();
  await assert.rejects(first);
  await Promise.resolve();
  runs[1]?.end();
  await second;
  const third = run();
  runs[2]?.end();
  await third;
  assert.equal(runs.length, 3);
});
